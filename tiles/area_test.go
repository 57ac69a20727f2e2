package tiles

import (
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// FuzzParseArea: any body is an area or fault.Invalid, and every area can be laid over a grid.
func FuzzParseArea(f *testing.F) {
	f.Add([]byte(`{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[1,2],[3,2],[3,4],[1,2]]]}}`))
	f.Add([]byte(`{"type":"MultiPolygon","coordinates":[[[[1,2,9],[3,2,9],[3,4,9],[1,2,9]]],[]]}`))
	f.Add([]byte(`{"type":"GeometryCollection","geometries":[{"type":"Polygon","coordinates":[[[1e308,2],[3,2],[3,4],[1e308,2]]]}]}`))
	f.Add([]byte(`{"type":"Feature","geometry":{"type":"Feature"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		area, err := ParseArea(body, geo.WebMercator)
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
				t.Fatalf("%v is neither invalid nor too large", err)
			}
			return
		}
		grid := raster.Grid{CRS: geo.WebMercator, Transform: geo.Affine{0, 1, 0, 8, 0, -1}, Width: 8, Height: 8}
		for _, share := range area.cover(grid) {
			if !(share >= 0 && share <= 1.001) {
				t.Fatalf("a pixel is covered %g", share)
			}
		}
	})
}
