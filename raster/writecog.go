package raster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

// Overviews says how the pixels of an overview are made of those below.
type Overviews uint8

// The kinds of overviews.
const (
	Average Overviews = iota // of measures; nodata does not count
	Mode                     // the most frequent value: of classes and masks
)

// COGOptions says how WriteCOG converts. The zero value keeps bands, nodata and place as they are.
type COGOptions struct {
	Bands     []int     // to keep, counted from 1, in this order; none: all
	NoData    *float64  // declares this stored value to be nodata
	GCPs      []geo.GCP // place the pixels by these points
	Overviews Overviews
	Zstd      bool // smaller and faster than deflate, for readers that know it
}

// driverTypes are the names of GDAL's -ot.
var driverTypes = map[DataType]string{
	Uint8: "Byte", Uint16: "UInt16", Int16: "Int16", Uint32: "UInt32", Int32: "Int32", Float32: "Float32", Float64: "Float64",
}

// WriteCOG converts a raster that GDAL reads (a path; into a zip as /vsizip/…) to a cloud-optimized GeoTIFF on its own grid.
// The file dst appears when it is complete. A damaged source is fault.Invalid. ctx is looked at before and after the conversion.
func WriteCOG(ctx context.Context, src, dst string, o COGOptions) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ds, err := open(src)
	if err != nil {
		return err
	}
	defer ds.Close()
	d, err := describe(ds)
	if err != nil {
		return fmt.Errorf("raster: convert %s: %w", src, err)
	}
	for _, b := range o.Bands {
		if b < 1 || b > d.Bands {
			return fault.New(fault.Invalid, "band %d of %s: it has %d", b, filepath.Base(src), d.Bands)
		}
	}
	work, err := os.MkdirTemp(filepath.Dir(dst), ".cog-*") // the driver's own temporary files go there too
	if err != nil {
		return fmt.Errorf("raster: convert %s: %w", src, err)
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, filepath.Base(dst))
	out, err := ds.Translate(made, o.switches(d), godal.ErrLogger(failures))
	if err == nil {
		err = out.Close(godal.ErrLogger(failures))
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "%s: its pixels cannot be read and written as a COG", filepath.Base(src))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Rename(made, dst); err != nil {
		return fmt.Errorf("raster: convert %s: %w", src, err)
	}
	return nil
}

// blockSide is the side of a square block in pixels: 256, or less where the many bands that the driver puts side by side in
// one block would make it large to read.
func (o COGOptions) blockSide(d Description) int {
	bands := len(o.Bands)
	if bands == 0 {
		bands = d.Bands
	}
	const most, side, least = 4 << 20, 256, 16 // bytes, pixels; a TIFF's tiles are multiples of 16
	s := side
	for s > least && s*s*bands*d.DataType.Bytes() > most {
		s /= 2
	}
	return s
}

// switches are the arguments of gdal_translate. Naming the type also drops NBITS: Sentinel-2 declares 15 bits, for which
// the driver has no predictor.
func (o COGOptions) switches(d Description) []string {
	args := []string{"-of", "COG", "-ot", driverTypes[d.DataType], "-co", "BLOCKSIZE=" + strconv.Itoa(o.blockSide(d)), "-co", "BIGTIFF=IF_SAFER"}
	resampling, predictor, compression := "AVERAGE", "STANDARD", "DEFLATE"
	if o.Overviews == Mode {
		resampling = "MODE"
	}
	if d.DataType == Float32 || d.DataType == Float64 {
		predictor = "FLOATING_POINT"
	}
	if o.Zstd {
		compression = "ZSTD"
	}
	args = append(args, "-co", "OVERVIEW_RESAMPLING="+resampling, "-co", "PREDICTOR="+predictor, "-co", "COMPRESS="+compression)
	for _, b := range o.Bands {
		args = append(args, "-b", strconv.Itoa(b))
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	if o.NoData != nil {
		args = append(args, "-a_nodata", number(*o.NoData))
	}
	if len(o.GCPs) > 0 {
		args = append(args, "-a_srs", geo.WGS84.String())
	}
	for _, g := range o.GCPs {
		args = append(args, "-gcp", number(g.Column), number(g.Row), number(g.LonDeg), number(g.LatDeg), number(g.HeightM))
	}
	return args
}
