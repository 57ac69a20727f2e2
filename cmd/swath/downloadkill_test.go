package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/internal/faultproxy"
)

// TestDownloadKilled: the files of a search, fetched from a running server through a network that fails by a process that is killed (SIGKILL)
// again and again, are those of the server, for at most 1.3 times their bytes. With SWATH_TEST_LONG=1 these are 200 files and 30 kills.
func TestDownloadKilled(t *testing.T) {
	needsProgram(t)
	files, kills := 40, 8
	if long() {
		files, kills = 200, 30
	}
	data, _ := manyScenes(t, files, 384)
	base, _ := serveData(t, data)
	want, total := assetsOf(t, base, "many", "B04")
	if len(want) != files {
		t.Fatalf("%d files of %d", len(want), files)
	}
	proxy := faultproxy.New(t, base, faultproxy.Options{Seed: 3, Struck: 30, EachRead: 4 * time.Millisecond})
	folder, random := t.TempDir(), rand.New(rand.NewPCG(8, 8))
	arguments := []string{"download", "--url", proxy.URL, "-c", "many", "--assets", "B04", "-o", folder, "-q"}
	killed := 0
	for killed < kills {
		cmd := program(t, arguments...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		until := proxy.Bytes.Load() + random.Int64N(total/int64(kills))
		for running := true; running; {
			select {
			case err := <-ended:
				t.Fatalf("it ended before %d kills: %v", killed, err)
			case <-time.After(time.Millisecond):
				running = proxy.Bytes.Load() < until
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-ended
		killed++
	}
	if code, out, errs := swath(t, arguments...); code != exitDone {
		t.Fatalf("the last run: %d\n%s%s", code, out, errs)
	}
	spent := proxy.Bytes.Load()
	got := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		sum := sha256.Sum256(raw)
		name, err2 := filepath.Rel(folder, path)
		got[name] = hex.EncodeToString(sum[:])
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(got, "manifest.json")
	for name, sum := range want {
		if got[name] != sum {
			t.Errorf("%s has SHA-256 %q instead of %q", name, got[name], sum)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("also there: %v", got)
	}
	t.Logf("%d files of %d bytes in all, %d kills: %d bytes were sent, %.3f times theirs", files, total, killed, spent, float64(spent)/float64(total))
	if float64(spent) > 1.3*float64(total) {
		t.Error("that is more than 1.3 times")
	}
	if code, out, errs := swath(t, "download", "verify", folder); code != exitDone {
		t.Errorf("verify: %d\n%s%s", code, out, errs)
	}
	before := proxy.Bytes.Load()
	if code, out, errs := swath(t, "download", "--url", proxy.URL, "-c", "many", "--assets", "B04", "-o", folder); code != exitDone || !strings.Contains(out, "0 downloaded") || proxy.Bytes.Load() != before {
		t.Errorf("once more: %d\n%s%s", code, out, errs)
	}
}

// assetsOf asks a server for one asset of each item of a collection: the checksums by where a download puts the files, and all their bytes.
func assetsOf(t *testing.T, base, collection, asset string) (sums map[string]string, bytes int64) {
	t.Helper()
	sums = map[string]string{}
	r, err := http.Get(base + "/collections/" + collection + "/items?limit=1000")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var page struct {
		Features []struct {
			ID     string
			Assets map[string]struct {
				Checksum string `json:"file:checksum"`
				Size     int64  `json:"file:size"`
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	for _, it := range page.Features {
		a := it.Assets[asset]
		sums[filepath.Join(collection, it.ID, asset+".tif")] = strings.TrimPrefix(a.Checksum, "1220")
		bytes += a.Size
	}
	return sums, bytes
}
