package main

import (
	"encoding/json"
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
	if code, out, _ = swath(t, append(args, "--list")...); code != 0 || strings.Count(out, "  out=sentinel-2-l1c/") != len(plan.Files) {
		t.Errorf("list: %d %s", code, out)
	}
	few := t.TempDir()
	if code, out, errs = swath(t, "download", "--url", base, "--platform", "Sentinel-2A", "--max-cloud", "100", "--assets", "B04,thumbnail", "--limit", "1", "--point", "152.3,-30.3", "-o", few); code != 0 {
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
		{2, "--url", []string{"-c", "x"}},
		{2, "--bbox", []string{"--url", base, "--bbox", "1,2,3"}},
		{2, "one place", []string{"--url", base, "--bbox", "1,2,3,4", "--point", "1,2"}},
		{2, "--from", []string{"--url", base, "--from", "yesterday"}},
		{2, "--rate", []string{"--url", base, "--rate", "fast"}},
		{2, "filter", []string{"--url", base, "--filter", "eo:cloud_cover <"}},
		{1, "nothing matches", []string{"--url", base, "--tile", "01CCV"}},
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
