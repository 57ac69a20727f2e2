package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/catalog"
	"swath/geo"
	"swath/raster"
	"swath/stac"
	"swath/tiles"
)

// footprint is what the truth of a lookup needs of an item.
type footprint struct {
	ID         string          `json:"id"`
	Collection string          `json:"collection"`
	Geometry   json.RawMessage `json:"geometry"`
	BBox       []float64       `json:"bbox"`
	Properties map[string]any  `json:"properties"`
}

// generated returns items of the archive that the benchmarks use, and their collections as lines.
func generated(t *testing.T, n int) (items []footprint, collections []byte) {
	t.Helper()
	run := func(args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", "../../bench/catalog/generate", "-documents", "../../ingest/collections"}, args...)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("generate: %v\n%s", err, errs.String())
		}
		return out
	}
	lines := bufio.NewScanner(bytes.NewReader(run("-items", fmt.Sprint(n))))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f footprint
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		items = append(items, f)
	}
	return items, run("-collections")
}

// TestMosaicItemsAreThoseOfTheTile loads an archive's footprints, and compares the items of random tiles' mosaics with what PostGIS
// says of the GeoJSON alone: each that touches the tile and no other, the newest on top.
func TestMosaicItemsAreThoseOfTheTile(t *testing.T) {
	needsProgram(t)
	items, collections := generated(t, 20_000)
	cfg, log := defaultConfig(), slog.New(slog.NewTextHandler(io.Discard, nil))
	cfg.Data = dataFolder(t)
	folder := t.TempDir()
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	asset := map[string]any{"x": map[string]any{"href": "x", "type": "image/tiff; application=geotiff", "swath:object": "x", "bands": []any{map[string]any{"name": "x"}}}}
	for _, f := range items {
		err := lines.Encode(map[string]any{"type": "Feature", "stac_version": "1.1.0", "id": f.ID, "collection": f.Collection, "geometry": f.Geometry, "bbox": f.BBox,
			"properties": f.Properties, "links": []any{}, "assets": asset})
		if err != nil {
			t.Fatal(err)
		}
	}
	files := []string{filepath.Join(folder, "collections.ndjson"), filepath.Join(folder, "items.ndjson")}
	for i, content := range [][]byte{collections, body.Bytes()} {
		if err := os.WriteFile(files[i], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, errs := swath(t, "load", "--data", cfg.Data, files[0], files[1]); code != exitDone {
		t.Fatalf("load: exit code %d\n%s%s", code, out, errs)
	}
	s, err := openStores(t.Context(), cfg, log, owner)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	truth := footprints(t, cfg, log, items)
	renderer := tiles.New(s.catalog, openRaster(s.objects), tiles.Options{})
	rnd := rand.New(rand.NewPCG(5, 5))
	found, several := 0, 0
	for n := range 400 {
		f := items[rnd.IntN(len(items))]
		z := 4 + rnd.IntN(10)
		lon, lat := f.BBox[0]+(rnd.Float64()*1.2-0.1)*geo.WrapLon(f.BBox[2]-f.BBox[0]), f.BBox[1]+(rnd.Float64()*1.2-0.1)*(f.BBox[3]-f.BBox[1])
		set := tiles.WebMercatorQuad
		if n%2 == 1 {
			set, _ = geo.TileMatrixSetByID("WorldCRS84Quad")
		}
		x, y := geo.WrapLon(lon), lat
		if p, _ := geo.ProjectionOf(set.CRS); set == tiles.WebMercatorQuad {
			x, y = p.FromLonLat(x, max(-85, min(85, y)))
		}
		tile, _, ok := set.Within(z, geo.Box{MinX: x, MinY: y, MaxX: x, MaxY: y})
		if !ok {
			continue
		}
		scene, err := renderer.Scene(t.Context(), tiles.MosaicRequest{Request: tiles.Request{Assets: []string{"x"}}, Search: stac.Search{Collections: []string{f.Collection}, Limit: 1000}}, set, tile)
		if err != nil {
			t.Fatal(err)
		}
		box, err := raster.ProjectBox(set.CRS, geo.WGS84, set.Box(tile))
		if err != nil {
			t.Fatal(err)
		}
		got, limited := scene.Items()
		want := truth(f.Collection, box)
		if limited || len(want) > 1000 {
			if limited != (len(want) > 1000) {
				t.Errorf("%s %v: limited %v, %d items", set.ID, tile, limited, len(want))
			}
			continue
		}
		ids := make([]string, len(got))
		for i, it := range got {
			ids[i] = it.ID
			if i > 0 && it.Datetime > got[i-1].Datetime {
				t.Errorf("%s %v: %s of %s lies under %s of %s", set.ID, tile, it.ID, it.Datetime, got[i-1].ID, got[i-1].Datetime)
			}
		}
		slices.Sort(ids)
		if slices.Sort(want); !slices.Equal(ids, want) {
			t.Errorf("%s %v of %s: %d items, PostGIS says %d: %s", set.ID, tile, f.Collection, len(ids), len(want), symmetric(ids, want))
		}
		if found += len(want); len(want) > 1 {
			several++
		}
	}
	if t.Logf("%d items in tiles, %d tiles of several", found, several); found < 1000 || several < 50 {
		t.Error("too few to tell")
	}
}

// footprints returns the truth: the items of a collection that touch a box, by PostGIS on the bare GeoJSON.
func footprints(t *testing.T, cfg Config, log *slog.Logger, items []footprint) func(collection string, b geo.Box) []string {
	t.Helper()
	address, _, err := database(t.Context(), cfg, log, guest)
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(context.Background()) })
	rows := make([][]any, len(items))
	for i, f := range items {
		rows[i] = []any{f.ID, f.Collection, string(f.Geometry)}
	}
	if _, err := db.Exec(t.Context(), "create temp table foot (id text, collection text, geometry text)"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.CopyFrom(t.Context(), pgx.Identifier{"foot"}, []string{"id", "collection", "geometry"}, pgx.CopyFromRows(rows)); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"alter table foot add shape geometry", "update foot set shape = st_setsrid(st_geomfromgeojson(geometry), 4326)", "create index on foot using gist (shape)"} {
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return func(collection string, b geo.Box) []string {
		found, err := db.Query(t.Context(), "select id from foot where collection = $1 and st_intersects(shape, st_makeenvelope($2, $3, $4, $5, 4326))", collection, b.MinX, b.MinY, b.MaxX, b.MaxY)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := pgx.CollectRows(found, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
}

// symmetric lists what is only in one of two sorted lists.
func symmetric(a, b []string) (only []string) {
	for _, x := range a {
		if _, in := slices.BinarySearch(b, x); !in {
			only = append(only, "+"+x)
		}
	}
	for _, x := range b {
		if _, in := slices.BinarySearch(a, x); !in {
			only = append(only, "-"+x)
		}
	}
	return only[:min(len(only), 6)]
}

// BenchmarkMosaicLookup measures the search that a mosaic's tile makes, level by level, in the database that SWATH_BENCH_DATABASE
// names; the tiles lie where its items do.
func BenchmarkMosaicLookup(b *testing.B) {
	address := os.Getenv("SWATH_BENCH_DATABASE")
	if address == "" {
		b.Skip("SWATH_BENCH_DATABASE names no database")
	}
	s, err := catalog.Open(b.Context(), address, catalog.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, collection := range []string{"sentinel-2-l2a", "sentinel-1-grd"} {
		centers := itemCenters(b, s, collection)
		for _, z := range []int{1, 3, 6, 8, 10, 12, 14} {
			b.Run(fmt.Sprintf("%s/z%d", collection, z), func(b *testing.B) {
				var took []time.Duration
				items := 0
				for i := 0; b.Loop(); i++ {
					at := centers[i*7919%len(centers)]
					box := geo.TileAt(z, at[0], at[1]).LonLatBox()
					began := time.Now()
					page, err := s.Search(b.Context(), stac.Search{Collections: []string{collection}, BBox: &box, Limit: 100, Uncounted: true})
					if err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(began))
					items += len(page.Items)
					page.Release()
				}
				slices.SortFunc(took, cmp.Compare[time.Duration])
				ms := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1000 }
				b.ReportMetric(ms(0.5), "p50-ms")
				b.ReportMetric(ms(0.99), "p99-ms")
				b.ReportMetric(float64(items)/float64(len(took)), "items")
			})
		}
	}
}

// itemCenters returns where some items of a collection lie.
func itemCenters(b *testing.B, s *catalog.Store, collection string) (all [][2]float64) {
	b.Helper()
	rnd := rand.New(rand.NewPCG(9, 9))
	for len(all) < 3000 {
		box := geo.Box{MinX: rnd.Float64()*350 - 180, MinY: rnd.Float64()*130 - 60}
		box.MaxX, box.MaxY = box.MinX+3, box.MinY+3
		page, err := s.Search(b.Context(), stac.Search{Collections: []string{collection}, BBox: &box, Limit: 50, Uncounted: true})
		if err != nil {
			b.Fatal(err)
		}
		for _, it := range page.Items {
			var f footprint
			if err := json.Unmarshal(it.Body, &f); err != nil {
				b.Fatal(err)
			}
			if len(f.BBox) == 4 && f.BBox[0] < f.BBox[2] {
				all = append(all, [2]float64{(f.BBox[0] + f.BBox[2]) / 2, (f.BBox[1] + f.BBox[3]) / 2})
			}
		}
		page.Release()
	}
	return all
}
