package catalog

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"swath/fault"
)

// A term is a 32-bit hash of something that an item says: that a property has a value, or that a text has a word. The
// terms of an item stand in its row and in an index. They are a necessary condition only, since two may share a hash:
// whoever searches by a term looks at the body again.

const (
	longestTermBytes = 256    // a longer text has no term
	mostTerms        = 10_000 // of one item; more is refused
)

// columned are the properties that have a column instead of terms. The grid's parts are many, and say what grid says.
var columned = map[string]bool{
	"platform": true, "sat:relative_orbit": true, "grid:code": true, "s2:mgrs_tile": true,
	"mgrs:utm_zone": true, "mgrs:latitude_band": true, "mgrs:grid_square": true,
}

// termOf returns the term of a property, by its dotted name, having a value: a text, an integer or a boolean. Other values
// have none, nor have times, long texts, and properties with a column.
func termOf(name string, value any) (int32, bool) {
	if columned[name] {
		return 0, false
	}
	var text string
	switch v := value.(type) {
	case string:
		if len(v) > longestTermBytes || looksLikeTime(v) {
			return 0, false
		}
		text = foldText(v)
	case bool:
		text = strconv.FormatBool(v)
	case float64:
		if v != math.Trunc(v) || math.Abs(v) >= 1<<63 {
			return 0, false
		}
		text = strconv.FormatInt(int64(v), 10)
	case int:
		return termOf(name, float64(v))
	case int64:
		return termOf(name, float64(v))
	case json.Number:
		number, err := v.Float64()
		if err != nil {
			return 0, false
		}
		return termOf(name, number)
	default:
		return 0, false
	}
	return hash32(name + "=" + text), true
}

// wordTerm returns the term of a folded word in the title, the description or the keywords.
func wordTerm(word string) int32 { return hash32("\x00" + word) }

func hash32(text string) int32 { return int32(uint32(xxhash.Sum64String(text))) }

// looksLikeTime tells an RFC 3339 time from other texts.
func looksLikeTime(text string) bool {
	if len(text) < len("2024-06-01T10:56:19Z") || text[4] != '-' || text[7] != '-' {
		return false
	}
	_, err := parseInstant(text)
	return err == nil
}

// foldText makes texts equal that differ in case or accents alone: lower case, without marks.
func foldText(text string) string {
	if isLowerASCII(text) {
		return text
	}
	if isASCII(text) {
		return strings.ToLower(text)
	}
	return withoutMarks(cases.Fold().String(withoutMarks(text)))
}

func withoutMarks(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(text))
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isLowerASCII(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// wordsOf splits a text into its folded words: runs of letters and digits.
func wordsOf(text string) []string {
	return strings.FieldsFunc(foldText(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// texts are the properties whose words are found by free text; keywords may also stand beside the properties.
var texts = []string{"title", "description", "keywords"}

// termsOf returns the terms of an item, sorted and once each.
func termsOf(properties map[string]any, keywords any) ([]int32, error) {
	var terms []int32
	forEachValue("", properties, func(name string, value any) {
		if term, ok := termOf(name, value); ok {
			terms = append(terms, term)
		}
	})
	for _, name := range texts {
		terms = appendWords(terms, properties[name])
	}
	terms = appendWords(terms, keywords)
	slices.Sort(terms)
	terms = slices.Compact(terms)
	if len(terms) > mostTerms {
		return nil, fault.New(fault.Invalid, "the item has %d different values and words, and %d is the most that can be searched", len(terms), mostTerms)
	}
	return terms, nil
}

// appendWords adds the terms of a text's words, or of those of a list of texts.
func appendWords(terms []int32, value any) []int32 {
	switch v := value.(type) {
	case string:
		for _, word := range wordsOf(v) {
			terms = append(terms, wordTerm(word))
		}
	case []any:
		for _, element := range v {
			if text, ok := element.(string); ok {
				terms = appendWords(terms, text)
			}
		}
	}
	return terms
}

// forEachValue calls do with every property that is no object, by its dotted name, and with every element of those that are
// lists.
func forEachValue(prefix string, object map[string]any, do func(name string, value any)) {
	for key, value := range object {
		name := prefix + key
		switch v := value.(type) {
		case map[string]any:
			forEachValue(name+".", v, do)
		case []any:
			for _, element := range v {
				do(name, element)
			}
		default:
			do(name, value)
		}
	}
}
