package httpkit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
)

// uploading is an app of which one route takes bodies of 12 MiB.
func uploading(t *testing.T) (address, folder string) {
	t.Helper()
	folder = t.TempDir()
	cfg := quiet(io.Discard)
	cfg.RequestTimeout = time.Second
	cfg.Uploads = Uploads{Most: 12 << 20, Folder: folder, Route: func(method, path string) bool { return method == "POST" && path == "/large" }}
	app := New(cfg)
	app.Post("/usual", func(c *fiber.Ctx) error { return c.SendString(fmt.Sprintf("%x", sha256.Sum256(c.Body()))) })
	app.Post("/large", func(c *fiber.Ctx) error {
		if strings.HasPrefix(c.Get("Content-Type"), "multipart/") {
			form, err := ReadForm(c)
			if err != nil {
				return err
			}
			file := form.Files["file"][0]
			body, err := io.ReadAll(io.NewSectionReader(file.File, 0, file.Bytes))
			if err != nil {
				return err
			}
			return c.SendString(fmt.Sprintf("%s %s %s %x", FormValue(c, "token"), file.Name, file.Media, sha256.Sum256(body)))
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, Body(c)); err != nil {
			return err
		}
		defer Anew(c)()
		if end, ok := c.UserContext().Deadline(); !ok || time.Until(end) < 500*time.Millisecond || time.Until(end) > time.Second {
			return fault.New(fault.Timeout, "the request has not its usual time again")
		}
		return c.SendString(fmt.Sprintf("%x", sum.Sum(nil)))
	})
	return "http://" + serve(t, app), folder
}

// pieces hides how long a body is.
type pieces struct{ io.Reader }

func TestUploads(t *testing.T) {
	address, folder := uploading(t)
	body := make([]byte, 13<<20)
	for i := range body {
		body[i] = byte(i * i >> 8)
	}
	sum := func(n int) string { return fmt.Sprintf("%x", sha256.Sum256(body[:n])) }
	for name, tc := range map[string]struct {
		path    string
		n       int
		chunked bool
		status  int
	}{
		"usual": {"/usual", 1000, false, 200}, "usual, in pieces": {"/usual", 100_000, true, 200}, "usual, at its bound": {"/usual", maxBodyBytes, false, 200},
		"too large": {"/usual", maxBodyBytes + 1, false, 413}, "too large, in pieces": {"/usual", maxBodyBytes + 1, true, 413},
		"small": {"/large", 1000, false, 200}, "small, in pieces": {"/large", 1000, true, 200}, "large": {"/large", 12 << 20, false, 200},
		"large, in pieces": {"/large", 12 << 20, true, 200}, "beyond": {"/large", 12<<20 + 1, false, 413}, "beyond, in pieces": {"/large", 13 << 20, true, 413},
	} {
		t.Run(name, func(t *testing.T) {
			from := io.Reader(bytes.NewReader(body[:tc.n]))
			if tc.chunked {
				from = pieces{from}
			}
			resp, err := http.Post(address+tc.path, "application/octet-stream", from)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, _ := io.ReadAll(resp.Body) //nolint:errcheck // looked at below
			if resp.StatusCode != tc.status || tc.status == 200 && string(got) != sum(tc.n) {
				t.Errorf("status %d: %.100s", resp.StatusCode, got)
			}
			if tc.status == 413 && resp.Header.Get("Content-Type") != ProblemType {
				t.Errorf("not a problem but %s", resp.Header.Get("Content-Type"))
			}
		})
	}
	for _, n := range []int{1000, 6 << 20} { // a form, in memory and as it comes
		var form bytes.Buffer
		m := multipart.NewWriter(&form)
		m.WriteField("token", "t")                                                                         //nolint:errcheck // memory
		m.CreatePart(map[string][]string{"Content-Disposition": {`form-data; name="other"; filename=""`}}) //nolint:errcheck // memory
		part, _ := m.CreateFormFile("file", "a b.tif")                                                     //nolint:errcheck // memory
		part.Write(body[:n])                                                                               //nolint:errcheck // memory
		m.Close()
		resp, err := http.Post(address+"/large", m.FormDataContentType(), &form)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body) //nolint:errcheck // looked at below
		resp.Body.Close()
		if want := "t a b.tif application/octet-stream " + sum(n); string(got) != want {
			t.Errorf("form of %d bytes: %.200s", n, got)
		}
	}
	if resp, err := http.Post(address+"/large", "multipart/form-data; boundary=x", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nhalf")); err != nil || resp.StatusCode != 400 {
		t.Errorf("half a form: %v, %v", resp, err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}
