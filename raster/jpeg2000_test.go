package raster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

// jp2 are the creation options of a JPEG 2000 file.
func jp2(co ...string) []string {
	return append([]string{"-of", "JP2OpenJPEG"}, options(append(co, "QUALITY=100")...)...) // the first of a name counts
}

// esa are those of Sentinel-2's files, with smaller tiles.
func esa(co ...string) []string {
	return jp2(append(co, "REVERSIBLE=YES", "RESOLUTIONS=5", "CODEBLOCK_WIDTH=4", "CODEBLOCK_HEIGHT=4", "PROGRESSION=LRCP",
		"PRECINCTS={64,64},{64,64},{64,64},{64,64},{64,64}", "GeoJP2=NO", "BLOCKXSIZE=160", "BLOCKYSIZE=160")...)
}

// writeJP2 writes a scene as JPEG 2000.
func (s scene) writeJP2(t testing.TB, dir string) string {
	t.Helper()
	creation := s.creation
	s.creation = nil
	path := filepath.Join(dir, s.name+".jp2")
	program(t, "gdal_translate", append([]string{"-q", s.write(t, dir), path}, creation...)...)
	return path
}

// TestJPEG2000AgainstGDAL reads every layout at every resolution, whole and in parts, and compares each pixel with GDAL's.
func TestJPEG2000AgainstGDAL(t *testing.T) {
	for name, s := range map[string]struct {
		scene
		levels int
	}{
		"as ESA packs":                {small(1, godal.UInt16, esa()...), 5},
		"15 bits":                     {small(1, godal.UInt16, esa("NBITS=15")...), 5},
		"true colour":                 {small(3, godal.Byte, esa("YCC=YES")...), 5},
		"bands apart":                 {small(2, godal.UInt16, esa("YCC=NO", "BLOCKXSIZE=96", "BLOCKYSIZE=128")...), 5},
		"wavelet 9-7":                 {small(1, godal.UInt16, jp2("REVERSIBLE=NO", "RESOLUTIONS=4", "BLOCKXSIZE=128", "BLOCKYSIZE=128")...), 4},
		"one tile":                    {small(1, godal.Int16, jp2("REVERSIBLE=YES", "RESOLUTIONS=5", "BLOCKXSIZE=640", "BLOCKYSIZE=576")...), 5},
		"several layers":              {small(1, godal.UInt16, esa("QUALITY=20,60,100")...), 5},
		"by resolution":               {small(1, godal.UInt16, esa("PROGRESSION=RLCP")...), 5},
		"by resolution, then place":   {small(1, godal.UInt16, esa("PROGRESSION=RPCL")...), 5},
		"by component":                {small(3, godal.Byte, esa("PROGRESSION=CPRL", "YCC=NO")...), 5},
		"by place":                    {small(1, godal.UInt16, esa("PROGRESSION=PCRL", "SOP=YES", "EPH=YES")...), 5},
		"several tile-parts":          {small(3, godal.Byte, jp2("REVERSIBLE=YES", "RESOLUTIONS=5", "TILEPARTS=COMPONENTS", "PROGRESSION=CPRL", "BLOCKXSIZE=160", "BLOCKYSIZE=160")...), 5},
		"boxes after the codestream":  {small(1, godal.UInt16, jp2("REVERSIBLE=YES", "RESOLUTIONS=3", "BLOCKXSIZE=256", "BLOCKYSIZE=256", "GMLJP2=NO", "GEOBOXES_AFTER_JP2C=YES")...), 3},
		"tiles that halve only twice": {small(1, godal.UInt16, esa("BLOCKXSIZE=100", "BLOCKYSIZE=100")...), 3},
		"bare codestream":             {small(1, godal.UInt16, jp2("REVERSIBLE=YES", "RESOLUTIONS=4", "CODEC=J2K", "BLOCKXSIZE=128", "BLOCKYSIZE=64")...), 4},
	} {
		t.Run(name, func(t *testing.T) {
			s.width, s.height = 641, 577
			if name == "one tile" {
				s.width, s.height = 640, 576 // GDAL halves no odd tile
			}
			path := s.writeJP2(t, t.TempDir())
			c := openFile(t, path)
			bare := strings.Contains(name, "bare")
			if c.Bands != s.bands || len(c.Levels) != s.levels || !bare && (c.CRS != s.crs || c.Transform != s.transform) {
				t.Fatalf("%d bands, %d levels, EPSG %d, transform %v", c.Bands, len(c.Levels), c.CRS, c.Transform)
			}
			r := NewReader(1 << 20)
			for level, l := range c.Levels[:min(s.levels, 4)] { // GDAL shows no smaller ones
				want := readAll(t, path)
				if level > 0 {
					want = readOverview(t, path, level-1)
				}
				if len(want[0]) != l.Width*l.Height {
					t.Fatalf("level %d has %d x %d pixels, GDAL's has %d", level, l.Width, l.Height, len(want[0]))
				}
				for _, w := range []Window{{0, 0, l.Width, l.Height}, {l.Width / 3, l.Height / 3, 9, 7}, {l.Width / 2, 0, l.Width / 4, l.Height}} {
					got, err := r.Read(context.Background(), c, level, w, seqBands(s.bands))
					if err != nil {
						t.Fatal(err)
					}
					for b, plane := range got {
						for i, v := range plane {
							x, y := w.Col+i%w.Width, w.Row+i/w.Width
							if float64(v) != want[b][y*l.Width+x] {
								t.Fatalf("level %d, window %v, band %d, pixel %d %d: %g, want %g", level, w, b+1, x, y, v, want[b][y*l.Width+x])
							}
						}
					}
				}
			}
		})
	}
}

