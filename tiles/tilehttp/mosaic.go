package tilehttp

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/geo"
	"swath/httpkit"
	"swath/render"
	"swath/stac"
	"swath/tiles"
)

// Parameters of a mosaic beside those of drawing: which items, and what their pixels become. The last four tune TiTiler's way of
// looking for items; here they change nothing.
var (
	searching = []string{"bbox", "datetime", "filter", "filter-crs", "filter-lang", "ids", "intersects", "q", "query", "sortby"}
	selecting = []string{"pixel_selection", "items_limit", "skip_missing", "scan_limit", "time_limit", "exitwhenfull", "skipcovered"}
)

// mountMosaics adds the routes of pictures of many items: of a collection, and of a registered search.
func (a API) mountMosaics(r fiber.Router) {
	r.Post("/searches/register", a.register)
	r.Get("/searches/list", a.searches)
	r.Get("/searches/:search/info", a.searchInfo)
	for _, where := range []string{"", "/collections/:collection", "/searches/:search"} { // "" is the whole catalog
		all := r.Group(where)
		all.Get("/tiles", a.mosaicTileSets)
		all.Get("/tiles/:tms", a.mosaicTileSet)
		all.Get("/tiles/:tms/:z/:x/:y/provenance.:format", a.provenance) // before the next, whose y would take it
		all.Get("/tiles/:tms/:z/:x/:y.:format", a.mosaicTile)
		all.Get("/tiles/:tms/:z/:x/:y", a.mosaicTile)
		all.Get("/tiles/:tms/:z/:x/:y/assets", a.mosaicItems)
		all.Get("/tilejson.json", a.mosaicTileJSON)
		all.Get("/WMTSCapabilities.xml", a.mosaicWMTS)
		all.Get("/map.html", page)
		all.Get("/map.js", script)
		all.Get(`/point/:lon\,:lat`, a.series)
		all.Get("/footprints/:tms/:z/:x/:y.mvt", a.footprints)
		if where == "" {
			continue
		}
		all.Get("/:tms/tilejson.json", a.mosaicTileJSON)
		all.Get("/:tms/WMTSCapabilities.xml", a.mosaicWMTS)
		all.Get("/:tms/map.html", mosaicPageOf)
		all.Get("/bbox/:bbox/provenance.:format", a.cropProvenance) // before the next, whose size would take the word
		all.Get("/bbox/:bbox/:size/provenance.:format", a.cropProvenance)
		all.Get("/bbox/:bbox/:size.:format", a.mosaicCrop) // before the next, whose box would take the size as well
		all.Get("/bbox/:bbox.:format", a.mosaicCrop)
		all.Post("/statistics", a.mosaicStatistics)
		all.Post("/feature", a.mosaicFeature)
		all.Post("/feature/provenance.:format", a.featureProvenance)
		all.Post("/feature/:size/provenance.:format", a.featureProvenance)
		all.Post("/feature/:size.:format", a.mosaicFeature)
		all.Post("/feature.:format", a.mosaicFeature)
		all.Get("/animation.:format", a.animation)
		all.Get("/timeseries/point", a.placeSeries)
		all.Post("/timeseries/polygon", a.featureSeries)
	}
}

// mosaicURL is the address of the collection or search whose items are drawn, or of the catalog.
func mosaicURL(c *fiber.Ctx) string {
	switch {
	case c.Params("search") != "":
		return httpkit.BaseURL(c) + "/searches/" + url.PathEscape(c.Params("search"))
	case c.Params("collection") != "":
		return httpkit.BaseURL(c) + "/collections/" + url.PathEscape(c.Params("collection"))
	}
	return httpkit.BaseURL(c)
}

