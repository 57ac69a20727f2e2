package raster

import (
	"cmp"
	"context"
	"math"
	"slices"

	"swath/fault"
	"swath/geo"
)

const (
	outlinePx      = 512 // longer side of the mask that an outline is traced on
	outlineStepPx  = 64  // straight edges on the raster's map are curves on the globe: a point at least so often
	outlineSlackPx = 1   // mask pixels that the outline may leave out or take in: the steps of a slanted edge
	maxOutlines    = 16  // more pieces than that are wrapped in one convex hull
	speckShare     = 1e3 // pieces smaller than the largest by this are specks, such as lossy compression leaves in the nodata area
)

// ValidFootprint returns the outlines of the measured pixels of a COG or a JPEG 2000 file, found as ReadOverview finds it, in longitude and latitude, running past ±180
// where the raster does. They are right to about one 512th of the raster's longer side; specks of less than a thousandth of
// the largest piece are left out. None: nothing was measured.
func ValidFootprint(ctx context.Context, path string, noData *float64) ([]geo.Ring, error) {
	c, closer, err := openPath(ctx, path, noData)
	if err != nil {
		return nil, err
	}
	defer closer()
	m, err := validMask(ctx, c)
	if err != nil {
		return nil, err
	}
	place, release, err := c.Placer()
	if err != nil {
		return nil, err
	}
	defer release()
	outlines := withoutSpecks(m.outlines())
	if len(outlines) > maxOutlines {
		outlines = []geo.Ring{hull(slices.Concat(outlines...))}
	}
	var rings []geo.Ring
	for _, outline := range outlines {
		outline = densify(geo.Simplify(outline, outlineSlackPx), outlineStepPx)
		ring := make(geo.Ring, 0, len(outline))
		for _, p := range outline {
			lon, lat := place(p[0]*float64(c.Levels[0].Width)/float64(m.width), p[1]*float64(c.Levels[0].Height)/float64(m.height))
			if !math.IsNaN(lon) && !math.IsNaN(lat) {
				ring = append(ring, [2]float64{lon, lat})
			}
		}
		if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
			return nil, fault.New(fault.Invalid, "the raster's outline leaves the globe")
		}
		ring = geo.Unwrap(ring)
		pixelDeg := math.Sqrt(math.Abs(geo.Area(ring)) / math.Max(1, math.Abs(geo.Area(outline))))
		rings = append(rings, geo.Simplify(ring, pixelDeg/4))
	}
	return rings, nil
}

// withoutSpecks leaves out pieces that are tiny beside the largest.
func withoutSpecks(outlines []geo.Ring) []geo.Ring {
	var largest float64
	for _, o := range outlines {
		largest = max(largest, math.Abs(geo.Area(o)))
	}
	return slices.DeleteFunc(outlines, func(o geo.Ring) bool { return math.Abs(geo.Area(o))*speckShare < largest })
}

// Placer returns the way from full resolution columns and rows to longitude and latitude, NaN
// where there is none. The function given back must be called after use.
func (c *COG) Placer() (func(column, row float64) (lon, lat float64), func(), error) {
	if len(c.GCPs) > 0 {
		g, err := geo.NewGCPGrid(c.GCPs)
		if err != nil {
			return nil, nil, fault.Wrap(fault.Invalid, err, "the raster's ground control points are of no use")
		}
		return g.ToLonLat, func() {}, nil
	}
	toLonLat, release, err := c.system().projector(true)
	if err != nil {
		return nil, nil, err
	}
	return func(column, row float64) (lon, lat float64) {
		x, y := c.Transform.Apply(column, row)
		xs, ys := []float64{x}, []float64{y}
		if err := toLonLat(xs, ys); err != nil {
			return math.NaN(), math.NaN()
		}
		return xs[0], ys[0]
	}, release, nil
}

// mask says which pixels are valid in any band.
type mask struct {
	width, height int
	valid         []bool
}

func (m *mask) at(x, y int) bool {
	return x >= 0 && y >= 0 && x < m.width && y < m.height && m.valid[y*m.width+x]
}

