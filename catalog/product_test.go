package catalog

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// productIn is an item whose product is held here.
func productIn(collection, id, geometry, properties string) stac.Item {
	it := itemOf(collection, id, geometry, properties)
	asset := fmt.Sprintf(`"assets":{"product":{"href":"swath:/x","file:size":7,"swath:object":"%s/%s/r/product.zip"}}`, collection, id)
	it.Body = []byte(strings.Replace(string(it.Body), `"assets":{}`, asset, 1))
	return it
}

// TestProducts lists products by when they came and changed, page by page, finds them by UUID, and remembers those that left; of items
// without a product it says nothing.
func TestProducts(t *testing.T) {
	s := newStore(t, "c", "secret")
	const here, there = `{"type":"Point","coordinates":[1,1]}`, `{"type":"Point","coordinates":[50,1]}`
	at := func(day int) string {
		return fmt.Sprintf(`{"datetime":"2024-01-%02dT00:00:00Z","eo:cloud_cover":%d,"odd":"%d"}`, day, day, day)
	}
	for i := range 9 {
		put(t, s, productIn("c", fmt.Sprint("p", i), map[bool]string{true: here, false: there}[i%2 == 0], at(20-i)))
		put(t, s, itemOf("c", fmt.Sprint("bare", i), here, at(i+1)))
	}
	put(t, s, productIn("secret", "s", here, at(1)))
	put(t, s, productIn("c", "p3", there, at(30))) // it changes, and keeps its place among those that came
	ctx := stac.WithScope(t.Context(), stac.Hiding("secret"))
	list := func(q stac.Search) string {
		t.Helper()
		q.Products, q.Limit = true, 4
		var ids []string
		for {
			page, err := s.Search(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			if q.Token == "" && (page.Matched == nil || *page.Matched < int64(len(page.Items))) {
				t.Errorf("%d match", page.Matched)
			}
			for _, it := range page.Items {
				if it.Created.IsZero() || it.Updated.Before(it.Created) || (it.ID == "p3") != it.Updated.After(it.Created) {
					t.Errorf("%s came %v and changed %v", it.ID, it.Created, it.Updated)
				}
				ids = append(ids, strings.TrimPrefix(it.ID, "p"))
			}
			if q.Token = page.Next; q.Token == "" {
				return strings.Join(ids, "")
			}
		}
	}
	sorted := func(property string, descending bool) []stac.SortKey {
		return []stac.SortKey{{Property: property, Descending: descending}}
	}
	third, err := s.Search(ctx, stac.Search{IDs: []string{"p5"}, Products: true})
	if err != nil || len(third.Items) != 1 {
		t.Fatal(err)
	}
	since := func(property string, op cql2.CompareOp) cql2.Node {
		return cql2.Compare{Op: op, Left: cql2.Property(property), Right: cql2.Timestamp{Time: third.Items[0].Created}}
	}
	odd := cql2.Not{Arg: cql2.Like{Value: cql2.Property("odd"), Pattern: cql2.Text("14")}} // looked at on the bodies: it is not p6
	area := cql2.Spatial{Op: cql2.Intersects, Left: cql2.Property("geometry"), Right: cql2.BBox{0, 0, 2, 2}}
	for name, tc := range map[string]struct {
		q    stac.Search
		want string
	}{
		"published":          {stac.Search{Sort: sorted(stac.Published, false)}, "012345678"},
		"published, newest":  {stac.Search{Sort: sorted(stac.Published, true)}, "876543210"},
		"modified":           {stac.Search{Sort: sorted(stac.Modified, false)}, "012456783"},
		"modified, newest":   {stac.Search{Sort: sorted(stac.Modified, true)}, "387654210"},
		"since":              {stac.Search{Sort: sorted(stac.Published, false), Filter: since(stac.Published, cql2.GreaterOrEqual)}, "5678"},
		"before":             {stac.Search{Sort: sorted(stac.Published, false), Filter: since(stac.Modified, cql2.Less)}, "0124"},
		"with a body":        {stac.Search{Sort: sorted(stac.Published, false), Filter: cql2.And{since(stac.Published, cql2.GreaterOrEqual), odd}}, "578"},
		"either":             {stac.Search{Sort: sorted(stac.Published, false), Filter: cql2.Or{since(stac.Published, cql2.Less), cql2.Not{Arg: odd}}}, "012346"},
		"area":               {stac.Search{Sort: sorted(stac.Published, false), Filter: area}, "02468"},
		"names":              {stac.Search{Sort: sorted(stac.Published, true), IDs: []string{"p2", "p7", "bare1"}}, "72"},
		"bytes":              {stac.Search{Filter: cql2.Compare{Op: cql2.Greater, Left: cql2.Property(stac.Bytes), Right: cql2.Number(6)}}, "301245678"},
		"bytes, with a body": {stac.Search{Sort: sorted(stac.Published, false), Filter: cql2.And{odd, cql2.Compare{Op: cql2.LessOrEqual, Left: cql2.Property(stac.Bytes), Right: cql2.Number(7)}}}, "01234578"},
		"fewer bytes":        {stac.Search{Filter: cql2.Compare{Op: cql2.Less, Left: cql2.Property(stac.Bytes), Right: cql2.Number(7)}}, ""},
		"by time":            {stac.Search{}, "301245678"},
		"by cloud":           {stac.Search{Sort: sorted("eo:cloud_cover", false)}, "876542103"},
	} {
		if got := list(tc.q); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
	var all []string
	for q := (stac.Search{Limit: 4, Sort: sorted(stac.Modified, false), Filter: since(stac.Modified, cql2.GreaterOrEqual)}); ; {
		page, err := s.Search(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			all = append(all, it.ID)
		}
		if q.Token = page.Next; q.Token == "" {
			break
		}
	}
	if got := strings.Join(all, " "); got != "p5 bare5 p6 bare6 p7 bare7 p8 bare8 p3" {
		t.Errorf("all items by when they changed, from that of p5 on: %s", got)
	}
	if _, err := s.Search(ctx, stac.Search{Sort: sorted(stac.Published, false)}); !fault.Is(err, fault.Invalid) {
		t.Errorf("items that are no products, by when they came: %v", err)
	}

	if it, err := s.ItemByUUID(ctx, strings.ToUpper(stac.UUID("c", "p3"))); err != nil || it.ID != "p3" || it.Collection != "c" || !it.Created.Before(it.Updated) {
		t.Errorf("by UUID: %s/%s, %v", it.Collection, it.ID, err)
	}
	for _, uuid := range []string{stac.UUID("secret", "s"), stac.UUID("other", "p3"), stac.UUID("c", "none"), "x"} {
		if _, err := s.ItemByUUID(ctx, uuid); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", uuid, err)
		}
	}

	begun := time.Now()
	for _, id := range []string{"p2", "bare2", "p7", "p8"} {
		if err := s.DeleteItem(t.Context(), "c", id); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DeleteItem(t.Context(), "secret", "s"); err != nil {
		t.Fatal(err)
	}
	gone := func(q stac.Search, skip int) string {
		t.Helper()
		page, err := s.DeletedItems(ctx, q, skip)
		if err != nil {
			t.Fatal(err)
		}
		ids := ""
		for _, d := range page.Items {
			ids += strings.TrimPrefix(d.ID, "p")
			if d.Deleted.Before(d.Created) {
				t.Errorf("%s left before it came", d.ID)
			}
		}
		return fmt.Sprint(ids, " of ", *page.Matched, " ", page.More)
	}
	for name, tc := range map[string]struct {
		q    stac.Search
		skip int
		want string
	}{
		"with what is no product":    {stac.Search{Limit: 10}, 0, "2bare278 of 4 false"},
		"all":                        {stac.Search{Limit: 10, Products: true}, 0, "278 of 3 false"},
		"some":                       {stac.Search{Products: true, Limit: 1}, 1, "7 of 3 true"},
		"newest":                     {stac.Search{Products: true, Limit: 10, Sort: sorted(stac.Deleted, true)}, 0, "872 of 3 false"},
		"area":                       {stac.Search{Products: true, Limit: 10, Filter: area}, 0, "28 of 2 false"},
		"later":                      {stac.Search{Products: true, Limit: 10, Filter: cql2.Compare{Op: cql2.GreaterOrEqual, Left: cql2.Property(stac.Deleted), Right: cql2.Timestamp{Time: begun.Add(time.Hour)}}}, 0, " of 0 false"},
		"by when they came":          {stac.Search{Products: true, Limit: 10, Sort: sorted(stac.Published, true)}, 0, "872 of 3 false"},
		"by when they changed, some": {stac.Search{Products: true, Limit: 1, Sort: sorted(stac.Modified, false)}, 1, "7 of 3 true"},
		"came":                       {stac.Search{Products: true, Limit: 10, Filter: since(stac.Published, cql2.GreaterOrEqual)}, 0, "78 of 2 false"},
	} {
		if got := gone(tc.q, tc.skip); got != tc.want {
			t.Errorf("gone, %s: %s, want %s", name, got, tc.want)
		}
	}
}

// TestGoneWithCollection: products of a collection that was removed are told of, by whose name it was, until then and since, and to those alone
// who may know of it.
func TestGoneWithCollection(t *testing.T) {
	s := newStore(t, "c", "other")
	for _, it := range []stac.Item{itemOf("c", "bare", square, noon), productIn("c", "p1", square, noon), productIn("c", "p2", square, noon), productIn("other", "o", square, noon)} {
		put(t, s, it)
	}
	if err := s.DeleteItem(t.Context(), "c", "p1"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, the collection has been made again
		if _, err := s.ChangeCollection(t.Context(), "c", func(*stac.Collection) (*stac.Collection, error) { return nil, nil }); err != nil {
			t.Fatal(err)
		}
		if err := s.PutCollection(t.Context(), stac.Collection{ID: "c", Body: []byte(`{"type":"Collection","id":"c"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	in := func(collection string) stac.Search {
		return stac.Search{Products: true, Limit: 10, Filter: cql2.In{Value: cql2.Property("collection"), List: []cql2.Node{cql2.Text(collection)}}}
	}
	hidden := stac.WithScope(t.Context(), stac.Hiding("c"))
	for name, tc := range map[string]struct {
		ctx  context.Context
		q    stac.Search
		want string
	}{
		"with what is no product": {t.Context(), stac.Search{Limit: 10}, "c/p1 c/bare c/p2 "},
		"all":                     {t.Context(), stac.Search{Products: true, Limit: 10}, "c/p1 c/p2 "}, "of it": {t.Context(), in("c"), "c/p1 c/p2 "}, "of another": {t.Context(), in("other"), ""},
		"hidden": {hidden, stac.Search{Limit: 10}, ""},
	} {
		var page stac.DeletedPage
		got := ""
		for end := time.Now().Add(20 * time.Second); got != tc.want || got == ""; time.Sleep(50 * time.Millisecond) { // its items are removed in the background
			var err error
			if page, err = s.DeletedItems(tc.ctx, tc.q, 0); err != nil {
				t.Fatal(err)
			}
			got = ""
			for _, d := range page.Items {
				got += d.Collection + "/" + d.ID + " "
			}
			if tc.want == "" || time.Now().After(end) {
				break
			}
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	if ids, err := s.GoneCollections(t.Context()); fmt.Sprint(ids) != "[c]" || err != nil {
		t.Errorf("removed collections: %v, %v", ids, err)
	}
	if ids, err := s.GoneCollections(hidden); len(ids) > 0 || err != nil {
		t.Errorf("removed collections that are hidden: %v, %v", ids, err)
	}

	// What was no product is forgotten, and the name of a collection with the last that is remembered of it.
	left := func() string {
		t.Helper()
		if err := s.forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := s.DeletedItems(t.Context(), stac.Search{Limit: 10}, 0)
		if err != nil {
			t.Fatal(err)
		}
		ids := ""
		for _, d := range page.Items {
			ids += d.ID + " "
		}
		gone, err := s.goneCollections(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(ids, len(gone))
	}
	age := func() {
		t.Helper()
		if _, err := s.pool.Exec(t.Context(), "update tombstone set at = at - make_interval(days => $1)", stac.ForgetDays+1); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(20 * time.Second); left() != "p1 bare p2 1" && time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // an empty collection has nothing to remember
	}
	if got := left(); got != "p1 bare p2 1" {
		t.Errorf("lately: %s", got)
	}
	if age(); left() != "p1 p2 1" {
		t.Errorf("after long: %s", left())
	}
	put(t, s, itemOf("other", "bare", square, noon))
	if _, err := s.ChangeCollection(t.Context(), "other", func(*stac.Collection) (*stac.Collection, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), "update tombstone set product = false"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); left() != "0" && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		age()
	}
	if got := left(); got != "0" {
		t.Errorf("when nothing is remembered: %q", got)
	}
}

// TestFindProducts works out the column of items that were stored before there was one.
func TestFindProducts(t *testing.T) {
	s := newStore(t, "c")
	put(t, s, productIn("c", "p", `{"type":"Point","coordinates":[1,1]}`, `{"datetime":"2024-01-01T00:00:00Z"}`))
	put(t, s, itemOf("c", "bare", `{"type":"Point","coordinates":[1,1]}`, `{"datetime":"2024-01-01T00:00:00Z"}`))
	if _, err := s.pool.Exec(t.Context(), "update item set product = null; insert into find_products select min(pk) - 1, max(pk) from item"); err != nil {
		t.Fatal(err)
	}
	conn, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if err := s.findProducts(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	page, err := s.Search(t.Context(), stac.Search{Products: true})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != "p" {
		t.Errorf("%d products, %v", len(page.Items), err)
	}
}
