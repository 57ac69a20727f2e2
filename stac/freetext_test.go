package stac

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestParseText(t *testing.T) {
	for q, want := range map[string]TextQuery{
		"flood":                Words{"flood"},
		"EO,Earth Observation": AnyOf{Words{"eo"}, Words{"earth", "observation"}},
		"Forêt":                Words{"foret"},
		"Sentinel-2":           Words{"sentinel", "2"},
		`"climate model"`:      Words{"climate", "model"},
		"a AND b OR c":         AnyOf{AllOf{Words{"a"}, Words{"b"}}, Words{"c"}},
		"a AND (b OR c)":       AllOf{Words{"a"}, AnyOf{Words{"b"}, Words{"c"}}},
		"a and b":              Words{"a", "and", "b"},
		"quick +brown -fox":    AllOf{Words{"brown"}, NoneOf{Words{"fox"}}},
		"quick -fox":           AllOf{Words{"quick"}, NoneOf{Words{"fox"}}},
		"NOT ice AND sea":      AllOf{NoneOf{Words{"ice"}}, Words{"sea"}},
		`"sea ice" lake`:       AnyOf{Words{"sea", "ice"}, Words{"lake"}},
		`-"sea ice" lake`:      AllOf{Words{"lake"}, NoneOf{Words{"sea", "ice"}}},
		"a,,b":                 AnyOf{Words{"a"}, Words{"b"}},
		`"not closed`:          Words{"not", "closed"},
		`"Paris, France",a`:    AnyOf{Words{"paris", "france"}, Words{"a"}},
		`a,"b, c`:              AnyOf{Words{"a"}, Words{"b", "c"}},
		"((a))":                Words{"a"},
		"-(a OR b) c":          AllOf{Words{"c"}, NoneOf{AnyOf{Words{"a"}, Words{"b"}}}},
	} {
		if got, err := ParseText(q); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %#v, %v; want %#v", q, got, err, want)
		}
	}
	// A term of a list is one term, whatever is in it.
	if got, err := ParseTexts([]string{"Paris, France"}); err != nil || !reflect.DeepEqual(got, Words{"paris", "france"}) {
		t.Errorf("a term with a comma is %#v, %v", got, err)
	}
	for _, q := range []string{"", " , ", "(", "(a", "a)", "AND", "+", strings.Repeat("(", 50) + "a", strings.Repeat("a", 5000), "\xff"} {
		if got, err := ParseText(q); err == nil {
			t.Errorf("%.20q is %#v", q, got)
		}
	}
}

func TestMatchText(t *testing.T) {
	texts := []string{"Flood in the Forêt de Bouconne", "sea", "ice"}
	for q, want := range map[string]bool{
		"flood": true, "FORET": true, "forêt de bouconne": true, "bouconne de": false, "sea ice": false, "sea AND ice": true, "sea,x": true,
		"x": false, "-x flood": true, "-flood sea": false, "NOT x": true, "flo": false, `"the foret"`: true, "x OR (sea AND NOT lake)": true,
	} {
		parsed, err := ParseText(q)
		if err != nil || MatchText(parsed, texts) != want {
			t.Errorf("%q: %v, want %v", q, !want, want)
		}
	}
}

func FuzzParseText(f *testing.F) {
	f.Add(`a AND ("b c" OR -d), +e`)
	f.Fuzz(func(t *testing.T, q string) {
		if parsed, err := ParseText(q); err == nil {
			MatchText(parsed, []string{q, "a b c"})
		}
	})
}

// TestPhrasesKeepTheirCommas: by GET, by POST as a text, and by POST as a list, one question is asked.
func TestPhrasesKeepTheirCommas(t *testing.T) {
	want := AnyOf{Words{"paris", "france"}, Words{"ice"}}
	for _, ask := range []func() (Question, error){
		func() (Question, error) {
			return SearchFromQuery(url.Values{"q": {`"Paris, France",ice`}}, []string{"q"})
		},
		func() (Question, error) { return SearchFromJSON([]byte(`{"q":"\"Paris, France\",ice"}`)) },
		func() (Question, error) { return SearchFromJSON([]byte(`{"q":["Paris, France","ice"]}`)) },
	} {
		if got, err := ask(); err != nil || !reflect.DeepEqual(got.Text, want) {
			t.Errorf("q is %#v, %v; want %#v", got.Text, err, want)
		}
	}
}
