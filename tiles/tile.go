package tiles

import "swath/geo"

// WebMercatorQuad is the grid of web maps.
var WebMercatorQuad, _ = geo.TileMatrixSetByID("WebMercatorQuad")
