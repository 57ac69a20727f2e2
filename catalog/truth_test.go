package catalog_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"swath/stac"
)

// The plain truth that searches are compared with: items as values in memory, and shapes that are convex, so that the
// separating axis theorem decides. Nothing here is shared with the code under test.

// xy is a corner in degrees; longitudes of one shape are unwrapped.
type xy struct{ x, y float64 }

// shape is a convex polygon, or a point where it has one corner. Nil is no place.
type shape []xy

func (s shape) shifted(deg float64) shape {
	out := slices.Clone(s)
	for i := range out {
		out[i].x += deg
	}
	return out
}

// axes returns the normals of a shape's edges; of a point, those of the coordinate axes.
func (s shape) axes() []xy {
	if len(s) == 1 {
		return []xy{{1, 0}, {0, 1}}
	}
	out := make([]xy, len(s))
	for i, p := range s {
		q := s[(i+1)%len(s)]
		out[i] = xy{q.y - p.y, p.x - q.x}
	}
	return out
}

// along returns what a shape covers of an axis.
func (s shape) along(axis xy) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range s {
		d := p.x*axis.x + p.y*axis.y
		low, high = min(low, d), max(high, d)
	}
	return low, high
}

// overlapsPlain reports whether two shapes share a point, where their longitudes are written.
func overlapsPlain(a, b shape) bool {
	for _, axis := range append(a.axes(), b.axes()...) {
		aLow, aHigh := a.along(axis)
		bLow, bHigh := b.along(axis)
		if aHigh < bLow || bHigh < aLow {
			return false
		}
	}
	return true
}

// insidePlain reports whether all of a lies in b.
func insidePlain(a, b shape) bool {
	if len(b) == 1 {
		return len(a) == 1 && a[0] == b[0]
	}
	for _, axis := range b.axes() {
		aLow, aHigh := a.along(axis)
		bLow, bHigh := b.along(axis)
		if aLow < bLow || aHigh > bHigh {
			return false
		}
	}
	return true
}

// apart is a quick look: two shapes that lie on other latitudes share nothing.
func apart(a, b shape) bool {
	aLow, aHigh := a.latitudes()
	bLow, bHigh := b.latitudes()
	return aHigh < bLow || bHigh < aLow
}

func (s shape) latitudes() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range s {
		low, high = min(low, p.y), max(high, p.y)
	}
	return low, high
}

// turned applies a relation wherever on the globe the longitudes of b are written.
func turned(relation func(a, b shape) bool, a, b shape) bool {
	for turn := -720.0; turn <= 720; turn += 360 {
		if relation(a, b.shifted(turn)) {
			return true
		}
	}
	return false
}

func meets(a, b shape) bool { return !apart(a, b) && turned(overlapsPlain, a, b) }
func lies(a, b shape) bool  { return !apart(a, b) && turned(insidePlain, a, b) }

// wrapped writes corners with longitudes in [-180, 180); a ring jumps at the antimeridian.
func (s shape) wrapped() [][2]float64 {
	var out [][2]float64
	for _, p := range s {
		out = append(out, [2]float64{p.x - 360*math.Floor((p.x+180)/360), p.y})
	}
	return out
}

// geojson writes a shape as agencies do.
func (s shape) geojson() json.RawMessage {
	var text []byte
	switch ring := s.wrapped(); len(s) {
	case 0:
		return json.RawMessage("null")
	case 1:
		text, _ = json.Marshal(map[string]any{"type": "Point", "coordinates": ring[0]})
	default:
		text, _ = json.Marshal(map[string]any{"type": "Polygon", "coordinates": [][][2]float64{append(ring, ring[0])}})
	}
	return text
}

// wkt writes a shape as CQL2 text does.
func (s shape) wkt() string {
	ring := s.wrapped()
	if len(s) == 1 {
		return fmt.Sprintf("POINT(%v %v)", ring[0][0], ring[0][1])
	}
	var corners []string
	for _, p := range append(ring, ring[0]) {
		corners = append(corners, fmt.Sprintf("%v %v", p[0], p[1]))
	}
	return "POLYGON((" + strings.Join(corners, ", ") + "))"
}

// specimen is an item with what is true of it. Properties hold float64, string, bool, []string and map[string]any, as JSON
// gives them back.
type specimen struct {
	collection, id string
	at             time.Time  // datetime, or the begin of the period
	begins, ends   *time.Time // start_datetime and end_datetime; datetime is null
	place          shape
	properties     map[string]any
	number         int // order of insertion
}

// get returns a property as a filter sees it, nil where it is missing or null.
func (s *specimen) get(name string) any {
	switch name {
	case "id":
		return s.id
	case "collection":
		return s.collection
	}
	var value any = s.properties
	for _, step := range strings.Split(name, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[step]
	}
	return value
}

// item writes a specimen as a client would.
func (s *specimen) item() stac.Item {
	properties := map[string]any{"datetime": nil}
	for name, value := range s.properties {
		properties[name] = value
	}
	body, err := json.Marshal(map[string]any{
		"type": "Feature", "stac_version": "1.1.0", "id": s.id, "collection": s.collection, "geometry": s.place.geojson(),
		"properties": properties, "assets": map[string]any{}, "links": []any{},
	})
	if err != nil {
		panic(err) // the test's own values
	}
	return stac.Item{Collection: s.collection, ID: s.id, Body: body}
}

var (
	truthCollections = []string{"s1", "s2", "spot", "empty"}
	truthFirst       = time.Date(2015, 7, 1, 0, 0, 0, 0, time.UTC)
	truthDays        = 3650
	truthPlatforms   = []string{"sentinel-1a", "sentinel-2a", "Sentinel-2B", "spot-5"}
	truthTitles      = []string{"Fôret de Bouconne", "forêt de bouconne", "Étang de Berre", "etang de Berre", "Crue du Tarn 100%", "crue_du_tarn", "Straße", "plain"}
	truthWords       = []string{"flood", "Forêt", "ice", "city", "coast", "rare"}
	truthGrid        = []string{"MGRS-31TCJ", "MGRS-31TDH", "MGRS-01KAB", "MGRS-60WWD", "MGRS-56JMM"}
)

