// Package wire speaks HTTP to a hub, for all kinds of hubs that do.
//
//	call ─▶ quota ─▶ log-in ─▶ request ─▶ redirects by an allow-list ─▶ answer
//	  ▲                                                                  │
//	  └────── again, after Retry-After or longer each time ◀─ may pass ──┘
//
// The account goes to the hosts that are trusted with it and to no other; what is neither trusted nor known is not asked at all.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"swath/fault"
	"swath/fetch"
)

// Config says how a hub is reached.
type Config struct {
	Trusted []string // host or host:port to which the account goes
	Known   []string // that are asked without it; "*.example.org" is every host below
	Login   Login
	Header  string // of an API key, such as X-API-Key; empty: none
	Key     string

	Quota     *Quota        // shared by all who use the same account; nil: none
	Tries     int           // of one request that fails in a way that may pass; 8
	Wait      time.Duration // before the second try; doubles, with jitter, up to MostWait; 1 s
	MostWait  time.Duration // also of a Retry-After that is obeyed here; a longer one is an error; 5 min
	Transport http.RoundTripper
}

// Quota is what an account may use at a time, whoever uses it.
type Quota struct {
	requests *rate.Limiter
	slots    chan struct{} // nil: any number
	bytes    *fetch.Throttle
}

// NewQuota allows so many requests a minute and downloads at a time, 0 for any number, and the bytes of downloads that a throttle lets pass.
func NewQuota(requestsPerMinute float64, connections int, bytes *fetch.Throttle) *Quota {
	q := &Quota{requests: rate.NewLimiter(rate.Inf, 1), bytes: bytes}
	if requestsPerMinute > 0 {
		q.requests = rate.NewLimiter(rate.Limit(requestsPerMinute/60), max(1, int(requestsPerMinute/60)))
	}
	if connections > 0 {
		q.slots = make(chan struct{}, connections)
	}
	return q
}

// Request waits until a request may be made.
func (q *Quota) Request(ctx context.Context) error { return q.requests.Wait(ctx) }

