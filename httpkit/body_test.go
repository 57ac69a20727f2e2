package httpkit

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"
)

func TestCompressionRoundTrips(t *testing.T) {
	text := strings.Repeat(`{"type":"Feature","id":"S2A_MSIL1C"}`, 200)
	app := New(quiet(io.Discard))
	app.Get("/text", func(c *fiber.Ctx) error { return Send(c, "application/geo+json", []byte(text)) })
	app.Get("/image", func(c *fiber.Ctx) error { return Send(c, "image/png", []byte(text)) })
	app.Get("/short", func(c *fiber.Ctx) error { return Send(c, "text/plain", []byte("ok")) })
	app.Get("/range", func(c *fiber.Ctx) error {
		return c.Status(206).Type("json").SendString(text)
	})

	for accept, want := range map[string]string{
		"gzip": "gzip", "br": "br", "zstd": "zstd", "gzip, deflate, br, zstd": "zstd", "gzip;q=1.0, zstd;q=0.5": "gzip",
		"*": "gzip", "*;q=0": "", "zstd;q=0, *": "gzip", "zstd, *;q=0.5": "zstd", "identity": "", "": "", "deflate": "", "GZIP": "gzip", "gzip;q=nan": "",
	} {
		resp, body := do(t, app, "GET", "/text", "Accept-Encoding", accept)
		if got := resp.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: encoded as %q, want %q", accept, got, want)
			continue
		}
		if got := decode(t, want, body); got != text {
			t.Errorf("Accept-Encoding %q: %d bytes came back of %d", accept, len(got), len(text))
		}
		if !strings.Contains(resp.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("Accept-Encoding %q: Vary %q", accept, resp.Header.Get("Vary"))
		}
	}
	for _, path := range []string{"/image", "/short", "/range"} {
		if resp, _ := do(t, app, "GET", path, "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s was compressed", path)
		}
	}
}

