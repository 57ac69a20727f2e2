package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swath/chains"
	"swath/chains/s1ortho"
	"swath/chains/s1tiling"
	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/stac"
)

// TestResultsOfChains brings in what the Sentinel-1 chains make: their items are valid as they are stored, lie in collections with presets, and
// their files are what they say.
func TestResultsOfChains(t *testing.T) {
	if testing.Short() {
		t.Skip("runs chains")
	}
	for name, tc := range map[string]struct {
		chain      chains.Chain
		inputs     func(t *testing.T) map[string]any
		collection string
		assets     string
		called     string // files of the first item
		items      int
	}{
		"s1ortho": {s1ortho.Chain(), func(t *testing.T) map[string]any {
			return map[string]any{"product": []string{data(t, "s1-sim/S1B_IW_GRDH_1SDV_20211223T051134_20211223T051138_030148_039993_CEB4.zip")}, "zip": false,
				"dem": data(t, "s1-sim/dem_egm96_1arcsec.tif"), "tiles": []string{"33TVF"}, "min_coverage": 0.001, "polarisations": []string{"VV"}, "db": true}
		}, "s1-ortho", "thumbnail vv_db", "s1b_33TVF_vv_DES_022_20211223t051134_dB.tif thumbnail.png", 1},
		"s1tiling": {s1tiling.Chain(), func(t *testing.T) map[string]any { return map[string]any{"image": series(t, 5)} }, "s1-tiling", "filtered thumbnail", "s1a_sig_31TGL_vvvh_DES_139_20180701txxxxxx_filtered.tif thumbnail.png", 5},
	} {
		t.Run(name, func(t *testing.T) {
			raw := map[string]json.RawMessage{}
			for k, v := range tc.inputs(t) {
				raw[k], _ = json.Marshal(v)
			}
			got, err := tc.chain.Run(t.Context(), raw, chains.Workspace{Scratch: t.TempDir(), Out: t.TempDir(), Threads: 2, Log: slog.New(slog.DiscardHandler)}, func(int64, int64) {})
			if err != nil {
				t.Fatal(err)
			}
			var paths []string
			if err := json.Unmarshal(got["items"], &paths); err != nil || len(paths) != tc.items {
				t.Fatalf("items %s: %v", got["items"], err)
			}
			in := newIngester(t)
			for i, path := range paths {
				r := bring(t, in, path, Options{})
				it := itemOf(t, in, tc.collection, strings.TrimSuffix(filepath.Base(path), ".json"))
				checkObjects(t, in, it)
				if names := strings.Join(sortedKeys(it.Assets), " "); names != tc.assets {
					t.Errorf("%v has the assets %s", r, names)
				}
				var called []string
				for _, key := range sortedKeys(it.Assets) {
					called = append(called, filepath.Base(it.Assets[key].Key))
				}
				if slices.Sort(called); i == 0 && strings.Join(called, " ") != tc.called {
					t.Errorf("%v has the files %v, want %s", r, called, tc.called)
				}
			}
			c, err := in.Catalog.Collection(t.Context(), tc.collection)
			if err != nil || !strings.Contains(string(c.Body), `"radar"`) {
				t.Errorf("the collection: %v", err)
			}
		})
	}
}

// TestPublishAtOnce brings in several items together or, where they can't appear so, none.
func TestPublishAtOnce(t *testing.T) {
	in, dir := newIngester(t), t.TempDir()
	write := func(collection, id string) string {
		path := filepath.Join(dir, id+".json")
		body := fmt.Sprintf(`{"type":"Feature","stac_version":"1.1.0","id":%q,"collection":%q,"bbox":[1,43,1,43],"geometry":{"type":"Point","coordinates":[1,43]},
			"properties":{"datetime":"2024-05-01T00:00:00Z"},"links":[],"assets":{}}`, id, collection)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ready := func() error { return nil }
	mixed := []string{write("made", "a"), write("others", "b")}
	if _, err := in.Publish(t.Context(), mixed, ready); !fault.Is(err, fault.Invalid) {
		t.Errorf("of two collections: %v", err)
	}
	if page, err := in.Catalog.Search(t.Context(), stac.Search{Limit: 10}); err != nil || len(page.Items) != 0 {
		t.Errorf("half of it can be seen: %d items, %v", len(page.Items), err)
	}
	if named, err := in.Publish(t.Context(), []string{mixed[0], write("made", "c")}, ready); err != nil || len(named) != 2 || named[1].ID != "c" {
		t.Errorf("%v, %v", named, err)
	}
	if page, err := in.Catalog.Search(t.Context(), stac.Search{Limit: 10}); err != nil || len(page.Items) != 2 {
		t.Errorf("%d items, %v", len(page.Items), err)
	}
}

// TestFilesKeepTheirNames where these are plain and no two are the same; others are called by their assets.
func TestFilesKeepTheirNames(t *testing.T) {
	in, dir := newIngester(t), t.TempDir()
	files := map[string]string{ // by asset
		"report": "my report.txt", "log": "run.LOG", "a": "one/same.txt", "b": "two/SAME.txt", "c": "d.txt", "d": "other.txt", "thumbnail": "quick.png", "odd": ".hidden", "picture": "thumbnail.png",
	}
	assets := []string{}
	for asset, name := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(asset), 0o600)); err != nil {
			t.Fatal(err)
		}
		assets = append(assets, fmt.Sprintf(`%q:{"href":%q}`, asset, "./"+name))
	}
	path := filepath.Join(dir, "named.json")
	if err := os.WriteFile(path, []byte(`{"type":"Feature","stac_version":"1.1.0","id":"named","collection":"made","bbox":[1,43,1,43],"geometry":{"type":"Point","coordinates":[1,43]},
		"properties":{"datetime":"2024-05-01T00:00:00Z"},"links":[],"assets":{`+strings.Join(assets, ",")+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	bring(t, in, path, Options{})
	it := itemOf(t, in, "made", "named")
	checkObjects(t, in, it)
	for asset, want := range map[string]string{"report": "report.txt", "log": "run.LOG", "a": "a.txt", "b": "b.txt", "c": "c.txt", "d": "other.txt", "thumbnail": "quick.png", "odd": "odd.hidden", "picture": "picture.png"} {
		if got := filepath.Base(it.Assets[asset].Key); got != want {
			t.Errorf("the file of %s, %s, is called %s, not %s", asset, files[asset], got, want)
		}
	}
}

func sortedKeys(assets map[string]asset) []string {
	return slices.Sorted(maps.Keys(assets))
}

// series are small dates as s1tiling names them.
func series(t *testing.T, n int) (paths []string) {
	t.Helper()
	const side = 300
	dir, rnd := t.TempDir(), rand.New(rand.NewPCG(1, 1))
	for k := range n {
		path := filepath.Join(dir, fmt.Sprintf("s1a_sig_31TGL_vvvh_DES_139_201807%02dtxxxxxx.tif", k+1))
		g := raster.GeoTIFF{Type: raster.Float32, Bands: []raster.GeoTIFFBand{{Name: "vv"}, {Name: "vh"}},
			Grid: raster.Grid{CRS: 32631, Transform: geo.Affine{699960, 10, 0, 4900020, 0, -10}, Width: side, Height: side}}
		w, err := raster.NewCOGWriter(path, g, raster.COGOptions{})
		if err != nil {
			t.Fatal(err)
		}
		vv, vh := make([]float32, side*side), make([]float32, side*side)
		for i := range vv {
			vv[i], vh[i] = float32(rnd.ExpFloat64())/10, float32(rnd.ExpFloat64())/40
		}
		if err := w.Add(vv, vh); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
