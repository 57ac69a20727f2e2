package objecthttp

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/auth"
	"swath/fault"
	"swath/httpkit"
	"swath/internal/contract"
	"swath/objects"
	"swath/objects/copies"
	"swath/objects/staging"
)

// of returns the path of the product of an item.
func productOf(collection, id string) string {
	return "/collections/" + collection + "/items/" + id + "/product"
}

// TestProduct: the files of an item come as one zip, which others read and whose ranges are those of the whole.
func TestProduct(t *testing.T) {
	l := newLake(t)
	l.fill(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 50_000)
	if _, err := l.files.Put(t.Context(), "s2/big/r1/B04.tif", "", bytes.NewReader(big)); err != nil {
		t.Fatal(err)
	}
	l.item(t, "s2", "big", `"datetime":"2020-02-29T10:00:30Z"`, map[string]string{"meta": "m.xml", "far": ""})
	it, err := l.store.Item(t.Context(), "s2", "big")
	if err != nil {
		t.Fatal(err)
	}
	it.Body = []byte(strings.Replace(string(it.Body), `"meta":{`, `"B04":{"href":"swath:/collections/s2/items/big/assets/B04","swath:object":"s2/big/r1/B04.tif"},"meta":{`, 1))
	if _, err := l.store.PutItem(t.Context(), it); err != nil {
		t.Fatal(err)
	}
	target := productOf("s2", "big")
	head := contract.Client(t, l.app).Do(http.MethodHead, target, "")
	resp, whole := l.get(t, target)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/zip" || resp.Header.Get("Content-Disposition") != "attachment; filename=big.zip" ||
		resp.Header.Get("Content-Length") != fmt.Sprint(len(whole)) || head.Header.Get("Content-Length") != fmt.Sprint(len(whole)) || head.Header.Get("ETag") != resp.Header.Get("ETag") {
		t.Fatalf("%s %v, HEAD %v", resp.Status, resp.Header, head.Header)
	}
	z, err := zip.NewReader(strings.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"big/B04.tif": string(big), "big/m.xml": "s2/big/r1/m.xml"}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want[f.Name] || f.Modified.Format(time.DateTime) != "2020-02-29 10:00:30" {
			t.Errorf("%s has %d bytes, %s, %v", f.Name, len(got), f.Modified, err)
		}
	}
	path := filepath.Join(t.TempDir(), "big.zip")
	if err := os.WriteFile(path, []byte(whole), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tool := range [][]string{{"unzip", "-tq", path}, {"python3", "-m", "zipfile", "-t", path}} {
		if _, err := exec.LookPath(tool[0]); err != nil {
			t.Logf("%s is not installed", tool[0])
		} else if out, err := exec.CommandContext(t.Context(), tool[0], tool[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v: %s", tool, err, out)
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	tag := resp.Header.Get("ETag")
	for range 100 {
		first := rng.IntN(len(whole))
		last := first + rng.IntN(len(whole)-first)
		resp, got := l.get(t, target, "Range", fmt.Sprintf("bytes=%d-%d", first, last), "If-Range", tag)
		if resp.StatusCode != 206 || got != whole[first:last+1] || resp.Header.Get("ETag") != tag {
			t.Fatalf("bytes %d to %d: %s, %d bytes", first, last, resp.Status, len(got))
		}
	}
	resp, body := l.get(t, target, "Range", "bytes=0-99,500000-500099,-22")
	_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || resp.StatusCode != 206 {
		t.Fatal(resp.Status, err)
	}
	parts := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for _, want := range []string{whole[:100], whole[500_000:500_100], whole[len(whole)-22:]} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(part); err != nil || string(got) != want {
			t.Errorf("a part has %q, %v", got, err)
		}
	}
	for header, status := range map[[2]string]int{{"If-None-Match", tag}: 304, {"If-Match", `"x"`}: 412, {"Range", fmt.Sprintf("bytes=%d-", len(whole))}: 416} {
		if resp, _ := l.get(t, target, header[0], header[1]); resp.StatusCode != status {
			t.Errorf("%v: %s", header, resp.Status)
		}
	}
	// The original product, where it is held; what is hidden, not there, or elsewhere alone.
	l.item(t, "s2", "packed", `"datetime":"2020-01-01T00:00:00Z"`, map[string]string{"product": "packed.zip", "B04": "B04.tif"})
	l.api.Asset = func(_ context.Context, collection, item, asset string) (Asset, error) {
		return Asset{Key: collection + "/" + item + "/r1/packed.zip", FileName: "packed.zip"}, nil
	}
	app := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)})
	l.api.Mount(app)
	if got, err := app.Test(httptest.NewRequest(http.MethodGet, productOf("s2", "packed"), nil)); err != nil || got.StatusCode != 200 || got.ContentLength != int64(len("s2/packed/r1/packed.zip")) {
		t.Errorf("a product that is held: %v, %v", got, err)
	}
	l.item(t, "s2", "away", `"datetime":"2020-01-01T00:00:00Z"`, map[string]string{"B04": ""})
	for target, hide := range map[string]string{productOf("s2", "away"): "", productOf("s2", "none"): "", productOf("none", "big"): "", productOf("s2", "big"): "s2"} {
		if resp, _ := l.get(t, target, "Hide", hide); resp.StatusCode != 404 {
			t.Errorf("%s: %s", target, resp.Status)
		}
	}
	if err := l.files.Delete(t.Context(), "s2/S2A_3/r1/B04.tif"); err != nil {
		t.Fatal(err)
	}
	if resp, _ := l.get(t, productOf("s2", "S2A_3")); resp.StatusCode != 404 {
		t.Errorf("a file that is lost: %s", resp.Status)
	}
}

