package download

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"swath/fault"
)

// tape is a STAC API with files on cold storage: a file is there when it was asked for so often.
type tape struct {
	*httptest.Server
	takesOrders bool
	after       int // times that a file is asked for before it is there

	mu     sync.Mutex
	asked  map[string]int
	log    []string // what was asked for, in its order
	orders []map[string]any
}

func newTape(t *testing.T, takesOrders bool) *tape {
	a := &tape{takesOrders: takesOrders, after: 3, asked: map[string]int{}}
	a.Server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

func (a *tape) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case r.URL.Path == "/search":
		var features []string
		for i := range 3 {
			features = append(features, fmt.Sprintf(`{"type":"Feature","id":"i%d","collection":"c","properties":{},"assets":{"hot":{"href":"%s/hot%d"},"cold":{"href":"%s/cold%d","order:status":"orderable"}}}`, i, a.URL, i, a.URL, i))
		}
		fmt.Fprintf(w, `{"type":"FeatureCollection","features":[%s],"links":[]}`, strings.Join(features, ","))
	case r.URL.Path == "/orders" && a.takesOrders:
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			w.WriteHeader(400)
			return
		}
		a.orders = append(a.orders, body)
		w.Header().Set("Location", a.URL+"/orders/1")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodHead && strings.HasPrefix(r.URL.Path, "/cold"): // which orders nothing
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(http.StatusAccepted)
	case strings.HasPrefix(r.URL.Path, "/hot"), strings.HasPrefix(r.URL.Path, "/cold"):
		a.log = append(a.log, r.URL.Path)
		if a.asked[r.URL.Path]++; strings.HasPrefix(r.URL.Path, "/cold") && a.asked[r.URL.Path] < a.after {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		io.WriteString(w, r.URL.Path) //nolint:errcheck // a test sees it
	default:
		http.NotFound(w, r)
	}
}

// bring downloads all of it.
func (a *tape) bring(t *testing.T, o Options) (folder string, staged Staged, report Report) {
	t.Helper()
	folder = t.TempDir()
	c := &Client{URL: a.URL, Wait: time.Millisecond}
	o.Folder, o.PollLeast, o.PollMost, o.Parallel = folder, time.Millisecond, 5*time.Millisecond, 2
	run, err := Open(c, o)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	plan, err := run.Plan(t.Context(), func(yield func(Item) error) error { return c.Items(t.Context(), Search{}, yield) })
	if err != nil {
		t.Fatal(err)
	}
	if staged, err = run.Order(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if report, err = run.Fetch(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	return folder, staged, report
}

// TestStage: cold files are ordered before anything is fetched, all by one order, or by asking for each where the API takes none.
func TestStage(t *testing.T) {
	for _, takes := range []bool{true, false} {
		a := newTape(t, takes)
		folder, staged, report := a.bring(t, Options{})
		if report.Fetched != 6 || len(report.Failed) > 0 || staged.Files != 3 {
			t.Fatalf("%+v %+v", staged, report)
		}
		for i := range 3 {
			names, err := filepath.Glob(filepath.Join(folder, "c", fmt.Sprint("i", i), "cold*"))
			if err != nil || len(names) != 1 {
				t.Fatal(names, err)
			}
			if got, err := os.ReadFile(names[0]); err != nil || string(got) != fmt.Sprint("/cold", i) {
				t.Errorf("%q, %v", got, err)
			}
		}
		if takes && (len(a.orders) != 1 || len(a.orders[0]["items"].([]any)) != 3 || !slices.Equal(staged.Orders, []string{a.URL + "/orders/1"}) || staged.After != 7*time.Second) {
			t.Errorf("orders %v, %+v", a.orders, staged)
		}
		if !takes && (len(staged.Orders) > 0 || !strings.HasPrefix(strings.Join(a.log, " "), "/cold0 /cold1 /cold2")) {
			t.Errorf("asked for in the order %v; %+v", a.log, staged)
		}
	}
}

// TestNoStage: what is cold is a failure, and is not ordered.
func TestNoStage(t *testing.T) {
	a := newTape(t, true)
	_, staged, report := a.bring(t, Options{NoStage: true})
	if staged.Files != 0 || report.Fetched != 3 || len(report.Failed) != 3 || !fault.Is(report.Failed[0].Err, fault.Offline) || len(a.orders) > 0 || strings.Contains(strings.Join(a.log, ""), "cold") {
		t.Errorf("%+v %+v %v", staged, report, a.log)
	}
}

// TestStageTimeout: what does not come in time is a failure, and what is there came.
func TestStageTimeout(t *testing.T) {
	a := newTape(t, true)
	a.after = 1 << 30
	_, _, report := a.bring(t, Options{StageTimeout: 20 * time.Millisecond})
	if report.Fetched != 3 || len(report.Failed) != 3 || !fault.Is(report.Failed[0].Err, fault.Offline) {
		t.Errorf("%+v", report)
	}
}

// TestEstimate: a plan says when cold files may be there, and orders none.
func TestEstimate(t *testing.T) {
	a := newTape(t, true)
	c := &Client{URL: a.URL, Wait: time.Millisecond}
	run, err := Open(c, Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	p, err := run.Plan(t.Context(), func(yield func(Item) error) error { return c.Items(t.Context(), Search{}, yield) })
	if err == nil {
		err = run.Estimate(t.Context(), p)
	}
	if err != nil || p.Cold != 3 || p.StagingS != 90 || len(a.orders) > 0 || len(a.log) > 0 {
		t.Errorf("%+v, %v; orders %v, asked %v", p, err, a.orders, a.log)
	}
}
