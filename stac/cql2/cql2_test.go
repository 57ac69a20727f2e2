package cql2

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"swath/fault"
)

const sample = `{"type":"Feature","id":"S2A_1","collection":"sentinel-2-l2a","geometry":{"type":"Point","coordinates":[1,2]},"bbox":[1,2,1,2],
"properties":{"datetime":"2020-06-15T12:00:00.5Z","start_datetime":"2020-06-15T12:00:00+02:00","eo:cloud_cover":12.5,"n":5,"zero":0,"title":"Fôret \"verte\"",
"platform":"Sentinel-2A","flag":true,"off":false,"nothing":null,"day":"2020-06-15","keywords":["ice","flood"],"numbers":[1,2,3],"nested":{"depth":3,"deeper":{"x":"y"}},
"a.b":7,"odd name":"it's","empty":[],"mixed":[1,"a"]},"assets":{}}`

// TestTruth writes each filter as text; the truth follows from the standard's words (OGC 21-065r2) and the sample.
func TestTruth(t *testing.T) {
	for filter, want := range map[string]Truth{
		// 7.4 basic: comparisons, logic
		`"eo:cloud_cover" < 20`: True, `eo:cloud_cover < 12.5`: False, `eo:cloud_cover <= 12.5`: True, `eo:cloud_cover = 12.50`: True,
		`n = 5.0`: True, `n <> 5`: False, `n > -1e3`: True, `title = 'x'`: False, `platform > 'Sentinel'`: True, `flag = TRUE`: True, `flag`: True,
		`off`: False, `NOT off`: True, `flag AND NOT off`: True, `id = 'S2A_1'`: True, `collection = 'sentinel-2-l2a'`: True, `"odd name" = 'it''s'`: True,
		`properties.n = 5`: True, `5 = n`: True, `5 < n`: False, `TRUE`: True, `FALSE OR TRUE`: True, `n = 5 OR n = 6 AND n = 7`: True, `(n = 5 OR n = 6) AND n = 7`: False,
		// unknown
		`missing = 1`: Unknown, `NOT missing = 1`: Unknown, `nothing = 1`: Unknown, `missing = 1 OR n = 5`: True, `missing = 1 AND n = 6`: False,
		`missing = 1 AND n = 5`: Unknown, `missing = missing`: Unknown, `title = 5`: Unknown, `n = 'a'`: Unknown, `nested = 1`: Unknown, `missing <> 1`: Unknown,
		`missing IS NULL`: True, `nothing IS NULL`: True, `n IS NULL`: False, `n IS NOT NULL`: True, `nested IS NULL`: False, `geometry IS NOT NULL`: True,
		// 7.5 advanced comparison
		`n BETWEEN 5 AND 6`: True, `n BETWEEN 6 AND 5`: False, `n NOT BETWEEN 6 AND 7`: True, `n BETWEEN 1 AND 2 OR flag`: True, `missing NOT BETWEEN 6 AND 7`: Unknown,
		`n IN (1, 2, 5)`: True, `n NOT IN (1, 2)`: True, `platform IN ('Sentinel-2A')`: True, `missing IN (1)`: Unknown, `missing NOT IN (1)`: Unknown,
		`platform LIKE 'Sentinel-%'`: True, `platform LIKE 'sentinel-%'`: False, `platform LIKE '%2_'`: True, `platform LIKE 'Sentinel-2'`: False, `platform LIKE '%'`: True,
		`title LIKE 'F_ret%'`: True, `platform NOT LIKE 'x%'`: True, `n LIKE '5'`: Unknown, `missing LIKE '%'`: Unknown, `"odd name" LIKE 'it\'s'`: True,
		`platform LIKE 'Sentinel\-2A'`: True, `platform LIKE '\%'`: False,
		// 7.6, 7.7 case and accents
		`CASEI(platform) = CASEI('SENTINEL-2a')`: True, `CASEI(platform) LIKE casei('SENT%')`: True, `ACCENTI(title) LIKE 'Foret%'`: True,
		`CASEI(ACCENTI(title)) = CASEI(ACCENTI('FORET "VERTE"'))`: True, `CASEI(missing) = CASEI('x')`: Unknown, `CASEI(platform) IN (CASEI('SENTINEL-2A'), 'x')`: True,
		`CASEI('Straße') = CASEI('STRASSE')`: True,
		// 7.9 temporal
		`datetime > TIMESTAMP('2020-06-15T12:00:00Z')`: True, `datetime = TIMESTAMP('2020-06-15T14:00:00.5+02:00')`: True, `datetime < '2020-06-15T12:00:01Z'`: True,
		`start_datetime = TIMESTAMP('2020-06-15T10:00:00Z')`: True, `datetime = DATE('2020-06-15')`: True, `datetime > DATE('2020-06-15')`: False, `datetime > DATE('2020-06-14')`: True,
		`day = DATE('2020-06-15')`: True, `datetime BETWEEN TIMESTAMP('2020-06-15T00:00:00Z') AND TIMESTAMP('2020-06-16T00:00:00Z')`: True,
		`T_AFTER(datetime, TIMESTAMP('2020-06-15T12:00:00Z'))`: True, `T_AFTER(datetime, DATE('2020-06-15'))`: False, `T_BEFORE(datetime, DATE('2020-06-16'))`: True,
		`T_DURING(datetime, INTERVAL('2020-06-01T00:00:00Z', '2020-07-01T00:00:00Z'))`: True, `T_INTERSECTS(datetime, INTERVAL('..', '2020-06-15T12:00:00.5Z'))`: True,
		`T_INTERSECTS(datetime, INTERVAL('2020-06-15T12:00:00.500001Z', '..'))`: False, `T_DISJOINT(datetime, INTERVAL('2021-01-01', '..'))`: True,
		`T_EQUALS(datetime, TIMESTAMP('2020-06-15T12:00:00.5Z'))`: True, `T_CONTAINS(INTERVAL(start_datetime, '2021-01-01T00:00:00Z'), datetime)`: True,
		`T_MEETS(INTERVAL(start_datetime, datetime), INTERVAL(datetime, '..'))`: True, `T_METBY(INTERVAL(datetime, '..'), INTERVAL(start_datetime, datetime))`: True,
		`T_OVERLAPS(INTERVAL('2020-01-01', datetime), INTERVAL(start_datetime, '..'))`: True, `T_OVERLAPPEDBY(INTERVAL(start_datetime, '..'), INTERVAL('2020-01-01', datetime))`: True,
		`T_STARTS(INTERVAL(start_datetime, datetime), INTERVAL(start_datetime, '..'))`: True, `T_STARTEDBY(INTERVAL(start_datetime, '..'), INTERVAL(start_datetime, datetime))`: True,
		`T_FINISHES(INTERVAL(datetime, '..'), INTERVAL(start_datetime, '..'))`: True, `T_FINISHEDBY(INTERVAL(start_datetime, '..'), INTERVAL(datetime, '..'))`: True,
		`T_AFTER(missing, TIMESTAMP('2020-06-15T12:00:00Z'))`: Unknown, `T_AFTER(n, TIMESTAMP('2020-06-15T12:00:00Z'))`: Unknown,
		`datetime = TIMESTAMP('2016-12-31T23:59:60Z')`: False,
		// 7.10 arrays
		`A_CONTAINS(keywords, ('ice'))`: True, `A_CONTAINS(keywords, ('ice', 'x'))`: False, `A_CONTAINEDBY(keywords, ('ice', 'flood', 'x'))`: True, `A_EQUALS(keywords, ('flood', 'ice'))`: True,
		`A_OVERLAPS(numbers, (3, 4))`: True, `A_OVERLAPS(numbers, (4, 5))`: False, `A_CONTAINS(keywords, ())`: True, `A_CONTAINS(missing, ('a'))`: Unknown, `A_CONTAINS(n, (5))`: Unknown,
		`A_EQUALS(empty, ())`: True, `A_CONTAINS(mixed, ('a', 1))`: True, `A_CONTAINS(numbers, ('1'))`: False,
		// 7.11, 7.12, 7.13 properties, functions, arithmetic
		`n < "eo:cloud_cover"`: True, `n + 7.5 = eo:cloud_cover`: True, `n * 2 - 1 = 9`: True, `2 + 3 * 2 = 8`: True, `(2 + 3) * 2 = 10`: True, `2 ^ 3 ^ 2 = 512`: True,
		`7 div 2 = 3`: True, `-7 div 2 = -3`: True, `7 % 4 = 3`: True, `n / zero > 1`: Unknown, `-n = -5`: True, `- n + 6 = 1`: True, `n - -1 = 6`: True, `missing + 1 = 1`: Unknown,
		`title + 1 = 1`: Unknown, `nested.depth = 3`: True, `nested.deeper.x = 'y'`: True, `a.b = 7`: True, `nested.none = 1`: Unknown,
	} {
		n, err := ParseText(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := Decide(n, &Item{Body: []byte(sample)}); got != want {
			t.Errorf("%s is %d, want %d", filter, got, want)
		}
		for form, again := range map[string]func() (Node, error){
			String(n): func() (Node, error) { return ParseText(String(n)) }, string(JSON(n)): func() (Node, error) { return ParseJSON(JSON(n)) },
		} {
			if back, err := again(); err != nil || !reflect.DeepEqual(back, n) {
				t.Errorf("%s, written %s, is read as %#v, %v; want %#v", filter, form, back, err, n)
			}
		}
	}
}

func TestSpatial(t *testing.T) {
	for filter, want := range map[string]Node{
		`S_INTERSECTS(geometry, POINT(1 2))`:                          Geometry(`{"type":"Point","coordinates":[1,2]}`),
		`s_intersects(geometry, POINT Z (1 2 3))`:                     Geometry(`{"type":"Point","coordinates":[1,2]}`),
		`S_WITHIN(geometry, POLYGON((0 0, 1 0, 1 1.5, -0.5 1, 0 0)))`: Geometry(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1.5],[-0.5,1],[0,0]]]}`),
		`S_WITHIN(geometry, MULTIPOINT((0 0), (1 1)))`:                Geometry(`{"type":"MultiPoint","coordinates":[[0,0],[1,1]]}`),
		`S_CROSSES(geometry, LINESTRING(0 0,1e1 1))`:                  Geometry(`{"type":"LineString","coordinates":[[0,0],[10,1]]}`),
		`S_DISJOINT(geometry, BBOX(170, -10, -170, 10))`:              BBox{170, -10, -170, 10},
		`S_DISJOINT(geometry, ENVELOPE(1, 2, 0, 3, 4, 9))`:            BBox{1, 2, 3, 4},
		`S_OVERLAPS(geometry, GEOMETRYCOLLECTION(POINT(1 2), MULTIPOLYGON(((0 0,1 0,1 1,0 0)))))`: Geometry(
			`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}]}`),
	} {
		n, err := ParseText(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		s, ok := n.(Spatial)
		if !ok || s.Left != Property("geometry") || !reflect.DeepEqual(s.Right, want) {
			t.Errorf("%s is %#v", filter, n)
		}
		for _, again := range []func() (Node, error){func() (Node, error) { return ParseText(String(n)) }, func() (Node, error) { return ParseJSON(JSON(n)) }} {
			if back, err := again(); err != nil || !reflect.DeepEqual(back, n) {
				t.Errorf("%s is read again as %#v, %v", filter, back, err)
			}
		}
		asked := 0
		env := &Item{Body: []byte(sample), Spatial: func(Spatial) (bool, bool) { asked++; return true, true }}
		if !Match(n, env) || asked != 1 {
			t.Errorf("%s was asked for %d times", filter, asked)
		}
	}
}

// TestDialects: what clients in the wild write, next to what it means.
func TestDialects(t *testing.T) {
	for raw, want := range map[string]string{
		`{"op":"=","args":[{"property":"properties.n"},5]}`:                                               `n = 5`,
		`{"op":"eq","args":[{"property":"n"},5]}`:                                                         `n = 5`,
		`{"op":"isNull","args":{"property":"n"}}`:                                                         `n IS NULL`,
		`{"op":"isNull","args":[{"property":"n"}]}`:                                                       `n IS NULL`,
		`{"op":"between","args":[{"property":"n"},[1,2]]}`:                                                `n BETWEEN 1 AND 2`,
		`{"op":"like","args":[{"casei":{"property":"title"}},{"casei":"a%"}]}`:                            `CASEI(title) LIKE CASEI('a%')`,
		`{"op":"and","args":[{"op":"=","args":[{"property":"n"},5]}]}`:                                    `n = 5`,
		`{"op":"anyinteracts","args":[{"property":"datetime"},{"interval":["2020-01-01","2020-02-01"]}]}`: `T_INTERSECTS(datetime, INTERVAL('2020-01-01','2020-02-01'))`,
		`{"op":"anyinteracts","args":[{"property":"datetime"},["2020-01-01T00:00:00Z",".."]]}`:            `T_INTERSECTS(datetime, INTERVAL('2020-01-01T00:00:00Z','..'))`,
		`{"op":"t_before","args":[{"property":"datetime"},"2020-01-01T00:00:00Z"]}`:                       `T_BEFORE(datetime, TIMESTAMP('2020-01-01T00:00:00Z'))`,
		`{"op":">","args":[{"property":"datetime"},"2020-01-01T00:00:00Z"]}`:                              `datetime > TIMESTAMP('2020-01-01T00:00:00Z')`,
		`{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":[1,2,3,4]}]}`:                       `S_INTERSECTS(geometry, BBOX(1,2,3,4))`,
		`{"op":"not","args":[{"op":"in","args":[{"property":"n"},[1,2]]}]}`:                               `n NOT IN (1,2)`,
		` {"op":"a_contains","args":[{"property":"keywords"},["a"]]} `:                                    `A_CONTAINS(keywords, ('a'))`,
		`{"op":"=","args":[{"op":"*","args":[{"property":"n"},{"op":"-","args":[{"property":"m"}]}]},1]}`: `n * (-m) = 1`,
		`{"op":"=","args":[{"function":{"name":"casei","args":[{"property":"title"}]}},"a"]}`:             `CASEI(title) = 'a'`,
		`{"op":"or","args":[{"property":"flag"},{"op":"not","args":[{"property":"off"}]}]}`:               `flag OR NOT off`,
		`{"op":"<=","args":[{"property":"datetime"},{"date":"2020-01-01"}]}`:                              `datetime <= DATE('2020-01-01')`,
	} {
		got, err := ParseJSON([]byte(raw))
		wanted, err2 := ParseText(want)
		if err != nil || err2 != nil || !reflect.DeepEqual(got, wanted) {
			t.Errorf("%s is %#v, %v; %s is %#v, %v", raw, got, err, want, wanted, err2)
		}
	}
}

