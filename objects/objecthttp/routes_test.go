package objecthttp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/fault"
	"swath/httpkit"
	"swath/objects"
)

// house is a served store with some assets.
type house struct {
	url   string
	root  string // of the store
	store objects.Store
	tif   []byte // the content of …/assets/B04
	info  objects.Info
}

func serve(t testing.TB) house {
	t.Helper()
	root := t.TempDir()
	folder, err := objects.OpenFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	h := house{root: root, store: folder, tif: bytes.Repeat([]byte("0123456789"), 300_000)} // 3 MB
	h.info, err = folder.Put(t.Context(), "c/i/r1/B04.tif", "image/tiff", bytes.NewReader(h.tif))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Put(t.Context(), "c/i/r1/empty.txt", "", strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	h.url = listen(t, API{Objects: h.store, Asset: func(_ context.Context, _, item, asset string) (Asset, error) {
		switch asset {
		case "B04":
			return Asset{Key: "c/i/r1/B04.tif"}, nil
		case "named":
			return Asset{Key: "c/i/r1/B04.tif", ContentType: "application/x-test", FileName: "Größe 1/2\".tif"}, nil
		case "empty":
			return Asset{Key: "c/i/r1/empty.txt"}, nil
		case "lost":
			return Asset{Key: "c/i/r1/gone.tif"}, nil
		case "foreign":
			return Asset{Href: "https://user:pw@other.example/a/B04.tif?token=secret"}, nil
		}
		return Asset{}, fault.New(fault.NotFound, "item %q has no asset %q", item, asset)
	}})
	return h
}

func listen(t testing.TB, api API) (url string) {
	t.Helper()
	app := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)})
	api.Mount(app)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(l) }()
	t.Cleanup(func() {
		if err := app.ShutdownWithTimeout(5 * time.Second); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String() + "/collections/c/items/i/assets/"
}

func (h house) get(t testing.TB, method, asset string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, h.url+asset, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
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

// opened counts the files of the store that this process has open.
func (h house) opened(t testing.TB) (n int) {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(fds) == 0 {
		t.Fatal("no /proc/self/fd", err)
	}
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil && strings.HasPrefix(target, filepath.Join(h.root, "bytes")) {
			n++
		}
	}
	return n
}

// allClosed waits until the server has put away what it served.
func (h house) allClosed(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); h.opened(t) != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d files are still open", h.opened(t))
		}
	}
}

func TestWhole(t *testing.T) {
	h := serve(t)
	for _, method := range []string{"GET", "HEAD"} {
		resp, body := h.get(t, method, "B04", "Accept-Encoding", "gzip")
		for name, want := range map[string]string{
			"Content-Type": "image/tiff", "Content-Length": "3000000", "Accept-Ranges": "bytes", "Etag": `"` + h.info.SHA256 + `"`,
			"Last-Modified":       h.info.Modified.Format(http.TimeFormat),
			"Content-Disposition": "attachment; filename=B04.tif", "Cache-Control": cacheControl, "Content-Encoding": "", "Content-Range": "",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", method, name, got, want)
			}
		}
		if want := map[string]string{"GET": string(h.tif)}[method]; resp.StatusCode != 200 || body != want {
			t.Errorf("%s: %s with %d bytes, want %d", method, resp.Status, len(body), len(want))
		}
	}
	if resp, body := h.get(t, "GET", "empty"); resp.StatusCode != 200 || body != "" || resp.Header.Get("Content-Length") != "0" ||
		resp.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("an empty file: %s %q %v", resp.Status, body, resp.Header)
	}
	resp, _ := h.get(t, "HEAD", "named")
	if got := resp.Header.Get("Content-Disposition"); got != `attachment; filename="Gr__e 1_2_.tif"` || resp.Header.Get("Content-Type") != "application/x-test" {
		t.Errorf("a named asset: %q %q", got, resp.Header.Get("Content-Type"))
	}
	h.allClosed(t)
}

