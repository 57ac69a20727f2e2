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
	None                     // there are none: of what nobody looks at
)

// COGOptions says how WriteCOG converts. The zero value keeps bands, nodata and place as they are.
type COGOptions struct {
	Bands     []int     // to keep, counted from 1, in this order; none: all
	NoData    *float64  // declares this stored value to be nodata
	GCPs      []geo.GCP // place the pixels by these points
	Overviews Overviews
	Fast      bool // deflate what repeats itself at its quickest: a third less time for 3 % more bytes
	Zstd      bool // smaller and faster than deflate, for readers that know it
}

// driverTypes are the names of GDAL's -ot.
var driverTypes = map[DataType]string{
	Uint8: "Byte", Uint16: "UInt16", Int16: "Int16", Uint32: "UInt32", Int32: "Int32", Float32: "Float32", Float64: "Float64",
}

// WriteCOG converts a raster that GDAL reads (a path; into a zip as /vsizip/…) to a cloud-optimized GeoTIFF on its own grid.
//
//	source ─strips─▶ lines ─▶ 128 x 256 blocks ─predictor, deflate─▶ spool ─┐
//	                   └─▶ lines half as long ─▶ … ─────▶ spools of overviews ─┴▶ head, small to large
//
// The file dst appears when it is complete, and the same source makes the same bytes. A damaged source is fault.Invalid.
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
	work, err := os.MkdirTemp(filepath.Dir(dst), ".cog-*")
	if err != nil {
		return fmt.Errorf("raster: convert %s: %w", src, err)
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, filepath.Base(dst))
	err = o.write(ctx, src, ds, d, work, made)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("raster: convert %s: %w", src, err)
	}
	if err := os.Rename(made, dst); err != nil {
		return fmt.Errorf("raster: convert %s: %w", src, err)
	}
	return nil
}

// validityOf finds a mask or an alpha band. An alpha band that is not kept does not count.
func (o COGOptions) validityOf(ds *godal.Dataset) (v validity) {
	const perDataset, alpha = 2, 4 // GMF_PER_DATASET, GMF_ALPHA
	bands := ds.Bands()
	for i, b := range o.Bands {
		if bands[b-1].ColorInterp() == godal.CIAlpha && len(o.Bands) > 1 {
			v.alpha = i + 1
		}
	}
	flags := bands[o.Bands[0]-1].MaskFlags()
	v.mask = v.alpha == 0 && flags&perDataset != 0 && flags&alpha == 0
	return v
}

// translate runs gdal_translate.
func translate(ds *godal.Dataset, dst string, switches []string) error {
	out, err := ds.Translate(dst, switches, godal.ErrLogger(failures))
	if err == nil {
		err = out.Close(godal.ErrLogger(failures))
	}
	if err != nil {
		return unreadable(err)
	}
	return nil
}

// unreadable blames the source.
func unreadable(err error) error {
	return fault.Wrap(fault.Invalid, err, "the pixels cannot be read and written as a COG")
}

