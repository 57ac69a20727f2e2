package processes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/auth"
	"swath/chains"
	"swath/fault"
	"swath/processes"
	"swath/processes/runner"
)

func is(t testing.TB, user string, role auth.Role) context.Context {
	return auth.With(t.Context(), auth.Principal{User: user, Role: role})
}

// TestShare: one who comes last need not wait for all jobs of one who came first; priorities go before that.
func TestShare(t *testing.T) {
	h := newHouse(t, false, func(c *processes.Config) { c.Workers = 1 })
	names := map[string]string{}
	submit := func(name, user string, role auth.Role, priority int) {
		t.Helper()
		r := asked(t, `{}`)
		r.Priority = priority
		j, err := h.engine.Submit(is(t, user, role), "echo", r)
		if err != nil {
			t.Fatal(err)
		}
		names[j.ID] = name
	}
	for i := range 4 {
		submit(fmt.Sprint("ada", i), "ada", auth.Processor, 1) // which a processor may not: 3
	}
	submit("bob0", "bob", auth.Processor, 0)
	submit("bob1", "bob", auth.Processor, 0)
	submit("late", "eve", auth.Processor, 4)
	submit("first", "ops", auth.Operator, 1)
	h.work(t)
	ops := is(t, "ops", auth.Operator)
	until(t, 60*time.Second, "all have ended", func() bool {
		page, err := h.engine.Jobs(ops, processes.JobFilter{Statuses: []processes.Status{processes.Successful}})
		return err == nil && len(page.Jobs) == len(names)
	})
	page, err := h.engine.Jobs(ops, processes.JobFilter{})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(page.Jobs, func(a, b processes.Job) int { return a.Started.Compare(*b.Started) })
	var order []string
	for _, j := range page.Jobs {
		order = append(order, names[j.ID])
	}
	if got, want := strings.Join(order, " "), "first ada0 bob0 ada1 bob1 ada2 ada3 late"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
}

func TestQuota(t *testing.T) {
	h := newHouse(t, false, func(c *processes.Config) { c.Waiting = 2; c.Strangers = false })
	if _, err := h.engine.Submit(t.Context(), "echo", asked(t, `{}`)); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := h.engine.Submit(is(t, "rea", auth.Reader), "echo", asked(t, `{}`)); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a reader: %v", err)
	}
	for i, want := range []bool{true, true, false} {
		if _, err := h.engine.Submit(is(t, "ada", auth.Processor), "echo", asked(t, `{}`)); want != (err == nil) || !want && (!fault.Is(err, fault.OverQuota) || fault.Later(err) == 0) {
			t.Errorf("job %d: %v", i, err)
		}
	}
	own := auth.With(t.Context(), auth.Principal{User: "bob", Role: auth.Processor, Quotas: auth.Quotas{Jobs: 1}})
	for i, want := range []bool{true, false} {
		if _, err := h.engine.Submit(own, "echo", asked(t, `{}`)); want != (err == nil) {
			t.Errorf("job %d of one with a quota: %v", i, err)
		}
	}
}

