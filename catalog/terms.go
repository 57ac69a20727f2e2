package catalog

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

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
		raw, err := json.Marshal(value)
		return rawTerm(name, raw), err == nil && hasTerm(name, raw)
	}
	return 0, false
}

// hasTerm reports whether termOf has an answer for a value in JSON.
func hasTerm(name string, raw []byte) bool {
	switch {
	case columned[name] || len(raw) == 0 || slices.Contains(texts, name):
		return false
	case isText(raw):
		text := textOf(raw)
		return len(text) <= longestTermBytes && !looksLikeTime(text)
	case raw[0] == 't' || raw[0] == 'f':
		return true
	}
	number, ok := numberOf(raw)
	return ok && number == math.Trunc(number) && math.Abs(number) < 1<<63
}

// rawTerm returns the term of a value in JSON, if it has one.
func rawTerm(name string, raw []byte) int32 {
	text := string(raw)
	if isText(raw) {
		text = stac.FoldText(textOf(raw))
	} else if number, ok := numberOf(raw); ok {
		text = strconv.FormatInt(int64(number), 10)
	}
	term := hash32(name + "=" + text)
	if isText(raw) && len(text) >= longTextBytes {
		term &= 1<<longTextBits - 1
	}
	return term
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

// texts are the properties whose words are found by free text; keywords may also stand beside the properties.
var texts = []string{"title", "description", "keywords"}

// termsOf returns the terms of an item, sorted and once each. Keywords in compact JSON may be nil.
func termsOf(properties []namedValue, keywords []byte) ([]int32, error) {
	terms := make([]int32, 0, 32)
	add := func(name string, raw []byte) {
		if hasTerm(name, raw) {
			terms = append(terms, rawTerm(name, raw))
		}
	}
	for _, p := range properties {
		if isList(p.raw) {
			forEachElement(p.raw, func(element []byte) { add(p.name, element) })
		} else {
			add(p.name, p.raw)
		}
		if slices.Contains(texts, p.name) {
			terms = appendWords(terms, p.raw)
		}
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
