package tilehttp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/gif"
	"net/url"
	"slices"
	"strings"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/httpkit"
	"swath/stac"
	"swath/tiles"
)

// kept are registered searches: one, of the collection jmm.
type kept struct{ stac.Searches }

const registered = "7e57"

func (kept) RegisteredSearch(_ context.Context, id string) (stac.RegisteredSearch, error) {
	if id != registered {
		return stac.RegisteredSearch{}, fault.New(fault.NotFound, "no search %q", id)
	}
	return stac.RegisteredSearch{ID: id, Body: []byte(`{"search":{"collections":["jmm"]},"metadata":{"name":"Clear"}}`)}, nil
}

type tileSets struct {
	TileSets []struct {
		Title, CRS       string
		TileMatrixSetURI string
		TileMatrixSetID  string
		Limits           []limitsJSON `json:"tileMatrixSetLimits"`
		Links            []link
	}
}

func self(links []link) string {
	i := slices.IndexFunc(links, func(l link) bool { return l.Rel == "self" })
	return strings.TrimPrefix(links[i].Href, "http://example.com")
}

// TestMosaicTileSets follows the documents of a mosaic to its tiles: of a collection, a registered search, and the catalog.
func TestMosaicTileSets(t *testing.T) {
	app, _ := door(t)
	for from, query := range map[string]string{"/collections/jmm": "?render=ndvi", "/searches/" + registered: "?render=ndvi", "": "?collections=jmm&render=ndvi"} {
		var list tileSets
		get(t, app, from+"/tiles"+query, &list)
		var titles []string
		for _, set := range list.TileSets {
			titles = append(titles, set.Title[strings.LastIndex(set.Title, " ")+1:])
			var one tileSetJSON
			get(t, app, self(set.Links), &one)
			if b := one.BoundingBox; b == nil || b.LowerLeft != [2]float64{151.9, -31.7} || b.UpperRight != [2]float64{153.2, -29.7} {
				t.Errorf("%s: box %+v", set.Title, b)
			}
			at := len(one.Limits) / 2
			template := one.Links[slices.IndexFunc(one.Links, func(l link) bool { return l.Rel == "item" && l.Type == "image/webp" })].Href
			tile := strings.NewReplacer("http://example.com", "", "{tileMatrix}", one.Limits[at].TileMatrix,
				"{tileRow}", fmt.Sprint(one.Limits[at].MinRow), "{tileCol}", fmt.Sprint(one.Limits[at].MaxCol)).Replace(template)
			if a := ask(t, app, "GET", tile); a.status != 200 || a.header.Get("Content-Type") != "image/webp" {
				t.Errorf("%s: %d %.200s", tile, a.status, a.body)
			}
		}
		for _, want := range []string{"WebMercatorQuad", "WorldCRS84Quad", "UTM56WGS84Quad", "UTM56SWGS84Quad"} {
			if !slices.Contains(titles, want) {
				t.Errorf("%s: %s is missing in %v", from, want, titles)
			}
		}
		for _, not := range []string{"UTM31WGS84Quad", "UTM55SWGS84Quad", "EuropeanETRS89_LAEAQuad"} {
			if slices.Contains(titles, not) {
				t.Errorf("%s: %s is far away", from, not)
			}
		}
		var doc tiles.TileJSON
		get(t, app, from+"/tilejson.json"+query, &doc)
		if doc.MaxZoom != 17 || doc.Bounds != [4]float64{151.9, -31.7, 153.2, -29.7} || !strings.Contains(doc.Tiles[0], from+"/tiles/WebMercatorQuad/{z}/{x}/{y}.png?") {
			t.Errorf("%+v", doc)
		}
		if from == "" {
			continue
		}
		get(t, app, from+"/UTM56WGS84Quad/tilejson.json"+query+"&tile_format=webp", &doc)
		if !strings.Contains(doc.Tiles[0], "/tiles/UTM56WGS84Quad/{z}/{x}/{y}.webp?") {
			t.Errorf("%+v", doc)
		}
		if a := ask(t, app, "GET", from+"/WebMercatorQuad/map.html"+query); a.status != 302 || a.header.Get("Location") != "http://example.com"+from+"/map.html"+query {
			t.Errorf("map: %d %s", a.status, a.header.Get("Location"))
		}
	}
	var list tileSets
	get(t, app, "/tiles", &list) // spain and barbellino have no extent: it is the world
	if len(list.TileSets) < 130 {
		t.Errorf("the catalog has %d tile sets", len(list.TileSets))
	}
	// As the executable test suite of OGC API Tiles goes through the list: the corner of the first level is there, and the row beyond is not.
	for i, in := range list.TileSets {
		set, known := geo.TileMatrixSetByID(in.TileMatrixSetID)
		if !known || len(in.Limits) == 0 || in.Limits[0].TileMatrix != fmt.Sprint(set.Matrices[0].Z) || set.ID != "WebMercatorQuad" && i%20 > 0 {
			if !known || len(in.Limits) == 0 {
				t.Errorf("%+v", in)
			}
			continue
		}
		corner := in.Limits[0]
		for row, status := range map[int]int{corner.MaxRow: 200, corner.MaxRow + 1: 400} {
			if a := ask(t, app, "GET", fmt.Sprintf("/tiles/%s/%s/%d/%d.png?collections=jmm&render=ndvi", set.ID, corner.TileMatrix, corner.MinCol, row)); a.status != status {
				t.Errorf("%s, row %d: %d %.200s", set.ID, row, a.status, a.body)
			}
		}
	}
	for _, path := range []string{"/WMTSCapabilities.xml?collections=jmm", "/collections/jmm/WMTSCapabilities.xml"} {
		a := ask(t, app, "GET", path)
		if a.status != 200 || !bytes.Contains(a.body, []byte("<ows:Identifier>ndvi</ows:Identifier>")) || !bytes.Contains(a.body, []byte("jmm · NDVI</ows:Title>")) {
			t.Errorf("%s: %d %.400s", path, a.status, a.body)
		}
	}
}

