package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"swath/internal/contract"
)

// jobStatus is what tests read of a job.
type jobStatus struct {
	JobID, ProcessID, Type, Status, Message string
	Progress                                int
	Created, Started, Finished, Updated     time.Time
	Links                                   []struct{ Rel, Href, Type string }
}

// link returns where a relation leads.
func (j jobStatus) link(rel string) string {
	for _, l := range j.Links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

// endOf waits until a job has ended.
func endOf(t *testing.T, c *contract.Caller, address string, headers ...string) (j jobStatus) {
	t.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		c.Get(address, headers...).JSON(t, &j)
		if j.Status != "accepted" && j.Status != "running" {
			return j
		}
	}
	t.Fatalf("the job has not ended: %+v", j)
	return j
}

// problemOf reads the type and detail of a problem.
func problemOf(t *testing.T, r contract.Response) (uri, detail string) {
	t.Helper()
	var p struct{ Type, Detail string }
	r.JSON(t, &p)
	return p.Type, p.Detail
}

const exceptions = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"

// picture is a file that jobs get and give.
var picture = []byte("\x89PNG\r\n\x1a\nnot really")

// TestProcessesOverHTTP lets a server describe, execute, list and end, as OGC API Processes Part 1 has it; every answer is held against
// the OpenAPI document.
func TestProcessesOverHTTP(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	config := filepath.Join(t.TempDir(), "swath.yaml")
	if err := os.WriteFile(config, []byte("request_timeout: 8s\nprocesses: {upload_mib: 8, folders: {heights: "+t.TempDir()+"}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	base, _ := serveData(t, data, "--config", config)
	c := contract.Remote(t, base)
	const execution = "/processes/echo/execution"

	var conforms struct{ ConformsTo []string }
	c.Get("/conformance").JSON(t, &conforms)
	for _, class := range []string{"core", "json", "ogc-process-description", "oas30", "html", "job-list", "dismiss", "callback"} {
		if !strings.Contains(strings.Join(conforms.ConformsTo, "\n")+"\n", "ogcapi-processes-1/1.0/conf/"+class+"\n") {
			t.Errorf("conformance lacks %s", class)
		}
	}
	var landing jobStatus
	c.Get("/").JSON(t, &landing)
	if landing.link("http://www.opengis.net/def/rel/ogc/1.0/processes") != base+"/processes" || landing.link("http://www.opengis.net/def/rel/ogc/1.0/job-list") != base+"/jobs" {
		t.Errorf("the landing page leads to %+v", landing.Links)
	}

	var list struct {
		Processes []struct{ ID, Version, Title string }
	}
	c.Get("/processes").JSON(t, &list)
	if len(list.Processes) < 3 || list.Processes[0].ID != "echo" || list.Processes[0].Title != "Echo" {
		t.Errorf("processes %+v", list)
	}
	c.Get("/processes?limit=1").JSON(t, &list)
	if len(list.Processes) != 1 {
		t.Errorf("%d processes of limit=1", len(list.Processes))
	}
	var echo struct {
		JobControlOptions, OutputTransmission []string
		Inputs                                map[string]struct {
			MinOccurs, MaxOccurs int
			Schema               map[string]any
		}
		Outputs map[string]struct{ Schema map[string]any }
	}
	c.Get("/processes/echo").JSON(t, &echo)
	if in := echo.Inputs["doubleInput"]; in.MinOccurs != 0 || in.MaxOccurs != 1 || in.Schema["type"] != "number" || in.Schema["maximum"] != 10.0 {
		t.Errorf("doubleInput %+v", in)
	}
	if in := echo.Inputs["imageInput"]; in.Schema["contentMediaType"] != "image/png" || in.Schema["contentEncoding"] != "base64" {
		t.Errorf("imageInput %+v", in)
	}
	if strings.Join(echo.JobControlOptions, " ") != "sync-execute async-execute dismiss" || strings.Join(echo.OutputTransmission, " ") != "value reference" || len(echo.Outputs) < 12 {
		t.Errorf("echo %+v", echo)
	}
	var ortho struct {
		Inputs map[string]struct {
			MinOccurs int
			Schema    map[string]any
		}
	}
	c.Get("/processes/s1ortho").JSON(t, &ortho)
	if in := ortho.Inputs["product"]; in.MinOccurs != 1 || !strings.Contains(fmt.Sprint(in.Schema["items"]), "anyOf") {
		t.Errorf("a product is described as %+v", in)
	}
	if in := ortho.Inputs["dem"]; fmt.Sprint(in.Schema["enum"]) != "[heights]" || !bytes.Contains(c.Get("/processes/s1ortho?f=html").Body, []byte(`<option>heights</option>`)) {
		t.Errorf("a folder is described as %+v", in)
	}
	for address, want := range map[string]string{"/processes/none": "no-such-process", "/jobs/none": "no-such-job", "/jobs/none/results": "no-such-job", "/jobs/none/log": "no-such-job"} {
		if got := c.Get(address); got.Status != 404 {
			t.Errorf("%s: %d", address, got.Status)
		} else if uri, _ := problemOf(t, got); uri != exceptions+want {
			t.Errorf("%s: %s", address, uri)
		}
	}
	if got := c.Do(http.MethodDelete, "/jobs/none", ""); got.Status != 404 {
		t.Errorf("a job that is not there was ended: %d", got.Status)
	}
	if got := c.Post("/processes/none/execution", `{}`); got.Status != 404 {
		t.Errorf("a process that is not there was executed: %d", got.Status)
	}

	t.Run("what is wrong is refused", func(t *testing.T) {
		for body, says := range map[string]string{
			``: "empty", `{`: "not an execution", `[]`: "array", `{"input":{}}`: `"input"`, `{"inputs":{}} x`: "more follows", `{"inputs":{"x":1}}`: `"x"`,
			`{"inputs":{"doubleInput":11}}`: `"doubleInput"`, `{"inputs":{"choiceInput":"Value9"}}`: "Value1", `{"response":"both"}`: "raw or document",
			`{"outputs":{"stringOutput":{"transmissionMode":"post"}}}`: "transmissionMode", `{"outputs":{"none":{}}}`: `"none"`,
			`{"inputs":{"productInput":"none"}}`: `"productInput"`,
		} {
			got := c.Post(execution, body)
			if _, detail := problemOf(t, got); got.Status != 400 || !strings.Contains(detail, says) {
				t.Errorf("%s: %d %s, want 400 and %q", body, got.Status, detail, says)
			}
		}
		if got := c.Post(execution, `{"inputs":{"imageInput":{"type":"wrong/type"}}}`, "Accept", "application/json"); got.Status != 400 || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("to one who takes JSON alone: %d %s", got.Status, got.Header.Get("Content-Type"))
		}
		if got := c.Post(execution, `{"inputs":{"imageInput":{"href":"file:///etc/passwd"}}}`); got.Status != 403 {
			t.Errorf("a file of the server: %d %s", got.Status, got.Body)
		}
		if got := c.Do(http.MethodPost, execution, "<x/>", "Content-Type", "text/xml"); got.Status != 415 {
			t.Errorf("XML: %d", got.Status)
		}
		for _, address := range []string{"/processes?limit=0", "/processes?x=1", "/jobs?limit=0", "/jobs?status=lost", "/jobs?datetime=yesterday", "/jobs?minDuration=-1", "/jobs?token=x", "/processes?f=xml"} {
			if got := c.Get(address); got.Status != 400 {
				t.Errorf("%s: %d", address, got.Status)
			}
		}
	})

	t.Run("at once", func(t *testing.T) {
		file := base64.StdEncoding.EncodeToString(picture)
		inputs := `"inputs":{"stringInput":"hi","measureInput":{"value":{"measurement":2.5,"uom":"m"}},"arrayInput":[1,2],"boundingBoxInput":{"bbox":[1,2,3,4]},
			"imageInput":{"value":"` + file + `","mediaType":"image/png","encoding":"base64"}}`
		got := c.Post(execution, `{`+inputs+`}`)
		var document map[string]any
		got.JSON(t, &document)
		want := `{"arrayOutput":[1,2],"boundingBoxOutput":{"bbox":[1,2,3,4]},"imageOutput":{"encoding":"base64","mediaType":"image/png","title":"image.png","value":"` + file + `"},` +
			`"measureOutput":{"mediaType":"application/json","value":{"measurement":2.5,"uom":"m"}},"stringOutput":"hi"}`
		if body, _ := json.Marshal(document); got.Status != 200 || string(body) != want {
			t.Errorf("%d %s, want %s", got.Status, body, want)
		}
		monitor := regexp.MustCompile(`<(\S+)>; rel="monitor"`).FindStringSubmatch(got.Header.Get("Link"))
		if monitor == nil {
			t.Fatalf("no link to the job: %v", got.Header)
		}
		if j := endOf(t, c, monitor[1]); j.Status != "successful" || j.Progress != 100 {
			t.Errorf("%+v", j)
		}

		one := c.Post(execution, `{`+inputs+`,"response":"raw","outputs":{"stringOutput":{}}}`)
		if string(one.Body) != "hi" || !strings.HasPrefix(one.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("one value, raw: %q as %s", one.Body, one.Header.Get("Content-Type"))
		}
		one = c.Post(execution, `{`+inputs+`,"response":"raw","outputs":{"imageOutput":{}}}`)
		if !bytes.Equal(one.Body, picture) || one.Header.Get("Content-Type") != "image/png" {
			t.Errorf("a file, raw: %q as %s", one.Body, one.Header.Get("Content-Type"))
		}
		ref := c.Post(execution, `{`+inputs+`,"response":"raw","outputs":{"imageOutput":{"transmissionMode":"reference"}}}`)
		item := regexp.MustCompile(`<(\S+)>; rel="item"`).FindStringSubmatch(strings.Join(ref.Header.Values("Link"), ", "))
		if ref.Status != 204 || item == nil {
			t.Fatalf("a reference: %d %v", ref.Status, ref.Header)
		}
		if file := c.Get(item[1]); !bytes.Equal(file.Body, picture) || !strings.HasPrefix(file.Header.Get("Cache-Control"), "private") {
			t.Errorf("behind it: %q, %v", file.Body, file.Header)
		}
		if part := c.Get(item[1], "Range", "bytes=1-3"); part.Status != 206 || string(part.Body) != "PNG" {
			t.Errorf("a range: %d %q", part.Status, part.Body)
		}
		many := c.Post(execution, `{`+inputs+`,"response":"raw","outputs":{"stringOutput":{},"imageOutput":{},"arrayOutput":{"transmissionMode":"reference"}}}`)
		kind, params, err := mime.ParseMediaType(many.Header.Get("Content-Type"))
		if err != nil || kind != "multipart/related" {
			t.Fatalf("several, raw: %s", many.Header.Get("Content-Type"))
		}
		parts := map[string]string{}
		for r := multipart.NewReader(bytes.NewReader(many.Body), params["boundary"]); ; {
			p, err := r.NextRawPart()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(p)
			parts[p.Header.Get("Content-Id")] = p.Header.Get("Content-Type") + " " + string(body)
			if at := p.Header.Get("Content-Location"); at != "" {
				parts[p.Header.Get("Content-Id")] += string(c.Get(at).Body)
			}
		}
		if len(parts) != 3 || parts["<imageOutput>"] != "image/png "+string(picture) || parts["<stringOutput>"] != "text/plain; charset=utf-8 hi" || parts["<arrayOutput>"] != "application/json [1, 2]" {
			t.Errorf("parts %q", parts)
		}
		failed := c.Post(execution, `{"inputs":{"fail":"it was asked to"}}`)
		if _, detail := problemOf(t, failed); failed.Status != 400 || !strings.Contains(detail, "it was asked to") {
			t.Errorf("a failure: %d %s", failed.Status, failed.Body)
		}
		late := c.Post(execution, `{"inputs":{"pause_s":20}}`, "Prefer", "wait=1")
		var j jobStatus
		late.JSON(t, &j)
		if late.Status != 201 || late.Header.Get("Location") != base+"/jobs/"+j.JobID {
			t.Errorf("longer than asked for: %d %s", late.Status, late.Body)
		}
		c.Do(http.MethodDelete, "/jobs/"+j.JobID, "")
		begin := time.Now()
		late = c.Post(execution, `{"inputs":{"pause_s":20}}`)
		late.JSON(t, &j)
		if took := time.Since(begin); late.Status != 201 || took > 8*time.Second {
			t.Errorf("longer than a request may take: %d after %s", late.Status, took)
		}
		c.Do(http.MethodDelete, "/jobs/"+j.JobID, "")
	})

	t.Run("later", func(t *testing.T) {
		got := c.Post(execution, `{"inputs":{"stringInput":"<b>later</b>","pause_s":3,"publish":"made-by-a-test","boundingBoxInput":{"bbox":[1,43,2,44]}}}`, "Prefer", "respond-async")
		var j jobStatus
		got.JSON(t, &j)
		at := got.Header.Get("Location")
		if got.Status != 201 || at != base+"/jobs/"+j.JobID || got.Header.Get("Preference-Applied") != "respond-async" || j.Type != "process" || j.ProcessID != "echo" {
			t.Fatalf("%d %v %s", got.Status, got.Header, got.Body)
		}
		if now := c.Get(at); now.Status != 200 { // it is known at once
			t.Errorf("%d", now.Status)
		}
		if uri, _ := problemOf(t, c.Get(at+"/results")); uri != exceptions+"result-not-ready" {
			t.Errorf("results that are not there: %s", uri)
		}
		events, err := http.NewRequest(http.MethodGet, at+"/log", nil)
		if err != nil {
			t.Fatal(err)
		}
		events.Header.Set("Accept", "text/event-stream")
		stream, err := http.DefaultClient.Do(events)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Body.Close()
		begins, ends := false, false
		for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
			begins = begins || strings.HasPrefix(lines.Text(), "data: ") && strings.Contains(lines.Text(), "echo begins")
			ends = ends || lines.Text() == "event: end"
		}
		if !begins || !ends {
			t.Errorf("the log as events begins: %v, ends: %v", begins, ends)
		}
		j = endOf(t, c, at)
		if j.Status != "successful" || j.Started.IsZero() || j.Finished.Sub(j.Started) < 3*time.Second || j.link("http://www.opengis.net/def/rel/ogc/1.0/results") != at+"/results" {
			t.Errorf("%+v", j)
		}
		var results map[string]json.RawMessage
		c.Get(at+"/results").JSON(t, &results)
		var item struct{ Href, Type string }
		if err := json.Unmarshal(results["item"], &item); err != nil || string(results["stringOutput"]) != `"\u003cb\u003elater\u003c/b\u003e"` || item.Type != "application/geo+json" {
			t.Errorf("results %s", results)
		}
		if made := c.Get(item.Href); made.Status != 200 || !bytes.Contains(made.Body, []byte(`"made-by-a-test"`)) {
			t.Errorf("the item: %d %s", made.Status, made.Body)
		}
		if text := c.Get(at + "/results/stringOutput"); string(text.Body) != "<b>later</b>" || text.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("one output: %q", text.Body)
		}
		if none := c.Get(at + "/results/none"); none.Status != 404 {
			t.Errorf("no such output: %d", none.Status)
		}
		log := c.Get(at + "/log")
		if !bytes.Contains(log.Body, []byte("echo begins")) || log.Header.Get("Swath-Job-Ended") != "true" {
			t.Errorf("log %s %v", log.Body, log.Header)
		}
		if rest := c.Get(at + "/log?offset=" + log.Header.Get("Swath-Next-Offset")); len(rest.Body) != 0 {
			t.Errorf("behind its end: %q", rest.Body)
		}
		var made map[string]map[string]any
		if c.Get(at+"/prov").JSON(t, &made); len(made["activity"]) == 0 || !strings.Contains(fmt.Sprint(made), "made-by-a-test") {
			t.Errorf("provenance %v", made)
		}
		page := string(c.Get(at, "Accept", "text/html").Body)
		if !strings.Contains(page, "&lt;b&gt;later&lt;/b&gt;") || strings.Contains(page, "<b>later") || !strings.Contains(page, item.Href) || !strings.Contains(page, "echo begins") {
			t.Errorf("the page of the job:\n%s", page)
		}
		gone := c.Do(http.MethodDelete, at, "")
		gone.JSON(t, &j)
		if gone.Status != 200 || j.Status != "dismissed" {
			t.Errorf("removed: %d %s", gone.Status, gone.Body)
		}
		if after := c.Get(at + "/results"); after.Status != 404 {
			t.Errorf("results of a removed job: %d", after.Status)
		}
	})

	t.Run("ended while it runs", func(t *testing.T) {
		var j jobStatus
		c.Post(execution, `{"inputs":{"pause_s":60}}`, "Prefer", "respond-async").JSON(t, &j)
		for end := time.Now().Add(20 * time.Second); j.Status != "running" && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			c.Get("/jobs/"+j.JobID).JSON(t, &j)
		}
		if page := string(c.Get("/jobs?f=html").Body); !strings.Contains(page, `http-equiv="refresh"`) || !strings.Contains(page, "<progress") {
			t.Errorf("the page of running jobs:\n%s", page)
		}
		c.Do(http.MethodDelete, "/jobs/"+j.JobID, "").JSON(t, &j)
		if j.Status != "dismissed" {
			t.Errorf("%+v", j)
		}
	})

	t.Run("list", func(t *testing.T) {
		type page struct {
			Jobs  []jobStatus
			Links []struct{ Rel, Href string }
		}
		listed := func(address string) (p page) {
			t.Helper()
			c.Get(address).JSON(t, &p)
			return p
		}
		all := listed("/jobs?limit=1000")
		seen := map[string]bool{}
		for address := "/jobs?limit=3"; address != ""; {
			p := listed(address)
			address = ""
			for _, l := range p.Links {
				if l.Rel == "next" {
					address = l.Href
				}
			}
			for _, j := range p.Jobs {
				if seen[j.JobID] {
					t.Errorf("%s is listed twice", j.JobID)
				}
				seen[j.JobID] = true
			}
		}
		if len(seen) != len(all.Jobs) || len(all.Jobs) < 8 {
			t.Errorf("%d jobs by pages, %d at once", len(seen), len(all.Jobs))
		}
		count := func(keep func(jobStatus) bool) (n int) {
			for _, j := range all.Jobs {
				if keep(j) {
					n++
				}
			}
			return n
		}
		middle := all.Jobs[len(all.Jobs)/2].Created
		for query, want := range map[string]int{
			"type=process": len(all.Jobs), "type=wps": 0, "processID=echo,s1ortho": len(all.Jobs), "processID=s1ortho": 0,
			"status=successful":       count(func(j jobStatus) bool { return j.Status == "successful" }),
			"status=failed,dismissed": count(func(j jobStatus) bool { return j.Status == "failed" || j.Status == "dismissed" }),
			"datetime=2000-01-01/..":  len(all.Jobs),
			"datetime=../2000-01-01":  0,
			"minDuration=1000":        0,
			"maxDuration=1000":        count(func(j jobStatus) bool { return !j.Started.IsZero() }),
			"datetime=../" + url.QueryEscape(middle.Format(time.RFC3339Nano)): count(func(j jobStatus) bool { return !j.Created.After(middle) }),
		} {
			if query == "datetime=2000-01-01/.." {
				query = "datetime=2000-01-01T00:00:00Z/.."
			} else if query == "datetime=../2000-01-01" {
				query = "datetime=../2000-01-01T00:00:00Z"
			}
			if got := listed("/jobs?limit=1000&" + query); len(got.Jobs) != want {
				t.Errorf("%s: %d jobs, want %d", query, len(got.Jobs), want)
			}
		}
	})

	t.Run("dry run", func(t *testing.T) {
		before := len(c.Get("/jobs?limit=1000").Body)
		var plan struct {
			ProcessID string
			MemoryMiB int `json:"memory_mib"`
		}
		c.Post(execution+"?dryRun=true", `{"inputs":{"stringInput":"x"}}`).JSON(t, &plan)
		if plan.ProcessID != "echo" || plan.MemoryMiB != 256 || len(c.Get("/jobs?limit=1000").Body) != before {
			t.Errorf("%+v", plan)
		}
	})

	t.Run("form", func(t *testing.T) {
		page := c.Get("/processes/echo?f=html")
		for _, want := range []string{`name="input.stringInput"`, `<option>Value2</option>`, `type="number" step="any" min="0" max="10"`, `<textarea id="input.arrayInput"`} {
			if !bytes.Contains(page.Body, []byte(want)) {
				t.Errorf("the form lacks %s", want)
			}
		}
		form := func(values url.Values) contract.Response {
			return c.Do(http.MethodPost, execution, values.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		}
		made := form(url.Values{"input.stringInput": {"by hand"}, "input.arrayInput": {"1\r\n2"}, "input.boundingBoxInput": {"1,2,3,4"}, "input.doubleInput": {""}})
		if made.Status != 303 {
			t.Fatalf("%d %s", made.Status, made.Body)
		}
		at := strings.TrimSuffix(made.Header.Get("Location"), "?f=html")
		if j := endOf(t, c, at); j.Status != "successful" {
			t.Errorf("%+v", j)
		}
		var results map[string]any
		c.Get(at+"/results").JSON(t, &results)
		if body, _ := json.Marshal(results); string(body) != `{"arrayOutput":[1,2],"boundingBoxOutput":{"bbox":[1,2,3,4]},"stringOutput":"by hand"}` {
			t.Errorf("results %s", body)
		}
		wrong := form(url.Values{"input.stringInput": {`"><script>`}, "input.doubleInput": {"11"}})
		if wrong.Status != 400 || !bytes.Contains(wrong.Body, []byte("doubleInput")) || bytes.Contains(wrong.Body, []byte("<script>")) || !bytes.Contains(wrong.Body, []byte(`value="11"`)) {
			t.Errorf("%d %s", wrong.Status, wrong.Body)
		}
		if ended := c.Do(http.MethodPost, at+"/dismiss", ""); ended.Status != 303 {
			t.Errorf("%d", ended.Status)
		}
	})

	t.Run("uploads", func(t *testing.T) { checkUploads(t, c) })
	t.Run("WPS", func(t *testing.T) { checkWPS(t, c, base) })
}