func TestMistakes(t *testing.T) {
	deep := strings.Repeat("(", 100) + "n = 1" + strings.Repeat(")", 100)
	for filter, words := range map[string]string{
		``: "character 1", `n =`: "character 4", `n = 1 AND`: "its end", `= 1`: "character 1", `n = 1 1`: "character 7", `n = 'a`: "no end", `n == 1`: "character 4",
		`n # 1`: "'#'", `'a' > 5`: "can't be compared", `n LIKE 5`: "text", `5 LIKE 'a'`: "text", `n IN ()`: "empty", `n IN (1`: `")"`, `foo(n) = 1`: `"foo" is not known`,
		`TIMESTAMP('yesterday') < datetime`: "yesterday", `datetime < DATE('2020-13-01')`: "2020-13-01", `S_INTERSECTS(geometry, 5)`: "a geometry", `S_INTERSECTS(geometry)`: "two arguments",
		`S_INTERSECTS(geometry, POINT(200 1))`: "200", `S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 0 0)))`: "ring", `S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 1 0, 0 1)))`: "closed",
		`S_INTERSECTS(geometry, POINT EMPTY)`: "empty", `S_INTERSECTS(geometry, BBOX(1,2,3))`: "3 numbers", `T_AFTER(datetime, INTERVAL('..','..'))`: "both ends",
		`T_AFTER(datetime, INTERVAL('2021-01-01','2020-01-01'))`: "before it begins", `n + 'a' = 1`: "a number", `n`: "", `5`: "not a condition", `n + 1`: "not a condition", `NOT 5`: "condition",
		`n = 1 AND 5`: "condition", `"" = 1`: "empty", `and = 1`: "double quotes", `n = 1e999`: "can be held", deep: "nested", `A_CONTAINS(keywords, 'x') = 1`: "scalar", `n NOT 5`: "character 3",
		strings.Repeat("n = 1 OR ", 20_000) + "n = 1": "more than", `n IN (` + strings.Repeat("1,", 6000) + `1)`: "5000", "n = '\xff'": "UTF-8", `CASEI(5) = 'a'`: "text",
	} {
		n, err := ParseText(filter)
		if filter == "n" {
			if err != nil {
				t.Errorf("a bare property: %v", err)
			}
			continue
		}
		if words == "scalar" { // a predicate is no value
			words = "condition"
		}
		if err == nil || !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) || !strings.Contains(err.Error(), words) {
			t.Errorf("%.60s: %#v, %v; want %q", filter, n, err, words)
		}
	}
	for raw, words := range map[string]string{
		``: "JSON", `{`: "JSON", `null`: "null", `5`: "not a condition", `{"op":"=","args":[{"property":"n"}]}`: "$: = has 2", `{"op":"nope","args":[]}`: "nope", `{"op":"="}`: "no args",
		`{"op":"and","args":[{"op":"=","args":["a",5]}]}`: "$.args[0]", `{"op":"in","args":[{"property":"n"},5]}`: "a list", `{"x":1}`: "none of", `{"op":5,"args":[]}`: `"op"`,
		`{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[[0,0],[1,1]]]}]}`: "$.args[1]",
		`{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Feature","geometry":null}]}`:               "Feature",
		`{"op":"=","args":[{"property":"n"},null]}`:                                                               "null",
		strings.Repeat(`{"op":"not","args":[`, 70) + "true" + strings.Repeat("]}", 70):                            "nested",
		`{"op":"=","args":[{"property":"n"},1e999]}`:                                                              "held",
	} {
		if n, err := ParseJSON([]byte(raw)); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%.80s: %#v, %v; want %q", raw, n, err, words)
		}
	}
}

