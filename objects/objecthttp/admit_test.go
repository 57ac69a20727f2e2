package objecthttp

import (
	"bytes"
	"context"
	"fmt"
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

// TestDownloadsAreTold: of every file that was sent it is told which, how, and how many bytes, and of nothing else.
func TestDownloadsAreTold(t *testing.T) {
	h := serve(t)
	big := bytes.Repeat([]byte("x"), 64<<20) // more than the buffers between the two ends of a socket
	if _, err := h.store.Put(t.Context(), "big", "", bytes.NewReader(big)); err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 10)
	key := map[string]string{"B04": "c/i/r1/B04.tif", "big": "big"}
	h.url = listen(t, API{Objects: h.store, Asset: func(_ context.Context, _, _, asset string) (Asset, error) {
		if key[asset] == "" {
			return Asset{}, fault.New(fault.NotFound, "no")
		}
		return Asset{Key: key[asset]}, nil
	}, Accel: "/internal/", Done: func(_ context.Context, collection, item, asset string, status int, bytes int64, took time.Duration) {
		if took <= 0 || took > time.Minute {
			t.Errorf("it took %s", took)
		}
		if asset == "big" && bytes > 0 && bytes < int64(len(big)) {
			bytes = -1 // a part
		}
		told <- fmt.Sprintln(collection, item, asset, status, bytes)
	}})
	for _, tc := range []struct {
		method, asset, header, value, want string
	}{
		{"GET", "B04", "", "", "c i B04 200 3000000"}, {"GET", "B04", "Range", "bytes=5-9", "c i B04 206 5"}, {"GET", "B04", capability, accel, "c i B04 200 3000000"},
		{"HEAD", "B04", "", "", ""}, {"GET", "B04", "If-None-Match", `"` + h.info.SHA256 + `"`, ""}, {"GET", "B04", "If-Match", `"x"`, ""}, {"GET", "none", "", "", ""},
	} {
		h.get(t, tc.method, tc.asset, append([]string{tc.header, tc.value}, "Accept", "*/*")[map[bool]int{true: 2, false: 0}[tc.header == ""]:]...)
		got := ""
		select {
		case got = <-told:
		case <-time.After(map[bool]time.Duration{true: 20 * time.Millisecond, false: 10 * time.Second}[tc.want == ""]):
		}
		if strings.TrimSpace(got) != tc.want {
			t.Errorf("%s %s %s: %q is told, want %q", tc.method, tc.asset, tc.header, got, tc.want)
		}
	}
	resp, err := http.Get(h.url + "big")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	select {
	case got := <-told:
		if strings.TrimSpace(got) != "c i big 200 -1" {
			t.Errorf("of a download that was given up %q is told", got)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing is told of a download that was given up")
	}
}
