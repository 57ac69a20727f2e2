package geo

import (
	"math"
	"testing"
)

func TestSplitAntimeridian(t *testing.T) {
	for name, tc := range map[string]struct {
		ring   Ring
		areas  []float64
		bounds Box
	}{
		"plain, clockwise": {Ring{{0, 0}, {0, 1}, {2, 1}, {2, 0}, {0, 0}}, []float64{2}, Box{0, 0, 2, 1}},
		"across":           {Ring{{179, 0}, {-179, 0}, {-179, 1}, {179, 1}, {179, 0}}, []float64{1, 1}, Box{179, 0, -179, 1}},
		"touching 180":     {Ring{{178, 0}, {180, 0}, {180, 1}, {178, 1}, {178, 0}}, []float64{2}, Box{178, 0, 180, 1}},
		"touching -180":    {Ring{{-180, 0}, {-178, 0}, {-178, 1}, {-180, 1}, {-180, 0}}, []float64{2}, Box{-180, 0, -178, 1}},
		"a comb open to the east": { // two teeth reach over
			Ring{{178, 0}, {-179, 0}, {-179, 1}, {179, 1}, {179, 2}, {-179, 2}, {-179, 3}, {178, 3}, {178, 0}},
			[]float64{5, 1, 1}, Box{178, 0, -179, 3}},
		"a comb open to the west": {
			Ring{{179, 0}, {-178, 0}, {-178, 3}, {179, 3}, {179, 2}, {-179, 2}, {-179, 1}, {179, 1}, {179, 0}},
			[]float64{1, 1, 5}, Box{179, 0, -178, 3}},
		"around the north pole": {Ring{{0, 80}, {90, 80}, {180, 80}, {-90, 80}, {0, 80}}, []float64{1800, 1800}, Box{-180, 80, 180, 90}},
		"around the south pole": {Ring{{-170, -80}, {-50, -80}, {70, -80}, {-170, -80}}, []float64{3500, 100}, Box{-180, -90, 180, -80}},
	} {
		t.Run(name, func(t *testing.T) {
			got := SplitAntimeridian(tc.ring)
			if len(got) != len(tc.areas) {
				t.Fatalf("%d parts: %v", len(got), got)
			}
			rest := map[float64]int{}
			for _, a := range tc.areas {
				rest[a]++
			}
			for _, p := range got {
				a := math.Round(Area(p[0])*1e6) / 1e6
				if rest[a]--; rest[a] < 0 {
					t.Errorf("area %g of %v is not expected", a, p)
				}
				for _, q := range p[0] {
					if q[0] < -180 || q[0] > 180 {
						t.Errorf("%v is off the map", q)
					}
				}
				if p[0][0] != p[0][len(p[0])-1] {
					t.Errorf("open ring %v", p[0])
				}
			}
			if b := got.Bounds(); b != tc.bounds {
				t.Errorf("bounds %v, want %v", b, tc.bounds)
			}
		})
	}
	if got := SplitAntimeridian(Ring{{0, 0}, {1, 1}, {0, 0}}); got != nil {
		t.Errorf("a line has area: %v", got)
	}
}

func TestGridRing(t *testing.T) {
	utm60, _ := ProjectionOf(32660)
	ring := GridRing(utm60, Affine{750000, 10, 0, 200000, 0, -10}, 10980, 10980, 8)
	parts := SplitAntimeridian(ring)
	if len(ring) != 33 || len(parts) != 2 {
		t.Fatalf("%d points, %d parts", len(ring), len(parts))
	}
	if b := parts.Bounds(); !(b.MinX > 179 && b.MaxX < -179 && b.MinX > b.MaxX) {
		t.Errorf("bounds %v", b)
	}
	polar, _ := ProjectionOf(WGS84)
	if ring := GridRing(polar, Affine{0, 1, 0, 100, 0, -1}, 1, 1, 4); ring != nil {
		t.Errorf("a grid off the globe has the ring %v", ring)
	}
}

func TestSimplify(t *testing.T) {
	var circle Ring
	for i := range 361 {
		circle = append(circle, [2]float64{math.Cos(float64(i) * math.Pi / 180), math.Sin(float64(i) * math.Pi / 180)})
	}
	circle[360] = circle[0]
	got := Simplify(circle, 0.01)
	if len(got) > 40 || len(got) < 10 || got[0] != got[len(got)-1] {
		t.Fatalf("%d points", len(got))
	}
	if a := Area(got); math.Abs(a-math.Pi) > 0.05 {
		t.Errorf("area %g", a)
	}
	if square := (Ring{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}}); len(Simplify(square, 10)) < 4 {
		t.Error("a square vanished")
	}
}

// FuzzSplitAntimeridian: the parts have the area of the ring, whatever the quadrilateral.
func FuzzSplitAntimeridian(f *testing.F) {
	f.Add(170.0, 0.0, 20.0, 5.0)
	f.Add(-181.0, 70.0, 2.0, 0.1)
	f.Fuzz(func(t *testing.T, lon, lat, width, height float64) {
		if !(math.Abs(lon) < 1000 && math.Abs(lat) < 80 && width > 1e-3 && width < 170 && height > 1e-3 && height < 10) {
			return
		}
		ring := Ring{{lon, lat}, {lon + width, lat}, {lon + width, lat + height}, {lon, lat + height}, {lon, lat}}
		for i := range ring {
			ring[i][0] = WrapLon(ring[i][0])
		}
		var sum float64
		for _, p := range SplitAntimeridian(ring) {
			sum += Area(p[0])
		}
		if math.Abs(sum-width*height) > 1e-6*(1+width*height) {
			t.Fatalf("area %g, want %g", sum, width*height)
		}
	})
}
