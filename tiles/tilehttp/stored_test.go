package tilehttp

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
	"swath/stac"
)

// TestDrawnIsTold: what is drawn is told from other answers to whoever counts what is sent.
func TestDrawnIsTold(t *testing.T) {
	var drawing, others atomic.Int64
	app := httpkit.New(httpkit.Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Sent: func(ctx context.Context, _, bytes int64) {
		if stac.IsDrawing(ctx) {
			drawing.Add(bytes)
		} else {
			others.Add(bytes)
		}
	}})
	answer := func(c *fiber.Ctx) error { return c.SendString("12345") }
	drawn{app}.Group("/a").Get("/tile", answer)
	app.Get("/search", answer)
	for _, path := range []string{"/a/tile", "/a/tile", "/search"} {
		if _, err := app.Test(httptest.NewRequest("GET", path, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if drawing.Load() != 10 || others.Load() != 5 {
		t.Errorf("%d bytes drawn, %d others", drawing.Load(), others.Load())
	}
}
