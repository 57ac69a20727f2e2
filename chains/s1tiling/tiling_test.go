package s1tiling

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swath/chains"
	"swath/fault"
	"swath/geo"
	"swath/internal/contract"
	"swath/raster"
)

// images writes the simulated series as files of two bands, with PEPS' names.
func images(t *testing.T, n int) (paths []string, f field) {
	t.Helper()
	dir := t.TempDir()
	f = simulatedSeries(n)
	for k, v := range f.dates {
		path := filepath.Join(dir, fmt.Sprintf("s1a_sig_31TGL_vvvh_DES_139_201807%02dtxxxxxx.tif", k+1))
		d, err := parseImage(path)
		if err != nil {
			t.Fatal(err)
		}
		g := d.tags()
		g.Grid = raster.Grid{CRS: 32631, Transform: geo.Affine{699960, 10, 0, 4900020, 0, -10}, Width: f.w, Height: f.h}
		w, err := raster.NewCOGWriter(path, g, raster.COGOptions{})
		if err != nil {
			t.Fatal(err)
		}
		vh := make([]float32, len(v))
		for i := range vh {
			vh[i] = v[i] / 4
		}
		if err := w.Add(v, vh); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths, f
}

func run1(t *testing.T, inputs map[string]any) (Outputs, string, error) {
	t.Helper()
	raw := map[string]json.RawMessage{}
	for k, v := range inputs {
		raw[k], _ = json.Marshal(v)
	}
	out := t.TempDir()
	got, err := Chain().Run(t.Context(), raw, chains.Workspace{Scratch: t.TempDir(), Out: out, Threads: 2, Log: slog.New(slog.DiscardHandler)}, func(int64, int64) {})
	if err != nil {
		return Outputs{}, out, err
	}
	body, _ := json.Marshal(got)
	var o Outputs
	if err := json.Unmarshal(body, &o); err != nil {
		t.Fatal(err)
	}
	return o, out, nil
}

func pixels(t *testing.T, path string) [][]float32 {
	t.Helper()
	c, closer, err := openRaster(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer closer()
	bands := make([]int, c.Bands)
	for i := range bands {
		bands[i] = i + 1
	}
	planes, err := raster.NewReader(0).Read(t.Context(), c, 0, raster.Window{Width: c.Levels[0].Width, Height: c.Levels[0].Height}, bands)
	if err != nil {
		t.Fatal(err)
	}
	return planes
}

func same(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return x == y || x != x && y != y })
}

// A series that comes date by date ends where the whole of it ends, and no date of before is read for it.
func TestRecursive(t *testing.T) {
	paths, f := images(t, 18)
	whole, _, err := run1(t, map[string]any{"image": paths})
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := run1(t, map[string]any{"image": paths[:17]})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths[:17] {
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
	last, out, err := run1(t, map[string]any{"image": paths[17:], "state": first.State})
	if err != nil {
		t.Fatal(err)
	}
	a, b := pixels(t, string(whole.State[0])), pixels(t, string(last.State[0]))
	for k := range a {
		if !same(a[k], b[k]) {
			t.Errorf("band %d of the states differs", k+1)
		}
	}
	name := "S1-L1-ORTHO/31TGL/2018/07/18/s1a_sig_31TGL_vvvh_DES_139_20180718txxxxxx_filtered.tif"
	got := pixels(t, filepath.Join(out, name))
	st, err := readState(string(last.State[0]))
	if err != nil || math.Abs(st.Looks-4.4) > 0.8 || len(st.Dates) != 18 {
		t.Errorf("the state is of %g looks (4.4 were made), %d dates, %v", st.Looks, len(st.Dates), err)
	}
	want := Filter{Window: 7, Looks: st.Looks, Guard: true}.Series(f.dates, f.w)[17]
	for i, v := range want {
		if g := got[0][i]; (g == g) != (v == v) || math.Abs(float64(g-v)) > 2e-4*math.Abs(float64(v)) {
			t.Fatalf("pixel %d: %g, not %g", i, g, v)
		}
	}
	if len(last.Items) != 1 || len(whole.Items) != 18 {
		t.Errorf("%d and %d items", len(last.Items), len(whole.Items))
	}
	var item struct {
		ID, Collection string
		Assets         map[string]struct{ Href string }
	}
	for _, o := range []Outputs{whole, last} {
		for _, path := range o.Items {
			valid(t, string(path))
		}
	}
	body, err := os.ReadFile(string(last.Items[0]))
	if err != nil || json.Unmarshal(body, &item) != nil || item.Collection != "s1-tiling" {
		t.Fatalf("%v: %s", err, body)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(string(last.Items[0])), item.Assets["filtered"].Href)); err != nil {
		t.Error(err)
	}
	// The same date once more changes nothing of the state, and is filtered again.
	again, _, err := run1(t, map[string]any{"image": paths[17:], "state": last.State})
	if err != nil || len(again.State) != 0 || len(again.Items) != 1 {
		t.Errorf("a date that is known: %+v, %v", again, err)
	}
}

