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

// means fills the mean of each pixel's window, over what was measured; NaN where the pixel itself was not.
func (f Filter) means(to []float32, r rows, sums []float64, counts []int32) {
	reach, w := f.Reach(), r.width
	sums, counts = sums[:w], counts[:w]
	clear(sums)
	clear(counts)
	add := func(j int) {
		for i, v := range r.values[j*w : (j+1)*w] {
			if v == v {
				sums[i] += float64(v)
				counts[i]++
			}
		}
	}
	remove := func(j int) {
		for i, v := range r.values[j*w : (j+1)*w] {
			if v == v {
				sums[i] -= float64(v)
				counts[i]--
			}
		}
	}
	for j := max(0, r.before-reach); j < min(r.total(), r.before+reach); j++ {
		add(j)
	}
	for y := range r.count {
		if j := r.before + y + reach; j < r.total() {
			add(j)
		}
		if j := r.before + y - reach - 1; j >= 0 {
			remove(j)
		}
		across(to[y*w:(y+1)*w], r.values[(r.before+y)*w:][:w], sums, counts, reach)
	}
}

// across slides the window over the sums of columns. float64 keeps what bright points leave behind below the last bit of a float32.
func across(to, own []float32, sums []float64, counts []int32, reach int) {
	var sum float64
	var n int32
	w := len(to)
	for i := range min(reach, w) {
		sum, n = sum+sums[i], n+counts[i]
	}
	for i := range to {
		if j := i + reach; j < w {
			sum, n = sum+sums[j], n+counts[j]
		}
		if j := i - reach - 1; j >= 0 {
			sum, n = sum-sums[j], n-counts[j]
		}
		if own[i] != own[i] {
			to[i] = own[i]
			continue
		}
		to[i] = float32(sum / float64(n))
	}
}

// accumulate adds the ratios of a date to their surroundings. What is no positive number does not count. With the guard a ratio far beyond the
// mean of those before it counts as that mean.
func (f Filter) accumulate(sum, count, values, means []float32) {
	limit := f.limit()
	for i, v := range values {
		e := means[i]
		if !(e > 0) || v != v {
			continue
		}
		ratio := v / e
		if f.Guard && count[i] >= guardAfter {
			if mean := sum[i] / count[i]; ratio > limit*max(1, mean) {
				ratio = mean
			}
		}
		sum[i] += ratio
		count[i]++
	}
}

// apply filters a date: its surroundings times the mean ratio. With the guard a value far beyond that stays as it is.
func (f Filter) apply(to, values, means, sum, count []float32) {
	limit := f.limit()
	nan := float32(math.NaN())
	for i, v := range values {
		e := means[i]
		switch {
		case v != v:
			to[i] = nan
			continue
		case !(e > 0) || count[i] == 0:
			to[i] = v
			continue
		}
		mean := sum[i] / count[i]
		if f.Guard && v > limit*max(1, mean)*e {
			to[i] = v
			continue
		}
		to[i] = e * mean
	}
}

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

// looksPerOctave classes of the histogram double the looks.
const looksPerOctave = 6

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
	sums, counts := make([]float64, width), make([]int32, width)
	for _, d := range dates {
		f.means(means, rows{values: d, width: width, count: n / width}, sums, counts)
		f.accumulate(sum, count, d, means)
	}
	out := make([][]float32, len(dates))
	for k, d := range dates {
		out[k] = make([]float32, n)
		f.means(means, rows{values: d, width: width, count: n / width}, sums, counts)
		f.apply(out[k], d, means, sum, count)
	}
	return out
}
