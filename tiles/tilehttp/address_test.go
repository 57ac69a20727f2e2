package tilehttp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"swath/geo"
)

// FuzzTileAddress: any text is a tile, or refused; a tile that a set has can be placed.
func FuzzTileAddress(f *testing.F) {
	f.Add("WebMercatorQuad", "13", "4078", "3156@2x")
	f.Add("CDB1GlobalGrid", "-10", "359", "179")
	f.Add("GNOSISGlobalGrid", "28", "1073741823", "0@x")
	f.Add("UTM60SWGS84Quad", "99999999999999999999", "-1", "@@")
	f.Fuzz(func(t *testing.T, name, z, x, y string) {
		tile, scale, err := tileOf(z, x, y)
		set, known := geo.TileMatrixSetByID(name)
		if err != nil || !known || !set.Valid(tile) {
			return
		}
		if b := set.Box(tile); !(b.MinX < b.MaxX && b.MinY < b.MaxY) || scale < 0 {
			t.Fatalf("%s %v at scale %d is at %v", name, tile, scale, b)
		}
	})
}

// FuzzCropAddress: whatever stands for a box and a size, the answer is a picture or says what is wrong.
func FuzzCropAddress(f *testing.F) {
	f.Add("152.1,-30.5,152.3,-30.25.png", "EPSG:4326")
	f.Add("152.1,-30.5,152.3,-30.25/9x7.webp", "32756")
	f.Add("1e308,-1e308,1e309,nan.png", "http://www.opengis.net/def/crs/OGC/1.3/CRS84")
	f.Add(",,,/x.", "EPSG:")
	app, _ := door(f)
	f.Fuzz(func(t *testing.T, rest, system string) {
		target := "/collections/jmm/items/jmm/bbox/" + (&url.URL{Path: rest}).EscapedPath() + "?render=ndvi&max_size=16&dst_crs=" + url.QueryEscape(system)
		answer, err := app.Test(httptest.NewRequest("GET", target, nil), 30_000)
		if err != nil {
			t.Skip() // no address at all
		}
		defer answer.Body.Close()
		if answer.StatusCode >= 500 {
			t.Fatalf("%s: %d", target, answer.StatusCode)
		}
	})
}

// FuzzMosaicAddress: whatever is asked of many items, the answer is there or says what is wrong.
func FuzzMosaicAddress(f *testing.F) {
	for _, seed := range [][2]string{{"/collections/jmm/timeseries/point", "lon=152.2&lat=-30.4&radius=100&assets=B04&f=csv"}, {"/timeseries/point", "lon=1"},
		{"/collections/jmm/animation.gif", "bbox=152.1,-30.6,152.5,-30.2&render=ndvi&max_size=16&fps=0.1&frame=item"}, {"/collections/jmm/animation.webp", "bbox=-180,-90,180,90&render=ndvi&width=1&height=1&dst_crs=32756"},
		{"/collections/jmm/tiles/WebMercatorQuad/8/236/150/provenance.tif", "assets=B04&tilesize=16"}, {"/tiles/UTM56SWGS84Quad/8/63/149/provenance.json", "collections=jmm&tilesize=8"},
		{"/collections/jmm/tiles", "datetime=2018-01-01T00:00:00Z/..&bbox=170,-10,-170,10"}, {"/tiles/CDB1GlobalGrid/-3/1/1.tif", "expression=1&tilesize=8"},
		{"/collections/jmm/UTM56WGS84Quad/WMTSCapabilities.xml", "render=%00"}, {"/tilejson.json", "tile_matrix_set=NZTM2000Quad&bbox=0,0,0,0"}} {
		f.Add(seed[0], seed[1])
	}
	app, _ := door(f)
	f.Fuzz(func(t *testing.T, path, query string) {
		target := (&url.URL{Path: path, RawQuery: query}).String()
		if target == "" || target[0] != '/' || len(target) > 1 && target[1] == '/' {
			t.Skip()
		}
		request, err := http.NewRequest("GET", "http://example.com"+target, nil)
		if err != nil {
			t.Skip() // no address at all
		}
		answer, err := app.Test(request, 30_000)
		if err != nil {
			t.Skip()
		}
		defer answer.Body.Close()
		if answer.StatusCode >= 500 && answer.StatusCode != 504 {
			t.Fatalf("%s: %d", target, answer.StatusCode)
		}
	})
}

// FuzzItem: whatever is asked of an item, and whatever GeoJSON is sent, the answer is there or says what is wrong.
func FuzzItem(f *testing.F) {
	const field = `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[152.1,-30.5],[152.3,-30.5],[152.2,-30.3],[152.1,-30.5]]]}}`
	for _, seed := range [][3]string{{"data.tif", "assets=B04,B08&max_size=16", field}, {"data.csv", "expression=(B08-B04)/(B08%2BB04)&resolution=5000", field}, {"data.nc", "assets=B04&dst_crs=EPSG:3577&width=8", ""},
		{"data.tif", "bbox=1e300,-1e300,1e301,nan&coord_crs=32756", ""}, {"data.tif", "bbox=179,-91,-179,91&resolution=1e-300", ""}, {"feature.png", "render=ndvi&max_size=16", field},
		{"statistics", "assets=B04&max_size=16", `{"type":"FeatureCollection","features":[` + field + `]}`}, {"feature/9x9.webp", "assets=B04&rescale=0,1", `{"type":"GeometryCollection","geometries":[]}`},
		{"preview.png", "expression=where(B04>0.1,B04**9,1/0)&rescale=0,1&max_size=16", ""}, {"preview.png", "assets=B04&colormap={\"0\":[1,2,3,4]}&max_size=9", ""},
		{"angles", "bands=B04", ""}, {"orbit", "f=json", ""}, {"point/152.2,-30.4", "assets=B04", ""}, {"tiles/WebMercatorQuad/8/236/150@2x.tif", "assets=B04&tilesize=8", ""}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	app, _ := door(f)
	f.Fuzz(func(t *testing.T, path, query, body string) {
		method, content := "GET", io.Reader(nil)
		if body != "" {
			method, content = "POST", strings.NewReader(body)
		}
		target := (&url.URL{Path: "/collections/jmm/items/jmm/" + path, RawQuery: query}).String()
		request, err := http.NewRequest(method, "http://example.com"+target, content)
		if err != nil {
			t.Skip() // no address at all
		}
		answer, err := app.Test(request, 60_000) // a request may take 30 s
		if err != nil {
			if strings.Contains(err.Error(), "timeout") {
				t.Fatalf("%s %s %s: no answer", method, target, body)
			}
			t.Skip()
		}
		defer answer.Body.Close()
		if got, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode >= 500 && answer.StatusCode != 504 {
			t.Fatalf("%s %s %s: %d %v %.300s", method, target, body, answer.StatusCode, err, got)
		}
	})
}
