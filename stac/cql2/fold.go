package cql2

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold applies a function to a text: casei is Unicode's full case folding, accenti takes the marks of a canonical
// decomposition away.
func Fold(f Function, s string) string {
	if f == CaseI {
		if plain(s) {
			return strings.ToLower(s)
		}
		return cases.Fold().String(s)
	}
	if plain(s) {
		return s
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s)))
}

// plain reports whether a text is ASCII.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
