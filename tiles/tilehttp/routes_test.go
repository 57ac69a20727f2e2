package tilehttp

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	_ "image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	_ "golang.org/x/image/webp"

	"swath/geo"
	"swath/httpkit"
	"swath/internal/shelf"
	"swath/tiles"
)

const depth = shelf.Depth(2)

// door returns the app over the bundled scenes, and the tile in the middle of the Spanish one.
func door(t testing.TB) (*fiber.App, string) {
	t.Helper()
	s := shelf.New(t)
	s.Spain(depth)
	s.Barbellino(depth)
	s.JMM(depth)
	s.Document("jmm", `{"extent": {"spatial": {"bbox": [[151.9, -31.7, 153.2, -29.7]]}},
		"renders": {"ndvi": {"title": "NDVI", "expression": "(B08-B04)/(B08+B04)", "rescale": [[-0.2, 0.9]], "colormap_name": "rdylgn"}}}`)
	app := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)})
	r := tiles.New(s.Catalog(), s.Open, tiles.Options{})
	API{Renderer: r, Searches: kept{}}.Mount(app)
	info, err := r.Info(t.Context(), "spain", "s2", nil)
	if err != nil {
		t.Fatal(err)
	}
	at := geo.TileAt(13, (info.Bounds[0]+info.Bounds[2])/2, (info.Bounds[1]+info.Bounds[3])/2)
	return app, strings.NewReplacer("Z", "13", "X", text(at.X), "Y", text(at.Y)).Replace("/collections/spain/items/s2/tiles/WebMercatorQuad/Z/X/Y")
}

func text(v any) string { b, _ := json.Marshal(v); return string(b) }

type answer struct {
	status int
	header http.Header
	body   []byte
}

func ask(t *testing.T, app *fiber.App, method, path string, header ...string) answer {
	t.Helper()
	return exchange(t, app, httptest.NewRequest(method, path, nil), header...)
}

func post(t *testing.T, app *fiber.App, path, body string) answer {
	t.Helper()
	return exchange(t, app, httptest.NewRequest("POST", path, strings.NewReader(body)), "Content-Type", "application/json")
}

func exchange(t *testing.T, app *fiber.App, req *http.Request, header ...string) answer {
	t.Helper()
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := app.Test(req, 30_000)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, body}
}

func TestPictures(t *testing.T) {
	app, tile := door(t)
	for path, want := range map[string]struct {
		mediaType string
		width     int
	}{
		tile + ".png?assets=B04,B03,B02":                                                           {"image/png", 256},
		tile + ".webp?assets=B04&assets=B03&assets=B02":                                            {"image/webp", 256},
		tile + ".jpg?expression=(B08-B04)/(B08%2BB04)&rescale=-0.2,0.9&colormap_name=rdylgn":       {"image/jpeg", 256},
		tile + ".jpeg?expression=s2_b4&resampling=bilinear&tilesize=512":                           {"image/jpeg", 512},
		tile + `.png?assets=B04&unscale=false&rescale=0,3000&colormap={"0":"%23fff","2":"%23000"}`: {"image/png", 256},
		"/collections/spain/items/s1/preview?assets=VV&max_size=100":                               {"image/png", 100},
		"/collections/spain/items/s1/preview.jpg?assets=vh&max_size=64":                            {"image/jpeg", 64},
		"/collections/jmm/items/jmm/tiles/WebMercatorQuad/0/0/0.png":                               {"image/png", 256},
		"/collections/jmm/items/jmm/tiles/WebMercatorQuad/3/0/0.png?render=ndvi":                   {"image/png", 256},
	} {
		a := ask(t, app, "GET", path)
		if a.status != 200 || a.header.Get("Content-Type") != want.mediaType {
			t.Errorf("%s: %d %s %.300s, want 200 %s", path, a.status, a.header.Get("Content-Type"), a.body, want.mediaType)
			continue
		}
		m, _, err := image.Decode(bytes.NewReader(a.body))
		if err != nil || max(m.Bounds().Dx(), m.Bounds().Dy()) != want.width {
			t.Errorf("%s: %v, want an image of %d pixels", path, err, want.width)
		}
	}
}