// Slot waits until a download may begin, and returns what ends it.
func (q *Quota) Slot(ctx context.Context) (free func(), err error) {
	if q.slots == nil {
		return func() {}, nil
	}
	select {
	case q.slots <- struct{}{}:
		return sync.OnceFunc(func() { <-q.slots }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// slotted is a body that comes as its quota allows, and gives its slot back.
type slotted struct {
	io.ReadCloser
	ctx   context.Context
	bytes *fetch.Throttle
	free  func()
}

func (s slotted) Read(p []byte) (n int, err error) {
	n, err = s.ReadCloser.Read(p[:s.bytes.Piece(len(p))])
	if err := s.bytes.Pass(s.ctx, n); err != nil {
		return n, err
	}
	return n, err
}

func (s slotted) Close() error {
	defer s.free()
	return s.ReadCloser.Close()
}

// Held opens a body under a slot of the quota, to be read within its bytes a second.
func (q *Quota) Held(ctx context.Context, open func() (*fetch.Body, error)) (*fetch.Body, error) {
	free, err := q.Slot(ctx)
	if err != nil {
		return nil, err
	}
	body, err := open()
	if err != nil {
		free()
		return nil, err
	}
	body.ReadCloser = slotted{body.ReadCloser, ctx, q.bytes, free}
	return body, nil
}

// Client is safe for concurrent use.
type Client struct {
	cfg   Config
	http  *http.Client
	token *tokens
}

// Limits of what is read.
const (
	mostBytes = 256 << 20 // of a document
	mostHops  = 5
)

// New makes a client.
func New(cfg Config) *Client {
	if cfg.Tries == 0 {
		cfg.Tries = 8
	}
	if cfg.Wait == 0 {
		cfg.Wait = time.Second
	}
	if cfg.MostWait == 0 {
		cfg.MostWait = 5 * time.Minute
	}
	if cfg.Quota == nil {
		cfg.Quota = NewQuota(0, 0, nil)
	}
	if cfg.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DialContext = (&net.Dialer{Timeout: 20 * time.Second}).DialContext
		t.ResponseHeaderTimeout = 2 * time.Minute
		t.MaxIdleConnsPerHost = 16
		cfg.Transport = t
	}
	c := &Client{cfg: cfg}
	// Redirects are followed by hand: the account must go to the other host too, and to no stranger.
	c.http = &http.Client{Transport: cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if cfg.Login.Token != "" {
		c.token = &tokens{Login: cfg.Login, http: c.http}
	}
	return c
}

// Base reads the address that a hub's calls begin with.
func Base(address string) (*url.URL, error) {
	at, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fault.New(fault.Invalid, "hub: %q is not an http address", address)
	}
	return at, nil
}

// Quota returns that of the client.
func (c *Client) Quota() *Quota { return c.cfg.Quota }

// Tried repeats what fails in a way that may pass.
func (c *Client) Tried(ctx context.Context, what func() error) error {
	return fetch.Patience{Tries: c.cfg.Tries, Wait: c.cfg.Wait, MostWait: c.cfg.MostWait, Obey: c.cfg.MostWait}.Try(ctx, what)
}

// Call is a request.
type Call struct {
	Method  string // empty: GET
	Address string
	JSON    any                     // its body; nil: none
	Open    bool                    // it needs no account
	Moved   func(from, to *url.URL) // told of a permanent redirect; may be nil

	Answered func(*http.Response) // looks at the head of an answer with JSON; may be nil
}

// JSON reads a JSON document, and the hub's clock. Into may be nil.
func (c *Client) JSON(ctx context.Context, call Call, into any) (now time.Time, err error) {
	err = c.Tried(ctx, func() error {
		r, err := c.send(ctx, call, http.Header{"Accept": {"application/json, application/geo+json"}})
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if r.StatusCode/100 != 2 {
			return maybe(r, fetch.StatusError(r))
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, mostBytes+1))
		if err != nil {
			return &fetch.Passing{Err: fmt.Errorf("read %s: %w", call.Address, err)}
		}
		if len(body) > mostBytes {
			return fault.New(fault.Unavailable, "hub: %s answers with more than %d bytes", call.Address, mostBytes)
		}
		if into != nil {
			if err := json.Unmarshal(body, into); err != nil {
				return &fetch.Passing{Err: fmt.Errorf("%s: %w", call.Address, err)}
			}
		}
		if now, err = http.ParseTime(r.Header.Get("Date")); err != nil {
			return &fetch.Passing{Err: fmt.Errorf("%s: no clock: %w", call.Address, err)}
		}
		if call.Answered != nil {
			call.Answered(r)
		}
		return nil
	})
	return now, err
}

// Body asks once for bytes from one on, if they still have the tag; else, or without tag, from the first. What may pass is a
// *fetch.Passing, as a page in the place of a file is.
func (c *Client) Body(ctx context.Context, call Call, from int64, tag string) (*fetch.Body, error) {
	return c.cfg.Quota.Held(ctx, func() (*fetch.Body, error) {
		header := http.Header{}
		if tag == "" {
			from = 0
		}
		fetch.Ask(header, from, tag)
		r, err := c.send(ctx, call, header)
		if err != nil {
			return nil, err
		}
		body, err := fetch.BodyOf(r, from)
		if kind, is := fetch.IsPage(r); err == nil && is && call.JSON == nil {
			err = &fetch.Passing{Err: fmt.Errorf("a download answers with %s", kind)}
		}
		if err != nil {
			err = maybe(r, err)
			r.Body.Close()
		}
		return body, err
	})
}

// maybe lets a token that was refused although it was renewed just now be tried again.
func maybe(r *http.Response, err error) error {
	if r.StatusCode == http.StatusUnauthorized {
		return &fetch.Passing{Err: err}
	}
	return err
}

// send makes one request and follows its redirects, with the account where it belongs. A token that is refused is renewed once.
func (c *Client) send(ctx context.Context, call Call, header http.Header) (*http.Response, error) {
	at, err := url.Parse(call.Address)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "hub: not an address")
	}
	if err := c.mayGo(nil, at); err != nil {
		return nil, err
	}
	var text []byte
	method := call.Method
	if method == "" {
		method = http.MethodGet
	}
	if call.JSON != nil {
		if text, err = json.Marshal(call.JSON); err != nil {
			return nil, err
		}
	}
	renewed := false
	been := map[string]int{} // requests to a place, whatever the query
	for hop := 0; hop <= mostHops; hop++ {
		been[at.Host+at.EscapedPath()]++
		if err := c.cfg.Quota.Request(ctx); err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(text))
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "hub: not an address")
		}
		request.Header = header.Clone()
		if text != nil {
			request.Header.Set("Content-Type", "application/json")
		}
		token, err := c.authorize(ctx, call, request)
		if err != nil {
			return nil, err
		}
		r, err := c.http.Do(request)
		if err != nil {
			return nil, &fetch.Passing{Err: err}
		}
		switch r.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			r.Body.Close()
			next, err := at.Parse(r.Header.Get("Location"))
			if err != nil {
				return nil, &fetch.Passing{Err: fmt.Errorf("%s redirects to %q", call.Address, r.Header.Get("Location"))}
			}
			if err := c.mayGo(at, next); err != nil {
				return nil, err
			}
			if r.StatusCode == http.StatusMovedPermanently && call.Moved != nil {
				call.Moved(at, next)
			}
			if been[next.Host+next.EscapedPath()] > 1 { // a signature may be put to an address, a third visit is a loop
				return nil, &fetch.Passing{Err: fmt.Errorf("%s redirects in a loop", call.Address)}
			}
			at = next
		case http.StatusUnauthorized:
			if token == "" || renewed {
				return r, nil
			}
			r.Body.Close()
			if _, err := c.token.get(ctx, token); err != nil {
				return nil, err
			}
			renewed = true
		default:
			return r, nil
		}
	}
	return nil, &fetch.Passing{Err: fmt.Errorf("%s: more than %d redirects", call.Address, mostHops)}
}

// authorize puts the account into a request to a host that is trusted with it, and returns the token that it used.
func (c *Client) authorize(ctx context.Context, call Call, r *http.Request) (token string, err error) {
	if call.Open || !among(c.cfg.Trusted, r.URL.Host) {
		return "", nil
	}
	if c.cfg.Header != "" {
		r.Header.Set(c.cfg.Header, c.cfg.Key)
	}
	if c.token != nil {
		if token, err = c.token.get(ctx, ""); err == nil {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}
	return token, err
}

// May reports whether an address is of a host that may be asked.
func (c *Client) May(address string) bool {
	to, err := url.Parse(address)
	return err == nil && c.mayGo(nil, to) == nil
}

// among reports whether a host is listed.
func among(hosts []string, host string) bool {
	return slices.ContainsFunc(hosts, func(h string) bool {
		below, wild := strings.CutPrefix(h, "*")
		return h == host || wild && strings.HasSuffix(host, below)
	})
}

// mayGo refuses a stranger, and a redirect from https to http.
func (c *Client) mayGo(from, to *url.URL) error {
	if !among(c.cfg.Trusted, to.Host) && !among(c.cfg.Known, to.Host) || to.Scheme != "http" && to.Scheme != "https" || from != nil && from.Scheme == "https" && to.Scheme == "http" {
		return fault.New(fault.Forbidden, "hub: %s://%s is not among the configured hosts", to.Scheme, to.Host)
	}
	return nil
}
