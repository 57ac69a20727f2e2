package geoparquet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/buger/jsonparser"
)

// kind is what a member's values are.
type kind int

const (
	nothing kind = iota // null, as far as we have seen
	boolean
	integer
	number
	text
	instant   // an RFC 3339 time
	geometry  // GeoJSON, kept as WKB
	list      // of elem
	group     // an object with fields
	irregular // several of these: kept as JSON
)

const (
	mostFields = 500  // of an object: more are no schema but data, and kept as JSON
	mostLeaves = 4000 // of a table
	exact      = 1 << 53
)

// node is one member, or one element of a list.
type node struct {
	kind   kind
	elem   *node
	fields map[string]*node
	names  []string // of fields that are columns, sorted; set by settle
	time   bool     // it is an instant, whatever stands there: readers rely on the names
	shape  bool     // it is a geometry, or nothing
	large  bool     // there was an integer that a float can't hold
	first  int      // number of the first leaf; set by settle
	leaves int
}

// Schema is the columns of a table, found by looking at items.
type Schema struct {
	root  *node
	three bool // a bbox has heights
}

// times are the properties that the format keeps as timestamps: those of STAC's common metadata and of its timestamps extension.
var times = []string{"datetime", "start_datetime", "end_datetime", "created", "updated", "expires", "published", "unpublished"}

// members of an item that are columns. What else an item has beside its properties goes to the rest: a reader would take it for
// a property.
var members = []string{"type", "stac_version", "stac_extensions", "id", "geometry", "bbox", "collection", "links", "assets"}

const restColumn = "rest"

// NewSchema returns the schema of no item: the columns that each table has.
func NewSchema() *Schema {
	leaf := func(k kind) *node { return &node{kind: k} }
	of := func(names ...string) *node {
		g := &node{kind: group, fields: map[string]*node{}}
		for _, name := range names {
			g.fields[name] = leaf(text)
		}
		return g
	}
	root := of("type", "stac_version", "id", "collection")
	root.fields["stac_extensions"] = &node{kind: list, elem: leaf(text)}
	root.fields["links"] = &node{kind: list, elem: of("href", "rel", "type", "title")}
	root.fields["assets"] = of()
	root.fields["geometry"] = &node{kind: geometry, shape: true}
	root.fields["datetime"] = &node{kind: instant, time: true}
	return &Schema{root: root}
}

// Add widens the schema by one item.
func (s *Schema) Add(item json.RawMessage) error {
	return jsonparser.ObjectEach(item, func(key, value []byte, t jsonparser.ValueType, _ int) error {
		switch name := string(key); {
		case name == "properties" && t == jsonparser.Object:
			return jsonparser.ObjectEach(value, func(key, value []byte, t jsonparser.ValueType, _ int) error {
				name := string(key)
				if !isProperty(name) {
					return nil
				}
				n := s.root.field(name)
				if slices.Contains(times, name) {
					n.kind, n.time = instant, true
				}
				n.add(value, t)
				return nil
			})
		case name == "bbox":
			if _, high, ok := readBBox(value); ok && high {
				s.three = true
			}
		case slices.Contains(members, name):
			s.root.field(name).add(value, t)
		}
		return nil
	})
}

// isProperty reports whether a property can stand beside the members of an item.
func isProperty(name string) bool {
	return name != "" && name != "properties" && name != restColumn && !slices.Contains(members, name)
}

// field returns the node of a member of an object.
func (n *node) field(name string) *node {
	f := n.fields[name]
	if f == nil {
		f = &node{shape: name == "proj:geometry"}
		n.fields[name] = f
	}
	return f
}

