package sar

import (
	"math"
	"math/rand/v2"
	"testing"

	"swath/sentinel/s1"
)

// What the kernels compute, said once more in Go, in float64.

func placesTwin(c *Cell, i int, height, middle, scale float32) (line, pixel float64) {
	u, f := float64((height-middle)*scale), float64(i)
	at := func(v, step [3]float32) float64 {
		k := func(n int) float64 { return float64(v[n]) + f*float64(step[n]) }
		return k(0) + u*k(1) + u*u*k(2)
	}
	return at(c.Line, c.LineStep), at(c.Pixel, c.PixelStep)
}

// sampleTwin weighs the samples of 1, 2 x 2 or 4 x 4 around a place.
func sampleTwin(k Interpolation, line, pixel float64, image []float32, width, height int) float64 {
	at := func(y, x int) (float64, bool) {
		if y < 0 || x < 0 || y >= height || x >= width {
			return 0, false
		}
		v := float64(image[y*width+x])
		return v, v == v
	}
	inside := line > -0.5 && pixel > -0.5 && line < float64(height)-0.5 && pixel < float64(width)-0.5
	y, x := int(math.Floor(line)), int(math.Floor(pixel))
	fy, fx := line-math.Floor(line), pixel-math.Floor(pixel)
	if k == NearestSample {
		if v, ok := at(int(math.Floor(line+0.5)), int(math.Floor(pixel+0.5))); ok {
			return v
		}
		return math.NaN()
	}
	if k == Cubic {
		keys := func(t float64) float64 { // Keys 1981, equation 4 with a = -1/2
			if t = math.Abs(t); t < 1 {
				return 1.5*t*t*t - 2.5*t*t + 1
			}
			return -0.5*t*t*t + 2.5*t*t - 4*t + 2
		}
		sum, whole := 0.0, inside
		for j := -1; j <= 2; j++ {
			for i := -1; i <= 2; i++ {
				v, ok := at(y+j, x+i)
				sum, whole = sum+v*keys(fy-float64(j))*keys(fx-float64(i)), whole && ok
			}
		}
		if whole {
			return sum
		}
	}
	if !inside {
		return math.NaN()
	}
	var sum, weight float64
	for j, wy := range []float64{1 - fy, fy} {
		for i, wx := range []float64{1 - fx, fx} {
			if v, ok := at(y+j, x+i); ok {
				sum, weight = sum+wy*wx*v, weight+wy*wx
			}
		}
	}
	if weight <= 0.25 {
		return math.NaN()
	}
	return sum / weight
}

func facetTwin(l *Look, i int, north, here, south []float32, side float64) float64 {
	east, up := float64(here[i+2]-here[i])/(2*side), float64(north[i+1]-south[i+1])/(2*side)
	var look [3]float64
	for k := range look {
		look[k] = float64(l.First[k]) + float64(i)*float64(l.Step[k])
	}
	// The ground's normal is (−east, −north, 1); its length is the area over that of the map's piece.
	return math.Max(0, side*side*(look[2]-east*look[0]-up*look[1]))
}

// close to within some of the last bits of a float32 of a size.
func alike(got float32, want, size float64) bool {
	g := float64(got)
	return g != g && want != want || math.Abs(g-want) <= 4e-6*math.Max(size, math.Abs(want))
}

// holes makes an image with holes.
func holes(rnd *rand.Rand, n int, share float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		if v[i] = float32(rnd.ExpFloat64()) - 0.1; rnd.Float64() < share {
			v[i] = float32(math.NaN())
		}
	}
	return v
}

func TestPlacesAgainstGo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func(size float32) (v [3]float32) {
		for k := range v {
			v[k] = (rnd.Float32() - 0.5) * size
		}
		return v
	}
	for _, n := range []int{0, 1, 7, 8, 33, 64} {
		c := Cell{Line: random(2000), Pixel: random(2000), LineStep: random(2), PixelStep: random(2)}
		heights := make([]float32, n)
		for i := range heights {
			heights[i] = rnd.Float32() * 2000
		}
		if n > 3 {
			heights[2] = float32(math.NaN())
		}
		line, pixel := make([]float32, n), make([]float32, n)
		c.Places(line, pixel, heights, 1000, 1e-3)
		for i, h := range heights {
			if l, p := placesTwin(&c, i, h, 1000, 1e-3); !alike(line[i], l, 2000) || !alike(pixel[i], p, 2000) {
				t.Fatalf("place %d of %d: %g %g, not %g %g", i, n, line[i], pixel[i], l, p)
			}
		}
	}
}

