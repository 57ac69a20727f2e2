package raster

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

const jp2Crop = "s2-crops/t31tdh-l1c-20150726/IMG_DATA/T31TDH_20150726T105026_"

// wellFormed fails the test unless a file is a valid COG: directories first, overviews from large to small, blocks of 128 x 256,
// the data of small overviews before large ones.
func wellFormed(t *testing.T, path string) *COG {
	t.Helper()
	c := openFile(t, path)
	first := uint64(math.MaxUint64)
	for i := len(c.Levels) - 1; i >= 0; i-- {
		l := c.Levels[i]
		if i > 0 && c.Levels[i].pixels.index <= c.Levels[i-1].pixels.index {
			t.Errorf("%s: the directory of level %d comes before that of level %d", path, i, i-1)
		}
		if l.BlockWidth != 128 || l.BlockHeight != 256 {
			t.Errorf("%s: blocks of %d x %d", path, l.BlockWidth, l.BlockHeight)
		}
		for _, at := range l.pixels.offsets {
			if at != 0 {
				first = min(first, at)
			}
		}
		if i > 0 && slices.Max(l.pixels.offsets) > slices.Max(c.Levels[i-1].pixels.offsets) {
			t.Errorf("%s: the data of level %d lie after those of level %d", path, i, i-1)
		}
	}
	if last := c.Levels[len(c.Levels)-1]; max(last.Width, last.Height) > 512 {
		t.Errorf("%s: the smallest overview is %d x %d", path, last.Width, last.Height)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, dirs, err := readDirectories(bytesSource(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		for tag, e := range d.entries {
			if e.at > int64(first) {
				t.Errorf("%s: tag %d lies at %d, after the first block at %d", path, tag, e.at, first)
			}
		}
	}
	return c
}

func TestWriteCOGOfJP2(t *testing.T) {
	zero := 0.0
	for _, band := range []string{"B04", "B05", "B01", "TCI"} {
		t.Run(band, func(t *testing.T) {
			src := real(t, jp2Crop+band+".jp2")
			dst := filepath.Join(t.TempDir(), band+".tif")
			if err := WriteCOG(context.Background(), src, dst, COGOptions{NoData: &zero}); err != nil {
				t.Fatal(err)
			}
			c := wellFormed(t, dst)
			d, err := Inspect(src)
			if err != nil {
				t.Fatal(err)
			}
			if c.CRS != 32631 || c.Transform != d.Transform || c.Levels[0].Width != d.Width || c.Bands != d.Bands || c.DataType != d.DataType || *c.NoData != 0 {
				t.Errorf("%+v of %+v", c, d)
			}
			want := readAll(t, src)
			got, err := NewReader(1<<20).Read(context.Background(), c, 0, Window{0, 0, d.Width, d.Height}, seqBands(d.Bands))
			if err != nil {
				t.Fatal(err)
			}
			for b := range got {
				for i, v := range got[b] {
					if expected := want[b][i]; float64(v) != expected && !(expected == 0 && isNaN(float64(v))) {
						t.Fatalf("band %d, pixel %d: %g, want %g", b+1, i, v, expected)
					}
				}
			}
		})
	}
}

func TestWriteCOGInZip(t *testing.T) {
	zip := real(t, "s2-safe/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.zip")
	inside := "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.SAFE/GRANULE/L1C_T56JMM_A015757_20180629T000241/IMG_DATA/T56JMM_20180629T000241_B04.jp2"
	dst := filepath.Join(t.TempDir(), "B04.tif")
	if err := WriteCOG(context.Background(), "/vsizip/{"+zip+"}/"+inside, dst, COGOptions{}); err != nil {
		t.Fatal(err)
	}
	if c := wellFormed(t, dst); c.CRS != 32756 || c.Levels[0].Width != 439 || c.DataType != Uint16 {
		t.Errorf("%+v", c)
	}
	if err := WriteCOG(context.Background(), "/vsizip/{"+zip+"}/absent.jp2", dst, COGOptions{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an absent entry: %v", err)
	}
}

func TestWriteCOGOptions(t *testing.T) {
	dir := t.TempDir()
	s := small(3, godal.Float32, "-a_nodata", "none")
	s.width, s.height = 900, 800
	src, dst := s.write(t, dir), filepath.Join(dir, "out.tif")
	nodata := 3.0
	var gcps []geo.GCP
	for row := range 4 {
		for column := range 5 {
			gcps = append(gcps, geo.GCP{Column: 0.5 + 200*float64(column), Row: 0.5 + 250*float64(row),
				LonDeg: geo.WrapLon(179.9 + 0.05*float64(column) - 0.01*float64(row)), LatDeg: -17.123456789 - 0.04*float64(row), HeightM: 12.5})
		}
	}
	if err := WriteCOG(context.Background(), src, dst, COGOptions{Bands: []int{3, 1}, NoData: &nodata, GCPs: gcps, Overviews: Mode, Zstd: true}); err != nil {
		t.Fatal(err)
	}
	c := wellFormed(t, dst)
	if c.Bands != 2 || *c.NoData != 3 || !slices.Equal(c.GCPs, gcps) || c.CRS != 0 || c.Levels[0].pixels.compression != 50000 || c.Levels[0].pixels.predictor != 3 {
		t.Errorf("%+v", c)
	}
	d, err := Inspect(dst)
	if err != nil || !slices.Equal(d.GCPs, gcps) || !d.Georeferenced() {
		t.Errorf("%+v, %v", d, err)
	}
	// Mode: the values of an overview are values of the image.
	r := NewReader(1 << 20)
	got, err := r.Read(context.Background(), c, 1, Window{0, 0, c.Levels[1].Width, c.Levels[1].Height}, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range got[0] {
		if v != float32(math.Round(float64(v))) {
			t.Fatalf("%g is a mean, not a mode", v)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".cog-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := WriteCOG(context.Background(), src, dst, COGOptions{Bands: []int{4}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("band 4 of 3: %v", err)
	}
}

// TestWriteCOGRefusesDamage cuts files off at many places: none becomes a COG, and nothing is left.
func TestWriteCOGRefusesDamage(t *testing.T) {
	jp2, err := os.ReadFile(real(t, jp2Crop+"B04.jp2"))
	if err != nil {
		t.Fatal(err)
	}
	s := small(1, godal.UInt16, cog("COMPRESS=DEFLATE")...)
	s.width, s.height = 600, 600
	tif, err := os.ReadFile(s.write(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"b.jp2": jp2, "s.tif": tif} {
		src, dst := filepath.Join(dir, name), filepath.Join(dir, "out.tif")
		for _, share := range []float64{0, 0.001, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999} {
			if err := os.WriteFile(src, data[:int(share*float64(len(data)))], 0o644); err != nil {
				t.Fatal(err)
			}
			if err := WriteCOG(context.Background(), src, dst, COGOptions{}); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s cut to %g of its length: %v", name, share, err)
			}
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".cog-*"))
	if len(left) != 2 || len(hidden) > 0 { // the two sources
		t.Errorf("left behind: %v %v", left, hidden)
	}
}

func TestOpenRefusesOtherFormats(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.tif")
	s := small(1, godal.Byte)
	if err := os.Rename(s.write(t, dir), secret); err != nil {
		t.Fatal(err)
	}
	vrt := `<VRTDataset rasterXSize="10" rasterYSize="10"><VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>` + secret +
		`</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>`
	path := filepath.Join(dir, "trap.tif")
	if err := os.WriteFile(path, []byte(vrt), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, vrt, "/vsicurl/http://127.0.0.1:1/x.tif", "vrt://" + secret, dir, filepath.Join(dir, "absent.tif"), "/dev/null"} {
		if d, err := Inspect(path); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %+v, %v", path, d, err)
		}
	}
}

func FuzzCheckBoxes(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x0ajp2c\xff\xd9"))
	f.Add([]byte("\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x01jp2c\x00\x00\x00\x00\x00\x00\x00\x12\xff\xd9"))
	f.Add([]byte("\xff\x4f\xff\x51\xff\xd9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = checkBoxes(bytesSource(data), int64(len(data)))
	})
}
