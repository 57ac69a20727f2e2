package raster

import (
	"context"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"swath/fault"
	"swath/geo"
)

// DataType is the type of the stored values, as STAC's data_type writes it.
type DataType string

// The types that can be read.
const (
	Uint8   DataType = "uint8"
	Int8    DataType = "int8"
	Uint16  DataType = "uint16"
	Int16   DataType = "int16"
	Uint32  DataType = "uint32"
	Int32   DataType = "int32"
	Float32 DataType = "float32"
	Float64 DataType = "float64"
)

// Bytes returns the size of one value.
func (d DataType) Bytes() int {
	switch d {
	case Uint8, Int8:
		return 1
	case Uint16, Int16:
		return 2
	case Float64:
		return 8
	}
	return 4
}

// COG is an opened GeoTIFF or JPEG 2000 file: what its directories or headers say. It holds no pixels, is never changed, and may be shared.
type COG struct {
	Levels    []Level // full resolution first, then ever coarser overviews
	Bands     int
	Alpha     int // band of opacity, counted from 1: other bands have no value where it is 0; 0 when there is none
	DataType  DataType
	NoData    *float64 // the stored value that means "not measured"; internal masks are honoured besides
	Transform geo.Affine
	CRS       geo.EPSG  // 0 when the file does not name a code, or places its pixels by GCPs alone
	WKT       string    // of the coordinate system when it has no code
	GCPs      []geo.GCP // of rasters in sensor geometry
	Scale     []float64 // per band: value = stored·Scale + Offset; 1 and 0 when the file does not say
	Offset    []float64

	src Source
	big bool // big endian
}

// Level is one resolution of the image.
type Level struct {
	Width, Height           int // pixels
	BlockWidth, BlockHeight int

	pixels plane
	mask   *plane // 0 where nothing was measured; nil when the level has none
}

// plane is where the blocks of an image lie and how they are packed.
type plane struct {
	index           int // of the directory in the file: names the plane in cache keys
	across, down    int // blocks
	blockWidth      int
	blockHeight     int
	height          int  // of the image: the last strip is shorter
	strips          bool // not tiles
	samples         int  // in one block: all bands when interleaved, else 1
	bits            int  // per sample
	format          DataType
	compression     uint64
	predictor       uint64
	separate        bool
	offsets, counts []uint64
	tiles           *tiling // of a JPEG 2000 file, instead of most of the above
}

const (
	maxSide       = 1 << 24 // pixels
	maxBlockBytes = 1 << 26 // decoded
	maxBands      = 1 << 10
)

// OpenCOG reads the directories of a GeoTIFF, or the headers of a JPEG 2000 file, whose lower resolutions are its overviews. It is
// fault.Invalid when the file is neither, or packs its pixels in a way that we do not read.
func OpenCOG(ctx context.Context, src Source) (*COG, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	opened, err := withHead(src)
	if err != nil {
		return nil, fmt.Errorf("raster: open %s: %w", src.ID(), err)
	}
	if isJPEG2000(opened) {
		c := &COG{src: src}
		if err := c.openJPEG2000(opened); err != nil {
			return nil, fmt.Errorf("raster: open %s: %w", src.ID(), err)
		}
		return c, nil
	}
	t, dirs, err := readDirectories(opened)
	if err != nil {
		return nil, fmt.Errorf("raster: open %s: %w", src.ID(), err)
	}
	c := &COG{src: src, big: t.order.String() == "BigEndian"}
	if err := c.read(dirs); err != nil {
		return nil, fmt.Errorf("raster: open %s: %w", src.ID(), err)
	}
	return c, nil
}

