// Package cdse reads a hub that speaks the OData of the Copernicus Data Space Ecosystem ("CSC OData"): Products, DeletedProducts, $value.
// GSS, ESA's software for relays, and another Swath speak it too.
//
// Sources: the documentation of the Copernicus Data Space Ecosystem, APIs/OData and APIs/Token; RFC 9110 for Range and If-Range.
package cdse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/hub/wire"
)

// Config says where a hub is and what of it is wanted. All addresses are configuration.
type Config struct {
	Catalogue string      // address before /odata/v1
	Wire      wire.Config // Trusted: hosts beside the catalogue's own to which a download may be redirected with the token

	Collection string // Collection/Name, such as SENTINEL-2; empty: all
	Filter     string // an OData expression beside; empty: none
	AreaWKT    string // footprints that meet it; empty: all

	Page      int           // rows of a page, at most 1000
	Subscribe time.Duration // between two looks at the queue of a subscription, which is made; 0: none
	S3        *wire.S3      // by which files come one by one; nil: products come as zips
}

// Client is a hub. It is safe for concurrent use.
type Client struct {
	cfg   Config
	wire  *wire.Client
	moved atomic.Pointer[string]

	orders sync.Map // ids of the orders of products that are awaited, by the product's
}

var _ hub.Hub = (*Client)(nil)

const mostSkip = 10_000 // rows; above, the hub answers 422

// New checks a configuration.
func New(cfg Config) (*Client, error) {
	if cfg.Page == 0 {
		cfg.Page = 1000
	}
	if cfg.Wire.Login.Client == "" {
		cfg.Wire.Login.Client = "cdse-public"
	}
	if cfg.Page < 1 || cfg.Page > 1000 {
		return nil, fault.New(fault.Invalid, "hub: page %d is not 1 to 1000", cfg.Page)
	}
	at, err := wire.Base(cfg.Catalogue)
	if err != nil {
		return nil, err
	}
	cfg.Catalogue, cfg.Wire.Trusted = at.String(), append([]string{at.Host}, cfg.Wire.Trusted...)
	return &Client{cfg: cfg, wire: wire.New(cfg.Wire)}, nil
}

// Orders are all three.
func (c *Client) Orders(context.Context) ([]hub.Order, error) {
	return []hub.Order{hub.ByPublication, hub.ByModification, hub.ByDeletion}, nil
}

// row is a row of Products or DeletedProducts.
type row struct {
	ID               string `json:"Id"`
	Name             string
	ContentLength    *int64
	PublicationDate  odataTime
	ModificationDate odataTime
	DeletionDate     odataTime
	DeletionCause    string
	Online           *bool
	S3Path           string
	Checksum         []struct{ Value, Algorithm string }
	ContentDate      struct{ Start odataTime }
}

// odataTime is a date with Z or an offset, and any number of digits of a second; an empty one is zero.
type odataTime struct{ time.Time }

func (t *odataTime) UnmarshalJSON(raw []byte) (err error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	if text != "" {
		t.Time, err = time.Parse(time.RFC3339Nano, text)
	}
	return err
}

func (r row) product() hub.Product {
	p := hub.Product{ID: r.ID, Name: r.Name, Published: r.PublicationDate.UTC(), Modified: r.ModificationDate.UTC(), Acquired: r.ContentDate.Start.UTC(), Online: r.Online == nil || *r.Online}
	if p.Modified.IsZero() {
		p.Modified = p.Published
	}
	if r.ContentLength != nil {
		p.Bytes = max(0, *r.ContentLength)
	}
	for _, sum := range r.Checksum {
		if algorithm := strings.ToUpper(strings.ReplaceAll(sum.Algorithm, "-", "")); sum.Value != "" && fetch.Knows(algorithm) {
			p.Checksums = append(p.Checksums, fetch.Sum{Algorithm: algorithm, Value: strings.ToLower(sum.Value)})
		}
	}
	return p
}

