package tiles

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/buger/jsonparser"
	"github.com/cespare/xxhash/v2"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/render"
	"swath/stac"
	"swath/stac/cql2"
)

// MosaicRequest asks for one picture of many items: those that a search finds, each drawn as the Request says, and of every
// pixel what the selection makes of them.
//
//	search, limited to the frame ─▶ items in order ─▶ View of each ─▶ planes ─▶ Selector ─▶ picture
//	                                                └─▶ ETag: no pixel is read        └─ full: the rest is not read
type MosaicRequest struct {
	Request                      // its Collection and Item stay empty
	Search      stac.Search      // which items, and in which order; its Limit is how many at most, 0 is mostMosaicItems
	Selection   render.Selection // of pixels that several items show
	SkipMissing bool             // items that lack what is asked for are left out, instead of being an error
}

const (
	mostMosaicItems = 100       // of one picture, when the request does not say
	mostSearchItems = 1000      // that a request may ask for
	mostMedianBytes = 256 << 20 // of values that a median keeps
	mosaicTimeout   = 30 * time.Second
)

// Scene is a mosaic in one frame: the items that lie in it are known, and none of their pixels was read.
type Scene struct {
	renderer *Renderer
	how      render.Selection
	frame    Frame
	views    []*View // in order
	times    []string
	limited  bool // there are more items than the request's limit
	key      string
}

// SceneItem is an item of a scene.
type SceneItem struct {
	Collection string      `json:"collection"`
	ID         string      `json:"id"`
	Datetime   string      `json:"datetime,omitempty"` // as the item says it
	BBox       *[4]float64 `json:"bbox,omitempty"`
}

// Scene finds the items of a mosaic that lie in one tile of a matrix set, in the search's order.
func (r *Renderer) Scene(ctx context.Context, q MosaicRequest, set *geo.TileMatrixSet, t geo.Tile) (*Scene, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	blank := &View{sizePx: q.SizePx, scale: max(q.Scale, 1), bufferPx: q.BufferPx}
	frame, err := blank.TileFrame(set, t)
	if err != nil {
		return nil, err
	}
	box, err := raster.ProjectBox(set.CRS, geo.WGS84, gridBox(frame.Grid))
	if err != nil {
		return nil, err
	}
	return r.scene(ctx, q, frame, box)
}

// check refuses what no items could satisfy.
func (q MosaicRequest) check() error {
	if q.Search.Limit < 0 || q.Search.Limit > mostSearchItems {
		return fault.New(fault.Invalid, "items_limit %d: a picture is made of 1 to %d items", q.Search.Limit, mostSearchItems)
	}
	return q.Request.check()
}

// gridBox returns the edges of a grid whose rows run to the east.
func gridBox(g raster.Grid) geo.Box {
	t := g.Transform
	return geo.Box{MinX: t[0], MinY: t[3] + t[5]*float64(g.Height), MaxX: t[0] + t[1]*float64(g.Width), MaxY: t[3]}
}

// scene finds the items of a mosaic in a frame, whose box in degrees may run beyond 180.
func (r *Renderer) scene(ctx context.Context, q MosaicRequest, frame Frame, box geo.Box) (*Scene, error) {
	s := &Scene{renderer: r, how: q.Selection, frame: frame}
	found, err := r.within(ctx, q.Search, box)
	if err != nil {
		return nil, err
	}
	defer found.Release()
	h := xxhash.New()
	fmt.Fprintf(h, "%s %s", q.Selection, frame.key())
	var missing error
	for _, it := range found.Items {
		v, err := r.viewOf(ctx, q.Request, it)
		switch {
		case err != nil && fault.Is(err, fault.Invalid) && (q.SkipMissing || len(q.Search.Collections) != 1):
			missing = err
			continue // an item of another kind
		case err != nil:
			return nil, err
		}
		s.views, s.times = append(s.views, v), append(s.times, datetimeOf(it.Body))
		fmt.Fprintf(h, " %s", v.key)
	}
	if len(s.views) == 0 && missing != nil {
		return nil, missing
	}
	s.limited = found.Next != ""
	s.key = fmt.Sprintf("m%x", h.Sum64())
	return s, nil
}

// within searches in a box.
func (r *Renderer) within(ctx context.Context, search stac.Search, box geo.Box) (stac.Page, error) {
	if !(box.MinX < box.MaxX && box.MinY < box.MaxY) { // the frame is nowhere
		return stac.Page{}, nil
	}
	if search.Limit == 0 {
		search.Limit = mostMosaicItems
	}
	search.Uncounted = true
	search, err := narrowed(search, box)
	if err != nil {
		return stac.Page{}, err
	}
	return r.catalog.Search(ctx, search)
}

