package stacapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/hub/wire"
	"swath/stac"
)

// item is a STAC item, with numbers as they were written.
type item struct {
	id, collection string
	body           map[string]any
}

func itemOf(raw []byte) (it item, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&it.body); err != nil {
		return it, fault.New(fault.Invalid, "an item is not a JSON object: %v", err)
	}
	it.id, _ = it.body["id"].(string)
	it.collection, _ = it.body["collection"].(string)
	if it.id == "" || it.collection == "" || strings.Contains(it.collection, "/") {
		return it, fault.New(fault.Invalid, "an item without id or collection")
	}
	return it, nil
}

func (it item) properties() map[string]any {
	p, _ := it.body["properties"].(map[string]any)
	return p
}

// date returns the first of some properties that is a date; zero without.
func (it item) date(names ...string) time.Time {
	for _, name := range names {
		text, _ := it.properties()[name].(string)
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// asset is one that is wanted.
type asset struct {
	key, href string
	fields    map[string]any
}

// ofSwath reports whether an item was made by a Swath, which keeps its own files and knows others by their addresses.
func (it item) ofSwath() bool { return it.properties()["swath:revision"] != nil }

// assets returns those that are wanted and can be fetched, by key.
func (c *Client) assets(it item) (wanted []asset) {
	all, _ := it.body["assets"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fields, _ := all[key].(map[string]any)
		if len(c.cfg.Assets) > 0 && !slices.Contains(c.cfg.Assets, key) {
			continue
		}
		href := c.href(it, fields)
		if elsewhere := it.ofSwath() && !c.wire.May(href) && len(c.cfg.Assets) == 0; href != "" && !elsewhere {
			wanted = append(wanted, asset{key, href, fields})
		}
	}
	return wanted
}

// href chooses an asset's address: its own, or one of its alternates, by what can be fetched; empty for none.
func (c *Client) href(it item, fields map[string]any) string {
	hrefs := []string{}
	add := func(of map[string]any) {
		if text, _ := of["href"].(string); text != "" {
			hrefs = append(hrefs, it.absolute(text))
		}
	}
	add(fields)
	alternates, _ := fields["alternate"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(alternates)) {
		if other, ok := alternates[name].(map[string]any); ok {
			add(other)
		}
	}
	schemes := []string{"https://", "http://", "s3://"}
	if c.cfg.PreferS3 {
		schemes = []string{"s3://", "https://", "http://"}
	}
	for _, scheme := range schemes {
		for _, href := range hrefs {
			if strings.HasPrefix(href, scheme) && (scheme != "s3://" || c.cfg.S3 != nil) {
				return href
			}
		}
	}
	return ""
}

// absolute resolves an address beside the item's own.
func (it item) absolute(href string) string {
	links, _ := it.body["links"].([]any)
	for _, l := range links {
		if link, _ := l.(map[string]any); link["rel"] == "self" {
			text, _ := link["href"].(string)
			if base, err := url.Parse(text); err == nil {
				if at, err := base.Parse(href); err == nil {
					return at.String()
				}
			}
		}
	}
	return href
}

// row makes a hub's row of an item. Its sum changes when anything changes that is taken over: addresses may be signed anew each time.
func (c *Client) row(it item) hub.Product {
	sum := sha256.New()
	properties, date := maps.Clone(it.properties()), c.date()
	for _, name := range append(passing[:len(passing):len(passing)], date) {
		if name != "datetime" {
			delete(properties, name)
		}
	}
	e := json.NewEncoder(sum)
	online := true
	e.Encode([]any{it.body["geometry"], properties}) //nolint:errcheck // a hash never fails, and it came as JSON
	for _, a := range c.assets(it) {
		plain, _, _ := strings.Cut(a.href, "?")
		e.Encode([]any{a.key, plain, a.fields["file:checksum"], a.fields["file:size"]}) //nolint:errcheck // as before
		switch a.fields["order:status"] {
		case "orderable", "ordered", "pending", "shipping":
			online = false
		}
	}
	return hub.Product{
		ID: it.collection + "/" + it.id, Name: it.collection + "/" + it.id, Checksums: []fetch.Sum{{Algorithm: "ITEM", Value: hex.EncodeToString(sum.Sum(nil)[:16])}},
		Published: it.date(stac.Published, "published", "created", date, updated, "datetime"), Modified: it.date(date, updated, "created", "datetime"),
		Acquired: it.date("datetime", "start_datetime"), Online: online,
	}
}

// passing are properties that change while an item stays as it is: when something happened to it at the hub, and where its files are there.
var passing = append([]string{updated, stac.Published, stac.Modified}, whereabouts...)

// whereabouts are properties that tell where files are kept at the hub.
var whereabouts = []string{"order:status", "order:id", "expires", "storage:schemes"}

// forget takes out of an item's properties, or of an asset, what is true of it at another Swath alone.
func forget(of map[string]any) {
	for _, theirs := range whereabouts {
		delete(of, theirs)
	}
	delete(of, "storage:refs")
	delete(of, stac.ObjectField)
}

var extension = regexp.MustCompile(`^\.[A-Za-z0-9]{1,8}$`)

// Contents of an item are its one asset when that is a zip, or the item with its assets beside it.
func (c *Client) Contents(ctx context.Context, p hub.Product) (hub.Contents, error) {
	it, err := c.item(ctx, p.ID)
	if err != nil {
		return hub.Contents{}, err
	}
	wanted := c.assets(it)
	if len(wanted) == 1 && zipped(wanted[0]) {
		return hub.Contents{Files: []hub.File{c.file(p.ID, wanted[0], "")}}, nil
	}
	if len(wanted) == 0 {
		return hub.Contents{}, fault.New(fault.Invalid, "hub: item %s has no asset that is wanted and can be fetched", p.ID)
	}
	out := hub.Contents{Entry: "item.json"}
	assets, _ := it.body["assets"].(map[string]any)
	ofSwath := it.ofSwath()
	if ofSwath {
		forget(it.properties())
	}
	for _, value := range assets { // what stays elsewhere keeps its address
		if fields, ok := value.(map[string]any); ok {
			if text, _ := fields["href"].(string); text != "" {
				fields["href"] = it.absolute(text)
			}
			if ofSwath {
				forget(fields)
			}
		}
	}
	for i, a := range wanted {
		plain, _, _ := strings.Cut(a.href, "?")
		name := nameOf(i, a.key)
		if ext := strings.ToLower(path.Ext(plain)); extension.MatchString(ext) {
			name += ext
		}
		out.Files = append(out.Files, c.file(p.ID, a, name))
		a.fields["href"] = "./" + name
		delete(a.fields, "alternate")
	}
	it.body["links"] = keptLinks(it)
	body, err := json.Marshal(it.body)
	if err != nil {
		return hub.Contents{}, err
	}
	out.Files = append(out.Files, hub.File{Path: "item.json", Bytes: int64(len(body)), Open: func(context.Context, int64, string) (*fetch.Body, error) {
		return &fetch.Body{ReadCloser: io.NopCloser(bytes.NewReader(body)), Total: int64(len(body))}, nil
	}})
	return out, nil
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// nameOf is the name of an asset's file, without extension.
func nameOf(i int, key string) string {
	if plainKey.MatchString(key) && key != "item" {
		return key
	}
	return fmt.Sprintf("asset-%d", i)
}

// keptLinks are those links of an item that say something here, too.
func keptLinks(it item) []any {
	links, _ := it.body["links"].([]any)
	kept := []any{}
	for _, l := range links {
		link, _ := l.(map[string]any)
		text, _ := link["href"].(string)
		switch link["rel"] {
		case "self":
			kept = append(kept, map[string]any{"rel": "via", "href": text, "type": "application/geo+json"})
		case "license", "cite-as", "via", "derived_from", "about", "describedby":
			link["href"] = it.absolute(text)
			kept = append(kept, link)
		}
	}
	return kept
}

func zipped(a asset) bool {
	plain, _, _ := strings.Cut(a.href, "?")
	kind, _ := a.fields["type"].(string)
	return kind == "application/zip" || strings.HasSuffix(strings.ToLower(plain), ".zip")
}

// file is an asset as a file. An address that has run out is asked for anew.
func (c *Client) file(id string, a asset, name string) hub.File {
	f := hub.File{Path: name}
	if size, ok := a.fields["file:size"].(json.Number); ok {
		f.Bytes, _ = size.Int64()
	}
	if text, _ := a.fields["file:checksum"].(string); text != "" {
		if sum, known := fetch.SumOfMultihash(text); known {
			f.Sums = append(f.Sums, sum)
		}
	}
	href := a.href
	f.Open = func(ctx context.Context, from int64, tag string) (body *fetch.Body, err error) {
		err = c.wire.Tried(ctx, func() (err error) {
			if key, isS3 := strings.CutPrefix(href, "s3://"); isS3 {
				bucket, key, _ := strings.Cut(key, "/")
				body, err = c.cfg.S3.Open(ctx, bucket, key, from, tag)
			} else {
				body, err = c.wire.Body(ctx, wire.Call{Address: href}, from, tag)
			}
			if fault.Is(err, fault.Forbidden) && strings.Contains(href, "?") { // signed, and no longer valid
				if it, again := c.item(ctx, id); again == nil {
					for _, other := range c.assets(it) {
						if other.key == a.key && other.href != href {
							href, err = other.href, &fetch.Passing{Err: err}
						}
					}
				}
			}
			return err
		})
		return body, err
	}
	return f
}
