package httpkit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"swath/fault"
)

// quiet is a configuration whose log goes to buf.
func quiet(buf io.Writer) Config {
	return Config{Log: slog.New(slog.NewJSONHandler(buf, nil))}
}

// do sends one request to the app and returns the answer with its body read.
func do(t testing.TB, app *fiber.App, method, target string, header ...string) (*http.Response, string) {
	t.Helper()
	req := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestStatusOfKnowsEveryKind(t *testing.T) {
	for _, kind := range fault.Kinds() {
		if http.StatusText(statusOf[kind]) == "" {
			t.Errorf("statusOf has no status for %v", kind)
		}
	}
}

func TestProblem(t *testing.T) {
	var log bytes.Buffer
	app := New(quiet(&log))
	for path, err := range map[string]error{
		"/invalid": fault.New(fault.Invalid, "limit is %d", -1),
		"/offline": fault.New(fault.Offline, "on tape"),
		"/busy":    fault.New(fault.Unavailable, "starting"),
		"/large":   fault.New(fault.TooLarge, "at most 4096 pixels"),
		"/who":     fault.New(fault.Unauthenticated, "sign in"),
		"/much":    fault.New(fault.OverQuota, "too much"),
		"/more":    &fault.Error{Kind: fault.OverQuota, Public: "too much today", After: 90*time.Second + 1},
		"/secret":  errors.New("password is hunter2"),
		"/late":    context.DeadlineExceeded,
		"/left":    context.Canceled,
	} {
		app.Get(path, func(*fiber.Ctx) error { return err })
	}
	app.Get("/panic", func(c *fiber.Ctx) error {
		c.WriteString("half an ans") //nolint:errcheck // in memory
		panic("a nil map")
	})
	for path, want := range map[string]struct {
		status             int
		detail, retryAfter string
	}{
		"/invalid": {400, "limit is -1", ""},
		"/offline": {202, "on tape", "60"},
		"/busy":    {503, "starting", "5"},
		"/large":   {413, "at most 4096 pixels", ""},
		"/who":     {401, "sign in", ""},
		"/much":    {429, "too much", "60"},
		"/more":    {429, "too much today", "91"},
		"/secret":  {500, "internal error", ""},
		"/late":    {504, "the answer took longer than a request may", ""},
		"/left":    {499, "the client went away", ""},
		"/panic":   {500, "internal error", ""},
		"/nowhere": {404, "Cannot GET /nowhere", ""},
		"/a%00b":   {400, "the path holds a control character or is not UTF-8", ""},
		"/a?b=%ff": {400, "the query holds a control character or is not UTF-8", ""},
	} {
		t.Run(path, func(t *testing.T) {
			resp, body := do(t, app, "GET", path, "X-Request-Id", "test-1")
			var got problem
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v in %q", err, body)
			}
			if resp.StatusCode != want.status || got.Status != want.status || got.Detail != want.detail {
				t.Errorf("status %d, problem %+v; want %d %q", resp.StatusCode, got, want.status, want.detail)
			}
			if got.Title == "" || got.Type != "about:blank" || got.RequestID != "test-1" || got.Instance == "" {
				t.Errorf("incomplete problem %+v", got)
			}
			if ct := resp.Header.Get("Content-Type"); ct != ProblemType {
				t.Errorf("content type %q", ct)
			}
			if ra := resp.Header.Get("Retry-After"); ra != want.retryAfter {
				t.Errorf("Retry-After %q, want %q", ra, want.retryAfter)
			}
			if wa := resp.Header.Get("WWW-Authenticate"); (wa != "") != (want.status == 401) {
				t.Errorf("WWW-Authenticate %q", wa)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Error("an error without CORS is unreadable to a browser's script")
			}
		})
	}
	if !strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "app_test.go") {
		t.Error("the log lacks the cause of a 500 or the stack of a panic")
	}
}

