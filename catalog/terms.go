package catalog

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"swath/fault"
	"swath/stac"
)

// A term is a 32-bit hash of something that an item says: that a property has a value, or that a text has a word. The
// terms of an item stand in its row and in an index. They are a necessary condition only, since two may share a hash:
// whoever searches by a term looks at the body again.

const (
	longestTermBytes = 256    // a longer text has no term
	mostTerms        = 10_000 // of one item; more is refused

	// Long texts, most of which are names that one item alone has, share few terms: an entry of the index takes 40 bytes, an
	// item more in it 3. At 17.7 million items a search for such a name looks at some 80 bodies in vain, a millisecond.
	longTextBytes = 24
	longTextBits  = 19
)

// columned are the properties that have a column instead of terms. The grid's parts are many, and say what grid says.
var columned = map[string]bool{
	"platform": true, "sat:relative_orbit": true, "grid:code": true, "s2:mgrs_tile": true,
	"mgrs:utm_zone": true, "mgrs:latitude_band": true, "mgrs:grid_square": true,
}

// termOf returns the term of a property, by its dotted name, having a value: a text, an integer or a boolean. Other values
// have none, nor have times, very long texts, properties with a column, and texts whose words have terms.
func termOf(name string, value any) (int32, bool) {
	switch value.(type) {
	case string, bool, float64, int, int64, json.Number:
		if raw, err := json.Marshal(value); err == nil {
			return rawTerm(name, raw)
		}
	}
	return 0, false
}

// rawTerm is termOf of a value in JSON.
func rawTerm(name string, raw []byte) (term int32, ok bool) {
	if columned[name] || len(raw) == 0 || slices.Contains(texts, name) {
		return 0, false
	}
	var room [longestTermBytes]byte // most texts are short, ASCII and without escapes
	said := append(append(room[:0], name...), '=')
	switch {
	case isText(raw):
		inner := raw[1 : len(raw)-1]
		if len(inner) > 6*longestTermBytes { // as escapes
			return 0, false
		}
		from := len(said)
		for _, c := range inner {
			if c == '\\' || c >= utf8.RuneSelf {
				return textTerm(name, textOf(raw))
			}
			said = append(said, lower(c))
		}
		if len(inner) > longestTermBytes || mayBeTime(raw) && isTime(raw) {
			return 0, false
		}
		return shortened(hash32(said), len(said)-from), true
	case raw[0] == 't' || raw[0] == 'f' || isInteger(raw):
		return hash32(append(said, raw...)), true
	}
	number, ok := numberOf(raw)
	if !ok || number != math.Trunc(number) || math.Abs(number) >= 1<<63 {
		return 0, false
	}
	return hash32(strconv.AppendInt(said, int64(number), 10)), true
}

// textTerm is rawTerm of any text.
func textTerm(name, text string) (term int32, ok bool) {
	if len(text) > longestTermBytes || looksLikeTime(text) {
		return 0, false
	}
	text = stac.FoldText(text)
	return shortened(hash32([]byte(name+"="+text)), len(text)), true
}

// shortened leaves a long text few terms.
func shortened(term int32, textBytes int) int32 {
	if textBytes >= longTextBytes {
		term &= 1<<longTextBits - 1
	}
	return term
}

// isInteger reports whether a number in JSON is written as strconv writes an integer.
func isInteger(raw []byte) bool {
	digits := raw
	if raw[0] == '-' {
		digits = raw[1:]
	}
	if len(digits) == 0 || len(digits) > 15 || digits[0] == '0' && len(raw) > 1 {
		return false
	}
	return !slices.ContainsFunc(digits, func(c byte) bool { return !digit(c) })
}

// wordTerm returns the term of a folded word in the title, the description or the keywords.
func wordTerm(word string) int32 { return hash32([]byte("\x00" + word)) }

func hash32(text []byte) int32 { return int32(uint32(xxhash.Sum64(text))) }

// mayBeTime reports false of texts in JSON that are certainly no time.
func mayBeTime(raw []byte) bool {
	const shortest = len(`"2024-06-01T10:56:19Z"`)
	return len(raw) >= shortest && raw[5] == '-' && raw[8] == '-' || bytes.IndexByte(raw, '\\') >= 0
}

// isTime tells an RFC 3339 time in JSON from other texts.
func isTime(raw []byte) bool {
	const shortest = len("2024-06-01T10:56:19Z")
	inner := raw[1 : len(raw)-1]
	return len(inner) >= shortest && plainTime(inner) || looksLikeTime(textOf(raw))
}

// looksLikeTime tells an RFC 3339 time from other texts.
func looksLikeTime(text string) bool {
	if len(text) < len("2024-06-01T10:56:19Z") || text[4] != '-' || text[7] != '-' {
		return false
	}
	if plainTime(text) {
		return true
	}
	_, err := parseInstant(text)
	return err == nil
}

// plainTime reports whether a text of 20 bytes or more is a time of the commonest form: in UTC, before the 29th of its month.
func plainTime[T string | []byte](text T) bool {
	const zeros, nines, first, last = "0000-00-00T00:00:00", "9999-99-99T99:99:99", "0000-01-01T00:00:00", "9999-12-28T23:59:59"
	for i := range len(zeros) {
		if text[i] < zeros[i] || text[i] > nines[i] {
			return false
		}
	}
	for _, at := range [...]int{5, 8, 11, 14, 17} {
		if two := string(text[at : at+2]); two < first[at:at+2] || two > last[at:at+2] {
			return false
		}
	}
	rest := text[len(zeros) : len(text)-1]
	if text[len(text)-1] != 'Z' || len(rest) == 1 || len(rest) > 10 || len(rest) > 0 && rest[0] != '.' {
		return false
	}
	for i := 1; i < len(rest); i++ {
		if !digit(rest[i]) {
			return false
		}
	}
	return true
}

// texts are the properties whose words are found by free text; keywords may also stand beside the properties.
var texts = []string{"title", "description", "keywords"}

const mostlyTerms = 64 // an item has fewer

// termsOf returns the terms of an item, sorted and once each: those of its properties and keywords, and further ones. Keywords in compact
// JSON may be nil.
func termsOf(terms []int32, properties []namedValue, keywords []byte) ([]int32, error) {
	for _, p := range properties {
		terms = appendTerms(terms, p)
	}
	terms = appendWords(terms, keywords)
	slices.Sort(terms)
	terms = slices.Compact(terms)
	if len(terms) > mostTerms {
		return nil, fault.New(fault.Invalid, "the item has %d different values and words, and %d is the most that can be searched", len(terms), mostTerms)
	}
	return terms, nil
}

// appendTerms adds the terms of a property.
func appendTerms(terms []int32, p namedValue) []int32 {
	add := func(raw []byte) {
		if term, ok := rawTerm(p.name, raw); ok {
			terms = append(terms, term)
		}
	}
	if isList(p.raw) {
		forEachElement(p.raw, add)
	} else {
		add(p.raw)
	}
	if slices.Contains(texts, p.name) {
		terms = appendWords(terms, p.raw)
	}
	return terms
}

// appendWords adds the terms of a text's words, or of those of a list of texts.
func appendWords(terms []int32, raw []byte) []int32 {
	switch {
	case isText(raw):
		for _, word := range stac.FoldWords(textOf(raw)) {
			terms = append(terms, wordTerm(word))
		}
	case isList(raw):
		forEachElement(raw, func(element []byte) {
			if isText(element) {
				terms = appendWords(terms, element)
			}
		})
	}
	return terms
}
