package tiles

import (
	"context"
	"encoding/json"

	"swath/geo"
)

// MosaicTileJSON describes a mosaic's tiles of a set, which are found under a URL template. Bounds are those of its search.
func (r *Renderer) MosaicTileJSON(ctx context.Context, q MosaicRequest, set *geo.TileMatrixSet, name, template string) (TileJSON, error) {
	if err := q.check(); err != nil {
		return TileJSON{}, err
	}
	b := geo.Box{MinX: -180, MinY: -90, MaxX: 180, MaxY: 90}
	switch {
	case q.Search.BBox != nil:
		b = *q.Search.BBox
	case len(q.Search.Collections) == 1:
		if extent, err := r.extent(ctx, q.Search.Collections[0]); err != nil {
			return TileJSON{}, err
		} else if extent != nil {
			b = *extent
		}
	}
	if b.MinX > b.MaxX { // TileJSON can't cross the antimeridian
		b.MinX, b.MaxX = -180, 180
	}
	low, high := set.Levels()
	sizePx, _ := q.sized().tilePx(&set.Matrices[0])
	if set == WebMercatorQuad {
		b.MinY, b.MaxY = max(b.MinY, -mercatorEdgeDeg), min(b.MaxY, mercatorEdgeDeg)
		high = min(high, mosaicFinest)
	}
	return TileJSON{
		TileJSON: "3.0.0", Name: name, Scheme: "xyz", Tiles: []string{template}, MinZoom: low, MaxZoom: high,
		Bounds: [4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}, Center: [3]float64{(b.MinX + b.MaxX) / 2, (b.MinY + b.MaxY) / 2, float64(low)}, TileSize: sizePx,
	}, nil
}

// mosaicFinest is the level of the web map whose pixels are as fine as any sensor's that is mirrored (1.2 m at the equator).
const mosaicFinest = 17

// extent returns the first box of a collection's extent, nil where it has none.
func (r *Renderer) extent(ctx context.Context, collection string) (*geo.Box, error) {
	c, err := r.catalog.Collection(ctx, collection)
	if err != nil {
		return nil, err
	}
	var body struct {
		Extent struct {
			Spatial struct {
				BBox [][]float64 `json:"bbox"`
			} `json:"spatial"`
		} `json:"extent"`
	}
	if json.Unmarshal(c.Body, &body) != nil || len(body.Extent.Spatial.BBox) == 0 {
		return nil, nil
	}
	b := body.Extent.Spatial.BBox[0]
	if len(b) < 4 {
		return nil, nil
	}
	return &geo.Box{MinX: b[0], MinY: b[1], MaxX: b[len(b)/2], MaxY: b[len(b)/2+1]}, nil
}
