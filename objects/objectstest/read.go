package objectstest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"swath/objects"
)

func opened(t *testing.T, s objects.Store, key string) objects.Object {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// ranges obey io.ReaderAt, past the end too.
func ranges(t *testing.T, s objects.Store) {
	want := content(1, big)
	put(t, s, "r", want)
	o := opened(t, s, "r")
	for _, tc := range []struct {
		off  int64
		n    int
		want int
		err  error
	}{
		{0, 1, 1, nil}, {0, 0, 0, nil}, {8<<20 - 1, 2, 2, nil}, {big - 10, 10, 10, nil}, {0, big, big, nil},
		{big - 10, 11, 10, io.EOF}, {0, big + 1, big, io.EOF}, {big, 1, 0, io.EOF}, {big + 5, 1, 0, io.EOF}, {1 << 62, 7, 0, io.EOF},
	} {
		p := make([]byte, tc.n)
		n, err := o.ReadAt(p, tc.off)
		if n != tc.want || err != tc.err && !(n == tc.n && err == io.EOF) { // at the very end io.ReaderAt allows both
			t.Errorf("ReadAt %d bytes at %d = %d, %v; want %d, %v", tc.n, tc.off, n, err, tc.want, tc.err)
		}
		if n > 0 && !bytes.Equal(p[:n], want[tc.off:tc.off+int64(n)]) {
			t.Errorf("ReadAt %d bytes at %d gives others", tc.n, tc.off)
		}
	}
	if n, err := o.ReadAt(make([]byte, 1), -1); n != 0 || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("ReadAt -1 = %d, %v", n, err)
	}
	put(t, s, "empty", nil)
	if n, err := opened(t, s, "empty").ReadAt(make([]byte, 1), 0); n != 0 || err != io.EOF {
		t.Errorf("ReadAt of an empty object = %d, %v", n, err)
	}
}

func stream(t *testing.T, s objects.Store) {
	want := content(2, big)
	put(t, s, "s", want)
	o := opened(t, s, "s")
	for _, r := range [][2]int64{{0, big}, {5, 1}, {9 << 20, 3 << 20}, {big - 1, 1}, {100, 0}} {
		body := objects.Stream(o, r[0], r[1])
		got, err := io.ReadAll(body)
		if err != nil || !bytes.Equal(got, want[r[0]:r[0]+r[1]]) {
			t.Errorf("Stream of %d bytes at %d: %d bytes, %v", r[1], r[0], len(got), err)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	var two bytes.Buffer // as a multi-range answer does
	a, b := objects.Stream(o, 7, 1<<20), objects.Stream(o, 100, 1<<10)
	if _, err := io.CopyN(&two, a, 10); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(&two, io.MultiReader(a, b)); err != nil || !bytes.Equal(two.Bytes(), slices.Concat(want[7:7+1<<20], want[100:100+1<<10])) {
		t.Errorf("two streams, the first begun by Read: %d bytes, %v", two.Len(), err)
	}
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	left := objects.Stream(o, 0, big) // a client that goes away
	if _, err := io.ReadFull(left, make([]byte, 100)); err != nil {
		t.Error(err)
	}
	if err := left.Close(); err != nil {
		t.Error(err)
	}
}

func concurrentReadAt(t *testing.T, s objects.Store) {
	want := content(3, 3<<20)
	put(t, s, "c", want)
	o := opened(t, s, "c")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range 40 {
				off := random.IntN(len(want))
				p := make([]byte, 1+random.IntN(min(64<<10, len(want)-off)))
				if _, err := o.ReadAt(p, int64(off)); err != nil && err != io.EOF || !bytes.Equal(p, want[off:off+len(p)]) {
					t.Errorf("ReadAt %d bytes at %d: %v", len(p), off, err)
				}
			}
		})
	}
	wg.Wait()
}

func outlives(t *testing.T, s objects.Store) {
	put(t, s, "o", []byte("still here"))
	ctx, cancel := context.WithCancel(t.Context())
	o, err := s.Open(ctx, "o")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	cancel()
	p := make([]byte, 10)
	if _, err := o.ReadAt(p, 0); err != nil && err != io.EOF || string(p) != "still here" {
		t.Errorf("ReadAt after the context's end: %q, %v", p, err)
	}
}

func list(t *testing.T, s objects.Store) {
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("an empty store lists %q", got)
	}
	all := []string{"a-b", "a.tif", "a/b/c", "a/b.tif", "a/c", "a0", "b/é", "b/z", "B"}
	for i, key := range all {
		put(t, s, key, content(uint64(i), i))
	}
	slices.Sort(all)
	for prefix, want := range map[string][]string{
		"": all, "a": {"a-b", "a.tif", "a/b.tif", "a/b/c", "a/c", "a0"}, "a/": {"a/b.tif", "a/b/c", "a/c"}, "a/b": {"a/b.tif", "a/b/c"},
		"a/b/": {"a/b/c"}, "a/b/c": {"a/b/c"}, "a/b/c/": {}, "x": {}, "x/y": {}, "b/é": {"b/é"},
	} {
		if got := keys(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("List %q = %q, want %q", prefix, got, want)
		}
	}
	for info, err := range s.List(t.Context(), "B") {
		if st, statErr := s.Stat(t.Context(), info.Key); err != nil || statErr != nil || info.Size != 8 || st.Size != 8 || info.Modified.IsZero() {
			t.Errorf("listed %+v, %v; Stat %+v, %v", info, err, st, statErr)
		}
	}
	seen := 0
	for range s.List(t.Context(), "") {
		if seen++; seen == 2 {
			break
		}
	}
	if seen != 2 {
		t.Errorf("a list that was left after 2 keys went on to %d", seen)
	}
}
