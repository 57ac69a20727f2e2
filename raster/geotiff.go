package raster

/*
#include "kernels.h"
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"swath/deflate"
	"swath/fault"
	"swath/geo"
)

// GeoTIFF describes an image that is written from values in memory: deflated strips with a predictor, one band after another.
type GeoTIFF struct {
	Grid                    // its place; CRS 0: none
	Type  DataType          // of the values in the file; "" is Float32
	Bands []GeoTIFFBand     // one for each plane
	Items map[string]string // what is said of the whole image (GDAL's metadata)
	// NoData is what NaN becomes. Without it NaN stays in floating point, and is 0 in whole numbers.
	NoData *float64
}

// GeoTIFFBand is what a file says of a band.
type GeoTIFFBand struct {
	Name, Unit    string
	Scale, Offset float64 // value = stored·Scale + Offset; Scale 0: not said
	Items         map[string]string
}

// Encode writes planes of Width x Height values, row by row, as one file in memory. Values that Type cannot hold become the
// nearest that it can.
func (g GeoTIFF) Encode(planes [][]float32) ([]byte, error) {
	var body bytes.Buffer
	w, err := NewGeoTIFFWriter(g, &body)
	if err != nil {
		return nil, err
	}
	if err := w.Add(planes, g.Height); err != nil {
		return nil, err
	}
	head, err := w.Head()
	if err != nil {
		return nil, err
	}
	return append(head, body.Bytes()...), nil
}

// GeoTIFFWriter makes a GeoTIFF from the top down without holding it: the strips go to a writer as they come, and the head,
// which stands before them in the file, is there at the end.
type GeoTIFFWriter struct {
	g       GeoTIFF
	to      io.Writer
	stripPx int // rows of a strip
	rows    int // come so far
	bytes   int64
	offsets [][]int64 // of each band's strips, from the first strip of all
	counts  [][]uint32
	packers []packer
}

// packer makes one strip at a time.
type packer struct {
	raw, scratch []byte
	deflater     deflate.Writer
	packed       []byte // good until the next strip
}

const (
	stripBytes  = 256 << 10 // about, of one strip's values
	mostPackers = 4         // strips that are packed side by side
)

// NewGeoTIFFWriter begins a file whose strips go to a writer.
func NewGeoTIFFWriter(g GeoTIFF, to io.Writer) (*GeoTIFFWriter, error) {
	if g.Type == "" {
		g.Type = Float32
	}
	if _, ok := driverTypes[g.Type]; !ok {
		return nil, fault.New(fault.Invalid, "values of type %q cannot be written", g.Type)
	}
	if g.Width < 1 || g.Height < 1 || g.Width > maxSide || g.Height > maxSide || len(g.Bands) < 1 || len(g.Bands) > maxBands {
		return nil, fault.New(fault.Invalid, "an image of %d x %d pixels and %d bands cannot be written", g.Width, g.Height, len(g.Bands))
	}
	line := g.Width * g.Type.Bytes()
	w := &GeoTIFFWriter{g: g, to: to, stripPx: min(g.Height, max(1, stripBytes/line)), offsets: make([][]int64, len(g.Bands)),
		counts: make([][]uint32, len(g.Bands)), packers: make([]packer, min(mostPackers, runtime.GOMAXPROCS(0)))}
	for i := range w.packers {
		w.packers[i] = packer{raw: make([]byte, w.stripPx*line), scratch: make([]byte, line)}
	}
	return w, nil
}

// StripRows is the number of rows of a strip.
func (w *GeoTIFFWriter) StripRows() int { return w.stripPx }

// Add writes the next rows: a plane for each band. Their number is a multiple of StripRows, except for the last.
func (w *GeoTIFFWriter) Add(planes [][]float32, rows int) error {
	if len(planes) != len(w.g.Bands) || w.rows%w.stripPx != 0 || w.rows+rows > w.g.Height {
		return fmt.Errorf("raster: %d planes of %d rows after %d do not fit an image of %d bands and %d rows in strips of %d",
			len(planes), rows, w.rows, len(w.g.Bands), w.g.Height, w.stripPx)
	}
	across := len(planes)
	strips := ceilDiv(rows, w.stripPx) * across // those of one place follow each other, band by band
	for first := 0; first < strips; first += len(w.packers) {
		side := min(len(w.packers), strips-first)
		var group errgroup.Group
		for i := range side {
			band, top := (first+i)%across, (first+i)/across*w.stripPx
			high := min(w.stripPx, rows-top)
			group.Go(func() error { return w.packers[i].pack(&w.g, planes[band][top*w.g.Width:(top+high)*w.g.Width], high) })
		}
		if err := group.Wait(); err != nil {
			return fmt.Errorf("raster: GeoTIFF: %w", err)
		}
		for i := range side {
			band, packed := (first+i)%across, w.packers[i].packed
			w.offsets[band], w.counts[band] = append(w.offsets[band], w.bytes), append(w.counts[band], uint32(len(packed)))
			w.bytes += int64(len(packed))
			if _, err := w.to.Write(packed); err != nil {
				return fmt.Errorf("raster: GeoTIFF: %w", err)
			}
		}
	}
	w.rows += rows
	return nil
}

// pack makes a strip of rows of one band.
func (p *packer) pack(g *GeoTIFF, values []float32, rows int) (err error) {
	raw := p.raw[:len(values)*g.Type.Bytes()]
	g.Type.put(raw, values, g.NoData)
	pixels, width, size := (*C.uint8_t)(unsafe.Pointer(&raw[0])), C.int(g.Width), C.int(g.Type.Bytes())
	if predictorOf(g.Type) == 3 {
		C.swath_float_planes(pixels, width, C.int(rows), 1, size, (*C.uint8_t)(unsafe.Pointer(&p.scratch[0])))
	} else {
		C.swath_differences(unsafe.Pointer(pixels), width, C.int(rows), 1, size)
	}
	p.packed, err = p.deflater.Pack(p.packed, raw, 1)
	return err
}

// put writes values as the type holds them, little endian.
func (d DataType) put(to []byte, values []float32, noData *float64) {
	if d == Float32 && noData == nil {
		for i, v := range values {
			binary.LittleEndian.PutUint32(to[4*i:], math.Float32bits(v))
		}
		return
	}
	low, high := math.Inf(-1), math.Inf(1)
	switch d {
	case Uint8:
		low, high = 0, math.MaxUint8
	case Uint16:
		low, high = 0, math.MaxUint16
	case Int16:
		low, high = math.MinInt16, math.MaxInt16
	case Uint32:
		low, high = 0, math.MaxUint32
	case Int32:
		low, high = math.MinInt32, math.MaxInt32
	}
	none, whole := math.NaN(), !math.IsInf(high, 1)
	if noData != nil {
		none = *noData
	} else if whole {
		none = 0
	}
	order := binary.LittleEndian
	for i, value := range values {
		v := float64(value)
		if v != v {
			v = none
		}
		if whole {
			v = math.Max(low, math.Min(high, math.RoundToEven(v)))
		}
		switch d {
		case Uint8:
			to[i] = uint8(v)
		case Uint16:
			order.PutUint16(to[2*i:], uint16(v))
		case Int16:
			order.PutUint16(to[2*i:], uint16(int16(v)))
		case Uint32:
			order.PutUint32(to[4*i:], uint32(v))
		case Int32:
			order.PutUint32(to[4*i:], uint32(int32(v)))
		case Float32:
			order.PutUint32(to[4*i:], math.Float32bits(float32(v)))
		case Float64:
			order.PutUint64(to[8*i:], math.Float64bits(v))
		}
	}
}

// Head returns what stands before the strips. All rows must have been added.
func (w *GeoTIFFWriter) Head() ([]byte, error) {
	if w.rows != w.g.Height {
		return nil, fmt.Errorf("raster: GeoTIFF: %d rows of %d were written", w.rows, w.g.Height)
	}
	d, err := w.tags()
	if err != nil {
		return nil, err
	}
	out := layout{big: w.bytes > classicBytes}
	var counts []uint32
	for _, c := range w.counts {
		counts = append(counts, c...)
	}
	d[tagStripBytes] = longs(counts...)
	start := 0
	for range 2 { // where the strips begin does not change the head's length
		offsets := tag{kind: 4}
		if out.big {
			offsets.kind = 16
		}
		for _, of := range w.offsets {
			for _, at := range of {
				offsets.data = out.word(offsets.data, uint64(int64(start)+at))
			}
		}
		d[tagStripOffsets] = offsets
		out.magic()
		out.head = out.word(out.head, uint64(len(out.word(out.head, 0))))
		out.directory(d, true)
		start = len(out.head)
	}
	return out.head, nil
}

// tags are the directory but for the strips' places.
func (w *GeoTIFFWriter) tags() (map[uint16]tag, error) {
	n := len(w.g.Bands)
	format := uint16(1) // unsigned
	switch w.g.Type {
	case Int16, Int32:
		format = 2
	case Float32, Float64:
		format = 3
	}
	const separate, unspecified, minIsBlack = 2, 0, 1
	d := map[uint16]tag{
		tagWidth: longs(uint32(w.g.Width)), tagHeight: longs(uint32(w.g.Height)), tagRowsPerStrip: longs(uint32(w.stripPx)),
		tagBits: shorts(slices.Repeat([]uint16{uint16(8 * w.g.Type.Bytes())}, n)...), tagSampleFormat: shorts(slices.Repeat([]uint16{format}, n)...),
		tagCompression: shorts(8), tagPredictor: shorts(predictorOf(w.g.Type)), tagPhotometric: shorts(minIsBlack),
		tagSamples: shorts(uint16(n)), tagPlanar: shorts(separate),
	}
	if n > 1 {
		d[tagExtraSamples] = shorts(slices.Repeat([]uint16{unspecified}, n-1)...)
	}
	if w.g.NoData != nil {
		d[tagGDALNoData] = ascii(strconv.FormatFloat(*w.g.NoData, 'g', -1, 64))
	} else if format == 3 {
		d[tagGDALNoData] = ascii("nan")
	}
	if text, err := w.g.metadata(); err != nil {
		return nil, err
	} else if text != "" {
		d[tagGDALMetadata] = ascii(text)
	}
	if w.g.CRS == 0 {
		return d, nil
	}
	keys, err := geoKeys(w.g.CRS)
	if err != nil {
		return nil, err
	}
	d[tagGeoKeys] = keys
	if t := w.g.Transform; t[2] == 0 && t[4] == 0 && t[1] > 0 && t[5] < 0 {
		d[tagPixelScale], d[tagTiepoints] = doubles(t[1], -t[5], 0), doubles(0, 0, 0, t[0], t[3], 0)
	} else {
		d[tagModelTransform] = doubles(t[1], t[2], 0, t[0], t[4], t[5], 0, t[3], 0, 0, 0, 0, 0, 0, 0, 1)
	}
	return d, nil
}

func doubles(values ...float64) tag {
	t := tag{kind: 12}
	for _, v := range values {
		t.data = binary.LittleEndian.AppendUint64(t.data, math.Float64bits(v))
	}
	return t
}

func ascii(text string) tag { return tag{kind: 2, data: append([]byte(text), 0)} }

// geoKeys names a coordinate system by its code (OGC 19-008r4, GeoTIFF 1.1, requirements 12 and 19).
func geoKeys(system geo.EPSG) (tag, error) {
	if system < 1024 || system > 32766 {
		return tag{}, fault.New(fault.Invalid, "%s has no place in a GeoTIFF, whose codes go from 1024 to 32766", system)
	}
	geographic := system == geo.WGS84
	if _, known := geo.ProjectionOf(system); !known {
		if err := useGDAL(); err != nil {
			return tag{}, err
		}
		ref, err := crs{code: system}.reference()
		if err != nil {
			return tag{}, err
		}
		geographic = ref.Geographic()
		ref.Close()
	}
	model, key := uint16(modelProjected), uint16(keyProjected)
	if geographic {
		model, key = modelGeographic, keyGeodetic
	}
	const pixelIsArea = 1
	return shorts(1, 1, 0, 3, keyModelType, 0, 1, model, keyRasterType, 0, 1, pixelIsArea, key, 0, 1, uint16(system)), nil
}

// metadata is what GDAL reads names, units, scales and items from; "" when nothing is said.
func (g GeoTIFF) metadata() (string, error) {
	var doc gdalMetadata
	for _, name := range slices.Sorted(maps.Keys(g.Items)) {
		doc.Items = append(doc.Items, gdalItem{Name: name, Text: g.Items[name]})
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for i, b := range g.Bands {
		say := func(name, role, text string) {
			if text != "" {
				doc.Items = append(doc.Items, gdalItem{name, strconv.Itoa(i), role, text})
			}
		}
		say("DESCRIPTION", "description", b.Name)
		say("UNITTYPE", "unittype", b.Unit)
		if b.Scale != 0 && (b.Scale != 1 || b.Offset != 0) {
			say("SCALE", "scale", number(b.Scale))
			say("OFFSET", "offset", number(b.Offset))
		}
		for _, name := range slices.Sorted(maps.Keys(b.Items)) {
			say(name, "", b.Items[name])
		}
	}
	if len(doc.Items) == 0 {
		return "", nil
	}
	for i := range doc.Items { // GDAL's reader resolves entities twice, as its writer makes them
		doc.Items[i].Text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(doc.Items[i].Text)
	}
	text, err := xml.Marshal(doc)
	return string(text), err
}
