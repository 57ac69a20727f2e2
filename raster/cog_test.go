package raster

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

// options are gdal_translate's arguments for creation options.
func options(co ...string) []string {
	var args []string
	for _, o := range co {
		args = append(args, "-co", o)
	}
	return args
}

// tiled are the creation options of an odd tiling.
func tiled(co ...string) []string {
	return options(append(co, "TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=128")...)
}

// small is a small scene.
func small(bands int, dataType godal.DataType, creation ...string) scene {
	return scene{name: "small", crs: 32631, transform: geo.Affine{3e5, 10, 0, 5e6, 0, -10}, width: 301, height: 277,
		bands: bands, dataType: dataType, noData: 0, hole: true, creation: creation}
}

// TestBlocksAgainstGDAL reads every type, layout, compression and predictor, and compares each pixel with GDAL's.
func TestBlocksAgainstGDAL(t *testing.T) {
	for name, s := range map[string]scene{
		"byte, deflate, pixel":             small(3, godal.Byte, tiled("COMPRESS=DEFLATE", "PREDICTOR=2")...),
		"byte, deflate, band":              small(3, godal.Byte, tiled("COMPRESS=DEFLATE", "PREDICTOR=2", "INTERLEAVE=BAND")...),
		"uint16, zstd, BigTIFF":            small(2, godal.UInt16, tiled("COMPRESS=ZSTD", "PREDICTOR=2", "BIGTIFF=YES")...),
		"uint16, big endian":               small(2, godal.UInt16, tiled("COMPRESS=DEFLATE", "PREDICTOR=2", "ENDIANNESS=BIG")...),
		"int16, lzw":                       small(1, godal.Int16, tiled("COMPRESS=LZW", "PREDICTOR=2")...),
		"int32, none, big endian, BigTIFF": small(1, godal.Int32, tiled("ENDIANNESS=BIG", "BIGTIFF=YES")...),
		"uint32, deflate":                  small(2, godal.UInt32, tiled("COMPRESS=DEFLATE", "PREDICTOR=2")...),
		"float32, predictor 3":             small(1, godal.Float32, tiled("COMPRESS=DEFLATE", "PREDICTOR=3")...),
		"float32, predictor 3, pixel":      small(3, godal.Float32, tiled("COMPRESS=ZSTD", "PREDICTOR=3")...),
		"float32, predictor 3, big endian": small(1, godal.Float32, tiled("COMPRESS=DEFLATE", "PREDICTOR=3", "ENDIANNESS=BIG")...),
		"float32, predictor 2":             small(1, godal.Float32, tiled("COMPRESS=DEFLATE", "PREDICTOR=2")...),
		"float64, predictor 3":             small(2, godal.Float64, tiled("COMPRESS=LZW", "PREDICTOR=3")...),
		"strips, none":                     small(1, godal.UInt16),
		"strips, deflate":                  small(2, godal.UInt16, options("COMPRESS=DEFLATE", "BLOCKYSIZE=37", "INTERLEAVE=BAND")...),
		"sparse":                           small(1, godal.UInt16, tiled("COMPRESS=DEFLATE", "SPARSE_OK=TRUE")...),
	} {
		t.Run(name, func(t *testing.T) {
			path := s.write(t, t.TempDir())
			c := openFile(t, path)
			r := NewReader(1 << 20)
			want := readAll(t, path)
			for _, w := range []Window{{0, 0, s.width, s.height}, {63, 127, 66, 3}, {-5, 200, 400, 100}} {
				got, err := r.Read(context.Background(), c, 0, w, seqBands(s.bands))
				if err != nil {
					t.Fatal(err)
				}
				for b, plane := range got {
					for i, v := range plane {
						x, y := w.Col+i%w.Width, w.Row+i/w.Width
						expected := math.NaN()
						if x >= 0 && x < s.width && y >= 0 && y < s.height {
							expected = want[b][y*s.width+x]
						}
						if float64(v) != expected && !(isNaN(float64(v)) && isNaN(expected)) {
							t.Fatalf("window %v, band %d, pixel %d %d: %g, want %g", w, b+1, x, y, v, expected)
						}
					}
				}
			}
		})
	}
}

func TestOpenCOG(t *testing.T) {
	s := scenes()[1]
	c := openFile(t, s.write(t, t.TempDir()))
	if c.CRS != s.crs || c.Transform != s.transform || c.Bands != 2 || c.DataType != Int16 || c.NoData == nil || *c.NoData != -9999 {
		t.Errorf("%+v", c)
	}
	var sizes []string
	for _, l := range c.Levels {
		sizes = append(sizes, fmt.Sprint(l.Width, "x", l.Height, "/", l.BlockWidth))
	}
	if got := strings.Join(sizes, " "); got != "1500x1500/256 750x750/256 375x375/256 187x187/256" {
		t.Errorf("levels %s", got)
	}
}

