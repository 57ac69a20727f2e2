package catalog

import (
	"context"
	_ "embed"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
)

//go:embed sql/changed_few.sql
var changedFewSQL string

// Items that changed from a moment on, the oldest first, are read in stretches of time: item_changed only knows in which parts of the table something
// of a stretch may lie, and what it finds there is sorted. A stretch is as long as few items changed in it.
const (
	changedFew   = 20_000      // items of a stretch
	changedFirst = time.Second // the shortest stretch, whatever is in it
	changedGrow  = 4
)

// forever is the end of a stretch that has none.
var forever = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}

// stretches reports whether a plan is read so.
func (p *plan) stretches() bool { return p.page.name == changed.name && !p.order.descending }

// reach sets the end of the stretch that begins at a place.
func (s *Store) reach(ctx context.Context, conn *pgxpool.Conn, p *plan, from place) error {
	p.changed, p.args["changed_until"] = time.Time{}, forever
	if !p.stretches() {
		return nil
	}
	since := time.UnixMicro(from.micros)
	if from.first {
		since = time.Unix(0, 0)
		if asked, _ := between(p.search.Filter, stac.Modified); asked.Valid && asked.InfinityModifier == pgtype.Finite {
			since = asked.Time
		}
	}
	until := since.Add(changedFirst)
	for length := changedGrow * changedFirst; length < math.MaxInt64/changedGrow; length *= changedGrow {
		next := since.Add(length)
		few, now, err := s.fewChanged(ctx, conn, since, next)
		if err != nil || few && next.After(now) { // nothing changed later than now
			return err
		} else if !few {
			break
		}
		until = next
	}
	p.changed, p.args["changed_until"] = until, until
	return nil
}

// fewChanged reports whether few items changed from one moment to another, and what the database's clock says.
func (s *Store) fewChanged(ctx context.Context, conn *pgxpool.Conn, since, until time.Time) (few bool, now time.Time, err error) {
	err = conn.QueryRow(ctx, changedFewSQL, pgx.NamedArgs{"since": since, "until": until, "most": s.few}).Scan(&few, &now)
	return few, now, err
}
