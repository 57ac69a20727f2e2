package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac/cql2"
)

// condition is SQL that holds for every row of which a predicate has the wanted truth, and perhaps for more. It is made of
// our own words and of names of arguments; nothing from outside is in it.
type condition struct {
	sql   string    // "" holds always
	exact bool      // it holds for no other row, the odd ones aside
	odd   []string  // SQL of rows whose columns can't tell
	terms [][]int32 // every wanted row has one of each
}

var (
	always = condition{}
	never  = condition{sql: "false", exact: true}
)

// compiler turns filters into conditions on the columns of item i and collection c.
//
// Truth has three values, so a predicate that must be false is not the opposite of one that must be true: NOT only changes
// which of the two is wanted, and each leaf knows both.
type compiler struct {
	ctx   context.Context
	conn  *pgxpool.Conn
	words *words
	args  pgx.NamedArgs
	next  int
	err   error // of the database, while a literal was made ready

	set     *collectionSet
	cols    []int16 // the collections that are searched
	periods bool    // some of them have items with a period
}

// bind gives a value to the statement and returns its place.
func (c *compiler) bind(value any) string {
	c.next++
	name := fmt.Sprintf("f%d", c.next)
	c.args[name] = value
	return "@" + name
}

func (c *compiler) compile(n cql2.Node, want bool) condition {
	switch n := n.(type) {
	case cql2.And:
		return c.join(n, want, want)
	case cql2.Or:
		return c.join(n, want, !want)
	case cql2.Not:
		return c.compile(n.Arg, !want)
	case cql2.Bool:
		if bool(n) == want {
			return condition{sql: "true", exact: true}
		}
		return never
	case cql2.Spatial:
		return c.spatial(n, want)
	case cql2.Temporal:
		return c.temporal(n, want)
	}
	return c.leaf(n, want)
}

// filter compiles a whole filter. Conditions on other columns than the one that orders are written so that no index is tried for
// them: the planner does not know the arguments, and takes every range for narrow.
func (c *compiler) filter(n cql2.Node, by orderBy) condition {
	args, ok := n.(cql2.And)
	if !ok {
		args = cql2.And{n}
	}
	parts := make([]condition, len(args))
	for i, arg := range args {
		parts[i] = c.compile(arg, true)
		p, _ := only(arg)
		if indexed := by == byCloud && p == "eo:cloud_cover" || by == byTime && p == "datetime"; parts[i].sql != "" && !indexed {
			parts[i].sql = "(" + parts[i].sql + ") is true"
		}
	}
	return joined(parts, true)
}

// join compiles arguments of which all, or at least one, must have the wanted truth.
func (c *compiler) join(args []cql2.Node, want, all bool) condition {
	parts := make([]condition, len(args))
	for i, arg := range args {
		parts[i] = c.compile(arg, want)
	}
	return joined(parts, all)
}

// joined is the condition that all, or at least one of some conditions hold.
func joined(conditions []condition, all bool) condition {
	out := condition{exact: true}
	var parts []string
	for _, one := range conditions {
		out.exact = out.exact && one.exact
		out.odd = append(out.odd, one.odd...)
		switch {
		case one.sql != "":
			parts = append(parts, one.sql)
		case !all:
			return always
		}
		if all {
			out.terms = append(out.terms, one.terms...)
		}
	}
	if len(parts) > 0 {
		out.sql = "(" + strings.Join(parts, map[bool]string{true: " and ", false: " or "}[all]) + ")"
	}
	return out
}

// only returns the one property that a predicate of values depends on.
func only(n cql2.Node) (cql2.Property, bool) {
	names := cql2.Properties(n)
	if len(names) != 1 {
		return "", false
	}
	return cql2.Property(names[0]), true
}

// leaf compiles a predicate of values.
func (c *compiler) leaf(n cql2.Node, want bool) condition {
	p, ok := only(n)
	if !ok {
		return always
	}
	switch p {
	case "collection":
		return c.collection(n, want)
	case "platform":
		return c.wordly(n, want, platformWord, "i.plat", "")
	case "grid:code":
		return c.wordly(n, want, gridWord, "i.grid", "").inexact() // the column also has what s2:mgrs_tile says
	case "s2:mgrs_tile":
		return c.wordly(n, want, gridWord, "i.grid", mgrs).inexact()
	}
	left, op, value, ok := sides(n)
	if !ok {
		return c.others(n, want)
	}
	if !want {
		op = opposite[op]
	}
	switch v := value.(type) {
	case cql2.Number:
		switch left {
		case "eo:cloud_cover":
			return condition{sql: "i.cc " + string(op) + " " + c.bind(float64(v)) + "::float8", exact: true}
		case "sat:relative_orbit":
			odd := fmt.Sprintf("i.orbit = %d", oddOrbit)
			return condition{sql: "(i.orbit " + string(op) + " " + c.bind(float64(v)) + "::float8 or " + odd + ")", exact: true, odd: []string{odd}}
		}
	case cql2.Text:
		switch {
		case left == "id" && op == cql2.Equal:
			return c.named([]string{string(v)}, true)
		case left == "id" && op == cql2.NotEqual:
			return c.named([]string{string(v)}, false)
		}
	case cql2.Timestamp, cql2.Date:
		if left == "datetime" {
			return c.datetime(op, v)
		}
	}
	return c.others(n, want)
}

