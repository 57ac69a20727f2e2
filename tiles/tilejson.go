package tiles

import (
	"context"
	"math"

	"swath/geo"
	"swath/raster"
)

// TileJSON describes a view to web maps (TileJSON 3.0.0).
type TileJSON struct {
	TileJSON string     `json:"tilejson"`
	Name     string     `json:"name"`
	Scheme   string     `json:"scheme"`
	Tiles    []string   `json:"tiles"`
	MinZoom  int        `json:"minzoom"`
	MaxZoom  int        `json:"maxzoom"`
	Bounds   [4]float64 `json:"bounds"` // west, south, east, north in degrees
	Center   [3]float64 `json:"center"` // longitude, latitude, zoom
	TileSize int        `json:"tileSize"`
}

// farOut is how many levels below the one where an item fits a tile it is still drawn: an eighth of a tile, 32 pixels.
const farOut = 3

// TileJSON describes the view whose tiles are found under a URL template.
func (v *View) TileJSON(ctx context.Context, template string) (TileJSON, error) {
	if err := v.drawable(); err != nil {
		return TileJSON{}, err
	}
	finest := math.Inf(1)
	for asset := range v.byAsset() {
		c, release, err := v.renderer.cog(ctx, asset.Object)
		if err != nil {
			return TileJSON{}, err
		}
		finest = math.Min(finest, v.item.resolution(c))
		release()
	}
	b := v.item.Bounds
	if b.MinX > b.MaxX { // TileJSON can't cross the antimeridian
		b.MinX, b.MaxX = -180, 180
	}
	sizePx, _ := v.tilePx(&WebMercatorQuad.Matrices[0])
	low, high := v.item.zooms(finest, sizePx)
	lon, lat := v.item.center()
	return TileJSON{
		TileJSON: "3.0.0", Name: v.name(), Scheme: "xyz", Tiles: []string{template}, MinZoom: max(0, low-farOut), MaxZoom: high,
		Bounds: [4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}, Center: [3]float64{lon, lat, float64(low)}, TileSize: sizePx,
	}, nil
}

// TileJSONIn describes the view's tiles of another set than WebMercatorQuad. Maps that do not know the set can't use them.
func (v *View) TileJSONIn(ctx context.Context, set *geo.TileMatrixSet, template string) (TileJSON, error) {
	if set == WebMercatorQuad {
		return v.TileJSON(ctx, template)
	}
	tiles, err := v.TileSet(ctx, set)
	if err != nil {
		return TileJSON{}, err
	}
	b := tiles.Bounds
	if b.MaxX > 180 {
		b.MinX, b.MaxX = -180, 180
	}
	lon, lat := v.item.center()
	low, high := tiles.sayable()
	return TileJSON{
		TileJSON: "3.0.0", Name: v.name(), Scheme: "xyz", Tiles: []string{template}, MinZoom: low, MaxZoom: high,
		Bounds: [4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}, Center: [3]float64{lon, lat, float64(low)}, TileSize: v.sideOf(set, low),
	}, nil
}

// sayable are the levels as TileJSON can say them: those of CDB begin at -10.
func (t TileSet) sayable() (low, high int) { return max(t.MinZoom, 0), max(t.MaxZoom, 0) }

// sideOf is how many pixels wide the tiles of a level are, where sets have tiles of several sizes.
func (v *View) sideOf(set *geo.TileMatrixSet, z int) int {
	m, ok := set.Matrix(z)
	if !ok {
		m = &set.Matrices[0]
	}
	sizePx, _ := v.tilePx(m)
	return sizePx
}

// zooms returns the level where the item fits about one tile, and the first where a tile's pixel is as fine as the item's.
func (d *Description) zooms(resolution float64, sizePx int) (low, high int) {
	b := d.mercator()
	level := func(metresPerPixel float64) float64 {
		return math.Log2(geo.TileResolutionM(0, sizePx) / metresPerPixel)
	}
	clip := func(z float64) int { return int(math.Max(0, math.Min(geo.MaxZoom, z))) }
	const nearly = 0.05 // levels: 10 m of ground at 31° counts as 9.55 m of map
	high = clip(math.Ceil(level(resolution) - nearly))
	return min(high, clip(math.Floor(level(math.Max(b.MaxX-b.MinX, b.MaxY-b.MinY)/float64(sizePx))))), high
}

// resolution returns the size of the raster's centre pixel on the web map, in its metres (larger than on the ground by
// 1/cos of the latitude).
func (d *Description) resolution(c *raster.COG) float64 {
	full, box := c.Levels[0], d.mercator()
	toLonLat, release, err := c.Placer()
	if err != nil { // it has no known place: the item's box shared among the pixels
		return math.Sqrt((box.MaxX - box.MinX) * (box.MaxY - box.MinY) / float64(full.Width) / float64(full.Height))
	}
	defer release()
	web, _ := geo.ProjectionOf(geo.WebMercator)
	at := func(dc, dr float64) (x, y float64) {
		lon, lat := toLonLat(float64(full.Width)/2+dc, float64(full.Height)/2+dr)
		return web.FromLonLat(lon, lat)
	}
	x0, y0 := at(0, 0)
	x1, y1 := at(1, 0)
	x2, y2 := at(0, 1)
	return math.Sqrt(math.Abs((x1-x0)*(y2-y0) - (x2-x0)*(y1-y0)))
}

func (d *Description) center() (lonDeg, latDeg float64) {
	east := d.Bounds.MaxX
	if d.Bounds.MinX > east {
		east += 360
	}
	return geo.WrapLon((d.Bounds.MinX + east) / 2), (d.Bounds.MinY + d.Bounds.MaxY) / 2
}
