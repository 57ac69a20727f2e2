package download

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"swath/fault"
)

// asked is a STAC API that remembers what it is asked for.
func asked(t *testing.T, conforms ...string) (*Client, func() map[string]any) {
	var mu sync.Mutex
	var last map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/search" {
			last = nil
			json.NewDecoder(r.Body).Decode(&last) //nolint:errcheck // a test sees it
			fmt.Fprint(w, `{"features":[],"links":[]}`)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"conformsTo": conforms}) //nolint:errcheck // a test sees it
	}))
	t.Cleanup(s.Close)
	return &Client{URL: s.URL + "/", Wait: time.Millisecond}, func() map[string]any {
		mu.Lock()
		defer mu.Unlock()
		return last
	}
}

// TestSearch: what is asked for is said in the words that an API knows, or refused; never silently left out.
func TestSearch(t *testing.T) {
	const class = "https://api.stacspec.org/v1.0.0/item-search#"
	s := Search{Where: []Condition{{Property: "eo:cloud_cover", Op: "<=", Value: 20}, {Property: "grid:code", Op: "=", Value: "MGRS-31TCJ"}}}
	for name, c := range map[string]struct {
		conforms []string
		search   Search
		want     string // of the body; empty: it is refused
	}{
		"filter":          {[]string{class + "filter"}, s, `{"filter":{"args":[{"args":[{"property":"eo:cloud_cover"},20],"op":"<="},{"args":[{"property":"grid:code"},"MGRS-31TCJ"],"op":"="}],"op":"and"},"filter-lang":"cql2-json","limit":100}`},
		"query":           {[]string{class + "query"}, s, `{"limit":100,"query":{"eo:cloud_cover":{"lte":20},"grid:code":{"eq":"MGRS-31TCJ"}}}`},
		"neither":         {nil, s, ""},
		"text":            {[]string{class + "filter"}, Search{Filter: "gsd < 20"}, `{"filter":{"args":[{"property":"gsd"},20],"op":"<"},"filter-lang":"cql2-json","limit":100}`},
		"text for query":  {[]string{class + "query"}, Search{Filter: "gsd < 20"}, ""},
		"no CQL2":         {[]string{class + "filter"}, Search{Filter: "gsd <"}, ""},
		"words":           {[]string{class + "free-text"}, Search{Words: "Toulouse"}, `{"limit":100,"q":["Toulouse"]}`},
		"no words":        {[]string{class + "filter"}, Search{Words: "Toulouse"}, ""},
		"or missing":      {[]string{class + "filter"}, Search{Where: []Condition{{Property: "a", Op: "<=", Value: 1, OrMissing: true}}}, `{"filter":{"args":[{"args":[{"property":"a"},1],"op":"<="},{"args":[{"property":"a"}],"op":"isNull"}],"op":"or"},"filter-lang":"cql2-json","limit":100}`},
		"missing, query":  {[]string{class + "query"}, Search{Where: []Condition{{Property: "a", Op: "<=", Value: 1, OrMissing: true}}}, ""},
		"nothing special": {nil, Search{Collections: []string{"c"}, Limit: 3}, `{"collections":["c"],"limit":3}`},
	} {
		client, last := asked(t, c.conforms...)
		err := client.Items(t.Context(), c.search, func(Item) error { return nil })
		raw, _ := json.Marshal(last())
		got := strings.ReplaceAll(string(raw), `\u003c`, "<")
		if c.want == "" && (!fault.Is(err, fault.Invalid) || got != "null") || c.want != "" && (err != nil || got != c.want) {
			t.Errorf("%s: %v, %s", name, err, got)
		}
	}
}

// TestLimit: files at a time are as many as the server bears, which its 429 tell.
func TestLimit(t *testing.T) {
	var open, most, refused atomic.Int64
	const bears = 2
	a := newArchive(t, 20, 1, 40_000, false)
	inner := a.Config.Handler
	a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/files/") {
			n := open.Add(1)
			defer open.Add(-1)
			if n > bears {
				refused.Add(1)
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			most.Store(max(most.Load(), n))
		}
		inner.ServeHTTP(w, r)
	})
	_, report, err := a.run(t.Context(), Options{Folder: t.TempDir(), Parallel: 8})
	if err != nil || report.Fetched != 20 || most.Load() != bears || refused.Load() > 60 {
		t.Errorf("%+v, %v; %d at a time, %d refused", report, err, most.Load(), refused.Load())
	}
}

// TestQuota: a server that wants to be left alone for hours ends the run at once, and says until when.
func TestQuota(t *testing.T) {
	a := newArchive(t, 3, 1, 1000, false)
	inner := a.Config.Handler
	a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/files/item1") {
			w.Header().Set("Retry-After", "20000")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		inner.ServeHTTP(w, r)
	})
	began := time.Now()
	if _, _, err := a.run(t.Context(), Options{Folder: t.TempDir()}); !fault.Is(err, fault.OverQuota) || time.Since(began) > 10*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// TestRenewal: an account that is refused is asked for once more, and not again.
