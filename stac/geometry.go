package stac

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"swath/fault"
	"swath/geo"
)

// maxPositions bounds the corners of a geometry in a search.
const maxPositions = 10_000

// ParseBBox reads "west,south,east,north", or six numbers with heights, which do not filter. West may exceed east: such a
// box crosses the antimeridian.
func ParseBBox(text string) (*geo.Box, error) {
	parts := strings.Split(text, ",")
	if len(parts) != 4 && len(parts) != 6 {
		return nil, fault.New(fault.Invalid, "bbox has %d numbers; it needs 4 (west,south,east,north) or 6 (with heights)", len(parts))
	}
	n := make([]float64, len(parts))
	for i, part := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fault.New(fault.Invalid, "bbox holds %q, which is not a number", part)
		}
		n[i] = v
	}
	half := len(n) / 2
	b := geo.Box{MinX: n[0], MinY: n[1], MaxX: n[half], MaxY: n[half+1]}
	if math.Abs(b.MinX) > 180 || math.Abs(b.MaxX) > 180 {
		return nil, fault.New(fault.Invalid, "bbox has a longitude outside -180 to 180")
	}
	if math.Abs(b.MinY) > 90 || math.Abs(b.MaxY) > 90 {
		return nil, fault.New(fault.Invalid, "bbox has a latitude outside -90 to 90")
	}
	if b.MinY > b.MaxY {
		return nil, fault.New(fault.Invalid, "bbox has its south (%g) above its north (%g)", b.MinY, b.MaxY)
	}
	if half == 3 && n[2] > n[5] {
		return nil, fault.New(fault.Invalid, "bbox has its bottom (%g) above its top (%g)", n[2], n[5])
	}
	return &b, nil
}

// depthOf is how deep the positions of a geometry type are nested.
var depthOf = map[string]int{"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}

// ParseGeometry checks a GeoJSON geometry in longitudes and latitudes and returns it with nothing but its type and
// coordinates, so that what a database reads is what was checked.
func ParseGeometry(raw json.RawMessage) (json.RawMessage, error) {
	left := maxPositions
	g, err := checkGeometry(raw, &left, true)
	if err != nil {
		return nil, err
	}
	return json.Marshal(g)
}

// geometry is a checked geometry.
type geometry struct {
	Type        string     `json:"type"`
	Coordinates any        `json:"coordinates,omitempty"`
	Geometries  []geometry `json:"geometries,omitempty"`
}

func checkGeometry(raw json.RawMessage, left *int, outermost bool) (geometry, error) {
	var in struct {
		Type        string
		Coordinates any
		Geometries  []json.RawMessage
	}
	if json.Unmarshal(raw, &in) != nil {
		return geometry{}, fault.New(fault.Invalid, "intersects is not a GeoJSON geometry")
	}
	if in.Type == "GeometryCollection" && outermost {
		if len(in.Geometries) == 0 {
			return geometry{}, fault.New(fault.Invalid, "intersects is an empty GeometryCollection")
		}
		out := geometry{Type: in.Type, Geometries: make([]geometry, len(in.Geometries))}
		for i, part := range in.Geometries {
			var err error
			if out.Geometries[i], err = checkGeometry(part, left, false); err != nil {
				return geometry{}, err
			}
		}
		return out, nil
	}
	depth, known := depthOf[in.Type]
	switch {
	case in.Type == "Feature" || in.Type == "FeatureCollection":
		return geometry{}, fault.New(fault.Invalid, "intersects is a %s; it takes a geometry", in.Type)
	case in.Type == "GeometryCollection":
		return geometry{}, fault.New(fault.Invalid, "intersects has a GeometryCollection inside another")
	case !known:
		return geometry{}, fault.New(fault.Invalid, "intersects has the unknown geometry type %q", in.Type)
	}
	if err := checkPositions(in.Type, in.Coordinates, depth, left); err != nil {
		return geometry{}, err
	}
	return geometry{Type: in.Type, Coordinates: in.Coordinates}, nil
}

// checkPositions checks nested positions: their depth, number, range, and what lines and rings need.
func checkPositions(kind string, value any, depth int, left *int) error {
	list, ok := value.([]any)
	if !ok {
		return fault.New(fault.Invalid, "intersects has broken coordinates for a %s", kind)
	}
	if depth == 0 {
		*left--
		if *left < 0 {
			return fault.New(fault.Invalid, "intersects has more than %d positions", maxPositions)
		}
		return checkPosition(list)
	}
	if len(list) == 0 {
		return fault.New(fault.Invalid, "intersects is an empty %s", kind)
	}
	for _, part := range list {
		if err := checkPositions(kind, part, depth-1, left); err != nil {
			return err
		}
	}
	if depth != 1 {
		return nil
	}
	switch kind {
	case "Polygon", "MultiPolygon":
		first, last := list[0].([]any), list[len(list)-1].([]any)
		if len(list) < 4 || first[0] != last[0] || first[1] != last[1] {
			return fault.New(fault.Invalid, "intersects has a ring that is not closed or has fewer than 4 positions")
		}
	case "LineString", "MultiLineString":
		if len(list) < 2 {
			return fault.New(fault.Invalid, "intersects has a line of one position")
		}
	}
	return nil
}

// checkPosition checks one [longitude, latitude] or [longitude, latitude, height].
func checkPosition(position []any) error {
	if len(position) != 2 && len(position) != 3 {
		return fault.New(fault.Invalid, "intersects has a position of %d numbers; it needs longitude and latitude", len(position))
	}
	for _, v := range position {
		if _, ok := v.(float64); !ok {
			return fault.New(fault.Invalid, "intersects has a position that holds no number")
		}
	}
	lon, lat := position[0].(float64), position[1].(float64)
	if math.Abs(lon) > 180 || math.Abs(lat) > 90 {
		return fault.New(fault.Invalid, "intersects has the position %g, %g, which is no longitude and latitude", lon, lat)
	}
	return nil
}
