package tilehttp

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/render"
)

// listed serves the names of a table, each with a link to what is said of it, in the form of TiTiler's lists.
func listed(path, member string, names func() []string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := only(c); err != nil {
			return err
		}
		base := httpkit.BaseURL(c)
		all := []fiber.Map{}
		for _, name := range names() {
			all = append(all, fiber.Map{"id": name, "links": []fiber.Map{
				{"rel": "item", "type": fiber.MIMEApplicationJSON, "href": base + path + "/" + url.PathEscape(name), "title": "Definition of " + name}}})
		}
		c.Set(fiber.HeaderCacheControl, cacheControl)
		return c.JSON(fiber.Map{member: all})
	}
}

// algorithm serves what is to be known of one.
func algorithm(c *fiber.Ctx) error {
	if err := only(c); err != nil {
		return err
	}
	d, known := render.DescribeAlgorithm(c.Params("name"))
	if !known {
		return fault.New(fault.NotFound, "there is no algorithm %.60q; /algorithms lists them", c.Params("name"))
	}
	parameters := fiber.Map{}
	for name, p := range d.Parameters {
		parameters[name] = fiber.Map{"type": "number", "default": p.Default, "minimum": p.Low, "maximum": p.High}
	}
	inputs, outputs := fiber.Map{}, fiber.Map{"dtype": "float32"}
	if d.In > 0 {
		inputs["nbands"] = d.In
	}
	if d.Out > 0 {
		outputs["nbands"] = d.Out
	}
	if d.Levels {
		outputs["dtype"] = "uint8"
	}
	c.Set(fiber.HeaderCacheControl, cacheControl)
	return c.JSON(fiber.Map{"title": c.Params("name"), "inputs": inputs, "outputs": outputs, "parameters": parameters})
}

// mostLegendPx bounds the sides of a legend.
const mostLegendPx = 2048

// colormapOrLegend serves a colormap as JSON, or with f=png as a bar of its colours from the lowest level to the highest: to the right,
// or upwards.
func colormapOrLegend(c *fiber.Ctx) error {
	if err := only(c, "f", "orientation", "width", "height"); err != nil {
		return err
	}
	q := queryOf(c)
	switch q.one("f") {
	case "", "json":
		return colormap(c)
	case "png":
	default:
		return fault.New(fault.Invalid, "f is %.20q; it may be json or png", q.one("f"))
	}
	upwards := q.one("orientation") == "vertical"
	if o := q.one("orientation"); !upwards && o != "" && o != "horizontal" {
		return fault.New(fault.Invalid, "orientation is %.20q; it may be horizontal or vertical", o)
	}
	width, height := 256, 20
	if upwards {
		width, height = height, width
	}
	for name, side := range map[string]*int{"width": &width, "height": &height} {
		if q.one(name) == "" {
			continue
		}
		var err error
		if *side, err = strconv.Atoi(q.one(name)); err != nil || *side < 1 || *side > mostLegendPx {
			return fault.New(fault.Invalid, "%s is %.20q; it is a number of pixels, 1 to %d", name, q.one(name), mostLegendPx)
		}
	}
	body, err := legend(c.Params("name"), width, height, upwards)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, cacheControl)
	return httpkit.Send(c, "image/png", body)
}

// legend is a picture of the levels 0..255 in the colours of a map, as PNG.
func legend(name string, width, height int, upwards bool) ([]byte, error) {
	m, err := render.ColormapByName(name)
	if err != nil {
		return nil, fault.New(fault.NotFound, "there is no colormap %.60q; /colormaps lists them", name)
	}
	body, err := render.Encode([][]float32{ramp(width, height, upwards)}, width, height, render.Style{Colormap: m}, render.PNG)
	if err != nil {
		return nil, fmt.Errorf("tilehttp: colormap %s: %w", name, err)
	}
	return body, nil
}

// ramp is an image of the levels 0..255, to the right or upwards.
func ramp(width, height int, upwards bool) []float32 {
	level := func(i, n int) float32 { return float32((i*255 + (n-1)/2) / max(n-1, 1)) }
	var image []float32
	row := make([]float32, width)
	for y := range height {
		for x := range row {
			if row[x] = level(x, width); upwards {
				row[x] = level(height-1-y, height)
			}
		}
		image = append(image, row...)
	}
	return image
}
