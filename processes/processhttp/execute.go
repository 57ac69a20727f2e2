package processhttp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/chains"
	"swath/fault"
	"swath/httpkit"
	"swath/processes"
)

// preferences are what a Prefer header asks (RFC 7240).
type preferences struct {
	async bool
	wait  time.Duration // 0: as long as a request may
}

func preferencesOf(c *fiber.Ctx) (p preferences) {
	for _, one := range strings.FieldsFunc(c.Get("Prefer"), func(r rune) bool { return r == ',' || r == ';' }) {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(one)), "=")
		switch name {
		case "respond-async":
			p.async = true
		case "wait":
			if s, err := strconv.Atoi(strings.Trim(value, `" `)); err == nil && s > 0 {
				p.wait = time.Duration(s) * time.Second
			}
		}
	}
	return p
}

// execute serves POST /processes/{process}/execution: of JSON, or of the form of the process's page. Who takes JSON and nothing else gets
// problems as such, which the standard allows and its test suite asks for.
func (a API) execute(c *fiber.Ctx) error {
	err := a.executed(c)
	if err != nil && c.Get(fiber.HeaderAccept) == fiber.MIMEApplicationJSON {
		return httpkit.PlainProblem(c, err)
	}
	return err
}

func (a API) executed(c *fiber.Ctx) error {
	fresh(c)
	q, err := query(c, "dryRun")
	if err != nil {
		return err
	}
	dry := q.Get("dryRun")
	if dry != "" && dry != "true" && dry != "false" {
		return fault.New(fault.Invalid, "dryRun is %.60q; it may be true or false", dry)
	}
	chain, err := a.Engine.Process(c.UserContext(), c.Params("process"))
	if err != nil {
		return named(noSuchProcess, err)
	}
	if err := a.Engine.May(c.UserContext()); err != nil {
		return err
	}
	if kind := c.Get(fiber.HeaderContentType); strings.HasPrefix(kind, fiber.MIMEApplicationForm) || strings.HasPrefix(kind, fiber.MIMEMultipartForm) {
		return a.executeForm(c, chain)
	}
	r, err := readRequest(c)
	if err != nil {
		return err
	}
	if dry == "true" {
		plan, err := a.Engine.Plan(Asked(c), chain.ID, r)
		if err != nil {
			return err
		}
		return c.JSON(planOf(plan))
	}
	prefer := preferencesOf(c)
	job, err := a.Engine.Submit(Asked(c), chain.ID, r)
	if err != nil {
		return err
	}
	defer httpkit.Anew(c)() // its body may have taken all of its time
	if prefer.async {
		c.Set("Preference-Applied", "respond-async")
		return created(c, job)
	}
	if job, err = a.Await(c.UserContext(), job, prefer.wait); err != nil {
		return err
	}
	if !job.Status.Ended() { // it goes on, and is told of as one that was asked for later
		return created(c, job)
	}
	c.Append(fiber.HeaderLink, "<"+jobURL(c, job.ID)+`>; rel="monitor"`)
	results, err := a.Engine.ResultsOf(c.UserContext(), job)
	if err != nil {
		return err
	}
	return a.answer(c, job, results)
}

// Asked is the context of a request that names things by the address under which the client knows this server.
func Asked(c *fiber.Ctx) context.Context {
	return processes.WithBase(c.UserContext(), httpkit.BaseURL(c))
}

// Await waits for a job as long as the request may take, or less where most says so. A job that has not ended then is returned as it is.
func (a API) Await(ctx context.Context, job processes.Job, most time.Duration) (processes.Job, error) {
	if end, ok := ctx.Deadline(); ok {
		if left := time.Until(end) * 9 / 10; most == 0 || most > left { // the rest is for the answer
			most = left
		}
	}
	waiting, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	done, err := a.Engine.Wait(waiting, job.ID)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return a.Engine.Job(ctx, job.ID)
	}
	return done, err
}

// created answers with a job that was made.
func created(c *fiber.Ctx, job processes.Job) error {
	c.Location(jobURL(c, job.ID))
	return c.Status(fiber.StatusCreated).JSON(statusOf(c, job))
}

