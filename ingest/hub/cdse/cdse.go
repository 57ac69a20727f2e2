// Package cdse reads a hub that speaks the OData of the Copernicus Data Space Ecosystem ("CSC OData"): Products, DeletedProducts, $value.
// GSS, ESA's software for relays, and another Swath speak it too.
//
// Sources: the documentation of the Copernicus Data Space Ecosystem, APIs/OData and APIs/Token; RFC 9110 for Range and If-Range.
package cdse

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
)

// Config says where a hub is and what of it is wanted. All addresses are configuration.
type Config struct {
	Catalogue string   // address before /odata/v1
	Hosts     []string // beside the catalogue's own, to which a download may be redirected with the token: host or host:port
	Token     string   // address of the OpenID Connect token endpoint; empty: no log-in
	Client    string   // client id at that endpoint
	User      string
	Password  string

	Collection string // Collection/Name, such as SENTINEL-2; empty: all
	Filter     string // an OData expression beside; empty: none
	AreaWKT    string // footprints that meet it; empty: all

	Page              int           // rows of a page, at most 1000
	RequestsPerMinute float64       // 0: as many as there are
	Tries             int           // of one request that fails in a way that may pass
	Wait              time.Duration // before the second try; doubles, with jitter, up to MostWait
	MostWait          time.Duration // also of a Retry-After that is obeyed here; a longer one is an error
	Transport         http.RoundTripper
}

// Client is a hub. It is safe for concurrent use.
type Client struct {
	cfg   Config
	http  *http.Client
	hosts []string
	rate  *rate.Limiter
	token *tokens
	moved atomic.Pointer[string]
}

var _ hub.Hub = (*Client)(nil)

// Limits of the protocol and of what is read.
const (
	mostSkip      = 10_000 // rows; above, the hub answers 422
	mostPageBytes = 256 << 20
	mostHops      = 5
)

// New checks a configuration.
func New(cfg Config) (*Client, error) {
	if cfg.Page == 0 {
		cfg.Page = 1000
	}
	if cfg.Tries == 0 {
		cfg.Tries = 8
	}
	if cfg.Wait == 0 {
		cfg.Wait = time.Second
	}
	if cfg.MostWait == 0 {
		cfg.MostWait = 5 * time.Minute
	}
	if cfg.Client == "" {
		cfg.Client = "cdse-public"
	}
	if cfg.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DialContext = (&net.Dialer{Timeout: 20 * time.Second}).DialContext
		t.ResponseHeaderTimeout = 2 * time.Minute
		t.MaxIdleConnsPerHost = 16
		cfg.Transport = t
	}
	if cfg.Page < 1 || cfg.Page > 1000 {
		return nil, fault.New(fault.Invalid, "hub: page %d is not 1 to 1000", cfg.Page)
	}
	c := &Client{cfg: cfg, rate: rate.NewLimiter(rate.Inf, 1)}
	if cfg.RequestsPerMinute > 0 {
		c.rate = rate.NewLimiter(rate.Limit(cfg.RequestsPerMinute/60), max(1, int(cfg.RequestsPerMinute/60)))
	}
	at, err := url.Parse(cfg.Catalogue)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fault.New(fault.Invalid, "hub: catalogue %q is not an http address", cfg.Catalogue)
	}
	c.cfg.Catalogue = strings.TrimSuffix(cfg.Catalogue, "/")
	c.hosts = append([]string{at.Host}, cfg.Hosts...)
	// Redirects are followed by hand: the token must go to the other host too, and to no stranger.
	c.http = &http.Client{Transport: cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if cfg.Token != "" {
		c.token = &tokens{cfg: cfg, http: c.http}
	}
	return c, nil
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
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	date := dates[q.By]
	parts := []string{}
	if c.cfg.Collection != "" {
		parts = append(parts, "Collection/Name eq "+quote(c.cfg.Collection))
	}
	parts = append(parts, date+" ge "+q.Since.UTC().Truncate(time.Microsecond).Format(odataLayout))
	if !q.Until.IsZero() {
		parts = append(parts, date+" lt "+q.Until.UTC().Format(odataLayout))
	}
	if !q.Published.IsZero() && q.By != hub.ByPublication && q.By != hub.ByDeletion { // a deleted row has no such date
		parts = append(parts, "PublicationDate ge "+q.Published.UTC().Format(odataLayout))
	}
	if c.cfg.AreaWKT != "" {
		parts = append(parts, "OData.CSC.Intersects(area=geography"+quote("SRID=4326;"+c.cfg.AreaWKT)+")")
	}
	if c.cfg.Filter != "" {
		parts = append(parts, "("+c.cfg.Filter+")")
	}
	return strings.Join(parts, " and ")
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