// TestProvenance: of a collection, a registered search and the catalog, in each form; tags are those of the form.
func TestProvenance(t *testing.T) {
	app, _ := door(t)
	for from, query := range map[string]string{"/collections/jmm": "?assets=B04", "/searches/" + registered: "?assets=B04", "": "?collections=jmm&assets=B04"} {
		var p tiles.Provenance
		path := from + "/tiles/WebMercatorQuad/8/236/150/provenance."
		get(t, app, path+"json"+query, &p)
		if len(p.Items) != 1 || p.Items[0].ID != "jmm" || p.Items[0].Pixels < 1000 || len(p.Runs)%2 != 0 {
			t.Errorf("%+v", p.Items)
		}
		tags := map[string]bool{}
		for extension, kind := range map[string]string{"png": "image/png", "tif": "image/tiff; application=geotiff", "json": "application/json"} {
			a := ask(t, app, "GET", path+extension+query)
			if a.status != 200 || a.header.Get("Content-Type") != kind || tags[a.header.Get("ETag")] {
				t.Errorf("%s: %d %v", extension, a.status, a.header)
			}
			tags[a.header.Get("ETag")] = true
			if again := ask(t, app, "GET", path+extension+query, "If-None-Match", a.header.Get("ETag")); again.status != 304 {
				t.Errorf("%s with its tag: %d", extension, again.status)
			}
		}
	}
	const field = `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[152.1,-30.5],[152.3,-30.5],[152.2,-30.3],[152.1,-30.5]]]}}`
	for _, from := range []string{"/collections/jmm", "/searches/" + registered} { // of boxes and features
		var box, small tiles.Provenance
		get(t, app, from+"/bbox/152.1,-30.5,152.3,-30.3/provenance.json?assets=B04&max_size=80", &box)
		get(t, app, from+"/bbox/152.1,-30.5,152.3,-30.3/40x20/provenance.json?assets=B04", &small)
		if box.Width != 80 || small.Width != 40 || small.Height != 20 || len(box.Items) != 1 || box.Items[0].Pixels < 80*box.Height/2 {
			t.Errorf("a box: %d x %d, %+v", box.Width, box.Height, box.Items)
		}
		for _, size := range []string{"?max_size=80&", "/80x80?"} {
			path, query, _ := strings.Cut("/feature"+size, "?")
			a := post(t, app, from+path+"/provenance.json?assets=B04&"+query, field)
			var area tiles.Provenance
			if err := json.Unmarshal(a.body, &area); err != nil || a.status != 200 {
				t.Fatalf("%d %.300s", a.status, a.body)
			}
			if all := area.Width * area.Height; len(area.Items) != 1 || area.Items[0].Pixels < all*45/100 || area.Items[0].Pixels > all*55/100 {
				t.Errorf("a triangle is half of its box: %+v of %d", area.Items, all)
			}
		}
	}
	for path, status := range map[string]int{"/collections/jmm/bbox/1,2,3/provenance.json?assets=B04": 400, "/collections/jmm/bbox/152.1,-30.5,152.3,-30.3/provenance.csv?assets=B04": 400,
		"/collections/jmm/tiles/WebMercatorQuad/8/236/150/provenance.webp?assets=B04": 400, "/collections/jmm/tiles/Mars/8/236/150/provenance.json": 404,
		"/collections/jmm/tiles/WebMercatorQuad/8/236/900/provenance.json?assets=B04": 400, "/collections/jmm/tiles/WebMercatorQuad/8/236/150/provenance.json?assets=B99": 400,
		"/collections/jmm/tiles/WebMercatorQuad/8/236/150/provenance.tif?assets=B04&colour=1": 400, "/searches/none/tiles/WebMercatorQuad/8/236/150/provenance.json": 404} {
		if a := ask(t, app, "GET", path); a.status != status || a.header.Get("Content-Type") != httpkit.ProblemType {
			t.Errorf("%s: %d %.200s, want %d", path, a.status, a.body, status)
		}
	}
}

