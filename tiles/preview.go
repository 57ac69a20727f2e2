package tiles

import (
	"context"
	"math"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// mercatorEdgeDeg is the latitude at which the web map ends.
const mercatorEdgeDeg = 85.0511287798

// Size says how large a picture is to be. Width and height together are taken as they are; one of them keeps the shape; none
// gives the longer side Max pixels at most.
type Size struct{ WidthPx, HeightPx, MaxPx int }

// check refuses sizes that no picture has.
func (s Size) check() error {
	if s.MaxPx < 0 || s.WidthPx < 0 || s.HeightPx < 0 || s.MaxPx > mostPreview || s.WidthPx > mostSidePx || s.HeightPx > mostSidePx {
		return fault.New(fault.TooLarge, "a picture of %d x %d pixels, max_size %d: width and height go from 1 to %d, max_size from 1 to %d",
			s.WidthPx, s.HeightPx, s.MaxPx, mostSidePx, mostPreview)
	}
	return nil
}

// PreviewFrame is the frame of the whole item in a coordinate system, its longer side 1024 pixels when the size says nothing. In the system
// of the view's finest raster it is that raster's grid; so it is when the system is 0, unless no code says it: on the web map then.
func (v *View) PreviewFrame(ctx context.Context, size Size, system geo.EPSG) (Frame, error) {
	if err := size.check(); err != nil {
		return Frame{}, err
	}
	if size == (Size{}) {
		size.MaxPx = previewSide
	}
	if system == geo.WebMercator {
		return Frame{Grid: gridOver(v.item.mercator(), system, size)}, nil
	}
	full, ok, err := v.nativeGrid(ctx)
	switch {
	case err != nil:
		return Frame{}, err
	case ok && (system == 0 || system == full.CRS):
		full.Repeats = true // as gridOver says
		return Frame{Grid: inSize(full, size)}, nil
	case system == 0:
		return v.PreviewFrame(ctx, size, geo.WebMercator)
	}
	box, err := v.item.box(system)
	if err != nil {
		return Frame{}, err
	}
	return Frame{Grid: gridOver(box, system, size)}, nil
}

// gridOver is the grid of a box, whose pixels may repeat: it is of any size, and TiTiler takes the same overviews. Its size is definite:
// not all zero.
func gridOver(b geo.Box, system geo.EPSG, size Size) raster.Grid {
	width, height := b.MaxX-b.MinX, b.MaxY-b.MinY
	w, h := size.WidthPx, size.HeightPx
	pixels := func(length, res float64) int { return max(1, int(math.Round(length/res))) }
	switch {
	case w == 0 && h == 0:
		res := math.Max(width, height) / float64(size.MaxPx)
		w, h = pixels(width, res), pixels(height, res)
	case h == 0:
		h = pixels(height, width/float64(w))
	case w == 0:
		w = pixels(width, height/float64(h))
	}
	return raster.Grid{CRS: system, Width: w, Height: h, Transform: geo.Affine{b.MinX, width / float64(w), 0, b.MaxY, 0, -height / float64(h)},
		Repeats: true}
}

// overview is the grid of the whole item on the web map, sidePx pixels on its longer side.
func (v *View) overview(sidePx int) raster.Grid {
	return gridOver(v.item.mercator(), geo.WebMercator, Size{MaxPx: sidePx})
}

// box returns the box around the item in a coordinate system.
func (d *Description) box(system geo.EPSG) (geo.Box, error) {
	b := d.Bounds
	if b.MinX > b.MaxX {
		b.MaxX += 360
	}
	b, err := raster.ProjectBox(geo.WGS84, system, b)
	if err == nil && !(b.MaxX > b.MinX && b.MaxY > b.MinY) {
		err = fault.New(fault.Invalid, "item %q has no place in %s", d.ID, system)
	}
	return b, err
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
