package contract

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/planetlabs/go-stac/validator"
	"gopkg.in/yaml.v3"
)

//go:embed schemas
var schemas embed.FS

//go:embed fields.yaml
var fields []byte

// extension is what fields.yaml says of one version of a STAC extension.
type extension struct {
	Schema   string         `yaml:"schema"`
	Required []string       `yaml:"required"` // in an item's properties
	Any      bool           `yaml:"any"`      // at least one field in an item's properties
	Fields   map[string]any `yaml:"fields"`
	Members  map[string]any `yaml:"members"` // of a collection itself, all required
}

// library is the schemas as go-stac's validator finds them: on a server of our own, because schemas refer to each other by
// address and nothing may be fetched from outside.
type library struct {
	extensions map[string]extension // by schema address
	bodies     map[string][]byte    // schemas, by address without its scheme
	validator  *validator.Validator
}

var openLibrary = sync.OnceValues(func() (*library, error) {
	lib := &library{extensions: map[string]extension{}, bodies: map[string][]byte{}}
	byName := map[string]extension{}
	if err := yaml.Unmarshal(fields, &byName); err != nil {
		return nil, fmt.Errorf("contract: fields.yaml: %w", err)
	}
	bodies := lib.bodies
	for _, e := range byName {
		if e.Fields == nil {
			e.Fields = map[string]any{}
		}
		if e.Members == nil {
			e.Members = map[string]any{}
		}
		body, err := json.Marshal(e.jsonSchema())
		if err != nil {
			return nil, fmt.Errorf("contract: %s: %w", e.Schema, err)
		}
		lib.extensions[e.Schema] = e
		bodies[strings.TrimPrefix(e.Schema, "https://")] = body
	}
	err := fs.WalkDir(schemas, "schemas", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			bodies[strings.TrimPrefix(path, "schemas/")], err = schemas.ReadFile(path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("contract: schemas: %w", err)
	}

	var base string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		for _, host := range []string{"schemas.stacspec.org", "geojson.org", "stac-extensions.github.io"} {
			body = bytes.ReplaceAll(body, []byte("https://"+host+"/"), []byte(base+"/"+host+"/"))
		}
		w.Write(body) //nolint:errcheck // a short answer is a broken schema, which the validator reports
	}))
	base = server.URL
	here := map[string]string{}
	for address := range bodies {
		here["https://"+address] = base + "/" + address
	}
	lib.validator = validator.New(&validator.Options{NoRecursion: true, SchemaMap: here})
	return lib, nil
})

// jsonSchema returns the schema of an extension: its fields where they may stand, and no others with its prefix.
func (e extension) jsonSchema() map[string]any {
	isA := map[string]any{
		"type": "object", "properties": e.Fields, "additionalProperties": false,
		"patternProperties": map[string]any{"^(?!" + e.prefix() + ":)": map[string]any{}},
	}
	holder := map[string]any{"allOf": []any{isA, map[string]any{"properties": map[string]any{"bands": map[string]any{"type": "array", "items": isA}}}}}
	each := map[string]any{"type": "object", "additionalProperties": holder}
	required := []any{map[string]any{"required": append([]string{}, e.Required...)}}
	if e.Any {
		var one []any
		for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
			one = append(one, map[string]any{"required": []string{name}})
		}
		required = append(required, map[string]any{"anyOf": one})
	}
	return map[string]any{
		"$schema": "http://json-schema.org/draft-07/schema#", "$id": e.Schema, "type": "object",
		"properties": map[string]any{"properties": holder, "assets": each, "item_assets": each},
		"if":         map[string]any{"properties": map[string]any{"type": map[string]any{"const": "Feature"}}},
		"then":       map[string]any{"properties": map[string]any{"properties": map[string]any{"allOf": required}}},
		"else":       map[string]any{"properties": e.Members, "required": slices.AppendSeq([]string{}, maps.Keys(e.Members))},
	}
}

// prefix returns what stands before the colon of the extension's fields: its name in most cases.
func (e extension) prefix() string {
	for name := range e.Fields {
		prefix, _, _ := strings.Cut(name, ":")
		return prefix
	}
	return "none" // members only
}

// usedIn reports whether a body has a field with the extension's prefix.
func (e extension) usedIn(raw []byte) bool {
	return regexp.MustCompile(`"` + e.prefix() + `:\w+"\s*:`).Match(raw)
}

// ValidateItem fails when raw is not a valid STAC 1.1.0 item, as it is stored or as it is served. Extensions that
// fields.yaml does not know are named in the test's log and not checked.
func ValidateItem(t testing.TB, raw []byte) {
	t.Helper()
	if err := validate(t, raw, "Feature"); err != nil {
		t.Errorf("not a valid item: %v", err)
	}
}

// ValidateCollection fails when raw is not a valid STAC 1.1.0 collection.
func ValidateCollection(t testing.TB, raw []byte) {
	t.Helper()
	if err := validate(t, raw, "Collection"); err != nil {
		t.Errorf("not a valid collection: %v", err)
	}
}

// ValidateCatalog fails when raw is not a valid STAC 1.1.0 catalog.
func ValidateCatalog(t testing.TB, raw []byte) {
	t.Helper()
	if err := validate(t, raw, "Catalog"); err != nil {
		t.Errorf("not a valid catalog: %v", err)
	}
}

func validate(t testing.TB, raw []byte, kind string) error {
	t.Helper()
	lib, err := openLibrary()
	if err != nil {
		return err
	}
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil {
		return err
	}
	if body["type"] != kind {
		return fmt.Errorf("its type is %v, not %s", body["type"], kind)
	}
	if body["stac_version"] != "1.1.0" {
		return fmt.Errorf("its stac_version is %v, not 1.1.0", body["stac_version"])
	}
	links, _ := body["links"].([]any)
	if !slices.ContainsFunc(links, func(l any) bool { m, _ := l.(map[string]any); return m["rel"] == "self" }) {
		// Stored bodies have none that the server makes; an item in a collection gets this one when it is served.
		body["links"] = append([]any{map[string]any{"rel": "collection", "href": "https://example.org/collection"}}, links...)
	}
	declared, _ := body["stac_extensions"].([]any)
	known := []any{}
	for _, uri := range declared {
		e, ok := lib.extensions[fmt.Sprint(uri)]
		if !ok {
			t.Logf("extension %v is not checked: fields.yaml does not know it", uri)
			continue
		}
		if kind == "Feature" && !e.usedIn(raw) {
			return fmt.Errorf("extension %v is declared and none of its fields is there", uri)
		}
		known = append(known, uri)
	}
	body["stac_extensions"] = known
	checked, err := json.Marshal(body)
	if err != nil {
		return err
	}
	path := filepath.Join(t.TempDir(), "checked.json")
	if err := os.WriteFile(path, checked, 0o600); err != nil {
		return err
	}
	if err := lib.validator.Validate(context.Background(), path); err != nil {
		return err
	}
	if kind == "Feature" { // a collection may summarise fields without declaring them
		return undeclared(lib, raw, declared)
	}
	return nil
}

// undeclared refuses fields of an extension that an item does not declare.
func undeclared(lib *library, raw []byte, declared []any) error {
	for uri, e := range lib.extensions {
		family := uri[:strings.Index(uri, "/v")+2]
		if e.usedIn(raw) && !slices.ContainsFunc(declared, func(d any) bool {
			return strings.HasPrefix(fmt.Sprint(d), family)
		}) {
			return fmt.Errorf("it has fields %s: and does not declare %s", e.prefix(), uri)
		}
	}
	return nil
}
