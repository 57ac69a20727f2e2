package raster

import (
	"context"
	"fmt"
	"math"

	"swath/fault"
)

// Overview is a whole raster made small: stored values, NaN where nothing was measured.
type Overview struct {
	Width, Height int
	Planes        [][]float32 // per band
}

// ReadOverview returns the raster of a COG or a JPEG 2000 file (a path; into a zip as /vsizip/…), its longer side at most maxPixels: the
// mean of the valid pixels that come together in one. NoData is a stored value that is nodata; nil: what the file states.
func ReadOverview(ctx context.Context, path string, noData *float64, maxPixels int) (Overview, error) {
	c, closer, err := openPath(ctx, path, noData)
	if err != nil {
		return Overview{}, err
	}
	defer closer()
	if maxPixels < 1 {
		return Overview{}, fault.New(fault.Invalid, "an overview of %d pixels", maxPixels)
	}
	level := 0
	for i, l := range c.Levels {
		if max(l.Width, l.Height) >= maxPixels {
			level = i
		}
	}
	l := c.Levels[level]
	scale := min(1, float64(maxPixels)/float64(max(l.Width, l.Height)))
	o := Overview{Width: max(1, int(math.Round(float64(l.Width)*scale))), Height: max(1, int(math.Round(float64(l.Height)*scale)))}
	sums, counts := make([][]float64, c.Bands), make([][]float64, c.Bands)
	for b := range c.Bands {
		sums[b], counts[b] = make([]float64, o.Width*o.Height), make([]float64, o.Width*o.Height)
	}
	err = eachStrip(ctx, c, level, func(row int, planes [][]float32) {
		for b, plane := range planes {
			for i, v := range plane {
				if v == v {
					at := (row+i/l.Width)*o.Height/l.Height*o.Width + i%l.Width*o.Width/l.Width
					sums[b][at] += float64(v)
					counts[b][at]++
				}
			}
		}
	})
	if err != nil {
		return Overview{}, err
	}
	for b := range sums {
		plane := make([]float32, len(sums[b]))
		for i := range plane {
			plane[i] = float32(sums[b][i] / counts[b][i]) // 0/0 is NaN: nothing was measured
		}
		o.Planes = append(o.Planes, plane)
	}
	return o, nil
}

// eachStrip reads all bands of a level a row of blocks at a time.
func eachStrip(ctx context.Context, c *COG, level int, do func(row int, planes [][]float32)) error {
	r := NewReader(0)
	l := c.Levels[level]
	bands := make([]int, c.Bands)
	for i := range bands {
		bands[i] = i + 1
	}
	rows := max(1, min(l.BlockHeight, 1<<24/(l.Width*c.Bands)))
	for row := 0; row < l.Height; row += rows {
		w := Window{Row: row, Width: l.Width, Height: min(rows, l.Height-row)}
		planes, err := r.Read(ctx, c, level, w, bands)
		if err != nil {
			return err
		}
		do(row, planes)
	}
	return nil
}

// openPath opens a COG, or a JPEG 2000 file, where GDAL reads it. A nodata value that the file does not state may be given.
func openPath(ctx context.Context, path string, noData *float64) (*COG, func() error, error) {
	f, err := openVSI(path)
	if err != nil {
		return nil, nil, fmt.Errorf("raster: open %s: %w", path, err)
	}
	c, err := OpenCOG(ctx, f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	if noData != nil {
		c.NoData = noData
	}
	return c, f.Close, nil
}
