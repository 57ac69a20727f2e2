package stac

import (
	"fmt"
	"slices"
	"testing"

	"swath/fault"
)

// TestWalk follows links as servers write them: relative ones, merged bodies, and one that leads nowhere new.
func TestWalk(t *testing.T) {
	links := map[string][]PageLink{
		"POST http://a/api/search map[limit:2]":         {{Rel: "self"}, {Rel: "next", Href: "search", Method: "post", Merge: true, Body: map[string]any{"token": "b"}}},
		"POST http://a/api/search map[limit:2 token:b]": {{Rel: "next", Href: "/other?token=c"}},
		"GET http://a/other?token=c map[]":              {{Rel: "next", Href: "http://a/other?token=c"}},
	}
	var asked []string
	err := Walk(PageLink{Href: "http://a/api/search", Method: "POST", Body: map[string]any{"limit": 2}}, func(l PageLink) ([]PageLink, bool, error) {
		asked = append(asked, fmt.Sprint(l.Method, " ", l.Href, " ", l.Body))
		return links[asked[len(asked)-1]], true, nil
	})
	if len(asked) != 3 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("%q, %v", asked, err)
	}
	for _, one := range asked {
		if links[one] == nil {
			t.Errorf("asked for %s", one)
		}
	}
	n := 0
	if err := Walk(PageLink{Href: "http://a/"}, func(PageLink) ([]PageLink, bool, error) { n++; return []PageLink{{Rel: "next", Href: "x"}}, false, nil }); err != nil || n != 1 {
		t.Errorf("%d pages of one that was enough, %v", n, err)
	}
	classes := []string{"https://api.stacspec.org/v1.0.0/item-search#filter", "https://api.stacspec.org/v1.0.0/ogcapi-features#sort", "https://api.stacspec.org/v1.0.0-beta.2/item-search#query:query"}
	if got := []bool{SearchesBy(classes, "filter"), SearchesBy(classes, "query"), SearchesBy(classes, "sort")}; !slices.Equal(got, []bool{true, true, false}) {
		t.Errorf("filter, query, sort: %v", got)
	}
}