func TestRevalidation(t *testing.T) {
	app, tile := door(t)
	path := tile + ".png?assets=B04,B03,B02"
	first := ask(t, app, "GET", path, "Accept-Encoding", "gzip, br")
	tag := first.header.Get("ETag")
	if len(tag) < 20 || strings.HasPrefix(tag, "W/") || first.header.Get("Cache-Control") != cacheControl || first.header.Get("Content-Encoding") != "" {
		t.Fatalf("headers: %v", first.header)
	}
	if again := ask(t, app, "GET", path, "If-None-Match", tag); again.status != 304 || len(again.body) != 0 || again.header.Get("ETag") != tag {
		t.Errorf("with its tag: %d, %d bytes, %s", again.status, len(again.body), again.header.Get("ETag"))
	}
	if other := ask(t, app, "GET", tile+".png?assets=B04,B03,B01", "If-None-Match", tag); other.status != 200 {
		t.Errorf("another picture with that tag: %d", other.status)
	}
	if wrong := ask(t, app, "GET", strings.Replace(path, "/13/", "/2/", 1), "If-None-Match", "*"); wrong.status != 400 {
		t.Errorf("a tile that can't be, with If-None-Match: %d", wrong.status)
	}
	head := ask(t, app, "HEAD", path)
	if head.status != 200 || len(head.body) != 0 || head.header.Get("ETag") != tag || head.header.Get("Content-Length") != text(len(first.body)) {
		t.Errorf("HEAD: %d, %v", head.status, head.header)
	}
}

// TestGeoTIFF: tiles, previews, boxes and features are GeoTIFFs of values, whose tag has one name for both extensions.
func TestGeoTIFF(t *testing.T) {
	app, tile := door(t)
	const item, field = "/collections/jmm/items/jmm", `{"type":"Polygon","coordinates":[[[152.1,-30.5],[152.3,-30.5],[152.2,-30.3],[152.1,-30.5]]]}`
	for _, path := range []string{tile + ".tif?assets=B04,B03", item + "/preview.tif?max_size=64&assets=B04", item + "/preview/20x30.tif?render=ndvi", item + "/bbox/152.1,-30.5,152.3,-30.3.tif?assets=B04,B08",
		"/collections/jmm/tiles/WebMercatorQuad/8/236/150.tif?expression=B04", "/collections/jmm/tiles/WebMercatorQuad/8/0/0.tif?expression=B04", "POST " + item + "/feature.tif?assets=B04&max_size=64"} {
		a := answer{}
		if under, isPost := strings.CutPrefix(path, "POST "); isPost {
			a = post(t, app, under, field)
		} else {
			a = ask(t, app, "GET", path)
			if twice := ask(t, app, "GET", strings.Replace(path, ".tif?", ".TIFF?", 1), "If-None-Match", a.header.Get("ETag")); twice.status != 304 {
				t.Errorf("%s as TIFF: %d", path, twice.status)
			}
		}
		if a.status != 200 || a.header.Get("Content-Type") != "image/tiff; application=geotiff" || !bytes.HasPrefix(a.body, []byte("II*\x00")) {
			t.Errorf("%s: %d %s %.100q", path, a.status, a.header.Get("Content-Type"), a.body)
		}
	}
}

