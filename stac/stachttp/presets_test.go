package stachttp

import (
	"encoding/json"
	"strings"
	"testing"

	"swath/internal/contract"
	"swath/stac"
)

// TestItemsLinkToPresets draws an item in what its collection offers and its assets allow, and follows the collection's changes.
func TestItemsLinkToPresets(t *testing.T) {
	app, store := newApp(t, 1)
	client := contract.Client(t, app)
	const one = "/collections/sentinel-2-l1c/items/S2A_000"
	tiles := func() string {
		var item struct{ Links []stac.Link }
		client.Get(one).JSON(t, &item)
		var all []string
		for _, l := range item.Links {
			if _, render, ok := strings.Cut(l.Href, "?render="); ok {
				all = append(all, l.Rel+" "+render+" "+l.Title)
			}
		}
		return strings.Join(all, ", ")
	}
	if got := tiles(); got != "" {
		t.Errorf("without presets: %s", got)
	}
	renders := `"renders":{"red":{"assets":["B04"],"title":"\"Red\" <4>"},"a&b":{"assets":["B08","B04"]},"none":{"assets":["SCL"]},"odd":7}`
	body := `{"type":"Collection","stac_version":"1.1.0","id":"sentinel-2-l1c","description":"d","license":"other",` + renders + `}`
	if err := store.PutCollection(t.Context(), stac.Collection{ID: "sentinel-2-l1c", Body: json.RawMessage(body)}); err != nil {
		t.Fatal(err)
	}
	if got := tiles(); got != `tilejson a%26b a&b, xyz a%26b a&b, tilejson red "Red" <4>, xyz red "Red" <4>` {
		t.Errorf("with presets: %s", got)
	}
	var collection struct{ Links []stac.Link }
	client.Get("/collections/sentinel-2-l1c").JSON(t, &collection)
	var mosaics []string
	for _, l := range collection.Links {
		if l.Rel == "tilejson" || l.Rel == "xyz" || l.Rel == stac.RelTileSets {
			_, after, _ := strings.Cut(l.Href, "/collections/sentinel-2-l1c")
			mosaics = append(mosaics, after)
		}
	}
	if got := strings.Join(mosaics, " "); got != "/tiles /tilejson.json?render=a%26b /tiles/WebMercatorQuad/{z}/{x}/{y}.png?render=a%26b "+
		"/tilejson.json?render=none /tiles/WebMercatorQuad/{z}/{x}/{y}.png?render=none /tilejson.json?render=red /tiles/WebMercatorQuad/{z}/{x}/{y}.png?render=red" {
		t.Errorf("the collection links to %s", got)
	}
	tag := client.Get(one).Header.Get("ETag")
	if got := client.Do("DELETE", one, "", "If-Match", tag); got.Status != 204 {
		t.Errorf("the tag of an item with presets does not match: %d %s", got.Status, got.Body)
	}
}
