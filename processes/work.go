package processes

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"swath/chains"
	"swath/fault"
	"swath/processes/queue"
	"swath/processes/runner"
)

var (
	//go:embed sql/release.sql
	releaseSQL string
	//go:embed sql/claim.sql
	claimSQL string
	//go:embed sql/beat.sql
	beatSQL string
	//go:embed sql/succeed.sql
	succeedSQL string
	//go:embed sql/fail.sql
	failSQL string
	//go:embed sql/again.sql
	againSQL string
)

// mostFailures is how often a job may fail for reasons of ours.
const mostFailures = 3

// errLost is why a run ends whose job was dismissed or given to another.
var errLost = errors.New("the job was taken away")

// worker runs jobs in this process.
type worker struct {
	*Engine
	id     string // of this run of this process; jobs name it
	folder string // of its runs, removed at the end
	memory budget
	queue  *queue.Queue
}

// lease is the right to a job: what is stored names it.
type lease struct {
	id     string
	number int
}

func (l lease) args(more pgx.NamedArgs) pgx.NamedArgs {
	more["id"], more["lease"] = l.id, l.number
	return more
}

// task is a job that has been begun.
type task struct {
	lease
	chain    chains.Chain
	deployed *Deployment // of a package
	owner    string
	request  Request
	inputs   map[string]bound
	memory   int
	minutes  int
	attempts int
	failures int
	report   *report
	folder   string
}

// Work runs jobs until ctx ends. What is under way then is stopped and given back, to be begun again by another.
func (e *Engine) Work(ctx context.Context) error {
	w := &worker{Engine: e, id: uuid.NewString(), memory: budget{most: e.cfg.MemoryMiB}}
	unlock, err := w.settle(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	longest := time.Hour
	for _, c := range e.cfg.List() {
		longest = max(longest, time.Duration(c.Minutes)*time.Minute)
	}
	if w.queue, err = queue.Open(e.pool, e.cfg.Workers, longest+stageTime, e.cfg.Log, w.work); err != nil {
		return err
	}
	var group sync.WaitGroup
	group.Go(func() { w.release(ctx) })
	group.Go(func() { w.tidy(ctx) })
	group.Go(func() { w.subscribed(ctx) })
	group.Go(func() { w.ring(ctx) })
	defer group.Wait()
	return w.queue.Run(ctx)
}

// stageTime is what bringing inputs and publishing outputs may take beside the run.
const stageTime = 2 * time.Hour

// release writes tickets as long as fewer are waiting than there are slots, whenever something happens to a job.
func (w *worker) release(ctx context.Context) {
	told, done := w.news.of("")
	defer done()
	for ctx.Err() == nil {
		if err := w.releaseNext(ctx); err != nil && !ended(ctx, err) {
			w.cfg.Log.Warn("no tickets for jobs", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-told:
		case <-time.After(lookAgain):
		}
	}
}

// releaseLock is held by the one who writes tickets, so that shares are counted right: "tick" in ASCII.
const releaseLock = 0x7469636b

func (w *worker) releaseNext(ctx context.Context) error {
	return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", releaseLock); err != nil {
			return err
		}
		var open int
		if err := tx.QueryRow(ctx, "select count(*) from job where status = 'accepted' and ticket = lease").Scan(&open); err != nil || open >= w.cfg.Workers {
			return err
		}
		rows, _ := tx.Query(ctx, releaseSQL, pgx.NamedArgs{"limit": w.cfg.Workers - open, "running": w.cfg.Running})
		next, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (t queue.Ticket, err error) { return t, r.Scan(&t.Job, &t.Lease) })
		if err != nil || len(next) == 0 {
			return err
		}
		ids := make([]string, len(next))
		for i, t := range next {
			ids[i] = t.Job
		}
		if _, err := tx.Exec(ctx, "update job set ticket = lease, ticket_at = now() where id = any($1)", ids); err != nil {
			return err
		}
		return w.queue.Put(ctx, tx, next)
	})
}

