package tiles

import (
	"context"

	"swath/geo"
	"swath/render"
)

// What most tests ask for in one call.

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

// Preview draws the whole item in EPSG:3857, its longer side maxSizePx pixels (0: 1024).
func (v *View) Preview(ctx context.Context, maxSizePx int, f render.Format) ([]byte, error) {
	frame, err := v.PreviewFrame(ctx, Size{MaxPx: maxSizePx}, geo.WebMercator)
	if err != nil {
		return nil, err
	}
	return v.Picture(ctx, frame, f)
}

// PreviewETag names the bytes of a preview, like ETag. Too many pixels are fault.TooLarge.
func (v *View) PreviewETag(maxSizePx int, f render.Format) (string, error) {
	frame, err := v.PreviewFrame(context.Background(), Size{MaxPx: maxSizePx}, geo.WebMercator)
	if err != nil {
		return "", err
	}
	return v.ETag(frame, f)
}
