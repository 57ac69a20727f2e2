package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/stac"
)

func TestPutAndDelete(t *testing.T) {
	s := newStore(t, "c")
	ctx := t.Context()
	it := stac.Item{Collection: "c", ID: "a", Body: []byte(`{
		"type": "Feature", "id": "a", "links": [{"rel": "self", "href": "x"}], "geometry": ` + square + `,
		"properties": {"datetime": "2024-06-01T12:00:00Z", "odd": [1.50, 1e3, "é\u00e9<>&"]}, "unknown:field": {"kept": null}}`)}
	if !put(t, s, it) {
		t.Error("a new item changed nothing")
	}
	want := `{"type":"Feature","id":"a","geometry":` + square + `,"properties":{"datetime":"2024-06-01T12:00:00Z","odd":[1.50,1e3,"é\u00e9<>&"]},` +
		`"unknown:field":{"kept":null},"collection":"c","bbox":[1,43,2,44]}`
	got, err := s.Item(ctx, "c", "a")
	if err != nil || string(got.Body) != want {
		t.Fatalf("got  %s, %v\nwant %s", got.Body, err, want)
	}
	if put(t, s, it) || put(t, s, got) {
		t.Error("the same body changed something")
	}
	if again, _ := s.Item(ctx, "c", "a"); !again.Updated.Equal(got.Updated) || time.Since(got.Updated).Abs() > time.Minute {
		t.Errorf("updated went from %v to %v without a change", got.Updated, again.Updated)
	}
	if !put(t, s, itemOf("c", "a", `{"type":"Point","coordinates":[10,10,300]}`, noon)) {
		t.Error("another body changed nothing")
	}
	if found := all(t, s, stac.Search{BBox: &geo.Box{MinX: 1, MinY: 43, MaxX: 2, MaxY: 44}}); len(found) != 0 {
		t.Errorf("found %v where the item was before", found)
	}
	if found := all(t, s, stac.Search{BBox: &geo.Box{MinX: 9, MinY: 9, MaxX: 11, MaxY: 11}}); !slices.Equal(found, []string{"a"}) {
		t.Errorf("found %v where the item is", found)
	}
	if err := s.DeleteItem(ctx, "c", "a"); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		`item "a" is not in collection "c"`: s.DeleteItem(ctx, "c", "a"), `there is no collection "d"`: s.DeleteItem(ctx, "d", "a"),
	} {
		if kind, text := fault.Of(err); kind != fault.NotFound || text != what {
			t.Errorf("delete: %v %q, want %q", kind, text, what)
		}
	}
	_, err = s.Item(ctx, "c", "a")
	if kind, text := fault.Of(err); kind != fault.NotFound || text != `item "a" is not in collection "c"` {
		t.Errorf("item: %v %q", kind, text)
	}
	_, err = s.Item(ctx, "d", "a")
	if kind, text := fault.Of(err); kind != fault.NotFound || text != `there is no collection "d"` {
		t.Errorf("item: %v %q", kind, text)
	}
}

