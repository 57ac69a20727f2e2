// Command floor measures the least CPU that tiles cost: read and inflate exactly the blocks that a tile needs, look its pixels
// up, encode them, with the libraries that Swath uses and nothing around them.
//
//	floor ndvi|rgb|tci png|jpeg|webp BAND.tif... < lines of "z x y"
//
// prints the milliseconds of CPU of a tile, cold (control points, blocks, pixels, encoding) and warm (pixels and encoding: blocks
// and control points are there). The bands are COGs that Swath wrote, of one grid in EPSG:32631.
package main

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -lisal -ljpeg -lwebp -lm
#include "floor.h"
*/
import "C"

import (
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"runtime"
	"unsafe"

	"swath/deflate"
	"swath/geo"
)

func main() {
	runtime.LockOSThread() // whose time is counted
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("floor ndvi|rgb|tci png|jpeg|webp BAND.tif... < lines of \"z x y\"")
	}
	b := bench{picture: args[0], format: args[1]}
	if want := map[string]int{"ndvi": 2, "rgb": 3, "tci": 1}[b.picture]; want != len(args)-2 {
		return fmt.Errorf("%s of %d bands: ndvi has 2, rgb 3, tci 1", b.picture, len(args)-2)
	}
	for _, path := range args[2:] {
		r, err := open(path)
		if err != nil {
			return err
		}
		defer r.Close()
		b.bands = append(b.bands, r)
	}
	var tiles []geo.Tile
	for {
		var t geo.Tile
		if n, _ := fmt.Scan(&t.Z, &t.X, &t.Y); n < 3 {
			break
		}
		tiles = append(tiles, t)
	}
	if len(tiles) == 0 {
		return fmt.Errorf("no tiles")
	}
	var cold, warm float64
	const rounds = 3 // the first of which only fills the page cache
	for round := range rounds {
		for _, t := range tiles {
			c, w, err := b.tile(t)
			if err != nil {
				return err
			}
			if round > 0 {
				cold, warm = cold+c, warm+w
			}
		}
	}
	n := float64((rounds - 1) * len(tiles))
	fmt.Printf("%.3f %.3f\n", 1000*cold/n, 1000*warm/n)
	return nil
}

// bench is one kind of tile, and the memory that all tiles use.
type bench struct {
	picture, format string
	bands           []*raster
	packed          []byte
	lines           [C.SIDE * (3*C.SIDE + 1)]byte // of a PNG
	deflater        deflate.Writer
	out             []byte
	blocks          [][]byte
	slot            [C.SIDE * C.SIDE]C.uint16_t
	pixel           [C.SIDE * C.SIDE]C.uint32_t
	pixels          [3 * C.SIDE * C.SIDE]byte
	crc             uint32
	columns, rows   [C.POINTS * C.POINTS]C.double
}

// tile returns the seconds of one tile.
func (b *bench) tile(t geo.Tile) (cold, warm float64, err error) {
	start := C.floor_seconds()
	level := b.locate(t)
	m := &b.bands[0].levels[level]
	firstX, firstY, across, wanted := b.wanted(m)
	slots := make([]C.uint16_t, len(wanted))
	n := 0
	for i := range wanted {
		if slots[i] = 0; wanted[i] {
			slots[i] = C.uint16_t(n)
			n++
		}
	}
	size := m.wide * m.high * m.samples * m.bytes
	for len(b.blocks) < len(b.bands)*(n+1) {
		b.blocks = append(b.blocks, nil)
	}
	pointers := make([]unsafe.Pointer, len(b.bands)*(n+1))
	var pin runtime.Pinner
	defer pin.Unpin()
	for i, r := range b.bands {
		for j := range n + 1 { // the last is empty: what lies beside the image
			k := i*(n+1) + j
			if len(b.blocks[k]) != size {
				b.blocks[k] = make([]byte, size)
			}
			pointers[k] = unsafe.Pointer(&b.blocks[k][0])
			pin.Pin(pointers[k])
		}
		clear(b.blocks[i*(n+1)+n])
		for j, is := range wanted {
			if !is {
				continue
			}
			block := (firstY+j/across)*m.across() + firstX + j%across
			own := &r.levels[level]
			if uint64(len(b.packed)) < own.counts[block] {
				b.packed = make([]byte, own.counts[block])
			}
			if C.floor_block(C.int(r.Fd()), C.uint64_t(own.offsets[block]), C.uint32_t(own.counts[block]), (*C.uint8_t)(&b.packed[0]),
				(*C.uint8_t)(pointers[i*(n+1)+int(slots[j])]), C.uint32_t(size), C.int(m.wide), C.int(m.samples), C.int(m.bytes)) == 0 {
				return 0, 0, fmt.Errorf("%s: block %d can't be read", r.Name(), block)
			}
		}
	}
	there := C.floor_seconds()
	C.floor_places(&b.columns[0], &b.rows[0], C.int(m.width), C.int(m.height), C.int(m.wide), C.int(m.high), C.int(firstX), C.int(firstY), C.int(across),
		&slots[0], C.uint16_t(n), &b.slot[0], &b.pixel[0])
	b.encode(b.colours(pointers, n+1))
	end := C.floor_seconds()
	return float64(end - start), float64(end - there), nil
}

