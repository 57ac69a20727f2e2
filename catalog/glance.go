package catalog

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/buger/jsonparser"

	"swath/stac"
	"swath/stac/cql2"
)

// glance decides by the few properties that a filter asks for, before a body is filled in, that it can't match. That is most of
// what it costs to look at an item.
type glance struct {
	parts []cql2.Node // a match needs all of them
	seen  map[*form]*sketch
	text  []byte
	room  []byte // of what is filled in the form of the last item; a codec goes on to the next who needs one
	last
}

// last is what a glance found out about the last item.
type last struct {
	sure   bool // it matches, whatever else it says
	form   *form
	filled []byte // valid until the next item
}

// sketch is what a form tells of an item at a glance: a body with only the properties that are asked for.
type sketch struct {
	filter cql2.And     // the parts that depend on nothing else
	marks  []string     // before each value
	lines  []int        // that say the values
	checks []comparison // the whole filter, where it compares properties with numbers; nil: see filter
}

// comparison is one of a number that a line says.
type comparison struct {
	line  int
	op    cql2.CompareOp
	value float64
}

// holds decides a comparison; known is false of what is no number.
func (c comparison) holds(raw []byte) (is, known bool) {
	v, ok := numberOf(raw)
	if !ok {
		return false, false
	}
	switch c.op {
	case cql2.Equal:
		return v == c.value, true
	case cql2.NotEqual:
		return v != c.value, true
	case cql2.Less:
		return v < c.value, true
	case cql2.LessOrEqual:
		return v <= c.value, true
	case cql2.Greater:
		return v > c.value, true
	case cql2.GreaterOrEqual:
		return v >= c.value, true
	}
	return false, false
}

// lineEnds returns where the written lines of a form's values end; nil of so many that it would not pay to remember.
func lineEnds(f *form, filled []byte) []uint16 {
	if len(filled) > math.MaxUint16 {
		return nil
	}
	ends := make([]uint16, 0, f.written)
	for at := 0; len(ends) < f.written; at++ {
		end := bytes.IndexByte(filled[at:], '\n')
		if end < 0 {
			return nil
		}
		at += end
		ends = append(ends, uint16(at))
	}
	return ends
}

// lineAt returns one of the lines of a form's values, by their ends or without; nil when it is not there.
func lineAt(filled []byte, ends []uint16, line int) []byte {
	if line < len(ends) {
		from := 0
		if line > 0 {
			from = int(ends[line-1]) + 1
		}
		return filled[from:ends[line]]
	}
	for range line {
		end := bytes.IndexByte(filled, '\n')
		if end < 0 {
			return nil
		}
		filled = filled[end+1:]
	}
	return filled[:max(bytes.IndexByte(filled, '\n'), 0)]
}

// newGlance returns nil where there is nothing to decide.
func newGlance(n cql2.Node) *glance {
	if n == nil {
		return nil
	}
	parts, several := n.(cql2.And)
	if !several {
		parts = cql2.And{n}
	}
	return &glance{parts: parts, seen: map[*form]*sketch{}}
}

// begin forgets the last item.
func (g *glance) begin() {
	if g != nil {
		g.last = last{}
	}
}

// rejects reports that an item with this form can't match. It is false where that can't be told, as by no glance. The ends of the lines
// may be nil.
func (g *glance) rejects(f *form, filled []byte, ends []uint16) bool {
	if g == nil {
		return false
	}
	g.form, g.filled = f, filled
	s, known := g.seen[f]
	if !known {
		s = f.sketch(g.parts)
		g.seen[f] = s
	}
	if len(s.filter) == 0 {
		return false
	}
	if s.checks != nil {
		matches, known := true, true
		for _, c := range s.checks {
			if matches, known = c.holds(lineAt(filled, ends, c.line)); !matches || !known {
				break
			}
		}
		if known {
			g.sure = matches && len(s.filter) == len(g.parts)
			return !matches
		}
	}
	g.text = append(g.text[:0], `{"properties":{`...)
	at := 0
	for i, line := range s.lines {
		for ; at < line; at++ {
			filled = filled[bytes.IndexByte(filled, '\n')+1:]
		}
		end := bytes.IndexByte(filled, '\n')
		if end < 0 {
			return false // damaged, as filling it in will tell
		}
		g.text = append(append(g.text, s.marks[i]...), filled[:end]...)
	}
	g.text = append(g.text, `}}`...)
	matches := cql2.Match(s.filter, &cql2.Item{Body: g.text})
	g.sure = matches && len(s.filter) == len(g.parts)
	return !matches
}

// sketch chooses the parts of a filter that the form can decide.
func (f *form) sketch(parts []cql2.Node) *sketch {
	s := &sketch{}
	if f.lineOf == nil {
		return s
	}
	asked := map[int]string{}
	for _, part := range parts {
		names := cql2.Properties(part)
		plain := len(names) > 0
		for _, name := range names {
			line, there := f.lineOf[name]
			// What is not among the properties may be said elsewhere.
			plain = plain && line >= 0 && (there || !notProperties[name] && !strings.Contains(name, "."))
		}
		if !plain {
			continue
		}
		s.filter = append(s.filter, part)
		if p, op, value, ok := sides(part); ok {
			line, there := f.lineOf[string(p)]
			if number, is := value.(cql2.Number); is && there {
				s.checks = append(s.checks, comparison{line, op, float64(number)})
			}
		}
		for _, name := range names {
			if line, there := f.lineOf[name]; there {
				asked[line] = name
			}
		}
	}
	if len(s.checks) != len(s.filter) {
		s.checks = nil
	}
	for line := range f.written {
		if name, is := asked[line]; is {
			mark, _ := json.Marshal(name) // a text always can
			if len(s.lines) > 0 {
				mark = append([]byte{','}, mark...)
			}
			s.marks, s.lines = append(s.marks, string(mark)+":"), append(s.lines, line)
		}
	}
	return s
}

// notProperties are the names by which a filter asks for other members of an item.
var notProperties = map[string]bool{"id": true, "collection": true, "stac_version": true, "type": true, "geometry": true, "bbox": true,
	stac.Published: true, stac.Modified: true, stac.Bytes: true}

const noLine = -1 // of a property that is not one written value

// propertyLines returns which written line says each property of the form's items; nil where that can't be told.
func (f *form) propertyLines() map[string]int {
	var text []byte // an item of the form, in which each number or literal is that of its place
	lines := make([]int, len(f.Places))
	written := 0
	for i, p := range f.Places {
		text = append(text, f.Marks[i]...)
		switch lines[i] = noLine; {
		case p.Ends == afterPlain:
			text = strconv.AppendInt(text, int64(i), 10)
		case p.Ends == afterNumbers:
			text = append(text, `[]`...)
		default:
			text = append(text, 'x')
		}
		if p.written() {
			lines[i] = written
			written++
		}
	}
	text = append(text, f.Marks[len(f.Places)]...)
	lineOf := map[string]int{}
	err := jsonparser.ObjectEach(text, func(key, value []byte, kind jsonparser.ValueType, _ int) error {
		if _, twice := lineOf[string(key)]; twice {
			return nil // the first counts
		}
		line := noLine
		if kind == jsonparser.Number {
			place, err := strconv.Atoi(string(value))
			if err != nil {
				return err
			}
			line = lines[place]
		}
		lineOf[string(key)] = line
		return nil
	}, "properties")
	if err != nil {
		return nil
	}
	return lineOf
}