// checkUploads sends files of some MiB, by value and from a form.
func checkUploads(t *testing.T, c *contract.Caller) {
	t.Helper()
	const execution = "/processes/echo/execution"
	large := bytes.Repeat([]byte("\x89PNG\r\n"), 900_000)
	said := base64.StdEncoding.EncodeToString(large)
	for name, value := range map[string]string{"alone": `"` + said + `"`, "with its type": `{"value":"` + said + `","mediaType":"image/png"}`} {
		if got := c.Post(execution, `{"inputs":{"imageInput":`+value+`},"response":"raw","outputs":{"imageOutput":{}}}`); got.Status != 200 || !bytes.Equal(got.Body, large) {
			t.Errorf("%s: %d, %d bytes: %.200s", name, got.Status, len(got.Body), got.Body)
		}
	}
	var plan struct{ Bytes int }
	c.Post(execution+"?dryRun=true", `{"inputs":{"imageInput":"`+said+`"}}`).JSON(t, &plan)
	if plan.Bytes < len(large) || plan.Bytes > len(large)+4 {
		t.Errorf("a dry run says %d bytes, not %d", plan.Bytes, len(large))
	}
	for want, body := range map[int]string{
		413: `{"inputs":{"imageInput":"` + said + strings.Repeat("x", 2<<20) + `"}}`,
		400: `{"inputs":{"imageInput":"` + said + `%"}}`,
	} {
		if got := c.Post(execution, body); got.Status != want || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%d: %d %.200s", want, got.Status, got.Body)
		}
	}
	form := func(body []byte) contract.Response {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		part, err := m.CreateFormFile("input.imageInput", "my picture.png")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(body); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		return c.Do(http.MethodPost, execution, b.String(), "Content-Type", m.FormDataContentType())
	}
	for _, body := range [][]byte{picture, large} {
		made := form(body)
		if made.Status != 303 {
			t.Fatalf("%d %.300s", made.Status, made.Body)
		}
		at := strings.TrimSuffix(made.Header.Get("Location"), "?f=html")
		if j := endOf(t, c, at); j.Status != "successful" {
			t.Errorf("%+v", j)
		}
		if got := c.Get(at + "/results/imageOutput"); !bytes.Equal(got.Body, body) {
			t.Errorf("%d bytes came back of %d", len(got.Body), len(body))
		}
		if page := c.Get(at + "?f=html"); !bytes.Contains(page.Body, []byte(fmt.Sprintf("my picture.png (%d bytes, sent with the request)", len(body)))) {
			t.Errorf("the page does not say what came: %s", page.Body)
		}
	}
	if wrong := form(append(large, large...)); wrong.Status != 413 || !bytes.Contains(wrong.Body, []byte(`role="alert"`)) {
		t.Errorf("%d %.300s", wrong.Status, wrong.Body)
	}
}