// TestMosaicCrops: boxes and features of a search, in every format.
func TestMosaicCrops(t *testing.T) {
	app, _ := door(t)
	const field = `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[152.1,-30.5],[152.3,-30.5],[152.2,-30.3],[152.1,-30.5]]]}}`
	for _, from := range []string{"/collections/jmm", "/searches/" + registered} {
		for path, kind := range map[string]string{
			"/bbox/152.1,-30.5,152.3,-30.3.png?render=ndvi": "image/png", "/bbox/152.1,-30.5,152.3,-30.3/64x32.webp?render=ndvi": "image/webp",
			"/bbox/16930000,-3560000,16950000,-3540000.tif?expression=B04&coord_crs=3857&dst_crs=32756&max_size=50": "image/tiff; application=geotiff",
		} {
			if a := ask(t, app, "GET", from+path); a.status != 200 || a.header.Get("Content-Type") != kind || a.header.Get("ETag") == "" {
				t.Errorf("%s%s: %d %.200s", from, path, a.status, a.body)
			}
		}
		for path, kind := range map[string]string{"/feature?render=ndvi": "image/png", "/feature.jpg?render=ndvi&max_size=99": "image/jpeg", "/feature/20x30.npy?expression=B04": "application/x-binary"} {
			if a := post(t, app, from+path, field); a.status != 200 || a.header.Get("Content-Type") != kind {
				t.Errorf("%s%s: %d %.200s", from, path, a.status, a.body)
			}
		}
	}
	for path, status := range map[string]int{"/bbox/1,2,3.png": 400, "/bbox/152.3,-30.5,152.1,-30.3.png?render=ndvi": 400, "/bbox/152.1,-30.5,152.3,-30.3.bmp": 400, "/bbox/152.1,-30.5,152.3,-30.3/0x9.png": 400,
		"/bbox/152.1,-30.5,152.3,-30.3/9000x9.png?render=ndvi": 413, "/bbox/152.1,-30.5,152.3,-30.3.png?render=none": 404, "/bbox/152.1,-30.5,152.3,-30.3.png?expression=B04": 400} {
		if a := ask(t, app, "GET", "/collections/jmm"+path); a.status != status || a.header.Get("Content-Type") != httpkit.ProblemType {
			t.Errorf("%s: %d %.200s, want %d", path, a.status, a.body, status)
		}
	}
	for body, want := range map[string]int{field: 200, `{"type":"FeatureCollection","features":[` + field + `,` + field + `]}`: 200, `{"type":"FeatureCollection","features":[7]}`: 400, "]": 400} {
		a := post(t, app, "/collections/jmm/statistics?expression=B04&max_size=64", body)
		if a.status != want || want == 200 && (a.header.Get("Content-Type") != "application/geo+json" || !bytes.Contains(a.body, []byte(`"B04":{"count":`))) {
			t.Errorf("statistics of %.40s: %d %.300s", body, a.status, a.body)
		}
	}
	if a := post(t, app, "/collections/jmm/feature?render=ndvi", `{"type":"Point","coordinates":[1,2]}`); a.status != 400 {
		t.Errorf("a point: %d", a.status)
	}
}

