package sar

// Border tells which samples at the edges of an image were measured. Before IPF 2.90 the processor left a ragged fringe of small digital
// numbers beside the zeros, and later ones a little of it.
//
//	each line from both sides:   dropped up to the first run of eight samples with DN² > N/2, and a guard behind it
//	each column from both ends:  the same, over the first and last 1600 lines, where no other slice goes on
type Border struct {
	lines, samples int
	guard          int
	from, to       []int32 // of each line: samples from…to−1 were measured
	top, run       []int32 // of each column: first line of a run, its length so far
	last, lastRun  []int32 // of each column: last line of a run
}

// borderRun is how many samples in a row are no fringe.
const borderRun = 8

// BorderLines is how far from the ends of an image columns are looked at.
const BorderLines = 1600

// NewBorder begins with an image of which nothing is known. The guard is 5 samples before IPF 2.90 and 3 since.
func NewBorder(lines, samples, guard int) *Border {
	b := &Border{lines: lines, samples: samples, guard: guard, from: make([]int32, lines), to: make([]int32, lines)}
	b.top, b.run, b.last, b.lastRun = make([]int32, samples), make([]int32, samples), make([]int32, samples), make([]int32, samples)
	for i := range b.top {
		b.top[i], b.last[i] = int32(lines), -1
	}
	return b
}

// Line takes the digital numbers of a line, and its noise (nil: unknown). Lines come from the first on.
func (b *Border) Line(line int, digital []uint16, noise []float32) {
	above := func(i int) bool {
		d := float32(digital[i])
		if noise == nil {
			return digital[i] > 0
		}
		return d > 0 && d*d > noise[i]/2
	}
	run, first := 0, b.samples
	for i := range digital {
		if !above(i) {
			run = 0
			continue
		}
		if run++; run == borderRun {
			first = i + 1 - borderRun
			break
		}
	}
	run, last := 0, 0
	for i := len(digital) - 1; i > first; i-- {
		if !above(i) {
			run = 0
			continue
		}
		if run++; run == borderRun {
			last = i + borderRun
			break
		}
	}
	if first > 0 {
		first += b.guard
	}
	if last < b.samples {
		last -= b.guard
	}
	b.from[line], b.to[line] = int32(min(first, b.samples)), int32(max(last, 0))
	b.columns(line, digital, above)
}

// columns looks for the first and the last run down each column.
func (b *Border) columns(line int, digital []uint16, above func(int) bool) {
	head, tail := line < BorderLines, line >= b.lines-BorderLines
	if !head && !tail {
		return
	}
	for i := range digital {
		if !above(i) {
			b.run[i], b.lastRun[i] = 0, 0
			continue
		}
		if head && b.top[i] == int32(b.lines) {
			if b.run[i]++; b.run[i] == borderRun {
				b.top[i] = int32(line + 1 - borderRun)
			}
		}
		if tail {
			if b.lastRun[i]++; b.lastRun[i] >= borderRun {
				b.last[i] = int32(line)
			}
		}
	}
}

// End finishes when all lines were there: ends of the image at which another slice goes on are not trimmed.
func (b *Border) End(before, after bool) {
	for i := range b.top {
		switch {
		case before:
			b.top[i] = 0
		case b.top[i] > 0 && b.top[i] < int32(b.lines):
			b.top[i] += int32(b.guard)
		}
		switch {
		case after:
			b.last[i] = int32(b.lines - 1)
		case b.last[i] < int32(b.lines-1):
			b.last[i] -= int32(b.guard)
		}
	}
	b.run, b.lastRun = nil, nil
}

// Span returns the samples of a line, from…to−1, that were measured as far as its own sides tell.
func (b *Border) Span(line int) (from, to int) { return int(b.from[line]), int(b.to[line]) }

// Columns returns the first and last line of every column that were measured as far as the image's ends tell.
func (b *Border) Columns() (first, last []int32) { return b.top, b.last }

// Valid reports whether a sample was measured.
func (b *Border) Valid(line, sample int) bool {
	if line < 0 || sample < 0 || line >= b.lines || sample >= b.samples {
		return false
	}
	return int32(sample) >= b.from[line] && int32(sample) < b.to[line] && int32(line) >= b.top[sample] && int32(line) <= b.last[sample]
}
