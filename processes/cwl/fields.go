package cwl

import (
	"cmp"
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

// entries returns the parts of a list of objects with ids or names, or of a map, in a fixed order.
func entries(value any) []entry {
	var found []entry
	switch v := value.(type) {
	case []any:
		for _, part := range v {
			o, _ := part.(map[string]any)
			found = append(found, entry{local(cmp.Or(text(o["id"]), text(o["name"]))), part})
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
func fields(value any, inputs bool, known types) ([]chains.Field, error) {
	what := "output"
	if inputs {
		what = "input"
	}
	described := []chains.Field{}
	for _, e := range entries(value) {
		f, err := field(e, inputs, known)
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

func field(e entry, input bool, known types) (chains.Field, error) {
	o, ok := e.value.(map[string]any)
	if !ok { // the short form: a type alone
		o = map[string]any{"type": e.value}
	}
	f := chains.Field{Name: e.name, Title: text(o["label"]), Doc: words(o["doc"]), Required: true, Min: 1, Max: 1}
	if f.Title == "" {
		f.Title = strings.ReplaceAll(e.name, "_", " ")
	}
	if err := known.describe(&f, o["type"]); err != nil {
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
