package catalog

import (
	"encoding/binary"
	"encoding/json"
	"math"

	"swath/fault"
)

// The kinds of simple geometry, numbered as in WKB.
const (
	point   = 1
	line    = 2
	polygon = 3
	many    = 3 // kind + many is the kind's Multi form
	mixed   = 7 // a GeometryCollection
)

// position is longitude and latitude in degrees; heights are left in the body.
type position [2]float64

// UnmarshalJSON reads two or more numbers.
func (p *position) UnmarshalJSON(text []byte) error {
	var numbers []*float64
	if err := json.Unmarshal(text, &numbers); err != nil {
		return err
	}
	if len(numbers) < 2 || numbers[0] == nil || numbers[1] == nil {
		return fault.New(fault.Invalid, "a position has fewer than two numbers")
	}
	p[0], p[1] = *numbers[0], *numbers[1]
	if math.Abs(p[1]) > 90 || math.Abs(p[0]) > 540 {
		return fault.New(fault.Invalid, "position %v is not on the globe", *p)
	}
	return nil
}

// part is a point, a line, or a polygon whose first ring is its outside.
type part struct {
	kind  int
	rings [][]position // of points and lines: one
}

// deepest is how far geometry collections may hold each other.
const deepest = 8

// parseGeometry reads a GeoJSON geometry of any type as its simple parts.
func parseGeometry(raw []byte) ([]part, error) {
	if parts, ok := quickPolygon(raw); ok {
		return parts, nil
	}
	return parseNested(raw, deepest)
}

func parseNested(raw []byte, depth int) ([]part, error) {
	var g struct {
		Type        string            `json:"type"`
		Coordinates json.RawMessage   `json:"coordinates"`
		Geometries  []json.RawMessage `json:"geometries"`
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		return nil, fault.New(fault.Invalid, "geometry is not GeoJSON: %v", err)
	}
	var parts []part
	var err error
	switch g.Type {
	case "Point":
		var p *position
		if err = json.Unmarshal(g.Coordinates, &p); err == nil && p != nil {
			parts = []part{{point, [][]position{{*p}}}}
		}
	case "MultiPoint":
		var all []position
		err = json.Unmarshal(g.Coordinates, &all)
		for _, p := range all {
			parts = append(parts, part{point, [][]position{{p}}})
		}
	case "LineString":
		parts = []part{{line, make([][]position, 1)}}
		err = json.Unmarshal(g.Coordinates, &parts[0].rings[0])
	case "MultiLineString":
		var all [][]position
		err = json.Unmarshal(g.Coordinates, &all)
		for _, l := range all {
			parts = append(parts, part{line, [][]position{l}})
		}
	case "Polygon":
		parts = []part{{kind: polygon}}
		err = json.Unmarshal(g.Coordinates, &parts[0].rings)
	case "MultiPolygon":
		var all [][][]position
		err = json.Unmarshal(g.Coordinates, &all)
		for _, rings := range all {
			if len(rings) > 0 { // agencies publish empty ones beside full ones
				parts = append(parts, part{polygon, rings})
			}
		}
	case "GeometryCollection":
		if depth == 0 {
			return nil, fault.New(fault.Invalid, "geometry collections are nested too deep")
		}
		for _, inner := range g.Geometries {
			more, err := parseNested(inner, depth-1)
			if err != nil {
				return nil, err
			}
			parts = append(parts, more...)
		}
	default:
		return nil, fault.New(fault.Invalid, "geometry has the type %q, which GeoJSON does not know", g.Type)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "coordinates of a %s: %v", g.Type, err)
	}
	if len(parts) == 0 {
		return nil, fault.New(fault.Invalid, "geometry of type %s is empty", g.Type)
	}
	for _, p := range parts {
		if err := p.check(); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// check applies GeoJSON's rules on numbers of positions (RFC 7946, 3.1).
func (p part) check() error {
	if len(p.rings) == 0 {
		return fault.New(fault.Invalid, "a polygon has no ring")
	}
	for _, ring := range p.rings {
		switch {
		case p.kind == line && len(ring) < 2:
			return fault.New(fault.Invalid, "a line has fewer than two positions")
		case p.kind == polygon && len(ring) < 4:
			return fault.New(fault.Invalid, "a polygon's ring has fewer than four positions")
		case p.kind == polygon && ring[0] != ring[len(ring)-1]:
			return fault.New(fault.Invalid, "a polygon's ring is not closed: it begins at %v and ends at %v", ring[0], ring[len(ring)-1])
		}
	}
	return nil
}

// wkb writes parts as one geometry: simple, multiple or mixed.
func wkb(parts []part) []byte {
	out := []byte{}
	header := func(kind int) {
		out = append(out, 1) // little endian
		out = binary.LittleEndian.AppendUint32(out, uint32(kind))
	}
	count := func(n int) { out = binary.LittleEndian.AppendUint32(out, uint32(n)) }
	if len(parts) != 1 {
		kind := parts[0].kind + many
		for _, p := range parts {
			if p.kind != parts[0].kind {
				kind = mixed
			}
		}
		header(kind)
		count(len(parts))
	}
	for _, p := range parts {
		header(p.kind)
		if p.kind == polygon {
			count(len(p.rings))
		}
		for _, ring := range p.rings {
			if p.kind != point {
				count(len(ring))
			}
			for _, at := range ring {
				out = binary.LittleEndian.AppendUint64(out, math.Float64bits(at[0]))
				out = binary.LittleEndian.AppendUint64(out, math.Float64bits(at[1]))
			}
		}
	}
	return out
}
