package s1tiling

import (
	"math"
	"math/rand/v2"
	"testing"
)

// What the kernels compute, said once more in Go.

// twelve rounds to a mantissa of twelve bits; of two as near, to the even one.
func twelve(v float32) float32 {
	fraction, exponent := math.Frexp(float64(v))
	return float32(math.Ldexp(math.RoundToEven(fraction*(1<<13)), exponent-13))
}

func meanTwin(values []float32, width, reach, x, y int) float32 {
	if v := values[y*width+x]; v != v {
		return v
	}
	var sum, n float64
	for j := max(0, y-reach); j <= min(len(values)/width-1, y+reach); j++ {
		for i := max(0, x-reach); i <= min(width-1, x+reach); i++ {
			if v := float64(values[j*width+i]); v == v {
				sum, n = sum+v, n+1
			}
		}
	}
	return float32(sum / n)
}

func accumulateTwin(f Filter, sum, count *float32, v, e float32) {
	if !(e > 0) || v != v {
		return
	}
	ratio := v / e
	if f.Guard && *count >= guardAfter {
		if mean := *sum / *count; ratio > f.limit()*max(1, mean) {
			ratio = mean
		}
	}
	*sum, *count = twelve(*sum+ratio), *count+1
}

func applyTwin(f Filter, v, e, sum, count float32) float32 {
	if v != v || !(e > 0) || count == 0 {
		return twelve(v)
	}
	mean := sum / count
	if f.Guard && v > f.limit()*max(1, mean)*e {
		return twelve(v)
	}
	return twelve(e * mean)
}

// awkward values: measured, not measured, zero, negative, bright and dark.
func awkward(rnd *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		switch rnd.IntN(12) {
		case 0, 1:
			v[i] = float32(math.NaN())
		case 2:
			v[i] = 0
		case 3:
			v[i] = -float32(rnd.ExpFloat64()) / 1000
		case 4:
			v[i] = float32(rnd.ExpFloat64()) * 1000
		default:
			v[i] = float32(rnd.ExpFloat64()) / 10
		}
	}
	return v
}

func near(a, b float32, relative float64) bool {
	return a != a && b != b || math.Abs(float64(a)-float64(b)) <= relative*math.Abs(float64(b))
}

func TestKernelsAgainstGo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 14))
	for _, size := range [][2]int{{1, 1}, {1, 40}, {3, 5}, {255, 9}, {256, 7}, {257, 31}, {700, 20}} {
		for _, f := range []Filter{{Window: 7, Looks: 4.4, Guard: true}, {Window: 3, Looks: 1}, {Window: 31, Looks: 10, Guard: true}} {
			w, h := size[0], size[1]
			values := awkward(rnd, w*h)
			means := make([]float32, w*h)
			f.means(means, rows{values: values, width: w, count: h}, &columns{})
			for i, got := range means {
				// The sum is of at most 961 values in float32: what is lost is some of its last bits against the largest of them.
				want := meanTwin(values, w, f.Reach(), i%w, i/w)
				if !near(got, want, 1e-5) && !(math.Abs(float64(got-want)) < 1e-4) {
					t.Fatalf("%d x %d, window %d, pixel %d: mean %g, not %g", w, h, f.Window, i, got, want)
				}
			}
			sum, count := make([]float32, w*h), make([]float32, w*h)
			for i := range sum {
				count[i] = float32(rnd.IntN(9))
				sum[i] = count[i] * float32(0.5+rnd.Float64())
			}
			wantSum, wantCount, out := append([]float32{}, sum...), append([]float32{}, count...), make([]float32, w*h)
			f.accumulate(sum, count, values, means)
			f.apply(out, values, means, sum, count)
			for i, v := range values {
				accumulateTwin(f, &wantSum[i], &wantCount[i], v, means[i])
				if !near(sum[i], wantSum[i], 0) || count[i] != wantCount[i] {
					t.Fatalf("pixel %d (%g of %g): sum %g of %g, not %g of %g", i, v, means[i], sum[i], count[i], wantSum[i], wantCount[i])
				}
				if want := applyTwin(f, v, means[i], sum[i], count[i]); !near(out[i], want, 0) {
					t.Fatalf("pixel %d (%g of %g, %g of %g): filtered %g, not %g", i, v, means[i], sum[i], count[i], out[i], want)
				}
			}
		}
	}
}
