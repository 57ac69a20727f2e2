package processes

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"swath/auth"
	"swath/fault"
)

var (
	//go:embed sql/job.sql
	jobSQL string
	//go:embed sql/jobs.sql
	jobsSQL string
)

// scanJob reads the columns that the statements about whole jobs return.
func scanJob(row pgx.CollectableRow) (j Job, err error) {
	var request []byte
	err = row.Scan(&j.ID, &j.Process, &j.Version, &j.Owner, &j.Status, &j.Message, &j.FailureKind, &j.Progress, &j.Created, &j.Updated, &j.Started, &j.Finished,
		&j.Expires, &request, &j.Subscription, &j.Attempts, &j.Bytes)
	if err != nil {
		return j, err
	}
	return j, json.Unmarshal(request, &j.Request)
}

// jobsErr tells a database that does not answer from our own mistakes.
func jobsErr(doing string, err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || strings.HasPrefix(answer.Code, "57") || strings.HasPrefix(answer.Code, "53") {
		return fault.Wrap(fault.Unavailable, err, "the database does not answer")
	}
	return fmt.Errorf("processes: %s: %w", doing, err)
}

// sees returns the arguments that say whose jobs the one who asks may see.
func sees(ctx context.Context) pgx.NamedArgs {
	p := auth.From(ctx)
	return pgx.NamedArgs{"all": p.Role >= auth.Operator, "owner": p.User}
}

// Job returns one job; fault.NotFound for other people's, which only operators see.
func (e *Engine) Job(ctx context.Context, id string) (Job, error) {
	args := sees(ctx)
	args["id"] = id
	rows, _ := e.pool.Query(ctx, jobSQL, args)
	j, err := pgx.CollectExactlyOneRow(rows, scanJob)
	if errors.Is(err, pgx.ErrNoRows) {
		return Job{}, noJob(id)
	}
	return j, jobsErr("job", err)
}

// Jobs lists jobs, newest first: one's own, of operators all.
func (e *Engine) Jobs(ctx context.Context, f JobFilter) (JobPage, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	f.Limit = min(f.Limit, 1000)
	args := sees(ctx)
	args["processes"], args["statuses"], args["since"], args["until"] = f.Processes, f.Statuses, f.Since, f.Until
	args["min"], args["max"], args["subscription"], args["limit"] = f.MinSeconds, f.MaxSeconds, f.Subscription, f.Limit+1
	args["after"], args["after_id"] = nil, ""
	if f.Token != "" {
		at, id, err := readToken(f.Token)
		if err != nil {
			return JobPage{}, err
		}
		args["after"], args["after_id"] = at, id
	}
	rows, _ := e.pool.Query(ctx, jobsSQL, args)
	jobs, err := pgx.CollectRows(rows, scanJob)
	if err != nil {
		return JobPage{}, jobsErr("jobs", err)
	}
	page := JobPage{Jobs: jobs}
	if len(jobs) > f.Limit {
		page.Jobs = jobs[:f.Limit]
		last := page.Jobs[f.Limit-1]
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(last.Created.UnixMicro(), 10) + " " + last.ID))
	}
	return page, nil
}

func readToken(token string) (time.Time, string, error) {
	wrong := fault.New(fault.Invalid, "the token is not one of this list")
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return time.Time{}, "", wrong
	}
	micros, id, ok := strings.Cut(string(text), " ")
	at, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || !ok || len(id) != 36 {
		return time.Time{}, "", wrong
	}
	return time.UnixMicro(at), id, nil
}

// lookAgain is how long who waits for a job trusts that it would be told.
const lookAgain = 2 * time.Second

// Wait returns a job when it has ended; when ctx ends before, the job as it is and the context's error.
func (e *Engine) Wait(ctx context.Context, id string) (Job, error) {
	told, done := e.news.of(id)
	defer done()
	for {
		j, err := e.Job(ctx, id)
		if err != nil || j.Status.Ended() {
			return j, err
		}
		select {
		case <-ctx.Done():
			return j, ctx.Err()
		case <-told:
		case <-time.After(lookAgain):
		}
	}
}

// Results returns the outputs of a successful job: ErrNotReady before it has ended, the fault of a failed job, and fault.NotFound of one
// that was dismissed or whose results have expired.
func (e *Engine) Results(ctx context.Context, id string) ([]Result, error) {
	j, err := e.Job(ctx, id)
	if err != nil {
		return nil, err
	}
	return e.ResultsOf(ctx, j)
}

// ResultsOf is Results of a job that the one who asks was given.
func (e *Engine) ResultsOf(ctx context.Context, j Job) ([]Result, error) {
	switch j.Status {
	case Failed:
		return nil, failureOf(j)
	case Dismissed:
		return nil, fault.New(fault.NotFound, "the job was dismissed")
	case Accepted, Running:
		return nil, ErrNotReady
	}
	var body []byte
	if err := e.pool.QueryRow(ctx, "select results from job where id = $1", j.ID).Scan(&body); err != nil {
		return nil, jobsErr("results", err)
	}
	if body == nil {
		return nil, fault.New(fault.NotFound, "the results of the job have expired")
	}
	var results []Result
	return results, json.Unmarshal(body, &results)
}

// Dismiss ends a job: what runs of it is stopped within seconds. Of a job that has ended it removes the results; items that it published
// stay, as others may use them.
func (e *Engine) Dismiss(ctx context.Context, id string) (Job, error) {
	if _, err := e.Job(ctx, id); err != nil {
		return Job{}, err
	}
	_, err := e.pool.Exec(ctx, `update job set status = 'dismissed', lease = lease + 1, message = 'dismissed', failure = '', results = null, expires = null,
		finished = coalesce(finished, now()), updated = now(), dirty = dirty or attempts > 0 where id = $1 and status <> 'dismissed'`, id)
	if err != nil {
		return Job{}, jobsErr("dismiss", err)
	}
	return e.Job(ctx, id)
}
