// Package objectstest is the one suite that every objects.Store passes.
//
//	open(t) ─▶ an empty store ─▶ put, read, list, delete, fail, race ─▶ what the contract says
package objectstest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"swath/fault"
	"swath/objects"
)

// Run tests a kind of store; open returns a new, empty one.
func Run(t *testing.T, open func(t testing.TB) objects.Store) {
	for _, tc := range []struct {
		name string
		test func(*testing.T, objects.Store)
	}{
		{"round trip", roundTrip}, {"seekable sources", seekable}, {"ranges", ranges}, {"stream", stream},
		{"concurrent ReadAt", concurrentReadAt}, {"object outlives its context", outlives},
		{"same content changes nothing", idempotent}, {"other content is a conflict", conflict},
		{"one of many writers wins", race}, {"unknown keys", unknownKeys}, {"bad keys", badKeys}, {"odd keys", oddKeys},
		{"list", list}, {"delete", remove}, {"given", given}, {"failing reader", failingReader}, {"cancelled", cancelled}, {"sweep", sweep},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, open(t)) })
	}
}

// big is more than two parts of a multipart upload, and not a multiple of them.
const big = 20<<20 + 12345

// content returns n bytes that depend on seed alone.
func content(seed uint64, n int) []byte {
	p := make([]byte, n)
	src := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = src.Read(p) // never fails
	return p
}

func sum(p []byte) string {
	h := sha256.Sum256(p)
	return hex.EncodeToString(h[:])
}

// plain hides every method of r but Read.
func plain(r io.Reader) io.Reader { return struct{ io.Reader }{r} }

func put(t *testing.T, s objects.Store, key string, p []byte) objects.Info {
	t.Helper()
	info, err := s.Put(t.Context(), key, "image/tiff", plain(bytes.NewReader(p)))
	if err != nil {
		t.Fatalf("Put %s of %d bytes: %v", key, len(p), err)
	}
	return info
}

// whole reads an object from its first byte to its last.
func whole(t *testing.T, s objects.Store, key string) []byte {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	p, err := io.ReadAll(io.NewSectionReader(o, 0, o.Info().Size+10))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func keys(t *testing.T, s objects.Store, prefix string) []string {
	t.Helper()
	found := []string{}
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("List %q: %v", prefix, err)
		}
		found = append(found, info.Key)
	}
	return found
}

// wantNothing fails unless key is free, nothing is listed, and the key can be used.
func wantNothing(t *testing.T, s objects.Store, key string) {
	t.Helper()
	if _, err := s.Stat(t.Context(), key); !fault.Is(err, fault.NotFound) {
		t.Errorf("Stat after a failed Put: %v, want not found", err)
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("listed after a failed Put: %q", got)
	}
	put(t, s, key, []byte("second try"))
	if got := whole(t, s, key); string(got) != "second try" {
		t.Errorf("the second try reads %q", got)
	}
}

