package s1tiling

import "math"

// Filter is the multitemporal filter of Quegan and Yu over a square window: see the package.
type Filter struct {
	Window int     // pixels, odd
	Looks  float64 // equivalent number of one date's
	Guard  bool    // keep points out of what is shared between dates
}

// guardAfter is how many dates must be known before a ratio can be told to be unusual.
const guardAfter = 4

// limit is the ratio of a value to its surroundings that one speckled value in a thousand exceeds: the quantile of the gamma distribution by
// Wilson and Hilferty (PNAS 17(12), 1931).
func (f Filter) limit() float32 {
	const normal = 3.0902 // 99.9 %
	a := 1 / (9 * f.Looks)
	v := 1 - a + normal*math.Sqrt(a)
	return float32(v * v * v)
}

// Reach is how many pixels around one are needed.
func (f Filter) Reach() int { return f.Window / 2 }

// rows are some rows of one band, and those around them that the window needs: before and after them, fewer at the edges of the image.
type rows struct {
	values        []float32
	width         int
	before, count int // rows of values before the first, and how many count
}

func (r rows) total() int { return len(r.values) / r.width }

// Looks estimates the equivalent number of looks of an image from squares of 15 pixels: mean²/variance, the value that most of the squares
// have, since texture and edges only make it smaller. 0 when nothing was measured.
func looksOf(values []float32, width int, histogram []int) {
	const side = 15
	high := len(values) / width
	for y := 0; y+side <= high; y += 2 * side {
		for x := 0; x+side <= width; x += 2 * side {
			var n, sum, square float64
			for j := range side {
				for _, v := range values[(y+j)*width+x:][:side] {
					if v == v {
						n, sum, square = n+1, sum+float64(v), square+float64(v)*float64(v)
					}
				}
			}
			if n < side*side || !(sum > 0) {
				continue
			}
			mean := sum / n
			if looks := mean * mean / ((square - n*mean*mean) / (n - 1)); looks > 0 {
				histogram[max(0, min(len(histogram)-1, int(looksPerOctave*math.Log2(looks))))]++
			}
		}
	}
}

// looksPerOctave classes of the histogram, of looksClasses, double the looks.
const looksPerOctave, looksClasses = 6, 96

// mode of a histogram, smoothed over three classes; 0 when it is empty.
func mode(histogram []int) float64 {
	best, most := 0, 0
	for i := range histogram {
		n := histogram[i] * 2
		if i > 0 {
			n += histogram[i-1]
		}
		if i+1 < len(histogram) {
			n += histogram[i+1]
		}
		if n > most {
			best, most = i, n
		}
	}
	if most == 0 {
		return 0
	}
	return math.Pow(2, (float64(best)+0.5)/looksPerOctave)
}

// Series filters dates that are in memory, planes of the same width, and returns them filtered: all of them with what all of them say.
func (f Filter) Series(dates [][]float32, width int) [][]float32 {
	n := len(dates[0])
	sum, count, means := make([]float32, n), make([]float32, n), make([]float32, n)
	var c columns
	for _, d := range dates {
		f.means(means, rows{values: d, width: width, count: n / width}, &c)
		f.accumulate(sum, count, d, means)
	}
	out := make([][]float32, len(dates))
	for k, d := range dates {
		out[k] = make([]float32, n)
		f.means(means, rows{values: d, width: width, count: n / width}, &c)
		f.apply(out[k], d, means, sum, count)
	}
	return out
}
