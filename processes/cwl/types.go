package cwl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"swath/chains"
)

// types are the named types of a document (SchemaDefRequirement), by their full and their last names.
type types map[string]any

// typesOf collects the named types of the processes.
func typesOf(processes ...map[string]any) types {
	known := types{}
	for _, process := range processes {
		for _, part := range []string{"hints", "requirements"} {
			list, _ := byClass(process[part])["SchemaDefRequirement"]["types"].([]any)
			for _, t := range list {
				o, _ := t.(map[string]any)
				name := strings.TrimPrefix(text(o["name"]), "#")
				known[name], known[local(name)] = t, t
			}
		}
	}
	return known
}

// mostTypeDepth is how deep a type may be: one that names itself has no end.
const mostTypeDepth = 8

// describe reads the type of a field. Files and directories, and lists of them, are what chains know as such; in whatever is more than
// that they are objects of CWL, whose contents stand in them.
func (known types) describe(f *chains.Field, t any) error {
	t, optional := known.plain(t)
	f.Required = !optional
	if items, ok := known.items(t); ok {
		f.Many = true
		if t, optional = known.plain(items); optional {
			t = []any{"null", t}
		}
	}
	switch t {
	case "File", "stdin", "stdout", "stderr":
		f.Kind, f.Schema = chains.AFile, map[string]any{"type": "string"}
		return nil
	case "Directory":
		f.Kind, f.Schema = chains.AProduct, map[string]any{"type": "string"}
		return nil
	}
	var err error
	f.Schema, err = known.schema(t, 0)
	return err
}

// plain is a type without its name, and without null: whether a value may be missing is told apart.
func (known types) plain(t any) (plain any, optional bool) {
	for range mostTypeDepth {
		switch v := t.(type) {
		case string:
			if rest, ok := strings.CutSuffix(v, "?"); ok {
				t, optional = rest, true
				continue
			}
			if named, ok := known[strings.TrimPrefix(v, "#")]; ok && schemas[v] == nil {
				t = named
				continue
			}
			if named, ok := known[local(v)]; ok && schemas[v] == nil {
				t = named
				continue
			}
		case []any:
			rest := slices.DeleteFunc(slices.Clone(v), func(part any) bool { return part == "null" })
			optional = optional || len(rest) != len(v)
			if len(rest) != 1 {
				return rest, optional
			}
			t = rest[0]
			continue
		case map[string]any:
			if _, word := v["type"].(string); !word { // a type around a type
				t = v["type"]
				continue
			}
		}
		return t, optional
	}
	return nil, optional
}

// items is the type of a list's values.
func (known types) items(t any) (items any, ok bool) {
	switch v := t.(type) {
	case string:
		return strings.CutSuffix(v, "[]")
	case map[string]any:
		if text(v["type"]) == "array" {
			return v["items"], true
		}
	}
	return nil, false
}

// schema describes one value of a type.
func (known types) schema(t any, depth int) (map[string]any, error) {
	if depth > mostTypeDepth {
		return nil, fmt.Errorf("the type is too deep")
	}
	t, optional := known.plain(t)
	described, err := known.strict(t, depth)
	if err != nil || !optional || len(described) == 0 { // anything may be null already
		return described, err
	}
	described["nullable"] = true
	return described, nil
}

// strict describes one value that is there.
func (known types) strict(t any, depth int) (map[string]any, error) {
	if items, ok := known.items(t); ok {
		one, err := known.schema(items, depth+1)
		return map[string]any{"type": "array", "items": one}, err
	}
	switch v := t.(type) {
	case string:
		if v == "null" {
			return map[string]any{"enum": []any{nil}}, nil
		}
		if described, ok := schemas[v]; ok {
			return maps.Clone(described), nil
		}
		return nil, fmt.Errorf("there is no type %q", v)
	case []any:
		return known.choice(v, depth)
	case map[string]any:
		switch text(v["type"]) {
		case "enum":
			symbols := []any{}
			list, _ := v["symbols"].([]any)
			for _, s := range list {
				symbols = append(symbols, local(text(s)))
			}
			return map[string]any{"type": "string", "enum": symbols}, nil
		case "record":
			return known.record(v["fields"], depth)
		}
		return known.schema(v["type"], depth+1) // a word with something around it
	}
	return nil, fmt.Errorf("has no type")
}

// choice describes a value of one of several types: more than one may fit, as of 1 int and float do.
func (known types) choice(of []any, depth int) (map[string]any, error) {
	if len(of) == 0 {
		return known.strict("null", depth)
	}
	choices := []any{}
	for _, t := range of {
		one, err := known.schema(t, depth+1)
		if err != nil {
			return nil, err
		}
		choices = append(choices, one)
	}
	return map[string]any{"anyOf": choices}, nil
}

// record describes an object whose members are known.
func (known types) record(members any, depth int) (map[string]any, error) {
	properties, required := map[string]any{}, []any{}
	for _, e := range entries(members) {
		t, title, doc := e.value, "", ""
		if o, ok := e.value.(map[string]any); ok && o["symbols"] == nil && o["items"] == nil && o["fields"] == nil {
			t, title, doc = o["type"], text(o["label"]), words(o["doc"])
		}
		one, err := known.schema(t, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", e.name, err)
		}
		for word, said := range map[string]string{"title": title, "description": doc} {
			if said != "" {
				one[word] = said
			}
		}
		if _, optional := known.plain(t); !optional {
			required = append(required, e.name)
		}
		properties[e.name] = one
	}
	described := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		described["required"] = required
	}
	return described, nil
}

// schemas are the words of CWL and what they are in JSON. Files and directories within a value are literals of CWL.
var schemas = map[string]map[string]any{
	"string": {"type": "string"}, "boolean": {"type": "boolean"}, "int": {"type": "integer", "minimum": -2147483648.0, "maximum": 2147483647.0},
	"long": {"type": "integer"}, "float": {"type": "number"}, "double": {"type": "number"}, "Any": {},
	"File": {
		"type": "object", "required": []any{"class", "contents"}, "additionalProperties": false,
		"properties": map[string]any{
			"class": map[string]any{"type": "string", "enum": []any{"File"}}, "basename": map[string]any{"type": "string"},
			"contents": map[string]any{"type": "string", "maxLength": float64(mostContents)}, "format": map[string]any{"type": "string"},
			"secondaryFiles": map[string]any{"type": "array", "items": map[string]any{"type": "object"}},
		},
	},
	"Directory": {
		"type": "object", "required": []any{"class", "listing"}, "additionalProperties": false,
		"properties": map[string]any{
			"class": map[string]any{"type": "string", "enum": []any{"Directory"}}, "basename": map[string]any{"type": "string"},
			"listing": map[string]any{"type": "array", "items": map[string]any{"type": "object"}},
		},
	},
}

// mostContents is how long a file may be that stands in a value, bytes (CWL v1.2, File.contents).
const mostContents = 64 << 10
