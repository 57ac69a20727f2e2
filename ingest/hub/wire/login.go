package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
)

// Login is an account of an OpenID Connect server, used by its password.
type Login struct {
	Token    string // address of the token endpoint; empty: no log-in
	Client   string // client id there
	User     string
	Password string
}

// tokens shares one token among all who ask, and renews it before it ends.
type tokens struct {
	Login
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
	err := t.ask(ctx, url.Values{"grant_type": {"password"}, "username": {t.User}, "password": {t.Password}})
	return t.access, err
}

func (t *tokens) ask(ctx context.Context, form url.Values) error {
	form.Set("client_id", t.Client)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Token, strings.NewReader(form.Encode()))
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
