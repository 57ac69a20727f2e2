// Package jobclient lets jobs run on a server that speaks OGC API Processes, from a script.
//
//	Inputs (key=value) ─▶ Submit ─▶ Wait ─▶ Results ─▶ Save: files, items, results.json in a folder
//
// The key is sent to that server alone. A server that restarts while a job is waited for is asked again.
package jobclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"swath/chains"
	"swath/fault"
)

// Client is one server and who asks.
type Client struct {
	URL string // of its landing page
	Key string // API key; empty: a stranger
}

// Job is a job as the server tells of it.
type Job struct {
	ID       string     `json:"jobID"`
	Process  string     `json:"processID"`
	Status   string     `json:"status"`
	Message  string     `json:"message"`
	Progress int        `json:"progress"`
	Created  time.Time  `json:"created"`
	Started  *time.Time `json:"started,omitempty"`
	Finished *time.Time `json:"finished,omitempty"`
}

// Ended reports whether nothing more becomes of it.
func (j Job) Ended() bool {
	return j.Status == "successful" || j.Status == "failed" || j.Status == "dismissed"
}

// mostDocument is how long a document may be that a server sends, in bytes.
const mostDocument = 64 << 20

// answerTime is how long a server may take until an answer begins.
const answerTime = 90 * time.Second

// client follows redirects on its own server only, since the key goes along.
var client = &http.Client{
	Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: answerTime},
	CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if next.URL.Host != via[0].URL.Host || len(via) > 5 {
			return errors.New("the server leads elsewhere")
		}
		return nil
	},
}

// do sends a request, and returns an answer below 400; other answers are faults with the server's words.
func (c Client) do(ctx context.Context, method, address string, body []byte, headers ...string) (*http.Response, error) {
	if c.URL == "" {
		return nil, fault.New(fault.Invalid, "--url names no server")
	}
	base := strings.TrimRight(c.URL, "/")
	if strings.HasPrefix(address, "/") {
		address = base + address
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil || req.URL.Host == "" {
		return nil, fault.New(fault.Invalid, "%q is no address of a server", c.URL)
	}
	if own, err := url.Parse(base); c.Key != "" && err == nil && own.Scheme == req.URL.Scheme && own.Host == req.URL.Host {
		req.Header.Set("X-API-Key", c.Key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	answer, err := client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fault.New(fault.Unavailable, "the server can't be reached: %v", errors.Unwrap(err))
	}
	if answer.StatusCode < 400 {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, refused(answer)
}

// kinds are what statuses mean to a client.
var kinds = map[int]fault.Kind{
	http.StatusBadRequest: fault.Invalid, http.StatusNotFound: fault.NotFound, http.StatusUnauthorized: fault.Unauthenticated, http.StatusForbidden: fault.Forbidden,
	http.StatusConflict: fault.Conflict, http.StatusTooManyRequests: fault.OverQuota, http.StatusRequestEntityTooLarge: fault.TooLarge,
	http.StatusBadGateway: fault.Unavailable, http.StatusServiceUnavailable: fault.Unavailable, http.StatusGatewayTimeout: fault.Unavailable,
}

// refused makes an error of an answer.
func refused(answer *http.Response) error {
	var problem struct{ Title, Detail string }
	body, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
		problem.Detail = answer.Status
	}
	kind, ok := kinds[answer.StatusCode]
	if !ok {
		kind = fault.Conflict // its words are the server's own, and may be read
	}
	return fault.New(kind, "the server says: %s", problem.Detail)
}

// decode sends a request and reads the document that comes.
func (c Client) decode(ctx context.Context, into any, method, address string, body []byte, headers ...string) error {
	answer, err := c.do(ctx, method, address, body, append([]string{"Accept", "application/json"}, headers...)...)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(io.LimitReader(answer.Body, mostDocument)).Decode(into); err != nil {
		return fault.New(fault.Conflict, "the server answers with what is not JSON (%s): %v", answer.Header.Get("Content-Type"), err)
	}
	return nil
}

// Inputs makes inputs of words key=value, as the process's description says. A value is a text, JSON, or @path: what a file says, or the file itself where
// the input is one and it is not JSON; a key that is given several times is a list.
func (c Client) Inputs(ctx context.Context, process string, words []string) (map[string]json.RawMessage, error) {
	var described struct {
		Inputs map[string]struct{ Schema map[string]any }
	}
	if err := c.decode(ctx, &described, http.MethodGet, "/processes/"+url.PathEscape(process), nil); err != nil {
		return nil, err
	}
	texts := map[string][]string{}
	for _, word := range words {
		name, text, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fault.New(fault.Invalid, "%q is not key=value", word)
		}
		if _, ok := described.Inputs[name]; !ok {
			return nil, fault.New(fault.Invalid, "input %q: the process %s has none of this name", name, process)
		}
		if path, ok := strings.CutPrefix(text, "@"); ok {
			body, err := os.ReadFile(path)
			if err != nil {
				return nil, fault.New(fault.Invalid, "input %q: %v", name, err)
			}
			if text = string(body); !json.Valid(body) && fieldOf(name, described.Inputs[name].Schema).Kind == chains.AFile {
				if text, err = byValue(path, body); err != nil {
					return nil, err
				}
			}
		}
		texts[name] = append(texts[name], text)
	}
	inputs := map[string]json.RawMessage{}
	for name, all := range texts {
		f := fieldOf(name, described.Inputs[name].Schema)
		if !f.Many && len(all) > 1 {
			return nil, fault.New(fault.Invalid, "input %q: takes one value", name)
		}
		inputs[name] = f.Read(all...)
	}
	return inputs, nil
}

// byValue is a file as an input takes it (OGC 18-062r2, qualifiedInputValue).
func byValue(path string, body []byte) (string, error) {
	media, _, err := mime.ParseMediaType(mime.TypeByExtension(filepath.Ext(path)))
	if err != nil {
		media = "application/octet-stream"
	}
	said, err := json.Marshal(map[string]any{"value": body, "mediaType": media, "encoding": "base64"})
	return string(said), err
}

// fieldOf reads as much of a description as it takes to read texts.
func fieldOf(name string, schema map[string]any) chains.Field {
	f := chains.Field{Name: name, Schema: schema}
	if items, ok := schema["items"].(map[string]any); ok && schema["type"] == "array" {
		f.Many, f.Schema = true, items
	}
	for _, several := range []string{"anyOf", "oneOf"} {
		if forms, ok := f.Schema[several].([]any); ok && len(forms) > 0 {
			if first, ok := forms[0].(map[string]any); ok && first["type"] == "string" {
				f.Kind = chains.AProduct // an id, or something more
			}
		}
	}
	if parts, ok := f.Schema["allOf"].([]any); ok && len(parts) > 0 {
		if first, ok := parts[0].(map[string]any); ok && first["format"] == "ogc-bbox" {
			f.Schema = first
		}
	}
	if _, ok := f.Schema["enum"]; ok && f.Schema["type"] == nil {
		f.Schema["type"] = "string"
	}
	if _, ok := f.Schema["contentMediaType"]; ok {
		f.Kind = chains.AFile
	}
	return f
}

// Request is an execution.
type Request struct {
	Inputs   map[string]json.RawMessage `json:"inputs"`
	Priority int                        `json:"priority,omitempty"`
}

// Submit makes a job.
func (c Client) Submit(ctx context.Context, process string, r Request) (j Job, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return j, err
	}
	return j, c.decode(ctx, &j, http.MethodPost, "/processes/"+url.PathEscape(process)+"/execution", body, "Content-Type", "application/json", "Prefer", "respond-async")
}

