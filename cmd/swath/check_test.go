package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCheckCommand: a catalog is in order after an ingest, and what is damaged behind its back is found.
func TestCheckCommand(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	if code, out, errs := swath(t, "ingest", "--data", data, zip56JMM); code != exitDone {
		t.Fatalf("ingest: %d\n%s%s", code, out, errs)
	}
	serveData(t, data)
	check := func(want int, says string, args ...string) {
		t.Helper()
		code, out, errs := swath(t, append([]string{"check", "--data", data}, args...)...)
		if code != want || !strings.Contains(out, says) {
			t.Errorf("check %v: exit code %d, want %d and %q in:\n%s%s", args, code, want, says, out, errs)
		}
	}
	check(exitDone, "checked 1 items: 0 problems", "--deep")
	var object string
	err := filepath.WalkDir(filepath.Join(data, "objects"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "B02.tif") {
			object = path
		}
		return err
	})
	if err != nil || object == "" {
		t.Fatal("no object of B02: ", err)
	}
	whole, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	write := func(path string, text []byte) {
		t.Helper()
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	damaged := append([]byte{}, whole...)
	damaged[len(damaged)/2] ^= 1
	write(object, damaged)
	check(exitFailed, `asset "B02": the object `, "--deep")
	write(object, whole[:len(whole)-1])
	check(exitFailed, "bytes, not")
	if err := os.Remove(object); err != nil {
		t.Fatal(err)
	}
	check(exitFailed, "is missing", "--repair")
	write(object, whole)
	write(filepath.Join(filepath.Dir(object), "left.tif"), []byte("left by somebody"))
	check(exitDone, "0 orphans") // it may be of an ingest that is under way
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(filepath.Join(filepath.Dir(object), "left.tif"), old, old); err != nil {
		t.Fatal(err)
	}
	check(exitDone, "left.tif, 16 bytes")
}
