package geo

import "math"

// MaxZoom is the deepest level of the WebMercatorQuad grid: 9 mm a pixel at the equator.
const MaxZoom = 24

// Tile is one square of the WebMercatorQuad tile matrix set: X counts from the west, Y from the north.
type Tile struct{ Z, X, Y int }

// TileAt returns the tile of level z at a place; places beyond the map's edge belong to the outermost tiles.
func TileAt(z int, lonDeg, latDeg float64) Tile {
	side := math.Ldexp(1, z)
	index := func(v float64) int { return int(math.Max(0, math.Min(side-1, math.Floor(v*side)))) }
	_, y := webMercator{}.FromLonLat(0, math.Max(-89.9, math.Min(89.9, latDeg)))
	return Tile{z, index((WrapLon(lonDeg) + 180) / 360), index((1 - y/mercatorHalfM) / 2)}
}

// Valid reports whether the grid has this tile.
func (t Tile) Valid() bool {
	return t.Z >= 0 && t.Z <= MaxZoom && t.X >= 0 && t.Y >= 0 && t.X < 1<<t.Z && t.Y < 1<<t.Z
}

// Box returns the tile's edges in EPSG:3857 metres.
func (t Tile) Box() Box {
	side := 2 * mercatorHalfM / math.Ldexp(1, t.Z)
	minX, maxY := -mercatorHalfM+float64(t.X)*side, mercatorHalfM-float64(t.Y)*side
	return Box{minX, maxY - side, minX + side, maxY}
}

// LonLatBox returns the tile's edges in degrees.
func (t Tile) LonLatBox() Box {
	b := t.Box()
	west, south := webMercator{}.ToLonLat(b.MinX, b.MinY)
	east, north := webMercator{}.ToLonLat(b.MaxX, b.MaxY)
	return Box{west, south, east, north}
}

// Transform returns the affine of the tile drawn with sizePx x sizePx pixels, in EPSG:3857.
func (t Tile) Transform(sizePx int) Affine {
	b := t.Box()
	res := (b.MaxX - b.MinX) / float64(sizePx)
	return Affine{b.MinX, res, 0, b.MaxY, 0, -res}
}

// TileResolutionM returns the size of a pixel on the equator, in metres, of tiles drawn with sizePx pixels a side.
func TileResolutionM(z, sizePx int) float64 {
	return 2 * mercatorHalfM / math.Ldexp(1, z) / float64(sizePx)
}
