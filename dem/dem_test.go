package dem

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"swath/geo"
	"swath/raster"
)

const shared = "../../shared/data"

func TestEGM96(t *testing.T) {
	g, err := EGM96()
	if err != nil {
		t.Fatal(err)
	}
	if v := g.At(0, 0); math.Abs(v-17.16) > 0.006 {
		t.Errorf("at 0, 0: %.3f m", v)
	}
	if v := g.At(-180, 90); math.Abs(v-13.606) > 0.006 {
		t.Errorf("at the pole: %.3f m", v)
	}
	if a, b := g.At(179.9, 12.3), g.At(-180.1, 12.3); math.Abs(a-b) > 1e-9 {
		t.Errorf("across 180: %g and %g", a, b)
	}
	path := filepath.Join(shared, "geoid/egm96_15.gtx")
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("SWATH_TEST_REQUIRE_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip("the original grid is not here")
	}
	whole, err := OpenGeoid(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for lat := -89.9; lat < 90; lat += 1.37 {
		for lon := -180.0; lon < 180; lon += 1.91 {
			if a, b := g.At(lon, lat), whole.At(lon, lat); math.Abs(a-b) > 0.0051 {
				t.Fatalf("at %.2f, %.2f: %.4f m, not %.4f", lon, lat, a, b)
			}
		}
	}
}

// surface is smooth on the scale of a pixel, and known everywhere.
func surface(lon, lat float64) float64 { return 800 + 500*math.Sin(lon*120)*math.Cos(lat*150) }

// writeTile makes a tile of one tenth of a degree like Copernicus' of one: the first sample's centre on its corner.
func writeTile(t *testing.T, dir, name string, lon, north float64, void bool) {
	t.Helper()
	const d, n = 1.0 / 3600, 360
	values := make([]float32, n*n)
	for y := range n {
		for x := range n {
			values[y*n+x] = float32(surface(lon+float64(x)*d, north-float64(y)*d))
		}
	}
	if void {
		values[0] = float32(math.NaN())
	}
	p := raster.Planes{CRS: geo.WGS84, Transform: geo.Affine{lon - d/2, d, 0, north + d/2, 0, -d}, Width: n, Height: n, Values: [][]float32{values}}
	if err := raster.WritePlanes(filepath.Join(dir, name), p); err != nil {
		t.Fatal(err)
	}
}

func TestHeights(t *testing.T) {
	dir := t.TempDir()
	writeTile(t, dir, "west.tif", 14, 42, true)
	writeTile(t, dir, "east.tif", 14.1, 42, false)
	m, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	utm := geo.UTMOf(14.1, 41.95)
	p, _ := geo.ProjectionOf(utm)
	x, y := p.FromLonLat(14.1, 41.95) // across the seam
	g := raster.Grid{CRS: utm, Transform: geo.Affine{x - 3000, 30, 0, y + 3000, 0, -30}, Width: 200, Height: 200}
	h, err := m.Heights(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	worst, sum := 0.0, 0.0
	for j := range g.Height {
		for i := range g.Width {
			lon, lat := p.ToLonLat(g.Transform.Apply(float64(i)+0.5, float64(j)+0.5))
			d := float64(h.M[j*g.Width+i]) - surface(lon, lat)
			worst, sum = math.Max(worst, math.Abs(d)), sum+d*d
		}
	}
	if rms := math.Sqrt(sum / float64(len(h.M))); worst > 0.2 || rms > 0.05 || h.Assumed > 0 {
		t.Errorf("heights are off by %.3f m at worst, %.3f m rms; %d taken for sea", worst, rms, h.Assumed)
	}

	// Half of it beyond the tiles: sea, on the geoid.
	if m.Geoid, err = EGM96(); err != nil {
		t.Fatal(err)
	}
	x, y = p.FromLonLat(14.2, 41.95)
	g.Transform = geo.Affine{x - 3000, 30, 0, y + 3000, 0, -30}
	if h, err = m.Heights(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if share := float64(h.Assumed) / float64(len(h.M)); math.Abs(share-0.5) > 0.02 {
		t.Errorf("%.2f of the heights were taken for sea", share)
	}
	if got, want := float64(h.M[100*200+190]), m.Geoid.At(14.234, 41.95); math.Abs(got-want) > 0.1 {
		t.Errorf("the sea is at %.2f m, not %.2f", got, want)
	}
}

func TestHGT(t *testing.T) {
	dir := t.TempDir()
	const side = 121 // a degree of 30 seconds
	body := make([]byte, 0, 2*side*side)
	for y := range side {
		for x := range side {
			v := int16(10*x + y)
			body = append(body, byte(uint16(v)>>8), byte(v))
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "S34W071.hgt"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	g := raster.Grid{CRS: geo.WGS84, Transform: geo.Affine{-70.5, 0.01, 0, -33.5, 0, -0.01}, Width: 20, Height: 20}
	h, err := m.Heights(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	lon, lat := g.Transform.Apply(7.5, 3.5)
	want := 10*(lon+71)*120 + (-33-lat)*120
	if got := float64(h.M[3*20+7]); math.Abs(got-want) > 0.01 {
		t.Errorf("%.3f m, not %.3f", got, want)
	}
	for name, size := range map[string]int{"N00E000.hgt": 100, "none.hgt": 2 * side * side} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size+1), 0o600); err != nil {
			t.Fatal(err)
		}
		m, _ := Open(dir, nil)
		if _, err := m.Heights(t.Context(), raster.Grid{CRS: geo.WGS84, Transform: geo.Affine{0.5, 0.01, 0, 0.5, 0, -0.01}, Width: 5, Height: 5}); err == nil {
			t.Errorf("%s of %d bytes was taken", name, size+1)
		}
	}
}