// TestWarpJPEG2000 draws straight from JPEG 2000 what gdalwarp draws.
func TestWarpJPEG2000(t *testing.T) {
	s := small(1, godal.UInt16, esa()...)
	s.width, s.height, s.noData = 900, 700, nan
	path := s.writeJP2(t, t.TempDir())
	c, r := openFile(t, path), NewReader(8<<20)
	for level := range 3 {
		g := Grid{CRS: geo.WebMercator, Transform: geo.Affine{52000, 14.5 * float64(int(1)<<level), 0, 5641000, 0, -14.5 * float64(int(1)<<level)}, Width: 128, Height: 128}
		got, err := r.Warp(context.Background(), c, g, []int{1}, Nearest)
		if err != nil {
			t.Fatal(err)
		}
		want, differ, valid := gdalwarp(t, path, g, Nearest, level), 0, 0
		for i, v := range got[0] {
			if !isNaN(float64(v)) {
				valid++
			}
			if float64(v) != want[0][i] && !(isNaN(float64(v)) && isNaN(want[0][i])) {
				differ++
			}
		}
		if valid < 4000 || differ > len(want[0])/1000 {
			t.Errorf("level %d: %d of %d pixels differ, %d are valid", level, differ, len(want[0]), valid)
		}
	}
}

// realB01 is a whole band of 60 m as ESA made it.
const realB01 = "s2-safe/S2A_MSIL1C_20180101T105441_N0206_R051_T31TDH_20180101T124911.SAFE/GRANULE/L1C_T31TDH_A013204_20180101T105435/IMG_DATA/T31TDH_20180101T105441_B01.jp2"

// TestRealJPEG2000 reads a band of ESA's own.
func TestRealJPEG2000(t *testing.T) {
	path := real(t, realB01)
	c := openFile(t, path)
	if c.CRS != 32631 || c.Transform != (geo.Affine{399960, 60, 0, 4800000, 0, -60}) || c.DataType != Uint16 || len(c.Levels) != 5 {
		t.Fatalf("%+v", c)
	}
	r := NewReader(16 << 20)
	for level, l := range c.Levels {
		want := readAll(t, path)
		if level > 0 {
			want = readOverview(t, path, level-1)
		}
		got, err := r.Read(context.Background(), c, level, Window{0, 0, l.Width, l.Height}, []int{1})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got[0] {
			if float64(v) != want[0][i] {
				t.Fatalf("level %d, pixel %d: %g, want %g", level, i, v, want[0][i])
			}
		}
	}
}

// TestDamagedJPEG2000: damage of one tile is said, and the others can still be read.
func TestDamagedJPEG2000(t *testing.T) {
	s := small(1, godal.UInt16, esa()...)
	data, err := os.ReadFile(s.writeJP2(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenCOG(context.Background(), bytesSource(data))
	if err != nil {
		t.Fatal(err)
	}
	part := c.Levels[0].pixels.tiles.parts[1][0]
	for i := range part.length - 14 {
		data[part.at+14+i] = 0xFF
	}
	r := NewReader(1 << 20)
	if _, err := r.Read(context.Background(), c, 0, Window{160, 0, 100, 100}, []int{1}); !fault.Is(err, fault.Invalid) || !strings.Contains(fmt.Sprint(err), "tile 1") {
		t.Errorf("the damaged tile: %v", err)
	}
	if _, err := r.Read(context.Background(), c, 0, Window{0, 0, 100, 100}, []int{1}); err != nil {
		t.Errorf("the tile beside it: %v", err)
	}
	for _, cut := range []int{13, 100, len(data) / 2, len(data) - 3} {
		if _, err := OpenCOG(context.Background(), bytesSource(data[:cut])); !fault.Is(err, fault.Invalid) {
			t.Errorf("cut to %d of %d bytes: %v", cut, len(data), err)
		}
	}
}

// FuzzJPEG2000: whatever the headers, opening and laying a tile alone end in an answer. OpenJPEG is left out: it has its own fuzzers.
func FuzzJPEG2000(f *testing.F) {
	for _, creation := range [][]string{esa("NBITS=15"), esa("PROGRESSION=CPRL"), jp2("CODEC=J2K")} {
		s := small(2, godal.UInt16, creation...)
		s.width, s.height = 200, 180
		data, err := os.ReadFile(s.writeJP2(f, f.TempDir()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		src := bytesSource(data)
		if !isJPEG2000(src) {
			return
		}
		start, end, _, err := splitJP2(src)
		if err != nil {
			return
		}
		s, err := readCodestream(src, start, end)
		if err != nil {
			return
		}
		for level := range min(s.resolutions, 4) + 1 {
			if level > 0 && !s.divides(level) {
				break
			}
			if p, err := s.plane(level, Uint16); err == nil {
				p.tiles.tileOf(&p, p.across*p.down-1)
			}
			for tile := range min(len(s.parts), 16) {
				if body, err := s.body(src, tile); err == nil {
					s.alone(body, tile, level)
				}
			}
		}
	})
}
