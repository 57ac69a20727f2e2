package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/stac"
	"swath/stac/cql2"
)

// told is an item of the test of answers that other catalogs get wrong.
type told struct {
	collection, id, geometry string
	properties               string // beside the datetime, JSON members
	datetime                 string // "null" with a period in properties; noon of 2024-06-01 by default
}

func (i told) item() stac.Item {
	if i.geometry == "" {
		i.geometry = `{"type":"Point","coordinates":[1,44]}`
	}
	switch i.datetime {
	case "":
		i.datetime = `"2024-06-01T12:00:00Z"`
	case "null":
	default:
		i.datetime = `"` + i.datetime + `"`
	}
	properties := `"datetime":` + i.datetime
	if i.properties != "" {
		properties += "," + i.properties
	}
	return stac.Item{Collection: i.collection, ID: i.id, Body: json.RawMessage(fmt.Sprintf(
		`{"type":"Feature","stac_version":"1.1.0","id":%q,"collection":%q,"geometry":%s,"properties":{%s},"assets":{},"links":[]}`, i.id, i.collection, i.geometry, properties))}
}

// at is an item about a place; from in about a moment or a period.
func at(id string, lon, lat float64) told {
	return told{collection: "place", id: id, geometry: fmt.Sprintf(`{"type":"Polygon","coordinates":[[[%v,%v],[%v,%v],[%v,%v],[%v,%v]]]}`,
		lon, lat, lon+0.5, lat, lon+0.5, lat+0.5, lon, lat)}
}

func when(id, datetime string) told { return told{collection: "time", id: id, datetime: datetime} }

func with(id, properties string) told {
	return told{collection: "value", id: id, properties: properties}
}

var tales = []told{
	at("127E", 127, -17), at("47E", 47, -17), at("62W", -62, -17), at("147E", 147, -17), at("179E", 179, -17), at("179W", -179.2, -17),
	{collection: "place", id: "across", geometry: `{"type":"Polygon","coordinates":[[[179.5,-17],[-179.5,-17],[-179.5,-16],[179.5,-16],[179.5,-17]]]}`},
	{collection: "place", id: "cut", geometry: `{"type":"MultiPolygon","coordinates":[[[[179,-19],[180,-19],[180,-18],[179,-18],[179,-19]]],[[[-180,-19],[-179,-19],[-179,-18],[-180,-18],[-180,-19]]]]}`},
	{collection: "place", id: "pole", geometry: `{"type":"Polygon","coordinates":[[[0,80],[90,80],[180,80],[-90,80],[0,80]]]}`},
	{collection: "place", id: "nowhere", geometry: "null"},
	{collection: "place", id: "many", geometry: `{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[20,60]},{"type":"Polygon","coordinates":[[[21,60],[22,60],[22,61],[21,61],[21,60]]]}]}`},

	when("sharp", "2024-01-01T00:00:00.123456Z"), when("sharper", "2024-01-01T00:00:00.123457Z"), when("offset", "2024-01-02T01:30:00+02:00"),
	{collection: "time", id: "period", datetime: "null", properties: `"start_datetime":"2023-01-01T00:00:00Z","end_datetime":"2023-12-31T00:00:00Z"`},
	{collection: "time", id: "both", datetime: "2022-06-01T00:00:00Z", properties: `"start_datetime":"2022-01-01T00:00:00Z","end_datetime":"2022-12-31T00:00:00Z"`},

	with("c046", `"eo:cloud_cover":0.46`), with("c129", `"eo:cloud_cover":1.29`), with("c108", `"eo:cloud_cover":10.8`), with("c100", `"eo:cloud_cover":100`),
	with("c111", `"eo:cloud_cover":11.1`), with("c267", `"eo:cloud_cover":2.67`), with("clear", `"eo:cloud_cover":0`), with("textual", `"eo:cloud_cover":"5"`),
	with("green", `"s2:vegetation_percentage":27.3,"s2:water_percentage":8.5`), with("blue", `"s2:vegetation_percentage":8.5,"s2:water_percentage":27.3`),
	with("wet", `"s2:vegetation_percentage":30,"s2:water_percentage":40`), with("number", `"code":12`), with("digits", `"code":"12"`),
	with("percent", `"title":"100% of it"`), with("score", `"title":"a_b"`), with("plain", `"title":"axb"`), with("accent", `"title":"FORÊT de Bouconne"`),
	with("hot", `"temperature":{"sea":21.5}`), with("listed", `"keywords":["flood","ice"],"marks":[1,2,3]`), with("yes", `"flag":true`),

	{collection: "one", id: "same"}, {collection: "two", id: "same"},
}

