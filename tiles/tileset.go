package tiles

import (
	"context"
	"math"

	"swath/geo"
)

// TileSet is where the tiles of a view are in a tile matrix set.
type TileSet struct {
	Set              *geo.TileMatrixSet
	Title            string
	Bounds           geo.Box // degrees; an east beyond 180 crosses the antimeridian
	Box              geo.Box // the same in the set's system
	MinZoom, MaxZoom int
	Limits           []TileLimits // per level from MinZoom to MaxZoom
}

// TileLimits are the tiles of a level that show the item.
type TileLimits struct{ First, Last geo.Tile }

// TileSet returns where the tiles of the view are. It is fault.Invalid when the item has no place in the set's system.
func (v *View) TileSet(ctx context.Context, set *geo.TileMatrixSet) (TileSet, error) {
	if err := v.drawable(); err != nil {
		return TileSet{}, err
	}
	box, err := v.item.boxIn(set)
	if err != nil {
		return TileSet{}, err
	}
	resX, resY, err := v.resolutionIn(ctx, set.CRS)
	if err != nil {
		return TileSet{}, err
	}
	out := TileSet{Set: set, Title: v.name(), Bounds: v.item.Bounds, Box: box}
	if out.Bounds.MinX > out.Bounds.MaxX {
		out.Bounds.MaxX += 360
	}
	out.MinZoom, out.MaxZoom = v.levels(set, box, math.Sqrt(resX*resY))
	for z := out.MinZoom; z <= out.MaxZoom; z++ {
		if first, last, ok := set.Within(z, box); ok {
			out.Limits = append(out.Limits, TileLimits{first, last})
		}
	}
	return out, nil
}

// levels returns the levels of a set at which a box is drawn: from that where it takes an eighth of a tile to the first whose
// pixels are as fine as the raster's.
func (v *View) levels(set *geo.TileMatrixSet, box geo.Box, resolution float64) (low, high int) {
	width, _ := v.tilePx(&set.Matrices[0])
	finer := float64(set.Matrices[0].TileWidth) / float64(width) // pixels of a drawn tile, as parts of the matrix's
	high = set.Zoom(resolution / finer)
	low = high
	for low > set.Matrices[0].Z {
		m, _ := set.Matrix(low)
		if math.Max(box.MaxX-box.MinX, box.MaxY-box.MinY) <= m.CellSize*float64(m.TileWidth) {
			break
		}
		low--
	}
	return max(set.Matrices[0].Z, low-farOut), high
}

// boxIn returns the box around the item in the system of a set.
func (d *Description) boxIn(set *geo.TileMatrixSet) (geo.Box, error) {
	if set.CRS == geo.WebMercator {
		return d.mercator(), nil
	}
	return d.box(set.CRS)
}

// Sets returns the tile matrix sets in which an item can be drawn: those of the world, those of countries that it meets, and
// those of its UTM zone.
func (r *Renderer) Sets(ctx context.Context, collection, id string) ([]*geo.TileMatrixSet, geo.Box, error) {
	d, err := r.describe(ctx, collection, id)
	if err != nil {
		return nil, geo.Box{}, err
	}
	lon, lat := d.center()
	zone := 1 + int(math.Floor((lon+180)/6))%60
	var meets []*geo.TileMatrixSet
	for _, set := range geo.TileMatrixSets() {
		if set.CRS > 32600 && set.CRS < 32800 {
			if int(set.CRS) == 32600+zone || lat < 0 && int(set.CRS) == 32700+zone {
				meets = append(meets, set)
			}
			continue
		}
		box, err := d.boxIn(set)
		if err != nil {
			continue
		}
		if _, _, ok := set.Within(set.Matrices[0].Z, box); ok {
			meets = append(meets, set)
		}
	}
	return meets, d.Bounds, nil
}

// name is what a view is called on maps.
func (v *View) name() string {
	if v.title == "" {
		return v.item.ID
	}
	return v.item.ID + " · " + v.title
}
