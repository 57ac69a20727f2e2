package tilehttp

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"

	"github.com/gofiber/fiber/v2"

	"swath/render"
)

// colormaps serves the names that colormap_name takes.
func colormaps(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, cacheControl)
	return c.JSON(fiber.Map{"colormaps": render.ColormapNames()})
}

// colormap serves the colours of one map: red, green, blue and alpha for each of the levels 0..255. They are read from
// a picture of the levels, so they are what tiles show.
func colormap(c *fiber.Ctx) error {
	const levels = 256
	body, err := legend(c.Params("name"), levels, 1, false)
	if err != nil {
		return err
	}
	picture, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("tilehttp: colormap %s: %w", c.Params("name"), err)
	}
	entries := make(map[string][4]uint8, levels)
	for i := range levels {
		p := color.NRGBAModel.Convert(picture.At(i, 0)).(color.NRGBA)
		entries[fmt.Sprint(i)] = [4]uint8{p.R, p.G, p.B, p.A}
	}
	c.Set(fiber.HeaderCacheControl, cacheControl)
	return c.JSON(entries)
}
