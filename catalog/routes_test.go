package catalog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/geo"
	"swath/stac"
	"swath/stac/cql2"
)

// everything is the truth that routes are compared with: it reads the table from end to end.
var everything = route{"everything", "select i.dt, i.pk, i.cc, null::bigint as n from (select * from item offset 0) i where i.col = any(@cols::smallint[]) {{where}} order by {{order:i}} limit @limit::int", "", false}

// routeItem is an item with many equal values, so that ties are many.
func routeItem(r *rand.Rand, i int) stac.Item {
	x, y, size := r.Float64()*360-180, r.Float64()*160-80, 0.01*float64(1+r.IntN(100))
	properties := fmt.Sprintf(`"platform":"p%d","product:type":"t%d"`, r.IntN(3), r.IntN(40))
	if r.IntN(4) > 0 {
		properties += fmt.Sprintf(`,"eo:cloud_cover":%d`, 10*r.IntN(11))
	}
	if r.IntN(4) > 0 {
		properties += fmt.Sprintf(`,"sat:relative_orbit":%d`, 1+r.IntN(5))
	}
	moment := epoch.Add(time.Duration(r.IntN(100)) * 24 * time.Hour)
	it := told{collection: fmt.Sprintf("c%d", r.IntN(3)), id: fmt.Sprintf("item-%05d", i), datetime: moment.Format(time.RFC3339), properties: properties,
		geometry: fmt.Sprintf(`{"type":"Polygon","coordinates":[[[%v,%v],[%v,%v],[%v,%v],[%v,%v]]]}`, x, y, x+size, y, x+size, y+size, x, y)}
	switch r.IntN(20) {
	case 0:
		it.datetime = "null"
		it.properties += fmt.Sprintf(`,"start_datetime":%q,"end_datetime":%q`, moment.Format(time.RFC3339), moment.Add(240*time.Hour).Format(time.RFC3339))
	case 1:
		it.geometry = "null"
	}
	return it.item()
}

func routeSearch(t *testing.T, r *rand.Rand) (q stac.Search) {
	q.Collections = [][]string{nil, {"c0"}, {"c0", "c2"}}[r.IntN(3)]
	if r.IntN(3) > 0 {
		x, y, size := r.Float64()*340-180, r.Float64()*120-80, float64(1+r.IntN(60))
		q.BBox = &geo.Box{MinX: x, MinY: y, MaxX: x + size, MaxY: y + size}
	}
	if r.IntN(2) == 0 {
		since := epoch.Add(time.Duration(r.IntN(100)) * 24 * time.Hour)
		until := since.Add(time.Duration(r.IntN(60)) * 24 * time.Hour)
		q.Datetime = &stac.Interval{Start: &since, End: &until}
	}
	day := epoch.Add(time.Duration(r.IntN(100)) * 24 * time.Hour).Format(time.RFC3339)
	some := []string{
		fmt.Sprintf(`"eo:cloud_cover" < %d`, 10*r.IntN(11)), fmt.Sprintf(`"eo:cloud_cover" between %d and 70`, 10*r.IntN(7)), fmt.Sprintf(`"sat:relative_orbit" = %d`, r.IntN(6)),
		fmt.Sprintf(`"sat:relative_orbit" in (%d, 3, 70000, 1.5)`, r.IntN(6)),
		fmt.Sprintf(`platform <> 'p%d'`, r.IntN(3)), fmt.Sprintf(`"product:type" = 't%d'`, r.IntN(40)), fmt.Sprintf(`datetime >= timestamp('%s')`, day),
		fmt.Sprintf(`not ("sat:relative_orbit" in (1, %d) or "eo:cloud_cover" >= 50)`, r.IntN(6)), fmt.Sprintf(`collection <> 'c%d'`, r.IntN(3)),
		fmt.Sprintf(`id in ('item-%05d','item-%05d')`, r.IntN(800), r.IntN(800)),
	}
	r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	if some = some[:r.IntN(3)]; len(some) > 0 {
		var err error
		if q.Filter, err = cql2.ParseText(strings.Join(some, " and ")); err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"datetime", "eo:cloud_cover", "eo:cloud_cover", "id", "platform", "collection", "sat:relative_orbit"}
	for range r.IntN(3) {
		q.Sort = append(q.Sort, stac.SortKey{Property: names[r.IntN(len(names))], Descending: r.IntN(2) == 0})
	}
	return q
}

