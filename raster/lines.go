package raster

import (
	"context"
	"fmt"

	"github.com/airbusgeo/godal"

	"swath/fault"
)

// EachStrip16 reads the first band of a raster of unsigned 16-bit numbers that GDAL reads (a path; into a zip as /vsizip/…), in strips of
// its whole width from the top down. The strip is good until the function returns. Another type of pixels is fault.Invalid.
func EachStrip16(ctx context.Context, path string, do func(row int, strip []uint16) error) error {
	ds, err := open(path)
	if err != nil {
		return err
	}
	defer ds.Close()
	d, err := describe(ds)
	if err != nil {
		return fmt.Errorf("raster: read %s: %w", path, err)
	}
	if d.DataType != Uint16 {
		return fault.New(fault.Invalid, "the pixels are %s, not uint16", d.DataType)
	}
	const stripBytes = 16 << 20
	rows := max(1, min(d.Height, stripBytes/(2*d.Width)))
	strip := make([]uint16, rows*d.Width)
	for row := 0; row < d.Height; row += rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		high := min(rows, d.Height-row)
		if err := ds.Read(0, row, strip[:high*d.Width], d.Width, high, godal.Bands(0), godal.ErrLogger(failures)); err != nil {
			return fmt.Errorf("raster: read %s: %w", path, fault.Wrap(fault.Invalid, err, "the pixels cannot be read"))
		}
		if err := do(row, strip[:high*d.Width]); err != nil {
			return err
		}
	}
	return nil
}
