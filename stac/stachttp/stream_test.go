package stachttp

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"swath/internal/contract"
	"swath/stac"
)

// TestWholeSearchesAreStreamed: more items than one page behind the stream holds, in every form and coding.
func TestWholeSearchesAreStreamed(t *testing.T) {
	const n = streamPage + 250
	app, _ := newApp(t, n)
	client := contract.Client(t, app)
	count := func(body []byte) (lines int) {
		t.Helper()
		seen := map[string]bool{}
		for line := range bytes.Lines(body) {
			var it struct {
				ID    string
				Links []any
			}
			if err := json.Unmarshal(bytes.TrimPrefix(line, []byte("\x1e")), &it); err != nil || it.ID == "" || seen[it.ID] {
				t.Fatalf("%v in line %.100s", err, line)
			}
			seen[it.ID] = true
		}
		return len(seen)
	}
	for target, want := range map[string]int{
		"/search?f=ndjson": n, "/collections/sentinel-2-l1c/items?f=geojsonseq": n, "/search?f=ndjson&limit=7": 7, "/search?f=ndjson&limit=1100": 1100,
		"/search?f=ndjson&ids=S2A_001,S2A_002": 2, "/search?f=ndjson&ids=none": 0, "/search?f=ndjson&fields=id&sortby=id": n,
	} {
		got := client.Get(target)
		if lines := count(got.Body); got.Status != 200 || lines != want || !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d, %d lines, want %d", target, got.Status, lines, want)
		}
	}
	if got := client.Get("/search", "Accept", "application/x-ndjson"); count(got.Body) != n {
		t.Errorf("by Accept: %d", count(got.Body))
	}
	if got := client.Post("/search", `{"limit":3,"filter":"\"eo:cloud_cover\" < 50","filter-lang":"cql2-text"}`, "Accept", "application/x-ndjson"); count(got.Body) != 3 {
		t.Errorf("by POST: %s", got.Body)
	}
	for coding, open := range map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	} {
		got := client.Get("/search?f=ndjson", "Accept-Encoding", coding)
		r, err := open(bytes.NewReader(got.Body))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil || got.Header.Get("Content-Encoding") != coding || count(plain) != n || len(got.Body)*5 > len(plain) {
			t.Errorf("%s: %v, %d bytes of %d", coding, err, len(got.Body), len(plain))
		}
	}
	table := client.Get("/search?f=parquet")
	if !bytes.HasPrefix(table.Body, []byte("PAR1")) || !bytes.HasSuffix(table.Body, []byte("PAR1")) || table.Header.Get("Content-Encoding") != "" {
		t.Errorf("a table of %d bytes begins with %q", len(table.Body), table.Body[:min(len(table.Body), 8)])
	}
	if got := client.Do("HEAD", "/search?f=ndjson", ""); got.Status != 200 || len(got.Body) != 0 {
		t.Errorf("HEAD: %d, %d bytes", got.Status, len(got.Body))
	}
	for _, bad := range []string{"/search?f=ndjson&bbox=1", "/search?f=csv", "/collections?f=ndjson", "/collections/sentinel-2-l1c?f=ndjson", "/search?f=ndjson&token=x"} {
		if got := client.Get(bad); got.Status != 400 {
			t.Errorf("%s: %d", bad, got.Status)
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	a := API{streams: make(chan struct{}, 1)}
	a.streams <- struct{}{}
	app, store := newApp(t, 1)
	a.Catalog = store
	app.Get("/full", func(c *fiber.Ctx) error { return a.stream(c, links(c), stac.Question{}, 0, "ndjson", "x") })
	if got := contract.Client(t, app).Get("/full"); got.Status != 503 || got.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", got.Status, got.Header)
	}
}
