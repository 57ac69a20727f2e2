// Package stacapi reads a hub that is a STAC API: items by the date of their last change, their assets as the files of a product.
//
//	search by date ─▶ rows (collection/item, a sum over what is said of it)
//	item ─▶ the assets that are wanted ─▶ one zip, or item.json with its files beside it
//
// There is no list of what was deleted: the counts of days tell. A Swath has one, to which its landing page links, and lists by when an item
// changed there, which it says of each row for the asking, whatever the item itself says. Sources: STAC API 1.0 with its extensions Filter, Query and Sort; the
// STAC extensions file, order, storage, alternate-assets.
package stacapi

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"swath/fault"
	"swath/ingest/hub"
	"swath/ingest/hub/wire"
	"swath/stac"
)

// Config says where an API is and what of it is wanted.
type Config struct {
	URL         string // of the landing page
	Wire        wire.Config
	S3          *wire.S3 // for addresses that begin with s3://; nil: they are not fetched
	Collections []string // empty: all
	Filter      string   // CQL2, text or JSON; empty: none
	Area        json.RawMessage
	Date        string   // the property by which changes are found; empty: swath:modified of a Swath, of others updated
	Assets      []string // keys of those that are wanted; empty: all that can be fetched
	PreferS3    bool     // where an asset has both addresses
	Page        int      // items of a page; 100
}

// Client is a hub. It is safe for concurrent use.
type Client struct {
	cfg  Config
	wire *wire.Client

	mu  sync.Mutex
	api *api // nil: not asked yet
}

var _ hub.Hub = (*Client)(nil)

// api is what a landing page says.
type api struct {
	filter, query, sort bool
	date                string // by which changes are found
	deletions           bool   // there is a list of what left
}

// New checks a configuration.
func New(cfg Config) (*Client, error) {
	if cfg.Page == 0 {
		cfg.Page = 100
	}
	if cfg.Page < 1 || cfg.Page > 10_000 {
		return nil, fault.New(fault.Invalid, "hub: page %d is not 1 to 10000", cfg.Page)
	}
	at, err := wire.Base(cfg.URL)
	if err != nil {
		return nil, err
	}
	cfg.URL, cfg.Wire.Trusted = at.String(), append([]string{at.Host}, cfg.Wire.Trusted...)
	return &Client{cfg: cfg, wire: wire.New(cfg.Wire)}, nil
}

// date is the property by which changes are found.
func (c *Client) date() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.api != nil {
		return c.api.date
	}
	return c.cfg.Date
}

// Orders is the one date that items have of themselves, and of a Swath when they left.
func (c *Client) Orders(ctx context.Context) ([]hub.Order, error) {
	a, err := c.landing(ctx)
	if err != nil || !a.deletions {
		return []hub.Order{hub.ByModification}, err
	}
	return []hub.Order{hub.ByModification, hub.ByDeletion}, nil
}

// landing asks what the API can do, once.
func (c *Client) landing(ctx context.Context) (api, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.api != nil {
		return *c.api, nil
	}
	var page struct {
		ConformsTo []string
		Links      []stac.PageLink
	}
	if _, err := c.wire.JSON(ctx, wire.Call{Address: c.cfg.URL}, &page); err != nil {
		return api{}, err
	}
	has := func(extension string) bool { return stac.SearchesBy(page.ConformsTo, extension) }
	a := api{filter: has("filter"), query: has("query"), sort: has("sort"), date: c.cfg.Date}
	if a.date == "" {
		var err error
		if a.date, err = c.dateOf(ctx, a); err != nil {
			return api{}, err
		}
	}
	if !a.filter && !a.query && a.date != "datetime" {
		return api{}, fault.New(fault.Invalid, "hub: %s can't search by %q (neither filter nor query among its conformance classes): say date: datetime", c.cfg.URL, a.date)
	}
	a.deletions = slices.ContainsFunc(page.Links, func(l stac.PageLink) bool { return l.Rel == stac.RelDeletions })
	c.api = &a
	return a, nil
}

// dateOf asks by which property an API knows what changed: that of a Swath is among its queryables.
func (c *Client) dateOf(ctx context.Context, a api) (string, error) {
	if !a.filter || !a.sort {
		return updated, nil
	}
	var schema struct{ Properties map[string]json.RawMessage }
	_, err := c.wire.JSON(ctx, wire.Call{Address: c.cfg.URL + "/queryables"}, &schema)
	if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		return "", err
	}
	if schema.Properties[stac.Modified] != nil {
		return stac.Modified, nil
	}
	return updated, nil
}

