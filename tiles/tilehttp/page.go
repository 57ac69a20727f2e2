package tilehttp

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/tiles"
)

//go:embed map.html
var mapHTML []byte

//go:embed map.js
var mapJS []byte

// page serves a small map of the item; its script asks for the tilejson.json beside it with the page's own query.
func page(c *fiber.Ctx) error { return httpkit.Send(c, fiber.MIMETextHTMLCharsetUTF8, mapHTML) }

// pageOf leads to the map of the item, which is in WebMercatorQuad.
func pageOf(c *fiber.Ctx) error { return leadToPage(c, itemURL(c)) }

// mosaicPageOf leads to the map of a search.
func mosaicPageOf(c *fiber.Ctx) error { return leadToPage(c, mosaicURL(c)) }

func leadToPage(c *fiber.Ctx, address string) error {
	if reserved(c) {
		return c.Next()
	}
	set, err := setOf(c)
	if err != nil {
		return err
	}
	if set != tiles.WebMercatorQuad {
		return fault.New(fault.Invalid, "the map page shows WebMercatorQuad, not %s", set.ID)
	}
	return c.Redirect(address+"/map.html"+drawing(c), fiber.StatusFound)
}

func script(c *fiber.Ctx) error { return httpkit.Send(c, "text/javascript; charset=utf-8", mapJS) }
