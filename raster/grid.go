package raster

import (
	"math"

	"swath/fault"
)

const (
	cellPx      = 16   // output pixels between the points of the control grid
	cellErrorPx = 0.001 // source pixels that the middle of a cell may be off its exact place: 99.9 % of nearest pixels then agree
	maxGridSide = 1 << 14
)

// cell is a rectangle of output pixels whose centres lie at source positions interpolated between four corners: at the
// first pixel's centre, one step past the last to the right, below, and both. It is swath_cell in kernels.h.
type cell struct {
	x, y, width, height int32
	column, row         [4]float64
}

// controlGrid is the cells that may see one level of a raster.
type controlGrid struct {
	cells                 []cell
	level                 int
	columnRatio, rowRatio float64 // source pixels of the level per output pixel
}

// layGrid chooses the level for a grid, and the cells that cover it.
func layGrid(l *locator, g Grid, levels []Level) (controlGrid, error) {
	if g.Width < 1 || g.Height < 1 || g.Width > maxGridSide || g.Height > maxGridSide {
		return controlGrid{}, fault.New(fault.TooLarge, "a grid of %d x %d pixels: each side may be 1 to %d", g.Width, g.Height, maxGridSide)
	}
	full := float64(levels[0].Width)
	plan, err := firstCells(l, g)
	if err != nil {
		return controlGrid{}, err
	}
	// First until each cell is straight enough to tell the resolution, then until it is exact at the level chosen.
	if plan, err = refine(l, g, plan, 1, 1, &levels[0], func(c *cell, du, dv float64) bool { return math.Hypot(du, dv) <= c.size()/20 }); err != nil {
		return controlGrid{}, err
	}
	grid := controlGrid{}
	grid.columnRatio, grid.rowRatio = ratios(plan)
	grid.level = chooseLevel(levels, math.Sqrt(grid.columnRatio*grid.rowRatio))
	level := &levels[grid.level]
	sx, sy := float64(level.Width)/full, float64(level.Height)/float64(levels[0].Height)
	grid.columnRatio, grid.rowRatio = grid.columnRatio*sx, grid.rowRatio*sy
	for i := range plan {
		for k := range 4 {
			plan[i].column[k] *= sx
			plan[i].row[k] *= sy
		}
	}
	grid.cells, err = refine(l, g, plan, sx, sy, level, func(_ *cell, du, dv float64) bool {
		return math.Abs(du) <= cellErrorPx && math.Abs(dv) <= cellErrorPx
	})
	for i := range grid.cells {
		if c := &grid.cells[i]; c.width == 1 && c.height == 1 { // its neighbours may be nowhere: only its own place counts
			for k := range 4 {
				c.column[k], c.row[k] = c.column[0], c.row[0]
			}
		}
	}
	return grid, err
}

// chooseLevel returns the coarsest level that is not coarser than asked: ratio full resolution pixels per output pixel.
func chooseLevel(levels []Level, ratio float64) int {
	const rounding = 1.001 // sizes of overviews are rounded up, positions are floating point
	chosen := 0
	for i, l := range levels {
		if float64(levels[0].Width)/float64(l.Width) <= ratio*rounding {
			chosen = i
		}
	}
	return chosen
}

// firstCells returns the cells of cellPx with their places at full resolution.
func firstCells(l *locator, g Grid) ([]cell, error) {
	across, down := ceilDiv(g.Width, cellPx), ceilDiv(g.Height, cellPx)
	n := (across + 1) * (down + 1)
	places := make([]float64, 2*n)
	xs, ys := places[:n], places[n:]
	for i := range n {
		x, y := min(i%(across+1)*cellPx, g.Width), min(i/(across+1)*cellPx, g.Height)
		xs[i], ys[i] = g.Transform.Apply(float64(x)+0.5, float64(y)+0.5)
	}
	if err := l.pixels(xs, ys); err != nil {
		return nil, err
	}
	cells := make([]cell, 0, across*down)
	for y := range down {
		for x := range across {
			a := y*(across+1) + x
			b, c, d := a+1, a+across+1, a+across+2
			cells = append(cells, cell{
				x: int32(x * cellPx), y: int32(y * cellPx),
				width: int32(min(cellPx, g.Width-x*cellPx)), height: int32(min(cellPx, g.Height-y*cellPx)),
				column: [4]float64{xs[a], xs[b], xs[c], xs[d]}, row: [4]float64{ys[a], ys[b], ys[c], ys[d]},
			})
		}
	}
	return cells, nil
}

