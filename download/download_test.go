package download

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"swath/fault"
)

// archive is a STAC API over made files, which fails in the ways that servers and the networks before them do.
type archive struct {
	*httptest.Server
	files   map[string][]byte // by path
	items   []map[string]any
	sent    atomic.Int64
	nasty   bool
	cold    atomic.Int64 // answers of 202 that are left for each of the files whose name ends in 7
	key     string
	mu      sync.Mutex
	strikes map[string]int
}

func newArchive(t *testing.T, items, filesEach, bytesEach int, nasty bool) *archive {
	a := &archive{files: map[string][]byte{}, nasty: nasty, strikes: map[string]int{}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range items {
		assets := map[string]any{}
		for k := range filesEach {
			body := make([]byte, bytesEach/2+random.IntN(bytesEach))
			for j := range body {
				body[j] = byte(random.Uint32())
			}
			path := fmt.Sprintf("/files/item%d/B%02d", i, k)
			a.files[path] = body
			sum := sha256.Sum256(body)
			asset := map[string]any{"href": a.URL + path, "type": "image/tiff; application=geotiff", "roles": []string{"data"}, "file:size": len(body), "file:checksum": "1220" + hex.EncodeToString(sum[:])}
			if k%3 == 1 { // nothing is said of it
				delete(asset, "file:size")
				delete(asset, "file:checksum")
			}
			assets[fmt.Sprintf("B%02d", k)] = asset
		}
		a.items = append(a.items, map[string]any{"type": "Feature", "stac_version": "1.1.0", "id": fmt.Sprintf("item%d", i), "collection": "made/up", "geometry": nil,
			"properties": map[string]any{"datetime": "2024-06-01T00:00:00Z", "n": i}, "assets": assets, "links": []any{map[string]any{"rel": "self", "href": a.URL}}})
	}
	return a
}

func (a *archive) strike(subject string, faults ...string) string {
	if !a.nasty {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.strikes[subject]
	a.strikes[subject]++
	if n >= 2 {
		return ""
	}
	var sum byte
	for _, b := range []byte(subject) {
		sum = sum*31 + b
	}
	if sum%2 == 0 {
		return ""
	}
	return faults[int(sum/2)%len(faults)]
}

func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.key != "" && r.Header.Get("X-API-Key") != a.key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fault := a.strike(r.URL.Path, "429", "502", "drop", "truncate", "corrupt", "norange")
	switch fault {
	case "429":
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case "502":
		w.WriteHeader(http.StatusBadGateway)
		return
	case "drop":
		panic(http.ErrAbortHandler)
	}
	if r.URL.Path == "/search" {
		var asked struct {
			Token string
			Limit int
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || r.Method != http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		from, _ := strconv.Atoi(asked.Token)
		to := min(from+asked.Limit, len(a.items))
		page := map[string]any{"type": "FeatureCollection", "features": a.items[from:to], "links": []any{}}
		if to < len(a.items) {
			page["links"] = []any{map[string]any{"rel": "next", "href": a.URL + "/search", "method": "POST", "merge": true, "body": map[string]any{"token": strconv.Itoa(to)}}}
		}
		json.NewEncoder(w).Encode(page) //nolint:errcheck // the client sees it
		return
	}
	body, ok := a.files[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if strings.HasSuffix(r.URL.Path, "7") && a.cold.Add(-1) >= 0 {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	sum := sha256.Sum256(body)
	tag := fmt.Sprintf("%q", hex.EncodeToString(sum[:8]))
	w.Header().Set("ETag", tag)
	from, status := 0, http.StatusOK
	if begin, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && r.Header.Get("If-Range") == tag && fault != "norange" {
		if from, _ = strconv.Atoi(strings.TrimSuffix(begin, "-")); from >= len(body) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
	}
	send := body[from:]
	w.Header().Set("Content-Length", strconv.Itoa(len(send)))
	if fault == "corrupt" && strings.Contains(r.URL.Path, "B00") { // of one that has a checksum
		send = bytes.Clone(send)
		send[len(send)/2] ^= 1
	}
	w.WriteHeader(status)
	for len(send) > 0 { // slowly, so that a kill meets it
		n, err := w.Write(send[:min(len(send), 16<<10)])
		a.sent.Add(int64(n))
		if send = send[n:]; err != nil {
			return
		}
		if fault == "truncate" && len(send) < len(body)/2 {
			panic(http.ErrAbortHandler)
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func (a *archive) client() *Client {
	return &Client{URL: a.URL, Wait: time.Millisecond, MostWait: 10 * time.Millisecond}
}

// run plans and fetches everything.
func (a *archive) run(ctx context.Context, o Options) (*Plan, Report, error) {
	c := a.client()
	c.APIKey = a.key
	o.PollLeast, o.PollMost = time.Millisecond, time.Millisecond
	r, err := Open(c, o)
	if err != nil {
		return nil, Report{}, err
	}
	defer r.Close()
	p, err := r.Plan(ctx, func(yield func(Item) error) error { return c.Items(ctx, Search{}, yield) })
	if err != nil {
		return nil, Report{}, err
	}
	report, err := r.Fetch(ctx, p)
	return p, report, err
}

// whole compares a folder with the archive, and reads its manifest.
func (a *archive) whole(t *testing.T, folder string) {
	t.Helper()
	for path, body := range a.files {
		parts := strings.Split(path, "/")
		got, err := os.ReadFile(filepath.Join(folder, "made_up", parts[2], parts[3]+".tif"))
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%s: %v, %d bytes of %d", path, err, len(got), len(body))
		}
	}
	names := 0
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names++
		}
		return err
	})
	if err != nil || names != len(a.files)+1 {
		t.Errorf("%d files lie there, %v; want %d and the manifest", names, err, len(a.files))
	}
	files, failed, err := Verify(t.Context(), folder)
	if err != nil || files != len(a.files) || len(failed) > 0 {
		t.Errorf("verified: %d files, %d failed, %v", files, len(failed), err)
	}
	m, err := openManifest(folder)
	if err != nil || len(m.items) != len(a.items) {
		t.Fatalf("the manifest has %d items, %v", len(m.items), err)
	}
	for _, it := range m.items {
		for _, asset := range it["assets"].(map[string]any) {
			href := asset.(map[string]any)["href"].(string)
			if _, err := os.Stat(filepath.Join(folder, href)); err != nil {
				t.Errorf("the manifest leads to %s: %v", href, err)
			}
		}
	}
}

// TestKilled: two hundred files through a network that fails, with a client that is killed thirty times, are those of the server, for at
// most 1.3 times their bytes.
func TestKilled(t *testing.T) {
	a := newArchive(t, 110, 2, 100<<10, true)
	folder, random := t.TempDir(), rand.New(rand.NewPCG(4, 4))
	kills := 30
	for {
		ctx, kill := context.WithCancel(t.Context())
		o := Options{Folder: folder}
		if kills > 0 { // when so many bytes have come
			kills--
			var left atomic.Int64
			left.Store(random.Int64N(500_000))
			o.Came = func(_ File, n int) {
				if left.Add(-int64(n)) < 0 {
					kill()
				}
			}
		}
		_, report, err := a.run(ctx, o)
		kill()
		if err == nil && len(report.Failed) == 0 {
			break
		}
		if err != nil && !errors.Is(err, context.Canceled) || err == nil {
			t.Fatal(err, report.Failed)
		}
	}
	if kills > 0 {
		t.Errorf("it ended before %d kills", kills)
	}
	a.whole(t, folder)
	var size int64
	for _, body := range a.files {
		size += int64(len(body))
	}
	if part := float64(a.sent.Load()) / float64(size); part > 1.3 {
		t.Errorf("%.2f times the bytes were sent", part)
	} else {
		t.Logf("%.2f times the bytes were sent", part)
	}
	before := a.sent.Load()
	p, report, err := a.run(t.Context(), Options{Folder: folder})
	if err != nil || p.Have != len(a.files) || report.Fetched != 0 || a.sent.Load() != before {
		t.Errorf("again: %d of %d are there, %d fetched, %v", p.Have, len(a.files), report.Fetched, err)
	}
	a.nasty = false
	broken := filepath.Join(folder, "made_up", "item3", "B00.tif")
	if err := os.WriteFile(broken, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, failed, err := Verify(t.Context(), folder); err != nil || len(failed) != 1 {
		t.Errorf("a damaged file: %v, %v", failed, err)
	}
	if _, report, err := a.run(t.Context(), Options{Folder: folder}); err != nil || report.Fetched != 1 {
		t.Errorf("a damaged file is not fetched again: %+v, %v", report, err)
	}
	a.whole(t, folder)
}

// TestStaging: files on cold storage come when they are there, or not in time, or not at all when nobody wants to wait.
func TestStaging(t *testing.T) {
	a := newArchive(t, 2, 10, 2000, false)
	a.cold.Store(12)
	_, report, err := a.run(t.Context(), Options{Folder: t.TempDir()})
	if err != nil || report.Fetched != 20 || a.cold.Load() > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	for _, o := range []Options{{NoStage: true}, {StageTimeout: time.Nanosecond}} {
		a.cold.Store(1 << 40)
		o.Folder = t.TempDir()
		_, report, err = a.run(t.Context(), o)
		if err != nil || report.Fetched != 18 || len(report.Failed) != 2 || !fault.Is(report.Failed[0].Err, fault.Offline) {
			t.Errorf("%+v: %+v, %v", o, report, err)
		}
	}
}

// TestRefusals: each kind of failure is told apart, and what a server says never leads out of the folder.
func TestRefusals(t *testing.T) {
	a := newArchive(t, 3, 2, 2000, false)
	a.key = "secret"
	if _, _, err := a.run(t.Context(), Options{Folder: t.TempDir()}); err != nil {
		t.Error(err)
	}
	c := a.client()
	if err := c.Items(t.Context(), Search{}, func(Item) error { return nil }); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("without a key: %v", err)
	}
	a.key = ""
	delete(a.files, "/files/item1/B01")
	_, report, err := a.run(t.Context(), Options{Folder: t.TempDir()})
	if err != nil || report.Fetched != 5 || len(report.Failed) != 1 || !fault.Is(report.Failed[0].Err, fault.NotFound) {
		t.Errorf("a file that is not there: %+v, %v", report, err)
	}
	folder := t.TempDir()
	held, err := Open(a.client(), Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(a.client(), Options{Folder: folder}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second user of the folder: %v", err)
	}
	held.Close()
	evil := Item{ID: "../../etc", Collection: "..", Body: map[string]any{"assets": map[string]any{"../x": map[string]any{"href": "http://127.0.0.1:1/../../y"}, "ok": map[string]any{"href": "http://127.0.0.1:1/a%2Fb..%2Fc.tif"}}}}
	files, err := filesOf(evil, nil, false)
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if inside, err := filepath.Rel("/folder", local("/folder", f)); err != nil || strings.HasPrefix(inside, "..") || strings.Count(inside, "/") != 2 {
			t.Errorf("%+v leads to %s", f, inside)
		}
	}
	if _, err := filesOf(Item{ID: "x", Body: map[string]any{"assets": map[string]any{"a": map[string]any{"href": "file:///etc/passwd"}}}}, nil, false); err == nil {
		t.Error("a local address is downloaded")
	}
	dead := &Client{URL: "http://127.0.0.1:1", Tries: 2, Wait: time.Millisecond}
	if err := dead.Items(t.Context(), Search{}, func(Item) error { return nil }); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a server that is not there: %v", err)
	}
}
