// Package dem gives the heights of the ground over a box, above the ellipsoid.
//
//	folder of tiles (Copernicus, SRTM, any GeoTIFF) ─ Open ─▶ Model ─ Heights(grid) ─▶ metres above WGS 84 on that grid
//	     heights above the geoid ─────────── bicubic ──────────┘ + undulation, bilinear (EGM96 built in, or a grid of one's own)
//
// Where there is no tile, and where a tile has no value, the height is that of the sea: Copernicus has no tiles of open sea. How much of a
// grid that was is counted. Tiles are placed by their own transforms, never by their names, which only say which ones need not be opened.
//
// The built-in undulations are those of EGM96 (NIMA TR8350.2 and Lemoine et al., NASA/TP-1998-206861; public domain) every quarter of
// a degree, to 5 mm. Copernicus heights are above EGM2008, mostly within a metre of it.
package dem
