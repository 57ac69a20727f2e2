package catalog

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// An empty catalog is filled without the indexes that searches use, and they are built when the load ends: that takes a third of
// the time, and the indexes are half as large. Until then searches are right, and slow. What was set aside stands in the
// database: after a load that was killed the next one builds it, or the housekeeping of any process that has the catalog open.

//go:embed sql/set_aside.sql
var setAsideSQL string

// loadLock is the advisory lock that loads share; who has it alone knows that there is none: "load" in ASCII.
const loadLock = 0x6c6f6164

// What the index of terms gathers before it takes it in: of single writes, which a search has to read, and of a load.
const (
	gatherFew  = "gin_pending_list_limit = 64" // kB, as in 0007_orbit.sql
	gatherMany = "gin_pending_list_limit = 16384"
)

// begin shares the lock of loads. It sets indexes aside while there is nothing that they are for; else it makes the index of
// terms gather more of what comes in, and take in some thousand items together.
func (l *loader) begin(ctx context.Context) error {
	if _, err := l.conn.Exec(ctx, "select pg_advisory_lock_shared($1)", loadLock); err != nil {
		return err
	}
	var empty bool
	if err := l.conn.QueryRow(ctx, "select not exists (select from item)").Scan(&empty); err != nil {
		return err
	}
	prepare := "alter index if exists item_terms set (" + gatherMany + ")"
	if l.blind = empty; empty {
		prepare = setAsideSQL
	}
	err := pgx.BeginFunc(ctx, l.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local lock_timeout = '2s'"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, prepare)
		return err
	})
	if failure := (*pgconn.PgError)(nil); errors.As(err, &failure) && failure.Code == "55P03" {
		return nil // somebody reads all the time: the load is slower then
	}
	return err
}

// end gives the lock of loads back.
func (l *loader) end(ctx context.Context) {
	_, _ = l.conn.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock_shared($1)", loadLock) // the connection's end does it too
}

// RestoreIndexes builds the indexes that a bulk load set aside, and makes the index of terms take in what it gathered, unless a
// load is running. Each is built whole or not at all.
// Items can be read meanwhile; who writes waits.
func (s *Store) RestoreIndexes(ctx context.Context) error {
	conn, release, err := connection(ctx, s)
	if err != nil {
		return fmt.Errorf("catalog: restore indexes: %w", err)
	}
	defer release()
	var alone bool
	if err := conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", loadLock).Scan(&alone); err != nil || !alone {
		return classify(err)
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", loadLock) }() // the connection's end does it too
	// Most of building an index is work for one processor.
	builders, building := errgroup.WithContext(ctx)
	builders.Go(func() error { return buildSetAside(building, conn.Conn()) })
	builders.Go(func() error { // with a connection of its own: who waits for one of the pool may wait for this
		second, err := pgx.ConnectConfig(building, s.pool.Config().ConnConfig)
		if err != nil {
			return err
		}
		defer second.Close(context.WithoutCancel(building))
		if _, err := second.Exec(building, "set statement_timeout = 0"); err != nil {
			return err
		}
		return buildSetAside(building, second)
	})
	err = builders.Wait()
	if err == nil {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return restoreTerms(ctx, tx) })
	}
	if err != nil {
		return fmt.Errorf("catalog: restore indexes: %w", classify(err))
	}
	return nil
}

// buildSetAside builds indexes until there is none left that nobody else builds.
func buildSetAside(ctx context.Context, conn *pgx.Conn) (err error) {
	for more := true; more && err == nil; {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			more = false
			var name, definition string
			err := tx.QueryRow(ctx, nextSetAside).Scan(&name, &definition)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			} else if err != nil {
				return err
			}
			more = true
			for _, statement := range []string{"set local maintenance_work_mem = '512MB'", definition} {
				if _, err := tx.Exec(ctx, statement); err != nil {
					return err
				}
			}
			_, err = tx.Exec(ctx, "delete from set_aside where name = $1", name)
			return err
		})
	}
	return err
}

// nextSetAside finds an index to build; that of terms takes the longest.
const nextSetAside = "select name, definition from set_aside order by name <> 'item_terms', name for update skip locked limit 1"

// gathering finds the index of terms when a load made it gather much.
const gathering = `select true from pg_class where oid = to_regclass('item_terms') and 'gin_pending_list_limit=16384' = any(reloptions)`

// restoreTerms makes the index of terms take in what it gathered, and gather little again.
func restoreTerms(ctx context.Context, tx pgx.Tx) error {
	var much bool
	err := tx.QueryRow(ctx, gathering).Scan(&much)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	for _, sql := range []string{"set local lock_timeout = '2s'", "alter index item_terms set (" + gatherFew + ")", takeInTerms} {
		if err == nil {
			_, err = tx.Exec(ctx, sql)
		}
	}
	return err
}

// takeInTerms makes the index of terms take in what it gathered, if it is there.
const takeInTerms = "select gin_clean_pending_list(to_regclass('item_terms'))"
