package processes_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"swath/auth"
	"swath/catalog"
	"swath/chains"
	"swath/chains/all"
	"swath/fault"
	"swath/ingest"
	"swath/internal/testdb"
	"swath/objects"
	"swath/processes"
	"swath/processes/runner"
)

// TestMain is the child of runs too.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 {
		for word, find := range map[string]func(string) (chains.Chain, bool){
			"runner": all.Chain, "moody": func(string) (chains.Chain, bool) { return moody(), true }, "reader": func(string) (chains.Chain, bool) { return reader(), true },
		} {
			if os.Args[1] == word {
				os.Exit(runner.Main(context.Background(), os.Args[2], find, os.Stdin))
			}
		}
	}
	if work, ok := other(os.Args[1:]); ok {
		work()
		return
	}
	os.Exit(m.Run())
}

// house is a small installation.
type house struct {
	url     string
	data    string
	catalog *catalog.Store
	config  processes.Config
	engine  *processes.Engine
}

// quick is a pace that tests can wait for.
var quick = processes.Pace{Beat: 300 * time.Millisecond, Fence: 1500 * time.Millisecond, Lost: 3 * time.Second, Retry: 100 * time.Millisecond, Ticket: 3 * time.Second, Tidy: 200 * time.Millisecond}

// openHouse opens an engine over a database and a folder.
func openHouse(ctx context.Context, url, data string, change func(*processes.Config)) (*house, error) {
	h := &house{url: url, data: data}
	var err error
	if h.catalog, err = catalog.Open(ctx, url, catalog.Config{SlowSearch: time.Minute}); err != nil {
		return nil, err
	}
	store, err := objects.OpenFolder(filepath.Join(data, "objects"))
	if err != nil {
		return nil, err
	}
	work := filepath.Join(data, "work")
	if err := os.MkdirAll(work, 0o755); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("SWATH_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	h.config = processes.Config{
		Catalog: h.catalog, Objects: store, Publish: &ingest.Ingester{Objects: store, Catalog: h.catalog, Work: work, Log: log},
		Work: work, Executor: runner.Local{Command: []string{self, "runner"}}, List: all.Chains, Log: log, Strangers: true, Workers: 4, Pace: quick,
		Bases: []string{"https://here.example"}, Software: "swath test",
	}
	if change != nil {
		change(&h.config)
	}
	h.engine, err = processes.New(ctx, url, h.config)
	return h, err
}

// newHouse opens one for a test; working says whether it runs jobs.
func newHouse(t *testing.T, working bool, change func(*processes.Config)) *house {
	t.Helper()
	h, err := openHouse(t.Context(), testdb.New(t), t.TempDir(), change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.engine.Close(); h.catalog.Close() })
	if working {
		h.work(t)
	}
	return h
}

// work runs jobs until stop is called, at the latest at the end of the test.
func (h *house) work(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		if err := h.engine.Work(ctx); err != nil {
			t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); group.Wait() })
	t.Cleanup(stop)
	return stop
}

// asked makes a request of inputs in JSON.
func asked(t testing.TB, inputs string) processes.Request {
	t.Helper()
	var r processes.Request
	if err := json.Unmarshal([]byte(inputs), &r.Inputs); err != nil {
		t.Fatal(err)
	}
	return r
}

func (h *house) submit(t testing.TB, inputs string) processes.Job {
	t.Helper()
	j, err := h.engine.Submit(t.Context(), "echo", asked(t, inputs))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// wait returns a job that has ended.
func (h *house) wait(t testing.TB, id string) processes.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	j, err := h.engine.Wait(ctx, id)
	if err != nil {
		t.Fatalf("job %s is %s (%s): %v", id, j.Status, j.Message, err)
	}
	return j
}

func TestJob(t *testing.T) {
	h := newHouse(t, true, nil)
	j := h.submit(t, `{"stringInput":"hello","arrayInput":[1,2],"measureInput":{"value":{"measurement":3.5,"uom":"m"}},"imageInput":{"value":"aGVsbG8=","mediaType":"image/png"},
		"publish":"echo-1","boundingBoxInput":{"bbox":[1,43,2,44]}}`)
	if j.Status != processes.Accepted || j.ID == "" || j.Created.IsZero() {
		t.Fatalf("accepted: %+v", j)
	}
	if _, err := h.engine.Results(t.Context(), j.ID); err == nil {
		t.Error("results before the end")
	}
	j = h.wait(t, j.ID)
	if j.Status != processes.Successful || j.Progress != 100 || j.Attempts != 1 || j.Started == nil || j.Finished == nil || j.Expires == nil {
		t.Fatalf("ended: %+v", j)
	}
	results, err := h.engine.Results(t.Context(), j.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]processes.Result{}
	for _, r := range results {
		got[r.Name] = r
	}
	if string(got["stringOutput"].Value) != `"hello"` || string(got["arrayOutput"].Value) != `[1,2]` && string(got["arrayOutput"].Value) != `[1, 2]` {
		t.Errorf("values: %+v", results)
	}
	image := got["imageOutput"]
	if len(image.Parts) != 1 || image.Parts[0].Bytes != 5 || image.Media != "image/png" {
		t.Fatalf("image: %+v", image)
	}
	info, err := h.config.Objects.Stat(t.Context(), image.Parts[0].Object)
	if err != nil || info.Size != 5 || !strings.HasPrefix(info.Key, "jobs/"+j.ID+"/") {
		t.Errorf("object of the image: %+v, %v", info, err)
	}
	item, err := h.catalog.Item(t.Context(), "echo", "echo-1")
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(item.Body, &body); err != nil {
		t.Fatal(err)
	}
	if body.Properties["swath:process"] != "echo" || body.Properties["swath:parameters"].(map[string]any)["stringInput"] != "hello" {
		t.Errorf("the item says %v", body.Properties)
	}
	text, next, done, err := h.engine.Log(t.Context(), j.ID, 0)
	if err != nil || !strings.Contains(text, "echo begins") || !done || next != int64(len(text)) {
		t.Errorf("log %q, %d, %v, %v", text, next, done, err)
	}
	if rest, _, _, err := h.engine.Log(t.Context(), j.ID, 5); err != nil || rest != text[5:] {
		t.Errorf("log from byte 5: %q, %v", rest, err)
	}
	page, err := h.engine.Jobs(t.Context(), processes.JobFilter{Statuses: []processes.Status{processes.Successful}})
	if err != nil || len(page.Jobs) != 1 || page.Jobs[0].ID != j.ID {
		t.Errorf("list: %+v, %v", page, err)
	}
	if _, err := h.engine.Job(auth.With(t.Context(), auth.Principal{User: "ada", Role: auth.Processor}), j.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another's job: %v", err)
	}
}

