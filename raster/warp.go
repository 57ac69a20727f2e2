package raster

/*
#include "kernels.h"
*/
import "C"

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"swath/fault"
)

// The cells go to C as they are.
var _ [unsafe.Sizeof(cell{})]byte = [C.sizeof_swath_cell]byte{}

// Warp returns the stored values of bands (counted from 1) at the pixel centres of a grid: a slice of Width x Height for
// each band, NaN where nothing was measured and outside the raster.
//
// Positions are exact to 0.001 source pixel. The level read is the coarsest that is not coarser than the grid; see also Grid.Repeats.
func (r *Reader) Warp(ctx context.Context, c *COG, g Grid, bands []int, resampling Resampling) ([][]float32, error) {
	return r.WarpBut(ctx, c, g, bands, resampling, nil)
}

// WarpBut is Warp without the rectangles of samples that skip says nobody needs: what lies there may be anything. nil skips nothing.
func (r *Reader) WarpBut(ctx context.Context, c *COG, g Grid, bands []int, resampling Resampling, skip func(x, y, width, height int) bool) ([][]float32, error) {
	if resampling > ModeOf {
		return nil, fault.New(fault.Invalid, "resampling %d is not known", resampling)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.checkBands(bands); err != nil {
		return nil, err
	}
	grid, err := r.layGrid(ctx, c, g, resampling)
	if err != nil {
		return nil, fmt.Errorf("raster: warp %s: %w", c.src.ID(), err)
	}
	if skip != nil {
		grid.cells = grid.but(skip)
	}
	level := &c.Levels[grid.level]
	if resampling == Nearest {
		return r.nearest(ctx, c, &grid, g, bands)
	}
	reach := float64(min(resampling, Lanczos)) // the kernels are numbered by their reach; areas reach less
	reachColumns := reach*math.Max(1, grid.columnRatio) + 1
	reachRows := reach*math.Max(1, grid.rowRatio) + 1
	w := grid.seen(level, reachColumns, reachRows)
	if int64(w.Width)*int64(w.Height)*4*int64(len(bands)) > r.LimitBytes {
		return nil, fault.New(fault.TooLarge, "the request needs %d x %d source pixels of %d bands, %d bytes; the limit is %d",
			w.Width, w.Height, len(bands), int64(w.Width)*int64(w.Height)*4*int64(len(bands)), r.LimitBytes)
	}
	needed := grid.blocks(level, &level.pixels, reachColumns, reachRows)
	planes, err := r.window(ctx, c, grid.level, w, needed.list(), bands)
	if err != nil {
		return nil, err
	}
	defer FreePlanes(planes)
	out := make([][]float32, len(bands))
	for i, plane := range planes {
		out[i] = grid.plane(g)
		if w.empty() || len(grid.cells) == 0 {
			fillNaN(out[i])
			continue
		}
		if err := r.working(ctx, func() error { sample(out[i], g.Width, plane, w, &grid, resampling); return nil }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// layGrid finds the control grid of a request, as work of one core. Grids of rasters that a coordinate system and a
// transform place are kept.
func (r *Reader) layGrid(ctx context.Context, c *COG, g Grid, resampling Resampling) (controlGrid, error) {
	coarser := 1.0
	if g.Repeats && resampling == Nearest {
		coarser = repeating
	}
	lay := func() (grid controlGrid, err error) {
		l, release, err := newLocator(c, g)
		if err != nil {
			return controlGrid{}, err
		}
		defer release()
		err = r.working(ctx, func() error {
			grid, err = layGrid(&l, g, c.Levels, coarser)
			return err
		})
		return grid, err
	}
	if len(c.GCPs) > 0 {
		return lay()
	}
	var sizes []byte
	for _, l := range c.Levels {
		sizes = binary.AppendUvarint(binary.AppendUvarint(sizes, uint64(l.Width)), uint64(l.Height))
	}
	return r.grids.get(gridKey{g, c.system(), c.Transform, string(sizes), coarser}, lay)
}

// sample draws the cells of a grid from the values of a window.
func sample(to []float32, stride int, from []float32, w Window, grid *controlGrid, resampling Resampling) {
	pixels, window := (*C.float)(&from[0]), C.swath_window{C.int(w.Col), C.int(w.Row), C.int(w.Width), C.int(w.Height)}
	cells, count := (*C.swath_cell)(unsafe.Pointer(&grid.cells[0])), C.int(len(grid.cells))
	if resampling == AverageOf || resampling == ModeOf {
		mode := C.int(0)
		if resampling == ModeOf {
			mode = 1
		}
		C.swath_area(cells, count, pixels, window, (*C.float)(&to[0]), C.int(stride), mode, C.double(grid.columnRatio), C.double(grid.rowRatio))
		return
	}
	C.swath_filter(cells, count, pixels, window, (*C.float)(&to[0]), C.int(stride), C.int(resampling), C.double(grid.columnRatio), C.double(grid.rowRatio))
}

// Point returns the stored values of bands (counted from 1) of the full resolution pixel at a place; NaN where nothing was
// measured and outside the raster.
func (r *Reader) Point(ctx context.Context, c *COG, lonDeg, latDeg float64, bands []int) ([]float32, error) {
	column, row, err := c.pixel(lonDeg, latDeg)
	if err != nil {
		return nil, fmt.Errorf("raster: point of %s: %w", c.src.ID(), err)
	}
	inside := column >= 0 && row >= 0 && column < float64(c.Levels[0].Width) && row < float64(c.Levels[0].Height)
	w := Window{Col: -1, Row: -1, Width: 1, Height: 1} // outside: NaN
	if inside {
		w.Col, w.Row = int(column), int(row)
	}
	planes, err := r.Read(ctx, c, 0, w, bands)
	if err != nil {
		return nil, err
	}
	values := make([]float32, len(planes))
	for i, plane := range planes {
		values[i] = plane[0]
	}
	return values, nil
}
