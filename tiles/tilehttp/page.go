package tilehttp

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
)

//go:embed map.html
var mapHTML []byte

//go:embed map.js
var mapJS []byte

// page serves a small map of the item; its script asks for the tilejson.json beside it with the page's own query.
func page(c *fiber.Ctx) error { return httpkit.Send(c, fiber.MIMETextHTMLCharsetUTF8, mapHTML) }

func script(c *fiber.Ctx) error { return httpkit.Send(c, "text/javascript; charset=utf-8", mapJS) }
