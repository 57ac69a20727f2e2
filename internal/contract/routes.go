package contract

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"swath/openapi"
)

// Document returns the OpenAPI document, loaded and validated.
func Document(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Document())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Routes fails when the whole app and the document differ: a route that is not documented, or a documented one that the
// app lacks.
func Routes(t testing.TB, app *fiber.App) {
	t.Helper()
	served := Documented(t, app)
	for _, route := range slices.Sorted(maps.Keys(documented(Document(t)))) {
		if !served[route] {
			t.Errorf("openapi.yaml has %s, the app has not", route)
		}
	}
}

// Documented fails when a part of the app has a route that the document lacks. It returns the part's routes.
func Documented(t testing.TB, app *fiber.App) map[string]bool {
	t.Helper()
	known := documented(Document(t))
	served := map[string]bool{}
	for _, route := range app.GetRoutes(true) {
		name := route.Method + " " + fiberParameter.ReplaceAllString(fiberEscape.ReplaceAllString(route.Path, ""), "{}")
		served[name] = true
		if route.Method != fiber.MethodHead && !known[name] { // HEAD follows GET
			t.Errorf("the app has %s, openapi.yaml has not (%s)", name, route.Path)
		}
	}
	return served
}

// Parameters are compared by place, not by name.
var (
	fiberEscape    = regexp.MustCompile(`\\`)
	fiberParameter = regexp.MustCompile(`:\w+|\*`)
	docParameter   = regexp.MustCompile(`\{\w+\}`)
)

// documented returns the operations of the document as "GET /collections/{}".
func documented(doc *openapi3.T) map[string]bool {
	all := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			all[method+" "+docParameter.ReplaceAllString(path, "{}")] = true
		}
	}
	return all
}
