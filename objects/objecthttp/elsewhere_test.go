package objecthttp

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swath/auth"
	"swath/fault"
	"swath/httpkit"
	"swath/internal/s3test"
	"swath/objects"
)

// free returns an address that nobody listens at.
func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestNginxSendsFiles holds what nginx sends, configured by deploy/nginx.conf, against what is sent from here.
func TestNginxSendsFiles(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		nginx = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(nginx); err != nil {
		t.Skip("nginx is not installed: apt-get install nginx-light")
	}
	h := serve(t)
	if _, err := h.store.Put(t.Context(), "c/i é/50%+\"x\".tif", "", strings.NewReader("odd")); err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int64 // bytes that are counted
	api := API{Objects: h.store, Accel: "/internal/", Asset: func(_ context.Context, _, _, asset string) (Asset, error) {
		key, known := map[string]string{"B04": "c/i/r1/B04.tif", "odd": "c/i é/50%+\"x\".tif", "empty": "c/i/r1/empty.txt"}[asset]
		if !known {
			return Asset{}, fault.New(fault.NotFound, "no")
		}
		return Asset{Key: key, ContentType: "image/x-test"}, nil
	}, Allowances: func(context.Context) []auth.Allowance {
		return []auth.Allowance{{Name: "bytes", Unit: "content-bytes", Quota: 9, Left: 4, Window: 24 * time.Hour, Reset: time.Minute}, {Name: "downloads", Unit: "concurrent-requests", Quota: 4, Left: 3}}
	}, Admit: func(context.Context) (func(), error) { return func() {}, nil }}
	app := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler), Sent: func(_ context.Context, _, bytes int64) { sent.Add(bytes) }})
	api.Mount(app)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(l) }()
	defer func() {
		if err := app.ShutdownWithTimeout(5 * time.Second); err != nil {
			t.Error(err)
		}
		<-ended
	}()

	text, err := os.ReadFile("../../deploy/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), free(t)
	config := strings.NewReplacer("listen 80;", "listen "+address+";", "127.0.0.1:8080", l.Addr().String(), "/var/cache/nginx/swath", dir+"/cache",
		"alias /srv/swath/objects/bytes/;", "alias "+h.root+"/bytes/;").Replace(string(text))
	head := "daemon off; pid " + dir + "/pid; error_log " + dir + "/error.log;\nevents {}\nhttp { access_log off;\n"
	if os.Getuid() == 0 {
		head = "user root;\n" + head // folders of tests are their owner's alone
	}
	for _, folder := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		head += folder + "_temp_path " + dir + "/" + folder + ";\n"
	}
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(head+config+"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, nginx, "-p", dir, "-c", path, "-e", dir+"/error.log")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		cmd.Wait() //nolint:errcheck // it was told to end
	}()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(dir + "/error.log")
			t.Fatalf("nginx does not answer: %s", log)
		}
	}

	const assets = "/collections/c/items/i/assets/"
	tag := `"` + h.info.SHA256 + `"`
	by := func(address, method, target string, header ...string) (*http.Response, string) {
		t.Helper()
		h := h
		h.url = "http://" + address
		return h.get(t, method, target, header...)
	}
	for _, tc := range []struct {
		method, asset string
		header        []string
		nginx         bool // sends it
	}{
		{"GET", "B04", nil, true}, {"HEAD", "B04", nil, false}, {"GET", "odd", nil, true}, {"GET", "empty", nil, true}, {"GET", "none", nil, false},
		{"GET", "B04", []string{"Range", "bytes=5-1000004"}, true}, {"GET", "B04", []string{"Range", "bytes=-7"}, true}, {"GET", "B04", []string{"Range", "bytes=9000000-"}, false},
		{"GET", "B04", []string{"Range", "bytes=0-9", "If-Range", tag}, true}, {"GET", "B04", []string{"Range", "bytes=0-9", "If-Range", `"x"`}, true},
		{"GET", "B04", []string{"If-None-Match", tag}, false}, {"GET", "B04", []string{"If-None-Match", `"x"`}, true}, {"GET", "B04", []string{"If-Match", tag}, false},
		{"GET", "B04", []string{"If-Match", `"x"`}, false}, {"GET", "B04", []string{"Range", "bytes=0-9", "If-Match", tag}, false},
		{"GET", "B04", []string{"If-Modified-Since", h.info.Modified.Format(http.TimeFormat)}, false},
	} {
		name := tc.method + " " + tc.asset + " " + strings.Join(tc.header, " ")
		want, wantBody := by(l.Addr().String(), tc.method, assets+tc.asset, tc.header...)
		sent.Store(0)
		got, body := by(address, tc.method, assets+tc.asset, tc.header...)
		if got.StatusCode != want.StatusCode || got.StatusCode < 400 && body != wantBody {
			t.Errorf("%s: %s with %d bytes, want %s with %d", name, got.Status, len(body), want.Status, len(wantBody))
		}
		for _, field := range []string{"ETag", "Last-Modified", "Content-Type", "Content-Length", "Content-Range", "Content-Disposition", "Cache-Control", "Accept-Ranges", "RateLimit", "RateLimit-Policy", "Access-Control-Allow-Origin", "X-Content-Type-Options"} {
			if g, w := got.Header.Get(field), want.Header.Get(field); g != w && got.StatusCode < 300 {
				t.Errorf("%s: %s is %q, from here %q", name, field, g, w)
			}
		}
		if _, from, _ := strings.Cut(fmt.Sprint(got.Header), "X-Accel"); from != "" {
			t.Errorf("%s: the client hears of it: %v", name, got.Header)
		}
		if tc.nginx && sent.Load() != int64(len(wantBody)) {
			t.Errorf("%s: %d bytes are counted, want %d", name, sent.Load(), len(wantBody))
		}
		direct, empty := by(l.Addr().String(), tc.method, assets+tc.asset, append(tc.header, "X-Sendfile-Type", "X-Accel-Redirect")...)
		if says := direct.Header.Get("X-Accel-Redirect"); (says != "") != tc.nginx || tc.nginx && empty != "" {
			t.Errorf("%s: nginx is told %q", name, says)
		}
	}
	if got, _ := by(address, "GET", "/internal/c/i/r1/B04.tif"); got.StatusCode != 404 {
		t.Errorf("who asks for a file by its key gets %s", got.Status)
	}
}

