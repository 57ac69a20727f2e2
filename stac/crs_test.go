package stac

import (
	"encoding/json"
	"math"
	"testing"
)

func TestCRS(t *testing.T) {
	const item = `{"id":"a","geometry":{"type":"Polygon","coordinates":[[[2,48,100],[3,48],[3,49],[2,48,100]]]},"bbox":[2,48,3,49],"properties":{}}`
	// Web Mercator by its formula: x = R·λ, y = R·asinh(tan φ) (EPSG guidance note 7-2, method 1024).
	const r = 6378137.0
	x := func(lon float64) float64 { return r * lon * math.Pi / 180 }
	y := func(lat float64) float64 { return r * math.Asinh(math.Tan(lat*math.Pi/180)) }
	for uri, want := range map[string][][]float64{
		"http://www.opengis.net/def/crs/OGC/1.3/CRS84": {{2, 48, 100}, {2, 48, 3, 49}},
		"http://www.opengis.net/def/crs/EPSG/0/4326":   {{48, 2, 100}, {48, 2, 49, 3}},
		"<http://www.opengis.net/def/crs/EPSG/0/3857>": {{x(2), y(48), 100}, {x(2), y(48), x(3), y(49)}},
	} {
		crs, err := ParseCRS("crs", uri)
		if err != nil {
			t.Fatal(err)
		}
		body, err := crs.Apply([]byte(item))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Geometry struct{ Coordinates [][][]float64 }
			BBox     []float64
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		for i, numbers := range [][]float64{got.Geometry.Coordinates[0][0], got.BBox} {
			for j, v := range numbers {
				if math.Abs(v-want[i][j]) > 1e-6 {
					t.Errorf("%s: %v, want %v", uri, numbers, want[i])
					break
				}
			}
		}
	}
	if _, err := ParseCRS("crs", "EPSG:4326"); err == nil {
		t.Error("a name that is no URI of the list passes")
	}
	mercator, _ := ParseCRS("bbox-crs", systems[2].URI)
	for text, want := range map[string][4]float64{
		"-20037508.342789244,-20037508.342789244,20037508.342789244,20037508.342789244": {-180, -mercatorLimitDeg, 180, mercatorLimitDeg}, "0,0,111319.49079327358,111325.1428663851": {0, 0, 1, 1},
	} {
		got, err := mercator.boxText(text)
		box, err2 := ParseBBox(got)
		if err != nil || err2 != nil || math.Abs(box.MinX-want[0]) > 1e-9 || math.Abs(box.MinY-want[1]) > 1e-9 || math.Abs(box.MaxX-want[2]) > 1e-9 || math.Abs(box.MaxY-want[3]) > 1e-9 {
			t.Errorf("%s is %s, %v %v; want %v", text, got, err, err2, want)
		}
	}
	latFirst, _ := ParseCRS("bbox-crs", systems[1].URI)
	if got, err := latFirst.boxText("48,2,49,3"); err != nil || got != "2,48,3,49" {
		t.Errorf("%s, %v", got, err)
	}
}
