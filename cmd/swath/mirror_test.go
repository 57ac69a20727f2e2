package main

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"swath/internal/hubtest"
)

const mirrored = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"

// mended rewrites the sizes and sums of the files that were cut in a product's manifest, as if it had been made so.
func mended(t *testing.T, product []byte) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(product), int64(len(product)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	listed := regexp.MustCompile(`(?s)(<byteStream[^>]* size=")\d+("[^>]*>\s*<fileLocation[^>]*href=")\./([^"]+)("[^>]*/?>.*?<checksum[^>]*>)[^<]*(</checksum>)`)
	count := 0
	for _, f := range in.File {
		body := files[f.Name]
		if root, ok := strings.CutSuffix(f.Name, "manifest.safe"); ok {
			body = listed.ReplaceAllFunc(body, func(entry []byte) []byte {
				m := listed.FindSubmatch(entry)
				count++
				file := files[root+string(m[3])]
				return fmt.Appendf(nil, "%s%d%s./%s%s%x%s", m[1], len(file), m[2], m[3], m[4], md5.Sum(file), m[5])
			})
		}
		to, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: f.Modified})
		if err == nil {
			_, err = to.Write(body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil || count < 20 {
		t.Fatal(count, err)
	}
	return out.Bytes()
}

// TestMirrorRefused: a mirror that can't be kept says why, in the words of its configuration.
func TestMirrorRefused(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	t.Setenv("TEST_HUB_PASSWORD", "not the password")
	s := hubtest.Serve(t, hubtest.NewArchive(1, 1, hubtest.None), hubtest.Options{})
	file := filepath.Join(data, "swath.yaml")
	login := fmt.Sprintf("type: cdse, catalogue: %q, token: %q, user: me, retry: 1ms, password_env: ", s.Catalogue, s.Token)
	for name, tc := range map[string]struct {
		hub  string
		want int
		says string
	}{
		"key":            {"type: cdse, catalog: 'http://h'", exitWrongUse, "line 3: there is no setting catalog here"},
		"no password":    {login + "TEST_NONE", exitWrongUse, "swath: mirror x: the environment variable TEST_NONE holds no password or key"},
		"wrong password": {login + "TEST_HUB_PASSWORD", exitFailed, "swath: mirror x: the hub refuses user and password"},
		"nobody there":   {"type: cdse, catalogue: 'http://127.0.0.1:1', retry: 1ms", exitFailed, "swath: mirror x: list of what was published: the server does not answer"},
		"no folder":      {"type: folder, root: /none/such", exitFailed, "swath: mirror x: list of everything: hub: the folder /none/such is not there: stat /none/such: no such file or directory\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, fmt.Appendf(nil, "mirrors:\n  - name: x\n    hub: {%s}\n    since: 2015-01-01\n", tc.hub), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, out, errs := swath(t, "mirror", "--data", data, "--config", file, "--once"); code != tc.want || !strings.Contains(errs, tc.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s%s", code, tc.want, tc.says, out, errs)
			}
		})
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := swath(t, "mirror", "--data", data, "--config", file); code != exitWrongUse || !strings.Contains(errs, "the configuration has none") {
		t.Errorf("no mirror: %d %s", code, errs)
	}
}

