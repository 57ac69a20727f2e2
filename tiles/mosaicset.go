package tiles

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/stac"
)

// MosaicTileSet returns where the tiles of a mosaic are in a tile matrix set, and calls them by a name. Nothing is searched: they lie
// in the box of the search, and in the extents of its collections. It is fault.Invalid when these have no place in the set's system.
func (r *Renderer) MosaicTileSet(ctx context.Context, q MosaicRequest, set *geo.TileMatrixSet, name string) (TileSet, error) {
	if err := q.check(); err != nil {
		return TileSet{}, err
	}
	bounds, err := r.bounds(ctx, q.Search)
	if err != nil {
		return TileSet{}, err
	}
	out := mosaicTileSet(set, bounds, name)
	if len(out.Limits) == 0 {
		return TileSet{}, fault.New(fault.Invalid, "the search has no place in %s", set.ID)
	}
	return out, nil
}

// mosaicTileSet is where the tiles of what has bounds are in a set; without limits where it has no place there.
func mosaicTileSet(set *geo.TileMatrixSet, bounds geo.Box, name string) TileSet {
	out := TileSet{Set: set, Title: name, Bounds: bounds}
	out.MinZoom, out.MaxZoom = set.Levels()
	for i := range set.Matrices {
		if m := &set.Matrices[i]; set.ScaleDenominator(m)*standardPixelM <= mosaicFinestM {
			out.MaxZoom = m.Z
			break
		}
	}
	box, ok := boundsIn(set, bounds)
	out.Box = box
	for z := out.MinZoom; ok && z <= out.MaxZoom; z++ {
		if first, last, here := set.Within(z, box); here {
			out.Limits = append(out.Limits, TileLimits{first, last})
		}
	}
	return out
}

const (
	standardPixelM = 0.00028 // the pixel of scale denominators (OGC 17-083r4, 6.1.1)
	mosaicFinestM  = 1.25    // metres: a level that is as fine as any sensor's that is mirrored (level 17 of the web map)
)

// boundsIn returns the box of bounds in the system of a set; false when there is none. Of bounds that go around the world it is that
// of the whole set.
func boundsIn(set *geo.TileMatrixSet, b geo.Box) (geo.Box, bool) {
	if set.CRS == geo.WGS84 {
		return b, true
	}
	if set.CRS == geo.WebMercator {
		b.MinY, b.MaxY = max(b.MinY, -mercatorEdgeDeg), min(b.MaxY, mercatorEdgeDeg)
	} else if b.MaxX-b.MinX > farthestDeg || b.MaxY-b.MinY > farthestDeg {
		m := set.Matrices[0]
		first, last := set.Box(geo.Tile{Z: m.Z}), set.Box(geo.Tile{Z: m.Z, X: m.Width - 1, Y: m.Height - 1})
		return geo.Box{MinX: first.MinX, MinY: last.MinY, MaxX: last.MaxX, MaxY: first.MaxY}, true
	}
	box, err := raster.ProjectBox(geo.WGS84, set.CRS, b)
	return box, err == nil && box.MinX <= box.MaxX && box.MinY <= box.MaxY && !math.IsInf(box.MaxX-box.MinX, 0) && !math.IsInf(box.MaxY-box.MinY, 0)
}

// farthestDeg is the size of bounds from which their edges in another system say nothing of what lies between.
const farthestDeg = 60

// MosaicSets returns the tile matrix sets that a mosaic can be drawn in, and where its tiles are in each: those of the world, and those
// of countries and UTM zones that its bounds meet.
func (r *Renderer) MosaicSets(ctx context.Context, q MosaicRequest) ([]TileSet, error) {
	b, err := r.bounds(ctx, q.Search)
	if err != nil {
		return nil, err
	}
	var meets []TileSet
	for _, set := range geo.TileMatrixSets() {
		if zone := int(set.CRS) % 100; set.CRS > 32600 && set.CRS < 32800 {
			west, south := float64(6*zone-186), set.CRS > 32700 // OGC's sets of the north reach to the south
			if b.MaxX < west || b.MinX > west+6 || south && b.MinY > 0 {
				continue
			}
		}
		if in := mosaicTileSet(set, b, set.ID); len(in.Limits) > 0 {
			meets = append(meets, in)
		}
	}
	return meets, nil
}

