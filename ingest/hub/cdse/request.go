package cdse

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
)

// tried repeats what fails in a way that may pass.
func (c *Client) tried(ctx context.Context, what func() error) error {
	return fetch.Patience{Tries: c.cfg.Tries, Wait: c.cfg.Wait, MostWait: c.cfg.MostWait, Obey: c.cfg.MostWait}.Try(ctx, what)
}

// get reads a JSON document, and the hub's clock.
func (c *Client) get(ctx context.Context, address string, into any) (now time.Time, err error) {
	err = c.tried(ctx, func() error {
		r, err := c.send(ctx, address, http.Header{"Accept": {"application/json"}}, false)
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if r.StatusCode != http.StatusOK {
			return maybe(r, fetch.StatusError(r))
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, mostPageBytes+1))
		if err != nil {
			return &fetch.Passing{Err: fmt.Errorf("read %s: %w", address, err)}
		}
		if len(body) > mostPageBytes {
			return fault.New(fault.Unavailable, "hub: %s answers with more than %d bytes", address, mostPageBytes)
		}
		if err := json.Unmarshal(body, into); err != nil {
			return &fetch.Passing{Err: fmt.Errorf("%s: %w", address, err)}
		}
		if now, err = http.ParseTime(r.Header.Get("Date")); err != nil {
			return &fetch.Passing{Err: fmt.Errorf("%s: no clock: %w", address, err)}
		}
		return nil
	})
	return now, err
}

// Fetch asks for the bytes of a product.
func (c *Client) Fetch(ctx context.Context, id string, from int64, tag string) (body *fetch.Body, err error) {
	header := http.Header{}
	if tag == "" {
		from = 0
	}
	fetch.Ask(header, from, tag)
	err = c.tried(ctx, func() error {
		base := c.downloads()
		r, err := c.send(ctx, productAt(base, id)+"/$value", header, true)
		if err == nil {
			if body, err = bodyOf(r, from); err != nil {
				r.Body.Close()
			}
		}
		if err != nil && base != c.cfg.Catalogue { // perhaps they have moved on: the catalogue knows
			c.moved.Store(nil)
			if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
				err = &fetch.Passing{Err: err}
			}
		}
		return err
	})
	return body, err
}

// downloads is where the bytes of products are: at the catalogue, or where it said once and for all (301) that they have moved to.
func (c *Client) downloads() string {
	if base := c.moved.Load(); base != nil {
		return *base
	}
	return c.cfg.Catalogue
}

// bodyOf reads the head of a download.
func bodyOf(r *http.Response, asked int64) (*fetch.Body, error) {
	body, err := fetch.BodyOf(r, asked)
	if kind, is := fetch.IsPage(r); err == nil && is {
		return nil, &fetch.Passing{Err: fmt.Errorf("a download answers with %s", kind)}
	}
	return body, maybe(r, err)
}

// maybe lets a token that was refused although it was renewed just now be tried again.
func maybe(r *http.Response, err error) error {
	if r.StatusCode == http.StatusUnauthorized {
		return &fetch.Passing{Err: err}
	}
	return err
}

// send makes one request and follows redirects by an allow-list, with the token where it is needed. A token that is refused is renewed
// once.
func (c *Client) send(ctx context.Context, address string, header http.Header, secret bool) (*http.Response, error) {
	renewed := false
	for hop := 0; hop <= mostHops; hop++ {
		if err := c.rate.Wait(ctx); err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "hub: not an address")
		}
		request.Header = header.Clone()
		var token string
		if secret && c.token != nil {
			if token, err = c.token.get(ctx, ""); err != nil {
				return nil, err
			}
			request.Header.Set("Authorization", "Bearer "+token)
		}
		r, err := c.http.Do(request)
		if err != nil {
			return nil, &fetch.Passing{Err: err}
		}
		switch r.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			r.Body.Close()
			next, err := request.URL.Parse(r.Header.Get("Location"))
			if err != nil {
				return nil, &fetch.Passing{Err: fmt.Errorf("%s redirects to %q", address, r.Header.Get("Location"))}
			}
			if err := c.mayGo(request.URL, next); err != nil {
				return nil, err
			}
			if r.StatusCode == http.StatusMovedPermanently && secret && next.EscapedPath() == request.URL.EscapedPath() && next.RawQuery == "" {
				base := next.Scheme + "://" + next.Host + strings.TrimSuffix(next.EscapedPath(), request.URL.EscapedPath()[strings.Index(request.URL.EscapedPath(), "/odata/v1/"):])
				c.moved.Store(&base)
			}
			address = next.String()
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
	return nil, &fetch.Passing{Err: fmt.Errorf("%s: more than %d redirects", address, mostHops)}
}

// mayGo refuses a redirect to a stranger, or from https to http.
func (c *Client) mayGo(from, to *url.URL) error {
	if !slices.Contains(c.hosts, to.Host) || to.Scheme != "http" && to.Scheme != "https" || from.Scheme == "https" && to.Scheme == "http" {
		return fault.New(fault.Forbidden, "hub: %s redirects to %s://%s, which is not among the configured hosts", from.Host, to.Scheme, to.Host)
	}
	return nil
}

// tokens shares one token among all who ask, and renews it before it ends.
type tokens struct {
	cfg  Config
	http *http.Client

	mu                  sync.Mutex
	access              string
	refresh             string
	renew, refreshUntil time.Time // when to renew, and when the refresh token ends
}

// get returns a token that is good for a while and is not the refused one.
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.access != "" && t.access != refused && time.Now().Before(t.renew) {
		return t.access, nil
	}
	if t.refresh != "" && time.Now().Before(t.refreshUntil) {
		if err := t.ask(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.refresh}}); err == nil {
			return t.access, nil
		}
		t.refresh = ""
	}
	err := t.ask(ctx, url.Values{"grant_type": {"password"}, "username": {t.cfg.User}, "password": {t.cfg.Password}})
	return t.access, err
}

func (t *tokens) ask(ctx context.Context, form url.Values) error {
	form.Set("client_id", t.cfg.Client)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.cfg.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "hub: token is not an address")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asked := time.Now()
	r, err := t.http.Do(request)
	if err != nil {
		return &fetch.Passing{Err: fmt.Errorf("token: %w", err)}
	}
	defer r.Body.Close()
	if r.StatusCode == http.StatusBadRequest || r.StatusCode == http.StatusUnauthorized {
		return hub.ErrLogin
	}
	if r.StatusCode != http.StatusOK {
		return fetch.StatusError(r)
	}
	var answer struct {
		Access         string  `json:"access_token"`
		Expires        float64 `json:"expires_in"`
		Refresh        string  `json:"refresh_token"`
		RefreshExpires float64 `json:"refresh_expires_in"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&answer); err != nil || answer.Access == "" {
		return &fetch.Passing{Err: fmt.Errorf("token: an answer without a token: %v", err)}
	}
	part := func(seconds float64) time.Time { return asked.Add(time.Duration(0.8 * seconds * float64(time.Second))) }
	t.access, t.refresh, t.renew, t.refreshUntil = answer.Access, answer.Refresh, part(answer.Expires), part(answer.RefreshExpires)
	return nil
}