func TestMethodNotAllowedNamesTheAllowed(t *testing.T) {
	app := New(quiet(io.Discard))
	app.Get("/x", func(c *fiber.Ctx) error { return c.SendString("x") })
	resp, body := do(t, app, "DELETE", "/x")
	if resp.StatusCode != 405 || !strings.Contains(body, `"status":405`) {
		t.Fatalf("status %d, %s", resp.StatusCode, body)
	}
	if allow := resp.Header.Get("Allow"); allow != "GET, HEAD" {
		t.Errorf("Allow %q", allow)
	}
}

func TestPreflight(t *testing.T) {
	app := New(quiet(io.Discard))
	app.Post("/search", func(c *fiber.Ctx) error { return c.SendString("ok") })
	resp, body := do(t, app, "OPTIONS", "/search", "Origin", "https://map.example",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	h := resp.Header
	if resp.StatusCode != 204 || body != "" || h.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") ||
		!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Content-Type") {
		t.Errorf("preflight answered %d %v", resp.StatusCode, h)
	}
	if h.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("credentials are allowed")
	}
	resp, _ = do(t, app, "POST", "/search", "Origin", "https://map.example")
	if !strings.Contains(resp.Header.Get("Access-Control-Expose-Headers"), "ETag") {
		t.Error("scripts may not read the ETag")
	}
}

func TestRequestIDIsKeptOnlyWhenPlain(t *testing.T) {
	var log bytes.Buffer
	app := New(quiet(&log))
	app.Get("/", func(c *fiber.Ctx) error { return c.SendString(RequestID(c)) })
	for given, kept := range map[string]bool{"abc-1.2_3": true, "": false, "a b": false, `x","level":"`: false, strings.Repeat("a", 65): false} {
		resp, body := do(t, app, "GET", "/", "X-Request-Id", given)
		got := resp.Header.Get("X-Request-Id")
		if got == "" || got != body || (got == given) != kept {
			t.Errorf("given %q: header %q, handler saw %q", given, got, body)
		}
		if !strings.Contains(log.String(), got) {
			t.Errorf("request id %q is not in the log", got)
		}
	}
}

func TestMetricsKnowPatternsOnly(t *testing.T) {
	reg := prometheus.NewRegistry()
	cfg := quiet(io.Discard)
	cfg.Metrics = reg
	app := New(cfg)
	app.Get("/items/:id", func(c *fiber.Ctx) error { return c.SendString("x") })
	Operations{Metrics: reg}.Mount(app)
	do(t, app, "GET", "/items/a")
	do(t, app, "GET", "/items/b")
	do(t, app, "GET", "/secret/path")
	do(t, app, "POST", "/items/a")
	do(t, app, "GET", "/items/a%00")
	_, body := do(t, app, "GET", "/metrics")
	for _, line := range []string{
		`swath_http_requests_total{method="GET",route="/items/:id",status="200"} 2`,
		`swath_http_requests_total{method="GET",route="other",status="404"} 1`,
		`swath_http_requests_total{method="GET",route="other",status="400"} 1`,
		`swath_http_requests_total{method="POST",route="other",status="405"} 1`,
		`swath_http_request_duration_seconds_count{method="GET",route="/items/:id"} 2`,
	} {
		if !strings.Contains(body, line) {
			t.Errorf("metrics lack %s in\n%s", line, body)
		}
	}
	if strings.Contains(body, "secret") || strings.Contains(body, "items/a") {
		t.Error("metrics hold a path from outside")
	}
}

