package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const kept = "/collections/kept"

// sentVersion is an item as it was sent the nth time; 0 is no item. All that it says follows from its id and n.
func sentVersion(id string, n int) string {
	return fmt.Sprintf(`{"type":"Feature","stac_version":"1.1.0","id":%q,"collection":"kept","geometry":{"type":"Point","coordinates":[%d,1]},"bbox":[%d,1,%d,1],`+
		`"links":[],"assets":{},"properties":{"datetime":"2024-01-%02dT00:00:00Z","version":%d,"eo:cloud_cover":%d,"text":%q}}`,
		id, n%180, n%180, n%180, n%28+1, n, n%101, strings.Repeat(id, n%50))
}

// seen returns which version a served item is, or an error if it is none.
func seen(served []byte) (id string, n int, err error) {
	type item struct {
		Type, ID, Collection string
		Geometry             any
		BBox                 []float64
		Properties           map[string]any
	}
	var got, want item
	if err := json.Unmarshal(served, &got); err != nil {
		return "", 0, err
	}
	number, _ := got.Properties["version"].(float64)
	if err := json.Unmarshal([]byte(sentVersion(got.ID, int(number))), &want); err != nil {
		return "", 0, err
	}
	if a, b := fmt.Sprint(got), fmt.Sprint(want); a != b {
		return "", 0, fmt.Errorf("the item is %s, and no version that was sent: %s", a, b)
	}
	return got.ID, int(number), nil
}

// writer changes items that nobody else changes, and repeats each change until it is acknowledged.
type writer struct {
	t    *testing.T
	base string
	done *atomic.Int64
	last map[string]int // the version of each item that was acknowledged
	n    int
}

// send makes one request until its answer comes and is not the server's trouble.
func (w *writer) send(method, target, body string) (status int, answer []byte) {
	client := http.Client{Timeout: 30 * time.Second}
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		r, err := http.NewRequest(method, w.base+target, strings.NewReader(body))
		if err != nil {
			w.t.Error(err)
			return 0, nil
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(r)
		if err != nil {
			continue
		}
		answer, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil && resp.StatusCode < 500 {
			return resp.StatusCode, answer
		}
	}
	w.t.Errorf("%s %s: no answer in two minutes", method, target)
	return 0, nil
}

// change makes one change of one of the writer's items, or of five at once.
func (w *writer) change(name string, rng *rand.Rand) {
	id := fmt.Sprintf("%s-%d", name, rng.IntN(12))
	path, method, target, n := kept+"/items/"+id, http.MethodPut, "", w.n+1
	body, allowed := sentVersion(id, n), []int{204}
	switch old := w.last[id]; {
	case rng.IntN(5) == 0:
		var items []string
		for i := range 5 {
			id := fmt.Sprintf("%s-many-%d", name, i)
			w.last[id] = n
			items = append(items, strconv.Quote(id)+":"+sentVersion(id, n))
		}
		path = kept + "/items/" + name + "-many-0"
		method, target, allowed = http.MethodPost, kept+"/bulk_items", []int{201}
		body = `{"method":"upsert","items":{` + strings.Join(items, ",") + `}}`
		id = name + "-many-0"
	case old == 0: // a repeat of what was done, whose answer was lost, is told so
		method, target, allowed, w.last[id] = http.MethodPost, kept+"/items", []int{201, 409}, n
	case rng.IntN(4) == 0:
		method, target, w.last[id] = http.MethodDelete, path, 0
	case rng.IntN(2) == 0: // a merge patch changes every member that depends on the version
		method, target, w.last[id] = http.MethodPatch, path, n
	default:
		target, w.last[id] = path, n
	}
	w.n = n
	status, answer := w.send(method, target, body)
	if !slices.Contains(allowed, status) {
		w.t.Errorf("%s %s: %d %s", method, target, status, answer)
	}
	w.done.Add(1)
	if rng.IntN(3) > 0 {
		return
	}
	status, answer = w.send(http.MethodGet, path, "") // what was acknowledged is visible
	if want := w.last[id]; want == 0 && status != 404 {
		w.t.Errorf("%s was deleted: %d %s", id, status, answer)
	} else if want > 0 {
		if _, n, err := seen(answer); err != nil || n != want {
			w.t.Errorf("%s is version %d, acknowledged was %d (%v)", id, n, want, err)
		}
	}
}

