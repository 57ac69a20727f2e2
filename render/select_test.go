package render

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSelections compares every selection with what is worked out pixel by pixel in float64 from the definition.
func TestSelections(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const planes, pixels, images = 3, 500, 6
	stack := make([][][]float32, images)
	for n := range stack {
		for range planes {
			plane := make([]float32, pixels)
			for i := range plane {
				plane[i] = float32(r.IntN(2000)) / 7
			}
			stack[n] = append(stack[n], plane)
		}
		for i := range pixels {
			if r.IntN(3) == 0 || i < 20 { // a pixel that any plane lacks has no value; the first twenty never have one
				stack[n][r.IntN(planes)][i] = float32(math.NaN())
			}
		}
	}
	for how := First; how <= LastLow; how++ {
		s, err := NewSelector(how, planes, pixels, 1, func(n int) []float32 { return make([]float32, n) })
		if err != nil {
			t.Fatal(err)
		}
		for n := range stack {
			if s.Add(stack[n]) {
				t.Errorf("%v: filled, with pixels that nobody has", how)
			}
		}
		got, from := s.Result()
		if len(got) != how.Planes(planes) {
			t.Fatalf("%v: %d planes", how, len(got))
		}
		for i := range pixels {
			var valid []int
			for n := range stack {
				if !slices.ContainsFunc(stack[n], func(plane []float32) bool { return plane[i] != plane[i] }) {
					valid = append(valid, n)
				}
			}
			for p := range got {
				want, origin := truth(how, stack, valid, p, i)
				if v := float64(got[p][i]); math.Abs(v-want) > 1e-3 || math.IsNaN(v) != math.IsNaN(want) {
					t.Fatalf("%v: plane %d of pixel %d is %v, want %v", how, p, i, v, want)
				}
				if p == 0 && int(from[i]) != origin {
					t.Fatalf("%v: pixel %d is from %d, want %d", how, i, from[i], origin)
				}
			}
		}
		if s.Empty() != 20+countEmpty(stack, 20, pixels) {
			t.Errorf("%v: %d empty", how, s.Empty())
		}
	}
}

func countEmpty(stack [][][]float32, from, to int) (n int) {
	for i := from; i < to; i++ {
		if !slices.ContainsFunc(stack, func(planes [][]float32) bool { return valued(planes, i) }) {
			n++
		}
	}
	return n
}

// truth is the definition of a selection.
func truth(how Selection, stack [][][]float32, valid []int, p, i int) (value float64, origin int) {
	at := func(n, p int) float64 { return float64(stack[n][p][i]) }
	if len(valid) == 0 {
		if how == Count {
			return 0, -1
		}
		return math.NaN(), -1
	}
	best := func(plane int, better func(a, b float64) bool) int {
		out := valid[0]
		for _, n := range valid {
			if better(at(n, plane), at(out, plane)) {
				out = n
			}
		}
		return out
	}
	higher, lower := func(a, b float64) bool { return a > b }, func(a, b float64) bool { return a < b }
	sum := 0.0
	for _, n := range valid {
		sum += at(n, p)
	}
	mean := sum / float64(len(valid))
	switch how {
	case First:
		return at(valid[0], p), valid[0]
	case Highest:
		return at(best(p, higher), p), best(p, higher)
	case Lowest:
		return at(best(p, lower), p), best(p, lower)
	case LastHigh:
		return at(best(2, higher), p), best(2, higher)
	case LastLow:
		return at(best(2, lower), p), best(2, lower)
	case Count:
		return float64(len(valid)), valid[0]
	case Mean:
		return mean, valid[0]
	case StDev:
		squares := 0.0
		for _, n := range valid {
			squares += (at(n, p) - mean) * (at(n, p) - mean)
		}
		return math.Sqrt(squares / float64(len(valid))), valid[0]
	}
	var all []float64
	for _, n := range valid {
		all = append(all, at(n, p))
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, valid[0]
}

// TestFirstEnds: a picture that is full needs no further image.
func TestFirstEnds(t *testing.T) {
	nan := float32(math.NaN())
	s, _ := NewSelector(First, 1, 3, 1, func(n int) []float32 { return make([]float32, n) })
	if s.Add([][]float32{{1, nan, nan}}) || s.Add([][]float32{{2, 2, nan}}) || !s.Add([][]float32{{3, 3, 3}}) {
		t.Error("not filled when it is full")
	}
	planes, from := s.Result()
	if !slices.Equal(planes[0], []float32{1, 2, 3}) || !slices.Equal(from, []int32{0, 1, 2}) {
		t.Errorf("%v %v", planes, from)
	}
	if _, err := NewSelector(LastHigh, 1, 3, 1, nil); err == nil {
		t.Error("a last plane that decides and is all there is")
	}
	if how, err := ParseSelection("Median"); err != nil || how != Median {
		t.Error(how, err)
	}
	if _, err := ParseSelection("best"); err == nil {
		t.Error("an unknown selection")
	}
}