func roundTrip(t *testing.T, s objects.Store) {
	for i, n := range []int{0, 1, 4096, 8 << 20, 8<<20 + 1, big} {
		key, want := fmt.Sprintf("c/item/%d/B04.tif", n), content(uint64(i), n)
		before := time.Now().Add(-2 * time.Second) // servers keep whole seconds
		info := put(t, s, key, want)
		if info.Key != key || info.Size != int64(n) || info.SHA256 != sum(want) || info.ContentType != "image/tiff" {
			t.Errorf("Put of %d bytes says %+v", n, info)
		}
		if info.Modified.Before(before) || info.Modified.After(time.Now().Add(2*time.Second)) || info.Modified.Location() != time.UTC {
			t.Errorf("Put of %d bytes says it was modified at %s", n, info.Modified)
		}
		if got, err := s.Stat(t.Context(), key); err != nil || got != info {
			t.Errorf("Stat = %+v, %v; want %+v", got, err, info)
		}
		o, err := s.Open(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if o.Info() != info {
			t.Errorf("Open says %+v, want %+v", o.Info(), info)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		if got := whole(t, s, key); !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back as %d other ones", n, len(got))
		}
	}
}

// seekable sources are read from where they stand, like any other.
func seekable(t *testing.T, s objects.Store) {
	for _, n := range []int{10, big} {
		key, p := fmt.Sprintf("seek/%d", n), content(7, n)
		r := bytes.NewReader(p)
		if _, err := r.Seek(3, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		info, err := s.Put(t.Context(), key, "", r)
		if err != nil {
			t.Fatal(err)
		}
		if info.SHA256 != sum(p[3:]) || !bytes.Equal(whole(t, s, key), p[3:]) {
			t.Errorf("%d bytes after a Seek came back as others", n)
		}
		if r.Len() != 0 {
			t.Errorf("%d bytes were left unread", r.Len())
		}
	}
}

func idempotent(t *testing.T, s objects.Store) {
	for _, n := range []int{5, big} {
		key, p := fmt.Sprintf("same/%d", n), content(3, n)
		first := put(t, s, key, p)
		if again := put(t, s, key, p); again != first {
			t.Errorf("Put again = %+v, want %+v", again, first)
		}
	}
}

func conflict(t *testing.T, s objects.Store) {
	for _, n := range []int{5, big} {
		key, p := fmt.Sprintf("other/%d", n), content(4, n)
		put(t, s, key, p)
		_, err := s.Put(t.Context(), key, "image/tiff", bytes.NewReader(content(5, n)))
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("Put of other %d bytes: %v, want a conflict", n, err)
		}
		if !bytes.Equal(whole(t, s, key), p) {
			t.Error("the first content is gone")
		}
	}
}

// race: of Puts of one key at once exactly one content wins, and its own sum stands beside it.
func race(t *testing.T, s objects.Store) {
	for _, n := range []int{100, 9 << 20} {
		key := fmt.Sprintf("race/%d", n)
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = s.Put(t.Context(), key, "", plain(bytes.NewReader(content(uint64(i/2), n)))) // three contents, twice each
			})
		}
		wg.Wait()
		got := whole(t, s, key)
		info, err := s.Stat(t.Context(), key)
		if err != nil || info.SHA256 != sum(got) {
			t.Errorf("Stat = %+v, %v; the bytes have %s", info, err, sum(got))
		}
		for i, err := range errs {
			if won := bytes.Equal(got, content(uint64(i/2), n)); won && err != nil || !won && !fault.Is(err, fault.Conflict) {
				t.Errorf("writer %d of %d bytes, whose content won: %t: %v", i, n, won, err)
			}
		}
	}
}

func unknownKeys(t *testing.T, s objects.Store) {
	put(t, s, "a/b", []byte("x"))
	for _, key := range []string{"none", "a", "a/c", "a/b/c"} {
		if _, err := s.Stat(t.Context(), key); !fault.Is(err, fault.NotFound) {
			t.Errorf("Stat %q: %v, want not found", key, err)
		}
		if _, err := s.Open(t.Context(), key); !fault.Is(err, fault.NotFound) {
			t.Errorf("Open %q: %v, want not found", key, err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete %q: %v", key, err)
		}
	}
	if got := keys(t, s, ""); len(got) != 1 {
		t.Errorf("deleting unknown keys left %q", got)
	}
}

func badKeys(t *testing.T, s objects.Store) {
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", `a\b`, `..\a`, "a\x00b", "a\nb", "a\x7f", "a\u0085b",
		"\xff", strings.Repeat("k", 256), strings.Repeat("k/", 512) + "k",
	} {
		if _, err := s.Put(t.Context(), key, "", strings.NewReader("x")); !fault.Is(err, fault.Invalid) {
			t.Errorf("Put %q: %v, want invalid", key, err)
		}
		if _, err := s.Open(t.Context(), key); !fault.Is(err, fault.Invalid) {
			t.Errorf("Open %q: %v, want invalid", key, err)
		}
		if _, err := s.Stat(t.Context(), key); !fault.Is(err, fault.Invalid) {
			t.Errorf("Stat %q: %v, want invalid", key, err)
		}
		if err := s.Delete(t.Context(), key); !fault.Is(err, fault.Invalid) {
			t.Errorf("Delete %q: %v, want invalid", key, err)
		}
	}
	for _, prefix := range []string{"../", "/", "a/../b", "/etc/pass"} {
		for info, err := range s.List(t.Context(), prefix) {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("List %q gives %+v, %v; want invalid", prefix, info, err)
			}
		}
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("bad keys left %q", got)
	}
}

