package catalog

import (
	"encoding/json"
	"reflect"
	"testing"
)

var polygonSeeds = []string{
	square, `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`, `{"coordinates":[[[0,0],[1,0],[1,1],[0,0]]],"type":"Polygon"}`,
	`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}`, `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`,
	`{"type":"Polygon","coordinates":[[[0,0,5],[1,0,5],[1,1,5],[0,0,5]]]}`, `{"type":"Polygon","coordinates":[[]]}`, `{"type":"Polygon","coordinates":[[[]]]}`,
	`{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[2,1],[3,1],[3,2],[2,1]]]}`, `{"type":"Polygon","coordinates":[[[0,0],[1,91],[1,1],[0,0]]]}`,
	`{"type":"Polygon","coordinates":[[[1e1,-0.5E+1],[-1.25,0],[541,1],[1e1,-0.5E+1]]]}`, `{"type":"Polygon","coordinates":[[["0",0],[1,0],[1,1],["0",0]]]}`,
	`{"type":"Polygon","coordinates":[[[null,0],[1,0],[1,1],[null,0]]]}`, `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]],"crs":1}`,
}

func checkQuick(t *testing.T, text string) {
	t.Helper()
	if quick, ok := quickPolygon([]byte(text)); ok && json.Valid([]byte(text)) {
		general, err := parseNested([]byte(text), deepest)
		if err != nil || !reflect.DeepEqual(quick, general) {
			t.Fatalf("%s\ngot  %v\nwant %v, %v", text, quick, general, err)
		}
	}
}

func TestQuickPolygon(t *testing.T) {
	for _, text := range polygonSeeds {
		checkQuick(t, text)
	}
	for i, want := range []bool{true, true, true, false, false, false, false, false, false, false, false, false, false, false} {
		if _, ok := quickPolygon([]byte(polygonSeeds[i])); ok != want {
			t.Errorf("%s: read %v, want %v", polygonSeeds[i], ok, want)
		}
	}
}

func FuzzQuickPolygon(f *testing.F) {
	for _, text := range polygonSeeds {
		f.Add(text)
	}
	f.Fuzz(checkQuick)
}
