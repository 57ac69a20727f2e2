package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"swath/internal/faultproxy"
)

// TestDownloadSync: a folder follows a search of a running server: it needs no more than its name, brings what is new and nothing else, and
// puts what is gone into the trash. A static catalog beside it is read by pystac, where it is installed.
func TestDownloadSync(t *testing.T) {
	needsProgram(t)
	data, folder, products := dataFolder(t), t.TempDir(), writeHeritage(t)
	last := heritage[2] // it comes later
	late := filepath.Join(t.TempDir(), last.id)
	if err := os.Rename(filepath.Join(products, last.id), late); err != nil {
		t.Fatal(err)
	}
	ingest := func(path string) {
		t.Helper()
		if code, out, errs := swath(t, "ingest", "--data", data, path); code != exitDone {
			t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
		}
	}
	ingest(products)
	base, _ := serveData(t, data)
	sync := func(wantCode int, want string, more ...string) (out string) {
		t.Helper()
		code, out, errs := swath(t, append([]string{"download", "sync", "-o", folder}, more...)...)
		if code != wantCode || !strings.Contains(out+errs, want) {
			t.Errorf("%v: exit code %d, want %d and %q\n%s%s", more, code, wantCode, want, out, errs)
		}
		return out
	}
	sync(exitDownloadUse, "follows none yet")
	sync(exitDone, "4 downloaded, 0 were there", "--url", base, "-c", "sentinel-2-l1c", "--lonmin", "0.5", "--lonmax", "2", "--latmin", "43", "--latmax", "44")
	sync(exitDone, "0 downloaded", "--overlap", "0s")
	sync(exitDownloadUse, "another search", "-c", "sentinel-1-grd")
	ingest(late)
	sync(exitDone, "1 downloaded")
	q, err := http.NewRequest(http.MethodDelete, base+"/collections/sentinel-2-l1c/items/"+heritage[0].id, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil || r.StatusCode >= 300 {
		t.Fatal(r, err)
	}
	r.Body.Close()
	sync(exitDone, "0 downloaded")
	kept := filepath.Join("sentinel-2-l1c", heritage[0].id, "product.zip")
	if _, err := os.Stat(filepath.Join(folder, kept)); err != nil {
		t.Errorf("without --delete: %v", err)
	}
	sync(exitDone, "gone       sentinel-2-l1c/"+heritage[0].id, "--delete", "--write-stac")
	if found, err := filepath.Glob(filepath.Join(folder, ".trash", "*", kept)); err != nil || len(found) != 1 {
		t.Errorf("in the trash: %v, %v", found, err)
	}
	if _, err := os.Stat(filepath.Join(folder, kept)); err == nil {
		t.Error("it is still there")
	}
	if code, out, errs := swath(t, "download", "verify", folder); code != exitDone || !strings.Contains(out, "4 files, 0 of them wrong") {
		t.Errorf("verify: %d\n%s%s", code, out, errs)
	}
	if python := os.Getenv("SWATH_PYTHON"); python != "" {
		out, err := exec.Command(python, "-c", "import sys, pystac; print(sorted(i.id for i in pystac.Catalog.from_file(sys.argv[1]).get_items(recursive=True)))", filepath.Join(folder, "catalog.json")).CombinedOutput()
		if err != nil || strings.Count(string(out), "S2A_") != 4 {
			t.Errorf("pystac: %v %s", err, out)
		}
	}
	t.Run("interrupted", func(t *testing.T) { interrupted(t, base) })
}

// interrupted: an interrupt ends a download well, with its own exit code, and the next goes on.
func interrupted(t *testing.T, base string) {
	proxy := faultproxy.New(t, base, faultproxy.Options{EachRead: 300 * time.Millisecond})
	folder := t.TempDir()
	line := []string{"download", "--url", proxy.URL, "-c", "sentinel-2-l1c", "-j", "1", "-o", folder}
	cmd := program(t, line...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); proxy.Bytes.Load() == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	cmd.Process.Signal(syscall.SIGINT) //nolint:errcheck // its end tells
	cmd.Wait()                         //nolint:errcheck // the exit code tells
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	if left, err := filepath.Glob(filepath.Join(folder, ".swath-download.*")); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
	code, out, errs := swath(t, append(line, "--json")...)
	var report struct {
		Downloaded, Had int
		Failed          map[string]string
	}
	if err := json.Unmarshal([]byte(out), &report); code != exitDone || err != nil || report.Downloaded+report.Had != 5 || len(report.Failed) > 0 {
		t.Errorf("%d, %v\n%s%s", code, err, out, errs)
	}
}
