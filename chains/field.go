package chains

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"swath/fault"
)

// Kind says what a field's values are to those who carry them.
type Kind int

// The kinds.
const (
	Value    Kind = iota // plain JSON
	AProduct             // a product of the archive
	AFile                // one file
	AFolder              // a folder that the operator names
	AnItem               // a STAC item with its assets
)

// Field is one input or output.
type Field struct {
	Name     string
	Title    string // the name in words
	Doc      string
	Kind     Kind
	Many     bool            // a list of values
	Min, Max int             // how many values; Max 0 is no limit
	Required bool            // of an input: must be given
	Default  json.RawMessage // nil: none
	Media    string          // media type of a file
	Schema   map[string]any  // of one value, in the words of OpenAPI 3.0; of a file, product, folder and item that of its path

	index    int
	compiled *jsonschema.Schema // of the whole: an array when there are Many
}

// Validate holds a value against the schema; fault.Invalid names the input and where in it the mistake is.
func (f Field) Validate(value json.RawMessage) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return fault.New(fault.Invalid, "input %q: is not JSON", f.Name)
	}
	if err := f.compiled.Validate(v); err != nil {
		return fault.New(fault.Invalid, "input %q: %s", f.Name, mistake(err))
	}
	return nil
}

// Whole returns the schema of the field with all its values.
func (f Field) Whole() map[string]any {
	if !f.Many {
		return f.Schema
	}
	list := map[string]any{"type": "array", "items": f.Schema}
	if f.Min > 0 {
		list["minItems"] = f.Min
	}
	if f.Max > 0 {
		list["maxItems"] = f.Max
	}
	return list
}

var english = message.NewPrinter(language.English)

// mistake returns what is wrong at the deepest place where something is, in one line.
func mistake(err error) string {
	deepest, ok := err.(*jsonschema.ValidationError) //nolint:errorlint // the library returns it bare
	if !ok {
		return err.Error()
	}
	for len(deepest.Causes) > 0 {
		deepest = deepest.Causes[0]
	}
	text := deepest.ErrorKind.LocalizedString(english)
	if e, ok := deepest.ErrorKind.(*kind.Enum); ok {
		text = "must be one of " + listed(e.Want)
	}
	if len(deepest.InstanceLocation) > 0 {
		return "at /" + strings.Join(deepest.InstanceLocation, "/") + ": " + text
	}
	return text
}

func listed(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ", ")
}

// fieldsOf describes the fields of a struct.
func fieldsOf(chain string, t reflect.Type) []Field {
	var fields []Field
	for i := range t.NumField() {
		f, err := fieldOf(t.Field(i))
		if err != nil {
			panic(fmt.Sprintf("chains: %s: %s.%s: %v", chain, t.Name(), t.Field(i).Name, err))
		}
		f.index = i
		fields = append(fields, f)
	}
	return fields
}

func fieldOf(sf reflect.StructField) (Field, error) {
	name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
	if name == "" || name == "-" {
		return Field{}, fmt.Errorf("has no name in JSON")
	}
	f := Field{Name: name, Title: strings.ReplaceAll(name, "_", " "), Doc: sf.Tag.Get("doc"), Media: sf.Tag.Get("media"), Required: true, Min: 1}
	t := sf.Type
	if strings.Contains(options, "omit") {
		f.Required = false
	}
	if t.Kind() == reflect.Pointer {
		t, f.Required = t.Elem(), false
	}
	if t.Kind() == reflect.Slice && t != reflect.TypeFor[Geometry]() {
		t, f.Many = t.Elem(), true
	}
	f.Kind = kindOf(t)
	var err error
	if f.Schema, err = schemaOf(t, sf.Tag); err != nil {
		return Field{}, err
	}
	if text, ok := sf.Tag.Lookup("default"); ok {
		f.Required = false
		if f.Default, err = literal(t, f.Many, text); err != nil {
			return Field{}, fmt.Errorf("default: %w", err)
		}
		var plain any
		if err := json.Unmarshal(f.Default, &plain); err != nil {
			return Field{}, err
		}
		if !f.Many {
			f.Schema["default"] = plain
		}
	}
	if !f.Required {
		f.Min = 0
	}
	if !f.Many {
		f.Max = 1
	}
	if err := bounds(&f, sf.Tag); err != nil {
		return Field{}, err
	}
	if f.compiled, err = compile(f.Whole()); err != nil {
		return Field{}, err
	}
	if f.Default != nil {
		return f, f.Validate(f.Default)
	}
	return f, nil
}

// bounds reads how many values a list may have.
func bounds(f *Field, tag reflect.StructTag) (err error) {
	if text, ok := tag.Lookup("minItems"); ok {
		if f.Min, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("minItems: %w", err)
		}
	}
	if text, ok := tag.Lookup("maxItems"); ok {
		if f.Max, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("maxItems: %w", err)
		}
	}
	return nil
}