// TestStoreSendsFiles: files of a bucket are sent from there, by addresses that need no header and end.
func TestStoreSendsFiles(t *testing.T) {
	server := s3test.Start(t)
	store, err := objects.OpenS3(t.Context(), objects.S3Config{Endpoint: server.Endpoint, Region: server.Region, Bucket: server.Bucket,
		AccessKey: server.AccessKey, SecretKey: objects.Secret(server.SecretKey), PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	const key, text = "c/i é/50%+.tif", "0123456789"
	info, err := store.Put(t.Context(), key, "", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	life := time.Minute
	h := house{url: listen(t, API{Objects: store, Asset: func(context.Context, string, string, string) (Asset, error) {
		return Asset{Key: key, ContentType: "image/x-test", FileName: "i_x.tif"}, nil
	},
		Presign: func(ctx context.Context, key, disposition, contentType string) (string, error) {
			return store.(objects.Presigner).Presign(ctx, key, "", disposition, contentType, life)
		}})}
	resp, body := h.get(t, "GET", "x") // the client follows
	if resp.StatusCode != 200 || body != text || resp.Request.URL.Host != strings.TrimPrefix(server.Endpoint, "http://") ||
		resp.Header.Get("Content-Disposition") != "attachment; filename=i_x.tif" || resp.Header.Get("Content-Type") != "image/x-test" {
		t.Errorf("%s %q from %s: %v", resp.Status, body, resp.Request.URL.Host, resp.Header)
	}
	if resp, body := h.get(t, "GET", "x", "Range", "bytes=3-5"); resp.StatusCode != 206 || body != "345" {
		t.Errorf("a range: %s %q", resp.Status, body)
	}
	for name, header := range map[string][]string{"If-Range": {"Range", "bytes=3-5", "If-Range", `"` + info.SHA256 + `"`}, "If-Match": {"If-Match", `"` + info.SHA256 + `"`}} {
		if resp, _ := h.get(t, "GET", "x", header...); resp.StatusCode/100 != 2 || !strings.HasPrefix(h.url, "http://"+resp.Request.URL.Host) {
			t.Errorf("%s: %s from %s", name, resp.Status, resp.Request.URL.Host)
		}
	}
	if resp, _ := h.get(t, "HEAD", "x"); resp.StatusCode != 200 || resp.ContentLength != int64(len(text)) || !strings.HasPrefix(h.url, "http://"+resp.Request.URL.Host) {
		t.Errorf("HEAD: %s from %s", resp.Status, resp.Request.URL.Host)
	}
	once := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	life = time.Second
	got, err := once.Get(h.url + "x")
	if err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(got.Body)
	got.Body.Close()
	address, err := got.Location()
	if err != nil || got.StatusCode != 307 || got.Header.Get("Cache-Control") != "no-store" || len(rest) != 0 || got.Header.Get("ETag") != "" {
		t.Fatalf("%s %v %q %v", got.Status, got.Header, rest, err)
	}
	if q := address.Query(); q.Get("X-Amz-SignedHeaders") != "host" {
		t.Errorf("the address needs headers: %v", q)
	}
	time.Sleep(2 * time.Second)
	late, err := http.Get(address.String())
	if err != nil {
		t.Fatal(err)
	}
	late.Body.Close()
	if late.StatusCode != 403 {
		t.Errorf("an address that has ended: %s", late.Status)
	}
	elsewhere, err := store.(objects.Presigner).Presign(t.Context(), key, "https://files.example.org", "attachment", "x/y", time.Minute)
	if u, parsed := url.Parse(elsewhere); err != nil || parsed != nil || u.Host != "files.example.org" {
		t.Errorf("%s, %v", elsewhere, err)
	}
}
