package s1ortho

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"swath/chains"
	"swath/geo"
	"swath/raster"
	"swath/sar"
)

// Sides of the blocks that a tile is made in: the part of the radar image below a block stays in the processor's cache. Flattened blocks are
// larger, as each of them has to look at the ground around it.
const (
	blockSide     = 256
	flatBlockSide = 512
)

// Tiles of the grid.
const (
	tilePx = 10980
	pixelM = 10
)

// tile is one tile while it is made.
type tile struct {
	in         *Inputs
	scene      *scene
	name       string
	grid       raster.Grid
	projection geo.Projection
	relief     *relief
	coverage   float64

	valid, clipped []int64 // pixels of each polarisation
}

// layers are the rows of a strip of blocks, one plane for each file.
type layers struct {
	power     [][]float32 // of each polarisation
	incidence []float32   // degrees; nil: not wanted
	mask      []float32
}

// write makes the files of a tile, strip by strip, and returns their paths by name.
func (t *tile) write(ctx context.Context, dir string, ws chains.Workspace, tick func()) (files map[string]string, err error) {
	files = map[string]string{}
	var writers []*raster.COGWriter
	defer func() {
		for _, w := range writers {
			w.Discard()
		}
	}()
	open := func(key, name string, g raster.GeoTIFF, o raster.COGOptions) error {
		path := filepath.Join(dir, name)
		g.Grid = t.grid
		w, err := raster.NewCOGWriter(path, g, o)
		if err != nil {
			return err
		}
		writers = append(writers, w)
		files[key] = path
		return nil
	}
	for _, pol := range t.scene.polarisations {
		if err := open(strings.ToLower(pol), t.fileName(pol), t.tags(pol), raster.COGOptions{Fast: true}); err != nil {
			return nil, err
		}
	}
	none := 0.0
	if t.in.LocalIncidence {
		g := raster.GeoTIFF{Type: raster.Uint16, NoData: &none, Bands: []raster.GeoTIFFBand{{Name: "local incidence angle", Unit: "degree", Scale: 0.01}}}
		if err := open("local_incidence", t.baseName("lia")+".tif", g, raster.COGOptions{Fast: true}); err != nil {
			return nil, err
		}
	}
	if t.in.Mask {
		g := raster.GeoTIFF{Type: raster.Uint8, Bands: []raster.GeoTIFFBand{{Name: "1: layover, 2: shadow, 4: nothing measured"}}}
		if err := open("mask", t.baseName("mask")+".tif", g, raster.COGOptions{Overviews: raster.Mode}); err != nil {
			return nil, err
		}
	}
	side := blockSide
	if t.in.Calibration == "gamma-rtc" {
		side = flatBlockSide
	}
	across := (t.grid.Width + side - 1) / side
	strip := t.newLayers(side)
	workers := make([]*worker, max(1, ws.Threads))
	for i := range workers {
		workers[i] = &worker{t: t}
	}
	t.valid, t.clipped = make([]int64, len(t.scene.polarisations)), make([]int64, len(t.scene.polarisations))
	for y := 0; y < t.grid.Height; y += side {
		high := min(side, t.grid.Height-y)
		if err := each(ctx, workers, across, func(w *worker, k int) {
			w.block(strip, k*side, y, min(side, t.grid.Width-k*side), high)
		}); err != nil {
			return nil, err
		}
		if err := t.push(writers, strip, high, ws.Threads); err != nil {
			return nil, err
		}
		tick()
	}
	for _, w := range workers {
		for i := range t.valid {
			t.valid[i] += w.valid[i]
			t.clipped[i] += w.clipped[i]
		}
	}
	for _, w := range writers {
		if err := w.Close(); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// each does n things with a few workers.
func each(ctx context.Context, workers []*worker, n int, do func(w *worker, k int)) error {
	var next sync.Mutex
	k := 0
	take := func() int {
		next.Lock()
		defer next.Unlock()
		k++
		return k - 1
	}
	var group sync.WaitGroup
	for _, w := range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := take(); i < n && ctx.Err() == nil; i = take() {
				do(w, i)
			}
		}()
	}
	group.Wait()
	return ctx.Err()
}