// MosaicPresets returns the presets, by name, that every collection of a search offers.
func (r *Renderer) MosaicPresets(ctx context.Context, search stac.Search) ([]Preset, error) {
	collections, err := r.searched(ctx, search)
	if err != nil {
		return nil, err
	}
	var common []Preset
	for i, collection := range collections {
		offered, err := r.presets(ctx, collection)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			for _, name := range offered.names() {
				var p preset
				if json.Unmarshal(offered[name], &p) == nil {
					common = append(common, Preset{name, p.Title})
				}
			}
		}
		common = slices.DeleteFunc(common, func(p Preset) bool { return offered[p.Name] == nil })
	}
	return common, nil
}

// searched returns the collections of a search: all where it names none.
func (r *Renderer) searched(ctx context.Context, search stac.Search) ([]string, error) {
	if len(search.Collections) > 0 {
		return search.Collections, nil
	}
	all, err := r.catalog.Collections(ctx)
	ids := make([]string, len(all))
	for i, c := range all {
		ids[i] = c.ID
	}
	return ids, err
}

// bounds returns the box of a search in degrees, its west and south below its east and north: its own where it has one, else that
// around the extents of its collections, else the world.
func (r *Renderer) bounds(ctx context.Context, search stac.Search) (geo.Box, error) {
	if search.BBox != nil {
		return spread(*search.BBox), nil
	}
	collections, err := r.searched(ctx, search)
	if err != nil {
		return geo.Box{}, err
	}
	var b *geo.Box
	for _, collection := range collections {
		extent, err := r.extent(ctx, collection)
		switch {
		case err != nil && fault.Is(err, fault.NotFound) && len(collections) > 1:
			continue // one that was removed since the search was registered
		case err != nil:
			return geo.Box{}, err
		case b != nil:
			extent = geo.Box{MinX: min(b.MinX, extent.MinX), MinY: min(b.MinY, extent.MinY), MaxX: max(b.MaxX, extent.MaxX), MaxY: max(b.MaxY, extent.MaxY)}
		}
		b = &extent
	}
	if b == nil {
		return world, nil
	}
	return *b, nil
}

var world = geo.Box{MinX: -180, MinY: -90, MaxX: 180, MaxY: 90}

// spread is a box that goes around the world where it crosses the antimeridian, for those who can't say that.
func spread(b geo.Box) geo.Box {
	if b.MinX > b.MaxX {
		b.MinX, b.MaxX = -180, 180
	}
	return geo.Box{MinX: max(b.MinX, -180), MinY: max(b.MinY, -90), MaxX: min(b.MaxX, 180), MaxY: min(b.MaxY, 90)}
}

// extent returns the first box of a collection's extent (see spread), the world where it has none.
func (r *Renderer) extent(ctx context.Context, collection string) (geo.Box, error) {
	c, err := r.catalog.Collection(ctx, collection)
	if err != nil {
		return world, err
	}
	var body struct {
		Extent struct {
			Spatial struct {
				BBox [][]float64 `json:"bbox"`
			} `json:"spatial"`
		} `json:"extent"`
	}
	if json.Unmarshal(c.Body, &body) != nil || len(body.Extent.Spatial.BBox) == 0 || len(body.Extent.Spatial.BBox[0]) < 4 {
		return world, nil
	}
	b := body.Extent.Spatial.BBox[0]
	return spread(geo.Box{MinX: b[0], MinY: b[1], MaxX: b[len(b)/2], MaxY: b[len(b)/2+1]}), nil
}

// MosaicTileJSON describes a mosaic's tiles of a set, which are found under a URL template, to web maps.
func (r *Renderer) MosaicTileJSON(ctx context.Context, q MosaicRequest, set *geo.TileMatrixSet, name, template string) (TileJSON, error) {
	where, err := r.MosaicTileSet(ctx, q, set, name)
	if err != nil {
		return TileJSON{}, err
	}
	b := where.Bounds
	if set.CRS == geo.WebMercator {
		b.MinY, b.MaxY = max(b.MinY, -mercatorEdgeDeg), min(b.MaxY, mercatorEdgeDeg)
	}
	low, high := where.sayable()
	return TileJSON{
		TileJSON: "3.0.0", Name: name, Scheme: "xyz", Tiles: []string{template}, MinZoom: low, MaxZoom: high,
		Bounds: [4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}, Center: [3]float64{(b.MinX + b.MaxX) / 2, (b.MinY + b.MaxY) / 2, float64(low)}, TileSize: q.sized().sideOf(set, low),
	}, nil
}
