package tilehttp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/gofiber/fiber/v2"

	"swath/geo"
)

// TestGDALReadsWMTS lets GDAL's WMTS driver read a tile of each matrix set, of an item, of a collection, of a registered search and
// of the catalog, and compares it with the tile itself.
func TestGDALReadsWMTS(t *testing.T) {
	if _, err := exec.LookPath("gdal_translate"); err != nil {
		t.Skip("GDAL's command line tools are not installed")
	}
	app, address := listening(t)
	for _, from := range []struct{ address, query, layer string }{
		{"/collections/jmm/items/jmm", "render=ndvi", "default"}, {"/collections/jmm", "", "ndvi"}, {"/searches/" + registered, "", "ndvi"},
		{"", "collections=jmm", "ndvi"},
	} {
		for _, id := range []string{"WebMercatorQuad", "WorldCRS84Quad", "UTM56WGS84Quad"} {
			capabilities := "/WMTSCapabilities.xml"
			if from.address != "" {
				capabilities = "/" + id + capabilities
			} else if id == "UTM56WGS84Quad" {
				continue
			}
			readsWMTS(t, app, address, id, from.address, from.address+capabilities+"?"+from.query, from.layer)
		}
	}
}

// TestWMTSOfTheWorld: GDAL finds a collection without a known extent where the web map is, as fine as its tiles are, and an item as
// fine as its rasters.
func TestWMTSOfTheWorld(t *testing.T) {
	if _, err := exec.LookPath("gdalinfo"); err != nil {
		t.Skip("GDAL's command line tools are not installed")
	}
	_, address := listening(t)
	for source, want := range map[string]struct {
		pixel, west, north float64
		columns            int
	}{
		"/collections/spain/WMTSCapabilities.xml?assets=s2_b8&rescale=0%2C1,layer=default,tilematrixset=WebMercatorQuad": {1.1943, -20037508.34, 20037508.34, 1 << 25},
		"/collections/spain/WMTSCapabilities.xml?assets=s2_b8&rescale=0%2C1,layer=default,tilematrixset=WorldCRS84Quad":  {180. / 256 / (1 << 16), -180, 90, 1 << 25},
		"/collections/jmm/items/jmm/WMTSCapabilities.xml?render=ndvi,layer=default,tilematrixset=WebMercatorQuad":        {152.874, 16915451.7, -3479786, 780},
		"/collections/jmm/UTM56SWGS84Quad/WMTSCapabilities.xml,layer=ndvi,tilematrixset=UTM56SWGS84Quad":                 {1.1923, 396000, 6714000, 104_000},
		"/WMTSCapabilities.xml?collections=spain&assets=s2_b8&rescale=0%2C1,layer=default,tilematrixset=WebMercatorQuad": {1.1943, -20037508.34, 20037508.34, 1 << 25},
	} {
		command := exec.CommandContext(t.Context(), "gdalinfo", "-json", "WMTS:http://"+address+source)
		command.Env = append(os.Environ(), "GDAL_DEFAULT_WMS_CACHE_PATH="+t.TempDir())
		said, err := command.CombinedOutput()
		var info struct {
			Size         [2]int
			GeoTransform [6]float64
		}
		if err != nil || json.Unmarshal(said, &info) != nil {
			t.Errorf("%s: %v %s", source, err, said)
			continue
		}
		near := func(a, b, within float64) bool { return math.Abs(a-b) <= within*math.Abs(b) }
		if g := info.GeoTransform; !near(g[1], want.pixel, 0.001) || !near(g[0], want.west, 0.03) || !near(g[3], want.north, 0.03) || !near(float64(info.Size[0]), float64(want.columns), 0.15) {
			t.Errorf("%s: %d x %d pixels, %v; want %+v", source, info.Size[0], info.Size[1], g, want)
		}
	}
}

func readsWMTS(t *testing.T, app *fiber.App, host, id, address, capabilities, layer string) {
	t.Helper()
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
		fmt.Sprintf("WMTS:http://%s%s,layer=%s,tilematrixset=%s,zoom_level=%d", host, capabilities, layer, id, tile.Z-set.Matrices[0].Z), out)
	command.Env = append(os.Environ(), "GDAL_DEFAULT_WMS_CACHE_PATH="+t.TempDir())
	if said, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", capabilities, id, err, said)
		return
	}
	read, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := image.Decode(bytes.NewReader(read))
	if err != nil {
		t.Fatal(err)
	}
	query := "?render=ndvi"
	if address == "" {
		query += "&collections=jmm"
	}
	own := ask(t, app, "GET", fmt.Sprintf("%s/tiles/%s/%d/%d/%d.png%s", address, id, tile.Z, tile.X, tile.Y, query))
	want, _, err := image.Decode(bytes.NewReader(own.body))
	if err != nil {
		t.Fatalf("%v in %.200s", err, own.body)
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
	if differ > 0 || misplaced > opaque/50 || opaque < 1000 {
		t.Errorf("%s %s %v: %d of %d drawn pixels differ, %d are elsewhere", capabilities, id, tile, differ, opaque, misplaced)
	}
}

// listening serves the door's app at an address until the test ends.
func listening(t *testing.T) (*fiber.App, string) {
	t.Helper()
	app, _ := door(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(listener)            //nolint:errcheck // it ends with the test
	t.Cleanup(func() { app.Shutdown() }) //nolint:errcheck // as above
	return app, listener.Addr().String()
}
