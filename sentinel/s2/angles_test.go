package s2_test

import (
	"math"
	"testing"

	"swath/sentinel/s2"
)

// planeGrid has directions whose tangents are exactly a plane, so that bilinear interpolation and filling are exact.
func planeGrid(at func(c, r float64) s2.Angles) s2.AngleGrid {
	g := s2.AngleGrid{OriginX: 500000, OriginY: 5000000, StepX: 5000, StepY: 5000, Rows: 23, Columns: 23}
	for r := range 23 {
		for c := range 23 {
			g.Nodes = append(g.Nodes, at(float64(c), float64(r)))
		}
	}
	return g
}

// plane passes through the vertical inside the grid: azimuths turn through north and all others.
func plane(c, r float64) s2.Angles {
	east, north := -0.05+0.006*c, 0.04-0.0055*r
	azimuth := math.Mod(math.Atan2(east, north)*180/math.Pi+360, 360)
	return s2.Angles{ZenithDeg: math.Atan(math.Hypot(east, north)) * 180 / math.Pi, AzimuthDeg: azimuth}
}

func same(a, b s2.Angles, toleranceDeg float64) bool {
	turn := math.Mod(a.AzimuthDeg-b.AzimuthDeg+540, 360) - 180
	return math.Abs(a.ZenithDeg-b.ZenithDeg) <= toleranceDeg && math.Abs(turn)*math.Sin(b.ZenithDeg*math.Pi/180) <= toleranceDeg
}

func TestAnglesAt(t *testing.T) {
	g := planeGrid(plane)
	for _, p := range [][2]float64{{0, 0}, {22, 22}, {0, 22}, {7.3, 9.9}, {8.33, 7.27}, {8.4, 7.1}, {21.999, 0.001}} {
		x, y := g.OriginX+p[0]*g.StepX, g.OriginY-p[1]*g.StepY
		if got, want := g.At(x, y), plane(p[0], p[1]); !same(got, want, 1e-9) {
			t.Errorf("at column %g row %g: %v, want %v", p[0], p[1], got, want)
		}
	}
	// Around north, averaged degrees would point south.
	north := planeGrid(func(c, _ float64) s2.Angles {
		return s2.Angles{ZenithDeg: 30, AzimuthDeg: math.Mod(359+2*math.Mod(c, 2), 360)}
	})
	if got := north.At(north.OriginX+2500, north.OriginY-2500); !same(got, s2.Angles{ZenithDeg: 29.99623, AzimuthDeg: 0}, 1e-4) {
		t.Errorf("between 359° and 1°: %v, want 0°", got)
	}
	for _, p := range [][2]float64{{-0.01, 0}, {0, -0.01}, {22.01, 3}, {3, 22.01}, {math.NaN(), 3}} {
		if got := g.At(g.OriginX+p[0]*5000, g.OriginY-p[1]*5000); !math.IsNaN(got.ZenithDeg) {
			t.Errorf("outside at %v: %v, want NaN", p, got)
		}
	}
	if got := (s2.AngleGrid{}).At(0, 0); !math.IsNaN(got.ZenithDeg) {
		t.Errorf("a grid without nodes: %v", got)
	}
}

func TestFilled(t *testing.T) {
	g := planeGrid(func(c, r float64) s2.Angles {
		if c < 5+r/3 || c > 9+r/3 { // a detector's stripe
			return s2.Angles{ZenithDeg: math.NaN(), AzimuthDeg: math.NaN()}
		}
		return plane(c, r)
	})
	full := g.Filled()
	for i, a := range full.Nodes {
		if want := plane(float64(i%23), float64(i/23)); !same(a, want, 1e-9) {
			t.Fatalf("node %d: %v, want %v", i, a, want)
		}
	}
	if !math.IsNaN(g.Nodes[0].ZenithDeg) {
		t.Error("Filled changed its receiver")
	}
	one := planeGrid(func(c, r float64) s2.Angles {
		if c == 3 && r == 4 {
			return s2.Angles{ZenithDeg: 7, AzimuthDeg: 100}
		}
		return s2.Angles{ZenithDeg: math.NaN(), AzimuthDeg: math.NaN()}
	})
	if got := one.Filled().Nodes[500]; !same(got, s2.Angles{ZenithDeg: 7, AzimuthDeg: 100}, 1e-9) {
		t.Errorf("one node: %v", got)
	}
}
