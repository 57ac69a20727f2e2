package stac

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"swath/fault"
)

// TextQuery is a free-text search (STAC API free-text, basic and advanced): a tree of words, phrases, and, or and not.
type TextQuery interface{ isTextQuery() }

type (
	// Words is a phrase: its words in this order, folded (lower case, without accents). A single word is a phrase of one.
	Words []string
	// AllOf is true when all of its arguments are, AnyOf when one is, NoneOf when its argument is not.
	AllOf  []TextQuery
	AnyOf  []TextQuery
	NoneOf struct{ Arg TextQuery }
)

func (Words) isTextQuery()  {}
func (AllOf) isTextQuery()  {}
func (AnyOf) isTextQuery()  {}
func (NoneOf) isTextQuery() {}

const (
	maxTextBytes = 4096 // of q
	maxTextParts = 100
	maxTextDepth = 16
)

// ParseText reads the parameter q: terms separated by commas, of which one must be found, each a phrase of one or more
// words. A term may use AND, OR and NOT, parentheses, "phrases", and + and - before what must and what must not be found.
func ParseText(q string) (TextQuery, error) { return ParseTexts(splitTerms(q)) }

// splitTerms splits at commas, but not at those of a phrase in quotes.
func splitTerms(q string) []string {
	quoted := false
	var terms []string
	start := 0
	for i := range len(q) {
		switch {
		case q[i] == '"':
			quoted = !quoted
		case q[i] == ',' && !quoted:
			terms, start = append(terms, q[start:i]), i+1
		}
	}
	return append(terms, q[start:])
}

// ParseTexts reads the terms of a list, as POST sends them.
func ParseTexts(terms []string) (TextQuery, error) {
	size := 0
	var either AnyOf
	for _, term := range terms {
		if size += len(term); size > maxTextBytes || len(terms) > maxTextParts {
			return nil, fault.New(fault.Invalid, "q is longer than %d bytes or has more than %d terms", maxTextBytes, maxTextParts)
		}
		if !utf8.ValidString(term) {
			return nil, fault.New(fault.Invalid, "q is not valid UTF-8")
		}
		p := textParser{left: textTokens(term)}
		one, err := p.either(0)
		if err != nil {
			return nil, err
		}
		if len(p.left) > 0 {
			return nil, fault.New(fault.Invalid, "q has %q where nothing was expected", p.left[0].text)
		}
		if one != nil {
			either = append(either, one)
		}
	}
	switch len(either) {
	case 0:
		return nil, fault.New(fault.Invalid, "q has no word to search for")
	case 1:
		return either[0], nil
	}
	return either, nil
}

// textToken is a word, a phrase, or a sign.
type textToken struct {
	text   string
	phrase bool // in quotes
}

func textTokens(s string) (all []textToken) {
	for s != "" {
		switch r, size := utf8.DecodeRuneInString(s); {
		case unicode.IsSpace(r):
			s = s[size:]
		case r == '(' || r == ')':
			all, s = append(all, textToken{text: s[:1]}), s[1:]
		case (r == '+' || r == '-'):
			all, s = append(all, textToken{text: s[:1]}), s[1:]
		case r == '"':
			end := strings.IndexByte(s[1:], '"')
			if end < 0 { // a quote that is not closed ends with the text
				return append(all, textToken{s[1:], true})
			}
			all, s = append(all, textToken{s[1 : end+1], true}), s[end+2:]
		default:
			end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`()"`, r) })
			if end < 0 {
				end = len(s)
			}
			all, s = append(all, textToken{text: s[:end]}), s[end:]
		}
	}
	return all
}

type textParser struct{ left []textToken }

func (p *textParser) next(signs ...string) bool {
	return len(p.left) > 0 && !p.left[0].phrase && slices.Contains(signs, p.left[0].text)
}

func (p *textParser) accept(sign string) bool {
	if !p.next(sign) {
		return false
	}
	p.left = p.left[1:]
	return true
}

// either reads parts joined by OR; nil when there is none.
func (p *textParser) either(depth int) (TextQuery, error) {
	if depth > maxTextDepth {
		return nil, fault.New(fault.Invalid, "q is nested more than %d deep", maxTextDepth)
	}
	parts, err := p.joined("OR", depth, p.both)
	if len(parts) > 1 {
		return AnyOf(parts), err
	}
	return alone(parts), err
}

