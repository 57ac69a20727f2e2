package s1ortho

import (
	"encoding/json"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"swath/chains"
	"swath/fault"
	"swath/internal/contract"
	"swath/raster"
	"swath/sar"
	"swath/sentinel/s1"
	"swath/sentinel/safe"
)

// checkItem holds the one item of a run over the simulated product to the schemas, and to what its manifest and the tile say.
func checkItem(t *testing.T, outputs map[string]json.RawMessage) {
	t.Helper()
	var paths []string
	if err := json.Unmarshal(outputs["items"], &paths); err != nil || len(paths) != 1 {
		t.Fatalf("items %s: %v", outputs["items"], err)
	}
	body, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	contract.ValidateItem(t, body)
	var item struct {
		BBox       []float64
		Properties map[string]any
		Assets     map[string]struct{ Href string }
	}
	if err := json.Unmarshal(body, &item); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"datetime": "2021-12-23T05:11:34", "platform": "sentinel-1b", "sar:instrument_mode": "IW", "sar:product_type": "GRD", "sar:looks_range": 5.0,
		"sar:looks_azimuth": 1.0, "sar:looks_equivalent_number": 4.4, "sat:orbit_state": "descending", "sat:relative_orbit": 22.0, "sat:absolute_orbit": 30148.0,
		"sat:platform_international_designator": "2016-025A", "proj:code": "EPSG:32633", "grid:code": "MGRS-33TVG", "processing:level": "L1",
		"raster:spatial_resolution": 10.0,
	} {
		got := item.Properties[key]
		if s, ok := got.(string); ok && key == "datetime" {
			got = s[:19]
		}
		if got != want {
			t.Errorf("%s is %v, not %v", key, got, want)
		}
	}
	box, _ := json.Marshal(item.Properties["proj:bbox"])
	transform, _ := json.Marshal(item.Properties["proj:transform"])
	if string(box) != "[399960,4590240,509760,4700040]" || string(transform) != "[10,0,399960,0,-10,4700040,0,0,1]" {
		t.Errorf("the place is %s, %s", box, transform)
	}
	for key, a := range item.Assets {
		info, err := raster.Inspect(filepath.Join(filepath.Dir(paths[0]), a.Href))
		if err != nil || info.Width != 10980 || info.CRS != 32633 {
			t.Errorf("asset %s: %+v, %v", key, info, err)
		}
	}
	if b := item.BBox; len(b) != 4 || !(b[0] > 14.2 && b[1] > 41.4 && b[2] < 14.7 && b[3] < 41.8) {
		t.Errorf("the box is %v", b)
	}
}

// only is a run over one tile and one polarisation of the simulated product.
func only(t *testing.T, product, heights string, more map[string]any) *picture {
	t.Helper()
	in := map[string]any{"product": []string{product}, "dem": heights, "min_coverage": 0.05, "zip": false, "polarisations": []string{"VV"}, "tiles": []string{"33TVG"}}
	for k, v := range more {
		in[k] = v
	}
	_, out := ortho(t, in)
	return load(t, out, "*_vv_*.tif")
}