// TestMaxAge: a collection says how long its pictures may be kept; what is no time counts as nothing said.
func TestMaxAge(t *testing.T) {
	for said, want := range map[string]string{
		"86400": "public, max-age=86400", "0": "public, max-age=0", "0.9": "public, max-age=0", "1e300": "public, max-age=31536000",
		"-1": cacheControl, `"a day"`: cacheControl, "null": cacheControl, `[60]`: cacheControl,
	} {
		s := shelf.New(t)
		s.JMM(depth)
		s.Document("jmm", `{"renders": {"red": {"assets": ["B04"], "rescale": [[0, 0.3]]}}, "swath:picture_max_age_s": `+said+`}`)
		app := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)})
		API{Renderer: tiles.New(s.Catalog(), s.Open, tiles.Options{})}.Mount(app)
		for _, path := range []string{"/collections/jmm/items/jmm/preview.png?max_size=16", "/collections/jmm/tiles/WebMercatorQuad/8/236/150.png?render=red"} {
			if a := ask(t, app, "GET", path); a.status != 200 || a.header.Get("Cache-Control") != want {
				t.Errorf("%s of a collection that says %s: %d, %q, want %q", path, said, a.status, a.header.Get("Cache-Control"), want)
			}
		}
		if a := ask(t, app, "GET", "/collections/jmm/items/jmm/tilejson.json?render=red"); a.header.Get("Cache-Control") != cacheControl {
			t.Errorf("a document: %q", a.header.Get("Cache-Control"))
		}
		if a := ask(t, app, "GET", "/collections/jmm/items/jmm/preview.png?max_size=0"); a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("a refusal: %q", a.header.Get("Cache-Control"))
		}
	}
}