// write streams the pixels through a pyramid into the file made.
func (o COGOptions) write(ctx context.Context, src string, ds *godal.Dataset, d Description, work, made string) error {
	if len(o.Bands) == 0 {
		for b := range d.Bands {
			o.Bands = append(o.Bands, b+1)
		}
	}
	// GDAL says what describes the samples and the place, in a file of one corner.
	corner := filepath.Join(work, "corner.tif")
	cut := []string{"-of", "GTiff", "-co", "INTERLEAVE=PIXEL", "-srcwin", "0", "0", strconv.Itoa(min(16, d.Width)), strconv.Itoa(min(16, d.Height))}
	if err := translate(ds, corner, append(cut, o.switches(d)...)); err != nil {
		return err
	}
	like, closer, err := likeOf(corner)
	if err != nil {
		return err
	}
	defer closer()
	v := o.validityOf(ds)
	wide, high := o.blockSize(d)
	p, err := newPyramid(work, d, v, wide, high, o)
	if err != nil {
		return err
	}
	defer p.close()
	if err := o.lines(ctx, src, ds, d, v.mask, func(line []byte) error { return p.push(0, line) }); err != nil {
		return err
	}
	f, err := os.Create(made)
	if err != nil {
		return err
	}
	if err = p.assemble(f, like); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// lines hands on the lines of a raster: of JPEG 2000 tile by tile, past GDAL where that can be.
func (o COGOptions) lines(ctx context.Context, src string, ds *godal.Dataset, d Description, masked bool, line func([]byte) error) error {
	if masked {
		return o.readMasked(ctx, ds, d, line)
	}
	f, err := openVSI(src)
	if err != nil {
		return err
	}
	defer f.Close()
	s := wholeTiles(f, d)
	if s == nil {
		return o.read(ctx, ds, d, line)
	}
	if err := s.readTiles(ctx, f, d.DataType, o.Bands, line); err != nil {
		return unreadable(err)
	}
	return nil
}

// read hands on the lines of a raster. It reads them in strips of its whole width, so that tiles are decoded once.
func (o COGOptions) read(ctx context.Context, ds *godal.Dataset, d Description, line func([]byte) error) error {
	length := d.Width * len(o.Bands) * d.DataType.Bytes()
	rows := stripRows(d, length)
	strip := make([]byte, rows*length)
	bands := make([]int, len(o.Bands)) // counted from 0 there
	for i, b := range o.Bands {
		bands[i] = b - 1
	}
	for row := 0; row < d.Height; row += rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		high := min(rows, d.Height-row)
		if err := ds.Read(0, row, typedValues(strip[:high*length], d.DataType), d.Width, high, godal.Bands(bands...), godal.ErrLogger(failures)); err != nil {
			return unreadable(err)
		}
		for y := range high {
			if err := line(strip[y*length : (y+1)*length]); err != nil {
				return err
			}
		}
	}
	return nil
}

// stripRows is how many lines of a length in bytes are read at once.
func stripRows(d Description, length int) int {
	const tile, most = 1024, 64 << 20
	return min(d.Height, max(1, min(tile, most/length)))
}

// readMasked does the same for an image with a mask, whose lines get one more sample in each pixel.
func (o COGOptions) readMasked(ctx context.Context, ds *godal.Dataset, d Description, line func([]byte) error) error {
	mask := ds.Bands()[o.Bands[0]-1].MaskBand()
	bytes := d.DataType.Bytes()
	pixel := len(o.Bands) * bytes
	rows := stripRows(d, d.Width*pixel)
	valid, whole, row := make([]byte, rows*d.Width), make([]byte, d.Width*(pixel+bytes)), 0
	return o.read(ctx, ds, d, func(from []byte) error {
		if row%rows == 0 {
			high := min(rows, d.Height-row)
			if err := mask.Read(0, row, valid[:high*d.Width], d.Width, high, godal.ErrLogger(failures)); err != nil {
				return unreadable(err)
			}
		}
		for x := range d.Width {
			to := whole[x*(pixel+bytes):][:pixel+bytes]
			copy(to, from[x*pixel:(x+1)*pixel])
			clear(to[pixel:])
			if valid[row%rows*d.Width+x] != 0 {
				setOne(to[pixel:], d.DataType)
			}
		}
		row++
		return line(whole)
	})
}

// setOne makes a sample 1.
func setOne(b []byte, d DataType) {
	switch d {
	case Float32:
		values[float32](b)[0] = 1
	case Float64:
		values[float64](b)[0] = 1
	default:
		b[0] = 1 // little-endian, as the file is
	}
}

// blockSize is that of a block in pixels: 128 x 256, or less where many bands side by side in one block would make it large to
// read. A map tile needs a fifth less of such blocks than of square ones, in as many rows of blocks, which are as many reads.
func (o COGOptions) blockSize(d Description) (wide, high int) {
	bands := len(o.Bands)
	if bands == 0 {
		bands = d.Bands
	}
	const most, least = 4 << 20, 16 // bytes, pixels; a TIFF's tiles are multiples of 16
	wide, high = 128, 256
	for wide > least && wide*high*bands*d.DataType.Bytes() > most {
		wide, high = wide/2, high/2
	}
	return wide, high
}

// switches are the arguments of gdal_translate that say what the pixels are. Naming the type also drops NBITS: Sentinel-2
// declares 15 bits, for which TIFF has no predictor.
func (o COGOptions) switches(d Description) []string {
	args := []string{"-ot", driverTypes[d.DataType]}
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
