package geoparquet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// table writes items and opens the file.
func table(t testing.TB, options Options, items ...string) *parquet.File {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, options)
	for _, it := range items {
		if err := w.Write(json.RawMessage(it)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// leaves returns, for each column, its values with their levels, as parquet-go reads them back.
func leaves(t testing.TB, f *parquet.File) map[string]string {
	t.Helper()
	out := map[string]string{}
	names := f.Schema().Columns()
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buffer := make([]parquet.Row, 100)
		for {
			n, err := rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				row.Range(func(column int, values []parquet.Value) bool {
					var texts []string
					for _, v := range values {
						texts = append(texts, fmt.Sprintf("%d%d:%s", v.RepetitionLevel(), v.DefinitionLevel(), v.String()))
					}
					name := strings.Join(names[column], ".")
					if out[name] != "" {
						out[name] += " / "
					}
					out[name] += strings.Join(texts, " ")
					return true
				})
			}
			if err != nil {
				break
			}
		}
		rows.Close()
	}
	return out
}

const head = `"type":"Feature","stac_version":"1.1.0","collection":"c","geometry":{"type":"Point","coordinates":[1,2]},"bbox":[1,2,1,2],`

func TestColumns(t *testing.T) {
	f := table(t, Options{},
		`{`+head+`"id":"a","properties":{"datetime":"2024-06-01T12:00:00.5Z","n":1,"f":1.5,"b":true,"s":"é\u00e9\"","mixed":1,"list":[1,2],"deep":[[1],[],[2,3]],"o":{"x":1},"none":null},
			"assets":{"B01":{"href":"h","bands":[{"name":"x"},{"name":"y","gsd":10}]}}}`,
		`{`+head+`"id":"b","properties":{"datetime":null,"n":-2,"f":2,"mixed":"1","list":[],"o":{"y":"z"},"id":"collides","created":"yesterday"},"assets":{},"foreign":{"kept":1}}`,
	)
	got := leaves(t, f)
	for column, want := range map[string]string{
		"id":                                 "01:a / 01:b",
		"datetime":                           "01:1717243200500000 / 00:<null>",
		"n":                                  "01:1 / 01:-2",
		"f":                                  "01:1.5 / 01:2",
		"b":                                  "01:true / 00:<null>",
		"s":                                  `01:éé" / 00:<null>`,
		"mixed":                              `01:1 / 01:"1"`,
		"list.list.element":                  "03:1 13:2 / 01:<null>",
		"deep.list.element.list.element":     "05:1 13:<null> 15:2 25:3 / 00:<null>",
		"o.x":                                "02:1 / 01:<null>",
		"o.y":                                "01:<null> / 02:z",
		"assets.B01.href":                    "03:h / 01:<null>",
		"assets.B01.bands.list.element.name": "06:x 16:y / 01:<null>",
		"assets.B01.bands.list.element.gsd":  "05:<null> 16:10 / 01:<null>",
		"bbox.xmin":                          "02:1 / 02:1",
		"stac_extensions.list.element":       "00:<null> / 00:<null>",
		"rest":                               `00:<null> / 01:{"foreign":{"kept":1},"properties":{"created":"yesterday","id":"collides"}}`,
	} {
		if got[column] != want {
			t.Errorf("%s: got  %s\nwant %s", column, got[column], want)
		}
	}
	if _, ok := got["none"]; ok {
		t.Error("a column for what is always null")
	}
	if wkb := got["geometry"]; !strings.HasPrefix(wkb, "01:\x01\x01\x00\x00\x00") {
		t.Errorf("geometry %q", wkb)
	}
}

// TestRest: what a schema does not know is not lost.
func TestRest(t *testing.T) {
	s := NewSchema()
	if err := s.Add(json.RawMessage(`{` + head + `"id":"a","properties":{"datetime":null,"n":1,"o":{"x":1},"l":[{"a":1}]}}`)); err != nil {
		t.Fatal(err)
	}
	f := table(t, Options{Schema: s},
		`{`+head+`"id":"b","properties":{"n":1.5,"new":[1,"x"],"o":{"x":"text","y":2},"l":[{"a":1,"b":2}]},"bbox":[1,2,3,4,5,6],"links":[{"rel":"self","href":"h","method":"POST"}]}`)
	got := leaves(t, f)
	var rest, want any
	_, text, _ := strings.Cut(got["rest"], ":")
	if err := json.Unmarshal([]byte(text), &rest); err != nil {
		t.Fatal(got["rest"], err)
	}
	_ = json.Unmarshal([]byte(`{"properties":{"n":1.5,"new":[1,"x"],"o":{"x":"text","y":2},"l":[{"a":1,"b":2}]},"bbox":[1,2,3,4,5,6],"links":[{"rel":"self","href":"h","method":"POST"}]}`), &want)
	if !reflect.DeepEqual(rest, want) {
		t.Errorf("got  %v\nwant %v", rest, want)
	}
}

