package tilehttp

import (
	"bytes"
	"fmt"
	"image"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"swath/geo"
)

// TestGDALReadsWMTS lets GDAL's WMTS driver read a tile of each matrix set, and compares it with the tile itself.
func TestGDALReadsWMTS(t *testing.T) {
	if _, err := exec.LookPath("gdal_translate"); err != nil {
		t.Skip("GDAL's command line tools are not installed")
	}
	app, _ := door(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(listener) //nolint:errcheck // it ends with the test
	defer app.Shutdown()      //nolint:errcheck // as above
	item := "/collections/jmm/items/jmm"
	for _, id := range []string{"WebMercatorQuad", "WorldCRS84Quad", "UTM56WGS84Quad"} {
		set, _ := geo.TileMatrixSetByID(id)
		x, y := 152.5, -30.5
		if id != "WorldCRS84Quad" {
			p, _ := geo.ProjectionOf(set.CRS)
			x, y = p.FromLonLat(x, y)
		}
		tile, _, _ := set.Within(8, geo.Box{MinX: x, MinY: y, MaxX: x, MaxY: y})
		b := set.Box(tile)
		number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
		out := filepath.Join(t.TempDir(), "out.png")
		command := exec.CommandContext(t.Context(), "gdal_translate", "-q", "-of", "PNG", "-outsize", "256", "256",
			"-projwin", number(b.MinX), number(b.MaxY), number(b.MaxX), number(b.MinY),
			fmt.Sprintf("WMTS:http://%s%s/%s/WMTSCapabilities.xml?render=ndvi,layer=default,tilematrixset=%s", listener.Addr(), item, id, id), out)
		command.Env = append(os.Environ(), "GDAL_DEFAULT_WMS_CACHE_PATH="+t.TempDir())
		if said, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", id, err, said)
			continue
		}
		read, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := image.Decode(bytes.NewReader(read))
		if err != nil {
			t.Fatal(err)
		}
		own := ask(t, app, "GET", fmt.Sprintf("%s/tiles/%s/%d/%d/%d.png?render=ndvi", item, id, tile.Z, tile.X, tile.Y))
		want, _, err := image.Decode(bytes.NewReader(own.body))
		if err != nil {
			t.Fatal(err)
		}
		differ, misplaced, opaque := 0, 0, 0
		for i := range 256 * 256 {
			r, g, bl, a := want.At(i%256, i/256).RGBA()
			r2, g2, b2, a2 := got.At(i%256, i/256).RGBA()
			if a > 0 {
				opaque++
			}
			if a != a2 {
				misplaced++
			}
			if a != a2 || a > 0 && (r != r2 || g != g2 || bl != b2) {
				differ++
			}
		}
		if id == "WorldCRS84Quad" { // GDAL reads a finer level of it: other pixels of the same place
			differ = 0
		}
		if differ > 0 || misplaced > opaque/50 || opaque < 1000 {
			t.Errorf("%s %v: %d of %d drawn pixels differ, %d are elsewhere", id, tile, differ, opaque, misplaced)
		}
	}
}