func TestOptions(t *testing.T) {
	product, heights, truth := simulated(t)
	linear := only(t, product, heights, nil)

	t.Run("decibels", func(t *testing.T) {
		db := only(t, product, heights, map[string]any{"db": true})
		measured, worst := 0, 0.0
		for i, v := range linear.v {
			if want := 10 * math.Log10(math.Max(float64(v), 1e-6)); v == v { // what is less, or below zero, is -60 dB
				// Values of both files keep twelve bits.
				worst = math.Max(worst, math.Abs(float64(db.v[i])-want)-math.Abs(want)/8192)
				measured++
			} else if v != v && db.v[i] == db.v[i] {
				t.Fatalf("pixel %d: nothing was measured, and it is %g dB", i, db.v[i])
			}
		}
		t.Logf("%d pixels: off by %.5f dB at most, beside the bits that are kept", measured, worst)
		if worst > 0.0006 || measured < 1e6 {
			t.Errorf("%d pixels, off by %g dB", measured, worst)
		}
	})

	t.Run("cubic", func(t *testing.T) {
		cubic := only(t, product, heights, map[string]any{"interp": "cubic"})
		for kind, rms := range reflectors(t, cubic, truth) {
			if limit := map[bool]float64{true: 0.10, false: 0.15}[kind == "flat"]; rms > limit {
				t.Errorf("%s: %.3f pixels rms", kind, rms)
			}
		}
		regions(t, cubic, truth, "VV", func(i int) map[string]float64 { return truth.Regions[i].Gamma })
		// Keys' kernel passes through the samples: it smooths less than straight lines between them.
		_, smooth := variation(linear, truth)
		_, sharp := variation(cubic, truth)
		t.Logf("looks: bilinear %.2f, cubic %.2f", smooth, sharp)
		if sharp >= smooth {
			t.Errorf("looks: bilinear %.2f, cubic %.2f", smooth, sharp)
		}
	})

	t.Run("nearest", func(t *testing.T) {
		nearest := only(t, product, heights, map[string]any{"interp": "nearest"})
		regions(t, nearest, truth, "VV", func(i int) map[string]float64 { return truth.Regions[i].Gamma })
		samples := calibrated(t, product)
		var among, off []float64
		for range 4000 {
			r := truth.Regions[rand.IntN(len(truth.Regions))]
			x, y := tilePlace(r.Polygon[0][0], r.Polygon[0][1])
			v := nearest.at(int(x), int(y))
			if v != v {
				continue
			}
			among = append(among, v)
			i := sort.SearchFloat64s(samples, v)
			d := math.Inf(1)
			for _, k := range []int{i - 1, i} {
				if k >= 0 && k < len(samples) {
					d = math.Min(d, math.Abs(samples[k]/v-1))
				}
			}
			off = append(off, d)
		}
		sort.Float64s(off)
		if len(among) < 1000 || off[len(off)-1] > 2e-4 {
			t.Errorf("of %d values the one farthest from any sample's is off by %g", len(among), off[len(off)-1])
		}
	})

	t.Run("heights above the ellipsoid", func(t *testing.T) {
		// The model's heights are above the geoid: taken for ellipsoidal they are too low, and places are seen elsewhere.
		wrong := only(t, product, heights, map[string]any{"heights_above": "ellipsoid"})
		grd := geometryOfProduct(t, product)
		for _, r := range truth.Reflectors {
			if r.Kind != "flat" {
				continue // in the mountains the shift changes the ground
			}
			x, y := tilePlace(r.LonDeg, r.LatDeg)
			wantX, wantY := tilePlace(grd.Place(r.Line, r.Pixel, r.OrthoM))
			px, py := wrong.peak(wantX, wantY)
			t.Logf("%s: %.2f pixels away from its place, %.3f %.3f from where %.1f m of geoid put it", r.ID, math.Hypot(px-x, py-y), px-wantX, py-wantY, r.HeightM-r.OrthoM)
			if math.Hypot(px-wantX, py-wantY) > 0.1 || math.Hypot(wantX-x, wantY-y) < 5 {
				t.Errorf("%s: at %.2f %.2f, not %.2f %.2f", r.ID, px, py, wantX, wantY)
			}
		}
	})
}

// variation is the mean and the looks over a plain parcel's inside.
func variation(p *picture, truth simTruth) (mean, looks float64) {
	for _, r := range truth.Regions {
		if r.Kind != "parcel" && r.Kind != "field" && len(r.Polygon) > 6 {
			continue
		}
		var cx, cy float64
		for _, q := range r.Polygon {
			x, y := tilePlace(q[0], q[1])
			cx, cy = cx+x/float64(len(r.Polygon)), cy+y/float64(len(r.Polygon))
		}
		var n, s, q float64
		for j := -12; j <= 12; j++ {
			for i := -12; i <= 12; i++ {
				v := p.at(int(cx)+i, int(cy)+j)
				n, s, q = n+1, s+v, q+v*v
			}
		}
		if m := s / n; m == m {
			mean, looks = mean+m, looks+m*m/(q/n-m*m)
		}
	}
	return mean, looks / float64(len(truth.Regions))
}

