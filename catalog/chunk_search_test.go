package catalog

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
	"swath/stac/cql2"
)

// TestSearchGoesOnByChunks compares searches for rare numbers with the truth, before and after chunks are built, in several
// orders, while items change; and sees that the chunks are used.
func TestSearchGoesOnByChunks(t *testing.T) {
	s := chunkStore(t)
	r := rand.New(rand.NewPCG(11, 1))
	type known struct {
		id               string
		day, n, v, cloud int
	}
	items := map[string]*known{}
	write := func(k *known) stac.Item {
		return itemOf("c", k.id, square, fmt.Sprintf(`{"datetime":"2024-%02d-%02dT%02d:%02d:%02dZ","v":%d,"eo:cloud_cover":%d}`,
			1+k.day/28, 1+k.day%28, k.n/3600, k.n/60%60, k.n%60, k.v, k.cloud))
	}
	for n := 0; n < 10_500; n += 1500 {
		var batch []stac.Item
		for i := range 1500 {
			k := &known{id: fmt.Sprint("i", n+i), day: r.IntN(300), n: n + i, v: r.IntN(100), cloud: r.IntN(100)}
			if r.IntN(250) == 0 {
				k.v += 1000
			}
			items[k.id] = k
			batch = append(batch, write(k))
		}
		if err := s.PutItems(t.Context(), "c", batch, true); err != nil {
			t.Fatal(err)
		}
	}
	filter, err := cql2.ParseText("v >= 1000 and v < 1090")
	if err != nil {
		t.Fatal(err)
	}
	check := func(how string) {
		t.Helper()
		for name, order := range map[string]struct {
			sort []stac.SortKey
			of   func(a, b *known) int
		}{
			"newest first":  {nil, func(a, b *known) int { return 0 }},
			"by cloud":      {[]stac.SortKey{{Property: "eo:cloud_cover"}}, func(a, b *known) int { return cmp.Compare(a.cloud, b.cloud) }},
			"by the number": {[]stac.SortKey{{Property: "v", Descending: true}}, func(a, b *known) int { return cmp.Compare(b.v, a.v) }},
		} {
			var want []*known
			for _, k := range items {
				if k.v >= 1000 && k.v < 1090 {
					want = append(want, k)
				}
			}
			slices.SortFunc(want, func(a, b *known) int { return cmp.Or(order.of(a, b), cmp.Compare(b.day, a.day), cmp.Compare(b.n, a.n)) })
			ids := []string{}
			for _, k := range want {
				ids = append(ids, k.id)
			}
			if got := all(t, s, stac.Search{Filter: filter, Sort: order.sort, Limit: 9}); !slices.Equal(got, ids) {
				t.Errorf("%s, %s: %d items, want %d:\n%v\n%v", how, name, len(got), len(ids), got, ids)
			}
		}
	}
	check("without chunks")
	build(t, s)
	check("by chunks")
	for i := range 40 {
		k := items[fmt.Sprint("i", r.IntN(10_500))]
		if k == nil {
			continue
		}
		switch k.v = 1000 + r.IntN(100); {
		case i%8 == 0:
			delete(items, k.id)
			if err := s.DeleteItem(t.Context(), "c", k.id); err != nil {
				t.Fatal(err)
			}
		default:
			put(t, s, write(k))
		}
	}
	check("before chunks are mended")
	build(t, s)
	check("after chunks are mended")
	set, err := s.collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = s.with(t.Context(), "test", func(conn *pgxpool.Conn) error {
		p, err := s.newPlan(t.Context(), conn, set, stac.Search{Filter: filter, Limit: 50})
		if err != nil {
			return err
		}
		_, _, err = s.collect(t.Context(), conn, p, 51)
		if p.page.name != "chunks" || p.rows > 200 {
			t.Errorf("the search went by %s, for about %g rows", p.page.name, p.rows)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDeclaredIsSaid: queryables say what a collection declares, and an undeclared number is another.
func TestDeclaredIsSaid(t *testing.T) {
	s := chunkStore(t)
	put(t, s, itemOf("c", "i", square, `{"datetime":"2024-06-01T12:00:00Z","v":1.5,"u":2,"eo:cloud_cover":3}`))
	got, err := s.Queryables(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"v": true, "u": false, "eo:cloud_cover": true}
	for _, q := range got {
		if declared, ok := want[q.Name]; ok && declared != q.Declared {
			t.Errorf("%s: declared is %v", q.Name, q.Declared)
		}
		delete(want, q.Name)
	}
	if len(want) > 0 {
		t.Errorf("%v are no queryables", want)
	}
}
