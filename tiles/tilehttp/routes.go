package tilehttp

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/geo"
	"swath/httpkit"
	"swath/render"
	"swath/stac"
	"swath/tiles"
)

// API serves the items that a Renderer draws.
type API struct {
	Renderer *tiles.Renderer
	Searches stac.Searches // that are drawn by their ids
	Analyst  stac.Analyst  // counts footprints

	ExtractionTime time.Duration // that the making of a file of values may take; default 10 minutes
}

// Mount adds the routes.
func (a API) Mount(r fiber.Router) {
	r = drawn{r}
	item := r.Group("/collections/:collection/items/:item")
	item.Get("/tiles", a.tileSets)
	item.Get("/tiles/:tms", a.tileSet)
	item.Get("/tiles/:tms/:z/:x/:y.:format", a.tile)
	item.Get("/tiles/:tms/:z/:x/:y", a.tile)
	item.Get("/tilejson.json", a.tileJSON)
	item.Get("/:tms/tilejson.json", a.tileJSON)
	item.Get("/WMTSCapabilities.xml", a.wmts)
	item.Get("/:tms/WMTSCapabilities.xml", a.wmts)
	item.Get("/map.html", page)
	item.Get("/:tms/map.html", pageOf)
	item.Get("/map.js", script)
	item.Get("/preview", a.preview)
	item.Get("/preview.:format", a.preview)
	item.Get("/preview/:size.:format", a.preview)
	item.Get("/bbox/:bbox/:size.:format", a.crop) // before the next, whose box would take the size as well
	item.Get("/bbox/:bbox.:format", a.crop)
	item.Post("/feature", a.feature)
	item.Post("/feature/:size.:format", a.feature)
	item.Post("/feature.:format", a.feature)
	item.Get(`/point/:lon\,:lat`, a.point)
	item.Get("/statistics", a.statistics)
	item.Post("/statistics", a.zonalStatistics)
	item.Get("/histogram", a.histogram)
	item.Get("/info", a.info)
	item.Get("/info.geojson", a.infoFeature)
	item.Get("/bounds", a.itemBounds)
	item.Get("/assets", a.itemAssets)
	item.Get("/data.:format", a.data)
	item.Post("/data.:format", a.data)
	item.Get("/angles", a.angles)
	item.Get("/orbit", a.orbit)
	a.mountMosaics(r)
	a.mountByURL(r)
	r.Get("/tileMatrixSets", tileMatrixSets)
	r.Get("/tileMatrixSets/:tms", tileMatrixSet)
	r.Get("/colormaps", colormaps)
	r.Get("/colormaps/:name", colormap)
	r.Get("/colorMaps", listed("/colorMaps", "colormaps", render.ColormapNames)) // as TiTiler has them
	r.Get("/colorMaps/:name", colormapOrLegend)
	r.Get("/algorithms", listed("/algorithms", "algorithms", render.AlgorithmNames))
	r.Get("/algorithms/:name", algorithm)
}

// usualMaxAge is how long caches may use an answer without asking again. Asking is cheap (304), and a product that is ingested
// anew must not stay on the map in two colours for long. Of pictures a collection may say another time.
const (
	usualMaxAge  = time.Minute
	cacheControl = "public, max-age=60"
)

// tile serves one square of a tile matrix set, PNG when the path names no format.
func (a API) tile(c *fiber.Ctx) error {
	set, err := setOf(c)
	if err != nil {
		return err
	}
	format, err := render.ParseFormat(c.Params("format", "png"))
	if err != nil {
		return err
	}
	t, scale, err := tileOf(c.Params("z"), c.Params("x"), c.Params("y"))
	if err != nil {
		return err
	}
	q, err := request(c)
	if err != nil {
		return err
	}
	if scale != 0 {
		q.Scale = scale
	}
	view, err := a.Renderer.View(c.UserContext(), q)
	if err != nil {
		return hint(q, err)
	}
	frame, err := view.TileFrame(set, t)
	if err != nil {
		return err
	}
	return a.picture(c, view, frame, format)
}

