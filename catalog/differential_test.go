package catalog_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"swath/catalog"
	"swath/geo"
	"swath/internal/testdb"
	"swath/stac"
	"swath/stac/cql2"
)

// question is a search with what makes an item match, and the order that its answer has.
type question struct {
	search  stac.Search
	words   string // what is asked, for a human
	matches func(*specimen) bool
	want    []*specimen              // those of all items that match
	order   func(a, b *specimen) int // as far as it is asked for; behind it come datetime and insertion, newest first
}

// TestSearchesAgainstPlainTruth compares random searches with an evaluation in memory: the same items, in the same order,
// through all pages, and the same count.
func TestSearchesAgainstPlainTruth(t *testing.T) {
	nItems, nSearches := 100_000, 2_000
	if testing.Short() {
		nItems, nSearches = 3_000, 200
	}
	seed := uint64(20261126)
	r := rand.New(rand.NewPCG(seed, 1))
	items := grow(r, nItems)
	store := shelve(t, items)
	var matched, pages, counted atomic.Int64
	var group errgroup.Group
	group.SetLimit(3) // the truth, the catalog and PostgreSQL work at the same time
	for i := range nSearches {
		group.Go(func() error {
			if t.Failed() {
				return nil // the first failures are enough
			}
			q := anyQuestion(t, rand.New(rand.NewPCG(seed, uint64(i)+2)), items)
			want := q.want
			slices.SortFunc(want, func(a, b *specimen) int {
				return cmp.Or(q.order(a, b), b.at.Compare(a.at), cmp.Compare(b.number, a.number))
			})
			got, n, total := walk(t, store, q, len(want))
			matched.Add(int64(len(want)))
			pages.Add(int64(n))
			if total != nil {
				counted.Add(1)
				if *total != int64(len(want)) {
					t.Errorf("search %d counts %d of %d: %s", i, *total, len(want), q.words)
				}
			}
			if diff := differ(got, want); diff != "" {
				t.Errorf("search %d: %s\n%s", i, diff, q.words)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d searches over %d items: %d matches on %d pages, %d counts exact", nSearches, nItems, matched.Load(), pages.Load(), counted.Load())
	if matched.Load() < int64(nSearches) || counted.Load() < int64(nSearches/4) {
		t.Error("the searches found too little to prove anything")
	}
}

// shelve puts the items into a new catalog, in their order.
func shelve(t *testing.T, items []*specimen) *catalog.Store {
	t.Helper()
	store, err := catalog.Open(t.Context(), testdb.New(t), catalog.Config{StatementTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	for _, id := range truthCollections {
		body := fmt.Sprintf(`{"type":"Collection","id":%q,"stac_version":"1.1.0","description":"Made by a test","license":"other",`+
			`"extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}},"links":[]}`, id)
		if err := store.PutCollection(t.Context(), stac.Collection{ID: id, Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	for begin := 0; begin < len(items); { // runs of one collection keep the order of insertion
		end := begin + 1
		for end < len(items) && end-begin < 500 && items[end].collection == items[begin].collection {
			end++
		}
		batch := make([]stac.Item, end-begin)
		for i, s := range items[begin:end] {
			batch[i] = s.item()
		}
		if err := store.PutItems(t.Context(), items[begin].collection, batch, true); err != nil {
			t.Fatal(err)
		}
		begin = end
	}
	return store
}

// walk follows a search through all of its pages.
func walk(t *testing.T, store *catalog.Store, q question, expected int) (names []string, pages int, total *int64) {
	t.Helper()
	s := q.search
	for {
		page, err := store.Search(t.Context(), s)
		if err != nil {
			t.Errorf("page %d of %s: %v", pages+1, q.words, err)
			return names, pages, total
		}
		if pages++; pages == 1 && !page.Estimated {
			total = page.Matched
		}
		for _, it := range page.Items {
			names = append(names, it.Collection+"/"+it.ID)
		}
		if page.Next == "" {
			return names, pages, total
		}
		if len(page.Items) != s.Limit || len(names) > expected+s.Limit {
			t.Errorf("page %d has %d items of %d, and a next: %s", pages, len(page.Items), s.Limit, q.words)
			return names, pages, total
		}
		s.Token = page.Next
	}
}

// differ says where an answer leaves the truth.
func differ(got []string, want []*specimen) string {
	for i, s := range want {
		if name := s.collection + "/" + s.id; i >= len(got) || got[i] != name {
			have := "nothing"
			if i < len(got) {
				have = got[i]
			}
			extra := ""
			if !slices.Contains(got, name) {
				extra = ", which is nowhere in the answer"
			}
			return fmt.Sprintf("%d found of %d; at %d stands %s instead of %s%s (%v, %s)", len(got), len(want), i, have, name, extra, s.properties, s.place.geojson())
		}
	}
	if len(got) > len(want) {
		return fmt.Sprintf("%d found of %d; %s does not match", len(got), len(want), got[len(want)])
	}
	return ""
}

// anyQuestion combines a few of the things that can be asked.
func anyQuestion(t *testing.T, r *rand.Rand, items []*specimen) question {
	var tests []func(*specimen) bool
	var words []string
	q := question{order: func(a, b *specimen) int { return 0 }}
	ask := func(test func(*specimen) bool, format string, args ...any) {
		tests, words = append(tests, test), append(words, fmt.Sprintf(format, args...))
	}
	if r.IntN(2) == 0 {
		q.search.Collections = truthCollections[:1+r.IntN(3)]
		if r.IntN(2) == 0 {
			q.search.Collections = []string{pick(r, truthCollections), "unknown"}
		}
		among := q.search.Collections
		ask(func(s *specimen) bool { return slices.Contains(among, s.collection) }, "collections=%v", among)
	}
	if r.IntN(8) == 0 {
		for range 1 + r.IntN(20) {
			q.search.IDs = append(q.search.IDs, pick(r, items).id)
		}
		among := q.search.IDs
		ask(func(s *specimen) bool { return slices.Contains(among, s.id) }, "ids=%v", among)
	}
	switch r.IntN(5) {
	case 0, 1:
		askBox(r, &q, ask)
	case 2:
		area := anyShape(r, items)
		q.search.Intersects = area.geojson()
		ask(func(s *specimen) bool { return s.place != nil && meets(s.place, area) }, "intersects=%s", area.geojson())
	}
	if r.IntN(2) == 0 {
		askTime(r, items, &q, ask)
	}
	if r.IntN(3) > 0 {
		p := anyPredicate(r, items, r.IntN(3))
		var err error
		if r.IntN(2) == 0 {
			q.search.Filter, err = cql2.ParseText(p.text)
		} else {
			q.search.Filter, err = cql2.ParseJSON(p.written())
		}
		if err != nil {
			t.Errorf("%s: %v", p.text, err)
		}
		ask(func(s *specimen) bool { return p.of(s) == yes }, "filter=%s", p.text)
	}
	if r.IntN(3) == 0 {
		askOrder(r, &q, &words)
	}
	q.matches = func(s *specimen) bool {
		for _, test := range tests {
			if !test(s) {
				return false
			}
		}
		return true
	}
	for _, s := range items {
		if q.matches(s) {
			q.want = append(q.want, s)
		}
	}
	if n := len(q.want); n > len(items)/10 && q.search.Datetime == nil && r.IntN(20) > 0 { // most of the large answers are made smaller
		begins := anyTime(r, items)
		ends := begins.Add(time.Duration(20+r.IntN(200)) * 24 * time.Hour)
		askInterval(&q, ask, stac.Interval{Start: &begins, End: &ends})
		q.want = slices.DeleteFunc(q.want, func(s *specimen) bool { return !q.matches(s) })
	}
	q.search.Limit = []int{7, 100, 1000, 10_000}[r.IntN(4)]
	if len(q.want) > 40*q.search.Limit { // many small pages only where there are not thousands
		q.search.Limit = 10_000
	}
	q.words = fmt.Sprintf("limit=%d %s", q.search.Limit, strings.Join(words, " & "))
	return q
}

type asker func(test func(*specimen) bool, format string, args ...any)

func askBox(r *rand.Rand, q *question, ask asker) {
	size := math.Exp(r.Float64()*8 - 3)
	w, s := r.Float64()*360-180, r.Float64()*150-75
	if r.IntN(3) == 0 {
		w, s, size = math.Round(w), math.Round(s), math.Ceil(size)
	}
	b := geo.Box{MinX: w, MinY: s, MaxX: w + min(size, 359), MaxY: min(s+size, 90)}
	area := shape{{b.MinX, b.MinY}, {b.MaxX, b.MinY}, {b.MaxX, b.MaxY}, {b.MinX, b.MaxY}}
	if b.MaxX > 180 {
		b.MaxX -= 360
	}
	q.search.BBox = &b
	ask(func(s *specimen) bool { return s.place != nil && meets(s.place, area) }, "bbox=%v", b)
}

func askTime(r *rand.Rand, items []*specimen, q *question, ask asker) {
	begins, ends := anyTime(r, items), anyTime(r, items)
	if r.IntN(2) == 0 {
		ends = begins.Add(time.Duration(r.Int64N(int64(60 * 24 * time.Hour)))).Truncate(time.Microsecond)
	}
	if ends.Before(begins) {
		begins, ends = ends, begins
	}
	in := stac.Interval{Start: &begins, End: &ends}
	switch r.IntN(6) {
	case 0:
		in.Start = nil
	case 1:
		in.End = nil
	case 2:
		in.End = in.Start
	}
	askInterval(q, ask, in)
}

func askInterval(q *question, ask asker, in stac.Interval) {
	q.search.Datetime = &in
	ask(func(s *specimen) bool {
		first, last := s.at, s.at
		if s.begins != nil {
			first, last = *s.begins, *s.ends
		}
		return (in.End == nil || !first.After(*in.End)) && (in.Start == nil || !last.Before(*in.Start))
	}, "datetime=%v/%v", in.Start, in.End)
}

// askOrder sorts by one or two properties; what lacks one comes last, whatever the direction.
func askOrder(r *rand.Rand, q *question, words *[]string) {
	var orders []func(a, b *specimen) int
	names := []string{"eo:cloud_cover", "eo:cloud_cover", "datetime", "id", "collection", "sat:relative_orbit", "s2:vegetation_percentage", "platform"}
	for range 1 + r.IntN(2) {
		key := stac.SortKey{Property: pick(r, names), Descending: r.IntN(2) == 0}
		q.search.Sort = append(q.search.Sort, key)
		*words = append(*words, fmt.Sprintf("sort=%v", key))
		orders = append(orders, func(a, b *specimen) int {
			x, y := a.get(key.Property), b.get(key.Property)
			if key.Property == "datetime" {
				x, y = a.at, b.at // an item with a period has its begin for a datetime
			}
			if x == nil || y == nil {
				return map[[2]bool]int{{true, false}: 1, {false, true}: -1}[[2]bool{x == nil, y == nil}]
			}
			sign, _ := order(x, y)
			if key.Descending {
				return -sign
			}
			return sign
		})
	}
	q.order = func(a, b *specimen) int {
		for _, one := range orders {
			if sign := one(a, b); sign != 0 {
				return sign
			}
		}
		return 0
	}
}
