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
	var some bool
	err = conn.QueryRow(ctx, "select exists (select from set_aside)").Scan(&some)
	if err == nil && some {
		err = s.buildAll(ctx, conn.Conn())
	}
	if err == nil {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return restoreTerms(ctx, tx) })
	}
	if err != nil {
		return fmt.Errorf("catalog: restore indexes: %w", classify(err))
	}
	return nil
}

// buildAll builds what was set aside with two connections: most of building an index is work for one processor, and that of terms takes
// longer than all others together.
func (s *Store) buildAll(ctx context.Context, first *pgx.Conn) error {
	builders, ctx := errgroup.WithContext(ctx)
	builders.Go(func() error { return buildSetAside(ctx, first) })
	builders.Go(func() error { // a connection of its own: who waits for one of the pool may wait for this
		second, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
		if err != nil {
			return err
		}
		defer second.Close(context.WithoutCancel(ctx))
		if _, err = second.Exec(ctx, "set statement_timeout = 0"); err == nil {
			err = buildSetAside(ctx, second)
		}
		return err
	})
	return builders.Wait()
}

// buildSetAside builds indexes until there is none left that nobody else builds.
func buildSetAside(ctx context.Context, conn *pgx.Conn) (err error) {
	for more := true; more && err == nil; {
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			more = false
			var name, definition string
			var heapBytes int64
			err := tx.QueryRow(ctx, nextSetAside).Scan(&name, &definition, &heapBytes)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			} else if err != nil {
				return err
			}
			more = true
			for _, statement := range append(building(name, heapBytes), definition) {
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
const nextSetAside = `select name, definition, pg_relation_size(to_regclass('item'))
from set_aside order by name <> 'item_terms', name for update skip locked limit 1`

// building returns the settings that an index is built with. The index of terms gathers entries in memory and takes them in when that is full:
// of one round its pages are left half empty, as entries come in order, and in the memory of eight it finds them sooner (of 300,000
// items 2.8 s and 125 bytes an item instead of 3.4 and 171). An item takes 600 bytes of the table and 450 of that memory.
func building(name string, heapBytes int64) []string {
	const least, most = 16 << 20, 512 << 20
	memory, workers := int64(most), "0" // each builder has a processor
	if name == "item_terms" {
		memory, workers = min(max(heapBytes/11, least), most), "default" // servers that can build it by several are newer than 17
	}
	return []string{fmt.Sprintf("set local maintenance_work_mem = '%dkB'", memory>>10), "set local max_parallel_maintenance_workers = " + workers}
}

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
