package raster

import "math"

// edgePx is how far before a pixel's edge a place still counts as on it: SWATH_EDGE, and room for rounding.
const edgePx = 1e-7

// blockArea is a rectangle of blocks of an image, and which of them are wanted.
type blockArea struct {
	level        *Level
	x, y, across int // the first block, and how many there are in a row
	stride       int // blocks in a row of the image
	wanted       []bool
}

// blocks returns the blocks of a plane of a level that the cells may use, reach pixels beyond their places.
func (g *controlGrid) blocks(level *Level, p *plane, reachColumns, reachRows float64) blockArea {
	w := g.seen(level, reachColumns, reachRows)
	if w.empty() {
		return blockArea{level: level}
	}
	a := blockArea{level: level, x: w.Col / p.blockWidth, y: w.Row / p.blockHeight, stride: p.across}
	a.across = (w.Col+w.Width-1)/p.blockWidth - a.x + 1
	a.wanted = make([]bool, a.across*((w.Row+w.Height-1)/p.blockHeight-a.y+1))
	for i := range g.cells {
		u0, v0, u1, v1 := g.cells[i].bounds()
		part := pixelsOf(u0-reachColumns, v0-reachRows, u1+reachColumns, v1+reachRows, level)
		if part.empty() {
			continue
		}
		x0, x1 := part.Col/p.blockWidth-a.x, (part.Col+part.Width-1)/p.blockWidth-a.x
		for y := part.Row/p.blockHeight - a.y; y <= (part.Row+part.Height-1)/p.blockHeight-a.y; y++ {
			for x := x0; x <= x1; x++ {
				a.wanted[y*a.across+x] = true
			}
		}
	}
	return a
}

// list returns the wanted blocks of the first band, sorted.
func (a blockArea) list() []int {
	list := make([]int, 0, len(a.wanted))
	for i, wanted := range a.wanted {
		if wanted {
			list = append(list, (a.y+i/a.across)*a.stride+a.x+i%a.across)
		}
	}
	return list
}

// seen returns the pixels of the level that the cells may use, reach beyond the positions themselves.
func (g *controlGrid) seen(level *Level, reachColumns, reachRows float64) Window {
	minU, minV, maxU, maxV := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i := range g.cells {
		u0, v0, u1, v1 := g.cells[i].bounds()
		minU, minV, maxU, maxV = min(minU, u0), min(minV, v0), max(maxU, u1), max(maxV, v1)
	}
	return pixelsOf(minU-reachColumns, minV-reachRows, maxU+reachColumns, maxV+reachRows, level)
}

// but returns the cells that are not to be skipped.
func (g *controlGrid) but(skip func(x, y, width, height int) bool) []cell {
	kept := make([]cell, 0, len(g.cells))
	for _, c := range g.cells {
		if !skip(int(c.x), int(c.y), int(c.width), int(c.height)) {
			kept = append(kept, c)
		}
	}
	return kept
}

// plane returns memory for the values of a grid: NaN, unless every one lies in a cell and will be written, or was said to be skipped.
func (g *controlGrid) plane(grid Grid) []float32 {
	p := NewPlane(grid.Width * grid.Height)
	if !g.whole {
		fillNaN(p)
	}
	return p
}

// bounds returns the extent of the cell's positions; corners without a place do not count.
func (c *cell) bounds() (minU, minV, maxU, maxV float64) {
	minU, minV, maxU, maxV = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for k := range 4 {
		u, v := c.column[k], c.row[k]
		if u != u || v != v {
			continue
		}
		if u < minU {
			minU = u
		}
		if u > maxU {
			maxU = u
		}
		if v < minV {
			minV = v
		}
		if v > maxV {
			maxV = v
		}
	}
	return minU, minV, maxU, maxV
}

// pixelsOf returns the pixels of the level that an extent touches.
func pixelsOf(minU, minV, maxU, maxV float64, level *Level) Window {
	if !(minU <= maxU && minV <= maxV) {
		return Window{}
	}
	side := func(v float64, size int) int { return int(math.Floor(max(-1, min(float64(size)+1, v)))) }
	u, v := side(minU, level.Width), side(minV, level.Height)
	return Window{u, v, side(maxU, level.Width) - u + 1, side(maxV, level.Height) - v + 1}.clip(level)
}
