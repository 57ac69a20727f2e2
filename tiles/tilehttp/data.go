package tilehttp

import (
	"fmt"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/geo"
	"swath/httpkit"
	"swath/tiles"
)

// extracting are the parameters of extractions beside those of drawing.
var extracting = []string{"bbox", "coord_crs", "dst_crs", "resolution", "max_size", "width", "height"}

// colouring are the parameters of pictures that say nothing of values.
var colouring = []string{"rescale", "colormap_name", "colormap", "colormap_type", "color_formula", "return_mask", "tilesize", "scale", "buffer", "padding"}

// data serves the values of an area, GET with a box or POST with a GeoJSON feature, /…/data.{tif,csv,nc}: as they are stored, unless
// unscale, an expression or a preset says what becomes of them.
func (a API) data(c *fiber.Ctx) error {
	format, err := tiles.ParseDataFormat(c.Params("format"))
	if err != nil {
		return err
	}
	where, err := whereOf(c)
	if err != nil {
		return err
	}
	q, err := request(c, extracting...)
	if err != nil {
		return err
	}
	query := queryOf(c)
	for _, name := range colouring {
		if _, given := query[name]; given {
			return fault.New(fault.Invalid, "parameter %q is of pictures: data are handed on as values", name)
		}
	}
	if query.one("unscale") == "" && q.Expression == "" && q.Render == "" {
		q.Stored = true
	}
	view, err := a.Renderer.View(c.UserContext(), q)
	if err != nil {
		return hint(q, err)
	}
	frame, err := view.DataFrame(c.UserContext(), where)
	if err != nil {
		return err
	}
	if a.notModified(c, q.Collection, view.DataETag(frame, format)) {
		return nil
	}
	c.Set(fiber.HeaderContentType, format.ContentType())
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s.%s"`, url.PathEscape(q.Item), format))
	if c.Method() == fiber.MethodHead {
		return nil
	}
	defer httpkit.Longer(c, a.extractionTime())()
	data, err := view.Data(c.UserContext(), frame, format)
	if err != nil {
		c.Response().Header.Del(fiber.HeaderContentDisposition)
		return err
	}
	httpkit.SendStream(c, data, int(data.Size))
	return nil
}

// extractionTime is how long an extraction may take.
func (a API) extractionTime() time.Duration {
	if a.ExtractionTime > 0 {
		return a.ExtractionTime
	}
	return 10 * time.Minute
}

// whereOf reads the area and the grid of an extraction.
func whereOf(c *fiber.Ctx) (w tiles.Where, err error) {
	q := queryOf(c)
	if w.Coords, err = q.system("coord_crs", geo.WGS84); err != nil {
		return w, err
	}
	if w.System, err = q.system("dst_crs", 0); err != nil {
		return w, err
	}
	if w.Size, err = q.size(); err != nil {
		return w, err
	}
	resolution, err := q.number("resolution")
	if err != nil {
		return w, err
	}
	if resolution != nil {
		if w.Resolution = *resolution; !(w.Resolution > 0) {
			return w, fault.New(fault.Invalid, "resolution %g: the side of a pixel is a positive number", w.Resolution)
		}
	}
	edges, err := q.numbers("bbox")
	switch {
	case err != nil:
		return w, err
	case len(edges) != 0 && len(edges) != 4:
		return w, fault.New(fault.Invalid, "bbox has %d numbers: minx,miny,maxx,maxy", len(edges))
	case c.Method() == fiber.MethodPost && len(edges) > 0:
		return w, fault.New(fault.Invalid, "give a bbox or, in the body, a feature, not both")
	case c.Method() == fiber.MethodPost:
		w.Area, err = tiles.ParseArea(c.Body(), w.Coords)
	case len(edges) == 4:
		w.Box = &geo.Box{MinX: edges[0], MinY: edges[1], MaxX: edges[2], MaxY: edges[3]}
	}
	return w, err
}