// Plan says what a job would cost, in the server's words.
func (c Client) Plan(ctx context.Context, process string, r Request) (plan json.RawMessage, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return plan, c.decode(ctx, &plan, http.MethodPost, "/processes/"+url.PathEscape(process)+"/execution?dryRun=true", body, "Content-Type", "application/json")
}

func jobPath(id string) string { return "/jobs/" + url.PathEscape(id) }

// Job returns a job.
func (c Client) Job(ctx context.Context, id string) (j Job, err error) {
	return j, c.decode(ctx, &j, http.MethodGet, jobPath(id), nil)
}

// Jobs lists jobs, the newest first, until limit.
func (c Client) Jobs(ctx context.Context, filter url.Values, limit int) (all []Job, err error) {
	filter.Set("limit", strconv.Itoa(limit))
	for address := "/jobs?" + filter.Encode(); address != "" && len(all) < limit; {
		var page struct {
			Jobs  []Job
			Links []struct{ Rel, Href string }
		}
		if err := c.decode(ctx, &page, http.MethodGet, address, nil); err != nil {
			return nil, err
		}
		all, address = append(all, page.Jobs...), ""
		for _, l := range page.Links {
			if l.Rel == "next" {
				address = l.Href
			}
		}
	}
	return all[:min(limit, len(all))], nil
}

// Dismiss ends a job, or removes one that has ended.
func (c Client) Dismiss(ctx context.Context, id string) (j Job, err error) {
	return j, c.decode(ctx, &j, http.MethodDelete, jobPath(id), nil)
}

// How a job is waited for.
const (
	firstLook  = 500 * time.Millisecond
	lastLook   = 5 * time.Second
	mostSilent = 2 * time.Minute // of a server that can't be reached
)

// Wait looks at a job until it has ended, and tells each look.
func (c Client) Wait(ctx context.Context, id string, tell func(Job)) (Job, error) {
	heard := time.Now()
	for pause := firstLook; ; pause = min(pause*5/4, lastLook) {
		j, err := c.Job(ctx, id)
		switch {
		case err == nil:
			heard = time.Now()
			tell(j)
			if j.Ended() {
				return j, nil
			}
		case !fault.Is(err, fault.Unavailable) || time.Since(heard) > mostSilent:
			return j, err
		}
		select {
		case <-ctx.Done():
			return j, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Log writes what a job says; of one who follows it until the job has ended.
func (c Client) Log(ctx context.Context, id string, follow bool, w io.Writer) error {
	answer, err := c.do(ctx, http.MethodGet, fmt.Sprintf("%s/log?follow=%t", jobPath(id), follow), nil, "Accept", "text/plain")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(w, answer.Body)
	return err
}
