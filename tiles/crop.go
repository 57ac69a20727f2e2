package tiles

import (
	"context"
	"math"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// CropFrame is the frame of a box, given in one coordinate system and drawn in another: as finely as the view's finest raster
// when the size says nothing.
func (v *View) CropFrame(ctx context.Context, b geo.Box, coords, system geo.EPSG, size Size) (Frame, error) {
	box, err := boxIn(b, coords, system)
	if err != nil {
		return Frame{}, err
	}
	return v.frameOver(ctx, box, system, size)
}

// boxIn moves a box from outside to another coordinate system.
func boxIn(b geo.Box, coords, system geo.EPSG) (geo.Box, error) {
	if !(b.MinX < b.MaxX && b.MinY < b.MaxY) || math.IsInf(b.MaxX-b.MinX, 0) || math.IsInf(b.MaxY-b.MinY, 0) {
		return b, fault.New(fault.Invalid, "the box %g,%g,%g,%g is not minx,miny,maxx,maxy", b.MinX, b.MinY, b.MaxX, b.MaxY)
	}
	if coords == geo.WGS84 && (math.Abs(b.MinX) > 540 || math.Abs(b.MaxX) > 540 || math.Abs(b.MinY) > 90 || math.Abs(b.MaxY) > 90) {
		return b, fault.New(fault.Invalid, "the box %g,%g,%g,%g leaves the globe: west,south,east,north in degrees", b.MinX, b.MinY, b.MaxX, b.MaxY)
	}
	return raster.ProjectBox(coords, system, b)
}

// FeatureFrame is the frame of a GeoJSON feature (see ParseArea), like that of the box around it.
func (v *View) FeatureFrame(ctx context.Context, body []byte, coords, system geo.EPSG, size Size) (Frame, error) {
	area, err := ParseArea(body, coords)
	if err != nil {
		return Frame{}, err
	}
	return v.areaFrame(ctx, area, coords, system, size)
}

func (v *View) areaFrame(ctx context.Context, area *Area, coords, system geo.EPSG, size Size) (Frame, error) {
	area, err := area.project(coords, system)
	if err != nil {
		return Frame{}, err
	}
	frame, err := v.frameOver(ctx, area.bounds(), system, size)
	frame.Area = area
	return frame, err
}

// frameOver is the frame of a box of its own system.
func (v *View) frameOver(ctx context.Context, box geo.Box, system geo.EPSG, size Size) (Frame, error) {
	if err := size.check(); err != nil {
		return Frame{}, err
	}
	if !(box.MaxX > box.MinX && box.MaxY > box.MinY) {
		return Frame{}, fault.New(fault.Invalid, "the area has no extent in %s", system)
	}
	grid, err := v.gridIn(ctx, box, system, size)
	if err != nil {
		return Frame{}, err
	}
	frame := Frame{Grid: grid}
	return frame, v.affordable(frame)
}

// gridIn is the grid of a box of its own system, as fine as the view's finest raster when the size says nothing.
func (v *View) gridIn(ctx context.Context, box geo.Box, system geo.EPSG, size Size) (raster.Grid, error) {
	if size.WidthPx == 0 && size.HeightPx == 0 {
		native, err := v.nativeSize(ctx, box, system)
		if err != nil {
			return raster.Grid{}, err
		}
		if longer := max(native.WidthPx, native.HeightPx); size.MaxPx == 0 || longer <= size.MaxPx {
			size = native
		}
	}
	return gridOver(box, system, size), nil
}

// nativeSize returns how many pixels of the view's finest raster a box has.
func (v *View) nativeSize(ctx context.Context, box geo.Box, system geo.EPSG) (Size, error) {
	resX, resY, err := v.resolutionIn(ctx, system)
	if err != nil {
		return Size{}, err
	}
	pixels := func(length, res float64) int {
		return int(math.Max(1, math.Min(math.Round(length/res), math.MaxInt32)))
	}
	return Size{WidthPx: pixels(box.MaxX-box.MinX, resX), HeightPx: pixels(box.MaxY-box.MinY, resY)}, nil
}

// resolutionIn returns the size of the finest raster's centre pixel in a coordinate system.
func (v *View) resolutionIn(ctx context.Context, system geo.EPSG) (x, y float64, err error) {
	x, y = math.Inf(1), math.Inf(1)
	for asset := range v.byAsset() {
		c, release, err := v.renderer.cog(ctx, asset.Object)
		if err != nil {
			return 0, 0, err
		}
		dx, dy, err := pixelIn(c, system)
		release()
		if err != nil {
			return 0, 0, err
		}
		if dx*dy < x*y {
			x, y = dx, dy
		}
	}
	if math.IsInf(x, 0) {
		return 0, 0, fault.New(fault.Invalid, "item %q has no raster with a place in %s", v.item.ID, system)
	}
	return x, y, nil
}

// pixelIn returns the size of a raster's centre pixel in a coordinate system, +Inf where it has no place in it. In another
// system than its own the pixel is taken as square.
func pixelIn(c *raster.COG, system geo.EPSG) (x, y float64, err error) {
	if c.CRS == system && c.CRS != 0 && len(c.GCPs) == 0 && c.Transform[2] == 0 && c.Transform[4] == 0 {
		return math.Abs(c.Transform[1]), math.Abs(c.Transform[5]), nil
	}
	place, release, err := c.Placer()
	if err != nil {
		return 0, 0, err
	}
	defer release()
	column, row := float64(c.Levels[0].Width)/2, float64(c.Levels[0].Height)/2
	var xs, ys [3]float64
	for i, at := range [3][2]float64{{column, row}, {column + 1, row}, {column, row + 1}} {
		xs[i], ys[i] = place(at[0], at[1])
	}
	if err := raster.Project(geo.WGS84, system, xs[:], ys[:]); err != nil {
		return 0, 0, err
	}
	side := math.Sqrt(math.Abs((xs[1]-xs[0])*(ys[2]-ys[0]) - (xs[2]-xs[0])*(ys[1]-ys[0])))
	if !(side > 0) {
		return math.Inf(1), math.Inf(1), nil
	}
	return side, side, nil
}
