package catalog

import (
	_ "embed"
	"regexp"
	"strings"
)

//go:embed sql/walk.sql
var walkSQL string

//go:embed sql/walk_one.sql
var walkOneSQL string

//go:embed sql/cells.sql
var cellsSQL string

//go:embed sql/cells_few.sql
var cellsFewSQL string

//go:embed sql/cells_sorted.sql
var cellsSortedSQL string

//go:embed sql/cells_since.sql
var cellsSinceSQL string

//go:embed sql/changes.sql
var changesSQL string

//go:embed sql/changed.sql
var changedSQL string

//go:embed sql/orbit.sql
var orbitSQL string

//go:embed sql/ids.sql
var idsSQL string

//go:embed sql/terms.sql
var termsSQL string

//go:embed sql/chunks.sql
var chunksSQL string

//go:embed sql/page.sql
var pageSQL string

//go:embed sql/newest.sql
var newestSQL string

// route is a way to the rows that may match: the statement that yields the first of them in order, and what all of them are
// read from.
type route struct {
	name, first, all string
	whole            bool // both read all of a row anyway, not only what an index has
}

// The routes. Each of them leads to all that match; they differ in what they pass on the way.
var (
	walking    = route{"walk", walkSQL, "item i where i.col = any(@cols::smallint[])", false}
	walkingOne = route{"walk", walkOneSQL, "item i where i.col = @col::smallint", false}
	celling    = route{"cells", cellsSQL, "unnest(@cells::int[]) as q(cell) join item i on i.cell = q.cell and i.col = any(@cols::smallint[]) where true", false}
	cellingOne = route{"cells", cellsSQL, "item i where i.cell = any(@cells::int[]) and i.col = @col::smallint", false} // of one collection
	cellingFew = route{"few cells", cellsFewSQL, celling.all, false}                                                    // also counts what matches
	// In the order of something else than time, which the cells are not kept in.
	cellingSorted = route{"sorted cells", cellsSortedSQL, celling.all, false}
	// The newest of them, in stretches of time that grow until there are enough: see recently.
	cellingSince = route{"cells since", cellsSinceSQL, celling.all, false}
	changing     = route{"changes", changesSQL, walking.all, false}
	changed      = route{"changed", changedSQL, walking.all, false} // of items that need not be products
	orbiting     = route{"orbit", orbitSQL, "item i where i.col = any(@cols::smallint[]) and i.orbit = any(@orbits::smallint[])", true}
	naming       = route{"ids", idsSQL, "item i where i.col = any(@cols::smallint[]) and i.idh = any(@hashes::bigint[]) and i.idk = any(@keys::bigint[])", true}
	terming      = route{"terms", termsSQL, "item i where i.ph && @terms::int[] and i.col = any(@cols::smallint[])", true}
	chunking     = route{"chunks", chunksSQL, `(select unnest(@shortlist::bigint[]) as pk union select g.pk from item g where g.pk >= @unchunked::bigint) s
cross join lateral (select * from item g where g.pk = s.pk offset 0) i where i.col = any(@cols::smallint[])`, true}  // see shorten
)

// byKey ends what a condition asks of a row that may have come from an index alone.
const byKey = " from item g where g.pk = i.pk)"

var ofRow = regexp.MustCompile(`\bg\.`)

// conditions are those of a plan on a route. Where it has the row, nothing is looked up a second time; what is asked stays a selection, which no
// index is tried for.
func (p *plan) conditions(r route) string {
	if !r.whole {
		return p.where
	}
	return ofRow.ReplaceAllString(strings.ReplaceAll(p.where, byKey, ")"), "i.")
}

// candidates writes the statement that yields the first rows behind a place, whose values it binds.
func (p *plan) candidates(from place) string {
	from.bind(p.args)
	where := p.conditions(p.page)
	if p.order.by == byCloud && (p.page.name == walking.name) && p.time != "" {
		where = strings.Replace(where, p.time, p.time+" is true", 1) // else an index of time is tried
	}
	first := p.page.first
	if column := p.order.dated(); column != "" { // a place is a moment of that order
		first = strings.Replace(first, "select i.dt, i.pk", "select "+column+" as dt, i.pk", 1)
	}
	if p.page.name == cellingSorted.name {
		look := ""
		if strings.Contains(where, lookSQL) {
			where, look = strings.Replace(where, lookSQL, "", 1), lookSQL
		}
		first = strings.Replace(first, "{{look}}", look, 1)
	}
	sql := strings.Replace(first, "{{where}}", where+p.order.after(from), 1)
	sql = strings.ReplaceAll(sql, "{{order:i}}", p.order.sql("i", from.clouded))
	return strings.Replace(sql, "{{order:s}}", p.order.sql("s", from.clouded), 1)
}

// statement writes the statement that yields the first items behind a place.
func (p *plan) statement(from place) string {
	if p.page.first == walkOneSQL && p.where == "" && p.related == "" && p.order.by == byTime && p.order.descending {
		from.bind(p.args)
		return strings.Replace(newestSQL, "{{where}}", p.order.after(from), 1)
	}
	related := "null::boolean[]"
	if p.related != "" {
		related = p.related
	}
	sql := p.candidates(from)
	if p.page.name != orbiting.name { // which reads the items at once
		sql = strings.Replace(pageSQL, "{{candidates}}", sql, 1)
		sql = strings.Replace(sql, "{{order:p}}", p.order.sql("p", from.clouded), 1)
	}
	return strings.Replace(sql, "{{related}}", related, 1)
}
