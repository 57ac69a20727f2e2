package sar

import (
	"math"
	"sort"

	"swath/sentinel/s1"
)

// Table is a quantity given along some lines at some pixels, interpolated bilinearly; beyond the first and last it stays as there.
type Table struct {
	lines  []float64
	rows   [][]float32 // at every pixel of the image
	Absent bool        // nothing but zeros
}

// Of says which backscatter.
type Of int

// The kinds of backscatter.
const (
	Sigma Of = iota // per area on the ellipsoid
	Beta            // per area in the slant plane
	Gamma           // per area across the line of sight
)

// CalibrationTable spreads A over the pixels of an image: backscatter is DN²/A².
func CalibrationTable(c *s1.Calibration, of Of, samples int) *Table {
	t := &Table{}
	for _, v := range c.Vectors {
		lut := v.SigmaNought
		switch of {
		case Beta:
			lut = v.BetaNought
		case Gamma:
			lut = v.Gamma
		}
		t.add(v.Line, v.Pixels, lut, samples)
	}
	return t
}

func (t *Table) add(line int, pixels []int, values []float64, samples int) {
	row := make([]float32, samples)
	spread(row, pixels, values)
	t.lines, t.rows = append(t.lines, float64(line)), append(t.rows, row)
}

// spread fills a row by straight lines between positions.
func spread(row []float32, at []int, values []float64) {
	k := 0
	for i := range row {
		for k+1 < len(at) && at[k+1] <= i {
			k++
		}
		switch {
		case i <= at[0]:
			row[i] = float32(values[0])
		case k+1 == len(at):
			row[i] = float32(values[k])
		default:
			w := float64(i-at[k]) / float64(at[k+1]-at[k])
			row[i] = float32(values[k] + w*(values[k+1]-values[k]))
		}
	}
}

// between returns the rows before and after a line, and the weight of the second.
func (t *Table) between(line int) (a, b []float32, w float32) {
	i := sort.SearchFloat64s(t.lines, float64(line))
	switch {
	case i == 0:
		return t.rows[0], t.rows[0], 0
	case i == len(t.lines):
		return t.rows[i-1], t.rows[i-1], 0
	}
	return t.rows[i-1], t.rows[i], float32((float64(line) - t.lines[i-1]) / (t.lines[i] - t.lines[i-1]))
}

// NoiseTable is the thermal noise of an image in DN², of either form of annotation.
type NoiseTable struct {
	Table
	blocks []noiseBlock
}

// noiseBlock is where a factor down the lines holds.
type noiseBlock struct {
	firstLine, lastLine, firstSample, lastSample int
	lines                                        []int
	values                                       []float64
}

// NewNoiseTable spreads the noise over the pixels of an image. Some processors before IPF 2.50 wrote nothing but zeros: Absent.
func NewNoiseTable(n *s1.Noise, samples int) *NoiseTable {
	t := &NoiseTable{}
	t.Absent = true
	for _, v := range n.Range {
		t.add(v.Line, v.Pixels, v.LUT, samples)
		for _, x := range v.LUT {
			t.Absent = t.Absent && x == 0
		}
	}
	for _, b := range n.Azimuth {
		t.blocks = append(t.blocks, noiseBlock{b.FirstLine, b.LastLine, max(b.FirstSample, 0), min(b.LastSample, samples-1), b.Lines, b.LUT})
	}
	return t
}

// factor is that of a block at a line, between its own lines along straight ones.
func (b *noiseBlock) factor(line int) float32 {
	i := sort.SearchInts(b.lines, line)
	switch {
	case i == 0:
		return float32(b.values[0])
	case i == len(b.lines):
		return float32(b.values[i-1])
	}
	w := float64(line-b.lines[i-1]) / float64(b.lines[i]-b.lines[i-1])
	return float32(b.values[i-1] + w*(b.values[i]-b.values[i-1]))
}

// Row returns the noise of some pixels of a line, from the first on.
func (t *NoiseTable) Row(to []float32, line, first int) {
	a, b, w := t.between(line)
	mix(to, a[first:], b[first:], w)
	for i := range t.blocks {
		k := &t.blocks[i]
		if line < k.firstLine || line > k.lastLine {
			continue
		}
		f := k.factor(line)
		for j := max(k.firstSample, first); j <= min(k.lastSample, first+len(to)-1); j++ {
			to[j-first] *= f
		}
	}
}

// Row returns the table's values at some pixels of a line, from the first on.
func (t *Table) Row(to []float32, line, first int) {
	a, b, w := t.between(line)
	mix(to, a[first:], b[first:], w)
}

// mix is (1−w)·a + w·b.
func mix(to, a, b []float32, w float32) {
	a, b = a[:len(to)], b[:len(to)]
	for i := range to {
		to[i] = a[i] + w*(b[i]-a[i])
	}
}

// MedianRatio compares noise to what was measured: the median of N/DN² over a sample of lines, which a noise table of a wrong scale makes
// larger than one.
func (t *NoiseTable) MedianRatio(line int, digital []uint16) float64 {
	noise := make([]float32, len(digital))
	t.Row(noise, line, 0)
	var ratios []float64
	for i, d := range digital {
		if d > 0 {
			ratios = append(ratios, float64(noise[i])/(float64(d)*float64(d)))
		}
	}
	if len(ratios) == 0 {
		return math.NaN()
	}
	sort.Float64s(ratios)
	return ratios[len(ratios)/2]
}
