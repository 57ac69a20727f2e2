package geo

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"testing"
)

// gdaltransform returns what PROJ makes of points, or skips the test.
func gdaltransform(t *testing.T, from, to EPSG, points [][2]float64) [][2]float64 {
	t.Helper()
	program, err := exec.LookPath("gdaltransform")
	if err != nil {
		t.Skip("gdaltransform is not installed (Debian package gdal-bin)")
	}
	var in bytes.Buffer
	for _, p := range points {
		fmt.Fprintf(&in, "%.12f %.12f\n", p[0], p[1])
	}
	args := []string{"-output_xy"}
	for _, side := range []struct {
		flag string
		code EPSG
	}{{"-s_srs", from}, {"-t_srs", to}} {
		args = append(args, side.flag, side.code.String())
	}
	cmd := exec.Command(program, args...)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var result [][2]float64
	for line := range bytes.Lines(out) {
		var p [2]float64
		if _, err := fmt.Sscan(string(line), &p[0], &p[1]); err != nil {
			t.Fatalf("gdaltransform answered %q: %v", line, err)
		}
		result = append(result, p)
	}
	if len(result) != len(points) {
		t.Fatalf("gdaltransform answered %d of %d points", len(result), len(points))
	}
	return result
}

func TestProjectionAgainstPROJ(t *testing.T) {
	for _, tc := range []struct {
		code                     EPSG
		west, east, south, north float64
		toleranceM               float64
	}{
		{32631, 0, 6, 0, 84, 1e-5}, {32631, -6, 12, 0, 84, 1e-5}, {32631, -20, 25, -10, 84, 1e-4},
		{32756, 150, 156, -80, 0, 1e-5}, {32756, 144, 162, -80, 0, 1e-5},
		{32601, -186, -168, 0, 84, 1e-5}, {32760, 171, 186, -80, 0, 1e-5}, {32633, 0, 30, 83, 84, 1e-5},
		{WebMercator, -180, 179.99, -85, 85, 1e-5},
	} {
		t.Run(fmt.Sprintf("%s %g..%g", tc.code, tc.west, tc.east), func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			var places [][2]float64
			for range 1000 {
				places = append(places, [2]float64{
					WrapLon(tc.west + random.Float64()*(tc.east-tc.west)), tc.south + random.Float64()*(tc.north-tc.south)})
			}
			p, ok := ProjectionOf(tc.code)
			if !ok {
				t.Fatal("not known")
			}
			worst, worstBack := 0.0, 0.0
			for i, want := range gdaltransform(t, WGS84, tc.code, places) {
				x, y := p.FromLonLat(places[i][0], places[i][1])
				d := math.Hypot(x-want[0], y-want[1])
				if !(d <= tc.toleranceM) {
					t.Fatalf("%v: %f %f, PROJ says %f %f", places[i], x, y, want[0], want[1])
				}
				worst = math.Max(worst, d)
				lon, lat := p.ToLonLat(want[0], want[1])
				back := math.Hypot(WrapLon(lon-places[i][0])*math.Cos(lat*math.Pi/180), lat-places[i][1]) * 111000
				if !(back <= tc.toleranceM) {
					t.Fatalf("back from %v: %.9f %.9f, want %v", want, lon, lat, places[i])
				}
				worstBack = math.Max(worstBack, back)
			}
			t.Logf("worst %.2g m there, %.2g m back", worst, worstBack)
		})
	}
}

// The truth of this table is gdaltransform of PROJ 9.1.1.
func TestProjectionTable(t *testing.T) {
	for _, tc := range []struct {
		code           EPSG
		lon, lat, x, y float64
	}{
		{32631, 3, 0, 500000, 0},
		{32731, 3, 0, 500000, 10000000},
		{WebMercator, 180, 0, 20037508.342789244, 0},
		{WebMercator, 0, 85.0511287798066, 0, 20037508.342789244},
		{WGS84, -180, 90, -180, 90},
	} {
		p, _ := ProjectionOf(tc.code)
		if x, y := p.FromLonLat(tc.lon, tc.lat); math.Hypot(x-tc.x, y-tc.y) > 1e-6 {
			t.Errorf("%v(%g, %g) = %f %f, want %f %f", tc.code, tc.lon, tc.lat, x, y, tc.x, tc.y)
		}
	}
}

func TestProjectionOutside(t *testing.T) {
	nan := math.NaN()
	for _, tc := range []struct {
		code     EPSG
		lon, lat float64
	}{
		{32631, 93, 0}, {32631, 3, 91}, {32631, nan, 0}, {32631, 3, nan}, {32631, math.Inf(1), 0},
		{WebMercator, 0, 90}, {WebMercator, 0, nan}, {WGS84, 0, 90.1}, {WGS84, 0, nan},
	} {
		p, _ := ProjectionOf(tc.code)
		if x, y := p.FromLonLat(tc.lon, tc.lat); !math.IsNaN(x) || !math.IsNaN(y) {
			t.Errorf("%v(%g, %g) = %g %g, want NaN", tc.code, tc.lon, tc.lat, x, y)
		}
	}
	utm31, _ := ProjectionOf(32631)
	for _, p := range [][2]float64{{1e8, 0}, {5e5, 1e9}, {nan, 0}, {0, nan}} {
		if lon, lat := utm31.ToLonLat(p[0], p[1]); !math.IsNaN(lon) || !math.IsNaN(lat) {
			t.Errorf("back from %v: %g %g, want NaN", p, lon, lat)
		}
	}
	for _, code := range []EPSG{0, 2154, 32600, 32661, 32700, 32761} {
		if _, ok := ProjectionOf(code); ok {
			t.Errorf("%v is known", code)
		}
	}
}

func TestUTMOf(t *testing.T) {
	for want, place := range map[EPSG][2]float64{
		32631: {1.44, 43.6}, 32756: {151.2, -33.9}, 32601: {-180, 10}, 32660: {179.9, 10}, 32701: {180, -10},
		32632: {5, 60}, 32633: {15, 78}, 32637: {33, 80}, 32731: {0, -0.001},
	} {
		if got := UTMOf(place[0], place[1]); got != want {
			t.Errorf("UTMOf(%v) = %v, want %v", place, got, want)
		}
	}
}

func BenchmarkUTM(b *testing.B) {
	p, _ := ProjectionOf(32631)
	for b.Loop() {
		p.FromLonLat(1.5, 43.5)
	}
}
