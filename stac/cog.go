package stac

import (
	"encoding/json"
	"slices"
)

// COGField is the member of a collection that says when its JPEG 2000 becomes cloud-optimized GeoTIFF. As a property of an item it
// says so of that item.
const COGField = "swath:cog"

// What COGField says.
const (
	COGEager    = "eager"     // when a product comes in
	COGOnDemand = "on-demand" // when it is looked at, and for as long as it is
	COGNone     = "none"      // never
)

// IsCOG reports whether a text is one of them.
func IsCOG(text string) bool { return slices.Contains([]string{COGEager, COGOnDemand, COGNone}, text) }

// COGOf returns what a collection says; COGEager where it says nothing, or nothing that is known.
func COGOf(collection json.RawMessage) string {
	var body struct {
		COG any `json:"swath:cog"`
	}
	if json.Unmarshal(collection, &body) != nil {
		return COGEager
	}
	if text, _ := body.COG.(string); IsCOG(text) {
		return text
	}
	return COGEager
}
