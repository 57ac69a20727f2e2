package tiles

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"swath/geo"
	"swath/internal/shelf"
	"swath/render"
)

// TestGeoTIFFs: what GDAL reads of a tile, a preview and a crop is what they are made of, in its place; stored values keep the
// raster's type and nodata.
func TestGeoTIFFs(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	r := New(s.Catalog(), s.Open, Options{})
	utm, _ := geo.TileMatrixSetByID("UTM56SWGS84Quad")
	middle := geo.TileAt(9, 152.5, -30.5)
	x, y := projection(32756).FromLonLat(152.5, -30.5)
	zone, _, _ := utm.Within(9, geo.Box{MinX: x, MinY: y, MaxX: x, MaxY: y})
	type frames func(v *View) (Frame, error)
	tile := func(set *geo.TileMatrixSet, at geo.Tile) frames {
		return func(v *View) (Frame, error) { return v.TileFrame(set, at) }
	}
	for name, tc := range map[string]struct {
		q      Request
		frame  frames
		kind   string
		noData any
		epsg   int
	}{
		"values of a tile":      {Request{Assets: []string{"B04", "B08"}}, tile(WebMercatorQuad, middle), "Float32", "NaN", 3857},
		"stored values":         {Request{Assets: []string{"B08"}, Stored: true}, tile(WebMercatorQuad, middle), "UInt16", 0.0, 3857},
		"stored, in between":    {Request{Assets: []string{"B08"}, Stored: true, Resampling: "cubic"}, tile(WebMercatorQuad, middle), "Float32", "NaN", 3857},
		"an index":              {Request{Render: "ndvi"}, tile(utm, zone), "Float32", "NaN", 32756},
		"preview":               {Request{Assets: []string{"B04"}}, func(v *View) (Frame, error) { return v.PreviewFrame(t.Context(), Size{MaxPx: 100}, geo.WGS84) }, "Float32", "NaN", 4326},
		"beside":                {Request{Assets: []string{"B04"}, Stored: true}, tile(WebMercatorQuad, geo.Tile{Z: 9}), "UInt16", 0.0, 3857},
		"four planes and masks": {Request{Expression: "B04;B08;B04+B08;B04*2"}, tile(WebMercatorQuad, middle), "Float32", "NaN", 3857},
	} {
		q := tc.q
		q.Collection, q.Item = "jmm", "jmm"
		v, err := r.View(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := tc.frame(v)
		if err != nil {
			t.Fatal(err)
		}
		body, err := v.Picture(t.Context(), frame, render.TIFF)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		path := filepath.Join(t.TempDir(), "out.tif")
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		var info struct {
			Size         [2]int
			GeoTransform [6]float64
			STAC         struct {
				EPSG int `json:"proj:epsg"`
			}
			Metadata struct {
				Structure map[string]string `json:"IMAGE_STRUCTURE"`
			}
			Bands []struct {
				Type, Description string
				NoDataValue       any
			}
		}
		if err := json.Unmarshal(gdal(t, "", "gdalinfo", "-json", path), &info); err != nil {
			t.Fatal(err)
		}
		g := frame.Grid
		if info.Size != [2]int{g.Width, g.Height} || info.STAC.EPSG != tc.epsg || info.Metadata.Structure["COMPRESSION"] != "DEFLATE" || len(info.Bands) != len(v.outputs) {
			t.Errorf("%s: %+v", name, info)
		}
		for i, at := range info.GeoTransform {
			if math.Abs(at-g.Transform[i]) > 1e-9*math.Max(1, math.Abs(at)) {
				t.Errorf("%s: transform %v, want %v", name, info.GeoTransform, g.Transform)
			}
		}
		for i, band := range info.Bands {
			if band.Type != tc.kind || band.NoDataValue != tc.noData || band.Description != v.outputs[i] {
				t.Errorf("%s: %+v", name, band)
			}
		}
		want, err := v.inside(t.Context(), frame, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, none := read(t, path), 0
		for p, plane := range want {
			for i, value := range plane {
				one := got[p*g.Width*g.Height+i]
				if isNaN(value) {
					none++
					if tc.kind == "UInt16" {
						value = 0
					}
				}
				if one != value && !(isNaN(one) && isNaN(value)) {
					t.Fatalf("%s: plane %d, pixel %d is %g, want %g", name, p, i, one, value)
				}
			}
		}
		if whole := none == len(got); whole != (name == "beside") {
			t.Errorf("%s: %d of %d pixels have no value", name, none, len(got))
		}
	}
}

// TestGeoTIFFOfAMosaic: the values of many items, and of none.
func TestGeoTIFFOfAMosaic(t *testing.T) {
	tile := geo.Tile{Z: 10, X: 516, Y: 372}
	r, _ := layers(t, tile)
	for how, want := range map[render.Selection]float32{render.Mean: 30, render.First: 10, render.Count: 3} {
		for _, at := range []geo.Tile{tile, {Z: 10}} {
			s, err := r.Scene(t.Context(), MosaicRequest{Request: Request{Expression: "v*1"}, Selection: how}, WebMercatorQuad, at)
			if err != nil {
				t.Fatal(err)
			}
			body, err := s.Picture(t.Context(), render.TIFF)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "out.tif")
			if err := os.WriteFile(path, body, 0o600); err != nil {
				t.Fatal(err)
			}
			values := read(t, path)
			if got := values[60*256+60]; at == tile && got != want || at != tile && !isNaN(got) || len(values) != 256*256 {
				t.Errorf("%v %v: %g of %d, want %g", how, at, got, len(values), want)
			}
		}
	}
}