// TestAnswersThatOthersGetWrong asks what another widely used catalog answers wrongly or not at all, and what specifications
// make easy to get wrong.
func TestAnswersThatOthersGetWrong(t *testing.T) {
	s := newStore(t, "place", "time", "value", "one", "two", "none")
	for _, one := range tales {
		put(t, s, one.item())
	}
	box := func(w, s, e, n float64) *geo.Box { return &geo.Box{MinX: w, MinY: s, MaxX: e, MaxY: n} }
	places, times, values := []string{"place"}, []string{"time"}, []string{"value"}
	interval := func(text string) *stac.Interval {
		var in stac.Interval
		for i, end := range strings.Split(text, "/") {
			at, err := time.Parse(time.RFC3339Nano, end)
			switch {
			case end == "..":
			case err != nil:
				t.Fatal(err)
			case i == 0:
				in.Start = &at
			default:
				in.End = &at
			}
		}
		return &in
	}
	filter := func(text string) cql2.Node {
		n, err := cql2.ParseText(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return n
	}
	by := func(property string, descending bool) []stac.SortKey {
		return []stac.SortKey{{Property: property, Descending: descending}}
	}
	clouded := `"eo:cloud_cover" >= 0`
	for name, tc := range map[string]struct {
		search stac.Search
		want   string // ids; in order where the search has one
	}{
		"cloud cover sorted as a number":          {stac.Search{Collections: values, Filter: filter(clouded), Sort: by("eo:cloud_cover", false)}, "clear c046 c129 c267 c108 c111 c100"},
		"cloud cover sorted downward":             {stac.Search{Collections: values, Filter: filter(clouded), Sort: by("eo:cloud_cover", true)}, "c100 c111 c108 c267 c129 c046 clear"},
		"another number sorted":                   {stac.Search{Collections: values, Filter: filter(`"s2:water_percentage" > 0`), Sort: by("s2:water_percentage", false)}, "green blue wet"},
		"less than a number":                      {stac.Search{Collections: values, Filter: filter(`"eo:cloud_cover" < 5`)}, "clear c046 c129 c267"},
		"a box across the antimeridian":           {stac.Search{Collections: places, BBox: box(178, -20, -178, -14)}, "179E 179W across cut"},
		"the same, written beyond 180":            {stac.Search{Collections: places, BBox: box(178, -20, 182, -14)}, "179E 179W across cut"},
		"a filter across the antimeridian":        {stac.Search{Collections: places, Filter: filter("s_intersects(geometry, bbox(178,-20,-178,-14))")}, "179E 179W across cut"},
		"a polygon across the antimeridian":       {stac.Search{Collections: places, Intersects: json.RawMessage(`{"type":"Polygon","coordinates":[[[178,-20],[-178,-20],[-178,-14],[178,-14],[178,-20]]]}`)}, "179E 179W across cut"},
		"a point on the antimeridian":             {stac.Search{Collections: places, Intersects: json.RawMessage(`{"type":"Point","coordinates":[180,-16.5]}`)}, "across"},
		"the same point from the other side":      {stac.Search{Collections: places, Intersects: json.RawMessage(`{"type":"Point","coordinates":[-180,-16.5]}`)}, "across"},
		"the pole":                                {stac.Search{Collections: places, BBox: box(10, 89, 11, 90)}, "pole"},
		"beside the pole, off the written ring":   {stac.Search{Collections: places, BBox: box(-135, 85, -134, 86)}, "pole"},
		"the whole globe":                         {stac.Search{Collections: places, BBox: box(-180, -90, 180, 90), Limit: 100}, "127E 47E 62W 147E 179E 179W across cut pole many"},
		"no geometry is in no place":              {stac.Search{Collections: places, Filter: filter("not s_intersects(geometry, bbox(-180,-90,180,90))")}, ""},
		"no geometry is null":                     {stac.Search{Collections: places, Filter: filter("geometry is null")}, "nowhere"},
		"between the parts of a collection":       {stac.Search{Collections: places, BBox: box(20.2, 60, 20.8, 61)}, ""},
		"a part of a collection":                  {stac.Search{Collections: places, BBox: box(19, 59, 20.5, 61)}, "many"},
		"sub-millisecond":                         {stac.Search{Collections: times, Datetime: interval("2024-01-01T00:00:00.123456Z/2024-01-01T00:00:00.123456Z")}, "sharp"},
		"finer than stored":                       {stac.Search{Collections: times, Datetime: interval("2024-01-01T00:00:00.1234565Z/2024-01-01T00:00:00.1234569Z")}, "sharp"},
		"sub-millisecond in a filter":             {stac.Search{Collections: times, Filter: filter("datetime > timestamp('2024-01-01T00:00:00.123456Z') and datetime < timestamp('2024-01-01T01:00:00Z')")}, "sharper"},
		"an offset":                               {stac.Search{Collections: times, Datetime: interval("2024-01-01T23:30:00Z/2024-01-01T23:30:00Z")}, "offset"},
		"open to the future":                      {stac.Search{Collections: times, Datetime: interval("2024-01-01T12:00:00Z/..")}, "offset"},
		"open to the past":                        {stac.Search{Collections: times, Datetime: interval("../2022-12-31T23:00:00Z")}, "both"},
		"within a period":                         {stac.Search{Collections: times, Datetime: interval("2023-05-01T00:00:00Z/2023-05-02T00:00:00Z")}, "period"},
		"touching the end of a period":            {stac.Search{Collections: times, Datetime: interval("2023-12-31T00:00:00Z/2023-12-31T01:00:00Z")}, "period"},
		"a null datetime is null":                 {stac.Search{Collections: times, Filter: filter("datetime is null")}, "period"},
		"a null datetime compares with nothing":   {stac.Search{Collections: times, Filter: filter("datetime < timestamp('2023-06-01T00:00:00Z')")}, "both"},
		"nor does its opposite":                   {stac.Search{Collections: times, Filter: filter("not (datetime >= timestamp('2023-06-01T00:00:00Z'))")}, "both"},
		"the period itself":                       {stac.Search{Collections: times, Filter: filter("t_intersects(interval(start_datetime,end_datetime), interval('2022-03-01','2022-04-01'))")}, "both"},
		"arithmetic":                              {stac.Search{Collections: values, Filter: filter(`"s2:vegetation_percentage" + "s2:water_percentage" > 60`)}, "wet"},
		"property against property":               {stac.Search{Collections: values, Filter: filter(`"s2:vegetation_percentage" > "s2:water_percentage"`)}, "green"},
		"its opposite":                            {stac.Search{Collections: values, Filter: filter(`not ("s2:vegetation_percentage" > "s2:water_percentage")`)}, "blue wet"},
		"a number is no text":                     {stac.Search{Collections: values, Filter: filter(`code = 12`)}, "number"},
		"and a text no number":                    {stac.Search{Collections: values, Filter: filter(`code = '12'`)}, "digits"},
		"neither is unequal to the other":         {stac.Search{Collections: values, Filter: filter(`code <> 12`)}, ""},
		"NOT of what is missing":                  {stac.Search{Collections: values, Filter: filter(`not (code = 13)`)}, "number"},
		"a percent sign":                          {stac.Search{Collections: values, Filter: filter(`title like '100\%%'`)}, "percent"},
		"an underscore":                           {stac.Search{Collections: values, Filter: filter(`title like 'a\_b'`)}, "score"},
		"any letter":                              {stac.Search{Collections: values, Filter: filter(`title like 'a_b'`)}, "score plain"},
		"case and accents":                        {stac.Search{Collections: values, Filter: filter(`accenti(casei(title)) = accenti(casei('foret DE bouconne'))`)}, "accent"},
		"case alone":                              {stac.Search{Collections: values, Filter: filter(`casei(title) = casei('foret de bouconne')`)}, ""},
		"a member of an object":                   {stac.Search{Collections: values, Filter: filter(`"temperature.sea" > 21`)}, "hot"},
		"an array that contains":                  {stac.Search{Collections: values, Filter: filter(`a_contains(keywords, ('ice'))`)}, "listed"},
		"an array of numbers that overlaps":       {stac.Search{Collections: values, Filter: filter(`a_overlaps(marks, (7, 2))`)}, "listed"},
		"a boolean":                               {stac.Search{Collections: values, Filter: filter(`flag = true`)}, "yes"},
		"false OR unknown is not true":            {stac.Search{Collections: values, Filter: filter(`flag = false or code > 100`)}, ""},
		"query and filter together":               {stac.Search{Collections: values, Filter: filter(clouded + ` and "eo:cloud_cover" < 3 and "eo:cloud_cover" > 1`)}, "c129 c267"},
		"one name in two collections":             {stac.Search{IDs: []string{"same"}}, "same same"},
		"and in one of them":                      {stac.Search{IDs: []string{"same"}, Collections: []string{"two"}}, "same"},
		"a name that is elsewhere":                {stac.Search{IDs: []string{"same"}, Collections: values}, ""},
		"a name twice":                            {stac.Search{IDs: []string{"hot", "hot"}}, "hot"},
		"a collection that is not there":          {stac.Search{Collections: []string{"missing"}}, ""},
		"a collection without items":              {stac.Search{Collections: []string{"none"}, Sort: by("eo:cloud_cover", false)}, ""},
		"a collection by filter":                  {stac.Search{Filter: filter(`collection in ('one','two') and not collection = 'one'`)}, "same"},
		"names by filter":                         {stac.Search{Filter: filter(`id in ('hot','yes') or id = 'same'`)}, "hot yes same same"},
		"free text, folded":                       {stac.Search{Text: stac.Words{"foret"}}, "accent"},
		"disjoint":                                {stac.Search{Collections: places, Filter: filter("s_disjoint(geometry, bbox(-180,-90,180,50))")}, "pole many"},
		"a truth in a mixed tree":                 {stac.Search{Collections: places, Filter: filter("(s_within(geometry, bbox(120,-20,150,-10)) and not missing = 1) or s_intersects(geometry, point(22 60.5)) and missing is null")}, "many"},
		"touching a geometry collection's border": {stac.Search{Collections: places, Filter: filter("s_touches(geometry, polygon((22 60, 23 60, 23 61, 22 61, 22 60)))")}, "many"},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := s.Search(t.Context(), tc.search)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, it := range page.Items {
				got = append(got, it.ID)
			}
			want := strings.Fields(tc.want)
			if tc.search.Sort == nil {
				slices.Sort(got)
				slices.Sort(want)
			}
			if !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
			if page.Matched != nil && !page.Estimated && *page.Matched != int64(len(want)) {
				t.Errorf("counted %d, want %d", *page.Matched, len(want))
			}
		})
	}
}

// TestShapesWithoutAnArea: what means no place at all is refused, and says so.
func TestShapesWithoutAnArea(t *testing.T) {
	s := newStore(t, "place")
	for _, geometry := range []string{`{"type":"GeometryCollection","geometries":[]}`, `{"type":"MultiPolygon","coordinates":[]}`, `{"type":"Polygon","coordinates":[]}`} {
		if _, err := s.Search(t.Context(), stac.Search{Intersects: json.RawMessage(geometry)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want fault.Invalid", geometry, err)
		}
	}
}