// add widens a node by one value.
func (n *node) add(value []byte, t jsonparser.ValueType) {
	if n.shape {
		if _, err := appendWKB(nil, value); err == nil && t == jsonparser.Object {
			n.is(geometry)
		}
		return
	}
	if n.time {
		return
	}
	switch t {
	case jsonparser.Boolean:
		n.is(boolean)
	case jsonparser.Number:
		k, large := kindOfNumber(value)
		n.large = n.large || large
		if k == integer && n.kind == number || k == number && n.kind == integer {
			if n.kind = number; n.large {
				n.is(irregular)
			}
			return
		}
		n.is(k)
	case jsonparser.String:
		n.is(text)
	case jsonparser.Array:
		if n.is(list) {
			_, _ = jsonparser.ArrayEach(value, func(value []byte, t jsonparser.ValueType, _ int, _ error) { n.elem.add(value, t) })
		}
	case jsonparser.Object:
		if n.is(group) {
			_ = jsonparser.ObjectEach(value, func(key, value []byte, t jsonparser.ValueType, _ int) error {
				n.field(string(key)).add(value, t)
				return nil
			})
			if len(n.fields) > mostFields {
				n.is(irregular)
			}
		}
	}
}

// is makes a node of a kind, and reports whether it is now.
func (n *node) is(k kind) bool {
	switch {
	case n.kind == nothing:
		n.kind = k
		if k == list {
			n.elem = &node{}
		} else if k == group {
			n.fields = map[string]*node{}
		}
	case n.kind != k:
		n.kind, n.elem, n.fields = irregular, nil, nil
	}
	return n.kind == k && k != irregular
}

func kindOfNumber(value []byte) (k kind, large bool) {
	if !bytes.ContainsAny(value, ".eE") {
		if v, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			return integer, v > exact || v < -exact
		}
		return irregular, true
	}
	if v, err := strconv.ParseFloat(string(value), 64); err != nil || math.IsInf(v, 0) {
		return irregular, false
	}
	return number, false
}

func readTime(value []byte) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339Nano, string(value))
	return at, err == nil && at.Year() > 0
}

// readBBox reads four or six numbers.
func readBBox(value []byte) (box []float64, high, ok bool) {
	err := json.Unmarshal(value, &box)
	return box, len(box) == 6, err == nil && (len(box) == 4 || len(box) == 6)
}

// settle fixes the columns: their order, and their number.
func (s *Schema) settle(rest bool) {
	box := &node{kind: group, fields: map[string]*node{}}
	for _, name := range []string{"xmin", "ymin", "xmax", "ymax"} {
		box.fields[name] = &node{kind: number}
	}
	if s.three {
		box.fields["zmin"], box.fields["zmax"] = &node{kind: number}, &node{kind: number}
	}
	s.root.fields["bbox"] = box
	if rest {
		s.root.fields[restColumn] = &node{kind: irregular}
	}
	for s.root.number(0) > mostLeaves {
		largest(s.root).is(irregular)
	}
}

// number drops what is no column, numbers the leaves, and returns how many there are.
func (n *node) number(first int) int {
	n.first, n.leaves = first, 1
	switch n.kind {
	case list:
		if n.elem.kind == nothing { // all lists were empty
			n.elem.kind = text
		}
		n.leaves = n.elem.number(first)
	case group:
		n.leaves, n.names = 0, nil
		for name, f := range n.fields {
			if f.kind != nothing {
				n.names = append(n.names, name)
			}
		}
		slices.Sort(n.names)
		for _, name := range n.names {
			n.leaves += n.fields[name].number(first + n.leaves)
		}
		if n.leaves == 0 { // a struct must have a field
			n.kind, n.fields, n.leaves = irregular, nil, 1
		}
	}
	return n.leaves
}

// largest returns the column with the most leaves.
func largest(root *node) (most *node) {
	for _, name := range root.names {
		if f := root.fields[name]; most == nil || f.leaves > most.leaves {
			most = f
		}
	}
	return most
}

// String lists the columns, for tests and messages.
func (n *node) String() string {
	names := []string{"nothing", "boolean", "integer", "number", "text", "instant", "geometry", "list", "group", "irregular"}
	switch n.kind {
	case list:
		return "[" + n.elem.String() + "]"
	case group:
		out := "{"
		for i, name := range n.names {
			if i > 0 {
				out += " "
			}
			out += fmt.Sprint(name, ":", n.fields[name])
		}
		return out + "}"
	}
	return names[n.kind]
}
