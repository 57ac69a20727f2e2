package web

import (
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"swath/httpkit"
)

func requirePage(t *testing.T) {
	t.Helper()
	if _, err := dist.ReadFile("dist/index.html"); err == nil {
		return
	}
	if os.Getenv("SWATH_TEST_REQUIRE_ALL") == "1" {
		t.Fatal("the page is not built: make web")
	}
	t.Skip("the page is not built: make web")
}

func get(t *testing.T, path string) (status int, media, cache, body string) {
	t.Helper()
	app := httpkit.New(httpkit.Config{})
	API{}.Mount(app)
	r, err := app.Test(httptest.NewRequest("GET", path, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"), string(b)
}

func TestPageAndItsFiles(t *testing.T) {
	requirePage(t)
	status, media, cache, body := get(t, "/")
	if status != 200 || !strings.HasPrefix(media, "text/html") || cache != "no-cache" {
		t.Fatalf("page: %d %s %s", status, media, cache)
	}
	files := regexp.MustCompile(`(?:src|href)="(/ui/[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(files) < 3 {
		t.Fatalf("the page names %d files, want icon, style and script", len(files))
	}
	for _, f := range files {
		if status, media, _, _ := get(t, f[1]); status != 200 || strings.HasPrefix(media, "text/html") {
			t.Errorf("%s: %d %s", f[1], status, media)
		}
	}
	if _, _, cache, _ := get(t, files[len(files)-1][1]); !strings.Contains(cache, "immutable") {
		t.Errorf("script: Cache-Control %q, want immutable", cache)
	}
	if status, media, _, body := get(t, "/favicon.ico"); status != 200 || media != "image/svg+xml" || !strings.Contains(body, "<svg") {
		t.Errorf("icon: %d %s %.60s", status, media, body)
	}
	if status, media, _, _ := get(t, "/ui/basemap/countries.geojson"); status != 200 || media != "application/geo+json" {
		t.Errorf("basemap: %d %s", status, media)
	}
}

func TestNoSuchFile(t *testing.T) {
	for _, path := range []string{"/ui/none.js", "/ui/../web.go", "/ui/%2e%2e/index.html", "/ui/"} {
		if status, media, _, _ := get(t, path); status != 404 || media != httpkit.ProblemType {
			t.Errorf("%s: %d %s, want a 404 problem", path, status, media)
		}
	}
}

// TestNoForeignHost makes sure that the page loads nothing from elsewhere: the only addresses in its own files are links
// for people and names of XML.
func TestNoForeignHost(t *testing.T) {
	requirePage(t)
	allowed := regexp.MustCompile(`^https?://(www\.w3\.org|github\.com|maplibre\.(org|invalid))$`)
	err := fs.WalkDir(dist, "dist", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(name, ".js") && !strings.HasSuffix(name, ".css") && !strings.HasSuffix(name, ".html") {
			return err
		}
		body, err := dist.ReadFile(name)
		for _, address := range regexp.MustCompile(`https?://[a-zA-Z0-9.-]+`).FindAllString(string(body), -1) {
			if !allowed.MatchString(address) {
				t.Errorf("%s names %s", name, address)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