// checkWPS asks as PEPS' clients do.
func checkWPS(t *testing.T, c *contract.Caller, base string) {
	t.Helper()
	const execute = "/resto/wps?request=execute&service=WPS&version=1.0.0&identifier=echo&datainputs=stringInput=a%20%3Ctext%3E;arrayInput=1;arrayInput=2;pause_s=1"
	got := c.Get(execute + "&status=true&storeExecuteResponse=true")
	at := regexp.MustCompile(`statusLocation="([^"]+)"`).FindSubmatch(got.Body)
	if got.Status != 200 || at == nil || !bytes.Contains(got.Body, []byte("<wps:ProcessAccepted>")) {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	var status string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if status = string(c.Get(string(at[1])).Body); strings.Contains(status, "<wps:ProcessSucceeded>") {
			break
		}
	}
	for _, want := range []string{`<wps:LiteralData dataType="string">a &lt;text&gt;</wps:LiteralData>`, `>[1, 2]</wps:LiteralData>`} {
		if !strings.Contains(status, want) {
			t.Errorf("the status lacks %s:\n%s", want, status)
		}
	}
	info := regexp.MustCompile(`<wps:Reference href="([^"]+\.json)" mimeType="application/json"/>`).FindStringSubmatch(status)
	if info == nil {
		t.Fatalf("no JSON in %s", status)
	}
	var told struct {
		UserInfo struct {
			Status  string   `json:"job_status"`
			Process string   `json:"process"`
			Results []string `json:"results"`
		} `json:"USER_INFO"`
	}
	c.Get(info[1]).JSON(t, &told)
	if told.UserInfo.Status != "FINISHED" || told.UserInfo.Process != "100%" || len(told.UserInfo.Results) != 2 || string(c.Get(told.UserInfo.Results[0]).Body) != "a <text>" {
		t.Errorf("%+v", told)
	}
	if raw := c.Get(execute + "&rawdataoutput=stringOutput"); string(raw.Body) != "a <text>" {
		t.Errorf("raw: %s", raw.Body)
	}
	for query, code := range map[string]string{
		"": `"MissingParameterValue" locator="service"`, "service=WFS": `"InvalidParameterValue" locator="service"`, "service=WPS": `"MissingParameterValue" locator="request"`,
		"service=WPS&request=Execute": `"MissingParameterValue" locator="version"`, "service=WPS&request=Execute&version=2.0.0": `"VersionNegotiationFailed"`,
		"service=WPS&request=Fly&version=1.0.0": `"OperationNotSupported"`, "service=WPS&request=DescribeProcess&version=1.0.0&identifier=none": `"InvalidParameterValue" locator="identifier"`,
		"service=WPS&request=Execute&version=1.0.0&identifier=echo&datainputs=x=1":                              `"InvalidParameterValue" locator="x"`,
		"service=WPS&request=Execute&version=1.0.0&identifier=echo&datainputs=doubleInput=11":                   `"InvalidParameterValue"`,
		"service=WPS&request=Execute&version=1.0.0&identifier=echo&datainputs=doubleInput=1&responsedocument=x": `"InvalidParameterValue" locator="x"`,
		"service=WPS&request=Execute&version=1.0.0&identifier=echo&datainputs=doubleInput=1&status=perhaps":     `"InvalidParameterValue" locator="status"`,
		"service=WPS&request=Execute&version=1.0.0&identifier=echo&datainputs=doubleInput=1;doubleInput=2":      `"InvalidParameterValue" locator="doubleInput"`,
		"service=WPS&request=Execute&version=1.0.0&identifier=echo&datainputs=doubleInput":                      `"InvalidParameterValue" locator="datainputs"`,
	} {
		if got := c.Get("/wps?" + query); got.Status != 400 || !bytes.Contains(got.Body, []byte(`exceptionCode=`+code)) {
			t.Errorf("%s: %d %s, want %s", query, got.Status, got.Body, code)
		}
	}
	if got := c.Get("/wps?service=WPS&request=Execute&version=1.0.0&identifier=echo&datainputs=imageInput=@xlink:href=file:///etc/passwd"); got.Status != 403 || !bytes.Contains(got.Body, []byte("NoApplicableCode")) {
		t.Errorf("a file of the server: %d %s", got.Status, got.Body)
	}
	if got := c.Get("/wps?service=WPS&request=GetCapabilities"); !bytes.Contains(got.Body, []byte("<ows:Identifier>s1ortho</ows:Identifier>")) || !bytes.Contains(got.Body, []byte(`xlink:href="`+base+`/wps?"`)) {
		t.Errorf("capabilities %s", got.Body)
	}
	deep := strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200)
	for name, body := range map[string]string{"a DOCTYPE": `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Execute service="WPS">&e;</Execute>`, "too deep": deep, "no XML": "x", "nothing": ""} {
		if got := c.Do(http.MethodPost, "/wps", body, "Content-Type", "text/xml"); got.Status != 400 || !bytes.Contains(got.Body, []byte("ExceptionReport")) || bytes.Contains(got.Body, []byte("root:")) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}

