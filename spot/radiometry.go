package spot

import (
	"math"
	"time"
)

// Reflectance returns how the stored values of band i (from 0) become reflectance at the top of the atmosphere:
// rho = DN·scale + offset. False means that the document does not say.
//
//	rho = pi L d² / (E0 cos zs),  L = DN/gain + bias
//
// with d the distance to the Sun in astronomical units, E0 the solar irradiance and zs the solar zenith angle
// (CNES, SPOT World Heritage; DIMAP dictionary, PHYSICAL_UNIT).
func (p *Product) Reflectance(i int) (scale, offset float64, ok bool) {
	b := p.Bands[i]
	d := SunDistanceAU(p.TimeUTC)
	cosZenith := math.Sin(p.SunElevationDeg * math.Pi / 180)
	perRadiance := math.Pi * d * d / (b.SolarIrradiance * cosZenith)
	scale, offset = perRadiance/b.Gain, perRadiance*b.Bias
	if !(b.Gain > 0 && b.SolarIrradiance > 0 && cosZenith > 0) || math.IsInf(scale, 0) || math.IsInf(offset, 0) || math.IsNaN(offset) {
		return 0, 0, false
	}
	return scale, offset, true
}

// SunDistanceAU returns the distance between Earth and Sun in astronomical units, within 0.0001 for the years 1950 to 2050
// (The Astronomical Almanac, "Low-precision formulas for the Sun's coordinates").
func SunDistanceAU(t time.Time) float64 {
	j2000 := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)
	days := t.Sub(j2000).Hours() / 24
	g := (357.528 + 0.9856003*days) * math.Pi / 180 // mean anomaly
	return 1.00014 - 0.01671*math.Cos(g) - 0.00014*math.Cos(2*g)
}
