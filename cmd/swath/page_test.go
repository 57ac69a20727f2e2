package main

import (
	"os"
	"os/exec"
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