func kindOf(t reflect.Type) Kind {
	switch t {
	case reflect.TypeFor[Product]():
		return AProduct
	case reflect.TypeFor[File]():
		return AFile
	case reflect.TypeFor[Folder]():
		return AFolder
	case reflect.TypeFor[Item]():
		return AnItem
	}
	return Value
}

// literal reads a default: JSON, or the bare text of a string.
func literal(t reflect.Type, many bool, text string) (json.RawMessage, error) {
	if t.Kind() == reflect.String && !many {
		return json.Marshal(text)
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("%q is not JSON", text)
	}
	return json.RawMessage(text), nil
}

// schemaOf makes the schema of one value of a type.
func schemaOf(t reflect.Type, tag reflect.StructTag) (map[string]any, error) {
	schema := map[string]any{}
	switch t {
	case reflect.TypeFor[time.Time]():
		schema["type"], schema["format"] = "string", "date-time"
	case reflect.TypeFor[BBox]():
		schema = bboxSchema()
	case reflect.TypeFor[Geometry]():
		schema = geometrySchema()
	default:
		switch t.Kind() {
		case reflect.Bool:
			schema["type"] = "boolean"
		case reflect.Int, reflect.Int64:
			schema["type"] = "integer"
		case reflect.Float64:
			schema["type"] = "number"
		case reflect.String:
			schema["type"] = "string"
		case reflect.Slice:
			items, err := schemaOf(t.Elem(), tag)
			if err != nil {
				return nil, err
			}
			return map[string]any{"type": "array", "items": items}, nil
		case reflect.Struct:
			return structSchema(t)
		default:
			return nil, fmt.Errorf("a %s can't be described", t)
		}
	}
	return schema, limits(schema, tag)
}

// structSchema describes an object.
func structSchema(t reflect.Type) (map[string]any, error) {
	properties, required := map[string]any{}, []any{}
	for i := range t.NumField() {
		f, err := fieldOf(t.Field(i))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Field(i).Name, err)
		}
		if f.Kind != Value {
			return nil, fmt.Errorf("%s: files stand in inputs and outputs of their own", t.Field(i).Name)
		}
		properties[f.Name] = f.Whole()
		if f.Required {
			required = append(required, f.Name)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema, nil
}

// limits reads what a value's tags say of it.
func limits(schema map[string]any, tag reflect.StructTag) error {
	for _, name := range []string{"minimum", "maximum"} {
		if text, ok := tag.Lookup(name); ok {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			schema[name] = n
		}
	}
	for _, name := range []string{"pattern", "format"} {
		if text, ok := tag.Lookup(name); ok {
			schema[name] = text
		}
	}
	if text, ok := tag.Lookup("enum"); ok {
		values := []any{}
		for word := range strings.SplitSeq(text, ",") {
			if schema["type"] == "string" {
				values = append(values, word)
				continue
			}
			n, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return fmt.Errorf("enum: %w", err)
			}
			values = append(values, n)
		}
		schema["enum"] = values
	}
	return nil
}

func bboxSchema() map[string]any {
	number := map[string]any{"type": "number"}
	return map[string]any{
		"type": "object", "format": "ogc-bbox", "required": []any{"bbox"}, "additionalProperties": false,
		"properties": map[string]any{
			"bbox": map[string]any{"oneOf": []any{
				map[string]any{"type": "array", "minItems": 4.0, "maxItems": 4.0, "items": number},
				map[string]any{"type": "array", "minItems": 6.0, "maxItems": 6.0, "items": number},
			}},
			"crs": map[string]any{"type": "string", "format": "uri", "default": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"},
		},
	}
}

func geometrySchema() map[string]any {
	types := []any{}
	for _, name := range []string{"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection", "Feature", "FeatureCollection"} {
		types = append(types, name)
	}
	return map[string]any{
		"type": "object", "format": "geojson-geometry", "required": []any{"type"},
		"properties": map[string]any{"type": map[string]any{"type": "string", "enum": types}},
	}
}

// jsonSchema says in JSON Schema's words what OpenAPI 3.0 says by "nullable".
func jsonSchema(value any) any {
	switch v := value.(type) {
	case []any:
		parts := make([]any, len(v))
		for i, part := range v {
			parts[i] = jsonSchema(part)
		}
		return parts
	case map[string]any:
		parts := map[string]any{}
		for key, part := range v {
			if key != "nullable" {
				parts[key] = jsonSchema(part)
			}
		}
		if v["nullable"] == true {
			return map[string]any{"anyOf": []any{map[string]any{"type": "null"}, parts}}
		}
		return parts
	}
	return value
}

// compile prepares a schema for validation.
func compile(schema map[string]any) (*jsonschema.Schema, error) {
	body, err := json.Marshal(jsonSchema(schema))
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.DefaultDraft(jsonschema.Draft7)
	if err := compiler.AddResource("swath:input", document); err != nil {
		return nil, err
	}
	return compiler.Compile("swath:input")
}

// Names returns the names of fields, in order.
func Names(fields []Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return slices.Clip(names)
}
