package tiles

import (
	"context"
	"fmt"
	"math"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// Where says of which part of an item values are wanted, and on which grid.
type Where struct {
	Box        *geo.Box // in Coords; nil: Area, else the whole item
	Area       *Area    // in Coords (see ParseArea)
	Coords     geo.EPSG
	System     geo.EPSG // of the grid; 0: that of the view's finest raster, whose pixels are handed on as they are
	Size       Size
	Resolution float64 // side of a pixel in units of the grid's system, instead of Size; 0: as fine as the finest raster
}

// Bounds of what one extraction may hand on.
const (
	mostDataSidePx = 65_536
	mostDataBytes  = 1 << 30 // of values, as they are stored
)

func (w Where) check() error {
	if !(w.Resolution >= 0) || math.IsInf(w.Resolution, 0) {
		return fault.New(fault.Invalid, "resolution %g: the side of a pixel is a positive number", w.Resolution)
	}
	if w.Resolution > 0 && w.Size != (Size{}) {
		return fault.New(fault.Invalid, "give a resolution or a size (max_size, width, height), not both")
	}
	if most := max(w.Size.WidthPx, w.Size.HeightPx, w.Size.MaxPx); most > mostDataSidePx {
		return fault.New(fault.TooLarge, "%d pixels: an extraction has at most %d each way", most, mostDataSidePx)
	}
	return nil
}

// DataFrame is the frame of an extraction. It is fault.Invalid where the place is none, or is not the item's.
func (v *View) DataFrame(ctx context.Context, w Where) (Frame, error) {
	if err := w.check(); err != nil {
		return Frame{}, err
	}
	full, native, err := v.nativeGrid(ctx)
	if err != nil {
		return Frame{}, err
	}
	switch {
	case w.System != 0:
		native = native && w.System == full.CRS
	case native:
		w.System = full.CRS
	default:
		w.System = geo.WGS84
	}
	box, area, err := v.place(w)
	if err != nil {
		return Frame{}, err
	}
	frame := Frame{Area: area}
	if native && w.Resolution == 0 {
		if frame.Grid, err = pixelsInside(full, box); err != nil {
			return Frame{}, fmt.Errorf("tiles: %s: %w", v.item.ID, err)
		}
		frame.Grid = inSize(frame.Grid, w.Size)
		return frame, nil
	}
	size := w.Size
	if w.Resolution > 0 {
		width, height := math.Ceil((box.MaxX-box.MinX)/w.Resolution-1e-6), math.Ceil((box.MaxY-box.MinY)/w.Resolution-1e-6)
		if width > mostDataSidePx || height > mostDataSidePx {
			return Frame{}, tooWide(width, height)
		}
		size = Size{WidthPx: max(1, int(width)), HeightPx: max(1, int(height))}
		box.MaxX, box.MinY = box.MinX+float64(size.WidthPx)*w.Resolution, box.MaxY-float64(size.HeightPx)*w.Resolution
	}
	frame.Grid, err = v.gridIn(ctx, box, w.System, size)
	return frame, err
}

// place is the box and the area of an extraction in the system of its grid.
func (v *View) place(w Where) (box geo.Box, area *Area, err error) {
	switch {
	case w.Area != nil:
		if area, err = w.Area.project(w.Coords, w.System); err != nil {
			return box, nil, err
		}
		box = area.bounds()
	case w.Box != nil:
		box, err = boxIn(*w.Box, w.Coords, w.System)
	default:
		box, err = v.item.box(w.System)
	}
	if err == nil && !(box.MaxX > box.MinX && box.MaxY > box.MinY) {
		err = fault.New(fault.Invalid, "the area has no extent in %s", w.System)
	}
	return box, area, err
}

// pixelsInside is the part of a grid that a box touches.
func pixelsInside(full raster.Grid, b geo.Box) (raster.Grid, error) {
	const hair = 1e-6 // of a pixel: the box of whole pixels, computed and given in decimals, is those pixels
	dx, dy := math.Abs(full.Transform[1])*hair, math.Abs(full.Transform[5])*hair
	part, err := wholePixels(full, geo.Box{MinX: b.MinX + dx, MinY: b.MinY + dy, MaxX: b.MaxX - dx, MaxY: b.MaxY - dy})
	if err != nil {
		return part, err
	}
	inverse, _ := full.Transform.Invert()
	column, row := inverse.Apply(part.Transform[0], part.Transform[3])
	left, top := max(0, int(math.Round(column))), max(0, int(math.Round(row)))
	right, bottom := min(full.Width, int(math.Round(column))+part.Width), min(full.Height, int(math.Round(row))+part.Height)
	if left >= right || top >= bottom {
		return part, fault.New(fault.Invalid, "the area lies beside the item's raster")
	}
	part.Transform[0], part.Transform[3] = full.Transform.Apply(float64(left), float64(top))
	part.Width, part.Height = right-left, bottom-top
	return part, nil
}

func tooWide(width, height float64) error {
	return fault.New(fault.TooLarge, "%.0f x %.0f pixels: an extraction has at most %d each way", width, height, mostDataSidePx)
}

// holdable refuses an extraction that is too large, before anything is read.
func (v *View) holdable(frame Frame, kind raster.DataType, f DataFormat) error {
	g := frame.Grid
	if g.Width > mostDataSidePx || g.Height > mostDataSidePx {
		return tooWide(float64(g.Width), float64(g.Height))
	}
	pixels := int64(g.Width) * int64(g.Height)
	if f == CSV && pixels > mostRows {
		return fault.New(fault.TooLarge, "%d x %d pixels are %d lines; a table has at most %d: ask for a smaller area, fewer pixels (max_size, resolution), or another format",
			g.Width, g.Height, pixels, mostRows)
	}
	if size := pixels * int64(len(v.outputs)) * int64(kind.Bytes()); size > mostDataBytes {
		return fault.New(fault.TooLarge, "%d x %d pixels of %d bands of %s take %d bytes; one extraction may take %d",
			g.Width, g.Height, len(v.outputs), kind, size, int64(mostDataBytes))
	}
	return nil
}

// kept is the type in which the view's values are handed on, and the value for nodata. Values as they are stored keep their type
// where all bands agree on a nodata value that it holds; everything else is float32 with NaN.
func (v *View) kept(ctx context.Context) (raster.DataType, *float64, error) {
	if !v.stored || v.expression != nil || v.algorithm != nil || v.resampling != raster.Nearest && v.resampling != raster.ModeOf {
		return raster.Float32, nil, nil
	}
	var kind raster.DataType
	var noData *float64
	for asset := range v.byAsset() {
		c, release, err := v.renderer.cog(ctx, asset.Object)
		if err != nil {
			return "", nil, err
		}
		own := v.masked(c, asset)
		release()
		if kind == "" {
			kind, noData = own.DataType, own.NoData
		} else if kind = common(kind, own.DataType); noData == nil || own.NoData == nil || *noData != *own.NoData {
			return raster.Float32, nil, nil
		}
	}
	limits := map[raster.DataType][2]float64{raster.Uint8: {0, math.MaxUint8}, raster.Uint16: {0, math.MaxUint16}, raster.Int16: {math.MinInt16, math.MaxInt16}}
	within, whole := limits[kind]
	if !whole || noData == nil || *noData < within[0] || *noData > within[1] || *noData != math.Trunc(*noData) {
		return raster.Float32, nil, nil // pixels are read as float32, which holds no more than these
	}
	return kind, noData, nil
}

// common is the smallest type that holds the values of both.
func common(a, b raster.DataType) raster.DataType {
	unsigned := func(d raster.DataType) bool { return d == raster.Uint8 || d == raster.Uint16 }
	small := func(d raster.DataType) bool { return d == raster.Uint8 || d == raster.Int8 || d == raster.Int16 }
	switch {
	case a == b:
		return a
	case unsigned(a) && unsigned(b):
		return raster.Uint16
	case small(a) && small(b):
		return raster.Int16
	}
	return raster.Float32
}
