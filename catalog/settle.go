package catalog

import (
	"context"
	_ "embed"
	"encoding/binary"
	"math"

	"github.com/jackc/pgx/v5"

	"swath/fault"
)

//go:embed sql/footprint.sql
var footprintSQL string

// emptyEWKB is POLYGON EMPTY in longitude and latitude: the geometry of an item without a place.
var emptyEWKB = withSRID(wkb([]part{{kind: polygon}}))

// settle returns the EWKB of a footprint as it is stored and compared: valid, and split at the antimeridian. PostGIS is
// asked only where that is not plain to see. What a repair leaves may be smaller: the box becomes that of it, since searches rely on a
// shape that touches all sides of its box.
func settle(ctx context.Context, q querier, f *footprint) (ewkb []byte, err error) {
	switch {
	case f.empty():
		return emptyEWKB, nil
	case f.plain():
		return withSRID(wkb(f.parts)), nil
	}
	rows, err := q.Query(ctx, footprintSQL, pgx.NamedArgs{"wkb": wkb(f.parts)})
	if err != nil {
		return nil, err
	}
	var reason string
	var box span
	var boxes []span
	_, err = pgx.ForEachRow(rows, []any{&ewkb, &reason, &box.west, &box.south, &box.east, &box.north}, func() error {
		move := turnHome(box.west, box.east)
		boxes = append(boxes, span{box.west + move, box.south, box.east + move, box.north})
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case ewkb == nil:
		return nil, fault.New(fault.Invalid, "the geometry is not valid, and nothing of it remains when it is repaired: %s", reason)
	}
	f.box = cover(boxes)
	return ewkb, nil
}

// shapeOf returns what item.geom holds of a footprint: TWKB where that is exact, else EWKB; see settle.
func shapeOf(ctx context.Context, q querier, f *footprint) ([]byte, error) {
	if !f.empty() && f.plain() {
		if short, ok := twkb(f.parts[0]); ok {
			return short, nil
		}
	}
	return settle(ctx, q, f)
}

// twkb writes a point or a polygon as Tiny WKB of seven decimals, the centimetre that positions are published with, unless
// one of its numbers has more. See github.com/TWKB/Specification.
func twkb(p part) (out []byte, exact bool) {
	const decimals, factor = 7, 1e7
	const zigzagDecimals, noFlags = decimals << 1, 0
	out = append(out, zigzagDecimals<<4|byte(p.kind), noFlags)
	if p.kind == polygon {
		out = binary.AppendUvarint(out, uint64(len(p.rings)))
	}
	var last [2]int64
	for _, ring := range p.rings {
		if p.kind == polygon {
			out = binary.AppendUvarint(out, uint64(len(ring)))
		}
		for _, at := range ring {
			for axis, deg := range at {
				n := math.Round(deg * factor)
				if n/factor != deg || deg == 0 && math.Signbit(deg) {
					return nil, false
				}
				out = binary.AppendVarint(out, int64(n)-last[axis])
				last[axis] = int64(n)
			}
		}
	}
	return out, true
}

// plain reports whether a footprint is certainly settled: a point, or a polygon without holes whose edges clearly neither
// touch nor cross, on one side of the antimeridian.
func (f footprint) plain() bool {
	if len(f.parts) != 1 {
		return false
	}
	p := f.parts[0]
	if box := p.box(); box.west < -180 || box.east > 180 { // that of f is the world's around a pole
		return false
	}
	switch p.kind {
	case point:
		return true
	case polygon:
		return len(p.rings) == 1 && simple(p.rings[0])
	}
	return false
}

// mostPlain is how many positions a ring may have for every pair of its edges to be looked at.
const mostPlain = 100

// simple reports whether the edges of a closed ring meet nowhere but at their ends. It is certain when it says so; near a
// touch it says no, since rounding could hide it.
func simple(ring []position) bool {
	n := len(ring) - 1
	if n > mostPlain {
		return false
	}
	for i := range n {
		a, b := ring[i], ring[i+1]
		next := ring[(i+2)%n]
		if a == b || turn(a, b, next) == 0 && (b[0]-a[0])*(next[0]-b[0])+(b[1]-a[1])*(next[1]-b[1]) <= 0 {
			return false // a position twice, or an edge that turns back
		}
		for j := i + 2; j < n; j++ {
			if i == 0 && j == n-1 {
				continue // neighbours
			}
			if !separate(a, b, ring[j], ring[j+1]) {
				return false
			}
		}
	}
	return true
}

// separate reports whether two edges certainly share no position.
func separate(a, b, c, d position) bool {
	if max(a[0], b[0]) < min(c[0], d[0]) || max(c[0], d[0]) < min(a[0], b[0]) || max(a[1], b[1]) < min(c[1], d[1]) || max(c[1], d[1]) < min(a[1], b[1]) {
		return true
	}
	return turn(a, b, c)*turn(a, b, d) > 0 || turn(c, d, a)*turn(c, d, b) > 0
}

// turn is 1 when c lies certainly to the left of a-b, -1 to the right, and 0 when that is not certain.
func turn(a, b, c position) int {
	// The bound is that of the filter of Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997, section 4.1.
	const bound = 3.3306690738754716e-16
	left, right := (a[0]-c[0])*(b[1]-c[1]), (a[1]-c[1])*(b[0]-c[0])
	det := left - right
	switch limit := bound * (math.Abs(left) + math.Abs(right)); {
	case det > limit:
		return 1
	case -det > limit:
		return -1
	}
	return 0
}
