package stac

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"swath/fault"
	"swath/geo"
)

// CRS is a coordinate system in which items are served and boxes are asked (OGC API Features, Part 2).
type CRS struct {
	URI        string
	projection geo.Projection
	latFirst   bool // the order of its axes
}

// The coordinate systems, the one that items are stored in first.
var systems = func() []CRS {
	geographic, _ := geo.ProjectionOf(geo.WGS84)
	mercator, _ := geo.ProjectionOf(geo.WebMercator)
	return []CRS{
		{URI: "http://www.opengis.net/def/crs/OGC/1.3/CRS84", projection: geographic},
		{URI: "http://www.opengis.net/def/crs/EPSG/0/4326", projection: geographic, latFirst: true},
		{URI: "http://www.opengis.net/def/crs/EPSG/0/3857", projection: mercator},
	}
}()

// StorageCRS is what items are stored in: longitudes and latitudes on WGS 84.
var StorageCRS = systems[0].URI

// SystemURIs lists the coordinate systems.
func SystemURIs() []string {
	uris := make([]string, len(systems))
	for i, s := range systems {
		uris[i] = s.URI
	}
	return uris
}

// ParseCRS reads a parameter crs or bbox-crs; empty is the storage's. A URI may stand in angle brackets, as headers have it.
func ParseCRS(parameter, uri string) (*CRS, error) {
	uri = strings.TrimSuffix(strings.TrimPrefix(uri, "<"), ">")
	if uri == "" {
		return &systems[0], nil
	}
	i := slices.IndexFunc(systems, func(s CRS) bool { return s.URI == uri })
	if i < 0 {
		return nil, fault.New(fault.Invalid, "%s %.100q is none of %s", parameter, uri, strings.Join(SystemURIs(), ", "))
	}
	return &systems[i], nil
}

// Stored reports whether nothing has to be converted.
func (s *CRS) Stored() bool { return s == nil || s.URI == StorageCRS }

// boxText turns a bbox of this system into one of longitudes and latitudes, as text.
func (s *CRS) boxText(text string) (string, error) {
	if s.Stored() || text == "" {
		return text, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) != 4 && len(parts) != 6 {
		return text, nil // ParseBBox says what is wrong
	}
	n := make([]float64, len(parts))
	for i, part := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return text, nil
		}
		n[i] = v
	}
	half := len(n) / 2
	for _, at := range []int{0, half} {
		x, y := n[at], n[at+1]
		if s.latFirst {
			x, y = y, x
		}
		lon, lat := s.projection.ToLonLat(x, y)
		if math.IsNaN(lon) || math.IsNaN(lat) {
			return "", fault.New(fault.Invalid, "bbox has the corner %v, %v, which bbox-crs has no place for", n[at], n[at+1])
		}
		const noise = 1e-9
		switch {
		case math.Abs(lon) > 180 && math.Abs(lon) < 180+noise:
			lon = math.Copysign(180, lon)
		case at == half && lon < -180+noise && x > 0:
			lon = 180 // the eastern edge of the world
		}
		n[at], n[at+1] = lon, lat
	}
	for i, v := range n {
		parts[i] = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strings.Join(parts, ","), nil
}

// Apply returns an item with its geometry and bbox in this system. Heights stay as they are.
func (s *CRS) Apply(body []byte) ([]byte, error) {
	if s.Stored() {
		return body, nil
	}
	var document struct {
		Geometry *struct {
			Type        string            `json:"type"`
			Coordinates json.RawMessage   `json:"coordinates,omitempty"`
			Geometries  []json.RawMessage `json:"geometries,omitempty"`
		} `json:"geometry"`
		BBox []float64 `json:"bbox"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return nil, err
	}
	patch := []map[string]any{}
	if document.Geometry != nil {
		var raw struct {
			Geometry any `json:"geometry"`
		}
		if err := json.Unmarshal(body, &raw); err != nil {
			return nil, err
		}
		s.shape(raw.Geometry)
		patch = append(patch, map[string]any{"op": "replace", "path": "/geometry", "value": raw.Geometry})
	}
	if n := len(document.BBox); n == 4 || n == 6 {
		s.position(document.BBox[:2])
		s.position(document.BBox[n/2 : n/2+2])
		patch = append(patch, map[string]any{"op": "replace", "path": "/bbox", "value": document.BBox})
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	return Patch(body, text, TypeJSONPatch)
}

// shape converts the positions of a geometry in place.
func (s *CRS) shape(geometry any) {
	object, _ := geometry.(map[string]any)
	s.coordinates(object["coordinates"])
	parts, _ := object["geometries"].([]any)
	for _, part := range parts {
		s.shape(part)
	}
}

func (s *CRS) coordinates(value any) {
	list, _ := value.([]any)
	if len(list) >= 2 {
		x, isX := list[0].(float64)
		y, isY := list[1].(float64)
		if isX && isY {
			at := []float64{x, y}
			s.position(at)
			list[0], list[1] = at[0], at[1]
			return
		}
	}
	for _, part := range list {
		s.coordinates(part)
	}
}

// mercatorLimitDeg is the latitude that Web Mercator ends at, a square; what lies beyond is drawn to its edge.
const mercatorLimitDeg = 85.0511287798066

// position converts a longitude and latitude in place.
func (s *CRS) position(at []float64) {
	lon, lat := at[0], at[1]
	if !s.latFirst {
		lat = math.Max(-mercatorLimitDeg, math.Min(mercatorLimitDeg, lat))
	}
	x, y := s.projection.FromLonLat(lon, lat)
	if lon == 180 && x < 0 {
		x = -x
	}
	if s.latFirst {
		x, y = at[1], at[0]
	}
	at[0], at[1] = x, y
}
