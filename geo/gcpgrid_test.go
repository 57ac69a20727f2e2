package geo

import (
	"math"
	"math/rand/v2"
	"testing"
)

// scene makes points as a slanted swath would, its first corner at the place given.
func scene(lon, lat float64, columns, rows int) []GCP {
	var ps []GCP
	for j := range rows {
		for i := range columns {
			c, r := float64(i)*1250, float64(j)*2000
			ps = append(ps, GCP{
				Column: c, Row: r,
				LonDeg: WrapLon(lon + 1.2e-4*c - 2e-5*r + 1e-10*c*r + 2e-10*c*c),
				LatDeg: lat + 1.5e-5*c + 8.5e-5*r + 5e-11*c*r,
			})
		}
	}
	return ps
}

func TestGCPGrid(t *testing.T) {
	for name, tc := range map[string]struct{ lon, lat float64 }{
		"Rome": {12, 41}, "across the antimeridian": {179.3, -17}, "Svalbard": {20, 75},
	} {
		t.Run(name, func(t *testing.T) {
			ps := scene(tc.lon, tc.lat, 21, 10)
			g, err := NewGCPGrid(ps)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range ps {
				if lon, lat := g.ToLonLat(p.Column, p.Row); math.Abs(WrapLon(lon-p.LonDeg)) > 1e-12 || math.Abs(lat-p.LatDeg) > 1e-12 {
					t.Errorf("%v is at %g %g", p, lon, lat)
				}
			}
			random := rand.New(rand.NewPCG(3, 4))
			for range 2000 {
				c, r := -1000+27000*random.Float64(), -1000+20000*random.Float64()
				lon, lat := g.ToLonLat(c, r)
				gotC, gotR := g.FromLonLat(lon, lat)
				if !(math.Hypot(gotC-c, gotR-r) < 1e-5) {
					t.Fatalf("%g %g came back as %g %g", c, r, gotC, gotR)
				}
			}
			for _, far := range [][2]float64{{tc.lon + 90, tc.lat}, {tc.lon, tc.lat - 10}, {math.NaN(), 0}} {
				if c, r := g.FromLonLat(far[0], far[1]); !math.IsNaN(c) || !math.IsNaN(r) {
					t.Errorf("%v is at %g %g", far, c, r)
				}
			}
			if lon, _ := g.ToLonLat(1e6, 0); !math.IsNaN(lon) {
				t.Error("a far column has a place")
			}
		})
	}
}

func TestGCPGridOfFewPoints(t *testing.T) {
	corners := []GCP{
		{0.5, 0.5, 1.2, 44.1, 0}, {5999.5, 0.5, 2.0, 43.9, 0}, {5999.5, 5999.5, 1.8, 43.4, 0}, {0.5, 5999.5, 1.0, 43.6, 0},
		{3000, 3000, 1.5, 43.75, 0}, // the centre
	}
	for count := 3; count <= 5; count++ {
		g, err := NewGCPGrid(corners[:count])
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range corners[:count] {
			c, r := g.FromLonLat(p.LonDeg, p.LatDeg)
			if !(math.Hypot(c-p.Column, r-p.Row) < 0.01) {
				t.Errorf("of %d points, %v came out at %g %g", count, p, c, r)
			}
		}
	}
	second := scene(10, 50, 5, 5)
	second = append(second[:7], second[8:]...) // a hole: no mesh any more
	g, err := NewGCPGrid(second)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range scene(10, 50, 5, 5) {
		if lon, lat := g.ToLonLat(p.Column, p.Row); math.Hypot(lon-p.LonDeg, lat-p.LatDeg) > 1e-9 {
			t.Errorf("second order misses %v: %g %g", p, lon, lat)
		}
	}
}

func TestGCPGridRefuses(t *testing.T) {
	for name, ps := range map[string][]GCP{
		"none": nil, "two": {{0, 0, 1, 1, 0}, {1, 1, 2, 2, 0}}, "a line": {{0, 0, 0, 0, 0}, {1, 1, 1, 1, 0}, {2, 2, 2, 2, 0}},
		"one place": {{0, 0, 1, 1, 0}, {5, 0, 1, 1, 0}, {5, 5, 1, 1, 0}},
		"NaN":       {{0, 0, math.NaN(), 1, 0}, {5, 0, 1, 1, 0}, {5, 5, 1, 2, 0}},
		"off globe": {{0, 0, 0, 95, 0}, {5, 0, 1, 1, 0}, {5, 5, 1, 2, 0}},
	} {
		if _, err := NewGCPGrid(ps); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
