package raster

/*
#include "kernels.h"
*/
import "C"

import (
	"context"
	"math"
	"unsafe"

	"swath/fault"
)

// Window is a rectangle of pixels of one level.
type Window struct{ Col, Row, Width, Height int }

// clip returns the part of the window inside the level.
func (w Window) clip(l *Level) Window {
	right, bottom := min(w.Col+w.Width, l.Width), min(w.Row+w.Height, l.Height)
	w.Col, w.Row = max(w.Col, 0), max(w.Row, 0)
	w.Width, w.Height = max(right-w.Col, 0), max(bottom-w.Row, 0)
	return w
}

func (w Window) empty() bool { return w.Width == 0 || w.Height == 0 }

// Read returns the stored values of a window of one level: a slice of Width x Height for each band (counted from 1), NaN
// where nothing was measured and outside the image.
func (r *Reader) Read(ctx context.Context, c *COG, level int, w Window, bands []int) ([][]float32, error) {
	if level < 0 || level >= len(c.Levels) {
		return nil, fault.New(fault.Invalid, "level %d: the raster has %d", level, len(c.Levels))
	}
	if w.Width < 0 || w.Height < 0 || int64(w.Width)*int64(w.Height) > r.LimitBytes/4 ||
		w.Col < -maxSide || w.Row < -maxSide || w.Col > maxSide || w.Row > maxSide {
		return nil, fault.New(fault.TooLarge, "a window of %d x %d pixels is more than the %d bytes of one request", w.Width, w.Height, r.LimitBytes)
	}
	inside := w.clip(&c.Levels[level])
	planes, err := r.window(ctx, c, level, inside, nil, bands)
	if err != nil {
		return nil, err
	}
	if inside == w {
		return planes, nil
	}
	for i, plane := range planes {
		whole := nanPlane(w.Width * w.Height)
		for y := range inside.Height {
			copy(whole[(inside.Row-w.Row+y)*w.Width+inside.Col-w.Col:], plane[y*inside.Width:(y+1)*inside.Width])
		}
		planes[i] = whole
	}
	return planes, nil
}

func nanPlane(n int) []float32 {
	p := NewPlane(n)
	fillNaN(p)
	return p
}

func fillNaN(p []float32) {
	if len(p) > 0 {
		p[0] = float32(math.NaN())
	}
	for done := 1; done < len(p); done *= 2 {
		copy(p[done:], p[:done])
	}
}

// window returns the values of a window inside a level, for each band. Only some blocks (of the level's first band, sorted;
// nil: all) are read; the others are NaN.
func (r *Reader) window(ctx context.Context, c *COG, level int, w Window, places []int, bands []int) ([][]float32, error) {
	l := &c.Levels[level]
	if err := c.checkBands(bands); err != nil {
		return nil, err
	}
	all := places == nil
	out := make([][]float32, len(bands))
	for i := range out {
		out[i] = nanPlane(w.Width * w.Height)
	}
	if w.empty() {
		return out, nil
	}
	p := &l.pixels
	if all {
		places = p.blocksIn(w)
	}
	planes := 1
	if p.separate {
		planes = len(bands)
	}
	if err := r.allow(p, planes*len(places)); err != nil {
		return nil, err
	}
	if err := r.fill(ctx, c, p, w, places, bands, c.NoData, out); err != nil {
		return nil, err
	}
	veil, alpha := c.veil(l, bands)
	if veil == nil {
		return out, nil
	}
	if veil == p {
		return out, r.hide(ctx, c, p, w, places, alpha, out)
	}
	if all || l.mask.blockWidth != p.blockWidth || l.mask.blockHeight != p.blockHeight {
		places = l.mask.blocksIn(w)
	}
	return out, r.mask(ctx, c, l.mask, w, places, out)
}