func TestDocuments(t *testing.T) {
	app, _ := door(t)
	var doc tiles.TileJSON
	query := "assets=B04,B03,B02&rescale=0,0.3"
	get(t, app, "/collections/spain/items/s2/tilejson.json?tile_format=webp&"+query, &doc)
	if doc.TileJSON != "3.0.0" || doc.MaxZoom < 13 || doc.MaxZoom > 14 || doc.MinZoom >= doc.MaxZoom || doc.TileSize != 256 ||
		doc.Bounds[0] >= doc.Bounds[2] || len(doc.Tiles) != 1 {
		t.Fatalf("%+v", doc)
	}
	at := geo.TileAt(doc.MaxZoom, doc.Center[0], doc.Center[1])
	url := strings.NewReplacer("{z}", text(at.Z), "{x}", text(at.X), "{y}", text(at.Y)).Replace(doc.Tiles[0])
	path, absolute := strings.CutPrefix(url, "http://example.com")
	if !absolute {
		t.Errorf("the template %s is not absolute", url)
	}
	if a := ask(t, app, "GET", path); a.status != 200 || a.header.Get("Content-Type") != "image/webp" {
		t.Errorf("%s: %d %s", url, a.status, a.body)
	}

	var info tiles.Info
	get(t, app, "/collections/spain/items/s2/info", &info)
	if len(info.Assets) != 1 || len(info.Assets[0].Bands) != 13 || info.Assets[0].CRS != "EPSG:4326" || info.Assets[0].Width != 512 ||
		info.Assets[0].DataType != "uint16" || info.Assets[0].NoData != 0.0 || len(info.Assets[0].Overviews) == 0 ||
		info.Assets[0].Bands[7].Name != "s2_b8" || info.Assets[0].Bands[7].Band != "B08" || info.Assets[0].Bands[7].Scale != 0.0001 {
		t.Errorf("%s", text(info))
	}

	var titiler map[string]struct { // rio_tiler.models.Info, in titiler's MultiBaseInfo
		Bounds           [4]float64
		BandMetadata     [][]any    `json:"band_metadata"`
		BandDescriptions [][]string `json:"band_descriptions"`
		DType            string
		NoDataType       string  `json:"nodata_type"`
		NoDataValue      float64 `json:"nodata_value"`
		Scales, Offsets  []float64
		Driver           string
		Count, Width     int
	}
	_ = json.Unmarshal(ask(t, app, "GET", "/collections/spain/items/s2/info").body, &titiler) // members of ours are of other kinds
	if one := titiler["s2"]; one.DType != "uint16" || one.NoDataType != "Nodata" || one.Count != 13 || one.Width != 512 || one.Driver != "GTiff" || len(one.BandMetadata) != 13 ||
		one.BandDescriptions[7][0] != "b8" || one.BandDescriptions[7][1] != "B08" || one.Scales[0] != 0.0001 || len(one.Offsets) != 13 || one.Bounds[0] != info.Bounds[0] {
		t.Errorf("%+v", one)
	}

	var p tiles.PointValues
	get(t, app, "/collections/spain/items/s2/point/"+text(doc.Center[0])+","+text(doc.Center[1])+"?expression=B08%2BB04", &p)
	if len(p.Bands) != 2 || p.Bands[0].Band != "B08" || p.Bands[0].Stored == nil || len(p.Values) != 1 || p.Values[0] == nil ||
		text(p.BandNames) != `["b1"]` || text(p.BandDescriptions) != `["B08+B04"]` || *p.Values[0] != *p.Bands[0].Value+*p.Bands[1].Value || p.Coordinates != [2]float64{doc.Center[0], doc.Center[1]} {
		t.Errorf("%s", text(p))
	}
	get(t, app, "/collections/jmm/items/jmm/point/-1.5,43.2", &p)
	if p.Coordinates != [2]float64{-1.5, 43.2} || len(p.Bands) != 2 || p.Bands[0].Stored != nil || p.Values[0] != nil {
		t.Errorf("a place far away: %s", text(p))
	}
	get(t, app, "/collections/jmm/items/jmm/point/-1.5%2C43.2", &p)

	var names struct{ Colormaps []string }
	get(t, app, "/colormaps", &names)
	for i, name := range names.Colormaps {
		if i%10 != 0 && name != "scl" {
			continue // one of ten will do
		}
		var entries map[string][4]uint8
		get(t, app, "/colormaps/"+name, &entries)
		if len(entries) != 256 {
			t.Errorf("%s has %d entries", name, len(entries))
		}
	}
	var viridis map[string][4]uint8
	get(t, app, "/colormaps/viridis", &viridis)
	if viridis["0"] != [4]uint8{68, 1, 84, 255} || viridis["255"] != [4]uint8{253, 231, 36, 255} && viridis["255"] != [4]uint8{253, 231, 37, 255} {
		t.Errorf("viridis goes from %v to %v", viridis["0"], viridis["255"])
	}

	for _, list := range []string{"colorMaps", "algorithms"} {
		var all map[string][]struct {
			ID    string
			Links []struct{ Href string }
		}
		get(t, app, "/"+list, &all)
		for _, one := range all[strings.ToLower(list)] {
			var entry map[string]any
			get(t, app, strings.TrimPrefix(one.Links[0].Href, "http://example.com"), &entry)
			if len(entry) < 4 {
				t.Errorf("%s of %s: %v", one.ID, list, entry)
			}
		}
		if len(all[strings.ToLower(list)]) < 15 {
			t.Errorf("%s: %v", list, all)
		}
	}
	var slope struct {
		Inputs     struct{ Nbands int }
		Parameters map[string]struct{ Default, Minimum, Maximum float64 }
	}
	if get(t, app, "/algorithms/slope", &slope); slope.Inputs.Nbands != 1 || slope.Parameters["buffer"].Default != 3 || slope.Parameters["buffer"].Maximum != 99 {
		t.Errorf("slope: %+v", slope)
	}
	for target, want := range map[string]struct {
		width, height int
		low, high     image.Point // where the lowest and the highest level are
	}{
		"/colorMaps/viridis?f=png": {256, 20, image.Pt(0, 5), image.Pt(255, 5)},
		"/colorMaps/viridis?f=png&orientation=vertical&width=10&height=300":   {10, 300, image.Pt(3, 299), image.Pt(3, 0)},
		"/colorMaps/viridis?f=png&orientation=horizontal&width=1000&height=1": {1000, 1, image.Pt(0, 0), image.Pt(999, 0)},
	} {
		answer := ask(t, app, "GET", target)
		legend, err := png.Decode(bytes.NewReader(answer.body))
		if err != nil || legend.Bounds().Dx() != want.width || legend.Bounds().Dy() != want.height {
			t.Fatalf("%s: %v %s", target, err, answer.body)
		}
		for at, level := range map[image.Point]string{want.low: "0", want.high: "255"} {
			if p := color.NRGBAModel.Convert(legend.At(at.X, at.Y)).(color.NRGBA); [4]uint8{p.R, p.G, p.B, p.A} != viridis[level] {
				t.Errorf("%s: %v at %v, want that of level %s, %v", target, p, at, level, viridis[level])
			}
		}
	}

	page := ask(t, app, "GET", "/collections/jmm/items/jmm/map.html?render=ndvi")
	if page.status != 200 || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || !bytes.Contains(page.body, []byte(`src="map.js"`)) {
		t.Errorf("map.html: %d %v", page.status, page.header)
	}
	if bytes.Contains(page.body, []byte("://")) || bytes.Contains(mapJS, []byte("://")) {
		t.Error("the page wants something from another server")
	}
	if js := ask(t, app, "GET", "/collections/jmm/items/jmm/map.js"); js.status != 200 || !strings.HasPrefix(js.header.Get("Content-Type"), "text/javascript") {
		t.Errorf("map.js: %d %v", js.status, js.header)
	}
}

