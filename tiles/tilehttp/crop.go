package tilehttp

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/geo"
	"swath/render"
	"swath/tiles"
)

// cropping are the parameters of crops beside those of drawing.
var cropping = []string{"coord_crs", "dst_crs", "max_size", "width", "height"}

// crop serves what lies in a box, GET /…/bbox/minx,miny,maxx,maxy[/WIDTHxHEIGHT].format.
func (a API) crop(c *fiber.Ctx) error {
	text, extension := c.Params("bbox"), c.Params("format")
	if c.Params("size") == "" { // the box has points of its own: the format is behind the last
		whole := text + "." + extension
		at := strings.LastIndexByte(whole, '.')
		text, extension = whole[:at], whole[at+1:]
	}
	var edges [4]float64
	parts := strings.Split(text, ",")
	for i := range edges {
		var err error
		if len(parts) != len(edges) {
			err = strconv.ErrSyntax
		} else {
			edges[i], err = strconv.ParseFloat(parts[i], 64)
		}
		if err != nil {
			return fault.New(fault.Invalid, "%.80q is not a box: minx,miny,maxx,maxy", text)
		}
	}
	return a.cut(c, extension, func(view *tiles.View, coords, system geo.EPSG, size tiles.Size) (tiles.Frame, error) {
		return view.CropFrame(c.UserContext(), geo.Box{MinX: edges[0], MinY: edges[1], MaxX: edges[2], MaxY: edges[3]}, coords, system, size)
	})
}

// feature serves what lies in the GeoJSON feature of the body, POST /…/feature[/WIDTHxHEIGHT][.format].
func (a API) feature(c *fiber.Ctx) error {
	return a.cut(c, c.Params("format", "png"), func(view *tiles.View, coords, system geo.EPSG, size tiles.Size) (tiles.Frame, error) {
		return view.FeatureFrame(c.UserContext(), c.Body(), coords, system, size)
	})
}

// cut answers with the picture of a frame in the system dst_crs, by default that of its coordinates.
func (a API) cut(c *fiber.Ctx, extension string, frameOf func(view *tiles.View, coords, system geo.EPSG, size tiles.Size) (tiles.Frame, error)) error {
	format, err := render.ParseFormat(extension)
	if err != nil {
		return err
	}
	q := queryOf(c)
	coords, err := q.system("coord_crs", geo.WGS84)
	if err != nil {
		return err
	}
	system, err := q.system("dst_crs", coords)
	if err != nil {
		return err
	}
	size, err := sizeOf(c)
	if err != nil {
		return err
	}
	view, err := a.view(c, cropping...)
	if err != nil {
		return err
	}
	frame, err := frameOf(view, coords, system, size)
	if err != nil {
		return err
	}
	return a.picture(c, view, frame, format)
}

// sizeOf reads WIDTHxHEIGHT of the path, else width, height and max_size of the query.
func sizeOf(c *fiber.Ctx) (tiles.Size, error) {
	text := c.Params("size")
	if text == "" {
		return queryOf(c).size()
	}
	w, h, ok := strings.Cut(text, "x")
	width, err := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	if !ok || err != nil || err2 != nil || width < 1 || height < 1 {
		return tiles.Size{}, fault.New(fault.Invalid, "%.60q is not a size: WIDTHxHEIGHT, as in 512x512", text)
	}
	return tiles.Size{WidthPx: width, HeightPx: height}, nil
}
