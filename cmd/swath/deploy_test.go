package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/internal/contract"
)

const deployExceptions = "http://www.opengis.net/def/exceptions/ogcapi-processes-2/1.0/"

// TestDeployOverHTTP deploys, runs, replaces and takes away a process, as OGC API Processes Part 2 has it, and subscribes another to a
// search; every answer is held against the OpenAPI document.
func TestDeployOverHTTP(t *testing.T) {
	needsProgram(t)
	tool, err := filepath.EvalSymlinks("../../.cache/venv-cwl")
	if err == nil {
		tool, err = filepath.Abs(filepath.Join(tool, "bin/cwltool"))
	}
	if _, missing := os.Stat(tool); err != nil || missing != nil {
		t.Skip("`make test-deps` installs cwltool")
	}
	config := filepath.Join(t.TempDir(), "swath.yaml")
	if err := os.WriteFile(config, []byte("processes:\n  strangers: true\n  packages: {cwltool: "+tool+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := dataFolder(t)
	base, _ := serveData(t, data, "--config", config)
	c := contract.Remote(t, base)

	// Strangers may run processes here, and still deploy none.
	document := `{"cwlVersion":"v1.2","class":"CommandLineTool","id":"shout","label":"Shout","baseCommand":["sh","-c","printf %s! \"$0\""],
		"inputs":{"word":{"type":"string","inputBinding":{"position":1}}},"outputs":{"said":{"type":"stdout"}},"stdout":"said.txt"}`
	if r := c.Do("POST", "/processes", document, "Content-Type", "application/cwl+json"); r.Status != http.StatusUnauthorized {
		t.Fatalf("a stranger deploys: %d", r.Status)
	}
	key := keyOf(t, data, "theia", "centre")
	as := []string{"X-API-Key", key}
	send := func(method, path, media, body string) contract.Response {
		return c.Do(method, path, body, append([]string{"Content-Type", media}, as...)...)
	}
	wrapped := fmt.Sprintf(`{"executionUnit":{"mediaType":"application/cwl+json","value":%s}}`, document)
	made := send("POST", "/processes", "application/ogcapppkg+json", wrapped)
	if made.Status != http.StatusCreated || made.Header.Get("Location") != base+"/processes/shout" {
		t.Fatalf("%d %s: %s", made.Status, made.Header.Get("Location"), made.Body)
	}
	var process struct {
		Title   string
		Mutable bool
		Inputs  map[string]struct{ MinOccurs int }
	}
	c.Get("/processes/shout").JSON(t, &process)
	if !process.Mutable || process.Title != "Shout" || process.Inputs["word"].MinOccurs != 1 {
		t.Errorf("%+v", process)
	}
	if r := c.Get("/processes/shout/package", append([]string{"Accept", "application/cwl"}, as...)...); string(r.Body) != document {
		t.Errorf("package %s", r.Body)
	}
	for name, tc := range map[string]struct {
		method, path, media, body string
		status                    int
		kind                      string
	}{
		"again":             {"POST", "/processes", "application/cwl+json", document, 409, "duplicated-process"},
		"of the program":    {"PUT", "/processes/echo", "application/cwl+json", document, 403, "immutable-process"},
		"end of a built-in": {"DELETE", "/processes/echo", "", "", 403, "immutable-process"},
		"a picture":         {"POST", "/processes", "image/png", "x", 415, "unsupported-media-type"},
		"docker":            {"POST", "/processes", "application/ogcapppkg+json", `{"executionUnit":{"type":"docker","value":"x"}}`, 415, "unsupported-media-type"},
	} {
		r := send(tc.method, tc.path, tc.media, tc.body)
		if uri, _ := problemOf(t, r); r.Status != tc.status || uri != deployExceptions+tc.kind {
			t.Errorf("%s: %d %s", name, r.Status, uri)
		}
	}
	for name, body := range map[string]string{
		"by address":      `{"executionUnit":{"type":"application/cwl","href":"http://127.0.0.1/x.cwl"}}`,
		"by import":       `{"executionUnit":{"mediaType":"application/cwl+json","value":{"cwlVersion":"v1.2","$import":"file:///etc/passwd"}}}`,
		"nothing":         `{}`,
		"of another kind": `{"executionUnit":{"value":{"cwlVersion":"v1.2","class":"Operation","id":"x","inputs":{},"outputs":{}}}}`,
	} {
		if r := send("POST", "/processes", "application/ogcapppkg+json", body); r.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
	run := send("POST", "/processes/shout/execution", "application/json", `{"inputs":{"word":"moo"},"response":"raw"}`)
	if run.Status != http.StatusOK || string(run.Body) != "moo!" {
		t.Errorf("%d %q", run.Status, run.Body)
	}
	if r := send("PUT", "/processes/shout", "application/cwl", strings.Replace(document, "%s!", "%s?", 1)); r.Status != http.StatusNoContent {
		t.Errorf("replaced: %d %s", r.Status, r.Body)
	}
	if run = send("POST", "/processes/shout/execution", "application/json", `{"inputs":{"word":"moo"},"response":"raw"}`); string(run.Body) != "moo?" {
		t.Errorf("the other version says %q", run.Body)
	}
	structured(t, send)
	if r := send("DELETE", "/processes/shout", "", ""); r.Status != http.StatusNoContent {
		t.Errorf("taken away: %d", r.Status)
	}
	if r := c.Get("/processes/shout"); r.Status != http.StatusNotFound {
		t.Errorf("still there: %d", r.Status)
	}

	subscribed := send("POST", "/subscriptions", "application/json", `{"name":"All <b>of</b> it","process":"echo","search":{"collections":["sentinel-2-l1c"]}}`)
	var s struct {
		ID, Name, Input string
		Paused          bool
		Figures         struct {
			Matched, Waiting int
			Jobs             map[string]int
		}
	}
	subscribed.JSON(t, &s)
	if subscribed.Status != http.StatusCreated || s.Input != "productInput" {
		t.Fatalf("%d %s", subscribed.Status, subscribed.Body)
	}
	path := "/subscriptions/" + s.ID
	if code, _, errs := swath(t, "ingest", "--data", data, "../../testdata/scenes/"+mirrored+".zip"); code != exitDone {
		t.Fatalf("ingest: %d %s", code, errs)
	}
	for end := time.Now().Add(30 * time.Second); s.Figures.Jobs["successful"] != 1; time.Sleep(200 * time.Millisecond) {
		c.Get(path, as...).JSON(t, &s)
		if time.Now().After(end) {
			t.Fatalf("figures %+v", s.Figures)
		}
	}
	if r := c.Get(path+"?f=html", as...); !strings.Contains(string(r.Body), "All &lt;b&gt;of&lt;/b&gt; it") || !strings.Contains(string(r.Body), "Jobs successful") {
		t.Errorf("page %s", r.Body)
	}
	if r := c.Get("/subscriptions?f=html", as...); !strings.Contains(string(r.Body), s.ID) {
		t.Errorf("pages %s", r.Body)
	}
	send("PATCH", path, "application/json", `{"paused":true}`).JSON(t, &s)
	if !s.Paused {
		t.Error("it goes on")
	}
	if r := send("POST", path+"/pause", "application/x-www-form-urlencoded", "paused=false"); r.Status != http.StatusSeeOther {
		t.Errorf("the form: %d", r.Status)
	}
	if r := send("POST", path+"/backfill", "application/json", `{"datetime":"2000-01-01T00:00:00Z/2030-01-01T00:00:00Z"}`); r.Status != http.StatusAccepted {
		t.Errorf("back-fill: %d %s", r.Status, r.Body)
	}
	if r := send("POST", path+"/backfill", "application/json", `{"datetime":"../2030-01-01T00:00:00Z"}`); r.Status != http.StatusBadRequest {
		t.Errorf("back-fill without a beginning: %d", r.Status)
	}
	if r := c.Get(path); r.Status != http.StatusNotFound {
		t.Errorf("strangers see it: %d", r.Status)
	}
	if r := send("DELETE", path, "", ""); r.Status != http.StatusNoContent {
		t.Errorf("ended: %d", r.Status)
	}
	if r := c.Get(path, as...); r.Status != http.StatusNotFound {
		t.Errorf("still there: %d", r.Status)
	}
}

// structured deploys a process that takes and gives records, lists of lists and choices, and runs it.
func structured(t *testing.T, send func(method, path, media, body string) contract.Response) {
	t.Helper()
	document := `{"cwlVersion":"v1.2","class":"CommandLineTool","id":"grids","requirements":{"InlineJavascriptRequirement":{}},"baseCommand":"true",
		"inputs":{"cells":{"type":{"type":"array","items":{"type":"array","items":"int"}},"default":[[7]]},"where":["null","string",{"type":"record","fields":{"lon":"double","lat":"double"}}]},
		"outputs":{"told":{"type":{"type":"record","fields":{"sum":"int","where":"Any"}},
			"outputBinding":{"outputEval":"${var n = 0; inputs.cells.forEach(function(r) { r.forEach(function(v) { n += v }) }); return {sum: n, where: inputs.where}}"}}}}`
	if r := send("POST", "/processes", "application/cwl+json", document); r.Status != http.StatusCreated {
		t.Fatalf("records: %d %s", r.Status, r.Body)
	}
	var process struct {
		Inputs, Outputs map[string]struct {
			Schema any
		}
	}
	send("GET", "/processes/grids", "", "").JSON(t, &process)
	schemas := fmt.Sprint(process)
	for _, part := range []string{"items:map[items:map[maximum:2.147483647e+09 minimum:-2.147483648e+09 type:integer] type:array]", "anyOf:[map[type:string] map[", "default:[[7]]", "required:[sum where]"} {
		if !strings.Contains(schemas, part) {
			t.Errorf("%s has no %s", schemas, part)
		}
	}
	if r := send("GET", "/processes/grids?f=html", "", ""); !strings.Contains(string(r.Body), `<textarea id="input.where"`) || !strings.Contains(string(r.Body), "text or JSON") {
		t.Errorf("the form %s", r.Body)
	}
	for name, tc := range map[string]struct {
		inputs string
		status int
		says   string
	}{
		"an object":    {`{"cells":[[1,2],[],[39]],"where":{"value":{"lon":6.5,"lat":45}}}`, 200, `{"sum":42,"where":{"lat":45,"lon":6.5}}`},
		"a text":       {`{"cells":[[1]],"where":"here"}`, 200, `{"sum":1,"where":"here"}`},
		"half of it":   {`{"cells":[[1]],"where":{"value":{"lon":6.5}}}`, 400, `input \"where\"`},
		"a plain list": {`{"cells":[1,2]}`, 400, `input \"cells\": at /0: got number, want array`},
	} {
		r := send("POST", "/processes/grids/execution", "application/json", `{"inputs":`+tc.inputs+`,"response":"raw"}`)
		if r.Status != tc.status || !strings.Contains(strings.ReplaceAll(string(r.Body), " ", ""), strings.ReplaceAll(tc.says, " ", "")) {
			t.Errorf("%s: %d %s, want %d %s", name, r.Status, r.Body, tc.status, tc.says)
		}
	}
}

// keyOf makes an account of a role and returns a key of it.
func keyOf(t *testing.T, data, name, role string) string {
	t.Helper()
	if code, _, errs := swath(t, "user", "add", name, "--data", data, "--role", role); code != exitDone {
		t.Fatalf("user add: %d %s", code, errs)
	}
	code, out, errs := swath(t, "token", "create", "--data", data, "--user", name)
	if code != exitDone {
		t.Fatalf("token create: %d %s", code, errs)
	}
	return strings.TrimSpace(out)
}
