package httpkit

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// zeros is a body that can be read both ways.
type zeros struct {
	io.Reader
	closed *atomic.Bool
}

func (z zeros) Close() error { z.closed.Store(true); return nil }

// TestSent: what has really left is counted, of whole answers, of streams, and of those that the client did not wait for.
func TestSent(t *testing.T) {
	const size = 64 << 20 // more than the buffers between the two ends of a socket
	var requests, sent atomic.Int64
	var closed atomic.Bool
	cfg := quiet(io.Discard)
	cfg.Sent = func(_ context.Context, n, bytes int64) { requests.Add(n); sent.Add(bytes) }
	app := New(cfg)
	app.Get("/whole", func(c *fiber.Ctx) error { return c.SendString("seven b") })
	app.Get("/body", func(c *fiber.Ctx) error {
		SendStream(c, zeros{io.LimitReader(zero{}, size), &closed}, size)
		return nil
	})
	app.Get("/stream", func(c *fiber.Ctx) error {
		return Stream(c, "application/x-ndjson", "x", func(_ context.Context, w io.Writer) error {
			_, err := w.Write(bytes.Repeat([]byte("a line\n"), 100_000))
			return err
		})
	})
	address := "http://" + serve(t, app)
	counted := func(what string, n, least, most int64) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if got := sent.Load(); requests.Load() == n && got >= least && got <= most {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d requests with %d bytes; want %d with %d to %d", what, requests.Load(), sent.Load(), n, least, most)
			}
		}
		requests.Store(0)
		sent.Store(0)
	}
	get := func(path string, read int64, header ...string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", strings.Join(header, ","))
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, resp.Body, read); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	get("/whole", 7)
	counted("a whole answer", 1, 7, 7)
	get("/body", size)
	counted("a body", 1, size, size)
	if !closed.Load() {
		t.Error("the body is not closed")
	}
	closed.Store(false)
	get("/body", 1000)
	counted("a body of which a part was wanted", 1, 1000, size-1)
	if !closed.Load() {
		t.Error("the body that was given up is not closed")
	}
	get("/stream", 700_000)
	counted("a stream", 1, 700_000, 700_000)
	get("/stream", 10, "gzip")
	counted("a stream that was compressed", 1, 10, 100_000)
}

// TestStreamPanics: a stream whose writer panics is cut off, and the server goes on.
func TestStreamPanics(t *testing.T) {
	var log bytes.Buffer
	app := New(quiet(&log))
	app.Get("/whole", func(c *fiber.Ctx) error { return c.SendString("seven b") })
	app.Get("/stream", func(c *fiber.Ctx) error {
		return Stream(c, "application/x-ndjson", "x", func(_ context.Context, w io.Writer) error {
			io.WriteString(w, "a line\n") //nolint:errcheck // what follows is worse
			panic("a nil map")
		})
	})
	address := "http://" + serve(t, app)
	get := func(path string) error {
		resp, err := http.Get(address + path) //nolint:noctx // it ends by itself
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
		return err
	}
	if err := get("/stream"); err == nil {
		t.Error("a part was taken for the whole")
	}
	if err := get("/whole"); err != nil {
		t.Errorf("after the panic: %v", err)
	}
	if text := log.String(); !strings.Contains(text, "a nil map") || !strings.Contains(text, "TestStreamPanics") {
		t.Errorf("the log lacks the stack: %s", text)
	}
}

// zero reads as zeros without end.
type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }
