package tiles

import (
	"context"
	"fmt"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/render"
)

// TileETag names the bytes of one tile for ever, without drawing it: a quoted string, as HTTP wants it. It is fault.Invalid
// when the grid has no such tile, or the view is no picture.
func (v *View) TileETag(t geo.Tile, f render.Format) (string, error) {
	if t.Z < 0 || t.Z > geo.MaxZoom {
		return "", fault.New(fault.Invalid, "zoom %d: the levels go from 0 to %d", t.Z, geo.MaxZoom)
	}
	if !t.Valid() {
		return "", fault.New(fault.Invalid, "tile %d/%d/%d: x and y of level %d go from 0 to %d", t.Z, t.X, t.Y, t.Z, 1<<t.Z-1)
	}
	return fmt.Sprintf(`"%s-%d-%d-%d-%d"`, v.key, t.Z, t.X, t.Y, f), v.drawable()
}

// Tile draws one tile of the WebMercatorQuad grid. A tile beside the item is an empty image.
func (v *View) Tile(ctx context.Context, t geo.Tile, f render.Format) ([]byte, error) {
	key, err := v.TileETag(t, f)
	if err != nil {
		return nil, err
	}
	if !v.touches(t.LonLatBox()) {
		return render.Empty(v.sizePx, v.sizePx, f)
	}
	grid := raster.Grid{CRS: geo.WebMercator, Transform: t.Transform(v.sizePx), Width: v.sizePx, Height: v.sizePx}
	return v.picture(ctx, key, grid, f)
}

// picture draws a grid once for all who ask for it at the same time.
func (v *View) picture(ctx context.Context, key string, grid raster.Grid, f render.Format) ([]byte, error) {
	return v.renderer.pictures.do(ctx, key, func(ctx context.Context) ([]byte, error) {
		leave, err := v.renderer.gate.enter(ctx)
		if err != nil {
			return nil, err
		}
		defer leave()
		style, err := v.style(ctx)
		if err != nil {
			return nil, err
		}
		planes, err := v.planes(ctx, grid)
		if err != nil {
			return nil, err
		}
		return render.Encode(planes, grid.Width, grid.Height, style, f)
	})
}

// touches reports whether a box of degrees meets the item's. The item's is taken a little larger: its corners were computed,
// and the edges between them are curves.
func (v *View) touches(b geo.Box) bool {
	own := v.item.Bounds
	if own.MinX > own.MaxX {
		own.MaxX += 360
	}
	const margin = 0.02 // of the size
	dx, dy := margin*(own.MaxX-own.MinX), margin*(own.MaxY-own.MinY)
	if b.MaxY < own.MinY-dy || b.MinY > own.MaxY+dy {
		return false
	}
	for _, turn := range []float64{-360, 0, 360} {
		if b.MaxX+turn >= own.MinX-dx && b.MinX+turn <= own.MaxX+dx {
			return true
		}
	}
	return false
}
