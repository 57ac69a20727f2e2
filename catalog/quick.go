package catalog

import (
	"math"
	"strconv"
	"strings"
)

// quickPolygon reads {"type":"Polygon","coordinates":[[[x,y],…]]}, compact JSON without holes and heights, as nearly every
// footprint is. Where it is not sure it says so; then the general reader reads, which is ten times slower.
func quickPolygon(raw []byte) (parts []part, ok bool) {
	text := string(raw)
	inner, ok := strings.CutPrefix(text, `{"type":"Polygon","coordinates":[[[`)
	if ok {
		inner, ok = strings.CutSuffix(inner, `]]]}`)
	} else if inner, ok = strings.CutPrefix(text, `{"coordinates":[[[`); ok {
		inner, ok = strings.CutSuffix(inner, `]]],"type":"Polygon"}`)
	}
	if !ok {
		return nil, false
	}
	ring := make([]position, 0, 16)
	for more := true; more; {
		var pair string
		pair, inner, more = strings.Cut(inner, `],[`)
		x, y, ok := strings.Cut(pair, ",")
		if !ok {
			return nil, false
		}
		var at position
		for i, number := range []string{x, y} {
			if number == "" || strings.Trim(number, "0123456789.eE+-") != "" { // strconv reads more than JSON is
				return nil, false
			}
			value, err := strconv.ParseFloat(number, 64)
			if err != nil {
				return nil, false
			}
			at[i] = value
		}
		if math.Abs(at[1]) > 90 || math.Abs(at[0]) > 540 {
			return nil, false
		}
		ring = append(ring, at)
	}
	p := part{polygon, [][]position{ring}}
	return []part{p}, p.check() == nil
}