func (c condition) inexact() condition {
	c.exact = false
	return c
}

// opposite is true of a value exactly where the operator is false.
var opposite = map[cql2.CompareOp]cql2.CompareOp{cql2.Equal: cql2.NotEqual, cql2.NotEqual: cql2.Equal, cql2.Less: cql2.GreaterOrEqual,
	cql2.GreaterOrEqual: cql2.Less, cql2.Greater: cql2.LessOrEqual, cql2.LessOrEqual: cql2.Greater}

// turned is the operator with its sides changed.
var turned = map[cql2.CompareOp]cql2.CompareOp{cql2.Equal: cql2.Equal, cql2.NotEqual: cql2.NotEqual, cql2.Less: cql2.Greater,
	cql2.Greater: cql2.Less, cql2.LessOrEqual: cql2.GreaterOrEqual, cql2.GreaterOrEqual: cql2.LessOrEqual}

// sides takes a comparison of a property with a literal apart.
func sides(n cql2.Node) (p cql2.Property, op cql2.CompareOp, value cql2.Node, ok bool) {
	compare, ok := n.(cql2.Compare)
	if !ok {
		return "", "", nil, false
	}
	if p, ok := compare.Left.(cql2.Property); ok {
		return p, compare.Op, compare.Right, true
	}
	if p, ok := compare.Right.(cql2.Property); ok {
		return p, turned[compare.Op], compare.Left, true
	}
	return "", "", nil, false
}

// others compiles what is made of simple comparisons, and what terms can tell.
func (c *compiler) others(n cql2.Node, want bool) condition {
	switch n := n.(type) {
	case cql2.Between:
		return c.compile(cql2.And{cql2.Compare{Op: cql2.GreaterOrEqual, Left: n.Value, Right: n.Low}, cql2.Compare{Op: cql2.LessOrEqual, Left: n.Value, Right: n.High}}, want)
	case cql2.In:
		if n.Value == cql2.Property("id") {
			if names, ok := textsOf(n.List); ok {
				return c.named(names, want)
			}
		}
		if p := n.Value; p == cql2.Property("eo:cloud_cover") || p == cql2.Property("sat:relative_orbit") || p == cql2.Property("datetime") {
			either := make(cql2.Or, len(n.List))
			for i, v := range n.List {
				either[i] = cql2.Compare{Op: cql2.Equal, Left: p, Right: v}
			}
			return c.compile(either, want)
		}
	case cql2.IsNull:
		switch n.Value {
		case cql2.Property("id"):
			if want {
				return never
			}
			return condition{sql: "true", exact: true}
		case cql2.Property("geometry"):
			if want {
				return condition{sql: "i.x0 > i.x1", exact: true}
			}
			return condition{sql: "i.x0 <= i.x1", exact: true}
		}
	}
	if terms := termsWanted(n); want && terms != nil {
		return condition{sql: "(select g.ph && " + c.bind(terms) + "::int[] from item g where g.pk = i.pk)", terms: [][]int32{terms}}
	}
	return always
}

func textsOf(list []cql2.Node) (texts []string, ok bool) {
	for _, n := range list {
		t, ok := n.(cql2.Text)
		if !ok {
			return nil, false
		}
		texts = append(texts, string(t))
	}
	return texts, true
}

// named compiles that the id is, or is not, one of these.
func (c *compiler) named(ids []string, want bool) condition {
	hashes, keys := make([]int64, len(ids)), make([]int64, len(ids))
	for i, id := range ids {
		hashes[i], keys[i] = hashesOf(id)
	}
	sql := "(select (g.idh, g.idk) in (select * from unnest(" + c.bind(hashes) + "::bigint[], " + c.bind(keys) + "::bigint[])) from item g where g.pk = i.pk)"
	if !want {
		sql = "not " + sql
	}
	return condition{sql: sql, exact: true}
}

// wordly compiles a predicate of a property whose texts are numbered: it is decided once for each text.
func (c *compiler) wordly(n cql2.Node, want bool, kind wordKind, column, prefix string) condition {
	var numbers []int32
	if text, ok := c.oneWord(n, want); ok {
		if number, known := c.words.known(word{kind, prefix + text}); known {
			numbers = []int32{number}
		}
	}
	if numbers == nil {
		all, err := c.words.load(c.ctx, c.conn, kind)
		if err != nil {
			c.err = err
			return never
		}
		numbers = []int32{}
		for text, number := range all {
			if rest, ok := strings.CutPrefix(text, prefix); ok && cql2.Decide(n, wordEnv(rest)) == wanted(want) {
				numbers = append(numbers, number)
			}
		}
	}
	slices.Sort(numbers)
	odd := fmt.Sprintf("%s = %d", column, unnumbered)
	out := condition{sql: "(" + column + " = any(" + c.bind(numbers) + "::int[]) or " + odd + ")", exact: true, odd: []string{odd}}
	if cql2.Decide(n, nullEnv{}) == wanted(want) { // of items that lack it
		out.sql = "(" + column + " is null or " + out.sql[1:]
	}
	return out
}

