package s1tiling

import (
	"encoding/json"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"swath/chains"
	"swath/geo"
	"swath/raster"
)

// tile writes a date of two bands: fields of 300 m, speckle of four looks, and a corner that was not measured.
func tile(tb testing.TB, path string, side int, seed uint64) {
	tb.Helper()
	d, err := parseImage(path)
	if err != nil {
		tb.Fatal(err)
	}
	g := d.tags()
	g.Grid = raster.Grid{CRS: 32631, Transform: geo.Affine{699960, 10, 0, 4900020, 0, -10}, Width: side, Height: side}
	w, err := raster.NewCOGWriter(path, g, raster.COGOptions{Fast: true})
	if err != nil {
		tb.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(seed, 5))
	vv, vh := make([]float32, side), make([]float32, side)
	for y := range side {
		for x := range side {
			field := 0.05 + 0.01*float64((x/30*7+y/30*13)%17)
			vv[x] = float32(-field / 4 * math.Log(rnd.Float64()*rnd.Float64()*rnd.Float64()*rnd.Float64()))
			vh[x] = float32(-field / 16 * math.Log(rnd.Float64()*rnd.Float64()*rnd.Float64()*rnd.Float64()))
			if x+y < side/3 {
				vv[x], vh[x] = float32(math.NaN()), float32(math.NaN())
			}
		}
		for x := range side {
			vv[x], vh[x] = twelve(vv[x]), twelve(vh[x])
		}
		if err := w.Add(vv, vh); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkNewDate adds a date to a state of sixteen and filters it. SWATH_BENCH_SIDE=10980 is a whole tile.
func BenchmarkNewDate(b *testing.B) {
	side, err := strconv.Atoi(os.Getenv("SWATH_BENCH_SIDE"))
	if err != nil {
		side = 1830
	}
	dir := b.TempDir()
	if kept := os.Getenv("SWATH_BENCH_KEEP"); kept != "" {
		dir = kept
	}
	var before []string
	for k := range 5 {
		path := filepath.Join(dir, "s1a_sig_31TGL_vvvh_DES_139_2018070"+strconv.Itoa(k+1)+"txxxxxx.tif")
		if _, err := os.Stat(path); err != nil {
			tile(b, path, side, uint64(k))
		}
		before = append(before, path)
	}
	run := func(out string, inputs map[string]any) {
		raw := map[string]json.RawMessage{}
		for k, v := range inputs {
			raw[k], _ = json.Marshal(v)
		}
		if err := os.MkdirAll(out, 0o755); err != nil {
			b.Fatal(err)
		}
		if _, err := Chain().Run(b.Context(), raw, chains.Workspace{Scratch: b.TempDir(), Out: out, Threads: 2, Log: slog.New(slog.DiscardHandler)}, func(int64, int64) {}); err != nil {
			b.Fatal(err)
		}
	}
	state := filepath.Join(dir, "S1-L1-ORTHO/31TGL/state_sig_31TGL_vvvh_DES_139.tif")
	if _, err := os.Stat(state); err != nil {
		run(dir, map[string]any{"image": before[:4]})
	}
	b.SetBytes(int64(side) * int64(side) * 8)
	for b.Loop() {
		run(b.TempDir(), map[string]any{"image": before[4:], "state": []string{state}})
	}
}
