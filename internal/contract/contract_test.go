package contract

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
)

const item = `{"type":"Feature","stac_version":"1.1.0","stac_extensions":[
	"https://stac-extensions.github.io/eo/v2.0.0/schema.json","https://stac-extensions.github.io/projection/v2.0.0/schema.json",
	"https://stac-extensions.github.io/file/v2.1.0/schema.json"],
	"id":"a","collection":"c","geometry":{"type":"Point","coordinates":[1,2]},"bbox":[1,2,1,2],
	"properties":{"datetime":"2024-06-12T10:56:19Z","eo:cloud_cover":12.5,"proj:code":"EPSG:32631"},
	"links":[{"rel":"collection","href":"c"}],
	"assets":{"B04":{"href":"swath:/x","type":"image/tiff","roles":["data"],"file:size":1,"file:checksum":"1220ab","proj:shape":[2,3],
		"bands":[{"name":"B04","eo:common_name":"red"}]}}}`

// recorder is a test that notes its failures.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper()             {}
func (r *recorder) Logf(string, ...any) {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// TestOGCFindsMistakes holds answers against the schemas of OGC API Processes themselves.
func TestOGCFindsMistakes(t *testing.T) {
	for name, tc := range map[string]struct {
		operation string
		status    int
		body      string
		good      bool
	}{
		"a job":                {"GET /jobs/{job}", 200, `{"jobID":"a","status":"running","type":"process","progress":3}`, true},
		"no status":            {"GET /jobs/{job}", 200, `{"jobID":"a","type":"process"}`, false},
		"a status of its own":  {"DELETE /jobs/{job}", 200, `{"jobID":"a","status":"lost","type":"process"}`, false},
		"too far":              {"POST /processes/{process}/execution", 201, `{"jobID":"a","status":"running","type":"process","progress":101}`, false},
		"results":              {"POST /processes/{process}/execution", 200, `{"a":1,"b":"x","c":[1,[2]],"d":{"value":{"x":1}},"e":{"href":"x"},"f":{"bbox":[1,2,3,4]}}`, true},
		"an object as it is":   {"GET /jobs/{job}/results", 200, `{"d":{"x":1}}`, false},
		"a problem":            {"GET /jobs/{job}/results", 404, `{"type":"a"}`, true},
		"a problem of no type": {"GET /processes/{process}", 404, `{"title":"a"}`, false},
		"a process":            {"GET /processes/{process}", 200, `{"id":"a","version":"1","inputs":{"x":{"schema":{"anyOf":[{"type":"string"},{"type":"object"}],"nullable":true},"maxOccurs":"unbounded"}}}`, true},
		"an input of nothing":  {"GET /processes/{process}", 200, `{"id":"a","version":"1","inputs":{"x":{}}}`, false},
		"a type of its own":    {"GET /processes/{process}", 200, `{"id":"a","version":"1","inputs":{"x":{"schema":{"type":"file"}}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			schema, err := ogcSchema(tc.operation, nil, "", Response{Status: tc.status})
			if err != nil {
				t.Fatal(err)
			}
			var value any
			if err := json.Unmarshal([]byte(tc.body), &value); err != nil {
				t.Fatal(err)
			}
			if err := schema.VisitJSON(value); (err == nil) != tc.good {
				t.Error(err)
			}
		})
	}
	if got, err := ogcSchema("POST /processes/{process}/execution", nil, `{"response":"raw"}`, Response{Status: 200}); got != nil || err != nil {
		t.Errorf("of a raw answer: %v, %v", got, err)
	}
}

func TestValidateItemFindsMistakes(t *testing.T) {
	ValidateItem(t, []byte(item))
	for name, change := range map[string][2]string{
		"core: no id":                {`"id":"a",`, ``},
		"core: no datetime":          {`"datetime":"2024-06-12T10:56:19Z",`, ``},
		"core: datetime":             {`2024-06-12T10:56:19Z`, `yesterday`},
		"core: version":              {`"1.1.0"`, `"1.0.0"`},
		"core: collection link":      {`[{"rel":"collection","href":"c"}]`, `[{"rel":"self"}]`},
		"geojson: geometry":          {`"coordinates":[1,2]`, `"coordinates":[1]`},
		"geojson: bbox":              {`"bbox":[1,2,1,2]`, `"bbox":[1,2,1]`},
		"eo: range":                  {`12.5`, `120`},
		"eo: name in a band":         {`"red"`, `"reddish"`},
		"eo: unknown field":          {`"eo:cloud_cover"`, `"eo:clouds"`},
		"proj: shape in an asset":    {`[2,3]`, `[2,3,4]`},
		"proj: code":                 {`"EPSG:32631"`, `32631`},
		"file: size":                 {`"file:size":1`, `"file:size":-1`},
		"declared and not used":      {`eo/v2.0.0/schema.json"`, `eo/v2.0.0/schema.json","https://stac-extensions.github.io/view/v1.1.0/schema.json"`},
		"used and not declared":      {`"https://stac-extensions.github.io/file/v2.1.0/schema.json"],`, `"https://example.com/x/v1/schema.json"],`},
		"required by its extension":  {`eo/v2.0.0/schema.json"`, `eo/v2.0.0/schema.json","https://stac-extensions.github.io/grid/v1.1.0/schema.json"`},
		"not JSON":                   {`"id":"a"`, `"id":`},
		"a mistake in second place ": {`"proj:shape":[2,3]`, `"proj:shape":[2,3],"proj:epsg":32631`},
	} {
		broken := strings.Replace(item, change[0], change[1], 1)
		if broken == item {
			t.Fatalf("%s: the change changes nothing", name)
		}
		r := &recorder{TB: t}
		ValidateItem(r, []byte(broken))
		if len(r.failures) == 0 {
			t.Errorf("%s: found nothing wrong", name)
		}
	}
}

const collection = `{"type":"Collection","stac_version":"1.1.0","stac_extensions":["https://stac-extensions.github.io/render/v2.0.0/schema.json"],
	"id":"c","description":"d","license":"other","extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[["2018-01-01T00:00:00Z",null]]}},
	"item_assets":{"B04":{"type":"image/tiff","title":"Red"}},"renders":{"ndvi":{"assets":["B04","B08"],"rescale":[[-1,1]]}}}`

func TestValidateCollectionFindsMistakes(t *testing.T) {
	ValidateCollection(t, []byte(collection))
	for name, change := range map[string][2]string{
		"core: no license":        {`"license":"other",`, ``},
		"core: bbox":              {`[[-180,-90,180,90]]`, `[-180,-90,180,90]`},
		"core: an item":           {`"type":"Collection"`, `"type":"Feature"`},
		"render: none":            {`"renders":{`, `"renders":{},"rendered":{`},
		"render: nothing to draw": {`"assets":["B04","B08"],`, ``},
		"render: one number":      {`[[-1,1]]`, `[-1,1]`},
	} {
		broken := strings.Replace(collection, change[0], change[1], 1)
		if broken == collection {
			t.Fatalf("%s: the change changes nothing", name)
		}
		r := &recorder{TB: t}
		ValidateCollection(r, []byte(broken))
		if len(r.failures) == 0 {
			t.Errorf("%s: found nothing wrong", name)
		}
	}
}

func TestClientRefusesWhatTheDocumentDoesNotKnow(t *testing.T) {
	app := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)})
	answer := func(status int, contentType, body string) fiber.Handler {
		return func(c *fiber.Ctx) error {
			c.Set("Content-Type", contentType)
			return c.Status(status).SendString(body)
		}
	}
	app.Get("/healthz", answer(200, "application/json", `{"status":"ok"}`))
	app.Get("/conformance", answer(200, "application/json", `{"conformsTo":"all"}`))
	app.Get("/readyz", answer(200, "application/xml", `<ready/>`))
	app.Get("/queryables", answer(418, "text/plain", "tea"))
	app.Get("/undocumented", answer(200, "text/plain", "hi"))
	for target, wrong := range map[string]bool{"/healthz": false, "/conformance": true, "/readyz": true, "/queryables": true,
		"/undocumented": true, "/collections/x": false} {
		r := &recorder{TB: t}
		Client(r, app).Get(target)
		if (len(r.failures) > 0) != wrong {
			t.Errorf("%s: %q", target, r.failures)
		}
	}
	r := &recorder{TB: t}
	Documented(r, app)
	if len(r.failures) != 1 || !strings.Contains(r.failures[0], "/undocumented") {
		t.Errorf("undocumented routes: %q", r.failures)
	}
	r = &recorder{TB: t}
	Routes(r, app)
	if !strings.Contains(strings.Join(r.failures, "\n"), "GET /collections/{}/items/{}, the app has not") {
		t.Errorf("missing routes: %q", r.failures)
	}
}
