package tilehttp

import (
	"encoding/json"
	"encoding/xml"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"swath/geo"
	"swath/tiles"
)

const jmm = "/collections/jmm/items/jmm"

// TestTileJSONTakesZooms: an item's, a collection's and that of a file by its address say the zooms and the pixels that are asked for, and ask
// for no more of the tiles than what draws them.
func TestTileJSONTakesZooms(t *testing.T) {
	app, _ := door(t)
	file := "&url=" + url.QueryEscape("http://example.com"+jmm+"/assets/B08")
	for asked, want := range map[string]struct {
		low, high int
		tiles     string
	}{
		jmm + "/tilejson.json?render=ndvi&minzoom=3&maxzoom=12&tile_scale=2&tile_format=webp": {3, 12, jmm + "/tiles/WebMercatorQuad/{z}/{x}/{y}@2x.webp?render=ndvi"},
		jmm + "/WorldCRS84Quad/tilejson.json?render=ndvi&minzoom=0":                           {0, 9, jmm + "/tiles/WorldCRS84Quad/{z}/{x}/{y}.png?render=ndvi"},
		jmm + "/CDB1GlobalGrid/tilejson.json?render=ndvi":                                     {0, 0, jmm + "/tiles/CDB1GlobalGrid/{z}/{x}/{y}.png?render=ndvi"},
		"/collections/jmm/tilejson.json?render=ndvi&maxzoom=9&tile_scale=1":                   {0, 9, "/collections/jmm/tiles/WebMercatorQuad/{z}/{x}/{y}.png?render=ndvi"},
		"/cog/WebMercatorQuad/tilejson.json?minzoom=5&maxzoom=11" + file:                      {5, 11, jmm + "/tiles/WebMercatorQuad/{z}/{x}/{y}.png?assets=B08&unscale=false"},
	} {
		var doc tiles.TileJSON
		get(t, app, asked, &doc)
		if doc.MinZoom != want.low || doc.MaxZoom != want.high || len(doc.Tiles) != 1 || doc.Tiles[0] != "http://example.com"+want.tiles {
			t.Errorf("%s: zooms %d to %d, %v; want %+v", asked, doc.MinZoom, doc.MaxZoom, doc.Tiles, want)
			continue
		}
		if zoom := int(doc.Center[2]); zoom < want.low || zoom > want.high {
			t.Errorf("%s: its centre is at zoom %d", asked, zoom)
		}
		tile := strings.NewReplacer("http://example.com", "", "{z}", "0", "{x}", "0", "{y}", "0").Replace(doc.Tiles[0])
		if got := ask(t, app, "GET", tile); got.status != 200 {
			t.Errorf("%s: %d %.200s", tile, got.status, got.body)
		}
	}
	for _, from := range []string{jmm, "/collections/jmm"} { // whose tiles are wider from level to level
		var doc tiles.TileJSON
		if get(t, app, from+"/CDB1GlobalGrid/tilejson.json?render=ndvi", &doc); doc.TileSize != 1024 || doc.MinZoom != 0 {
			t.Errorf("%s: tiles of %d pixels at zoom %d, CDB's of level 0 have 1024", from, doc.TileSize, doc.MinZoom)
		}
	}
	for _, wrong := range []string{"minzoom=9&maxzoom=3", "minzoom=-1", "maxzoom=many", "tile_scale=0"} {
		if got := ask(t, app, "GET", jmm+"/tilejson.json?"+wrong); got.status != 400 {
			t.Errorf("%s: %d %.200s", wrong, got.status, got.body)
		}
	}
}

// TestPlacesInOtherSystems: a point is where its system says, of an item and of a collection's items.
func TestPlacesInOtherSystems(t *testing.T) {
	app, _ := door(t)
	web, _ := geo.ProjectionOf(geo.WebMercator)
	utm, _ := geo.ProjectionOf(32756)
	lon, lat := 152.3, -30.3
	for _, from := range []string{jmm, "/collections/jmm"} {
		want := map[string]any{}
		get(t, app, from+"/point/152.3,-30.3?assets=B08", &want)
		for system, p := range map[string]geo.Projection{"epsg:3857": web, "EPSG:32756": utm} {
			x, y := p.FromLonLat(lon, lat)
			got := map[string]any{}
			get(t, app, from+"/point/"+text(x)+","+text(y)+"?assets=B08&coord_crs="+system, &got)
			at, ok := got["coordinates"].([]any)
			if !ok || math.Abs(at[0].(float64)-lon) > 1e-9 || math.Abs(at[1].(float64)-lat) > 1e-9 {
				t.Errorf("%s in %s: %v", from, system, got["coordinates"])
			}
			got["coordinates"] = want["coordinates"]
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s in %s: %v, want %v", from, system, got, want)
			}
		}
	}
	for _, wrong := range []string{"/point/152,-30?assets=B08&coord_crs=EPSG:1", "/point/1e300,1e300?assets=B08&coord_crs=EPSG:32756", "/point/5000,0?assets=B08"} {
		if got := ask(t, app, "GET", jmm+wrong); got.status != 400 {
			t.Errorf("%s: %d %.200s", wrong, got.status, got.body)
		}
	}
}

