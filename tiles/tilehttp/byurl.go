package tilehttp

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/tiles"
)

// Clients of TiTiler name an item, or a file of it, by its own address: /stac/…?url=http://here/collections/c/items/i and
// /cog/…?url=http://here/collections/c/items/i/assets/a. These are the same routes as under the item.

// named is an item that an address in url= names, and the door by which it came.
type named struct{ collection, item, door string }

// mountByURL adds what TiTiler's clients ask for.
func (a API) mountByURL(r fiber.Router) {
	stac := func(path string, h fiber.Handler) { r.Get("/stac"+path, byURL("/stac", h)) }
	cog := func(path string, h fiber.Handler) { r.Get("/cog"+path, byURL("/cog", h)) }
	post := func(path string, h fiber.Handler) {
		r.Post("/stac"+path, byURL("/stac", h))
		r.Post("/cog"+path, byURL("/cog", h))
	}
	for _, both := range []func(string, fiber.Handler){stac, cog} {
		both("/tiles", a.tileSets)
		both("/tiles/:tms", a.tileSet)
		both("/tiles/:tms/:z/:x/:y.:format", a.tile)
		both("/tiles/:tms/:z/:x/:y", a.tile)
		both("/:tms/tilejson.json", a.tileJSON)
		both("/WMTSCapabilities.xml", a.wmts)
		both("/:tms/WMTSCapabilities.xml", a.wmts)
		both("/:tms/map.html", pageOf)
		both("/preview.:format", a.preview)
		both("/preview", a.preview)
		both("/preview/:size.:format", a.preview)
		both("/bbox/:bbox/:size.:format", a.crop) // before the next, whose box would take the size as well
		both("/bbox/:bbox.:format", a.crop)
		both("/bounds", a.itemBounds)
		both("/info", a.info)
		both("/info.geojson", a.infoFeature)
		both("/statistics", a.statistics)
		both(`/point/:lon\,:lat`, a.point)
	}
	post("/statistics", a.zonalStatistics)
	post("/feature", a.feature)
	post("/feature/:size.:format", a.feature)
	post("/feature.:format", a.feature)
	stac("/assets", a.itemAssets)
}

// byAddress reports whether what is asked for is named by url=.
func byAddress(c *fiber.Ctx) bool {
	_, ok := c.Locals(named{}).(named)
	return ok
}

// ofFile reports whether a file is asked for, and not its item.
func ofFile(c *fiber.Ctx) bool {
	n, _ := c.Locals(named{}).(named)
	return n.door == "/cog"
}

// byBand names statistics as TiTiler does those of a file: b1, b2, …
func byBand(c *fiber.Ctx, view *tiles.View, all map[string]tiles.BandStatistics, err error) (map[string]tiles.BandStatistics, error) {
	if err != nil || !ofFile(c) {
		return all, err
	}
	out := make(map[string]tiles.BandStatistics, len(all))
	for i, name := range view.Outputs() {
		out[fmt.Sprintf("b%d", i+1)] = all[name]
	}
	return out, nil
}

// byURL serves h for the item of url=; for a file of it, that asset is drawn.
func byURL(door string, h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		collection, item, asset, err := itemAt(c, queryOf(c))
		if err != nil {
			return err
		}
		if door == "/cog" {
			if asset == "" {
				return fault.New(fault.Invalid, "url %.200q is an item: draw it under /stac, and its files under /cog", queryOf(c).one("url"))
			}
			c.Context().QueryArgs().Set("assets", asset)
		} else if asset != "" {
			return fault.New(fault.Invalid, "url %.200q is a file of an item: draw it under /cog, and its item under /stac", queryOf(c).one("url"))
		}
		args := c.Context().QueryArgs()
		args.Del("url")
		if !args.Has("unscale") && !args.Has("render") && (args.Has("assets") || args.Has("expression")) {
			args.Set("unscale", "false") // TiTiler's default, by which its users' rescale is said; presets are of measured values
		}
		c.Locals(named{}, named{collection, item, door})
		return h(c)
	}
}

// itemAt reads the address of an item of this catalog, or of a file of one.
func itemAt(c *fiber.Ctx, q query) (collection, item, asset string, err error) {
	base := httpkit.BaseURL(c)
	if len(q["url"]) != 1 {
		return "", "", "", fault.New(fault.Invalid, "url names what to draw: one address of an item, as in url=%s/collections/{collection}/items/{item}", base)
	}
	path, here := strings.CutPrefix(q.one("url"), base+"/")
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i := range parts {
		if parts[i], err = url.PathUnescape(parts[i]); err != nil || parts[i] == "" {
			here = false
		}
	}
	isItem := here && (len(parts) == 4 || len(parts) == 6 && parts[4] == "assets") && parts[0] == "collections" && parts[2] == "items"
	if !isItem {
		return "", "", "", fault.New(fault.Invalid, "url %.200q is not of this catalog: what is drawn are its items, %s/collections/{collection}/items/{item}, and their files, …/assets/{asset}",
			q.one("url"), base)
	}
	if len(parts) == 6 {
		asset = parts[5]
	}
	return parts[1], parts[3], asset, nil
}

// itemOf is the item that a request is about.
func itemOf(c *fiber.Ctx) (collection, item string) {
	if n, ok := c.Locals(named{}).(named); ok {
		return n.collection, n.item
	}
	return c.Params("collection"), c.Params("item")
}

// pathOf is the path of a request; of one by url=, that of the same under the item.
func pathOf(c *fiber.Ctx) string {
	if n, ok := c.Locals(named{}).(named); ok {
		return "/collections/" + n.collection + "/items/" + n.item + strings.TrimPrefix(c.Path(), n.door)
	}
	return c.Path()
}