// locate finds the control points of a tile, in pixels of the level that it is drawn from.
func (b *bench) locate(t geo.Tile) (level int) {
	mercator, _ := geo.ProjectionOf(geo.WebMercator)
	utm, _ := geo.ProjectionOf(32631)
	a, r := t.Transform(C.SIDE), b.bands[0]
	for i := range b.columns {
		x, y := a.Apply(float64(i%C.POINTS*C.CELL)+0.5, float64(i/C.POINTS*C.CELL)+0.5)
		x, y = utm.FromLonLat(mercator.ToLonLat(x, y))
		b.columns[i], b.rows[i] = C.double((x-r.west)/r.pixelX), C.double((r.north-y)/r.pixelY)
	}
	last := C.POINTS - 1
	u := math.Hypot(float64(b.columns[last]-b.columns[0]), float64(b.rows[last]-b.rows[0]))
	v := math.Hypot(float64(b.columns[last*C.POINTS]-b.columns[0]), float64(b.rows[last*C.POINTS]-b.rows[0]))
	ratio := math.Sqrt(u*v) / C.SIDE
	for i, l := range r.levels {
		if float64(r.levels[0].width)/float64(l.width) <= ratio*1.001 {
			level = i
		}
	}
	sx, sy := float64(r.levels[level].width)/float64(r.levels[0].width), float64(r.levels[level].height)/float64(r.levels[0].height)
	for i := range b.columns {
		b.columns[i] *= C.double(sx)
		b.rows[i] *= C.double(sy)
	}
	return level
}

// wanted returns the blocks that the cells touch, of a rectangle of blocks.
func (b *bench) wanted(m *image) (firstX, firstY, across int, wanted []bool) {
	type span struct{ x0, y0, x1, y1 int }
	var cells []span
	all := span{math.MaxInt, math.MaxInt, -1, -1}
	for y := range C.POINTS - 1 {
		for x := range C.POINTS - 1 {
			low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
			for _, i := range []int{y*C.POINTS + x, y*C.POINTS + x + 1, (y+1)*C.POINTS + x, (y+1)*C.POINTS + x + 1} {
				low = [2]float64{min(low[0], float64(b.columns[i])), min(low[1], float64(b.rows[i]))}
				high = [2]float64{max(high[0], float64(b.columns[i])), max(high[1], float64(b.rows[i]))}
			}
			if high[0] < 0 || high[1] < 0 || low[0] >= float64(m.width) || low[1] >= float64(m.height) {
				continue
			}
			s := span{int(max(low[0], 0)) / m.wide, int(max(low[1], 0)) / m.high, int(min(high[0], float64(m.width-1))) / m.wide, int(min(high[1], float64(m.height-1))) / m.high}
			cells = append(cells, s)
			all = span{min(all.x0, s.x0), min(all.y0, s.y0), max(all.x1, s.x1), max(all.y1, s.y1)}
		}
	}
	if len(cells) == 0 {
		return 0, 0, 1, make([]bool, 1)
	}
	across = all.x1 - all.x0 + 1
	wanted = make([]bool, across*(all.y1-all.y0+1))
	for _, s := range cells {
		for y := s.y0; y <= s.y1; y++ {
			for x := s.x0; x <= s.x1; x++ {
				wanted[(y-all.y0)*across+x-all.x0] = true
			}
		}
	}
	return all.x0, all.y0, across, wanted
}

// colours looks the pixels up and returns how many bytes each has.
func (b *bench) colours(blocks []unsafe.Pointer, each int) int {
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&blocks[0])
	out := (*C.uint8_t)(&b.pixels[0])
	switch b.picture {
	case "ndvi":
		C.floor_ndvi((**C.uint16_t)(unsafe.Pointer(&blocks[0])), (**C.uint16_t)(unsafe.Pointer(&blocks[each])), &b.slot[0], &b.pixel[0], out)
		return 1
	case "rgb":
		bands := [3]**C.uint16_t{}
		for i := range bands {
			bands[i] = (**C.uint16_t)(unsafe.Pointer(&blocks[i*each]))
			pin.Pin(bands[i])
		}
		C.floor_rgb(&bands[0], &b.slot[0], &b.pixel[0], 3000, out)
		return 3
	}
	C.floor_tci((**C.uint8_t)(unsafe.Pointer(&blocks[0])), &b.slot[0], &b.pixel[0], out)
	return 3
}

func (b *bench) encode(channels int) {
	pixels := (*C.uint8_t)(&b.pixels[0])
	switch b.format {
	case "jpeg":
		C.floor_jpeg(pixels)
	case "webp":
		C.floor_webp(pixels)
	default:
		C.floor_filter(pixels, C.int(channels), (*C.uint8_t)(&b.lines[0]))
		b.out, _ = b.deflater.Pack(b.out, b.lines[:C.SIDE*(channels*C.SIDE+1)], 1) // cannot fail: memory grows as it must
		b.crc = crc32.ChecksumIEEE(b.out)                                          // of the chunk that it becomes
	}
}
