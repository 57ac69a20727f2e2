package render

import (
	"math"
	"slices"
)

// normalizedIndex is (second - first) / (second + first); a sum of nothing is no value.
func normalizedIndex(g grid, _ map[string]float64) [][]float32 {
	out := make([]float32, g.width*g.height)
	for i, a := range g.planes[0] {
		b := g.planes[1][i]
		if out[i] = (b - a) / (b + a); a+b == 0 {
			out[i] = float32(math.NaN())
		}
	}
	return [][]float32{out}
}

// eachValue rounds values to levels.
func eachValue(round func(float64) float64) func(grid, map[string]float64) [][]float32 {
	return func(g grid, _ map[string]float64) [][]float32 {
		out := make([][]float32, len(g.planes))
		for p, plane := range g.planes {
			out[p] = make([]float32, len(plane))
			for i, v := range plane {
				if out[p][i] = v; v == v {
					out[p][i] = float32(min(max(round(float64(v)), 0), 255))
				}
			}
		}
		return out
	}
}

// eachPixel computes one plane from the values that a pixel has in all planes.
func eachPixel(f func(values []float64) float64) func(grid, map[string]float64) [][]float32 {
	return func(g grid, _ map[string]float64) [][]float32 {
		out := nothing(1, g.width*g.height)
		values := make([]float64, 0, len(g.planes))
		for i := range out[0] {
			values = values[:0]
			for _, plane := range g.planes {
				if plane[i] == plane[i] {
					values = append(values, float64(plane[i]))
				}
			}
			if len(values) > 0 {
				out[0][i] = float32(f(values))
			}
		}
		return out
	}
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

func mean(values []float64) float64 { return sum(values) / float64(len(values)) }

// variance is that of a sample; one value has none.
func variance(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	m, squares := mean(values), 0.0
	for _, v := range values {
		squares += (v - m) * (v - m)
	}
	return squares / float64(len(values)-1)
}

// middle sorts its argument.
func middle(values []float64) float64 {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// grayscale is the luma of ITU-R BT.601.
func grayscale(g grid, _ map[string]float64) [][]float32 {
	out := make([]float32, g.width*g.height)
	for i := range out {
		out[i] = (g.planes[0][i]*299 + g.planes[1][i]*587 + g.planes[2][i]*114) / 1000
	}
	return [][]float32{out}
}

// bitonal is white above 127 and black below.
func bitonal(g grid, set map[string]float64) [][]float32 {
	out := slices.Clone(g.planes[0])
	if len(g.planes) == 3 {
		out = grayscale(g, set)[0]
	}
	for i, v := range out {
		switch {
		case v > 127:
			out[i] = 255
		case v == v:
			out[i] = 0
		}
	}
	return [][]float32{out}
}
