package fetch

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSplit: a file in pieces is the source's, whatever breaks off, changes or is not obeyed on the way, for hardly more than its bytes.
func TestSplit(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	contents := make([]byte, 3<<20)
	for i := range contents {
		contents[i] = byte(random.Uint32())
	}
	other := bytes.Clone(contents)
	other[5] ^= 1
	for name, c := range map[string]struct {
		tag     string
		ranges  bool
		kills   int
		changes bool
	}{"at once": {`"a"`, true, 0, false}, "killed": {`"a"`, true, 25, false}, "no ranges": {`"a"`, false, 0, false}, "no ETag": {"", true, 0, false}, "a weak ETag": {`W/"a"`, true, 3, false},
		"it changes": {`"a"`, true, 4, true}} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			now, tag := contents, c.tag
			var most, flying atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := flying.Add(1)
				defer flying.Add(-1)
				if r.Header.Get("Range") != "" {
					most.Store(max(most.Load(), n))
				}
				mu.Lock()
				body, mark := now, tag
				mu.Unlock()
				if mark != "" {
					w.Header().Set("ETag", mark)
				}
				if !c.ranges {
					r.Header.Del("Range")
				}
				http.ServeContent(slow{w}, r, "x.bin", time.Time{}, bytes.NewReader(body))
			}))
			defer s.Close()
			open := func(ctx context.Context, from int64, tag string) (*Body, error) {
				q, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
				if err != nil {
					return nil, err
				}
				Ask(q.Header, from, tag)
				r, err := http.DefaultClient.Do(q)
				if err != nil {
					return nil, &Broken{err}
				}
				return BodyOf(r, from)
			}
			part := filepath.Join(t.TempDir(), "x.part")
			var came atomic.Int64
			run := func(kill int64) error {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var got atomic.Int64
				return Split(ctx, open, part, int64(len(contents)), 4, Options{Stall: time.Minute, Wait: time.Millisecond, Resumes: 3, Came: func(n int) {
					came.Add(int64(n))
					if kill > 0 && got.Add(int64(n)) > kill {
						cancel()
					}
				}})
			}
			for k := range c.kills {
				if err := run(1 + random.Int64N(100_000)); err != nil && !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				if c.changes && k == 1 {
					mu.Lock()
					now, tag = other, `"b"`
					mu.Unlock()
				}
			}
			if err := run(0); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			want := now
			mu.Unlock()
			got, err := os.ReadFile(part)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			left, err := filepath.Glob(part + ".*")
			if err != nil || len(left) != 1 || !strings.HasSuffix(left[0], ".tag") {
				t.Errorf("also there: %v, %v", left, err)
			}
			if split := c.tag == `"a"` && c.ranges; split && !c.changes && (came.Load() > int64(len(contents))*11/10 || most.Load() < 3) {
				t.Errorf("%d bytes came of %d, %d at a time", came.Load(), len(contents), most.Load())
			}
		})
	}
}

// slow sends so that all pieces are under way at a time.
type slow struct{ http.ResponseWriter }

func (s slow) Write(b []byte) (int, error) {
	time.Sleep(2 * time.Millisecond)
	return s.ResponseWriter.Write(b)
}
