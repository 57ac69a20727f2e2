package tilehttp

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// TestByURL asks for an item as clients of TiTiler do: the answers are those of the item's own addresses.
func TestByURL(t *testing.T) {
	app, _ := door(t)
	item, here := "/collections/jmm/items/jmm", "http://example.com"
	at := "url=" + url.QueryEscape(here+item)
	file := "url=" + url.QueryEscape(here+item+"/assets/B08")
	for asked, same := range map[string]string{
		"/stac/tiles/WebMercatorQuad/8/236/150.png?render=ndvi&" + at: item + "/tiles/WebMercatorQuad/8/236/150.png?render=ndvi",
		"/stac/tiles/WorldCRS84Quad/8/472/171?" + at:                  item + "/tiles/WorldCRS84Quad/8/472/171",
		"/stac/WebMercatorQuad/tilejson.json?assets=B08&" + at:        item + "/WebMercatorQuad/tilejson.json?assets=B08&unscale=false",
		"/stac/preview.webp?render=ndvi&max_size=64&" + at:            item + "/preview.webp?render=ndvi&max_size=64&dst_crs=EPSG:32756",
		"/stac/statistics?assets=B08&" + at:                           item + "/statistics?assets=B08&unscale=false",
		"/stac/point/152.5,-30.5?assets=B08&unscale=true&" + at:       item + "/point/152.5,-30.5?assets=B08",
		"/stac/point/152.5,-30.5?assets=B08&" + at:                    item + "/point/152.5,-30.5?assets=B08&unscale=false",
		"/stac/info?" + at + "/":                                      item + "/info",
		"/stac/info.geojson?" + at:                                    item + "/info.geojson",
		"/stac/assets?" + at + "%3Ff%3Djson":                          item + "/assets",
		"/stac/bounds?" + at:                                          item + "/bounds",
		"/cog/tiles/WebMercatorQuad/8/236/150.png?" + file:            item + "/tiles/WebMercatorQuad/8/236/150.png?assets=B08&unscale=false",
		"/cog/WebMercatorQuad/tilejson.json?" + file:                  item + "/WebMercatorQuad/tilejson.json?assets=B08&unscale=false",
		"/cog/preview?max_size=32&" + file:                            item + "/preview?max_size=32&assets=B08&unscale=false&dst_crs=EPSG:32756",
		"/cog/preview/40x30.jpg?" + file:                              item + "/preview/40x30.jpg?assets=B08&unscale=false&dst_crs=EPSG:32756",
		"/cog/preview?dst_crs=EPSG:3857&" + file:                      item + "/preview?assets=B08&unscale=false&dst_crs=EPSG:3857",
		"/stac/tiles?" + at:                                           item + "/tiles",
		"/cog/tiles/WebMercatorQuad?" + file:                          item + "/tiles/WebMercatorQuad?assets=B08&unscale=false",
		"/cog/point/16956000,-3550000?coord_crs=epsg:3857&" + file:    item + "/point/16956000,-3550000?assets=B08&unscale=false&coord_crs=EPSG:3857",
		"/cog/bbox/152.2,-30.6,152.4,-30.4.png?max_size=64&" + file:   item + "/bbox/152.2,-30.6,152.4,-30.4.png?max_size=64&assets=B08&unscale=false",
		"/stac/bbox/152.2,-30.6,152.4,-30.4/9x9.png?assets=B08&" + at: item + "/bbox/152.2,-30.6,152.4,-30.4/9x9.png?assets=B08&unscale=false",
		"/cog/point/152.5,-30.5?" + file:                              item + "/point/152.5,-30.5?assets=B08&unscale=false",
	} {
		got, want := ask(t, app, "GET", asked), ask(t, app, "GET", same)
		if got.status != 200 || !bytes.Equal(got.body, want.body) || got.header.Get("ETag") != want.header.Get("ETag") {
			t.Errorf("%s: %d %.200s, want that of %s: %d %.200s", asked, got.status, got.body, same, want.status, want.body)
		}
		if at := got.header.Get("Content-Location"); at != want.header.Get("Content-Location") {
			t.Errorf("%s: its canonical address is %s, want %s", asked, at, want.header.Get("Content-Location"))
		}
	}
	if got := ask(t, app, "GET", "/stac/WebMercatorQuad/WMTSCapabilities.xml?"+at); got.status != 200 || !bytes.Contains(got.body, []byte(here+item+"/tiles/{TileMatrixSet}/{TileMatrix}")) {
		t.Errorf("WMTS: %d %.2000s", got.status, got.body)
	}
	byFile(t, app, item, file)
	for asked, says := range map[string]string{
		"/stac/info": "url names what to draw", "/stac/info?" + at + "&" + at: "url names what to draw",
		"/stac/info?url=" + url.QueryEscape("http://example.org"+item): "not of this catalog", "/stac/info?url=x": "not of this catalog",
		"/stac/info?url=" + url.QueryEscape(here+"/collections/jmm"): "not of this catalog", "/stac/info?" + file: "under /cog",
		"/stac/info?url=" + url.QueryEscape(here+"/collections//items/a"): "not of this catalog", "/cog/preview?" + at: "under /stac",
		"/cog/preview?" + strings.Replace(file, "B08", "B99", 1): "B99",
	} {
		if got := ask(t, app, "GET", asked); got.status != 400 || !bytes.Contains(got.body, []byte(says)) {
			t.Errorf("%s: %d %s, want one that says %q", asked, got.status, got.body, says)
		}
	}
	if got := ask(t, app, "GET", "/stac/info?url="+url.QueryEscape(here+"/collections/jmm/items/none")); got.status != 404 {
		t.Errorf("an item that is not there: %d", got.status)
	}
}

