package geo

import "math"

// utm is one zone of the Universal Transverse Mercator grid on WGS 84, by Krüger's series to the sixth order in the third
// flattening n: Karney, "Transverse Mercator with an accuracy of a few nanometers", J. Geodesy 85 (2011), equations 7-36.
type utm struct{ lon0Deg, falseNorthingM float64 }

const (
	utmScale         = 0.9996
	utmFalseEastingM = 500000
	utmSouthM        = 10000000 // false northing of the southern hemisphere
	utmMaxEta        = 0.8      // about 5,100 km from the central meridian; the series is exact to a micrometre well past it
)

const (
	n = flattening / (2 - flattening)
	// rectifyingRadiusM is A of equation 14.
	rectifyingRadiusM = semiMajorM / (1 + n) * (1 + n*n/4 + n*n*n*n/64 + n*n*n*n*n*n/256)
)

var eccentricity = math.Sqrt(flattening * (2 - flattening))

// krugerAlpha (equation 35) leads from the conformal to the rectifying sphere, krugerBeta (36) back.
var (
	krugerAlpha = [6]float64{
		n * (1./2 + n*(-2./3+n*(5./16+n*(41./180+n*(-127./288+n*7891./37800))))),
		n * n * (13./48 + n*(-3./5+n*(557./1440+n*(281./630+n*-1983433./1935360)))),
		n * n * n * (61./240 + n*(-103./140+n*(15061./26880+n*167603./181440))),
		n * n * n * n * (49561./161280 + n*(-179./168+n*6601661./7257600)),
		n * n * n * n * n * (34729./80640 + n*-3418889./1995840),
		n * n * n * n * n * n * 212378941. / 319334400,
	}
	krugerBeta = [6]float64{
		n * (1./2 + n*(-2./3+n*(37./96+n*(-1./360+n*(-81./512+n*96199./604800))))),
		n * n * (1./48 + n*(1./15+n*(-437./1440+n*(46./105+n*-1118711./3870720)))),
		n * n * n * (17./480 + n*(-37./840+n*(-209./4480+n*5569./90720))),
		n * n * n * n * (4397./161280 + n*(-11./504+n*-830251./7257600)),
		n * n * n * n * n * (4583./161280 + n*-108847./3991680),
		n * n * n * n * n * n * 20648693. / 638668800,
	}
)

func newUTM(zone int, north bool) utm {
	u := utm{lon0Deg: float64(6*zone - 183)}
	if !north {
		u.falseNorthingM = utmSouthM
	}
	return u
}

func (u utm) FromLonLat(lonDeg, latDeg float64) (x, y float64) {
	if !(math.Abs(latDeg) <= 90) || math.IsNaN(lonDeg) || math.IsInf(lonDeg, 0) {
		return math.NaN(), math.NaN()
	}
	sinLon, cosLon := math.Sincos(WrapLon(lonDeg-u.lon0Deg) * math.Pi / 180)
	tau := conformalTan(math.Tan(latDeg * math.Pi / 180))
	square := tau*tau + cosLon*cosLon
	sinhEta := sinLon / math.Sqrt(square)
	xi, eta := math.Atan2(tau, cosLon), math.Asinh(sinhEta)
	if !(math.Abs(eta) <= utmMaxEta) {
		return math.NaN(), math.NaN()
	}
	// Of the doubled angles, as the sum wants them; of infinite tau, which is a pole, the limit.
	sin2Xi, cos2Xi := 0.0, -1.0
	if !math.IsInf(square, 0) {
		sin2Xi, cos2Xi = 2*tau*cosLon/square, (cosLon*cosLon-tau*tau)/square
	}
	z := complex(xi, eta) + krugerSum(&krugerAlpha, sin2Xi, cos2Xi, 2*sinhEta*math.Sqrt(1+sinhEta*sinhEta), 1+2*sinhEta*sinhEta)
	return utmFalseEastingM + utmScale*rectifyingRadiusM*imag(z), u.falseNorthingM + utmScale*rectifyingRadiusM*real(z)
}

func (u utm) ToLonLat(x, y float64) (lonDeg, latDeg float64) {
	z := complex((y-u.falseNorthingM)/(utmScale*rectifyingRadiusM), (x-utmFalseEastingM)/(utmScale*rectifyingRadiusM))
	if !(math.Abs(imag(z)) <= utmMaxEta && math.Abs(real(z)) <= math.Pi) {
		return math.NaN(), math.NaN()
	}
	sin2Xi, cos2Xi := math.Sincos(2 * real(z))
	grown := math.Exp(2 * imag(z))
	z -= krugerSum(&krugerBeta, sin2Xi, cos2Xi, (grown-1/grown)/2, (grown+1/grown)/2)
	sinXi, cosXi := math.Sincos(real(z))
	sinhEta := math.Sinh(imag(z))
	tau := geographicTan(sinXi / math.Hypot(sinhEta, cosXi))
	return WrapLon(u.lon0Deg + math.Atan2(sinhEta, cosXi)*180/math.Pi), math.Atan(tau) * 180 / math.Pi
}

// krugerSum is the sum of c[j-1]·sin(2jz) for z = ξ + iη, by Clenshaw's recurrence, of sines and cosines of 2ξ and 2η.
func krugerSum(c *[6]float64, sin2Xi, cos2Xi, sinh2Eta, cosh2Eta float64) complex128 {
	twoCos := complex(2*cos2Xi*cosh2Eta, -2*sin2Xi*sinh2Eta)
	var b1, b2 complex128
	for j := len(c) - 1; j >= 0; j-- {
		b1, b2 = twoCos*b1-b2+complex(c[j], 0), b1
	}
	return b1 * complex(sin2Xi*cosh2Eta, cos2Xi*sinh2Eta)
}

// conformalTan returns the tangent of the conformal latitude (equations 7-9).
func conformalTan(tau float64) float64 {
	root := math.Sqrt(1 + tau*tau)
	sigma := math.Sinh(eccentricity * math.Atanh(eccentricity*tau/root))
	return tau*math.Sqrt(1+sigma*sigma) - sigma*root
}

// geographicTan inverts conformalTan by Newton's method (equations 19-21); three rounds reach the last bit.
func geographicTan(conformal float64) float64 {
	const e2 = flattening * (2 - flattening)
	if math.Abs(conformal) > 1e12 { // within a micrometre of a pole
		return conformal
	}
	tau := conformal / (1 - e2)
	for range 4 {
		t := conformalTan(tau)
		tau += (conformal - t) / math.Sqrt(1+t*t) * (1 + (1-e2)*tau*tau) / ((1 - e2) * math.Sqrt(1+tau*tau))
	}
	return tau
}

// UTMOf returns the code of the UTM zone that a place belongs to, with the exceptions of Norway and Svalbard.
func UTMOf(lonDeg, latDeg float64) EPSG {
	lon := WrapLon(lonDeg)
	zone := min(60, int((lon+180)/6)+1)
	switch {
	case latDeg >= 56 && latDeg < 64 && lon >= 3 && lon < 12:
		zone = 32
	case latDeg >= 72 && latDeg <= 84 && lon >= 0 && lon < 42: // 31, 33, 35, 37 share the place of seven zones
		zone = 31 + 2*int((lon+3)/12)
	}
	if latDeg < 0 {
		return EPSG(32700 + zone)
	}
	return EPSG(32600 + zone)
}
