package geoparquet

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
)

// geometryTypes are GeoJSON's by their numbers in WKB.
var geometryTypes = []string{"", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"}

const heights = 1000 // is added to the number of a type with heights (ISO WKB)

// deepest is how far geometry collections may hold each other.
const deepest = 8

var errShape = errors.New("not a GeoJSON geometry with positions of two or three numbers")

// appendWKB appends a GeoJSON geometry as ISO WKB.
func appendWKB(out, raw []byte) ([]byte, error) { return appendNested(out, raw, deepest) }

func appendNested(out, raw []byte, depth int) ([]byte, error) {
	var g struct {
		Type        string            `json:"type"`
		Coordinates json.RawMessage   `json:"coordinates"`
		Geometries  []json.RawMessage `json:"geometries"`
	}
	if json.Unmarshal(raw, &g) != nil || depth == 0 {
		return out, errShape
	}
	switch g.Type {
	case "Point":
		var c []float64
		if json.Unmarshal(g.Coordinates, &c) != nil {
			return out, errShape
		}
		return points(out, 1, [][]float64{c}, len(c), false)
	case "LineString":
		var c [][]float64
		if json.Unmarshal(g.Coordinates, &c) != nil || len(c) == 0 {
			return out, errShape
		}
		return points(out, 2, c, len(c[0]), true)
	case "Polygon":
		var c [][][]float64
		if json.Unmarshal(g.Coordinates, &c) != nil {
			return out, errShape
		}
		return rings(out, c)
	case "MultiPoint":
		var c [][]float64
		if json.Unmarshal(g.Coordinates, &c) != nil || len(c) == 0 {
			return out, errShape
		}
		out, err := header(out, 4, len(c[0]), len(c))
		for _, p := range c {
			if err == nil {
				out, err = points(out, 1, [][]float64{p}, len(c[0]), false)
			}
		}
		return out, err
	case "MultiLineString":
		var c [][][]float64
		if json.Unmarshal(g.Coordinates, &c) != nil || len(c) == 0 || len(c[0]) == 0 {
			return out, errShape
		}
		dimensions := len(c[0][0])
		out, err := header(out, 5, dimensions, len(c))
		for _, l := range c {
			if err == nil {
				out, err = points(out, 2, l, dimensions, true)
			}
		}
		return out, err
	case "MultiPolygon":
		var c [][][][]float64
		if json.Unmarshal(g.Coordinates, &c) != nil || len(c) == 0 || len(c[0]) == 0 || len(c[0][0]) == 0 {
			return out, errShape
		}
		dimensions := len(c[0][0][0])
		out, err := header(out, 6, dimensions, len(c))
		for _, p := range c {
			if err != nil {
				break
			}
			if len(p) == 0 || len(p[0]) == 0 || len(p[0][0]) != dimensions {
				return out, errShape
			}
			out, err = rings(out, p)
		}
		return out, err
	case "GeometryCollection":
		var parts []byte
		dimensions := 2
		for _, inner := range g.Geometries {
			begin := len(parts)
			var err error
			if parts, err = appendNested(parts, inner, depth-1); err != nil {
				return out, err
			}
			if binary.LittleEndian.Uint32(parts[begin+1:]) > heights {
				dimensions = 3
			} else if dimensions == 3 {
				return out, errShape
			}
		}
		out, err := header(out, 7, dimensions, len(g.Geometries))
		return append(out, parts...), err
	}
	return out, errShape
}

// header begins a geometry; of a point there is no count.
func header(out []byte, kind uint32, dimensions, count int) ([]byte, error) {
	switch dimensions {
	case 2:
	case 3:
		kind += heights
	default:
		return out, errShape
	}
	out = binary.LittleEndian.AppendUint32(append(out, 1), kind)
	if count >= 0 {
		out = binary.LittleEndian.AppendUint32(out, uint32(count))
	}
	return out, nil
}

// points writes a point or a line.
func points(out []byte, kind uint32, all [][]float64, dimensions int, counted bool) ([]byte, error) {
	count := -1
	if counted {
		count = len(all)
	}
	out, err := header(out, kind, dimensions, count)
	if err != nil {
		return out, err
	}
	return positions(out, all, dimensions)
}

func positions(out []byte, all [][]float64, dimensions int) ([]byte, error) {
	for _, p := range all {
		if len(p) != dimensions {
			return out, errShape
		}
		for _, v := range p {
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		}
	}
	return out, nil
}

// rings writes a polygon.
func rings(out []byte, all [][][]float64) ([]byte, error) {
	if len(all) == 0 || len(all[0]) == 0 {
		return out, errShape
	}
	dimensions := len(all[0][0])
	out, err := header(out, 3, dimensions, len(all))
	for _, r := range all {
		if err == nil {
			out = binary.LittleEndian.AppendUint32(out, uint32(len(r)))
			out, err = positions(out, r, dimensions)
		}
	}
	return out, err
}

// typeOf names the type of a WKB geometry as GeoParquet does.
func typeOf(wkb []byte) string {
	kind := binary.LittleEndian.Uint32(wkb[1:])
	if kind > heights {
		return geometryTypes[kind-heights] + " Z"
	}
	return geometryTypes[kind]
}
