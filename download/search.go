package download

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// Search says which items are wanted. Empty fields ask for nothing.
type Search struct {
	Collections []string        `json:"collections,omitempty"`
	IDs         []string        `json:"ids,omitempty"`
	BBox        []float64       `json:"bbox,omitempty"`     // west, south, east, north in degrees
	Datetime    string          `json:"datetime,omitempty"` // an instant, or start/end
	Intersects  json.RawMessage `json:"intersects,omitempty"`
	Where       []Condition     `json:"where,omitempty"`
	Filter      string          `json:"filter,omitempty"` // CQL2 text, beside Where
	Words       string          `json:"words,omitempty"`  // looked for in title, description and keywords
	Limit       int             `json:"limit,omitempty"`  // items at most; 0: all
}

// Condition is a comparison that a property of each item has to meet.
type Condition struct {
	Property  string `json:"property"`
	Op        string `json:"op"`                   // =, <= or >=
	Value     any    `json:"value"`                // text, number or time.Time
	OrMissing bool   `json:"or_missing,omitempty"` // an item without the property meets it, too
}

// queryOps are the comparisons as the extension query calls them.
var queryOps = map[string]string{"=": "eq", "<=": "lte", ">=": "gte"}

// cql2 writes a condition as CQL2 JSON.
func (w Condition) cql2() any {
	property := map[string]any{"property": w.Property}
	value := w.Value
	if at, ok := value.(time.Time); ok {
		value = map[string]any{"timestamp": at.UTC().Format(time.RFC3339Nano)}
	}
	node := map[string]any{"op": w.Op, "args": []any{property, value}}
	if w.OrMissing {
		return map[string]any{"op": "or", "args": []any{node, map[string]any{"op": "isNull", "args": []any{property}}}}
	}
	return node
}

// searchAbility is what an API's search knows beside its core.
type searchAbility struct{ filter, query, words bool }

// ability asks the landing page, once. An API without one is taken at its best.
func (c *Client) ability(ctx context.Context) (searchAbility, error) {
	c.mu.Lock()
	known := c.able
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	var page struct{ ConformsTo []string }
	_, err := c.call(ctx, http.MethodGet, c.at("/"), nil, &page)
	a := searchAbility{filter: stac.SearchesBy(page.ConformsTo, "filter"), query: stac.SearchesBy(page.ConformsTo, "query"),
		words: stac.SearchesBy(page.ConformsTo, "free-text")}
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		a, err = searchAbility{filter: true}, nil
	}
	if err == nil {
		c.mu.Lock()
		c.able = &a
		c.mu.Unlock()
	}
	return a, err
}

const pageItems = 100

// body writes a search as it is sent.
func (c *Client) body(ctx context.Context, s Search) (map[string]any, error) {
	body := map[string]any{"limit": pageItems}
	if s.Limit > 0 {
		body["limit"] = min(pageItems, s.Limit)
	}
	if len(s.Collections) > 0 {
		body["collections"] = s.Collections
	}
	if len(s.IDs) > 0 {
		body["ids"] = s.IDs
	}
	if len(s.BBox) > 0 {
		body["bbox"] = s.BBox
	}
	if s.Datetime != "" {
		body["datetime"] = s.Datetime
	}
	if s.Intersects != nil {
		body["intersects"] = s.Intersects
	}
	if len(s.Where) == 0 && s.Filter == "" && s.Words == "" {
		return body, nil
	}
	able, err := c.ability(ctx)
	if err != nil {
		return nil, err
	}
	if s.Words != "" {
		if !able.words {
			return nil, fault.New(fault.Invalid, "%s can't search for words: its conformance classes say so", c.URL)
		}
		body["q"] = []string{s.Words}
	}
	if len(s.Where) == 0 && s.Filter == "" {
		return body, nil
	}
	if !able.filter {
		return body, c.query(s, able, body)
	}
	var all []any
	for _, w := range s.Where {
		all = append(all, w.cql2())
	}
	if s.Filter != "" {
		node, err := cql2.ParseText(s.Filter)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the filter is not CQL2")
		}
		all = append(all, cql2.JSON(node))
	}
	body["filter-lang"], body["filter"] = "cql2-json", all[0]
	if len(all) > 1 {
		body["filter"] = map[string]any{"op": "and", "args": all}
	}
	return body, nil
}

// query writes the conditions for an API that knows the older extension alone.
func (c *Client) query(s Search, able searchAbility, body map[string]any) error {
	if !able.query || s.Filter != "" {
		return fault.New(fault.Invalid, "%s can't search by a filter: its conformance classes say so", c.URL)
	}
	query := map[string]map[string]any{}
	for _, w := range s.Where {
		if w.OrMissing {
			return fault.New(fault.Invalid, "%s can't search for items that lack %s", c.URL, w.Property)
		}
		if query[w.Property] == nil {
			query[w.Property] = map[string]any{}
		}
		query[w.Property][queryOps[w.Op]] = w.Value
	}
	body["query"] = query
	return nil
}

// Items returns what a search finds, page by page, each item once.
func (c *Client) Items(ctx context.Context, s Search, yield func(Item) error) error {
	return c.items(ctx, s, nil, yield)
}

