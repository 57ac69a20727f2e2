package tiles

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// Frame is where a picture is taken: a grid of pixels on the map, of which only those inside an area count.
//
//	tile of a matrix set ─┐
//	whole item ───────────┼─▶ Frame ─▶ View.ETag, View.Picture, View.Values
//	box, GeoJSON feature ─┘
type Frame struct {
	Grid raster.Grid
	Area *Area // nil: the whole grid
}

// key names the frame's pixels for ever.
func (f Frame) key() string {
	h := xxhash.New()
	var buf [10 * 8]byte
	for i, v := range []uint64{uint64(f.Grid.CRS), uint64(f.Grid.Width), uint64(f.Grid.Height)} {
		binary.LittleEndian.PutUint64(buf[8*i:], v)
	}
	for i, v := range f.Grid.Transform {
		binary.LittleEndian.PutUint64(buf[8*(3+i):], math.Float64bits(v))
	}
	h.Write(buf[:]) //nolint:errcheck // a hash takes everything
	if f.Grid.Repeats {
		h.WriteString("repeats") //nolint:errcheck // as above
	}
	if f.Area != nil {
		h.WriteString(f.Area.key()) //nolint:errcheck // as above
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// TileFrame is the frame of one tile of a matrix set, drawn with the view's number of pixels and its buffer around. It is
// fault.Invalid when the set has no such tile.
func (v *View) TileFrame(set *geo.TileMatrixSet, t geo.Tile) (Frame, error) {
	m, ok := set.Matrix(t.Z)
	if !ok {
		coarsest, finest := set.Levels()
		return Frame{}, fault.New(fault.Invalid, "zoom %d: the levels go from %d to %d", t.Z, coarsest, finest)
	}
	if !set.Valid(t) {
		return Frame{}, fault.New(fault.Invalid, "tile %d/%d/%d: x of level %d goes from 0 to %d, y from 0 to %d", t.Z, t.X, t.Y, t.Z, m.Width-1, m.Height-1)
	}
	width, height := v.tilePx(m)
	b := set.Box(t)
	resX, resY := (b.MaxX-b.MinX)/float64(width), (b.MaxY-b.MinY)/float64(height)
	beyond := 2 * v.bufferPx
	return Frame{Grid: raster.Grid{
		CRS: set.CRS, Width: width + int(beyond), Height: height + int(beyond),
		Transform: geo.Affine{b.MinX - v.bufferPx*resX, resX, 0, b.MaxY + v.bufferPx*resY, 0, -resY},
	}}, nil
}

// tilePx returns how many pixels a tile of a matrix has.
func (v *View) tilePx(m *geo.TileMatrix) (width, height int) {
	width, height = m.TileWidth, m.TileHeight
	if v.sizePx != 0 {
		width, height = v.sizePx, v.sizePx
	}
	return width * v.scale, height * v.scale
}

// affordable refuses frames that one request may not ask for, by what their pixels take in memory.
func (v *View) affordable(f Frame) error {
	if f.Grid.Width > mostSidePx || f.Grid.Height > mostSidePx {
		return fault.New(fault.TooLarge, "%d x %d pixels: a picture has at most %d each way", f.Grid.Width, f.Grid.Height, mostSidePx)
	}
	const valueBytes = 4
	planes := len(v.inputs) + len(v.outputs)
	if cost := int64(f.Grid.Width) * int64(f.Grid.Height) * int64(planes) * valueBytes; cost > mostPixelBytes {
		return fault.New(fault.TooLarge, "%d x %d pixels of %d bands and results take %d bytes; one request may take %d",
			f.Grid.Width, f.Grid.Height, planes, cost, int64(mostPixelBytes))
	}
	return nil
}

// beside reports that the frame surely shows nothing of the item. Of systems that need another library the drawing finds out.
func (v *View) beside(g raster.Grid) bool {
	p, ok := geo.ProjectionOf(g.CRS)
	if !ok {
		return false
	}
	const steps = 4 // of each side
	ring := geo.GridRing(p, g.Transform, g.Width, g.Height, steps)
	if len(ring) < 4*steps+1 { // a part of the frame is nowhere
		return false
	}
	b := geo.Box{MinX: ring[0][0], MinY: ring[0][1], MaxX: ring[0][0], MaxY: ring[0][1]}
	for _, at := range ring {
		b = geo.Box{MinX: math.Min(b.MinX, at[0]), MinY: math.Min(b.MinY, at[1]), MaxX: math.Max(b.MaxX, at[0]), MaxY: math.Max(b.MaxY, at[1])}
	}
	if g.CRS != geo.WGS84 && g.CRS != geo.WebMercator { // meridians and parallels bend: the box of some points is too small
		dx, dy := (b.MaxX-b.MinX)/steps, (b.MaxY-b.MinY)/steps
		b = geo.Box{MinX: b.MinX - dx, MinY: b.MinY - dy, MaxX: b.MaxX + dx, MaxY: b.MaxY + dy}
		if b.MaxX-b.MinX > 90 || b.MaxY > 84 || b.MinY < -84 { // it may hold a pole
			return false
		}
	}
	return !v.touches(b)
}

func (f Frame) String() string {
	return fmt.Sprintf("%d x %d pixels in %s", f.Grid.Width, f.Grid.Height, f.Grid.CRS)
}
