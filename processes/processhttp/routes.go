// Package processhttp is OGC API Processes, Parts 1 and 2: what can be computed here, processes of users, and the jobs that do it.
//
//	/processes ─▶ /processes/{id} ─▶ POST …/execution ─┬─ Prefer: respond-async ─▶ 201, /jobs/{id}
//	                                                   └─ else its results, or 201 when they take longer than a request may
//	/subscriptions ─▶ a job for each new item that a search finds
//	/jobs ─▶ /jobs/{id} ─▶ …/results, …/results/{output}, …/log, …/prov; DELETE ends it
//
// Every list, process and job is JSON for programs and a page for people, with a form that is made from the inputs' schemas. Who sees
// which job, and who may execute, is the engine's to say.
package processhttp

import (
	"embed"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/objects"
	"swath/processes"
	"swath/stac"
)

//go:embed templates/*.html
var files embed.FS

var pages = httpkit.NewPages(files, "templates/*.html")

// API serves an engine.
type API struct {
	Engine    *processes.Engine
	Objects   objects.Store // that results are in
	Catalog   stac.Catalog  // that they are published in
	Strangers bool          // may execute
	// Send answers with an object, whole or by ranges.
	Send       func(c *fiber.Ctx, key, name, contentType string) error
	MostUpload int64 // bytes of files that may come with an execution; 0: what any request may bring
	// FormToken is what a form sends along for the session of a browser; "" where there is none.
	FormToken func(c *fiber.Ctx) string
}

// Mount adds the routes.
func (a API) Mount(r fiber.Router) {
	r.Get("/processes", a.list)
	r.Get("/processes/:process", a.describe)
	r.Post("/processes/:process/execution", a.execute)
	r.Post("/processes", a.deploy)
	r.Put("/processes/:process", a.replace)
	r.Delete("/processes/:process", a.undeploy)
	r.Get("/processes/:process/package", a.document)
	r.Get("/subscriptions", a.subscriptions)
	r.Post("/subscriptions", a.subscribe)
	r.Get("/subscriptions/:subscription", a.subscription)
	r.Patch("/subscriptions/:subscription", a.change)
	r.Post("/subscriptions/:subscription/pause", a.change) // for forms
	r.Delete("/subscriptions/:subscription", a.unsubscribe)
	r.Post("/subscriptions/:subscription/backfill", a.backfill)
	r.Get("/jobs", a.jobs)
	r.Get("/jobs/:job", a.job)
	r.Delete("/jobs/:job", a.dismiss)
	r.Post("/jobs/:job/dismiss", a.dismiss) // for forms, which know no DELETE
	r.Get("/jobs/:job/results", a.results)
	r.Get("/jobs/:job/results/:output", a.result)
	r.Get("/jobs/:job/log", a.log)
	r.Get("/jobs/:job/prov", a.provenance)
}

// Uploads reports whether a request may bring files.
func Uploads(method, path string) bool {
	return method == fiber.MethodPost && strings.HasPrefix(path, "/processes/") && strings.HasSuffix(path, "/execution")
}

// The problems that the standard has names for (OGC 18-062r2).
const (
	problems      = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
	noSuchProcess = problems + "no-such-process"
	noSuchJob     = problems + "no-such-job"
	notReady      = problems + "result-not-ready"
)

// Relations of links (OGC 18-062r2).
const (
	relations  = "http://www.opengis.net/def/rel/ogc/1.0/"
	relExecute = relations + "execute"
	relResults = relations + "results"
	relJobs    = relations + "job-list"
)

// named gives what is not there the type that the standard has for it.
func named(uri string, err error) error {
	if errors.Is(err, processes.ErrNotReady) {
		return httpkit.OfType(notReady, fault.Wrap(fault.NotFound, err, "the job has not ended: its results are not ready"))
	}
	if fault.Is(err, fault.NotFound) {
		return httpkit.OfType(uri, err)
	}
	return err
}

// link is a link of a document.
type link struct {
	Rel   string `json:"rel"`
	Href  string `json:"href"`
	Type  string `json:"type,omitempty"`
	Title string `json:"title,omitempty"`
}

// query returns the parameters of a request; those not in known are refused.
func query(c *fiber.Ctx, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(string(c.Context().URI().QueryString()))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the query is not well formed")
	}
	if f := q.Get("f"); q.Has("f") && !slices.Contains([]string{"json", "html"}, f) {
		return nil, fault.New(fault.Invalid, "f is %.60q; it may be json or html", f)
	}
	return q, stac.OnlyParams(q, known...)
}

// processURL and jobURL are addresses as the client knows them.
func processURL(c *fiber.Ctx, id string) string {
	return httpkit.BaseURL(c) + "/processes/" + url.PathEscape(id)
}

func jobURL(c *fiber.Ctx, id string) string {
	return httpkit.BaseURL(c) + "/jobs/" + url.PathEscape(id)
}

// fresh tells caches that the next answer may be another one, and is for who asks alone.
func fresh(c *fiber.Ctx) { c.Set(fiber.HeaderCacheControl, "private, no-store") }