func TestCalibrateAgainstGo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	c := &s1.Calibration{Vectors: []s1.CalibrationVector{
		{Line: 0, Pixels: []int{0, 90}, SigmaNought: []float64{300, 500}},
		{Line: 100, Pixels: []int{0, 90}, SigmaNought: []float64{320, 460}},
	}}
	table := CalibrationTable(c, Sigma, 91)
	for _, first := range []int{0, 1, 50, 90} {
		n := 91 - first
		digital, noise, got := make([]uint16, n), make([]float32, n), make([]float32, n)
		for i := range digital {
			digital[i], noise[i] = uint16(rnd.IntN(4)*rnd.IntN(16384)), rnd.Float32()*500
		}
		digital[n-1] = math.MaxUint16
		table.Calibrate(got, digital, noise, 40, first)
		for i, d := range digital {
			p := float64(first + i)
			a := 0.6*(300+p*200/90) + 0.4*(320+p*140/90)
			want := (float64(d)*float64(d) - float64(noise[i])) / (a * a)
			if d == 0 {
				want = math.NaN()
			}
			if !alike(got[i], want, float64(noise[i])/(a*a)) {
				t.Fatalf("sample %d: %d becomes %g, not %g", first+i, d, got[i], want)
			}
		}
	}
}

func TestSamplesAgainstGo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, size := range [][2]int{{1, 1}, {2, 3}, {4, 4}, {40, 31}} {
		for _, share := range []float64{0, 0.2, 0.7} {
			w, h := size[0], size[1]
			image := holes(rnd, w*h, share)
			const n = 4000
			line, pixel, got := make([]float32, n), make([]float32, n), make([]float32, n)
			for i := range n {
				line[i], pixel[i] = (rnd.Float32()*1.4-0.2)*float32(h), (rnd.Float32()*1.4-0.2)*float32(w)
				switch i % 9 {
				case 0: // centres
					line[i], pixel[i] = float32(math.Round(float64(line[i]))), float32(math.Round(float64(pixel[i])))
				case 1: // where the image ends
					line[i] = float32(h) - 0.5
				case 2:
					pixel[i] = -0.5
				case 3:
					line[i] = float32(math.NaN())
				}
			}
			for _, k := range []Interpolation{NearestSample, Bilinear, Cubic} {
				k.Sample(got, line, pixel, image, w, h)
				for i := range n {
					want := math.NaN()
					if line[i] == line[i] {
						want = sampleTwin(k, float64(line[i]), float64(pixel[i]), image, w, h)
					}
					if !alike(got[i], want, 4) {
						t.Fatalf("%d x %d, %.0f %% holes, interpolation %d at %g %g: %g, not %g", w, h, 100*share, k, line[i], pixel[i], got[i], want)
					}
				}
			}
		}
	}
}

func TestScatterAgainstGo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	const w, h, n = 23, 17, 5000
	line, pixel, amount := make([]float32, n), make([]float32, n), make([]float32, n)
	want, total := make([]float64, w*h), 0.0
	for i := range n {
		line[i], pixel[i], amount[i] = (rnd.Float32()*1.4-0.2)*h, (rnd.Float32()*1.4-0.2)*w, rnd.Float32()
		if i%50 == 0 {
			line[i] = float32(math.NaN())
		}
		l, p := float64(line[i]), float64(pixel[i])
		if !(l >= 0 && p >= 0 && l < h-1 && p < w-1) {
			continue
		}
		total += float64(amount[i])
		for j := range 2 {
			for k := range 2 {
				y, x := int(l)+j, int(p)+k
				want[y*w+x] += float64(amount[i]) * (1 - math.Abs(l-float64(y))) * (1 - math.Abs(p-float64(x)))
			}
		}
	}
	image := make([]float32, w*h)
	Scatter(image, w, h, line, pixel, amount)
	sum := 0.0
	for i, v := range image {
		sum += float64(v)
		if !alike(v, want[i], 10) {
			t.Fatalf("sample %d: %g, not %g", i, v, want[i])
		}
	}
	if math.Abs(sum-total) > 1e-5*total {
		t.Errorf("%g of %g are there", sum, total)
	}
}

func TestFacetsAgainstGo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	for _, n := range []int{0, 1, 8, 100} {
		rows := [3][]float32{}
		for k := range rows {
			for range n + 2 {
				rows[k] = append(rows[k], 500+rnd.Float32()*20)
			}
		}
		if n > 8 {
			rows[1][5] = float32(math.NaN())
		}
		l := &Look{First: [3]float32{0.6, -0.1, 0.79}, Step: [3]float32{1e-4, 2e-5, -1e-4}}
		area := make([]float32, n)
		l.Facets(area, rows[0], rows[1], rows[2], 5)
		away := 0
		for i, v := range area {
			want := facetTwin(l, i, rows[0], rows[1], rows[2], 5)
			if want != want {
				want = 0 // no ground is known
			}
			if !alike(v, want, 25) {
				t.Fatalf("facet %d of %d: %g, not %g", i, n, v, want)
			}
			if v == 0 {
				away++
			}
		}
		if n == 100 && (away == 0 || away > 90) {
			t.Errorf("%d of %d facets face away", away, n)
		}
	}
}