// TestWrongMosaics: what can't be is refused with its reason.
func TestWrongMosaics(t *testing.T) {
	app, _ := door(t)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/collections/none/tiles":                                        {404, "none"},
		"/collections/none/WMTSCapabilities.xml":                         {404, "none"},
		"/tiles?collections=none":                                        {404, "none"},
		"/searches/none/tiles":                                           {404, "none"},
		"/searches/" + registered + "/tiles?collections=spain":           {400, "collections"},
		"/collections/jmm/tiles?collections=spain":                       {400, "collections"},
		"/collections/jmm/tiles/Mars":                                    {404, "/tileMatrixSets lists"},
		"/collections/jmm/Mars/tilejson.json":                            {404, "/tileMatrixSets lists"},
		"/collections/jmm/Mars/WMTSCapabilities.xml":                     {404, "/tileMatrixSets lists"},
		"/collections/jmm/GNOSISGlobalGrid/WMTSCapabilities.xml":         {400, "vary in width"},
		"/collections/jmm/tiles/EuropeanETRS89_LAEAQuad":                 {400, "no place"},
		"/collections/jmm/UTM31WGS84Quad/map.html":                       {400, "WebMercatorQuad"},
		"/collections/jmm/items/tilejson.json":                           {404, ""},
		"/collections/jmm/tiles?bbox=1,2,3":                              {400, "bbox"},
		"/collections/jmm/tiles?f=xml&datetime=never":                    {400, "datetime"},
		"/collections/jmm/WebMercatorQuad/tilejson.json?tile_format=tga": {400, "png"},
		"/tilejson.json?tile_matrix_set=Mars":                            {400, "/tileMatrixSets lists"},
		"/tiles/WebMercatorQuad/8/236/150.png?colections=jmm":            {400, "colections"},
	} {
		a := ask(t, app, "GET", path)
		if a.status != want.status || a.header.Get("Content-Type") != httpkit.ProblemType || !strings.Contains(string(a.body), want.says) {
			t.Errorf("%s: %d %.300s, want %d saying %q", path, a.status, a.body, want.status, want.says)
		}
	}
}

// TestTimeSeries: a line for each item and plane, of a collection and of a registered search; what is wrong is refused.
func TestTimeSeries(t *testing.T) {
	app, _ := door(t)
	const field = `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[152.1,-30.5],[152.3,-30.5],[152.2,-30.3],[152.1,-30.5]]]}}`
	ndvi := "expression=" + url.QueryEscape("(B08-B04)/(B08+B04)")
	for _, from := range []string{"/collections/jmm", "/searches/" + registered} {
		var place, area tiles.TimeSeries
		get(t, app, from+"/timeseries/point?lon=152.2&lat=-30.4&"+ndvi, &place)
		a := post(t, app, from+"/timeseries/polygon?"+ndvi, field)
		if err := json.Unmarshal(a.body, &area); err != nil || a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for _, s := range []tiles.TimeSeries{place, area} {
			if len(s.Items) != 1 || s.Items[0].ID != "jmm" || len(s.Items[0].Statistics) != 1 {
				t.Fatalf("%+v", s)
			}
			for name, got := range s.Items[0].Statistics {
				if name != "(B08-B04)/(B08+B04)" || !(got.Min <= got.Median && got.Median <= got.Max && got.Mean > 0.2 && got.Mean < 0.9 && got.Count >= 1) {
					t.Errorf("%s: %+v", name, got)
				}
			}
		}
		csv := ask(t, app, "GET", from+"/timeseries/point?lon=152.2&lat=-30.4&radius=1000&f=csv&"+ndvi)
		if csv.status != 200 || !strings.HasPrefix(csv.header.Get("Content-Type"), "text/csv") || strings.Count(string(csv.body), "\r\n") != 2 {
			t.Errorf("%d %s", csv.status, csv.body)
		}
	}
	for path, want := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"/timeseries/point?lat=1":                               {"", 400, "lon and lat"},
		"/timeseries/point?lon=nan&lat=1":                       {"", 400, "not a place"},
		"/timeseries/point?lon=1&lat=1&radius=20000":            {"", 400, "10000 metres"},
		"/timeseries/point?lon=1&lat=1&f=xml":                   {"", 400, "json nor csv"},
		"/timeseries/point?lon=1&lat=1&datum=x":                 {"", 400, "datum"},
		"/timeseries/point?lon=152.2&lat=-30.4&assets=B99":      {"", 400, "B99"},
		"/timeseries/point?lon=152.2&lat=-30.4&items_limit=5e9": {"", 400, "items_limit"},
		"/timeseries/polygon":                                   {"{", 400, "GeoJSON"},
		"/timeseries/polygon?coord_crs=x":                       {field, 400, "coord_crs"},
		"/timeseries/polygon?max_size=99999":                    {field, 413, "max_size"},
		"/timeseries/polygon?assets=B04&width=8192&height=8192": {field, 413, "may take"},
	} {
		a := answer{}
		if want.body == "" {
			a = ask(t, app, "GET", "/collections/jmm"+path)
		} else {
			a = post(t, app, "/collections/jmm"+path, want.body)
		}
		if a.status != want.status || a.header.Get("Content-Type") != httpkit.ProblemType || !strings.Contains(string(a.body), want.says) {
			t.Errorf("%s: %d %.300s, want %d saying %q", path, a.status, a.body, want.status, want.says)
		}
	}
}