// calibrated returns the values of all samples of the product's VV image, sorted: (DN² − noise)/A², by vectors that are interpolated here.
func calibrated(t *testing.T, path string) (values []float64) {
	t.Helper()
	p, err := safe.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	product, err := s1.Read(p.FS, p.Name)
	if err != nil {
		t.Fatal(err)
	}
	m := &product.Measurements[0]
	if m.Polarisation != "VV" {
		m = &product.Measurements[1]
	}
	c, err := s1.ReadCalibration(p.FS, m.Calibration)
	if err != nil {
		t.Fatal(err)
	}
	n, err := s1.ReadNoise(p.FS, m.Noise)
	if err != nil {
		t.Fatal(err)
	}
	a, noise := sar.CalibrationTable(c, sar.Gamma, m.Samples), sar.NewNoiseTable(n, m.Samples)
	rowA, rowN := make([]float32, m.Samples), make([]float32, m.Samples)
	err = raster.EachStrip16(t.Context(), p.GDALPath(m.Path), func(row int, strip []uint16) error {
		for i, d := range strip {
			if i%m.Samples == 0 {
				a.Row(rowA, row+i/m.Samples, 0)
				noise.Row(rowN, row+i/m.Samples, 0)
			}
			if d > 0 {
				k := i % m.Samples
				values = append(values, (float64(d)*float64(d)-float64(rowN[k]))/(float64(rowA[k])*float64(rowA[k])))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Float64s(values)
	return values
}

func TestChoices(t *testing.T) {
	product, heights, truth := simulated(t)
	run := func(more map[string]any) (map[string]json.RawMessage, string, error) {
		raw := map[string]json.RawMessage{}
		in := map[string]any{"product": []string{product}, "dem": heights, "min_coverage": 0.05, "zip": false}
		for k, v := range more {
			in[k] = v
		}
		for k, v := range in {
			raw[k], _ = json.Marshal(v)
		}
		out := t.TempDir()
		got, err := Chain().Run(t.Context(), raw, chains.Workspace{Scratch: t.TempDir(), Out: out, Threads: 2, Log: slog.New(slog.DiscardHandler)}, func(int64, int64) {})
		return got, out, err
	}
	if got, _, err := run(map[string]any{"min_coverage": 0.06}); err != nil || string(got["items"]) != "" && string(got["items"]) != "null" {
		t.Errorf("a tile that is covered by 5.4 %%, of which 6 are wanted: %s, %v", got["items"], err)
	}
	small := ""
	for name, tile := range truth.Tiles {
		if !tile.Expected {
			small = name
		}
	}
	_, out, err := run(map[string]any{"min_coverage": 0.001, "tiles": []string{small}, "polarisations": []string{"vh"}, "zip": true})
	if err != nil {
		t.Fatal(err)
	}
	made, _ := fs.Glob(os.DirFS(out), "*/*.tif")
	zips, _ := fs.Glob(os.DirFS(out), "*.zip")
	if len(made) != 1 || filepath.Base(made[0]) != "s1b_"+small+"_vh_DES_022_20211223t051134.tif" || len(zips) != 1 {
		t.Errorf("tile %s in VH: %v, %v", small, made, zips)
	}
	for name, in := range map[string]map[string]any{
		"a polarisation that is not there": {"polarisations": []string{"HH"}},
		"a tile that does not exist":       {"tiles": []string{"33CVG"}},
		"a geoid for the ellipsoid":        {"heights_above": "ellipsoid", "geoid": filepath.Join(shared, "geoid", "egm96_15.gtx")},
		"the same product twice":           {"product": []string{product, product}},
	} {
		if _, _, err := run(in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
