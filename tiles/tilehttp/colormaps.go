package tilehttp

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
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
	m, err := render.ColormapByName(c.Params("name"))
	if err != nil {
		return fault.New(fault.NotFound, "there is no colormap %.60q; /colormaps lists them", c.Params("name"))
	}
	const levels = 256
	ramp := make([]float32, levels)
	for i := range ramp {
		ramp[i] = float32(i)
	}
	body, err := render.Encode([][]float32{ramp}, levels, 1, render.Style{Colormap: m}, render.PNG)
	if err != nil {
		return fmt.Errorf("tilehttp: colormap %s: %w", c.Params("name"), err)
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
