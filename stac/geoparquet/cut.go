package geoparquet

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/buger/jsonparser"
	"github.com/parquet-go/parquet-go"
)

// table returns a node as Parquet has it. Each member and element may be null.
func (n *node) table() parquet.Node {
	switch n.kind {
	case boolean:
		return parquet.Leaf(parquet.BooleanType)
	case integer:
		return parquet.Leaf(parquet.Int64Type)
	case number:
		return parquet.Leaf(parquet.DoubleType)
	case text:
		return parquet.String()
	case instant:
		return parquet.Timestamp(parquet.Microsecond)
	case geometry:
		return parquet.Leaf(parquet.ByteArrayType)
	case list:
		return parquet.List(parquet.Optional(n.elem.table()))
	case group:
		g := parquet.Group{}
		for _, name := range n.names {
			g[name] = parquet.Optional(n.fields[name].table())
		}
		return g
	}
	return parquet.JSON()
}

// cell is a value in JSON, as jsonparser gives it: texts without their quotes.
type cell struct {
	text []byte
	kind jsonparser.ValueType
}

// raw returns a cell as it stands in JSON.
func (c cell) raw() json.RawMessage {
	if c.kind == jsonparser.String {
		return append(append([]byte{'"'}, c.text...), '"')
	}
	return c.text
}

// levels say where in nested columns a value stands (Dremel's encoding): at which list a repetition begins, how much of the path
// to it is there, and how many lists are around it.
type levels struct{ repetition, definition, lists int }

// deeper is inside of what is there.
func (l levels) deeper() levels { l.definition++; return l }

// write writes a cell to the leaves of a node. Where a member does not fit it is null, and goes to the rest by its path. In a list
// there is no path: what stands there was found to fit as a whole.
func (w *Writer) write(n *node, c cell, at levels, path []string) {
	switch {
	case c.kind == jsonparser.Null || c.kind == jsonparser.NotExist:
		w.null(n, at)
	case n.kind == group && c.kind == jsonparser.Object:
		w.object(n, c, at, path)
	case path != nil && !n.fits(c):
		w.null(n, at)
		w.rest.set(path, c.raw())
	case n.kind == list:
		w.list(n, c, at)
	default:
		w.leaf(n, n.scalar(w, c), at.deeper())
	}
}

func (w *Writer) leaf(n *node, v parquet.Value, at levels) {
	w.cells[n.first] = append(w.cells[n.first], v.Level(at.repetition, at.definition, n.first))
}

// null says of every leaf of a node that nothing is there.
func (w *Writer) null(n *node, at levels) {
	for i := n.first; i < n.first+n.leaves; i++ {
		w.cells[i] = append(w.cells[i], parquet.NullValue().Level(at.repetition, at.definition, i))
	}
}

func (w *Writer) object(n *node, c cell, at levels, path []string) {
	found := membersOf(c)
	for name, member := range found {
		if path != nil && !n.has(name) && member.kind != jsonparser.Null {
			w.rest.set(append(path[:len(path):len(path)], name), member.raw())
		}
	}
	for _, name := range n.names {
		var inner []string
		if path != nil {
			inner = append(path[:len(path):len(path)], name)
		}
		w.write(n.fields[name], found[name], at.deeper(), inner)
	}
}

// membersOf reads the members of an object; of those that come twice the last one counts.
func membersOf(c cell) map[string]cell {
	found := map[string]cell{}
	_ = jsonparser.ObjectEach(c.text, func(key, value []byte, kind jsonparser.ValueType, _ int) error {
		found[string(key)] = cell{value, kind}
		return nil
	})
	return found
}

func (w *Writer) list(n *node, c cell, at levels) {
	at = at.deeper() // the list is there
	empty := true
	inner := levels{at.repetition, at.definition + 1, at.lists + 1}
	_, _ = jsonparser.ArrayEach(c.text, func(value []byte, kind jsonparser.ValueType, _ int, _ error) {
		w.write(n.elem, cell{value, kind}, inner, nil)
		empty, inner.repetition = false, inner.lists
	})
	if empty {
		w.null(n, at)
	}
}

// has reports whether a member is a column.
func (n *node) has(name string) bool {
	f := n.fields[name]
	return f != nil && f.kind != nothing
}

// fits reports whether all of a cell can be written to a node.
func (n *node) fits(c cell) bool {
	if c.kind == jsonparser.Null {
		return true
	}
	switch n.kind {
	case boolean:
		return c.kind == jsonparser.Boolean
	case integer, number:
		if c.kind != jsonparser.Number {
			return false
		}
		k, large := kindOfNumber(c.text)
		return k == n.kind || n.kind == number && k == integer && !large
	case text:
		return c.kind == jsonparser.String
	case instant:
		if c.kind != jsonparser.String {
			return false
		}
		_, ok := readTime(c.text)
		return ok
	case geometry:
		_, err := appendWKB(nil, c.text)
		return c.kind == jsonparser.Object && err == nil
	case list:
		ok := c.kind == jsonparser.Array
		if ok {
			_, _ = jsonparser.ArrayEach(c.text, func(value []byte, kind jsonparser.ValueType, _ int, _ error) {
				ok = ok && n.elem.fits(cell{value, kind})
			})
		}
		return ok
	case group:
		if c.kind != jsonparser.Object {
			return false
		}
		for name, member := range membersOf(c) {
			if member.kind != jsonparser.Null && (!n.has(name) || !n.fields[name].fits(member)) {
				return false
			}
		}
	}
	return true
}

// scalar returns a cell that fits as Parquet's value.
func (n *node) scalar(w *Writer, c cell) parquet.Value {
	switch n.kind {
	case boolean:
		return parquet.BooleanValue(c.text[0] == 't')
	case integer:
		v, _ := strconv.ParseInt(string(c.text), 10, 64)
		return parquet.Int64Value(v)
	case number:
		v, _ := strconv.ParseFloat(string(c.text), 64)
		return parquet.DoubleValue(v)
	case text:
		return parquet.ByteArrayValue(plain(c))
	case instant:
		at, _ := readTime(c.text)
		return parquet.Int64Value(at.UnixMicro())
	case geometry:
		wkb, _ := appendWKB(nil, c.text)
		if n == w.schema.root.fields["geometry"] {
			w.types[typeOf(wkb)] = true
		}
		return parquet.ByteArrayValue(wkb)
	}
	return parquet.ByteArrayValue(c.raw())
}

// plain returns what a text says.
func plain(c cell) []byte {
	if bytes.IndexByte(c.text, '\\') < 0 {
		return c.text
	}
	var s string
	_ = json.Unmarshal(c.raw(), &s) // it is JSON
	return []byte(s)
}

// rest is a partial item: what fits no column. Values are json.RawMessage, or further objects.
type rest map[string]any

// set puts a value at a path.
func (r *rest) set(path []string, raw json.RawMessage) {
	if *r == nil {
		*r = rest{}
	}
	at := map[string]any(*r)
	for _, name := range path[:len(path)-1] {
		inner, ok := at[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			at[name] = inner
		}
		at = inner
	}
	at[path[len(path)-1]] = raw
}

func (r rest) json() []byte {
	text, _ := json.Marshal(r) // of values that were read
	return text
}