// TestCreateItem: a new item is stored once, whoever was there first stays, and a collection that was made anew is found.
func TestCreateItem(t *testing.T) {
	s := newStore(t, "c")
	ctx := t.Context()
	first := itemOf("c", "a", square, noon)
	it, created, err := s.CreateItem(ctx, first)
	if err != nil || !created || it.ID != "a" || it.Collection != "c" || time.Since(it.Updated).Abs() > time.Minute {
		t.Fatalf("%+v, %t, %v", it, created, err)
	}
	if got, err := s.Item(ctx, "c", "a"); err != nil || string(got.Body) != string(it.Body) || !got.Updated.Equal(it.Updated) {
		t.Errorf("stored is %s of %v, %v; told was %s of %v", got.Body, got.Updated, err, it.Body, it.Updated)
	}
	if _, created, err := s.CreateItem(ctx, itemOf("c", "a", `{"type":"Point","coordinates":[10,10]}`, noon)); created || err != nil {
		t.Errorf("created again: %t, %v", created, err)
	}
	if got, _ := s.Item(ctx, "c", "a"); string(got.Body) != string(it.Body) {
		t.Errorf("who came later changed it to %s", got.Body)
	}
	if _, created, err := s.CreateItem(ctx, stac.Item{Collection: "c", ID: "b", Body: []byte(`{"type":"Feature","id":"b"`)}); created || !fault.Is(err, fault.Invalid) {
		t.Errorf("half a document: %t, %v", created, err)
	}
	if _, created, err := s.CreateItem(ctx, itemOf("none", "a", square, noon)); created || !fault.Is(err, fault.NotFound) {
		t.Errorf("no collection: %t, %v", created, err)
	}
	if _, err := s.ChangeCollection(ctx, "c", func(*stac.Collection) (*stac.Collection, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	if _, created, err := s.CreateItem(ctx, first); created || !fault.Is(err, fault.NotFound) {
		t.Errorf("a removed collection: %t, %v", created, err)
	}
	if err := s.PutCollection(ctx, stac.Collection{ID: "c", Body: []byte(`{"type":"Collection","id":"c"}`)}); err != nil {
		t.Fatal(err)
	}
	if _, created, err := s.CreateItem(ctx, first); !created || err != nil {
		t.Errorf("a collection that was made anew: %t, %v", created, err)
	}
}

func TestPutRefuses(t *testing.T) {
	s := newStore(t, "c")
	body := func(text string) stac.Item { return stac.Item{Collection: "c", ID: "a", Body: []byte(text)} }
	properties := func(p string) stac.Item { return itemOf("c", "a", square, p) }
	geometry := func(g string) stac.Item { return itemOf("c", "a", g, noon) }
	with := func(extra string) stac.Item {
		return body(`{"type":"Feature","id":"a","geometry":` + square + `,"properties":` + noon + `,` + extra + `}`)
	}
	for name, tc := range map[string]struct {
		item stac.Item
		kind fault.Kind
		text string
	}{
		"no body":               {body(""), fault.Invalid, "not valid JSON"},
		"two bodies":            {body("{} {}"), fault.Invalid, "not valid JSON"},
		"cut":                   {body(`{"type":"Feature"`), fault.Invalid, "not valid JSON"},
		"a list":                {body("[]"), fault.Invalid, "not a JSON object"},
		"not UTF-8":             {body("{\"id\":\"\xff\"}"), fault.Invalid, "UTF-8"},
		"no Feature":            {body(`{"type":"Collection","id":"a"}`), fault.Invalid, `type is "Collection"`},
		"no id":                 {body(`{"type":"Feature"}`), fault.Invalid, `no "id"`},
		"a number as id":        {body(`{"type":"Feature","id":7}`), fault.Invalid, `no "id"`},
		"another id":            {stac.Item{Collection: "c", ID: "b", Body: geometry(square).Body}, fault.Invalid, `id is "a", not "b"`},
		"another collection":    {with(`"collection":"d"`), fault.Invalid, `collection is "d"`},
		"a name twice":          {with(`"id":"b"`), fault.Invalid, "comes twice"},
		"no such collection":    {itemOf("d", "a", square, noon), fault.NotFound, `no collection "d"`},
		"no properties":         {body(`{"type":"Feature","id":"a","geometry":` + square + `}`), fault.Invalid, "properties"},
		"no time":               {properties(`{}`), fault.Invalid, "start_datetime"},
		"null alone":            {properties(`{"datetime":null}`), fault.Invalid, "start_datetime"},
		"no end":                {properties(`{"datetime":null,"start_datetime":"2020-01-01T00:00:00Z"}`), fault.Invalid, "end_datetime"},
		"end before start":      {properties(`{"datetime":null,"start_datetime":"2020-01-02T00:00:00Z","end_datetime":"2020-01-01T00:00:00Z"}`), fault.Invalid, "after end"},
		"a day":                 {properties(`{"datetime":"2020-01-01"}`), fault.Invalid, "RFC 3339"},
		"no zone":               {properties(`{"datetime":"2020-01-01T00:00:00"}`), fault.Invalid, "RFC 3339"},
		"a number as time":      {properties(`{"datetime":20200101}`), fault.Invalid, "not a text"},
		"no geometry":           {body(`{"type":"Feature","id":"a","properties":` + noon + `}`), fault.Invalid, `no "geometry"`},
		"null with bbox":        {body(`{"type":"Feature","id":"a","geometry":null,"bbox":[0,0,1,1],"properties":` + noon + `}`), fault.Invalid, "null"},
		"bbox of three":         {with(`"bbox":[0,0,1]`), fault.Invalid, "four or six"},
		"bbox upside down":      {with(`"bbox":[0,1,1,0]`), fault.Invalid, "globe"},
		"unknown geometry":      {geometry(`{"type":"Circle","coordinates":[0,0]}`), fault.Invalid, "Circle"},
		"no coordinates":        {geometry(`{"type":"Polygon"}`), fault.Invalid, "Polygon"},
		"empty polygon":         {geometry(`{"type":"Polygon","coordinates":[]}`), fault.Invalid, "no ring"},
		"empty point":           {geometry(`{"type":"Point","coordinates":null}`), fault.Invalid, "empty"},
		"empty multipolygon":    {geometry(`{"type":"MultiPolygon","coordinates":[[]]}`), fault.Invalid, "empty"},
		"one number":            {geometry(`{"type":"Point","coordinates":[1]}`), fault.Invalid, "two numbers"},
		"text as number":        {geometry(`{"type":"Point","coordinates":["1","2"]}`), fault.Invalid, "coordinates of a Point"},
		"off the globe":         {geometry(`{"type":"Point","coordinates":[0,91]}`), fault.Invalid, "globe"},
		"too large for a float": {geometry(`{"type":"Point","coordinates":[1e999,0]}`), fault.Invalid, "coordinates of a Point"},
		"open ring":             {geometry(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`), fault.Invalid, "not closed"},
		"short ring":            {geometry(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}`), fault.Invalid, "fewer than four"},
		"no area":               {geometry(`{"type":"Polygon","coordinates":[[[0,0],[1,1],[2,2],[0,0]]]}`), fault.Invalid, "nothing of it remains"},
		"a line of one point":   {geometry(`{"type":"LineString","coordinates":[[0,0],[0,0]]}`), fault.Invalid, "nothing of it remains"},
		"nested too deep":       {geometry(strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 20) + strings.Repeat(`]}`, 20)), fault.Invalid, "too deep"},
		"a NUL in the id":       {stac.Item{Collection: "c", ID: "a\x00b", Body: []byte(`{"type":"Feature","id":"a\u0000b","geometry":` + square + `,"properties":` + noon + `}`)}, fault.Invalid, "character"},
	} {
		t.Run(name, func(t *testing.T) {
			changed, err := s.PutItem(t.Context(), tc.item)
			if kind, text := fault.Of(err); changed || kind != tc.kind || !strings.Contains(text, tc.text) {
				t.Errorf("got %v, %v, want %v: … %s …", changed, err, tc.kind, tc.text)
			}
		})
	}
	if found := all(t, s, stac.Search{}); len(found) != 0 {
		t.Errorf("refused items are found: %v", found)
	}
	if c, err := s.Collection(t.Context(), "c"); err != nil || !strings.Contains(string(c.Body), "[[null,null]]") {
		t.Errorf("a refused item widened its collection: %s, %v", c.Body, err)
	}
}

// TestPlaces: shapes as agencies write them lie where they should.
func TestPlaces(t *testing.T) {
	at := func(lon, lat float64) geo.Box {
		return geo.Box{MinX: lon - 0.01, MinY: lat - 0.01, MaxX: lon + 0.01, MaxY: lat + 0.01}
	}
	for name, tc := range map[string]struct {
		geometry, bbox string
		in, out        []geo.Box
		wantBBox       string
	}{
		"jumps over the antimeridian": {`{"type":"Polygon","coordinates":[[[179,0],[-179,0],[-179,1],[179,1],[179,0]]]}`, "",
			[]geo.Box{at(179.5, 0.5), at(-179.5, 0.5), {MinX: 179.9, MinY: 0, MaxX: -179.9, MaxY: 1}}, []geo.Box{at(0, 0.5), at(178, 0.5), at(-178, 0.5)}, "[179,0,-179,1]"},
		"continues beyond it": {`{"type":"Polygon","coordinates":[[[179,0],[181,0],[181,1],[179,1],[179,0]]]}`, "",
			[]geo.Box{at(179.5, 0.5), at(-179.5, 0.5)}, []geo.Box{at(0, 0.5)}, "[179,0,-179,1]"},
		"steps on it, and says so": {`{"type":"Polygon","coordinates":[[[179,0],[180,0],[-180,0],[-179,0],[-179,1],[-180,1],[180,1],[179,1],[179,0]]]}`, "[179,0,-179,1]",
			[]geo.Box{at(179.5, 0.5), at(-179.5, 0.5)}, []geo.Box{at(0, 0.5)}, "[179,0,-179,1]"},
		"cut in two": {`{"type":"MultiPolygon","coordinates":[[[[179,0],[180,0],[180,1],[179,1],[179,0]]],[[[-180,0],[-179,0],[-179,1],[-180,1],[-180,0]]]]}`, "",
			[]geo.Box{at(179.5, 0.5), at(-179.5, 0.5)}, []geo.Box{at(0, 0.5)}, "[179,0,-179,1]"},
		"a line over it": {`{"type":"LineString","coordinates":[[179,0],[-179,1]]}`, "",
			[]geo.Box{at(180, 0.5), at(-179.5, 0.75)}, []geo.Box{at(0, 0.5)}, "[179,0,-179,1]"},
		"a hole beyond it": {`{"type":"Polygon","coordinates":[[[170,0],[-160,0],[-160,20],[170,20],[170,0]],[[-175,5],[-165,5],[-165,15],[-175,15],[-175,5]]]}`, "",
			[]geo.Box{at(175, 10), at(-178, 10), at(-162, 10)}, []geo.Box{at(-170, 10), at(0, 10)}, "[170,0,-160,20]"},
		"the whole world": {`{"type":"Polygon","coordinates":[[[-180,-90],[180,-90],[180,90],[-180,90],[-180,-90]]]}`, "",
			[]geo.Box{at(0, 0), at(179, 80), at(-179, -80)}, nil, "[-180,-90,180,90]"},
		"around the north pole": {`{"type":"Polygon","coordinates":[[[-120,80],[0,80],[120,80],[-120,80]]]}`, "",
			[]geo.Box{at(10, 85), at(-179.9, 89), at(0, 90)}, []geo.Box{at(0, 70), at(0, -85)}, "[-180,80,180,90]"},
		"around the south pole, stepping on ±180": {`{"type":"Polygon","coordinates":[[[-180,-80],[-90,-80],[0,-70],[90,-80],[180,-80],[-180,-80]]]}`, "",
			[]geo.Box{at(0, -75), at(100, -85), at(-170, -89)}, []geo.Box{at(100, -75), at(0, 85)}, "[-180,-90,180,-70]"},
		"the pole as an edge": {`{"type":"Polygon","coordinates":[[[-180,80],[0,80],[180,80],[180,90],[-180,90],[-180,80]]]}`, "",
			[]geo.Box{at(0, 85), at(-179, 85)}, []geo.Box{at(0, 75)}, "[-180,80,180,90]"},
		"a bow tie is repaired": {`{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}`, "",
			[]geo.Box{at(0.2, 1), at(1.8, 1)}, []geo.Box{at(1, 0.2), at(1, 1.8)}, "[0,0,2,2]"},
		"heights": {`{"type":"Polygon","coordinates":[[[0,0,5],[1,0,5],[1,1,5],[0,1,5],[0,0,5]]]}`, "[0,0,4,1,1,6]",
			[]geo.Box{at(0.5, 0.5)}, nil, "[0,0,4,1,1,6]"},
		"a point on the antimeridian": {`{"type":"Point","coordinates":[180,10]}`, "", []geo.Box{{MinX: 179, MinY: 9, MaxX: 180, MaxY: 11}, {MinX: 180, MinY: 10, MaxX: 180, MaxY: 10}, at(180, 10)}, nil, "[180,10,180,10]"},
		"points far apart":            {`{"type":"MultiPoint","coordinates":[[-170,0],[170,0],[100,5]]}`, "", []geo.Box{at(100, 5), at(-170, 0)}, []geo.Box{at(135, 2), at(0, 0)}, "[100,0,-170,5]"},
		"a mixture":                   {`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[0,0]},` + square + `]}`, "", []geo.Box{at(0, 0), at(1.5, 43.5)}, []geo.Box{at(0.5, 20)}, "[0,0,2,44]"},
		"nowhere":                     {`null`, "", nil, []geo.Box{{MinX: -180, MinY: -90, MaxX: 180, MaxY: 90}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, "c")
			it := itemOf("c", "a", tc.geometry, noon)
			if tc.bbox != "" {
				it.Body = []byte(strings.Replace(string(it.Body), `"geometry"`, `"bbox":`+tc.bbox+`,"geometry"`, 1))
			}
			put(t, s, it)
			for _, box := range tc.in {
				if len(all(t, s, stac.Search{BBox: &box})) != 1 {
					t.Errorf("not found in %v", box)
				}
			}
			for _, box := range tc.out {
				if len(all(t, s, stac.Search{BBox: &box})) != 0 {
					t.Errorf("found in %v", box)
				}
			}
			if tc.geometry != "null" && len(all(t, s, stac.Search{Intersects: json.RawMessage(tc.geometry)})) != 1 {
				t.Error("does not meet itself")
			}
			stored, err := s.Item(t.Context(), "c", "a")
			if err != nil {
				t.Fatal(err)
			}
			var has struct{ BBox json.RawMessage }
			if err := json.Unmarshal(stored.Body, &has); err != nil || string(has.BBox) != tc.wantBBox {
				t.Errorf("bbox %s, %v, want %s", has.BBox, err, tc.wantBBox)
			}
			if len(all(t, s, stac.Search{})) != 1 {
				t.Error("not found by a search of everything")
			}
		})
	}
}

