package geo

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// pyramid is a row of the table of tile matrix sets: the first grid, and how the others follow.
type pyramid struct {
	id, title, scaleSet string
	crs                 EPSG
	axes                string  // in the register's order
	originX, originY    float64 // upper left corner, x to the east
	cell                float64 // of the first grid
	width, height       int     // tiles of the first grid
	first, levels       int
	cells               []float64 // where they do not just halve
	sizes               [][2]int  // where the numbers of tiles do not just double
}

// The tile matrix sets of OGC's register (17-083r4, annex D, and its definitions server) and of LINZ, with their published numbers.
var pyramids = []pyramid{
	{id: "WebMercatorQuad", title: "Google Maps Compatible for the World", scaleSet: "GoogleMapsCompatible", crs: WebMercator, axes: "X Y",
		originX: -mercatorHalfM, originY: mercatorHalfM, cell: mercatorHalfM / 128, width: 1, height: 1, levels: MaxZoom + 1},
	{id: "WorldCRS84Quad", title: "CRS84 for the World", scaleSet: "GoogleCRS84Quad", crs: WGS84, axes: "Lon Lat",
		originX: -180, originY: 90, cell: 0.703125, width: 2, height: 1, levels: 24},
	{id: "WGS1984Quad", title: "EPSG:4326 for the World", scaleSet: "GoogleCRS84Quad", crs: WGS84, axes: "Lat Lon",
		originX: -180, originY: 90, cell: 0.703125, width: 2, height: 1, levels: 24},
	{id: "WorldMercatorWGS84Quad", title: "World Mercator WGS84 (ellipsoid)", scaleSet: "WorldMercatorWGS84", crs: 3395, axes: "E N",
		originX: -mercatorHalfM, originY: mercatorHalfM, cell: mercatorHalfM / 128, width: 1, height: 1, levels: 25},
	{id: "EuropeanETRS89_LAEAQuad", title: "Lambert Azimuthal Equal Area ETRS89 for Europe", crs: 3035, axes: "Y X",
		originX: 2000000, originY: 5500000, cell: 17578.125, width: 1, height: 1, levels: 16},
	{id: "CanadianNAD83_LCC", title: "Lambert conformal conic NAD83 for Canada", crs: 3978, axes: "E N",
		originX: -34655800, originY: 39310000, levels: len(canadianScales), cells: canadianCells(), sizes: canadianSizes},
	{id: "UPSArcticWGS84Quad", title: "Universal Polar Stereographic WGS 84 Quad for Arctic", crs: 5041, axes: "E N",
		originX: -14440759.350252, originY: 18440759.350252, cell: 128443.4324, width: 1, height: 1, levels: 25},
	{id: "UPSAntarcticWGS84Quad", title: "Universal Polar Stereographic WGS 84 Quad for Antarctic", crs: 5042, axes: "E N",
		originX: -14440759.350252, originY: 18440759.350252, cell: 128443.4324, width: 1, height: 1, levels: 25},
	{id: "NZTM2000Quad", title: "LINZ NZTM2000Quad Map Tile Grid", crs: 2193, axes: "Y X",
		originX: -3260586.7284, originY: 10438190.1652, cell: 39135.75848201011, width: 1, height: 1, levels: 22},
	{id: "LINZAntarticaMapTilegrid", title: "LINZ Antarctic Map Tile Grid (Ross Sea Region)", crs: 5482, axes: "Y X",
		originX: -918457.73, originY: 6918457.73, cell: 114688, levels: len(linzSides), sizes: linzSides},
	{id: "GNOSISGlobalGrid", title: "GNOSIS Global Grid", crs: WGS84, axes: "Lat Lon",
		originX: -180, originY: 90, cell: 0.3515625, width: 4, height: 2, levels: 29},
	{id: "CDB1GlobalGrid", title: "CDB 1 Global Grid", crs: WGS84, axes: "Lat Lon",
		originX: -180, originY: 90, cell: 1, width: 360, height: 180, first: cdbFirst, levels: 32},
}

// Canada's scales are for pixels of 1/96 of an inch of 1/39.37 m.
var canadianScales = []float64{145e6, 85e6, 50e6, 30e6, 17.5e6, 10e6, 6e6, 3.5e6, 2e6, 1.2e6, 7e5, 4.2e5, 2.5e5, 1.45e5, 85e3, 50e3, 30e3, 17.5e3,
	10e3, 6e3, 3.5e3, 2e3, 1.2e3, 700, 420, 250}

var canadianSizes = [][2]int{{5, 5}, {8, 8}, {13, 14}, {21, 22}, {36, 38}, {62, 66}, {103, 110}, {177, 188}, {309, 329}, {515, 548}, {882, 938},
	{1470, 1563}, {2469, 2626}, {4257, 4528}, {7262, 7723}, {12344, 13130}, {20574, 21882}, {35269, 37512}, {61720, 65646}, {102866, 109409},
	{176341, 187558}, {308596, 328227}, {514327, 547044}, {881703, 937790}, {1469505, 1562983}, {2468768, 2625811}}

func canadianCells() []float64 {
	cells := make([]float64, len(canadianScales))
	for i, scale := range canadianScales {
		cells[i] = scale / 96 / 39.37
	}
	return cells
}

var linzSides = [][2]int{{1, 1}, {1, 1}, {2, 2}, {4, 4}, {7, 7}, {13, 13}, {26, 26}, {52, 52}, {104, 104}, {207, 207}, {413, 413}, {826, 826},
	{1652, 1652}, {3303, 3303}}

