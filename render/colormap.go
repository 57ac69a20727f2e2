package render

import (
	"bytes"
	"cmp"
	"encoding/json"
	"image/color"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"swath/fault"
)

// Colormap gives a colour to every value of one plane. It is immutable.
//
// A continuous one has 256 colours for the stretched levels 0..255. A classed one gives colours to single values or to
// intervals and leaves everything else transparent.
type Colormap struct {
	colours []color.NRGBA // at most 256; of a classed map the first is transparent
	edges   []float64     // classed: rising, the first -Inf
	classes []byte        // classed: the colour from edges[i] up to the next edge
}

const (
	maxColormapBytes = 64 << 10
	maxClasses       = 255 // one of 256 is kept for "none of these"
)

// class gives one colour to the values from Low up to, not including, High.
type class struct {
	low, high float64
	colour    color.NRGBA
}

// ParseColormap reads a colour map in one of TiTiler's JSON forms:
//
//	{"0": "#000", "1": "#00ff0080", "2": [255, 0, 0], …}   all of the keys 0..255: continuous, over stretched levels
//	{"3": "#643200", "4": [0, 160, 0, 255]}                 other keys: the colour of exactly this value
//	[[[0, 0.2], [255, 0, 0, 255]], [[0.2, 0.5], "#0f0"]]    intervals, closed below and open above; the last that fits wins
//
// The error is a fault.Invalid.
func ParseColormap(text string) (*Colormap, error) {
	if len(text) > maxColormapBytes {
		return nil, fault.New(fault.Invalid, "colormap: longer than %d bytes", maxColormapBytes)
	}
	data := bytes.TrimSpace([]byte(text))
	if len(data) > 0 && data[0] == '[' {
		return parseIntervals(data)
	}
	return parseValues(data)
}

// ParseLinearColormap reads a few colours of levels 0..255, {"0": "#e5f5f9", "10": "#99d8c9", "255": "#2ca25f"}, and draws
// straight lines between them, cut to whole numbers; beyond the first and the last one the colour stays. That is what
// TiTiler's colormap_type=linear does. The error is a fault.Invalid.
func ParseLinearColormap(text string) (*Colormap, error) {
	if len(text) > maxColormapBytes {
		return nil, fault.New(fault.Invalid, "colormap: longer than %d bytes", maxColormapBytes)
	}
	stops, err := parseStops([]byte(text))
	if err != nil {
		return nil, err
	}
	if len(stops) == 0 || stops[0].low < 0 || stops[len(stops)-1].low > 255 {
		return nil, fault.New(fault.Invalid, "colormap: a linear one needs colours of levels from 0 to 255")
	}
	m := &Colormap{colours: make([]color.NRGBA, 256)}
	for level := range m.colours {
		next := min(len(stops)-1, sort.Search(len(stops), func(i int) bool { return stops[i].low >= float64(level) }))
		from, to := stops[max(0, next-1)], stops[next]
		t := 1.0
		if from.low < to.low {
			t = min(max((float64(level)-from.low)/(to.low-from.low), 0), 1)
		}
		part := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*t + 1e-9) } // what is whole stays so
		m.colours[level] = color.NRGBA{
			R: part(from.colour.R, to.colour.R), G: part(from.colour.G, to.colour.G),
			B: part(from.colour.B, to.colour.B), A: part(from.colour.A, to.colour.A),
		}
	}
	return m, nil
}

// parseStops reads the colours of single values, rising.
func parseStops(data []byte) ([]class, error) {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, `colormap: expected JSON like {"1": "#rrggbb"} or [[[0, 1], "#rrggbb"]]`)
	}
	classes := make([]class, 0, len(entries))
	for key, raw := range entries {
		value, err := strconv.ParseFloat(key, 32)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fault.New(fault.Invalid, "colormap: %.20q is not a number", key)
		}
		colour, err := parseColour(raw)
		if err != nil {
			return nil, err
		}
		next := math.Nextafter32(float32(value), float32(math.Inf(1)))
		classes = append(classes, class{value, float64(next), colour})
	}
	slices.SortFunc(classes, func(a, b class) int { return cmp.Compare(a.low, b.low) })
	for i := range classes[:max(0, len(classes)-1)] {
		if classes[i].low == classes[i+1].low {
			return nil, fault.New(fault.Invalid, "colormap: %g has two colours", classes[i].low)
		}
	}
	return classes, nil
}

func parseValues(data []byte) (*Colormap, error) {
	classes, err := parseStops(data)
	if err != nil {
		return nil, err
	}
	if len(classes) == 256 && isEveryLevel(classes) {
		levels := &Colormap{}
		for _, c := range classes {
			levels.colours = append(levels.colours, c.colour)
		}
		return levels, nil
	}
	return classed(classes)
}