func TestExtents(t *testing.T) {
	s := newStore(t, "bare")
	extentOf := func(id string) string {
		t.Helper()
		c, err := s.Collection(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var has struct{ Extent json.RawMessage }
		if err := json.Unmarshal(c.Body, &has); err != nil {
			t.Fatal(err)
		}
		return string(has.Extent)
	}
	check := func(id, want string) {
		t.Helper()
		if got := extentOf(id); got != want {
			t.Errorf("%s: got  %s\nwant %s", id, got, want)
		}
	}
	declare := func(id, extent string) {
		t.Helper()
		body := fmt.Sprintf(`{"type":"Collection","id":%q,"links":[],"extent":%s,"title":"x"}`, id, extent)
		for range 2 {
			if err := s.PutCollection(t.Context(), stac.Collection{ID: id, Body: []byte(body)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	check("bare", `{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}}`)
	put(t, s, itemOf("bare", "a", `{"type":"Point","coordinates":[170,5]}`, noon))
	check("bare", `{"spatial":{"bbox":[[170,5,170,5]]},"temporal":{"interval":[["2024-06-01T12:00:00Z","2024-06-01T12:00:00Z"]]}}`)
	put(t, s, itemOf("bare", "b", `{"type":"Point","coordinates":[-170,-5]}`, `{"datetime":null,"start_datetime":"2020-01-01T00:00:00.5+02:00","end_datetime":"2025-01-01T00:00:00Z"}`))
	check("bare", `{"spatial":{"bbox":[[170,-5,-170,5]]},"temporal":{"interval":[["2019-12-31T22:00:00.5Z","2025-01-01T00:00:00Z"]]}}`)

	declare("declared", `{"extra":1,"spatial":{"bbox":[[0,0,-5,10,10,5],[1,1,2,2]]},"temporal":{"interval":[["2024-07-01T00:00:00Z",null],["2024-07-01T00:00:00Z","2024-08-01T00:00:00Z"]]}}`)
	put(t, s, itemOf("declared", "a", square, noon))
	check("declared", `{"extra":1,"spatial":{"bbox":[[0,0,-5,10,44,5],[1,1,2,2]]},"temporal":{"interval":[["2024-06-01T12:00:00Z",null],["2024-07-01T00:00:00Z","2024-08-01T00:00:00Z"]]}}`)
	declare("declared", `{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}}`)
	check("declared", `{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}}`)
	declare("declared", `{"spatial":"nonsense","temporal":{"interval":[[7]]}}`)
	check("declared", `{"spatial":{"bbox":[[1,43,2,44]]},"temporal":{"interval":[["2024-06-01T12:00:00Z","2024-06-01T12:00:00Z"]]}}`)

	if c, _ := s.Collection(t.Context(), "declared"); strings.Contains(string(c.Body), "links") || !strings.Contains(string(c.Body), `"title":"x"`) {
		t.Errorf("collection %s", c.Body)
	}
	collections, err := s.Collections(t.Context())
	if err != nil || len(collections) != 2 || collections[0].ID != "bare" || collections[1].ID != "declared" {
		t.Errorf("collections %v, %v", collections, err)
	}
	if _, err := s.Collection(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v, want fault.NotFound", err)
	}
	for name, body := range map[string]string{"other id": `{"type":"Collection","id":"y"}`, "an item": `{"type":"Feature","id":"x"}`, "no JSON": `{`} {
		if err := s.PutCollection(t.Context(), stac.Collection{ID: "x", Body: []byte(body)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want fault.Invalid", name, err)
		}
	}
}

// TestConcurrentPuts: clients that put the same names at once leave one item each, and an extent that holds them all.
func TestConcurrentPuts(t *testing.T) {
	s := newStore(t, "c")
	var changed atomic.Int64
	var group sync.WaitGroup
	for client := range 8 {
		group.Go(func() {
			for i := range 40 {
				lon := i%10*10 - 50
				geometry := fmt.Sprintf(`{"type":"Point","coordinates":[%d,%d]}`, lon, client)
				ok, err := s.PutItem(t.Context(), itemOf("c", fmt.Sprint("same-", i%10), geometry, fmt.Sprintf(`{"datetime":"20%02d-01-01T00:00:00Z"}`, 10+client)))
				if err != nil {
					t.Error(err)
				}
				if ok {
					changed.Add(1)
				}
			}
		})
	}
	group.Wait()
	if found := all(t, s, stac.Search{}); len(found) != 10 {
		t.Errorf("%d items, want 10: %v", len(found), found)
	}
	c, err := s.Collection(t.Context(), "c")
	if want := `"extent":{"spatial":{"bbox":[[-50,0,40,7]]},"temporal":{"interval":[["2010-01-01T00:00:00Z","2017-01-01T00:00:00Z"]]}}`; err != nil || !strings.Contains(string(c.Body), want) {
		t.Errorf("%s, %v, want %s", c.Body, err, want)
	}
	changed.Store(0)
	for range 8 { // the same body: one of them creates it
		group.Go(func() {
			ok, err := s.PutItem(t.Context(), itemOf("c", "one", square, noon))
			if err != nil {
				t.Error(err)
			}
			if ok {
				changed.Add(1)
			}
		})
	}
	group.Wait()
	if changed.Load() != 1 {
		t.Errorf("%d of 8 equal puts changed something, want 1", changed.Load())
	}
}

// TestHashCollision: two ids with one hash can't both be kept, and the second is refused, not mixed up.
func TestHashCollision(t *testing.T) {
	s := newStore(t, "c")
	put(t, s, itemOf("c", "a", square, noon))
	hash, _ := hashesOf("b")
	if _, err := s.pool.Exec(t.Context(), "update item set idh = $1", hash); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutItem(t.Context(), itemOf("c", "b", square, noon)); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want fault.Conflict", err)
	}
	if _, err := s.Item(t.Context(), "c", "b"); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v, want fault.NotFound", err)
	}
}