// TestFolderBesideTheServer: the work folder may be named as seen from where the server was started, as ./data is.
func TestFolderBesideTheServer(t *testing.T) {
	url := testdb.New(t)
	t.Chdir(t.TempDir())
	h, err := openHouse(t.Context(), url, "data", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.engine.Close(); h.catalog.Close() })
	h.work(t)
	if j := h.wait(t, h.submit(t, `{"stringInput":"hello","imageInput":"aGVsbG8=","publish":"beside"}`).ID); j.Status != processes.Successful {
		t.Errorf("%+v", j)
	}
}

func TestFailure(t *testing.T) {
	h := newHouse(t, true, nil)
	j := h.wait(t, h.submit(t, `{"fail":"the sky fell"}`).ID)
	if j.Status != processes.Failed || j.Message != "the sky fell" || j.FailureKind != "invalid" || j.Attempts != 1 {
		t.Errorf("%+v", j)
	}
	if _, err := h.engine.Results(t.Context(), j.ID); !fault.Is(err, fault.Invalid) {
		t.Errorf("results of a failed job: %v", err)
	}
}

func TestWrongInputs(t *testing.T) {
	h := newHouse(t, false, nil)
	for name, tc := range map[string]struct{ inputs, want string }{
		"unknown":       {`{"nonsense":1}`, `"nonsense"`},
		"out of bounds": {`{"doubleInput":11}`, `"doubleInput"`},
		"wrong type":    {`{"integerInput":"x"}`, `"integerInput"`},
		"too few":       {`{"arrayInput":[1]}`, `"arrayInput"`},
		"no such item":  {`{"productInput":"nowhere"}`, `"productInput"`},
		"not base64":    {`{"imageInput":"***"}`, `"imageInput"`},
		"enum":          {`{"choiceInput":"Value9"}`, "Value1, Value2, Value3"},
		"a file here":   {`{"imageInput":{"href":"file:///etc/passwd"}}`, `"imageInput"`},
		"gdal":          {`{"productInput":"/vsicurl/http://127.0.0.1/x"}`, `"productInput"`},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := auth.With(t.Context(), auth.Principal{User: "ada", Role: auth.Centre})
			_, err := h.engine.Submit(ctx, "echo", asked(t, tc.inputs))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := h.engine.Submit(t.Context(), "nothing", processes.Request{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such process: %v", err)
	}
}

func TestDismiss(t *testing.T) {
	h := newHouse(t, true, nil)
	j := h.submit(t, `{"pause_s":120}`)
	until(t, 10*time.Second, "the run begins", func() bool { return len(childrenOf(t, h.data)) == 1 })
	start := time.Now()
	j, err := h.engine.Dismiss(t.Context(), j.ID)
	if err != nil || j.Status != processes.Dismissed {
		t.Fatalf("%+v, %v", j, err)
	}
	until(t, 5*time.Second, "nothing of the run is left", func() bool {
		left, err := filepath.Glob(filepath.Join(h.data, "work", "jobs", "*", j.ID+"-*"))
		return err == nil && len(left) == 0 && len(childrenOf(t, h.data)) == 0
	})
	t.Logf("freed after %s", time.Since(start))
	if _, err := h.engine.Results(t.Context(), j.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("results of a dismissed job: %v", err)
	}
	waiting := h.submit(t, `{}`)
	if _, err := h.engine.Dismiss(t.Context(), waiting.ID); err != nil {
		t.Error(err)
	}
}

// until waits for something to be so.
func until(t testing.TB, most time.Duration, what string, so func() bool) {
	t.Helper()
	for begin := time.Now(); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > most {
			t.Fatalf("not within %s: %s", most, what)
		}
	}
}

// childrenOf lists the processes whose command line names a folder.
func childrenOf(t testing.TB, folder string) (pids []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), "runner\x00"+folder) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}
