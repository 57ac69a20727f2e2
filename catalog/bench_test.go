package catalog

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"swath/geo"
	"swath/stac"
)

// benchStore holds 20,000 rows, copied inside of the database from 1,000 items that were put.
func benchStore(b *testing.B) *Store {
	b.Helper()
	s := newStore(b, "c0", "c1", "c2", "c3")
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 1000 {
		_, it := randomSample(r, i)
		put(b, s, it)
	}
	const copies = `
insert into item (idh, idk, dt, updated, begins, ends, cell, x0, x1, y0, y1, cc, grid, orbit, plat, ph, col, dict, geom, body)
select hashint8extended(idh, n), hashint8extended(idk, n), dt + n * interval '7 hours', updated, begins, ends, cell, x0, x1, y0, y1, cc, grid, orbit, plat, ph, col, dict, geom, body
from item, generate_series(1, 19) n`
	for _, sql := range []string{copies, "vacuum analyze item"} {
		if _, err := s.pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkItem(b *testing.B) {
	s := benchStore(b)
	for i := 0; b.Loop(); i++ {
		if _, err := s.Item(b.Context(), "c1", ids(b, s)[i%10]); err != nil {
			b.Fatal(err)
		}
	}
}

var known []string

// ids returns ten names in c1.
func ids(b *testing.B, s *Store) []string {
	if known == nil {
		page, err := s.Search(b.Context(), stac.Search{Collections: []string{"c1"}, IDs: sampleIDs()})
		if err != nil || len(page.Items) < 10 {
			b.Fatal(err, len(page.Items))
		}
		for _, it := range page.Items {
			known = append(known, it.ID)
		}
	}
	return known
}

func sampleIDs() (all []string) {
	for i := range 1000 {
		all = append(all, fmt.Sprintf("item-%05d", i))
	}
	return all
}

func BenchmarkSearch(b *testing.B) {
	s := benchStore(b)
	since, until := epoch, epoch.Add(30*24*time.Hour)
	for name, q := range map[string]stac.Search{
		"newest 10 of all":        {},
		"newest 10 of one":        {Collections: []string{"c1"}},
		"newest 100 of all":       {Limit: 100},
		"one degree":              {BBox: &geo.Box{MinX: 179.5, MinY: 10, MaxX: -179.5, MaxY: 11}},
		"a country, and a month":  {BBox: &geo.Box{MinX: -5, MinY: 41, MaxX: 10, MaxY: 51}, Datetime: &stac.Interval{Start: &since, End: &until}},
		"a polygon":               {Intersects: []byte(square)},
		"newest 10 of all, later": {},
	} {
		b.Run(name, func(b *testing.B) {
			if name == "newest 10 of all, later" {
				page, err := s.Search(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				q.Token = page.Next
			}
			for b.Loop() {
				if _, err := s.Search(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPutItem(b *testing.B) {
	s := newStore(b, "c")
	b.Run("new", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			put(b, s, itemOf("c", fmt.Sprint("n", time.Now().UnixNano(), i), square, noon))
		}
	})
	it := itemOf("c", "same", square, noon)
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			put(b, s, it)
		}
	})
}
