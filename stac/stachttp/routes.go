package stachttp

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/openapi"
	"swath/stac"
)

// API serves a catalog.
type API struct {
	Catalog stac.Catalog
	Analyst stac.Analyst
	Editor  stac.Editor // nil: nothing can be changed
	Carts   stac.Carts
	Memory  stac.Memory
	Changes string // who may change the catalog: Local, Open or Closed
	// Generation is another number whenever the collections may have changed.
	Generation func() uint64
	Document   func() []byte // the OpenAPI document as JSON
	// Tell puts into items what is known of them beside the catalog, as the user of a request sees it; nil: nothing is known.
	Tell func(ctx context.Context, base string, items []stac.Item) error

	kept    *rendered
	presets *presets
	streams chan struct{} // a place in it for each search that is being sent whole
}

// Mount adds the routes. A browser that asks for / is passed on to the next handler: the web page.
func (a API) Mount(r fiber.Router) {
	a.kept, a.presets, a.streams = &rendered{}, &presets{}, make(chan struct{}, mostStreams)
	r.Get("/", a.landing)
	r.Get("/conformance", a.conformance)
	r.Get("/api", a.document)
	r.Get("/api.html", a.documentPage)
	r.Get("/queryables", a.queryables)
	r.Get("/search", a.search)
	r.Post("/search", a.searchByBody)
	r.Get("/collections", a.collections)
	r.Get("/collections/:collection", a.collection)
	r.Get("/collections/:collection/queryables", a.queryables)
	for _, under := range []string{"", "/collections/:collection"} {
		r.Get(under+"/aggregations", a.aggregations)
		r.Get(under+"/aggregate", a.aggregateByQuery)
		r.Post(under+"/aggregate", a.aggregateByBody)
	}
	r.Get("/children", a.children)
	r.Get("/browse", a.browse)
	r.Get("/browse/:mission", a.browse)
	r.Get("/collections/:collection/browse", a.browseCollection)
	r.Get("/collections/:collection/browse/:year", a.browseCollection)
	r.Get("/collections/:collection/browse/:year/:leaf", a.browseCollection)
	r.Get("/collections/:collection/items", a.items)
	r.Get("/collections/:collection/items/:item", a.item)
	r.Get("/deletions", a.deletions)
	a.mountCarts(r)
	if a.Editor != nil {
		a.mountTransactions(r)
	}
}

// conformsTo names what is truly there, and nothing else.
var conformsTo = classes()

// classes lists those of STAC API, its extensions, and of the OGC APIs: Features, Tiles, Processes.
func classes() []string {
	all := []string{
		"https://api.stacspec.org/v1.0.0/core",
		"https://api.stacspec.org/v1.0.0/collections",
		"https://api.stacspec.org/v1.0.0/ogcapi-features",
		"https://api.stacspec.org/v1.0.0/item-search",
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
		"http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
		"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
		"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
		"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
		"https://api.stacspec.org/v1.0.0-rc.1/item-search#free-text",
		"https://api.stacspec.org/v1.0.0-rc.1/item-search#advanced-free-text",
		"https://api.stacspec.org/v1.0.0-rc.1/ogcapi-features#free-text",
		"https://api.stacspec.org/v1.0.0-rc.1/ogcapi-features#advanced-free-text",
	}
	all = append(all, "https://api.stacspec.org/v1.0.0/ogcapi-features/extensions/transaction",
		"https://api.stacspec.org/v1.0.0/collections/extensions/transaction",
		"http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/simpletx")
	for _, part := range []string{"item-search", "ogcapi-features"} {
		for _, class := range []string{"fields", "query", "sort"} {
			all = append(all, "https://api.stacspec.org/v1.0.0/"+part+"#"+class)
		}
		all = append(all, "https://api.stacspec.org/v1.1.0/"+part+"#sort")
	}
	all = append(all, "https://api.stacspec.org/v1.0.0-rc.1/collection-search", "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/simple-query",
		"https://api.stacspec.org/v1.0.0-rc.1/collection-search#free-text", "https://api.stacspec.org/v1.0.0-rc.1/collection-search#advanced-free-text",
		"https://api.stacspec.org/v1.0.0-rc.1/collection-search#filter", "https://api.stacspec.org/v1.0.0-rc.1/collection-search#sort",
		"https://api.stacspec.org/v1.0.0-rc.1/collection-search#fields", "https://api.stacspec.org/v1.0.0-rc.1/collection-search#query",
		"https://api.stacspec.org/v0.3.0/aggregation", "https://api.stacspec.org/v1.0.0-rc.2/children", "https://api.stacspec.org/v1.0.0-rc.2/browseable",
		"https://api.stacspec.org/v1.0.0-rc.2/language")
	all = append(all, "https://api.stacspec.org/v1.0.0/item-search#filter", "https://api.stacspec.org/v1.0.0-rc.3/item-search#filter")
	for _, class := range []string{"cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
		"accent-insensitive-comparison", "basic-spatial-functions", "basic-spatial-functions-plus", "spatial-functions", "temporal-functions",
		"array-functions", "property-property", "arithmetic"} {
		all = append(all, "http://www.opengis.net/spec/cql2/1.0/conf/"+class)
	}
	for _, class := range []string{"core", "tileset", "tilesets-list", "geodata-tilesets", "dataset-tilesets", "collections-selection", "png", "jpeg", "tiff", "oas30"} {
		all = append(all, "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"+class)
	}
	for _, class := range []string{"core", "json", "ogc-process-description", "oas30", "html", "job-list", "dismiss", "callback"} {
		all = append(all, "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"+class)
	}
	for _, class := range []string{"deploy-replace-undeploy", "cwl", "ogcapppkg"} {
		all = append(all, "http://www.opengis.net/spec/ogcapi-processes-2/1.0/conf/"+class)
	}
	return append(all, "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset", "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset")
}