// byFile asks for what is said otherwise of a file than of its item: one raster, whose bands are b1, b2, …
func byFile(t *testing.T, app *fiber.App, item, file string) {
	t.Helper()
	decode := func(a answer) (out map[string]any) {
		t.Helper()
		if err := json.Unmarshal(a.body, &out); err != nil || a.status != 200 {
			t.Fatalf("%d %.300s", a.status, a.body)
		}
		return out
	}
	info, whole := decode(ask(t, app, "GET", "/cog/info?"+file)), decode(ask(t, app, "GET", item+"/info"))
	if !reflect.DeepEqual(info, whole["B08"]) || info["count"] != 1.0 {
		t.Errorf("/cog/info is %v", info)
	}
	if feature := decode(ask(t, app, "GET", "/cog/info.geojson?"+file)); !reflect.DeepEqual(feature["properties"], any(info)) {
		t.Errorf("/cog/info.geojson has %v", feature["properties"])
	}
	counted, same := decode(ask(t, app, "GET", "/cog/statistics?"+file)), decode(ask(t, app, "GET", item+"/statistics?assets=B08&unscale=false"))
	if len(counted) != 1 || !reflect.DeepEqual(counted["b1"], same["B08"]) {
		t.Errorf("/cog/statistics is %v, want %v", counted, same)
	}
	area := `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[152.2,-30.6],[152.4,-30.6],[152.3,-30.4],[152.2,-30.6]]]}}`
	feature := decode(post(t, app, "/cog/statistics?"+file, area))
	if all, _ := feature["properties"].(map[string]any)["statistics"].(map[string]any); all["b1"] == nil {
		t.Errorf("POST /cog/statistics is %v", feature)
	}
	for _, door := range []string{"/cog/feature.png?max_size=50&" + file, "/cog/feature/50x50.png?" + file} {
		if got := post(t, app, door, area); got.status != 200 || got.header.Get("Content-Type") != "image/png" {
			t.Errorf("%s: %d %.200s", door, got.status, got.body)
		}
	}
}
