package objecthttp

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/catalog"
	"swath/httpkit"
	"swath/internal/contract"
	"swath/internal/testdb"
	"swath/objects"
	"swath/objects/parcel"
	"swath/stac"
)

// lake is a catalog and its objects, behind the door.
type lake struct {
	app   *fiber.App
	api   API
	store *catalog.Store
	files objects.Store
	url   string // of the database
}

func newLake(t testing.TB) *lake {
	t.Helper()
	address := testdb.New(t)
	store, err := catalog.Open(t.Context(), address, catalog.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	files, err := objects.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := &lake{app: httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)}), store: store, files: files, url: address}
	l.app.Use(func(c *fiber.Ctx) error {
		if hidden := c.Get("Hide"); hidden != "" {
			c.SetUserContext(stac.WithScope(c.UserContext(), stac.Hiding(hidden)))
		}
		return c.Next()
	})
	sums, err := parcel.OpenSums(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sums.Close)
	l.api = API{Objects: files, Catalog: store, Analyst: store, CRC32: sums.CRC32}
	l.api.Mount(l.app)
	return l
}

func (l *lake) collection(t testing.TB, id, more string) {
	t.Helper()
	body := fmt.Sprintf(`{"type":"Collection","stac_version":"1.1.0","id":%q,%s"description":"d","license":"other","extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}}}`, id, more)
	if err := l.store.PutCollection(t.Context(), stac.Collection{ID: id, Body: json.RawMessage(body)}); err != nil {
		t.Fatal(err)
	}
}

// item stores an item with a file for each object name; its bytes are its own key. Without a name the asset is others'.
func (l *lake) item(t testing.TB, collection, id, properties string, assets map[string]string) {
	t.Helper()
	all := map[string]any{}
	for asset, name := range assets {
		if name == "" {
			all[asset] = map[string]any{"href": "https://example.org/x.tif"}
			continue
		}
		key := collection + "/" + id + "/r1/" + name
		info, err := l.files.Put(t.Context(), key, "", strings.NewReader(key))
		if err != nil {
			t.Fatal(err)
		}
		all[asset] = map[string]any{"href": "swath:/collections/" + collection + "/items/" + id + "/assets/" + asset, "type": "image/tiff", "swath:object": key,
			"file:size": info.Size, "file:checksum": "1220" + info.SHA256}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"type":"Feature","stac_version":"1.1.0","id":%q,"collection":%q,"geometry":{"type":"Point","coordinates":[5,45]},"bbox":[5,45,5,45],"properties":{%s},"assets":%s}`, id, collection, properties, text)
	if _, err := l.store.PutItem(t.Context(), stac.Item{Collection: collection, ID: id, Body: json.RawMessage(body)}); err != nil {
		t.Fatal(err)
	}
}

// fill puts in two collections: one as usual, one in folders by tile. It returns the bytes by path, worked out by hand.
func (l *lake) fill(t testing.TB) map[string]string {
	t.Helper()
	l.collection(t, "s2", "")
	l.collection(t, "s1-tiling", `"swath:datalake":"S1-L1-ORTHO/{tile}/{yyyy}/{mm}/{dd}",`)
	l.collection(t, "empty", `"swath:datalake":"{mm}/{yyyy}",`) // not well formed
	l.item(t, "s2", "S2A_1", `"datetime":"2018-07-20T10:00:00Z"`, map[string]string{"B04": "B04.tif", "B08": "B 08+é.tif", "far": ""})
	l.item(t, "s2", "S2A_2", `"datetime":"2018-07-20T23:59:59.999999Z"`, map[string]string{"a": "same.tif", "b": "x/same.tif"})
	l.item(t, "s2", "S2A_3", `"datetime":"2019-01-01T00:00:00Z"`, map[string]string{"B04": "B04.tif"})
	l.item(t, "s2", "month", `"datetime":null,"start_datetime":"2018-07-19T12:00:00Z","end_datetime":"2018-08-19T12:00:00Z"`, map[string]string{"B04": "B04.tif"})
	l.item(t, "s1-tiling", "s1b_31TGL", `"datetime":"2018-07-20T06:00:00Z","grid:code":"MGRS-31TGL"`, map[string]string{"data": "s1b_31TGL.tif", "filtered": "s1b_31TGL_filtered.tif"})
	l.item(t, "s1-tiling", "s1b_31TGL_old", `"datetime":"2018-07-20T06:00:01Z","s2:mgrs_tile":"31TGL"`, map[string]string{"data": "data.tif"})
	l.item(t, "s1-tiling", "nowhere", `"datetime":"2018-07-20T06:00:00Z"`, map[string]string{"data": "data.tif"})
	return map[string]string{
		"s2/2018/07/20/S2A_1/B04.tif":                         "s2/S2A_1/r1/B04.tif",
		"s2/2018/07/20/S2A_1/B 08+é.tif":                      "s2/S2A_1/r1/B 08+é.tif",
		"s2/2018/07/20/S2A_2/same.tif":                        "s2/S2A_2/r1/same.tif",
		"s2/2018/07/20/S2A_2/b_same.tif":                      "s2/S2A_2/r1/x/same.tif",
		"s2/2019/01/01/S2A_3/B04.tif":                         "s2/S2A_3/r1/B04.tif",
		"s2/2018/07/19/month/B04.tif":                         "s2/month/r1/B04.tif",
		"S1-L1-ORTHO/31TGL/2018/07/20/s1b_31TGL.tif":          "s1-tiling/s1b_31TGL/r1/s1b_31TGL.tif",
		"S1-L1-ORTHO/31TGL/2018/07/20/s1b_31TGL_filtered.tif": "s1-tiling/s1b_31TGL/r1/s1b_31TGL_filtered.tif",
		"S1-L1-ORTHO/31TGL/2018/07/20/s1b_31TGL_old_data.tif": "s1-tiling/s1b_31TGL_old/r1/data.tif",
		"S1-L1-ORTHO/other/2018/07/20/nowhere_data.tif":       "s1-tiling/nowhere/r1/data.tif",
	}
}

func (l *lake) get(t testing.TB, target string, header ...string) (*http.Response, string) {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := l.app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

var anchors = regexp.MustCompile(`<a href="([^"]*)"`)

