package geo

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestCover(t *testing.T) {
	square := func(x0, y0, x1, y1 float64) Ring { return Ring{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}} }
	sum := func(c []float32) (s float64) {
		for _, v := range c {
			s += float64(v)
		}
		return s
	}
	for name, tc := range map[string]struct {
		rings []Ring
		want  float64 // pixels
	}{
		"whole pixels":      {[]Ring{square(1, 2, 4, 5)}, 9},
		"parts of pixels":   {[]Ring{square(1.5, 2.5, 3.5, 4)}, 3},
		"a hole":            {[]Ring{square(0, 0, 8, 8), square(2, 2, 4, 4)}, 60},
		"two apart":         {[]Ring{square(0, 0, 1, 1), square(6, 6, 8, 8)}, 5},
		"beyond the edges":  {[]Ring{square(-10, -10, 30, 30)}, 64},
		"beside":            {[]Ring{square(9, 0, 12, 8)}, 0},
		"a triangle":        {[]Ring{{{0, 0}, {8, 0}, {0, 8}, {0, 0}}}, 32},
		"without extent":    {[]Ring{{{1, 1}, {5, 1}, {1, 1}}}, 0},
		"no ring":           {nil, 0},
		"turning back":      {[]Ring{{{0, 0}, {4, 4}, {0, 4}, {4, 0}, {0, 0}}}, 8},
		"not even a corner": {[]Ring{{}}, 0},
	} {
		if got := sum(Cover(tc.rings, 8, 8, 10)); math.Abs(got-tc.want) > 0.5 {
			t.Errorf("%s: %g pixels, want %g", name, got, tc.want)
		}
	}
	// Against the area that the shoelace formula gives, with any star-shaped polygon.
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var r Ring
		for k := range 40 {
			angle, radius := float64(k)/40*2*math.Pi, 5+20*rnd.Float64()
			r = append(r, [2]float64{32 + radius*math.Cos(angle), 32 + radius*math.Sin(angle)})
		}
		r = append(r, r[0])
		if got, want := sum(Cover([]Ring{r}, 64, 64, 10)), math.Abs(Area(r)); math.Abs(got-want) > 0.01*want {
			t.Errorf("%g pixels, want %g", got, want)
		}
	}
}
