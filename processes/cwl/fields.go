package cwl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"swath/chains"
	"swath/fault"
)

// entry is one input, output or step by its name.
type entry struct {
	name  string
	value any
}

// entries returns the parts of a list of objects with ids, or of a map, in a fixed order.
func entries(value any) []entry {
	var found []entry
	switch v := value.(type) {
	case []any:
		for _, part := range v {
			o, _ := part.(map[string]any)
			found = append(found, entry{local(text(o["id"])), part})
		}
	case map[string]any:
		for name, part := range v {
			found = append(found, entry{local(name), part})
		}
		slices.SortFunc(found, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	}
	return found
}

// fields describes inputs or outputs.
func fields(value any, inputs bool) ([]chains.Field, error) {
	what := "output"
	if inputs {
		what = "input"
	}
	described := []chains.Field{}
	for _, e := range entries(value) {
		f, err := field(e, inputs)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s %q: %v", what, e.name, err)
		}
		if e.name == "" || slices.ContainsFunc(described, func(f chains.Field) bool { return f.Name == e.name }) {
			return nil, fault.New(fault.Invalid, "%s %q: has no name of its own", what, e.name)
		}
		described = append(described, f)
	}
	return described, nil
}

func field(e entry, input bool) (chains.Field, error) {
	o, ok := e.value.(map[string]any)
	if !ok { // the short form: a type alone
		o = map[string]any{"type": e.value}
	}
	f := chains.Field{Name: e.name, Title: text(o["label"]), Doc: words(o["doc"]), Required: true, Min: 1, Max: 1}
	if f.Title == "" {
		f.Title = strings.ReplaceAll(e.name, "_", " ")
	}
	if err := describe(&f, o["type"], 0); err != nil {
		return f, err
	}
	if input && needsMore(o["secondaryFiles"]) {
		return f, fmt.Errorf("secondaryFiles can't be given: a file comes alone")
	}
	if f.Kind == chains.AFile {
		f.Media = "application/octet-stream"
	}
	if !input && f.Kind == chains.AProduct { // what comes out as a directory is a catalog of items
		f.Kind, f.Many = chains.AnItem, true
	}
	if value, given := o["default"]; given && value != nil && input {
		body, err := json.Marshal(value)
		if err != nil {
			return f, fmt.Errorf("default: %w", err)
		}
		f.Required = false
		if f.Kind == chains.Value {
			f.Default = body // a File's default stays in the document, where cwltool finds it
		}
	}
	if !f.Required {
		f.Min = 0
	}
	if f.Many {
		f.Max, f.Min = 0, 0
	}
	return f, nil
}

// needsMore reports whether secondary files have to be there. What an expression says is not known before.
func needsMore(secondary any) bool {
	switch v := secondary.(type) {
	case string:
		return !strings.HasSuffix(v, "?")
	case []any:
		return slices.ContainsFunc(v, needsMore)
	case map[string]any:
		return v["required"] != false && needsMore(v["pattern"])
	}
	return false
}

// describe reads a type: a word with "[]" or "?" behind it, a union with null, an array or an enumeration.
func describe(f *chains.Field, t any, depth int) error {
	if depth > 8 {
		return fmt.Errorf("the type is too deep")
	}
	switch v := t.(type) {
	case string:
		return describeWord(f, v, depth)
	case []any:
		rest := slices.DeleteFunc(slices.Clone(v), func(part any) bool { return part == "null" })
		if len(rest) != len(v) {
			f.Required = false
		}
		if len(rest) != 1 {
			return fmt.Errorf("a choice of types can't be described")
		}
		return describe(f, rest[0], depth+1)
	case map[string]any:
		switch text(v["type"]) {
		case "array":
			return describeMany(f, v["items"], depth)
		case "enum":
			symbols := []any{}
			list, _ := v["symbols"].([]any)
			for _, s := range list {
				symbols = append(symbols, local(text(s)))
			}
			f.Schema = map[string]any{"type": "string", "enum": symbols}
			return nil
		}
		return fmt.Errorf("the type %q can't be described", text(v["type"]))
	}
	return fmt.Errorf("has no type")
}

func describeMany(f *chains.Field, items any, depth int) error {
	if f.Many {
		return fmt.Errorf("a list of lists can't be described")
	}
	f.Many = true
	required := f.Required
	err := describe(f, items, depth+1)
	f.Required = required
	return err
}

// words of CWL and what they are in JSON.
var schemas = map[string]map[string]any{
	"string": {"type": "string"}, "boolean": {"type": "boolean"}, "int": {"type": "integer", "minimum": -2147483648.0, "maximum": 2147483647.0},
	"long": {"type": "integer"}, "float": {"type": "number"}, "double": {"type": "number"}, "File": {"type": "string"}, "Directory": {"type": "string"},
	"stdout": {"type": "string"}, "stderr": {"type": "string"},
}

func describeWord(f *chains.Field, word string, depth int) error {
	if rest, ok := strings.CutSuffix(word, "?"); ok {
		f.Required = false
		return describe(f, rest, depth+1)
	}
	if rest, ok := strings.CutSuffix(word, "[]"); ok {
		return describeMany(f, rest, depth)
	}
	schema, ok := schemas[word]
	if !ok {
		return fmt.Errorf("the type %q can't be described", word)
	}
	f.Schema = map[string]any{}
	for key, value := range schema {
		f.Schema[key] = value
	}
	switch word {
	case "File", "stdout", "stderr":
		f.Kind = chains.AFile
	case "Directory":
		f.Kind = chains.AProduct
	}
	return nil
}