// updated is the property of STAC that says when an item changed.
const updated = "updated"

// instants writes the datetime of a range whose end is not included.
func instants(since, until time.Time) string {
	end := ".."
	if !until.IsZero() {
		end = until.Add(-time.Millisecond).UTC().Format(time.RFC3339Nano)
	}
	return since.UTC().Format(time.RFC3339Nano) + "/" + end
}

// search writes the body of a search.
func (c *Client) search(ctx context.Context, q hub.Query) (body map[string]any, sorted bool, err error) {
	a, err := c.landing(ctx)
	if err != nil {
		return nil, false, err
	}
	body = map[string]any{"limit": c.cfg.Page}
	if len(c.cfg.Collections) > 0 {
		body["collections"] = c.cfg.Collections
	}
	if c.cfg.Area != nil {
		body["intersects"] = c.cfg.Area
	}
	if a.date == stac.Modified { // which no item has of itself
		body["fields"] = map[string]any{"include": []string{"bbox", "geometry", "properties", "assets", "links", "properties." + stac.Published, "properties." + stac.Modified}}
	}
	date, from, to := a.date, q.Since, q.Until
	if q.By == hub.ByAcquisition {
		body["datetime"] = instants(q.Since, q.Until)
		from, to = q.Published, time.Time{}
		if date == "datetime" {
			from = time.Time{}
		}
	} else if date == "datetime" {
		body["datetime"] = instants(q.Since, q.Until)
		from, to = time.Time{}, time.Time{}
	}
	if err := c.condition(a, body, date, from, to); err != nil {
		return nil, false, err
	}
	if a.sort {
		by := a.date
		if q.By == hub.ByAcquisition {
			by = "datetime"
		}
		body["sortby"] = []any{map[string]any{"field": "properties." + by, "direction": "asc"}}
	}
	return body, a.sort, nil
}

// condition adds what the configuration asks for and a range of a date to a search.
func (c *Client) condition(a api, body map[string]any, date string, from, to time.Time) error {
	wanted := strings.TrimSpace(c.cfg.Filter)
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	if !a.filter {
		query := map[string]any{}
		if wanted != "" {
			if err := json.Unmarshal([]byte(wanted), &query); err != nil {
				return fault.New(fault.Invalid, "hub: filter: %s knows only the extension query, an object of properties: %v", c.cfg.URL, err)
			}
		}
		span := map[string]any{}
		if !from.IsZero() {
			span["gte"] = at(from)
		}
		if !to.IsZero() {
			span["lt"] = at(to)
		}
		if len(span) > 0 {
			query[date] = span
		}
		if len(query) > 0 {
			body["query"] = query
		}
		return nil
	}
	if wanted != "" && !strings.HasPrefix(wanted, "{") {
		parts := []string{"(" + wanted + ")"}
		for _, bound := range []struct {
			op string
			at time.Time
		}{{">=", from}, {"<", to}} {
			if !bound.at.IsZero() {
				parts = append(parts, `"`+date+`" `+bound.op+" TIMESTAMP('"+at(bound.at)+"')")
			}
		}
		body["filter"], body["filter-lang"] = strings.Join(parts, " AND "), "cql2-text"
		return nil
	}
	var parts []any
	if wanted != "" {
		parts = append(parts, json.RawMessage(wanted))
	}
	for _, bound := range []struct {
		op string
		at time.Time
	}{{">=", from}, {"<", to}} {
		if !bound.at.IsZero() {
			parts = append(parts, map[string]any{"op": bound.op, "args": []any{map[string]any{"property": date}, map[string]any{"timestamp": at(bound.at)}}})
		}
	}
	switch len(parts) {
	case 0:
		return nil
	case 1:
		body["filter"] = parts[0]
	default:
		body["filter"] = map[string]any{"op": "and", "args": parts}
	}
	body["filter-lang"] = "cql2-json"
	return nil
}

// found is a page of an answer.
type found struct {
	Features       []json.RawMessage
	Links          []stac.PageLink
	NumberMatched  *int64
	NumberReturned *int64
	Context        struct{ Matched *int64 } // of the context extension, which older servers have
}

