package authhttp

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"swath/auth"
)

// BenchmarkIdentify is what a request costs with the accounts' door and without.
func BenchmarkIdentify(b *testing.B) {
	e := newEstate(b, nil)
	_, key, err := e.keeper.MakeKey(b.Context(), e.account("bob", auth.Reader, "").ID, "", auth.Nobody, nil)
	if err != nil {
		b.Fatal(err)
	}
	bare := fiber.New()
	bare.Get("/x", func(c *fiber.Ctx) error { return c.SendString("x") })
	framed := fiber.New()
	e.api.Frame(framed)
	framed.Get("/x", func(c *fiber.Ctx) error { return c.SendString("x") })
	for name, tc := range map[string]struct {
		app *fiber.App
		key string
	}{"without": {bare, ""}, "stranger": {framed, ""}, "key": {framed, key}} {
		b.Run(name, func(b *testing.B) {
			handle := tc.app.Handler()
			var ctx fasthttp.RequestCtx
			ctx.Request.SetRequestURI("/x")
			if tc.key != "" {
				ctx.Request.Header.Set("X-API-Key", tc.key)
			}
			b.ReportAllocs()
			for b.Loop() {
				ctx.Response.Reset()
				handle(&ctx)
				if ctx.Response.StatusCode() != 200 {
					b.Fatal(ctx.Response.String())
				}
			}
		})
	}
}
