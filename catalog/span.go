package catalog

import (
	"encoding/json"
	"math"
	"slices"
)

// span is a box on the globe in degrees, unwrapped: west lies in [-180, 180), and east, not below it, may pass 180.
type span struct{ west, south, east, north float64 }

// world is the span of everything.
var world = span{-180, -90, 180, 90}

// unwrapBox makes a span of bounds as people write them: west > east crosses the antimeridian, and longitudes may be beyond
// ±180 where somebody has panned a map around the globe.
func unwrapBox(west, south, east, north float64) span {
	if west > east {
		east += 360
	}
	if east-west >= 360 {
		return span{world.west, south, world.east, north}
	}
	move := turnHome(west, east)
	return span{west + move, south, east + move, north}
}

// contains reports whether all of another span lies in this one, without turning either around the globe.
func (s span) contains(o span) bool {
	return s.west <= o.west && o.east <= s.east && s.south <= o.south && o.north <= s.north
}

// turnHome returns by how much longitudes move so that the west lies in [-180, 180). What lies on 180 alone stays there: the
// two sides of the antimeridian are two lines, and what only touches it meets nothing beyond.
func turnHome(west, east float64) (moveDeg float64) {
	if west == 180 && east == 180 {
		return 0
	}
	return -360 * math.Floor((west+180)/360)
}

// cover returns the smallest span that holds all of these: it leaves out the widest gap between their longitudes.
func cover(all []span) span {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b span) int {
		if a.west < b.west {
			return -1
		}
		return 1
	})
	out := span{south: math.Inf(1), north: math.Inf(-1)}
	reach := 0 // of those before, seen from the west of all: the one that ends last
	for i, s := range all {
		out.south, out.north = min(out.south, s.south), max(out.north, s.north)
		if s.east > all[reach].east {
			reach = i
		}
	}
	widest, end := -1.0, 0.0
	turned := true // the end that reach means lies one turn ahead
	for i, s := range all {
		last := all[reach].east
		if turned {
			last -= 360
		}
		if gap := s.west - last; gap > widest {
			widest, out.west, end = gap, s.west, all[reach].east
			if !turned {
				end += 360
			}
		}
		if s.east > last {
			reach, turned = i, false
		}
	}
	out.east = end
	if widest <= 0 || out.east-out.west >= 360 {
		out.west, out.east = world.west, world.east
	}
	return out
}

// bbox writes a span as STAC does: west > east crosses the antimeridian.
func (s span) bbox() json.RawMessage {
	east := s.east
	if east > 180 {
		east -= 360
	}
	text, _ := json.Marshal([]float64{tidy(s.west), tidy(s.south), tidy(east), tidy(s.north)}) // numbers always can
	return text
}

// tidy drops the noise that adding and subtracting 360 leaves: 1e-9 degrees are a tenth of a millimetre.
func tidy(deg float64) float64 { return math.Round(deg*1e9) / 1e9 }

// grid is a span in the unit of the box columns, 1e-5 degrees.
type grid struct{ x0, x1, y0, y1 int32 }

const unitsPerDeg = 1e5

// outward rounds away from the inside, so that a comparison of columns never misses.
func (s span) outward() grid {
	const noise = 1e-3 // units: more than multiplying can err
	return grid{
		int32(math.Floor(s.west*unitsPerDeg - noise)), int32(math.Ceil(s.east*unitsPerDeg + noise)),
		int32(math.Floor(s.south*unitsPerDeg - noise)), int32(math.Ceil(s.north*unitsPerDeg + noise)),
	}
}

// inward rounds towards the inside: what lies in it, lies in the span. The ends of the globe are no bounds.
func (s span) inward() grid {
	const noise = 1e-3
	g := grid{
		int32(math.Ceil(s.west*unitsPerDeg + noise)), int32(math.Floor(s.east*unitsPerDeg - noise)),
		int32(math.Ceil(s.south*unitsPerDeg + noise)), int32(math.Floor(s.north*unitsPerDeg - noise)),
	}
	if s.east-s.west >= 360 {
		g.x0, g.x1 = -beyond, beyond
	}
	if s.south <= -90 {
		g.y0 = -beyond
	}
	if s.north >= 90 {
		g.y1 = beyond
	}
	return g
}

// beyond is farther than any column, and still fits an integer after a turn of the globe is added.
const beyond = 1_000_000_000

// nowhere is the box of an item without a place: no area meets it, and it lies in none.
var nowhere = grid{beyond, -beyond, beyond, -beyond}
