package catalog

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

// area is a place that is asked for.
type area struct {
	box   span
	inner grid   // a box in it needs no second look
	ewkb  []byte // what the others are compared with
}

func (a area) bind(args pgx.NamedArgs) {
	outer := a.box.outward()
	args["x0"], args["x1"], args["y0"], args["y1"] = outer.x0, outer.x1, outer.y0, outer.y1
	args["inner_x0"], args["inner_x1"], args["inner_y0"], args["inner_y1"] = a.inner.x0, a.inner.x1, a.inner.y0, a.inner.y1
	args["area"] = a.ewkb
}

// areaOf returns the area of a search, or false when it has none.
func areaOf(ctx context.Context, conn *pgxpool.Conn, q stac.Search) (bool, area, error) {
	switch {
	case q.BBox != nil:
		b := *q.BBox
		for _, n := range []float64{b.MinX, b.MinY, b.MaxX, b.MaxY} {
			if math.IsNaN(n) || math.Abs(n) > 1e6 {
				return false, area{}, fault.New(fault.Invalid, "bbox %v is not on the globe", b)
			}
		}
		if b.MinY > b.MaxY || b.MinY > 90 || b.MaxY < -90 {
			return false, area{}, fault.New(fault.Invalid, "bbox %v has its south above its north, or is not on the globe", b)
		}
		s := unwrapBox(b.MinX, max(b.MinY, -90), b.MaxX, min(b.MaxY, 90))
		return true, area{box: s, inner: s.inward(), ewkb: withSRID(wkb(s.parts()))}, nil
	case q.Intersects != nil:
		f, err := shape(q.Intersects, false)
		if err != nil {
			return false, area{}, err
		}
		ewkb, err := settle(ctx, conn, &f)
		return true, area{box: f.box, inner: nowhere, ewkb: ewkb}, err
	}
	return false, area{}, nil
}

// parts returns a span as geometry, split at the antimeridian. One that ends on it has a line on its other side too, where
// stored places have their longitude of -180.
func (s span) parts() []part {
	if s.east < 180 || s.west <= -180 {
		return []part{s.piece()}
	}
	west, east := s, s
	west.east, east.west, east.east = 180, -180, s.east-360
	return []part{west.piece(), east.piece()}
}

// piece returns a span on one side of the antimeridian. Without width or height it is a line or a point.
func (s span) piece() part {
	a, b := position{s.west, s.south}, position{s.east, s.north}
	switch {
	case a == b:
		return part{point, [][]position{{a}}}
	case a[0] == b[0] || a[1] == b[1]:
		return part{line, [][]position{{a, b}}}
	}
	return part{polygon, [][]position{{a, {b[0], a[1]}, b, {a[0], b[1]}, a}}}
}

// withSRID says in the head of a WKB that it is in longitude and latitude.
func withSRID(plain []byte) []byte {
	const hasSRID, wgs84 = 0x20000000, 4326
	out := append([]byte{}, plain[:1]...)
	out = binary.LittleEndian.AppendUint32(out, binary.LittleEndian.Uint32(plain[1:])|hasSRID)
	out = binary.LittleEndian.AppendUint32(out, wgs84)
	return append(out, plain[5:]...)
}
