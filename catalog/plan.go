package catalog

import (
	"context"
	_ "embed"
	"math"
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

//go:embed sql/walk.sql
var walkSQL string

//go:embed sql/cells.sql
var cellsSQL string

//go:embed sql/ids.sql
var idsSQL string

//go:embed sql/terms.sql
var termsSQL string

//go:embed sql/time.sql
var timeSQL string

//go:embed sql/space.sql
var spaceSQL string

//go:embed sql/page.sql
var pageSQL string

// route is a way to the rows that may match: the statement that yields them in order, and what it reads from when they are
// only counted.
type route struct {
	name, sql, from string
}

var (
	walking = route{"walk", walkSQL, "collection c join item i on i.col = c.number"}
	celling = route{"cells", cellsSQL, "collection c cross join unnest(@cells::int[]) as q(cell) join item i on i.cell = q.cell and i.col = c.number"}
	naming  = route{"ids", idsSQL, "collection c join item i on i.col = c.number and i.idh = any(@hashes::bigint[]) and i.idk = any(@keys::bigint[])"}
	terming = route{"terms", termsSQL, "item i join collection c on c.number = i.col and i.ph && @terms::int[]"}
)

// plan is a search made ready: its route, its conditions, and how its rows are looked at again.
type plan struct {
	search stac.Search
	set    *collectionSet // as it was when the search came in
	order  order
	from   place
	route  route
	where  string // conditions of every route, those of the place aside
	args   pgx.NamedArgs

	filter  condition
	related string         // SQL of the truths that matching needs
	atoms   map[string]int // and which is whose
	texts   bool           // words are asked for

	rows      float64 // about how many rows match; NaN when unknown
	collected bool    // the time is the only condition, and collections
}

// again reports whether bodies must be looked at to know what matches.
func (p *plan) again() bool {
	return p.texts || p.search.Filter != nil && (!p.filter.exact || len(p.filter.odd) > 0)
}

const (
	mostCells = 20_000 // of one search; a larger area walks time
	// What the parts of a plan cost, in microseconds of one core, as measured on 17.7 million rows.
	walkRowCost  = 0.12
	cellCost     = 2.0 // to look into one cell of one collection
	cellRowCost  = 0.5
	termRowCost  = 1.5 // to fetch a row that an index of terms names
	againRowCost = 9.0 // to fetch, unpack and match a body
)

// newPlan checks a search and chooses its route.
func (s *Store) newPlan(ctx context.Context, conn *pgxpool.Conn, set *collectionSet, q stac.Search) (*plan, error) {
	if q.BBox != nil && q.Intersects != nil {
		return nil, fault.New(fault.Invalid, "a search has either bbox or intersects, not both")
	}
	p := &plan{search: q, set: set, args: pgx.NamedArgs{"collections": nil}, rows: math.NaN()}
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
	if len(q.Collections) > 0 {
		p.args["collections"] = q.Collections
	}
	if q.Datetime != nil {
		p.args["since"], p.args["until"] = interval(q.Datetime)
		p.where += timeSQL
	}
	within, where, err := areaOf(ctx, conn, q)
	if err != nil {
		return nil, err
	}
	if within {
		where.bind(p.args)
		p.where += spaceSQL
	}
	c := &compiler{ctx: ctx, conn: conn, words: s.words, args: p.args}
	var rare []int32
	if q.Filter != nil {
		p.filter = c.compile(q.Filter, true)
		if p.filter.sql != "" {
			p.where += " and " + p.filter.sql
		}
		rare = p.filter.terms
		if p.again() {
			var atoms []string
			p.related, atoms = c.related(q.Filter)
			p.atoms = make(map[string]int, len(atoms))
			for i, a := range atoms {
				p.atoms[a] = i
			}
		}
		if !within { // a filter's area finds rows as well as the search's own
			if a, ok := areaIn(c, q.Filter); ok {
				within, where = true, a
			}
		}
	}
	if q.Text != nil {
		p.texts = true
		for _, group := range termGroups(q.Text) {
			p.where += " and (select g.ph && " + c.bind(group) + "::int[] from item g where g.pk = i.pk)"
			if rare == nil || len(group) < len(rare) {
				rare = group
			}
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	p.collected = !within && q.Filter == nil && q.Text == nil && len(q.IDs) == 0
	s.choose(p, within, where, rare)
	return p, nil
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

// choose takes the cheapest route. Estimates decide between routes; none of them leaves anything out.
func (s *Store) choose(p *plan, within bool, where area, rare []int32) {
	names := p.search.IDs
	if len(names) == 0 && p.search.Filter != nil {
		names, _ = namesIn(p.search.Filter)
	}
	if len(names) > 0 {
		hashes, keys := make([]int64, len(names)), make([]int64, len(names))
		for i, id := range names {
			hashes[i], keys[i] = hashesOf(id)
		}
		p.route, p.args["hashes"], p.args["keys"] = naming, hashes, keys
		return
	}
	var cells []int32
	if within {
		if cells = cellsMeeting(where.box); len(cells) > mostCells {
			cells = nil
		}
	}
	p.args["cells"], p.args["terms"] = cells, rare
	p.route = walking
	e := s.estimator.get(s)
	if e == nil || e.total == 0 { // nothing is known yet
		switch {
		case rare != nil:
			p.route = terming
		case cells != nil && where.box.east-where.box.west < smallAreaDeg && where.box.north-where.box.south < smallAreaDeg:
			p.route = celling
		}
		return
	}
	w := s.weigh(e, p, cells, rare)
	p.rows = w.match
	best := w.walk
	if cells != nil && w.cells < best {
		best, p.route = w.cells, celling
	}
	if rare != nil && w.terms < best {
		p.route = terming
	}
}

// smallAreaDeg is the width and height up to which an area is looked at by its cells while no counts are known.
const smallAreaDeg = 5

// weights are the costs of routes in microseconds, and about how many rows match.
type weights struct{ walk, cells, terms, match float64 }

func (s *Store) weigh(e *estimates, p *plan, cells, rare []int32) (w weights) {
	need := float64(min(max(p.search.Limit, 1), largestLimit) + 1)
	if p.order.by == byNothing {
		need = math.Inf(1)
	}
	since, until := time.Unix(-1<<40, 0), time.Unix(1<<40, 0)
	if d := p.search.Datetime; d != nil {
		if d.Start != nil {
			since = *d.Start
		}
		if d.End != nil {
			until = *d.End
		}
	}
	share := 1.0 // of the rows there and then, that the filter lets through
	if rare != nil {
		share = e.share(rare)
	}
	share *= s.cloudShare(e, p.search.Filter)
	all, inCells, looked := 0.0, 0.0, 0.0
	for col := range e.covered {
		if !p.asked(col) {
			continue
		}
		n, part := e.during(col, since, until)
		all += n
		for _, cell := range cells {
			looked++
			if here := e.cell[col][cell] * part; here > 0 {
				inCells += here
				read := here // as many rows of a cell as the page needs, or all that are there
				if p.order.by == byTime && p.order.descending {
					read = min(here, need/share)
				}
				w.cells += read * cellRowCost
			}
		}
	}
	w.cells += looked * cellCost
	there := all
	if cells != nil {
		there = inCells
	}
	w.match = there * share
	scanned := all
	if w.match > 0 {
		scanned = min(all, need*all/w.match)
	}
	w.walk = scanned * walkRowCost
	if p.order.by == byTime || p.order.by == byCloud {
		w.terms = e.total * e.share(rare) * termRowCost
	} else {
		w.terms = e.total * e.share(rare) * termRowCost
		w.walk, w.cells = all*walkRowCost, inCells*cellRowCost+looked*cellCost
	}
	if rare != nil { // the other routes look up the terms of each row
		w.walk += scanned * termRowCost
		w.cells += inCells * termRowCost
	}
	return w
}

// asked reports whether a search wants a collection, as far as is known in memory.
func (p *plan) asked(col int16) bool {
	if len(p.search.Collections) == 0 {
		return true
	}
	return slices.ContainsFunc(p.search.Collections, func(id string) bool {
		c := p.set.byID[id]
		return c != nil && c.number == col
	})
}

// cloudShare returns about which part of the rows has the cloud cover that a filter demands.
func (s *Store) cloudShare(e *estimates, n cql2.Node) float64 {
	switch n := n.(type) {
	case cql2.And:
		share := 1.0
		for _, arg := range n {
			share *= s.cloudShare(e, arg)
		}
		return share
	case cql2.Compare:
		p, op, value, ok := sides(n)
		v, isNumber := value.(cql2.Number)
		if !ok {
			return 1
		}
		switch {
		case p == "sat:relative_orbit" && op == cql2.Equal:
			return 1. / 150
		case p == "grid:code" && op == cql2.Equal, p == "s2:mgrs_tile" && op == cql2.Equal:
			return 1. / 5000
		case p != "eo:cloud_cover" || !isNumber || e.total == 0:
			return 1
		}
		below := 0.0
		for _, counts := range e.decile {
			for d, n := range counts[:deciles] {
				below += n * math.Max(0, math.Min(1, float64(v)/10-float64(d)))
			}
		}
		clouded := 0.0
		for _, counts := range e.decile {
			for _, n := range counts[:deciles] {
				clouded += n
			}
		}
		switch op {
		case cql2.Less, cql2.LessOrEqual:
			return math.Max(below, 1) / e.total
		case cql2.Greater, cql2.GreaterOrEqual:
			return math.Max(clouded-below, 1) / e.total
		}
	}
	return 1
}

// interval returns both ends, infinite where they are open.
func interval(asked *stac.Interval) (since, until pgtype.Timestamptz) {
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

// statement writes the candidates behind a place.
func (p *plan) statement(from place) string {
	from.bind(p.args)
	return strings.NewReplacer("{{where}}", p.where+p.order.after(from), "{{order:i}}", p.order.sql("i", from.clouded), "{{order:s}}", p.order.sql("s", from.clouded)).
		Replace(p.route.sql)
}

// termGroups returns, of a text search, groups of terms: every item that matches has one of each group.
func termGroups(q stac.TextQuery) [][]int32 {
	switch q := q.(type) {
	case stac.Words:
		groups := make([][]int32, len(q))
		for i, w := range q {
			groups[i] = []int32{wordTerm(w)}
		}
		return groups
	case stac.AllOf:
		var groups [][]int32
		for _, arg := range q {
			groups = append(groups, termGroups(arg)...)
		}
		return groups
	case stac.AnyOf:
		var either []int32
		for _, arg := range q {
			groups := termGroups(arg)
			if len(groups) == 0 {
				return nil
			}
			either = append(either, slices.MinFunc(groups, func(a, b []int32) int { return len(a) - len(b) })...)
		}
		if either == nil {
			return nil
		}
		return [][]int32{either}
	}
	return nil
}
