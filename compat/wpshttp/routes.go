// Package wpshttp speaks WPS 1.0.0 (OGC 05-007r7) for the clients that PEPS had: each execution is a job like any other.
//
//	GetCapabilities, DescribeProcess ─▶ the processes
//	Execute (KVP or XML) ─▶ a job ─┬─ storeExecuteResponse, status ─▶ statusLocation ─▶ /wps/jobs/{id}.xml ─▶ /wps/jobs/{id}.json
//	                               └─ else its end, or the same when it takes longer than a request may
//
// The JSON is PEPS' own, {"USER_INFO": {"job_status", "process", "results", …}}. Errors are ExceptionReports.
package wpshttp

import (
	"bytes"
	"embed"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"text/template"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/chains"
	"swath/fault"
	"swath/httpkit"
	"swath/processes"
	"swath/processes/processhttp"
)

//go:embed templates/*.xml
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"xml": escape}).ParseFS(files, "templates/*.xml"))

func escape(text string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(text))
	return b.String(), err
}

// API is the door.
type API struct {
	Jobs processhttp.API // whose jobs these are
}

// Mount adds the routes; PEPS had the service at /resto/wps.
func (a API) Mount(r fiber.Router) {
	for _, path := range []string{"/wps", "/resto/wps"} {
		r.Get(path, worded(a.get))
		r.Post(path, worded(a.post))
	}
	r.Get("/wps/jobs/:job.:format", worded(a.document))
}

// wrong is a request that WPS has a word for.
type wrong struct {
	error
	code, locator string
}

func (w wrong) Unwrap() error { return w.error }

func missing(parameter string) error {
	return wrong{fault.New(fault.Invalid, "%s is missing", parameter), "MissingParameterValue", parameter}
}

func invalid(parameter, format string, args ...any) error {
	return wrong{fault.New(fault.Invalid, format, args...), "InvalidParameterValue", parameter}
}

// codes are WPS' words for kinds of failure; others are NoApplicableCode (OGC 06-121r3, table 25; 05-007r7, table 38).
var codes = map[fault.Kind]string{
	fault.Invalid: "InvalidParameterValue", fault.NotFound: "InvalidParameterValue", fault.TooLarge: "FileSizeExceeded",
	fault.OverQuota: "ServerBusy", fault.Unavailable: "ServerBusy",
}

// worded lets a handler's errors leave as exception reports.
func worded(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "private, no-store")
		err := h(c)
		if err == nil {
			return nil
		}
		return httpkit.WordedXML(c, err, func(_ int, kind fault.Kind, detail string) ([]byte, error) {
			e := exception{Code: codes[kind], Text: detail}
			var w wrong
			if errors.As(err, &w) {
				e.Code, e.Locator = w.code, w.locator
			}
			if e.Code == "" {
				e.Code = "NoApplicableCode"
			}
			return render("exception.xml", e)
		})
	}
}

type exception struct{ Code, Locator, Text string }

func render(name string, data any) ([]byte, error) {
	var body bytes.Buffer
	err := templates.ExecuteTemplate(&body, name, data)
	return body.Bytes(), err
}

func send(c *fiber.Ctx, name string, data any) error {
	body, err := render(name, data)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, httpkit.XMLType)
	return c.Send(body)
}

const version = "1.0.0"

// get serves GET: key and value pairs, whose keys have no case.
func (a API) get(c *fiber.Ctx) error {
	values := map[string]string{}
	for key, value := range c.Context().QueryArgs().All() { // which leaves the semicolons of DataInputs alone
		values[strings.ToLower(string(key))] = string(value)
	}
	if service := values["service"]; service == "" {
		return missing("service")
	} else if !strings.EqualFold(service, "WPS") {
		return invalid("service", "service is %.60q; this is a WPS", service)
	}
	request := strings.ToLower(values["request"])
	if request != "getcapabilities" && request != "" {
		if v := values["version"]; v == "" {
			return missing("version")
		} else if v != version {
			return wrong{fault.New(fault.Invalid, "version is %.60q; this is %s", v, version), "VersionNegotiationFailed", "version"}
		}
	}
	switch request {
	case "getcapabilities":
		return a.capabilities(c)
	case "describeprocess":
		return a.describe(c, split(values["identifier"], ","))
	case "execute":
		if a.Jobs.FormToken != nil && a.Jobs.FormToken(c) != "" {
			return fault.New(fault.Forbidden, "a GET that executes needs a key or a password, not the session of a browser")
		}
		e, err := executionOf(values)
		if err != nil {
			return err
		}
		return a.execute(c, e)
	case "":
		return missing("request")
	}
	return wrong{fault.New(fault.Invalid, "request is %.60q; it may be GetCapabilities, DescribeProcess or Execute", values["request"]), "OperationNotSupported", "request"}
}