// dates are the columns by which rows are listed.
var dates = map[hub.Order]string{hub.ByPublication: "PublicationDate", hub.ByModification: "ModificationDate", hub.ByDeletion: "DeletionDate", hub.ByAcquisition: "ContentDate/Start"}

const odataLayout = "2006-01-02T15:04:05.000000Z"

// filter writes the condition of a query.
func (c *Client) filter(q hub.Query) string {
	date := dates[q.By]
	wanted := c.wanted()
	parts := []string{}
	if c.cfg.Collection != "" { // first, which is quicker
		parts, wanted = wanted[:1:1], wanted[1:]
	}
	parts = append(parts, date+" ge "+q.Since.UTC().Truncate(time.Microsecond).Format(odataLayout))
	if !q.Until.IsZero() {
		parts = append(parts, date+" lt "+q.Until.UTC().Format(odataLayout))
	}
	if !q.Published.IsZero() && q.By != hub.ByPublication && q.By != hub.ByDeletion { // a deleted row has no such date
		parts = append(parts, "PublicationDate ge "+q.Published.UTC().Format(odataLayout))
	}
	return strings.Join(append(parts, wanted...), " and ")
}

// wanted are the conditions of what is wanted, whenever it came.
func (c *Client) wanted() (parts []string) {
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	if c.cfg.Collection != "" {
		parts = append(parts, "Collection/Name eq "+quote(c.cfg.Collection))
	}
	if c.cfg.AreaWKT != "" {
		parts = append(parts, "OData.CSC.Intersects(area=geography"+quote("SRID=4326;"+c.cfg.AreaWKT)+")")
	}
	if c.cfg.Filter != "" {
		parts = append(parts, "("+c.cfg.Filter+")")
	}
	return parts
}

func (c *Client) list(q hub.Query) string {
	set := "/odata/v1/Products"
	if q.By == hub.ByDeletion {
		set = "/odata/v1/DeletedProducts"
	}
	return c.cfg.Catalogue + set
}

// List walks by date: $skip is bounded, so that the walk is anchored anew at the last date before it is used up.
func (c *Client) List(ctx context.Context, q hub.Query, yield func(hub.Page) error) error {
	for skip := 0; ; {
		page, more, err := c.page(ctx, q, skip)
		if err != nil {
			return err
		}
		last := page.Last(q.By)
		if err := yield(page); err != nil {
			return err
		}
		if !more {
			return nil
		}
		skip += len(page.Products) + len(page.Deletions)
		switch {
		case skip+c.cfg.Page <= mostSkip-1000:
		case last.After(q.Since):
			q.Since, skip = last, 0
		case skip+c.cfg.Page > mostSkip:
			return fault.New(fault.Unavailable, "hub: more than %d rows have the same date %s: they can't be listed", skip, last.Format(time.RFC3339Nano))
		}
	}
}

// page reads one page.
func (c *Client) page(ctx context.Context, q hub.Query, skip int) (p hub.Page, more bool, err error) {
	query := url.Values{"$filter": {c.filter(q)}, "$orderby": {dates[q.By] + " asc"}, "$top": {fmt.Sprint(c.cfg.Page)}, "$skip": {fmt.Sprint(skip)}}
	var answer struct {
		Value []row
		Next  string `json:"@odata.nextLink"`
	}
	if p.Now, err = c.get(ctx, c.list(q)+"?"+encode(query), &answer); err != nil {
		return p, false, err
	}
	for _, r := range answer.Value {
		if q.By == hub.ByDeletion {
			p.Deletions = append(p.Deletions, hub.Deletion{ID: r.ID, Name: r.Name, At: r.DeletionDate.UTC(), Cause: r.DeletionCause})
		} else {
			p.Products = append(p.Products, r.product())
		}
	}
	return p, len(answer.Value) > 0 && (len(answer.Value) >= c.cfg.Page || answer.Next != ""), nil
}

