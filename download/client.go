package download

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/stac"
)

// Account is who asks. Empty fields are not sent.
type Account struct {
	APIKey         string // as X-API-Key
	Token          string // as Authorization: Bearer
	User, Password string // as Authorization: Basic
}

// Client asks a STAC API and its files.
type Client struct {
	URL       string  // of the landing page
	Account           // goes to this host alone
	Renew     Renewal // asked once when the account is refused; may be nil
	Tries     int     // of one request without progress; 10
	Wait      time.Duration
	MostWait  time.Duration
	Obey      time.Duration // the longest wait that a server may ask for; beyond it a quota is used up; 15 min
	Transport http.RoundTripper

	mu      sync.Mutex
	renewed bool
	busy    func()         // told of each 429
	able    *searchAbility // nil: not asked yet
}

// Renewal returns an account as it is now: a token lives for minutes.
type Renewal func(context.Context) (Account, error)

const (
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
	if c.Obey == 0 {
		c.Obey = 15 * time.Minute
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 64
		t.ResponseHeaderTimeout = 2 * time.Minute
		c.Transport = t
	}
}

// at returns an address of the API.
func (c *Client) at(path string) string { return strings.TrimSuffix(c.URL, "/") + path }

// owns reports whether an address is of the API's own host: no other needs the account.
func (c *Client) owns(u *url.URL) bool {
	own, err := url.Parse(c.URL)
	return err == nil && own.Host == u.Host && own.Scheme == u.Scheme
}

func (c *Client) ownsAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && c.owns(u)
}

// authorize adds the account to requests to the API's own host, and returns it.
func (c *Client) authorize(r *http.Request) Account {
	r.Header.Set("User-Agent", userAgent)
	if !c.owns(r.URL) {
		return Account{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.APIKey != "" {
		r.Header.Set("X-API-Key", c.APIKey)
	}
	switch {
	case c.Token != "":
		r.Header.Set("Authorization", "Bearer "+c.Token)
	case c.User != "":
		r.SetBasicAuth(c.User, c.Password)
	}
	return c.Account
}

// do sends a request; the account does not follow a redirect to another host. An account that is refused is renewed once.
func (c *Client) do(r *http.Request) (*http.Response, error) {
	used := c.authorize(r)
	client := &http.Client{Transport: c.Transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return fmt.Errorf("more than %d redirects", len(via))
		}
		next.Header.Del("Authorization")
		next.Header.Del("X-API-Key")
		used = c.authorize(next)
		return nil
	}}
	answer, err := client.Do(r)
	if err != nil {
		return nil, &fetch.Passing{Err: &noAnswer{err}}
	}
	switch {
	case answer.StatusCode == http.StatusUnauthorized && c.owns(answer.Request.URL):
		defer answer.Body.Close()
		if c.renew(r.Context(), used) {
			return nil, &fetch.Passing{Err: errors.New("the log-in was refused and has been renewed")}
		}
		return nil, fault.Wrap(fault.Unauthenticated, errors.Unwrap(fetch.StatusError(answer)), "the log-in is refused")
	case answer.StatusCode == http.StatusTooManyRequests:
		if c.busy != nil {
			c.busy()
		}
		if after := fetch.RetryAfter(answer); after > c.Obey {
			defer answer.Body.Close()
			return nil, &fault.Error{Kind: fault.OverQuota, Public: fmt.Sprintf("a quota is used up, until %s", time.Now().Add(after).Format(time.DateTime)), Err: errors.New(fetch.StatusError(answer).Error()), After: after} // not to be tried again
		}
	}
	return answer, nil
}

// noAnswer is the failure of a request that nobody answered.
type noAnswer struct{ err error }

func (n *noAnswer) Error() string { return n.err.Error() }
func (n *noAnswer) Unwrap() error { return n.err }

// renew asks for the account anew, and reports whether there is another than the one that was refused. Several requests at a time are
// refused when a token ends; the first of them renews it for all.
func (c *Client) renew(ctx context.Context, refused Account) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Account != refused {
		return true
	}
	if c.Renew == nil || c.renewed {
		return false
	}
	c.renewed = true
	a, err := c.Renew(ctx)
	if err != nil || a == c.Account {
		return false
	}
	c.Account = a
	return true
}

// tried repeats what fails in a way that may pass.
func (c *Client) tried(ctx context.Context, tries int, what func() error) error {
	return fetch.Patience{Tries: tries, Wait: c.Wait, MostWait: c.MostWait}.Try(ctx, what)
}

// call asks for JSON, with a body where there is one, and returns the answer's header.
func (c *Client) call(ctx context.Context, method, address string, body, into any) (header http.Header, err error) {
	c.defaults()
	err = c.tried(ctx, min(c.Tries, searchTries), func() error {
		var text io.Reader
		if body != nil {
			raw, err := json.Marshal(body)
			if err != nil {
				return err
			}
			text = strings.NewReader(string(raw))
		}
		r, err := http.NewRequestWithContext(ctx, method, address, text)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "not an address: %q", address)
		}
		r.Header.Set("Accept", stac.TypeGeoJSON+", "+stac.TypeJSON)
		if body != nil {
			r.Header.Set("Content-Type", stac.TypeJSON)
		}
		answer, err := c.do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusCreated {
			return fetch.StatusError(answer)
		}
		header = answer.Header
		if err := json.NewDecoder(io.LimitReader(answer.Body, mostPage)).Decode(into); err != nil {
			return &fetch.Passing{Err: fmt.Errorf("%s: %w", address, err)}
		}
		return nil
	})
	return header, err
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

// linkLife is how long a signed link is good: as long as servers allow.
const linkLife = 7 * 24 * time.Hour

// Link returns an address by which a file can be fetched without the account, where the server signs such; else the address as it is.
func (c *Client) Link(ctx context.Context, address string) (string, error) {
	c.mu.Lock()
	none := c.Account == Account{}
	c.mu.Unlock()
	if none || !c.ownsAddress(address) {
		return address, nil
	}
	var link struct{ Href string }
	_, err := c.call(ctx, http.MethodPost, c.at("/account/links"), map[string]any{"href": address, "expires_s": int(linkLife.Seconds())}, &link)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) || err == nil && link.Href == "" { // it is another kind of server
		return address, nil
	}
	return link.Href, err
}
