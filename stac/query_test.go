package stac

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/stac/cql2"
)

func at(t *testing.T, text string) *time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	v = v.UTC()
	return &v
}

func TestGetAndPostAskTheSame(t *testing.T) {
	for name, tc := range map[string]struct {
		get, post string
		want      Search
	}{
		"nothing": {"", `{}`, Search{Limit: 10}},
		"nulls":   {"", `{"bbox":null,"datetime":null,"intersects":null,"ids":null,"limit":null,"sortby":null}`, Search{Limit: 10}},
		"box":     {"bbox=1,2.5,3,4&limit=3", `{"bbox":[1,2.5,3,4],"limit":3}`, Search{BBox: &geo.Box{MinX: 1, MinY: 2.5, MaxX: 3, MaxY: 4}, Limit: 3}},
		"solid":   {"bbox=100,0,0,105,1,1", `{"bbox":[100,0,0,105,1,1]}`, Search{BBox: &geo.Box{MinX: 100, MinY: 0, MaxX: 105, MaxY: 1}, Limit: 10}},
		"antimeridian": {"bbox=178,-20,-178,-14", `{"bbox":[178,-20,-178,-14]}`,
			Search{BBox: &geo.Box{MinX: 178, MinY: -20, MaxX: -178, MaxY: -14}, Limit: 10}},
		"too many a page": {"limit=20000", `{"limit":20000}`, Search{Limit: MaxLimit}},
		"names": {"ids=a,b&collections=s2,s1&token=abc", `{"ids":["a","b"],"collections":["s2","s1"],"token":"abc","unknown":{"x":1}}`,
			Search{IDs: []string{"a", "b"}, Collections: []string{"s2", "s1"}, Token: "abc", Limit: 10}},
		"time": {"datetime=2024-01-01T00:00:00Z/..", `{"datetime":"2024-01-01T00:00:00Z/.."}`,
			Search{Datetime: &Interval{Start: at(t, "2024-01-01T00:00:00Z")}, Limit: 10}},
		"point": {"intersects=" + url.QueryEscape(`{"type":"Point","coordinates":[1,2],"crs":{"x":1}}`), `{"intersects":{"type":"Point","coordinates":[1,2]}}`,
			Search{Intersects: json.RawMessage(`{"type":"Point","coordinates":[1,2]}`), Limit: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := url.ParseQuery(tc.get)
			if err != nil {
				t.Fatal(err)
			}
			got, err := SearchFromQuery(q, SearchParams)
			if err != nil || !reflect.DeepEqual(got.Search, tc.want) {
				t.Errorf("GET: %+v, %v; want %+v", got, err, tc.want)
			}
			got, err = SearchFromJSON([]byte(tc.post))
			if err != nil || !reflect.DeepEqual(got.Search, tc.want) {
				t.Errorf("POST: %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}

// TestBadSearches pairs what a client got wrong with a word that its answer must hold.
func TestBadSearches(t *testing.T) {
	ring := func(n int) string { return `[[` + strings.Repeat(`[0,0],`, n-1) + `[0,0]]]` }
	for _, tc := range [][2]string{
		{"bbox=1,2,3", "3 numbers"}, {"bbox=1,2,3,4,5", "5 numbers"}, {"bbox=1,2,3,x", `"x"`}, {"bbox=1,2,3,NaN", "NaN"},
		{"bbox=1,2,3,1e999", "1e999"}, {"bbox=1,5,3,4", "south"}, {"bbox=1,2,3,91", "latitude"}, {"bbox=-181,2,3,4", "longitude"},
		{"bbox=1,2,9,3,4,5", "bottom"}, {"bbox=,", "2 numbers"},
		{"limit=0", "limit"}, {"limit=-1", "limit"}, {"limit=ten", "whole number"}, {"limit=1.5", "whole number"}, {"limit=", "whole number"},
		{"datetime=2024", "RFC 3339"}, {"datetime=../..", "both ends"},
		{"ids=a,,b", "empty name"}, {"ids=" + strings.Repeat("a,", 10001), "10002"}, {"collections=a%00", "control"},
		{"token=" + strings.Repeat("x", 2000), "token"},
		{"sortby=", "sortby"}, {"sortby=-geometry", "no order"}, {"sortby=id,,x", "without a field"}, {"bbox=1,2,3,4&bbox=1,2,3,4", "2 times"},
		{`bbox=1,2,3,4&intersects={"type":"Point","coordinates":[1,2]}`, "together"},
		{"intersects=POINT(1 2)", "GeoJSON"}, {`intersects={"type":"Point"}`, "coordinates"}, {"intersects=[1,2]", "GeoJSON"},
		{`{"bbox":"1,2,3,4"}`, "bbox is not an array"}, {`{"bbox":[1,2,3,[4]]}`, "bbox"}, {`{"bbox":[]}`, "empty"},
		{`{"limit":"10"}`, "limit is not"}, {`{"limit":2.5}`, "limit is not"}, {`{"ids":"a"}`, "ids is not"}, {`{"ids":[1]}`, "ids is not"},
		{`{"ids":["a\u0000"]}`, "control"}, {`{"token":5}`, "token is not"}, {`{"token":"\u0000"}`, "token"},
		{`{"sortby":[{"field":"id","direction":"up"}]}`, "direction"}, {`{"sortby":"id"}`, "sortby is not"}, {`{"query":[]}`, "query is not"},
		{`{"query":{"a":{"like":1}}}`, "unknown operator"}, {`{"query":{"a":{"startsWith":1}}}`, "needs a text"}, {`{"query":{"a":{"in":5}}}`, "query"}, {`{"query":{"a":{"lt":{}}}}`, "query"},
		{`{"fields":["id"]}`, "fields is not"}, {"fields=a..", "no member"}, {"filter=a >", "character 4"}, {"filter=x&filter-lang=sql", "filter-lang"},
		{"filter=x&filter-crs=EPSG:3857", "filter-crs"}, {"filter={&filter-lang=cql2-json", "JSON"}, {`{"filter":"a = 1"}`, "not a condition"}, {`{"filter":{"op":"=","args":[]},"filter-lang":"cql2-text"}`, "text"},
		{"q=", "no word"}, {"q=(a", "parenthesis"}, {`{"q":5}`, "q is neither"}, {`{"filter":{"op":"="}}`, "filter"},
		{`{"datetime":["a"]}`, "datetime is not"}, {`[]`, "JSON object"}, {`null`, "JSON object"}, {``, "JSON object"}, {`{"bbox":`, "JSON object"},
		{`{"intersects":{"type":"Feature","geometry":null}}`, "Feature"}, {`{"intersects":{"type":"Circle","coordinates":[1]}}`, "Circle"},
		{`{"intersects":{"type":"Point","coordinates":[1]}}`, "position of 1"}, {`{"intersects":{"type":"Point","coordinates":[[1,2]]}}`, "position"},
		{`{"intersects":{"type":"Point","coordinates":["1","2"]}}`, "no number"}, {`{"intersects":{"type":"Point","coordinates":[1,91]}}`, "91"},
		{`{"intersects":{"type":"LineString","coordinates":[[1,2]]}}`, "line"}, {`{"intersects":{"type":"Polygon","coordinates":[]}}`, "empty"},
		{`{"intersects":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}}`, "ring"},
		{`{"intersects":{"type":"Polygon","coordinates":` + ring(3) + `}}`, "ring"},
		{`{"intersects":{"type":"Polygon","coordinates":` + ring(10001) + `}}`, "10000 positions"},
		{`{"intersects":{"type":"GeometryCollection","geometries":[]}}`, "empty"},
		{`{"intersects":{"type":"GeometryCollection","geometries":[{"type":"GeometryCollection","geometries":[]}]}}`, "inside"},
		{`{"token":"` + strings.Repeat("x", maxBodyBytes) + `"}`, "bytes"},
	} {
		name := tc[0][:min(len(tc[0]), 70)]
		t.Run(name, func(t *testing.T) {
			var err error
			if tc[0] == "" || strings.ContainsAny(tc[0][:1], "{[n") {
				_, err = SearchFromJSON([]byte(tc[0]))
			} else {
				q, parseErr := url.ParseQuery(tc[0])
				if parseErr != nil {
					t.Fatal(parseErr)
				}
				_, err = SearchFromQuery(q, SearchParams)
			}
			kind, public := fault.Of(err)
			if kind != fault.Invalid && kind != fault.TooLarge || !strings.Contains(public, tc[1]) {
				t.Errorf("answered %v %q (%v), want a word of %q", kind, public, err, tc[1])
			}
		})
	}
}

func TestExtensionsAskTheSame(t *testing.T) {
	for name, tc := range map[string]struct {
		get, post, filter string
		sort              []SortKey
	}{
		"filter":                       {`filter="eo:cloud_cover"<10`, `{"filter":{"op":"<","args":[{"property":"eo:cloud_cover"},10]}}`, `("eo:cloud_cover" < 10)`, nil},
		"filter in the other language": {`filter={"op":"=","args":[{"property":"a"},1]}&filter-lang=cql2-json`, `{"filter":"a = 1","filter-lang":"cql2-text"}`, `("a" = 1)`, nil},
		"query":                        {`query={"a":{"gte":1,"lt":2},"b":{"in":["x"]}}`, `{"query":{"a":{"gte":1,"lt":2},"b":{"in":["x"]}}}`, `(("a" >= 1) AND ("a" < 2) AND ("b" IN ('x')))`, nil},
		"query of text":                {`query={"a":{"startsWith":"5%","endsWith":"_"}}`, `{"query":{"a":{"startsWith":"5%","endsWith":"_"}}}`, `(("a" LIKE '%\_') AND ("a" LIKE '5\%%'))`, nil},
		"query and filter":             {`query={"a":{"eq":null}}&filter=b=2`, `{"query":{"a":{"eq":null}},"filter":{"op":"=","args":[{"property":"b"},2]}}`, `(("b" = 2) AND ("a" IS NULL))`, nil},
		"query of numbers as text":     {`query={"a":{"lt":"10"},"b":{"eq":"x"}}`, `{"query":{"a":{"lt":"10"},"b":{"eq":"x"}}}`, `((("a" < 10) OR ("a" < '10')) AND ("b" = 'x'))`, nil},
		"an empty query":               {`query={}`, `{"query":{}}`, "", nil},
		"sort":                         {"sortby=+properties.datetime,-id", `{"sortby":[{"field":"properties.datetime","direction":"asc"},{"field":"id","direction":"desc"}]}`, "", []SortKey{{"datetime", false}, {"id", true}}},
		"sort, the plus escaped":       {"sortby=%2Beo:cloud_cover", `{"sortby":[{"field":"eo:cloud_cover"}]}`, "", []SortKey{{"eo:cloud_cover", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := url.ParseQuery(strings.NewReplacer("%_", "%25_", "5%\"", "5%25\"").Replace(tc.get))
			if err != nil {
				t.Fatal(err)
			}
			got, err := SearchFromQuery(q, SearchParams)
			post, err2 := SearchFromJSON([]byte(tc.post))
			for how, s := range map[string]Search{"GET": got.Search, "POST": post.Search} {
				filter := ""
				if s.Filter != nil {
					filter = cql2.String(s.Filter)
				}
				if err != nil || err2 != nil || filter != tc.filter || !reflect.DeepEqual(s.Sort, tc.sort) {
					t.Errorf("%s: %s %v, %v %v; want %s %v", how, filter, s.Sort, err, err2, tc.filter, tc.sort)
				}
			}
		})
	}
}

func TestFields(t *testing.T) {
	const item = `{"type":"Feature","id":"a","collection":"c","geometry":null,"bbox":[1,2,3,4],"properties":{"datetime":"t","eo:cloud_cover":1,"x":{"y":2,"z":"q\"uote"}},"assets":{"B04":{"href":"h","gsd":10},"B08":{"href":"h8"}}}`
	for fields, want := range map[string]string{
		"id":                                    `{"type":"Feature","id":"a","collection":"c"}`,
		"properties.datetime":                   `{"type":"Feature","id":"a","collection":"c","properties":{"datetime":"t"}}`,
		"properties,-properties.x":              `{"type":"Feature","id":"a","collection":"c","properties":{"datetime":"t","eo:cloud_cover":1}}`,
		"properties.x.z,bbox":                   `{"type":"Feature","id":"a","collection":"c","bbox":[1,2,3,4],"properties":{"x":{"z":"q\"uote"}}}`,
		"-geometry,-assets":                     `{"type":"Feature","id":"a","collection":"c","bbox":[1,2,3,4],"properties":{"datetime":"t"}}`,
		"-properties,properties.eo:cloud_cover": `{"type":"Feature","id":"a","collection":"c","properties":{"eo:cloud_cover":1}}`,
		"assets.B04.href":                       `{"type":"Feature","id":"a","collection":"c","assets":{"B04":{"href":"h"}}}`,
		"":                                      `{"type":"Feature","id":"a","collection":"c","geometry":null,"bbox":[1,2,3,4],"properties":{"datetime":"t"},"assets":{"B04":{"href":"h","gsd":10},"B08":{"href":"h8"}}}`,
		"properties.none":                       `{"type":"Feature","id":"a","collection":"c"}`,
		"geometry,-geometry":                    `{"type":"Feature","id":"a","collection":"c","geometry":null}`,
		"-assets.B04.gsd,-geometry,-bbox,-properties,-assets.B08": `{"type":"Feature","id":"a","collection":"c","assets":{"B04":{"href":"h"}}}`,
	} {
		f, err := parseFields(fields)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(f.Apply([]byte(item))); got != want {
			t.Errorf("%q: %s\nwant %s", fields, got, want)
		}
	}
	at := time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.FixedZone("", 7200))
	for fields, want := range map[string]string{
		"id":                        `{"type":"Feature","id":"a","collection":"c"}`,
		"properties.swath:modified": `{"type":"Feature","id":"a","collection":"c","properties":{"swath:modified":"2024-05-06T05:08:09.123456Z"}}`,
		"properties.datetime,properties.swath:modified":                                  `{"type":"Feature","id":"a","collection":"c","properties":{"datetime":"t","swath:modified":"2024-05-06T05:08:09.123456Z"}}`,
		"properties,-properties.x,-properties.eo:cloud_cover,properties.swath:published": `{"type":"Feature","id":"a","collection":"c","properties":{"datetime":"t","swath:published":"2024-05-06T05:08:08.123456Z"}}`,
	} {
		f, err := parseFields(fields)
		if err != nil {
			t.Fatal(err)
		}
		got := Links{}.AppendFields(nil, Item{Collection: "c", ID: "a", Body: []byte(item), Created: at.Add(-time.Second), Updated: at}, f)
		if string(got) != want {
			t.Errorf("%q: %s\nwant %s", fields, got, want)
		}
	}
	// The table of the standard: missing, null and empty are three.
	const all, least = `"geometry":null,"bbox":[1,2,3,4],"properties":{"datetime":"t","eo:cloud_cover":1,"x":{"y":2,"z":"q\"uote"}}`, `"geometry":null,"bbox":[1,2,3,4],"properties":{"datetime":"t"}`
	for body, want := range map[string]string{
		`null`: least, `{}`: least, `{"include":null,"exclude":[]}`: least, `{"exclude":["assets"]}`: all, `{"include":null,"exclude":["assets"]}`: least,
		`{"include":[],"exclude":["assets","geometry"]}`: strings.TrimPrefix(least, `"geometry":null,`), `{"include":["bbox"],"exclude":["bbox","geometry"]}`: `"bbox":[1,2,3,4]`,
	} {
		q, err := SearchFromJSON([]byte(`{"fields":` + body + `}`))
		if err != nil {
			t.Fatal(err)
		}
		got := string(q.Fields.Apply([]byte(strings.Replace(item, `,"assets":{"B04":{"href":"h","gsd":10},"B08":{"href":"h8"}}`, "", 1))))
		if want = `{"type":"Feature","id":"a","collection":"c",` + want + `}`; got != want {
			t.Errorf("%s: %s\nwant %s", body, got, want)
		}
	}
}

func TestGoodGeometriesPassUnchanged(t *testing.T) {
	for _, g := range []string{
		`{"type":"Point","coordinates":[100,0]}`, `{"type":"Point","coordinates":[100,0,12.5]}`,
		`{"type":"MultiPoint","coordinates":[[100,0],[101,1]]}`, `{"type":"LineString","coordinates":[[100,0],[101,1]]}`,
		`{"type":"MultiLineString","coordinates":[[[100,0],[101,1]],[[102,2],[103,3]]]}`,
		`{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]}`,
		`{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[-180,-90],[180,-90],[180,90],[-180,-90]]]]}`,
		`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[100,0]},{"type":"LineString","coordinates":[[101,0],[102,1]]}]}`,
	} {
		got, err := ParseGeometry(json.RawMessage(g))
		if err != nil || string(got) != g {
			t.Errorf("%s became %s, %v", g, got, err)
		}
	}
}

func TestParseDatetime(t *testing.T) {
	for text, want := range map[string][2]string{
		"1985-04-12T23:20:50.52Z":                           {"1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.52Z"},
		"1985-04-12t23:20:50.000z":                          {"1985-04-12T23:20:50Z", "1985-04-12T23:20:50Z"},
		"1996-12-19T16:39:57-08:00":                         {"1996-12-20T00:39:57Z", "1996-12-20T00:39:57Z"},
		"1996-12-19T16:39:57-00:00":                         {"1996-12-19T16:39:57Z", "1996-12-19T16:39:57Z"},
		"1990-12-31T23:59:60Z":                              {"1991-01-01T00:00:00Z", "1991-01-01T00:00:00Z"},
		"1990-12-31T15:59:60.7-08:00":                       {"1991-01-01T00:00:00Z", "1991-01-01T00:00:00Z"},
		"2020-07-23T00:00:00.012345678Z":                    {"2020-07-23T00:00:00.012345678Z", "2020-07-23T00:00:00.012345678Z"},
		"../1985-04-12T23:20:50.52Z":                        {"", "1985-04-12T23:20:50.52Z"},
		"/1985-04-12T23:20:50.52Z":                          {"", "1985-04-12T23:20:50.52Z"},
		"1985-04-12T23:20:50.52Z/..":                        {"1985-04-12T23:20:50.52Z", ""},
		"1985-04-12T23:20:50.52Z/":                          {"1985-04-12T23:20:50.52Z", ""},
		"1985-04-12T23:20:50+01:00/1986-04-12T23:20:50.5Z":  {"1985-04-12T22:20:50Z", "1986-04-12T23:20:50.5Z"},
		"2020-02-29T00:00:00.0Z/2020-02-29T00:00:00.00000Z": {"2020-02-29T00:00:00Z", "2020-02-29T00:00:00Z"},
	} {
		got, err := ParseDatetime(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for i, end := range []*time.Time{got.Start, got.End} {
			if (end == nil) != (want[i] == "") || end != nil && end.Format(time.RFC3339Nano) != want[i] {
				t.Errorf("%s: end %d is %v, want %q", text, i, end, want[i])
			}
		}
	}
	for _, text := range []string{
		"/", "../..", "/..", "../", "/1984-04-12T23:20:50.52Z/1985-04-12T23:20:50.52Z", "1984-04-12T23:20:50.52Z/1985-04-12T23:20:50.52Z/",
		"1985-04-12", "1937-01-01T12:00:27.87+0100", "37-01-01T12:00:27.87Z", "1985-12-12T23:20:50.52", "21985-12-12T23:20:50.52Z",
		"1985-13-12T23:20:50.52Z", "1985-12-32T23:20:50.52Z", "2019-02-29T00:00:00Z", "1985-12-01T25:20:50.52Z", "1985-12-01T00:60:50.52Z",
		"1985-12-01T00:06:61.52Z", "1985-12-01T00:06:60Z", "1985-04-12T23:20:50.Z", "1985-04-12T23:20:50,Z", "1985-04-12T23:20:50,52Z",
		"1990-12-31T23:59:61Z", "1986-04-12T23:20:50.52Z/1985-04-12T23:20:50.52Z", "2020-01-01T00:00:00+25:00", "2020-01-01T00:00:00Z/x", "",
	} {
		if got, err := ParseDatetime(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q was read as %v, %v", text, got, err)
		}
	}
}

func FuzzSearchFromJSON(f *testing.F) {
	f.Add([]byte(`{"bbox":[1,2,3,4],"datetime":"2024-01-01T00:00:00Z/..","ids":["a"],"limit":5}`))
	f.Add([]byte(`{"intersects":{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]]]}}`))
	f.Add([]byte(`{"intersects":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := SearchFromJSON(body)
		if err != nil {
			if k, _ := fault.Of(err); k == fault.Internal {
				t.Fatalf("%v for %q", err, body)
			}
			return
		}
		if s.Limit < 1 || s.Limit > MaxLimit || s.BBox != nil && s.Intersects != nil {
			t.Fatalf("%+v", s)
		}
		if s.Intersects != nil {
			if again, err := ParseGeometry(s.Intersects); err != nil || string(again) != string(s.Intersects) {
				t.Fatalf("%s does not pass again: %v", s.Intersects, err)
			}
		}
	})
}

func FuzzParseDatetime(f *testing.F) {
	f.Add("1985-04-12T23:20:50.52+01:00/..")
	f.Add("1990-12-31T23:59:60Z")
	f.Fuzz(func(t *testing.T, text string) {
		if in, err := ParseDatetime(text); err == nil && in.Start == nil && in.End == nil {
			t.Fatalf("%q filters nothing", text)
		}
	})
}
