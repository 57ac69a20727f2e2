package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swath/internal/hubtest"
	"swath/internal/testdb"
)

// TestMirrorHostile: of a hub whose products want to fill the disk and the memory, write outside, read what is not theirs and have others
// asked, the sound ones are mirrored. The others are in quarantine, each with a reason, and nothing of them is here, in bounded memory and time.
// With SWATH_TEST_LONG=1 there are 300 products, in every way of 20.
func TestMirrorHostile(t *testing.T) {
	needsProgram(t)
	products, each := 20, 4
	if os.Getenv("SWATH_TEST_LONG") == "1" {
		products, each = 200, 20
	}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("a secret of this machine"), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var called atomic.Int64
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			called.Add(1)
			c.Close()
		}
	}()
	archive := hubtest.NewArchive(41, products, hubtest.Hostile)
	archive.Outside, archive.Callback = outside, "http://"+listener.Addr().String()
	archive.AddHostile(each)
	s := hubtest.Serve(t, archive, hubtest.Options{Seed: 17, Profile: hubtest.Hostile})
	data, database := dataFolder(t), testdb.New(t)
	config := filepath.Join(data, "swath.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `mirrors:
  - name: hostile
    hub: {type: cdse, catalogue: %q, download: %q, token: %q, user: %q, password_env: TEST_HUB_PASSWORD, retry: 5ms}
    since: 2015-01-01
    originals: true
    sweep_days: 35
    backoff: 20ms
    stall: 300ms
`, s.Catalogue, "http://"+s.Download, s.Token, hubtest.User), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_HUB_PASSWORD", hubtest.Password)
	began := time.Now()
	c := program(t, "mirror", "--data", data, "--database", database, "--config", config, "--once")
	var errs strings.Builder
	c.Stderr = &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	watched := watchPeak(t, c)
	c.Wait() //nolint:errcheck // its exit code says it
	memory := watched()
	if code := c.ProcessState.ExitCode(); code != exitPartlyDone {
		t.Fatalf("exit code %d\n%s", code, errs.String())
	}
	t.Logf("%d rows, %d of them unsafe: %.1f s, %.0f MiB at most", archive.Rows(), archive.Unsafe(), time.Since(began).Seconds(), memory)
	if memory < 20 || memory > 700 { // four at a time, each up to what a manifest of 16 MiB takes
		t.Errorf("%.0f MiB of memory", memory)
	}
	one, err := statusOf(t.Context(), database, "hostile")
	if err != nil || one.Quarantined != int64(archive.Unsafe()) || one.Wanted != 0 {
		t.Errorf("%+v, %v; want %d in quarantine", one.Status, err, archive.Unsafe())
	}
	for _, trouble := range one.Troubles {
		if len(trouble.Reason) < 10 || strings.Contains(trouble.Reason, "a secret of this machine") {
			t.Errorf("%s: %q", trouble.Name, trouble.Reason)
		}
		t.Logf("%s: %.150s", trouble.Name, trouble.Reason)
	}
	sameAsHub(t, archive, data, database)
	if n := called.Load(); n > 0 {
		t.Errorf("a stranger was asked %d times", n)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) != 1 {
		t.Errorf("%d files outside, %v", len(left), err)
	}
	err = filepath.WalkDir(data, func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(filepath.Base(path), "escaped") {
			t.Errorf("%s was written", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for dir := filepath.Dir(data); ; dir = filepath.Dir(dir) { // what climbs out ends in one of these
		if _, err := os.Lstat(filepath.Join(dir, "escaped")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", filepath.Join(dir, "escaped"), err)
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
}
