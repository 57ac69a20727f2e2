package catalog

import (
	"fmt"
	"testing"
	"time"

	"swath/stac"
	"swath/stac/cql2"
)

// TestChangedInStretches: items in the order in which they changed are all found, each once, when they are read in stretches of time: with years
// between them, many at one moment, and more in a second than a stretch should have.
func TestChangedInStretches(t *testing.T) {
	s := newStore(t, "c")
	s.few = 3
	for i := range 30 {
		put(t, s, itemOf("c", fmt.Sprintf("i%02d", i), square, noon))
	}
	if _, err := s.pool.Exec(t.Context(), `update item set updated = timestamptz '2016-01-01' + case when pk % 30 < 10 then pk % 30 * interval '200 days' when pk % 30 < 20 then interval '6 years'
		else interval '6 years' + pk % 30 * interval '10 milliseconds' end`); err != nil {
		t.Fatal(err)
	}
	rows, err := s.pool.Query(t.Context(), "select updated from item order by updated, pk")
	if err != nil {
		t.Fatal(err)
	}
	var want []time.Time
	for rows.Next() {
		var at time.Time
		if err := rows.Scan(&at); err != nil {
			t.Fatal(err)
		}
		want = append(want, at.UTC())
	}
	for _, from := range []int{0, 7, 15} {
		for _, limit := range []int{1, 4, 100} {
			q := stac.Search{Limit: limit, Sort: []stac.SortKey{{Property: stac.Modified}}, Filter: cql2.Compare{Op: cql2.GreaterOrEqual, Left: cql2.Property(stac.Modified), Right: cql2.Timestamp{Time: want[from]}}}
			first := from
			for first > 0 && want[first-1].Equal(want[from]) {
				first--
			}
			seen, n := map[string]bool{}, first
			for {
				page, err := s.Search(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range page.Items {
					if seen[it.ID] || n >= len(want) || !it.Updated.Equal(want[n]) {
						t.Fatalf("from %d, %d a page: item %d is %s of %v", from, limit, n, it.ID, it.Updated)
					}
					seen[it.ID] = true
					n++
				}
				if q.Token = page.Next; q.Token == "" {
					break
				}
			}
			if n != len(want) {
				t.Errorf("from %d, %d a page: %d items of %d", from, limit, n-first, len(want)-first)
			}
		}
	}
}