// work does what a ticket allows.
func (w *worker) work(ctx context.Context, ticket queue.Ticket) {
	memory := 0
	var owner string
	var inputs []byte
	err := w.pool.QueryRow(ctx, "select memory_mib, owner, inputs from job where id = $1 and lease = $2 and status = 'accepted'", ticket.Job, ticket.Lease).Scan(&memory, &owner, &inputs)
	if err != nil {
		return // it was taken away; or the database does not answer, and the janitor voids the ticket
	}
	if w.waits(ctx, ticket, owner, inputs) {
		return
	}
	free, err := w.memory.take(ctx, memory)
	if err != nil {
		return
	}
	defer free()
	t, err := w.claim(ctx, ticket)
	if err != nil {
		if !errors.Is(err, pgx.ErrNoRows) && !ended(ctx, err) {
			w.cfg.Log.Warn("job can't be begun", "job", ticket.Job, "err", err)
		}
		return
	}
	start := time.Now()
	w.cfg.Log.Info("job begins", "job", t.id, "process", t.chain.ID, "attempt", t.attempts)
	err = w.run(ctx, t)
	w.cfg.Log.Info("job rests", "job", t.id, "process", t.chain.ID, "dur", time.Since(start), "err", err)
}

// waits reports whether a job has to wait for cold storage: what is there is ordered, and the ticket is used up. What goes wrong with that is
// found again, and told, when the job is begun.
func (w *worker) waits(ctx context.Context, ticket queue.Ticket, owner string, raw []byte) bool {
	var inputs map[string]bound
	var cold *coldError
	if json.Unmarshal(raw, &inputs) != nil || !errors.As(w.order(ctx, owner, inputs), &cold) {
		return false
	}
	_, err := w.pool.Exec(ctx, `update job set lease = lease + 1, ticket = null, not_before = now() + make_interval(secs => $3), message = $4
		where id = $1 and lease = $2 and status = 'accepted'`, ticket.Job, ticket.Lease, cold.wait.Seconds(), cold.Error())
	return err == nil
}

// claim begins a job, or returns pgx.ErrNoRows.
func (w *worker) claim(ctx context.Context, ticket queue.Ticket) (*task, error) {
	t := &task{lease: lease{ticket.Job, ticket.Lease}}
	var process, version string
	var request, inputs []byte
	err := w.pool.QueryRow(ctx, claimSQL, t.args(pgx.NamedArgs{"worker": w.id})).Scan(&process, &version, &t.owner, &request, &inputs, &t.memory, &t.minutes, &t.attempts, &t.failures)
	if err != nil {
		return nil, err
	}
	err = errors.Join(json.Unmarshal(request, &t.request), json.Unmarshal(inputs, &t.inputs))
	if err == nil {
		t.chain, t.deployed, err = w.pinned(ctx, process, version)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("job %s: %w", t.id, err), w.settleFailure(ctx, t, err))
	}
	t.folder = filepath.Join(w.folder, fmt.Sprintf("%s-%d", t.id, t.number))
	return t, nil
}

// run does a job and stores how it ended. The error is for the log.
func (w *worker) run(ctx context.Context, t *task) error {
	defer os.RemoveAll(t.folder)
	held, cancel := context.WithCancelCause(ctx)
	t.report = &report{engine: w.Engine, lease: t.lease}
	holding := make(chan struct{})
	go func() { defer close(holding); t.report.hold(held, cancel) }()
	results, err := w.perform(held, t)
	if err == nil {
		err = t.report.flush(held)
	}
	if err == nil {
		err = w.persist(held, func() error { return w.succeed(held, t, results) })
	}
	lost := errors.Is(context.Cause(held), errLost) // before it is ended here
	if err != nil && !lost && ctx.Err() == nil {
		err = errors.Join(err, t.report.flush(held), w.persist(held, func() error { return w.settleFailure(held, t, err) }))
	}
	cancel(nil)
	<-holding
	if ctx.Err() != nil && err != nil && !lost { // this process stops
		after, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		err = errors.Join(err, w.again(after, t, "begins again: the server that ran it stopped", 0, 0, true))
	}
	if lost {
		return errLost
	}
	return err
}

// perform stages, runs and publishes.
func (w *worker) perform(ctx context.Context, t *task) ([]Result, error) {
	at := runner.Task{Chain: t.chain.ID, Folder: filepath.Join(t.folder, "task"), Scratch: filepath.Join(t.folder, "scratch"), Out: filepath.Join(t.folder, "out"),
		Threads: max(1, runtime.NumCPU()/w.cfg.Workers), MemoryMiB: t.memory, Time: time.Duration(t.minutes) * time.Minute}
	if t.deployed != nil {
		at.Package = &runner.Package{Document: t.deployed.Document, Workflow: t.deployed.Workflow, Tool: *w.cfg.Packages}
	}
	for _, dir := range []string{at.Folder, at.Scratch, at.Out, t.in()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("processes: %w", err)
		}
	}
	var err error
	if at.Inputs, err = w.stage(ctx, t); err != nil {
		return nil, ours(err, fault.Timeout)
	}
	t.report.say(10, "runs")
	if t.attempts == 1 {
		if err := w.begun(ctx, t); err != nil {
			return nil, err
		}
	}
	outputs, err := w.cfg.Executor.Run(ctx, at, runner.Watch{Progress: t.report.progress, Log: t.report.log})
	if err != nil {
		return nil, err
	}
	t.report.say(90, "its results are published")
	results, err := w.publish(ctx, t, at.Out, outputs)
	return results, ours(err, fault.Timeout, fault.Conflict, fault.NotFound, fault.TooLarge)
}

