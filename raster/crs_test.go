package raster

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/geo"
)

// TestForeignSystem holds what is said of a system without a code to PROJ's own words, whether GDAL or our reader read it.
func TestForeignSystem(t *testing.T) {
	s := scene{name: "equi7", proj: "+proj=aeqd +lat_0=53 +lon_0=24 +x_0=5837287.81977 +y_0=2121415.69617 +datum=WGS84 +units=m +no_defs",
		transform: geo.Affine{5255000, 20, 0, 2032990, 0, -20}, width: 300, height: 280, bands: 1, dataType: godal.Byte, noData: 0, creation: cog("COMPRESS=DEFLATE")}
	path := s.write(t, t.TempDir())
	d, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	c := openFile(t, path)
	if d.CRS != 0 || c.CRS != 0 || c.WKT != d.WKT || !strings.HasPrefix(d.WKT, "PROJCRS[") || !d.Georeferenced() {
		t.Errorf("code %v and %v; Inspect says %s, OpenCOG %s", d.CRS, c.CRS, d.WKT, c.WKT)
	}
	var got, want map[string]any
	if err := json.Unmarshal(PROJJSON(d.WKT), &got); err != nil {
		t.Fatal(err)
	}
	text := program(t, "gdalsrsinfo", "-o", "PROJJSON", path)
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if a, b := text, string(PROJJSON(d.WKT)); a == "" || jsonOf(t, got) != jsonOf(t, want) {
		t.Errorf("PROJJSON %s, gdalsrsinfo says %s", b, a)
	}
	if PROJJSON("no system") != nil {
		t.Error("PROJJSON of no system")
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestManyBands converts a raster whose bands would make a block of 256 too large.
func TestManyBands(t *testing.T) {
	s := scene{name: "many", crs: 32631, transform: geo.Affine{300000, 10, 0, 4900020, 0, -10}, width: 70, height: 66, bands: 150,
		dataType: godal.Float64, noData: nan, creation: []string{"-co", "INTERLEAVE=PIXEL", "-co", "COMPRESS=DEFLATE"}}
	path := s.write(t, t.TempDir())
	made := filepath.Join(t.TempDir(), "many.tif")
	if err := WriteCOG(t.Context(), path, made, COGOptions{}); err != nil {
		t.Fatal(err)
	}
	c := openFile(t, made)
	l := c.Levels[0]
	if c.Bands != 150 || l.BlockWidth != 32 || l.pixels.blockBytes(0) > 4<<20 {
		t.Errorf("%d bands, blocks of %d pixels, %d bytes", c.Bands, l.BlockWidth, l.pixels.blockBytes(0))
	}
	got, err := NewReader(1<<20).Read(t.Context(), c, 0, Window{0, 0, s.width, s.height}, []int{1, 77, 150})
	if err != nil {
		t.Fatal(err)
	}
	for i, band := range []int{1, 77, 150} {
		for j, v := range s.values(band - 1) {
			if float64(got[i][j]) != v {
				t.Fatalf("band %d, pixel %d: %g, want %g", band, j, got[i][j], v)
			}
		}
	}
}