// readRequest reads the body of an execution. What it does not know it refuses, so that a slip of the pen is not a default.
func readRequest(c *fiber.Ctx) (r processes.Request, err error) {
	if kind := c.Get(fiber.HeaderContentType); kind != "" && !strings.HasPrefix(kind, fiber.MIMEApplicationJSON) {
		return r, fiber.NewError(fiber.StatusUnsupportedMediaType, "an execution is application/json")
	}
	document, uploads, err := lighten(httpkit.Body(c), func() (*os.File, error) { return httpkit.TempFile(c) })
	if err != nil {
		return r, err
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fault.New(fault.Invalid, "the body is not an execution: %s", mistake(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, fault.New(fault.Invalid, "the body is not an execution: more follows its end")
	}
	r.Uploads = uploads
	return r, checkRequest(r)
}

// mistake says what is wrong with JSON without the names of our types.
func mistake(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return "at " + kind.Field + " it has a " + kind.Value
	case errors.Is(err, io.EOF):
		return "it is empty"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

func checkRequest(r processes.Request) error {
	if r.Response != "" && r.Response != "raw" && r.Response != "document" {
		return fault.New(fault.Invalid, "response is %.60q; it may be raw or document", r.Response)
	}
	for name, o := range r.Outputs {
		if o.Transmission != "" && o.Transmission != "value" && o.Transmission != "reference" {
			return fault.New(fault.Invalid, "output %.60q: transmissionMode is %.60q; it may be value or reference", name, o.Transmission)
		}
	}
	return nil
}

// plan is what an execution would cost, as it is told.
type plan struct {
	Process   string       `json:"processID"`
	Version   string       `json:"version"`
	Items     []pinnedItem `json:"items"`
	Bytes     int64        `json:"bytes"`
	Stage     int64        `json:"bytes_to_stage"`
	MemoryMiB int          `json:"memory_mib"`
	Minutes   int          `json:"minutes_at_most"`
}

type pinnedItem struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
}

func planOf(p processes.Plan) plan {
	out := plan{p.Process, p.Version, []pinnedItem{}, p.Bytes, p.StageBytes, p.MemoryMiB, p.Minutes}
	for _, it := range p.Items {
		out.Items = append(out.Items, pinnedItem{it.Collection, it.ID})
	}
	return out
}

// inputField is the name of an input in a form.
const inputField = "input."

// executeForm makes a job of a form and leads to its page; what is wrong is said in the form.
func (a API) executeForm(c *fiber.Ctx, chain chains.Chain) error {
	form, err := httpkit.ReadForm(c)
	if err != nil {
		return a.wrongForm(c, chain, nil, err)
	}
	given := map[string]string{}
	r := processes.Request{Inputs: map[string]json.RawMessage{}, Uploads: map[string]*processes.Upload{}}
	var wrong error
	for _, f := range chain.Inputs {
		text := strings.ReplaceAll(form.Value(inputField+f.Name), "\r\n", "\n")
		given[f.Name] = text
		files, err := uploaded(form, f, r.Uploads)
		switch text = strings.TrimSpace(text); {
		case err != nil:
			wrong = err
		case files != nil && text != "":
			wrong = fault.New(fault.Invalid, "input %q: takes an address or files from here, not both", f.Name)
		case files != nil:
			r.Inputs[f.Name] = files
		case f.Many && text != "" && !strings.HasPrefix(text, "["):
			r.Inputs[f.Name] = f.Read(strings.Split(text, "\n")...)
		case text != "":
			r.Inputs[f.Name] = f.Read(given[f.Name])
		}
	}
	var job processes.Job
	if wrong == nil {
		job, wrong = a.Engine.Submit(Asked(c), chain.ID, r)
	}
	if wrong != nil {
		return a.wrongForm(c, chain, given, wrong)
	}
	return c.Redirect(jobURL(c, job.ID)+"?f=html", fiber.StatusSeeOther)
}

// wrongForm shows a form again with what is wrong, where that can be mended there.
func (a API) wrongForm(c *fiber.Ctx, chain chains.Chain, given map[string]string, wrong error) error {
	kind, _ := fault.Of(wrong)
	status, known := map[fault.Kind]int{fault.Invalid: fiber.StatusBadRequest, fault.NotFound: fiber.StatusBadRequest,
		fault.TooLarge: fiber.StatusRequestEntityTooLarge, fault.OverQuota: fiber.StatusTooManyRequests}[kind]
	if !known {
		return wrong
	}
	c.Status(status)
	return a.processPage(c, chain, given, wrong)
}

// uploaded returns what stands for the files that a form brings for an input, and notes them in uploads; nil where there are none.
func uploaded(form *httpkit.Form, f chains.Field, uploads map[string]*processes.Upload) (json.RawMessage, error) {
	type value struct {
		Value string `json:"value"`
		Media string `json:"mediaType,omitempty"`
	}
	var all []value
	for _, file := range form.Files[inputField+f.Name] {
		key := rand.Text()
		uploads[key] = &processes.Upload{File: file.File, Bytes: file.Bytes, Name: file.Name}
		all = append(all, value{key, file.Media})
	}
	switch {
	case len(all) == 0:
		return nil, nil
	case f.Kind != chains.AFile:
		return nil, fault.New(fault.Invalid, "input %q: takes no file", f.Name)
	case f.Many:
		return json.Marshal(all)
	case len(all) > 1:
		return nil, fault.New(fault.Invalid, "input %q: takes one file", f.Name)
	}
	return json.Marshal(all[0])
}

// seesJobs lets those pass who have jobs: accounts, and strangers where they may execute.
func (a API) seesJobs(ctx context.Context) error {
	if a.Strangers {
		return nil
	}
	return auth.From(ctx).Require(auth.Reader)
}
