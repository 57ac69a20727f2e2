package compat

import (
	"encoding/json"
	"fmt"
	"math"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// ParseWKT reads a geometry in Well-Known Text as GeoJSON.
func ParseWKT(text string) (json.RawMessage, error) {
	n, err := cql2.ParseText("S_INTERSECTS(geometry, " + text + ")")
	if err != nil {
		return nil, fault.New(fault.Invalid, "%.80q is not a geometry in WKT such as POLYGON((1 43,2 43,2 44,1 44,1 43))", text)
	}
	if s, is := n.(cql2.Spatial); is {
		if g, is := s.Right.(cql2.Geometry); is {
			return stac.ParseGeometry(json.RawMessage(g))
		}
	}
	return nil, fault.New(fault.Invalid, "%.80q is more than a geometry", text)
}

const metresPerDeg = 111_195 // of latitude, on a sphere of 6371 km

// Circle returns a polygon about a point, or the point where the radius is nothing.
func Circle(lon, lat, radiusM float64) (json.RawMessage, error) {
	if math.Abs(lon) > 180 || math.Abs(lat) > 90 {
		return nil, fault.New(fault.Invalid, "lon %g, lat %g is not on the Earth", lon, lat)
	}
	if radiusM == 0 {
		return fmt.Appendf(nil, `{"type":"Point","coordinates":[%g,%g]}`, lon, lat), nil
	}
	const corners = 32
	dy := radiusM / metresPerDeg
	dx := dy / math.Cos(lat*math.Pi/180)
	if !(dy > 0) || math.Abs(lat)+dy >= 90 || math.Abs(lon)+dx > 180 {
		return nil, fault.New(fault.Invalid, "a radius of %g m about lon %g, lat %g reaches over a pole or the date line: ask by geometry", radiusM, lon, lat)
	}
	ring := make([][2]float64, corners+1)
	for i := range ring {
		sin, cos := math.Sincos(2 * math.Pi * float64(i%corners) / corners)
		ring[i] = [2]float64{lon + dx*cos, lat + dy*sin}
	}
	return json.Marshal(map[string]any{"type": "Polygon", "coordinates": [][][2]float64{ring}})
}