// links renders for the address that this client uses.
func links(c *fiber.Ctx) stac.Links { return stac.Links{Base: httpkit.BaseURL(c)} }

// query returns the parameters of a request; those not in known are refused.
func query(c *fiber.Ctx, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(string(c.Context().URI().QueryString()))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the query is not well formed")
	}
	if f := q.Get("f"); q.Has("f") && f != "json" && f != "html" {
		if _, ok := streamed[f]; !ok || !slices.Contains(known, "sortby") || !slices.Contains(known, "token") || c.Path() == "/collections" {
			return nil, fault.New(fault.Invalid, "f is %q; it may be json or html, and of a search ndjson, geojsonseq or parquet", f)
		}
	}
	return q, stac.OnlyParams(q, known...)
}

// landing serves GET /.
func (a API) landing(c *fiber.Ctx) error {
	if httpkit.WantsHTML(c) {
		return c.Next()
	}
	_, p, err := localQuery(c)
	if err != nil {
		return err
	}
	all, err := a.Catalog.Collections(c.UserContext())
	if err != nil {
		return err
	}
	all = slices.Clone(all)
	l, _ := localize(links(c), p, all)
	say(c, l.Language)
	root := stac.Root{
		Version: stac.Version, Id: "swath", Title: "Swath", ConformsTo: conformsTo,
		Description: l.Text("Earth observation products: search them, download them by range, draw them as map tiles."),
		Links: []*stac.Link{
			{Rel: "self", Href: l.Base + "/", Type: stac.TypeJSON, Title: l.Text("This catalog")},
			{Rel: "root", Href: l.Base + "/", Type: stac.TypeJSON, Title: l.Text("This catalog")},
			{Rel: "alternate", Href: l.Base + "/?f=html", Type: stac.TypeHTML, Title: l.Text("The map")},
			{Rel: "conformance", Href: l.Base + "/conformance", Type: stac.TypeJSON, Title: l.Text("The parts of standards that are obeyed")},
			{Rel: "service-desc", Href: l.Base + "/api", Type: openapi.MediaType, Title: l.Text("The API, for programs")},
			{Rel: "service-doc", Href: l.Base + "/api.html", Type: stac.TypeHTML, Title: l.Text("The API, for people")},
			{Rel: "data", Href: l.Base + "/collections", Type: stac.TypeJSON, Title: l.Text("Collections")},
			{Rel: "search", Href: l.Base + "/search", Type: stac.TypeGeoJSON, Title: l.Text("Search"), Method: fiber.MethodGet},
			{Rel: "search", Href: l.Base + "/search", Type: stac.TypeGeoJSON, Title: l.Text("Search"), Method: fiber.MethodPost},
			{Rel: stac.RelQueryables, Href: l.Base + "/queryables", Type: stac.TypeSchema, Title: l.Text("What items can be searched by")},
			{Rel: "aggregations", Href: l.Base + "/aggregations", Type: stac.TypeJSON, Title: l.Text("What can be counted")},
			{Rel: "aggregate", Href: l.Base + "/aggregate", Type: stac.TypeJSON, Title: l.Text("Counts of a search")},
			{Rel: stac.RelDeletions, Href: l.Base + "/deletions", Type: stac.TypeJSON, Title: l.Text("What left the catalog")},
			{Rel: "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", Href: l.Base + "/tileMatrixSets", Type: stac.TypeJSON, Title: l.Text("Tile matrix sets")},
			{Rel: stac.RelTileSets, Href: l.Base + "/tiles", Type: stac.TypeJSON, Title: l.Text("Map tiles of all items")},
			{Rel: "http://www.opengis.net/def/rel/ogc/1.0/processes", Href: l.Base + "/processes", Type: stac.TypeJSON, Title: l.Text("What can be computed here")},
			{Rel: "http://www.opengis.net/def/rel/ogc/1.0/job-list", Href: l.Base + "/jobs", Type: stac.TypeJSON, Title: l.Text("One's jobs")},
			{Rel: "children", Href: l.Base + "/children", Type: stac.TypeJSON, Title: l.Text("The children of this catalog")},
		},
	}
	for _, one := range all {
		root.Links = append(root.Links, &stac.Link{Rel: "child", Href: l.CollectionURL(one.ID), Type: stac.TypeJSON, Title: read(one.Body).name()})
	}
	root.Links = append(root.Links, &stac.Link{Rel: "child", Href: l.Base + "/browse", Type: stac.TypeJSON, Title: l.Text("All items, by mission, level, year and tile")})
	body, err := root.MarshalJSON()
	if err == nil {
		body, err = languageMembers(body, l)
	}
	if err != nil {
		return err
	}
	return httpkit.Send(c, stac.TypeJSON, body)
}

// conformance serves GET /conformance.
func (a API) conformance(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	body, err := json.Marshal(fiber.Map{"conformsTo": conformsTo})
	if err != nil {
		return err
	}
	return httpkit.Send(c, stac.TypeJSON, body)
}