// mosaicOf reads which items are asked for, those of a collection, of a registered search, or of the catalog, how they are drawn, and
// under which address and name.
func (a API) mosaicOf(c *fiber.Ctx, alsoKnown ...string) (q tiles.MosaicRequest, address, name string, err error) {
	values := queryOf(c)
	if id := c.Params("search"); id != "" {
		if q.Request, err = parse(values, slices.Concat(selecting, alsoKnown)...); err != nil {
			return q, "", "", err
		}
		registered, err := a.Searches.RegisteredSearch(c.UserContext(), id)
		if err == nil {
			q.Search, err = registered.Search()
		}
		if err != nil {
			return q, "", "", err
		}
		q.SearchName = "/searches/" + id
		return q, mosaicURL(c), registered.Name(), selectionOf(values, &q)
	}
	names := searching
	if c.Params("collection") == "" {
		names = append([]string{"collections"}, searching...)
	}
	if q.Request, err = parse(values, slices.Concat(names, selecting, alsoKnown)...); err != nil {
		return q, "", "", err
	}
	asked := url.Values{}
	for _, name := range names {
		if list := values[name]; len(list) > 0 {
			asked[name] = list
		}
	}
	question, err := stac.SearchFromQuery(asked, names)
	if err != nil {
		return q, "", "", err
	}
	q.Search, name = question.Search, c.Params("collection")
	q.SearchName = "/collections/" + name + "?" + asked.Encode()
	if name != "" {
		q.Search.Collections = []string{name}
	} else if name = strings.Join(q.Search.Collections, ", "); name == "" {
		name = "the catalog"
	}
	return q, mosaicURL(c), name, selectionOf(values, &q)
}

// selectionOf reads what becomes of the items' pixels.
func selectionOf(values query, q *tiles.MosaicRequest) (err error) {
	if q.Selection, err = render.ParseSelection(values.one("pixel_selection")); err != nil {
		return err
	}
	if q.Search.Limit, err = values.whole("items_limit"); err != nil {
		return err
	}
	q.SkipMissing, err = values.flag("skip_missing", false)
	return err
}

// sceneOf finds the items of a tile, whose address it reads.
func (a API) sceneOf(c *fiber.Ctx) (*tiles.Scene, error) {
	set, err := setOf(c)
	if err != nil {
		return nil, err
	}
	t, scale, err := tileOf(c.Params("z"), c.Params("x"), c.Params("y"))
	if err != nil {
		return nil, err
	}
	q, _, _, err := a.mosaicOf(c)
	if err != nil {
		return nil, err
	}
	if scale != 0 {
		q.Scale = scale
	}
	s, err := a.Renderer.Scene(c.UserContext(), q, set, t)
	return s, hint(q.Request, err)
}

// limitedHeader tells that a picture was made of fewer items than lie there.
const limitedHeader = "Swath-Items-Limited"

// mosaicTile serves one square of the items of a collection.
func (a API) mosaicTile(c *fiber.Ctx) error {
	format, err := render.ParseFormat(c.Params("format", "png"))
	if err != nil {
		return err
	}
	s, err := a.sceneOf(c)
	if err != nil {
		return err
	}
	return a.scenePicture(c, s, format)
}

// scenePicture answers with the picture of a scene, unless the client has it.
func (a API) scenePicture(c *fiber.Ctx, s *tiles.Scene, format render.Format) error {
	if items, limited := s.Items(); limited {
		c.Set(limitedHeader, strconv.Itoa(len(items)))
	}
	tag, err := s.ETag(format)
	if err != nil || a.notModified(c, s.Collection(), tag) {
		return err
	}
	body, err := s.Picture(c.UserContext(), format)
	return send(c, body, format.ContentType(), err)
}

// mosaicItems serves which items make a tile, the first on top, and of how many pixels each is.
func (a API) mosaicItems(c *fiber.Ctx) error {
	s, err := a.sceneOf(c)
	if err != nil {
		return err
	}
	items, limited := s.Items()
	from, err := s.Origins(c.UserContext())
	if err != nil {
		return err
	}
	pixels := make([]int, len(items)+1) // the last is of none
	for _, n := range from {
		if n < 0 {
			n = int32(len(items))
		}
		pixels[n]++
	}
	out := make([]fiber.Map, len(items))
	for i, it := range items {
		out[i] = fiber.Map{"collection": it.Collection, "id": it.ID, "datetime": it.Datetime, "bbox": it.BBox, "pixels": pixels[i]}
	}
	return sendJSON(c, fiber.Map{"items": out, "empty_pixels": pixels[len(items)], "limited": limited})
}

