package tiles

import (
	"context"
	"fmt"
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
	SearchName  string           // the same for equal searches, but for their limit, and for no others; "" when nothing is known
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

// Scene finds the items of a mosaic that lie in one tile of a matrix set, in the search's order.
func (r *Renderer) Scene(ctx context.Context, q MosaicRequest, set *geo.TileMatrixSet, t geo.Tile) (*Scene, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	frame, err := q.sized().TileFrame(set, t)
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
	if len(q.Search.Collections) == 1 {
		s.only = q.Search.Collections[0]
	}
	found, err := r.within(ctx, q.SearchName, q.Search, box)
	if err != nil {
		return nil, err
	}
	h := xxhash.New() // the page is not released: who waits for the same item may read its text later
	fmt.Fprintf(h, "%s %s", q.Selection, frame.key())
	var missing error
	for _, it := range found.Items {
		v, err := r.viewOf(ctx, q.Request, it)
		switch {
		case err != nil && (fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound)) && (q.SkipMissing || len(q.Search.Collections) != 1):
			missing = err
			continue // an item of another kind, or of a collection without the preset
		case err == nil && v.archived(ctx) != nil:
			missing = v.archived(ctx)
			continue
		case err != nil:
			return nil, err
		}
		s.views, s.times = append(s.views, v), append(s.times, v.item.Datetime)
		fmt.Fprintf(h, " %s", v.key)
	}
	if len(s.views) == 0 && missing != nil {
		return nil, missing
	}
	s.limited, s.next = found.Next != "", found.Next
	s.key = fmt.Sprintf("m%x", h.Sum64())
	return s, nil
}

// archived returns why none of the item's pixels can be read now: its first file is in the archive.
func (v *View) archived(ctx context.Context) error {
	if v.renderer.readable == nil || len(v.inputs) == 0 {
		return nil
	}
	return v.renderer.readable(ctx, v.inputs[0].asset.Object)
}

// within searches in a box.
func (r *Renderer) within(ctx context.Context, name string, search stac.Search, box geo.Box) (stac.Page, error) {
	if !(box.MinX < box.MaxX && box.MinY < box.MaxY) { // the frame is nowhere
		return stac.Page{}, nil
	}
	if search.Limit == 0 {
		search.Limit = mostMosaicItems
	}
	search.Uncounted = true
	return r.found(ctx, name, search, box)
}

// narrowed limits a search to a box in degrees, which may run beyond 180.
func narrowed(search stac.Search, box geo.Box) stac.Search {
	if box.MaxX-box.MinX >= 360 {
		box.MinX, box.MaxX = -180, 180
	} else {
		box.MinX, box.MaxX = geo.WrapLon(box.MinX), geo.WrapLon(box.MaxX)
	}
	if search.BBox == nil && search.Intersects == nil {
		search.BBox = &box
		return search
	}
	here := cql2.Spatial{Op: cql2.Intersects, Left: cql2.Property("geometry"), Right: cql2.BBox{box.MinX, box.MinY, box.MaxX, box.MaxY}}
	if search.Filter == nil {
		search.Filter = here
	} else {
		search.Filter = cql2.And{search.Filter, here}
	}
	return search
}

// viewOf is View of an item that was read already.
func (r *Renderer) viewOf(ctx context.Context, q Request, it stac.Item) (*View, error) {
	q.Collection, q.Item = it.Collection, it.ID
	_, release, err := r.items.get(ctx, it.Collection+"\x00"+it.ID, func(ctx context.Context) (Description, error) {
		return r.describeBody(ctx, it.Collection, it.ID, it.Body)
	})
	if err != nil {
		return nil, err
	}
	release()
	v, err := r.View(ctx, q)
	if err == nil {
		v.ofMany = true
	}
	return v, err
}

func datetimeOf(body []byte) string {
	at, err := jsonparser.GetString(body, "properties", "datetime")
	if err != nil {
		at, _ = jsonparser.GetString(body, "properties", "start_datetime")
	}
	return at
}