// narrowed limits a search to a box in degrees, which may run beyond 180.
func narrowed(search stac.Search, box geo.Box) (stac.Search, error) {
	if box.MaxX-box.MinX >= 360 {
		box.MinX, box.MaxX = -180, 180
	} else {
		box.MinX, box.MaxX = geo.WrapLon(box.MinX), geo.WrapLon(box.MaxX)
	}
	if search.BBox == nil && search.Intersects == nil {
		search.BBox = &box
		return search, nil
	}
	filter, err := cql2.ParseJSON(fmt.Appendf(nil, `{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":[%g,%g,%g,%g]}]}`, box.MinX, box.MinY, box.MaxX, box.MaxY))
	if err != nil {
		return search, err
	}
	if search.Filter != nil {
		filter = cql2.And{search.Filter, filter}
	}
	search.Filter = filter
	return search, nil
}

// viewOf is View of an item that was read already.
func (r *Renderer) viewOf(ctx context.Context, q Request, it stac.Item) (*View, error) {
	q.Collection, q.Item = it.Collection, it.ID
	body := bytes.Clone(it.Body) // who waits for the same item may read it after the page was given back
	_, release, err := r.items.get(ctx, it.Collection+"\x00"+it.ID, func(ctx context.Context) (Description, error) {
		return r.describeBody(ctx, it.Collection, it.ID, body)
	})
	if err != nil {
		return nil, err
	}
	release()
	return r.View(ctx, q)
}

func datetimeOf(body []byte) string {
	at, err := jsonparser.GetString(body, "properties", "datetime")
	if err != nil {
		at, _ = jsonparser.GetString(body, "properties", "start_datetime")
	}
	return at
}

// Items returns the items of the scene in their order, the first on top, and whether there are more than the request's limit.
func (s *Scene) Items() (items []SceneItem, limited bool) {
	items = make([]SceneItem, len(s.views))
	for i, v := range s.views {
		b := v.item.Bounds
		items[i] = SceneItem{v.item.Collection, v.item.ID, s.times[i], &[4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}}
	}
	return items, s.limited
}

// ETag names the bytes of the picture for ever, without drawing it.
func (s *Scene) ETag(f render.Format) (string, error) {
	if len(s.views) > 0 {
		if _, err := s.style(); err != nil && f != render.NPY {
			return "", err
		}
		if err := s.affordable(); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf(`"%s-%d"`, s.key, f), nil
}

// affordable refuses pictures that one request may not ask for.
func (s *Scene) affordable() error {
	if err := s.views[0].affordable(s.frame); err != nil {
		return err
	}
	cost := int64(s.frame.Grid.Width) * int64(s.frame.Grid.Height) * int64(len(s.views[0].outputs)) * int64(len(s.views)) * 4
	if s.how == render.Median && cost > mostMedianBytes {
		return fault.New(fault.TooLarge, "a median of %d items takes %d bytes; one request may take %d: ask for fewer items (items_limit) or pixels", len(s.views), cost, int64(mostMedianBytes))
	}
	return nil
}

// style says how the selected values become colours: alike in every tile, so that what is measured of one item does not do.
func (s *Scene) style() (render.Style, error) {
	v := s.views[0]
	planes := s.how.Planes(len(v.outputs))
	style := render.Style{Colormap: v.colormap, Formula: v.formula, Rescale: v.rescale}
	switch {
	case v.shares != nil:
		return style, fault.New(fault.Invalid, "rescale by percentiles is that of one item: pictures of many are stretched alike, so say it with numbers")
	case planes != 1 && planes != 3:
		return style, fault.New(fault.Invalid, "a picture has 1 or 3 planes, this one would have %d (%s of %s)", planes, s.how, some(v.outputs))
	case planes == 3 && v.colormap != nil:
		return style, fault.New(fault.Invalid, "a colormap colours one plane; this picture has 3 (%s)", some(v.outputs))
	case len(style.Rescale) > 1 && len(style.Rescale) != planes:
		return style, fault.New(fault.Invalid, "rescale has %d pairs for %d planes; give one for all or one for each", len(v.rescale), planes)
	case len(style.Rescale) > 0:
		return style, nil
	case s.how == render.Count || s.how == render.StDev || v.expression != nil || v.algorithm != nil:
		return style, fault.New(fault.Invalid, "say with rescale how %s of %s becomes colours: pictures of many items are stretched alike", s.how, some(v.outputs))
	}
	for i := range planes {
		limits, known := v.expected(v.inputs[i])
		if !known {
			return style, fault.New(fault.Invalid, "say with rescale how %s becomes colours: pictures of many items are stretched alike", v.outputs[i])
		}
		style.Rescale = append(style.Rescale, limits)
	}
	return style, nil
}

// Picture draws the scene, once for all who ask for the same at the same time. Where no item lies it is empty.
func (s *Scene) Picture(ctx context.Context, f render.Format) ([]byte, error) {
	key, err := s.ETag(f)
	if err != nil {
		return nil, err
	}
	grid := s.frame.Grid
	switch {
	case len(s.views) == 0 && f == render.NPY:
		return render.EncodeNPY([][]float32{slices.Repeat([]float32{float32(math.NaN())}, grid.Width*grid.Height)}, grid.Width, grid.Height)
	case len(s.views) == 0:
		return render.Empty(grid.Width, grid.Height, f)
	}
	style, err := s.style()
	if err != nil && f != render.NPY {
		return nil, err
	}
	return s.renderer.pictures.do(ctx, key, func(ctx context.Context) ([]byte, error) {
		planes, _, err := s.selected(ctx)
		if err != nil {
			return nil, err
		}
		return render.Encode(planes, grid.Width, grid.Height, style, f)
	})
}

// Origins returns of every pixel of the frame, row by row from the north-west, which of the items it is from; -1 is none.
func (s *Scene) Origins(ctx context.Context) ([]int32, error) {
	if len(s.views) == 0 {
		from := make([]int32, s.frame.Grid.Width*s.frame.Grid.Height)
		for i := range from {
			from[i] = -1
		}
		return from, nil
	}
	if err := s.affordable(); err != nil {
		return nil, err
	}
	_, from, err := s.selected(ctx)
	return from, err
}

// selected reads item after item until the picture is full. One that can't be read is an error, for the picture would be
// another one, and would stay in caches.
func (s *Scene) selected(ctx context.Context) (planes [][]float32, from []int32, err error) {
	leave, err := s.renderer.gate.enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, mosaicTimeout, errTooSlow)
	defer cancel()
	grid := s.frame.Grid
	selector, err := render.NewSelector(s.how, len(s.views[0].outputs), grid.Width*grid.Height)
	if err != nil {
		return nil, nil, err
	}
	order := make([]int32, 0, len(s.views)) // of those that went in
	for i, v := range s.views {
		if len(v.outputs) != len(s.views[0].outputs) {
			return nil, nil, fault.New(fault.Invalid, "%s/%s gives %d planes and %s/%s %d: name the assets or an expression", v.item.Collection, v.item.ID,
				len(v.outputs), s.views[0].item.Collection, s.views[0].item.ID, len(s.views[0].outputs))
		}
		if v.beside(grid) {
			continue
		}
		in, err := v.inside(ctx, s.frame)
		if err != nil {
			if errors.Is(context.Cause(ctx), errTooSlow) {
				err = errTooSlow
			}
			return nil, nil, err
		}
		order = append(order, int32(i))
		if selector.Add(in) {
			break
		}
	}
	planes, from = selector.Result()
	for i, n := range from {
		if n >= 0 {
			from[i] = order[n]
		}
	}
	return planes, from, nil
}

