package catalog

import (
	"encoding/json"
	"math"

	"swath/fault"
)

// footprint is where something lies: the box and the shape, both unwrapped. The zero value is nowhere.
type footprint struct {
	box   span
	parts []part
}

func (f footprint) empty() bool { return f.parts == nil }

// footprintOf reads an item's geometry, with its bbox as a hint: west > east says that edges along the antimeridian cross
// it. An item may have neither; then it is found by every search but those by place.
func footprintOf(geometry, bbox []byte) (footprint, error) {
	crossing, err := checkBBox(bbox)
	if err != nil {
		return footprint{}, err
	}
	if geometry == nil {
		return footprint{}, fault.New(fault.Invalid, `the item has no "geometry"; null says that it has no place`)
	}
	if string(geometry) == "null" {
		if bbox != nil {
			return footprint{}, fault.New(fault.Invalid, "the item has a bbox and the geometry null")
		}
		return footprint{}, nil
	}
	return shape(geometry, crossing)
}

// shape unwraps a GeoJSON geometry.
func shape(geometry []byte, crossing bool) (footprint, error) {
	parts, err := parseGeometry(geometry)
	if err != nil {
		return footprint{}, err
	}
	f := footprint{parts: parts}
	var boxes []span
	for i := range parts {
		if err := parts[i].unwrap(crossing); err != nil {
			return footprint{}, err
		}
		boxes = append(boxes, parts[i].box())
	}
	f.box = cover(boxes)
	return f, nil
}

// checkBBox checks a bbox of four or six numbers, which may be missing, and reports whether it crosses the antimeridian.
func checkBBox(raw []byte) (crossing bool, err error) {
	if raw == nil {
		return false, nil
	}
	box, ok := parseBBox(raw)
	if !ok {
		return false, fault.New(fault.Invalid, "bbox is not a list of four or six numbers")
	}
	if box.south > box.north || box.south < -90 || box.north > 90 || math.Abs(box.west) > 360 || math.Abs(box.east) > 360 {
		return false, fault.New(fault.Invalid, "bbox %s is not on the globe", raw)
	}
	return box.west > box.east, nil
}

// parseBBox reads west, south, east, north as they are written.
func parseBBox(raw []byte) (span, bool) {
	var room [6]float64
	n, ok := quickNumbers(raw, room[:0])
	if !ok && json.Unmarshal(raw, &n) != nil || len(n) != 4 && len(n) != 6 {
		return span{}, false
	}
	return span{west: n[0], south: n[1], east: n[len(n)/2], north: n[len(n)/2+1]}, true
}

// unwrap makes a part that jumps over the antimeridian continue beyond it, closes a ring around a pole through the pole,
// and moves the part home.
func (p *part) unwrap(crossing bool) error {
	for i, ring := range p.rings {
		turns := unwrapRing(ring, crossing)
		switch {
		case p.kind != polygon || turns == 0:
		case i > 0:
			return fault.New(fault.Invalid, "a hole of the polygon goes around a pole")
		default:
			p.rings[0] = throughPole(ring)
		}
	}
	west, east := extremes(p.rings[0])
	if east-west > 360+1e-9 {
		return fault.New(fault.Invalid, "the geometry goes around the globe more than once")
	}
	middle := (west + east) / 2
	for i, ring := range p.rings {
		move := turnHome(west, east)
		if i > 0 { // a hole belongs where its polygon is
			w, e := extremes(ring)
			move += 360 * math.Round((middle-(w+e)/2)/360)
		}
		if move != 0 {
			for j := range ring {
				ring[j][0] += move
			}
		}
	}
	return nil
}

// unwrapRing makes longitudes continuous when an edge is longer than half the globe, and returns how often the line goes
// around it. An edge of exactly 360 degrees is ambiguous: boxes of the whole world have two of them, which cancel out and
// stay; along a pole it stays; else, or when we know of a crossing, it is a step over the antimeridian.
func unwrapRing(ring []position, crossing bool) (turns int) {
	whole := 0
	for i := 1; i < len(ring); i++ {
		switch step := ring[i][0] - ring[i-1][0]; {
		case math.Abs(step) == 360:
			if math.Abs(ring[i][1]) != 90 || math.Abs(ring[i-1][1]) != 90 {
				whole += int(math.Copysign(1, step))
			}
		case math.Abs(step) > 180:
			crossing = true
		}
	}
	if !crossing && whole == 0 {
		return 0
	}
	move := 0.0
	for i, before := 1, ring[0][0]; i < len(ring); i++ {
		here := ring[i][0]
		if step := here - before; math.Abs(step) > 180 {
			move -= math.Copysign(360, step)
			if math.Abs(step) == 360 && math.Abs(ring[i][1]) == 90 && math.Abs(ring[i-1][1]) == 90 {
				move += math.Copysign(360, step) // along the pole
			}
		}
		before = here
		ring[i][0] += move
	}
	return int(math.Round(move / 360))
}

// throughPole closes a ring that went once around the globe: down to the pole that it is nearer to, and back.
func throughPole(ring []position) []position {
	sum := 0.0
	for _, p := range ring {
		sum += p[1]
	}
	pole := math.Copysign(90, sum)
	first, last := ring[0], ring[len(ring)-1]
	return append(ring, position{last[0], pole}, position{first[0], pole}, first)
}

func extremes(ring []position) (west, east float64) {
	west, east = math.Inf(1), math.Inf(-1)
	for _, p := range ring {
		west, east = min(west, p[0]), max(east, p[0])
	}
	return west, east
}

// box returns the bounds of an unwrapped part.
func (p part) box() span {
	b := span{south: math.Inf(1), north: math.Inf(-1)}
	b.west, b.east = extremes(p.rings[0])
	for _, at := range p.rings[0] {
		b.south, b.north = min(b.south, at[1]), max(b.north, at[1])
	}
	return b
}
