package tiles

import (
	"context"
	"fmt"
	"math"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/render"
)

// mercatorEdgeDeg is the latitude at which the web map ends.
const mercatorEdgeDeg = 85.0511287798

// Preview draws the whole item in EPSG:3857, its longer side maxSizePx pixels (0: 1024).
func (v *View) Preview(ctx context.Context, maxSizePx int, f render.Format) ([]byte, error) {
	key, err := v.PreviewETag(maxSizePx, f)
	if err != nil {
		return nil, err
	}
	if maxSizePx == 0 {
		maxSizePx = previewSide
	}
	return v.picture(ctx, key, v.overview(maxSizePx), f)
}

// PreviewETag names the bytes of a preview, like TileETag. Too many pixels are fault.TooLarge.
func (v *View) PreviewETag(maxSizePx int, f render.Format) (string, error) {
	if maxSizePx < 0 || maxSizePx > mostPreview {
		return "", fault.New(fault.TooLarge, "max_size %d: a preview has 1 to %d pixels a side", maxSizePx, mostPreview)
	}
	return fmt.Sprintf(`"%s-p%d-%d"`, v.key, maxSizePx, f), v.drawable()
}

// overview is the grid of the whole item, sidePx pixels on its longer side.
func (v *View) overview(sidePx int) raster.Grid {
	b := v.item.mercator()
	width, height := b.MaxX-b.MinX, b.MaxY-b.MinY
	res := math.Max(width, height) / float64(sidePx)
	pixels := func(lengthM float64) int { return max(1, int(math.Round(lengthM/res))) }
	w, h := pixels(width), pixels(height)
	return raster.Grid{
		CRS: geo.WebMercator, Width: w, Height: h,
		Transform: geo.Affine{b.MinX, width / float64(w), 0, b.MaxY, 0, -height / float64(h)},
	}
}

// mercator returns the item's box in EPSG:3857, running on past the map's edge where the item crosses the antimeridian.
// A place without extent gets one metre.
func (d *Description) mercator() geo.Box {
	p, _ := geo.ProjectionOf(geo.WebMercator)
	clip := func(latDeg float64) float64 { return math.Max(-mercatorEdgeDeg, math.Min(mercatorEdgeDeg, latDeg)) }
	east := d.Bounds.MaxX
	if d.Bounds.MinX > east {
		east += 360
	}
	minX, minY := p.FromLonLat(d.Bounds.MinX, clip(d.Bounds.MinY))
	maxX, maxY := p.FromLonLat(east, clip(d.Bounds.MaxY))
	return geo.Box{MinX: minX, MinY: minY, MaxX: math.Max(maxX, minX+1), MaxY: math.Max(maxY, minY+1)}
}
