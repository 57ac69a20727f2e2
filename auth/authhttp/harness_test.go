package authhttp

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/auth/store"
	"swath/httpkit"
	"swath/internal/issuertest"
	"swath/internal/testdb"
	"swath/stac"
)

// estate is the door of accounts on a server of its own, with a few routes of others behind it.
type estate struct {
	t      testing.TB
	store  *store.Store
	keeper *auth.Keeper
	issuer *issuertest.Issuer
	api    API
	app    *fiber.App
	url    string

	mu   sync.Mutex
	used map[string]int64 // bytes by account
}

func newEstate(t testing.TB, change func(*API)) *estate {
	t.Helper()
	s, err := store.Open(t.Context(), testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	keeper, err := auth.NewKeeper(t.Context(), s, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e := &estate{t: t, store: s, keeper: keeper, issuer: issuertest.New(t), used: map[string]int64{}}
	e.api = API{Keeper: keeper, Strangers: true, Passwords: true, Issuer: &Issuer{URL: e.issuer.URL, ClientID: issuertest.ClientID, Audience: issuertest.Audience,
		RoleClaim: "groups", Roles: map[string]auth.Role{"ops": auth.Operator}, Otherwise: auth.Reader}}
	if change != nil {
		change(&e.api)
	}
	e.app = httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler), Sent: func(ctx context.Context, _, bytes int64) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.used[auth.From(ctx).User] += bytes
	}})
	e.api.Frame(e.app)
	e.api.Mount(e.app)
	e.app.Get("/tile", func(c *fiber.Ctx) error {
		c.Set("Cache-Control", "public, max-age=60")
		return httpkit.Send(c, "image/png", []byte("a tile"))
	})
	e.app.Get("/plain", func(c *fiber.Ctx) error {
		return c.SendString(auth.From(c.UserContext()).Name + " " + strings.Join(stac.ScopeOf(c.UserContext()).Hidden(), ","))
	})
	e.app.Get("/echo", func(c *fiber.Ctx) error { return c.SendString(string(c.Context().URI().QueryString())) })
	e.app.Get("/files/*", func(c *fiber.Ctx) error { return c.SendString("the file " + c.Params("*")) })
	e.app.Post("/change", func(c *fiber.Ctx) error { return c.SendString("changed") })
	e.app.Post("/search", func(c *fiber.Ctx) error { return c.SendString("found") })
	return e
}

// listen serves the estate on a real socket.
func (e *estate) listen() *estate {
	e.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	listener := server.Listener
	go e.app.Listener(listener) //nolint:errcheck // it ends with the test
	e.t.Cleanup(func() { e.app.Shutdown() })
	e.url = "http://" + listener.Addr().String()
	return e
}

func (e *estate) account(name string, role auth.Role, password string) auth.Account {
	e.t.Helper()
	a := auth.Account{Name: name, Role: role}
	var err error
	if password != "" {
		if a.Password, err = auth.HashPassword(password); err != nil {
			e.t.Fatal(err)
		}
	}
	if a, err = e.store.AddAccount(e.t.Context(), a); err != nil {
		e.t.Fatal(err)
	}
	return a
}

func (e *estate) key(a auth.Account) string {
	e.t.Helper()
	_, key, err := e.keeper.MakeKey(e.t.Context(), a.ID, "", auth.Nobody, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	return key
}

// answer is what came back.
type answer struct {
	status int
	body   string
	header http.Header
}

// do asks the app without a socket.
func (e *estate) do(method, target, body string, headers ...string) answer {
	e.t.Helper()
	req := httptest.NewRequest(method, strings.TrimPrefix(target, "http://example.com"), strings.NewReader(body)) // which is the host of such requests
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := e.app.Test(req, -1)
	if err != nil {
		e.t.Fatal(err)
	}
	return read(e.t, resp)
}

func read(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, string(body), resp.Header}
}

// browser is a client that keeps cookies and follows redirects.
func browser(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 20 * time.Second}
}

// get and post are what a browser does.
func (e *estate) get(b *http.Client, path string) answer {
	e.t.Helper()
	resp, err := b.Get(e.url + path)
	if err != nil {
		e.t.Fatal(err)
	}
	return read(e.t, resp)
}

func (e *estate) post(b *http.Client, path string, form url.Values, headers ...string) answer {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, e.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	return read(e.t, resp)
}
