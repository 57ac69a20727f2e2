package contract

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/gofiber/fiber/v2"
)

// Caller sends requests to an app, or to a running server, and holds every answer against the document.
type Caller struct {
	t      testing.TB
	send   func(*http.Request) (*http.Response, error)
	router routers.Router
}

// Response is an answer that has passed.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Client returns a Caller of an app.
func Client(t testing.TB, app *fiber.App) *Caller {
	t.Helper()
	router, err := gorillamux.NewRouter(Document(t))
	if err != nil {
		t.Fatal(err)
	}
	return &Caller{t, func(r *http.Request) (*http.Response, error) { return app.Test(r, -1) }, router}
}

// Remote returns a Caller of the running server at an address. It follows no redirect.
func Remote(t testing.TB, base string) *Caller {
	t.Helper()
	router, err := gorillamux.NewRouter(Document(t))
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Caller{t, func(r *http.Request) (*http.Response, error) {
		there := r.Clone(r.Context())
		there.RequestURI, there.URL.Scheme, there.URL.Host, there.Host = "", at.Scheme, at.Host, at.Host
		return client.Do(there)
	}, router}
}

// Get sends a GET; headers are name, value, name, value.
func (c *Caller) Get(target string, headers ...string) Response {
	c.t.Helper()
	return c.Do(http.MethodGet, target, "", headers...)
}

// Post sends a POST of JSON.
func (c *Caller) Post(target, body string, headers ...string) Response {
	c.t.Helper()
	return c.Do(http.MethodPost, target, body, append([]string{"Content-Type", "application/json"}, headers...)...)
}

// Do sends a request and fails the test when the answer is not what the document allows. The target is a path, or a link that
// the app gave. One that is not in the document must be answered as a problem.
func (c *Caller) Do(method, target, body string, headers ...string) Response {
	c.t.Helper()
	address, err := url.Parse(target)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, target, err)
	}
	req := httptest.NewRequest(method, address.RequestURI(), strings.NewReader(body))
	if address.Host != "" {
		req.Host = address.Host
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	answer, err := c.send(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, target, err)
	}
	defer answer.Body.Close()
	got := Response{Status: answer.StatusCode, Header: answer.Header}
	if got.Body, err = io.ReadAll(answer.Body); err != nil {
		c.t.Fatalf("%s %s: %v", method, target, err)
	}
	if method != http.MethodOptions {
		c.check(req, body, got)
	}
	return got
}

// JSON decodes the body of an answer.
func (r Response) JSON(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(r.Body, into); err != nil {
		t.Fatalf("%v in %.300s", err, r.Body)
	}
}

// check compares an answer with the operation that the request names.
func (c *Caller) check(req *http.Request, body string, got Response) {
	c.t.Helper()
	asked := req.Method + " " + req.URL.String()
	lookup := req.Clone(req.Context())
	if req.Method == http.MethodHead {
		lookup.Method = http.MethodGet
	}
	route, err := c.find(lookup)
	if err != nil {
		if got.Status < 400 {
			c.t.Errorf("%s is not in openapi.yaml and answered %d", asked, got.Status)
		}
		return
	}
	want := route.Operation.Responses.Status(got.Status)
	if want == nil {
		want = route.Operation.Responses.Default()
		if got.Status < 400 || want == nil {
			c.t.Errorf("%s answered %d, which openapi.yaml does not know", asked, got.Status)
			return
		}
	}
	if len(want.Value.Content) == 0 {
		if len(got.Body) > 0 {
			c.t.Errorf("%s answered %d with a body, openapi.yaml allows none", asked, got.Status)
		}
		return
	}
	content := contentOf(want.Value.Content, got.Header.Get("Content-Type"))
	if content == nil {
		c.t.Errorf("%s answered %d as %q, which openapi.yaml does not know", asked, got.Status, got.Header.Get("Content-Type"))
		return
	}
	if req.Method == http.MethodHead || !isJSON(got.Header.Get("Content-Type")) || got.Header.Get("Content-Encoding") != "" {
		return
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(got.Body))
	if err := decoder.Decode(&value); err != nil {
		c.t.Errorf("%s answered broken JSON: %v", asked, err)
	} else if err := content.Schema.Value.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsResponse()); err != nil {
		c.t.Errorf("%s answered what its schema forbids: %v", asked, err)
	}
	if standard, err := ogcSchema(lookup.Method+" "+route.Path, req.URL.Query(), body, got); err != nil {
		c.t.Error(err)
	} else if standard == nil {
		return
	} else if err := standard.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsResponse()); err != nil {
		c.t.Errorf("%s answered what OGC's schema forbids: %v", asked, err)
	}
}

// find returns the operation of a request. A path that ends in {path} takes whatever follows, slashes too.
func (c *Caller) find(req *http.Request) (*routers.Route, error) {
	route, _, err := c.router.FindRoute(req)
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	for n := len(parts); err != nil && n > 0; n-- {
		short := req.Clone(req.Context())
		short.URL.RawPath, short.URL.Path = "", "/"+strings.Join(parts[:n], "/")
		if n < len(parts) {
			short.URL.Path += "/rest"
		}
		found, _, missing := c.router.FindRoute(short)
		if missing == nil && (n == len(parts) || strings.HasSuffix(found.Path, "/{path}")) {
			return found, nil
		}
	}
	return route, err
}

// isJSON reports whether a media type is one JSON text, and not a sequence of them.
func isJSON(mediaType string) bool {
	return strings.Contains(mediaType, "json") && !strings.Contains(mediaType, "ndjson") && !strings.Contains(mediaType, "json-seq")
}

// contentOf returns the documented form of a media type; parameters such as charset do not matter.
func contentOf(content openapi3.Content, mediaType string) *openapi3.MediaType {
	bare, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return nil
	}
	for name, form := range content {
		if documented, _, err := mime.ParseMediaType(name); err == nil && documented == bare {
			return form
		}
	}
	return content["*/*"]
}
