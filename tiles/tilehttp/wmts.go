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
	"swath/render"
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
	Formats                  []wmtsFormat
	West, South, East, North float64
	Sets                     []tiles.TileSet
	Boxes                    []wmtsBox
}

// wmtsBox is the layer's box in the system of a set, its axes in that system's order. GDAL would take the edges in degrees to the web
// map else, which has no poles.
type wmtsBox struct {
	CRS          string
	Lower, Upper [2]float64
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

type wmtsFormat struct{ Extension, Media string }

// formatsOf are the format that tile_format names, else those that every client knows.
func formatsOf(c *fiber.Ctx) ([]wmtsFormat, error) {
	var all []wmtsFormat
	for extension := range strings.SplitSeq(c.Query("tile_format", "png,jpg"), ",") {
		format, err := render.ParseFormat(extension)
		if err != nil {
			return nil, err
		}
		all = append(all, wmtsFormat{extension, format.ContentType()})
	}
	return all, nil
}

// understood takes what WMTS clients add to an address, in any case, out of the query. It refuses what no document can answer: tiles are
// found by their template.
func understood(c *fiber.Ctx) error {
	for name, values := range queryOf(c) {
		switch strings.ToLower(name) {
		case "service", "request":
			if said := values[0]; !strings.EqualFold(said, "WMTS") && !strings.EqualFold(said, "GetCapabilities") {
				return fault.New(fault.Invalid, "%s=%.60s is not answered: these are the capabilities, and they say where the tiles are", name, said)
			}
		case "version", "acceptversions", "sections", "updatesequence", "acceptformats":
		default:
			continue
		}
		c.Context().QueryArgs().Del(name)
	}
	return nil
}

// wmts serves the capabilities of an item: of the picture that the query asks for, else of every preset that suits the item.
func (a API) wmts(c *fiber.Ctx) error {
	if reserved(c) {
		return c.Next()
	}
	if err := understood(c); err != nil {
		return err
	}
	sets, err := setsOf(c)
	if err != nil {
		return err
	}
	q, err := request(c, "tile_format")
	if err != nil {
		return err
	}
	ways, err := waysOf(q, func() ([]tiles.Preset, error) { return a.Renderer.Presets(c.UserContext(), q.Collection, q.Item) })
	if err != nil {
		return err
	}
	var layers []wmtsLayer
	for _, way := range ways {
		one := q
		one.Render = way.render
		layer, err := a.layer(c, way.id, one, sets)
		if err != nil && (len(ways) == 1 || !fault.Is(err, fault.Invalid)) {
			return hint(q, err)
		} else if err == nil {
			layers = append(layers, layer)
		}
	}
	return sendCapabilities(c, q.Collection+" / "+q.Item, layers, sets)
}

// mosaicWMTS serves the capabilities of the items that a search finds: of the picture that the query asks for, else of every preset
// that its collections offer.
func (a API) mosaicWMTS(c *fiber.Ctx) error {
	if reserved(c) {
		return c.Next()
	}
	if err := understood(c); err != nil {
		return err
	}
	sets, err := setsOf(c)
	if err != nil {
		return err
	}
	q, address, name, err := a.mosaicOf(c, "tile_format")
	if err != nil {
		return err
	}
	ways, err := waysOf(q.Request, func() ([]tiles.Preset, error) { return a.Renderer.MosaicPresets(c.UserContext(), q.Search) })
	if err != nil {
		return err
	}
	var where []tiles.TileSet
	for _, set := range sets {
		one, err := a.Renderer.MosaicTileSet(c.UserContext(), q, set, name)
		if err != nil {
			return hint(q.Request, err)
		}
		where = append(where, one)
	}
	var layers []wmtsLayer
	for _, way := range ways {
		layer := layerOf(c, way.id, way.render, address, where)
		if way.title != "" {
			layer.Title += " · " + way.title
		}
		layers = append(layers, layer)
	}
	return sendCapabilities(c, name, layers, sets)
}

// setsOf returns the set of the path, else those that every client knows.
func setsOf(c *fiber.Ctx) ([]*geo.TileMatrixSet, error) {
	if c.Params("tms") == "" {
		return []*geo.TileMatrixSet{tiles.WebMercatorQuad, worldCRS84Quad}, nil
	}
	set, err := setOf(c)
	if err != nil {
		return nil, err
	}
	for _, m := range set.Matrices {
		if len(m.Coalesced) > 0 {
			return nil, fault.New(fault.Invalid, "the tiles of %s vary in width, which WMTS can't say", set.ID)
		}
	}
	return []*geo.TileMatrixSet{set}, nil
}

// way is one way to draw what a document describes.
type way struct{ id, render, title string }

// waysOf returns the picture that a request asks for, or where it asks for none those of the presets.
func waysOf(q tiles.Request, offered func() ([]tiles.Preset, error)) ([]way, error) {
	if q.Render == "" && len(q.Assets) == 0 && q.Expression == "" && len(q.Bidx) == 0 {
		presets, err := offered()
		if err != nil {
			return nil, err
		}
		ways := make([]way, 0, len(presets))
		for _, p := range presets {
			ways = append(ways, way{p.Name, p.Name, p.Title})
		}
		if len(ways) > 0 {
			return ways, nil
		}
	}
	return []way{{id: "default", render: q.Render}}, nil
}

func sendCapabilities(c *fiber.Ctx, title string, layers []wmtsLayer, sets []*geo.TileMatrixSet) error {
	var body bytes.Buffer
	formats, err := formatsOf(c)
	if err != nil {
		return err
	}
	for i := range layers {
		layers[i].Formats = formats
	}
	err = capabilities.Execute(&body, fiber.Map{"Title": title, "Self": httpkit.BaseURL(c) + c.OriginalURL(), "Layers": layers, "Sets": wmtsSets(sets, layers)})
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
	var where []tiles.TileSet
	for _, set := range sets {
		one, err := view.TileSet(c.UserContext(), set)
		if err != nil {
			return wmtsLayer{}, err
		}
		where = append(where, one)
	}
	return layerOf(c, id, q.Render, itemURL(c), where), nil
}

// layerOf is a layer whose tiles are below an address, drawn by a preset ("" is none) and what else the query says.
func layerOf(c *fiber.Ctx, id, preset, address string, where []tiles.TileSet) wmtsLayer {
	parameters := url.Values(queryOf(c))
	parameters.Del("tile_format")
	if preset != "" {
		parameters.Set("render", preset)
	}
	layer := wmtsLayer{ID: id, Tiles: address + "/tiles", Sets: where, Title: where[0].Title}
	if len(parameters) > 0 {
		layer.Query = "?" + parameters.Encode()
	}
	b := where[0].Bounds
	if b.MaxX > 180 {
		b.MinX, b.MaxX = -180, 180
	}
	layer.West, layer.South, layer.East, layer.North = b.MinX, b.MinY, b.MaxX, b.MaxY
	for _, w := range where {
		layer.Boxes = append(layer.Boxes, wmtsBox{urnOf(w.Set), w.Set.Point(w.Box.MinX, w.Box.MinY), w.Set.Point(w.Box.MaxX, w.Box.MaxY)})
	}
	return layer
}

// wmtsSets are the sets with the levels that some layer needs.
func wmtsSets(sets []*geo.TileMatrixSet, layers []wmtsLayer) []wmtsSet {
	out := make([]wmtsSet, 0, len(sets))
	for i, s := range sets {
		one := wmtsSet{TileMatrixSet: s, URN: urnOf(s)}
		finest := s.Matrices[0].Z
		for _, l := range layers {
			finest = max(finest, l.Sets[i].MaxZoom)
		}
		for _, m := range s.Matrices {
			if m.Z <= finest {
				one.Matrices = append(one.Matrices, wmtsMatrix{m, s.ScaleDenominator(&m), s.Point(m.OriginX, m.OriginY)})
			}
		}
		out = append(out, one)
	}
	return out
}

func urnOf(s *geo.TileMatrixSet) string {
	if strings.HasSuffix(s.CRSURI, "CRS84") {
		return "urn:ogc:def:crs:OGC:1.3:CRS84"
	}
	return fmt.Sprintf("urn:ogc:def:crs:EPSG::%d", int(s.CRS))
}
