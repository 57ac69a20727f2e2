package processes_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/auth"
	"swath/fault"
	"swath/fetch/egress"
	"swath/processes"
)

// nearby lets jobs ask the servers of a test.
func nearby(c *processes.Config) {
	c.Egress = &egress.Guard{HTTP: true, Reach: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	c.CallSecret, c.Pace.Call = []byte("a secret of sixteen"), 50*time.Millisecond
}

// TestCalls: a subscriber is told, signed, though it is deaf at first.
func TestCalls(t *testing.T) {
	var mu sync.Mutex
	heard, deaf := map[string]string{}, 2
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if deaf--; deaf >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.Header.Get("X-Swath-Signature") != processes.Signature([]byte("a secret of sixteen"), r.Header.Get("X-Swath-Timestamp"), body) {
			t.Errorf("%s is not signed", r.URL.Path)
		}
		heard[r.URL.Path] += string(body)
	}))
	defer server.Close()
	h := newHouse(t, true, nearby)
	subscriber := &processes.Subscriber{SuccessURI: server.URL + "/success", FailedURI: server.URL + "/failed", InProgressURI: server.URL + "/progress"}
	for _, inputs := range []string{`{"stringInput":"hello"}`, `{"fail":"no"}`} {
		r := asked(t, inputs)
		r.Subscriber = subscriber
		j, err := h.engine.Submit(t.Context(), "echo", r)
		if err != nil {
			t.Fatal(err)
		}
		h.wait(t, j.ID)
	}
	until(t, 20*time.Second, "all is heard", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return heard["/success"] != "" && heard["/failed"] != "" && strings.Count(heard["/progress"], `"jobID"`) == 2
	})
	mu.Lock()
	defer mu.Unlock()
	var results map[string]any
	if err := json.Unmarshal([]byte(heard["/success"]), &results); err != nil || results["stringOutput"] != "hello" {
		t.Errorf("success: %s, %v", heard["/success"], err)
	}
	var status map[string]any
	if err := json.Unmarshal([]byte(heard["/failed"]), &status); err != nil || status["status"] != "failed" || status["message"] != "no" {
		t.Errorf("failed: %s, %v", heard["/failed"], err)
	}
}

// TestUnsignedCalls: without a secret a subscriber is told as well.
func TestUnsignedCalls(t *testing.T) {
	heard := make(chan http.Header, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header }))
	defer server.Close()
	h := newHouse(t, true, func(c *processes.Config) { nearby(c); c.CallSecret = nil })
	r := asked(t, `{"stringInput":"hello"}`)
	r.Subscriber = &processes.Subscriber{SuccessURI: server.URL}
	j, err := h.engine.Submit(t.Context(), "echo", r)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-heard:
		if got.Get("X-Swath-Job") != j.ID || got.Get("X-Swath-Event") == "" || got.Get("X-Swath-Signature") != "" {
			t.Errorf("%v", got)
		}
	case <-time.After(30 * time.Second):
		t.Error("nobody was told")
	}
}

// TestPoison: a job that took too many workers with it has failed, and its subscriber hears of it.
func TestPoison(t *testing.T) {
	heard := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header.Get("X-Swath-Event") }))
	defer server.Close()
	h := newHouse(t, false, nearby)
	r := asked(t, `{}`)
	r.Subscriber = &processes.Subscriber{FailedURI: server.URL}
	j, err := h.engine.Submit(t.Context(), "echo", r)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "update job set status = 'running', attempts = 12, losses = 11, worker = 'dead', beat = now() - interval '1 h'"); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	if j = h.wait(t, j.ID); j.Status != processes.Failed || j.FailureKind != "internal" || !strings.Contains(j.Message, "12 times") {
		t.Errorf("%+v", j)
	}
	select {
	case event := <-heard:
		if event != "failed" {
			t.Errorf("the subscriber hears of %q", event)
		}
	case <-time.After(20 * time.Second):
		t.Error("the subscriber hears nothing")
	}
}

func TestCallsRefused(t *testing.T) {
	h := newHouse(t, false, func(c *processes.Config) { c.CallSecret = []byte("a secret of sixteen") })
	for _, address := range []string{"http://127.0.0.1/", "https://169.254.169.254/", "file:///etc/passwd", "https://[::1]/"} {
		r := asked(t, `{}`)
		r.Subscriber = &processes.Subscriber{SuccessURI: address}
		if _, err := h.engine.Submit(t.Context(), "echo", r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestForeign: a thematic centre may have a file fetched, others may not.
func TestForeign(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/box.json":
			io.WriteString(w, `{"bbox":[1,43,2,44]}`) //nolint:errcheck // a test
		case "/bad.json":
			io.WriteString(w, `{"bbox":[1]}`) //nolint:errcheck // a test
		default:
			io.WriteString(w, "picture") //nolint:errcheck // a test
		}
	}))
	defer server.Close()
	h := newHouse(t, true, nearby)
	inputs := `{"imageInput":{"href":"` + server.URL + `/x.png","type":"image/png"},"boundingBoxInput":{"href":"` + server.URL + `/box.json"}}`
	if _, err := h.engine.Submit(auth.With(t.Context(), auth.Principal{User: "ada", Role: auth.Processor}), "echo", asked(t, inputs)); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a processor: %v", err)
	}
	if _, err := h.engine.Submit(t.Context(), "echo", asked(t, inputs)); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a stranger: %v", err)
	}
	ctx := auth.With(t.Context(), auth.Principal{User: "theia", Role: auth.Centre})
	ended := func(inputs string) processes.Job {
		t.Helper()
		j, err := h.engine.Submit(ctx, "echo", asked(t, inputs))
		if err != nil {
			t.Fatal(err)
		}
		if j, err = h.engine.Wait(ctx, j.ID); err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := ended(inputs)
	results, err := h.engine.Results(ctx, j.ID)
	if err != nil {
		t.Fatalf("%+v: %v", j, err)
	}
	for _, r := range results {
		if r.Name == "imageOutput" && r.Parts[0].Bytes != 7 {
			t.Errorf("%+v", r)
		}
	}
	j = ended(`{"boundingBoxInput":{"href":"` + server.URL + `/bad.json"}}`)
	if j.Status != processes.Failed || j.FailureKind != "invalid" || !strings.Contains(j.Message, "boundingBoxInput") {
		t.Errorf("a reference to what does not obey the schema: %+v", j)
	}
}