// provenance serves of every pixel of a tile which item it is from.
func (a API) provenance(c *fiber.Ctx) error {
	return a.sendProvenance(c, func() (*tiles.Scene, error) { return a.sceneOf(c) })
}

func (a API) sendProvenance(c *fiber.Ctx, sceneOf func() (*tiles.Scene, error)) error {
	format, err := tiles.ParseProvenanceFormat(c.Params("format"))
	if err != nil {
		return err
	}
	s, err := sceneOf()
	if err != nil {
		return err
	}
	if items, limited := s.Items(); limited {
		c.Set(limitedHeader, strconv.Itoa(len(items)))
	}
	if a.notModified(c, s.Collection(), s.ProvenanceETag(format)) {
		return nil
	}
	body, err := s.Provenance(c.UserContext(), format)
	return send(c, body, format.ContentType(), err)
}

// footprints serves where the items lie, as a vector tile.
func (a API) footprints(c *fiber.Ctx) error {
	if c.Params("tms") != tiles.WebMercatorQuad.ID {
		return fault.New(fault.NotFound, "vector tiles are made in %s alone", tiles.WebMercatorQuad.ID)
	}
	t, _, err := tileOf(c.Params("z"), c.Params("x"), c.Params("y"))
	if err != nil {
		return err
	}
	q, _, _, err := a.mosaicOf(c)
	if err != nil {
		return err
	}
	tile, err := a.Renderer.Footprints(c.UserContext(), a.Analyst, q.Search, t)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, cacheControl)
	return httpkit.Send(c, "application/vnd.mapbox-vector-tile", tile)
}

// mosaicTileJSON describes the tiles of the same query to map libraries.
func (a API) mosaicTileJSON(c *fiber.Ctx) error {
	if reserved(c) {
		return c.Next()
	}
	set, err := tiles.WebMercatorQuad, error(nil)
	if c.Params("tms") != "" {
		if set, err = setOf(c); err != nil {
			return err
		}
	} else if id := c.Query("tile_matrix_set"); id != "" {
		var ok bool
		if set, ok = geo.TileMatrixSetByID(id); !ok {
			return fault.New(fault.Invalid, "tile_matrix_set %.60q is not known; /tileMatrixSets lists those that are", id)
		}
	}
	q, address, name, err := a.mosaicOf(c, append(describing, "tile_matrix_set")...)
	if err != nil {
		return err
	}
	return sendTileJSON(c, address, set, func(template string) (tiles.TileJSON, error) {
		doc, err := a.Renderer.MosaicTileJSON(c.UserContext(), q, set, name, template)
		return doc, hint(q.Request, err)
	})
}

// series serves the values that the items of a collection have at a place, as JSON or CSV.
func (a API) series(c *fiber.Ctx) error {
	at, err := placeOf(c)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	q, _, _, err := a.mosaicOf(c, "f", "coord_crs")
	if err != nil {
		return err
	}
	values, err := a.Renderer.Series(c.UserContext(), q, at[0], at[1])
	if err != nil {
		return hint(q.Request, err)
	}
	if form == "csv" {
		return httpkit.Send(c, csvType, values.CSV())
	}
	return sendJSON(c, values)
}

const csvType = "text/csv; charset=utf-8; header=present"

// formOf reads whether a table is wanted as JSON or as CSV.
func formOf(c *fiber.Ctx) (string, error) {
	form := strings.ToLower(c.Query("f", "json"))
	if form != "json" && form != "csv" {
		return "", fault.New(fault.Invalid, "f %.20q is neither json nor csv", form)
	}
	return form, nil
}