func FuzzParseText(f *testing.F) {
	for _, s := range []string{`"eo:cloud_cover" < 20 AND S_INTERSECTS(geometry, POLYGON((0 0,1 0,1 1,0 0)))`, `NOT (a LIKE 'x%' OR b IN (1,2) AND c BETWEEN -1 AND 2 ^ 3)`,
		`T_DURING(datetime, INTERVAL('2020-01-01', '..'))`, `A_CONTAINS(k, ('a','b')) AND CASEI(t) = CASEI('É')`, `a IS NOT NULL`, `-n * 3 div 2 > DATE('2020-01-01')`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseText(s)
		if err != nil {
			return
		}
		Match(n, &Item{Body: []byte(sample)})
		for _, form := range []func() (string, Node, error){
			func() (string, Node, error) { s := String(n); back, err := ParseText(s); return s, back, err },
			func() (string, Node, error) { s := JSON(n); back, err := ParseJSON(s); return string(s), back, err },
		} {
			if written, back, err := form(); (err != nil && !fault.Is(err, fault.TooLarge)) || err == nil && !reflect.DeepEqual(back, n) {
				t.Fatalf("%q is written %s, and read as %#v, %v; want %#v", s, written, back, err, n)
			}
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"op":"and","args":[{"op":"=","args":[{"property":"n"},5]},{"op":"like","args":[{"property":"t"},"a%"]}]}`,
		`{"op":"t_after","args":[{"property":"datetime"},{"interval":["2020-01-01",{"property":"x"}]}]}`, `{"op":"s_within","args":[{"property":"geometry"},{"type":"Point","coordinates":[1,2]}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := ParseJSON(raw)
		if err != nil {
			return
		}
		Match(n, &Item{Body: []byte(sample)})
		if back, err := ParseJSON(JSON(n)); (err != nil && !fault.Is(err, fault.TooLarge)) || err == nil && !reflect.DeepEqual(back, n) {
			t.Fatalf("%s is written %s, and read as %#v, %v", raw, JSON(n), back, err)
		}
	})
}

func TestItemAgainstAFullParse(t *testing.T) {
	var whole struct{ Properties map[string]any }
	if err := json.Unmarshal([]byte(sample), &whole); err != nil {
		t.Fatal(err)
	}
	it := &Item{Body: []byte(sample)}
	for name, want := range whole.Properties {
		if _, isObject := want.(map[string]any); isObject {
			continue
		}
		if got := it.Value(Property(name)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, want %#v", name, got, want)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	assets := strings.Repeat(`"B01":{"href":"s3://bucket/a/very/long/path/of/an/asset.jp2","type":"image/jp2","roles":["data"],"title":"Band"},`, 40)
	body := []byte(strings.Replace(sample, `"assets":{`, `"assets":{`+assets+`"x":{}`, 1))
	n, err := ParseText(`"eo:cloud_cover" < 20 AND nested.depth > 5`)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Match(n, &Item{Body: body})
	}
}

func Example() {
	n, _ := ParseText(`eo:cloud_cover < 20 AND platform LIKE 'Sentinel-2_'`)
	fmt.Println(string(JSON(n)))
	fmt.Println(Match(n, &Item{Body: []byte(sample)}))
	// Output:
	// {"args":[{"args":[{"property":"eo:cloud_cover"},20],"op":"\u003c"},{"args":[{"property":"platform"},"Sentinel-2_"],"op":"like"}],"op":"and"}
	// true
}
