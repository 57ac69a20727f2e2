package tilehttp

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"text/template"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/geo"
	"swath/httpkit"
	"swath/tiles"
)

//go:embed wmts.xml
var wmtsXML string

// capabilities writes WMTS 1.0.0 (OGC 07-057r7) capabilities. Its tiles are found by template alone (RESTful).
var capabilities = template.Must(template.New("wmts").Funcs(template.FuncMap{"xml": escapeXML, "decimal": decimal}).Parse(wmtsXML))

func escapeXML(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

func decimal(v float64) string { return fmt.Sprintf("%.15g", v) }

// wmtsLayer is one way to draw the item, with where its tiles are in each set.
type wmtsLayer struct {
	ID, Title, Tiles, Query  string
	West, South, East, North float64
	Sets                     []tiles.TileSet
}

type wmtsSet struct {
	*geo.TileMatrixSet
	URN      string
	Matrices []wmtsMatrix
}

type wmtsMatrix struct {
	geo.TileMatrix
	Scale  float64
	Corner [2]float64
}

// wmts serves the capabilities of an item: of the picture that the query asks for, else of every preset that suits the item.
func (a API) wmts(c *fiber.Ctx) error {
	sets := []*geo.TileMatrixSet{tiles.WebMercatorQuad, worldCRS84Quad}
	if c.Params("tms") == assetsFolder {
		return c.Next()
	}
	if c.Params("tms") != "" {
		set, err := setOf(c)
		if err != nil {
			return err
		}
		for _, m := range set.Matrices {
			if len(m.Coalesced) > 0 {
				return fault.New(fault.Invalid, "the tiles of %s vary in width, which WMTS can't say", set.ID)
			}
		}
		sets = []*geo.TileMatrixSet{set}
	}
	q, err := request(c)
	if err != nil {
		return err
	}
	requests := map[string]tiles.Request{"default": q}
	order := []string{"default"}
	if bare := q.Render == "" && len(q.Assets) == 0 && q.Expression == "" && len(q.Bidx) == 0; bare {
		presets, err := a.Renderer.Presets(c.UserContext(), q.Collection, q.Item)
		if err != nil {
			return err
		}
		if len(presets) > 0 {
			order = nil
		}
		for _, p := range presets {
			one := q
			one.Render = p.Name
			requests[p.Name], order = one, append(order, p.Name)
		}
	}
	var layers []wmtsLayer
	for _, id := range order {
		layer, err := a.layer(c, id, requests[id], sets)
		if err != nil && (len(order) == 1 || !fault.Is(err, fault.Invalid)) {
			return hint(q, err)
		} else if err == nil {
			layers = append(layers, layer)
		}
	}
	var body bytes.Buffer
	err = capabilities.Execute(&body, fiber.Map{
		"Title": q.Collection + " / " + q.Item, "Self": httpkit.BaseURL(c) + c.OriginalURL(), "Layers": layers, "Sets": wmtsSets(sets),
	})
	if err != nil {
		return fmt.Errorf("tilehttp: wmts: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, cacheControl)
	return httpkit.Send(c, fiber.MIMEApplicationXMLCharsetUTF8, body.Bytes())
}

var worldCRS84Quad, _ = geo.TileMatrixSetByID("WorldCRS84Quad")

// layer finds where the tiles of one request are.
func (a API) layer(c *fiber.Ctx, id string, q tiles.Request, sets []*geo.TileMatrixSet) (wmtsLayer, error) {
	view, err := a.Renderer.View(c.UserContext(), q)
	if err != nil {
		return wmtsLayer{}, err
	}
	parameters := url.Values(queryOf(c))
	if q.Render != "" {
		parameters.Set("render", q.Render)
	}
	layer := wmtsLayer{ID: id, Tiles: itemURL(c) + "/tiles"}
	if len(parameters) > 0 {
		layer.Query = "?" + parameters.Encode()
	}
	for _, set := range sets {
		where, err := view.TileSet(c.UserContext(), set)
		if err != nil {
			return wmtsLayer{}, err
		}
		b := where.Bounds
		if b.MaxX > 180 {
			b.MinX, b.MaxX = -180, 180
		}
		layer.Title, layer.West, layer.South, layer.East, layer.North = where.Title, b.MinX, b.MinY, b.MaxX, b.MaxY
		layer.Sets = append(layer.Sets, where)
	}
	return layer, nil
}

func wmtsSets(sets []*geo.TileMatrixSet) []wmtsSet {
	out := make([]wmtsSet, 0, len(sets))
	for _, s := range sets {
		one := wmtsSet{TileMatrixSet: s, URN: fmt.Sprintf("urn:ogc:def:crs:EPSG::%d", int(s.CRS))}
		if strings.HasSuffix(s.CRSURI, "CRS84") {
			one.URN = "urn:ogc:def:crs:OGC:1.3:CRS84"
		}
		for _, m := range s.Matrices {
			one.Matrices = append(one.Matrices, wmtsMatrix{m, s.ScaleDenominator(&m), s.Point(m.OriginX, m.OriginY)})
		}
		out = append(out, one)
	}
	return out
}
