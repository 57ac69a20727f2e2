package catalog

import (
	"context"
	_ "embed"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

//go:embed sql/time.sql
var timeSQL string

//go:embed sql/time_periods.sql
var timePeriodsSQL string

//go:embed sql/space.sql
var spaceSQL string

//go:embed sql/look.sql
var lookSQL string

// plan is a search made ready: its route, its conditions, and how its rows are looked at again.
type plan struct {
	search stac.Search
	set    *collectionSet
	cols   []int16 // the collections whose items may match
	order  order
	from   place
	where  string // conditions of every route, those of the place aside
	time   string // the part of it that is the interval
	args   pgx.NamedArgs
	routes // which are taken

	filter  condition
	related string         // SQL of the truths that matching needs
	atoms   map[string]int // and which is whose
	texts   bool           // words are asked for

	shortened bool   // chunks were asked which rows may match
	asked     string // the last statement
	glance    *glance
	room      *bodies
	need      int // hits that the page needs; 0: all
	recent    recently
	changed   time.Time // end of the stretch that is read in the order of changes; zero: it has none
	orbits    []int16   // relative ones that the filter allows, and oddOrbit; nil: all

	timed   bool // the interval is all that is asked, and collections
	periods bool // some item of these collections has a period
}

// again reports whether bodies must be looked at to know what matches.
func (p *plan) again() bool {
	return p.texts || p.search.Filter != nil && (!p.filter.exact || len(p.filter.odd) > 0)
}

// newPlan checks a search and chooses its routes.
func (s *Store) newPlan(ctx context.Context, conn *pgxpool.Conn, set *collectionSet, q stac.Search) (*plan, error) {
	if q.BBox != nil && q.Intersects != nil {
		return nil, fault.New(fault.Invalid, "a search has either bbox or intersects, not both")
	}
	p := &plan{search: q, set: set, args: pgx.NamedArgs{}}
	var err error
	if p.order, err = orderOf(q.Sort); err != nil {
		return nil, err
	}
	if p.from, err = parseToken(q); err != nil {
		return nil, err
	}
	if len(p.from.values) != len(p.order.keys) && !p.from.first {
		return nil, fault.New(fault.Invalid, "the token is damaged")
	}
	if p.cols, p.periods, err = collectionsOf(set, q); err != nil {
		return nil, err
	}
	p.args["cols"] = p.cols
	if len(p.cols) == 1 {
		p.args["col"] = p.cols[0]
	}
	if q.Datetime != nil {
		p.within(*q.Datetime)
	}
	spacious, where, err := areaOf(ctx, conn, q)
	if err != nil {
		return nil, err
	}
	if spacious {
		where.bind(p.args)
		p.where += spaceSQL + lookSQL
	}
	if q.Products { // written so that no index is tried for it
		p.where += " and (i.product is not null) is true"
	} else if p.order.by == byPublished {
		return nil, fault.New(fault.Invalid, "only products are sorted by when they came")
	}
	c := &compiler{ctx: ctx, conn: conn, words: s.words, args: p.args, set: set, cols: p.cols, periods: p.periods}
	var rare [][]int32
	if q.Filter != nil {
		p.filter = c.filter(q.Filter, p.order.by)
		if p.filter.sql != "" {
			p.where += " and " + p.filter.sql
		}
		rare = p.filter.terms
		p.orbits = orbitsIn(q.Filter)
		if p.again() {
			var atoms []string
			p.related, atoms = c.related(q.Filter)
			p.atoms = make(map[string]int, len(atoms))
			for i, a := range atoms {
				p.atoms[a] = i
			}
			p.glance = newGlance(q.Filter)
		}
		if !spacious { // a filter's area finds rows as well as the search's own
			if a, ok := areaIn(c, q.Filter); ok {
				spacious, where = true, a
			}
		}
	}
	if q.Text != nil {
		p.texts = true
		for _, group := range termGroups(q.Text) {
			p.where += " and (select g.ph && " + c.bind(group) + "::int[]" + byKey
			rare = append(rare, group)
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	p.timed = !spacious && q.Filter == nil && q.Text == nil && len(q.IDs) == 0 && !q.Products
	var box *span
	if spacious {
		box = &where.box
	}
	p.routes, err = s.choose(ctx, conn, p, box, rare)
	return p, err
}

// collectionsOf returns the numbers of the collections whose items may match, and whether any of these has items with a period.
func collectionsOf(set *collectionSet, q stac.Search) (cols []int16, periods bool, err error) {
	add := func(c *collection) {
		if allowed(q.Filter, c.served.ID) {
			cols = append(cols, c.number)
			periods = periods || c.covered.reachBefore != 0 || c.covered.reachAfter != 0
		}
	}
	if len(q.Collections) == 0 {
		for _, c := range set.served {
			add(set.byID[c.ID])
		}
		return cols, periods, nil
	}
	seen := map[string]bool{}
	for _, id := range q.Collections {
		if strings.ContainsRune(id, 0) {
			return nil, false, fault.New(fault.Invalid, "the name of a collection has a character that is not allowed")
		}
		if c := set.byID[id]; c != nil && !seen[id] {
			seen[id] = true
			add(c)
		}
	}
	return cols, periods, nil
}

// allowed reports whether a filter may be true of items of a collection, as far as it is a matter of the collection.
func allowed(n cql2.Node, collection string) bool {
	switch n := n.(type) {
	case nil:
		return true
	case cql2.And:
		for _, arg := range n {
			if !allowed(arg, collection) {
				return false
			}
		}
		return true
	}
	p, ok := only(n)
	return !ok || p != "collection" || cql2.Match(n, wordEnv(collection))
}

// within adds the interval.
func (p *plan) within(asked stac.Interval) {
	since, until := interval(asked)
	p.args["since"], p.args["until"] = since, until
	if !p.periods {
		p.time = " and (" + timeSQL + ")"
		p.where += p.time
		return
	}
	var before, after int64 // microseconds
	for _, c := range p.set.byID {
		before, after = max(before, c.covered.reachBefore), max(after, c.covered.reachAfter)
	}
	since.Time, until.Time = time.UnixMicro(since.Time.UnixMicro()-after), time.UnixMicro(until.Time.UnixMicro()+before)
	p.args["far_since"], p.args["far_until"] = since, until
	p.time = " and (" + timePeriodsSQL + ")"
	p.where += p.time
}

// interval returns both ends, infinite where they are open.
func interval(asked stac.Interval) (since, until pgtype.Timestamptz) {
	since = pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	until = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	if asked.Start != nil {
		since = pgtype.Timestamptz{Time: asked.Start.Truncate(time.Microsecond), Valid: true}
	}
	if asked.End != nil {
		until = pgtype.Timestamptz{Time: *asked.End, Valid: true}
	}
	return since, until
}

// areaIn returns the area of a relation that must be true of every match.
func areaIn(c *compiler, n cql2.Node) (area, bool) {
	switch n := n.(type) {
	case cql2.And:
		for _, arg := range n {
			if a, ok := areaIn(c, arg); ok {
				return a, true
			}
		}
	case cql2.Spatial:
		if op, literal, ok := footprintAnd(n); ok && op != cql2.Disjoint {
			return c.area(literal)
		}
	}
	return area{}, false
}

// orbitsIn returns the relative orbits that a filter allows, with the one that stands for all that are odd, where it allows only some.
func orbitsIn(n cql2.Node) []int16 {
	switch n := n.(type) {
	case cql2.And:
		for _, arg := range n {
			if orbits := orbitsIn(arg); orbits != nil {
				return orbits
			}
		}
	case cql2.Compare:
		if p, op, value, ok := sides(n); ok && p == "sat:relative_orbit" && op == cql2.Equal {
			return orbitsOf([]cql2.Node{value})
		}
	case cql2.In:
		if n.Value == cql2.Property("sat:relative_orbit") {
			return orbitsOf(n.List)
		}
	}
	return nil
}

func orbitsOf(list []cql2.Node) []int16 {
	orbits := []int16{oddOrbit}
	for _, n := range list {
		v, ok := n.(cql2.Number)
		if !ok {
			return nil
		}
		if orbit := int16(v); float64(orbit) == float64(v) && !slices.Contains(orbits, orbit) {
			orbits = append(orbits, orbit)
		}
	}
	return orbits
}

// namesIn returns the ids that a filter allows, where it allows only some.
func namesIn(n cql2.Node) ([]string, bool) {
	switch n := n.(type) {
	case cql2.And:
		for _, arg := range n {
			if names, ok := namesIn(arg); ok {
				return names, true
			}
		}
	case cql2.Compare:
		if p, op, value, ok := sides(n); ok && p == "id" && op == cql2.Equal {
			return textsOf([]cql2.Node{value})
		}
	case cql2.In:
		if n.Value == cql2.Property("id") {
			return textsOf(n.List)
		}
	}
	return nil, false
}
