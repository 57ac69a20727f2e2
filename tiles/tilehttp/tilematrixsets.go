package tilehttp

import (
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/geo"
	"swath/httpkit"
)

// link is a link as OGC API has it.
type link struct {
	Rel       string `json:"rel"`
	Href      string `json:"href"`
	Type      string `json:"type,omitempty"`
	Title     string `json:"title,omitempty"`
	Templated bool   `json:"templated,omitempty"`
}

// tilingScheme is the relation from tiles to the definition of their tile matrix set.
const tilingScheme = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"

// tileMatrixSetJSON is a tile matrix set in the encoding of OGC 17-083r4 (2.0), 7.1.
type tileMatrixSetJSON struct {
	ID           string           `json:"id"`
	Title        string           `json:"title"`
	URI          string           `json:"uri,omitempty"`
	CRS          string           `json:"crs"`
	OrderedAxes  [2]string        `json:"orderedAxes"`
	ScaleSet     string           `json:"wellKnownScaleSet,omitempty"`
	TileMatrices []tileMatrixJSON `json:"tileMatrices"`
}

type tileMatrixJSON struct {
	ID               string            `json:"id"`
	ScaleDenominator float64           `json:"scaleDenominator"`
	CellSize         float64           `json:"cellSize"`
	CornerOfOrigin   string            `json:"cornerOfOrigin"`
	PointOfOrigin    [2]float64        `json:"pointOfOrigin"`
	TileWidth        int               `json:"tileWidth"`
	TileHeight       int               `json:"tileHeight"`
	MatrixWidth      int               `json:"matrixWidth"`
	MatrixHeight     int               `json:"matrixHeight"`
	Variable         []coalescenceJSON `json:"variableMatrixWidths,omitempty"`
}

type coalescenceJSON struct {
	Factor int `json:"coalesce"`
	MinRow int `json:"minTileRow"`
	MaxRow int `json:"maxTileRow"`
}

// tileMatrixSets serves the list of the sets that tiles are drawn in.
func tileMatrixSets(c *fiber.Ctx) error {
	if err := only(c); err != nil {
		return err
	}
	type entry struct {
		ID    string `json:"id"`
		Title string `json:"title"`
		URI   string `json:"uri,omitempty"`
		CRS   string `json:"crs"`
		Links []link `json:"links"`
	}
	all := make([]entry, 0, len(geo.TileMatrixSets()))
	for _, s := range geo.TileMatrixSets() {
		all = append(all, entry{s.ID, s.Title, s.URI, s.CRSURI, []link{{Rel: "self", Href: definition(c, s), Type: fiber.MIMEApplicationJSON, Title: "Definition of " + s.ID}}})
	}
	return sendJSON(c, fiber.Map{"tileMatrixSets": all})
}

// definition is the address of a set's definition.
func definition(c *fiber.Ctx, s *geo.TileMatrixSet) string {
	return httpkit.BaseURL(c) + "/tileMatrixSets/" + url.PathEscape(s.ID)
}

// tileMatrixSet serves the definition of one set.
func tileMatrixSet(c *fiber.Ctx) error {
	if err := only(c); err != nil {
		return err
	}
	s, err := setOf(c)
	if err != nil {
		return err
	}
	doc := tileMatrixSetJSON{ID: s.ID, Title: s.Title, URI: s.URI, CRS: s.CRSURI, OrderedAxes: s.Axes, ScaleSet: s.ScaleSet}
	for i := range s.Matrices {
		m := &s.Matrices[i]
		next := tileMatrixJSON{
			ID: fmt.Sprint(m.Z), ScaleDenominator: s.ScaleDenominator(m), CellSize: m.CellSize, CornerOfOrigin: "topLeft", PointOfOrigin: s.Point(m.OriginX, m.OriginY),
			TileWidth: m.TileWidth, TileHeight: m.TileHeight, MatrixWidth: m.Width, MatrixHeight: m.Height,
		}
		for _, v := range m.Coalesced {
			next.Variable = append(next.Variable, coalescenceJSON(v))
		}
		doc.TileMatrices = append(doc.TileMatrices, next)
	}
	return sendJSON(c, doc)
}

// setOf returns the set that the path names.
func setOf(c *fiber.Ctx) (*geo.TileMatrixSet, error) {
	s, ok := geo.TileMatrixSetByID(c.Params("tms"))
	if !ok {
		return nil, fault.New(fault.NotFound, "tile matrix set %.60q is not known; /tileMatrixSets lists those that are", c.Params("tms"))
	}
	return s, nil
}