// decode undoes a content coding with the library's own reader.
func decode(t *testing.T, coding, body string) string {
	t.Helper()
	var (
		out []byte
		err error
	)
	switch coding {
	case "gzip":
		r, gzErr := gzip.NewReader(strings.NewReader(body))
		if gzErr != nil {
			t.Fatal(gzErr)
		}
		out, err = io.ReadAll(r)
	case "zstd":
		r, zErr := zstd.NewReader(nil)
		if zErr != nil {
			t.Fatal(zErr)
		}
		defer r.Close()
		out, err = r.DecodeAll([]byte(body), nil)
	case "br":
		out, err = fasthttp.AppendUnbrotliBytes(nil, []byte(body))
	default:
		return body
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestConditionalGet(t *testing.T) {
	body := strings.Repeat("x", 2000)
	app := New(quiet(io.Discard))
	app.Get("/x", func(c *fiber.Ctx) error { return Send(c, "text/plain", []byte(body)) })
	app.Post("/x", func(c *fiber.Ctx) error { return Send(c, "text/plain", []byte(body)) })

	plain, _ := do(t, app, "GET", "/x")
	packed, _ := do(t, app, "GET", "/x", "Accept-Encoding", "zstd")
	tag, packedTag := plain.Header.Get("ETag"), packed.Header.Get("ETag")
	if tag == packedTag || !strings.HasPrefix(tag, `"`) {
		t.Fatalf("strong tags %s and %s of different bytes", tag, packedTag)
	}
	for match, want := range map[string]int{
		tag: 304, packedTag: 304, "W/" + tag: 304, `"other", ` + tag: 304, "*": 304, `"other"`: 200, "": 200, strings.Trim(tag, `"`): 200,
	} {
		resp, got := do(t, app, "GET", "/x", "If-None-Match", match, "Accept-Encoding", "zstd")
		if resp.StatusCode != want || (want == 304) != (got == "") {
			t.Errorf("If-None-Match %s: status %d with %d bytes, want %d", match, resp.StatusCode, len(got), want)
		}
		if resp.Header.Get("ETag") == "" {
			t.Errorf("If-None-Match %s: no ETag", match)
		}
	}
	if resp, got := do(t, app, "HEAD", "/x"); resp.Header.Get("ETag") != tag || got != "" || resp.ContentLength != int64(len(body)) {
		t.Errorf("HEAD: %s, %d bytes announced, %d sent", resp.Header.Get("ETag"), resp.ContentLength, len(got))
	}
	if resp, _ := do(t, app, "POST", "/x", "If-None-Match", tag); resp.StatusCode != 200 {
		t.Errorf("POST answered %d", resp.StatusCode)
	}
}

func TestBaseURL(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg    Config
		host   string
		header []string
		want   string
	}{
		"host":                      {Config{}, "swath.example:8080", nil, "http://swath.example:8080"},
		"ipv6":                      {Config{}, "[::1]:8080", nil, "http://[::1]:8080"},
		"configured wins":           {Config{PublicURL: "https://eo.example/stac/", TrustProxy: true}, "x", []string{"X-Forwarded-Host", "y"}, "https://eo.example/stac"},
		"a stranger is not trusted": {Config{}, "x", []string{"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https"}, "http://x"},
		"a trusted proxy is":        {Config{TrustProxy: true}, "x", []string{"X-Forwarded-Host", "eo.example, inner", "X-Forwarded-Proto", "https"}, "https://eo.example"},
		"a strange scheme":          {Config{TrustProxy: true}, "x", []string{"X-Forwarded-Proto", "javascript"}, "http://x"},
		"a host with markup":        {Config{TrustProxy: true}, "x", []string{"X-Forwarded-Host", `"><script>`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tc.cfg.Log = quiet(io.Discard).Log
			app := New(tc.cfg)
			app.Get("/", func(c *fiber.Ctx) error { return c.SendString(BaseURL(c)) })
			if _, got := do(t, app, "GET", "/", append(tc.header, "Host", tc.host)...); got != tc.want {
				t.Errorf("BaseURL is %q, want %q", got, tc.want)
			}
		})
	}
}

func TestWantsHTML(t *testing.T) {
	app := New(quiet(io.Discard))
	app.Get("/", func(c *fiber.Ctx) error {
		if WantsHTML(c) {
			return c.Type("html").SendString("<p>")
		}
		return c.SendString("json")
	})
	for _, tc := range []struct {
		path, accept string
		want         bool
	}{
		{"/", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
		{"/", "*/*", false},
		{"/", "", false},
		{"/", "application/json, text/html", false},
		{"/", "application/json;q=0.5, text/html", true},
		{"/", "application/geo+json", false},
		{"/?f=html", "application/json", true},
		{"/?f=json", "text/html", false},
	} {
		resp, body := do(t, app, "GET", tc.path, "Accept", tc.accept)
		if (body == "<p>") != tc.want {
			t.Errorf("%s with Accept %q answered %q", tc.path, tc.accept, body)
		}
		if csp := resp.Header.Get("Content-Security-Policy"); (csp != "") != tc.want {
			t.Errorf("%s with Accept %q: policy %q", tc.path, tc.accept, csp)
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	text := []byte(strings.Repeat(`{"type":"Feature","id":"S2A_MSIL1C_20240612T105619_N0510_R094_T31TCJ","bbox":[0.5,43.1,1.9,44.2]},`, 800))
	for _, coding := range codings {
		b.Run(coding.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if len(coding.encode(make([]byte, 0, len(text)/8), text)) == 0 {
					b.Fatal("nothing")
				}
			}
		})
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	f.Add("gzip;q=0.5, zstd, *;q=0")
	f.Fuzz(func(t *testing.T, header string) {
		if i := acceptedCoding(header); i < -1 || i >= len(codings) {
			t.Fatalf("coding %d for %q", i, header)
		}
		_ = bytes.TrimSpace([]byte(matching(header, `"x"`)))
	})
}
