package cql2

import (
	"encoding/json"
	"math"
	"strings"
)

// depthOf is how deep the positions of a geometry type are nested.
var depthOf = map[string]int{"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}

// wktTypes are the names of geometry types in well-known text.
var wktTypes = map[string]string{"POINT": "Point", "MULTIPOINT": "MultiPoint", "LINESTRING": "LineString", "MULTILINESTRING": "MultiLineString",
	"POLYGON": "Polygon", "MULTIPOLYGON": "MultiPolygon", "GEOMETRYCOLLECTION": "GeometryCollection"}

// shape is a checked geometry as GeoJSON writes it.
type shape struct {
	Type        string  `json:"type"`
	Coordinates any     `json:"coordinates,omitempty"`
	Geometries  []shape `json:"geometries,omitempty"`
}

func (s shape) node() Node {
	text, _ := json.Marshal(s) // finite numbers, which were checked
	return Geometry(text)
}

// position checks a longitude and a latitude.
func (b *budget) position(numbers []float64) ([]float64, error) {
	if err := b.vertex(); err != nil {
		return nil, err
	}
	if len(numbers) < 2 || len(numbers) > 4 {
		return nil, mistakef("a position of %d numbers; it needs longitude and latitude", len(numbers))
	}
	lon, lat := numbers[0], numbers[1]
	if !(math.Abs(lon) <= 180 && math.Abs(lat) <= 90) {
		return nil, mistakef("the position %v, %v is no longitude and latitude", lon, lat)
	}
	return numbers[:2], nil
}

// whole checks what lines and rings need.
func whole(kind string, points [][]float64) error {
	switch kind {
	case "LineString", "MultiLineString":
		if len(points) < 2 {
			return mistakef("a line of fewer than 2 positions")
		}
	case "Polygon", "MultiPolygon":
		if len(points) < 4 {
			return mistakef("a ring of fewer than 4 positions")
		}
		first, last := points[0], points[len(points)-1]
		if first[0] != last[0] || first[1] != last[1] {
			return mistakef("a ring that is not closed: it begins at %v and ends at %v", first, last)
		}
	}
	return nil
}

// bbox checks four numbers, or six with heights, which are dropped.
func bbox(n []float64) (Node, error) {
	if len(n) != 4 && len(n) != 6 {
		return nil, mistakef("a bbox of %d numbers; it needs 4 or 6", len(n))
	}
	half := len(n) / 2
	box := BBox{n[0], n[1], n[half], n[half+1]}
	if !(math.Abs(box[0]) <= 180 && math.Abs(box[2]) <= 180 && math.Abs(box[1]) <= 90 && math.Abs(box[3]) <= 90) {
		return nil, mistakef("the bbox %v is not in longitudes and latitudes", box)
	}
	if box[1] > box[3] {
		return nil, mistakef("the bbox %v has its south above its north", box)
	}
	return box, nil
}

// beginsWKT reports whether what follows a type's name is well-known text.
func (p *textParser) beginsWKT() bool {
	t := p.peek()
	return t.is("(") || t.is("z") || t.is("m") || t.is("zm") || t.is("empty")
}

// wkt reads a geometry behind its type's name.
func (p *textParser) wkt(kind string) (Node, error) {
	start := p.tokens[p.next-1].at
	s, err := p.wktShape(kind, true)
	if err != nil {
		return nil, at(err, start)
	}
	return s.node(), nil
}

func (p *textParser) wktShape(kind string, outermost bool) (shape, error) {
	for _, dimension := range []string{"z", "m", "zm"} {
		if p.accept(dimension) {
			break
		}
	}
	if p.peek().is("empty") {
		return shape{}, mistakef("a %s that is empty", kind)
	}
	out := shape{Type: kind}
	if kind != "GeometryCollection" {
		coordinates, err := p.wktCoordinates(kind, depthOf[kind])
		out.Coordinates = coordinates
		return out, err
	}
	if !outermost {
		return out, mistakef("a GeometryCollection inside another")
	}
	err := p.wktList(func() error {
		t := p.take()
		inner, ok := wktTypes[strings.ToUpper(t.text)]
		if t.kind != word || !ok {
			return wrong(t.at, "a geometry was expected, not %s", t)
		}
		one, err := p.wktShape(inner, false)
		out.Geometries = append(out.Geometries, one)
		return err
	})
	return out, err
}

// wktList reads a list in parentheses.
func (p *textParser) wktList(one func() error) error {
	if err := p.expect("("); err != nil {
		return err
	}
	for {
		if err := one(); err != nil {
			return err
		}
		if !p.accept(",") {
			return p.expect(")")
		}
	}
}

// wktCoordinates reads positions nested to a depth, which is at most 3.
func (p *textParser) wktCoordinates(kind string, depth int) (any, error) {
	switch {
	case depth == 0:
		var point []float64
		err := p.wktList(func() (err error) {
			if point != nil {
				return mistakef("a %s of more than one position", kind)
			}
			point, err = p.wktPosition()
			return err
		})
		return point, err
	case depth == 1:
		var points [][]float64
		err := p.wktList(func() error {
			inner := kind == "MultiPoint" && p.accept("(") // MULTIPOINT((1 2), (3 4)) or without
			point, err := p.wktPosition()
			if err == nil && inner {
				err = p.expect(")")
			}
			points = append(points, point)
			return err
		})
		if err == nil {
			err = whole(kind, points)
		}
		return points, err
	}
	var parts []any
	err := p.wktList(func() error {
		part, err := p.wktCoordinates(kind, depth-1)
		parts = append(parts, part)
		return err
	})
	return parts, err
}

func (p *textParser) wktPosition() ([]float64, error) {
	var numbers []float64
	for {
		t := p.peek()
		sign := 1.0
		if t.is("-") || t.is("+") {
			if p.take(); t.text == "-" {
				sign = -1
			}
			t = p.peek()
		}
		if t.kind != number {
			if len(numbers) == 0 || t.at > 0 && p.tokens[p.next-1].kind == symbol {
				return nil, wrong(t.at, "a number was expected, not %s", t)
			}
			return p.budget.position(numbers)
		}
		numbers = append(numbers, sign*p.take().value)
		if len(numbers) > 4 {
			return nil, wrong(t.at, "a position of more than 4 numbers")
		}
	}
}

// geojson checks a geometry of the JSON form.
func (b *budget) geojson(raw json.RawMessage, outermost bool) (shape, error) {
	var in struct {
		Type        string
		Coordinates json.RawMessage
		Geometries  []json.RawMessage
	}
	if json.Unmarshal(raw, &in) != nil {
		return shape{}, mistakef("a geometry that is not GeoJSON")
	}
	if in.Type == "GeometryCollection" && outermost {
		if len(in.Geometries) == 0 {
			return shape{}, mistakef("a GeometryCollection that is empty")
		}
		out := shape{Type: in.Type}
		for _, part := range in.Geometries {
			one, err := b.geojson(part, false)
			if err != nil {
				return shape{}, err
			}
			out.Geometries = append(out.Geometries, one)
		}
		return out, nil
	}
	depth, known := depthOf[in.Type]
	if !known {
		return shape{}, mistakef("a geometry of the type %.60q, which can't stand here", in.Type)
	}
	coordinates, err := b.coordinates(in.Type, in.Coordinates, depth)
	return shape{Type: in.Type, Coordinates: coordinates}, err
}

func (b *budget) coordinates(kind string, raw json.RawMessage, depth int) (any, error) {
	if depth == 0 {
		var numbers []float64
		if json.Unmarshal(raw, &numbers) != nil {
			return nil, mistakef("coordinates that are no positions")
		}
		return b.position(numbers)
	}
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil || len(parts) == 0 {
		return nil, mistakef("empty or broken coordinates of a %s", kind)
	}
	if depth == 1 {
		points := make([][]float64, len(parts))
		for i, part := range parts {
			point, err := b.coordinates(kind, part, 0)
			if err != nil {
				return nil, err
			}
			points[i] = point.([]float64)
		}
		return points, whole(kind, points)
	}
	out := make([]any, len(parts))
	for i, part := range parts {
		var err error
		if out[i], err = b.coordinates(kind, part, depth-1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