// TestFoldersByLinks follows the links of the pages, as wget -r -np does, and those of JSON: each must lead to all files and nothing else.
func TestFoldersByLinks(t *testing.T) {
	l := newLake(t)
	want := l.fill(t)
	for name, crawl := range map[string]func(target, body string) (links []string){
		"pages": func(target, body string) (links []string) {
			here, _ := url.Parse(target)
			for _, m := range anchors.FindAllStringSubmatch(body, -1) {
				to, err := here.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
				if err != nil {
					t.Fatal(err)
				}
				links = append(links, to.RequestURI())
			}
			return links
		},
		"JSON": func(_, body string) (links []string) {
			var page struct {
				Entries []entry
				Links   []linkBody
			}
			if err := json.Unmarshal([]byte(body), &page); err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Entries {
				links = append(links, strings.TrimPrefix(e.Href, "http://example.com"))
			}
			for _, one := range page.Links {
				if one.Rel == "next" {
					links = append(links, strings.TrimPrefix(one.Href, "http://example.com"))
				}
			}
			return links
		},
	} {
		for _, first := range []string{"/datalake/", "/datalake/?limit=1"} {
			accept := map[string]string{"pages": "text/html", "JSON": "application/json"}[name]
			got, seen, queue := map[string]string{}, map[string]bool{}, []string{first}
			for len(queue) > 0 {
				target := queue[0]
				if first != "/datalake/" && !strings.Contains(target, "limit=") && strings.HasSuffix(target, "/") {
					target += "?limit=1"
				}
				if queue = queue[1:]; seen[target] || !strings.HasPrefix(target, "/datalake/") {
					continue
				}
				seen[target] = true
				resp, body := l.get(t, target, "Accept", accept)
				if resp.StatusCode != 200 {
					t.Fatalf("%s: %s %s", target, resp.Status, body)
				}
				if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, accept) {
					u, _ := url.Parse(target)
					got[strings.TrimPrefix(u.Path, "/datalake/")] = body
					continue
				}
				queue = append(queue, crawl(target, body)...)
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s from %s found %v", name, first, slices.Sorted(maps.Keys(got)))
			}
		}
	}
}

