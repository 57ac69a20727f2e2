package catalog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
)

// replica is a copy of the database that answers reads, when it has come far enough.
//
//	own write ──────────────▶ place in the primary's log ─┐
//	copy ──every 20 ms──▶ place that it has replayed up to ─┴──▶ read there when it is not behind, else from the primary
//
// So a process reads what it wrote, and searches of others are as old as the copy is behind, at most.
type replica struct {
	pool     *pgxpool.Pool
	wrote    atomic.Uint64 // the place behind our last write
	replayed atomic.Uint64 // 0 when the copy does not answer
}

const replicaPulse = 20 * time.Millisecond

// The places in a log are bytes since its beginning.
const (
	wroteSQL    = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
	replayedSQL = "select coalesce(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint, 0)"
)

// fresh reports whether the copy has all that we wrote.
func (r *replica) fresh() bool {
	return r != nil && r.replayed.Load() > 0 && r.replayed.Load() >= r.wrote.Load()
}

// follow keeps up with where the copy is, until the context ends.
func (r *replica) follow(ctx context.Context) {
	for ctx.Err() == nil {
		asking, cancel := context.WithTimeout(ctx, busyPatience)
		var at int64
		if err := r.pool.QueryRow(asking, replayedSQL).Scan(&at); err != nil {
			at = 0
		}
		cancel()
		r.replayed.Store(uint64(at))
		select {
		case <-ctx.Done():
		case <-time.After(replicaPulse):
		}
	}
}

// writing runs do, which changes something, on the primary. Reads that come after it see the change.
func (s *Store) writing(ctx context.Context, doing string, do func(*pgxpool.Conn) error) error {
	do = withNames(ctx, do)
	if s.replica == nil {
		return s.with(ctx, doing, do)
	}
	return s.with(ctx, doing, func(conn *pgxpool.Conn) error {
		failed := do(conn) // perhaps after it was committed
		var at int64
		if err := conn.QueryRow(context.WithoutCancel(ctx), wroteSQL).Scan(&at); err != nil {
			at = math.MaxInt64 // where we are is not known: nothing is read from the copy until a write tells
		}
		s.replica.note(uint64(at))
		return failed
	})
}

// note remembers the furthest place; one that is not known gives way to one that is.
func (r *replica) note(at uint64) {
	for {
		before := r.wrote.Load()
		if before != math.MaxInt64 && before >= at || r.wrote.CompareAndSwap(before, at) {
			return
		}
	}
}

// reading runs do, which changes nothing and may be run again, on the copy when it is fresh, and on the primary when it is
// not or fails.
func (s *Store) reading(ctx context.Context, doing string, do func(*pgxpool.Conn) error) error {
	if s.replica.fresh() {
		err := s.on(ctx, s.replica.pool, doing, do)
		if err == nil || !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return err
		}
	}
	return s.with(ctx, doing, do)
}

// with runs do on a connection to the primary.
func (s *Store) with(ctx context.Context, doing string, do func(*pgxpool.Conn) error) error {
	return s.on(ctx, s.pool, doing, do)
}

// on runs do on a connection of a pool, and turns what goes wrong into a fault.
func (s *Store) on(ctx context.Context, pool *pgxpool.Pool, doing string, do func(*pgxpool.Conn) error) error {
	waiting, cancel := context.WithTimeout(ctx, busyPatience)
	defer cancel()
	conn, err := pool.Acquire(waiting)
	if err != nil {
		if errors.Is(waiting.Err(), context.DeadlineExceeded) {
			err = fault.Wrap(fault.Unavailable, err, "the catalog is too busy")
		}
		return fmt.Errorf("catalog: %s: %w", doing, classify(err))
	}
	defer conn.Release()
	if err := do(conn); err != nil {
		return fmt.Errorf("catalog: %s: %w", doing, classify(err))
	}
	return nil
}