// TestRoutes takes every route that a search has, page by page, and compares them row by row with the whole table.
func TestRoutes(t *testing.T) {
	s := newStore(t, "c0", "c1", "c2")
	r := rand.New(rand.NewPCG(11, 12))
	nItems, nSearches := 3000, 300
	if testing.Short() {
		nItems, nSearches = 800, 120
	}
	for i := range nItems {
		put(t, s, routeItem(r, i))
	}
	taken, rows := map[string]int{}, 0
	for n := range nSearches {
		q := routeSearch(t, r)
		whole, _ := follow(t, s, q, 10_000, func(p *plan) bool { p.page = everything; return true })
		rows += len(whole)
		limit := []int{7, 100, 1000}[r.IntN(3)]
		if len(whole) > 30*limit {
			limit = 1000
		}
		for _, way := range []route{walking, walkingOne, celling, cellingFew, cellingSorted, cellingSince, orbiting, naming, terming} {
			got, ok := follow(t, s, q, limit, func(p *plan) bool { return take(p, way) })
			if !ok {
				continue
			}
			taken[way.name]++
			if !slices.Equal(got, whole) {
				text := ""
				if q.Filter != nil {
					text = cql2.String(q.Filter)
				}
				t.Fatalf("search %d by %s: %d rows instead of %d\n%v\n%v\n%+v %s", n, way.name, len(got), len(whole), got, whole, q, text)
			}
		}
	}
	t.Logf("%d rows; routes %v", rows, taken)
	for _, way := range []route{walking, celling, cellingFew, cellingSorted, cellingSince, orbiting, naming, terming} {
		if taken[way.name] < 5 {
			t.Errorf("the route by %s was hardly taken: %v", way.name, taken)
		}
	}
}

// take makes a plan take a route, if it has what that needs.
func take(p *plan, way route) bool {
	switch way {
	case walkingOne:
		if len(p.cols) != 1 {
			return false
		}
	case celling, cellingFew, cellingSorted, cellingSince:
		if p.search.BBox == nil {
			return false
		}
		_, where, _ := areaOf(context.Background(), nil, p.search)
		p.args["cells"] = cellsMeeting(where.box)
		if way.name == cellingSince.name {
			if p.order.by != byTime || !p.order.descending {
				return false
			}
			until := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) // behind all: the first stretches are empty
			p.recent = recently{since: until.Add(-time.Duration(1+p.search.Limit) * 24 * time.Hour), until: until}
			p.args["recent"] = p.recent.since
		}
	case orbiting:
		if p.orbits == nil || p.order.by != byTime {
			return false
		}
		p.args["orbits"] = p.orbits
	case naming:
		names, ok := namesIn(p.search.Filter)
		if !ok || p.args["hashes"] == nil || len(names) == 0 {
			return false
		}
	case terming:
		if p.filter.terms == nil {
			return false
		}
		p.args["terms"] = p.filter.terms[0]
	}
	p.page = way
	return true
}

// follow reads all pages of a search by a route, and returns the keys in their order; not ok where the search does not have it.
func follow(t *testing.T, s *Store, q stac.Search, limit int, choose func(*plan) bool) (pks []int64, ok bool) {
	t.Helper()
	q.Limit = limit
	set, err := s.collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for {
		var hits []hit
		err := s.with(t.Context(), "test", func(conn *pgxpool.Conn) error {
			p, err := s.newPlan(t.Context(), conn, set, q)
			if err != nil {
				return err
			}
			if ok = choose(p); ok {
				hits, _, err = s.collect(t.Context(), conn, p, limit+1)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return nil, false
		}
		for i, h := range hits {
			if i < limit {
				pks = append(pks, h.at.pk)
			}
		}
		if len(hits) <= limit {
			return pks, true
		}
		q.Token = hits[limit-1].at.token(q)
	}
}
