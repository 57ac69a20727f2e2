package stachttp

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"swath/catalog"
	"swath/httpkit"
	"swath/internal/contract"
	"swath/internal/testdb"
	"swath/openapi"
	"swath/stac"
)

const base = "http://example.com" // the Host that httptest writes

// newApp serves a catalog of two collections and n items: one an hour, a degree further east each.
func newApp(t testing.TB, n int) (*fiber.App, *catalog.Store) {
	t.Helper()
	store, err := catalog.Open(t.Context(), testdb.New(t), catalog.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	for _, id := range []string{"sentinel-2-l1c", "other"} {
		body := fmt.Sprintf(`{"type":"Collection","stac_version":"1.1.0","stac_extensions":[],"id":%q,"title":"Title of %s","description":"About <b>it</b>",`+
			`"license":"other","extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[["2018-01-01T00:00:00Z",null]]}},`+
			`"item_assets":{"B04":{"type":"image/tiff","roles":["data"]}},"keywords":["eo"]}`, id, id)
		if err := store.PutCollection(t.Context(), stac.Collection{ID: id, Body: json.RawMessage(body)}); err != nil {
			t.Fatal(err)
		}
	}
	items := make([]stac.Item, n)
	for i := range n {
		items[i] = item("sentinel-2-l1c", fmt.Sprintf("S2A_%03d", i), i)
	}
	if err := store.PutItems(t.Context(), "sentinel-2-l1c", items, true); err != nil {
		t.Fatal(err)
	}
	app := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)})
	API{Catalog: store, Analyst: store, Editor: store, Carts: store, Memory: store, Generation: store.CollectionsGeneration, Changes: Open, Document: openapi.Document}.Mount(app)
	return app, store
}

// item is a stored item; its place and hour follow from i.
func item(collection, id string, i int) stac.Item {
	west := float64(i%300 - 150)
	box := fmt.Sprintf("%g,-28,%g,-27", west, west+1)
	assets := make([]string, 13)
	for b := range assets {
		assets[b] = fmt.Sprintf(`"B%02d":{"href":"swath:/collections/%s/items/%s/assets/B%02d","type":"image/tiff; application=geotiff; profile=cloud-optimized",`+
			`"roles":["data"],"title":"Band %d","swath:object":"%s/%s/3f2a9c1b/B%02d.tif","file:size":123456,`+
			`"file:checksum":"1220ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","proj:shape":[10980,10980],`+
			`"proj:transform":[10,0,600000,0,-10,4900020],"data_type":"uint16","nodata":0,"gsd":10,"bands":[{"name":"B%02d","eo:common_name":"red"}]}`,
			b, collection, id, b, b, collection, id, b, b)
	}
	return stac.Item{Collection: collection, ID: id, Body: json.RawMessage(fmt.Sprintf(
		`{"type":"Feature","stac_version":"1.1.0","stac_extensions":["https://stac-extensions.github.io/eo/v2.0.0/schema.json",`+
			`"https://stac-extensions.github.io/file/v2.1.0/schema.json","https://stac-extensions.github.io/projection/v2.0.0/schema.json"],`+
			`"id":%q,"collection":%q,"bbox":[%s],"geometry":{"type":"Polygon","coordinates":[[[%g,-28],[%g,-28],[%g,-27],[%g,-27],[%g,-28]]]},`+
			`"properties":{"datetime":"2018-06-%02dT%02d:00:00Z","eo:cloud_cover":%d},"assets":{"thumbnail":{"href":"swath:/collections/%s/items/%s/assets/thumbnail",`+
			`"type":"image/png","roles":["thumbnail"],"swath:object":"k"},%s}}`,
		id, collection, box, west, west+1, west+1, west, west, 1+i/24%28, i%24, i%100, collection, id, strings.Join(assets, ",")))}
}

// found is a page of items as a client reads it.
type found struct {
	Features []struct {
		ID    string
		Links []stac.Link
	}
	Links          []stac.Link
	NumberReturned int
	NumberMatched  *int
}

