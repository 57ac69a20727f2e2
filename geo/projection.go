package geo

import "math"

// ProjectionOf returns the projection of a code that needs no outside library: EPSG:4326, EPSG:3857 and the WGS 84 UTM
// zones EPSG:32601..32660 and 32701..32760. False means that another library has to be asked.
func ProjectionOf(code EPSG) (Projection, bool) {
	switch {
	case code == WGS84:
		return geographic{}, true
	case code == WebMercator:
		return webMercator{}, true
	case code > 32600 && code <= 32660:
		return newUTM(int(code-32600), true), true
	case code > 32700 && code <= 32760:
		return newUTM(int(code-32700), false), true
	}
	return nil, false
}

// WrapLon returns the longitude in [-180, 180).
func WrapLon(lonDeg float64) float64 {
	if lonDeg >= -180 && lonDeg < 180 {
		return lonDeg
	}
	return lonDeg - 360*math.Floor((lonDeg+180)/360)
}

// geographic is EPSG:4326 with x = longitude.
type geographic struct{}

func (geographic) FromLonLat(lonDeg, latDeg float64) (x, y float64) {
	if !(math.Abs(latDeg) <= 90) {
		return math.NaN(), math.NaN()
	}
	return lonDeg, latDeg
}

func (geographic) ToLonLat(x, y float64) (lonDeg, latDeg float64) {
	return geographic{}.FromLonLat(x, y)
}

// webMercator is EPSG:3857: the sphere of the semi-major axis. Longitudes beyond ±180 run on past the map's edge.
type webMercator struct{}

const (
	semiMajorM    = 6378137.0
	flattening    = 1 / 298.257223563    // WGS 84
	mercatorHalfM = math.Pi * semiMajorM // half the side of the web map square
)

func (webMercator) FromLonLat(lonDeg, latDeg float64) (x, y float64) {
	if !(math.Abs(latDeg) < 90) {
		return math.NaN(), math.NaN()
	}
	return semiMajorM * lonDeg * math.Pi / 180, semiMajorM * math.Asinh(math.Tan(latDeg*math.Pi/180))
}

func (webMercator) ToLonLat(x, y float64) (lonDeg, latDeg float64) {
	return x / semiMajorM * 180 / math.Pi, math.Atan(math.Sinh(y/semiMajorM)) * 180 / math.Pi
}
