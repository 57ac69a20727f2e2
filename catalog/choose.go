package catalog

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac/cql2"
)

// routes are the routes that a search takes: to its page, and to all that match when they are counted.
type routes struct {
	page, all route
	rows      float64 // about how many rows match; NaN when unknown
	countCost float64 // microseconds, of counting them by columns; NaN when unknown
}

const (
	mostCells = 20_000 // of one search; a larger area walks time
	manyCells = 200    // that are looked into without asking which of them are empty
	// What the parts of a plan cost, in microseconds of one core, as measured on 17.7 million rows.
	walkRowCost   = 0.12
	cellCost      = 2.0 // to look into one cell of one collection
	cellListCost  = 1.2 // to look into one cell of a list of them
	cellRowCost   = 0.5
	lookCost      = 4.0 // to fetch a footprint and compare it with an area
	roundTripCost = 100 // of a statement, whatever it does
	termRowCost   = 1.5 // to fetch a row that an index of terms names
	againRowCost  = 9.0 // to fetch, unpack and match a body
	// orbitShare is about which part of the rows of a collection one relative orbit has: Sentinel-1 has 175 of them, Sentinel-2 143.
	orbitShare = 1. / 150
	// smallAreaDeg is the width and height up to which an area is looked at by its cells while no counts are known.
	smallAreaDeg = 5
)

// choose takes the cheapest routes. Estimates decide between them; none leaves anything out.
func (s *Store) choose(ctx context.Context, conn *pgxpool.Conn, p *plan, box *span, rare [][]int32) (routes, error) {
	walk := walking
	if len(p.cols) == 1 {
		walk = walkingOne
	}
	switch {
	case p.order.dated() != "" && p.search.Products:
		walk = changing
	case p.order.dated() != "":
		walk = changed
	}
	r := routes{page: walk, all: walk, rows: math.NaN(), countCost: math.NaN()}
	names := p.search.IDs
	if len(names) == 0 && p.search.Filter != nil {
		names, _ = namesIn(p.search.Filter)
	}
	if len(names) > 0 {
		hashes, keys := make([]int64, len(names)), make([]int64, len(names))
		for i, id := range names {
			hashes[i], keys[i] = hashesOf(id)
		}
		p.args["hashes"], p.args["keys"] = hashes, keys
		r.page, r.all, r.rows = naming, naming, float64(len(names))
		r.countCost = r.rows * termRowCost
		return r, nil
	}
	var cells []int32
	if box != nil {
		if cells = cellsMeeting(*box); len(cells) > mostCells {
			cells = nil
		}
	}
	e := s.estimator.get(s)
	if e == nil || e.total == 0 { // nothing is known yet
		switch {
		case rare != nil:
			p.args["terms"] = rare[0]
			r.page, r.all = terming, terming
		case cells != nil && box.east-box.west < smallAreaDeg && box.north-box.south < smallAreaDeg:
			p.args["cells"] = cells
			r.page, r.all = celling, celling
		}
		return r, nil
	}
	if len(cells) > manyCells {
		current, err := e.current(ctx, conn)
		if err != nil {
			return r, err
		}
		if current {
			cells = e.occupied(p.cols, cells)
		}
	}
	p.args["cells"] = cells
	w := e.weigh(p, box, cells, rare)
	p.args["terms"] = w.rarest
	r.rows, r.countCost = w.match, w.all.walk
	least := w.page.walk
	if p.orbits != nil && p.order.by == byTime {
		p.args["orbits"] = p.orbits
		if w.page.orbit < least {
			least, r.page = w.page.orbit, orbiting
		}
		if w.all.orbit < r.countCost {
			r.countCost, r.all = w.all.orbit, orbiting
		}
	}
	if cells != nil {
		if w.page.cells < least {
			least, r.page = w.page.cells, celling
			switch {
			case p.order.by == byCloud:
				r.page = cellingSorted
			case w.inCells < float64(len(cells)*len(p.cols))+fewRows:
				r.page = cellingFew
			}
		}
		if r.page.name != cellingFew.name && p.order.dated() == "" && w.page.since < least {
			least, r.page = w.page.since, cellingSince
			p.args["recent"] = p.recent.since
		}
		if w.all.cells < r.countCost {
			r.countCost, r.all = w.all.cells, celling
			if len(p.cols) == 1 {
				r.all = cellingOne
			}
		}
	}
	if rare != nil {
		if w.terms < least {
			r.page = terming
		}
		if w.terms < r.countCost {
			r.countCost, r.all = w.terms, terming
		}
	}
	if mostCost, _ := p.mostCounted(); cells != nil && p.counted() && r.countCost <= mostCost && w.all.cells <= least+r.countCost+roundTripCost {
		r.page = cellingFew // page and count in one
	}
	return r, nil
}

const (
	fewRows = 500 // are sooner read than left out
)

// costs of a route that walks, of those by cells and of that by orbits, in microseconds.
type costs struct{ walk, cells, since, orbit float64 }

// weights are what plans cost.
type weights struct {
	page, all costs   // to find the rows of one page, and all
	terms     float64 // by terms, both
	rarest    []int32 // these
	inCells   float64 // rows there and then
	match     float64 // about how many match
}

