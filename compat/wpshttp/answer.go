package wpshttp

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/chains"
	"swath/fault"
	"swath/httpkit"
	"swath/processes"
)

// described is a process as DescribeProcess tells of it.
type described struct {
	chains.Chain
	Ins, Outs []parameter
}

// parameter is an input or output.
type parameter struct {
	chains.Field
	Form     string // literal, complex or box
	DataType string // of a literal
	Allowed  []string
	Usual    string // the default
	Media    string // of a complex one
	Encoding string
	Most     string // occurrences
}

func describedOf(chain chains.Chain) described {
	d := described{Chain: chain}
	for _, f := range chain.Inputs {
		d.Ins = append(d.Ins, parameterOf(f))
	}
	for _, f := range chain.Outputs {
		d.Outs = append(d.Outs, parameterOf(f))
	}
	return d
}

func parameterOf(f chains.Field) parameter {
	p := parameter{Field: f, Form: "literal", DataType: "string", Most: strconv.Itoa(f.Max)}
	if f.Max == 0 {
		p.Most = "999"
	}
	if !f.Required {
		p.Min = 0
	}
	kind, _ := f.Schema["type"].(string)
	switch {
	case f.Kind == chains.AFile:
		p.Form, p.Media, p.Encoding = "complex", f.Media, "base64"
		if p.Media == "" {
			p.Media = fiber.MIMEOctetStream
		}
	case f.Kind == chains.AnItem:
		p.Form, p.Media = "complex", "application/geo+json"
	case f.Kind != chains.Value:
	case f.Schema["format"] == "ogc-bbox":
		p.Form = "box"
	case kind == "object":
		p.Form, p.Media = "complex", fiber.MIMEApplicationJSON
	case kind == "number":
		p.DataType = "double"
	case f.Schema["format"] == "date-time":
		p.DataType = "dateTime"
	case kind != "":
		p.DataType = kind // integer, boolean, string
	}
	if values, ok := f.Schema["enum"].([]any); ok {
		for _, v := range values {
			if text, ok := v.(string); ok {
				p.Allowed = append(p.Allowed, text)
			}
		}
	}
	if f.Default != nil && p.Form == "literal" && !f.Many {
		p.Usual = plain(f.Default)
	}
	return p
}

// plain is JSON as a literal: a text is itself.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// responded is an ExecuteResponse.
type responded struct {
	chains.Chain
	URL, StatusURL, InfoURL string
	Status                  string // the element
	When, Text              string
	Percent                 int
	Failure                 exception
	Outputs                 []given
}

// given is one value of an output: itself, or where it is.
type given struct {
	parameter
	Value, Href  string
	Lower, Upper string // of a box
}

func percent(progress int) string { return strconv.Itoa(progress) + "%" }

// tell answers with a job as an ExecuteResponse.
func (a API) tell(c *fiber.Ctx, chain chains.Chain, job processes.Job) error {
	d := responded{Chain: chain, URL: httpkit.BaseURL(c) + "/wps", StatusURL: jobURL(c, job, ".xml"), InfoURL: jobURL(c, job, ".json"),
		When: moment(job.Updated), Text: job.Message, Percent: min(job.Progress, 99)}
	switch job.Status {
	case processes.Accepted:
		d.Status = "ProcessAccepted"
	case processes.Running:
		d.Status = "ProcessStarted"
	case processes.Successful:
		d.Status = "ProcessSucceeded"
		all, err := a.Jobs.Engine.ResultsOf(c.UserContext(), job)
		if err != nil {
			return err
		}
		d.Outputs = a.outputs(c, chain, job, all)
	case processes.Failed, processes.Dismissed:
		d.Status, d.Failure = "ProcessFailed", exception{Code: "NoApplicableCode", Text: job.Message}
		for _, kind := range fault.Kinds() {
			if kind.String() == job.FailureKind && codes[kind] != "" {
				d.Failure.Code = codes[kind]
			}
		}
	}
	return send(c, "response.xml", d)
}

// outputs are the values that were asked for. Files and items are references.
func (a API) outputs(c *fiber.Ctx, chain chains.Chain, job processes.Job, all []processes.Result) (list []given) {
	values := map[string]json.RawMessage{}
	for _, r := range all {
		if r.Parts == nil {
			values[r.Name] = r.Value
		}
	}
	for _, at := range a.Jobs.Addresses(c, job, all) {
		asked, ok := job.Request.Outputs[at.Output]
		if !ok && len(job.Request.Outputs) > 0 {
			continue
		}
		f, _ := chain.Output(at.Output)
		g := given{parameter: parameterOf(f), Href: at.Href}
		if g.Media == "" {
			g.Media = at.Media
		}
		if value, ok := values[at.Output]; ok && asked.Transmission != "reference" {
			g.Value, g.Href = plain(value), ""
			if g.Form == "box" {
				g.Lower, g.Upper = corners(value)
			}
		}
		list = append(list, g)
	}
	return list
}

// corners are those of a box, as WPS writes them.
func corners(value json.RawMessage) (lower, upper string) {
	var box chains.BBox
	if json.Unmarshal(value, &box) != nil || len(box.BBox)%2 != 0 {
		return "", ""
	}
	words := make([]string, len(box.BBox))
	for i, v := range box.BBox {
		words[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	half := len(words) / 2
	return strings.Join(words[:half], " "), strings.Join(words[half:], " ")
}