// utmPyramid is the set of a UTM zone. North of the equator it is OGC's; that of the south has the same grid, on the zone's
// southern code.
func utmPyramid(zone int, north bool) pyramid {
	const southingM = 1e7
	p := pyramid{id: fmt.Sprintf("UTM%02dWGS84Quad", zone), title: fmt.Sprintf("Universal Transverse Mercator Zone %d WGS84 Quad", zone),
		crs: EPSG(32600 + zone), axes: "E N", originX: -9501965.72931276, originY: 20003931.4586255, cell: 78140.3572602559, width: 1, height: 2, first: 1, levels: 24}
	if !north {
		p.id, p.title, p.crs, p.originY = fmt.Sprintf("UTM%02dSWGS84Quad", zone), fmt.Sprintf("Universal Transverse Mercator Zone %d South WGS84 Quad", zone),
			EPSG(32700+zone), p.originY+southingM
	}
	return p
}

const (
	opengis  = "http://www.opengis.net/def/"
	cdbFirst = -10
)

func (p pyramid) build(registered bool) *TileMatrixSet {
	s := &TileMatrixSet{ID: p.id, Title: p.title, CRS: p.crs, CRSURI: fmt.Sprintf("%scrs/EPSG/0/%d", opengis, int(p.crs))}
	if p.axes == "Lon Lat" {
		s.CRSURI = opengis + "crs/OGC/1.3/CRS84"
	}
	if p.scaleSet != "" {
		s.ScaleSet = opengis + "wkss/OGC/1.0/" + p.scaleSet
	}
	if registered {
		s.URI = opengis + "tilematrixset/OGC/1.0/" + p.id
	}
	fmt.Sscan(p.axes, &s.Axes[0], &s.Axes[1]) //nolint:errcheck // two words each; a test reads them
	s.NorthFirst = s.Axes[0] == "Lat" || s.Axes[0] == "Y"
	for i := range p.levels {
		m := TileMatrix{Z: p.first + i, CellSize: math.Ldexp(p.cell, -i), OriginX: p.originX, OriginY: p.originY, TileWidth: 256, TileHeight: 256,
			Width: p.width << i, Height: p.height << i}
		if p.cells != nil {
			m.CellSize = p.cells[i]
		}
		if p.sizes != nil {
			m.Width, m.Height = p.sizes[i][0], p.sizes[i][1]
		}
		switch p.id {
		case "CDB1GlobalGrid":
			m.coalesceCDB(p)
		case "GNOSISGlobalGrid":
			m.coalesceGNOSIS()
		}
		s.Matrices = append(s.Matrices, m)
	}
	return s
}

// coalesceCDB sets the grid of OGC CDB 1: tiles of one degree up to level 0, and zones of latitude in which they are wider.
func (m *TileMatrix) coalesceCDB(p pyramid) {
	const side = 1024
	beyond := max(0, m.Z) // how often a degree is halved
	m.TileWidth = side >> max(0, -m.Z)
	m.TileHeight = m.TileWidth
	m.Width, m.Height = p.width<<beyond, p.height<<beyond
	for _, zone := range [][3]int{{12, 0, 1}, {6, 1, 10}, {4, 10, 15}, {3, 15, 20}, {2, 20, 40}} { // factor, degrees from the pole
		m.coalesce(zone[0], zone[1]<<beyond, zone[2]<<beyond)
	}
	m.mirror()
}

// coalesceGNOSIS sets the grid of GNOSIS: four tiles around each pole, and twice as many each time the distance doubles.
func (m *TileMatrix) coalesceGNOSIS() {
	if m.Z > 0 {
		m.coalesce(1<<m.Z, 0, 1)
	}
	for k := m.Z - 1; k > 0; k-- {
		m.coalesce(1<<k, 1<<(m.Z-1-k), 1<<(m.Z-k))
	}
	m.mirror()
}

func (m *TileMatrix) coalesce(factor, from, to int) {
	m.Coalesced = append(m.Coalesced, Coalescence{factor, from, to - 1})
}

// mirror repeats the coalescence of the north in the south.
func (m *TileMatrix) mirror() {
	for i := len(m.Coalesced) - 1; i >= 0; i-- {
		c := m.Coalesced[i]
		m.Coalesced = append(m.Coalesced, Coalescence{c.Factor, m.Height - 1 - c.MaxRow, m.Height - 1 - c.MinRow})
	}
}

var tileMatrixSets = sync.OnceValue(func() map[string]*TileMatrixSet {
	all := map[string]*TileMatrixSet{}
	for _, p := range pyramids {
		all[p.id] = p.build(p.crs != 2193 && p.crs != 5482)
	}
	for zone := 1; zone <= 60; zone++ {
		for _, north := range []bool{true, false} {
			p := utmPyramid(zone, north)
			all[p.id] = p.build(north)
		}
	}
	return all
})

// TileMatrixSetByID returns a tile matrix set that is known here. It must not be changed.
func TileMatrixSetByID(id string) (*TileMatrixSet, bool) {
	s, ok := tileMatrixSets()[id]
	return s, ok
}

// TileMatrixSets returns all tile matrix sets: those of the world and of countries, then those of the UTM zones. They must not
// be changed.
func TileMatrixSets() []*TileMatrixSet {
	var all []*TileMatrixSet
	for _, p := range pyramids {
		all = append(all, tileMatrixSets()[p.id])
	}
	rest := len(all)
	for id, s := range tileMatrixSets() {
		if !slices.ContainsFunc(pyramids, func(p pyramid) bool { return p.id == id }) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all[rest:], func(a, b *TileMatrixSet) int { return int(a.CRS - b.CRS) })
	return all
}
