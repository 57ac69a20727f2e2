package processes

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

//go:embed sql/lost.sql
var lostSQL string

// unnamed begins the name of a worker's folder until it is locked.
const unnamed = ".new-"

const (
	mostLosses = 12              // workers that one job may take with it
	sweepAfter = 2 * time.Minute // of a job's end: a worker that was cut off has noticed by then
)

// settle makes the folder of this worker's runs, and clears up after workers of this machine that are dead: their jobs are free at once.
// The function it returns removes the folder.
func (w *worker) settle(ctx context.Context) (leave func(), err error) {
	root := filepath.Join(w.cfg.Work, "jobs")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	// The folder is locked before it has its name, so that nobody takes its worker for dead.
	w.folder = filepath.Join(root, w.id)
	begun := filepath.Join(root, unnamed+w.id)
	if err := os.Mkdir(begun, 0o700); err != nil {
		return nil, err
	}
	mine, err := locked(begun)
	if err == nil && mine == nil {
		err = errors.New("processes: the folder of a new worker is locked")
	}
	if err == nil {
		err = os.Rename(begun, w.folder)
	}
	if err != nil {
		return nil, err
	}
	w.clear(ctx, root)
	return func() {
		os.RemoveAll(w.folder) //nolint:errcheck // the next worker here does
		mine.Close()
	}, nil
}

// locked takes the lock of a worker's folder; nil when its worker lives. The kernel frees it when the process ends, however it does.
func locked(folder string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) //nolint:gosec // a small number
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, f.Close()
	} else if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// clear removes the folders of dead workers and gives their jobs back.
func (w *worker) clear(ctx context.Context, root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.Name() == w.id || !entry.IsDir() {
			continue
		}
		folder := filepath.Join(root, entry.Name())
		if strings.HasPrefix(entry.Name(), unnamed) {
			if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > time.Minute {
				os.RemoveAll(folder) //nolint:errcheck // the next worker here does
			}
			continue
		}
		f, err := locked(folder)
		if err != nil || f == nil {
			continue
		}
		if err := w.takeBack(ctx, []string{entry.Name()}); err != nil {
			w.cfg.Log.Warn("jobs of a dead worker wait for the janitor", "err", err)
		}
		if err := os.RemoveAll(folder); err != nil {
			w.cfg.Log.Warn("work folder of a dead worker stays", "err", err)
		}
		f.Close()
	}
}

// tidy is the janitor. Every worker has one; each step is a statement that is right however many do it.
func (w *worker) tidy(ctx context.Context) {
	for ctx.Err() == nil {
		for _, step := range []func(context.Context) error{w.recover, w.voidTickets, w.expire, w.sweep, w.sweepUploads} {
			if err := step(ctx); err != nil && !ended(ctx, err) {
				w.cfg.Log.Warn("jobs are not tidied", "err", err)
			}
		}
		pause(ctx, w.cfg.Pace.Tidy)
	}
}

// recover takes jobs back from workers that are not heard of.
func (w *worker) recover(ctx context.Context) error { return w.takeBack(ctx, []string{}) }

func (w *worker) takeBack(ctx context.Context, dead []string) error {
	_, err := w.pool.Exec(ctx, lostSQL, pgx.NamedArgs{"lost": w.cfg.Pace.Lost.Seconds(), "dead": dead, "most": mostLosses, "retry": w.cfg.Pace.Retry.Seconds(), "keep": w.cfg.Keep.Seconds()})
	return err
}

// voidTickets withdraws tickets that nobody took: their holder was lost, or all are busy and another job may be next by now.
func (w *worker) voidTickets(ctx context.Context) error {
	_, err := w.pool.Exec(ctx, "update job set lease = lease + 1, ticket = null where status = 'accepted' and ticket = lease and ticket_at < now() - make_interval(secs => $1)",
		w.cfg.Pace.Ticket.Seconds())
	return err
}

// expire ends the time of results and logs.
func (w *worker) expire(ctx context.Context) error {
	_, err := w.pool.Exec(ctx, `with old as (update job set results = null, dirty = true, expires = null where expires < now() returning id)
		delete from job_log where job in (select id from old)`)
	return err
}

// sweep removes objects that runs left and that are no results, when nobody can be writing any more.
func (w *worker) sweep(ctx context.Context) error {
	rows, _ := w.pool.Query(ctx, `select id, results from job where dirty and status in ('successful', 'failed', 'dismissed')
		and finished < now() - make_interval(secs => $1) order by finished limit 100`, sweepAfter.Seconds())
	type swept struct {
		ID      string
		Results []byte
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[swept])
	if err != nil {
		return err
	}
	for _, s := range all {
		kept := map[string]bool{}
		if s.Results != nil {
			var results []Result
			if err := json.Unmarshal(s.Results, &results); err != nil {
				return err
			}
			for _, r := range results {
				for _, p := range r.Parts {
					kept[p.Object] = true
				}
			}
		}
		for info, err := range w.cfg.Objects.List(ctx, objectsOf(s.ID)) {
			if err != nil {
				return err
			}
			if !kept[info.Key] {
				if err := w.cfg.Objects.Delete(ctx, info.Key); err != nil {
					return err
				}
			}
		}
		if _, err := w.pool.Exec(ctx, "with gone as (delete from job_upload where job = $1) update job set dirty = false where id = $1", s.ID); err != nil {
			return err
		}
	}
	return nil
}