var errTooSlow = fault.New(fault.Timeout, "drawing took longer than %s: ask for fewer items (items_limit)", mosaicTimeout)

// MosaicTileJSON describes a mosaic's tiles of a set, which are found under a URL template. Bounds are those of its search.
func (r *Renderer) MosaicTileJSON(ctx context.Context, q MosaicRequest, set *geo.TileMatrixSet, name, template string) (TileJSON, error) {
	if err := q.check(); err != nil {
		return TileJSON{}, err
	}
	b := geo.Box{MinX: -180, MinY: -90, MaxX: 180, MaxY: 90}
	switch {
	case q.Search.BBox != nil:
		b = *q.Search.BBox
	case len(q.Search.Collections) == 1:
		if extent, err := r.extent(ctx, q.Search.Collections[0]); err != nil {
			return TileJSON{}, err
		} else if extent != nil {
			b = *extent
		}
	}
	if b.MinX > b.MaxX { // TileJSON can't cross the antimeridian
		b.MinX, b.MaxX = -180, 180
	}
	low, high := set.Levels()
	sizePx, _ := (&View{sizePx: q.SizePx, scale: max(q.Scale, 1)}).tilePx(&set.Matrices[0])
	if set == WebMercatorQuad {
		b.MinY, b.MaxY = max(b.MinY, -mercatorEdgeDeg), min(b.MaxY, mercatorEdgeDeg)
		high = min(high, mosaicFinest)
	}
	return TileJSON{
		TileJSON: "3.0.0", Name: name, Scheme: "xyz", Tiles: []string{template}, MinZoom: low, MaxZoom: high,
		Bounds: [4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}, Center: [3]float64{(b.MinX + b.MaxX) / 2, (b.MinY + b.MaxY) / 2, float64(low)}, TileSize: sizePx,
	}, nil
}

// mosaicFinest is the level of the web map whose pixels are as fine as any sensor's that is mirrored (1.2 m at the equator).
const mosaicFinest = 17

// extent returns the first box of a collection's extent, nil where it has none.
func (r *Renderer) extent(ctx context.Context, collection string) (*geo.Box, error) {
	c, err := r.catalog.Collection(ctx, collection)
	if err != nil {
		return nil, err
	}
	var body struct {
		Extent struct {
			Spatial struct {
				BBox [][]float64 `json:"bbox"`
			} `json:"spatial"`
		} `json:"extent"`
	}
	if json.Unmarshal(c.Body, &body) != nil || len(body.Extent.Spatial.BBox) == 0 {
		return nil, nil
	}
	b := body.Extent.Spatial.BBox[0]
	if len(b) < 4 {
		return nil, nil
	}
	return &geo.Box{MinX: b[0], MinY: b[1], MaxX: b[len(b)/2], MaxY: b[len(b)/2+1]}, nil
}
