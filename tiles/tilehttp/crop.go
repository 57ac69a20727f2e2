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
	box, extension, err := boxOf(c)
	if err != nil {
		return err
	}
	return a.cut(c, extension, func(view *tiles.View, coords, system geo.EPSG, size tiles.Size) (tiles.Frame, error) {
		return view.CropFrame(c.UserContext(), box, coords, system, size)
	})
}

// boxOf reads the box of a crop's address, and the extension behind it.
func boxOf(c *fiber.Ctx) (box geo.Box, extension string, err error) {
	text, extension := c.Params("bbox"), c.Params("format")
	if c.Params("size") == "" { // the box has points of its own: the format is behind the last
		whole := text + "." + extension
		at := strings.LastIndexByte(whole, '.')
		text, extension = whole[:at], whole[at+1:]
	}
	box, err = parseBox(text)
	return box, extension, err
}

func parseBox(text string) (box geo.Box, err error) {
	var edges [4]float64
	parts := strings.Split(text, ",")
	for i := range edges {
		err := strconv.ErrSyntax
		if len(parts) == len(edges) {
			edges[i], err = strconv.ParseFloat(parts[i], 64)
		}
		if err != nil {
			return box, fault.New(fault.Invalid, "%.80q is not a box: minx,miny,maxx,maxy", text)
		}
	}
	return geo.Box{MinX: edges[0], MinY: edges[1], MaxX: edges[2], MaxY: edges[3]}, nil
}

// mosaicCrop serves what lies in a box of the items that a search finds.
func (a API) mosaicCrop(c *fiber.Ctx) error {
	box, extension, err := boxOf(c)
	if err != nil {
		return err
	}
	return a.cutMosaic(c, extension, func(q tiles.MosaicRequest, coords, system geo.EPSG, size tiles.Size) (*tiles.Scene, error) {
		return a.Renderer.BoxScene(c.UserContext(), q, box, coords, system, size)
	})
}

// mosaicFeature serves what lies in the GeoJSON feature of the body.
func (a API) mosaicFeature(c *fiber.Ctx) error {
	return a.cutMosaic(c, c.Params("format", "png"), func(q tiles.MosaicRequest, coords, system geo.EPSG, size tiles.Size) (*tiles.Scene, error) {
		return a.Renderer.FeatureScene(c.UserContext(), q, c.Body(), coords, system, size)
	})
}

// cutMosaic answers with the picture of a scene in the system dst_crs, by default that of its coordinates.
func (a API) cutMosaic(c *fiber.Ctx, extension string, sceneOf func(q tiles.MosaicRequest, coords, system geo.EPSG, size tiles.Size) (*tiles.Scene, error)) error {
	format, err := render.ParseFormat(extension)
	if err != nil {
		return err
	}
	s, err := a.sceneCut(c, sceneOf)
	if err != nil {
		return err
	}
	return a.scenePicture(c, s, format)
}

// sceneCut is what a search finds in an area.
func (a API) sceneCut(c *fiber.Ctx, sceneOf func(q tiles.MosaicRequest, coords, system geo.EPSG, size tiles.Size) (*tiles.Scene, error)) (*tiles.Scene, error) {
	coords, system, size, err := gridOf(c)
	if err != nil {
		return nil, err
	}
	q, _, _, err := a.mosaicOf(c, cropping...)
	if err != nil {
		return nil, err
	}
	s, err := sceneOf(q, coords, system, size)
	return s, hint(q.Request, err)
}

// cropProvenance serves of every pixel of a box which item it is from, GET /…/bbox/minx,miny,maxx,maxy[/WIDTHxHEIGHT]/provenance.format.
func (a API) cropProvenance(c *fiber.Ctx) error {
	box, err := parseBox(c.Params("bbox"))
	if err != nil {
		return err
	}
	return a.sendProvenance(c, func() (*tiles.Scene, error) {
		return a.sceneCut(c, func(q tiles.MosaicRequest, coords, system geo.EPSG, size tiles.Size) (*tiles.Scene, error) {
			return a.Renderer.BoxScene(c.UserContext(), q, box, coords, system, size)
		})
	})
}

// featureProvenance does so of the GeoJSON feature of the body, POST /…/feature[/WIDTHxHEIGHT]/provenance.format.
func (a API) featureProvenance(c *fiber.Ctx) error {
	return a.sendProvenance(c, func() (*tiles.Scene, error) {
		return a.sceneCut(c, func(q tiles.MosaicRequest, coords, system geo.EPSG, size tiles.Size) (*tiles.Scene, error) {
			return a.Renderer.FeatureScene(c.UserContext(), q, c.Body(), coords, system, size)
		})
	})
}

// gridOf reads the systems of a crop's coordinates and pixels, and its size.
func gridOf(c *fiber.Ctx) (coords, system geo.EPSG, size tiles.Size, err error) {
	q := queryOf(c)
	if coords, err = q.system("coord_crs", geo.WGS84); err != nil {
		return coords, system, size, err
	}
	if system, err = q.system("dst_crs", coords); err != nil {
		return coords, system, size, err
	}
	size, err = sizeOf(c)
	return coords, system, size, err
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
	coords, system, size, err := gridOf(c)
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
