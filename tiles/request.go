package tiles

import (
	"context"
	"encoding/json"
	"math"
	"sort"
	"strings"

	"swath/fault"
	"swath/raster"
)

// Request says what to draw of which item. Everything but the two names may stay empty: a preset fills what the request
// leaves open, and a request without preset, assets and expression draws the collection's preset "true-color", else its
// first preset by name, else the item's only asset.
type Request struct {
	Collection, Item string
	Render           string          // a preset of the collection's "renders"
	Assets           []string        // asset keys, "asset_bN" or band names; the expression's "bN" counts their bands
	Expression       string          // see render.Compile
	Rescale          [][2]float64    // one pair for all planes, or one for each
	ColormapName     string          // see render.ColormapNames
	Colormap         json.RawMessage // a colormap of its own, see render.ParseColormap
	ColormapLinear   bool            // Colormap has a few stops of levels, with straight lines between: see render.ParseLinearColormap
	ColorFormula     string          // see render.ParseFormula
	Algorithm        string          // see render.ParseAlgorithm
	AlgorithmParams  string          // a JSON object
	NoData           *float64        // the stored value that is nodata, instead of what file and item say
	Resampling       string          // nearest (default), bilinear, cubic, lanczos, average, mode
	Stored           bool            // true: values as stored, without scale and offset (unscale=false)
	SizePx           int             // of a tile, pixels a side; 0: what the tile matrix says, 256 nearly everywhere
	Scale            int             // so many times the pixels, a side; 0 is 1
	BufferPx         float64         // pixels drawn around a tile, in halves
	Bidx             []int           // bands of the listed assets, counted from 1; none: all
	Percentiles      *[2]float64     // instead of Rescale: the stretch of each plane, as percentiles of the whole item
	Opaque           bool            // no transparency (return_mask=false): what has no value gets the lowest colour
	Mask             []string        // what is hidden: clouds, shadows, snow, water
	MaskBufferM      float64         // metres of ground around what is hidden
}

// Bounds of what one request may ask.
const (
	mostAssets     = 64    // entries of Assets
	mostInputs     = 32    // bands read for one picture
	mostTextLen    = 4096  // bytes of an expression
	mostMapLen     = 65536 // bytes of an inline colormap
	mostPreview    = 2048  // pixels a side
	previewSide    = 1024  // pixels of the longer side when the request does not say
	tileSize       = 256   // pixels a side when the request does not say
	mostTile       = 2048  // pixels a side
	mostScale      = 4
	mostBuffer     = 256       // pixels around a tile
	mostSidePx     = 8192      // of any picture
	mostPixelBytes = 256 << 20 // values of all bands and results of one picture, in memory
	stretchSide    = 256       // pixels of the longer side of the picture from which a default stretch is taken
	presetChoice   = "true-color"
)

// preset is one entry of a collection's "renders" (STAC render extension 2).
type preset struct {
	Title        string          `json:"title"`
	Assets       []string        `json:"assets"`
	Expression   string          `json:"expression"`
	Rescale      [][2]float64    `json:"rescale"`
	ColormapName string          `json:"colormap_name"`
	Colormap     json.RawMessage `json:"colormap"`
	ColorFormula string          `json:"color_formula"`
	Algorithm    string          `json:"algorithm"`
	NoData       *number         `json:"nodata"`
	Resampling   string          `json:"resampling"`
}

// Preset is a named way to draw the items of a collection.
type Preset struct{ Name, Title string }

// presets is what a collection offers, undecoded: one malformed preset does not spoil the others.
type presets map[string]json.RawMessage

