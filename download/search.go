package download

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/stac"
)

// Search says which items are wanted. Empty fields ask for nothing.
type Search struct {
	Collections, IDs []string
	BBox             []float64 // west, south, east, north in degrees
	Datetime         string    // an instant, or start/end
	Intersects       json.RawMessage
	Filter           string // CQL2 text
	Limit            int    // items at most; 0: all
}

// Client asks a STAC API and its files.
type Client struct {
	URL       string // of the landing page
	APIKey    string // sent as X-API-Key to this host alone
	User      string // Basic, to this host alone
	Password  string
	Tries     int // of one request without progress; 10
	Wait      time.Duration
	MostWait  time.Duration
	Transport http.RoundTripper
}

const (
	pageItems   = 100
	searchTries = 4         // of a page: who is not there now is told so in seconds
	mostPage    = 256 << 20 // bytes
	userAgent   = "swath-download"
	defaultWait = time.Second
)

func (c *Client) defaults() {
	if c.Tries == 0 {
		c.Tries = 10
	}
	if c.Wait == 0 {
		c.Wait = defaultWait
	}
	if c.MostWait == 0 {
		c.MostWait = 2 * time.Minute
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 64
		t.ResponseHeaderTimeout = 2 * time.Minute
		c.Transport = t
	}
}

// authorize adds the account to requests to the API's own host: no other host needs it.
func (c *Client) authorize(r *http.Request) {
	r.Header.Set("User-Agent", userAgent)
	own, err := url.Parse(c.URL)
	if err != nil || own.Host != r.URL.Host || own.Scheme != r.URL.Scheme {
		return
	}
	if c.APIKey != "" {
		r.Header.Set("X-API-Key", c.APIKey)
	}
	if c.User != "" {
		r.SetBasicAuth(c.User, c.Password)
	}
}

// do sends a request; the account does not follow a redirect to another host.
func (c *Client) do(r *http.Request) (*http.Response, error) {
	c.authorize(r)
	client := &http.Client{Transport: c.Transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return fmt.Errorf("more than %d redirects", len(via))
		}
		next.Header.Del("Authorization")
		next.Header.Del("X-API-Key")
		c.authorize(next)
		return nil
	}}
	answer, err := client.Do(r)
	if err != nil {
		return nil, &fetch.Passing{Err: err}
	}
	return answer, nil
}

// tried repeats what fails in a way that may pass.
func (c *Client) tried(ctx context.Context, tries int, what func() error) error {
	return fetch.Patience{Tries: tries, Wait: c.Wait, MostWait: c.MostWait}.Try(ctx, what)
}

// Items returns what a search finds, page by page.
func (c *Client) Items(ctx context.Context, s Search, yield func(Item) error) error {
	c.defaults()
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
	if s.Filter != "" {
		body["filter"], body["filter-lang"] = s.Filter, "cql2-text"
	}
	next := stac.PageLink{Href: strings.TrimSuffix(c.URL, "/") + "/search", Method: http.MethodPost, Body: body}
	found, seen := 0, map[string]bool{}
	for {
		page, err := c.page(ctx, next)
		if err != nil {
			return err
		}
		for _, raw := range page.Features {
			it, err := itemOf(raw)
			if err != nil {
				return err
			}
			if seen[it.Collection+"/"+it.ID] {
				continue
			}
			seen[it.Collection+"/"+it.ID] = true
			if err := yield(it); err != nil {
				return err
			}
			if found++; found == s.Limit {
				return nil
			}
		}
		more := false
		if next, more = stac.NextPage(page.Links, next.Body); len(page.Features) == 0 {
			more = false
		}
		if !more {
			return nil
		}
	}
}

type itemPage struct {
	Features []json.RawMessage
	Links    []stac.PageLink
}

// page asks for one page.
func (c *Client) page(ctx context.Context, l stac.PageLink) (p itemPage, err error) {
	err = c.tried(ctx, min(c.Tries, searchTries), func() error {
		var body io.Reader
		if strings.EqualFold(l.Method, http.MethodPost) {
			text, err := json.Marshal(l.Body)
			if err != nil {
				return err
			}
			body = bytes.NewReader(text)
		}
		r, err := http.NewRequestWithContext(ctx, strings.ToUpper(l.Method), l.Href, body)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "not an address: %q", l.Href)
		}
		r.Header.Set("Accept", "application/geo+json")
		if body != nil {
			r.Header.Set("Content-Type", "application/json")
		}
		answer, err := c.do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fetch.StatusError(answer)
		}
		p = itemPage{}
		if err := json.NewDecoder(io.LimitReader(answer.Body, mostPage)).Decode(&p); err != nil {
			return &fetch.Passing{Err: fmt.Errorf("%s: %w", l.Href, err)}
		}
		return nil
	})
	return p, err
}

// ReadItems reads items: one, an item collection, or one a line.
func ReadItems(in io.Reader, yield func(Item) error) error {
	for d := json.NewDecoder(in); ; {
		var raw json.RawMessage
		if err := d.Decode(&raw); err == io.EOF {
			return nil
		} else if err != nil {
			return fault.New(fault.Invalid, "items: %v", err)
		}
		var collection struct {
			Type     string
			Features []json.RawMessage
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
				err = yield(it)
			}
			if err != nil {
				return err
			}
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

// open asks for a file.
func (c *Client) open(address string) fetch.Open {
	return func(ctx context.Context, from int64, tag string) (body *fetch.Body, err error) {
		err = c.tried(ctx, c.Tries, func() error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
			if err != nil {
				return fault.Wrap(fault.Invalid, err, "not an address: %q", address)
			}
			fetch.Ask(r.Header, from, tag)
			answer, err := c.do(r)
			if err != nil {
				return err
			}
			if body, err = fetch.BodyOf(answer, from); err != nil {
				answer.Body.Close()
			}
			return err
		})
		return body, err
	}
}

// ParseRate reads a number of bytes with k, M or G for thousands.
func ParseRate(text string) (float64, error) {
	factor := 1.0
	switch {
	case strings.HasSuffix(text, "k"), strings.HasSuffix(text, "K"):
		factor = 1e3
	case strings.HasSuffix(text, "M"):
		factor = 1e6
	case strings.HasSuffix(text, "G"):
		factor = 1e9
	}
	v, err := strconv.ParseFloat(strings.TrimRight(text, "kKMG"), 64)
	if err != nil || v <= 0 || v > 1e9 {
		return 0, fault.New(fault.Invalid, "%q is not a number of bytes such as 20M", text)
	}
	return v * factor, nil
}
