package geo

import (
	"cmp"
	"math"
	"slices"
)

// Ring is a closed line of (longitude, latitude): the last point repeats the first.
type Ring [][2]float64

// Polygon is an outer ring followed by its holes; outer rings run counter-clockwise (RFC 7946, 3.1.6).
type Polygon []Ring

// MultiPolygon is polygons, none of which crosses the antimeridian.
type MultiPolygon []Polygon

// GridRing returns the outline of a raster of width x height pixels, each side cut into steps parts, with longitudes that
// run on past ±180 where the raster crosses the antimeridian. Points where the projection is not defined are left out.
func GridRing(p Projection, a Affine, width, height, steps int) Ring {
	w, h := float64(width), float64(height)
	corners := [5][2]float64{{0, 0}, {0, h}, {w, h}, {w, 0}, {0, 0}}
	var ring Ring
	for side := range 4 {
		from, to := corners[side], corners[side+1]
		for i := range steps {
			f := float64(i) / float64(steps)
			lon, lat := p.ToLonLat(a.Apply(from[0]+f*(to[0]-from[0]), from[1]+f*(to[1]-from[1])))
			if !math.IsNaN(lon) && !math.IsNaN(lat) {
				ring = append(ring, [2]float64{lon, lat})
			}
		}
	}
	if len(ring) < 3 {
		return nil
	}
	return Unwrap(append(ring, ring[0]))
}

// Unwrap returns the ring with longitudes that never jump by more than half the circle: they may leave [-180, 180]. The
// last longitude differs from the first by 360 when the ring goes around a pole.
func Unwrap(r Ring) Ring {
	out := slices.Clone(r)
	for i := 1; i < len(out); i++ {
		out[i][0] += 360 * math.Round((out[i-1][0]-out[i][0])/360)
	}
	return out
}

// SplitAntimeridian returns the area inside a ring as polygons that do not cross the antimeridian, as RFC 7946, 3.1.9 asks.
// The shorter way around the globe is taken between neighbours; a ring around a pole includes the pole.
func SplitAntimeridian(r Ring) MultiPolygon {
	if len(r) < 4 {
		return nil
	}
	u := includePole(Unwrap(r))
	west, east := u[0][0], u[0][0]
	for _, p := range u {
		west, east = math.Min(west, p[0]), math.Max(east, p[0])
	}
	first := math.Floor((west + 180) / 360)
	var out MultiPolygon
	pieces := []Ring{u}
	for k := first; -180+360*k < east && len(pieces) > 0; k++ {
		var beyond []Ring
		for _, piece := range pieces {
			left, right := cut(piece, 180+360*k)
			beyond = append(beyond, right...)
			for _, l := range left {
				if l = tidy(l, -360*k); l != nil {
					out = append(out, Polygon{l})
				}
			}
		}
		pieces = beyond
	}
	return out
}

// includePole closes a ring that went once around the globe over the nearer pole.
func includePole(u Ring) Ring {
	first, last := u[0], u[len(u)-1]
	if math.Abs(last[0]-first[0]) < 180 {
		return u
	}
	var sum float64
	for _, p := range u {
		sum += p[1]
	}
	pole := math.Copysign(90, sum)
	return append(slices.Clone(u), [2]float64{last[0], pole}, [2]float64{first[0], pole}, first)
}

// cut divides a ring along a meridian into the rings to its west and to its east. Along the meridian, crossings sorted by
// latitude bound the inside two by two.
func cut(r Ring, lon float64) (west, east []Ring) {
	type end struct {
		lat   float64
		chain int
		start bool
	}
	var chains []Ring // pieces of the ring that stay on one side
	var current Ring
	isEast := func(p [2]float64) bool { return p[0] >= lon }
	points := r[:len(r)-1]
	begin := slices.IndexFunc(points, func(p [2]float64) bool { return isEast(p) != isEast(points[0]) })
	if begin < 0 {
		if isEast(points[0]) {
			return nil, []Ring{r}
		}
		return []Ring{r}, nil
	}
	var sides []bool
	for i := range points {
		a, b := points[(begin+i)%len(points)], points[(begin+i+1)%len(points)]
		current = append(current, a)
		if isEast(a) != isEast(b) {
			f := (lon - a[0]) / (b[0] - a[0])
			crossing := [2]float64{lon, a[1] + f*(b[1]-a[1])}
			chains, sides = append(chains, append(current, crossing)), append(sides, isEast(a))
			current = Ring{crossing}
		}
	}
	chains[0] = append(current, chains[0]...) // the walk began just after a crossing
	for _, side := range []bool{false, true} {
		var ends []end
		for i, c := range chains {
			if sides[i] == side {
				ends = append(ends, end{c[0][1], i, true}, end{c[len(c)-1][1], i, false})
			}
		}
		slices.SortStableFunc(ends, func(a, b end) int { return cmp.Compare(a.lat, b.lat) })
		partner := map[[2]int]int{} // end (chain, 0 start | 1 finish) to the position in ends
		for i, e := range ends {
			partner[[2]int{e.chain, which(e.start)}] = i ^ 1
		}
		used := make([]bool, len(chains))
		for i := range chains {
			if sides[i] != side || used[i] {
				continue
			}
			var ring Ring
			for at, forward := i, true; !used[at]; {
				used[at] = true
				c := slices.Clone(chains[at])
				if !forward {
					slices.Reverse(c)
				}
				ring = append(ring, c...)
				next := ends[partner[[2]int{at, which(!forward)}]]
				at, forward = next.chain, next.start
			}
			ring = append(ring, ring[0])
			if side {
				east = append(east, ring)
			} else {
				west = append(west, ring)
			}
		}
	}
	return west, east
}

