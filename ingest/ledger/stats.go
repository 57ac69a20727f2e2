package ledger

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed sql/stats.sql
var statsSQL string

// Delay is how many products could be searched here on a day so long after the hub published them.
type Delay struct {
	Day      time.Time
	Urgent   bool // published soon after their acquisition
	Hours    int  // at most, and more than the next lower step; 2147483647: longer than any step
	Products int64
}

// Mirrors returns the names of all mirrors that a ledger was ever kept of.
func Mirrors(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	rows, err := pool.Query(ctx, "select mirror from mirror_cursor union select mirror from mirror_count order by 1")
	if err != nil {
		return nil, unavailable(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, unavailable(err)
}

// Days returns the delays of the days since one, in order.
func (r *Reader) Days(ctx context.Context, since time.Time) ([]Delay, error) {
	rows, err := r.pool.Query(ctx, statsSQL, pgx.NamedArgs{"mirror": r.mirror, "since": since})
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Delay])
	return all, unavailable(err)
}

// Cursors returns how far each list was read, by its name.
func (r *Reader) Cursors(ctx context.Context) (map[string]time.Time, error) {
	rows, err := r.pool.Query(ctx, "select list, at from mirror_cursor where mirror = $1", r.mirror)
	if err != nil {
		return nil, unavailable(err)
	}
	at := map[string]time.Time{}
	var list string
	var when time.Time
	_, err = pgx.ForEachRow(rows, []any{&list, &when}, func() error {
		at[list] = when.UTC()
		return nil
	})
	return at, unavailable(err)
}