func oddKeys(t *testing.T, s objects.Store) {
	for _, key := range []string{
		"a b/c+d/é%20è.tif", "lock", "bytes/x", "sums/x", "staging/x", ".hidden/..x", "...", "q?x=1#f&'\"", strings.Repeat("k", 255),
	} {
		p := []byte(key)
		put(t, s, key, p)
		if !bytes.Equal(whole(t, s, key), p) {
			t.Errorf("%q came back as something else", key)
		}
		if got := keys(t, s, key); len(got) != 1 || got[0] != key {
			t.Errorf("List %q = %q", key, got)
		}
	}
}

func remove(t *testing.T, s objects.Store) {
	put(t, s, "d/e/f", []byte("one"))
	put(t, s, "d/g", []byte("two"))
	for range 2 {
		if err := s.Delete(t.Context(), "d/e/f"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Open(t.Context(), "d/e/f"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Open after Delete: %v, want not found", err)
	}
	if got := keys(t, s, ""); len(got) != 1 || got[0] != "d/g" {
		t.Errorf("after Delete: %q", got)
	}
	put(t, s, "d/e/f", []byte("three"))
	if got := whole(t, s, "d/e/f"); string(got) != "three" {
		t.Errorf("put again: %q", got)
	}
}

func failingReader(t *testing.T, s objects.Store) {
	broken := errors.New("the cable is out")
	for _, n := range []int{0, 10, 12 << 20} {
		key := fmt.Sprintf("half/%d", n)
		r := io.MultiReader(bytes.NewReader(content(1, n)), iotest.ErrReader(broken))
		if _, err := s.Put(t.Context(), key, "", r); !errors.Is(err, broken) {
			t.Errorf("Put: %v, want %v", err, broken)
		}
		wantNothing(t, s, key)
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
}

// given: a file that is handed over is an object like any other, and its first name may go.
func given(t *testing.T, s objects.Store) {
	for _, n := range []int{0, 100, 9 << 20} {
		key, path := fmt.Sprintf("given/%d", n), filepath.Join(t.TempDir(), "made")
		want := content(7, n)
		for attempt := range 2 {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			info, err := s.Put(t.Context(), key, "image/tiff", objects.Given{File: f})
			if err != nil || info.SHA256 != sum(want) || info.Size != int64(n) {
				t.Errorf("Put of %d bytes, time %d: %+v, %v", n, attempt+1, info, err)
			}
			f.Close()
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if got := whole(t, s, key); !bytes.Equal(got, want) {
				t.Errorf("of %d bytes %d are others", n, len(got))
			}
		}
		if err := os.WriteFile(path, content(8, n+1), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), key, "image/tiff", objects.Given{File: f}); !fault.Is(err, fault.Conflict) {
			t.Errorf("Put of other bytes: %v, want conflict", err)
		}
		f.Close()
	}
}

func cancelled(t *testing.T, s objects.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	read := 0
	r := readerFunc(func(p []byte) (int, error) {
		if read += len(p); read > 10<<20 {
			cancel() // in the middle of an endless stream
		}
		return len(p), nil
	})
	if _, err := s.Put(ctx, "cut", "", r); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v, want cancelled", err)
	}
	if _, err := s.Put(ctx, "cut", "", strings.NewReader("late")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put with a cancelled context: %v", err)
	}
	if _, err := s.Open(ctx, "cut"); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a cancelled context: %v", err)
	}
	for _, err := range s.List(ctx, "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("List with a cancelled context: %v", err)
		}
	}
	wantNothing(t, s, "cut")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// sweep leaves objects alone, and Puts that are not old enough.
func sweep(t *testing.T, s objects.Store) {
	put(t, s, "kept", content(1, big))
	p := content(2, big)
	swept := false
	r := io.MultiReader(bytes.NewReader(p[:9<<20]), readerFunc(func([]byte) (int, error) {
		if !swept {
			swept = true
			if err := s.Sweep(t.Context(), time.Hour); err != nil {
				t.Error(err)
			}
		}
		return 0, io.EOF
	}), bytes.NewReader(p[9<<20:]))
	if _, err := s.Put(t.Context(), "running", "", r); err != nil || !swept {
		t.Errorf("Put while sweeping (%t): %v", swept, err)
	}
	if err := s.Sweep(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(whole(t, s, "kept"), content(1, big)) || !bytes.Equal(whole(t, s, "running"), p) {
		t.Error("a sweep touched objects")
	}
}
