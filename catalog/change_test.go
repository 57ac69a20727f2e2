package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"swath/fault"
	"swath/stac"
)

// counted compares what the counts say with what there is.
func checkCounts(t *testing.T, s *Store) {
	t.Helper()
	var wrong int
	const sql = `
select count(*) from (
  (select col, day, decile, sum(n) from day_count group by 1, 2, 3 having sum(n) <> 0
   except select col, utc_day(dt), decile(cc), count(*) from item group by 1, 2, 3)
  union all
  (select col, utc_day(dt), decile(cc), count(*) from item group by 1, 2, 3
   except select col, day, decile, sum(n) from day_count group by 1, 2, 3)) d
union all
select count(*) from (
  (select col, cell, sum(n) from cell_count group by 1, 2 having sum(n) <> 0
   except select col, cell, count(*) from item group by 1, 2)
  union all
  (select col, cell, count(*) from item group by 1, 2
   except select col, cell, sum(n) from cell_count group by 1, 2)) d`
	rows, err := s.pool.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&wrong); err != nil || wrong != 0 {
			t.Errorf("%d counts are not what there is, %v", wrong, err)
		}
	}
}

func counter(n int) string {
	return fmt.Sprintf(`{"datetime":"20%02d-06-01T12:00:00Z","n":%d,"eo:cloud_cover":%d}`, n%30, n, n%100)
}

func counterOf(t *testing.T, it stac.Item) (n int) {
	t.Helper()
	_, after, _ := bytes.Cut(it.Body, []byte(`"n":`))
	if _, err := fmt.Sscanf(string(after), "%d", &n); err != nil {
		t.Errorf("%s: %v", it.Body, err)
	}
	return n
}