func get(t *testing.T, app *fiber.App, path string, into any) {
	t.Helper()
	a := ask(t, app, "GET", path)
	if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestWrongRequests(t *testing.T) {
	app, tile := door(t)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		tile + ".png":                                                                     {400, "would have 13"},
		tile + ".gif?assets=B04":                                                          {400, "png, jpg, jpeg, webp, npy, tif"},
		tile + ".png?asset=B04":                                                           {400, `"asset" is not known here`},
		tile + ".png?assets=B77":                                                          {400, "it has"},
		tile + ".png?expression=(B08-B04)/(B08+B04)":                                      {400, "%2B"},
		tile + ".png?expression=B08-":                                                     {400, "expression"},
		tile + ".png?render=ndvi":                                                         {404, "ndvi"},
		tile + ".png?assets=B04&max_size=9":                                               {400, "max_size"},
		strings.Replace(tile, "WebMercatorQuad", "WGS84", 1) + ".png":                     {404, "/tileMatrixSets lists"},
		strings.Replace(tile, "/13/", "/x/", 1) + ".png?assets=B04":                       {400, "whole number"},
		strings.Replace(tile, "/13/", "/25/", 1) + ".png?assets=B04":                      {400, "0 to 24"},
		strings.Replace(tile, "/13/", "/-1/", 1) + ".png?assets=B04":                      {400, "0 to 24"},
		strings.Replace(tile, "/13/", "/5/", 1) + ".png?assets=B04":                       {400, "from 0 to 31"},
		strings.Replace(tile, "s2", "s9", 1) + ".png?assets=B04":                          {404, "s9"},
		"/collections/none/items/s2/tilejson.json":                                        {404, "none"},
		"/collections/spain/items/s2/tilejson.json?assets=B04&tile_format=tga":            {400, "png"},
		"/collections/spain/items/s2/preview?assets=B04&max_size=100000":                  {413, "1 to 2048"},
		"/collections/spain/items/s2/preview?assets=B04&max_size=-3":                      {400, "max_size"},
		"/collections/spain/items/s2/point/200,10":                                        {400, "not a place"},
		"/collections/spain/items/s2/point/nan,10":                                        {400, "not a place"},
		"/collections/spain/items/s2/point/east,10":                                       {400, "longitude,latitude"},
		"/collections/spain/items/s2/point/10":                                            {404, ""},
		"/collections/spain/items/s2/info?assets=nothing":                                 {400, "it has s2"},
		"/colormaps/viridian":                                                             {404, "viridian"},
		"/colorMaps/viridian?f=png":                                                       {404, "viridian"},
		"/colorMaps/viridis?f=gif":                                                        {400, "gif"},
		"/colorMaps/viridis?f=png&width=0":                                                {400, "width"},
		"/colorMaps/viridis?f=png&orientation=round":                                      {400, "round"},
		"/colorMaps?g=1":                                                                  {400, "g"},
		"/algorithms/dream":                                                               {404, "dream"},
		"/collections/barbellino/items/l1c/tiles/WebMercatorQuad/1/1/1.png?render=broken": {400, "malformed"},
	} {
		a := ask(t, app, "GET", path)
		var problem struct{ Detail string }
		if json.Unmarshal(a.body, &problem) != nil || a.status != want.status || a.header.Get("Content-Type") != httpkit.ProblemType || !strings.Contains(problem.Detail, want.says) {
			t.Errorf("%s: %d %s, want %d saying %q", path, a.status, a.body, want.status, want.says)
		}
	}
}