// TestNothingLost: writers and a reader work on while the database and the server are killed ten times each. What was
// acknowledged is there, no item is anything but a version that was sent, and all that the catalog adds up is right.
// SWATH_TEST_LONG=1 makes 5,000 changes rather than 500.
func TestNothingLost(t *testing.T) {
	needsProgram(t)
	changes, kills, writers := int64(500), int64(20), 4
	if os.Getenv("SWATH_TEST_LONG") == "1" {
		changes = 5000
	}
	data := dataFolder(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	base, server := serveAt(t, data, address)
	var done atomic.Int64
	first := &writer{t: t, base: base, done: &done}
	if status, answer := first.send(http.MethodPost, "/collections", `{"type":"Collection","stac_version":"1.1.0","id":"kept","description":"d","license":"other","links":[],`+
		`"extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}}}`); status != 201 {
		t.Fatalf("the collection: %d %s", status, answer)
	}

	all := make([]*writer, writers)
	var working sync.WaitGroup
	for i := range all {
		w := &writer{t: t, base: base, done: &done, last: map[string]int{}}
		all[i] = w
		working.Go(func() {
			for rng := rand.New(rand.NewPCG(1, uint64(i))); done.Load() < changes && !t.Failed(); {
				w.change(fmt.Sprint("w", i), rng)
			}
		})
	}
	stop, reads := make(chan struct{}), 0
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				reads += len(everyVersion(first, kept+"/items?limit=100"))
			}
		}
	})
	for kill := range kills {
		for done.Load() < (kill+1)*changes/(kills+1) && !t.Failed() {
			time.Sleep(5 * time.Millisecond)
		}
		if kill%2 == 0 {
			killDatabase(t, data)
			continue
		}
		server.Process.Signal(syscall.SIGKILL)
		server.Wait()
		_, server = serveAt(t, data, address)
	}
	working.Wait()
	close(stop)
	reading.Wait()

	found := everyVersion(first, kept+"/items?limit=1000")
	want := 0
	for _, w := range all {
		for id, n := range w.last {
			if found[id] != n {
				t.Errorf("%s is version %d, acknowledged was %d", id, found[id], n)
			}
			if n > 0 {
				want++
			}
		}
	}
	if len(found) != want {
		t.Errorf("%d items are there, of %d", len(found), want)
	}
	if code, out, errs := swath(t, "check", "--data", data); code != exitDone || !strings.Contains(out, fmt.Sprintf("checked %d items: 0 problems", want)) {
		t.Errorf("check: exit code %d\n%s%s", code, out, errs)
	}
	t.Logf("%d changes, %d kills, %d items read meanwhile, %d are left", done.Load(), kills, reads, want)
}

// everyVersion reads a page of items, all of which must be versions that were sent.
func everyVersion(w *writer, target string) map[string]int {
	_, answer := w.send(http.MethodGet, target, "")
	var page struct{ Features []json.RawMessage }
	if err := json.Unmarshal(answer, &page); err != nil {
		w.t.Errorf("%s: %v", target, err)
	}
	found := map[string]int{}
	for _, one := range page.Features {
		id, n, err := seen(one)
		if err != nil {
			w.t.Error(err)
		}
		found[id] = n
	}
	return found
}

// killDatabase kills the postmaster of a data folder.
func killDatabase(t *testing.T, data string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("kill", "-KILL", strconv.Itoa(pid)).Run(); err != nil {
		t.Fatal(err)
	}
}
