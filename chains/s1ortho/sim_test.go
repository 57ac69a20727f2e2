package s1ortho

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"swath/chains"
	"swath/raster"
)

const shared = "../../../shared/data"

// simulated returns the simulated product, its height model and its truth, or skips the test.
func simulated(t testing.TB) (product, heights string, truth simTruth) {
	t.Helper()
	dir := filepath.Join(shared, "s1-sim")
	body, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		if os.Getenv("SWATH_TEST_REQUIRE_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip("the simulated product is not here")
	}
	if err := json.Unmarshal(body, &truth); err != nil {
		t.Fatal(err)
	}
	zips, _ := filepath.Glob(filepath.Join(dir, "S1B*.zip"))
	return zips[0], filepath.Join(dir, "dem_egm96_1arcsec.tif"), truth
}

type simTruth struct {
	Reflectors []struct {
		ID, Kind string
		LatDeg   float64 `json:"lat"`
		LonDeg   float64 `json:"lon"`
		Line     float64 `json:"line"`
		Pixel    float64 `json:"pixel"`
		HeightM  float64 `json:"h_ell"`
		OrthoM   float64 `json:"h_orth"`
	} `json:"corner_reflectors"`
	Regions []struct {
		ID, Kind, Cls string
		Polygon       [][2]float64
		RTC           map[string]float64 `json:"rtc_gamma0_db"`
		Gamma         map[string]float64 `json:"gamma0_db"`
		Sigma         map[string]float64 `json:"sigma0_db"`
	} `json:"regions"`
	Tiles map[string]struct {
		Coverage float64
		Expected bool
	} `json:"tiles"`
}

// ortho runs the chain.
func ortho(t testing.TB, inputs map[string]any) (outputs map[string]json.RawMessage, out string) {
	t.Helper()
	raw := map[string]json.RawMessage{}
	for k, v := range inputs {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		raw[k] = b
	}
	out = t.TempDir()
	ws := chains.Workspace{Scratch: t.TempDir(), Out: out, Threads: 2, Log: slog.New(slog.DiscardHandler)}
	outputs, err := Chain().Run(context.Background(), raw, ws, func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	return outputs, out
}

// picture is one band of a tile around the simulated scene.
type picture struct {
	col, row, w, h int
	v              []float32
}

func (p *picture) at(x, y int) float64 { return float64(p.v[(y-p.row)*p.w+x-p.col]) }

// load reads a file of a tile.
func load(t testing.TB, out, pattern string) *picture {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(out, "*", pattern))
	if len(paths) != 1 {
		t.Fatalf("%s: %v", pattern, paths)
	}
	return read(t, paths[0], picture{col: 3300, row: 6200, w: 4400, h: 4400})
}

// read fills a picture from a file.
func read(t testing.TB, path string, p picture) *picture {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	c, err := raster.OpenCOG(t.Context(), file{f, info.Size()})
	if err != nil {
		t.Fatal(err)
	}
	planes, err := raster.NewReader(0).Read(t.Context(), c, 0, raster.Window{Col: p.col, Row: p.row, Width: p.w, Height: p.h}, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	p.v = planes[0]
	return &p
}

type file struct {
	*os.File
	size int64
}

func (f file) Size() int64 { return f.size }
func (f file) ID() string  { return f.Name() }

// tilePlace is where a place lies in tile 33TVG, whole numbers being centres of pixels.
func tilePlace(lon, lat float64) (x, y float64) {
	g, p, _ := gridOf("33TVG")
	e, n := p.FromLonLat(lon, lat)
	return (e-g.Transform[0])/10 - 0.5, (g.Transform[3]-n)/10 - 0.5
}

// peak is the centre of gravity of a reflector above its surroundings.
func (p *picture) peak(x, y float64) (px, py float64) {
	cx, cy := int(math.Round(x)), int(math.Round(y))
	var ring []float64
	for j := -9; j <= 9; j++ {
		for i := -9; i <= 9; i++ {
			if i*i+j*j > 49 {
				ring = append(ring, p.at(cx+i, cy+j))
			}
		}
	}
	sort.Float64s(ring)
	ground := ring[len(ring)/2]
	var sum, sx, sy float64
	for j := -5; j <= 5; j++ {
		for i := -5; i <= 5; i++ {
			v := math.Max(0, p.at(cx+i, cy+j)-ground)
			sum, sx, sy = sum+v, sx+v*float64(cx+i), sy+v*float64(cy+j)
		}
	}
	return sx / sum, sy / sum
}

// mean of a region, dB.
func (p *picture) mean(polygon [][2]float64) (db float64, n int) {
	ring := make([][2]float64, len(polygon))
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i, q := range polygon {
		x, y := tilePlace(q[0], q[1])
		ring[i] = [2]float64{x, y}
		minX, minY, maxX, maxY = math.Min(minX, x), math.Min(minY, y), math.Max(maxX, x), math.Max(maxY, y)
	}
	sum := 0.0
	for y := int(minY); y <= int(maxY); y++ {
		for x := int(minX); x <= int(maxX); x++ {
			if inside(ring, float64(x), float64(y)) {
				if v := p.at(x, y); v == v {
					sum, n = sum+v, n+1
				}
			}
		}
	}
	return 10 * math.Log10(sum/float64(n)), n
}

func inside(ring [][2]float64, x, y float64) (in bool) {
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		a, b := ring[i], ring[j]
		if (a[1] > y) != (b[1] > y) && x < (b[0]-a[0])*(y-a[1])/(b[1]-a[1])+a[0] {
			in = !in
		}
	}
	return in
}

