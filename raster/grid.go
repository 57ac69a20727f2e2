package raster

import (
	"math"
	"slices"

	"swath/fault"
)

const (
	cellPx      = 16    // output pixels between the points of the control grid
	cellErrorPx = 0.001 // source pixels that interpolated places may be off: 99.9 % of nearest pixels are then GDAL's
	maxGridSide = 1 << 14
)

// cell is a rectangle of output pixels whose centres lie at source positions interpolated between four corners: at the
// first pixel's centre, one step past the last to the right, below, and both. It is swath_cell in kernels.h.
type cell struct {
	x, y, width, height int32
	column, row         [4]float64
}

// bentCell is a cell with a bound of what interpolation in it is off, in source pixels.
type bentCell struct {
	cell
	bend float64
}

// controlGrid is the cells that may see one level of a raster.
type controlGrid struct {
	cells                 []cell
	level                 int
	columnRatio, rowRatio float64 // source pixels of the level per output pixel
	whole                 bool    // every output pixel lies in a cell
}

// repeating is how much coarser than a grid that repeats its level may be.
const repeating = 1.2

// layGrid chooses the level for a grid, and the cells that cover it. The level may be so many times as coarse as the grid.
func layGrid(l *locator, g Grid, levels []Level, coarser float64) (controlGrid, error) {
	if g.Width < 1 || g.Height < 1 || g.Width > maxGridSide || g.Height > maxGridSide {
		return controlGrid{}, fault.New(fault.TooLarge, "a grid of %d x %d pixels: each side may be 1 to %d", g.Width, g.Height, maxGridSide)
	}
	plan, err := firstCells(l, g)
	if err != nil {
		return controlGrid{}, err
	}
	// First until each cell is straight enough to tell the resolution, then until it is exact at the level chosen.
	if plan, err = refine(l, g, plan, &levels[0], func(c *bentCell) bool { return c.bend <= c.size()/20 }); err != nil {
		return controlGrid{}, err
	}
	grid := controlGrid{}
	grid.columnRatio, grid.rowRatio = ratios(plan)
	grid.level = chooseLevel(levels, coarser*math.Sqrt(grid.columnRatio*grid.rowRatio))
	level := &levels[grid.level]
	sx, sy := float64(level.Width)/float64(levels[0].Width), float64(level.Height)/float64(levels[0].Height)
	grid.columnRatio, grid.rowRatio = grid.columnRatio*sx, grid.rowRatio*sy
	if plan, err = refine(l, g, plan, &levels[0], func(c *bentCell) bool { return c.bend*max(sx, sy) <= cellErrorPx }); err != nil {
		return controlGrid{}, err
	}
	grid.cells = make([]cell, len(plan))
	area := 0
	for i, c := range plan {
		for k := range 4 {
			c.column[k], c.row[k] = c.column[k]*sx, c.row[k]*sy
		}
		if c.width == 1 && c.height == 1 {
			c.alone(8 * max(grid.columnRatio, grid.rowRatio))
		}
		grid.cells[i] = c.cell
		area += int(c.width) * int(c.height)
	}
	grid.whole = area == g.Width*g.Height
	return grid, nil
}