func TestReadiness(t *testing.T) {
	var broken error
	app := New(quiet(io.Discard))
	Operations{Metrics: prometheus.NewRegistry(), Checks: []Check{
		{"catalog", func(context.Context) error { return broken }},
		{"objects", func(context.Context) error { return nil }},
	}}.Mount(app)
	if resp, body := do(t, app, "GET", "/readyz"); resp.StatusCode != 200 || body != `{"checks":{"catalog":"ok","objects":"ok"},"status":"ready"}` {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	broken = errors.New("dial unix /secret")
	resp, body := do(t, app, "GET", "/readyz")
	if resp.StatusCode != 503 || !strings.Contains(body, `"catalog":"failing"`) || strings.Contains(body, "secret") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, _ := do(t, app, "GET", "/healthz"); resp.StatusCode != 200 {
		t.Error("alive is not the same as ready")
	}
}

// serve runs the app on a loopback port until the test ends.
func serve(t *testing.T, app *fiber.App) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(Lingering(ln)) //nolint:errcheck // ends with Shutdown
	t.Cleanup(func() { app.ShutdownWithTimeout(5 * time.Second) })
	return ln.Addr().String()
}

func TestDeadlineEndsWork(t *testing.T) {
	cfg := quiet(io.Discard)
	cfg.RequestTimeout = 30 * time.Millisecond
	app := New(cfg)
	app.Get("/slow", func(c *fiber.Ctx) error {
		<-c.UserContext().Done()
		return c.UserContext().Err()
	})
	resp, err := http.Get("http://" + serve(t, app) + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 504 {
		t.Errorf("status %d, want 504", resp.StatusCode)
	}
}

// TestLonger: a route may take longer than requests usually may, and no longer than it says; and ends when the client leaves.
func TestLonger(t *testing.T) {
	cfg := quiet(io.Discard)
	cfg.RequestTimeout = 30 * time.Millisecond
	app := New(cfg)
	app.Get("/file", func(c *fiber.Ctx) error {
		defer Longer(c, time.Minute)()
		select {
		case <-c.UserContext().Done():
			return c.UserContext().Err()
		case <-time.After(3 * cfg.RequestTimeout):
			return c.SendString("made")
		}
	})
	app.Get("/endless", func(c *fiber.Ctx) error {
		defer Longer(c, cfg.RequestTimeout)()
		<-c.UserContext().Done()
		return c.UserContext().Err()
	})
	ended := make(chan error, 1)
	app.Get("/left", func(c *fiber.Ctx) error {
		defer Longer(c, time.Minute)()
		<-c.UserContext().Done()
		ended <- c.UserContext().Err()
		return c.UserContext().Err()
	})
	address := serve(t, app)
	for path, want := range map[string]int{"/file": 200, "/endless": 504} {
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /left HTTP/1.1\r\nHost: h\r\n\r\n")
	time.Sleep(2 * cfg.RequestTimeout)
	conn.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the work goes on without its client")
	}
}

func TestWorkEndsWhenTheClientLeaves(t *testing.T) {
	app := New(quiet(io.Discard))
	started, ended := make(chan func() bool, 1), make(chan error, 1)
	app.Get("/tile", func(c *fiber.Ctx) error {
		started <- ClientGone(c)
		<-c.UserContext().Done()
		ended <- c.UserContext().Err()
		return c.UserContext().Err()
	})
	conn, err := net.Dial("tcp", serve(t, app))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /tile HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	gone := <-started
	if gone() {
		t.Error("gone before it left")
	}
	conn.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ended by %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the work went on without its client")
	}
}

func TestTooMuchFromOutside(t *testing.T) {
	app := New(quiet(io.Discard))
	app.Post("/search", func(c *fiber.Ctx) error { return c.SendString("ok") })
	address := serve(t, app)
	for want, head := range map[int]string{ // only the head and a little is sent: the server must not wait for the rest
		200: "Content-Length: 0",
		413: "Content-Length: 4194305",
		415: "Content-Encoding: gzip\r\nContent-Length: 0",
		431: "X-Long: " + strings.Repeat("x", maxHeaderBytes),
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "POST /search HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s", head, strings.Repeat("x", map[int]int{413: 16 << 10}[want])); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%d: %v", want, err)
		}
		conn.Close()
		if resp.StatusCode != want {
			t.Errorf("status %d, want %d", resp.StatusCode, want)
		}
		if want != 200 && resp.Header.Get("Content-Type") != ProblemType {
			t.Errorf("%d is not a problem document", want)
		}
	}
}
