package tiles

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"swath/geo"
	"swath/internal/shelf"
	"swath/raster"
)

// TestPansharpened: the presets of SPOT's collections have the brightness of the panchromatic band, pixel by pixel, and the colours of
// the bands that are four times as coarse (Brovey: the bands that it covers sum up to it).
func TestPansharpened(t *testing.T) {
	const side, times = 240, 4
	for collection, tc := range map[string]struct {
		shown, covered []string
		pan            string
	}{
		"spot-6-7": {[]string{"B2", "B1", "B0"}, []string{"B0", "B1", "B2"}, "P"}, "spot-swh-l1a": {[]string{"XS3", "XS2", "XS1"}, []string{"XS1", "XS2"}, "PAN"},
	} {
		t.Run(collection, func(t *testing.T) {
			s := shelf.New(t)
			rnd := rand.New(rand.NewPCG(5, 6))
			assets := map[string]shelf.Asset{}
			put := func(name string, side int, pixelM float64, value func(x, y int) float32) {
				p := raster.Planes{CRS: 32631, Transform: geo.Affine{400000, pixelM, 0, 4800000, 0, -pixelM}, Width: side, Height: side, Values: [][]float32{make([]float32, side*side)}}
				for i := range p.Values[0] {
					p.Values[0][i] = value(i%side, i/side)
				}
				plain := filepath.Join(t.TempDir(), name+".tif")
				if err := raster.WritePlanes(plain, p); err != nil {
					t.Fatal(err)
				}
				key := collection + "/i/1/" + name + ".tif"
				s.COG(key, plain, raster.COGOptions{})
				assets[name] = shelf.Asset{"swath:object": key, "bands": []map[string]any{{"name": name}}}
			}
			colours := map[string]float32{}
			for _, name := range tc.shown {
				colours[name] = 0.05 + 0.2*rnd.Float32() // of one field: what differs within it is the panchromatic band's alone
				put(name, side/times, 6, func(int, int) float32 { return colours[name] })
			}
			put(tc.pan, side, 1.5, func(x, y int) float32 { return 0.1 + 0.001*float32((x*7+y*13)%50) })
			s.Item(collection, "i", assets)
			document, err := os.ReadFile("../ingest/collections/" + collection + ".json")
			if err != nil {
				t.Fatal(err)
			}
			s.Document(collection, string(document))
			v, err := New(s.Catalog(), s.Open, Options{}).View(t.Context(), Request{Collection: collection, Item: "i", Render: "pansharpened"})
			if err != nil {
				t.Fatal(err)
			}
			const margin = 20 // of cubic resampling
			planes, err := v.planes(t.Context(), raster.Grid{CRS: 32631, Transform: geo.Affine{400000 + margin*1.5, 1.5, 0, 4800000 - margin*1.5, 0, -1.5}, Width: 100, Height: 100}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 100 * 100 {
				pan := 0.1 + 0.001*float64(((i%100+margin)*7+(i/100+margin)*13)%50)
				sum := 0.0
				for k, name := range tc.shown {
					for _, covered := range tc.covered {
						if covered == name {
							sum += float64(planes[k][i])
						}
					}
					if ratio, want := planes[k][i]/planes[0][i], colours[name]/colours[tc.shown[0]]; math.Abs(float64(ratio-want)) > 1e-4*float64(want) {
						t.Fatalf("pixel %d: %s is %g of %s, want %g", i, name, ratio, tc.shown[0], want)
					}
				}
				if mean := sum / float64(len(tc.covered)); math.Abs(mean-pan) > 1e-5 {
					t.Fatalf("pixel %d: brightness %g, want %g", i, mean, pan)
				}
			}
		})
	}
}