func (t *tile) newLayers(rows int) *layers {
	l := &layers{}
	n := rows * t.grid.Width
	for range t.scene.polarisations {
		l.power = append(l.power, make([]float32, n))
	}
	if t.in.LocalIncidence {
		l.incidence = make([]float32, n)
	}
	if t.in.Mask {
		l.mask = make([]float32, n)
	}
	return l
}

// push packs the rows of a strip, a file on each thread.
func (t *tile) push(writers []*raster.COGWriter, strip *layers, rows, threads int) error {
	planes := strip.power
	if strip.incidence != nil {
		planes = append(planes[:len(planes):len(planes)], strip.incidence)
	}
	if strip.mask != nil {
		planes = append(planes[:len(planes):len(planes)], strip.mask)
	}
	var group errgroup.Group
	group.SetLimit(max(1, threads))
	for i, w := range writers {
		group.Go(func() error { return w.Add(planes[i][:rows*t.grid.Width]) })
	}
	return group.Wait()
}

// worker makes blocks; what it needs for them is used again and again.
type worker struct {
	t                             *tile
	heights, line, pixel, sampled []float32
	image, noise, scratch         []float32
	flat                          flattener
	valid, clipped                [4]int64
}

func grown(v []float32, n int) []float32 {
	if cap(v) < n {
		return make([]float32, n)
	}
	return v[:n]
}

// block makes one block of a strip: its column x0 and row y0 in the tile.
func (w *worker) block(strip *layers, x0, y0, width, height int) {
	t := w.t
	stride := t.grid.Width
	w.heights = grown(w.heights, width*height)
	t.relief.fill(w.heights, x0, y0, width, height, 1, &w.scratch)
	nan := float32(math.NaN())
	each := func(do func(plane []float32)) {
		for y := range height {
			for _, p := range strip.power {
				do(p[y*stride+x0:][:width])
			}
		}
	}
	each(func(row []float32) {
		for i := range row {
			row[i] = nan
		}
	})
	lowest, highest := t.relief.span(x0, y0, width, height)
	for y := range height {
		at := y*stride + x0
		if strip.incidence != nil {
			for x := range width {
				strip.incidence[at+x] = nan
			}
		}
		if strip.mask != nil {
			clear(strip.mask[at : at+width])
		}
	}
	var first *lattice
	for _, sl := range t.scene.slices {
		l, ok := solve(t.grid, t.projection, sl.grd, x0, y0, width, height, lowest, highest)
		if !ok {
			continue
		}
		if first == nil {
			first = l
		}
		w.slice(strip, sl, l, x0, y0, width, height)
	}
	if first != nil && (strip.incidence != nil || strip.mask != nil) { // what has no image is made once, from the first slice whose orbit passes
		w.angles(strip, first, x0, width, height)
	}
	w.finish(strip, x0, width, height)
}

// window is a part of a radar image.
type window struct{ line, pixel, width, height int }

// slice fills what is still empty in a block from one slice.
func (w *worker) slice(strip *layers, sl *slice, l *lattice, x0, y0, width, height int) {
	t := w.t
	const reach = 3 // samples, of the interpolation
	b := &sl.bands[0]
	low, high := 0, b.lines // lines that can be read
	if sl.before != nil {
		low -= reach
	}
	if sl.after != nil {
		high += reach
	}
	win := window{line: max(low, int(math.Floor(l.minLine))-reach), pixel: max(0, int(l.minPixel)-reach)}
	win.height = min(high, int(l.maxLine)+reach+1) - win.line
	win.width = min(b.samples, int(l.maxPixel)+reach+1) - win.pixel
	if win.height <= 0 || win.width <= 0 || l.maxLine < -1 || l.maxPixel < -1 {
		return
	}
	w.line, w.pixel = grown(w.line, width*height), grown(w.pixel, width*height)
	for y := range height {
		at := y * width
		l.places(w.line[at:at+width], w.pixel[at:at+width], w.heights[at:at+width], float64(y), 1, float64(win.line), float64(win.pixel))
	}
	if sl.before != nil || sl.after != nil { // its own lines, and a little, so that nothing falls between
		const share = 0.75
		first, last := float32(-share-float64(win.line)), float32(float64(b.lines-1-win.line)+share)
		for i, v := range w.line[:width*height] {
			if sl.before != nil && v < first || sl.after != nil && v > last {
				w.line[i] = float32(math.NaN())
			}
		}
	}
	var factor []float32
	if t.in.Calibration == "gamma-rtc" {
		factor = w.flat.factors(t, sl, l, win, x0, y0, width, height)
	}
	w.image, w.noise = grown(w.image, win.width*win.height), grown(w.noise, win.width)
	w.sampled = grown(w.sampled, width)
	for i := range sl.bands {
		if !sl.read(i, w.image, win, w.noise) {
			continue
		}
		for k, f := range factor {
			w.image[k] *= f
		}
		for y := range height {
			at := y * width
			t.in.interpolation().Sample(w.sampled, w.line[at:at+width], w.pixel[at:at+width], w.image, win.width, win.height)
			to := strip.power[i][y*t.grid.Width+x0:][:width]
			for x, v := range w.sampled {
				if to[x] != to[x] {
					to[x] = v
				}
			}
		}
	}
}

