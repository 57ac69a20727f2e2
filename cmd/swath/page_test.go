package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPage looks at the web page in headless Chromium: what it lists, that the drawn pixels are the tile's, what a click shows, the dashboard's
// figures, and how one signs in and out.
func TestPage(t *testing.T) {
	needsProgram(t)
	for _, needed := range []string{"/usr/bin/chromium", "../../web/app/node_modules/playwright-core", "../../web/dist/index.html"} {
		if _, err := os.Stat(needed); err != nil {
			unavailable(t, "%v: make build test-deps", err)
		}
	}
	base, data := demo(t)
	addAda(t, data)
	out := os.Getenv("SWATH_SCREENSHOTS") // a folder to keep the screenshots in
	if out == "" {
		out = t.TempDir()
	}
	answer, err := exec.Command("node", "testdata/page.mjs", base, out, ada, adasPassword).CombinedOutput()
	t.Logf("%s", answer)
	if err != nil {
		t.Fatal(err)
	}
}

// TestProcessPages executes a process from its page in headless Chromium, with a file from there, and looks at jobs and a subscription.
func TestProcessPages(t *testing.T) {
	needsProgram(t)
	for _, needed := range []string{"/usr/bin/chromium", "../../web/app/node_modules/playwright-core"} {
		if _, err := os.Stat(needed); err != nil {
			unavailable(t, "%v: make build test-deps", err)
		}
	}
	config := filepath.Join(t.TempDir(), "swath.yaml")
	if err := os.WriteFile(config, []byte("accounts: {passwords: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := dataFolder(t)
	if code, out, errs := swath(t, "ingest", "--data", data, "../../testdata/scenes/"+mirrored+".zip"); code != exitDone {
		t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
	}
	base, _ := serveData(t, data, "--config", config)
	add := program(t, "user", "add", "eve", "--role", "centre", "--password-stdin", "--data", data)
	add.Stdin = strings.NewReader(adasPassword)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	code, key, errs := swath(t, "token", "create", "--data", data, "--user", "eve")
	if code != exitDone {
		t.Fatal(errs)
	}
	out := os.Getenv("SWATH_SCREENSHOTS") // a folder to keep the screenshots in
	if out == "" {
		out = t.TempDir()
	}
	answer, err := exec.Command("node", "testdata/processes.mjs", base, out, "eve", adasPassword, strings.TrimSpace(key)).CombinedOutput()
	t.Logf("%s", answer)
	if err != nil {
		t.Fatal(err)
	}
}
