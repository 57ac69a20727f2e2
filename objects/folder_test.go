package objects_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"swath/fault"
	"swath/objects"
	"swath/objects/objectstest"
)

func folder(t testing.TB, root string) objects.Store {
	t.Helper()
	s, err := objects.OpenFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFolder(t *testing.T) {
	objectstest.Run(t, func(t testing.TB) objects.Store {
		root := filepath.Join(t.TempDir(), "new", "folder")
		t.Cleanup(func() {
			if left := names(t, filepath.Join(root, "staging")); len(left) != 0 {
				t.Errorf("left in staging: %q", left)
			}
		})
		return folder(t, root)
	})
}

// TestFolderKeepsWhatIsGiven: a file that is handed over is not copied; one that is named by a link is, since the link may go elsewhere.
func TestFolderKeepsWhatIsGiven(t *testing.T) {
	root, made := t.TempDir(), filepath.Join(t.TempDir(), "made")
	s := folder(t, root)
	if err := os.WriteFile(made, []byte("pixels"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := made + ".link"
	if err := os.Symlink(made, link); err != nil {
		t.Fatal(err)
	}
	for name, same := range map[string]bool{made: true, link: false} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		key := filepath.Base(name)
		if _, err := s.Put(t.Context(), key, "", objects.Given{File: f}); err != nil {
			t.Fatal(err)
		}
		own, err := f.Stat()
		kept, err2 := os.Lstat(filepath.Join(root, "bytes", key))
		if err != nil || err2 != nil || !kept.Mode().IsRegular() || os.SameFile(own, kept) != same {
			t.Errorf("%s: %v %v, the same file: %t, want %t", key, err, err2, os.SameFile(own, kept), same)
		}
		f.Close()
	}
}

func names(t testing.TB, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestFolderKeyBelowAnother(t *testing.T) {
	s := folder(t, t.TempDir())
	for _, key := range []string{"a/b", "a/c/d"} {
		if _, err := s.Put(t.Context(), key, "", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"a", "a/c", "a/b/c", "a/b/c/d"} {
		if _, err := s.Put(t.Context(), key, "", strings.NewReader("y")); !fault.Is(err, fault.Conflict) {
			t.Errorf("Put %s: %v, want a conflict", key, err)
		}
	}
}

func TestFolderRefusesSymlinks(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	s := folder(t, root)
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("no"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(root, "bytes", "out")); err != nil {
		t.Fatal(err)
	}
	if o, err := s.Open(t.Context(), "out/secret"); err == nil {
		o.Close()
		t.Error("a link leads out of the folder")
	}
	if _, err := s.Put(t.Context(), "out/new", "", strings.NewReader("x")); err == nil {
		t.Error("Put wrote through a link")
	}
	if got := names(t, outside); len(got) != 1 {
		t.Errorf("outside now holds %q", got)
	}
}

func TestFolderSeesDamage(t *testing.T) {
	root := t.TempDir()
	s := folder(t, root)
	for _, key := range []string{"short", "bare"} {
		if _, err := s.Put(t.Context(), key, "", strings.NewReader("whole")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(root, "bytes", "short"), 3); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "bytes", "foreign"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"short", "foreign"} {
		_, err := s.Stat(t.Context(), key)
		if kind, _ := fault.Of(err); err == nil || kind != fault.Internal {
			t.Errorf("Stat of the %s object: %v", key, err)
		}
	}
	if err := s.Delete(t.Context(), "short"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "short", "", strings.NewReader("whole")); err != nil {
		t.Errorf("Put after removing the damaged one: %v", err)
	}
}

func TestFolderSweep(t *testing.T) {
	root := t.TempDir()
	s := folder(t, root)
	old, young := filepath.Join(root, "staging", "old"), filepath.Join(root, "staging", "young")
	for _, name := range []string{old, young} {
		if err := os.WriteFile(name, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	then := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(old, then, then); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := names(t, filepath.Join(root, "staging")); len(got) != 1 || got[0] != "young" {
		t.Errorf("left after the sweep: %q", got)
	}
}

func TestFolderDiskFull(t *testing.T) {
	s := folder(t, t.TempDir())
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := before
	limit.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(t.Context(), "k", "", bytes.NewReader(make([]byte, 3<<20)))
	if restore := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); restore != nil {
		t.Fatal(restore)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("Put beyond the limit: %v", err)
	}
	if _, err := s.Stat(t.Context(), "k"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Stat after it: %v", err)
	}
	if _, err := s.Put(t.Context(), "k", "", bytes.NewReader(make([]byte, 3<<20))); err != nil {
		t.Errorf("the repeat: %v", err)
	}
}

func TestOpenFolderOnFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := objects.OpenFolder(name); err == nil {
		t.Error("a file was taken for a folder")
	}
}

func BenchmarkFolderReadAt(b *testing.B) { benchmarkReadAt(b, folder(b, b.TempDir())) }

// benchmarkReadAt reads blocks as tiles do: of 16 kB at random places.
func benchmarkReadAt(b *testing.B, s objects.Store) {
	const block, blocks = 16 << 10, 1024
	if _, err := s.Put(b.Context(), "bench", "", bytes.NewReader(make([]byte, block*blocks))); err != nil {
		b.Fatal(err)
	}
	o, err := s.Open(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	p := make([]byte, block)
	b.SetBytes(block)
	for b.Loop() {
		if _, err := o.ReadAt(p, block*rand.Int64N(blocks)); err != nil && err != io.EOF {
			b.Fatal(err)
		}
	}
}

func BenchmarkFolderPut(b *testing.B) {
	s := folder(b, b.TempDir())
	p := make([]byte, 1<<20)
	b.SetBytes(int64(len(p)))
	for i := 0; b.Loop(); i++ {
		if _, err := s.Put(b.Context(), fmt.Sprintf("a/b/%d", i), "", bytes.NewReader(p)); err != nil {
			b.Fatal(err)
		}
	}
}