// validMask makes the mask from the level nearest above outlinePx; a mask pixel is valid when any pixel in it is.
func validMask(ctx context.Context, c *COG) (*mask, error) {
	level := 0
	for i, l := range c.Levels {
		if max(l.Width, l.Height) >= outlinePx {
			level = i
		}
	}
	l := c.Levels[level]
	step := ceilDiv(max(l.Width, l.Height), outlinePx)
	m := &mask{width: ceilDiv(l.Width, step), height: ceilDiv(l.Height, step)}
	m.valid = make([]bool, m.width*m.height)
	err := eachStrip(ctx, c, level, func(row int, planes [][]float32) {
		for _, plane := range planes {
			for i, v := range plane {
				if v == v {
					m.valid[(row+i/l.Width)/step*m.width+i%l.Width/step] = true
				}
			}
		}
	})
	return m, err
}

// outlines traces the outer edges of the valid pixels, with diagonal neighbours joined; holes are not traced.
func (m *mask) outlines() []geo.Ring {
	var rings []geo.Ring
	seen := make([]bool, len(m.valid)) // a pixel whose upper edge was walked
	for y := range m.height {
		for x := range m.width {
			if !m.at(x, y) || m.at(x, y-1) || seen[y*m.width+x] {
				continue
			}
			if ring := m.trace(x, y, seen); geo.Area(ring) > 0 { // a hole runs the other way
				rings = append(rings, ring)
			}
		}
	}
	return rings
}

// trace walks along pixel edges with the valid pixels on the right (in image coordinates, y down), from the upper left
// corner of a pixel whose upper neighbour is not valid. Where two pixels touch in a corner it goes on to the other one.
func (m *mask) trace(x, y int, seen []bool) geo.Ring {
	dirs := [4][2]int{{1, 0}, {0, 1}, {-1, 0}, {0, -1}} // right, down, left, up
	// The pixels ahead of a corner, left and right of each direction.
	ahead := [4][2][2]int{{{0, -1}, {0, 0}}, {{0, 0}, {-1, 0}}, {{-1, 0}, {-1, -1}}, {{-1, -1}, {0, -1}}}
	var ring geo.Ring
	startX, startY, d := x, y, 0
	for {
		if d == 0 {
			seen[y*m.width+x] = true
		}
		ring = append(ring, [2]float64{float64(x), float64(y)})
		for {
			x, y = x+dirs[d][0], y+dirs[d][1]
			left, right := ahead[d][0], ahead[d][1]
			l, r := m.at(x+left[0], y+left[1]), m.at(x+right[0], y+right[1])
			if l { // turn left
				d = (d + 3) % 4
				break
			} else if !r { // turn right
				d = (d + 1) % 4
				break
			}
			if d == 0 {
				seen[y*m.width+x] = true
			}
		}
		if x == startX && y == startY && d == 0 {
			return append(ring, ring[0])
		}
	}
}

// hull is the convex hull (Andrew's monotone chain).
func hull(points geo.Ring) geo.Ring {
	ps := slices.Clone(points)
	slices.SortFunc(ps, func(a, b [2]float64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	half := func() geo.Ring {
		var h geo.Ring
		for _, p := range ps {
			for n := len(h); n >= 2 && (h[n-1][0]-h[n-2][0])*(p[1]-h[n-2][1]) <= (h[n-1][1]-h[n-2][1])*(p[0]-h[n-2][0]); n = len(h) {
				h = h[:n-1]
			}
			h = append(h, p)
		}
		return h
	}
	lower := half()
	slices.Reverse(ps)
	return slices.Concat(lower[:len(lower)-1], half())
}

// densify puts points on edges longer than step.
func densify(r geo.Ring, step float64) geo.Ring {
	out := geo.Ring{r[0]}
	for i := 1; i < len(r); i++ {
		a, b := r[i-1], r[i]
		parts := math.Ceil(math.Hypot(b[0]-a[0], b[1]-a[1]) / step)
		for k := 1.0; k <= parts; k++ {
			out = append(out, [2]float64{a[0] + (b[0]-a[0])*k/parts, a[1] + (b[1]-a[1])*k/parts})
		}
	}
	out[len(out)-1] = out[0]
	return out
}