// alone makes a cell of one pixel independent of neighbours that are nowhere, or farther than so many source pixels: beyond the
// antimeridian. Its corners are its own place then.
func (c *cell) alone(far float64) {
	for k := 1; k < 4; k++ {
		if !(math.Hypot(c.column[k]-c.column[0], c.row[k]-c.row[0]) <= far) {
			c.column = [4]float64{c.column[0], c.column[0], c.column[0], c.column[0]}
			c.row = [4]float64{c.row[0], c.row[0], c.row[0], c.row[0]}
			return
		}
	}
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

// locate returns the full resolution places of n output positions, given in pixels from the first pixel's centre.
func locate(l *locator, g Grid, n int, at func(i int) (x, y int32)) (us, vs []float64, err error) {
	places := make([]float64, 2*n)
	us, vs = places[:n], places[n:]
	for i := range n {
		x, y := at(i)
		us[i], vs[i] = g.Transform.Apply(float64(x)+0.5, float64(y)+0.5)
	}
	return us, vs, l.pixels(us, vs)
}

// firstCells returns the cells of cellPx. How far they bend is told by the second differences of their corners, which no
// middle point could: where both maps are conformal the bends along and across cancel in the middle.
func firstCells(l *locator, g Grid) ([]bentCell, error) {
	across, down := ceilDiv(g.Width, cellPx), ceilDiv(g.Height, cellPx)
	stride := across + 1
	us, vs, err := locate(l, g, stride*(down+1), func(i int) (x, y int32) {
		return int32(min(i%stride*cellPx, g.Width)), int32(min(i/stride*cellPx, g.Height))
	})
	if err != nil {
		return nil, err
	}
	difference := func(v []float64, i, step int) float64 { return math.Abs(v[i-step] - 2*v[i] + v[i+step]) }
	// Along a side of n cells, whole of them of full length, the point with two neighbours nearest to an end of cell i.
	inner := func(i, whole int) int { return max(1, min(i, whole-1)) }
	wholeAcross, wholeDown := g.Width/cellPx, g.Height/cellPx
	cells := make([]bentCell, 0, across*down)
	for y := range down {
		for x := range across {
			a := y*stride + x
			b, c, d := a+1, a+stride, a+stride+1
			next := bentCell{bend: math.Inf(1), cell: cell{
				x: int32(x * cellPx), y: int32(y * cellPx),
				width: int32(min(cellPx, g.Width-x*cellPx)), height: int32(min(cellPx, g.Height-y*cellPx)),
				column: [4]float64{us[a], us[b], us[c], us[d]}, row: [4]float64{vs[a], vs[b], vs[c], vs[d]},
			}}
			if wholeAcross >= 2 && wholeDown >= 2 && x < wholeAcross && y < wholeDown {
				next.bend = 0
				for k := range 4 {
					i, j := x+k%2, y+k/2
					alongX, alongY := j*stride+inner(i, wholeAcross), inner(j, wholeDown)*stride+i
					next.bend = math.Max(next.bend, math.Max(
						difference(us, alongX, 1)+difference(us, alongY, stride),
						difference(vs, alongX, 1)+difference(vs, alongY, stride))/8)
				}
			}
			cells = append(cells, next)
		}
	}
	return cells, nil
}

// refine cuts cells until good accepts them or they are single pixels, and leaves out those that cannot see the raster.
func refine(l *locator, g Grid, pending []bentCell, full *Level, good func(c *bentCell) bool) ([]bentCell, error) {
	done := make([]bentCell, 0, len(pending))
	for len(pending) > 0 {
		var coarse []bentCell
		for i := range pending {
			c := &pending[i]
			switch {
			case c.unseen(full, l.landmarks):
			case c.width == 1 && c.height == 1, good(c):
				done = append(done, *c)
			default:
				coarse = append(coarse, *c)
			}
		}
		var err error
		if pending, err = quarter(l, g, coarse); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// quarter cuts each cell into two by two (in one direction only where it is a single pixel wide or high), through the
// exact places of the middles of its sides and of itself. By these it also tells how far the parts bend.
func quarter(l *locator, g Grid, coarse []bentCell) ([]bentCell, error) {
	us, vs, err := locate(l, g, 9*len(coarse), func(i int) (x, y int32) {
		c := &coarse[i/9]
		xs, ys := c.stops()
		return xs[i%3], ys[i%9/3]
	})
	if err != nil {
		return nil, err
	}
	fine := make([]bentCell, 0, 4*len(coarse))
	for i := range coarse {
		u, v := us[9*i:9*i+9], vs[9*i:9*i+9]
		xs, ys := coarse[i].stops()
		fx, fy := float64(xs[1]-xs[0])/float64(xs[2]-xs[0]), float64(ys[1]-ys[0])/float64(ys[2]-ys[0])
		var bendX, bendY float64
		for k := range 3 {
			for _, p := range [2][]float64{u, v} {
				bendX = math.Max(bendX, math.Abs(p[3*k]+fx*(p[3*k+2]-p[3*k])-p[3*k+1]))
				bendY = math.Max(bendY, math.Abs(p[k]+fy*(p[k+6]-p[k])-p[k+3]))
			}
		}
		for k := range 4 {
			x, y := k%2, k/2
			a := 3*y + x
			part := bentCell{bend: (bendX + bendY) / 4, cell: cell{
				x: xs[x], y: ys[y], width: xs[x+1] - xs[x], height: ys[y+1] - ys[y],
				column: [4]float64{u[a], u[a+1], u[a+3], u[a+4]}, row: [4]float64{v[a], v[a+1], v[a+3], v[a+4]},
			}}
			if part.width > 0 && part.height > 0 {
				fine = append(fine, part)
			}
		}
	}
	return fine, nil
}

// stops are the edges and the middle of a cell.
func (c *cell) stops() (xs, ys [3]int32) {
	return [3]int32{c.x, c.x + max(c.width/2, 1), c.x + c.width}, [3]int32{c.y, c.y + max(c.height/2, 1), c.y + c.height}
}

// size is the length of the cell's longer diagonal in source pixels; NaN when a corner has no place.
func (c *cell) size() float64 {
	return math.Max(math.Hypot(c.column[3]-c.column[0], c.row[3]-c.row[0]), math.Hypot(c.column[2]-c.column[1], c.row[2]-c.row[1]))
}

// unseen reports that the cell lies outside the raster: its corners are all well beyond one edge, or they are nowhere and
// none of the raster's landmarks (positions in the grid) is inside.
func (c *cell) unseen(full *Level, landmarks [][2]float64) bool {
	nowhere, beyond := true, [4]bool{true, true, true, true}
	margin := 4.0 // pixels: the reach of the kernels
	if size := c.size(); size > 0 {
		margin += size / 2
	}
	w, h := float64(full.Width)+margin, float64(full.Height)+margin
	for k := range 4 {
		u, v := c.column[k], c.row[k]
		nowhere = nowhere && (math.IsNaN(u) || math.IsNaN(v))
		beyond = [4]bool{beyond[0] && u < -margin, beyond[1] && u > w, beyond[2] && v < -margin, beyond[3] && v > h}
	}
	if nowhere {
		return !slices.ContainsFunc(landmarks, func(p [2]float64) bool {
			return p[0] >= float64(c.x) && p[1] >= float64(c.y) && p[0] <= float64(c.x+c.width) && p[1] <= float64(c.y+c.height)
		})
	}
	return beyond[0] || beyond[1] || beyond[2] || beyond[3]
}

// ratios returns the source columns and rows per output pixel, of the mean over the cells' areas; 1 when there are none.
func ratios(cells []bentCell) (column, row float64) {
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