// TestMirrorCommand: what a hub has is found here, a product whose files are not as its manifest says is not, and what the hub deletes
// leaves.
func TestMirrorCommand(t *testing.T) {
	needsProgram(t)
	cut, err := os.ReadFile("../../testdata/scenes/" + mirrored + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	archive := hubtest.NewArchive(1, 0, hubtest.None)
	acquired := time.Now().UTC().Add(-5 * time.Hour)
	archive.Put("good", mirrored+".SAFE", mended(t, cut), acquired)
	archive.Put("cut", strings.Replace(mirrored, "T56JMM", "T56JMN", 1)+".SAFE", cut, acquired)
	s := hubtest.Serve(t, archive, hubtest.Options{})
	data := dataFolder(t)
	config := filepath.Join(data, "swath.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `mirrors:
  - name: test
    hub: {type: cdse, catalogue: %q, download: %q, token: %q, user: %q, password_env: TEST_HUB_PASSWORD}
    collection: SENTINEL-2
    area: [150, -35, 160, -25]
    since: 2015-01-01
`, s.Catalogue, "http://"+s.Download, s.Token, hubtest.User), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := swath(t, "mirror", "--data", data, "--config", config, "--once"); code != 2 || !strings.Contains(errs, "TEST_HUB_PASSWORD") {
		t.Errorf("without a password: %d, %s", code, errs)
	}
	t.Setenv("TEST_HUB_PASSWORD", hubtest.Password)
	once := func(want int) {
		t.Helper()
		if code, out, errs := swath(t, "mirror", "--data", data, "--config", config, "--once"); code != want {
			t.Fatalf("exit code %d instead of %d\n%s%s", code, want, out, errs)
		}
	}
	status := func() (one mirrorStatus) {
		t.Helper()
		code, out, errs := swath(t, "mirror", "status", "--data", data, "--config", config, "--json")
		var all []mirrorStatus
		if err := json.Unmarshal([]byte(out), &all); code != 0 || err != nil || len(all) != 1 {
			t.Fatalf("%d, %v\n%s%s", code, err, out, errs)
		}
		return all[0]
	}
	item := func() (status int, body map[string]any) {
		t.Helper()
		base, server := serveData(t, data)
		defer func() {
			server.Process.Signal(os.Interrupt) //nolint:errcheck // it is waited for
			server.Wait()                       //nolint:errcheck // how it ended is not the question
		}()
		return getJSON(t, base+"/collections/sentinel-2-l1c/items/"+mirrored)
	}
	once(3)
	if got := status(); got.Held != 1 || got.Quarantined != 1 || got.Wanted != 0 || len(got.Troubles) != 1 || !strings.Contains(got.Troubles[0].Reason, "manifest") || got.Delays["3h"] != 1 {
		t.Errorf("%+v", got)
	}
	if status, body := item(); status != 200 || body["id"] != mirrored {
		t.Errorf("the item: %d, %v", status, body["id"])
	}
	archive.Delete("good")
	archive.Delete("cut")
	once(0)
	if got := status(); got.Held != 0 || got.Gone != 2 || got.Quarantined != 0 {
		t.Errorf("after the hub deleted both: %+v", got)
	}
	if status, _ := item(); status != 404 {
		t.Errorf("the deleted item: %d", status)
	}
}

// TestMirrorMistakes: what is wrong in the configuration of a mirror is named.
func TestMirrorMistakes(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{`{name: Bad Name}`, "mirrors[0].name"},
		{`{name: a, hub: {type: dhus}}`, "hub.type"},
		{`{name: a, hub: {type: cdse, catalogue: "ftp://x"}}`, "hub.catalogue"},
		{`{name: a, hub: {type: cdse, catalogue: "http://x", token: "http://x/t"}}`, "user and password_env"},
		{`{name: a, hub: {type: cdse, catalogue: "http://x"}}`, "since"},
		{`{name: a, since: yesterday}`, "neither a day nor a moment"},
		{`{name: a, hub: {type: cdse, catalogue: "http://x"}, since: 2024-01-01, area: [1, 2, 3]}`, "west, south, east, north"},
		{`{name: a, hub: {type: cdse, catalogue: "http://x"}, since: 2024-01-01, area: none.json}`, "none.json"},
		{`{name: a, hub: {type: cdse, catalogue: "http://x"}, since: 2024-01-01, cog: never}`, "cog"},
	} {
		file := filepath.Join(t.TempDir(), "swath.yaml")
		if err := os.WriteFile(file, []byte("mirrors:\n  - "+c.yaml+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := defaultConfig()
		err := readFile(file, &cfg)
		if err == nil {
			err = cfg.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.yaml, err, c.want)
		}
	}
}

// TestAreas: boxes and GeoJSON become WKT, also over the antimeridian.
func TestAreas(t *testing.T) {
	for _, c := range []struct {
		area AreaConfig
		want string
	}{
		{AreaConfig{}, ""},
		{AreaConfig{Box: []float64{0.5, 43, 2.5, 44.5}}, "POLYGON((0.5 43,2.5 43,2.5 44.5,0.5 44.5,0.5 43))"},
		{AreaConfig{Box: []float64{179, -1, -179, 1}}, "MULTIPOLYGON(((179 -1,180 -1,180 1,179 1,179 -1)),((-180 -1,-179 -1,-179 1,-180 1,-180 -1)))"},
	} {
		if got, err := c.area.wkt(); err != nil || got != c.want {
			t.Errorf("%v: %s, %v", c.area, got, err)
		}
	}
	for text, want := range map[string]string{
		`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`:                                      "POLYGON((0 0,1 0,1 1,0 0))",
		`{"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}}`: "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
		`{"type":"Point","coordinates":[0,0]}`:                                                              "error",
		`{"type":"Polygon","coordinates":[[[0],[1],[2],[0]]]}`:                                              "error",
		`{"type":"Polygon","coordinates":[]}`:                                                               "error",
		`{"type":"FeatureCollection","features":[]}`:                                                        "error",
	} {
		got, err := wktOf([]byte(text))
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}