// TestChangeItemIsAtomic: many who each add one to the same items, and some who remove and put others, lose nothing.
func TestChangeItemIsAtomic(t *testing.T) {
	s := newStore(t, "c")
	const clients, rounds, items = 16, 25, 3
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			for i := range rounds {
				id := fmt.Sprint("item-", (client+i)%items)
				got, err := s.ChangeItem(t.Context(), "c", id, func(old *stac.Item) (*stac.Item, error) {
					n := 0
					if old != nil {
						n = counterOf(t, *old)
					}
					it := itemOf("c", id, square, counter(n+1))
					return &it, nil
				})
				if err != nil || got.ID != id || got.Updated.IsZero() {
					t.Errorf("%+v, %v", got, err)
				}
				if client%4 == 0 { // comes and goes
					if i%2 == 0 {
						_, err = s.PutItem(t.Context(), itemOf("c", "guest", square, counter(client)))
					} else if err = s.DeleteItem(t.Context(), "c", "guest"); fault.Is(err, fault.NotFound) {
						err = nil
					}
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Go(func() {
		for range 20 {
			if _, err := s.fold(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	sum := 0
	for i := range items {
		it, err := s.Item(t.Context(), "c", fmt.Sprint("item-", i))
		if err != nil {
			t.Fatal(err)
		}
		sum += counterOf(t, it)
	}
	if sum != clients*rounds {
		t.Errorf("%d additions were kept of %d", sum, clients*rounds)
	}
	checkCounts(t, s)
	if _, err := s.fold(t.Context()); err != nil {
		t.Error(err)
	}
	checkCounts(t, s)
}

func TestChangeItem(t *testing.T) {
	s := newStore(t, "c")
	ours := errors.New("ours")
	change := func(id string, to *stac.Item, err error) (stac.Item, error) {
		return s.ChangeItem(t.Context(), "c", id, func(*stac.Item) (*stac.Item, error) { return to, err })
	}
	a := itemOf("c", "a", square, noon)
	if _, err := change("a", &a, ours); err != ours {
		t.Errorf("got %v, want the error of the change as it is", err)
	}
	if it, err := change("a", nil, nil); err != nil || it.ID != "" {
		t.Errorf("to remove what is not there: %v, %v", it, err)
	}
	made, err := change("a", &a, nil)
	if err != nil || !strings.Contains(string(made.Body), `"bbox":[1,43,2,44]`) {
		t.Errorf("made %s, %v", made.Body, err)
	}
	same, err := change("a", &a, nil)
	if err != nil || !same.Updated.Equal(made.Updated) || !bytes.Equal(same.Body, made.Body) {
		t.Errorf("the same again: %+v, %v", same, err)
	}
	if _, err := s.ChangeItem(t.Context(), "c", "a", func(old *stac.Item) (*stac.Item, error) {
		if !bytes.Equal(old.Body, made.Body) || !old.Updated.Equal(made.Updated) || old.ID != "a" || old.Collection != "c" {
			t.Errorf("old item %+v", old)
		}
		return nil, nil
	}); err != nil {
		t.Error(err)
	}
	if _, err := s.Item(t.Context(), "c", "a"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a removed item: %v", err)
	}
	if _, err := s.ChangeItem(t.Context(), "none", "a", func(*stac.Item) (*stac.Item, error) { return &a, nil }); !fault.Is(err, fault.NotFound) {
		t.Errorf("no collection: %v", err)
	}
	if _, err := change("b", &a, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("another id: %v", err)
	}
	checkCounts(t, s)
}

func TestPutItems(t *testing.T) {
	s := newStore(t, "c")
	items := func(from, to int, properties string) (all []stac.Item) {
		for i := from; i < to; i++ {
			all = append(all, itemOf("c", fmt.Sprint("i", i), square, properties))
		}
		return all
	}
	check := func(n int) {
		t.Helper()
		if found := all(t, s, stac.Search{Collections: []string{"c"}}); len(found) != n {
			t.Errorf("%d items, want %d", len(found), n)
		}
		checkCounts(t, s)
	}
	if err := s.PutItems(t.Context(), "c", items(0, 20, noon), true); err != nil {
		t.Fatal(err)
	}
	check(20)
	err := s.PutItems(t.Context(), "c", items(15, 30, noon), true)
	if kind, text := fault.Of(err); kind != fault.Conflict || !strings.Contains(text, "in collection") {
		t.Errorf("ids that are there: %v", err)
	}
	check(20)
	later := `{"datetime":"2030-01-01T00:00:00Z","eo:cloud_cover":55}`
	for range 2 {
		if err := s.PutItems(t.Context(), "c", items(15, 30, later), false); err != nil {
			t.Fatal(err)
		}
		check(30)
	}
	if c, err := s.Collection(t.Context(), "c"); err != nil || !strings.Contains(string(c.Body), "2030-01-01") {
		t.Errorf("the extent was not widened: %s, %v", c.Body, err)
	}
	bad := append(items(30, 40, noon), itemOf("c", "bad", `{"type":"Circle"}`, noon))
	err = s.PutItems(t.Context(), "c", bad, false)
	if kind, text := fault.Of(err); kind != fault.Invalid || !strings.Contains(text, `item 11 of 11 ("bad")`) || !strings.Contains(text, "Circle") {
		t.Errorf("a bad item: %v", err)
	}
	if err := s.PutItems(t.Context(), "c", append(items(50, 52, noon), items(50, 51, noon)...), false); !fault.Is(err, fault.Invalid) {
		t.Errorf("an id twice: %v", err)
	}
	if err := s.PutItems(t.Context(), "d", items(0, 1, noon), false); !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		t.Errorf("no collection: %v", err)
	}
	if err := s.PutItems(t.Context(), "c", nil, true); err != nil {
		t.Error(err)
	}
	check(30)

	var made, refused atomic.Int64
	var group sync.WaitGroup
	for client := range 8 { // overlapping lists, in different orders
		group.Go(func() {
			list := items(100, 110, noon)
			for i := range list {
				j := (i*7 + client*3) % len(list)
				list[i], list[j] = list[j], list[i]
			}
			switch err := s.PutItems(t.Context(), "c", list, true); {
			case err == nil:
				made.Add(1)
			case fault.Is(err, fault.Conflict):
				refused.Add(1)
			default:
				t.Error(err)
			}
			if err := s.PutItems(t.Context(), "c", items(200, 210, counter(client)), false); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if made.Load() != 1 || refused.Load() != 7 {
		t.Errorf("%d made all, %d were refused", made.Load(), refused.Load())
	}
	check(50)
}

// TestRemoveCollection: removing a collection removes its items, while others put some into it and make it again.
func TestRemoveCollection(t *testing.T) {
	s := newStore(t, "c", "other")
	put(t, s, itemOf("other", "stays", square, noon))
	remove := func() error {
		_, err := s.ChangeCollection(t.Context(), "c", func(*stac.Collection) (*stac.Collection, error) { return nil, nil })
		return err
	}
	var group sync.WaitGroup
	for client := range 8 {
		group.Go(func() {
			for i := range 40 {
				_, err := s.PutItem(t.Context(), itemOf("c", fmt.Sprint(client, "-", i), square, counter(i)))
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Error(err)
				}
				err = s.PutItems(t.Context(), "c", []stac.Item{itemOf("c", fmt.Sprint("p", client, "-", i), square, counter(i))}, true)
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Error(err)
				}
			}
		})
	}
	group.Go(func() {
		for range 10 {
			if err := remove(); err != nil {
				t.Error(err)
			}
			if err := s.PutCollection(t.Context(), stac.Collection{ID: "c", Body: []byte(`{"type":"Collection","id":"c"}`)}); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	checkCounts(t, s)
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil { // what is not there can be removed
		t.Fatal(err)
	}
	if _, err := s.Collection(t.Context(), "c"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a removed collection: %v", err)
	}
	var left int
	if err := s.pool.QueryRow(t.Context(), `select (select count(*) from item) + (select count(*) from removal) + (select count(distinct col) from property)`).Scan(&left); err != nil || left != 2 {
		t.Errorf("%d rows are left, %v, want those of the other collection", left, err)
	}
	checkCounts(t, s)
}

func TestChangeCollectionIsAtomic(t *testing.T) {
	s := newStore(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				_, err := s.ChangeCollection(t.Context(), "c", func(old *stac.Collection) (*stac.Collection, error) {
					n := 0
					if old != nil {
						_, after, _ := bytes.Cut(old.Body, []byte(`"n":`))
						if _, err := fmt.Sscanf(string(after), "%d", &n); err != nil {
							return nil, err
						}
					}
					return &stac.Collection{ID: "c", Body: fmt.Appendf(nil, `{"type":"Collection","id":"c","n":%d}`, n+1)}, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if c, err := s.Collection(t.Context(), "c"); err != nil || !strings.Contains(string(c.Body), `"n":160`) {
		t.Errorf("%s, %v", c.Body, err)
	}
	ours := errors.New("ours")
	if _, err := s.ChangeCollection(t.Context(), "c", func(*stac.Collection) (*stac.Collection, error) { return nil, ours }); err != ours {
		t.Errorf("got %v, want the error of the change as it is", err)
	}
}