// tileOf reads the indices of a tile; the last may end in @2x, which asks for twice the pixels.
func tileOf(z, x, y string) (t geo.Tile, scale int, err error) {
	y, times, scaled := strings.Cut(y, "@")
	if scaled {
		if scale, err = strconv.Atoi(strings.TrimSuffix(times, "x")); err != nil || scale < 1 || !strings.HasSuffix(times, "x") {
			return t, 0, fault.New(fault.Invalid, "@%.60s is not @1x to @4x", times)
		}
	}
	for _, index := range []struct {
		name, text string
		to         *int
	}{{"z", z, &t.Z}, {"x", x, &t.X}, {"y", y, &t.Y}} {
		if *index.to, err = strconv.Atoi(index.text); err != nil {
			return t, 0, fault.New(fault.Invalid, "tile index %s %.60q is not a whole number", index.name, index.text)
		}
	}
	return t, scale, nil
}

// picture answers with a picture, unless the client has it.
func (a API) picture(c *fiber.Ctx, view *tiles.View, frame tiles.Frame, format render.Format) error {
	tag, err := view.ETag(frame, format)
	if err != nil {
		return err
	}
	if c.Method() != fiber.MethodPost {
		c.Set(fiber.HeaderContentLocation, canonical(c))
	}
	collection, _ := itemOf(c)
	if a.notModified(c, collection, tag) {
		return nil
	}
	body, err := view.Picture(c.UserContext(), frame, format)
	return send(c, body, format.ContentType(), err)
}

// preview serves the whole item as one picture, PNG when the path names no format.
func (a API) preview(c *fiber.Ctx) error {
	format, err := render.ParseFormat(c.Params("format", "png"))
	if err != nil {
		return err
	}
	size, err := sizeOf(c)
	if err != nil {
		return err
	}
	usual := geo.WebMercator
	if byAddress(c) {
		usual = 0 // the raster's own, as TiTiler draws it
	}
	system, err := queryOf(c).system("dst_crs", usual)
	if err != nil {
		return err
	}
	view, err := a.view(c, "max_size", "width", "height", "dst_crs")
	if err != nil {
		return err
	}
	frame, err := view.PreviewFrame(c.UserContext(), size, system)
	if err != nil {
		return err
	}
	if system == 0 {
		c.Context().QueryArgs().Set("dst_crs", frame.Grid.CRS.String()) // of the canonical address
	}
	return a.picture(c, view, frame, format)
}

// tileJSON describes the tiles of the same query to map libraries.
func (a API) tileJSON(c *fiber.Ctx) error {
	set := tiles.WebMercatorQuad
	if c.Params("tms") != "" {
		if reserved(c) {
			return c.Next()
		}
		var err error
		if set, err = setOf(c); err != nil {
			return err
		}
	}
	return sendTileJSON(c, itemURL(c), set, func(template string) (tiles.TileJSON, error) {
		view, err := a.view(c, describing...)
		if err != nil {
			return tiles.TileJSON{}, err
		}
		return view.TileJSONIn(c.UserContext(), set, template)
	})
}

// describing are the parameters of TileJSON that are none of its tiles.
var describing = []string{"tile_format", "tile_scale", "minzoom", "maxzoom"}

