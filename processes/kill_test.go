package processes_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/internal/testdb"
	"swath/processes"
)

// other is what this program does when a test of killed processes starts it: "work URL DATA" runs jobs, in a folder of its own where a fourth word names one; "submit URL DATA FROM TO" submits the
// jobs of these numbers and prints the id of each, once it is stored.
func other(args []string) (work func(), ok bool) {
	if len(args) < 3 || args[0] != "work" && args[0] != "submit" {
		return nil, false
	}
	return func() {
		ctx := context.Background()
		h, err := openHouse(ctx, args[1], args[2], func(c *processes.Config) {
			c.Workers, c.Waiting = 8, 10000
			if args[0] == "work" && len(args) > 3 {
				c.Work = filepath.Join(args[2], args[3])
			}
		})
		if err == nil && args[0] == "work" {
			err = h.engine.Work(ctx)
		} else if err == nil {
			err = submitAll(ctx, h, args[3], args[4])
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}, true
}

func submitAll(ctx context.Context, h *house, from, to string) error {
	a, _ := strconv.Atoi(from)
	b, _ := strconv.Atoi(to)
	for i := a; i < b; i++ {
		r := processes.Request{Inputs: map[string]json.RawMessage{
			"stringInput": json.RawMessage(strconv.Quote(fmt.Sprint("text ", i))), "publish": json.RawMessage(strconv.Quote(fmt.Sprint("kill-", i))),
			"imageInput": json.RawMessage(`"aGVsbG8="`), "pause_s": json.RawMessage(fmt.Sprint(0.1 * float64(i%4))),
		}}
		if i%25 == 24 {
			r.Inputs["fail"] = json.RawMessage(`"as asked"`)
		}
		j, err := h.engine.Submit(ctx, "echo", r)
		if err != nil {
			return err
		}
		fmt.Println(i, j.ID)
	}
	return nil
}

// program starts this program as another; it is killed at the end of the test.
func program(t *testing.T, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may be gone
		cmd.Wait()         //nolint:errcheck // it was killed
	})
	return cmd, bufio.NewScanner(out)
}

// ends notes every end of a job, whoever makes it, so that a second one would be seen.
const ends = `create table job_end (job text, status text, lease int, at timestamptz default now());
create function note_end() returns trigger language plpgsql as $$ begin
  if new.status in ('successful', 'failed', 'dismissed') and new.status is distinct from old.status then
    insert into job_end (job, status, lease) values (new.id, new.status, new.lease); end if;
  if old.status in ('successful', 'failed') and (new.results is distinct from old.results or new.progress < old.progress) then
    insert into job_end (job, status, lease) values (new.id, 'changed after its end', new.lease); end if;
  if new.progress < old.progress then insert into job_end (job, status, lease) values (new.id, 'progress went back', new.lease); end if;
  return null; end $$;
create trigger note_end after update on job for each row execute function note_end()`

// TestKilled: jobs, with their workers and submitters killed again and again, end once each, and show no half result. SWATH_TEST_KILL=1 does
// it at the size of an acceptance: 500 jobs, 30 workers, 10 submitters.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for half a minute")
	}
	jobs, workerKills, submitterKills, most := 60, 6, 2, 3*time.Minute
	if os.Getenv("SWATH_TEST_KILL") != "" {
		jobs, workerKills, submitterKills, most = 500, 30, 10, 9*time.Minute
	}
	url, data := testdb.New(t), t.TempDir()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), ends); err != nil {
		t.Fatal(err)
	}
	h, err := openHouse(t.Context(), url, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { h.engine.Close(); h.catalog.Close() }()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	begin := time.Now()

	watching, stop := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() { watchKilled(watching, t, h, pool) })
	ids := make(chan string, jobs)
	var submitting sync.WaitGroup
	submitting.Go(func() { submitKilled(t, url, data, jobs, submitterKills, ids) })

	kills := 0
	for kills < workerKills {
		machine := "machine-" + strconv.Itoa(kills%2) // the janitor alone finds the dead of the other
		if err := os.MkdirAll(filepath.Join(data, machine), 0o755); err != nil {
			t.Fatal(err)
		}
		first, _ := program(t, "work", url, data, machine)
		time.Sleep(time.Duration(700+rnd.IntN(1300)) * time.Millisecond)
		first.Process.Kill() //nolint:errcheck // that is the test
		first.Wait()         //nolint:errcheck // it was killed
		kills++
		if kills%10 == 5 {
			time.Sleep(quick.Lost + 2*time.Second) // nobody works for a while
		}
	}
	program(t, "work", url, data)
	submitting.Wait()
	close(ids)
	known := map[string]bool{}
	for id := range ids {
		known[id] = true
	}
	until(t, most-time.Since(begin), "all jobs have ended", func() bool {
		var left int
		err := pool.QueryRow(t.Context(), "select count(*) from job where status in ('accepted', 'running')").Scan(&left)
		return err == nil && left == 0
	})
	stop()
	watch.Wait()
	t.Logf("%d kills of workers, %d of submitters, all ended after %s", workerKills, submitterKills, time.Since(begin))
	checkKilled(t, h, pool, known, jobs)
}

// submitKilled submits the jobs in portions, whose submitters are killed in the middle: the rest of a portion is submitted by the next.
func submitKilled(t *testing.T, url, data string, jobs, kills int, ids chan<- string) {
	next := 0
	for portion := 1; portion <= kills+1; portion++ {
		enough := jobs * portion / (kills + 1)
		cmd, lines := program(t, "submit", url, data, strconv.Itoa(next), strconv.Itoa(jobs))
		for next < enough && lines.Scan() {
			number, id, _ := strings.Cut(lines.Text(), " ")
			n, _ := strconv.Atoi(number)
			next = n + 1
			ids <- id
		}
		cmd.Process.Kill() //nolint:errcheck // that is the test
		cmd.Wait()         //nolint:errcheck // it was killed
	}
}

