package geo

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// GCPGrid places a raster in sensor geometry: x and y of the Projection are column and row. Points on a regular grid of
// columns and rows are interpolated bilinearly inside its cells; others by a least-squares polynomial of all.
// Places more than half the raster's size beyond the points are NaN.
type GCPGrid struct {
	lon0Deg float64 // longitudes are taken within ±180 of it
	surface surface
	guess   polynomial // of (longitude - lon0Deg, latitude): where to begin the inversion
	box     Box        // columns and rows within which the surface is defined
}

// surface gives longitude (relative) and latitude of a column and row, and their derivatives.
type surface interface {
	at(column, row float64) (lon, lat float64, d jacobian)
}

// jacobian holds the derivatives of longitude and latitude by column and row.
type jacobian struct{ lonByColumn, lonByRow, latByColumn, latByRow float64 }

// NewGCPGrid returns the transform through the points, of which at least three must not lie on one line.
func NewGCPGrid(points []GCP) (*GCPGrid, error) {
	if len(points) < 3 {
		return nil, fmt.Errorf("geo: %d ground control points are too few", len(points))
	}
	g := &GCPGrid{lon0Deg: points[0].LonDeg}
	ps := slices.Clone(points)
	for i, p := range ps {
		if !finite(p.Column, p.Row, p.LonDeg, p.LatDeg) || math.Abs(p.LatDeg) > 90 {
			return nil, fmt.Errorf("geo: ground control point %d is not a place: %+v", i, p)
		}
		ps[i].LonDeg = g.relative(p.LonDeg)
	}
	var err error
	if g.guess, err = fitPolynomial(ps, true); err != nil {
		return nil, err
	}
	g.box = aroundPoints(ps)
	if mesh, ok := newMesh(ps); ok {
		g.surface = mesh
	} else if g.surface, err = fitPolynomial(ps, false); err != nil {
		return nil, err
	}
	return g, nil
}

// ToLonLat returns the place of a column (x) and row (y).
func (g *GCPGrid) ToLonLat(x, y float64) (lonDeg, latDeg float64) {
	if !(x >= g.box.MinX && x <= g.box.MaxX && y >= g.box.MinY && y <= g.box.MaxY) {
		return math.NaN(), math.NaN()
	}
	lon, lat, _ := g.surface.at(x, y)
	return WrapLon(g.lon0Deg + lon), lat
}

// FromLonLat returns the column (x) and row (y) of a place, by Newton's method.
func (g *GCPGrid) FromLonLat(lonDeg, latDeg float64) (x, y float64) {
	const near = 1e-6 // pixels
	lonDeg = g.relative(lonDeg)
	x, y, _ = g.guess.at(lonDeg, latDeg)
	for range 20 {
		x, y = clamp(x, g.box.MinX-1, g.box.MaxX+1), clamp(y, g.box.MinY-1, g.box.MaxY+1)
		lon, lat, d := g.surface.at(x, y)
		det := d.lonByColumn*d.latByRow - d.lonByRow*d.latByColumn
		dLon, dLat := lonDeg-lon, latDeg-lat
		dx := (dLon*d.latByRow - dLat*d.lonByRow) / det
		dy := (dLat*d.lonByColumn - dLon*d.latByColumn) / det
		if !finite(dx, dy) {
			break
		}
		x, y = x+dx, y+dy
		if math.Abs(dx) < near && math.Abs(dy) < near {
			if x >= g.box.MinX && x <= g.box.MaxX && y >= g.box.MinY && y <= g.box.MaxY {
				return x, y
			}
			break
		}
	}
	return math.NaN(), math.NaN()
}

func (g *GCPGrid) relative(lonDeg float64) float64 { return WrapLon(lonDeg - g.lon0Deg) }

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

func clamp(v, low, high float64) float64 { return math.Max(low, math.Min(high, v)) }

// aroundPoints is the box of the points, grown by half its size on each side.
func aroundPoints(ps []GCP) Box {
	b := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range ps {
		b = Box{math.Min(b.MinX, p.Column), math.Min(b.MinY, p.Row), math.Max(b.MaxX, p.Column), math.Max(b.MaxY, p.Row)}
	}
	w, h := (b.MaxX-b.MinX)/2, (b.MaxY-b.MinY)/2
	return Box{b.MinX - w, b.MinY - h, b.MaxX + w, b.MaxY + h}
}

// mesh is a full grid of points: row after row, the same columns in each.
type mesh struct {
	columns, rows []float64
	lon, lat      []float64 // len(rows) x len(columns)
}

// newMesh reports false when the points are not a full grid of at least 2 x 2.
func newMesh(ps []GCP) (*mesh, bool) {
	ps = slices.Clone(ps)
	slices.SortFunc(ps, func(a, b GCP) int { return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column)) })
	m := &mesh{}
	for _, p := range ps {
		if p.Row == ps[0].Row {
			m.columns = append(m.columns, p.Column)
		}
	}
	w := len(m.columns)
	if w < 2 || len(ps)%w != 0 || len(ps)/w < 2 || len(slices.Compact(slices.Clone(m.columns))) != w {
		return nil, false
	}
	for i, p := range ps {
		if p.Column != m.columns[i%w] || p.Row != ps[i-i%w].Row {
			return nil, false
		}
		if i%w == 0 {
			m.rows = append(m.rows, p.Row)
		}
		m.lon, m.lat = append(m.lon, p.LonDeg), append(m.lat, p.LatDeg)
	}
	return m, len(slices.Compact(slices.Clone(m.rows))) == len(m.rows)
}

func (m *mesh) at(column, row float64) (lon, lat float64, d jacobian) {
	i, fx, perColumn := cell(m.columns, column)
	j, fy, perRow := cell(m.rows, row)
	w := len(m.columns)
	blend := func(v []float64) (value, byColumn, byRow float64) {
		a, b, c, e := v[j*w+i], v[j*w+i+1], v[(j+1)*w+i], v[(j+1)*w+i+1]
		top, bottom := a+fx*(b-a), c+fx*(e-c)
		return top + fy*(bottom-top), ((b - a) + fy*((e-c)-(b-a))) * perColumn, (bottom - top) * perRow
	}
	lon, d.lonByColumn, d.lonByRow = blend(m.lon)
	lat, d.latByColumn, d.latByRow = blend(m.lat)
	return lon, lat, d
}

// cell returns the interval of sorted ticks that holds v (the outermost ones reach to infinity), the place in it, and the
// inverse of its length.
func cell(ticks []float64, v float64) (i int, fraction, inverse float64) {
	i, _ = slices.BinarySearch(ticks, v)
	i = min(max(i-1, 0), len(ticks)-2)
	inverse = 1 / (ticks[i+1] - ticks[i])
	return i, (v - ticks[i]) * inverse, inverse
}

var errDegenerate = errors.New("geo: ground control points lie on a line")