// pages walks the pages of a search.
func (c *Client) pages(ctx context.Context, body map[string]any, yield func(found, time.Time) error) error {
	return stac.Walk(stac.PageLink{Href: c.cfg.URL + "/search", Method: "POST", Body: body}, func(at stac.PageLink) ([]stac.PageLink, bool, error) {
		call := wire.Call{Method: at.Method, Address: at.Href}
		if call.Method == "POST" {
			call.JSON = at.Body
		}
		var page found
		now, err := c.wire.JSON(ctx, call, &page)
		if err == nil {
			err = yield(page, now)
		}
		return page.Links, len(page.Features) > 0, err
	})
}

// left walks what left, of the wanted collections: whether the filter and the area want it, nobody knows any more.
func (c *Client) left(ctx context.Context, q hub.Query, yield func(hub.Page) error) error {
	query := url.Values{"since": {q.Since.UTC().Format(time.RFC3339Nano)}}
	if len(c.cfg.Collections) > 0 {
		query.Set("collections", strings.Join(c.cfg.Collections, ","))
	}
	return stac.Walk(stac.PageLink{Href: c.cfg.URL + "/deletions?" + query.Encode(), Method: "GET"}, func(at stac.PageLink) ([]stac.PageLink, bool, error) {
		var answer struct {
			Deletions []stac.Deletion
			Links     []stac.PageLink
		}
		now, err := c.wire.JSON(ctx, wire.Call{Address: at.Href}, &answer)
		if err != nil {
			return nil, false, err
		}
		page := hub.Page{Now: now, KnownAlone: true}
		for _, d := range answer.Deletions {
			id := d.Collection + "/" + d.ID
			page.Deletions = append(page.Deletions, hub.Deletion{ID: id, Name: id, At: d.Deleted, Cause: "deleted at the hub"})
		}
		return answer.Links, len(answer.Deletions) > 0, yield(page)
	})
}

// List walks the items by date. An API that can't sort hands them over in no order.
func (c *Client) List(ctx context.Context, q hub.Query, yield func(hub.Page) error) error {
	if q.By == hub.ByDeletion {
		return c.left(ctx, q, yield)
	}
	body, sorted, err := c.search(ctx, q)
	if err != nil {
		return err
	}
	return c.pages(ctx, body, func(f found, now time.Time) error {
		page := hub.Page{Now: now, Shuffled: !sorted}
		for _, raw := range f.Features {
			it, err := itemOf(raw)
			if err != nil {
				return fault.Wrap(fault.Unavailable, err, "hub: %s", c.cfg.URL)
			}
			page.Products = append(page.Products, c.row(it))
		}
		return yield(page)
	})
}

// Count asks for one item and what matches in all; an API that does not say is counted page by page.
func (c *Client) Count(ctx context.Context, q hub.Query) (n int64, err error) {
	body, _, err := c.search(ctx, q)
	if err != nil {
		return 0, err
	}
	delete(body, "sortby")
	body["limit"] = 1
	var first found
	if _, err := c.wire.JSON(ctx, wire.Call{Method: "POST", Address: c.cfg.URL + "/search", JSON: body}, &first); err != nil {
		return 0, err
	}
	switch {
	case first.NumberMatched != nil:
		return *first.NumberMatched, nil
	case first.Context.Matched != nil:
		return *first.Context.Matched, nil
	case len(first.Features) == 0:
		return 0, nil
	}
	body["limit"] = c.cfg.Page
	err = c.pages(ctx, body, func(f found, _ time.Time) error {
		n += int64(len(f.Features))
		return nil
	})
	return n, err
}

// Product asks for one item.
func (c *Client) Product(ctx context.Context, id string) (hub.Product, error) {
	it, err := c.item(ctx, id)
	if err != nil {
		return hub.Product{}, err
	}
	return c.row(it), nil
}

// item asks for one item by its row's id.
func (c *Client) item(ctx context.Context, id string) (item, error) {
	address, err := c.address(id)
	if err != nil {
		return item{}, err
	}
	var raw json.RawMessage
	if _, err := c.wire.JSON(ctx, wire.Call{Address: address}, &raw); err != nil {
		return item{}, err
	}
	return itemOf(raw)
}

func (c *Client) address(id string) (string, error) {
	collection, name, ok := strings.Cut(id, "/")
	if !ok {
		return "", fault.New(fault.NotFound, "hub: %q names no item", id)
	}
	return c.cfg.URL + "/collections/" + url.PathEscape(collection) + "/items/" + url.PathEscape(name), nil
}
