package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// scenes are the bundled real products.
const scenes = "../../testdata/scenes"

// binary builds the program once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "swath-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "swath")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %v: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// unavailable skips a test whose tool is not installed, or fails it where everything must run.
func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("SWATH_TEST_REQUIRE_ALL") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// needsProgram marks tests that run the whole program: not for the quick loop.
func needsProgram(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the whole program")
	}
	if _, err := exec.LookPath("/usr/lib/postgresql/15/bin/postgres"); err != nil {
		unavailable(t, "PostgreSQL 15 is not installed: make deps")
	}
}

// dataFolder returns a folder that an unprivileged database can reach, which t.TempDir's parents need not allow.
func dataFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "swath-data-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// program prepares a run of the program.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	limit := 3 * time.Minute
	if long() {
		limit = 20 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, path, args...)
}

// swath runs the program and returns its exit code and output.
func swath(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := program(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// serveData starts a server on a data folder at a free address, and returns the address; it stops with the test.
func serveData(t *testing.T, data string, more ...string) (base string, server *exec.Cmd) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return serveAt(t, data, l.Addr().String(), more...)
}

// serveAt does so at a given address.
func serveAt(t *testing.T, data, address string, more ...string) (base string, server *exec.Cmd) {
	t.Helper()
	server = program(t, append([]string{"serve", "--data", data, "--listen", address}, more...)...)
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(os.Interrupt)
		server.Wait()
		if t.Failed() {
			t.Logf("the server's log:\n%s", log.String())
		}
	})
	base = "http://" + address
	for range 600 {
		if r, err := http.Get(base + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return base, server
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server is not ready:\n%s", log.String())
	return "", nil
}

// getJSON asks for a document.
func getJSON(t *testing.T, url string) (status int, body map[string]any) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatalf("%s: %v: %.200s", url, err, raw)
	}
	return r.StatusCode, body
}

// demo starts a server with the bundled scenes.
func demo(t *testing.T) (base, data string) {
	t.Helper()
	needsProgram(t)
	data = dataFolder(t)
	if code, out, errs := swath(t, "ingest", "--data", data, scenes); code != exitDone {
		t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
	}
	base, _ = serveData(t, data)
	return base, data
}
