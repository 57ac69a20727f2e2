package catalog

import (
	"encoding/json"
	"slices"
	"strings"

	"swath/stac/cql2"
)

// area is a literal geometry as the columns are compared with it.
func (c *compiler) area(n cql2.Node) (a area, ok bool) {
	switch n := n.(type) {
	case cql2.BBox:
		s := unwrapBox(n[0], n[1], n[2], n[3])
		return area{box: s, inner: s.inward(), ewkb: withSRID(wkb(s.parts()))}, true
	case cql2.Geometry:
		f, err := shape(json.RawMessage(n), false)
		if err == nil {
			a.box, a.inner = f.box, nowhere
			a.ewkb, err = settle(c.ctx, c.conn, &f)
		}
		if err != nil {
			c.err = err
		}
		return a, err == nil
	}
	return a, false
}

// postgis are the functions behind CQL2's. They differ for no geometry that an item can have.
var postgis = map[cql2.SpatialOp]string{cql2.Intersects: "st_intersects", cql2.Equals: "st_equals", cql2.Disjoint: "st_disjoint", cql2.Touches: "st_touches",
	cql2.Within: "st_within", cql2.Overlaps: "st_overlaps", cql2.Crosses: "st_crosses", cql2.Contains: "st_contains"}

// mirrored is the relation with its sides changed.
var mirrored = map[cql2.SpatialOp]cql2.SpatialOp{cql2.Within: cql2.Contains, cql2.Contains: cql2.Within}

// footprintAnd takes a relation of the item's geometry to a literal apart.
func footprintAnd(n cql2.Spatial) (cql2.SpatialOp, cql2.Node, bool) {
	if n.Left == cql2.Property("geometry") {
		return n.Op, n.Right, true
	}
	if n.Right == cql2.Property("geometry") {
		if op, ok := mirrored[n.Op]; ok {
			return op, n.Left, true
		}
		return n.Op, n.Left, true
	}
	return "", nil, false
}

// spatial compiles a relation of the footprint. An item without one has no truth.
func (c *compiler) spatial(n cql2.Spatial, want bool) condition {
	op, literal, ok := footprintAnd(n)
	if !ok {
		return always
	}
	a, ok := c.area(literal)
	if !ok {
		return always
	}
	sql := "(select " + postgis[op] + "(shape(g.geom), st_geomfromewkb(" + c.bind(a.ewkb) + "::bytea))" + byKey
	if !want {
		sql = "not " + sql
	}
	sql = "i.x0 <= i.x1 and " + sql
	if near := op != cql2.Disjoint; near == want { // the boxes meet
		outer := a.box.outward()
		b := strings.NewReplacer("@x0", c.bind(outer.x0), "@x1", c.bind(outer.x1), "@y0", c.bind(outer.y0), "@y1", c.bind(outer.y1))
		sql = b.Replace(meetingSQL) + " and " + sql
	}
	return condition{sql: "(" + sql + ")", exact: true}
}

// meetingSQL compares boxes where they are and one turn of the globe to either side.
const meetingSQL = `i.y0 <= @y1::int and i.y1 >= @y0::int and (i.x0 <= @x1::int and i.x1 >= @x0::int or ` +
	`i.x0 <= @x1::int - 36000000 and i.x1 >= @x0::int - 36000000 or i.x0 <= @x1::int + 36000000 and i.x1 >= @x0::int + 36000000)`

// related returns SQL of an array with the truth of each spatial predicate of a filter, for those who match bodies; empty when
// there is none.
func (c *compiler) related(n cql2.Node) (sql string, atoms []string) {
	var parts []string
	cql2.Walk(n, func(n cql2.Node) {
		s, isSpatial := n.(cql2.Spatial)
		if !isSpatial || slices.Contains(atoms, cql2.String(s)) {
			return
		}
		if op, literal, ok := footprintAnd(s); ok {
			if a, ok := c.area(literal); ok {
				atoms = append(atoms, cql2.String(s))
				parts = append(parts, postgis[op]+"(shape(i.geom), st_geomfromewkb("+c.bind(a.ewkb)+"::bytea))")
			}
		}
	})
	if parts == nil {
		return "", nil
	}
	return "case when i.x0 <= i.x1 then array[" + strings.Join(parts, ", ") + "] end", atoms
}
