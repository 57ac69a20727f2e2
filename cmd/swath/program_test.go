package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const zip56JMM = scenes + "/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.zip"

func TestExitCodes(t *testing.T) {
	needsProgram(t)
	data, dir := dataFolder(t), t.TempDir()
	empty, odd := filepath.Join(dir, "empty.tif"), filepath.Join(dir, "notes.txt")
	for _, f := range []struct{ path, text string }{{empty, ""}, {odd, "hello"}} {
		if err := os.WriteFile(f.path, []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		args []string
		want int
		says string
	}{
		"version":             {[]string{"version"}, exitDone, "swath"},
		"unknown command":     {[]string{"fly"}, exitWrongUse, "fly"},
		"unknown flag":        {[]string{"serve", "--fast"}, exitWrongUse, "--fast"},
		"no path":             {[]string{"ingest", "--data", data}, exitWrongUse, "at least one"},
		"bad address":         {[]string{"serve", "--data", data, "--listen", "here"}, exitWrongUse, "listen"},
		"bad configuration":   {[]string{"serve", "--config", odd}, exitWrongUse, "notes.txt"},
		"no such file":        {[]string{"ingest", "--data", data, filepath.Join(dir, "none.zip")}, exitFailed, "no such file"},
		"empty file":          {[]string{"ingest", "--data", data, empty}, exitFailed, "empty"},
		"not a product":       {[]string{"ingest", "--data", data, odd}, exitFailed, "not a product"},
		"one of two":          {[]string{"ingest", "--data", data, odd, zip56JMM}, exitPartlyDone, "catalogued"},
		"database not there":  {[]string{"ingest", "--data", data, "--database", "postgres://127.0.0.1:1/none", zip56JMM}, exitFailed, "database"},
		"S3 without a bucket": {[]string{"ingest", "--data", data, "--objects", "s3://", zip56JMM}, exitWrongUse, "bucket"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := swath(t, tc.args...)
			if code != tc.want || !strings.Contains(out+errs, tc.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s%s", code, tc.want, tc.says, out, errs)
			}
			if strings.Contains(errs, "goroutine ") {
				t.Errorf("a panic:\n%s", errs)
			}
		})
	}
}

// TestOneOwner: a second server on a data folder is refused and told whose it is; an ingest beside the server joins it.
func TestOneOwner(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	base, server := serveData(t, data)
	code, _, said := swath(t, "serve", "--data", data, "--listen", "127.0.0.1:0")
	if pid := strconv.Itoa(server.Process.Pid); code != exitFailed || !strings.Contains(said, pid) {
		t.Errorf("a second server: exit code %d, want %d and process %s in:\n%s", code, exitFailed, pid, said)
	}
	code, out, errs := swath(t, "ingest", "--data", data, zip56JMM)
	if code != exitDone {
		t.Fatalf("ingest beside a server: exit code %d\n%s%s", code, out, errs)
	}
	if status, _ := getJSON(t, base+item56JMM); status != http.StatusOK {
		t.Errorf("the server does not show the item: %d", status)
	}
}

// TestKilledServer: after SIGKILL, which takes the private database with it, the next server has everything, quickly.
func TestKilledServer(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	if code, out, errs := swath(t, "ingest", "--data", data, zip56JMM); code != exitDone {
		t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
	}
	_, server := serveData(t, data)
	if err := server.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	server.Wait()
	start := time.Now()
	base, _ := serveData(t, data)
	t.Logf("ready %v after the crash", time.Since(start))
	if status, _ := getJSON(t, base+item56JMM); status != http.StatusOK {
		t.Errorf("the item is gone: %d", status)
	}
	r, err := http.Get(base + item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?render=ndvi")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "image/png" {
		t.Errorf("NDVI tile: %d %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
}

// TestKilledIngest: an ingest that is killed at any moment leaves no item or a whole one, and can be repeated.
func TestKilledIngest(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	base, _ := serveData(t, data)
	for _, after := range []time.Duration{60, 120, 180, 260, 340, 420, 500} {
		ingest := program(t, "ingest", "--data", data, zip56JMM)
		if err := ingest.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after * time.Millisecond)
		ingest.Process.Signal(syscall.SIGKILL)
		ingest.Wait()
		status, item := getJSON(t, base+item56JMM)
		if status == http.StatusNotFound {
			continue
		}
		if status != http.StatusOK || item["id"] == nil {
			t.Fatalf("killed after %d ms: %d %v", after, status, item)
		}
		break // it was done before the signal came
	}
	if code, out, errs := swath(t, "ingest", "--data", data, zip56JMM); code != exitDone {
		t.Fatalf("the repeat: exit code %d\n%s%s", code, out, errs)
	}
	_, item := getJSON(t, base+item56JMM)
	for key, asset := range item["assets"].(map[string]any) {
		r, err := http.Get(asset.(map[string]any)["href"].(string))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		sum := sha256.Sum256(body)
		if err != nil || "1220"+hex.EncodeToString(sum[:]) != asset.(map[string]any)["file:checksum"] {
			t.Errorf("asset %s: %d, its bytes do not have their checksum (%v)", key, r.StatusCode, err)
		}
	}
}
