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
		var okX, okY bool
		at[0], okX = quickNumber(x)
		at[1], okY = quickNumber(y)
		if !okX || !okY || math.Abs(at[1]) > 90 || math.Abs(at[0]) > 540 {
			return nil, false
		}
		ring = append(ring, at)
	}
	p := part{polygon, [][]position{ring}}
	return []part{p}, p.check() == nil
}

// quickNumber reads a number of JSON.
func quickNumber(text string) (float64, bool) {
	if value, ok := plainDecimal(text); ok {
		return value, true
	}
	for i := range len(text) { // strconv reads more than JSON is
		if b := text[i]; !digit(b) && b != '.' && b != '-' && b != '+' && b != 'e' && b != 'E' {
			return 0, false
		}
	}
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil
}

// quickNumbers appends the numbers of a list in JSON, compact, of at most as many as there is room for.
func quickNumbers(raw []byte, room []float64) (all []float64, ok bool) {
	if len(raw) < 2 || raw[0] != '[' || raw[len(raw)-1] != ']' {
		return nil, false
	}
	rest := string(raw[1 : len(raw)-1])
	for more := true; more; {
		var text string
		text, rest, more = strings.Cut(rest, ",")
		value, ok := quickNumber(text)
		if !ok || len(room) == cap(room) {
			return nil, false
		}
		room = append(room, value)
	}
	return room, true
}
