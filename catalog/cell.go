package catalog

import (
	"math"
	"slices"
)

// A loose cell holds the centre of a box and is at least as large as it, so that the box reaches out of its cell by half a
// cell at most. Level L has cells of 360/2^L degrees; level 0 is the globe.
const (
	finestLevel = 8
	noCell      = -1 // of an item without a place
)

func cellSizeDeg(level int) float64 { return 360 / float64(int(1)<<level) }

// cellRows returns how many rows a level has; it has 2^level columns.
func cellRows(level int) int { return int(math.Ceil(180 / cellSizeDeg(level))) }

func cellNumber(level, row, column int) int32 { return int32(level<<24 | row<<12 | column) }

// cellOf returns the one cell of a box.
func cellOf(s span) int32 {
	level := finestLevel
	for level > 0 && cellSizeDeg(level) < max(s.east-s.west, s.north-s.south) {
		level--
	}
	size := cellSizeDeg(level)
	column := int(math.Floor(((s.west+s.east)/2+180)/size)) & (1<<level - 1) // beyond 180 it begins again
	row := int(math.Floor(((s.south+s.north)/2 + 90) / size))
	return cellNumber(level, min(max(row, 0), cellRows(level)-1), column)
}

// cellsMeeting returns every cell whose items may meet a box: at each level, the box grown by half a cell.
func cellsMeeting(s span) []int32 {
	var cells []int32
	for level := 0; level <= finestLevel; level++ {
		size := cellSizeDeg(level)
		grow := size/2 + 1e-9
		last := 1<<level - 1
		west, east := int(math.Floor((s.west-grow+180)/size)), int(math.Floor((s.east+grow+180)/size))
		if east-west > last {
			west, east = 0, last
		}
		south := max(int(math.Floor((s.south-grow+90)/size)), 0)
		north := min(int(math.Floor((s.north+grow+90)/size)), cellRows(level)-1)
		for row := south; row <= north; row++ {
			for column := west; column <= east; column++ {
				cells = append(cells, cellNumber(level, row, column&last))
			}
		}
	}
	slices.Sort(cells)
	return slices.Compact(cells)
}

// partOf returns about which part of the items of a cell meets a box: those whose centre is no farther from it than half of
// their size, which is between a half and the whole of the cell's.
func (s span) partOf(cell int32) float64 {
	level := int(cell >> 24)
	size := cellSizeDeg(level)
	grow := 0.375 * size
	west, south := float64(cell&0xfff)*size-180, float64(cell>>12&0xfff)*size-90
	wide := 0.0
	for turn := -360.0; turn <= 360; turn += 360 {
		wide += max(0, min(s.east+grow+turn, west+size)-max(s.west-grow+turn, west))
	}
	high := max(0, min(s.north+grow, south+size)-max(s.south-grow, south))
	return max(min(wide/size, 1)*min(high/size, 1), 1e-3) // never nothing: it is a guess
}
