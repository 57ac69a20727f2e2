package catalog

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
)

//go:embed sql/count.sql
var countSQL string

//go:embed sql/count_days.sql
var countDaysSQL string

const (
	// countFor bounds what a first page spends on counting; what takes longer is estimated.
	countFor = 150 * time.Millisecond
	// What is expected to take longer, in microseconds of one core, is estimated at once. Who asks for one item only wants to
	// know the number, and gets it at a higher cost, by columns or by bodies.
	mostPageCount = 1_500
	mostCountCost = 25_000
	mostAgainCost = 8_000
	// A count that is no longer sure is repeated at once when that takes less than this, and else only when it takes one part
	// in recountShare of the time since.
	recountAlways = 20 * time.Millisecond
	recountShare  = 20
	mostCounts    = 4096 // that are remembered
)

// counts remembers how many rows match what was asked, with the revision of the items for which that is exact.
type counts struct {
	mu    sync.Mutex
	known map[uint64]tally
}

// tally is a count that was taken.
type tally struct {
	n    int64
	of   revision
	seen snapshot // a moment of that revision: while it is the same, nobody needs to ask
	when time.Time
	took time.Duration
}

func (c *counts) get(asked uint64) (tally, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.known[asked]
	return found, ok
}

func (c *counts) put(asked uint64, n tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= mostCounts {
		c.known = map[uint64]tally{}
	}
	c.known[asked] = n
}

// count returns how many rows match: exactly where columns, counters or a look at the bodies tell in time, else about. A count
// is remembered, and stays exact until somebody writes an item.
func (s *Store) count(ctx context.Context, conn *pgxpool.Conn, p *plan, now sight) (total, error) {
	alike := p.search
	alike.Sort = nil
	asked := checksum(alike, fmt.Append(nil, p.cols)) // a collection may have gone since
	if known, ok := s.counts.get(asked); ok {
		if now.at.same(known.seen) {
			return total{n: known.n}, nil
		}
		of, at, err := currentRevision(ctx, conn)
		if err != nil {
			return total{}, err
		}
		if of == known.of {
			known.seen = at
			s.counts.put(asked, known)
			return total{n: known.n}, nil
		}
		if known.took > recountAlways && time.Since(known.when) < recountShare*known.took {
			return total{n: known.n, estimated: true}, nil
		}
	}
	began := time.Now()
	quick, cancel := context.WithTimeout(ctx, countFor)
	defer cancel()
	taken, exact, err := s.countNow(quick, conn, p)
	switch {
	case err != nil && ctx.Err() == nil && quick.Err() != nil: // it would take too long
	case err != nil:
		return total{}, err
	case exact:
		taken.when, taken.took = began, time.Since(began)
		s.counts.put(asked, taken)
		return total{n: taken.n}, nil
	}
	if math.IsNaN(p.rows) {
		return total{n: unknown}, nil
	}
	rows := p.rows
	if now.looked > 0 {
		rows *= float64(now.passed) / float64(now.looked)
	}
	return total{n: max(int64(rows), int64(p.search.Limit)+1), estimated: true}, nil
}

// countNow counts, where that is not expected to take too long.
func (s *Store) countNow(ctx context.Context, conn *pgxpool.Conn, p *plan) (t tally, exact bool, err error) {
	if p.timed {
		if first, last, whole := wholeDays(p.search.Datetime); whole && (p.search.Datetime == nil || !p.periods) {
			p.args["first"], p.args["last"] = first, last
			err = s.one(ctx, conn, strings.Replace(countDaysSQL, "{{revision}}", revisionSQL, 1), p.args, &t.n, &t.seen, &t.of)
			return t, err == nil, err
		}
	}
	mostCost, mostAgain := p.mostCounted()
	if p.again() && !p.filter.exact || p.texts {
		if p.countCost+p.rows*againRowCost > mostAgain {
			return t, false, nil
		}
		return s.countBodies(ctx, conn, p)
	}
	if p.countCost > mostCost {
		return t, false, nil
	}
	var odd int64
	sql := strings.NewReplacer("{{revision}}", revisionSQL, "{{odd}}", oddOf(p.filter.odd), "{{from}}", p.all.all, "{{where}}", p.conditions(p.all)).Replace(countSQL)
	p.asked = sql
	if err = s.one(ctx, conn, sql, p.args, &t.n, &odd, &t.seen, &t.of); err != nil || odd == 0 {
		return t, err == nil, err
	}
	if float64(t.n)*againRowCost > mostAgain {
		return t, false, nil
	}
	return s.countBodies(ctx, conn, p)
}

// mostCounted returns what a count may cost, by columns and by bodies, in microseconds.
func (p *plan) mostCounted() (columns, bodies float64) {
	if p.search.Limit == 1 {
		return mostCountCost, mostAgainCost
	}
	return mostPageCount, mostPageCount
}

// counted reports whether the statement of a page can count what matches, and is asked to.
func (p *plan) counted() bool {
	return p.from.first && !p.search.Uncounted && !p.again() && p.order.by == byTime && len(p.order.keys) == 0
}

// one reads the one row of a statement with named arguments.
func (s *Store) one(ctx context.Context, conn *pgxpool.Conn, sql string, args pgx.NamedArgs, into ...any) error {
	rows, err := s.query(ctx, conn, sql, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
	}
	return rows.Err()
}

func oddOf(odd []string) string {
	if len(odd) == 0 {
		return "false"
	}
	return strings.Join(odd, " or ")
}

// wholeDays returns the first and the last day of an interval, nil where it is open; whole is false when it cuts a day.
func wholeDays(d *stac.Interval) (first, last *time.Time, whole bool) {
	const day = 24 * time.Hour
	if d != nil && d.Start != nil {
		begins := d.Start.UTC()
		if !begins.Equal(begins.Truncate(day)) {
			return nil, nil, false
		}
		first = &begins
	}
	if d != nil && d.End != nil { // what is left of the day is less than the columns tell apart
		ends := d.End.UTC()
		if next := ends.Truncate(time.Microsecond).Add(time.Microsecond); !next.Equal(next.Truncate(day)) {
			return nil, nil, false
		}
		ends = ends.Truncate(day)
		last = &ends
	}
	return first, last, true
}

// countBodies looks at what matches one by one, as long as there is time.
func (s *Store) countBodies(ctx context.Context, conn *pgxpool.Conn, p *plan) (t tally, exact bool, err error) {
	if t.of, t.seen, err = currentRevision(ctx, conn); err != nil { // before: what is written while they are looked at makes it another
		return t, false, err
	}
	_, err = s.stream(ctx, conn, p, start, largeBatch, func(hit) bool {
		t.n++
		return ctx.Err() == nil
	})
	return t, err == nil && ctx.Err() == nil, err
}
