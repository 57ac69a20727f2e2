package raster

import (
	"swath/fault"
	"swath/geo"
)

// locator finds the pixels of a raster at places of a grid.
//
//	map x, y ──from──▶ longitude, latitude ──to──▶ raster's x, y ──inverse──▶ column, row
type locator struct {
	from, to project    // nil for both when the grid is in the raster's own system
	inverse  geo.Affine // from the raster's map to its full resolution pixels
	wrapLon0 float64    // of a geographic raster: longitudes are taken within ±180 of it
	wraps    bool

	// landmarks are positions in the grid that the raster covers, of rasters whose transform does not reach far beyond them.
	landmarks [][2]float64
}

// project converts points in place, to NaN where they have no image.
type project func(xs, ys []float64) error

// newLocator returns the way from grid places to full resolution pixels, and a function that gives back what it holds.
func newLocator(c *COG, grid Grid) (locator, func(), error) {
	l := locator{inverse: geo.Affine{0, 1, 0, 0, 0, 1}}
	none := func() {}
	if len(c.GCPs) > 0 {
		gcps, err := geo.NewGCPGrid(c.GCPs)
		if err != nil {
			return l, none, fault.Wrap(fault.Invalid, err, "the raster's ground control points are of no use")
		}
		from, release, err := crs{code: grid.CRS}.projector(true)
		if err != nil {
			return l, none, err
		}
		l.from, l.to = from, pointwise(gcps.FromLonLat)
		if err := l.mark(c, grid, gcps); err != nil {
			release()
			return l, none, err
		}
		return l, release, nil
	}
	ok := false
	if l.inverse, ok = c.Transform.Invert(); !ok || c.system().unknown() {
		return l, none, fault.New(fault.Invalid, "the raster has no known place on the globe")
	}
	if c.CRS == geo.WGS84 {
		center, _ := c.Transform.Apply(float64(c.Levels[0].Width)/2, float64(c.Levels[0].Height)/2)
		l.wraps, l.wrapLon0 = true, center
	}
	if c.CRS == grid.CRS && c.CRS != 0 {
		return l, none, nil
	}
	from, releaseFrom, err := crs{code: grid.CRS}.projector(true)
	if err != nil {
		return l, none, err
	}
	to, releaseTo, err := c.system().projector(false)
	if err != nil {
		releaseFrom()
		return l, none, err
	}
	l.from, l.to = from, to
	return l, func() { releaseFrom(); releaseTo() }, nil
}

// mark sets the landmarks: five by five places of the raster.
func (l *locator) mark(c *COG, grid Grid, gcps *geo.GCPGrid) error {
	to, release, err := crs{code: grid.CRS}.projector(false)
	if err != nil {
		return err
	}
	defer release()
	place, ok := grid.Transform.Invert()
	if !ok {
		return fault.New(fault.Invalid, "the grid's transform %v cannot be inverted", grid.Transform)
	}
	for i := range 25 {
		lon, lat := gcps.ToLonLat(float64(i%5*c.Levels[0].Width)/4, float64(i/5*c.Levels[0].Height)/4)
		xs, ys := []float64{lon}, []float64{lat}
		if err := to(xs, ys); err != nil {
			return err
		}
		x, y := place.Apply(xs[0], ys[0])
		l.landmarks = append(l.landmarks, [2]float64{x, y})
	}
	return nil
}

// pixels turns map positions of the grid into columns and rows at full resolution, in place.
func (l *locator) pixels(xs, ys []float64) error {
	for _, p := range []project{l.from, l.to} {
		if p == nil {
			continue
		}
		if err := p(xs, ys); err != nil {
			return err
		}
	}
	for i, x := range xs {
		if l.wraps {
			x = l.wrapLon0 + geo.WrapLon(x-l.wrapLon0)
		}
		xs[i], ys[i] = l.inverse.Apply(x, ys[i])
	}
	return nil
}

func pointwise(f func(a, b float64) (float64, float64)) project {
	return func(xs, ys []float64) error {
		for i := range xs {
			xs[i], ys[i] = f(xs[i], ys[i])
		}
		return nil
	}
}

// pixel returns the full resolution column and row of a place; NaN where the raster's system does not reach.
func (c *COG) pixel(lonDeg, latDeg float64) (column, row float64, err error) {
	l, release, err := newLocator(c, Grid{CRS: geo.WGS84, Transform: geo.Affine{0, 1, 0, 0, 0, 1}})
	if err != nil {
		return 0, 0, err
	}
	defer release()
	xs, ys := []float64{lonDeg}, []float64{latDeg}
	err = l.pixels(xs, ys)
	return xs[0], ys[0], err
}
