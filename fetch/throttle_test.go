package fetch

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestThrottle: several fetches share what is allowed, what is allowed changes while they run, and who is slow because of it is not
// taken for stalled.
func TestThrottle(t *testing.T) {
	const size = 400_000
	body := bytes.Repeat([]byte("0123456789"), size/10)
	var allowed atomic.Int64
	allowed.Store(100_000)
	throttle := NewThrottle(func() float64 { return float64(allowed.Load()) })
	open := func(_ context.Context, from int64, _ string) (*Body, error) {
		return &Body{ReadCloser: io.NopCloser(bytes.NewReader(body[from:])), From: from, Total: size, Tag: `"x"`}, nil
	}
	var came atomic.Int64
	began := time.Now()
	var group sync.WaitGroup
	dir := t.TempDir()
	for i := range 3 {
		group.Go(func() {
			part := filepath.Join(dir, string(rune('a'+i)))
			if err := Into(t.Context(), open, part, Options{Most: size, Stall: 50 * time.Millisecond, Rate: throttle, Came: func(n int) { came.Add(int64(n)) }}); err != nil {
				t.Error(err)
			}
			if got, err := os.ReadFile(part); err != nil || !bytes.Equal(got, body) {
				t.Errorf("other bytes, %v", err)
			}
		})
	}
	time.Sleep(700 * time.Millisecond)
	if slow := came.Load(); slow < 30_000 || slow > 120_000 {
		t.Errorf("%d bytes in 0.7 s at 100,000 a second", slow)
	}
	allowed.Store(0)
	group.Wait()
	if took := time.Since(began); took > 2500*time.Millisecond {
		t.Errorf("%v although the limit fell after 0.7 s", took)
	}
}
