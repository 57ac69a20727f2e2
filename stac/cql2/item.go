package cql2

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/buger/jsonparser"
)

// Item is an Env over the JSON of an item. Only the members that a filter asks for are read.
type Item struct {
	Body []byte
	// Spatial decides spatial predicates; nil knows of none.
	Spatial func(s Spatial) (truth, known bool)

	properties []byte // found when first asked for
}

// Value returns a property of the item.
func (it *Item) Value(p Property) any {
	name := string(p)
	switch name {
	case "id", "collection", "stac_version", "type", "geometry", "bbox":
		return valueOf(member(it.Body, name))
	}
	if it.properties == nil {
		raw, kind, ok := member(it.Body, "properties")
		if !ok || kind != jsonparser.Object {
			raw = []byte("{}")
		}
		it.properties = raw
	}
	v, kind, ok := member(it.properties, name)
	if !ok && strings.Contains(name, ".") { // a member of an object
		v, kind, ok = it.properties, jsonparser.Object, true
		for part := range strings.SplitSeq(name, ".") {
			if ok = ok && kind == jsonparser.Object; ok {
				v, kind, ok = member(v, part)
			}
		}
	}
	return valueOf(v, kind, ok)
}

// Related asks the item's own Spatial.
func (it *Item) Related(s Spatial) (truth, known bool) {
	if it.Spatial == nil {
		return false, false
	}
	return it.Spatial(s)
}

// valueOf turns what was found into a value.
func valueOf(raw []byte, kind jsonparser.ValueType, ok bool) any {
	if !ok {
		return nil
	}
	switch kind {
	case jsonparser.String:
		if bytes.IndexByte(raw, '\\') < 0 {
			return string(raw)
		}
		var s string
		if json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &s) != nil {
			return nil
		}
		return s
	case jsonparser.Number:
		v, err := jsonparser.ParseFloat(raw)
		if err != nil {
			return nil
		}
		return v
	case jsonparser.Boolean:
		return raw[0] == 't'
	case jsonparser.Array:
		out := []any{}
		_, _ = jsonparser.ArrayEach(raw, func(v []byte, kind jsonparser.ValueType, _ int, err error) {
			out = append(out, valueOf(v, kind, err == nil))
		})
		return out
	case jsonparser.Object:
		return object{}
	}
	return nil
}

// object is a value that is not null and equals nothing.
type object struct{}
