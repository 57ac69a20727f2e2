package tiles

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// Area is what polygons cover of a frame, in the frame's coordinate system.
type Area struct{ rings []geo.Ring }

// Bounds of an area that one request may give.
const (
	mostCorners = 100_000
	coverPoints = 10 // a side, at which it is found what an area covers of a pixel: TiTiler's default cover_scale
)

// geometry is a GeoJSON object, as far as areas need it.
type geometry struct {
	Type        string          `json:"type"`
	Geometry    json.RawMessage `json:"geometry"`
	Coordinates json.RawMessage `json:"coordinates"`
	Geometries  []geometry      `json:"geometries"`
}

// ParseArea reads a GeoJSON Feature, Polygon or MultiPolygon (or a collection of such geometries) whose coordinates are in a
// system, x to the east.
func ParseArea(body []byte, system geo.EPSG) (*Area, error) {
	var g geometry
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&g); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the body is not a GeoJSON feature: %s", jsonMistake(err))
	}
	if g.Type == "Feature" {
		if err := json.Unmarshal(g.Geometry, &g); err != nil || g.Type == "Feature" {
			return nil, fault.New(fault.Invalid, "the feature has no geometry")
		}
	}
	a := &Area{}
	if err := a.add(g, 0); err != nil {
		return nil, err
	}
	corners := 0
	for _, r := range a.rings {
		corners += len(r)
		for _, p := range r {
			if math.IsInf(p[0], 0) || math.IsInf(p[1], 0) || system == geo.WGS84 && (math.Abs(p[0]) > 540 || math.Abs(p[1]) > 90) {
				return nil, fault.New(fault.Invalid, "the geometry has a corner at %g, %g", p[0], p[1])
			}
		}
	}
	if corners > mostCorners {
		return nil, fault.New(fault.TooLarge, "the geometry has %d corners; at most %d are taken", corners, mostCorners)
	}
	return a, nil
}

func jsonMistake(err error) string {
	if syntax, ok := err.(*json.SyntaxError); ok {
		return "mistake near byte " + strconv.FormatInt(syntax.Offset, 10)
	}
	return "it is not an object of the right shape"
}

// add appends the rings of a geometry.
func (a *Area) add(g geometry, depth int) error {
	var polygons [][][][]float64
	var err error
	switch g.Type {
	case "Polygon":
		polygons = make([][][][]float64, 1)
		err = json.Unmarshal(g.Coordinates, &polygons[0])
	case "MultiPolygon":
		err = json.Unmarshal(g.Coordinates, &polygons)
	case "GeometryCollection":
		const deepest = 8
		if depth > deepest {
			return fault.New(fault.Invalid, "geometry collections are nested more than %d deep", deepest)
		}
		for _, part := range g.Geometries {
			if err := a.add(part, depth+1); err != nil {
				return err
			}
		}
	default:
		return fault.New(fault.Invalid, "geometry %.40q has no area: a Polygon or MultiPolygon is needed", g.Type)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the coordinates of the %s are not what GeoJSON says", g.Type)
	}
	for _, polygon := range polygons {
		for _, corners := range polygon {
			ring := make(geo.Ring, len(corners))
			for i, p := range corners {
				if len(p) < 2 {
					return fault.New(fault.Invalid, "the %s has a corner of %d coordinates", g.Type, len(p))
				}
				ring[i] = [2]float64{p[0], p[1]}
			}
			if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
				return fault.New(fault.Invalid, "a ring of the %s is not closed, or has fewer than 4 corners", g.Type)
			}
			a.rings = append(a.rings, ring)
		}
	}
	if depth == 0 && len(a.rings) == 0 {
		return fault.New(fault.Invalid, "the geometry is empty")
	}
	return nil
}

// project moves the area to another system.
func (a *Area) project(from, to geo.EPSG) (*Area, error) {
	if from == to {
		return a, nil
	}
	out := &Area{rings: make([]geo.Ring, len(a.rings))}
	for i, r := range a.rings {
		if from == geo.WGS84 {
			r = geo.Unwrap(r)
		}
		xs, ys := make([]float64, len(r)), make([]float64, len(r))
		for j, p := range r {
			xs[j], ys[j] = p[0], p[1]
		}
		if err := raster.Project(from, to, xs, ys); err != nil {
			return nil, err
		}
		out.rings[i] = make(geo.Ring, len(r))
		for j := range r {
			if math.IsNaN(xs[j]) || math.IsNaN(ys[j]) {
				return nil, fault.New(fault.Invalid, "the corner at %g, %g has no place in %s", r[j][0], r[j][1], to)
			}
			out.rings[i][j] = [2]float64{xs[j], ys[j]}
		}
	}
	return out, nil
}

// bounds returns the box around the area.
func (a *Area) bounds() geo.Box {
	b := geo.Box{MinX: math.Inf(1), MinY: math.Inf(1), MaxX: math.Inf(-1), MaxY: math.Inf(-1)}
	for _, r := range a.rings {
		for _, p := range r {
			b = geo.Box{MinX: math.Min(b.MinX, p[0]), MinY: math.Min(b.MinY, p[1]), MaxX: math.Max(b.MaxX, p[0]), MaxY: math.Max(b.MaxY, p[1])}
		}
	}
	return b
}

// cover returns the share of each pixel of a grid that the area covers.
func (a *Area) cover(g raster.Grid) []float32 {
	inverse, ok := g.Transform.Invert()
	if !ok {
		return make([]float32, g.Width*g.Height)
	}
	rings := make([]geo.Ring, len(a.rings))
	for i, r := range a.rings {
		rings[i] = make(geo.Ring, len(r))
		for j, p := range r {
			rings[i][j][0], rings[i][j][1] = inverse.Apply(p[0], p[1])
		}
	}
	return geo.Cover(rings, g.Width, g.Height, coverPoints)
}

// cut takes away the values of pixels that the area does not touch.
func (a *Area) cut(planes [][]float32, g raster.Grid) {
	nan := float32(math.NaN())
	for i, share := range a.cover(g) {
		if share == 0 {
			for _, plane := range planes {
				plane[i] = nan
			}
		}
	}
}

func (a *Area) key() string {
	h := xxhash.New()
	var buf [8]byte
	write := func(v uint64) {
		binary.LittleEndian.PutUint64(buf[:], v)
		h.Write(buf[:]) //nolint:errcheck // a hash takes everything
	}
	for _, r := range a.rings {
		write(uint64(len(r)))
		for _, p := range r {
			write(math.Float64bits(p[0]))
			write(math.Float64bits(p[1]))
		}
	}
	return strconv.FormatUint(h.Sum64(), 36)
}
