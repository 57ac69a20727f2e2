package tiles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"swath/geo"
	"swath/raster"
)

// Series is what the items of a search hold at one place, in the search's order.
type Series struct {
	Coordinates [2]float64    `json:"coordinates"` // longitude, latitude in degrees
	Results                   // of the first item
	Bands       []BandValue   `json:"bands"` // of the first item
	Items       []SeriesValue `json:"items"`
	Assets      []AssetValue  `json:"assets"`            // the same, as TiTiler writes it of a mosaic
	Limited     bool          `json:"limited,omitempty"` // more items lie there than the request's limit
}

// AssetValue is one item's values, as TiTiler writes them.
type AssetValue struct {
	Name string `json:"name"` // collection/item
	Results
}

// SeriesValue is one item's values.
type SeriesValue struct {
	SceneItem
	Values []NamedValue `json:"values"`
}

// Series returns the values of a search's items at a place. Items without any are left out.
func (r *Renderer) Series(ctx context.Context, q MosaicRequest, lonDeg, latDeg float64) (Series, error) {
	out := Series{Coordinates: [2]float64{lonDeg, latDeg}, Results: noResults, Bands: []BandValue{}, Items: []SeriesValue{}, Assets: []AssetValue{}}
	if err := checkPlace(lonDeg, latDeg); err != nil {
		return out, err
	}
	if err := q.check(); err != nil {
		return out, err
	}
	const hair = 1e-9
	frame := Frame{Grid: raster.Grid{CRS: geo.WGS84, Width: 1, Height: 1, Transform: geo.Affine{lonDeg - hair, 2 * hair, 0, latDeg + hair, 0, -2 * hair}}}
	s, err := r.scene(ctx, q, frame, geo.Box{MinX: lonDeg - hair, MinY: max(latDeg-hair, -90), MaxX: lonDeg + hair, MaxY: min(latDeg+hair, 90)})
	if err != nil {
		return out, err
	}
	leave, err := r.gate.enter(ctx)
	if err != nil {
		return out, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, mosaicTimeout, errTooSlow)
	defer cancel()
	items, limited := s.Items()
	out.Limited = limited
	for i, v := range s.views {
		at, err := v.point(ctx, lonDeg, latDeg)
		if errors.Is(context.Cause(ctx), errTooSlow) {
			err = errTooSlow
		}
		if err != nil {
			return out, err
		}
		known := false
		for _, value := range at.Values {
			known = known || value != nil
		}
		if known && len(out.Items) == 0 {
			out.Results, out.Bands = at.Results, at.Bands
		}
		if known {
			items[i].BBox = nil
			out.Items = append(out.Items, SeriesValue{items[i], at.named()})
			out.Assets = append(out.Assets, AssetValue{items[i].Collection + "/" + items[i].ID, at.Results})
		}
	}
	return out, nil
}

// CSV writes a series as lines of collection, id, datetime and values, under their names.
func (s Series) CSV() []byte {
	var out strings.Builder
	out.WriteString("collection,id,datetime")
	var names []string // of all items
	for _, it := range s.Items {
		for _, v := range it.Values {
			if !slices.Contains(names, v.Name) {
				names = append(names, v.Name)
				fmt.Fprintf(&out, ",%s", csvText(v.Name))
			}
		}
	}
	out.WriteString("\r\n")
	for _, it := range s.Items {
		fmt.Fprintf(&out, "%s,%s,%s", csvText(it.Collection), csvText(it.ID), csvText(it.Datetime))
		for _, name := range names {
			out.WriteByte(',')
			if i := slices.IndexFunc(it.Values, func(v NamedValue) bool { return v.Name == name }); i >= 0 && it.Values[i].Value != nil {
				fmt.Fprintf(&out, "%g", *it.Values[i].Value)
			}
		}
		out.WriteString("\r\n")
	}
	return []byte(out.String())
}

// csvText quotes what RFC 4180 wants quoted.
func csvText(text string) string {
	if !strings.ContainsAny(text, ",\"\r\n") {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
}