func TestRefusals(t *testing.T) {
	paths, _ := images(t, 4)
	few, _, err := run1(t, map[string]any{"image": paths})
	if err != nil || len(few.Items) != 0 || len(few.State) != 1 {
		t.Errorf("four dates: %+v, %v", few, err)
	}
	body, _ := os.ReadFile(string(few.Report))
	if !strings.Contains(string(body), "too few") {
		t.Errorf("the report does not say why: %s", body)
	}
	more, _ := images(t, 6)
	some, _, err := run1(t, map[string]any{"image": more})
	if err != nil || len(some.Items) != 6 {
		t.Fatalf("six dates: %+v, %v", some, err)
	}
	if body, _ = os.ReadFile(string(some.Report)); !strings.Contains(string(body), "6 dates; the filter wants 15 or more") {
		t.Errorf("six dates, and the report does not warn: %s", body)
	}
	for name, inputs := range map[string]map[string]any{
		"nothing":         {},
		"even window":     {"image": paths, "window": 6},
		"twice":           {"image": []string{paths[0], paths[0]}},
		"other window":    {"image": paths, "state": few.State, "window": 5},
		"no state":        {"image": paths, "state": paths[:1]},
		"no name":         {"image": few.State},
		"without heights": {"product": []string{"S1A_IW_GRDH_1SDV_20150203T043109_20150203T043134_004454_00574F_6D00.zip"}},
	} {
		if _, _, err := run1(t, inputs); err == nil {
			t.Errorf("%s was taken", name)
		} else if kind, _ := fault.Of(err); kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// valid holds an item to the schemas, and its assets to be there.
func valid(t *testing.T, path string) (item map[string]any) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(body, &item) != nil {
		t.Fatalf("%s: %v", path, err)
	}
	contract.ValidateItem(t, body)
	for key, a := range item["assets"].(map[string]any) {
		if _, err := raster.Inspect(filepath.Join(filepath.Dir(path), a.(map[string]any)["href"].(string))); err != nil {
			t.Errorf("asset %s: %v", key, err)
		}
	}
	return item
}

// A product becomes a date with PEPS' names and folders, an item and a state; alone it is not filtered.
func TestOfProduct(t *testing.T) {
	dir := "../../../shared/data/s1-sim"
	zips, _ := filepath.Glob(filepath.Join(dir, "S1B*.zip"))
	if len(zips) == 0 {
		if os.Getenv("SWATH_TEST_REQUIRE_ALL") != "" {
			t.Fatal("the simulated product is not here")
		}
		t.Skip("the simulated product is not here")
	}
	o, out, err := run1(t, map[string]any{"product": zips, "dem": filepath.Join(dir, "dem_egm96_1arcsec.tif"), "min_coverage": 0.05, "tiles": []string{"33TVG"}})
	if err != nil {
		t.Fatal(err)
	}
	name := "S1-L1-ORTHO/33TVG/2021/12/23/s1b_sig_33TVG_vvvh_DES_022_20211223txxxxxx"
	if len(o.Items) != 1 || string(o.Items[0]) != filepath.Join(out, name+".json") {
		t.Fatalf("items %v", o.Items)
	}
	item := valid(t, string(o.Items[0]))
	if item["collection"] != "s1-tiling" || item["id"] != "s1b_sig_33TVG_vvvh_DES_022_20211223txxxxxx" {
		t.Errorf("%v/%v", item["collection"], item["id"])
	}
	for _, file := range []string{name + ".tif", "S1-L1-ORTHO/33TVG/state_sig_33TVG_vvvh_DES_022.tif"} {
		about, err := raster.Inspect(filepath.Join(out, file))
		if err != nil || about.Width != 10980 || about.CRS != 32633 {
			t.Errorf("%s: %+v, %v", file, about, err)
		}
	}
	if len(o.State) != 1 {
		t.Fatalf("states %v", o.State)
	}
	if st, err := readState(string(o.State[0])); err != nil || st.Looks != 4.4 {
		t.Errorf("the product has 4.4 looks: %+v, %v", st, err)
	}
}

// The mode of an acquisition goes with its image: the item of one that was made before says it.
func TestMode(t *testing.T) {
	for mode, item := range map[string]map[string]any{"EW": {"properties": map[string]any{"sar:instrument_mode": "EW"}}, "IW": nil} {
		path := filepath.Join(t.TempDir(), "s1a_sig_31TGL_hhhv_DES_139_20180701txxxxxx.tif")
		d, err := parseImage(path)
		if err != nil {
			t.Fatal(err)
		}
		d.item = item
		g := d.tags()
		g.Grid = raster.Grid{CRS: 32631, Transform: geo.Affine{699960, 10, 0, 4900020, 0, -10}, Width: 16, Height: 16}
		w, err := raster.NewCOGWriter(path, g, raster.COGOptions{})
		if err != nil {
			t.Fatal(err)
		}
		values := slices.Repeat([]float32{0.1}, 256)
		if err := w.Add(values, values); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		made, err := d.plain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := made["properties"].(map[string]any)["sar:instrument_mode"]; got != mode {
			t.Errorf("the item says %v, want %s", got, mode)
		}
	}
}