func ids(f found) string {
	var all []string
	for _, feature := range f.Features {
		all = append(all, feature.ID)
	}
	return strings.Join(all, " ")
}

// link returns the one link with a relation and method, or nil.
func link(links []stac.Link, rel, method string) *stac.Link {
	for i := range links {
		if links[i].Rel == rel && (method == "" || links[i].Method == method) {
			return &links[i]
		}
	}
	return nil
}

func TestRoutesAreDocumented(t *testing.T) {
	app, _ := newApp(t, 0)
	contract.Documented(t, app)
}

func TestLanding(t *testing.T) {
	app, _ := newApp(t, 1)
	client := contract.Client(t, app)
	got := client.Get("/")
	contract.ValidateCatalog(t, got.Body)
	var root struct {
		Links      []stac.Link
		ConformsTo []string
	}
	got.JSON(t, &root)
	for _, want := range [][3]string{
		{"self", "", base + "/"}, {"root", "", base + "/"}, {"conformance", "", base + "/conformance"}, {"data", "", base + "/collections"},
		{"service-desc", "", base + "/api"}, {"service-doc", "", base + "/api.html"}, {"search", "GET", base + "/search"}, {"search", "POST", base + "/search"},
		{stac.RelQueryables, "", base + "/queryables"}, {"child", "", base + "/collections/other"},
	} {
		l := link(root.Links, want[0], want[1])
		if l == nil || l.Href != want[2] || l.Type == "" || l.Title == "" {
			t.Errorf("link %v is %+v", want, l)
			continue
		}
		if l.Method == "POST" {
			continue
		}
		if followed := client.Get(l.Href); followed.Status != 200 || !strings.HasPrefix(followed.Header.Get("Content-Type"), strings.Split(l.Type, ";")[0]) {
			t.Errorf("%s leads to %d %s, not %s", l.Href, followed.Status, followed.Header.Get("Content-Type"), l.Type)
		}
	}
	var conformance struct{ ConformsTo []string }
	client.Get("/conformance").JSON(t, &conformance)
	if strings.Join(conformance.ConformsTo, " ") != strings.Join(root.ConformsTo, " ") || len(root.ConformsTo) < 30 {
		t.Errorf("landing page and /conformance differ: %v %v", root.ConformsTo, conformance.ConformsTo)
	}
}

func TestBrowsersArePassedOnFromTheLandingPage(t *testing.T) {
	app, _ := newApp(t, 0)
	app.Get("/", func(c *fiber.Ctx) error { return c.Type("html").SendString("<p>the map") })
	client := contract.Client(t, app)
	if got := client.Get("/", "Accept", "text/html,*/*;q=0.8"); string(got.Body) != "<p>the map" {
		t.Errorf("a browser got %s", got.Body)
	}
	if got := client.Get("/?f=json", "Accept", "text/html"); got.Header.Get("Content-Type") != stac.TypeJSON {
		t.Errorf("f=json got %s", got.Header.Get("Content-Type"))
	}
}

