package jobclient_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/fault"
	"swath/processes/jobclient"
)

const key = "a key"

// server is a server with one process and one job, and a second host that keeps one of its files.
func server(t *testing.T) (c jobclient.Client, looks *int) {
	t.Helper()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != "" {
			t.Error("the key was sent to another host")
		}
		io.WriteString(w, "far")
	}))
	t.Cleanup(elsewhere.Close)
	looks = new(int)
	mux := http.NewServeMux()
	problem := func(w http.ResponseWriter, status int, detail string) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"type":"about:blank","title":"x","status":%d,"detail":%q}`, status, detail)
	}
	mux.HandleFunc("GET /processes/p", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"inputs":{"text":{"schema":{"type":"string"}},"number":{"schema":{"type":"number"}},"list":{"schema":{"type":"array","items":{"type":"integer"}}},
			"product":{"schema":{"anyOf":[{"type":"string"}]}}}}`)
	})
	mux.HandleFunc("POST /processes/p/execution", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if want := `{"inputs":{"list":[1,2],"number":2.5,"product":{"href":"http://x/y"},"text":"7"}}`; string(body) != want {
			t.Errorf("sent %s, want %s", body, want)
		}
		if r.Header.Get("Prefer") != "respond-async" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", r.Header)
		}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"jobID":"j/1","processID":"p","status":"accepted"}`)
	})
	mux.HandleFunc("GET /jobs/{job}", func(w http.ResponseWriter, r *http.Request) {
		switch *looks++; *looks {
		case 1:
			io.WriteString(w, `{"jobID":"j/1","status":"running","progress":40}`)
		case 2:
			problem(w, http.StatusServiceUnavailable, "starting")
		default:
			io.WriteString(w, `{"jobID":"j/1","status":"successful","progress":100}`)
		}
	})
	mux.HandleFunc("GET /jobs/{job}/results", func(w http.ResponseWriter, r *http.Request) {
		base := "http://" + r.Host
		json.NewEncoder(w).Encode(map[string]any{ //nolint:errcheck // a test's
			"plain": 7, "object": map[string]any{"value": map[string]int{"a": 1}, "mediaType": "application/json"},
			"small": map[string]string{"value": "c21hbGw=", "encoding": "base64", "mediaType": "image/png"},
			"files": []any{map[string]string{"href": base + "/evil", "title": "a.tif"}, map[string]string{"href": base + "/gone", "title": "b.tif"}},
			"far":   map[string]string{"href": elsewhere.URL, "title": "far.txt"},
			"item":  map[string]string{"href": base + "/collections/c/items/i", "type": "application/geo+json"},
			"water": map[string]string{"value": "d2F0ZXI=", "encoding": "base64", "mediaType": "image/tiff", "title": "mask.tif"},
			"woods": []any{map[string]string{"value": "MQ==", "encoding": "base64", "title": "Mask.tif"}, map[string]string{"value": "Mg==", "encoding": "base64", "title": "mask.tif"},
				map[string]string{"value": "Mw==", "encoding": "base64", "title": "results.json"}},
		})
	})
	mux.HandleFunc("GET /evil", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="../../evil.tif"`)
		io.WriteString(w, "evil")
	})
	mux.HandleFunc("GET /collections/c/items/i", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"type":"Feature","id":"i"}`) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "there is no "+r.URL.Path)
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != key {
			problem(w, http.StatusUnauthorized, "sign in")
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return jobclient.Client{URL: s.URL + "/", Key: key}, looks
}

func TestAJobFromWordsToFiles(t *testing.T) {
	c, looks := server(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	inputs, err := c.Inputs(ctx, "p", []string{"text=7", "number=2.5", "list=1", "list=2", "product=http://x/y"})
	if err != nil {
		t.Fatal(err)
	}
	job, err := c.Submit(ctx, "p", jobclient.Request{Inputs: inputs})
	if err != nil || job.ID != "j/1" {
		t.Fatal(job, err)
	}
	var told []int
	if job, err = c.Wait(ctx, job.ID, func(j jobclient.Job) { told = append(told, j.Progress) }); err != nil || job.Status != "successful" || fmt.Sprint(told) != "[40 100]" || *looks != 3 {
		t.Fatal(job, err, told, *looks)
	}
	parent := t.TempDir()
	folder := filepath.Join(parent, "a", "b")
	saved, items, err := c.Save(ctx, job.ID, folder)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, one := range saved {
		if one.Err != nil {
			failed++
			if one.Output != "files" || !strings.Contains(one.Err.Error(), "/gone") {
				t.Error(one)
			}
		}
	}
	if failed != 1 || len(items) != 1 {
		t.Errorf("%d failed, items %s", failed, items)
	}
	for name, want := range map[string]string{"small.png": "small", "mask.tif": "water", "woods-Mask.tif": "1", "woods-2-mask.tif": "2", "woods-3-results.json": "3", "evil.tif": "evil", "far.txt": "far", "i.json": `{"type":"Feature","id":"i"}`} {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	var all map[string]any
	if body, err := os.ReadFile(filepath.Join(folder, "results.json")); err != nil || json.Unmarshal(body, &all) != nil || all["plain"] != 7.0 {
		t.Errorf("results.json %s, %v", body, err)
	}
	if inside, _ := filepath.Glob(filepath.Join(parent, "*")); len(inside) != 1 {
		t.Errorf("outside of the folder: %v", inside)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	c, _ := server(t)
	for name, tc := range map[string]struct {
		words []string
		says  string
	}{
		"no value":     {[]string{"text"}, `"text" is not key=value`},
		"no such name": {[]string{"x=1"}, `input "x"`},
		"twice":        {[]string{"text=1", "text=2"}, "takes one value"},
		"no such file": {[]string{"text=@/none"}, "/none"},
	} {
		if _, err := c.Inputs(t.Context(), "p", tc.words); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Job(t.Context(), "j"); err != nil {
		t.Error(err)
	}
	if _, err := c.Dismiss(t.Context(), "j"); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "/jobs/j") {
		t.Error(err)
	}
	c.Key = "another"
	if _, err := c.Job(t.Context(), "j"); !fault.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}
	for _, address := range []string{"http://127.0.0.1:1", "not an address", ""} {
		c.URL = address
		if _, err := c.Job(t.Context(), "j"); err == nil {
			t.Errorf("%q was reached", address)
		}
	}
}
