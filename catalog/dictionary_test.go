package catalog

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/internal/testdb"
	"swath/stac"
)

// TestDictionaries: a collection gets one dictionary when it has items enough, whoever trains it; bodies get smaller, and every
// process reads what every other wrote.
func TestDictionaries(t *testing.T) {
	url := testdb.New(t)
	var stores []*Store
	for range 3 {
		s, err := Open(t.Context(), url, Config{MaxConns: 2})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		stores = append(stores, s)
	}
	s := stores[0]
	for _, id := range []string{"few", "many"} {
		if err := s.PutCollection(t.Context(), stac.Collection{ID: id, Body: fmt.Appendf(nil, `{"type":"Collection","id":%q}`, id)}); err != nil {
			t.Fatal(err)
		}
	}
	item := func(collection string, i int) stac.Item {
		return itemOf(collection, fmt.Sprint("i", i), square, fmt.Sprintf(`{"datetime":"2024-06-01T12:00:%02dZ","platform":"sentinel-2a","processing:level":"L2A","n":%d,
			"odd:text":"all items of a collection have a lot in common, which a dictionary holds once: their names, their addresses, their providers"}`, i%60, i*i))
	}
	var few, many []stac.Item
	for i := range dictionaryFrom {
		few, many = append(few, item("few", i)), append(many, item("many", i))
	}
	if err := s.PutItems(t.Context(), "few", few[1:], true); err != nil {
		t.Fatal(err)
	}
	if err := s.PutItems(t.Context(), "many", many, true); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for _, s := range stores {
		group.Go(func() {
			if err := s.train(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i, s := range stores { // the second and third one meet what the others wrote
		if it := item("many", 5000+i); !put(t, s, it) {
			t.Error("a new item changed nothing")
		}
	}
	stores[2].pack = newPacker(stores[2].pack.read) // knows nothing yet
	var before, after, dictionaries, packed int
	if err := s.pool.QueryRow(t.Context(), `select (select max(length(body)) from item where dict = 0), (select max(length(body)) from item where dict > 0),
		(select count(*) from dictionary), (select count(*) from item where dict > 0)`).Scan(&before, &after, &dictionaries, &packed); err != nil {
		t.Fatal(err)
	}
	if dictionaries != 1 || packed != 3 || after*2 > before {
		t.Errorf("%d dictionaries, %d items packed with one, %d bytes against %d without", dictionaries, packed, after, before)
	}
	for _, s := range stores {
		for _, i := range []int{0, 5000, 5001, 5002} {
			it, err := s.Item(t.Context(), "many", fmt.Sprint("i", i))
			if want, _ := parseItem(item("many", i)); err != nil || string(it.Body) != string(want.body) {
				t.Errorf("item %d: %s, %v", i, it.Body, err)
			}
		}
		if found := all(t, s, stac.Search{Collections: []string{"many"}, Limit: 1000}); len(found) != dictionaryFrom+3 {
			t.Errorf("%d items are found", len(found))
		}
	}
	// The last connection is enough to meet an unknown dictionary.
	alone, err := Open(t.Context(), url, Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(alone.Close)
	alone.pack = newPacker(alone.pack.read)
	err = alone.with(t.Context(), "test", func(conn *pgxpool.Conn) error {
		_, it, err := alone.find(t.Context(), conn, "many", "i5000")
		if err == nil && it == nil {
			t.Error("not found")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	// As a collection grows, it gets another one, and everything that is there can still be read.
	var more []stac.Item
	for i := range (dictionaryGrowth - 1) * dictionaryFrom {
		it := item("many", 10_000+i)
		it.Body = []byte(strings.Replace(string(it.Body), "L2A", "L3A", 1))
		more = append(more, it)
	}
	if err := s.PutItems(t.Context(), "many", more, true); err != nil {
		t.Fatal(err)
	}
	for _, s := range stores {
		group.Go(func() {
			if err := s.train(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i, s := range stores {
		put(t, s, item("many", 6000+i))
	}
	var newest int
	if err := s.pool.QueryRow(t.Context(), "select count(*), (select count(*) from item where dict = max(number)) from dictionary").Scan(&dictionaries, &newest); err != nil || dictionaries != 2 || newest != len(stores) {
		t.Errorf("%d dictionaries, %d items packed with the newest, %v", dictionaries, newest, err)
	}
	for _, s := range stores {
		for _, i := range []int{0, 5000, 10_000, 6000, 6001, 6002} {
			if it, err := s.Item(t.Context(), "many", fmt.Sprint("i", i)); err != nil || !strings.Contains(string(it.Body), fmt.Sprintf(`"n":%d`, i*i)) {
				t.Errorf("item %d: %s, %v", i, it.Body, err)
			}
		}
	}
	if _, err := s.pack.decode(999, []byte("x")); err == nil {
		t.Error("a body of a dictionary that nobody has is unpacked")
	}
	if _, err := s.ChangeCollection(t.Context(), "many", func(*stac.Collection) (*stac.Collection, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	// What left is remembered for a while, and is still to be read.
	if err := s.pool.QueryRow(t.Context(), "select count(*) from dictionary").Scan(&dictionaries); err != nil || dictionaries != 2 {
		t.Errorf("%d dictionaries are left of a removed collection, %v", dictionaries, err)
	}
	if _, err := s.pool.Exec(t.Context(), "update tombstone set at = now() - interval '1 year'"); err != nil {
		t.Fatal(err)
	}
	if err := s.forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.pool.QueryRow(t.Context(), "select count(*) from dictionary").Scan(&dictionaries); err != nil || dictionaries != 0 {
		t.Errorf("%d dictionaries are left of a forgotten collection, %v", dictionaries, err)
	}
}

// FuzzDecode: damaged bytes are an error, never a crash or a huge allocation.
func FuzzDecode(f *testing.F) {
	p := newPacker(nil)
	for _, body := range []string{"", "{}", `{"type":"Feature","type":"Feature","type":"Feature"}`} {
		_, packed, err := p.encode(1, []byte(body))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, packed []byte) {
		body, err := p.decode(noDictionary, packed)
		if err != nil {
			return
		}
		_, again, err := p.encode(1, body)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := p.decode(noDictionary, again); err != nil || string(back) != string(body) {
			t.Fatalf("%q comes back as %q, %v", body, back, err)
		}
	})
}