// TestProductIsAdmitted: a zip is a download like any other.
func TestProductIsAdmitted(t *testing.T) {
	l := newLake(t)
	l.fill(t)
	inside, full := 0, false
	l.api.Admit = func(context.Context) (func(), error) {
		if full {
			return nil, fault.New(fault.OverQuota, "full")
		}
		inside++
		return func() { inside-- }, nil
	}
	base := listen(t, l.api)
	base = base[:strings.Index(base, "/collections/")]
	for _, want := range []int{200, 429} {
		resp, err := http.Get(base + productOf("s2", "S2A_1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s, want %d", resp.Status, want)
		}
		full = true
	}
	for end := time.Now().Add(5 * time.Second); inside != 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if inside != 0 {
		t.Errorf("%d are inside still", inside)
	}
}

// TestColdProduct: of a product with files in the archive all are ordered at once, and asking again orders nothing more.
func TestColdProduct(t *testing.T) {
	l := newLake(t)
	l.fill(t)
	table, err := copies.Open(t.Context(), l.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(table.Close)
	tape, err := objects.OpenTape(t.TempDir(), l.files, objects.TapeConfig{})
	if err != nil {
		t.Fatal(err)
	}
	store := staging.NewStore(l.files, table, tape)
	cfg := staging.Config{BatchWait: time.Nanosecond, LeastLife: time.Nanosecond, Tick: time.Millisecond, Keep: time.Hour}
	keeper := staging.NewKeeper(table, tape, l.files, cfg)
	if _, err := store.Archive(t.Context(), []staging.Archived{{Key: "s2/S2A_1/r1/B04.tif", Collection: "s2", Item: "S2A_1"}, {Key: "s2/S2A_1/r1/B 08+é.tif", Collection: "s2", Item: "S2A_1"}}); err != nil {
		t.Fatal(err)
	}
	if err := keeper.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := table.Look(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	l.api.Objects, l.api.Desk = store, staging.NewDesk(store, cfg, copies.Quota{Files: 10, Bytes: 1 << 30}, true)
	l.app = httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)})
	l.api.Mount(l.app)
	client := contract.Client(t, l.app)
	var listed struct{ Entries []entry }
	client.Get("/datalake/s2/2018/07/20/S2A_1/?f=json").JSON(t, &listed)
	if len(listed.Entries) != 2 || listed.Entries[0].Storage != "tape" {
		t.Errorf("in the archive: %+v", listed.Entries)
	}
	target := productOf("s2", "S2A_1")
	if got := client.Do(http.MethodHead, target, ""); got.Status != 202 || got.Header.Get("Link") != "" {
		t.Errorf("HEAD: %d %v", got.Status, got.Header)
	}
	if got := client.Get(target + "?order=false"); got.Status != 409 {
		t.Errorf("order=false: %d", got.Status)
	}
	orders := map[string]bool{}
	for range 3 {
		got := client.Get(target)
		if got.Status != 202 || len(got.Body) != 0 || got.Header.Get("Retry-After") == "" {
			t.Errorf("%d %q %v", got.Status, got.Body, got.Header)
		}
		orders[got.Header.Get("Link")] = true
	}
	if len(orders) != 1 {
		t.Errorf("orders: %v", orders)
	}
	figures, err := table.Figures(auth.With(t.Context(), auth.Principal{}))
	if err != nil || figures.Copies[copies.Queued] != 2 {
		t.Errorf("%+v, %v", figures, err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err := keeper.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := client.Get(target)
		if got.Status == 200 {
			if _, err := zip.NewReader(bytes.NewReader(got.Body), int64(len(got.Body))); err != nil {
				t.Error(err)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatalf("still %d", got.Status)
		}
	}
}
