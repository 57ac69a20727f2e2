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
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"swath/geo"
	"swath/tiles"
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
	got := translated(t, "-projwin", number(b.MinX), number(b.MaxY), number(b.MaxX), number(b.MinY),
		fmt.Sprintf("WMTS:http://%s%s,layer=%s,tilematrixset=%s,zoom_level=%d", host, capabilities, layer, id, tile.Z-set.Matrices[0].Z))
	if got == nil {
		return
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

// translated is what GDAL reads of a source in 256 x 256 pixels; nil when it can't.
func translated(t *testing.T, source ...string) image.Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.png")
	command := exec.CommandContext(t.Context(), "gdal_translate", append(append([]string{"-q", "-of", "PNG", "-outsize", "256", "256"}, source...), out)...)
	command.Env = append(os.Environ(), "GDAL_DEFAULT_WMS_CACHE_PATH="+t.TempDir())
	if said, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", source, err, said)
		return nil
	}
	read, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := image.Decode(bytes.NewReader(read))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestGDALReadsXYZ lets GDAL read the pattern of addresses that a TileJSON gives to web maps and QGIS: tile by tile it is what the
// addresses show.
func TestGDALReadsXYZ(t *testing.T) {
	if _, err := exec.LookPath("gdal_translate"); err != nil {
		t.Skip("GDAL's command line tools are not installed")
	}
	app, address := listening(t)
	for _, from := range []string{"/collections/jmm/items/jmm", "/collections/jmm", "/searches/" + registered} {
		var described struct{ Tiles []string }
		get(t, app, from+"/tilejson.json?render=ndvi", &described)
		if len(described.Tiles) != 1 {
			t.Fatalf("%s: %v", from, described)
		}
		pattern := strings.NewReplacer("http://example.com", "http://"+address, "{", "${", "&", "&amp;").Replace(described.Tiles[0])
		const edge = 20037508.342789244
		service := fmt.Sprintf(`<GDAL_WMS><Service name="TMS"><ServerUrl>%s</ServerUrl></Service><DataWindow><UpperLeftX>%f</UpperLeftX><UpperLeftY>%f</UpperLeftY>
			<LowerRightX>%f</LowerRightX><LowerRightY>%f</LowerRightY><TileLevel>12</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin></DataWindow>
			<Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY><BandsCount>4</BandsCount></GDAL_WMS>`, pattern, -edge, edge, edge, -edge)
		file := filepath.Join(t.TempDir(), "xyz.xml")
		if err := os.WriteFile(file, []byte(service), 0o600); err != nil {
			t.Fatal(err)
		}
		tile := geo.TileAt(9, 152.5, -30.5)
		b := tiles.WebMercatorQuad.Box(tile)
		got := translated(t, "-projwin", fmt.Sprint(b.MinX), fmt.Sprint(b.MaxY), fmt.Sprint(b.MaxX), fmt.Sprint(b.MinY), file)
		if got == nil {
			continue
		}
		own := ask(t, app, "GET", fmt.Sprintf("%s/tiles/WebMercatorQuad/%d/%d/%d.png?render=ndvi", from, tile.Z, tile.X, tile.Y))
		want, _, err := image.Decode(bytes.NewReader(own.body))
		if err != nil {
			t.Fatalf("%v in %.200s", err, own.body)
		}
		opaque := 0
		for i := range 256 * 256 {
			r, g, bl, a := want.At(i%256, i/256).RGBA()
			r2, g2, b2, a2 := got.At(i%256, i/256).RGBA()
			if a > 0 {
				opaque++
			}
			if a != a2 || a > 0 && (r != r2 || g != g2 || bl != b2) {
				t.Fatalf("%s: pixel %d differs", from, i)
			}
		}
		if opaque < 1000 {
			t.Errorf("%s: %d pixels are drawn", from, opaque)
		}
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
