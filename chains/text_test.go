package chains_test

import (
	"testing"

	"swath/chains/echo"
	"swath/chains/s1tiling"
)

func TestTextsBecomeValues(t *testing.T) {
	for name, tc := range map[string]struct {
		input string
		texts []string
		want  string
	}{
		"a text":                 {"stringInput", []string{"12"}, `"12"`},
		"a number":               {"doubleInput", []string{" 2.5 "}, `2.5`},
		"no number":              {"doubleInput", []string{"much"}, `"much"`},
		"a switch":               {"booleanInput", []string{"true"}, `true`},
		"a time":                 {"dateInput", []string{"2024-06-12T10:56:19Z"}, `"2024-06-12T10:56:19Z"`},
		"an object":              {"measureInput", []string{`{"measurement":1,"uom":"m"}`}, `{"measurement":1,"uom":"m"}`},
		"a list":                 {"arrayInput", []string{"1", "2"}, `[1,2]`},
		"a list of one":          {"arrayInput", []string{"1"}, `[1]`},
		"a list as JSON":         {"arrayInput", []string{"[1,2]"}, `[1,2]`},
		"a box":                  {"boundingBoxInput", []string{"1,43.5, 2,44"}, `{"bbox":[1,43.5,2,44]}`},
		"a box as JSON":          {"boundingBoxInput", []string{`{"bbox":[1,2,3,4]}`}, `{"bbox":[1,2,3,4]}`},
		"no box":                 {"boundingBoxInput", []string{"1,x"}, `"1,x"`},
		"an address of a file":   {"imageInput", []string{"https://example.org/a.png"}, `{"href":"https://example.org/a.png"}`},
		"a product's id":         {"productInput", []string{"S1A_X"}, `"S1A_X"`},
		"a product as an object": {"productInput", []string{`{"item":"a","collection":"c"}`}, `{"item":"a","collection":"c"}`},
	} {
		f, ok := echo.Chain().Input(tc.input)
		if !ok {
			t.Fatal(tc.input)
		}
		if got := string(f.Read(tc.texts...)); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
	for _, f := range s1tiling.Chain().Inputs {
		if f.Name == "products" && string(f.Read("a", `{"search":{}}`)) != `["a",{"search":{}}]` {
			t.Errorf("products: %s", f.Read("a", `{"search":{}}`))
		}
	}
}