func (c *COG) read(dirs []directory) error {
	var masks []Level
	for i, d := range dirs {
		subfile, err := d.uint(tagSubfile, 0)
		if err != nil {
			return err
		}
		overview, mask := subfile&1 != 0, subfile&4 != 0
		if i > 0 && !overview && !mask {
			continue // another page: not this image
		}
		level, bands, err := readLevel(d, i)
		if err != nil {
			return err
		}
		switch {
		case mask:
			masks = append(masks, level)
		case i == 0:
			c.Bands, c.DataType = bands, level.pixels.format
			c.Levels = append(c.Levels, level)
		case bands == c.Bands && level.pixels.format == c.DataType && level.Width < c.Levels[0].Width:
			c.Levels = append(c.Levels, level)
		}
	}
	if len(c.Levels) == 0 {
		return fault.New(fault.Invalid, "the TIFF begins with a mask")
	}
	slices.SortStableFunc(c.Levels, func(a, b Level) int { return b.Width - a.Width })
	for i := range c.Levels {
		l := &c.Levels[i]
		for _, m := range masks {
			if m.Width == l.Width && m.Height == l.Height && m.pixels.samples == 1 && m.pixels.format == Uint8 {
				l.mask = &m.pixels
			}
		}
	}
	if err := c.readAlpha(dirs[0]); err != nil {
		return err
	}
	if err := c.readScales(dirs[0]); err != nil {
		return err
	}
	return c.readPlace(dirs[0])
}

// readLevel reads the layout of one directory.
func readLevel(d directory, index int) (Level, int, error) {
	var err error
	get := func(tag uint16, otherwise uint64) (v uint64) {
		if err == nil {
			v, err = d.uint(tag, otherwise)
		}
		return v
	}
	width, height, bands := get(tagWidth, 0), get(tagHeight, 0), get(tagSamples, 1)
	p := plane{index: index, compression: get(tagCompression, 1), predictor: get(tagPredictor, 1), separate: get(tagPlanar, 1) == 2}
	blockWidth, blockHeight := get(tagTileWidth, 0), get(tagTileHeight, 0)
	if blockWidth == 0 {
		p.strips = true
		blockWidth, blockHeight = width, min(get(tagRowsPerStrip, height), height)
	}
	if err != nil {
		return Level{}, 0, err
	}
	if width == 0 || height == 0 || width > maxSide || height > maxSide || bands == 0 || bands > maxBands {
		return Level{}, 0, fault.New(fault.Invalid, "the TIFF claims %d x %d pixels and %d bands", width, height, bands)
	}
	if err := p.readFormat(d); err != nil {
		return Level{}, 0, err
	}
	p.samples = int(bands)
	if p.separate {
		p.samples = 1
	}
	if blockWidth == 0 || blockHeight == 0 || blockWidth > maxSide || blockHeight > maxSide ||
		blockWidth*blockHeight*uint64(p.samples*p.format.Bytes()) > maxBlockBytes {
		return Level{}, 0, fault.New(fault.Invalid, "the TIFF has blocks of %d x %d pixels of %d samples; at most %d bytes can be read",
			blockWidth, blockHeight, p.samples, maxBlockBytes)
	}
	p.blockWidth, p.blockHeight, p.height = int(blockWidth), int(blockHeight), int(height)
	p.across, p.down = ceilDiv(int(width), p.blockWidth), ceilDiv(int(height), p.blockHeight)
	if err := p.readBlockTable(d, int(bands)); err != nil {
		return Level{}, 0, err
	}
	return Level{int(width), int(height), p.blockWidth, p.blockHeight, p, nil}, int(bands), nil
}