// refine cuts cells until good accepts how far the middle of each lies from its exact place, or they are single pixels, and
// leaves out those that cannot see the level. Places are at full resolution times sx and sy.
func refine(l *locator, g Grid, pending []cell, sx, sy float64, level *Level, good func(c *cell, du, dv float64) bool) ([]cell, error) {
	done := make([]cell, 0, len(pending))
	for len(pending) > 0 {
		us, vs, err := locate(l, g, len(pending), sx, sy, func(i int) (x, y float64) {
			c := &pending[i]
			return float64(c.x) + float64(c.width)/2, float64(c.y) + float64(c.height)/2
		})
		if err != nil {
			return nil, err
		}
		var coarse []cell
		for i := range pending {
			c := &pending[i]
			switch {
			case c.unseen(us[i], vs[i], level):
			case c.width == 1 && c.height == 1, good(c, mean(c.column)-us[i], mean(c.row)-vs[i]):
				done = append(done, *c)
			default:
				coarse = append(coarse, *c)
			}
		}
		if pending, err = quarter(l, g, coarse, sx, sy); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// locate returns the places of n output positions, given in pixels from the first pixel's centre.
func locate(l *locator, g Grid, n int, sx, sy float64, at func(i int) (x, y float64)) (us, vs []float64, err error) {
	places := make([]float64, 2*n)
	us, vs = places[:n], places[n:]
	for i := range n {
		x, y := at(i)
		us[i], vs[i] = g.Transform.Apply(x+0.5, y+0.5)
	}
	err = l.pixels(us, vs)
	for i := range n {
		us[i], vs[i] = us[i]*sx, vs[i]*sy
	}
	return us, vs, err
}

// quarter cuts each cell into two by two (one by two where it is a single pixel wide or high).
func quarter(l *locator, g Grid, coarse []cell, sx, sy float64) ([]cell, error) {
	var fine []cell
	for _, c := range coarse {
		left, top := max(c.width/2, 1), max(c.height/2, 1)
		for _, y := range [2][2]int32{{0, top}, {top, c.height}} {
			for _, x := range [2][2]int32{{0, left}, {left, c.width}} {
				if x[1] > x[0] && y[1] > y[0] {
					fine = append(fine, cell{x: c.x + x[0], y: c.y + y[0], width: x[1] - x[0], height: y[1] - y[0]})
				}
			}
		}
	}
	us, vs, err := locate(l, g, 4*len(fine), sx, sy, func(i int) (x, y float64) {
		c := &fine[i/4]
		return float64(c.x + int32(i%2)*c.width), float64(c.y + int32(i%4/2)*c.height)
	})
	for i := range fine {
		copy(fine[i].column[:], us[4*i:])
		copy(fine[i].row[:], vs[4*i:])
	}
	return fine, err
}

func mean(v [4]float64) float64 { return (v[0] + v[1] + v[2] + v[3]) / 4 }

// size is the length of the cell's longer diagonal in source pixels; NaN when a corner has no place.
func (c *cell) size() float64 {
	return math.Max(math.Hypot(c.column[3]-c.column[0], c.row[3]-c.row[0]), math.Hypot(c.column[2]-c.column[1], c.row[2]-c.row[1]))
}

// unseen reports that the cell lies outside the level: its corners and its middle are nowhere, or all well beyond one edge.
func (c *cell) unseen(u, v float64, level *Level) bool {
	nowhere, beyond := true, [4]bool{true, true, true, true}
	margin := 4.0 // pixels: the reach of the kernels
	if size := c.size(); size > 0 {
		margin += size / 2
	}
	w, h := float64(level.Width)+margin, float64(level.Height)+margin
	for k := range 5 {
		if k < 4 {
			u, v = c.column[k], c.row[k]
		}
		nowhere = nowhere && (math.IsNaN(u) || math.IsNaN(v))
		beyond = [4]bool{beyond[0] && u < -margin, beyond[1] && u > w, beyond[2] && v < -margin, beyond[3] && v > h}
	}
	return nowhere || beyond[0] || beyond[1] || beyond[2] || beyond[3]
}

// ratios returns the source columns and rows per output pixel, of the mean over the cells' areas; 1 when there are none.
func ratios(cells []cell) (column, row float64) {
	var area, columns, rows float64
	for i := range cells {
		c := &cells[i]
		w, h := float64(c.width), float64(c.height)
		u := math.Hypot((c.column[1]-c.column[0])/w, (c.column[2]-c.column[0])/h)
		v := math.Hypot((c.row[1]-c.row[0])/w, (c.row[2]-c.row[0])/h)
		if bend := math.Hypot(c.column[0]+c.column[3]-c.column[1]-c.column[2], c.row[0]+c.row[3]-c.row[1]-c.row[2]); bend <= c.size()/2 && u > 0 && v > 0 {
			area, columns, rows = area+w*h, columns+u*w*h, rows+v*w*h
		}
	}
	if area == 0 {
		return 1, 1
	}
	return columns / area, rows / area
}

// seen returns the pixels of the level that the cells may use, reach beyond the positions themselves.
func (g *controlGrid) seen(level *Level, reachColumns, reachRows float64) Window {
	minU, minV, maxU, maxV := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i := range g.cells {
		u0, v0, u1, v1 := g.cells[i].bounds()
		minU, minV, maxU, maxV = math.Min(minU, u0), math.Min(minV, v0), math.Max(maxU, u1), math.Max(maxV, v1)
	}
	return pixelsOf(minU-reachColumns, minV-reachRows, maxU+reachColumns, maxV+reachRows, level)
}

// bounds returns the extent of the cell's positions; corners without a place do not count.
func (c *cell) bounds() (minU, minV, maxU, maxV float64) {
	minU, minV, maxU, maxV = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for k := range 4 {
		if u, v := c.column[k], c.row[k]; !math.IsNaN(u) && !math.IsNaN(v) {
			minU, minV, maxU, maxV = math.Min(minU, u), math.Min(minV, v), math.Max(maxU, u), math.Max(maxV, v)
		}
	}
	return minU, minV, maxU, maxV
}

// pixelsOf returns the pixels of the level that an extent touches.
func pixelsOf(minU, minV, maxU, maxV float64, level *Level) Window {
	if !(minU <= maxU && minV <= maxV) {
		return Window{}
	}
	side := func(v float64, size int) int { return int(math.Max(-1, math.Min(float64(size)+1, math.Floor(v)))) }
	u, v := side(minU, level.Width), side(minV, level.Height)
	return Window{u, v, side(maxU, level.Width) - u + 1, side(maxV, level.Height) - v + 1}.clip(level)
}
