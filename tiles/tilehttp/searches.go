package tilehttp

import (
	"encoding/json"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

// register keeps a search, and answers with its id and where it is drawn.
func (a API) register(c *fiber.Ctx) error {
	if err := only(c); err != nil {
		return err
	}
	r, err := stac.NewRegisteredSearch(c.Body())
	if err != nil {
		return err
	}
	if err := a.Searches.RegisterSearch(c.UserContext(), r); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"id": r.ID, "links": searchLinks(c, r)})
}

// searchInfo serves what was registered.
func (a API) searchInfo(c *fiber.Ctx) error {
	if err := only(c); err != nil {
		return err
	}
	r, err := a.Searches.RegisteredSearch(c.UserContext(), c.Params("search"))
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.Map{"search": searchJSON(r), "links": searchLinks(c, r)})
}

const (
	someSearches = 10
	mostSearches = 1000 // of one page
)

// searches serves the list of what was registered, page by page.
func (a API) searches(c *fiber.Ctx) error {
	if err := only(c, "limit", "token"); err != nil {
		return err
	}
	q := queryOf(c)
	limit, err := q.whole("limit")
	if err != nil {
		return err
	}
	if limit == 0 {
		limit = someSearches
	}
	if limit > mostSearches {
		return fault.New(fault.Invalid, "limit %d: a page has at most %d searches", limit, mostSearches)
	}
	all, err := a.Searches.RegisteredSearches(c.UserContext(), q.one("token"), limit+1)
	if err != nil {
		return err
	}
	here := httpkit.BaseURL(c) + "/searches/list"
	links := []link{{Rel: "self", Href: here + drawing(c), Type: fiber.MIMEApplicationJSON}}
	if len(all) > limit {
		all = all[:limit]
		next := url.Values(queryOf(c))
		next.Set("token", all[limit-1].ID)
		links = append(links, link{Rel: "next", Href: here + "?" + next.Encode(), Type: fiber.MIMEApplicationJSON})
	}
	list := make([]fiber.Map, len(all))
	for i, r := range all {
		list[i] = fiber.Map{"search": searchJSON(r), "links": searchLinks(c, r)}
	}
	return sendJSON(c, fiber.Map{"searches": list, "links": links, "numberReturned": len(list)})
}

// searchJSON is a registered search with its id.
func searchJSON(r stac.RegisteredSearch) fiber.Map {
	var body map[string]json.RawMessage
	_ = json.Unmarshal(r.Body, &body) // it was written by NewRegisteredSearch
	out := fiber.Map{"id": r.ID, "search": body["search"], "metadata": json.RawMessage("{}")}
	if metadata, ok := body["metadata"]; ok {
		out["metadata"] = metadata
	}
	return out
}

func searchLinks(c *fiber.Ctx, r stac.RegisteredSearch) []link {
	here := httpkit.BaseURL(c) + "/searches/" + r.ID
	return []link{
		{Rel: "metadata", Href: here + "/info", Type: fiber.MIMEApplicationJSON, Title: "What was registered"},
		{Rel: "tilejson", Href: here + "/tilejson.json", Type: fiber.MIMEApplicationJSON, Title: "Map tiles"},
		{Rel: "wmts", Href: here + "/WMTSCapabilities.xml", Type: fiber.MIMEApplicationXML, Title: "Map tiles for QGIS and GDAL"},
		{Rel: "map", Href: here + "/map.html", Type: fiber.MIMETextHTML, Title: "Map"},
		{Rel: "item", Href: here + "/tiles/{tms}/{z}/{x}/{y}.png", Type: "image/png", Title: "A tile", Templated: true},
	}
}