// items does so with further members of the search's body.
func (c *Client) items(ctx context.Context, s Search, more map[string]any, yield func(Item) error) error {
	c.defaults()
	body, err := c.body(ctx, s)
	if err != nil {
		return err
	}
	maps.Copy(body, more)
	return c.walk(ctx, stac.PageLink{Href: c.at("/search"), Method: http.MethodPost, Body: body}, s.Limit, nil, yield)
}

// Cart returns the items of a cart of a Swath. What is in it and no longer in the catalog is told to gone.
func (c *Client) Cart(ctx context.Context, id string, gone func(collection, id string), yield func(Item) error) error {
	c.defaults()
	err := c.walk(ctx, stac.PageLink{Href: c.at("/carts/" + url.PathEscape(id)), Method: http.MethodGet}, 0, gone, yield)
	if fault.Is(err, fault.NotFound) {
		return fault.Wrap(fault.Invalid, err, "there is no cart %.60q at %s", id, c.URL)
	}
	return err
}

// walk returns the items of page after page, each once, and no more than a limit unless that is 0.
func (c *Client) walk(ctx context.Context, first stac.PageLink, limit int, gone func(collection, id string), yield func(Item) error) error {
	found, seen := 0, map[string]bool{}
	return stac.Walk(first, func(at stac.PageLink) ([]stac.PageLink, bool, error) {
		var page struct {
			Features []json.RawMessage
			Links    []stac.PageLink
			Cart     struct{ Missing []stac.CartItem }
		}
		var asked any
		if at.Method == http.MethodPost {
			asked = at.Body
		}
		if _, err := c.call(ctx, at.Method, at.Href, asked, &page); err != nil {
			return nil, false, err
		}
		for _, raw := range page.Features {
			it, err := itemOf(raw)
			if err != nil {
				return nil, false, err
			}
			if seen[it.key()] {
				continue
			}
			seen[it.key()] = true
			if err := yield(it); err != nil {
				return nil, false, err
			}
			if found++; found == limit {
				return nil, false, nil
			}
		}
		for _, it := range page.Cart.Missing {
			if gone != nil { // any server may speak of a cart
				gone(it.Collection, it.ID)
			}
		}
		return page.Links, len(page.Features)+len(page.Cart.Missing) > 0, nil
	})
}

// Collections returns the ids of the API's collections.
func (c *Client) Collections(ctx context.Context) (ids []string, err error) {
	err = stac.Walk(stac.PageLink{Href: c.at("/collections"), Method: http.MethodGet}, func(at stac.PageLink) ([]stac.PageLink, bool, error) {
		var page struct {
			Collections []struct{ ID string }
			Links       []stac.PageLink
		}
		_, err := c.call(ctx, at.Method, at.Href, nil, &page)
		for _, one := range page.Collections {
			ids = append(ids, one.ID)
		}
		return page.Links, len(page.Collections) > 0, err
	})
	return ids, err
}

// ReadItems reads items: one, an item collection, or one a line. Of a manifest they are at their source.
func ReadItems(in io.Reader, yield func(Item) error) error {
	for d := json.NewDecoder(in); ; {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fault.New(fault.Invalid, "items: %v", err)
		}
		var collection struct {
			Type     string
			Features []json.RawMessage
			Files    map[string]record `json:"swath:files"`
		}
		if err := json.Unmarshal(raw, &collection); err != nil {
			return fault.New(fault.Invalid, "items: %v", err)
		}
		all := []json.RawMessage{raw}
		if collection.Type == "FeatureCollection" {
			all = collection.Features
		}
		for _, one := range all {
			it, err := itemOf(one)
			if err == nil {
				it.atSource(collection.Files)
				err = yield(it)
			}
			if err != nil {
				return err
			}
		}
	}
}

// atSource leads the assets of an item in a manifest to where they came from.
func (it Item) atSource(files map[string]record) {
	for _, asset := range it.assets() {
		href, _ := asset["href"].(string)
		if r, ok := files[trimHere(href)]; ok {
			asset["href"] = r.Source
		}
	}
}

func itemOf(raw json.RawMessage) (it Item, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&it.Body); err != nil {
		return it, fault.New(fault.Invalid, "an item is not a JSON object: %v", err)
	}
	it.ID, _ = it.Body["id"].(string)
	it.Collection, _ = it.Body["collection"].(string)
	if it.ID == "" {
		return it, fault.New(fault.Invalid, "an item has no id")
	}
	if it.Collection == "" {
		it.Collection = "items"
	}
	return it, nil
}

// units are the thousands that follow a number of bytes.
var units = map[string]float64{"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}

// ParseSize reads a number of bytes such as 20M.
func ParseSize(text string) (float64, error) {
	number := strings.TrimRight(text, "kKMGT")
	v, err := strconv.ParseFloat(number, 64)
	factor, known := units[text[len(number):]]
	if v *= factor; err != nil || !known || !(v >= 1) || v > 1e18 {
		return 0, fault.New(fault.Invalid, "%q is not a number of bytes such as 20M", text)
	}
	return v, nil
}
