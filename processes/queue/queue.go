// Package queue hands tickets of jobs out to workers, by River.
//
//	Put(tx, tickets) ──▶ river_job ──▶ Run: as many at once as there are slots ──▶ work(ticket)
//
// A ticket says that a job may be begun, and no more: what is true stands in the job's own row. So a ticket may come late, twice or never.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// Ticket lets its holder begin a job that has still this lease number.
type Ticket struct {
	Job   string `json:"job"`
	Lease int    `json:"lease"`
}

// Kind names tickets to River.
func (Ticket) Kind() string { return "swath_job" }

// name is the queue of our own in River.
const name = "swath"

// kept is how long River remembers a ticket that was used.
const kept = time.Hour

// Queue is one process' end of it.
type Queue struct {
	client *river.Client[pgx.Tx]
}

// Open returns a queue that hands out tickets to work, at most slots at once, each for no longer than limit. With no slots it only takes
// tickets.
func Open(pool *pgxpool.Pool, slots int, limit time.Duration, log *slog.Logger, work func(context.Context, Ticket)) (*Queue, error) {
	cfg := &river.Config{Logger: quiet(log), CompletedJobRetentionPeriod: kept, DiscardedJobRetentionPeriod: kept, CancelledJobRetentionPeriod: kept}
	if slots > 0 {
		cfg.Workers = river.NewWorkers()
		if err := river.AddWorkerSafely(cfg.Workers, &worker{limit: limit, work: work}); err != nil {
			return nil, fmt.Errorf("queue: %w", err)
		}
		cfg.Queues = map[string]river.QueueConfig{name: {MaxWorkers: slots}}
		cfg.JobTimeout = limit
		cfg.RescueStuckJobsAfter = limit + time.Minute
	}
	client, err := river.NewClient(riverpgxv5.New(pool), cfg)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	return &Queue{client}, nil
}

// quiet passes on what River warns of.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(atLeastWarnings{log.Handler()}) }

type atLeastWarnings struct{ slog.Handler }

func (h atLeastWarnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

// worker is River's view of work.
type worker struct {
	river.WorkerDefaults[Ticket]
	limit time.Duration
	work  func(context.Context, Ticket)
}

// Timeout is the outer wall: without a finite one River would never take back the ticket of a worker that was lost.
func (w *worker) Timeout(*river.Job[Ticket]) time.Duration { return w.limit }

// Work always ends well for River: how it ended for the job stands in its row.
func (w *worker) Work(ctx context.Context, job *river.Job[Ticket]) error {
	w.work(ctx, job.Args)
	return nil
}

// Put gives tickets out when the transaction is committed.
func (q *Queue) Put(ctx context.Context, tx pgx.Tx, tickets []Ticket) error {
	if len(tickets) == 0 {
		return nil
	}
	all := make([]river.InsertManyParams, len(tickets))
	for i, t := range tickets {
		all[i] = river.InsertManyParams{Args: t, InsertOpts: &river.InsertOpts{Queue: name, MaxAttempts: 1}}
	}
	if _, err := q.client.InsertManyTx(ctx, tx, all); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// Run hands tickets out until ctx ends, and then waits for the work that is under way, whose context has ended too.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := q.client.StopAndCancel(stop); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// stopTime is how long work may take to notice that its context has ended.
const stopTime = 20 * time.Second