func TestFolders(t *testing.T) {
	l := newLake(t)
	l.fill(t)
	client := contract.Client(t, l.app)
	for target, status := range map[string]int{
		"/datalake": 301, "/datalake/": 200, "/datalake/s2": 301, "/datalake/s2/": 200, "/datalake/s2/2018/07/20": 301, "/datalake/none/": 404, "/datalake/none": 404, "/datalake/s2/2017/": 404,
		"/datalake/s2/2018/13/": 404, "/datalake/s2/2018/7/": 404, "/datalake/s2/2018/02/30/": 404, "/datalake/s2/2018/07/20/S2A_1/": 200, "/datalake/s2/2018/07/20/S2A_3/": 404, "/datalake/s2/2018/07/20/month/": 404,
		"/datalake/s2/2018/07/20/S2A_1/none.tif": 404, "/datalake/s2/2018/07/20/S2A_1/B04.tif/": 404, "/datalake/s2/2018/07/19/S2A_1/B04.tif": 404, "/datalake/s2/2018/07/20/S2A_1/B04.tif/x": 404,
		"/datalake/s2/2018/07/20/S2A_1/..%2fS2A_2/same.tif": 404, "/datalake/s1-tiling/": 404, "/datalake/S1-L1-ORTHO/31TGL/": 200, "/datalake/S1-L1-ORTHO/31TGM/": 404, "/datalake/S1-L1-ORTHO/31TGL/2018/07/20/nowhere_data.tif": 404,
		"/datalake/?limit=0": 400, "/datalake/?limit=1001": 400, "/datalake/?format=xml": 400, "/datalake/?f=xml": 400, "/datalake/?x=1": 400, "/datalake/s2/2018/07/20/?token=x": 400, "/datalake/empty/": 200,
		"/datalake/s2/2018/07/20/S2A_1/B04.tif": 200, "/datalake/s2/%C3%A9/": 404,
	} {
		if got := client.Get(target); got.Status != status {
			t.Errorf("%s: %d, want %d: %.200s", target, got.Status, status, got.Body)
		}
	}
	if got := client.Get("/datalake/s2?limit=7&f=json"); got.Header.Get("Location") != "http://example.com/datalake/s2/?limit=7&f=json" {
		t.Errorf("a folder without a slash leads to %q", got.Header.Get("Location"))
	}
	var page struct{ Entries []entry }
	client.Get("/datalake/s2/2018/?format=json").JSON(t, &page)
	if len(page.Entries) != 1 || page.Entries[0].Name != "07" || page.Entries[0].Items != 3 {
		t.Errorf("the months of 2018 are %+v", page.Entries)
	}
	client.Get("/datalake/s2/2018/07/20/S2A_1/?f=json").JSON(t, &page)
	if e := page.Entries[1]; len(page.Entries) != 2 || e.Name != "B04.tif" || *e.Bytes != int64(len("s2/S2A_1/r1/B04.tif")) || len(e.SHA256) != 64 || e.Storage != "disk" || time.Since(*e.Changed) > time.Hour {
		t.Errorf("the files are %+v", page.Entries)
	}
	// A range, and what a file is called.
	resp, body := l.get(t, "/datalake/S1-L1-ORTHO/31TGL/2018/07/20/s1b_31TGL_old_data.tif", "Range", "bytes=0-8")
	if resp.StatusCode != 206 || body != "s1-tiling" || resp.Header.Get("Content-Disposition") != "attachment; filename=s1b_31TGL_old_data.tif" {
		t.Errorf("a range: %s %q %v", resp.Status, body, resp.Header)
	}
	// What is hidden is as what is not there.
	for _, path := range []string{"", "/", "/2018/07/20/", "/2018/07/20/S2A_1/B04.tif"} {
		hidden, a := l.get(t, "/datalake/s2"+path, "Hide", "s2", "X-Request-Id", "x")
		missing, b := l.get(t, "/datalake/no"+path, "X-Request-Id", "x")
		if hidden.StatusCode != 404 || missing.StatusCode != 404 || strings.ReplaceAll(a, "s2", "no") != strings.ReplaceAll(b, "s2", "no") {
			t.Errorf("hidden: %s %s, missing: %s %s", hidden.Status, a, missing.Status, b)
		}
	}
	if _, body := l.get(t, "/datalake/?f=json", "Hide", "s2"); strings.Contains(body, `"s2"`) || !strings.Contains(body, "S1-L1-ORTHO") {
		t.Errorf("with s2 hidden: %s", body)
	}
}

// TestWget brings a whole tree by the tool that people do that with.
func TestWget(t *testing.T) {
	wget, err := exec.LookPath("wget")
	if err != nil {
		t.Skip("wget is not installed")
	}
	l := newLake(t)
	want, into := l.fill(t), t.TempDir()
	base := listen(t, l.api)
	base = base[:strings.Index(base, "/collections/")]
	out, err := exec.CommandContext(t.Context(), wget, "-r", "-np", "-nH", "-e", "robots=off", "--reject=index.html*", "-P", into, base+"/datalake/S1-L1-ORTHO/").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found, err := filepath.Glob(into + "/datalake/*/*/*/*/*/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for path := range want {
		if strings.HasPrefix(path, "S1-") {
			n++
			if !slices.Contains(found, filepath.Join(into, "datalake", path)) {
				t.Errorf("wget did not bring %s", path)
			}
		}
	}
	if len(found) != n {
		t.Errorf("wget brought %v: %s", found, out)
	}
}
