package processhttp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/chains"
	"swath/fault"
	"swath/httpkit"
	"swath/processes"
)

// logTail is how much of a log a page shows, in bytes.
const logTail = 16 << 10

// refreshS is after how many seconds a page of what is under way is asked for again.
const refreshS = 3

// control is one input of a form.
type control struct {
	chains.Field
	Name, Hint, Type, Value string
	Least, Most             string   // of a number
	Options                 []string // of a choice
	Rows                    int      // of a text of several lines; 0: it is one line
	Upload                  bool     // of a file, which may come from where the browser is
}

// controlOf makes the input of a form that suits a schema.
func (a API) controlOf(f chains.Field, value string) control {
	c := control{Field: f, Name: inputField + f.Name, Type: "text", Value: value, Hint: f.Doc}
	kind, _ := f.Schema["type"].(string)
	if f.Kind != chains.Value {
		kind = "string"
	}
	if values, ok := f.Schema["enum"].([]any); ok && !f.Many {
		for _, v := range values {
			if text, ok := v.(string); ok {
				c.Options = append(c.Options, text)
			}
		}
	}
	switch {
	case f.Many:
		c.Rows, c.Hint = 3, c.Hint+" (one a line)"
	case kind == "boolean":
		c.Options = []string{"true", "false"}
	case kind == "integer" || kind == "number":
		c.Type, c.Least, c.Most = "number", bound(f.Schema["minimum"]), bound(f.Schema["maximum"])
	case kind == "object" && f.Schema["format"] == "ogc-bbox":
		c.Hint += " (west,south,east,north in degrees)"
	case kind == "object" || kind == "array":
		c.Rows, c.Hint = 3, c.Hint+" (JSON)"
	case kind == "" && c.Options == nil: // of several types, or of any
		c.Rows, c.Hint = 3, c.Hint+" (text or JSON)"
	}
	switch f.Kind {
	case chains.AProduct, chains.AnItem:
		c.Hint += " (id or address of an item)"
	case chains.AFile:
		c.Upload = true
		c.Hint += " (its address, or a file from here"
		if a.MostUpload > 0 {
			c.Hint += fmt.Sprintf(": %d MiB together", a.MostUpload>>20)
		}
		c.Hint += ")"
	case chains.AFolder:
		c.Hint += " (name of a folder that the operator provides)"
		if !f.Many {
			c.Options = a.Engine.Folders()
		}
	}
	if f.Default != nil {
		c.Hint += "; otherwise " + strings.Trim(string(f.Default), `"`)
	}
	return c
}

// bound is a limit of numbers as a form has it; "" where there is none.
func bound(limit any) string {
	if limit == nil {
		return ""
	}
	return fmt.Sprint(limit)
}

// processPage shows a process with the form that executes it; given is what was typed before, wrong why that was not good.
func (a API) processPage(c *fiber.Ctx, chain chains.Chain, given map[string]string, wrong error) error {
	controls := make([]control, len(chain.Inputs))
	for i, f := range chain.Inputs {
		controls[i] = a.controlOf(f, given[f.Name])
	}
	data := fiber.Map{"Base": httpkit.BaseURL(c), "Title": chain.Title, "Chain": chain, "Controls": controls, "Self": processURL(c, chain.ID), "Token": a.token(c),
		"May": a.Engine.May(c.UserContext()) == nil}
	if wrong != nil {
		_, data["Wrong"] = fault.Of(wrong)
	}
	fresh(c)
	return pages.Send(c, "process.html", data)
}

func (a API) token(c *fiber.Ctx) string {
	if a.FormToken == nil {
		return ""
	}
	return a.FormToken(c)
}

// row is a job as a page shows it.
type row struct {
	processes.Job
	URL, ProcessURL, Took string
	Ended                 bool
}

func rowOf(c *fiber.Ctx, j processes.Job) row {
	r := row{Job: j, URL: jobURL(c, j.ID), ProcessURL: processURL(c, j.Process), Ended: j.Status.Ended()}
	if j.Started != nil {
		end := time.Now()
		if j.Finished != nil {
			end = *j.Finished
		}
		r.Took = duration(end.Sub(*j.Started))
	}
	return r
}

// When is when the job was made.
func (r row) When() string { return r.Created.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// jobsPage shows a list of jobs, and again while one of them is under way.
func (a API) jobsPage(c *fiber.Ctx, jobs []processes.Job, next string) error {
	data := fiber.Map{"Base": httpkit.BaseURL(c), "Title": "Jobs", "Next": next}
	rows := make([]row, len(jobs))
	for i, j := range jobs {
		rows[i] = rowOf(c, j)
	}
	if slices.ContainsFunc(rows, func(r row) bool { return !r.Ended }) {
		data["Refresh"] = refreshS
	}
	data["Jobs"] = rows
	return pages.Send(c, "jobs.html", data)
}

// shown is one result as a page shows it.
type shown struct{ Name, Href, Text, Value string }

// jobPage shows a job: how far it is, what it says, what came of it.
func (a API) jobPage(c *fiber.Ctx, j processes.Job) error {
	text, next, _, err := a.Engine.Log(c.UserContext(), j.ID, 0)
	if err != nil {
		return named(noSuchJob, err)
	}
	if next > logTail {
		if text, _, _, err = a.Engine.Log(c.UserContext(), j.ID, next-logTail); err != nil {
			return named(noSuchJob, err)
		}
		_, text, _ = strings.Cut(text, "\n") // the first line may lack its beginning
	}
	inputs := map[string]string{}
	for name, value := range j.Request.Inputs {
		inputs[name] = cut(string(value))
	}
	data := fiber.Map{"Base": httpkit.BaseURL(c), "Title": "Job " + j.ID, "Inputs": inputs, "Job": rowOf(c, j), "Log": text, "Token": a.token(c)}
	if j.Status == processes.Successful {
		all, err := a.Engine.ResultsOf(c.UserContext(), j)
		if err != nil {
			return named(noSuchJob, err)
		}
		var results []shown
		for _, r := range all {
			for i := range max(len(r.Parts), 1) {
				results = append(results, a.shown(c, j, piece{r, i, true}))
			}
		}
		data["Results"] = results
	}
	if !j.Status.Ended() {
		data["Refresh"] = refreshS
	}
	return pages.Send(c, "job.html", data)
}

// mostShown is how much of a plain value a page shows, in bytes.
const mostShown = 400

// cut leaves out what is too long for a page.
func cut(text string) string {
	if len(text) <= mostShown {
		return text
	}
	return strings.ToValidUTF8(text[:mostShown], "") + "…"
}

func (a API) shown(c *fiber.Ctx, j processes.Job, p piece) shown {
	s := shown{Name: p.result.Name, Href: a.address(c, j, p), Text: p.media()}
	switch {
	case p.result.Parts == nil:
		s.Value = cut(string(plainBody(p.result)))
	case p.result.Parts[p.index].Item != "":
		s.Text, s.Href = p.result.Parts[p.index].Item, s.Href+"?f=html"
	default:
		s.Text = p.result.Parts[p.index].Name + ", " + strconv.FormatInt(p.result.Parts[p.index].Bytes, 10) + " bytes"
	}
	return s
}
