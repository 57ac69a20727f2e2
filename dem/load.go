package dem

import (
	"context"
	"math"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// maxPlanePixels of one grid's heights in memory: 1.2 GB.
const maxPlanePixels = 300 << 20

// load puts the tiles over a box together; nil when there are none.
func (m *Model) load(ctx context.Context, box geo.Box) (*plane, error) {
	var p *plane
	for _, path := range m.paths {
		if lon, lat, ok := cellOf(path); ok && (lat > box.MaxY+1 || lat+2 < box.MinY || !touches(lon-0.1, lon+1.1, box)) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := m.add(ctx, path, box, &p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// touches reports whether longitudes meet a box that may go on past ±180.
func touches(west, east float64, box geo.Box) bool {
	_, ok := turn(west, east, box)
	return ok
}

// turn is by how many degrees longitudes have to be moved to meet a box.
func turn(west, east float64, box geo.Box) (float64, bool) {
	for _, by := range []float64{0, 360, -360} {
		if west+by <= box.MaxX && east+by >= box.MinX {
			return by, true
		}
	}
	return 0, false
}

// add copies what a file has of a box. The first file that has any says how fine the plane is, and how it lies.
func (m *Model) add(ctx context.Context, path string, box geo.Box, p **plane) error {
	t, err := openTile(ctx, path)
	if err != nil {
		return err
	}
	defer t.close()
	a := t.transform
	geographic := t.cog == nil || t.cog.CRS == geo.WGS84 || t.cog.CRS == 4979 || t.cog.CRS == 0 && math.Abs(a[0]) <= 360 && math.Abs(a[1]) < 0.1
	if t.cog != nil && t.cog.CRS == 0 && !geographic {
		return fault.New(fault.Invalid, "dem: %s names no coordinate system", path)
	}
	if !geographic {
		return m.warp(ctx, t, box, p)
	}
	if a[2] != 0 || a[4] != 0 || a[1] <= 0 || a[5] >= 0 {
		return fault.New(fault.Invalid, "dem: %s does not lie north up", path)
	}
	east, south := a[0]+float64(t.w)*a[1], a[3]+float64(t.h)*a[5]
	by, ok := turn(a[0], east, box)
	if !ok || a[3] < box.MinY || south > box.MaxY {
		return nil
	}
	a[0] += by
	if *p == nil {
		if *p, err = newPlane(box, a[0]+a[1]/2, a[3]+a[5]/2, a[1], a[5]); err != nil {
			return err
		}
	}
	q := *p
	x, y := (a[0]+a[1]/2-q.lon0)/q.dLon, (a[3]+a[5]/2-q.lat0)/q.dLat // of the tile's first pixel in the plane
	const same = 0.02                                                // of a pixel
	if math.Abs(a[1]/q.dLon-1)*float64(t.w) > same || math.Abs(a[5]/q.dLat-1)*float64(t.h) > same || math.Abs(x-math.Round(x)) > same || math.Abs(y-math.Round(y)) > same {
		return m.warp(ctx, t, box, p)
	}
	column, row := int(math.Round(x)), int(math.Round(y))
	first, last := max(0, column), min(q.w, column+t.w)
	top, bottom := max(0, row), min(q.h, row+t.h)
	if first >= last || top >= bottom {
		return nil
	}
	w := raster.Window{Col: first - column, Row: top - row, Width: last - first, Height: bottom - top}
	values, stride := t.heights, t.w
	if t.cog != nil {
		reader := raster.NewReader(0)
		planes, err := reader.Read(ctx, t.cog, 0, w, []int{1})
		if err != nil {
			return err
		}
		values, stride = planes[0], w.Width
		w.Col, w.Row = 0, 0
	}
	for j := range w.Height {
		q.put(q.m[(top+j)*q.w+first:][:w.Width], values[(w.Row+j)*stride+w.Col:][:w.Width])
	}
	return nil
}

// put copies values where there are any and none were before.
func (p *plane) put(to, from []float32) {
	for i, v := range from {
		if v == v && to[i] != to[i] {
			to[i] = v
		}
	}
}

// newPlane covers a box with pixels of a size, one of whose centres is given.
func newPlane(box geo.Box, lon, lat, dLon, dLat float64) (*plane, error) {
	const reach = 3 // pixels, of the interpolation
	p := &plane{dLon: dLon, dLat: dLat}
	p.lon0 = lon + dLon*(math.Floor((box.MinX-lon)/dLon)-reach)
	p.lat0 = lat + dLat*(math.Floor((box.MaxY-lat)/dLat)-reach)
	w, h := (box.MaxX-p.lon0)/dLon+reach+1, (box.MinY-p.lat0)/dLat+reach+1
	if !(w*h < maxPlanePixels) {
		return nil, fault.New(fault.Invalid, "dem: %.0f x %.0f heights over one tile: the model is too fine", w, h)
	}
	p.w, p.h = int(w), int(h)
	p.m = make([]float32, p.w*p.h)
	for i := range p.m {
		p.m[i] = float32(math.NaN())
	}
	return p, nil
}

// warp brings a tile that lies otherwise than the plane onto it.
func (m *Model) warp(ctx context.Context, t *tile, box geo.Box, p **plane) (err error) {
	if t.cog == nil {
		return fault.New(fault.Invalid, "dem: tiles of SRTM of different spacing stand side by side")
	}
	if *p == nil {
		const second = 1.0 / 3600
		if *p, err = newPlane(box, 0, 0, second, -second); err != nil {
			return err
		}
	}
	q := *p
	reader := raster.NewReader(0)
	reader.LimitBytes = 4 * maxPlanePixels
	c := *t.cog
	if c.CRS == 4979 || c.CRS == 0 {
		c.CRS = geo.WGS84
	}
	planes, err := reader.Warp(ctx, &c, raster.Grid{CRS: geo.WGS84, Width: q.w, Height: q.h,
		Transform: geo.Affine{q.lon0 - q.dLon/2, q.dLon, 0, q.lat0 - q.dLat/2, 0, q.dLat}}, []int{1}, raster.Cubic)
	if err != nil {
		return err
	}
	q.put(q.m, planes[0])
	return nil
}