// TestCapabilitiesAsClientsAsk: what WMTS clients add to the address is understood, and the tiles are in the format that it names.
func TestCapabilitiesAsClientsAsk(t *testing.T) {
	app, _ := door(t)
	file := "url=" + url.QueryEscape("http://example.com"+jmm+"/assets/B08")
	for asked, want := range map[string][]string{
		jmm + "/WMTSCapabilities.xml?render=ndvi&SERVICE=WMTS&REQUEST=GetCapabilities&version=1.0.0": {
			jmm + "/tiles/{TileMatrixSet}/{TileMatrix}/{TileCol}/{TileRow}.png?render=ndvi", jmm + "/tiles/{TileMatrixSet}/{TileMatrix}/{TileCol}/{TileRow}.jpg?render=ndvi"},
		"/collections/jmm/WMTSCapabilities.xml?render=ndvi&service=wmts&tile_format=webp": {"/collections/jmm/tiles/{TileMatrixSet}/{TileMatrix}/{TileCol}/{TileRow}.webp?render=ndvi"},
		"/cog/WMTSCapabilities.xml?tile_format=png&" + file:                               {jmm + "/tiles/{TileMatrixSet}/{TileMatrix}/{TileCol}/{TileRow}.png?assets=B08&unscale=false"},
	} {
		var doc struct {
			Layers []struct {
				Formats   []string `xml:"Format"`
				Resources []struct {
					Template string `xml:"template,attr"`
				} `xml:"ResourceURL"`
			} `xml:"Contents>Layer"`
		}
		got := ask(t, app, "GET", asked)
		if err := xml.Unmarshal(got.body, &doc); err != nil || got.status != 200 || len(doc.Layers) != 1 {
			t.Errorf("%s: %d %v %.200s", asked, got.status, err, got.body)
			continue
		}
		var found []string
		for _, r := range doc.Layers[0].Resources {
			found = append(found, strings.TrimPrefix(r.Template, "http://example.com"))
		}
		if !reflect.DeepEqual(found, want) || len(doc.Layers[0].Formats) != len(want) {
			t.Errorf("%s: %q in %q, want %q", asked, found, doc.Layers[0].Formats, want)
		}
	}
	for _, wrong := range []string{"request=GetTile&layer=ndvi", "service=WMS", "tile_format=bmp"} {
		if got := ask(t, app, "GET", jmm+"/WMTSCapabilities.xml?"+wrong); got.status != 400 {
			t.Errorf("%s: %d %.200s", wrong, got.status, got.body)
		}
	}
}

// TestMapByAddress: TiTiler's map pages lead to the item's own, which draws what they were asked for.
func TestMapByAddress(t *testing.T) {
	app, _ := door(t)
	at := "url=" + url.QueryEscape("http://example.com"+jmm)
	for asked, want := range map[string]string{
		"/cog/WebMercatorQuad/map.html?rescale=0,3000&" + at + "%2Fassets%2FB08": "/map.html?assets=B08&rescale=0%2C3000&unscale=false",
		"/stac/WebMercatorQuad/map.html?render=ndvi&minzoom=4&" + at:             "/map.html?minzoom=4&render=ndvi",
	} {
		got := ask(t, app, "GET", asked)
		if got.status != 302 || got.header.Get("Location") != "http://example.com"+jmm+want {
			t.Errorf("%s: %d %s", asked, got.status, got.header.Get("Location"))
		}
		if page := ask(t, app, "GET", jmm+want); page.status != 200 {
			t.Errorf("%s: %d", want, page.status)
		}
		if described := ask(t, app, "GET", jmm+strings.Replace(want, "map.html", "tilejson.json", 1)); described.status != 200 {
			t.Errorf("%s: its script is told %d %.200s", want, described.status, described.body)
		}
	}
}

// TestPreviewInItsOwnSystem: by its address a file is drawn on its own pixels, and so is an item in the system of its raster.
func TestPreviewInItsOwnSystem(t *testing.T) {
	app, _ := door(t)
	var info struct{ Width, Height int }
	file := "url=" + url.QueryEscape("http://example.com"+jmm+"/assets/B08")
	if err := json.Unmarshal(ask(t, app, "GET", "/cog/info?"+file).body, &info); err != nil {
		t.Fatal(err)
	}
	for _, asked := range []string{"/cog/preview.npy?" + file, jmm + "/preview.npy?assets=B08&unscale=false&dst_crs=EPSG:32756"} {
		got := ask(t, app, "GET", asked)
		if shape := "(2, " + text(info.Height) + ", " + text(info.Width) + ")"; got.status != 200 || !strings.Contains(string(got.body[:128]), shape) {
			t.Errorf("%s: %d %.128q, want the shape %s", asked, got.status, got.body, shape)
		}
	}
}