func TestOpenCOGWithScaleAndPoint(t *testing.T) {
	s := small(2, godal.Float32, "-co", "TILED=YES", "-a_scale", "0.0001", "-a_offset", "-0.1", "-mo", "AREA_OR_POINT=Point")
	c := openFile(t, s.write(t, t.TempDir()))
	if !slices.Equal(c.Scale, []float64{0.0001, 0.0001}) || !slices.Equal(c.Offset, []float64{-0.1, -0.1}) {
		t.Errorf("scale %v, offset %v", c.Scale, c.Offset)
	}
	if c.Transform != s.transform {
		t.Errorf("transform %v, want %v", c.Transform, s.transform)
	}
}

func TestInternalMask(t *testing.T) {
	s := small(3, godal.Byte, append(cog("COMPRESS=DEFLATE", "ADD_ALPHA=NO"), "-mask", "1", "-a_nodata", "none")...)
	s.width, s.height = 700, 600
	c := openFile(t, s.write(t, t.TempDir()))
	if c.NoData != nil || c.Levels[0].mask == nil || c.Levels[1].mask == nil {
		t.Fatalf("no internal masks: %+v", c)
	}
	got, err := NewReader(1<<20).Read(context.Background(), c, 0, Window{0, 0, 700, 600}, []int{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	want := s.values(0) // the mask was made of the first band
	for b := range got {
		for i, v := range got[b] {
			if isNaN(float64(v)) != (want[i] == 0) {
				t.Fatalf("band %d, pixel %d: %g, the first band is %g", b+1, i, v, want[i])
			}
		}
	}
}

func TestOpenCOGRefuses(t *testing.T) {
	for name, creation := range map[string][]string{
		"jpeg":    {"-co", "COMPRESS=JPEG"},
		"complex": {"-ot", "CFloat32"},
		"9 bits":  {"-ot", "UInt16", "-co", "NBITS=9"},
	} {
		data, err := os.ReadFile(small(3, godal.Byte, creation...).write(t, t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenCOG(context.Background(), bytesSource(data)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, junk := range []string{
		"", "II", "II*\x00", "not a TIFF file at all, is it?", "II*\x00\xff\xff\xff\xff and so on and on",
		"MM\x00\x2b\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		if _, err := OpenCOG(context.Background(), bytesSource(junk)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", junk, err)
		}
	}
}

// bytesSource is bytes as a Source.
type bytesSource []byte

func (b bytesSource) Size() int64 { return int64(len(b)) }
func (b bytesSource) ID() string  { return "bytes" }
func (b bytesSource) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(b)) {
		return 0, fmt.Errorf("read at %d of %d", off, len(b))
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, fmt.Errorf("short read")
	}
	return n, nil
}

func TestReadDamagedBlock(t *testing.T) {
	s := small(1, godal.UInt16, cog("COMPRESS=DEFLATE")...)
	s.width, s.height, s.hole = 512, 512, false
	data, err := os.ReadFile(s.write(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenCOG(context.Background(), bytesSource(data))
	if err != nil {
		t.Fatal(err)
	}
	at := int(c.Levels[0].pixels.offsets[3])
	for i := range 100 {
		data[at+200+i] ^= 0x5a
	}
	r := NewReader(1 << 20)
	if _, err := r.Read(context.Background(), c, 0, Window{0, 0, 512, 512}, []int{1}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged block is read: %v", err)
	}
	if _, err := r.Read(context.Background(), c, 0, Window{0, 0, 256, 256}, []int{1}); err != nil {
		t.Errorf("a good block beside a damaged one: %v", err)
	}
}

// FuzzOpenCOG: whatever the bytes, opening and reading end in an answer.
func FuzzOpenCOG(f *testing.F) {
	for _, creation := range [][]string{
		options("TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16", "COMPRESS=DEFLATE", "PREDICTOR=2"),
		options("COMPRESS=LZW", "BIGTIFF=YES", "INTERLEAVE=BAND"),
		append(options("COMPRESS=ZSTD", "PREDICTOR=3", "ENDIANNESS=BIG"), "-ot", "Float32"),
		append(cog("COMPRESS=DEFLATE"), "-mask", "1", "-a_nodata", "none"),
	} {
		s := small(2, godal.UInt16, creation...)
		s.width, s.height = 40, 40
		data, err := os.ReadFile(s.write(f, f.TempDir()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := OpenCOG(context.Background(), bytesSource(data))
		if err != nil {
			return
		}
		r := NewReader(1 << 20)
		r.LimitBytes = 1 << 24
		for level, l := range c.Levels {
			w := Window{l.Width / 2, l.Height / 2, min(l.Width, 64), min(l.Height, 64)}
			_, _ = r.Read(context.Background(), c, level, w, seqBands(min(c.Bands, 3)))
		}
		g := Grid{CRS: geo.WebMercator, Transform: geo.Affine{-2e7, 1e5, 0, 2e7, 0, -1e5}, Width: 400, Height: 400}
		_, _ = r.Warp(context.Background(), c, g, []int{1}, Bilinear)
	})
}
