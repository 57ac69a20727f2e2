package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"swath/internal/contract"
)

// fetched is an answer, read whole.
type fetched struct {
	status int
	header http.Header
	body   []byte
}

func send(t *testing.T, method, url, body string, header ...string) fetched {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fetched{answer.StatusCode, answer.Header, raw}
}

// TestArchive: the files of an old product go to tape, items tell it, whoever asks for one orders it and gets the right bytes later, maps leave
// it out, and the download command orders all at once.
func TestArchive(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	config := filepath.Join(t.TempDir(), "swath.yaml")
	yaml := "archive: {type: sim, batch_wait: 50ms, buffer_gib: 1, quota: {files: 100}, sim: {mount: 100ms, seek: 50ms, drives: 2}}\n"
	if err := os.WriteFile(config, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	do := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := swath(t, args...)
		if code != want {
			t.Fatalf("%v: exit code %d, want %d\n%s%s", args, code, want, out, errs)
		}
		return out + errs
	}
	do(0, "ingest", "--data", data, zip56JMM)
	migrate := []string{"archive", "migrate", "--data", data, "--config", config, "--collection", "sentinel-2-l1c", "--older-than", "90d"}
	if out := do(0, append(migrate, "--dry-run")...); !strings.Contains(out, "14 files would be") {
		t.Errorf("dry run: %s", out)
	}
	do(0, migrate...)
	if out := do(0, migrate...); !strings.Contains(out, "0 files archived") {
		t.Errorf("again: %s", out)
	}
	do(2, "archive", "migrate", "--data", data, "--config", config, "--collection", "sentinel-2-l1c", "--older-than", "old")
	do(2, "archive", "status", "--data", data) // without a configuration there is none
	counts := func() (n struct {
		Copies   map[string]int
		Requests int
	}) {
		t.Helper()
		code, out, errs := swath(t, "archive", "status", "--data", data, "--config", config, "--json")
		if err := json.Unmarshal([]byte(out), &n); err != nil || code != 0 {
			t.Fatal(err, code, errs)
		}
		return n
	}

	base, _ := serveData(t, data, "--config", config)
	if n := counts(); n.Copies["cold"] != 14 {
		t.Fatalf("%+v", n)
	}
	item := func() (raw []byte, assets map[string]map[string]any, properties map[string]any) {
		t.Helper()
		got := send(t, "GET", base+item56JMM, "")
		var body struct {
			Assets     map[string]map[string]any
			Properties map[string]any
		}
		if err := json.Unmarshal(got.body, &body); err != nil {
			t.Fatal(err)
		}
		return got.body, body.Assets, body.Properties
	}
	raw, assets, properties := item()
	contract.ValidateItem(t, raw)
	if assets["B04"]["order:status"] != "orderable" || properties["order:status"] != "orderable" || assets["product-metadata"]["order:status"] != nil {
		t.Errorf("a cold item: %v %v", assets["B04"], properties)
	}
	for _, target := range []string{"/search?ids=" + filepath.Base(item56JMM), "/search?f=ndjson&ids=" + filepath.Base(item56JMM)} {
		if got := send(t, "GET", base+target, ""); !bytes.Contains(got.body, []byte(`"order:status":"orderable"`)) {
			t.Errorf("%s: %.300s", target, got.body)
		}
	}

	// Who has read an item changes it under the tag that it had, whatever was told of its files.
	read := send(t, "GET", base+item56JMM, "")
	patch := []string{"Content-Type", "application/merge-patch+json", "If-Match"}
	if got := send(t, "PATCH", base+item56JMM, `{"properties":{"title":"one"}}`, append(patch, read.header.Get("ETag"))...); got.status != 204 {
		t.Errorf("PATCH of what was read: %d %s", got.status, got.body)
	}
	if got := send(t, "PATCH", base+item56JMM, `{"properties":{"title":"two"}}`, append(patch, read.header.Get("ETag"))...); got.status != 412 {
		t.Errorf("PATCH of what was read before: %d %s", got.status, got.body)
	}
	read = send(t, "GET", base+item56JMM, "")
	if got := send(t, "PUT", base+item56JMM, strings.Replace(string(read.body), `"title":"one"`, `"title":"three"`, 1), "Content-Type", "application/geo+json", "If-Match", read.header.Get("ETag"), "Prefer", "return=representation"); got.status != 200 || !bytes.Contains(got.body, []byte(`"title":"three"`)) {
		t.Errorf("PUT of what was read: %d %s", got.status, got.body)
	} else if got := send(t, "PATCH", base+item56JMM, `{"properties":{"title":null}}`, append(patch, got.header.Get("ETag"))...); got.status != 204 {
		t.Errorf("PATCH of what the change before answered: %d %s", got.status, got.body)
	}
	if raw, assets, _ = item(); assets["B04"]["order:status"] != "orderable" || bytes.Contains(raw, []byte(`"title":"three"`)) {
		t.Errorf("after changes: %v", assets["B04"])
	}

	const fromAfar = item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?assets=B04&rescale=0,0.3"
	afar := send(t, "GET", base+fromAfar, "")
	if got := send(t, "GET", base+item56JMM+"/tiles/WebMercatorQuad/10/946/602.png?assets=B04&rescale=0,1", ""); got.status != 404 {
		t.Errorf("a tile of what is not here: %d", got.status)
	}

	b04 := base + item56JMM + "/assets/B04"
	if got := send(t, "GET", b04+"?order=false", ""); got.status != 409 {
		t.Errorf("only asked: %d", got.status)
	}
	if got := send(t, "GET", b04+"?order=maybe", ""); got.status != 400 {
		t.Errorf("order=maybe: %d", got.status)
	}
	if got := send(t, "HEAD", b04, ""); got.status != 202 || got.header.Get("Link") != "" || counts().Requests != 0 {
		t.Errorf("HEAD: %d %v", got.status, got.header)
	}
	got := send(t, "GET", b04, "")
	wait, err := strconv.Atoi(got.header.Get("Retry-After"))
	order, _, _ := strings.Cut(strings.TrimPrefix(got.header.Get("Link"), "<"), ">")
	if got.status != 202 || len(got.body) != 0 || err != nil || wait < 5 || wait > 3600 || !strings.HasPrefix(order, base+"/orders/") {
		t.Fatalf("GET: %d %q %v", got.status, got.body, got.header)
	}
	var told struct {
		Status string
		Files  map[string]int
	}
	for end := time.Now().Add(time.Minute); told.Status != "succeeded"; time.Sleep(50 * time.Millisecond) {
		if got := send(t, "GET", order, ""); got.status != 200 || json.Unmarshal(got.body, &told) != nil || time.Now().After(end) {
			t.Fatalf("the order: %d %s", got.status, got.body)
		}
	}
	got = send(t, "GET", b04, "")
	sum := sha256.Sum256(got.body)
	raw, assets, properties = item()
	contract.ValidateItem(t, raw)
	if "1220"+hex.EncodeToString(sum[:]) != assets["B04"]["file:checksum"] || got.status != 200 || got.header.Get("ETag") != strconv.Quote(hex.EncodeToString(sum[:])) {
		t.Errorf("what came: %d, %d bytes", got.status, len(got.body))
	}
	if assets["B04"]["order:status"] != "succeeded" || assets["B04"]["expires"] == nil || properties["order:status"] != "orderable" || properties["expires"] == nil {
		t.Errorf("an item of which one file is online: %v %v", assets["B04"], properties)
	}

	for target, want := range map[string]int{
		item56JMM + "/tiles/WebMercatorQuad/10/946/602.png?assets=B08&rescale=0,1":               404, // B08 is not here …
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?render=ndvi":                           200, // … but for its overviews
		item56JMM + "/tiles/WebMercatorQuad/10/946/602.png?assets=B04&rescale=0,1":               200,
		item56JMM + "/point/152.3,-30.3?assets=B08":                                              404,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150.png?assets=B08&rescale=0,1": 404,
	} {
		if got := send(t, "GET", base+target, ""); got.status != want || (want == 404) != (got.header.Get("X-Storage") == "cold") {
			t.Errorf("%s: %d %v", target, got.status, got.header)
		}
	}
	if now := send(t, "GET", base+fromAfar, ""); now.status != 200 || !bytes.Equal(now.body, afar.body) || now.header.Get("ETag") != afar.header.Get("ETag") {
		t.Errorf("a tile of the overviews: %d with %d bytes, and %d with %d when all is here", afar.status, len(afar.body), now.status, len(now.body))
	}

	for body, want := range map[string]int{`{}`: 400, `{"items":[{"collection":"sentinel-2-l1c","id":"none"}]}`: 404, `{"search":{"bbox":[1]}}`: 400, `[`: 400,
		`{"search":{"collections":["none"]}}`: 409, `{"items":[{"collection":"sentinel-2-l1c","id":"` + filepath.Base(item56JMM) + `","assets":["thumbnail"]}]}`: 409} {
		if got := send(t, "POST", base+"/orders", body); got.status != want {
			t.Errorf("POST /orders %s: %d %s", body, got.status, got.body)
		}
	}
	made := send(t, "POST", base+"/orders", `{"search":{"collections":["sentinel-2-l1c"]},"assets":["B01"]}`)
	if made.status != 201 || !bytes.Contains(made.body, []byte(`"asset":"B01"`)) {
		t.Errorf("POST /orders: %d %s", made.status, made.body)
	}
	if got := send(t, "DELETE", made.header.Get("Location"), ""); got.status != 204 {
		t.Errorf("DELETE: %d", got.status)
	}
	if got := send(t, "GET", base+"/orders", ""); got.status != 401 {
		t.Errorf("the orders of a stranger: %d", got.status)
	}
	if got := send(t, "GET", base+"/orders/none", ""); got.status != 404 {
		t.Errorf("no order: %d", got.status)
	}

	folder := t.TempDir()
	download := []string{"download", "--url", base, "-c", "sentinel-2-l1c", "--assets", "B02,B04,thumbnail", "-o", folder}
	if out := do(6, append(download, "--no-stage")...); !strings.Contains(out, "2 downloaded") {
		t.Errorf("--no-stage: %s", out)
	}
	if n := counts(); n.Copies["cold"] != 13 && n.Copies["cold"] != 12 { // B01 may have come before its order was ended
		t.Errorf("--no-stage ordered: %+v", n)
	}
	if out := do(0, append(download, "--stage-only")...); !strings.Contains(out, "1 files are ordered") || !strings.Contains(out, base+"/orders/") {
		t.Errorf("--stage-only: %s", out)
	}
	if out := do(0, download...); !strings.Contains(out, "1 downloaded") {
		t.Errorf("download: %s", out)
	}
	do(0, "download", "verify", folder)
	do(0, "archive", "restore", "--data", data, "--config", config, "--collection", "sentinel-2-l1c", "--item", filepath.Base(item56JMM), "--assets", "B03")
	do(0, "archive", "retry", "--data", data, "--config", config)
	do(0, "check", "--data", data, "--config", config)
	if got := send(t, "GET", base+"/metrics", ""); !bytes.Contains(got.body, []byte(`swath_archive_copies{state="cold"}`)) || !bytes.Contains(got.body, []byte("swath_archive_restore_seconds")) {
		t.Error("the metrics do not show the archive")
	}
}
