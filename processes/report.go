package processes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	mostLog   = 8 << 20 // bytes of a job's log
	logPiece  = 64 << 10
	tellEvery = 500 * time.Millisecond
)

// report tells the database how a run stands: that it lives, how far it is, what it says.
type report struct {
	engine *Engine
	lease  lease

	mu       sync.Mutex
	percent  int
	message  string
	text     strings.Builder // of the log, not stored yet
	logged   int64           // bytes of the log by this run
	storing  sync.Mutex      // one piece after the other
	toldAt   time.Time
	toldWhat string
}

// say sets what goes on. Progress only grows.
func (r *report) say(percent int, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.percent, r.message = max(r.percent, percent), message
}

// progress is that of the run itself, which is most of the whole.
func (r *report) progress(done, total int64) {
	if total > 0 {
		r.say(10+int(80*min(done, total)/total), "runs")
	}
}

// log keeps lines until they are stored.
func (r *report) log(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.logged >= mostLog {
		return
	}
	if r.logged += int64(len(text)); r.logged >= mostLog {
		text += "\nthe log is longer than is kept\n"
	}
	r.text.WriteString(text)
}

// hold renews the lease until ctx ends. It ends ctx, with errLost, when the job was taken away, and when it could not be renewed for so
// long that another may have it.
func (r *report) hold(ctx context.Context, end context.CancelCauseFunc) {
	told, done := r.engine.news.of(r.lease.id)
	defer done()
	pace := r.engine.cfg.Pace
	good := time.Now()
	for {
		r.mu.Lock()
		percent, message, text := r.percent, r.message, r.text.Len()
		r.mu.Unlock()
		what := fmt.Sprint(percent, message)
		poked := false
		select {
		case <-ctx.Done():
			return
		case <-told:
			poked = true
		case <-time.After(min(tellEvery, pace.Beat)):
		}
		if poked || what != r.toldWhat || text > 0 || time.Since(r.toldAt) >= min(pace.Beat, lookAgain) {
			at := time.Now()
			err := r.tell(ctx, percent, message)
			if err == nil {
				good, r.toldAt, r.toldWhat = at, at, what
			}
			if errors.Is(err, errLost) || time.Since(good) > pace.Fence {
				end(errLost)
				return
			}
		}
	}
}

// tell stores what is new.
func (r *report) tell(ctx context.Context, percent int, message string) error {
	ctx, done := context.WithTimeout(ctx, r.engine.cfg.Pace.Beat)
	defer done()
	var one int
	err := r.engine.pool.QueryRow(ctx, beatSQL, r.lease.args(pgx.NamedArgs{"progress": percent, "message": message})).Scan(&one)
	if errors.Is(err, pgx.ErrNoRows) {
		return errLost
	} else if err != nil {
		return err
	}
	return r.flush(ctx)
}

// flush stores the log so far.
func (r *report) flush(ctx context.Context) error {
	r.storing.Lock()
	defer r.storing.Unlock()
	for {
		r.mu.Lock()
		text := r.text.String()
		r.mu.Unlock()
		if text == "" {
			return nil
		}
		piece := text
		if len(piece) > logPiece {
			piece = piece[:logPiece]
		}
		clean := strings.ToValidUTF8(strings.ReplaceAll(piece, "\x00", ""), "?")
		if _, err := r.engine.pool.Exec(ctx, `insert into job_log (job, start, body)
			select id, coalesce((select start + octet_length(body) from job_log where job = @id order by start desc limit 1), 0), @body
			from job where id = @id and lease = @lease and status = 'running'`, r.lease.args(pgx.NamedArgs{"body": clean})); err != nil {
			return err
		}
		r.mu.Lock()
		rest := r.text.String()[len(piece):]
		r.text.Reset()
		r.text.WriteString(rest)
		r.mu.Unlock()
	}
}

// Log returns what a job's runs have said, from a byte of the whole on, and the byte behind it; ended, when nothing more will come.
func (e *Engine) Log(ctx context.Context, id string, offset int64) (text string, next int64, ended bool, err error) {
	j, err := e.Job(ctx, id) // before the log is read: an ended job says no more
	if err != nil {
		return "", 0, false, err
	}
	offset = max(offset, 0)
	rows, _ := e.pool.Query(ctx, "select start, body from job_log where job = $1 and start + octet_length(body) > $2 order by start limit 17", id, offset)
	type piece struct {
		Start int64
		Body  string
	}
	pieces, err := pgx.CollectRows(rows, pgx.RowToStructByPos[piece])
	if err != nil {
		return "", 0, false, jobsErr("log", err)
	}
	more := len(pieces) == 17
	if more {
		pieces = pieces[:16]
	}
	var b strings.Builder
	next = offset
	for _, p := range pieces {
		body := p.Body[max(0, min(next-p.Start, int64(len(p.Body)))):]
		b.WriteString(body)
		next = p.Start + int64(len(p.Body))
	}
	return b.String(), next, j.Status.Ended() && !more, nil
}