// readFormat reads the type of the samples and refuses what cannot be unpacked.
func (p *plane) readFormat(d directory) error {
	bits, err := d.uints(tagBits)
	if err != nil {
		return err
	}
	formats, err := d.uints(tagSampleFormat)
	if err != nil {
		return err
	}
	p.bits = 1
	for i, b := range bits {
		if b != bits[0] {
			return fault.New(fault.Invalid, "the TIFF's bands have %v bits: they must be equal", bits)
		}
		p.bits = int(bits[i])
	}
	format := uint64(1)
	for _, f := range formats {
		if f != formats[0] {
			return fault.New(fault.Invalid, "the TIFF's bands are of the types %v: they must be equal", formats)
		}
		format = f
	}
	types := map[[2]uint64]DataType{
		{1, 1}: Uint8, {1, 8}: Uint8, {1, 16}: Uint16, {1, 32}: Uint32, {4, 8}: Uint8, {2, 8}: Int8, {2, 16}: Int16, {2, 32}: Int32, {3, 32}: Float32, {3, 64}: Float64,
	}
	ok := false
	if p.format, ok = types[[2]uint64{format, uint64(p.bits)}]; !ok {
		return fault.New(fault.Invalid, "the TIFF has samples of format %d with %d bits, which are not read", format, p.bits)
	}
	if _, ok := decoders[p.compression]; !ok {
		return fault.New(fault.Invalid, "the TIFF uses compression %d, which is not read (deflate, zstd, LZW and none are)", p.compression)
	}
	float := p.format == Float32 || p.format == Float64
	if p.predictor < 1 || p.predictor > 3 || p.predictor == 3 != float && p.predictor == 3 || p.predictor == 2 && p.bits < 8 {
		return fault.New(fault.Invalid, "the TIFF uses predictor %d on samples of %s with %d bits", p.predictor, p.format, p.bits)
	}
	return nil
}

func (p *plane) readBlockTable(d directory, bands int) error {
	offsetTag, countTag := uint16(tagTileOffsets), uint16(tagTileBytes)
	if p.strips {
		offsetTag, countTag = tagStripOffsets, tagStripBytes
	}
	var err error
	if p.offsets, err = d.uints(offsetTag); err != nil {
		return err
	}
	if p.counts, err = d.uints(countTag); err != nil {
		return err
	}
	blocks := p.across * p.down
	if p.separate {
		blocks *= bands
	}
	if len(p.offsets) < blocks || len(p.counts) < blocks {
		return fault.New(fault.Invalid, "the TIFF needs %d blocks and lists %d", blocks, min(len(p.offsets), len(p.counts)))
	}
	return nil
}

// gdalMetadata is the document in the GDAL_METADATA tag.
type gdalMetadata struct {
	XMLName xml.Name   `xml:"GDALMetadata"`
	Items   []gdalItem `xml:"Item"`
}

type gdalItem struct {
	Name   string `xml:"name,attr"`
	Sample string `xml:"sample,attr,omitempty"`
	Role   string `xml:"role,attr,omitempty"`
	Text   string `xml:",chardata"`
}

// readAlpha finds the band that an extra sample says to be opacity, associated or not.
func (c *COG) readAlpha(d directory) error {
	extra, err := d.uints(tagExtraSamples)
	if err != nil {
		return err
	}
	const associated, unassociated = 1, 2
	for i, kind := range extra {
		if band := c.Bands - len(extra) + i + 1; (kind == associated || kind == unassociated) && band > 1 {
			c.Alpha = band
		}
	}
	return nil
}

// veil is the plane of a level that is 0 where nothing was measured, and its band in it; nil when there is none, or the band of
// opacity is itself what is read.
func (c *COG) veil(l *Level, bands []int) (p *plane, band int) {
	switch {
	case l.mask != nil:
		return l.mask, 1
	case c.Alpha > 0 && !slices.Contains(bands, c.Alpha):
		return &l.pixels, c.Alpha
	}
	return nil, 0
}

// readScales reads the nodata value and each band's scale and offset.
func (c *COG) readScales(d directory) error {
	text, err := d.text(tagGDALNoData)
	if err != nil {
		return err
	}
	if v, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
		c.NoData = &v
	}
	c.Scale, c.Offset = make([]float64, c.Bands), make([]float64, c.Bands)
	for i := range c.Scale {
		c.Scale[i] = 1
	}
	if text, err = d.text(tagGDALMetadata); err != nil || text == "" {
		return err
	}
	var m gdalMetadata
	if xml.Unmarshal([]byte(text), &m) != nil {
		return nil // only a hint: the image itself can be read
	}
	for _, item := range m.Items {
		band, err := strconv.Atoi(item.Sample)
		v, err2 := strconv.ParseFloat(strings.TrimSpace(item.Text), 64)
		if err != nil || err2 != nil || band < 0 || band >= c.Bands || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		switch item.Role {
		case "scale":
			c.Scale[band] = v
		case "offset":
			c.Offset[band] = v
		}
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
