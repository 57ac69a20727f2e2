package objects

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"swath/fault"
	"swath/internal/s3test"
)

// through returns a store whose requests pass this handler, which may spoil them before or after the real server.
func through(t *testing.T, spoil func(w http.ResponseWriter, r *http.Request, real http.Handler)) *s3Store {
	t.Helper()
	server := s3test.Start(t)
	target, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	real := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // the signature covers it
	}, ErrorLog: log.New(io.Discard, "", 0)} // broken connections are what it is for
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { spoil(w, r, real) }))
	t.Cleanup(proxy.Close)
	s, err := OpenS3(t.Context(), S3Config{
		Endpoint: proxy.URL, Bucket: server.Bucket, Prefix: "p", AccessKey: server.AccessKey, SecretKey: Secret(server.SecretKey), PathStyle: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*s3Store)
}

func honest(w http.ResponseWriter, r *http.Request, real http.Handler) { real.ServeHTTP(w, r) }

func (s *s3Store) uploads(t *testing.T) int {
	t.Helper()
	out, err := s.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &s.bucket})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Uploads)
}

// twoFaced is a file whose end can't be read when it is read again.
type twoFaced struct {
	*bytes.Reader
	reads atomic.Int64
}

var errDisk = errors.New("the disk is broken")

func (f *twoFaced) ReadAt(p []byte, off int64) (int, error) {
	if f.reads.Add(int64(len(p))) > f.Size() && off > 12<<20 {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, off)
}

func TestS3AbortsUpload(t *testing.T) {
	s := through(t, honest)
	_, err := s.Put(t.Context(), "k", "", &twoFaced{Reader: bytes.NewReader(make([]byte, 20<<20))})
	if !errors.Is(err, errDisk) {
		t.Errorf("Put: %v, want %v", err, errDisk)
	}
	if n := s.uploads(t); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
	if _, err := s.Stat(t.Context(), "k"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Stat: %v", err)
	}
}

func TestS3CancelDuringUpload(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := through(t, func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if r.URL.Query().Get("partNumber") == "2" {
			cancel()
		}
		real.ServeHTTP(w, r)
	})
	if _, err := s.Put(ctx, "k", "", bytes.NewReader(make([]byte, 40<<20))); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v, want cancelled", err)
	}
	if n := s.uploads(t); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

func TestS3SweepsUploads(t *testing.T) {
	s := through(t, honest)
	for _, key := range []string{"p/ours", "p/ours too", "other/theirs"} {
		if _, err := s.client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &s.bucket, Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		age  time.Duration
		want int
	}{{time.Hour, 3}, {0, 1}} {
		if err := s.Sweep(t.Context(), tc.age); err != nil {
			t.Fatal(err)
		}
		if n := s.uploads(t); n != tc.want {
			t.Errorf("%d uploads are left after a sweep of those older than %s, want %d", n, tc.age, tc.want)
		}
	}
}

// TestS3WithoutConditions: some servers answer If-None-Match with 501.
func TestS3WithoutConditions(t *testing.T) {
	refused := 0
	s := through(t, func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		if r.Header.Get("If-None-Match") != "" {
			refused++
			w.WriteHeader(http.StatusNotImplemented)
			return
		}
		real.ServeHTTP(w, r)
	})
	for key, n := range map[string]int{"short": 10, "long": 9 << 20} {
		refused = 0
		p := bytes.Repeat([]byte{7}, n)
		if info, err := s.Put(t.Context(), key, "", bytes.NewReader(p)); err != nil || info.Size != int64(n) || refused == 0 {
			t.Errorf("Put of %d bytes, refused %d times: %+v, %v", n, refused, info, err)
		}
		if _, err := s.Put(t.Context(), key, "", strings.NewReader("other")); !fault.Is(err, fault.Conflict) {
			t.Errorf("Put of other content: %v", err)
		}
	}
	if n := s.uploads(t); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// TestS3LostAnswer: the server published the object, and its answer did not arrive.
func TestS3LostAnswer(t *testing.T) {
	for name, n := range map[string]int{"whole": 10, "parts": 9 << 20} {
		t.Run(name, func(t *testing.T) {
			lost := 0
			s := through(t, func(w http.ResponseWriter, r *http.Request, real http.Handler) {
				if r.Header.Get("If-None-Match") != "" && lost == 0 {
					lost++
					real.ServeHTTP(httptest.NewRecorder(), r)
					panic(http.ErrAbortHandler)
				}
				real.ServeHTTP(w, r)
			})
			if info, err := s.Put(t.Context(), "k", "", bytes.NewReader(make([]byte, n))); err != nil || info.Size != int64(n) || lost != 1 {
				t.Errorf("Put, %d answers lost: %+v, %v", lost, info, err)
			}
		})
	}
}

func TestS3ForeignObject(t *testing.T) {
	s := through(t, honest)
	if _, err := s.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &s.bucket, Key: s.name("foreign"), Body: strings.NewReader("x")}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Stat(t.Context(), "foreign")
	if kind, _ := fault.Of(err); err == nil || kind != fault.Internal || !strings.Contains(err.Error(), "no SHA-256") {
		t.Errorf("Stat of an object that something else wrote: %v", err)
	}
}

// cut lets some bytes of an answer through and then breaks, or stalls, the connection.
type cut struct {
	http.ResponseWriter
	left  int
	stall <-chan struct{}
}

func (c *cut) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	c.left -= n
	if c.left > 0 || err != nil {
		return n, err
	}
	if err := http.NewResponseController(c.ResponseWriter).Flush(); err != nil {
		return n, err
	}
	if c.stall != nil {
		<-c.stall
	}
	panic(http.ErrAbortHandler)
}

func TestS3ReadGoesOn(t *testing.T) {
	want := bytes.Repeat([]byte("swath"), 1<<20)
	for name, stalls := range map[string]bool{"connection breaks": false, "connection stalls": true} {
		t.Run(name, func(t *testing.T) {
			var gets, cutAfter atomic.Int32
			cutAfter.Store(1<<20 + 1000) // five requests, the last of them whole
			s := through(t, func(w http.ResponseWriter, r *http.Request, real http.Handler) {
				if r.Method == http.MethodGet {
					gets.Add(1)
					c := &cut{ResponseWriter: w, left: int(cutAfter.Load())}
					if stalls {
						c.stall = r.Context().Done()
					}
					w = c
				}
				real.ServeHTTP(w, r)
			})
			s.stall = 300 * time.Millisecond
			if _, err := s.Put(t.Context(), "k", "", bytes.NewReader(want)); err != nil {
				t.Fatal(err)
			}
			o, err := s.Open(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(want))
			if n, err := o.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) || gets.Load() != 5 {
				t.Errorf("ReadAt in %d requests: %d bytes, %v", gets.Load(), n, err)
			}
			gets.Store(0)
			cutAfter.Store(0)
			if n, err := o.ReadAt(got, 0); n != 0 || err == nil || errors.Is(err, io.EOF) || gets.Load() != maxStalls {
				t.Errorf("ReadAt from a server that sends nothing, in %d requests: %d, %v", gets.Load(), n, err)
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := o.ReadAt(got, 0); err == nil {
				t.Error("a closed object was read")
			}
		})
	}
}
