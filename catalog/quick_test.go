package catalog

import (
	"encoding/json"
	"reflect"
	"slices"
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

func TestQuickNumbers(t *testing.T) {
	for text, want := range map[string]bool{`[1,2.5,-3e2,4]`: true, `[1,2,3,4,5,6]`: true, `[1,2,3,4,5,6,7]`: false, `[]`: false, `[1,null]`: false, `["1"]`: false, `[[1]]`: false, `1`: false, ``: false, `[0x1]`: false, `[1_0]`: false, `[inf]`: false} {
		got, ok := quickNumbers([]byte(text), make([]float64, 0, 6))
		if ok != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
		var general []float64
		if ok && (json.Unmarshal([]byte(text), &general) != nil || !slices.Equal(got, general)) {
			t.Errorf("%s: %v instead of %v", text, got, general)
		}
	}
}

func FuzzQuickPolygon(f *testing.F) {
	for _, text := range polygonSeeds {
		f.Add(text)
	}
	f.Fuzz(checkQuick)
}
