package objects_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"swath/objects"
)

// crashRoot names the folder that a child process fills until it is killed.
const crashRoot = "SWATH_TEST_CRASH_ROOT"

// crashContent depends on its number alone; sizes go from nothing to several reads of a Put.
func crashContent(i int) []byte {
	p := make([]byte, i*i*37_000%3_000_000)
	for j := range p {
		p[j] = byte(i + j)
	}
	return p
}

func crashKey(i int) string { return fmt.Sprintf("c/item-%d/%d.bin", i%3, i) }

// slowly returns few bytes at a time, so that a kill finds a Put at work.
type slowly struct{ r io.Reader }

func (s slowly) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), 64<<10)]) }

func TestFolderSurvivesKill(t *testing.T) {
	if root := os.Getenv(crashRoot); root != "" {
		s := folder(t, root)
		fmt.Println("ready")
		for i := 0; ; i = (i + 1) % 50 {
			if _, err := s.Put(t.Context(), crashKey(i), "text/plain", slowly{bytes.NewReader(crashContent(i))}); err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(t.Context(), crashKey((i+25)%50)); err != nil { // so that every Put has something to do
				t.Fatal(err)
			}
		}
	}
	root := t.TempDir()
	staged := 0
	for range 25 {
		child := exec.Command(os.Args[0], "-test.run=^TestFolderSurvivesKill$")
		child.Env = append(os.Environ(), crashRoot+"="+root)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(150 * time.Millisecond))
		if err := child.Process.Kill(); err != nil {
			t.Fatal("the child ended by itself:", err)
		}
		if err := child.Wait(); err == nil || child.ProcessState.Exited() {
			t.Fatal("the child ended by itself:", err)
		}
		if entries, err := os.ReadDir(filepath.Join(root, "staging")); err == nil {
			staged += len(entries)
		}
		checkAll(t, folder(t, root))
	}
	if staged == 0 {
		t.Error("no kill came during a Put")
	}
	s := folder(t, root)
	for i := range 50 {
		info, err := s.Put(t.Context(), crashKey(i), "text/plain", bytes.NewReader(crashContent(i)))
		if err != nil || info.Size != int64(len(crashContent(i))) {
			t.Errorf("repeat of %d: %+v, %v", i, info, err)
		}
	}
	if n := checkAll(t, s); n != 50 {
		t.Errorf("%d objects after the repeat, want 50", n)
	}
	if err := s.Sweep(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left := names(t, filepath.Join(root, "staging")); len(left) != 0 {
		t.Errorf("left after the sweep: %q", left)
	}
}

// checkAll reads every visible object and compares it with its sum and with what was put.
func checkAll(t *testing.T, s objects.Store) (n int) {
	t.Helper()
	want := map[string][]byte{}
	for i := range 50 {
		want[crashKey(i)] = crashContent(i)
	}
	for listed, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		o, err := s.Open(t.Context(), listed.Key)
		if err != nil {
			t.Fatalf("%s is visible and can't be opened: %v", listed.Key, err)
		}
		got, err := io.ReadAll(objects.Stream(o, 0, o.Info().Size))
		o.Close()
		sum := sha256.Sum256(got)
		if err != nil || !bytes.Equal(got, want[listed.Key]) || hex.EncodeToString(sum[:]) != o.Info().SHA256 || o.Info().ContentType != "text/plain" {
			t.Errorf("%s is visible and not whole: %d bytes, %+v, %v", listed.Key, len(got), o.Info(), err)
		}
		n++
	}
	return n
}
