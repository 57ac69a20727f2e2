// Package cschttp speaks the OData of the Copernicus Data Space Ecosystem ("CSC OData"): its tools, and another Swath, mirror from this
// one as from a hub.
//
//	GET /odata/v1/Products?$filter=… ─▶ odata.ParseFilter ─▶ stac.Search ─▶ rows in the hub's words
//	GET /odata/v1/DeletedProducts?…  ─▶ the same filter on what is gone
//	GET /odata/v1/Products(ID)/$value ─▶ item by UUID ─▶ the download of its product
//	POST …/token                      ─▶ a key of a short life
//
// Rows are listed by publication, modification or deletion, which are moments of this server: whoever lists them follows it without gaps.
package cschttp

import (
	"context"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/compat"
	"swath/compat/odata"
	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

// Catalog is what products are found in.
type Catalog interface {
	compat.Searcher
	ItemByUUID(ctx context.Context, uuid string) (stac.Item, error)
	Collections(ctx context.Context) ([]stac.Collection, error)
	GoneCollections(ctx context.Context) ([]string, error)
	DeletedItems(ctx context.Context, q stac.Search, skip int) (stac.DeletedPage, error)
}

// File is an open object.
type File interface {
	io.ReaderAt
	io.Closer
}

// API is the door.
type API struct {
	Catalog Catalog
	// Download sends an asset of an item, or orders it.
	Download func(c *fiber.Ctx, collection, item, asset string) error
	// Open opens an asset of an item, for its parts.
	Open func(ctx context.Context, collection, item, asset string) (f File, size int64, err error)
	// Tell says of items what is in the archive; nil: nothing is.
	Tell func(ctx context.Context, base string, items []stac.Item) error
	// SignIn gives a token to whom a name and a password, or a token of before, belong.
	SignIn func(ctx context.Context, name, password, from string) (token string, life time.Duration, err error)

	// Bucket and what comes before the keys in it, where objects are in S3: what S3Path begins with.
	Bucket string

	pages *compat.Pages
}

// TokenPath is where tokens are given, as at the hub's identity server.
const TokenPath = realm + "/protocol/openid-connect/token"

// Mount adds the routes.
func (a API) Mount(r fiber.Router) {
	a.pages = &compat.Pages{Catalog: a.Catalog}
	r.Get("/odata/v1/Products", worded(a.products))
	r.Post("/odata/v1/Products/OData.CSC.FilterList", worded(a.filterList))
	r.Get("/odata/v1/DeletedProducts", worded(a.deleted))
	r.Get(`/odata/v1/Attributes\(:name\)`, worded(a.attributes))
	r.Get(`/odata/v1/Products\(:id\)`, worded(a.product))
	r.Get(`/odata/v1/Products\(:id\)/$value`, worded(a.value))
	r.Get(`/odata/v1/Products\(:id\)/*`, worded(a.nodes))
	if a.SignIn != nil {
		r.Post(TokenPath, a.token)
		r.Get(realm+"/.well-known/openid-configuration", a.discovery)
		r.Get(realm+"/protocol/openid-connect/certs", a.certificates)
	}
}

// worded lets a handler's errors leave in the hub's words.
func worded(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := h(c)
		if err == nil {
			return nil
		}
		return httpkit.Worded(c, err, func(_ int, detail string) any { return map[string]string{"detail": detail} })
	}
}

// Limits of a page, as at the hub.
const (
	defaultTop = 20
	mostTop    = 1000
	mostSkip   = 10_000
	mostNames  = 1000
)

// query is what the parameters of a list say.
type query struct {
	values    url.Values
	search    stac.Search
	top, skip int
	count     bool
	expand    map[string]bool
	choose    []string // of $select; nil: all
	online    *bool    // that Online must be; nil: anything
}

var options = []string{"$filter", "$orderby", "$top", "$skip", "$count", "$expand", "$select", "$format"}

