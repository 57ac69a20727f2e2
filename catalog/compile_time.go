package catalog

import (
	"slices"
	"strings"
	"time"

	"swath/stac/cql2"
)

// datetime compiles a comparison of an item's datetime, which an item with a period may lack.
func (c *compiler) datetime(op cql2.CompareOp, literal cql2.Node) condition {
	return c.timed(c.within("i.dt", op, literal))
}

// within compares a column with a time.
func (c *compiler) within(column string, op cql2.CompareOp, literal cql2.Node) string {
	first, last := c.limits(literal)
	return map[cql2.CompareOp]string{
		cql2.Equal: column + " between " + first + " and " + last, cql2.NotEqual: "(" + column + " < " + first + " or " + column + " > " + last + ")",
		cql2.Less: column + " < " + first, cql2.LessOrEqual: column + " <= " + last, cql2.Greater: column + " > " + last, cql2.GreaterOrEqual: column + " >= " + first,
	}[op]
}

// timed is a condition on the datetime that the columns can tell, but for items with a period: they may have none.
func (c *compiler) timed(sql string) condition {
	out := condition{sql: sql, exact: true}
	if c.periods {
		periodic := []int16{}
		for _, one := range c.set.byID {
			if one.covered.reachBefore != 0 || one.covered.reachAfter != 0 {
				periodic = append(periodic, one.number)
			}
		}
		slices.Sort(periodic)
		out.odd = []string{"i.col = any(" + c.bind(periodic) + "::smallint[])"}
	}
	return out
}

// limits binds the first and the last moment of a time.
func (c *compiler) limits(literal cql2.Node) (first, last string) {
	begins, ends := momentsOf(literal)
	return c.bind(begins) + "::timestamptz", c.bind(ends) + "::timestamptz"
}

func momentsOf(literal cql2.Node) (begins, ends time.Time) {
	switch t := literal.(type) {
	case cql2.Timestamp:
		return t.Time, t.Time
	case cql2.Date:
		return t.Time, t.AddDate(0, 0, 1).Add(-time.Microsecond)
	}
	panic("not a literal of time") // callers have looked
}

// temporal compiles a relation of an item's datetime to a literal.
func (c *compiler) temporal(n cql2.Temporal, want bool) condition {
	sides := [2]string{}
	ends := [2]string{}
	for k, side := range []cql2.Node{n.Left, n.Right} {
		switch v := side.(type) {
		case cql2.Property:
			if v != "datetime" {
				return always
			}
			sides[k], ends[k] = "i.dt", "i.dt"
		case cql2.Timestamp, cql2.Date:
			sides[k], ends[k] = c.limits(v)
		case cql2.Interval:
			sides[k], ends[k] = "'-infinity'::timestamptz", "'infinity'::timestamptz"
			for j, end := range []cql2.Node{v.Start, v.End} {
				switch end.(type) {
				case nil:
					continue
				case cql2.Timestamp, cql2.Date:
				default:
					return always
				}
				begins, last := momentsOf(end)
				if j == 0 {
					sides[k] = c.bind(begins) + "::timestamptz"
				} else {
					ends[k] = c.bind(last) + "::timestamptz"
				}
			}
		}
	}
	sql := strings.NewReplacer("a0", sides[0], "a1", ends[0], "b0", sides[1], "b1", ends[1]).Replace(relations[n.Op])
	if !want {
		sql = "not (" + sql + ")"
	}
	return c.timed("(" + sql + ")")
}

// relations are CQL2's temporal functions of a, from a0 to a1, and b (OGC 21-065r2, table 12).
var relations = map[cql2.TemporalOp]string{
	cql2.TAfter: "a0 > b1", cql2.TBefore: "a1 < b0", cql2.TContains: "a0 < b0 and a1 > b1", cql2.TDisjoint: "a1 < b0 or a0 > b1",
	cql2.TDuring: "a0 > b0 and a1 < b1", cql2.TEquals: "a0 = b0 and a1 = b1", cql2.TFinishedBy: "a0 < b0 and a1 = b1",
	cql2.TFinishes: "a0 > b0 and a1 = b1", cql2.TIntersects: "a1 >= b0 and a0 <= b1", cql2.TMeets: "a1 = b0", cql2.TMetBy: "a0 = b1",
	cql2.TOverlappedBy: "a0 > b0 and a0 < b1 and a1 > b1", cql2.TOverlaps: "a0 < b0 and a1 > b0 and a1 < b1",
	cql2.TStartedBy: "a0 = b0 and a1 > b1", cql2.TStarts: "a0 = b0 and a1 < b1",
}