func TestBodiesAreValidAndComplete(t *testing.T) {
	app, catalog := newApp(t, 3)
	client := contract.Client(t, app)
	got := client.Get("/collections/sentinel-2-l1c/items/S2A_001")
	contract.ValidateItem(t, got.Body)
	if got.Header.Get("Content-Type") != stac.TypeGeoJSON {
		t.Errorf("an item is %s", got.Header.Get("Content-Type"))
	}
	var it struct {
		Links  []stac.Link
		Assets map[string]struct{ Href string }
	}
	got.JSON(t, &it)
	if href := it.Assets["B04"].Href; href != base+"/collections/sentinel-2-l1c/items/S2A_001/assets/B04" {
		t.Errorf("asset at %s", href)
	}
	if l := link(it.Links, "self", ""); l == nil || l.Href != base+"/collections/sentinel-2-l1c/items/S2A_001" {
		t.Errorf("self is %+v", l)
	}
	contract.ValidateCollection(t, client.Get("/collections/sentinel-2-l1c").Body)

	var list struct {
		Collections []json.RawMessage
		Links       []stac.Link
	}
	client.Get("/collections").JSON(t, &list)
	if len(list.Collections) != 2 {
		t.Errorf("%d collections", len(list.Collections))
	}
	for _, body := range list.Collections {
		contract.ValidateCollection(t, body)
	}

	strange := item("other", `a b+c%d"e?f#ü`, 0)
	strange.Body = json.RawMessage(strings.ReplaceAll(string(item("other", "ID", 0).Body), `"id":"ID"`, `"id":"a b+c%d\"e?f#ü"`))
	if _, err := catalog.PutItem(t.Context(), strange); err != nil {
		t.Fatal(err)
	}
	var page found
	client.Get("/collections/other/items").JSON(t, &page)
	self := link(page.Features[0].Links, "self", "")
	if got := client.Get(self.Href); got.Status != 200 {
		t.Errorf("%s answered %d", self.Href, got.Status)
	}
}

func TestWalkToTheEnd(t *testing.T) {
	app, _ := newApp(t, 25)
	client := contract.Client(t, app)
	for _, start := range []string{"/search?limit=10", "/collections/sentinel-2-l1c/items?limit=10", "/collections/sentinel-2-l1c/items?collections=sentinel-2-l1c&limit=10", "/search?limit=10&datetime=2018-06-01T00:00:00Z/..&f=json"} {
		seen, pages, target := map[string]bool{}, 0, start
		for target != "" && pages < 10 {
			var page found
			client.Get(target).JSON(t, &page)
			if page.NumberReturned != len(page.Features) || page.NumberMatched == nil || *page.NumberMatched != 25 {
				t.Errorf("%s: returned %d of %d", target, page.NumberReturned, len(page.Features))
			}
			for _, feature := range page.Features {
				seen[feature.ID] = true
			}
			pages++
			if target = ""; link(page.Links, "next", "") != nil {
				target = link(page.Links, "next", "").Href
			}
		}
		if len(seen) != 25 || pages != 3 {
			t.Errorf("%s: %d items on %d pages", start, len(seen), pages)
		}
	}
	body, seen, pages := map[string]any{"limit": 10, "bbox": []float64{-180, -90, 180, 90}}, map[string]bool{}, 0
	for body != nil && pages < 10 {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var page found
		client.Post("/search", string(raw)).JSON(t, &page)
		for _, feature := range page.Features {
			seen[feature.ID] = true
		}
		pages++
		next := link(page.Links, "next", "POST")
		if next == nil {
			break
		}
		if next.Href != base+"/search" || next.AdditionalFields["merge"] != true {
			t.Fatalf("next is %+v", next)
		}
		for k, v := range next.Body.(map[string]any) {
			body[k] = v
		}
	}
	if len(seen) != 25 || pages != 3 {
		t.Errorf("POST: %d items on %d pages", len(seen), pages)
	}
}