func TestConditionsAndRanges(t *testing.T) {
	h := serve(t)
	tag, date := `"`+h.info.SHA256+`"`, h.info.Modified.Format(http.TimeFormat)
	before, after := h.info.Modified.Add(-time.Hour).Format(http.TimeFormat), h.info.Modified.Add(time.Hour).Format(http.TimeFormat)
	const whole = 3_000_000
	for _, tc := range []struct {
		header       []string
		status, size int
		contentRange string
	}{
		{[]string{"If-None-Match", tag}, 304, 0, ""},
		{[]string{"If-None-Match", `"x", W/` + tag}, 304, 0, ""},
		{[]string{"If-None-Match", `"x"`}, 200, whole, ""},
		{[]string{"If-None-Match", `"x"`, "If-Modified-Since", date}, 200, whole, ""},
		{[]string{"If-Modified-Since", date}, 304, 0, ""},
		{[]string{"If-Modified-Since", before}, 200, whole, ""},
		{[]string{"If-Match", tag}, 200, whole, ""},
		{[]string{"If-Match", `"x", *`}, 200, whole, ""},
		{[]string{"If-Match", `"x"`}, 412, -1, ""},
		{[]string{"If-Unmodified-Since", before}, 412, -1, ""},
		{[]string{"If-Unmodified-Since", after}, 200, whole, ""},
		{[]string{"Range", "bytes=0-0"}, 206, 1, "bytes 0-0/3000000"},
		{[]string{"Range", "bytes=1000000-2499999"}, 206, 1_500_000, "bytes 1000000-2499999/3000000"},
		{[]string{"Range", "bytes=2999990-"}, 206, 10, "bytes 2999990-2999999/3000000"},
		{[]string{"Range", "bytes=-5"}, 206, 5, "bytes 2999995-2999999/3000000"},
		{[]string{"Range", "bytes=2999990-9999999"}, 206, 10, "bytes 2999990-2999999/3000000"},
		{[]string{"Range", "bytes=3000000-"}, 416, -1, "bytes */3000000"},
		{[]string{"Range", "bytes=-0"}, 416, -1, "bytes */3000000"},
		{[]string{"Range", "lines=1-2"}, 200, whole, ""},
		{[]string{"Range", "bytes=5-2"}, 200, whole, ""},
		{[]string{"Range", "bytes=0-9", "If-Range", tag}, 206, 10, "bytes 0-9/3000000"},
		{[]string{"Range", "bytes=0-9", "If-Range", date}, 206, 10, "bytes 0-9/3000000"},
		{[]string{"Range", "bytes=0-9", "If-Range", `"x"`}, 200, whole, ""},
		{[]string{"Range", "bytes=0-9", "If-Range", "W/" + tag}, 200, whole, ""},
		{[]string{"Range", "bytes=0-9", "If-Range", after}, 200, whole, ""},
		{[]string{"Range", "bytes=0-9", "If-None-Match", tag}, 304, 0, ""},
	} {
		t.Run(strings.Join(tc.header, " "), func(t *testing.T) {
			resp, body := h.get(t, "GET", "B04", tc.header...)
			if resp.StatusCode != tc.status || tc.size >= 0 && len(body) != tc.size || resp.Header.Get("Content-Range") != tc.contentRange {
				t.Errorf("%s with %d bytes and Content-Range %q; want %d, %d, %q",
					resp.Status, len(body), resp.Header.Get("Content-Range"), tc.status, tc.size, tc.contentRange)
			}
			var first, last int
			if n, _ := fmt.Sscanf(tc.contentRange, "bytes %d-%d/", &first, &last); n == 2 && body != string(h.tif[first:last+1]) {
				t.Error("other bytes than asked for")
			}
			if tc.status >= 400 && resp.Header.Get("Cache-Control") != "no-store" {
				t.Error("an error may be cached")
			}
		})
	}
	if resp, _ := h.get(t, "HEAD", "B04", "Range", "bytes=0-9"); resp.StatusCode != 200 || resp.ContentLength != whole {
		t.Errorf("HEAD with a range: %s, %d bytes", resp.Status, resp.ContentLength)
	}
	h.allClosed(t)
}

func TestMultiRange(t *testing.T) {
	h := serve(t)
	resp, body := h.get(t, "GET", "B04", "Range", "bytes=3-7, 1000000-1099999,-4,9000000-")
	mediaType, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/byteranges" || resp.StatusCode != 206 || resp.ContentLength != int64(len(body)) {
		t.Fatalf("%s %q, length %d of %d, %v", resp.Status, mediaType, resp.ContentLength, len(body), err)
	}
	r := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for _, want := range [][2]int{{3, 8}, {1_000_000, 1_100_000}, {2_999_996, 3_000_000}} {
		part, err := r.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(part)
		if err != nil || !bytes.Equal(got, h.tif[want[0]:want[1]]) {
			t.Errorf("part %v: %d bytes, %v", want, len(got), err)
		}
		if cr := fmt.Sprintf("bytes %d-%d/3000000", want[0], want[1]-1); part.Header.Get("Content-Range") != cr || part.Header.Get("Content-Type") != "image/tiff" {
			t.Errorf("part %v has %v", want, part.Header)
		}
	}
	if _, err := r.NextRawPart(); err != io.EOF {
		t.Errorf("after the last part: %v", err)
	}
	h.allClosed(t)
}

func TestMissing(t *testing.T) {
	h := serve(t)
	for asset, want := range map[string]string{
		"none": `item \"i\" has no asset \"none\"`, "lost": `there is no object \"c/i/r1/gone.tif\"`,
		"foreign": `asset \"foreign\" of item \"i\" is not kept here but by https://other.example/a/B04.tif"`,
	} {
		resp, body := h.get(t, "GET", asset)
		if resp.StatusCode != 404 || !strings.Contains(body, want) || strings.Contains(body, "secret") || strings.Contains(body, "pw") {
			t.Errorf("%s: %s %s", asset, resp.Status, body)
		}
	}
}

func TestClientLeaves(t *testing.T) {
	h := serve(t)
	big := make([]byte, 64<<20) // more than the buffers between the two ends of a socket
	if _, err := h.store.Put(t.Context(), "big", "", bytes.NewReader(big)); err != nil {
		t.Fatal(err)
	}
	h.url = listen(t, API{Objects: h.store, Asset: func(context.Context, string, string, string) (Asset, error) { return Asset{Key: "big"}, nil }})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", h.url+"big", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if h.opened(t) != 1 {
		t.Fatalf("%d files are open during a download", h.opened(t))
	}
	cancel()
	h.allClosed(t)
}

func BenchmarkDownload(b *testing.B) {
	h := serve(b)
	b.SetBytes(int64(len(h.tif)))
	for b.Loop() {
		resp, err := http.Get(h.url + "B04")
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != int64(len(h.tif)) || err != nil {
			b.Fatal(n, err)
		}
		resp.Body.Close()
	}
}
