package tiles

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"swath/geo"
	"swath/internal/shelf"
	"swath/render"
)

// TestTilesOfEverySetAreGDALs draws the middle tile of an Australian product in every tile matrix set that it meets, at some
// levels, and compares the values with gdalwarp -et 0 to the same system.
func TestTilesOfEverySetAreGDALs(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	r := New(s.Catalog(), s.Open, Options{})
	v, err := r.View(t.Context(), Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08"}, Stored: true, SizePx: 256})
	if err != nil {
		t.Fatal(err)
	}
	sets, _, err := r.Sets(t.Context(), "jmm", "jmm")
	if err != nil {
		t.Fatal(err)
	}
	compared := map[string]bool{}
	for _, set := range sets {
		where, err := v.TileSet(t.Context(), set)
		if err != nil {
			t.Errorf("%s: %v", set.ID, err)
			continue
		}
		for _, limits := range where.Limits {
			polar := set.CRS == 5041 || set.CRS == 5042 // far from the pole GDAL takes another overview
			if (limits.First.Z%2 == 1 || polar) && limits.First.Z != where.MaxZoom {
				continue
			}
			tile := geo.Tile{Z: limits.First.Z, X: (limits.First.X + limits.Last.X) / 2, Y: (limits.First.Y + limits.Last.Y) / 2}
			frame, err := v.TileFrame(set, tile)
			if err != nil {
				t.Fatal(err)
			}
			got, err := v.inside(t.Context(), frame, nil)
			if err != nil {
				t.Fatal(err)
			}
			g := frame.Grid
			number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
			x0, y0 := g.Transform.Apply(0, 0)
			x1, y1 := g.Transform.Apply(float64(g.Width), float64(g.Height))
			out := filepath.Join(t.TempDir(), "out.bin")
			gdal(t, "", "gdalwarp", "-q", "-et", "0", "-t_srs", g.CRS.String(), "-te", number(x0), number(y1), number(x1), number(y0), "-ts", "256", "256",
				"-srcnodata", "0", "-ot", "Float32", "-dstnodata", "nan", "-of", "ENVI", s.Path("jmm/jmm/1/B08.tif"), out)
			raw, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			want := make([]float32, 256*256)
			if _, err := binary.Decode(raw, binary.LittleEndian, want); err != nil {
				t.Fatal(err)
			}
			var sum tally
			sum.add(got[0], want, g, 0, 0)
			if sum.same() < 0.999 && sum.valid > 1000 || sum.inner > 0 {
				t.Errorf("%s %v: %+v", set.ID, tile, sum)
			}
			if sum.valid > 1000 {
				compared[set.ID] = true
			}
			if _, err := v.Picture(t.Context(), frame, render.PNG); err != nil {
				t.Errorf("%s %v: %v", set.ID, tile, err)
			}
		}
	}
	if len(compared) < 8 {
		t.Errorf("only %v were compared", compared)
	}
	t.Log(compared)
}

// TestTileSizes: @2x, buffer and tilesize change the pixels, not the place.
func TestTileSizes(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	r := New(s.Catalog(), s.Open, Options{})
	tile := geo.TileAt(8, 152.5, -30.5)
	for want, q := range map[int]Request{256: {}, 512: {Scale: 2}, 258: {BufferPx: 1}, 257: {BufferPx: 0.5}, 300: {SizePx: 300}, 608: {SizePx: 300, Scale: 2, BufferPx: 4}} {
		q.Collection, q.Item, q.Render = "jmm", "jmm", "ndvi"
		v, err := r.View(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		body, err := v.Tile(t.Context(), tile, render.PNG)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(body))
		if err != nil || fmt.Sprint(picture.Bounds().Max) != fmt.Sprintf("(%d,%d)", want, want) {
			t.Errorf("%+v: %v, %v", q, picture.Bounds(), err)
		}
	}
}
