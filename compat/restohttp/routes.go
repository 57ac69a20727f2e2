// Package restohttp speaks resto's OpenSearch GeoJSON, which PEPS spoke: peps_download.py and EODAG's plugin "peps" run unmodified.
//
//	GET /resto/api/collections/{S1|S2|S2ST|…}/search.json ─▶ question ─▶ stac.Search ─▶ features in resto's words
//	GET /resto/collections/{c}/{uuid}/download             ─▶ item by UUID ─▶ the download of its product
//
// Errors are {"ErrorMessage", "ErrorCode"}; a product that is in the archive is ordered by asking for it: 202, without a body.
package restohttp

import (
	"context"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/compat"
	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

// Catalog is what products are found in.
type Catalog interface {
	compat.Searcher
	ItemByUUID(ctx context.Context, uuid string) (stac.Item, error)
	Collections(ctx context.Context) ([]stac.Collection, error)
}

// API is the door.
type API struct {
	Catalog Catalog
	// Download sends an asset of an item, or orders it.
	Download func(c *fiber.Ctx, collection, item, asset string) error
	// Tell says of items what is in the archive; nil: nothing is.
	Tell func(ctx context.Context, base string, items []stac.Item) error

	pages *compat.Pages
}

// Mount adds the routes.
func (a API) Mount(r fiber.Router) {
	a.pages = &compat.Pages{Catalog: a.Catalog}
	r.Get("/resto/api/collections/:collection/search.json", worded(a.search))
	r.Get("/resto/api/collections/:collection/describe.xml", worded(a.describe))
	r.Get("/resto/collections/:collection/:product/download", worded(a.download))
	r.Get("/resto/collections/:collection/:product", worded(a.product))
}

// worded lets a handler's errors leave in resto's words.
func worded(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := h(c)
		if err == nil {
			return nil
		}
		return httpkit.Worded(c, err, func(status int, detail string) any {
			return map[string]any{"ErrorMessage": detail, "ErrorCode": status}
		})
	}
}

// members returns the collections here that one of resto's stands for: those of a mission, or one of ours by its own name.
func (a API) members(ctx context.Context, name string) (ids []string, err error) {
	all, err := a.Catalog.Collections(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.ID
	}
	ids, family := compat.Members(name, names)
	if len(ids) == 0 && !family {
		return nil, fault.New(fault.NotFound, "there is no collection %q", name)
	}
	return ids, nil
}

// search serves GET /resto/api/collections/{collection}/search.json.
func (a API) search(c *fiber.Ctx) error {
	values, err := url.ParseQuery(string(c.Context().URI().QueryString()))
	if err != nil {
		return fault.New(fault.Invalid, "the query is not encoded as an address")
	}
	name := c.Params("collection")
	ids, err := a.members(c.UserContext(), name)
	if err != nil {
		return err
	}
	q, err := parse(name, ids, values)
	if err != nil {
		return err
	}
	if q.uuid != "" {
		q.IDs = []string{""} // of nothing, but of the product that the UUID names
		if it, err := a.Catalog.ItemByUUID(c.UserContext(), q.uuid); err == nil {
			q.IDs = []string{it.ID}
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	var page stac.Page
	if len(ids) > 0 { // else the archive has nothing of the mission, which is an answer
		if page, err = a.pages.At(c.UserContext(), q.Search, q.index-1); err != nil {
			return err
		}
	} else {
		page.Matched = new(int64)
	}
	products, err := a.read(c, page.Items)
	page.Release()
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(answer(httpkit.BaseURL(c), name, values, q, page, products))
}

// read makes products of items, with what is in the archive.
func (a API) read(c *fiber.Ctx, items []stac.Item) ([]compat.Product, error) {
	if a.Tell != nil {
		if err := a.Tell(c.UserContext(), httpkit.BaseURL(c), items); err != nil {
			return nil, err
		}
	}
	products := make([]compat.Product, len(items))
	for i, it := range items {
		var err error
		if products[i], err = compat.Read(it); err != nil {
			return nil, err
		}
	}
	return products, nil
}

// find returns the item that the path names by its UUID, of the collection that it names.
func (a API) find(c *fiber.Ctx) (stac.Item, error) {
	name, uuid := c.Params("collection"), strings.TrimSuffix(c.Params("product"), ".json")
	it, err := a.Catalog.ItemByUUID(c.UserContext(), uuid)
	if err != nil {
		return it, err
	}
	if ids, _ := compat.Members(name, []string{it.Collection}); len(ids) == 0 {
		return it, fault.New(fault.NotFound, "there is no product %.60q in collection %q", uuid, name)
	}
	return it, nil
}

// product serves GET /resto/collections/{collection}/{uuid}.json.
func (a API) product(c *fiber.Ctx) error {
	it, err := a.find(c)
	if err != nil {
		return err
	}
	products, err := a.read(c, []stac.Item{it})
	if err != nil {
		return err
	}
	return c.JSON(feature(httpkit.BaseURL(c), c.Params("collection"), products[0]))
}

// download serves GET /resto/collections/{collection}/{uuid}/download.
func (a API) download(c *fiber.Ctx) error {
	it, err := a.find(c)
	if err != nil {
		return err
	}
	return a.Download(c, it.Collection, it.ID, stac.ProductAsset)
}
