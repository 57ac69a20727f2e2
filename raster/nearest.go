package raster

/*
#include "kernels.h"
*/
import "C"

import (
	"context"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"unsafe"

	"swath/fault"
)

// nearest returns the values of the pixels that the places of a grid lie in, straight from the decoded blocks.
func (r *Reader) nearest(ctx context.Context, c *COG, grid *controlGrid, g Grid, bands []int) ([][]float32, error) {
	level := &c.Levels[grid.level]
	out := make([][]float32, len(bands))
	for i := range out {
		out[i] = grid.plane(g)
	}
	if err := r.gather(ctx, c, &level.pixels, grid, g.Width, bands, c.NoData, out); err != nil {
		return nil, err
	}
	veil, band := c.veil(level, bands)
	if veil == nil {
		return out, nil
	}
	mask := grid.plane(g)
	defer FreePlanes([][]float32{mask})
	if err := r.gather(ctx, c, veil, grid, g.Width, []int{band}, nil, [][]float32{mask}); err != nil {
		return nil, err
	}
	for i, m := range mask {
		if !(m > 0) { // also where a block of the mask is left out: it is all 0
			for _, plane := range out {
				plane[i] = float32(math.NaN())
			}
		}
	}
	return out, nil
}

// gather writes bands of a plane at the places of the cells.
func (r *Reader) gather(ctx context.Context, c *COG, p *plane, grid *controlGrid, stride int, bands []int, noData *float64, to [][]float32) error {
	area := grid.blocks(&c.Levels[grid.level], p, edgePx, edgePx)
	places := area.list()
	if len(places) == 0 {
		for _, plane := range to {
			fillNaN(plane)
		}
		return nil
	}
	planes := 1
	if p.separate {
		planes = len(bands)
	}
	if err := r.allow(p, planes*len(places)); err != nil {
		return err
	}
	if !p.separate {
		blocks, err := r.blocks(ctx, c, p, places)
		if err != nil {
			return err
		}
		samples := make([]C.int, len(bands))
		for i, band := range bands {
			samples[i] = C.int(band - 1)
		}
		return r.working(ctx, func() error { p.gather(grid, area, blocks, samples, noData, to, stride); return nil })
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
		if err := r.working(ctx, func() error { p.gather(grid, area, blocks, []C.int{0}, noData, to[i:i+1], stride); return nil }); err != nil {
			return err
		}
	}
	return nil
}

// gather hands the blocks of an area, in the order of its list, to the kernel.
func (p *plane) gather(grid *controlGrid, area blockArea, blocks [][]byte, samples []C.int, noData *float64, to [][]float32, stride int) {
	var pin runtime.Pinner
	defer pin.Unpin()
	table := make([]unsafe.Pointer, len(area.wanted))
	next := 0
	for i, wanted := range area.wanted {
		if wanted {
			if blocks[next] != nil {
				table[i] = unsafe.Pointer(&blocks[next][0])
				pin.Pin(table[i])
			}
			next++
		}
	}
	out := make([]*C.float, len(to))
	for i := range to {
		out[i] = (*C.float)(&to[i][0])
		pin.Pin(out[i])
	}
	pin.Pin(&table[0])
	from := C.swath_blocks{
		blocks: &table[0], first_x: C.int(area.x), first_y: C.int(area.y), across: C.int(area.across),
		width: C.int(area.level.Width), height: C.int(area.level.Height), block_width: C.int(p.blockWidth), block_height: C.int(p.blockHeight),
		shift_x: shift(p.blockWidth), shift_y: shift(p.blockHeight), _type: cType[p.format], step: C.int(p.samples), nodata: C.double(p.format.holds(noData)),
	}
	C.swath_nearest((*C.swath_cell)(unsafe.Pointer(&grid.cells[0])), C.int(len(grid.cells)), &from, &samples[0], C.int(len(samples)), &out[0], C.int(stride))
}

// shift returns which power of two a number is, -1 when it is none.
func shift(n int) C.int {
	if bits.OnesCount(uint(n)) != 1 {
		return -1
	}
	return C.int(bits.TrailingZeros(uint(n)))
}

// holds returns a nodata value as a type can hold it: NaN, which equals nothing, when there is none or no sample can be it.
func (d DataType) holds(noData *float64) float64 {
	if noData == nil || d != Float32 && d != Float64 && *noData != math.Trunc(*noData) {
		return math.NaN()
	}
	return *noData
}

// checkBands refuses bands that the raster does not have.
func (c *COG) checkBands(bands []int) error {
	if i := slices.IndexFunc(bands, func(b int) bool { return b < 1 || b > c.Bands }); i >= 0 {
		return fault.New(fault.Invalid, "band %d: the raster has %d", bands[i], c.Bands)
	}
	return nil
}