// reflectors scores places: root mean square distance in pixels of each kind.
func reflectors(t *testing.T, p *picture, truth simTruth) map[string]float64 {
	sums, counts := map[string]float64{}, map[string]float64{}
	for _, r := range truth.Reflectors {
		x, y := tilePlace(r.LonDeg, r.LatDeg)
		px, py := p.peak(x, y)
		t.Logf("%s %s: %+.3f %+.3f pixels", r.ID, r.Kind, px-x, py-y)
		sums[r.Kind] += (px-x)*(px-x) + (py-y)*(py-y)
		counts[r.Kind]++
	}
	for k := range sums {
		sums[k] = math.Sqrt(sums[k] / counts[k])
	}
	return sums
}

// regions scores radiometry: the mean difference in dB of each class.
func regions(t *testing.T, p *picture, truth simTruth, pol string, want func(i int) map[string]float64) {
	sums, squares, counts := map[string]float64{}, map[string]float64{}, map[string]float64{}
	for i, r := range truth.Regions {
		w, ok := want(i)[pol]
		if !ok {
			continue
		}
		got, n := p.mean(r.Polygon)
		if n < 50 {
			continue
		}
		k := r.Kind + " " + r.Cls
		sums[k] += got - w
		squares[k] += (got - w) * (got - w)
		counts[k]++
	}
	all, n := 0.0, 0.0
	for k := range sums {
		bias := sums[k] / counts[k]
		t.Logf("%s %s: %+.3f dB mean, %.3f rms of %.0f", pol, k, bias, math.Sqrt(squares[k]/counts[k]), counts[k])
		all, n = all+sums[k], n+counts[k]
	}
	t.Logf("%s: %+.4f dB over all %.0f regions", pol, all/n, n)
	if math.Abs(all/n) > 0.05 || n < 30 {
		t.Errorf("%s: %+.3f dB over %.0f regions", pol, all/n, n)
	}
}

func TestSimulatedProduct(t *testing.T) {
	product, heights, truth := simulated(t)
	outputs, out := ortho(t, map[string]any{"product": []string{product}, "dem": heights, "min_coverage": 0.05, "zip": false})
	vv, vh := load(t, out, "*_vv_*.tif"), load(t, out, "*_vh_*.tif")
	for kind, rms := range reflectors(t, vv, truth) {
		limit := 0.10
		if kind != "flat" {
			limit = 0.15
		}
		t.Logf("%s: %.4f pixels rms", kind, rms)
		if rms > limit {
			t.Errorf("reflectors, %s: %.3f pixels rms, more than %.2f", kind, rms, limit)
		}
	}
	regions(t, vv, truth, "VV", func(i int) map[string]float64 { return truth.Regions[i].Gamma })
	regions(t, vh, truth, "VH", func(i int) map[string]float64 { return truth.Regions[i].Gamma })
	checkItem(t, outputs)
	var report struct {
		Tiles []struct {
			Tile     string
			Coverage float64
			Made     bool
		}
	}
	var path string
	if err := json.Unmarshal(outputs["report"], &path); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(body, &report) != nil {
		t.Fatal("the report can't be read")
	}
	if len(report.Tiles) != len(truth.Tiles) {
		t.Errorf("%d tiles in the report", len(report.Tiles))
	}
	for _, r := range report.Tiles {
		if w := truth.Tiles[r.Tile]; math.Abs(w.Coverage-r.Coverage) > 0.0005 || w.Expected != r.Made {
			t.Errorf("tile %s: coverage %.5f, made %v; should be %.5f, %v", r.Tile, r.Coverage, r.Made, w.Coverage, w.Expected)
		}
	}
}

