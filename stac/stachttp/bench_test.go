package stachttp

import (
	"testing"

	"github.com/valyala/fasthttp"
)

// BenchmarkCollections is what an answer that is kept costs behind the socket.
func BenchmarkCollections(b *testing.B) {
	app, _ := newApp(b, 0)
	handle := app.Handler()
	var c fasthttp.RequestCtx
	for b.Loop() {
		c.Request.Reset()
		c.Response.Reset()
		c.Request.SetRequestURI("/collections")
		c.Request.Header.SetHost("example.com")
		handle(&c)
		if c.Response.StatusCode() != 200 {
			b.Fatal(c.Response.StatusCode())
		}
	}
}
