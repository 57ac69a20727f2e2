package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swath/download"
)

// TestDownload: a search of a running server is downloaded, verified, and not downloaded twice; each mistake has its exit code.
func TestDownload(t *testing.T) {
	needsProgram(t)
	base, _ := demo(t)
	folder := t.TempDir()
	args := []string{"download", "--url", base, "-c", "sentinel-2-l1c", "--tile", "T56JMM", "--from", "2018-06-29", "--to", "2018-06-30", "--bbox", "150,-35,160,-25", "-o", folder}
	code, out, errs := swath(t, append(args, "--dry-run", "--json")...)
	var plan download.Plan
	if err := json.Unmarshal([]byte(out), &plan); code != 0 || err != nil || plan.Items != 1 || len(plan.Files) < 10 || plan.Have != 0 || plan.Bytes == 0 || plan.Unknown != 0 {
		t.Fatalf("the plan: %d, %v, %+v\n%s", code, err, plan, errs)
	}
	if code, out, errs = swath(t, args...); code != 0 || !strings.Contains(out, "0 failed") {
		t.Fatalf("%d\n%s%s", code, out, errs)
	}
	for _, f := range plan.Files {
		if info, err := os.Stat(filepath.Join(folder, f.Path)); err != nil || info.Size() != f.Bytes {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
	if code, out, errs = swath(t, append(args, "--rehash")...); code != 0 || !strings.Contains(out, "0 downloaded") {
		t.Errorf("again: %d\n%s%s", code, out, errs)
	}
	if code, out, _ = swath(t, "download", "verify", folder); code != 0 || !strings.Contains(out, "0 of them wrong") {
		t.Errorf("verify: %d %s", code, out)
	}
	for flag, want := range map[string]string{"--aria2": "  out=sentinel-2-l1c/", "--curl": " --output 'sentinel-2-l1c/"} {
		for folder, n := range map[string]int{t.TempDir(): len(plan.Files), folder: 0} {
			if code, out, _ = swath(t, append(args, flag, "-o", folder)...); code != 0 || strings.Count(out, want) != n {
				t.Errorf("%s of what is missing, %d files: %d %s", flag, n, code, out)
			}
		}
	}
	few := t.TempDir()
	if code, out, errs = swath(t, "download", "--url", base, "--platform", "Sentinel-2A", "--level", "1C", "--max-cloud", "100", "--newest-per", "tile+day", "--verify", "deep", "--assets", "B04,thumbnail", "--limit", "1", "--point", "152.3,-30.3", "-o", few); code != 0 {
		t.Errorf("some assets: %d\n%s%s", code, out, errs)
	}
	if found, err := filepath.Glob(filepath.Join(few, "*", "*", "*")); err != nil || len(found) != 2 {
		t.Errorf("some assets: %v, %v", found, err)
	}
	if err := os.WriteFile(filepath.Join(folder, plan.Files[0].Path), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs = swath(t, "download", "verify", folder); code != 3 || !strings.Contains(errs, plan.Files[0].Path) {
		t.Errorf("verify a damaged folder: %d %s", code, errs)
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{1, "--url", []string{"-c", "x"}},
		{1, "--nonsense", []string{"--nonsense"}},
		{1, "everything", []string{"everything"}},
		{1, "--bbox", []string{"--url", base, "--bbox", "1,2,3"}},
		{1, "one place", []string{"--url", base, "--bbox", "1,2,3,4", "--point", "1,2"}},
		{1, "come together", []string{"--url", base, "--lon", "1"}},
		{1, "--from", []string{"--url", base, "--from", "yesterday"}},
		{1, "--rate", []string{"--url", base, "--rate", "fast"}},
		{1, "--newest-per", []string{"--url", base, "--newest-per", "tile+colour"}},
		{1, "--verify", []string{"--url", base, "--verify", "hardly"}},
		{1, "--profile", []string{"--url", base, "--profile", "none"}},
		{1, "filter", []string{"--url", base, "--filter", "eo:cloud_cover <"}},
		{2, "nothing matches", []string{"--url", base, "--tile", "01CCV"}},
		{2, "nothing matches", []string{"--url", base, "-c", "S3"}},
		{8, "server", []string{"--url", "http://127.0.0.1:1", "--ids", "x"}},
	} {
		if c.code == 8 && testing.Short() {
			continue
		}
		if code, _, errs := swath(t, append(append([]string{"download"}, c.args...), "-o", t.TempDir())...); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d %s, want %d and %q", c.args, code, errs, c.code, c.want)
		}
	}
}

// TestDownloadOfCart: what somebody put into a cart at the server comes by its id, also what an account of its own put there.
func TestDownloadOfCart(t *testing.T) {
	base, _ := demo(t)
	post := func(path, body string) (cart struct{ ID string }) {
		t.Helper()
		r, err := http.Post(base+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if err := json.NewDecoder(r.Body).Decode(&cart); err != nil || r.StatusCode >= 300 {
			t.Fatalf("POST %s: %s, %v", path, r.Status, err)
		}
		return cart
	}
	id := filepath.Base(item56JMM)
	cart := post("/carts", `{"title":"one","items":[{"collection":"sentinel-2-l1c","id":"`+id+`"}]}`).ID
	post("/carts/"+cart+"/items", `{"search":{"collections":["barbellino"]}}`)
	folder := t.TempDir()
	args := []string{"download", "--url", base, "--cart", cart, "-o", folder}
	code, out, errs := swath(t, append(args, "--dry-run", "--json")...)
	var plan download.Plan
	if err := json.Unmarshal([]byte(out), &plan); code != 0 || err != nil || plan.Items < 2 {
		t.Fatalf("the plan: %d, %v, %+v\n%s", code, err, plan, errs)
	}
	if code, out, errs = swath(t, args...); code != 0 || !strings.Contains(out, "0 failed") {
		t.Fatalf("%d\n%s%s", code, out, errs)
	}
	for _, f := range plan.Files {
		if info, err := os.Stat(filepath.Join(folder, f.Path)); err != nil || f.Bytes > 0 && info.Size() != f.Bytes {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
	r, err := http.NewRequest(http.MethodDelete, base+item56JMM, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := http.DefaultClient.Do(r); err != nil || answer.Body.Close() != nil || answer.StatusCode >= 300 {
		t.Fatal(answer, err)
	}
	if code, out, errs = swath(t, args...); code != 0 || !strings.HasPrefix(out, "0 downloaded") || !strings.Contains(errs, "gone       sentinel-2-l1c/"+id) {
		t.Errorf("again, with an item gone: %d\n%s%s", code, out, errs)
	}
	for want, args := range map[string][]string{"no cart": {"--cart", "none"}, "--tile can't": {"--cart", cart, "--tile", "31TCJ"}, "--items can't": {"--cart", cart, "--items", "-"}, "--url": {"--cart", cart}} {
		if want != "--url" {
			args = append(args, "--url", base)
		}
		if code, _, errs := swath(t, append([]string{"download", "-o", t.TempDir()}, args...)...); code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%v: %d %s, want 1 and %q", args, code, errs, want)
		}
	}
}
