package catalog

import (
	"testing"
)

// TestTighten: indexes that items of several collections in turns left half empty are built anew, and what a killed attempt
// left behind is removed; indexes that are full are left alone.
func TestTighten(t *testing.T) {
	s := newStore(t)
	conn, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	exec := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`insert into item (idh, idk, dt, cell, x0, x1, y0, y1, cc, col, dict, ph, geom, body)
select hashint8extended(n, 0), n, timestamptz '2020-01-01' + n * interval '1 minute', n % 100, 0, 1, 0, 1, n % 100, n % 4, 0, '{}', '', '' from generate_series(1, 30000) n`)
	exec("vacuum (analyze) item")
	exec("create index item_walk_ccnew on item (col)")
	exec("update pg_index set indisvalid = false where indexrelid = 'item_walk_ccnew'::regclass")
	size := func(index string) (bytes int64) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), "select coalesce(pg_relation_size(to_regclass($1)), 0)", index).Scan(&bytes); err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	before, filenode := size("item_walk"), func() (n uint32) {
		if err := conn.QueryRow(t.Context(), "select pg_relation_filenode('item_walk')").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 2 {
		if err := s.tighten(t.Context(), conn.Conn()); err != nil {
			t.Fatal(err)
		}
	}
	after, node := size("item_walk"), filenode()
	t.Logf("item_walk takes %d bytes an item, and took %d", after/30000, before/30000)
	if after*5 > before*4 || after > 30000*80 {
		t.Errorf("item_walk takes %d bytes, and took %d", after, before)
	}
	if size("item_walk_ccnew") != 0 {
		t.Error("what was left behind is still there")
	}
	if err := s.tighten(t.Context(), conn.Conn()); err != nil || filenode() != node {
		t.Errorf("a full index is built anew, %v", err)
	}
}