// Slopes that face the radar and those that face away: their flattened values are the same.
func TestFlattened(t *testing.T) {
	product, heights, truth := simulated(t)
	_, out := ortho(t, map[string]any{"product": []string{product}, "dem": heights, "min_coverage": 0.05, "zip": false, "calibration": "gamma-rtc",
		"local_incidence": true, "mask": true, "polarisations": []string{"VV"}, "tiles": []string{"33TVG"}})
	vv, lia, mask := load(t, out, "*_vv_*.tif"), load(t, out, "*_lia_*.tif"), load(t, out, "*_mask_*.tif")
	regions(t, vv, truth, "VV", func(i int) map[string]float64 { return truth.Regions[i].RTC })
	inside, outside := 0, 0
	for i, v := range vv.v { // an angle is where something was measured, and nowhere else
		switch measured, angle := v == v, lia.v[i] == lia.v[i]; {
		case measured != angle || measured == (int(mask.v[i])&unmasked != 0):
			t.Fatalf("pixel %d: measured %v, local incidence %g, mask %g", i, measured, lia.v[i], mask.v[i])
		case measured:
			inside++
		default:
			outside++
		}
	}
	if inside < 1e6 || outside < 1e6 {
		t.Errorf("%d pixels inside, %d outside", inside, outside)
	}
	const flat = -7.8 // of every mountain pixel
	var bins [4]struct{ sum, n float64 }
	box := mountains(truth)
	for y := box[1]; y < box[3]; y += 1 {
		for x := box[0]; x < box[2]; x += 1 {
			v, a := vv.at(x, y), lia.at(x, y)/100
			if v != v || a != a || mask.at(x, y) != 0 || nearReflector(truth, x, y) {
				continue
			}
			k := 0 // facing, by local incidence
			switch {
			case a > 50:
				k = 3
			case a > 38:
				k = 2
			case a > 28:
				k = 1
			}
			bins[k].sum, bins[k].n = bins[k].sum+v, bins[k].n+1
		}
	}
	db := func(k int) float64 { return 10 * math.Log10(bins[k].sum/bins[k].n) }
	for k := range bins {
		t.Logf("local incidence class %d: %.3f dB, %.0f pixels", k, db(k), bins[k].n)
	}
	if d := db(0) - db(3); math.Abs(d) > 0.3 {
		t.Errorf("slopes towards the radar and away differ by %.2f dB", d)
	}
	for k := range bins {
		if math.Abs(db(k)-flat) > 0.3 {
			t.Errorf("class %d: %.2f dB, not %.1f", k, db(k), flat)
		}
	}
}

// nearReflector is where a reflector, or the pad that it stands on, is seen.
func nearReflector(truth simTruth, x, y int) bool {
	for _, r := range truth.Reflectors {
		if rx, ry := tilePlace(r.LonDeg, r.LatDeg); math.Hypot(rx-float64(x), ry-float64(y)) < 30 {
			return true
		}
	}
	return false
}

// mountains is the box around the reflectors in the mountains, pixels of the tile.
func mountains(truth simTruth) [4]int {
	b := [4]int{math.MaxInt, math.MaxInt, 0, 0}
	for _, r := range truth.Reflectors {
		if r.Kind == "flat" {
			continue
		}
		x, y := tilePlace(r.LonDeg, r.LatDeg)
		b = [4]int{min(b[0], int(x)), min(b[1], int(y)), max(b[2], int(x)), max(b[3], int(y))}
	}
	return b
}
