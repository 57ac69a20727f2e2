package tiles

import (
	"context"

	"swath/geo"
	"swath/render"
)

// WebMercatorQuad is the grid of web maps.
var WebMercatorQuad, _ = geo.TileMatrixSetByID("WebMercatorQuad")

// TileETag names the bytes of one tile of the WebMercatorQuad grid, like ETag.
func (v *View) TileETag(t geo.Tile, f render.Format) (string, error) {
	frame, err := v.TileFrame(WebMercatorQuad, t)
	if err != nil {
		return "", err
	}
	return v.ETag(frame, f)
}

// Tile draws one tile of the WebMercatorQuad grid.
func (v *View) Tile(ctx context.Context, t geo.Tile, f render.Format) ([]byte, error) {
	frame, err := v.TileFrame(WebMercatorQuad, t)
	if err != nil {
		return nil, err
	}
	return v.Picture(ctx, frame, f)
}
