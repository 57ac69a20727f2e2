package catalog

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed sql/fold.sql
var foldSQL string

//go:embed sql/sweep.sql
var sweepSQL string

//go:embed sql/swept.sql
var sweptSQL string

const (
	keepPause     = time.Second      // between two rounds of housekeeping
	tidyPause     = 10 * time.Minute // between two looks for carts that nobody uses and for what left long ago
	trainPause    = 20 * time.Second // between two looks at whether a collection needs a dictionary
	foldAtOnce    = 20_000           // single counts in one transaction: about 0.1 s
	sweepPatience = 3 * time.Second  // of who removes a collection
	sweepAtOnce   = 2_000            // items in one transaction
	foldLock      = 0x666f6c64       // "fold" in ASCII: one process folds at a time
)

// keep does what nobody waits for, in small pieces, until the context ends: it folds counts, removes the items of removed
// collections and the carts that strangers left, forgets what left long ago, builds column chunks, trains dictionaries, and builds the indexes that a killed load set aside. Any number of processes may do it at once, and each may be killed at any moment.
func (s *Store) keep(ctx context.Context) {
	var trained, tidied time.Time
	complained, written := false, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(keepPause):
		}
		err := s.tidy(ctx, &written)
		if err == nil {
			err = s.buildChunks(ctx)
		}
		if err == nil && time.Since(trained) > trainPause {
			if err = s.train(ctx); err == nil {
				err = s.RestoreIndexes(ctx)
			}
			trained = time.Now()
		}
		if err == nil && time.Since(tidied) > tidyPause {
			err, tidied = errors.Join(s.sweepCarts(ctx), s.forget(ctx)), time.Now()
		}
		if err != nil && !complained && ctx.Err() == nil {
			slog.WarnContext(ctx, "catalog housekeeping failed", "err", err)
		}
		complained = err != nil
	}
}

// tidy folds and sweeps what has come together. When nobody writes any more, the index of terms takes in what was written.
func (s *Store) tidy(ctx context.Context, written *bool) error {
	folded := int64(0)
	for {
		n, err := s.fold(ctx)
		if err != nil {
			return err
		}
		if folded += n; n < foldAtOnce {
			break
		}
	}
	if *written && folded == 0 {
		if err := s.with(ctx, "take in terms", func(conn *pgxpool.Conn) error {
			_, err := conn.Exec(ctx, takeInTerms)
			return err
		}); err != nil {
			return err
		}
	}
	*written = folded > 0
	var removed []int16
	err := s.with(ctx, "look for removed collections", func(conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, "select col from removal")
		if err != nil {
			return err
		}
		removed, err = pgx.CollectRows(rows, pgx.RowTo[int16])
		return err
	})
	for _, collection := range removed {
		if err := s.sweep(ctx, collection); err != nil {
			return err
		}
	}
	return err
}

// fold adds single counts to the totals and returns how many there were; none while another process does it.
func (s *Store) fold(ctx context.Context) (n int64, err error) {
	err = s.with(ctx, "fold counts", func(conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			var ours bool
			if err := tx.QueryRow(ctx, "select pg_try_advisory_xact_lock($1)", foldLock).Scan(&ours); err != nil || !ours {
				return err
			}
			return tx.QueryRow(ctx, foldSQL, foldAtOnce).Scan(&n)
		})
	})
	return n, err
}

// sweep removes the items of a collection that was removed.
func (s *Store) sweep(ctx context.Context, collection int16) error {
	for swept := false; !swept; {
		err := s.with(ctx, "remove items", func(conn *pgxpool.Conn) error {
			var gone int
			err := conn.QueryRow(ctx, sweepSQL, collection, sweepAtOnce).Scan(&gone)
			if err == nil && gone < sweepAtOnce {
				swept = true
				err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
					if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", foldLock); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, sweptSQL, collection)
					return err
				})
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
