package processes_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/auth"
	"swath/fault"
	"swath/processes"
	"swath/processes/cwl"
	"swath/stac"
)

// TestPrivateInputs: what is made of private products goes nowhere where others see it.
func TestPrivateInputs(t *testing.T) {
	var private atomic.Pointer[[]string] // collections that not everybody sees
	private.Store(&[]string{"secret"})
	change := func(c *processes.Config) {
		reading(c)
		c.Exposed = func(of []string, into string) (exposed []string) {
			for _, name := range *private.Load() {
				if slices.Contains(of, name) && !slices.Contains(*private.Load(), into) {
					exposed = append(exposed, name)
				}
			}
			return exposed
		}
	}
	h := newHouse(t, false, change)
	h.put(t, "open", "A", map[string]string{"product": "a"})
	h.put(t, "secret", "B", map[string]string{"product": "b"})
	ctx := as(t.Context(), "ann", auth.Processor)
	refused := func(what string, err error) {
		t.Helper()
		if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "(secret)") || !strings.Contains(err.Error(), "collection made") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, inputs := range map[string]string{
		"an item": `{"products":["B"]}`, "one of two": `{"products":["A","B"]}`, "an asset": `{"products":["/collections/secret/items/B/assets/product"]}`,
		"a search": `{"products":[{"search":{"collections":["open","secret"]}}]}`,
	} {
		_, err := h.engine.Submit(ctx, "read", asked(t, inputs))
		refused(what, err)
		_, err = h.engine.Plan(ctx, "read", asked(t, inputs))
		refused(what+", dry", err)
	}
	if _, err := h.engine.Submit(ctx, "read", asked(t, `{"products":["A"]}`)); err != nil {
		t.Errorf("of what is public: %v", err)
	}

	// The two ways out: no items, or a collection that is as private.
	h.work(t)
	alone := asked(t, `{"products":["B"],"publish":true}`)
	alone.Outputs = map[string]processes.OutputAsked{"files": {}}
	j, err := h.engine.Submit(ctx, "read", alone)
	if err != nil {
		t.Fatal(err)
	}
	if j = h.waitAs(t, ctx, j.ID); j.Status != processes.Successful {
		t.Errorf("without items: %+v", j)
	}
	if _, err := h.catalog.Item(t.Context(), "made", "made"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an item was published that nobody asked for: %v", err)
	}
	private.Store(&[]string{"secret", "made"})
	if j, err = h.engine.Submit(ctx, "read", asked(t, `{"products":["B"],"publish":true}`)); err != nil {
		t.Fatal(err)
	}
	if j = h.waitAs(t, ctx, j.ID); j.Status != processes.Successful {
		t.Errorf("into a private collection: %+v", j)
	}
	if it, err := h.catalog.Item(t.Context(), "made", "made"); err != nil {
		t.Error(err)
	} else if n := strings.Count(string(it.Body), "derived_from"); n != 1 {
		t.Errorf("it is derived from its one product %d times: %s", n, it.Body)
	}
}

// allOf exposes all collections that something is made of, while they are private.
func allOf(private *atomic.Bool) func(of []string, into string) []string {
	return func(of []string, _ string) []string {
		if private.Load() {
			return of
		}
		return nil
	}
}

// TestMadePrivateMeanwhile: what became private since a job was accepted is not published.
func TestMadePrivateMeanwhile(t *testing.T) {
	var private atomic.Bool
	h := newHouse(t, false, func(c *processes.Config) {
		reading(c)
		c.Exposed = allOf(&private)
	})
	h.put(t, "secret", "B", map[string]string{"product": "b"})
	ctx := as(t.Context(), "ann", auth.Processor)
	j, err := h.engine.Submit(ctx, "read", asked(t, `{"products":["B"],"publish":true}`))
	if err != nil {
		t.Fatal(err)
	}
	private.Store(true)
	h.work(t)
	if j = h.waitAs(t, ctx, j.ID); j.Status != processes.Failed || !strings.Contains(j.Message, "private collections (secret)") || j.Attempts != 1 {
		t.Errorf("%+v", j)
	}
	if _, err := h.catalog.Item(t.Context(), "made", "made"); !fault.Is(err, fault.NotFound) {
		t.Errorf("it is published: %v", err)
	}
}