// Count asks for no row.
func (c *Client) Count(ctx context.Context, q hub.Query) (int64, error) {
	var answer struct {
		Count *int64 `json:"@odata.count"`
	}
	_, err := c.get(ctx, c.list(q)+"?"+encode(url.Values{"$filter": {c.filter(q)}, "$count": {"True"}, "$top": {"0"}}), &answer)
	if err == nil && answer.Count == nil {
		err = fault.New(fault.Unavailable, "hub: the answer to a count has none")
	}
	if err != nil {
		return 0, err
	}
	return *answer.Count, nil
}

// Product asks for one row.
func (c *Client) Product(ctx context.Context, id string) (hub.Product, error) {
	var r row
	if _, err := c.get(ctx, c.product(id), &r); err != nil {
		return hub.Product{}, err
	}
	return r.product(), nil
}

func (c *Client) product(id string) string { return productAt(c.cfg.Catalogue, id) }

func productAt(base, id string) string {
	return base + "/odata/v1/Products(" + url.PathEscape(id) + ")"
}

// encode writes a query with %20 for blanks, which every server reads.
func encode(q url.Values) string { return strings.ReplaceAll(q.Encode(), "+", "%20") }

// get reads what anybody may.
func (c *Client) get(ctx context.Context, address string, into any) (time.Time, error) {
	return c.wire.JSON(ctx, wire.Call{Address: address, Open: true}, into)
}

// Contents of a product are its zip or, over S3, its files as they lie there.
func (c *Client) Contents(ctx context.Context, p hub.Product) (hub.Contents, error) {
	if c.cfg.S3 != nil {
		return c.tree(ctx, p.ID)
	}
	return hub.Contents{Files: []hub.File{{Bytes: p.Bytes, Sums: p.Checksums, Open: func(ctx context.Context, from int64, tag string) (*fetch.Body, error) {
		return c.zip(ctx, p.ID, from, tag)
	}}}}, nil
}

// tree asks where a product lies, /{bucket}/{prefix}, and what lies there.
func (c *Client) tree(ctx context.Context, id string) (hub.Contents, error) {
	var r row
	if _, err := c.get(ctx, c.product(id), &r); err != nil {
		return hub.Contents{}, err
	}
	bucket, prefix, ok := strings.Cut(strings.Trim(r.S3Path, "/"), "/")
	if !ok {
		return hub.Contents{}, fault.New(fault.Unavailable, "hub: %s has no place in S3: %q", r.Name, r.S3Path)
	}
	files, err := c.cfg.S3.Folder(ctx, bucket, prefix)
	return hub.Contents{Files: files}, err
}

// zip asks for the bytes of a product.
func (c *Client) zip(ctx context.Context, id string, from int64, tag string) (body *fetch.Body, err error) {
	err = c.wire.Tried(ctx, func() error {
		base := c.downloads()
		var err error
		body, err = c.wire.Body(ctx, wire.Call{Address: productAt(base, id) + "/$value", Moved: c.remember}, from, tag)
		var unreached *url.Error
		if refused := fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden); base != c.cfg.Catalogue && (refused || errors.As(err, &unreached)) {
			c.moved.Store(nil) // perhaps they have moved on: the catalogue knows
			if refused {
				err = &fetch.Passing{Err: err}
			}
		}
		return err
	})
	if err != nil {
		c.moved.Store(nil) // who is busy for so long may be there no more
	}
	return body, err
}

// remember notes where downloads have moved to once and for all (301).
func (c *Client) remember(from, to *url.URL) {
	if path := from.EscapedPath(); to.EscapedPath() == path && to.RawQuery == "" {
		base := to.Scheme + "://" + to.Host + path[:strings.Index(path, "/odata/v1/")]
		c.moved.Store(&base)
	}
}

// downloads is where the bytes of products are: at the catalogue, or where it said that they have moved to.
func (c *Client) downloads() string {
	if base := c.moved.Load(); base != nil {
		return *base
	}
	return c.cfg.Catalogue
}
