// Package geo holds the plain words of place: boxes, affine transforms, coordinate systems and grids.
//
//	lon, lat ◀──Projection──▶ map x, y ◀──Affine──▶ column, row
//
// Standard library only, no I/O. Angles are degrees where a name says Deg, longitudes and latitudes are WGS 84 degrees,
// map coordinates are in the unit of their coordinate system (metres, or degrees for EPSG:4326).
package geo

import (
	"fmt"
	"math"
)

// Box is an axis-aligned rectangle in one coordinate system. For longitudes and latitudes MinX is west and MaxX is east;
// MinX > MaxX then means that the box crosses the antimeridian.
type Box struct{ MinX, MinY, MaxX, MaxY float64 }

// Affine maps (column, row) of a pixel's upper left corner to map (x, y), in GDAL's order:
// x = a[0] + column·a[1] + row·a[2], y = a[3] + column·a[4] + row·a[5].
type Affine [6]float64

// Apply returns the map position of a column and row; whole numbers are pixel corners, halves are centres.
func (a Affine) Apply(column, row float64) (x, y float64) {
	return a[0] + column*a[1] + row*a[2], a[3] + column*a[4] + row*a[5]
}

// Invert returns the transform from map (x, y) to (column, row); false when the transform is degenerate.
func (a Affine) Invert() (Affine, bool) {
	det := a[1]*a[5] - a[2]*a[4]
	if det == 0 || math.IsNaN(det) || math.IsInf(det, 0) {
		return Affine{}, false
	}
	return Affine{
		(a[2]*a[3] - a[0]*a[5]) / det, a[5] / det, -a[2] / det,
		(a[0]*a[4] - a[1]*a[3]) / det, -a[4] / det, a[1] / det,
	}, true
}

// EPSG is the code of a coordinate reference system in the EPSG register; 0 means unknown.
type EPSG int

// The codes that code refers to by name.
const (
	WGS84       EPSG = 4326 // longitude, latitude in degrees (we always keep x = longitude)
	WebMercator EPSG = 3857
)

// String returns the code as STAC's proj:code writes it, e.g. "EPSG:32631".
func (e EPSG) String() string { return fmt.Sprintf("EPSG:%d", int(e)) }

// Projection converts between longitude and latitude (WGS 84 degrees) and map coordinates.
// Both directions return NaN where the projection is not defined.
type Projection interface {
	FromLonLat(lonDeg, latDeg float64) (x, y float64)
	ToLonLat(x, y float64) (lonDeg, latDeg float64)
}

// GCP ties a pixel position (whole numbers are corners) to a place: the ground control points of rasters in sensor
// geometry. HeightM is above the WGS 84 ellipsoid.
type GCP struct{ Column, Row, LonDeg, LatDeg, HeightM float64 }
