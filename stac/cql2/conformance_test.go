package cql2

import (
	"reflect"
	"testing"
)

// TestConformanceClasses writes a filter of each requirement class of OGC 21-065r2 in both forms, which must be one tree, and its
// truth for the sample. Spatial predicates are taken for true here: the catalog decides them.
func TestConformanceClasses(t *testing.T) {
	type row struct {
		text, json string
		want       Truth
	}
	for class, rows := range map[string][]row{
		"basic-cql2": {
			{`platform = 'Sentinel-2A'`, `{"op":"=","args":[{"property":"platform"},"Sentinel-2A"]}`, True},
			{`eo:cloud_cover >= 12.5 AND flag = true`, `{"op":"and","args":[{"op":">=","args":[{"property":"eo:cloud_cover"},12.5]},{"op":"=","args":[{"property":"flag"},true]}]}`, True},
			{`NOT (n < 5) OR off = true`, `{"op":"or","args":[{"op":"not","args":[{"op":"<","args":[{"property":"n"},5]}]},{"op":"=","args":[{"property":"off"},true]}]}`, True},
			{`missing IS NULL`, `{"op":"isNull","args":[{"property":"missing"}]}`, True},
			{`NOT "n" IS NULL`, `{"op":"not","args":[{"op":"isNull","args":[{"property":"n"}]}]}`, True},
			{`datetime >= DATE('1970-01-01')`, `{"op":">=","args":[{"property":"datetime"},{"date":"1970-01-01"}]}`, True},
			{`datetime < timestamp('2020-06-15T12:00:00.5Z')`, `{"op":"<","args":[{"property":"datetime"},{"timestamp":"2020-06-15T12:00:00.5Z"}]}`, False},
		},
		"advanced-comparison-operators": {
			{`platform LIKE 'Sentinel-2_'`, `{"op":"like","args":[{"property":"platform"},"Sentinel-2_"]}`, True},
			{`platform NOT LIKE '%2A' AND n > 1`, `{"op":"and","args":[{"op":"not","args":[{"op":"like","args":[{"property":"platform"},"%2A"]}]},{"op":">","args":[{"property":"n"},1]}]}`, False},
			{`NOT n BETWEEN 6 AND 9`, `{"op":"not","args":[{"op":"between","args":[{"property":"n"},6,9]}]}`, True},
			{`n NOT IN (1, 2, 3)`, `{"op":"not","args":[{"op":"in","args":[{"property":"n"},[1,2,3]]}]}`, True},
			{`platform IN ('Terra', 'Sentinel-2A')`, `{"op":"in","args":[{"property":"platform"},["Terra","Sentinel-2A"]]}`, True},
		},
		"case-insensitive-comparison": {
			{`CASEI(title) LIKE casei('fôret%')`, `{"op":"like","args":[{"op":"casei","args":[{"property":"title"}]},{"op":"casei","args":["fôret%"]}]}`, True},
			{`CASEI(platform) IN (CASEI('terra'), CASEI('SENTINEL-2A'))`,
				`{"op":"in","args":[{"op":"casei","args":[{"property":"platform"}]},[{"op":"casei","args":["terra"]},{"op":"casei","args":["SENTINEL-2A"]}]]}`, True},
			{`CASEI('ΟΔΟΣ') = CASEI('οδος')`, `{"op":"=","args":[{"op":"casei","args":["ΟΔΟΣ"]},{"op":"casei","args":["οδος"]}]}`, True},
		},
		"accent-insensitive-comparison": {
			{`ACCENTI(title) LIKE ACCENTI('Forét%')`, `{"op":"like","args":[{"op":"accenti","args":[{"property":"title"}]},{"op":"accenti","args":["Forét%"]}]}`, True},
		},
		"basic-spatial-functions": {
			{`S_INTERSECTS(geometry, POINT(1 2))`, `{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":[1,2]}]}`, True},
			{`S_INTERSECTS(geometry, BBOX(-118, 33.8, -117.9, 34))`, `{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":[-118,33.8,-117.9,34]}]}`, True},
		},
		"basic-spatial-functions-plus": {
			{`S_INTERSECTS(geometry, POLYGON((0 0,1 0,1 1,0 0),(0.5 0.2,0.6 0.2,0.6 0.3,0.5 0.2)))`,
				`{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]],[[0.5,0.2],[0.6,0.2],[0.6,0.3],[0.5,0.2]]]}]}`, True},
			{`S_INTERSECTS(geometry, MULTILINESTRING Z ((0 0 5, 1 1 6), (2 2 7, 3 3 8)))`,
				`{"op":"s_intersects","args":[{"property":"geometry"},{"type":"MultiLineString","coordinates":[[[0,0],[1,1]],[[2,2],[3,3]]]}]}`, True},
		},
		"spatial-functions": {
			{`S_EQUALS(POINT(1 2), geometry)`, `{"op":"s_equals","args":[{"type":"Point","coordinates":[1,2]},{"property":"geometry"}]}`, True},
			{`S_CROSSES(geometry, LINESTRING(180 1, -180 -1))`, `{"op":"s_crosses","args":[{"property":"geometry"},{"type":"LineString","coordinates":[[180,1],[-180,-1]]}]}`, True},
			{`S_TOUCHES(geometry, BBOX(-128, -1.1, -9999, 180, 90, 10000))`, `{"op":"s_touches","args":[{"property":"geometry"},{"bbox":[-128,-1.1,-9999,180,90,10000]}]}`, True},
		},
		"temporal-functions": {
			{`T_INTERSECTS(datetime, INTERVAL('2020-06-15', '2020-06-16'))`, `{"op":"t_intersects","args":[{"property":"datetime"},{"interval":["2020-06-15","2020-06-16"]}]}`, True},
			{`T_DURING(INTERVAL(start_datetime, datetime), INTERVAL('2020-06-01T00:00:00Z', '..'))`,
				`{"op":"t_during","args":[{"interval":[{"property":"start_datetime"},{"property":"datetime"}]},{"interval":["2020-06-01T00:00:00Z",".."]}]}`, True},
			{`T_METBY(INTERVAL('2020-06-15T12:00:00.5Z', '2021-01-01'), INTERVAL(start_datetime, datetime))`,
				`{"op":"t_metBy","args":[{"interval":["2020-06-15T12:00:00.5Z","2021-01-01"]},{"interval":[{"property":"start_datetime"},{"property":"datetime"}]}]}`, True},
		},
		"array-functions": {
			{`A_CONTAINEDBY(keywords, ('ice', 'flood', 'fire'))`, `{"op":"a_containedBy","args":[{"property":"keywords"},["ice","flood","fire"]]}`, True},
			{`A_EQUALS(('a', 1), mixed)`, `{"op":"a_equals","args":[["a",1],{"property":"mixed"}]}`, True},
			{`A_OVERLAPS(numbers, (TIMESTAMP('2020-01-01T00:00:00Z'), FALSE, 3))`, `{"op":"a_overlaps","args":[{"property":"numbers"},[{"timestamp":"2020-01-01T00:00:00Z"},false,3]]}`, True},
		},
		"property-property": {
			{`n < eo:cloud_cover`, `{"op":"<","args":[{"property":"n"},{"property":"eo:cloud_cover"}]}`, True},
			{`start_datetime < datetime`, `{"op":"<","args":[{"property":"start_datetime"},{"property":"datetime"}]}`, True}, // as text, it is not: 12:00+02:00 is 10:00Z
			{`n BETWEEN zero AND eo:cloud_cover`, `{"op":"between","args":[{"property":"n"},{"property":"zero"},{"property":"eo:cloud_cover"}]}`, True},
			{`'Sentinel-2A' = platform`, `{"op":"=","args":["Sentinel-2A",{"property":"platform"}]}`, True},
		},
		"arithmetic": {
			{`eo:cloud_cover > (n - 1)`, `{"op":">","args":[{"property":"eo:cloud_cover"},{"op":"-","args":[{"property":"n"},1]}]}`, True},
			{`1 = (n div 3)`, `{"op":"=","args":[1,{"op":"div","args":[{"property":"n"},3]}]}`, True},
			{`n <= 2 ^ n`, `{"op":"<=","args":[{"property":"n"},{"op":"^","args":[2,{"property":"n"}]}]}`, True},
			{`2 / zero = 1`, `{"op":"=","args":[{"op":"/","args":[2,{"property":"zero"}]},1]}`, Unknown},
			{`n = - n * 2.0 + 12 / 4 - 2 ^ 2.0 + 16`,
				`{"op":"=","args":[{"property":"n"},{"op":"+","args":[{"op":"-","args":[{"op":"+","args":[{"op":"*","args":[{"op":"*","args":[-1,{"property":"n"}]},2]},{"op":"/","args":[12,4]}]},{"op":"^","args":[2,2]}]},16]}]}`, True},
		},
	} {
		for _, r := range rows {
			fromText, err := ParseText(r.text)
			fromJSON, err2 := ParseJSON([]byte(r.json))
			if err != nil || err2 != nil || !reflect.DeepEqual(fromText, fromJSON) {
				t.Errorf("%s: %s is %#v, %v; as JSON it is %#v, %v", class, r.text, fromText, err, fromJSON, err2)
				continue
			}
			env := &Item{Body: []byte(sample), Spatial: func(Spatial) (bool, bool) { return true, true }}
			if got := Decide(fromText, env); got != r.want {
				t.Errorf("%s: %s is %d, want %d", class, r.text, got, r.want)
			}
		}
	}
}

