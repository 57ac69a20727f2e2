package s1ortho

import (
	"math"

	"swath/sar"
)

// facetsPerPixel of the map, in each direction: facets are at most half a sample of the radar's.
const facetsPerPixel = 2

// flattener finds how much ground each sample of the radar image stands for (Small, "Flattening Gamma: Radiometric Terrain Correction for
// SAR Imagery", IEEE TGRS 49(8), 2011).
type flattener struct {
	area, line, pixel, amount, heights, scratch []float32
}

// factors are what β⁰ of a window is multiplied by to be γ⁰ of flat ground: the area of a sample in the slant plane, by that of all ground which
// it shows, across the line of sight. NaN where next to no ground is seen.
func (f *flattener) factors(t *tile, sl *slice, inner *lattice, win window, x0, y0, width, height int) []float32 {
	// Ground that shares samples with the block's own lies towards the satellite or away from it, as far as heights lean over.
	tan, east, north := inner.steepness()
	const most = reliefStep*reliefMargin - 3*reliefStep // pixels; what the relief has around a tile
	aside := most
	x1, y1, x2, y2 := 0, 0, 0, 0
	for range 2 {
		x1, y1 = x0-8-int(math.Abs(east)*float64(aside)), y0-8-int(math.Abs(north)*float64(aside))
		x2, y2 = x0+width+8+int(math.Abs(east)*float64(aside)), y0+height+8+int(math.Abs(north)*float64(aside))
		lowest, highest := t.relief.span(x1, y1, x2-x1, y2-y1)
		aside = min(most, int(float64(highest-lowest)/tan/pixelM)+2)
	}
	lowest, highest := t.relief.span(x1, y1, x2-x1, y2-y1)
	l, ok := solve(t.grid, t.projection, sl.grd, x1, y1, x2-x1, y2-y1, lowest, highest)
	n := win.width * win.height
	f.area = grown(f.area, n)
	clear(f.area)
	if !ok {
		return f.area
	}
	f.scatter(t, l, win)
	grd := sl.grd
	midLine, midPixel := float64(win.line)+float64(win.height)/2, float64(win.pixel)+float64(win.width)/2
	lonA, latA := grd.Place(midLine-0.5, midPixel, inner.middle)
	lonB, latB := grd.Place(midLine+0.5, midPixel, inner.middle)
	azimuthM := sar.ToECEF(lonA, latA, inner.middle).Sub(sar.ToECEF(lonB, latB, inner.middle)).Norm()
	const least = 0.05 // of the slant area: less ground is shadow or its edge
	for i := range win.width {
		_, per := grd.Slant(midLine, float64(win.pixel+i))
		slant := float32(per * grd.SpacingM * azimuthM)
		for k := i; k < n; k += win.width {
			v := f.area[k]
			f.area[k] = slant / v
			if v < least*slant {
				f.area[k] = float32(math.NaN())
			}
		}
	}
	return f.area
}

// scatter adds up the facets of a part of the ground in the samples that show them.
func (f *flattener) scatter(t *tile, l *lattice, win window) {
	const rows = 128 // facets at a time
	fine := facetsPerPixel
	w, h := l.w*fine, l.h*fine
	f.heights = grown(f.heights, (w+2)*(rows+2))
	f.line, f.pixel, f.amount = grown(f.line, w), grown(f.pixel, w), grown(f.amount, w)
	side := float32(pixelM/float64(fine)) * float32(l.scale)
	cell := latticeStep * fine
	for top := 0; top < h; top += rows {
		high := min(rows, h-top)
		t.relief.fill(f.heights[:(w+2)*(high+2)], l.x0*fine-1, l.y0*fine+top-1, w+2, high+2, fine, &f.scratch)
		for j := range high {
			north, here, south := f.heights[j*(w+2):][:w+2], f.heights[(j+1)*(w+2):][:w+2], f.heights[(j+2)*(w+2):][:w+2]
			y := (float64(top+j)+0.5)/float64(fine) - 0.5
			l.places(f.line, f.pixel, here[1:w+1], math.Max(y, 0), fine, float64(win.line), float64(win.pixel))
			for from := 0; from < w; from += cell {
				to := min(from+cell, w)
				look := l.toward(math.Max(y, 0), from/cell, fine)
				look.Facets(f.amount[from:to], north[from:to+2], here[from:to+2], south[from:to+2], side)
			}
			sar.Scatter(f.area, win.width, win.height, f.line, f.pixel, f.amount)
		}
	}
}
