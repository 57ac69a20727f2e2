package tilehttp

import (
	"net/http/httptest"
	"net/url"
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