// watchKilled looks at everything from outside while processes die: what is not whole, or runs without life, is an error.
func watchKilled(ctx context.Context, t *testing.T, h *house, pool *pgxpool.Pool) {
	for ctx.Err() == nil {
		page, err := h.engine.Jobs(ctx, processes.JobFilter{Statuses: []processes.Status{processes.Successful}, Limit: 20})
		if err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			return
		}
		for _, j := range page.Jobs {
			checkWhole(ctx, t, h, j)
		}
		page, err = h.engine.Jobs(ctx, processes.JobFilter{Statuses: []processes.Status{processes.Running, processes.Accepted}, Limit: 20})
		if err == nil {
			for _, j := range page.Jobs {
				if r, err := h.engine.Results(ctx, j.ID); err == nil && ctx.Err() == nil {
					if now, err := h.engine.Job(ctx, j.ID); err == nil && now.Status != processes.Successful {
						t.Errorf("job %s is %s and has results %v", j.ID, now.Status, r)
					}
				}
			}
		}
		var stale int
		if err := pool.QueryRow(ctx, "select count(*) from job where status = 'running' and beat < now() - interval '60 s'").Scan(&stale); err == nil && stale > 0 {
			t.Errorf("%d jobs are running without a sign of life for a minute", stale)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// checkWhole: all that a successful job says is there.
func checkWhole(ctx context.Context, t *testing.T, h *house, j processes.Job) {
	results, err := h.engine.Results(ctx, j.ID)
	if err != nil {
		if ctx.Err() == nil {
			t.Errorf("job %s is successful: %v", j.ID, err)
		}
		return
	}
	var names []string
	for _, r := range results {
		names = append(names, r.Name)
		for _, p := range r.Parts {
			if p.Object != "" {
				if info, err := h.config.Objects.Stat(ctx, p.Object); (err != nil || info.Size != 5) && ctx.Err() == nil {
					t.Errorf("job %s: object %s: %+v, %v", j.ID, p.Object, info, err)
				}
			} else if _, err := h.catalog.Item(ctx, p.Collection, p.Item); err != nil && ctx.Err() == nil {
				t.Errorf("job %s: item %s: %v", j.ID, p.Item, err)
			}
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"imageOutput", "item", "stringOutput"}) {
		t.Errorf("job %s has the results %v", j.ID, names)
	}
}

// checkKilled holds the end against what was asked.
func checkKilled(t *testing.T, h *house, pool *pgxpool.Pool, known map[string]bool, jobs int) {
	count := func(sql string) (n int) {
		t.Helper()
		if err := pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for id := range known {
		if n := count("select count(*) from job where id = '" + id + "'"); n != 1 {
			t.Errorf("job %s, which was acknowledged, is there %d times", id, n)
		}
	}
	if len(known) < jobs {
		t.Errorf("%d jobs were acknowledged, %d wanted", len(known), jobs)
	}
	if n := count("select count(*) from job_end where status not in ('successful', 'failed')"); n > 0 {
		t.Errorf("%d changes after an end, or of progress back", n)
	}
	if n := count("select count(*) from (select job from job_end group by job having count(*) <> 1) s"); n > 0 {
		t.Errorf("%d jobs ended more than once", n)
	}
	if a, b := count("select count(*) from job_end"), count("select count(*) from job"); a != b {
		t.Errorf("%d ends of %d jobs", a, b)
	}
	var other string
	if err := pool.QueryRow(t.Context(), `select coalesce(string_agg(status || ' ' || failure || ' ' || message || ', ' || attempts || ' attempts, ' || losses || ' losses', '; '), '')
		from job where (request->'inputs' ? 'fail') <> (status = 'failed')`).Scan(&other); err != nil || other != "" {
		t.Errorf("jobs ended otherwise than asked: %s, %v", other, err)
	}
	token := ""
	for {
		page, err := h.engine.Jobs(t.Context(), processes.JobFilter{Statuses: []processes.Status{processes.Successful}, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range page.Jobs {
			checkWhole(t.Context(), t, h, j)
		}
		if token = page.Next; token == "" {
			break
		}
	}
	t.Logf("%d jobs, %d attempts, %d losses", count("select count(*) from job"), count("select sum(attempts)::int from job"), count("select sum(losses)::int from job"))
}

// TestStopped: a worker that is cut off from the database stores nothing when it comes back, and its run is ended.
func TestStopped(t *testing.T) {
	h := newHouse(t, false, nil)
	cmd, _ := program(t, "work", h.url, h.data)
	j := h.submit(t, `{"pause_s":5,"stringInput":"x"}`)
	until(t, 20*time.Second, "the run begins", func() bool { return len(childrenOf(t, h.data)) == 1 })
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil { // alive for the kernel, dead for everybody else
		t.Fatal(err)
	}
	h.work(t)
	if j = h.wait(t, j.ID); j.Status != processes.Successful || j.Attempts != 2 {
		t.Fatalf("%+v", j)
	}
	before, err := h.engine.Results(t.Context(), j.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
	after, err := h.engine.Results(t.Context(), j.ID)
	if a, b := fmt.Sprint(before), fmt.Sprint(after); err != nil || a != b {
		t.Errorf("results change from %s to %s, %v", a, b, err)
	}
	if again, err := h.engine.Job(t.Context(), j.ID); err != nil || again.Attempts != 2 || !again.Updated.Equal(j.Updated) {
		t.Errorf("the job changes to %+v, %v", again, err)
	}
}