// fill writes bands of blocks of a plane into the values of a window.
func (r *Reader) fill(ctx context.Context, c *COG, p *plane, w Window, places []int, bands []int, noData *float64, to [][]float32) error {
	if !p.separate {
		blocks, err := r.blocks(ctx, c, p, places)
		if err != nil {
			return err
		}
		for i, band := range bands {
			if err := r.working(ctx, func() error { p.toFloat(to[i], w, places, blocks, band-1, noData); return nil }); err != nil {
				return err
			}
		}
		return nil
	}
	for i, band := range bands {
		shifted := make([]int, len(places))
		for j, place := range places {
			shifted[j] = (band-1)*p.across*p.down + place
		}
		blocks, err := r.blocks(ctx, c, p, shifted)
		if err != nil {
			return err
		}
		if err := r.working(ctx, func() error { p.toFloat(to[i], w, places, blocks, 0, noData); return nil }); err != nil {
			return err
		}
	}
	return nil
}

// hide turns the pixels into NaN where the band of opacity is 0.
func (r *Reader) hide(ctx context.Context, c *COG, p *plane, w Window, places []int, alpha int, out [][]float32) error {
	opacity := nanPlane(w.Width * w.Height)
	defer FreePlanes([][]float32{opacity})
	if err := r.fill(ctx, c, p, w, places, []int{alpha}, nil, [][]float32{opacity}); err != nil {
		return err
	}
	for i, o := range opacity {
		if !(o > 0) {
			for _, plane := range out {
				plane[i] = float32(math.NaN())
			}
		}
	}
	return nil
}

// mask turns the pixels whose mask is 0 into NaN, in the places given.
func (r *Reader) mask(ctx context.Context, c *COG, m *plane, w Window, places []int, out [][]float32) error {
	if err := r.allow(m, len(places)); err != nil {
		return err
	}
	blocks, err := r.blocks(ctx, c, m, places)
	if err != nil {
		return err
	}
	return r.working(ctx, func() error {
		for i, place := range places {
			part, at, from := m.overlap(w, place)
			for _, plane := range out {
				if blocks[i] == nil { // a mask block that is left out is all 0
					for y := range part.Height {
						row := plane[at+y*w.Width:][:part.Width]
						for x := range row {
							row[x] = float32(math.NaN())
						}
					}
					continue
				}
				C.swath_apply_mask((*C.float)(&plane[at]), C.int(w.Width), (*C.uint8_t)(&blocks[i][from]), C.int(m.blockWidth),
					C.int(part.Width), C.int(part.Height))
			}
		}
		return nil
	})
}

// blocksIn lists the blocks of the first band that a window touches, sorted.
func (p *plane) blocksIn(w Window) []int {
	var list []int
	for y := w.Row / p.blockHeight; y <= (w.Row+w.Height-1)/p.blockHeight; y++ {
		for x := w.Col / p.blockWidth; x <= (w.Col+w.Width-1)/p.blockWidth; x++ {
			list = append(list, y*p.across+x)
		}
	}
	return list
}

// overlap returns the part of a window inside a block, where it begins in the window's values, and in the block's pixels.
func (p *plane) overlap(w Window, block int) (part Window, at, from int) {
	col, row := block%p.across*p.blockWidth, block/p.across*p.blockHeight
	part = Window{max(col, w.Col), max(row, w.Row), min(col+p.blockWidth, w.Col+w.Width), min(row+p.blockHeight, w.Row+w.Height)}
	part.Width, part.Height = part.Width-part.Col, part.Height-part.Row
	return part, (part.Row-w.Row)*w.Width + part.Col - w.Col, (part.Row-row)*p.blockWidth + part.Col - col
}

// toFloat writes one sample of each block's pixels into the window's values.
func (p *plane) toFloat(to []float32, w Window, places []int, blocks [][]byte, sample int, noData *float64) {
	has, value := C.int(0), C.double(0)
	if noData != nil {
		has, value = 1, C.double(*noData)
	}
	for i, place := range places {
		if blocks[i] == nil {
			continue
		}
		part, at, from := p.overlap(w, place)
		first := (from*p.samples + sample) * p.format.Bytes()
		C.swath_to_float((*C.float)(&to[at]), C.int(w.Width), unsafe.Pointer(&blocks[i][first]), cType[p.format], C.int(p.samples),
			C.int(p.blockWidth*p.samples), C.int(part.Width), C.int(part.Height), has, value)
	}
}
