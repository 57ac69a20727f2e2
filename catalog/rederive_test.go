package catalog

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/klauspost/compress/zstd"

	"swath/geo"
	"swath/internal/testdb"
	"swath/migrations"
	"swath/stac"
)

// TestEarlierDatabase: the items of a database of the first schema are all there after the walk to the newest, found by
// what the first schema did not know, and counted. Being killed between two batches and opened again changes nothing.
func TestEarlierDatabase(t *testing.T) {
	url := testdb.New(t)
	for {
		version, err := migrations.Version(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if version == 1 {
			break
		}
		if err := migrations.Down(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	}
	const items = 2*rederiveBatch + 7
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest)) // as that schema was written
	if err != nil {
		t.Fatal(err)
	}
	pool := poolOf(t, url)
	if _, err := pool.Exec(t.Context(), `insert into collection (id, updated, body) values ('c', now(), '{"type":"Collection","id":"c"}')`); err != nil {
		t.Fatal(err)
	}
	for i := range items {
		doc, err := parseItem(earlierItem(i))
		if err != nil {
			t.Fatal(err)
		}
		hash, _ := hashesOf(doc.id)
		box := doc.where.box.outward()
		if _, err := pool.Exec(t.Context(), `
insert into item (idh, dt, updated, cell, x0, x1, y0, y1, cc, col, dict, id, geom, body)
values ($1, $2, '2024-01-01', $3, $4, $5, $6, $7, $8::double precision::real, 1, 0, $9, st_setsrid(st_geomfromwkb($10), 4326), $11)`,
			hash, doc.when.at, cellOf(doc.where.box), box.x0, box.x1, box.y0, box.y1, doc.properties.cloud, doc.id, wkb(doc.where.parts), pack.EncodeAll(doc.body, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s := &Store{pool: pool, pack: newPacker(nil), words: newWords()}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if done, err := s.rederiveOnce(t.Context(), tx); done || err != nil { // one batch
		t.Fatal(done, err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tx, err = pool.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if done, err := s.rederiveOnce(t.Context(), tx); done || err != nil { // another, which is lost
		t.Fatal(done, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if s, err = Open(t.Context(), url, Config{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
	}
	if found := all(t, s, stac.Search{BBox: &geo.Box{MinX: 1, MinY: 43, MaxX: 2, MaxY: 44}, Limit: 1000}); len(found) != items {
		t.Errorf("%d items are found, want %d", len(found), items)
	}
	term, _ := termOf("constellation", "Sentinel-2")
	for what, sql := range map[string]string{
		"items with their columns": fmt.Sprintf(`select count(*) from item i join word g on g.number = grid and g.kind = 'g' join word p on p.number = plat and p.kind = 'p'
			where ph @> '{%d}' and orbit = 51 and g.text = 'MGRS-31TCJ' and p.text = 'sentinel-2a' and cc = 12.3 and updated = '2024-01-01'`, term),
		"items by name": `select count(distinct (idh, idk)) from item`,
		"items by day":  `select coalesce(sum(n), 0)::bigint from day_count where day = '2024-06-01' and decile = 1 and col = 1`,
		"items by cell": `select coalesce(sum(n), 0)::bigint from cell_count where col = 1`,
	} {
		var n int
		if err := pool.QueryRow(t.Context(), sql).Scan(&n); err != nil || n != items {
			t.Errorf("%s: %d, %v, want %d", what, n, err, items)
		}
	}
	for _, i := range []int{0, items - 1} {
		if it, err := s.Item(t.Context(), "c", fmt.Sprintf("item-%d", i)); err != nil || it.ID != fmt.Sprintf("item-%d", i) {
			t.Errorf("item %d: %s, %v", i, it.Body, err)
		}
	}
	put(t, s, itemOf("c", "later", square, noon))
	if found := all(t, s, stac.Search{Limit: 1}); found[0] != "later" { // of one datetime the last one first
		t.Errorf("the newest item is %s, want the one that was put last", found[0])
	}
}

func earlierItem(i int) stac.Item {
	return itemOf("c", fmt.Sprintf("item-%d", i), square, `{"datetime":"2024-06-01T12:00:00Z","platform":"sentinel-2a","constellation":"sentinel-2",`+
		`"s2:mgrs_tile":"31TCJ","sat:relative_orbit":51,"eo:cloud_cover":12.3}`)
}

func poolOf(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