// TestAnimation: a GIF and a WebP of a search, with their limits.
func TestAnimation(t *testing.T) {
	app, _ := door(t)
	const area = "bbox=152.1,-30.6,152.5,-30.2&render=ndvi&max_size=128"
	for _, from := range []string{"/collections/jmm", "/searches/" + registered} {
		a := ask(t, app, "GET", from+"/animation.gif?fps=4&"+area)
		movie, err := gif.DecodeAll(bytes.NewReader(a.body))
		if err != nil || a.status != 200 || a.header.Get("Content-Type") != "image/gif" || a.header.Get("Swath-Frames") != "1" {
			t.Fatalf("%d %.300s %v", a.status, a.body, err)
		}
		if len(movie.Image) != 1 || movie.Delay[0] != 25 || max(movie.Config.Width, movie.Config.Height) != 128 {
			t.Errorf("%d frames, delay %d, %+v", len(movie.Image), movie.Delay[0], movie.Config)
		}
		if again := ask(t, app, "GET", from+"/animation.gif?fps=4&"+area, "If-None-Match", a.header.Get("ETag")); again.status != 304 {
			t.Errorf("with its tag: %d", again.status)
		}
		if w := ask(t, app, "GET", from+"/animation.webp?frame=item&"+area); w.status != 200 || string(w.body[8:12]) != "WEBP" || w.header.Get("ETag") == a.header.Get("ETag") {
			t.Errorf("%d %.300s", w.status, w.body)
		}
	}
	for query, want := range map[string]struct {
		status int
		says   string
	}{
		"gif?render=ndvi":                         {400, "bbox"},
		"mp4?" + area:                             {400, "neither gif nor webp"},
		"gif?bbox=1,2,3&render=ndvi":              {400, "bbox"},
		"gif?fps=0&" + area:                       {400, "fps"},
		"gif?fps=1e9&" + area:                     {400, "0.05 to 50"},
		"gif?frame=week&" + area:                  {400, "item, date, month, year"},
		"gif?min_valid_percent=101&" + area:       {400, "0 to 100"},
		"gif?dst_crs=EPSG:1&" + area:              {400, "EPSG:1"},
		"gif?width=9000&" + area:                  {413, "8192"},
		"gif?width=8192&height=8192&" + area:      {413, "at most 2048"},
		"gif?bbox=1,1,2,2&render=ndvi":            {404, "no item"},
		"gif?bbox=152.1,-30.6,152.5,-30.2":        {200, ""},
		"gif?expression=B04&bbox=152,-31,153,-30": {400, "rescale"},
		"gif?render=none&bbox=152,-31,153,-30":    {404, "none"},
		"gif?loop=1&" + area:                      {400, "loop"},
	} {
		a := ask(t, app, "GET", "/collections/jmm/animation."+query)
		if a.status != want.status || !strings.Contains(string(a.body), want.says) {
			t.Errorf("%s: %d %.300s, want %d saying %q", query, a.status, a.body, want.status, want.says)
		}
	}
}