// grow makes specimens of every kind: some lack properties, some places, some have a period, some cross the antimeridian.
func grow(r *rand.Rand, n int) []*specimen {
	all, used := make([]*specimen, n), map[[2]string]bool{}
	for i := range all {
		s := &specimen{
			collection: truthCollections[r.IntN(3)], number: i, properties: map[string]any{},
			at: truthFirst.Add(time.Duration(r.Int64N(int64(truthDays) * 24 * int64(time.Hour)))).Truncate(time.Microsecond),
		}
		s.id = fmt.Sprintf("item_%06d", i)
		if i > 10 && r.IntN(20) == 0 { // the same name, and the same moment, in another collection
			if other := all[r.IntN(i)]; other.collection != s.collection && !used[[2]string{s.collection, other.id}] {
				s.id, s.at = other.id, other.at
			}
		}
		used[[2]string{s.collection, s.id}] = true
		if r.IntN(10) == 0 {
			s.at = s.at.Truncate(24 * time.Hour) // many moments come more than once
		}
		switch r.IntN(15) {
		case 0: // a period
			begins, ends := s.at, s.at.Add(time.Duration(r.Int64N(int64(40*24*time.Hour)))).Truncate(time.Microsecond)
			s.begins, s.ends = &begins, &ends
			s.properties["datetime"] = nil
			s.properties["start_datetime"], s.properties["end_datetime"] = stampOf(r, begins), stampOf(r, ends)
		default:
			s.properties["datetime"] = stampOf(r, s.at)
		}
		some := func(share float64, name string, value any) {
			if r.Float64() < share {
				s.properties[name] = value
			}
		}
		some(0.8, "eo:cloud_cover", cloud(r))
		some(0.9, "sat:relative_orbit", float64(1+r.IntN(143)))
		some(0.9, "platform", truthPlatforms[r.IntN(len(truthPlatforms))])
		some(0.7, "grid:code", truthGrid[r.IntN(len(truthGrid))])
		some(0.6, "s2:vegetation_percentage", math.Round(r.Float64()*1e6)/1e4)
		some(0.6, "s2:water_percentage", math.Round(r.Float64()*1e6)/1e4)
		some(0.5, "view:off_nadir", float64(r.IntN(31)))
		some(0.5, "title", truthTitles[r.IntN(len(truthTitles))])
		some(0.5, "flag", r.IntN(2) == 0)
		some(0.3, "mixed", []any{float64(r.IntN(4)), "2", "text", true, nil}[r.IntN(5)])
		some(0.4, "nested", map[string]any{"depth": float64(r.IntN(10)), "name": truthPlatforms[r.IntN(4)]})
		some(0.001, "quality:rare", "only-here")
		some(0.0005, "rare:number", r.Float64()*1000)
		if r.IntN(2) == 0 {
			words := []string{}
			for _, w := range truthWords[:5] {
				if r.IntN(3) == 0 {
					words = append(words, w)
				}
			}
			if r.IntN(500) == 0 {
				words = append(words, "rare")
			}
			s.properties["keywords"] = words
		}
		some(0.5, "created", stampOf(r, s.at.Add(time.Duration(r.IntN(100))*time.Hour)))
		s.place = placeOf(r)
		all[i] = s
	}
	return all
}

// cloud is a cloud cover of many digits, or one of those that many items share.
func cloud(r *rand.Rand) float64 {
	switch r.IntN(6) {
	case 0:
		return 0
	case 1:
		return 100
	case 2:
		return float64(r.IntN(100))
	}
	return r.Float64() * 100
}

// stampOf writes a moment in one of the ways of RFC 3339.
func stampOf(r *rand.Rand, at time.Time) string {
	switch r.IntN(6) {
	case 0:
		return at.In(time.FixedZone("", 3600*(r.IntN(25)-12))).Format("2006-01-02T15:04:05.000000-07:00")
	case 1:
		return strings.ToLower(at.Format("2006-01-02T15:04:05.000000Z"))
	}
	return at.Format("2006-01-02T15:04:05.999999Z")
}

// placeOf makes a convex quadrilateral of any size, a point, or nothing.
func placeOf(r *rand.Rand) shape {
	centre := xy{r.Float64()*360 - 180, r.Float64()*150 - 75}
	switch r.IntN(40) {
	case 0:
		return nil
	case 1, 2:
		return shape{centre}
	case 3, 4, 5: // about the antimeridian
		centre.x = 180 + r.NormFloat64()*2
	case 6, 7: // on whole degrees, so that edges touch
		centre.x, centre.y = math.Round(centre.x), math.Round(centre.y)
		return shape{{centre.x, centre.y}, {centre.x + 1, centre.y}, {centre.x + 1, centre.y + 1}, {centre.x, centre.y + 1}}
	}
	return quad(r, centre, math.Exp(r.Float64()*7-5))
}

// quad makes a convex quadrilateral with corners on a circle about the centre: between 0.7 and 1 of its size wide.
func quad(r *rand.Rand, centre xy, size float64) shape {
	size = min(size, 12)
	turn := r.Float64() * 2 * math.Pi
	var out shape
	for k := range 4 {
		a := turn + (float64(k)+0.3*(r.Float64()-0.5))*math.Pi/2
		out = append(out, xy{centre.x + size/2*math.Cos(a), max(-89, min(89, centre.y+size/2*math.Sin(a)))})
	}
	return out
}
