package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fake is a catalog that gives the same items to every question, and remembers what it was asked.
func fake(t *testing.T, ids []string, matched int, status int) server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/geo+json")
		w.WriteHeader(status)
		answer := map[string]any{"numberMatched": matched}
		var features []any
		for _, id := range ids {
			features = append(features, map[string]any{"type": "Feature", "collection": "c", "id": id})
		}
		answer["features"] = features
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(s.Close)
	return server{name: strings.Join(ids, ""), base: s.URL, pids: []int{os.Getpid()}}
}

var asks = question{name: "x", compare: true, make: func(server, int) (request, bool) { return request{"GET", "/search", nil, 200, false}, true }}

func TestCompareAnswers(t *testing.T) {
	left := fake(t, []string{"a", "b"}, 2, 200)
	for name, tc := range map[string]struct {
		other server
		want  comparison
	}{
		"same":          {fake(t, []string{"a", "b"}, 2, 200), comparison{Same: 3}},
		"other order":   {fake(t, []string{"b", "a"}, 2, 200), comparison{Order: 3}},
		"another item":  {fake(t, []string{"a", "c"}, 2, 200), comparison{Example: "/search : only ab: [c/b], only ac: [c/c]"}},
		"another count": {fake(t, []string{"a", "b"}, 3, 200), comparison{Same: 3, CountsDiffer: 3, Example: "/search : 2 and 3 matched"}},
		"a failure":     {fake(t, nil, 0, 500), comparison{Failed: 3, Example: `: /search : status 500: {"features":null,"numberMatched":0}` + "\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.Question, tc.want.Asked = "x", 3
			if got := compareAnswers(asks, []server{left, tc.other}, 3); got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

// TestDrive: every client gets an answer, a step ends by number, time or failures, and CPU time is counted.
func TestDrive(t *testing.T) {
	p := plan{most: 50, step: 10 * time.Second}
	got := drive(fake(t, []string{"a"}, 1, 200), asks, 4, 0, 0, p)
	if len(got.MS) < 50 || len(got.MS) > 54 || got.Failures > 0 || got.Seconds <= 0 || got.Bytes == 0 {
		t.Errorf("%d answers, %d failures: %s", len(got.MS), got.Failures, got.Failure)
	}
	if got = drive(fake(t, nil, 1, 200), asks, 4, 0, 0, p); got.Failures <= tooMany || len(got.MS) > 2*tooMany+4 || !strings.Contains(got.Failure, "no item") {
		t.Errorf("no items: %d answers, %d failures: %s", len(got.MS), got.Failures, got.Failure)
	}
	if got = drive(fake(t, []string{"a"}, 1, 200), asks, 1, 0, 0, plan{most: 1 << 30, step: 30 * time.Millisecond}); got.Seconds > 5 || len(got.MS) < 2 {
		t.Errorf("%d answers in %v s", len(got.MS), got.Seconds)
	}
	begin := cpuSeconds([]int{os.Getpid()})
	for now := time.Now(); time.Since(now) < 60*time.Millisecond; {
	}
	if spent := cpuSeconds([]int{os.Getpid()}) - begin; spent <= 0 || spent > 2 {
		t.Errorf("%v s of CPU time", spent)
	}
}

// TestQuestions: the n-th parameters are the same for both servers, valid JSON, and differ from the next.
func TestQuestions(t *testing.T) {
	var items []sampleItem
	for i := range 20 {
		at := float64(i)
		item := sampleItem{ID: fmt.Sprint(i), Collection: []string{l1c, l2a}[i%2], BBox: []float64{at, at, at + 1, at + 1}, line: []byte(`{"type":"Feature"}`)}
		item.Properties.Datetime = time.Date(2020, 1, 1+i, 0, 0, 0, 0, time.UTC)
		items = append(items, item)
	}
	varied := 0
	for _, q := range newQuestions(items, items, 1) {
		if q.prepare != nil {
			continue
		}
		one, ok := q.make(server{name: "one"}, 0)
		two, _ := q.make(server{name: "two"}, 0)
		if !ok || one.path != two.path || string(one.body) != string(two.body) || one.body != nil && !json.Valid(one.body) {
			t.Errorf("%s: %s %s and %s %s", q.name, one.path, one.body, two.path, two.body)
		}
		if next, _ := q.make(server{name: "one"}, 3); next.path != one.path || string(next.body) != string(one.body) {
			varied++
		}
	}
	if varied < 6 {
		t.Errorf("only %d questions vary", varied)
	}
}

func TestTable(t *testing.T) {
	step := func(server string, round int, seconds float64) stepResult {
		return stepResult{Question: "a", Server: server, Clients: 8, Round: round, Seconds: seconds, MS: []float64{1, 2, 3, 400}, CPUms: seconds}
	}
	paths := []string{}
	for _, r := range []report{
		{Setting: "plain", Steps: []stepResult{step("peer", 0, 8), step("swath", 0, 1)}},
		{Setting: "best", Steps: []stepResult{step("peer", 0, 2), step("swath", 0, 0.1), step("peer", 1, 2), step("swath", 1, 0.2)}},
	} {
		body, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.Join(t.TempDir(), "report.json"))
		if err := os.WriteFile(paths[len(paths)-1], body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := printTables(&out, paths); err != nil {
		t.Fatal(err)
	}
	want := "| a newest 10 of all | 8 | 0.50 | 2.00 | 30.0 | 3.00 / 400 | 3.00 / 400 | 2.00 | 0.15 | **15.0** [10.0..20.0] | 40 / 80 |"
	if !strings.Contains(out.String(), want) {
		t.Errorf("no line\n%s\nin\n%s", want, out.String())
	}
}