// sendTileJSON answers with what describe says of the tiles of a set below an address, but for the zooms that the query says.
func sendTileJSON(c *fiber.Ctx, address string, set *geo.TileMatrixSet, describe func(template string) (tiles.TileJSON, error)) error {
	q := queryOf(c)
	format := c.Query("tile_format", "png")
	_, err := render.ParseFormat(format)
	if err != nil {
		return err
	}
	row := "{y}"
	if scale, err := q.whole("tile_scale"); err != nil {
		return err
	} else if scale > 1 {
		row = fmt.Sprintf("{y}@%dx", scale)
	}
	doc, err := describe(address + "/tiles/" + set.ID + "/{z}/{x}/" + row + "." + format + drawing(c, append(describing, "tile_matrix_set")...))
	if err != nil {
		return err
	}
	for name, zoom := range map[string]*int{"minzoom": &doc.MinZoom, "maxzoom": &doc.MaxZoom} {
		if q.one(name) == "" {
			continue
		}
		if *zoom, err = q.natural(name); err != nil {
			return err
		}
	}
	if doc.MinZoom > doc.MaxZoom {
		return fault.New(fault.Invalid, "there are no zooms from %d to %d", doc.MinZoom, doc.MaxZoom)
	}
	doc.Center[2] = max(float64(doc.MinZoom), min(float64(doc.MaxZoom), doc.Center[2]))
	return sendJSON(c, doc)
}

// reserved reports that what stands in the place of a tile matrix set is the folder of an item's files or of a collection's items,
// whatever these are called: its addresses are another door's.
func reserved(c *fiber.Ctx) bool { return c.Params("tms") == "assets" || c.Params("tms") == "items" }

// placeOf reads a place of an address, longitude and latitude in degrees, or x and y in coord_crs, and returns it in degrees.
func placeOf(c *fiber.Ctx) (at [2]float64, err error) {
	for i, name := range []string{"lon", "lat"} {
		if at[i], err = strconv.ParseFloat(c.Params(name), 64); err != nil {
			return at, fault.New(fault.Invalid, "%s %.60q is not a number: a point is longitude,latitude in degrees, as in 1.44,43.6", name, c.Params(name))
		}
	}
	system, err := queryOf(c).system("coord_crs", geo.WGS84)
	if err != nil {
		return at, err
	}
	at[0], at[1], err = tiles.Place(system, at[0], at[1])
	return at, err
}

// point serves the values at a place.
func (a API) point(c *fiber.Ctx) error {
	at, err := placeOf(c)
	if err != nil {
		return err
	}
	q, err := request(c, "coord_crs")
	if err != nil {
		return err
	}
	values, err := a.Renderer.Point(c.UserContext(), q, at[0], at[1])
	if err != nil {
		return hint(q, err)
	}
	return c.JSON(values)
}

// info serves what the rasters of an item are.
func (a API) info(c *fiber.Ctx) error {
	q, err := request(c)
	if err != nil {
		return err
	}
	info, err := a.Renderer.Info(c.UserContext(), q.Collection, q.Item, q.Assets)
	if err != nil {
		return err
	}
	if ofFile(c) {
		return c.JSON(info.Assets[0])
	}
	return c.JSON(info)
}

func (a API) view(c *fiber.Ctx, alsoKnown ...string) (*tiles.View, error) {
	q, err := request(c, alsoKnown...)
	if err != nil {
		return nil, err
	}
	v, err := a.Renderer.View(c.UserContext(), q)
	return v, hint(q, err)
}

// notModified says how long a picture of a collection ("" is of several) may be kept, and answers a client that has it.
func (a API) notModified(c *fiber.Ctx, collection, tag string) bool {
	age := usualMaxAge
	if collection != "" {
		age = a.Renderer.MaxAge(c.UserContext(), collection, age)
	}
	c.Set(fiber.HeaderCacheControl, fmt.Sprintf("public, max-age=%.0f", age.Truncate(time.Second).Seconds()))
	return httpkit.NotModified(c, tag)
}

// sendJSON answers with a document that caches may keep.
func sendJSON(c *fiber.Ctx, doc any) error {
	body, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("tilehttp: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, cacheControl)
	return httpkit.Send(c, fiber.MIMEApplicationJSON, body)
}

func send(c *fiber.Ctx, body []byte, contentType string, err error) error {
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, contentType)
	return c.Send(body)
}