func TestGetAndPostFindTheSame(t *testing.T) {
	app, _ := newApp(t, 40)
	client := contract.Client(t, app)
	for get, post := range map[string]string{
		"":                                       `{}`,
		"limit=3":                                `{"limit":3}`,
		"ids=S2A_003,S2A_007,x":                  `{"ids":["S2A_003","S2A_007","x"]}`,
		"collections=other":                      `{"collections":["other"]}`,
		"bbox=-150,-90,-147.5,90":                `{"bbox":[-150,-90,-147.5,90]}`,
		"bbox=-150,-90,0,-147.5,90,9000&limit=2": `{"bbox":[-150,-90,0,-147.5,90,9000],"limit":2}`,
		"bbox=170,-90,-149.5,90":                 `{"bbox":[170,-90,-149.5,90]}`,
		"datetime=2018-06-01T05:00:00Z/2018-06-01T07:00:00Z":     `{"datetime":"2018-06-01T05:00:00Z/2018-06-01T07:00:00Z"}`,
		"datetime=2018-06-01T05:00:00%2B02:00":                   `{"datetime":"2018-06-01T05:00:00+02:00"}`,
		`intersects={"type":"Point","coordinates":[-145,-27.5]}`: `{"intersects":{"type":"Point","coordinates":[-145,-27.5]}}`,
	} {
		q, err := url.ParseQuery(get)
		if err != nil {
			t.Fatal(err)
		}
		var a, b found
		client.Get("/search?"+q.Encode()).JSON(t, &a)
		client.Post("/search", post).JSON(t, &b)
		if ids(a) != ids(b) || *a.NumberMatched != *b.NumberMatched {
			t.Errorf("%s: GET found %q, POST %q", get, ids(a), ids(b))
		}
		if strings.Contains(get, "other") != (ids(a) == "") {
			t.Errorf("%s: found %q", get, ids(a))
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	app, _ := newApp(t, 1)
	client := contract.Client(t, app)
	for _, tc := range []struct {
		method, target, body string
		status               int
		word                 string
	}{
		{"GET", "/collections/none", "", 404, "none"},
		{"GET", "/collections/none/items", "", 404, "none"},
		{"GET", "/collections/none/queryables", "", 404, "none"},
		{"GET", "/collections/sentinel-2-l1c/items/none", "", 404, "none"},
		{"GET", "/collections/a%2Fb", "", 404, ""},
		{"GET", "/collections/sentinel-2-l1c/items?intersects={}", "", 400, "intersects"},
		{"GET", "/collections/sentinel-2-l1c/items?collections=other", "", 400, "sentinel-2-l1c"},
		{"GET", "/collections?limit=0", "", 400, "limit"},
		{"GET", "/conformance?x=1", "", 400, `"x"`},
		{"GET", "/?x=1", "", 400, `"x"`},
		{"GET", "/queryables?x=1", "", 400, `"x"`},
		{"GET", "/search?f=xml", "", 400, "xml"},
		{"GET", "/search?bbox=1,2,3", "", 400, "bbox"},
		{"GET", "/search?limit=0", "", 400, "limit"},
		{"GET", "/search?token=abc", "", 400, "token"},

		{"GET", "/search?a;b", "", 400, "well formed"},
		{"POST", "/search", "bbox=1,2,3,4", 400, "JSON"},
		{"POST", "/search?limit=1", "{}", 400, "limit"},
		{"POST", "/search", `{"limit":-1}`, 400, "limit"},
		{"POST", "/search", `{"token":"abc"}`, 400, "token"},
		{"POST", "/search", `{"token":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "bytes"},
		{"DELETE", "/search", "", 405, ""},
		{"PUT", "/collections/sentinel-2-l1c/items", "{}", 405, ""},
		{"GET", "/nothing", "", 404, ""},
	} {
		got := client.Do(tc.method, tc.target, tc.body)
		var problem struct {
			Status int
			Detail string
		}
		got.JSON(t, &problem)
		if got.Status != tc.status || problem.Status != tc.status || !strings.Contains(problem.Detail, tc.word) ||
			got.Header.Get("Content-Type") != httpkit.ProblemType {
			t.Errorf("%s %.60s: %d %+v, want %d and %q", tc.method, tc.target, got.Status, problem, tc.status, tc.word)
		}
	}
}

func TestHeadAndConditionalGet(t *testing.T) {
	app, catalog := newApp(t, 2)
	client := contract.Client(t, app)
	for _, target := range []string{"/", "/conformance", "/collections", "/collections/sentinel-2-l1c", "/collections/sentinel-2-l1c/items", "/search",
		"/collections/sentinel-2-l1c/items/S2A_000", "/queryables", "/collections/other/queryables", "/api", "/api.html", "/collections?f=html"} {
		got, head := client.Get(target), client.Do("HEAD", target, "")
		tag := got.Header.Get("ETag")
		if got.Status != 200 || head.Status != 200 || len(head.Body) > 0 || head.Header.Get("ETag") != tag || head.Header.Get("Content-Length") != fmt.Sprint(len(got.Body)) {
			t.Errorf("HEAD %s: %d %v, GET %d %s", target, head.Status, head.Header, got.Status, tag)
		}
		if again := client.Get(target, "If-None-Match", tag); again.Status != 304 || len(again.Body) > 0 {
			t.Errorf("%s: %d with %d bytes for the tag it gave", target, again.Status, len(again.Body))
		}
	}
	before := client.Get("/search").Header.Get("ETag")
	if _, err := catalog.PutItem(t.Context(), item("other", "new", 5)); err != nil {
		t.Fatal(err)
	}
	if client.Get("/search", "If-None-Match", before).Status != 200 {
		t.Error("a new item did not change the ETag of /search")
	}
}

func TestCompressedAnswersAreSmaller(t *testing.T) {
	app, _ := newApp(t, 10)
	client := contract.Client(t, app)
	plain := client.Get("/search")
	packed := client.Get("/search", "Accept-Encoding", "zstd")
	if packed.Header.Get("Content-Encoding") != "zstd" || len(packed.Body)*5 > len(plain.Body) {
		t.Errorf("%d bytes became %d (%s)", len(plain.Body), len(packed.Body), packed.Header.Get("Content-Encoding"))
	}
}

func TestPagesForPeople(t *testing.T) {
	app, catalog := newApp(t, 12)
	evil := item("other", "evil", 1)
	evil.Body = json.RawMessage(strings.NewReplacer(`"title":"Band 1"`, `"title":"<script>alert(1)</script>"`,
		`"href":"swath:/collections/other/items/evil/assets/B02"`, `"href":"javascript:alert(1)"`).Replace(string(evil.Body)))
	if _, err := catalog.PutItem(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	client := contract.Client(t, app)
	for target, words := range map[string][]string{
		"/collections":                              {"Title of sentinel-2-l1c", "About &lt;b&gt;it&lt;/b&gt;", base + "/collections/other?f=html"},
		"/collections/sentinel-2-l1c":               {"2018-01-01T00:00:00Z to open", base + "/?collection=sentinel-2-l1c", "items?f=html"},
		"/collections/sentinel-2-l1c/items":         {"S2A_011", "12 items match", "token=", base + "/?collection=sentinel-2-l1c&amp;item=S2A_011"},
		"/search?ids=S2A_003":                       {"S2A_003", "1 items match"},
		"/search?ids=none":                          {"Nothing matches"},
		"/collections/sentinel-2-l1c/items/S2A_003": {`src="` + base + `/collections/sentinel-2-l1c/items/S2A_003/assets/thumbnail"`, "eo:cloud_cover", "B04", "123456 bytes"},
		"/collections/other/items/evil":             {"&lt;script&gt;", "#ZgotmplZ"},
		"/api.html":                                 {"/collections/{collection}/items/{item}/tiles/{tms}/{z}/{x}/{y}.{format}", "rescale"},
	} {
		got := client.Get(target, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		if got.Status != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") || got.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %v", target, got.Status, got.Header)
		}
		for _, word := range words {
			if !strings.Contains(string(got.Body), word) {
				t.Errorf("%s lacks %q in\n%s", target, word, got.Body)
			}
		}
		if strings.Contains(string(got.Body), "<script") || strings.Contains(string(got.Body), "javascript:") {
			t.Errorf("%s lets a script through", target)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	for _, limit := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(limit), func(b *testing.B) {
			_, catalog := newApp(b, limit)
			page, err := catalog.Search(b.Context(), stac.Search{Limit: limit})
			if err != nil {
				b.Fatal(err)
			}
			l := stac.Links{Base: base}
			b.ReportAllocs()
			for b.Loop() {
				body, _, err := appendPage(nil, l, page, list{self: base + "/search", query: url.Values{"limit": {"10"}}})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(body)))
			}
		})
	}
}