// read reads the parameters.
func (a API) read(c *fiber.Ctx, deleted bool) (q query, err error) {
	if q.values, err = url.ParseQuery(string(c.Context().URI().QueryString())); err != nil {
		return q, fault.New(fault.Invalid, "the query is not encoded as an address")
	}
	known := map[string]bool{}
	for _, o := range options {
		known[o] = true
	}
	for name := range q.values {
		if !known[name] {
			return q, fault.New(fault.Invalid, "unknown option %.60q; known here: %s", name, strings.Join(options, ", "))
		}
	}
	if q.top, err = whole(q.values, "$top", defaultTop, mostTop); err != nil {
		return q, err
	}
	if q.skip, err = whole(q.values, "$skip", 0, mostSkip); err != nil {
		return q, err
	}
	q.count = strings.EqualFold(q.values.Get("$count"), "true")
	q.expand = map[string]bool{}
	for _, list := range q.values["$expand"] {
		for one := range strings.SplitSeq(list, ",") {
			q.expand[strings.TrimSpace(one)] = true
		}
	}
	for _, list := range q.values["$select"] {
		for one := range strings.SplitSeq(list, ",") {
			q.choose = append(q.choose, strings.TrimSpace(one))
		}
	}
	all, err := a.Catalog.Collections(c.UserContext())
	if err != nil {
		return q, err
	}
	if deleted {
		gone, err := a.Catalog.GoneCollections(c.UserContext())
		if err != nil {
			return q, err
		}
		for _, id := range gone {
			all = append(all, stac.Collection{ID: id})
		}
	}
	names := odata.Names{Collections: func(name string) []string { return members(all, name) }, Product: func(uuid string) (string, string, bool, error) {
		it, err := a.Catalog.ItemByUUID(c.UserContext(), uuid)
		if fault.Is(err, fault.NotFound) {
			return "", "", false, nil
		}
		return it.Collection, it.ID, err == nil, err
	}}
	q.search = stac.Search{Products: true, Limit: max(q.top, 1), Uncounted: !q.count}
	if q.search.Filter, err = odata.ParseFilter(q.values.Get("$filter"), names); err != nil {
		return q, err
	}
	if q.search.Filter, q.online, err = odata.Split(q.search.Filter); err != nil {
		return q, err
	}
	if deleted && q.online != nil {
		return q, fault.New(fault.Invalid, "what is deleted is neither online nor not")
	}
	key, err := odata.ParseOrder(q.values.Get("$orderby"), deleted)
	q.search.Sort = []stac.SortKey{key}
	return q, err
}

// whole reads a bounded number; what is out of bounds is refused as the hub does.
func whole(values url.Values, name string, otherwise, most int) (int, error) {
	text := values.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, fiber.NewError(fiber.StatusUnprocessableEntity, name+" is a whole number from 0 to "+strconv.Itoa(most))
	}
	return n, nil
}

// families are the collections of the hub, by the beginnings of the names of ours that they are.
var families = map[string]string{"SENTINEL-1": "sentinel-1-", "SENTINEL-2": "sentinel-2-", "SENTINEL-3": "sentinel-3-", "SENTINEL-5P": "sentinel-5p-", "SENTINEL-6": "sentinel-6-"}

