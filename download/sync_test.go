package download

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"swath/fault"
)

// feed is a STAC API whose items come, change and go.
type feed struct {
	*httptest.Server
	filters bool // it can search by updated

	mu    sync.Mutex
	items map[string]feedItem
}

type feedItem struct {
	updated time.Time
	body    string
}

func newFeed(t *testing.T, filters bool) *feed {
	f := &feed{filters: filters, items: map[string]feedItem{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *feed) put(id string, updated time.Time, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items[id] = feedItem{updated, body}
}

func (f *feed) delete(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.items, id)
}

func (f *feed) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case r.URL.Path == "/":
		class := "https://api.stacspec.org/v1.0.0/item-search"
		if f.filters {
			class += "#filter"
		}
		fmt.Fprintf(w, `{"conformsTo":[%q]}`, class)
	case r.URL.Path == "/search":
		var q struct {
			IDs    []string
			Token  string
			Filter *struct {
				Op   string
				Args []json.RawMessage
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var since struct{ Timestamp time.Time }
		if q.Filter != nil {
			if err := json.Unmarshal(q.Filter.Args[1], &since); err != nil || q.Filter.Op != ">=" || string(q.Filter.Args[0]) != `{"property":"updated"}` {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		var ids []string
		for id, it := range f.items {
			if !it.updated.Before(since.Timestamp) && (len(q.IDs) == 0 || slices.Contains(q.IDs, id)) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		from, _ := strconv.Atoi(q.Token)
		to := min(from+3, len(ids))
		features, links := []any{}, []any{}
		for _, id := range ids[from:to] {
			features = append(features, map[string]any{"type": "Feature", "id": id, "collection": "c", "properties": map[string]any{"updated": f.items[id].updated}, "assets": map[string]any{
				"data": map[string]any{"href": f.URL + "/files/" + id + ".txt", "file:size": len(f.items[id].body)}}})
		}
		if to < len(ids) {
			links = append(links, map[string]any{"rel": "next", "href": "/search", "method": "POST", "merge": true, "body": map[string]any{"token": strconv.Itoa(to)}})
		}
		json.NewEncoder(w).Encode(map[string]any{"features": features, "links": links}) //nolint:errcheck // the client sees it
	case strings.HasPrefix(r.URL.Path, "/files/"):
		it, ok := f.items[strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/files/"), ".txt")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, it.body)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// follow runs a synchronisation once, as the command does.
func (f *feed) follow(ctx context.Context, folder string, overlap time.Duration, came func()) (Report, []string, error) {
	c := &Client{URL: f.URL, Wait: time.Millisecond}
	s, err := ReadSync(folder)
	if err != nil {
		return Report{}, nil, err
	}
	if s == nil {
		s = &Sync{URL: f.URL}
	}
	run, err := Open(c, Options{Folder: folder, Parallel: 2, Done: func(File, error) { came() }})
	if err != nil {
		return Report{}, nil, err
	}
	defer run.Close()
	plan, then, err := run.Changes(ctx, *s, overlap)
	if err != nil {
		return Report{}, nil, err
	}
	report, err := run.Fetch(ctx, plan)
	if err == nil && len(report.Failed) == 0 {
		err = run.Moved(then)
	}
	var gone []string
	if err == nil {
		gone, err = run.Gone(ctx, *s)
	}
	return report, gone, err
}

// same compares a folder with the feed.
func (f *feed) same(t *testing.T, folder string) {
	t.Helper()
	there := map[string]string{}
	err := filepath.WalkDir(filepath.Join(folder, "c"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		there[strings.TrimSuffix(filepath.Base(path), ".txt")] = string(raw)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, it := range f.items {
		if there[id] != it.body {
			t.Errorf("%s is %q here, and %q there", id, there[id], it.body)
		}
		delete(there, id)
	}
	if len(there) > 0 {
		t.Errorf("here alone: %v", there)
	}
	if _, failed, err := Verify(t.Context(), folder); err != nil || len(failed) > 0 {
		t.Errorf("the manifest: %v, %v", failed, err)
	}
}

// TestSync: items of equal and of late dates come, changed ones come again, those that are gone go to the trash, whatever broke off in
// between.
func TestSync(t *testing.T) {
	for _, filters := range []bool{true, false} {
		f, folder, random := newFeed(t, filters), t.TempDir(), rand.New(rand.NewPCG(6, 7))
		at, names := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), 0
		for range 30 {
			for range random.IntN(6) {
				switch random.IntN(5) {
				case 0:
					at = at.Add(time.Duration(random.IntN(3)) * time.Minute) // mostly the date stays the same
				case 1, 2, 3:
					names++
					f.put(fmt.Sprint("i", names), at.Add(-time.Duration(random.IntN(5))*time.Minute), fmt.Sprint("body ", names))
				case 4:
					if names > 0 && random.IntN(2) == 0 {
						f.delete(fmt.Sprint("i", 1+random.IntN(names)))
					} else if names > 0 {
						names++
						f.put(fmt.Sprint("i", 1+random.IntN(names)), at, fmt.Sprint("another body ", names))
					}
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			left := random.IntN(6)
			_, _, err := f.follow(ctx, folder, 10*time.Minute, func() {
				if left--; left == 0 {
					cancel()
				}
			})
			cancel()
			if err != nil && !errors.Is(err, context.Canceled) && !fault.Is(err, fault.Conflict) {
				t.Fatal(err)
			}
		}
		if _, _, err := f.follow(t.Context(), folder, 10*time.Minute, func() {}); err != nil {
			t.Fatal(err)
		}
		f.same(t, folder)
		f.put("later", at.Add(24*time.Hour), "later")
		if report, _, err := f.follow(t.Context(), folder, 10*time.Minute, func() {}); err != nil || report.Fetched != 1 {
			t.Errorf("one more: %+v, %v", report, err)
		}
		s, err := ReadSync(folder)
		if err != nil || s.Cursor.IsZero() == filters {
			t.Errorf("the cursor is %+v, %v", s, err)
		}
		f.delete("later")
		_, gone, err := f.follow(t.Context(), folder, 10*time.Minute, func() {})
		if err != nil || !slices.Equal(gone, []string{"c/later"}) {
			t.Errorf("gone: %v, %v", gone, err)
		}
		if found, err := filepath.Glob(filepath.Join(folder, trashName, "*", "c", "later", "later.txt")); err != nil || len(found) != 1 {
			t.Errorf("in the trash: %v, %v", found, err)
		}
		f.same(t, folder)
	}
}

// TestSyncFailures: the cursor waits for a file that failed; and a search that finds nothing any more takes nothing away.
func TestSyncFailures(t *testing.T) {
	f, folder := newFeed(t, true), t.TempDir()
	at := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	f.put("a", at, "a")
	if _, _, err := f.follow(t.Context(), folder, 0, func() {}); err != nil {
		t.Fatal(err)
	}
	f.put("late", at.Add(time.Hour), "late")
	inner, broken := f.Config.Handler, true
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken && strings.Contains(r.URL.Path, "late") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		inner.ServeHTTP(w, r)
	})
	if report, _, err := f.follow(t.Context(), folder, 0, func() {}); err != nil || len(report.Failed) != 1 {
		t.Errorf("a file that is not there: %+v, %v", report, err)
	}
	f.put("b", at.Add(2*time.Hour), "b")
	broken = false
	if report, _, err := f.follow(t.Context(), folder, 0, func() {}); err != nil || report.Fetched != 2 {
		t.Errorf("it is there: %+v, %v", report, err)
	}
	f.same(t, folder)
	part := filepath.Join(folder, "c", "ghost", "ghost.txt.part") // of an item that left before it was whole
	for _, name := range []string{part, part + ".tag"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, gone, err := f.follow(t.Context(), folder, 0, func() {}); err != nil || len(gone) > 0 {
		t.Errorf("a part that nobody wants: %v, %v", gone, err)
	}
	f.same(t, folder)
	for _, id := range []string{"a", "b", "late"} {
		f.delete(id)
	}
	if _, gone, err := f.follow(t.Context(), folder, 0, func() {}); !fault.Is(err, fault.Conflict) || len(gone) > 0 {
		t.Errorf("nothing is there: %v, %v", gone, err)
	}
	other := Sync{URL: f.URL, Search: Search{Collections: []string{"c"}}}
	if s, err := ReadSync(folder); err != nil || s.Same(other) || !s.Same(Sync{URL: f.URL, Cursor: at}) {
		t.Errorf("%+v, %v", s, err)
	}
}
