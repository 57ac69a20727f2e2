package catalog

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	slowPause   = 10 * time.Second // between two slow searches that are logged
	explainTime = 2 * time.Second  // for the plan of one
	longestPlan = 8 << 10          // bytes of it
)

// slowLog reports searches that took long, and no more than one in a while.
type slowLog struct {
	after time.Duration

	mu     sync.Mutex
	last   time.Time
	silent int // that were not reported since
}

// due reports whether one that took so long is to be reported now, and how many were not.
func (l *slowLog) due(took time.Duration) (silent int, due bool) {
	if took < l.after {
		return 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.last) < slowPause {
		l.silent++
		return 0, false
	}
	silent, l.last, l.silent = l.silent, time.Now(), 0
	return silent, true
}

// logSlow reports a search that took long, with the plan of its last statement. The values that were asked for stay out of the
// log, as far as the planner does not repeat them.
func (s *Store) logSlow(ctx context.Context, conn *pgxpool.Conn, p *plan, took time.Duration, failed error) {
	silent, due := s.slow.due(took)
	if !due || p == nil || p.asked == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), explainTime)
	defer cancel()
	explained := "not known"
	rows, err := s.query(ctx, conn, "explain "+p.asked, p.args)
	if err == nil {
		var lines []string
		if lines, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
			explained = strings.Join(lines, "\n")
			explained = explained[:min(len(explained), longestPlan)] // literals of geometries are long
		}
	}
	if err != nil {
		explained = err.Error()
	}
	slog.WarnContext(ctx, "slow search", "dur", took, "route", p.page.name, "rows", p.rows, "sql", p.asked, "plan", explained, "unreported", silent, "err", failed)
}
