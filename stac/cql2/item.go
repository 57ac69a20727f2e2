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
	case "id", "collection", "stac_version", "type":
		return valueOf(jsonparser.Get(it.Body, name))
	case "geometry", "bbox":
		v, kind, _, err := jsonparser.Get(it.Body, name)
		return valueOf(v, kind, 0, err)
	}
	if it.properties == nil {
		raw, kind, _, err := jsonparser.Get(it.Body, "properties")
		if err != nil || kind != jsonparser.Object {
			raw = []byte("{}")
		}
		it.properties = raw
	}
	v, kind, offset, err := jsonparser.Get(it.properties, name)
	if err != nil && strings.Contains(name, ".") { // a member of an object
		v, kind, offset, err = jsonparser.Get(it.properties, strings.Split(name, ".")...)
	}
	return valueOf(v, kind, offset, err)
}

// Related asks the item's own Spatial.
func (it *Item) Related(s Spatial) (truth, known bool) {
	if it.Spatial == nil {
		return false, false
	}
	return it.Spatial(s)
}

// valueOf turns what jsonparser found into a value.
func valueOf(raw []byte, kind jsonparser.ValueType, _ int, err error) any {
	if err != nil {
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
		_, _ = jsonparser.ArrayEach(raw, func(v []byte, kind jsonparser.ValueType, offset int, err error) {
			out = append(out, valueOf(v, kind, offset, err))
		})
		return out
	case jsonparser.Object:
		return object{}
	}
	return nil
}

// object is a value that is not null and equals nothing.
type object struct{}
