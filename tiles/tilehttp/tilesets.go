package tilehttp

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"swath/geo"
	"swath/httpkit"
	"swath/render"
	"swath/tiles"
)

// tileSetJSON is tileset metadata (OGC 17-083r4, 8.1); entries of a list leave out what costs a look into the rasters.
type tileSetJSON struct {
	Title            string       `json:"title"`
	DataType         string       `json:"dataType"`
	CRS              string       `json:"crs"`
	TileMatrixSetURI string       `json:"tileMatrixSetURI"`
	TileMatrixSetID  string       `json:"tileMatrixSetId"`
	Links            []link       `json:"links"`
	Limits           []limitsJSON `json:"tileMatrixSetLimits,omitempty"`
	BoundingBox      *boundsJSON  `json:"boundingBox,omitempty"`
	CenterPoint      *centerJSON  `json:"centerPoint,omitempty"`
	MediaTypes       []string     `json:"mediaTypes,omitempty"`
}

type limitsJSON struct {
	TileMatrix string `json:"tileMatrix"`
	MinRow     int    `json:"minTileRow"`
	MaxRow     int    `json:"maxTileRow"`
	MinCol     int    `json:"minTileCol"`
	MaxCol     int    `json:"maxTileCol"`
}

type boundsJSON struct {
	LowerLeft  [2]float64 `json:"lowerLeft"`
	UpperRight [2]float64 `json:"upperRight"`
	CRS        string     `json:"crs"`
}

type centerJSON struct {
	Coordinates [2]float64 `json:"coordinates"`
	CRS         string     `json:"crs"`
	TileMatrix  string     `json:"tileMatrix"`
}

const crs84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

// tileSets serves the list of the tile sets of an item: one for each tile matrix set that it can be drawn in.
func (a API) tileSets(c *fiber.Ctx) error {
	q, err := request(c, "f")
	if err != nil {
		return err
	}
	sets, _, err := a.Renderer.Sets(c.UserContext(), q.Collection, q.Item)
	if err != nil {
		return err
	}
	list := make([]tileSetJSON, 0, len(sets))
	for _, set := range sets {
		list = append(list, tileSetOf(c, set, itemURL(c), titleIn(set, q.Item)))
	}
	return sendTileSets(c, list, itemURL(c), link{Rel: "item", Href: itemURL(c), Type: "application/geo+json", Title: "The item"})
}

// mosaicTileSets serves the list of the tile sets of the items that a search finds.
func (a API) mosaicTileSets(c *fiber.Ctx) error {
	q, address, name, err := a.mosaicOf(c, "f")
	if err != nil {
		return err
	}
	sets, err := a.Renderer.MosaicSets(c.UserContext(), q)
	if err != nil {
		return err
	}
	list := make([]tileSetJSON, 0, len(sets))
	for _, in := range sets {
		entry := tileSetOf(c, in.Set, address, titleIn(in.Set, name))
		entry.Limits = limitsOf(in)
		list = append(list, entry)
	}
	return sendTileSets(c, list, address, link{Rel: "up", Href: httpkit.BaseURL(c) + "/", Type: fiber.MIMEApplicationJSON, Title: "The catalog"})
}

// titleIn is what the map of something is called in a set.
func titleIn(set *geo.TileMatrixSet, name string) string { return "Map of " + name + " in " + set.ID }

// sendTileSets answers with a list of tile sets of what has an address.
func sendTileSets(c *fiber.Ctx, list []tileSetJSON, address string, parent link) error {
	return sendJSON(c, fiber.Map{"tilesets": list, "links": []link{
		{Rel: "self", Href: address + "/tiles" + drawing(c), Type: fiber.MIMEApplicationJSON, Title: "Tile sets"}, parent,
	}})
}

// tileSetOf is what is known of a tile set without looking into rasters.
func tileSetOf(c *fiber.Ctx, set *geo.TileMatrixSet, address, title string) tileSetJSON {
	uri := set.URI
	if uri == "" { // of an unregistered set: where its definition is
		uri = definition(c, set)
	}
	t := tileSetJSON{Title: title, DataType: "map", CRS: set.CRSURI, TileMatrixSetURI: uri, TileMatrixSetID: set.ID, Links: []link{
		{Rel: "self", Href: address + "/tiles/" + set.ID + drawing(c), Type: fiber.MIMEApplicationJSON, Title: "Tile set"},
		{Rel: tilingScheme, Href: definition(c, set), Type: fiber.MIMEApplicationJSON, Title: "Definition of " + set.ID},
	}}
	for _, extension := range []string{"png", "jpg", "webp", "tif"} {
		format, _ := render.ParseFormat(extension) // it is one
		t.Links = append(t.Links, link{Rel: "item", Type: format.ContentType(), Title: "Tiles", Templated: true,
			Href: address + "/tiles/" + set.ID + "/{tileMatrix}/{tileCol}/{tileRow}." + extension + drawing(c)})
		t.MediaTypes = append(t.MediaTypes, format.ContentType())
	}
	return t
}

// tileSet serves the metadata of one tile set of an item.
func (a API) tileSet(c *fiber.Ctx) error {
	set, err := setOf(c)
	if err != nil {
		return err
	}
	view, err := a.view(c, "f")
	if err != nil {
		return err
	}
	where, err := view.TileSet(c.UserContext(), set)
	if err != nil {
		return err
	}
	return sendJSON(c, describeTileSet(tileSetOf(c, set, itemURL(c), where.Title), where))
}

// mosaicTileSet serves the metadata of one tile set of the items that a search finds.
func (a API) mosaicTileSet(c *fiber.Ctx) error {
	set, err := setOf(c)
	if err != nil {
		return err
	}
	q, address, name, err := a.mosaicOf(c, "f")
	if err != nil {
		return err
	}
	where, err := a.Renderer.MosaicTileSet(c.UserContext(), q, set, name)
	if err != nil {
		return hint(q.Request, err)
	}
	return sendJSON(c, describeTileSet(tileSetOf(c, set, address, where.Title), where))
}

// describeTileSet adds where the tiles are.
func describeTileSet(t tileSetJSON, where tiles.TileSet) tileSetJSON {
	b := where.Bounds
	t.BoundingBox = &boundsJSON{[2]float64{b.MinX, b.MinY}, [2]float64{geo.WrapLon(b.MaxX), b.MaxY}, crs84}
	if b.MaxX == 180 {
		t.BoundingBox.UpperRight[0] = 180
	}
	t.CenterPoint = &centerJSON{[2]float64{geo.WrapLon((b.MinX + b.MaxX) / 2), (b.MinY + b.MaxY) / 2}, crs84, fmt.Sprint(where.MinZoom)}
	t.Limits = limitsOf(where)
	return t
}

// limitsOf are the tiles of each level, the matrix's name first.
func limitsOf(where tiles.TileSet) (all []limitsJSON) {
	for _, l := range where.Limits {
		all = append(all, limitsJSON{fmt.Sprint(l.First.Z), l.First.Y, l.Last.Y, l.First.X, l.Last.X})
	}
	return all
}
