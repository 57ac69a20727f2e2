package objecthttp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swath/fault"
)

// TestEveryDownloadLeaves: whatever becomes of a download that was let in, its place is given back, and once; who is not let in gets nothing.
func TestEveryDownloadLeaves(t *testing.T) {
	h := serve(t)
	big := bytes.Repeat([]byte("x"), 64<<20) // more than the buffers between the two ends of a socket
	if _, err := h.store.Put(t.Context(), "big", "", bytes.NewReader(big)); err != nil {
		t.Fatal(err)
	}
	var entered, inside atomic.Int64
	full := false
	key := map[string]string{"B04": "c/i/r1/B04.tif", "empty": "c/i/r1/empty.txt", "lost": "none", "big": "big"}
	h.url = listen(t, API{Objects: h.store, Asset: func(_ context.Context, _, _, asset string) (Asset, error) {
		if key[asset] == "" {
			return Asset{}, fault.New(fault.NotFound, "no")
		}
		return Asset{Key: key[asset]}, nil
	}, Admit: func(context.Context) (func(), error) {
		if full {
			return nil, &fault.Error{Kind: fault.OverQuota, Public: "full", After: 3 * time.Second}
		}
		entered.Add(1)
		inside.Add(1)
		return func() { inside.Add(-1) }, nil
	}})
	empty := func(what string, enter int64) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); inside.Load() != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d are still inside", what, inside.Load())
			}
		}
		if got := entered.Swap(0); got != enter {
			t.Errorf("%s: %d entered, want %d", what, got, enter)
		}
	}
	tag := `"` + h.info.SHA256 + `"`
	for name, tc := range map[string]struct {
		method, asset string
		header        []string
		status        int
		enter         int64
	}{
		"whole": {"GET", "B04", nil, 200, 1}, "empty": {"GET", "empty", nil, 200, 1}, "a range": {"GET", "B04", []string{"Range", "bytes=5-9"}, 206, 1},
		"ranges": {"GET", "B04", []string{"Range", "bytes=5-9,20-30"}, 206, 1}, "beyond": {"GET", "B04", []string{"Range", "bytes=9000000-"}, 416, 1},
		"held": {"GET", "B04", []string{"If-None-Match", tag}, 304, 1}, "another": {"GET", "B04", []string{"If-Match", `"x"`}, 412, 1},
		"asked about": {"HEAD", "B04", nil, 200, 0}, "lost": {"GET", "lost", nil, 404, 0}, "unknown": {"GET", "none", nil, 404, 0},
	} {
		if resp, _ := h.get(t, tc.method, tc.asset, tc.header...); resp.StatusCode != tc.status {
			t.Errorf("%s: %s", name, resp.Status)
		}
		empty(name, tc.enter)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+"big", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 1000)); err != nil || inside.Load() != 1 {
		t.Errorf("during a download: %d inside, %v", inside.Load(), err)
	}
	cancel()
	resp.Body.Close()
	empty("given up", 1)
	full = true
	resp, body := h.get(t, "GET", "B04")
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "3" || !strings.Contains(body, "full") {
		t.Errorf("when it is full: %s %v %s", resp.Status, resp.Header, body)
	}
	h.allClosed(t)
}