func TestRenewal(t *testing.T) {
	a := newArchive(t, 2, 1, 1000, false)
	a.key = "fresh"
	c := a.client()
	c.APIKey = "stale"
	asked := 0
	c.Renew = func(context.Context) (Account, error) { asked++; return Account{APIKey: "fresh"}, nil }
	n := 0
	if err := c.Items(t.Context(), Search{}, func(Item) error { n++; return nil }); err != nil || n != 2 || asked != 1 {
		t.Errorf("%d items, asked %d times, %v", n, asked, err)
	}
	a.key = "another"
	if err := c.Items(t.Context(), Search{}, func(Item) error { return nil }); !fault.Is(err, fault.Unauthenticated) || asked != 1 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

// TestRenewalForAll: requests that were under way when the account ended go on with the one that the first of them got.
func TestRenewalForAll(t *testing.T) {
	const together = 4
	var refused sync.WaitGroup // all are refused before any is told
	refused.Add(together)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != "fresh" {
			refused.Done()
			refused.Wait()
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, "{}")
	}))
	defer s.Close()
	var asked atomic.Int32
	c := &Client{URL: s.URL, Account: Account{APIKey: "stale"}, Wait: time.Millisecond, Renew: func(context.Context) (Account, error) {
		asked.Add(1)
		return Account{APIKey: "fresh"}, nil
	}}
	c.defaults()
	failures := make(chan error, together)
	for range together {
		go func() {
			_, err := c.call(t.Context(), http.MethodGet, s.URL, nil, &struct{}{})
			failures <- err
		}()
	}
	for range together {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// TestNewest: of a tile and day the last acquisition, of that the last processing; what has no tile stays.
func TestNewest(t *testing.T) {
	item := func(id, tile, at, version string) Item {
		p := map[string]any{"datetime": at, "processing:version": version}
		if tile != "" {
			p["grid:code"] = tile
		}
		return Item{ID: id, Collection: "c", Body: map[string]any{"properties": p}}
	}
	all := []Item{item("a", "T1", "2024-06-01T10:00:00Z", "05.09"), item("b", "T1", "2024-06-01T10:00:00Z", "05.10"), item("c", "T2", "2024-06-01T10:00:00Z", "05.09"),
		item("d", "T1", "2024-06-03T10:00:00Z", "05.09"), item("e", "", "2024-06-01T11:00:00Z", ""), item("f", "", "2024-06-01T12:00:00Z", "")}
	for by, want := range map[string]string{"tile+day": "b c d e f", "tile": "d c e f", "day": "f d", "collection": "d"} {
		traits, err := ParseTraits(by)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		err = NewestOf(func(yield func(Item) error) error {
			for _, it := range all {
				if err := yield(it); err != nil {
					return err
				}
			}
			return nil
		}, traits, func(it Item) error { got = append(got, it.ID); return nil })
		if err != nil || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %v, %v; want %s", by, got, err, want)
		}
	}
	if _, err := ParseTraits("tile+colour"); err == nil {
		t.Error("a colour is a trait")
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]float64{"20M": 20e6, "500G": 500e9, "1.5k": 1500, "7": 7, "2T": 2e12} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%s: %g, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "fast", "-1M", "1MM", "0", "NaN", "1e300G", "M"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q is %g", text, got)
		}
	}
}

// TestForbidden: a file that the account may not have is reported, and the others come; a log-in that is refused ends the run.
func TestForbidden(t *testing.T) {
	a := newArchive(t, 4, 1, 1000, false)
	inner, status := a.Config.Handler, http.StatusForbidden
	a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/files/item1") {
			w.WriteHeader(status)
			fmt.Fprint(w, `{"title":"Forbidden","detail":"it is private"}`)
			return
		}
		inner.ServeHTTP(w, r)
	})
	_, report, err := a.run(t.Context(), Options{Folder: t.TempDir()})
	if err != nil || report.Fetched != 3 || len(report.Failed) != 1 || !fault.Is(report.Failed[0].Err, fault.Forbidden) || !strings.HasSuffix(report.Failed[0].Err.Error(), "403 Forbidden: it is private") {
		t.Errorf("%+v, %v", report, err)
	}
	status = http.StatusUnauthorized
	if _, _, err := a.run(t.Context(), Options{Folder: t.TempDir()}); !fault.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}
}

// TestPieces: the last large file comes in pieces, by the workers that have nothing else to do, and no byte of it twice.
func TestPieces(t *testing.T) {
	a := newArchive(t, 1, 1, 4<<20, false)
	var open, most atomic.Int64
	inner := a.Config.Handler
	a.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			most.Store(max(most.Load(), open.Add(1)))
			defer open.Add(-1)
		}
		inner.ServeHTTP(w, r)
	})
	folder := t.TempDir()
	_, report, err := a.run(t.Context(), Options{Folder: folder, Parallel: 3, SplitFrom: 1 << 20})
	if err != nil || report.Fetched != 1 || most.Load() < 1 || most.Load() > 2 { // the first piece needs no range
		t.Errorf("%+v, %v; %d ranges at a time", report, err, most.Load())
	}
	a.whole(t, folder)
}

// TestUnreachable: a server that is no longer there ends the run when one file has waited for it in vain, and not each of them.
func TestUnreachable(t *testing.T) {
	a := newArchive(t, 300, 1, 1000, false)
	c := a.client()
	c.Tries = 3
	run, err := Open(c, Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	p, err := run.Plan(t.Context(), func(yield func(Item) error) error { return c.Items(t.Context(), Search{}, yield) })
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	if report, err := run.Fetch(t.Context(), p); !fault.Is(err, fault.Unavailable) || len(report.Failed) > 8 {
		t.Errorf("%d failed, %v", len(report.Failed), err)
	}
}
