package main

import "strings"

// What a route asks of who calls it.
const (
	reads   = "reads"   // what is public, and where strangers may read
	own     = "own"     // an account
	deploys = "deploys" // the role of a thematic centre
	works   = "works"   // the role of a processor
	governs = "governs" // the role of an admin
	changes = "changes" // the role of an operator
	open    = "open"    // nothing, ever
)

// row is one route of the app: how it is called and what it answers to who may call it. In targets and bodies {c} is a collection, {i} an
// item of it, {s} a registered search that names it, {u} the address of the item.
type row struct {
	route, target, body string
	good                int    // of a collection that is seen
	gone                int    // of one that is hidden, or is not there; 0: it is the same
	needs               string // of the above; "" is reads
}

const box = "bbox/10.04,46.06,10.05,46.07"

const polygon = `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[10.04,46.06],[10.05,46.06],[10.05,46.07],[10.04,46.07],[10.04,46.06]]]}}`

// single are the routes but those of mosaics.
var single = []row{
	{"GET /", "/", "", 200, 0, ""},
	{"GET /conformance", "/conformance", "", 200, 0, open},
	{"GET /api", "/api", "", 200, 0, open},
	{"GET /api.html", "/api.html", "", 200, 0, open},
	{"GET /healthz", "/healthz", "", 200, 0, open},
	{"GET /readyz", "/readyz", "", 200, 0, open},
	{"GET /metrics", "/metrics", "", 200, 0, ""},
	{"GET /ui/*", "/ui/none", "", 404, 0, open},
	{"GET /favicon.ico", "/favicon.ico", "", 200, 0, open},

	{"GET /auth/login", "/auth/login", "", 200, 0, open},
	{"GET /auth/callback", "/auth/callback", "", 400, 0, open},
	{"POST /auth/login", "/auth/login", "name=nobody{n}", 401, 0, open},
	{"POST /auth/logout", "/auth/logout", "", 303, 0, open},
	{"GET /account", "/account", "", 200, 0, own},
	{"DELETE /account", "/account", "", 400, 0, own},
	{"GET /account/export", "/account/export", "", 200, 0, own},
	{"GET /account/keys", "/account/keys", "", 200, 0, own},
	{"POST /account/keys", "/account/keys", `{"expires_days":0}`, 400, 0, own},
	{"DELETE /account/keys/:key", "/account/keys/none", "", 404, 0, own},
	{"POST /account/keys/:key/revoke", "/account/keys/none/revoke", "", 404, 0, own},
	{"POST /account/links", "/account/links", `{"href":"/collections/{c}/items/{i}/assets/{a}"}`, 201, 0, own},

	{"GET /accounts", "/accounts", "", 200, 0, governs},
	{"PATCH /accounts/:account", "/accounts/none", `{"role":"reader"}`, 404, 0, governs},

	{"GET /search", "/search?collections={c}", "", 200, 0, ""},
	{"POST /search", "/search", `{"collections":["{c}"]}`, 200, 0, ""},
	{"GET /deletions", "/deletions?collections={c}", "", 200, 0, ""},
	{"GET /queryables", "/queryables", "", 200, 0, ""},
	{"GET /aggregations", "/aggregations", "", 200, 0, ""},
	{"GET /aggregate", "/aggregate?aggregations=total_count,collection_frequency&collections={c}", "", 200, 0, ""},
	{"POST /aggregate", "/aggregate", `{"aggregations":["total_count"],"collections":["{c}"]}`, 200, 0, ""},
	{"GET /children", "/children", "", 200, 0, ""},
	{"GET /browse", "/browse", "", 200, 0, ""},
	{"GET /browse/:mission", "/browse/{c}", "", 200, 404, ""},
	{"GET /collections", "/collections", "", 200, 0, ""},
	{"GET /collections/:collection", "/collections/{c}", "", 200, 404, ""},
	{"GET /collections/:collection/queryables", "/collections/{c}/queryables", "", 200, 404, ""},
	{"GET /collections/:collection/aggregations", "/collections/{c}/aggregations", "", 200, 404, ""},
	{"GET /collections/:collection/aggregate", "/collections/{c}/aggregate?aggregations=total_count", "", 200, 404, ""},
	{"POST /collections/:collection/aggregate", "/collections/{c}/aggregate", `{"aggregations":["total_count"]}`, 200, 404, ""},
	{"GET /collections/:collection/browse", "/collections/{c}/browse", "", 200, 404, ""},
	{"GET /collections/:collection/browse/:year", "/collections/{c}/browse/2019", "", 200, 404, ""},
	{"GET /collections/:collection/browse/:year/:leaf", "/collections/{c}/browse/2019/07", "", 200, 404, ""},
	{"GET /collections/:collection/items", "/collections/{c}/items", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item", "/collections/{c}/items/{i}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/assets/:asset", "/collections/{c}/items/{i}/assets/{a}", "", 200, 404, ""},

	{"GET /collections/:collection/items/:item/product", "/collections/{c}/items/{i}/product", "", 200, 404, ""},
	{"GET /datalake", "/datalake/", "", 200, 0, ""},
	{"GET /datalake/*", "/datalake/{c}/", "", 200, 404, ""},

	{"POST /collections", "/collections", `{"id":""}`, 400, 0, changes},
	{"PUT /collections/:collection", "/collections/none", `{"type":"Collection","id":"none"}`, 404, 0, changes},
	{"PATCH /collections/:collection", "/collections/none", `{"title":"x"}`, 404, 0, changes},
	{"DELETE /collections/:collection", "/collections/none", "", 404, 0, changes},
	{"POST /collections/:collection/items", "/collections/{c}/items", `{"type":"Feature"}`, 400, 0, changes},
	{"POST /collections/:collection/bulk_items", "/collections/{c}/bulk_items", `{"items":{}}`, 400, 0, changes},
	{"PUT /collections/:collection/items/:item", "/collections/{c}/items/none", `{"type":"Feature","id":"other"}`, 404, 0, changes},
	{"PATCH /collections/:collection/items/:item", "/collections/{c}/items/none", `{"properties":{}}`, 404, 0, changes},
	{"DELETE /collections/:collection/items/:item", "/collections/{c}/items/none", "", 204, 0, changes},

	{"GET /collections/:collection/items/:item/tiles", "/collections/{c}/items/{i}/tiles?render=true-color", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/tiles/:tms", "/collections/{c}/items/{i}/tiles/WebMercatorQuad?render=true-color", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/tiles/:tms/:z/:x/:y.:format", "/collections/{c}/items/{i}/tiles/WebMercatorQuad/14/{x}/{y}.png?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/tiles/:tms/:z/:x/:y", "/collections/{c}/items/{i}/tiles/WebMercatorQuad/14/{x}/{y}?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/tilejson.json", "/collections/{c}/items/{i}/tilejson.json?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/:tms/tilejson.json", "/collections/{c}/items/{i}/WebMercatorQuad/tilejson.json?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/WMTSCapabilities.xml", "/collections/{c}/items/{i}/WMTSCapabilities.xml?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/:tms/WMTSCapabilities.xml", "/collections/{c}/items/{i}/WebMercatorQuad/WMTSCapabilities.xml?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/map.html", "/collections/{c}/items/{i}/map.html", "", 200, 0, ""}, // the same page for all; its script asks
	{"GET /collections/:collection/items/:item/:tms/map.html", "/collections/{c}/items/{i}/WebMercatorQuad/map.html", "", 302, 0, ""},
	{"GET /collections/:collection/items/:item/map.js", "/collections/{c}/items/{i}/map.js", "", 200, 0, ""},
	{"GET /collections/:collection/items/:item/preview", "/collections/{c}/items/{i}/preview?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/preview.:format", "/collections/{c}/items/{i}/preview.jpg?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/preview/:size.:format", "/collections/{c}/items/{i}/preview/16x16.png?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/bbox/:bbox/:size.:format", "/collections/{c}/items/{i}/" + box + "/16x16.png?{draw}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/bbox/:bbox.:format", "/collections/{c}/items/{i}/" + box + ".png?{draw}", "", 200, 404, ""},
	{"POST /collections/:collection/items/:item/feature", "/collections/{c}/items/{i}/feature?{draw}", polygon, 200, 404, ""},
	{"POST /collections/:collection/items/:item/feature/:size.:format", "/collections/{c}/items/{i}/feature/16x16.png?{draw}", polygon, 200, 404, ""},
	{"POST /collections/:collection/items/:item/feature.:format", "/collections/{c}/items/{i}/feature.png?{draw}", polygon, 200, 404, ""},
	{`GET /collections/:collection/items/:item/point/:lon\,:lat`, "/collections/{c}/items/{i}/point/10.045,46.065?assets={a}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/statistics", "/collections/{c}/items/{i}/statistics?assets={a}", "", 200, 404, ""},
	{"POST /collections/:collection/items/:item/statistics", "/collections/{c}/items/{i}/statistics?assets={a}", polygon, 200, 404, ""},
	{"GET /collections/:collection/items/:item/histogram", "/collections/{c}/items/{i}/histogram?assets={a}", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/info", "/collections/{c}/items/{i}/info", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/info.geojson", "/collections/{c}/items/{i}/info.geojson", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/bounds", "/collections/{c}/items/{i}/bounds", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/assets", "/collections/{c}/items/{i}/assets", "", 200, 404, ""},
	{"GET /collections/:collection/items/:item/data.:format", "/collections/{c}/items/{i}/data.csv?assets={a}", "", 200, 404, ""},
	{"POST /collections/:collection/items/:item/data.:format", "/collections/{c}/items/{i}/data.csv?assets={a}", polygon, 200, 404, ""},
	{"GET /collections/:collection/items/:item/angles", "/collections/{c}/items/{i}/angles", "", 404, 0, ""},
	{"GET /collections/:collection/items/:item/orbit", "/collections/{c}/items/{i}/orbit", "", 404, 0, ""},

	{"GET /stac/assets", "/stac/assets?url={u}", "", 200, 404, ""},

	{"GET /resto/api/collections/:collection/search.json", "/resto/api/collections/{c}/search.json", "", 200, 404, ""},
	{"GET /resto/api/collections/:collection/describe.xml", "/resto/api/collections/{c}/describe.xml", "", 200, 404, ""},
	{"GET /resto/collections/:collection/:product", "/resto/collections/{c}/{uuid}", "", 200, 404, ""},
	{"GET /resto/collections/:collection/:product/download", "/resto/collections/{c}/{uuid}/download", "", 200, 404, ""},

	{"GET /odata/v1/Products", "/odata/v1/Products?%24filter=Collection/Name%20eq%20%27{c}%27&%24count=True", "", 200, 0, ""},
	{"POST /odata/v1/Products/OData.CSC.FilterList", "/odata/v1/Products/OData.CSC.FilterList", `{"FilterProducts":[{"Name":"{i}"}]}`, 200, 0, ""},
	{"GET /odata/v1/DeletedProducts", "/odata/v1/DeletedProducts?%24filter=Collection/Name%20eq%20%27{c}%27&%24count=True", "", 200, 0, ""},
	{`GET /odata/v1/Attributes\(:name\)`, "/odata/v1/Attributes({c})", "", 200, 404, ""},
	{`GET /odata/v1/Products\(:id\)`, "/odata/v1/Products({uuid})", "", 200, 404, ""},
	{`GET /odata/v1/Products\(:id\)/$value`, "/odata/v1/Products({uuid})/$value", "", 200, 404, ""},
	{`GET /odata/v1/Products\(:id\)/*`, "/odata/v1/Products({uuid})/Nodes", "", 404, 0, ""}, // it is no zip
	{"POST /auth/realms/CDSE/protocol/openid-connect/token", "/auth/realms/CDSE/protocol/openid-connect/token", "grant_type=password&username=nobody{n}&password=x", 401, 0, open},
	{"GET /auth/realms/CDSE/.well-known/openid-configuration", "/auth/realms/CDSE/.well-known/openid-configuration", "", 200, 0, open},
	{"GET /auth/realms/CDSE/protocol/openid-connect/certs", "/auth/realms/CDSE/protocol/openid-connect/certs", "", 200, 0, open},
	{"GET /stats", "/stats", "", 200, 0, ""},
	{"POST /hooks/:hook", "/hooks/none", "{}", 404, 0, open},

	{"GET /orders", "/orders", "", 200, 0, own},
	{"POST /orders", "/orders", `{"items":[{"collection":"{c}","id":"{i}"}]}`, 409, 404, works},
	{"GET /orders/:order", "/orders/none", "", 404, 0, ""},
	{"DELETE /orders/:order", "/orders/none", "", 404, 0, ""},

	{"GET /carts", "/carts", "", 200, 0, own},
	{"POST /carts", "/carts", `{"items":[{"collection":"{c}","id":"{i}"}]}`, 201, 404, ""},
	{"GET /carts/:cart", "/carts/none", "", 404, 0, ""},
	{"DELETE /carts/:cart", "/carts/none", "", 404, 0, ""},
	{"POST /carts/:cart/items", "/carts/none/items", `{"items":[]}`, 404, 0, ""},
	{"DELETE /carts/:cart/items/:collection/:item", "/carts/none/items/{c}/{i}", "", 404, 0, ""},

	{"GET /processes", "/processes", "", 200, 0, ""},
	{"GET /processes/:process", "/processes/echo", "", 200, 0, ""},
	{"POST /processes/:process/execution", "/processes/echo/execution?dryRun=true", `{"inputs":{"productInput":{"item":"{i}","collection":"{c}"}},"outputs":{"stringOutput":{}}}`, 200, 400, works},
	{"POST /processes", "/processes", `{"cwlVersion":"v1.2"}`, 400, 0, deploys},
	{"PUT /processes/:process", "/processes/none", `{"cwlVersion":"v1.2"}`, 400, 0, deploys},
	{"DELETE /processes/:process", "/processes/none", "", 400, 0, deploys},
	{"GET /processes/:process/package", "/processes/none/package", "", 404, 0, ""},
	{"GET /subscriptions", "/subscriptions", "", 200, 0, ""},
	{"POST /subscriptions", "/subscriptions", `{"process":"none","search":{"collections":["{c}"]}}`, 400, 0, works},
	{"GET /subscriptions/:subscription", "/subscriptions/none", "", 404, 0, ""},
	{"PATCH /subscriptions/:subscription", "/subscriptions/none", `{"paused":true}`, 404, 0, ""},
	{"POST /subscriptions/:subscription/pause", "/subscriptions/none/pause", "paused=true", 404, 0, ""},
	{"DELETE /subscriptions/:subscription", "/subscriptions/none", "", 404, 0, ""},
	{"POST /subscriptions/:subscription/backfill", "/subscriptions/none/backfill", `{"datetime":"2018-01-01T00:00:00Z/2019-01-01T00:00:00Z"}`, 404, 0, ""},
	{"GET /jobs", "/jobs", "", 200, 0, own},
	{"GET /jobs/:job", "/jobs/none", "", 404, 0, ""},
	{"DELETE /jobs/:job", "/jobs/none", "", 404, 0, ""},
	{"POST /jobs/:job/dismiss", "/jobs/none/dismiss", "", 404, 0, ""},
	{"GET /jobs/:job/results", "/jobs/none/results", "", 404, 0, ""},
	{"GET /jobs/:job/results/:output", "/jobs/none/results/x", "", 404, 0, ""},
	{"GET /jobs/:job/log", "/jobs/none/log", "", 404, 0, ""},
	{"GET /jobs/:job/prov", "/jobs/none/prov", "", 404, 0, ""},
	{"GET /wps", "/wps?service=WPS&request=GetCapabilities", "", 200, 0, ""},
	{"POST /wps", "/wps", `<Execute service="WPS" version="1.0.0"><Identifier>echo</Identifier><DataInputs><Input><Identifier>doubleInput</Identifier><Data><LiteralData>99</LiteralData></Data></Input></DataInputs></Execute>`, 400, 0, works},
	{"GET /resto/wps", "/resto/wps?service=WPS&version=1.0.0&request=Execute&identifier=echo&datainputs=doubleInput=99", "", 400, 0, works},
	{"POST /resto/wps", "/resto/wps", `<GetCapabilities service="WPS"/>`, 200, 0, ""},
	{"GET /wps/jobs/:job.:format", "/wps/jobs/none.xml", "", 404, 0, ""},

	{"GET /tileMatrixSets", "/tileMatrixSets", "", 200, 0, ""},
	{"GET /tileMatrixSets/:tms", "/tileMatrixSets/WebMercatorQuad", "", 200, 0, ""},
	{"GET /colormaps", "/colormaps", "", 200, 0, ""},
	{"GET /colormaps/:name", "/colormaps/viridis", "", 200, 0, ""},
	{"GET /colorMaps", "/colorMaps", "", 200, 0, ""},
	{"GET /colorMaps/:name", "/colorMaps/viridis", "", 200, 0, ""},
	{"GET /algorithms", "/algorithms", "", 200, 0, ""},
	{"GET /algorithms/:name", "/algorithms/slope", "", 200, 0, ""},
	{"POST /searches/register", "/searches/register", `{"collections":["open"]}`, 200, 0, ""},
	{"GET /searches/list", "/searches/list", "", 200, 0, ""},
	{"GET /searches/:search/info", "/searches/{s}/info", "", 200, 404, ""},
}

// mosaics are the routes that pictures of many items have: of the whole catalog, of a collection and of a registered search. An empty
// gone is as above; whole marks those that the whole catalog has, too, where what is hidden is only not drawn.
var mosaics = []struct {
	method, path, target, body string
	good, gone                 int
	whole                      bool
}{
	{"GET", "/tiles", "/tiles", "", 200, 404, true},
	{"GET", "/tiles/:tms", "/tiles/WebMercatorQuad", "", 200, 404, true},
	{"GET", "/tiles/:tms/:z/:x/:y/provenance.:format", "/tiles/WebMercatorQuad/14/{x}/{y}/provenance.json?{draw}", "", 200, 200, true},
	{"GET", "/tiles/:tms/:z/:x/:y.:format", "/tiles/WebMercatorQuad/14/{x}/{y}.png?{draw}", "", 200, 200, true},
	{"GET", "/tiles/:tms/:z/:x/:y", "/tiles/WebMercatorQuad/14/{x}/{y}?{draw}", "", 200, 200, true},
	{"GET", "/tiles/:tms/:z/:x/:y/assets", "/tiles/WebMercatorQuad/14/{x}/{y}/assets?{draw}", "", 200, 200, true},
	{"GET", "/tilejson.json", "/tilejson.json?{draw}", "", 200, 404, true},
	{"GET", "/WMTSCapabilities.xml", "/WMTSCapabilities.xml?{draw}", "", 200, 404, true},
	{"GET", "/map.html", "/map.html", "", 200, 200, true},
	{"GET", "/map.js", "/map.js", "", 200, 200, true},
	{"GET", `/point/:lon\,:lat`, "/point/10.045,46.065?assets={a}", "", 200, 200, true},
	{"GET", "/:tms/tilejson.json", "/WebMercatorQuad/tilejson.json?{draw}", "", 200, 404, false},
	{"GET", "/:tms/WMTSCapabilities.xml", "/WebMercatorQuad/WMTSCapabilities.xml?{draw}", "", 200, 404, false},
	{"GET", "/:tms/map.html", "/WebMercatorQuad/map.html", "", 302, 302, false},
	{"GET", "/bbox/:bbox/:size.:format", "/" + box + "/16x16.png?{draw}", "", 200, 200, false},
	{"GET", "/bbox/:bbox.:format", "/" + box + ".png?{draw}", "", 200, 200, false},
	{"GET", "/bbox/:bbox/provenance.:format", "/" + box + "/provenance.json?{draw}", "", 200, 200, false},
	{"GET", "/bbox/:bbox/:size/provenance.:format", "/" + box + "/16x16/provenance.json?{draw}", "", 200, 200, false},
	{"POST", "/feature/provenance.:format", "/feature/provenance.json?{draw}", polygon, 200, 200, false},
	{"POST", "/feature/:size/provenance.:format", "/feature/16x16/provenance.json?{draw}", polygon, 200, 200, false},
	{"POST", "/statistics", "/statistics?assets={a}", polygon, 200, 200, false},
	{"POST", "/feature", "/feature?{draw}", polygon, 200, 200, false},
	{"POST", "/feature/:size.:format", "/feature/16x16.png?{draw}", polygon, 200, 200, false},
	{"POST", "/feature.:format", "/feature.png?{draw}", polygon, 200, 200, false},
	{"GET", "/animation.:format", "/animation.gif?bbox=10.04,46.06,10.05,46.07&width=16&height=16&{draw}", "", 200, 404, false},
	{"GET", "/timeseries/point", "/timeseries/point?lon=10.045&lat=46.065&assets={a}", "", 200, 200, false},
	{"POST", "/timeseries/polygon", "/timeseries/polygon?assets={a}", polygon, 200, 200, false},
	{"GET", "/footprints/:tms/:z/:x/:y.mvt", "/footprints/WebMercatorQuad/14/{x}/{y}.mvt", "", 200, 200, true},
}

// byAddress are the routes that draw the item whose address is in url=, under /stac, and a file of it, under /cog.
var byAddress = []struct{ method, path, target, body string }{
	{"GET", "/tiles", "/tiles?", ""},
	{"GET", "/tiles/:tms", "/tiles/WebMercatorQuad?{stretch}", ""},
	{"GET", "/tiles/:tms/:z/:x/:y.:format", "/tiles/WebMercatorQuad/14/{x}/{y}.png?{stretch}", ""},
	{"GET", "/tiles/:tms/:z/:x/:y", "/tiles/WebMercatorQuad/14/{x}/{y}?{stretch}", ""},
	{"GET", "/:tms/tilejson.json", "/WebMercatorQuad/tilejson.json?{stretch}", ""},
	{"GET", "/:tms/WMTSCapabilities.xml", "/WebMercatorQuad/WMTSCapabilities.xml?{stretch}", ""},
	{"GET", "/WMTSCapabilities.xml", "/WMTSCapabilities.xml?{stretch}", ""},
	{"GET", "/:tms/map.html", "/WebMercatorQuad/map.html?", ""},
	{"GET", "/preview.:format", "/preview.png?{stretch}", ""},
	{"GET", "/preview", "/preview?{stretch}", ""},
	{"GET", "/preview/:size.:format", "/preview/16x16.png?{stretch}", ""},
	{"GET", "/bbox/:bbox/:size.:format", "/" + box + "/16x16.png?{stretch}", ""},
	{"GET", "/bbox/:bbox.:format", "/" + box + ".png?{stretch}", ""},
	{"GET", "/bounds", "/bounds?", ""},
	{"GET", "/info", "/info?", ""},
	{"GET", "/info.geojson", "/info.geojson?", ""},
	{"GET", "/statistics", "/statistics?", ""},
	{"GET", `/point/:lon\,:lat`, "/point/10.045,46.065?", ""},
	{"POST", "/feature", "/feature?{stretch}", polygon},
	{"POST", "/feature/:size.:format", "/feature/16x16.png?{stretch}", polygon},
	{"POST", "/feature.:format", "/feature.png?{stretch}", polygon},
	{"POST", "/statistics", "/statistics?", polygon},
}

// matrix has a row for every route: one that has none fails the test. A new route of a door needs its row above, and nothing else.
func matrix() []row {
	all := append([]row(nil), single...)
	for _, b := range byAddress {
		assets := "&assets={a}"
		if strings.Contains(b.path, "bounds") || strings.Contains(b.path, "info") {
			assets = ""
		}
		good, gone := 200, 404
		if strings.Contains(b.path, "map.") {
			good, gone = 302, 302 // the same page for all
		}
		all = append(all, row{b.method + " /stac" + b.path, "/stac" + b.target + "&url={u}" + assets, b.body, good, gone, ""},
			row{b.method + " /cog" + b.path, "/cog" + b.target + "&url={u}/assets/{a}", b.body, good, gone, ""})
	}
	for _, m := range mosaics {
		if m.whole {
			all = append(all, row{m.method + " " + m.path, m.target, m.body, m.good, m.good, ""})
		}
		searched := 404 // the search is not there
		if strings.Contains(m.path, "map.") {
			searched = m.good // the same page for all
		}
		all = append(all, row{m.method + " /collections/:collection" + m.path, "/collections/{c}" + m.target, m.body, m.good, m.gone, ""},
			row{m.method + " /searches/:search" + m.path, "/searches/{s}" + m.target, m.body, m.good, searched, ""})
	}
	return all
}