func which(start bool) int {
	if start {
		return 0
	}
	return 1
}

// tidy shifts a ring, drops repeated points, turns it counter-clockwise, and returns nil when no area is left.
func tidy(r Ring, shiftDeg float64) Ring {
	out := make(Ring, 0, len(r))
	for _, p := range r {
		p[0] += shiftDeg
		if len(out) == 0 || p != out[len(out)-1] {
			out = append(out, p)
		}
	}
	if len(out) < 4 || Area(out) == 0 {
		return nil
	}
	if Area(out) < 0 {
		slices.Reverse(out)
	}
	return out
}

// Area returns the signed area in square degrees: positive when the ring runs counter-clockwise.
func Area(r Ring) float64 {
	var sum float64
	for i := 1; i < len(r); i++ {
		sum += (r[i-1][0]-r[0][0])*(r[i][1]-r[0][1]) - (r[i][0]-r[0][0])*(r[i-1][1]-r[0][1])
	}
	return sum / 2
}

// Bounds returns the smallest box around the polygons; its west is greater than its east when it crosses the antimeridian
// (RFC 7946, 5.2).
func (m MultiPolygon) Bounds() Box {
	box := Box{MinX: math.NaN(), MinY: math.Inf(1), MaxX: math.NaN(), MaxY: math.Inf(-1)}
	var spans [][2]float64
	for _, polygon := range m {
		west, east := math.Inf(1), math.Inf(-1)
		for _, p := range polygon[0] {
			west, east = math.Min(west, p[0]), math.Max(east, p[0])
			box.MinY, box.MaxY = math.Min(box.MinY, p[1]), math.Max(box.MaxY, p[1])
		}
		spans = append(spans, [2]float64{west, east})
	}
	if len(spans) == 0 {
		return box
	}
	slices.SortFunc(spans, func(a, b [2]float64) int { return int(math.Copysign(1, a[0]-b[0])) })
	// The widest empty stretch of the circle lies outside the box.
	reach := spans[0][1]
	gap := 0.0
	for _, s := range spans[1:] {
		if s[0]-reach > gap {
			gap, box.MinX, box.MaxX = s[0]-reach, s[0], reach
		}
		reach = math.Max(reach, s[1])
	}
	if around := spans[0][0] + 360 - reach; around >= gap {
		box.MinX, box.MaxX = spans[0][0], reach
	}
	return box
}

// Simplify returns the ring without the points that lie within toleranceDeg of the line between those kept (Douglas and
// Peucker). At least a triangle stays.
func Simplify(r Ring, toleranceDeg float64) Ring {
	if len(r) < 5 {
		return r
	}
	far := 0 // the ring is two lines: to the point furthest from the first, and back
	for i, p := range r {
		if distance2(p, r[0]) > distance2(r[far], r[0]) {
			far = i
		}
	}
	keep := make([]bool, len(r))
	keep[0], keep[far], keep[len(r)-1] = true, true, true
	simplify(r, 0, far, toleranceDeg, keep)
	simplify(r, far, len(r)-1, toleranceDeg, keep)
	out := make(Ring, 0, len(r))
	for i, p := range r {
		if keep[i] {
			out = append(out, p)
		}
	}
	if len(out) < 4 {
		return r
	}
	return out
}

func simplify(r Ring, from, to int, tolerance float64, keep []bool) {
	worst, at := tolerance, -1
	for i := from + 1; i < to; i++ {
		if d := segmentDistance(r[i], r[from], r[to]); d > worst {
			worst, at = d, i
		}
	}
	if at < 0 {
		return
	}
	keep[at] = true
	simplify(r, from, at, tolerance, keep)
	simplify(r, at, to, tolerance, keep)
}

func distance2(a, b [2]float64) float64 {
	return (a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1])
}

func segmentDistance(p, a, b [2]float64) float64 {
	dx, dy := b[0]-a[0], b[1]-a[1]
	f := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		f = math.Max(0, math.Min(1, ((p[0]-a[0])*dx+(p[1]-a[1])*dy)/l))
	}
	return math.Sqrt(distance2(p, [2]float64{a[0] + f*dx, a[1] + f*dy}))
}
