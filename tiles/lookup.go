package tiles

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/buger/jsonparser"

	"swath/geo"
	"swath/stac"
)

// A map asks for many tiles side by side within a moment, each of which is a search. From the second on in a cell of the world, the
// search is made once for the cell, and the items of a tile are those whose footprints meet it:
//
//	tile ─▶ cell, 8 to 16 times as wide ─▶ search (kept for some seconds) ─▶ footprints that meet the tile, in the search's order
//	          └── first time, across cells, or more items than one picture is made of ──▶ search of the tile alone

const (
	crowdedFor    = time.Minute      // how long a cell is not asked for that has too many items
	mostLookedUp  = 1 << 12          // items in the cells that are kept, and the cells; some 7 kB each
	lookupWider   = 8                // how many times as wide as the tile a cell is at the least
	widestCellDeg = 64               // beyond it a cell is as good as the world
	sightFor      = 10 * time.Second // within which the second tile of a cell comes
)

// lookup is what a search finds in a cell.
type lookup struct {
	items  []stac.Item
	shapes []shape
	whole  bool // all that lies there
}

// found is stac.Catalog.Search in a box of degrees, of a search that has a name for caches ("": none).
func (r *Renderer) found(ctx context.Context, name string, search stac.Search, box geo.Box) (stac.Page, error) {
	cell, ok := cellAround(box)
	if name == "" || search.Token != "" || !ok {
		return r.search(ctx, search, box)
	}
	key := fmt.Sprintf("%s %d %g %s", name, search.Limit, cell, stac.ScopeOf(ctx).Key()) // who may see more finds more
	if !r.sighted(ctx, key) {
		return r.search(ctx, search, box)
	}
	all, release, err := r.lookups.get(ctx, key, func(ctx context.Context) (lookup, error) {
		page, err := r.search(ctx, search, cell)
		if err != nil {
			return lookup{}, err
		}
		return shaped(page), nil
	})
	if err != nil {
		return stac.Page{}, err
	}
	release()
	if !all.whole {
		r.crowded.put(key, struct{}{})
		return r.search(ctx, search, box)
	}
	var page stac.Page
	for i, it := range all.items {
		if all.shapes[i].meets(box) {
			page.Items = append(page.Items, it)
		}
	}
	return page, nil
}

// search is stac.Catalog.Search in a box. The bodies lie in memory of their own, for they may be kept and are not released, while the
// catalog's pieces of 256 kB go to the next search.
func (r *Renderer) search(ctx context.Context, search stac.Search, box geo.Box) (stac.Page, error) {
	page, err := r.catalog.Search(ctx, narrowed(search, box))
	if err != nil {
		return stac.Page{}, err
	}
	total := 0
	for _, it := range page.Items {
		total += len(it.Body)
	}
	all := make([]byte, 0, total)
	for i := range page.Items {
		from := len(all)
		all = append(all, page.Items[i].Body...)
		page.Items[i].Body = all[from:len(all):len(all)]
	}
	page.Release()
	page.Free = nil
	return page, nil
}

// sighted reports whether a cell was asked for shortly before, and is not known for its crowds.
func (r *Renderer) sighted(ctx context.Context, key string) bool {
	if r.crowded.has(key) {
		return false
	}
	before := r.sights.has(key)
	r.sights.put(key, struct{}{})
	return before
}

// cellAround returns the cell of a grid of degrees, 8 to 16 times as wide as a box, that the box lies in; false when it lies in several.
func cellAround(b geo.Box) (geo.Box, bool) {
	side := math.Exp2(math.Ceil(math.Log2(lookupWider * math.Max(b.MaxX-b.MinX, b.MaxY-b.MinY))))
	if !(side > 0 && side <= widestCellDeg) || b.MinX < -180 || b.MaxX > 180 || b.MinY < -90 || b.MaxY > 90 {
		return geo.Box{}, false
	}
	x, y := math.Floor(b.MinX/side)*side, math.Floor(b.MinY/side)*side
	cell := geo.Box{MinX: max(x, -180), MinY: max(y, -90), MaxX: min(x+side, 180), MaxY: min(y+side, 90)}
	return cell, b.MaxX <= cell.MaxX && b.MaxY <= cell.MaxY
}

// shaped reads the footprints of a page.
func shaped(page stac.Page) lookup {
	all := lookup{items: page.Items, whole: page.Next == "", shapes: make([]shape, len(page.Items))}
	for i, it := range page.Items {
		ok := false
		if all.shapes[i], ok = shapeOf(it.Body); !ok {
			all.whole = false // points and lines are the catalog's to judge
		}
	}
	return all
}

// shape is a footprint: polygons of rings of longitude and latitude, the first ring outside, the others holes.
type shape [][][][2]float64

func shapeOf(item []byte) (shape, bool) {
	kind, err := jsonparser.GetString(item, "geometry", "type")
	coordinates, _, _, err2 := jsonparser.Get(item, "geometry", "coordinates")
	if err != nil || err2 != nil {
		return nil, false
	}
	var polygons [][][][]float64
	switch {
	case strings.EqualFold(kind, "Polygon"):
		polygons = make([][][][]float64, 1)
		err = json.Unmarshal(coordinates, &polygons[0])
	case strings.EqualFold(kind, "MultiPolygon"):
		err = json.Unmarshal(coordinates, &polygons)
	default:
		return nil, false
	}
	if err != nil {
		return nil, false
	}
	s := make(shape, len(polygons))
	for i, rings := range polygons {
		for _, ring := range rings {
			points := make([][2]float64, len(ring))
			for k, p := range ring {
				if len(p) < 2 {
					return nil, false
				}
				points[k] = [2]float64{p[0], p[1]}
			}
			s[i] = append(s[i], points)
		}
	}
	return s, true
}

// meets reports whether a box and the shape have a point in common.
func (s shape) meets(b geo.Box) bool {
	for _, rings := range s {
		inside := false
		for _, ring := range rings {
			for i := 1; i < len(ring); i++ {
				if crosses(ring[i-1], ring[i], b) {
					return true
				}
				if p, q := ring[i-1], ring[i]; (p[1] > b.MinY) != (q[1] > b.MinY) && b.MinX < p[0]+(b.MinY-p[1])*(q[0]-p[0])/(q[1]-p[1]) {
					inside = !inside // of a corner: the others are where it is, as no edge parts them
				}
			}
		}
		if inside {
			return true
		}
	}
	return false
}

// crosses reports whether an edge and a box have a point in common (Liang and Barsky, 1984).
func crosses(p, q [2]float64, b geo.Box) bool {
	from, to := 0.0, 1.0
	for axis, side := range [2][2]float64{{b.MinX, b.MaxX}, {b.MinY, b.MaxY}} {
		d := q[axis] - p[axis]
		if d == 0 {
			if p[axis] < side[0] || p[axis] > side[1] {
				return false
			}
			continue
		}
		a, z := (side[0]-p[axis])/d, (side[1]-p[axis])/d
		from, to = max(from, min(a, z)), min(to, max(a, z))
	}
	return from <= to
}
