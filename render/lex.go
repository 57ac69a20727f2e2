package render

import (
	"regexp"
	"strconv"
	"unicode/utf8"

	"swath/fault"
)

type tokenKind int

const (
	endToken tokenKind = iota
	numberToken
	nameToken
	signToken // an operator, a bracket, "," or ";"
)

// token is one word of an expression. A quoted name comes without its quotes.
type token struct {
	kind   tokenKind
	text   string
	offset int // bytes from the beginning
	next   int // bytes from the beginning to what follows
	quoted bool
}

var words = regexp.MustCompile("^(?:" +
	`((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|` + // 1: number
	"([A-Za-z_][A-Za-z0-9_]*)|`([^`]+)`|" + // 2, 3: name, name in backquotes
	`(\*\*|<=|>=|==|!=|[-+*/%<>&|^~(),;])` + // 4: sign
	")")

// scan returns the token at or after offset.
func scan(source string, offset int) (token, error) {
	for offset < len(source) && (source[offset] == ' ' || source[offset] == '\t' || source[offset] == '\n' || source[offset] == '\r') {
		offset++
	}
	if offset == len(source) {
		return token{kind: endToken, offset: offset, next: offset}, nil
	}
	m := words.FindStringSubmatch(source[offset:])
	if m == nil {
		r, _ := utf8.DecodeRuneInString(source[offset:])
		return token{}, mistake(source, offset, "unexpected %s", strconv.QuoteRune(r))
	}
	t := token{offset: offset, next: offset + len(m[0])}
	switch {
	case m[1] != "":
		t.kind, t.text = numberToken, m[1]
	case m[2] != "":
		t.kind, t.text = nameToken, m[2]
	case m[3] != "":
		t.kind, t.text, t.quoted = nameToken, m[3], true
	default:
		t.kind, t.text = signToken, m[4]
	}
	return t, nil
}

// describe returns the token as an error message names it.
func (t token) describe() string {
	if t.kind == endToken {
		return "the end"
	}
	return strconv.Quote(t.text)
}

// mistake is a fault.Invalid that says at which column, counted in characters from 1, the expression went wrong.
func mistake(source string, offset int, format string, args ...any) error {
	column := utf8.RuneCountInString(source[:offset]) + 1
	return fault.New(fault.Invalid, "expression: column %d: "+format, append([]any{column}, args...)...)
}