func (p presets) names() []string {
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Presets returns those of the item's collection that the item has the assets for, by name.
func (r *Renderer) Presets(ctx context.Context, collection, id string) ([]Preset, error) {
	d, err := r.describe(ctx, collection, id)
	if err != nil {
		return nil, err
	}
	offered, err := r.presets(ctx, collection)
	if err != nil {
		return nil, err
	}
	var suit []Preset
	for _, name := range offered.names() {
		var p preset
		if json.Unmarshal(offered[name], &p) == nil && d.has(p.Assets) {
			suit = append(suit, Preset{name, p.Title})
		}
	}
	return suit, nil
}

// choose returns the preset to draw when the request names nothing at all: the first whose assets the item has; empty when
// there is none.
func (p presets) choose(it *Description) string {
	for _, name := range append([]string{presetChoice}, p.names()...) {
		var candidate preset
		if body, ok := p[name]; ok && json.Unmarshal(body, &candidate) == nil && it.has(candidate.Assets) {
			return name
		}
	}
	return ""
}

// under fills what the request leaves open.
func (p preset) under(q Request) Request {
	if len(q.Assets) == 0 {
		q.Assets = p.Assets
	}
	if q.Expression == "" {
		q.Expression = p.Expression
	}
	if len(q.Rescale) == 0 && q.Percentiles == nil {
		q.Rescale = p.Rescale
	}
	if q.ColormapName == "" && len(q.Colormap) == 0 {
		q.ColormapName, q.Colormap = p.ColormapName, p.Colormap
	}
	if q.ColorFormula == "" {
		q.ColorFormula = p.ColorFormula
	}
	if q.Algorithm == "" {
		q.Algorithm = p.Algorithm
	}
	if q.NoData == nil {
		q.NoData = (*float64)(p.NoData)
	}
	if q.Resampling == "" {
		q.Resampling = p.Resampling
	}
	return q
}

// complete applies the preset that the request names, or the default choice.
func (r *Renderer) complete(ctx context.Context, q Request, it *Description) (Request, string, error) {
	bare := q.Render == "" && len(q.Assets) == 0 && q.Expression == ""
	if bare && len(q.Bidx) > 0 {
		if len(it.Assets) != 1 {
			return q, "", fault.New(fault.Invalid, "bidx counts the bands of assets: say which of %s", some(it.keys()))
		}
		q.Assets = it.keys()
		return q, it.Assets[0].Title, nil
	}
	if q.Render == "" && !bare {
		return q, "", nil
	}
	offered, err := r.presets(ctx, q.Collection)
	if err != nil {
		return q, "", err
	}
	if bare {
		q.Render = offered.choose(it)
	}
	if q.Render == "" {
		if len(it.Assets) == 1 {
			q.Assets = []string{it.Assets[0].Key}
			return q, it.Assets[0].Title, nil
		}
		return q, "", fault.New(fault.Invalid, "say what to draw with assets or expression: collection %q has no preset for this item, which has %s",
			q.Collection, some(it.keys()))
	}
	body, ok := offered[q.Render]
	if !ok {
		return q, "", fault.New(fault.NotFound, "collection %q has no preset %.60q; it has %s", q.Collection, q.Render, some(offered.names()))
	}
	var p preset
	if err := json.Unmarshal(body, &p); err != nil {
		return q, "", fault.Wrap(fault.Invalid, err, "preset %q of collection %q is malformed", q.Render, q.Collection)
	}
	return p.under(q), p.Title, nil
}

// check refuses what no item could satisfy.
func (q Request) check() error {
	switch {
	case len(q.Assets) > mostAssets:
		return fault.New(fault.TooLarge, "%d assets are asked for; one request may name %d", len(q.Assets), mostAssets)
	case len(q.Expression) > mostTextLen:
		return fault.New(fault.TooLarge, "the expression has %d bytes; at most %d are read", len(q.Expression), mostTextLen)
	case len(q.AlgorithmParams) > mostTextLen:
		return fault.New(fault.TooLarge, "algorithm_params has %d bytes; at most %d are read", len(q.AlgorithmParams), mostTextLen)
	case q.AlgorithmParams != "" && q.Algorithm == "" && q.Render == "":
		return fault.New(fault.Invalid, "algorithm_params without algorithm")
	case len(q.ColorFormula) > mostTextLen:
		return fault.New(fault.TooLarge, "the color formula has %d bytes; at most %d are read", len(q.ColorFormula), mostTextLen)
	case len(q.Colormap) > mostMapLen:
		return fault.New(fault.TooLarge, "the colormap has %d bytes; at most %d are read", len(q.Colormap), mostMapLen)
	case q.SizePx < 0 || q.SizePx > mostTile:
		return fault.New(fault.Invalid, "tilesize %d: tiles have 1 to %d pixels a side", q.SizePx, mostTile)
	case q.Scale < 0 || q.Scale > mostScale:
		return fault.New(fault.Invalid, "scale %d: tiles are drawn at 1 to %d times their size", q.Scale, mostScale)
	case !(q.BufferPx >= 0 && q.BufferPx <= mostBuffer) || q.BufferPx*2 != math.Trunc(q.BufferPx*2):
		return fault.New(fault.Invalid, "buffer %g: 0 to %d pixels, in halves", q.BufferPx, mostBuffer)
	case q.Percentiles != nil && !(q.Percentiles[0] >= 0 && q.Percentiles[0] < q.Percentiles[1] && q.Percentiles[1] <= 100):
		return fault.New(fault.Invalid, "rescale %g%%,%g%%: percentiles go from a lower to a higher one, 0 to 100", q.Percentiles[0], q.Percentiles[1])
	case q.Percentiles != nil && len(q.Rescale) > 0:
		return fault.New(fault.Invalid, "rescale gives numbers and percentiles: give one kind")
	case q.ColormapName != "" && len(q.Colormap) > 0:
		return fault.New(fault.Invalid, "give colormap or colormap_name, not both")
	}
	for _, pair := range q.Rescale {
		if !(pair[0] < pair[1]) || math.IsInf(pair[1]-pair[0], 0) {
			return fault.New(fault.Invalid, "rescale %g,%g: a stretch goes from a lower to a higher number", pair[0], pair[1])
		}
	}
	return nil
}

var resamplings = map[string]raster.Resampling{"": raster.Nearest, "nearest": raster.Nearest, "bilinear": raster.Bilinear, "cubic": raster.Cubic,
	"lanczos": raster.Lanczos, "average": raster.AverageOf, "mode": raster.ModeOf}

func resampling(name string) (raster.Resampling, error) {
	how, ok := resamplings[strings.ToLower(name)]
	if !ok {
		return 0, fault.New(fault.Invalid, "resampling %.60q is not one of nearest, bilinear, cubic, lanczos, average, mode", name)
	}
	return how, nil
}