func isEveryLevel(classes []class) bool {
	for i, c := range classes {
		if c.low != float64(i) {
			return false
		}
	}
	return true
}

func parseIntervals(data []byte) (*Colormap, error) {
	var entries [][]json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, `colormap: expected JSON like [[[0, 1], "#rrggbb"]]`)
	}
	classes := make([]class, 0, len(entries))
	for i, entry := range entries {
		var limits []float64
		if len(entry) != 2 || json.Unmarshal(entry[0], &limits) != nil || len(limits) != 2 || !(limits[0] < limits[1]) {
			return nil, fault.New(fault.Invalid, "colormap: entry %d is not [[low, high], colour] with low < high", i)
		}
		colour, err := parseColour(entry[1])
		if err != nil {
			return nil, err
		}
		classes = append(classes, class{limits[0], limits[1], colour})
	}
	return classed(classes)
}

// parseColour reads "#rgb", "#rgba", "#rrggbb", "#rrggbbaa", [r, g, b] or [r, g, b, a].
func parseColour(raw json.RawMessage) (color.NRGBA, error) {
	var parts []int
	var text string
	if json.Unmarshal(raw, &text) == nil {
		parts = parseHex(text)
	} else if json.Unmarshal(raw, &parts) != nil {
		parts = nil
	}
	if len(parts) == 3 {
		parts = append(parts, 255)
	}
	if len(parts) != 4 || slices.Min(parts) < 0 || slices.Max(parts) > 255 {
		return color.NRGBA{}, fault.New(fault.Invalid, `colormap: %.40s is not "#rrggbb", "#rrggbbaa", [r, g, b] or [r, g, b, a]`, raw)
	}
	return color.NRGBA{R: uint8(parts[0]), G: uint8(parts[1]), B: uint8(parts[2]), A: uint8(parts[3])}, nil
}

// parseHex returns the parts of "#…", of one or two digits each; nil for anything else.
func parseHex(text string) (parts []int) {
	digits, ok := strings.CutPrefix(text, "#")
	step := 2
	if len(digits) <= 4 {
		step = 1
	}
	if !ok || len(digits)%step != 0 {
		return nil
	}
	for ; digits != ""; digits = digits[step:] {
		value, err := strconv.ParseUint(digits[:step], 16, 8)
		if err != nil {
			return nil
		}
		if step == 1 {
			value *= 0x11
		}
		parts = append(parts, int(value))
	}
	return parts
}

// classed builds the map of a list of classes, of which a later one covers an earlier one.
func classed(classes []class) (*Colormap, error) {
	if len(classes) == 0 || len(classes) > maxClasses {
		return nil, fault.New(fault.Invalid, "colormap: %d colours; 1 to %d are possible, or the 256 levels 0..255", len(classes), maxClasses)
	}
	m := &Colormap{colours: []color.NRGBA{{}}, edges: []float64{math.Inf(-1)}}
	for _, c := range classes {
		m.colours = append(m.colours, c.colour)
		m.edges = append(m.edges, c.low, c.high)
	}
	slices.Sort(m.edges)
	m.edges = slices.Compact(m.edges)
	m.classes = make([]byte, len(m.edges))
	for i, edge := range m.edges {
		for number, c := range classes {
			if c.low <= edge && edge < c.high {
				m.classes[i] = byte(number + 1)
			}
		}
	}
	return m, nil
}

// Classed reports whether the colours are of single values or intervals: of the values themselves, unless they are stretched to levels.
func (m *Colormap) Classed() bool { return m != nil && m.edges != nil }

// classify writes the index of each value's colour.
func (m *Colormap) classify(indices []byte, plane []float32) {
	low, high, index := math.NaN(), math.NaN(), byte(0) // neighbours are often of one class
	for i, value := range plane {
		if v := float64(value); !(v >= low && v < high) {
			low, high, index = m.segment(v)
		}
		indices[i] = index
	}
}

// segment returns the interval around a value and its colour; NaN has neither.
func (m *Colormap) segment(value float64) (low, high float64, index byte) {
	if math.IsNaN(value) {
		return value, value, 0
	}
	i, found := slices.BinarySearch(m.edges, value)
	if !found {
		i--
	}
	high = math.Inf(1)
	if i+1 < len(m.edges) {
		high = m.edges[i+1]
	}
	return m.edges[i], high, m.classes[i]
}

// overLevels returns the continuous map that a classed one makes of stretched levels.
func (m *Colormap) overLevels() *Colormap {
	levels := &Colormap{colours: make([]color.NRGBA, 256)}
	for i := range levels.colours {
		_, _, index := m.segment(float64(i))
		levels.colours[i] = m.colours[index]
	}
	return levels
}
