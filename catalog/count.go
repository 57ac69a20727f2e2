package catalog

import (
	"context"
	_ "embed"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
)

//go:embed sql/count.sql
var countSQL string

//go:embed sql/count_days.sql
var countDaysSQL string

// countFor bounds what a first page spends on counting; what takes longer is estimated.
const countFor = 300 * time.Millisecond

// count returns how many rows match: exactly where columns and counters tell in time, else about.
func (s *Store) count(ctx context.Context, conn *pgxpool.Conn, p *plan) (n int64, estimated bool, err error) {
	quick, cancel := context.WithTimeout(ctx, countFor)
	defer cancel()
	exact := false
	if p.collected {
		n, exact, err = s.countDays(quick, conn, p)
	}
	if err == nil && !exact && (!p.again() || p.filter.exact && !p.texts) {
		var odd int64
		sql := strings.NewReplacer("{{odd}}", oddOf(p.filter.odd), "{{from}}", p.route.from, "{{where}}", p.where).Replace(countSQL)
		err = conn.QueryRow(quick, sql, p.args).Scan(&n, &odd)
		exact = err == nil && odd == 0
	}
	if err == nil && !exact {
		n, exact, err = s.countBodies(quick, conn, p)
	}
	if err != nil && ctx.Err() == nil && quick.Err() != nil {
		err = nil
	}
	if err != nil || exact {
		return n, false, err
	}
	if math.IsNaN(p.rows) {
		return unknown, false, nil
	}
	return max(int64(p.rows), int64(p.search.Limit)+1), true, nil
}

func oddOf(odd []string) string {
	if len(odd) == 0 {
		return "false"
	}
	return strings.Join(odd, " or ")
}

// countDays counts whole days from their counters.
func (s *Store) countDays(ctx context.Context, conn *pgxpool.Conn, p *plan) (n int64, exact bool, err error) {
	first, last, whole := wholeDays(p.search.Datetime)
	if !whole {
		return 0, false, nil
	}
	args := pgx.NamedArgs{"collections": p.args["collections"], "first": first, "last": last}
	var periods bool
	err = conn.QueryRow(ctx, countDaysSQL, args).Scan(&n, &periods)
	return n, err == nil && (!periods || p.search.Datetime == nil), err
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
	if d != nil && d.End != nil {
		ends := d.End.UTC()
		if next := ends.Add(time.Microsecond); !next.Equal(next.Truncate(day)) {
			return nil, nil, false
		}
		ends = ends.Truncate(day)
		last = &ends
	}
	return first, last, true
}

// countBodies looks at what matches one by one, as long as there is time.
func (s *Store) countBodies(ctx context.Context, conn *pgxpool.Conn, p *plan) (n int64, exact bool, err error) {
	if p.rows > mostLooked/8 {
		return 0, false, nil
	}
	err = s.stream(ctx, conn, p, start, largeBatch, func(hit) bool {
		n++
		return ctx.Err() == nil
	})
	return n, err == nil && ctx.Err() == nil, err
}