// both reads parts joined by AND; nil when there is none.
func (p *textParser) both(depth int) (TextQuery, error) {
	parts, err := p.joined("AND", depth, p.row)
	if len(parts) > 1 {
		return AllOf(parts), err
	}
	return alone(parts), err
}

// joined reads parts with a word between them.
func (p *textParser) joined(word string, depth int, part func(depth int) (TextQuery, error)) (parts []TextQuery, err error) {
	for {
		one, err := part(depth)
		if err != nil {
			return nil, err
		}
		if one != nil {
			parts = append(parts, one)
		}
		if !p.accept(word) {
			return parts, nil
		}
	}
}

// alone returns the one part, or nil.
func alone(parts []TextQuery) TextQuery {
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}

// row reads parts that stand side by side: plain words are one phrase; with + or - among them, what has a + must be found,
// what has a - must not, and of the others, one must be found unless there is a +.
func (p *textParser) row(depth int) (TextQuery, error) {
	var must, some []TextQuery
	var phrase Words
	flush := func() {
		if len(phrase) > 0 {
			some, phrase = append(some, phrase), nil
		}
	}
	for len(p.left) > 0 && !p.next("OR", "AND", ")") {
		sign := ""
		for _, s := range []string{"+", "-", "NOT"} {
			if p.accept(s) {
				sign = s
				break
			}
		}
		if len(p.left) == 0 || p.next("OR", "AND", ")") {
			break
		}
		var one TextQuery
		t := p.left[0]
		switch {
		case p.accept("("):
			inner, err := p.either(depth + 1)
			if err != nil {
				return nil, err
			}
			if !p.accept(")") {
				return nil, fault.New(fault.Invalid, "q has a parenthesis that is not closed")
			}
			one = inner
		default:
			p.left = p.left[1:]
			words := FoldWords(t.text)
			if len(words) == 0 {
				continue
			}
			if sign == "" && !t.phrase {
				phrase = append(phrase, words...)
				continue
			}
			one = Words(words)
		}
		flush()
		switch {
		case one == nil:
		case sign == "+":
			must = append(must, one)
		case sign == "":
			some = append(some, one)
		default:
			must = append(must, NoneOf{one})
		}
	}
	flush()
	required := slices.ContainsFunc(must, func(q TextQuery) bool { _, none := q.(NoneOf); return !none })
	if len(some) > 0 && !required {
		one := some[0]
		if len(some) > 1 {
			one = AnyOf(some)
		}
		must = append([]TextQuery{one}, must...)
	}
	switch len(must) {
	case 0:
		return nil, nil
	case 1:
		return must[0], nil
	}
	return AllOf(must), nil
}

// FoldWords splits a text into its words, runs of letters and digits, in lower case and without accents.
func FoldWords(text string) []string {
	return strings.FieldsFunc(FoldText(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// FoldText makes texts equal that differ in case or accents alone: lower case, without marks.
func FoldText(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return withoutMarks(cases.Fold().String(withoutMarks(text)))
		}
	}
	return strings.ToLower(text)
}

func withoutMarks(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(text))
}

// MatchText reports whether a query is true of some texts; a phrase lies in one of them.
func MatchText(q TextQuery, texts []string) bool {
	words := make([][]string, len(texts))
	for i, text := range texts {
		words[i] = FoldWords(text)
	}
	return matchWords(q, words)
}

func matchWords(q TextQuery, texts [][]string) bool {
	switch q := q.(type) {
	case Words:
		return slices.ContainsFunc(texts, func(words []string) bool {
			for i := 0; i+len(q) <= len(words); i++ {
				if slices.Equal(words[i:i+len(q)], q) {
					return true
				}
			}
			return false
		})
	case AllOf:
		return !slices.ContainsFunc(q, func(arg TextQuery) bool { return !matchWords(arg, texts) })
	case AnyOf:
		return slices.ContainsFunc(q, func(arg TextQuery) bool { return matchWords(arg, texts) })
	case NoneOf:
		return !matchWords(q.Arg, texts)
	}
	return false
}