// ours makes failures of some kinds ones of the server, which are tried again: a slow database is no run that took too long.
func ours(err error, kinds ...fault.Kind) error {
	if kind, _ := fault.Of(err); err != nil && slices.Contains(kinds, kind) {
		return fmt.Errorf("processes: %v", err) //nolint:errorlint // its kind is what is left behind
	}
	return err
}

// begun tells the subscriber that a job is under way, once.
func (w *worker) begun(ctx context.Context, t *task) error {
	return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error { return addCalls(ctx, tx, t.id, t.request.Subscriber, eventProgress) })
}

// persist repeats a write until the database answers, or the right to write has passed.
func (w *worker) persist(ctx context.Context, write func() error) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := jobsErr("job", write())
		if err == nil || !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return err
		}
		pause(ctx, wait)
	}
}

// succeed ends a job well. Nothing of it is stored when the job was taken away.
func (w *worker) succeed(ctx context.Context, t *task, results []Result) error {
	body, err := json.Marshal(results)
	if err != nil {
		return err
	}
	return w.change(ctx, t, succeedSQL, pgx.NamedArgs{"results": body, "keep": w.cfg.Keep.Seconds()}, eventSuccess)
}

// fail ends a job with a reason.
func (w *worker) fail(ctx context.Context, t *task, reason error) error {
	kind, public := fault.Of(reason)
	if kind == fault.Internal {
		public = "it failed for a reason of the server's; its log may say more"
	}
	return w.change(ctx, t, failSQL, pgx.NamedArgs{"message": public, "failure": kind.String(), "keep": w.cfg.Keep.Seconds()}, eventFailed)
}

// again gives a job back.
func (w *worker) again(ctx context.Context, t *task, message string, wait time.Duration, failures int, uncounted bool) error {
	less := 0
	if uncounted {
		less = 1
	}
	return w.change(ctx, t, againSQL, pgx.NamedArgs{"message": message, "wait": wait.Seconds(), "failures": failures, "uncounted": less}, "")
}

// change stores a new state of a job, with the calls that tell of it, when the lease is still good.
func (w *worker) change(ctx context.Context, t *task, sql string, args pgx.NamedArgs, event string) error {
	return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		var one int
		if err := tx.QueryRow(ctx, sql, t.args(args)).Scan(&one); errors.Is(err, pgx.ErrNoRows) {
			return errLost
		} else if err != nil {
			return err
		}
		return addCalls(ctx, tx, t.id, t.request.Subscriber, event)
	})
}

// settleFailure decides what becomes of a job after a run that did not go well.
func (w *worker) settleFailure(ctx context.Context, t *task, reason error) error {
	var cold *coldError
	if errors.As(reason, &cold) {
		return w.again(ctx, t, cold.Error(), cold.wait, 0, true)
	}
	if kind, _ := fault.Of(reason); kind != fault.Internal && kind != fault.Unavailable || t.failures+1 >= mostFailures {
		return w.fail(ctx, t, reason)
	}
	wait := w.cfg.Pace.Retry << (2 * t.failures)
	wait += time.Duration(rand.Int64N(int64(wait)/4 + 1)) //nolint:gosec // jitter
	return w.again(ctx, t, fmt.Sprintf("begins again: attempt %d did not go well", t.attempts), wait, 1, false)
}

// budget is memory that jobs take together.
type budget struct {
	most int // 0: any

	mu    sync.Mutex
	taken int
	freed chan struct{}
}

// take waits until there is room for so many MiB.
func (b *budget) take(ctx context.Context, mib int) (free func(), err error) {
	if b.most <= 0 {
		return func() {}, nil
	}
	mib = min(mib, b.most)
	for {
		b.mu.Lock()
		if b.taken+mib <= b.most {
			b.taken += mib
			b.mu.Unlock()
			return func() { b.give(mib) }, nil
		}
		if b.freed == nil {
			b.freed = make(chan struct{})
		}
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-freed:
		}
	}
}

func (b *budget) give(mib int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= mib
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}