// split returns the words between separators.
func split(text, separator string) (words []string) {
	for word := range strings.SplitSeq(text, separator) {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// post serves POST: XML.
func (a API) post(c *fiber.Ctx) error {
	kind, identifiers, e, err := readXML(c.Body())
	if err != nil {
		return err
	}
	switch kind {
	case "GetCapabilities":
		return a.capabilities(c)
	case "DescribeProcess":
		return a.describe(c, identifiers)
	case "Execute":
		return a.execute(c, e)
	}
	return wrong{fault.New(fault.Invalid, "%.60q is none of GetCapabilities, DescribeProcess, Execute", kind), "OperationNotSupported", "request"}
}

// capabilities answers with the list of processes.
func (a API) capabilities(c *fiber.Ctx) error {
	all, err := a.Jobs.Engine.Processes(c.UserContext())
	if err != nil {
		return err
	}
	return send(c, "capabilities.xml", map[string]any{"Processes": all, "URL": httpkit.BaseURL(c) + c.Path(),
		"Operations": []string{"GetCapabilities", "DescribeProcess", "Execute"}})
}

// process returns the process of an identifier.
func (a API) process(c *fiber.Ctx, id string) (chains.Chain, error) {
	chain, err := a.Jobs.Engine.Process(c.UserContext(), id)
	if fault.Is(err, fault.NotFound) {
		return chain, invalid("identifier", "there is no process %.60q", id)
	}
	return chain, err
}

// describe answers with what processes take and give.
func (a API) describe(c *fiber.Ctx, identifiers []string) error {
	if len(identifiers) == 0 {
		return missing("identifier")
	}
	var all []chains.Chain
	if len(identifiers) == 1 && strings.EqualFold(identifiers[0], "all") {
		var err error
		if all, err = a.Jobs.Engine.Processes(c.UserContext()); err != nil {
			return err
		}
	} else {
		for _, id := range identifiers {
			chain, err := a.process(c, id)
			if err != nil {
				return err
			}
			all = append(all, chain)
		}
	}
	described := make([]described, len(all))
	for i, chain := range all {
		described[i] = describedOf(chain)
	}
	return send(c, "describe.xml", described)
}

// execute makes a job, and waits for it where the client does not want to ask again.
func (a API) execute(c *fiber.Ctx, e execution) error {
	if e.process == "" {
		return missing("identifier")
	}
	chain, err := a.process(c, e.process)
	if err != nil {
		return err
	}
	r, err := e.request(chain)
	if err != nil {
		return err
	}
	job, err := a.Jobs.Engine.Submit(processhttp.Asked(c), chain.ID, r)
	if err != nil {
		return err
	}
	if !e.store {
		if job, err = a.Jobs.Await(c.UserContext(), job, 0); err != nil {
			return err
		}
	}
	if e.raw != "" {
		if !job.Status.Ended() {
			return &fault.Error{Kind: fault.Timeout, Public: "it takes longer than a request may: ask for a document with status=true; the job is " + job.ID}
		}
		results, err := a.Jobs.Engine.ResultsOf(c.UserContext(), job)
		if err != nil {
			return err
		}
		return a.Jobs.SendOutput(c, results, e.raw)
	}
	return a.tell(c, chain, job)
}

// document serves GET /wps/jobs/{job}.xml, the ExecuteResponse as it is now, and {job}.json, what PEPS' clients read of it.
func (a API) document(c *fiber.Ctx) error {
	job, err := a.Jobs.Engine.Job(c.UserContext(), c.Params("job"))
	if err != nil {
		return err
	}
	switch c.Params("format") {
	case "json":
		return a.userInfo(c, job)
	case "xml":
		chain, err := a.Jobs.Engine.Process(c.UserContext(), job.Process)
		if err != nil {
			return err
		}
		return a.tell(c, chain, job)
	}
	return fault.New(fault.NotFound, "a job is .xml or .json")
}

func jobURL(c *fiber.Ctx, job processes.Job, format string) string {
	return httpkit.BaseURL(c) + "/wps/jobs/" + url.PathEscape(job.ID) + format
}

// userInfo is how PEPS told of a job.
func (a API) userInfo(c *fiber.Ctx, job processes.Job) error {
	// PENDING stands for all that has not ended: PEPS' clients wait for the others.
	words := map[processes.Status]string{processes.Successful: "FINISHED", processes.Failed: "ERROR", processes.Dismissed: "CANCELED"}
	word := words[job.Status]
	if word == "" {
		word = "PENDING"
	}
	results := []string{}
	if job.Status == processes.Successful {
		all, err := a.Jobs.Engine.ResultsOf(c.UserContext(), job)
		if err != nil {
			return err
		}
		for _, one := range a.Jobs.Addresses(c, job, all) {
			results = append(results, one.Href)
		}
	}
	return c.JSON(fiber.Map{"USER_INFO": fiber.Map{
		"job_id": job.ID, "job_status": word, "process": percent(job.Progress), "results": results, "unprocessed": 0,
		"logs": []string{httpkit.BaseURL(c) + "/jobs/" + url.PathEscape(job.ID) + "/log"}, "message": job.Message,
	}})
}

// moment is a time as WPS writes it.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