func (e *estimates) weigh(p *plan, box *span, cells []int32, rare [][]int32) (w weights) {
	within := cells != nil
	parts := make([]float64, len(cells)) // of the items of each cell, that meet the box
	for i, cell := range cells {
		parts[i] = box.partOf(cell)
	}
	need := float64(p.search.Limit + 1)
	since, until := time.Unix(-1<<40, 0), time.Unix(1<<40, 0)
	if d := p.search.Datetime; d != nil {
		if d.Start != nil {
			since = *d.Start
		}
		if d.End != nil {
			until = *d.End
		}
	}
	share := e.filterShare(p.search.Filter, p.cols) // of the rows there and then, that the filter lets through
	rarest := 1.0
	for _, terms := range rare {
		if one := e.share(terms); w.rarest == nil || one < rarest {
			rarest, w.rarest = one, terms
		}
	}
	share *= rarest
	all, scanned := 0.0, 0.0
	rates := make(map[int16]rate, len(p.cols))
	for _, col := range p.cols {
		n, part := e.during(col, since, until)
		here, meeting, read := 0.0, n, 0.0
		if within {
			meeting = 0
		}
		counts := e.cell[col]
		for i, cell := range cells {
			if n := counts[cell] * part; n > 0 {
				here += n
				meeting += n * parts[i]
				if p.order.by == byTime && p.order.descending { // as many rows of a cell as the page needs, or all that are there
					n = min(n, need/(share*parts[i]))
				}
				read += n
			}
		}
		if p.order.by == byCloud { // its index knows no time
			n = e.covered[col]
		}
		match := min(meeting, n) * share
		walk := n // as many rows of a collection as the page needs, or all that are there
		if match > 0 && p.order.by != byNothing {
			walk = min(n, need*n/match)
		}
		all, scanned, w.match = all+e.covered[col]*part, scanned+walk, w.match+match
		w.inCells, w.page.cells = w.inCells+here, w.page.cells+read*cellRowCost
		if n > 0 {
			rates[col] = rate{here / n, match / n}
		}
	}
	looked := float64(len(cells)*len(p.cols)) * cellCost
	w.page.walk, w.all.walk = scanned*walkRowCost, all*walkRowCost
	listed := looked * cellListCost / cellCost
	w.page.cells, w.all.cells = w.page.cells+looked, w.inCells*cellRowCost+listed
	if p.search.Intersects != nil { // whose footprints are all looked at
		w.all.walk, w.all.cells = w.all.walk+w.match*lookCost, w.all.cells+w.match*lookCost
	}
	orbits := float64(len(p.orbits)) * orbitShare
	w.page.orbit, w.all.orbit = scanned*orbits*termRowCost, all*orbits*termRowCost
	if p.order.by == byNothing {
		w.page.cells = w.all.cells
	}
	w.page.since = math.Inf(1)
	if within && p.order.by == byTime && p.order.descending {
		var read float64
		if p.recent, read = e.recently(p, rates, need, since, until); !p.recent.all {
			w.page.since = read*cellRowCost + listed
		}
	}
	w.terms = e.total * rarest * termRowCost
	if rare != nil { // the other routes look up the terms of each row
		w.page.walk, w.all.walk = w.page.walk+scanned*termRowCost, w.all.walk+all*termRowCost
		w.page.cells, w.all.cells = w.page.cells+w.inCells*termRowCost, w.all.cells+w.inCells*termRowCost
		w.page.orbit, w.all.orbit = w.page.orbit+scanned*orbits*termRowCost, w.all.orbit+all*orbits*termRowCost
		w.page.since = math.Inf(1)
	}
	return w
}

// filterShare returns about which part of the rows of collections a filter lets through, by its columns.
func (e *estimates) filterShare(n cql2.Node, cols []int16) float64 {
	switch n := n.(type) {
	case cql2.And:
		share := 1.0
		for _, arg := range n {
			share *= e.filterShare(arg, cols)
		}
		return share
	case cql2.Compare:
		p, op, value, ok := sides(n)
		v, isNumber := value.(cql2.Number)
		switch {
		case !ok || e.total == 0:
			return 1
		case p == "sat:relative_orbit" && op == cql2.Equal:
			return orbitShare
		case p == "grid:code" && op == cql2.Equal, p == "s2:mgrs_tile" && op == cql2.Equal:
			return 1. / 5000
		case p != "eo:cloud_cover" || !isNumber:
			return 1
		}
		below, clouded, all := 0.0, 0.0, 1.0
		for _, col := range cols {
			counts := e.decile[col]
			if counts == nil {
				continue
			}
			all += e.covered[col]
			for d, n := range counts[:deciles] {
				clouded += n
				below += n * math.Max(0, math.Min(1, float64(v)/10-float64(d)))
			}
		}
		switch op {
		case cql2.Less, cql2.LessOrEqual:
			return math.Max(below, 1) / all
		case cql2.Greater, cql2.GreaterOrEqual:
			return math.Max(clouded-below, 1) / all
		}
	}
	return 1
}
