package geo

import (
	"math"
	"sort"
)

// TileMatrixSet is a pyramid of tile grids in one coordinate system (OGC 17-083r4, two dimensional tile matrix sets).
// Coordinates are x, y with x to the east, whatever order the register has: NorthFirst says that it has the other one.
type TileMatrixSet struct {
	ID, Title  string
	URI        string // of the registered definition; "" for those that are not registered
	ScaleSet   string // URI of the well-known scale set, or ""
	CRS        EPSG
	CRSURI     string
	Axes       [2]string // in the register's order
	NorthFirst bool
	Matrices   []TileMatrix // from coarse to fine; their identifiers rise by one
}

// TileMatrix is one grid of a set. Tiles are counted from the upper left corner.
type TileMatrix struct {
	Z                     int     // its identifier
	CellSize              float64 // side of a pixel, in the unit of the system
	OriginX, OriginY      float64 // the upper left corner
	TileWidth, TileHeight int     // pixels
	Width, Height         int     // tiles
	Coalesced             []Coalescence
}

// Coalescence says that in some rows (towards a pole) so many neighbouring tiles are one, as wide as all of them. It
// answers to the column of each.
type Coalescence struct{ Factor, MinRow, MaxRow int }

// unitM is the length of the system's unit, in metres as scale denominators count it (OGC 17-083r4, 6.1.1.1).
func (s *TileMatrixSet) unitM() float64 {
	if s.CRS == WGS84 {
		return math.Pi * semiMajorM / 180
	}
	return 1
}

// ScaleDenominator returns the scale of a matrix of the set, for pixels of 0.28 mm.
func (s *TileMatrixSet) ScaleDenominator(m *TileMatrix) float64 {
	const standardPixelM = 0.00028
	return m.CellSize * s.unitM() / standardPixelM
}

// Matrix returns the grid of a level.
func (s *TileMatrixSet) Matrix(z int) (*TileMatrix, bool) {
	i := z - s.Matrices[0].Z
	if i < 0 || i >= len(s.Matrices) {
		return nil, false
	}
	return &s.Matrices[i], true
}

// Levels returns the identifiers of the coarsest and the finest grid.
func (s *TileMatrixSet) Levels() (coarsest, finest int) {
	return s.Matrices[0].Z, s.Matrices[len(s.Matrices)-1].Z
}

// Valid reports whether the set has this tile.
func (s *TileMatrixSet) Valid(t Tile) bool {
	m, ok := s.Matrix(t.Z)
	return ok && t.X >= 0 && t.Y >= 0 && t.X < m.Width && t.Y < m.Height
}

// Box returns the edges of a tile that the set has, in its coordinate system.
func (s *TileMatrixSet) Box(t Tile) Box {
	m, _ := s.Matrix(t.Z)
	width, height := m.CellSize*float64(m.TileWidth), m.CellSize*float64(m.TileHeight)
	n := m.coalesced(t.Y)
	minX, maxY := m.OriginX+float64(t.X-t.X%n)*width, m.OriginY-float64(t.Y)*height
	return Box{minX, maxY - height, minX + float64(n)*width, maxY}
}

// coalesced returns how many columns a tile of a row spans.
func (m *TileMatrix) coalesced(row int) int {
	i := sort.Search(len(m.Coalesced), func(i int) bool { return m.Coalesced[i].MaxRow >= row })
	if i < len(m.Coalesced) && m.Coalesced[i].MinRow <= row {
		return m.Coalesced[i].Factor
	}
	return 1
}

// Within returns the first and the last tile of a level that a box of the set's system meets; false when there is none.
func (s *TileMatrixSet) Within(z int, b Box) (first, last Tile, ok bool) {
	m, known := s.Matrix(z)
	if !known || !(b.MinX <= b.MaxX && b.MinY <= b.MaxY) {
		return Tile{}, Tile{}, false
	}
	width, height := m.CellSize*float64(m.TileWidth), m.CellSize*float64(m.TileHeight)
	if b.MaxX < m.OriginX || b.MinY > m.OriginY || b.MinX > m.OriginX+width*float64(m.Width) || b.MaxY < m.OriginY-height*float64(m.Height) {
		return Tile{}, Tile{}, false
	}
	index := func(v float64, n int) int { return int(math.Max(0, math.Min(float64(n-1), math.Floor(v)))) }
	first = Tile{z, index((b.MinX-m.OriginX)/width, m.Width), index((m.OriginY-b.MaxY)/height, m.Height)}
	last = Tile{z, index((b.MaxX-m.OriginX)/width, m.Width), index((m.OriginY-b.MinY)/height, m.Height)}
	return first, last, true
}

// Zoom returns the coarsest level whose pixels are not larger than a size in the unit of the set's system.
func (s *TileMatrixSet) Zoom(cellSize float64) int {
	const nearly = 1.035 // 10 m of ground at 31° counts as 9.55 m of map
	for i := range s.Matrices {
		if s.Matrices[i].CellSize <= cellSize*nearly {
			return s.Matrices[i].Z
		}
	}
	_, finest := s.Levels()
	return finest
}

// Point returns a position as the set's system orders its axes.
func (s *TileMatrixSet) Point(x, y float64) [2]float64 {
	if s.NorthFirst {
		return [2]float64{y, x}
	}
	return [2]float64{x, y}
}
