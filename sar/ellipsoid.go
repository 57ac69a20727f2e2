package sar

import "math"

// WGS 84, and the speed of light in m/s.
const (
	semiMajorM = 6378137.0
	flattening = 1 / 298.257223563
	e2         = flattening * (2 - flattening)
	LightMPerS = 299792458.0
)

// Vec is a place or a direction in Earth-fixed axes, metres.
type Vec [3]float64

// Dot is the inner product.
func (a Vec) Dot(b Vec) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

// Sub returns a − b.
func (a Vec) Sub(b Vec) Vec { return Vec{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }

// AddScaled returns a + s·b.
func (a Vec) AddScaled(s float64, b Vec) Vec {
	return Vec{a[0] + s*b[0], a[1] + s*b[1], a[2] + s*b[2]}
}

// Cross is the outer product.
func (a Vec) Cross(b Vec) Vec {
	return Vec{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// Norm is the length.
func (a Vec) Norm() float64 { return math.Sqrt(a.Dot(a)) }

// Unit returns the direction.
func (a Vec) Unit() Vec { return Vec{}.AddScaled(1/a.Norm(), a) }

// ToECEF returns the Earth-fixed place of a longitude, latitude and height above the ellipsoid.
func ToECEF(lonDeg, latDeg, heightM float64) Vec {
	sinLat, cosLat := math.Sincos(latDeg * math.Pi / 180)
	sinLon, cosLon := math.Sincos(lonDeg * math.Pi / 180)
	n := semiMajorM / math.Sqrt(1-e2*sinLat*sinLat)
	return Vec{(n + heightM) * cosLat * cosLon, (n + heightM) * cosLat * sinLon, (n*(1-e2) + heightM) * sinLat}
}

// FromECEF is the inverse of ToECEF, to a micrometre for places within 20,000 km of the ellipsoid (Bowring's method, two rounds).
func FromECEF(p Vec) (lonDeg, latDeg, heightM float64) {
	rho := math.Hypot(p[0], p[1])
	b := semiMajorM * (1 - flattening)
	tan := p[2] / rho / (1 - flattening)
	for range 3 {
		beta := math.Atan(tan)
		s, c := math.Sincos(beta)
		lat := math.Atan2(p[2]+e2/(1-e2)*b*s*s*s, rho-e2*semiMajorM*c*c*c)
		tan = (1 - flattening) * math.Tan(lat)
	}
	lat := math.Atan(tan / (1 - flattening))
	s, c := math.Sincos(lat)
	heightM = rho*c + p[2]*s - semiMajorM*math.Sqrt(1-e2*s*s)
	return math.Atan2(p[1], p[0]) * 180 / math.Pi, lat * 180 / math.Pi, heightM
}

// Up returns the ellipsoid's normal, east and north at a place.
func Up(lonDeg, latDeg float64) (up, east, north Vec) {
	sinLat, cosLat := math.Sincos(latDeg * math.Pi / 180)
	sinLon, cosLon := math.Sincos(lonDeg * math.Pi / 180)
	return Vec{cosLat * cosLon, cosLat * sinLon, sinLat}, Vec{-sinLon, cosLon, 0}, Vec{-sinLat * cosLon, -sinLat * sinLon, cosLat}
}