// TestTimesOfTwoProperties: as text, 12:00:00.5Z is before 12:00:00Z, and one moment has many texts.
func TestTimesOfTwoProperties(t *testing.T) {
	body := []byte(`{"id":"2020-01-01T00:00:00Z","collection":"2020-01-01T01:00:00+01:00","properties":{"a":"2020-01-01T00:00:00Z","b":"2020-01-01T00:00:00.5Z",
		"c":"2020-01-01T01:00:00+01:00","day":"2020-01-01","word":"soon"}}`)
	for filter, want := range map[string]Truth{
		`a < b`: True, `b > a`: True, `b <= a`: False, `a = c`: True, `a <> c`: False, `b > c`: True, `a BETWEEN c AND b`: True, `b BETWEEN a AND c`: False,
		`a IN (b, c)`: True, `b NOT IN (a, c)`: True, `a = day`: True, `a = word`: False, `a < word`: True, `a < missing`: Unknown,
		`id = collection`: False, `id = '2020-01-01T01:00:00+01:00'`: False, `a = '2020-01-01T01:00:00+01:00'`: True, // names are names, whatever they look like
	} {
		n, err := ParseText(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := Decide(n, &Item{Body: body}); got != want {
			t.Errorf("%s is %d, want %d", filter, got, want)
		}
	}
}