// read calibrates a window of a band's image, NaN where nothing was measured; false when that is everywhere. Lines before the first and behind
// the last are those of the slices there.
func (sl *slice) read(band int, to []float32, win window, noise []float32) bool {
	any := false
	for j := range win.height {
		row, line, of := to[j*win.width:(j+1)*win.width], win.line+j, sl
		if line < 0 {
			of = sl.before
			line += of.bands[band].lines
		} else if line >= sl.bands[band].lines {
			of = sl.after
			line -= sl.bands[band].lines
		}
		b := &of.bands[band]
		n := max(0, min(len(row), b.samples-win.pixel)) // slices differ by some samples
		clearNaN(row[n:])
		any = b.line(row[:n], line, win.pixel, noise[:n]) || any
	}
	return any
}

// line calibrates samples of a line from one on; false when nothing was measured there.
func (b *band) line(row []float32, line, first int, noise []float32) bool {
	if len(row) == 0 {
		return false
	}
	clear(noise)
	if b.noise != nil && b.subtract {
		b.noise.Row(noise, line, first)
	}
	b.calibration.Calibrate(row, b.digital[line*b.samples+first:][:len(row)], noise, line, first)
	if b.border == nil {
		return true
	}
	from, end := b.border.Span(line)
	from, end = max(0, min(from-first, len(row))), max(0, min(end-first, len(row)))
	if from >= end {
		clearNaN(row)
		return false
	}
	clearNaN(row[:from])
	clearNaN(row[end:])
	if line < sar.BorderLines || line >= b.lines-sar.BorderLines {
		top, bottom := b.border.Columns()
		for i := range row {
			if int32(line) < top[first+i] || int32(line) > bottom[first+i] {
				row[i] = float32(math.NaN())
			}
		}
	}
	return true
}

// clearNaN says that nothing was measured.
func clearNaN(row []float32) {
	for i := range row {
		row[i] = float32(math.NaN())
	}
}

// finish counts, turns to decibels when they are asked for, and rounds mantissas to twelve bits: a relative error of 1/8192, 0.0005 dB, for
// files that are a third smaller.
func (w *worker) finish(strip *layers, x0, width, height int) {
	const least = 1e-6 // of what is turned to decibels; speckle on noise goes below zero
	for i, plane := range strip.power {
		for y := range height {
			row := plane[y*w.t.grid.Width+x0:][:width]
			for x, v := range row {
				if v != v {
					if at := y*w.t.grid.Width + x0 + x; i == 0 && strip.mask != nil {
						strip.mask[at] = unmasked
					}
					continue
				}
				w.valid[i]++
				if w.t.in.DB {
					if v < least {
						v = least
						w.clipped[i]++
					}
					v = float32(10 * math.Log10(float64(v)))
				}
				const dropped = 11 // of 23 bits
				bits := math.Float32bits(v) + 1<<(dropped-1)
				row[x] = math.Float32frombits(bits &^ (1<<dropped - 1))
			}
		}
	}
}