// TestAcceptedByAnEarlierVersion: a job whose inputs were noted with the collections of their products, and not with the products, is looked at again, and what
// it made carries its collections on.
func TestAcceptedByAnEarlierVersion(t *testing.T) {
	var private atomic.Bool
	h := newHouse(t, false, func(c *processes.Config) {
		reading(c)
		c.Exposed = allOf(&private)
	})
	h.put(t, "secret", "B", map[string]string{"product": "b"})
	ctx := as(t.Context(), "ann", auth.Processor)
	pool, err := pgxpool.New(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	accepted := func(r processes.Request) processes.Job {
		t.Helper()
		j, err := h.engine.Submit(ctx, "read", r)
		if err != nil {
			t.Fatal(err)
		}
		tag, err := pool.Exec(ctx, `update job set inputs = jsonb_set(inputs #- '{products,sources,0,items}', '{products,sources,0,of}', '["secret"]')
			where id = $1 and inputs #> '{products,sources,0,items}' is not null`, j.ID)
		if err != nil || tag.RowsAffected() != 1 {
			t.Fatal(tag, err)
		}
		return j
	}
	const inputs = `{"products":["/collections/secret/items/B/assets/product"],"publish":true}`
	alone := asked(t, inputs)
	alone.Outputs = map[string]processes.OutputAsked{"said": {}}
	files, items := accepted(alone), accepted(asked(t, inputs))
	private.Store(true)
	h.work(t)
	if j := h.waitAs(t, ctx, items.ID); j.Status != processes.Failed || !strings.Contains(j.Message, "private collections (secret)") {
		t.Errorf("%+v", j)
	}
	if j := h.waitAs(t, ctx, files.ID); j.Status != processes.Successful {
		t.Fatalf("%+v", j)
	}
	_, err = h.engine.Submit(ctx, "read", asked(t, `{"products":["/jobs/`+files.ID+`/results/said"],"publish":true}`))
	if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "(secret)") {
		t.Errorf("the next job: %v", err)
	}
}

// TestPrivateSubscription: a subscription to private products is refused as a job would be, and one to products that become private makes
// no more jobs.
func TestPrivateSubscription(t *testing.T) {
	var private atomic.Bool
	private.Store(true)
	h := newHouse(t, false, nil)
	on := h.beside(t, func(c *processes.Config) {
		c.Arrivals = h.catalog
		c.Exposed = func(of []string, _ string) []string {
			if private.Load() && slices.Contains(of, "secret") {
				return []string{"secret"}
			}
			return nil
		}
	})
	on.putCollection(t, "secret")
	centre := as(t.Context(), "theia", auth.Centre)
	s := processes.Subscription{Process: "echo", Search: json.RawMessage(`{"collections":["secret"]}`)}
	if _, err := on.engine.Subscribe(centre, s); !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "(secret)") {
		t.Errorf("subscribed: %v", err)
	}
	private.Store(false)
	made, err := on.engine.Subscribe(auth.With(t.Context(), auth.Principal{}), s)
	if err != nil {
		t.Fatal(err)
	}
	private.Store(true)
	on.work(t)
	on.putItem(t, "secret", "hush", 1)
	made = on.until(t, t.Context(), made.ID, func(s processes.Subscription) bool { return s.Figures.Refused == 1 })
	if !strings.Contains(made.Figures.Refusal, "private collections (secret)") || len(made.Figures.Jobs) != 0 {
		t.Errorf("%+v", made.Figures)
	}
}

// waitAs returns a job of somebody that has ended.
func (h *house) waitAs(t *testing.T, ctx context.Context, id string) processes.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	j, err := h.engine.Wait(ctx, id)
	if err != nil {
		t.Fatalf("%+v, %v", j, err)
	}
	return j
}