// TestJobsOfPeople holds apart who may execute and who sees which job.
func TestJobsOfPeople(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	config := filepath.Join(t.TempDir(), "swath.yaml")
	if err := os.WriteFile(config, []byte("accounts: {passwords: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	base, _ := serveData(t, data, "--config", config)
	c := contract.Remote(t, base)
	key := func(name, role string) string {
		t.Helper()
		if code, out, errs := swath(t, "user", "add", name, "--role", role, "--data", data); code != exitDone {
			t.Fatal(out, errs)
		}
		code, out, errs := swath(t, "token", "create", "--user", name, "--data", data)
		found := regexp.MustCompile(`sw_\w+`).FindString(out + errs)
		if code != exitDone || found == "" {
			t.Fatal(out, errs)
		}
		return found
	}
	ada, bob, reader, operator := key("ada", "processor"), key("bob", "processor"), key("rea", "reader"), key("ope", "operator")
	const execution, body = "/processes/echo/execution", `{"inputs":{"stringInput":"mine"}}`
	for who, want := range map[string]int{"": 401, reader: 403, ada: 201} {
		headers := []string{"Prefer", "respond-async"}
		if who != "" {
			headers = append(headers, "X-API-Key", who)
		}
		if got := c.Post(execution, body, headers...); got.Status != want {
			t.Errorf("%q executes: %d, want %d", who, got.Status, want)
		}
		if got := c.Post(execution+"?dryRun=true", body, headers...); want >= 400 && got.Status != want {
			t.Errorf("%q asks what it costs: %d, want %d", who, got.Status, want)
		}
	}
	var page struct{ Jobs []jobStatus }
	c.Get("/jobs", "X-API-Key", ada).JSON(t, &page)
	if len(page.Jobs) != 1 {
		t.Fatalf("%+v", page)
	}
	at := "/jobs/" + page.Jobs[0].JobID
	endOf(t, c, at, "X-API-Key", ada)
	for who, want := range map[string]int{ada: 200, bob: 404, reader: 404, operator: 200} {
		for _, address := range []string{at, at + "/results", at + "/results/stringOutput", at + "/log", "/wps" + at + ".xml", "/wps" + at + ".json"} {
			if got := c.Get(address, "X-API-Key", who); got.Status != want {
				t.Errorf("%s: %d, want %d", address, got.Status, want)
			}
		}
		var page struct{ Jobs []jobStatus }
		if c.Get("/jobs", "X-API-Key", who).JSON(t, &page); len(page.Jobs) != map[int]int{200: 1, 404: 0}[want] {
			t.Errorf("%d jobs are listed", len(page.Jobs))
		}
	}
	for _, address := range []string{at, at + "/results", at + "/log"} {
		if got := c.Get(address); got.Status != 404 {
			t.Errorf("a stranger gets %s: %d", address, got.Status)
		}
	}
	if got := c.Do(http.MethodDelete, at, "", "X-API-Key", bob); got.Status != 404 {
		t.Errorf("another ended it: %d", got.Status)
	}
	if got := c.Get("/jobs"); got.Status != 401 {
		t.Errorf("a stranger lists jobs: %d", got.Status)
	}
	if got := c.Get("/wps?service=WPS&request=Execute&version=1.0.0&identifier=echo&datainputs=stringInput=x"); got.Status != 401 || !bytes.Contains(got.Body, []byte("ExceptionReport")) {
		t.Errorf("a stranger executes by WPS: %d %s", got.Status, got.Body)
	}

	// a browser, whose form needs its session's token
	add := program(t, "user", "add", "eve", "--role", "processor", "--password-stdin", "--data", data)
	add.Stdin = strings.NewReader("a long enough password")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	post := func(address string, values url.Values) (status int, body string) {
		t.Helper()
		r, err := browser.PostForm(base+address, values)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, _ := io.ReadAll(r.Body)
		return r.StatusCode, string(text)
	}
	if status, text := post("/auth/login", url.Values{"name": {"eve"}, "password": {"a long enough password"}}); status != 200 {
		t.Fatal(status, text)
	}
	r, err := browser.Get(base + "/processes/echo?f=html")
	if err != nil {
		t.Fatal(err)
	}
	form, _ := io.ReadAll(r.Body)
	r.Body.Close()
	token := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindSubmatch(form)
	if token == nil {
		t.Fatalf("the form has no token:\n%s", form)
	}
	if status, _ := post(execution, url.Values{"input.stringInput": {"x"}}); status != 403 {
		t.Errorf("a form without its token: %d", status)
	}
	if status, text := post(execution, url.Values{"input.stringInput": {"x"}, "csrf_token": {string(token[1])}}); status != 200 || !strings.Contains(text, "<h1>Job ") {
		t.Errorf("a form: %d %s", status, text)
	}
	if r, err := browser.Get(base + "/wps?service=WPS&request=Execute&version=1.0.0&identifier=echo&datainputs=stringInput=x"); err != nil || r.StatusCode != 403 {
		t.Errorf("a link executes in a browser that is signed in: %d, %v", r.StatusCode, err)
	}
}

// TestJobsCommand lets jobs run on a server from a script.
func TestJobsCommand(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	base, _ := serveData(t, data)
	out := t.TempDir()
	file := filepath.Join(out, "picture.json")
	if err := os.WriteFile(file, []byte(`{"value":"`+base64.StdEncoding.EncodeToString(picture)+`","mediaType":"image/png","encoding":"base64"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		code, stdout, stderr := swath(t, append([]string{"jobs"}, args...)...)
		if code != want {
			t.Errorf("swath jobs %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, stdout, stderr)
		}
		return stdout, stderr
	}
	plain := filepath.Join(out, "plain.png")
	if err := os.WriteFile(plain, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	run(exitDone, "run", "echo", "imageInput=@"+plain, "--url", base, "-o", filepath.Join(out, "again"))
	if got, err := os.ReadFile(filepath.Join(out, "again", "image.png")); err != nil || !bytes.Equal(got, picture) {
		t.Errorf("a file that was sent: %q, %v", got, err)
	}
	results := filepath.Join(out, "results")
	printed, _ := run(exitDone, "run", "echo", "stringInput=hello", "arrayInput=1", "arrayInput=2", "boundingBoxInput=1,43,2,44", "imageInput=@"+file, "publish=by-command", "--url", base, "-o", results)
	for name, want := range map[string]string{"image.png": string(picture), "echo/by-command/text": "hello\n"} {
		if got, err := os.ReadFile(filepath.Join(results, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v\n%s", name, got, err, printed)
		}
	}
	var document map[string]any
	if body, err := os.ReadFile(filepath.Join(results, "results.json")); err != nil || json.Unmarshal(body, &document) != nil || document["stringOutput"] != "hello" {
		t.Errorf("results.json %s, %v", body, err)
	}
	t.Setenv("SWATH_URL", base)
	printed, _ = run(exitDone, "run", "echo", "pause_s=60")
	id, _, _ := strings.Cut(printed, " ")
	if printed, _ = run(exitDone, "list", "--status", "accepted,running"); !strings.Contains(printed, id) {
		t.Errorf("the list lacks %s:\n%s", id, printed)
	}
	run(exitDone, "cancel", id)
	run(exitFailed, "wait", id)
	run(exitPartlyDone, "cancel", id, "none")
	printed, _ = run(exitDone, "run", "echo", "stringInput=x", "--json", "--wait")
	var job jobStatus
	if err := json.Unmarshal([]byte(printed), &job); err != nil || job.Status != "successful" {
		t.Errorf("%s: %v", printed, err)
	}
	run(exitDone, "wait", job.JobID)
	if printed, _ = run(exitDone, "log", job.JobID, "--follow"); !strings.Contains(printed, "echo begins") {
		t.Errorf("log %s", printed)
	}
	if printed, _ = run(exitDone, "run", "echo", "--dry-run"); !strings.Contains(printed, `"memory_mib": 256`) {
		t.Errorf("plan %s", printed)
	}
	if _, errs := run(exitFailed, "run", "echo", "fail=broken", "--wait"); !strings.Contains(errs, "broken") {
		t.Errorf("it does not say why: %s", errs)
	}
	for _, wrong := range [][]string{{"run"}, {"run", "echo", "doubleInput=11"}, {"run", "echo", "none=1"}, {"run", "echo", "x"}, {"wait"}, {"list", "--status", "lost"}} {
		run(exitWrongUse, wrong...)
	}
	run(exitFailed, "run", "none")
	run(exitFailed, "get", "none")
	run(exitFailed, "list", "--url", "http://127.0.0.1:1")
	run(exitFailed, "list", "--key", "sw_wrong_key")
	t.Setenv("SWATH_URL", "")
	run(exitWrongUse, "list")
}

// TestJobClients lets OWSLib submit, poll and fetch, by OGC API Processes and by WPS.
func TestJobClients(t *testing.T) {
	needsProgram(t)
	python := os.Getenv("SWATH_PYTHON_HUB")
	if _, err := exec.LookPath(python); err != nil {
		unavailable(t, "the Python clients are not installed (SWATH_PYTHON_HUB=%q): make test-deps", python)
	}
	base, _ := serveData(t, dataFolder(t))
	out, err := exec.Command(python, "testdata/owslib_jobs.py", base).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
