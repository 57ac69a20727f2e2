package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
	"swath/stac/cql2"
)

// condition is SQL that holds for every row of which a predicate has the wanted truth, and perhaps for more. It is made of
// our own words and of names of arguments; nothing from outside is in it.
type condition struct {
	sql   string      // "" holds always
	exact bool        // it holds for no other row, the odd ones aside
	odd   []string    // SQL of rows whose columns can't tell
	terms [][]int32   // every wanted row has one of each
	vague []cql2.Node // the parts of a whole filter that are not exact
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
		if indexed := by == byCloud && p == "eo:cloud_cover" || (by == byTime || by == byNothing) && p == "datetime" ||
			by == byPublished && p == stac.Published || by == byModified && p == stac.Modified; parts[i].sql != "" && !indexed {
			parts[i].sql = "(" + parts[i].sql + ") is true"
		}
	}
	whole := joined(parts, true)
	for i, part := range parts {
		if !part.exact {
			whole.vague = append(whole.vague, args[i])
		}
	}
	return whole
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
		case stac.Bytes:
			return condition{sql: "i.product " + string(op) + " " + c.bind(float64(v)) + "::float8", exact: true}
		case "eo:cloud_cover":
			return condition{sql: "i.cc " + string(op) + " " + c.bind(float64(v)) + "::float8", exact: true}
		case "sat:relative_orbit":
			odd := fmt.Sprintf("i.orbit = %d", oddOrbit)
			if orbit := int16(v); op == cql2.Equal && float64(orbit) == float64(v) { // one comparison of small numbers for each row
				return condition{sql: "i.orbit = any(" + c.bind([]int16{orbit, oddOrbit}) + "::smallint[])", exact: true, odd: []string{odd}}
			}
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
		switch left {
		case "datetime":
			return c.datetime(op, v)
		case stac.Published:
			return condition{sql: c.within(publishedColumn, op, v), exact: true}
		case stac.Modified:
			return condition{sql: c.within(modifiedColumn, op, v), exact: true}
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
		return condition{sql: "(select g.ph && " + c.bind(terms) + "::int[]" + byKey, terms: [][]int32{terms}}
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
	sql := "(select (g.idh, g.idk) in (select * from unnest(" + c.bind(hashes) + "::bigint[], " + c.bind(keys) + "::bigint[]))" + byKey
	if !want {
		sql = "not " + sql
	}
	return condition{sql: sql, exact: true}
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
