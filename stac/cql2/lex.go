package cql2

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"swath/fault"
)

// kind is what a token is.
type kind int

const (
	end    kind = iota
	word        // a bare identifier or keyword
	quoted      // an identifier in double quotes
	text        // a literal in single quotes
	number
	symbol // an operator or punctuation
)

// token is one word of the text form.
type token struct {
	kind  kind
	text  string // without quotes and escapes
	value float64
	at    int // byte offset
}

// is reports whether a token is a keyword or a symbol.
func (t token) is(name string) bool {
	return t.kind == symbol && t.text == name || t.kind == word && strings.EqualFold(t.text, name)
}

func (t token) String() string {
	if t.kind == end {
		return "its end"
	}
	return strconv.Quote(t.text)
}

// wrong is the error of a place in the text.
func wrong(at int, format string, args ...any) error {
	return fault.New(fault.Invalid, "the filter at character %d: "+format, append([]any{at + 1}, args...)...)
}

// lex splits a filter into tokens; the last is the end.
func lex(s string) ([]token, error) {
	if !utf8.ValidString(s) {
		return nil, fault.New(fault.Invalid, "the filter is not valid UTF-8")
	}
	var all []token
	for i := 0; ; {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case size == 0:
			return append(all, token{kind: end, at: i}), nil
		case unicode.IsSpace(r):
			i += size
			continue
		case r == '\'' || r == '"':
			t, next, err := lexQuoted(s, i)
			if err != nil {
				return nil, err
			}
			all, i = append(all, t), next
		case r >= '0' && r <= '9' || r == '.' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			t, next, err := lexNumber(s, i)
			if err != nil {
				return nil, err
			}
			all, i = append(all, t), next
		case isWordStart(r):
			j := i + size
			for j < len(s) {
				r, size := utf8.DecodeRuneInString(s[j:])
				if !isWordStart(r) && !unicode.IsDigit(r) && r != '.' {
					break
				}
				j += size
			}
			all, i = append(all, token{kind: word, text: s[i:j], at: i}), j
		default:
			t := token{kind: symbol, text: string(r), at: i}
			if i+2 <= len(s) {
				if two := s[i : i+2]; two == "<>" || two == "<=" || two == ">=" || two == "!=" {
					t.text = two
				}
			}
			if !strings.Contains("<> <= >= != = < > + - * / % ^ ( ) ,", t.text) || r == ' ' {
				return nil, wrong(i, "unexpected %q", r)
			}
			i += len(t.text)
			if t.text == "!=" { // not the standard's, and clear enough
				t.text = string(NotEqual)
			}
			all = append(all, t)
		}
		if len(all) > 8*maxNodes {
			return nil, fault.New(fault.TooLarge, "the filter has more than %d words", 8*maxNodes)
		}
	}
}

func isWordStart(r rune) bool {
	return r == '_' || r == ':' || unicode.IsLetter(r) || unicode.Is(unicode.Mn, r)
}

// lexQuoted reads a literal or an identifier. A quote inside is written twice, or behind a backslash.
func lexQuoted(s string, at int) (token, int, error) {
	quote := s[at]
	var out []byte
	for i := at + 1; i < len(s); i++ {
		switch {
		case s[i] == quote && i+1 < len(s) && s[i+1] == quote:
			i++
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == quote:
			i++
		case s[i] == quote:
			t := token{kind: text, text: string(out), at: at}
			if quote == '"' {
				if t.kind = quoted; len(out) == 0 {
					return token{}, 0, wrong(at, "the name of a property is empty")
				}
			}
			return t, i + 1, nil
		}
		out = append(out, s[i])
	}
	return token{}, 0, wrong(at, "the text that begins here has no end")
}

func lexNumber(s string, at int) (token, int, error) {
	i := at
	digits := func() {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
	}
	digits()
	if i < len(s) && s[i] == '.' {
		i++
		digits()
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if j < len(s) && s[j] >= '0' && s[j] <= '9' {
			i = j
			digits()
		}
	}
	v, err := strconv.ParseFloat(s[at:i], 64)
	if err != nil {
		return token{}, 0, wrong(at, "%s is not a number that can be held", s[at:i])
	}
	return token{kind: number, text: s[at:i], value: v, at: at}, i, nil
}
