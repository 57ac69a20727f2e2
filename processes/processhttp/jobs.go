package processhttp

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/processes"
	"swath/stac"
)

// How many jobs are listed.
const (
	usualJobs = 50
	mostJobs  = 1000
)

// status is a job as it is told (statusInfo).
type status struct {
	ProcessID    string     `json:"processID"`
	Version      string     `json:"processVersion"`
	Type         string     `json:"type"`
	JobID        string     `json:"jobID"`
	Status       string     `json:"status"`
	Message      string     `json:"message,omitempty"`
	Progress     int        `json:"progress"`
	Created      time.Time  `json:"created"`
	Started      *time.Time `json:"started,omitempty"`
	Finished     *time.Time `json:"finished,omitempty"`
	Updated      time.Time  `json:"updated"`
	Expires      *time.Time `json:"expires,omitempty"` // of the results
	Attempts     int        `json:"attempts,omitempty"`
	Subscription string     `json:"subscription,omitempty"`
	Links        []link     `json:"links"`
}

func statusOf(c *fiber.Ctx, j processes.Job) status {
	self := jobURL(c, j.ID)
	s := status{
		ProcessID: j.Process, Version: j.Version, Type: "process", JobID: j.ID, Status: string(j.Status), Message: j.Message, Progress: j.Progress,
		Created: j.Created.UTC(), Started: utc(j.Started), Finished: utc(j.Finished), Updated: j.Updated.UTC(), Expires: utc(j.Expires),
		Attempts: j.Attempts, Subscription: j.Subscription,
		Links: []link{
			{"self", self, stac.TypeJSON, "This job"},
			{"monitor", self, stac.TypeJSON, "This job"},
			{"alternate", self + "?f=html", stac.TypeHTML, "This job as a page"},
			{"process", processURL(c, j.Process), stac.TypeJSON, "The process"},
			{"log", self + "/log", fiber.MIMETextPlain, "What it says"},
			{"prov", self + "/prov", stac.TypeJSON, "Of what and by what its results are made"},
		},
	}
	switch j.Status {
	case processes.Successful:
		s.Links = append(s.Links, link{relResults, self + "/results", stac.TypeJSON, "The results"})
	case processes.Failed:
		s.Links = append(s.Links, link{relations + "exceptions", self + "/results", httpkit.ProblemType, "Why it failed"})
	}
	return s
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	in := t.UTC()
	return &in
}

// jobs serves GET /jobs.
func (a API) jobs(c *fiber.Ctx) error {
	fresh(c)
	if err := a.seesJobs(c.UserContext()); err != nil {
		return err
	}
	q, err := query(c, "type", "processID", "status", "datetime", "minDuration", "maxDuration", "limit", "token", "subscription")
	if err != nil {
		return err
	}
	f, none, err := filterOf(q)
	if err != nil {
		return err
	}
	var page processes.JobPage
	if !none {
		if page, err = a.Engine.Jobs(c.UserContext(), f); err != nil {
			return err
		}
	}
	base := httpkit.BaseURL(c)
	next := ""
	if page.Next != "" {
		q.Del("f")
		q.Set("token", page.Next)
		next = base + "/jobs?" + q.Encode()
	}
	if httpkit.WantsHTML(c) {
		return a.jobsPage(c, page.Jobs, next)
	}
	out := struct {
		Jobs  []status `json:"jobs"`
		Links []link   `json:"links"`
	}{[]status{}, []link{{"self", base + c.OriginalURL(), stac.TypeJSON, "The jobs"}, {"alternate", base + "/jobs?f=html", stac.TypeHTML, "The jobs as a page"}}}
	for _, j := range page.Jobs {
		out.Jobs = append(out.Jobs, statusOf(c, j))
	}
	if next != "" {
		out.Links = append(out.Links, link{"next", next, stac.TypeJSON, "More of them"})
	}
	return sendJSON(c, out)
}

// filterOf reads which jobs are asked for. None says that there can't be any.
func filterOf(q url.Values) (f processes.JobFilter, none bool, err error) {
	f = processes.JobFilter{Processes: listed(q["processID"]), Subscription: q.Get("subscription"), Limit: usualJobs, Token: q.Get("token")}
	none = q.Has("type") && !slices.Contains(listed(q["type"]), "process")
	known := []processes.Status{processes.Accepted, processes.Running, processes.Successful, processes.Failed, processes.Dismissed}
	for _, name := range listed(q["status"]) {
		if !slices.Contains(known, processes.Status(name)) {
			return f, none, fault.New(fault.Invalid, "status %.60q is none of accepted, running, successful, failed, dismissed", name)
		}
		f.Statuses = append(f.Statuses, processes.Status(name))
	}
	if q.Get("datetime") != "" {
		within, err := stac.ParseDatetime(q.Get("datetime"))
		if err != nil {
			return f, none, err
		}
		if within != nil {
			f.Since, f.Until = within.Start, within.End
		}
	}
	for _, one := range []struct {
		name string
		to   *float64
	}{{"minDuration", &f.MinSeconds}, {"maxDuration", &f.MaxSeconds}} {
		if !q.Has(one.name) {
			continue
		}
		if *one.to, err = strconv.ParseFloat(q.Get(one.name), 64); err != nil || !(*one.to >= 0) {
			return f, none, fault.New(fault.Invalid, "%s %.60q is not a number of seconds", one.name, q.Get(one.name))
		}
		none = none || one.name == "maxDuration" && *one.to == 0
	}
	if q.Has("limit") {
		if f.Limit, err = strconv.Atoi(q.Get("limit")); err != nil || f.Limit < 1 {
			return f, none, fault.New(fault.Invalid, "limit %.60q is not 1 to %d", q.Get("limit"), mostJobs)
		}
		f.Limit = min(f.Limit, mostJobs)
	}
	return f, none, nil
}

// listed returns the words of parameters that hold several, between commas or one a parameter.
func listed(values []string) (words []string) {
	for _, value := range values {
		for word := range strings.SplitSeq(value, ",") {
			if word = strings.TrimSpace(word); word != "" {
				words = append(words, word)
			}
		}
	}
	return words
}

// find returns the job that the path names.
func (a API) find(c *fiber.Ctx) (processes.Job, error) {
	fresh(c)
	j, err := a.Engine.Job(c.UserContext(), c.Params("job"))
	return j, named(noSuchJob, err)
}

// job serves GET /jobs/{job}.
func (a API) job(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	j, err := a.find(c)
	if err != nil {
		return err
	}
	if httpkit.WantsHTML(c) {
		return a.jobPage(c, j)
	}
	if !j.Status.Ended() {
		c.Set(fiber.HeaderRetryAfter, "2")
	}
	return sendJSON(c, statusOf(c, j))
}

// dismiss serves DELETE /jobs/{job} and POST /jobs/{job}/dismiss.
func (a API) dismiss(c *fiber.Ctx) error {
	fresh(c)
	j, err := a.Engine.Dismiss(c.UserContext(), c.Params("job"))
	if err != nil {
		return named(noSuchJob, err)
	}
	if c.Method() == fiber.MethodPost {
		return c.Redirect(httpkit.BaseURL(c)+"/jobs?f=html", fiber.StatusSeeOther)
	}
	return c.JSON(statusOf(c, j))
}

// provenance serves GET /jobs/{job}/prov.
func (a API) provenance(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	fresh(c)
	body, err := a.Engine.Provenance(c.UserContext(), c.Params("job"))
	if err != nil {
		return named(noSuchJob, err)
	}
	return httpkit.Send(c, fiber.MIMEApplicationJSON, body)
}

// duration says how long something took.
func duration(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