// TestResultsAsInputs: files and items that a job made are inputs of the next, for its owner; where they may go follows from what they were made of.
func TestResultsAsInputs(t *testing.T) {
	var private atomic.Bool
	h := newHouse(t, true, func(c *processes.Config) {
		c.Exposed = allOf(&private)
	})
	h.putCollection(t, "safes")
	h.putItem(t, "safes", "S1A", 1)
	ctx := as(t.Context(), "ann", auth.Processor)
	submit := func(ctx context.Context, inputs string) (processes.Job, error) {
		return h.engine.Submit(ctx, "echo", asked(t, inputs))
	}
	first, err := submit(ctx, `{"imageInput":{"value":"aGVsbG8=","mediaType":"image/png"},"productInput":"S1A","publish":"echo-1","boundingBoxInput":{"bbox":[1,43,2,44]}}`)
	if err != nil {
		t.Fatal(err)
	}
	at := "/jobs/" + first.ID + "/results/"
	if _, err := submit(ctx, `{"productInput":"`+at+`item"}`); err == nil {
		t.Error("results were taken before they were there")
	}
	if j := h.waitAs(t, ctx, first.ID); j.Status != processes.Successful {
		t.Fatalf("%+v", j)
	}
	second, err := submit(ctx, `{"imageInput":{"href":"https://here.example`+at+`imageOutput"},"productInput":{"href":"`+at+`item?part=1"},"publish":"echo-2","boundingBoxInput":{"bbox":[1,43,2,44]}}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(h.file(t, ctx, second.ID, "imageOutput")); got != "hello" {
		t.Errorf("the next job was given %q", got)
	}
	made, err := h.catalog.Item(ctx, "echo", "echo-2")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{"/collections/echo/items/echo-1", "/collections/safes/items/S1A"} { // the file was made of the other
		if strings.Count(string(made.Body), `"swath:`+of+`"`) != 1 {
			t.Errorf("the item is not derived from %s: %s", of, made.Body)
		}
	}
	prov, err := h.engine.Provenance(ctx, second.ID)
	if err != nil || !strings.Contains(string(prov), `"prov:usedEntity":"item:safes/S1A"`) {
		t.Errorf("%s, %v", prov, err)
	}
	for what, href := range map[string]string{"a value": at + "stringOutput", "no output": at + "x", "no part": at + "item?part=2", "no job": "/jobs/x/results/item", "a log": "/jobs/" + first.ID + "/log"} {
		if _, err := submit(ctx, `{"imageInput":{"href":"`+href+`"}}`); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := submit(as(t.Context(), "bob", auth.Centre), `{"imageInput":{"href":"`+at+`imageOutput"}}`); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no job") {
		t.Errorf("another's results: %v", err)
	}
	private.Store(true)
	if _, err := submit(ctx, `{"imageInput":{"href":"`+at+`imageOutput"}}`); !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "(safes)") {
		t.Errorf("made of what is private: %v", err)
	}
	private.Store(false)
	if _, err := h.engine.Dismiss(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := submit(ctx, `{"imageInput":{"href":"`+at+`imageOutput"}}`); !fault.Is(err, fault.Invalid) {
		t.Errorf("results that are gone: %v", err)
	}
}

// TestFilesByValue: what a request holds is a file, as its media type and encoding say.
func TestFilesByValue(t *testing.T) {
	h := newHouse(t, true, func(*processes.Config) {})
	for name, tc := range map[string]struct{ value, want string }{
		"base64":          {`"aGVsbG8="`, "hello"},
		"with its type":   {`{"value":"aGVsbG8=","mediaType":"image/png"}`, "hello"},
		"a text":          {`{"value":"hello","mediaType":"text/plain"}`, "hello"},
		"a text, encoded": {`{"value":"aGVsbG8=","mediaType":"text/plain","encoding":"base64"}`, "hello"},
		"by its format":   {`{"value":"aGVsbG8=","format":{"mediaType":"text/csv","encoding":"base64"}}`, "hello"},
	} {
		j, err := h.engine.Submit(t.Context(), "echo", asked(t, `{"imageInput":`+tc.value+`}`))
		if err != nil {
			t.Fatal(name, err)
		}
		if got := string(h.file(t, t.Context(), j.ID, "imageOutput")); got != tc.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for says, value := range map[string]string{"is empty": `""`, "base64": `"%"`, "encoding": `{"value":"x","mediaType":"text/plain","encoding":"hex"}`} {
		if _, err := h.engine.Submit(t.Context(), "echo", asked(t, `{"imageInput":`+value+`}`)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// file waits for a job and returns a file of its results.
func (h *house) file(t *testing.T, ctx context.Context, id, output string) []byte {
	t.Helper()
	if j := h.waitAs(t, ctx, id); j.Status != processes.Successful {
		t.Fatalf("%+v", j)
	}
	results, err := h.engine.Results(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Name != output || len(r.Parts) != 1 {
			continue
		}
		o, err := h.config.Objects.Open(ctx, r.Parts[0].Object)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		body := make([]byte, o.Info().Size)
		if _, err := o.ReadAt(body, 0); err != nil {
			t.Fatal(err)
		}
		return body
	}
	t.Fatalf("no file %q in %+v", output, results)
	return nil
}

// TestPackageNames: a package's results go into the collection of its name, which must not be, or become, another's.
func TestPackageNames(t *testing.T) {
	h := newHouse(t, false, func(c *processes.Config) { c.Packages = &cwl.Tool{} })
	h.putCollection(t, "there")
	centre := as(t.Context(), "theia", auth.Centre)
	named := func(id string) processes.Deployment {
		return processes.Deployment{Document: []byte("{cwlVersion: v1.2, class: CommandLineTool, id: " + id + ", baseCommand: ls, inputs: {}, outputs: {}}")}
	}
	hidden := stac.WithScope(centre, stac.Hiding("there"))
	for _, id := range []string{"there", "sentinel-1-grd", "s1-ortho", "echo"} {
		if _, err := h.engine.Deploy(hidden, named(id)); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := h.engine.Deploy(centre, named("mine")); err != nil {
		t.Fatal(err)
	}
	h.putCollection(t, "mine")
	if err := h.engine.Undeploy(centre, "mine"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.engine.Deploy(as(t.Context(), "muscate", auth.Centre), named("mine")); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a collection of another's results: %v", err)
	}
	if _, err := h.engine.Deploy(centre, named("mine")); err != nil {
		t.Error(err)
	}
}