func TestMetadata(t *testing.T) {
	f := table(t, Options{Collections: []json.RawMessage{json.RawMessage(`{"type":"Collection","id":"c"}`)}},
		`{`+head+`"id":"a","properties":{}}`,
		`{"id":"b","geometry":{"type":"Polygon","coordinates":[[[0,0,5],[1,0,5],[1,1,5],[0,0,5]]]},"bbox":[0,0,5,1,1,5],"properties":{}}`,
		`{"id":"c","geometry":null,"properties":{}}`)
	text, _ := f.Lookup("geo")
	want := `{"columns":{"geometry":{"bbox":[0,0,1,2],"covering":{"bbox":{"xmax":["bbox","xmax"],"xmin":["bbox","xmin"],"ymax":["bbox","ymax"],"ymin":["bbox","ymin"]}},"edges":"planar","encoding":"WKB","geometry_types":["Point","Polygon Z"]}},"primary_column":"geometry","version":"1.1.0"}`
	if text != want {
		t.Errorf("geo: got  %s\nwant %s", text, want)
	}
	if text, _ = f.Lookup("stac-geoparquet"); text != `{"collections":{"c":{"type":"Collection","id":"c"}},"version":"1.0.0"}` {
		t.Errorf("stac-geoparquet: %s", text)
	}
	if got := leaves(t, f); got["bbox.zmin"] != "01:<null> / 02:5 / 00:<null>" {
		t.Errorf("zmin: %s", got["bbox.zmin"])
	}
	empty := table(t, Options{})
	if empty.NumRows() != 0 || !slices.ContainsFunc(empty.Schema().Columns(), func(c []string) bool { return c[0] == "geometry" }) {
		t.Errorf("an empty table: %v", empty.Schema())
	}
}

func TestWKB(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"Point","coordinates":[1,2]}`:                                              "0101000000000000000000f03f0000000000000040",
		`{"type":"LineString","coordinates":[[0,0,1],[1,1,1]]}`:                             "01ea030000020000000000000000000000" + "0000000000000000" + "000000000000f03f" + "000000000000f03f" + "000000000000f03f" + "000000000000f03f",
		`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[0,0]}]}`: "0107000000010000000101000000" + strings.Repeat("0", 32),
		`{"type":"MultiPolygon","coordinates":[[[[0,0],[0,0]]]]}`:                           "0106000000010000000103000000" + "01000000" + "02000000" + strings.Repeat("0", 64),
	} {
		got, err := appendWKB(nil, []byte(text))
		if err != nil || fmt.Sprintf("%x", got) != want {
			t.Errorf("%s: %x, %v\nwant %s", text, got, err, want)
		}
	}
	for _, text := range []string{`null`, `{}`, `{"type":"Point","coordinates":[1]}`, `{"type":"Point","coordinates":[1,2,3,4]}`, `{"type":"Polygon","coordinates":[]}`,
		`{"type":"LineString","coordinates":[[0,0],[1,1,1]]}`, `{"type":"MultiPolygon","coordinates":[[]]}`, `{"type":"Point","coordinates":["1",2]}`,
		`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[0,0,0]},{"type":"Point","coordinates":[0,0]}]}`} {
		if got, err := appendWKB(nil, []byte(text)); err == nil {
			t.Errorf("%s: %x, no error", text, got)
		}
	}
}

// FuzzWriter: any two JSON objects make a table with two rows, or are refused.
func FuzzWriter(f *testing.F) {
	f.Add(`{`+head+`"id":"a","properties":{"datetime":"2024-06-01T12:00:00Z","n":[1,[2],{"a":{}}]},"assets":{"x":{"href":"h"}}}`, `{"properties":{"n":1e400,"":2},"bbox":[1,2,3]}`)
	f.Add(`{"properties":{"n":{"a":[]}}}`, `{"properties":{"n":{"a":[{}]}},"geometry":7,"links":{},"id":1}`)
	f.Add(`{"a":1,"a":2,"properties":1}`, `{"assets":{"x":{"y":1,"y":"2"}}}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !json.Valid([]byte(a)) || !json.Valid([]byte(b)) || !strings.HasPrefix(a, "{") || !strings.HasPrefix(b, "{") {
			return
		}
		s := NewSchema()
		_ = s.Add(json.RawMessage(a))
		var out bytes.Buffer
		w := NewWriter(&out, Options{Schema: s})
		for _, it := range []string{a, b} {
			if w.Write(json.RawMessage(it)) != nil {
				return
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil || file.NumRows() != 2 {
			t.Fatal(file.NumRows(), err)
		}
		leaves(t, file)
	})
}

func BenchmarkWrite(b *testing.B) {
	item := json.RawMessage(`{` + head + `"id":"a","properties":{"datetime":"2024-06-01T12:00:00Z","eo:cloud_cover":12.5,"platform":"sentinel-2a","proj:shape":[10980,10980]},
		"assets":{"B01":{"href":"https://example.org/a/B01.tif","type":"image/tiff","roles":["data"],"gsd":60},"B02":{"href":"https://example.org/a/B02.tif","type":"image/tiff","roles":["data"],"gsd":10}}}`)
	w := NewWriter(&bytes.Buffer{}, Options{})
	b.SetBytes(int64(len(item)))
	for b.Loop() {
		if err := w.Write(item); err != nil {
			b.Fatal(err)
		}
	}
}