func members(all []stac.Collection, name string) (ids []string) {
	begin, family := families[strings.ToUpper(name)]
	for _, c := range all {
		if strings.EqualFold(c.ID, name) || family && strings.HasPrefix(c.ID, begin) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// products serves GET /odata/v1/Products.
func (a API) products(c *fiber.Ctx) error {
	q, err := a.read(c, false)
	if err != nil {
		return err
	}
	if q.online != nil {
		return a.productsOnline(c, q)
	}
	page, err := a.pages.At(c.UserContext(), q.search, q.skip)
	if err != nil {
		return err
	}
	rows, err := a.rows(c, page.Items[:min(len(page.Items), q.top)], q)
	page.Release()
	if err != nil {
		return err
	}
	return c.JSON(answer(httpkit.BaseURL(c)+"/odata/v1/Products", q, rows, page.Next != "" && q.top > 0, page.Matched))
}

// mostLooked bounds the products of which it is asked whether they are online.
const mostLooked = 100_000

// productsOnline answers with products that are online, or are not. The catalog does not know which are, so the products of the rest of the filter are
// looked at one by one.
func (a API) productsOnline(c *fiber.Ctx, q query) error {
	s, base := q.search, httpkit.BaseURL(c)
	s.Limit, s.Uncounted = mostTop, true
	rows, found, looked, more := []any{}, int64(0), 0, false
	for !more || q.count {
		page, err := a.Catalog.Search(c.UserContext(), s)
		if err != nil {
			return err
		}
		err = a.eachOnline(c.UserContext(), base, page.Items, *q.online, func(p compat.Product) {
			if found++; found > int64(q.skip+q.top) {
				more = true
			} else if found > int64(q.skip) {
				rows = append(rows, a.row(base, p, q))
			}
		})
		looked += len(page.Items)
		s.Token = page.Next
		if page.Release(); err != nil {
			return err
		}
		if s.Token == "" {
			break
		}
		if looked >= mostLooked && (!more || q.count) {
			return fiber.NewError(fiber.StatusUnprocessableEntity, "Online is looked up for 100000 products at most: narrow the filter, by dates for example")
		}
	}
	return c.JSON(answer(base+"/odata/v1/Products", q, rows, more && q.top > 0, &found))
}

// eachOnline goes through those of some items that are online, or are not.
func (a API) eachOnline(ctx context.Context, base string, items []stac.Item, online bool, each func(compat.Product)) error {
	if a.Tell != nil {
		if err := a.Tell(ctx, base, items); err != nil {
			return err
		}
	}
	for _, it := range items {
		p, err := compat.Read(it)
		if err != nil {
			return err
		}
		if p.Online() == online {
			each(p)
		}
	}
	return nil
}

// answer is a list as the hub writes it.
func answer(address string, q query, rows []any, more bool, matched *int64) map[string]any {
	out := map[string]any{"@odata.context": "$metadata#Products", "value": rows}
	if q.count && matched != nil {
		out["@odata.count"] = *matched
	}
	if next := q.skip + len(rows); more && next+q.top <= mostSkip {
		values := url.Values{}
		for name, v := range q.values {
			values[name] = v
		}
		values.Set("$skip", strconv.Itoa(next))
		values.Set("$top", strconv.Itoa(q.top))
		out["@odata.nextLink"] = address + "?" + strings.ReplaceAll(values.Encode(), "+", "%20")
	}
	return out
}

// rows makes rows of items, with what is in the archive.
func (a API) rows(c *fiber.Ctx, items []stac.Item, q query) ([]any, error) {
	base := httpkit.BaseURL(c)
	if a.Tell != nil {
		if err := a.Tell(c.UserContext(), base, items); err != nil {
			return nil, err
		}
	}
	rows := make([]any, len(items))
	for i, it := range items {
		p, err := compat.Read(it)
		if err != nil {
			return nil, err
		}
		rows[i] = a.row(base, p, q)
	}
	return rows, nil
}

// deleted serves GET /odata/v1/DeletedProducts.
func (a API) deleted(c *fiber.Ctx) error {
	q, err := a.read(c, true)
	if err != nil {
		return err
	}
	q.search.Limit = q.top
	page, err := a.Catalog.DeletedItems(c.UserContext(), q.search, q.skip)
	if err != nil {
		return err
	}
	rows := make([]any, len(page.Items))
	for i, d := range page.Items {
		p, err := compat.Read(d.Item)
		if err != nil {
			return err
		}
		rows[i] = deletedRow(httpkit.BaseURL(c), p, d.Deleted, q)
	}
	return c.JSON(answer(httpkit.BaseURL(c)+"/odata/v1/DeletedProducts", q, rows, page.More && q.top > 0, page.Matched))
}

// find returns the item that the path names.
func (a API) find(c *fiber.Ctx) (stac.Item, error) {
	return a.Catalog.ItemByUUID(c.UserContext(), strings.Trim(c.Params("id"), "'"))
}

// product serves GET /odata/v1/Products(ID).
func (a API) product(c *fiber.Ctx) error {
	it, err := a.find(c)
	if err != nil {
		return err
	}
	rows, err := a.rows(c, []stac.Item{it}, query{expand: map[string]bool{"Attributes": strings.Contains(c.Query("$expand"), "Attributes"), "Assets": strings.Contains(c.Query("$expand"), "Assets")}})
	if err != nil {
		return err
	}
	return c.JSON(rows[0])
}

// value serves GET /odata/v1/Products(ID)/$value.
func (a API) value(c *fiber.Ctx) error {
	it, err := a.find(c)
	if err != nil {
		return err
	}
	return a.Download(c, it.Collection, it.ID, stac.ProductAsset)
}

// filterList serves POST /odata/v1/Products/OData.CSC.FilterList: products by their names.
func (a API) filterList(c *fiber.Ctx) error {
	var asked struct {
		FilterProducts []struct{ Name string }
	}
	if err := c.App().Config().JSONDecoder(c.Body(), &asked); err != nil || len(asked.FilterProducts) == 0 || len(asked.FilterProducts) > mostNames {
		return fault.New(fault.Invalid, `the body is {"FilterProducts":[{"Name":"…"}]}, with 1 to %d names`, mostNames)
	}
	q := query{expand: map[string]bool{}, search: stac.Search{Products: true, Limit: mostNames, Sort: []stac.SortKey{{Property: stac.Published}}}}
	for _, one := range asked.FilterProducts {
		q.search.IDs = append(q.search.IDs, compat.IDOf(one.Name))
	}
	page, err := a.Catalog.Search(c.UserContext(), q.search)
	if err != nil {
		return err
	}
	rows, err := a.rows(c, page.Items, q)
	page.Release()
	if err != nil {
		return err
	}
	return c.JSON(map[string]any{"@odata.context": "$metadata#Products", "value": rows})
}

// attributes serves GET /odata/v1/Attributes(COLLECTION).
func (a API) attributes(c *fiber.Ctx) error {
	all, err := a.Catalog.Collections(c.UserContext())
	if err != nil {
		return err
	}
	if name := strings.Trim(c.Params("name"), "'"); len(members(all, name)) == 0 {
		return fault.New(fault.NotFound, "there is no collection %.60q", name)
	}
	return c.JSON(attributeList())
}