// oneWord returns the one text of which a predicate is true, where that is plain.
func (c *compiler) oneWord(n cql2.Node, want bool) (string, bool) {
	if _, op, value, ok := sides(n); ok && want && op == cql2.Equal {
		text, ok := value.(cql2.Text)
		return string(text), ok
	}
	return "", false
}

// wordEnv is an item whose only property, whatever its name, is a text.
type wordEnv string

func (w wordEnv) Value(cql2.Property) any             { return string(w) }
func (wordEnv) Related(cql2.Spatial) (is, known bool) { return false, false }

// nullEnv is an item without any property.
type nullEnv struct{}

func (nullEnv) Value(cql2.Property) any               { return nil }
func (nullEnv) Related(cql2.Spatial) (is, known bool) { return false, false }

// datetime compiles a comparison of an item's datetime, which an item with a period may lack.
func (c *compiler) datetime(op cql2.CompareOp, literal cql2.Node) condition {
	first, last := c.limits(literal)
	sql := map[cql2.CompareOp]string{
		cql2.Equal: "i.dt between " + first + " and " + last, cql2.NotEqual: "(i.dt < " + first + " or i.dt > " + last + ")",
		cql2.Less: "i.dt < " + first, cql2.LessOrEqual: "i.dt <= " + last, cql2.Greater: "i.dt > " + last, cql2.GreaterOrEqual: "i.dt >= " + first,
	}[op]
	return c.timed(sql)
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

// collection compiles a predicate of the collection: it is decided once for each that is searched.
func (c *compiler) collection(n cql2.Node, want bool) condition {
	numbers := []int16{}
	for id, one := range c.set.byID {
		if slices.Contains(c.cols, one.number) && cql2.Decide(n, wordEnv(id)) == wanted(want) {
			numbers = append(numbers, one.number)
		}
	}
	if len(numbers) == len(c.cols) {
		return condition{sql: "true", exact: true}
	}
	slices.Sort(numbers)
	return condition{sql: "i.col = any(" + c.bind(numbers) + "::smallint[])", exact: true}
}

// wanted is the truth that a predicate must have.
func wanted(want bool) cql2.Truth {
	if want {
		return cql2.True
	}
	return cql2.False
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

// termsWanted returns terms of which an item has one when a predicate is true of it; nil where none can be told.
func termsWanted(n cql2.Node) []int32 {
	switch n := n.(type) {
	case cql2.Compare:
		if n.Op != cql2.Equal {
			return nil
		}
		if p, ok := inner(n.Left).(cql2.Property); ok {
			return termsAre(p, n.Right)
		}
		if p, ok := inner(n.Right).(cql2.Property); ok {
			return termsAre(p, n.Left)
		}
	case cql2.In:
		if p, ok := inner(n.Value).(cql2.Property); ok {
			return termsAre(p, n.List...)
		}
	case cql2.ArrayOp:
		p, ok := n.Left.(cql2.Property)
		list, isList := n.Right.(cql2.Array)
		if !ok || !isList || len(list) == 0 {
			return nil
		}
		switch n.Op {
		case cql2.AContains, cql2.AEquals:
			return termsAre(p, list[0])
		case cql2.AOverlaps:
			return termsAre(p, list...)
		}
	}
	return nil
}

// inner is what a function of text is applied to. Terms are of folded texts, so that they fit whatever the function.
func inner(n cql2.Node) cql2.Node {
	for {
		call, ok := n.(cql2.Call)
		if !ok {
			return n
		}
		n = call.Arg
	}
}

// termsAre returns the terms of a property having one of these values; nil unless all have one.
func termsAre(p cql2.Property, values ...cql2.Node) []int32 {
	var terms []int32
	for _, v := range values {
		var plain any
		switch v := inner(v).(type) {
		case cql2.Text:
			plain = string(v)
		case cql2.Number:
			plain = float64(v)
		case cql2.Bool:
			plain = bool(v)
		default:
			return nil
		}
		term, ok := termOf(string(p), plain)
		if !ok || p == "id" || p == "collection" || p == "geometry" || p == "bbox" || p == "type" || p == "stac_version" {
			return nil
		}
		terms = append(terms, term)
	}
	return terms
}

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
			a.ewkb, err = settle(c.ctx, c.conn, f)
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
	sql := "(select " + postgis[op] + "(shape(g.geom), st_geomfromewkb(" + c.bind(a.ewkb) + "::bytea)) from item g where g.pk = i.pk)"
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
