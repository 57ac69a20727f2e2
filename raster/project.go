package raster

import (
	"math"

	"swath/geo"
)

// Project converts points from one coordinate system to another, in place; x is to the east. Points without an image become
// NaN. A code that nobody knows is fault.Invalid.
func Project(from, to geo.EPSG, xs, ys []float64) error {
	for _, leg := range []struct {
		code     geo.EPSG
		toLonLat bool
	}{{from, true}, {to, false}} {
		if from == to && from == geo.WGS84 {
			return nil
		}
		project, release, err := crs{code: leg.code}.projector(leg.toLonLat)
		if err != nil {
			return err
		}
		err = project(xs, ys)
		release()
		if err != nil {
			return err
		}
	}
	return nil
}

// ProjectBox returns the box, in the system to, of the places of a box of the system from. Longitudes are not wrapped: a box that
// crosses the antimeridian has an east beyond 180. It is empty (its edges NaN) when no place has an image.
func ProjectBox(from, to geo.EPSG, b geo.Box) (geo.Box, error) {
	if from == to {
		return b, nil
	}
	const steps = 16 // of each side: the edges are curves in the other system
	var xs, ys []float64
	for i := range steps + 1 {
		for j := range steps + 1 {
			if i%steps == 0 || j%steps == 0 || i == steps/2 && j == steps/2 {
				xs = append(xs, b.MinX+(b.MaxX-b.MinX)*float64(i)/steps)
				ys = append(ys, b.MinY+(b.MaxY-b.MinY)*float64(j)/steps)
			}
		}
	}
	if err := Project(from, to, xs, ys); err != nil {
		return geo.Box{}, err
	}
	out := geo.Box{MinX: math.NaN(), MinY: math.NaN(), MaxX: math.NaN(), MaxY: math.NaN()}
	previous := math.NaN()
	for i, x := range xs {
		if math.IsNaN(x) || math.IsNaN(ys[i]) {
			continue
		}
		if to == geo.WGS84 && !math.IsNaN(previous) {
			x += 360 * math.Round((previous-x)/360)
		}
		previous = x
		out = geo.Box{MinX: least(out.MinX, x), MinY: least(out.MinY, ys[i]), MaxX: most(out.MaxX, x), MaxY: most(out.MaxY, ys[i])}
	}
	return out, nil
}

func least(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

func most(a, b float64) float64 {
	if math.IsNaN(a) || b > a {
		return b
	}
	return a
}
