package catalog

import (
	"encoding/json"
	"strings"
	"testing"

	"swath/stac"
)

// TestLinksOfOthersAreKept stores what a document links to outside of the catalog, and nothing that the server makes itself.
func TestLinksOfOthersAreKept(t *testing.T) {
	s := newStore(t, "c")
	const before = `{"rel":"predecessor-version","href":"swath:/collections/c/items/old","type":"application/geo+json"}`
	const license = `{"rel":"license","href":"https://e.example/L","title":"a \"b\""}`
	const foreignTiles = `{"rel":"xyz","href":"https://e.example/{z}/{x}/{y}.png"}`
	for name, tc := range map[string]struct{ links, want string }{
		"none":        {`[]`, ``},
		"ours":        {`[{"rel":"self","href":"https://e.example/i"},{"href":"x","rel":"parent"},{"rel":"preview","href":"swath:/collections/c/items/i/preview.png"}]`, ``},
		"others":      {`[{"rel":"root","href":"x"},` + before + `,{"rel":"xyz","href":"swath:/x"},` + license + `,` + foreignTiles + `]`, `[` + before + `,` + license + `,` + foreignTiles + `]`},
		"no links":    {`[7,"x",{},{"rel":"license"},{"href":"x"},{"rel":1,"href":"x"},[]]`, ``},
		"no array":    {`{"rel":"license","href":"x"}`, ``},
		"escaped rel": {`[{"rel":"sel\u0066","href":"x"}]`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"type":"Feature","id":"i","geometry":` + square + `,"links":` + tc.links + `,"properties":` + noon + `}`
			put(t, s, stac.Item{Collection: "c", ID: "i", Body: json.RawMessage(body)})
			got, err := s.Item(t.Context(), "c", "i")
			if err != nil {
				t.Fatal(err)
			}
			if head, _, _ := strings.Cut(string(got.Body), `"type":"Feature"`); tc.want == "" && head != "{" || tc.want != "" && head != `{"links":`+tc.want+"," {
				t.Errorf("begins %s, want %s", head, tc.want)
			}
			if put(t, s, got) {
				t.Error("what was stored changes when it is put again")
			}
		})
	}
	if err := s.PutCollection(t.Context(), stac.Collection{ID: "d", Body: json.RawMessage(`{"type":"Collection","id":"d","links":[` + license + `,{"rel":"items","href":"x"}]}`)}); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Collection(t.Context(), "d"); err != nil || !strings.HasPrefix(string(c.Body), `{"links":[`+license+`],`) {
		t.Errorf("collection %s, %v", c.Body, err)
	}
}
