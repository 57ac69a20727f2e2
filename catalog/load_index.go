package catalog

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// An empty catalog is filled without the indexes that searches use, and they are built when the load ends: that takes a third of
// the time, and the indexes are half as large. Until then searches are right, and slow. What was set aside stands in the
// database: after a load that was killed the next one builds it, or the housekeeping of any process that has the catalog open.
//
// The index of names, which keeps an item from coming twice, is set aside only by a load that nobody else loads beside, and that
// remembers the names of all that it writes. It is built as soon as a name comes again, another load begins, or anybody else writes
// an item, who needs it to be there; and when there are so many names that they take too much memory.

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
	var alone bool
	if err := l.conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", loadLock).Scan(&alone); err != nil {
		return err
	}
	_, err := l.conn.Exec(ctx, "select pg_advisory_lock_shared($1)", loadLock)
	if err == nil {
		err = l.prepare(ctx, alone)
	}
	if alone { // from now on others may load
		_, failed := l.conn.Exec(ctx, "select pg_advisory_unlock($1)", loadLock)
		err = errors.Join(err, failed)
	}
	if err == nil && l.names == nil {
		err = restoreNames(ctx, l.conn.Conn()) // another load may have set it aside
	}
	return err
}

// prepare makes the table ready for a load, unless somebody reads all the time: the load is slower then.
func (l *loader) prepare(ctx context.Context, alone bool) error {
	if err := l.conn.QueryRow(ctx, isEmpty).Scan(&l.blind); err != nil {
		return err
	}
	var names map[uint64]struct{}
	err := pgx.BeginFunc(ctx, l.conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "set local lock_timeout = '2s'")
		if err == nil && !l.blind {
			_, err = tx.Exec(ctx, "alter index if exists item_terms set ("+gatherMany+")")
		} else if err == nil {
			names, err = setAside(ctx, tx, alone)
		}
		return err
	})
	if failure := (*pgconn.PgError)(nil); errors.As(err, &failure) && failure.Code == "55P03" {
		return nil
	}
	if err == nil {
		l.names = names
	}
	return err
}

const isEmpty = "select not exists (select from item)"

// setAside sets indexes aside, that of names for who loads alone: it returns a place for names then.
func setAside(ctx context.Context, tx pgx.Tx, alone bool) (names map[uint64]struct{}, err error) {
	var still bool // nobody has written since it was asked
	if _, err = tx.Exec(ctx, "lock table item"); err == nil {
		err = tx.QueryRow(ctx, isEmpty).Scan(&still)
	}
	if err != nil || !still {
		return nil, err
	}
	rows, err := tx.Query(ctx, setAsideSQL, alone)
	if err != nil {
		return nil, err
	}
	set, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, name := range set {
		if err == nil {
			_, err = tx.Exec(ctx, "drop index "+pgx.Identifier{name}.Sanitize())
		}
	}
	if alone {
		names = map[uint64]struct{}{}
	}
	return names, err
}

// mostNames is how many names a load remembers: they take 40 MB.
const mostNames = 2_000_000

// remember notes the names of a batch, or has the index of names built when it can't go without it any longer. Two names that look
// alike are taken for one.
func (l *loader) remember(ctx context.Context, b *batch) error {
	if l.names == nil {
		return nil
	}
	again := false
	for i := range b.rows {
		_, known := l.names[b.rows[i].name()]
		again = again || known
	}
	if again || len(l.names)+len(b.rows) > mostNames {
		l.names, l.blind = nil, !again
		return restoreNames(ctx, l.conn.Conn())
	}
	for i := range b.rows {
		l.names[b.rows[i].name()] = struct{}{}
	}
	return nil
}

func (r *loadRow) name() uint64 { return uint64(r.row.hash) ^ uint64(r.collection)<<48 }

// restoreNames builds the index of names when it was set aside.
func restoreNames(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var definition string
		err := tx.QueryRow(ctx, "select definition from set_aside where name = 'item_id' for update").Scan(&definition)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		for _, statement := range append(building("item_id", 0), "set local statement_timeout = 0", definition, "delete from set_aside where name = 'item_id'") {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// withNames makes do be done once more, when it failed because the index of names was set aside, as soon as that is built.
func withNames(ctx context.Context, do func(*pgxpool.Conn) error) func(*pgxpool.Conn) error {
	const noSuchIndex = "42P10" // no unique constraint is what ON CONFLICT names
	return func(conn *pgxpool.Conn) error {
		err := do(conn)
		if failure := (*pgconn.PgError)(nil); errors.As(err, &failure) && failure.Code == noSuchIndex {
			if err = restoreNames(ctx, conn.Conn()); err == nil {
				err = do(conn)
			}
		}
		return err
	}
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