// TestPages walks a list whose rows change under it.
func TestPages(t *testing.T) {
	h := newHouse(t, false, nil)
	var want []string
	for range 7 {
		want = append(want, h.submit(t, `{}`).ID)
	}
	slices.Reverse(want)
	var got []string
	for token := ""; ; {
		page, err := h.engine.Jobs(t.Context(), processes.JobFilter{Limit: 3, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range page.Jobs {
			got = append(got, j.ID)
		}
		h.submit(t, `{}`)
		if token = page.Next; token == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages have %v, want %v", got, want)
	}
	if _, err := h.engine.Jobs(t.Context(), processes.JobFilter{Token: "nonsense"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a wrong token: %v", err)
	}
}

// moody is a chain that goes wrong as it is told: it is run by this program as a child.
type moodyIn struct {
	How  string `json:"how" doc:"what goes wrong"`
	File string `json:"file,omitempty" doc:"counts the runs"`
}
type moodyOut struct {
	Said string `json:"said" doc:"a text"`
}

func moody() chains.Chain {
	return chains.Define(chains.About{ID: "moody", Version: "1", Title: "Moody", MemoryMiB: 64, Minutes: 1}, func(_ context.Context, in moodyIn, _ chains.Workspace, _ chains.Progress) (moodyOut, error) {
		f, err := os.OpenFile(in.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return moodyOut{}, err
		}
		f.WriteString("x") //nolint:errcheck // a test
		f.Close()
		runs, _ := os.ReadFile(in.File) //nolint:errcheck // it was written
		switch {
		case in.How == "once" && len(runs) > 1:
			return moodyOut{Said: "well"}, nil
		case in.How == "eat":
			var all [][]byte
			for {
				b := make([]byte, 4<<20)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				all = append(all, b)
				time.Sleep(time.Millisecond)
				_ = all
			}
		}
		panic("as asked")
	})
}

// TestRetries: a failure of ours is tried again, three times in all; one of the inputs, of time and of memory is not.
func TestRetries(t *testing.T) {
	h := newHouse(t, true, func(c *processes.Config) {
		c.List = func() []chains.Chain { return []chains.Chain{moody()} }
		c.Executor = runner.Local{Command: append(c.Executor.(runner.Local).Command[:1:1], "moody")}
	})
	for how, want := range map[string]struct {
		status processes.Status
		kind   string
		runs   int
	}{"always": {processes.Failed, "internal", 3}, "once": {processes.Successful, "", 2}, "eat": {processes.Failed, "too large", 1}} {
		t.Run(how, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "runs")
			r := processes.Request{Inputs: map[string]json.RawMessage{}}
			r.Inputs["how"], _ = json.Marshal(how)   //nolint:errcheck // texts
			r.Inputs["file"], _ = json.Marshal(file) //nolint:errcheck // texts
			j, err := h.engine.Submit(t.Context(), "moody", r)
			if err != nil {
				t.Fatal(err)
			}
			j = h.wait(t, j.ID)
			runs, err := os.ReadFile(file)
			if err != nil || j.Status != want.status || j.FailureKind != want.kind || len(runs) != want.runs || j.Attempts != want.runs {
				t.Errorf("%d runs, %+v, %v", len(runs), j, err)
			}
			if strings.Contains(j.Message, "as asked") {
				t.Errorf("the message tells strangers of our insides: %s", j.Message)
			}
			if text, _, _, err := h.engine.Log(t.Context(), j.ID, 0); how != "eat" && (err != nil || !strings.Contains(text, "as asked")) {
				t.Errorf("the log says %q, %v", text, err)
			}
		})
	}
}

// TestExpiry: results leave in time, and so does what runs left behind.
func TestExpiry(t *testing.T) {
	h := newHouse(t, true, nil)
	j := h.wait(t, h.submit(t, `{"imageInput":"aGVsbG8="}`).ID)
	kept := func() (n int) {
		for _, err := range h.config.Objects.List(t.Context(), "jobs/"+j.ID+"/") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	if kept() != 1 {
		t.Fatalf("%d objects", kept())
	}
	pool, err := pgxpool.New(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := h.config.Objects.Put(t.Context(), "jobs/"+j.ID+"/9/x/left", "text/plain", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), "update job set dirty = true, finished = now() - interval '1 h'"); err != nil {
		t.Fatal(err)
	}
	until(t, 10*time.Second, "what is no result has left", func() bool { return kept() == 1 })
	if _, err := h.engine.Results(t.Context(), j.ID); err != nil {
		t.Error(err)
	}
	if _, err := pool.Exec(t.Context(), "update job set expires = now() - interval '1 s'"); err != nil {
		t.Fatal(err)
	}
	until(t, 10*time.Second, "the results have left", func() bool { return kept() == 0 })
	if _, err := h.engine.Results(t.Context(), j.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("expired results: %v", err)
	}
	if text, _, _, err := h.engine.Log(t.Context(), j.ID, 0); err != nil || text != "" {
		t.Errorf("expired log: %q, %v", text, err)
	}
}
