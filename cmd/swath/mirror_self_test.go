package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMirrorOfSwath: a running Swath is a hub of another: what it has, the other has byte for byte, and what it deletes leaves there.
func TestMirrorOfSwath(t *testing.T) {
	needsProgram(t)
	cut, err := os.ReadFile("../../testdata/scenes/" + mirrored + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	product := filepath.Join(folder, mirrored+".zip")
	if err := os.WriteFile(product, mended(t, cut), 0o644); err != nil {
		t.Fatal(err)
	}
	from, to := dataFolder(t), dataFolder(t)
	if code, out, errs := swath(t, "ingest", "--data", from, product); code != exitDone {
		t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
	}
	const user, password = "ada", "a password of Ada"
	add := program(t, "user", "add", user, "--data", from, "--password-stdin")
	add.Stdin = strings.NewReader(password)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	hub, _ := serveData(t, from)
	config := filepath.Join(to, "swath.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `mirrors:
  - name: self
    hub: {type: cdse, catalogue: %q, token: %q, user: %q, password_env: TEST_HUB_PASSWORD}
    collection: SENTINEL-2
    area: [150, -35, 160, -25]
    since: 2015-01-01
`, hub, hub+"/auth/realms/CDSE/protocol/openid-connect/token", user), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_HUB_PASSWORD", password)
	once := func() {
		t.Helper()
		if code, out, errs := swath(t, "mirror", "--data", to, "--config", config, "--once"); code != exitDone {
			t.Fatalf("mirror: exit code %d\n%s%s", code, out, errs)
		}
	}
	once()
	const path = "/collections/sentinel-2-l1c/items/" + mirrored
	copied, server := serveData(t, to)
	sum := func(base string) any {
		t.Helper()
		status, item := getJSON(t, base+path)
		if status != http.StatusOK {
			t.Fatalf("%s: status %d", base, status)
		}
		return item["assets"].(map[string]any)["product"].(map[string]any)["file:checksum"]
	}
	if a, b := sum(hub), sum(copied); a != b || a == nil {
		t.Errorf("the copy has %v, the hub %v", b, a)
	}
	server.Process.Signal(os.Interrupt) //nolint:errcheck // it is waited for
	server.Wait()                       //nolint:errcheck // how it ended is not the question

	request, err := http.NewRequest(http.MethodDelete, hub+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if r.Body.Close(); r.StatusCode >= 300 {
		t.Fatalf("deletion: %s", r.Status)
	}
	if status, rows := getJSON(t, hub+"/odata/v1/DeletedProducts?$count=true"); status != http.StatusOK || rows["@odata.count"] != 1.0 {
		t.Errorf("deleted products: %d, %v", status, rows)
	}
	once()
	copied, _ = serveData(t, to)
	if status, _ := getJSON(t, copied+path); status != http.StatusNotFound {
		t.Errorf("a deleted product: status %d at the copy", status)
	}
	if code, out, errs := swath(t, "ingest", "--data", from, product); code != exitDone {
		t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
	}
	once()
	if a, b := sum(hub), sum(copied); a != b || a == nil {
		t.Errorf("what has come again: the copy has %v, the hub %v", b, a)
	}
}

// TestMirrorOfSwathBySTAC: a mirror of a running Swath by its STAC, killed while it comes, ends with the same items and the same bytes,
// and follows what is added, changed, processed anew and deleted there.
func TestMirrorOfSwathBySTAC(t *testing.T) {
	needsProgram(t)
	cut, err := os.ReadFile(filepath.Join(scenes, mirrored+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	from, to, folder := dataFolder(t), dataFolder(t), t.TempDir()
	product := filepath.Join(folder, mirrored+".zip")
	if err := os.WriteFile(product, mended(t, cut), 0o644); err != nil {
		t.Fatal(err)
	}
	bring := func(paths ...string) {
		t.Helper()
		if code, out, errs := swath(t, append([]string{"ingest", "--data", from}, paths...)...); code != exitDone {
			t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
		}
	}
	// report writes an item of two files, of a collection that is no archive's.
	report := func(number int, words string) string {
		t.Helper()
		dir := filepath.Join(folder, fmt.Sprintf("report-%02d", number))
		item := fmt.Sprintf(`{"type": "Feature", "stac_version": "1.1.0", "id": "report-%02d", "collection": "reports", "properties": {"datetime": "20%02d-03-04T05:06:07Z", "words": %q},
			"geometry": {"type": "Point", "coordinates": [%d, 45]}, "bbox": [%d, 45, %d, 45], "links": [{"rel": "license", "href": "https://example.com/license"}],
			"assets": {"text": {"href": "./text.txt", "type": "text/plain"}, "more": {"href": "more.bin"}, "elsewhere": {"href": "https://example.com/far.txt"}}}`, number, 16+number%9, words, number, number, number)
		for name, body := range map[string]string{"item.json": item, "text.txt": words, "more.bin": strings.Repeat(words+"\n", 50_000)} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return filepath.Join(dir, "item.json")
	}
	reports := []string{product}
	for i := range 12 {
		reports = append(reports, report(i, fmt.Sprintf("the words of report %d", i)))
	}
	bring(reports...)
	hub, _ := serveData(t, from)

	config := filepath.Join(to, "swath.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `mirrors:
  - name: other
    hub: {type: stacapi, catalogue: %q, page: 5, retry: 10ms}
    since: 2015-01-01
    backoff: 50ms
    sweep_days: 1
    filter: "collection = 'reports'"
  - name: originals
    hub: {type: stacapi, catalogue: %q, assets: [product], retry: 10ms}
    collection: sentinel-2-l1c
    since: 2015-01-01
    backoff: 50ms
    sweep_days: 1
`, hub, hub), 0o600); err != nil {
		t.Fatal(err)
	}
	once := func(kills int) {
		t.Helper()
		for i := range kills {
			c := program(t, "mirror", "--data", to, "--config", config, "--once")
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(1500+400*i) * time.Millisecond)
			c.Process.Kill() //nolint:errcheck // it may have ended
			c.Wait()         //nolint:errcheck // it was killed
		}
		if code, out, errs := swath(t, "mirror", "--data", to, "--config", config, "--once"); code != exitDone {
			t.Fatalf("mirror: exit code %d\n%s%s", code, out, errs)
		}
	}
	truth := func() map[string]string { return itemsWithBytes(t, hub) }
	same := func(when string) {
		t.Helper()
		copied, server := serveData(t, to)
		got, want := itemsWithBytes(t, copied), truth()
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s: %s is\n%s\nat the copy, and\n%s\nat the hub", when, name, got[name], want[name])
			}
		}
		for name := range got {
			if want[name] == "" {
				t.Errorf("%s: %s is at the copy and not at the hub", when, name)
			}
		}
		server.Process.Signal(os.Interrupt) //nolint:errcheck // it is waited for
		server.Wait()                       //nolint:errcheck // how it ended is not the question
	}
	once(2)
	if n := len(truth()); n != 13 {
		t.Fatalf("the hub has %d items", n)
	}
	same("at first")

	// What changes is followed by when it changed, however old it is.
	bring(report(30, "a new one"), report(31, "another"), report(3, "the words of report 3, processed anew"))
	change := func(method, path, body string) {
		t.Helper()
		r, err := http.NewRequest(method, hub+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/merge-patch+json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode >= 300 {
			t.Fatalf("%s %s: %s", method, path, answer.Status)
		}
	}
	change(http.MethodPatch, "/collections/reports/items/report-04", `{"properties": {"words": "other words", "odd": [1, 2.50]}}`)
	once(1)
	same("after changes")

	// What it deletes leaves at the next look, however old it is, and what has come again by then stays.
	change(http.MethodDelete, "/collections/reports/items/report-05", "")
	change(http.MethodDelete, "/collections/reports/items/report-06", "")
	change(http.MethodDelete, "/collections/sentinel-2-l1c/items/"+mirrored, "")
	bring(report(6, "the words of report 6, come again"))
	once(0)
	if n := len(truth()); n != 13 {
		t.Fatalf("the hub has %d items", n)
	}
	same("after deletions")
	bring(product, report(5, "the words of report 5, come again"))
	once(0)
	if n := len(truth()); n != 15 {
		t.Fatalf("the hub has %d items", n)
	}
	same("after they came again")
}

// itemsWithBytes returns all that a server has, as it does not depend on the server: what each item says, and the sums of its files as they
// come from there.
func itemsWithBytes(t *testing.T, base string) map[string]string {
	t.Helper()
	status, page := getJSON(t, base+"/search?limit=1000")
	if status != http.StatusOK {
		t.Fatalf("search: status %d", status)
	}
	out := map[string]string{}
	for _, one := range page["features"].([]any) {
		item := one.(map[string]any)
		delete(item["properties"].(map[string]any), "swath:revision") // of how it came
		sums := map[string]any{}
		for key, value := range item["assets"].(map[string]any) {
			asset := value.(map[string]any)
			if href := asset["href"].(string); strings.HasPrefix(href, base) {
				r, err := http.Get(href)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(r.Body)
				if r.Body.Close(); err != nil || r.StatusCode != http.StatusOK {
					t.Fatalf("%s: %s, %v", href, r.Status, err)
				}
				sum := sha256.Sum256(body)
				asset["sum"] = hex.EncodeToString(sum[:])
				asset["href"] = strings.TrimPrefix(href, base)
			}
			delete(asset, "swath:object")
			sums[key] = asset
		}
		text, err := json.Marshal([]any{item["geometry"], item["bbox"], item["properties"], sums})
		if err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprint(item["collection"], "/", item["id"])] = string(text)
	}
	return out
}
