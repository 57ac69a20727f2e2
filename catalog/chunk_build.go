package catalog

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac/cql2"
)

//go:embed sql/chunk_state.sql
var chunkStateSQL string

//go:embed sql/chunk_writers.sql
var chunkWritersSQL string

//go:embed sql/chunk_items.sql
var chunkItemsSQL string

//go:embed sql/chunk_named_items.sql
var chunkNamedItemsSQL string

//go:embed sql/chunk_forget.sql
var chunkForgetSQL string

//go:embed sql/chunk_of.sql
var chunkOfSQL string

//go:embed sql/chunk_put.sql
var chunkPutSQL string

const (
	chunkRound   = time.Second // of building, between two rounds of other housekeeping
	chunksAtOnce = 8           // blocks in one transaction: some 0.3 s
	mendAtOnce   = 2048        // replaced items in one transaction
	chunkLock    = 0x63686e6b  // "chnk" in ASCII: one process builds at a time
)

// chunkState is what there is of chunks at one moment.
type chunkState struct {
	upto  map[string]int64 // blocks, by property
	last  int64            // highest key that was given to an item
	stale bool
}

func readChunkState(ctx context.Context, q querier) (c chunkState, err error) {
	rows, err := q.Query(ctx, chunkStateSQL)
	if err != nil {
		return c, err
	}
	var names []string
	var upto []int64
	c.upto = map[string]int64{}
	_, err = pgx.ForEachRow(rows, []any{&names, &upto, &c.last, &c.stale}, func() error {
		for i, name := range names {
			c.upto[name] = upto[i]
		}
		return nil
	})
	return c, err
}

// horizon finds keys below which no item can appear any more: keys are given in order, so once all who wrote at some moment
// are done, whatever was given before it is there or never will be.
type horizon struct {
	settled int64           // all items up to this key are there
	next    int64           // the highest key at the moment that is waited for
	writers map[string]bool // of that moment who are not done yet
}

// advance looks at who writes now; last was read before.
func (h *horizon) advance(ctx context.Context, q querier, last int64) error {
	if len(h.writers) == 0 && last == h.settled {
		return nil
	}
	rows, err := q.Query(ctx, chunkWritersSQL, int64(collectionLocks))
	if err != nil {
		return err
	}
	now, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]string])
	if err != nil {
		return err
	}
	if len(h.writers) == 0 {
		h.next, h.writers = last, map[string]bool{}
		for _, w := range now {
			h.writers[w] = true
		}
	} else {
		maps.DeleteFunc(h.writers, func(w string, _ bool) bool { return !slices.Contains(now, w) })
	}
	if len(h.writers) == 0 {
		h.settled = h.next
	}
	return nil
}

// buildChunks mends and builds chunks for a while.
func (s *Store) buildChunks(ctx context.Context) error {
	set, err := s.collections(ctx)
	if err != nil {
		return err
	}
	if s.declared.set != set {
		s.declared.set, s.declared.names = set, declaredNumbers(set)
	}
	wanted := slices.Concat(s.declared.names, s.wishes.often())
	for began := time.Now(); time.Since(began) < chunkRound; {
		more := false
		err := s.with(ctx, "build chunks", func(conn *pgxpool.Conn) (err error) {
			more, err = s.buildSome(ctx, conn, wanted)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// buildSome mends some chunks and builds some; more says that it could go on. Nothing is written when nothing is to be done.
func (s *Store) buildSome(ctx context.Context, conn *pgxpool.Conn, wanted []string) (more bool, err error) {
	state, err := readChunkState(ctx, conn)
	if err == nil {
		err = s.horizon.advance(ctx, conn, state.last)
	}
	if err != nil {
		return false, err
	}
	var missing []string
	for _, name := range wanted {
		if _, ok := state.upto[name]; !ok && mayHaveChunks(name) {
			missing = append(missing, name)
		}
	}
	names, first, blocks := state.next(s.horizon.settled)
	if !state.stale && missing == nil && blocks == 0 {
		return false, nil
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var ours bool
		if err := tx.QueryRow(ctx, "select pg_try_advisory_xact_lock($1)", chunkLock).Scan(&ours); err != nil || !ours {
			return err
		}
		now, err := readChunkState(ctx, tx) // another process may have gone on
		if err != nil {
			return err
		}
		names, first, blocks = now.next(s.horizon.settled)
		if blocks > 0 { // a bulk load goes first
			var idle bool
			if err := tx.QueryRow(ctx, "select pg_try_advisory_xact_lock($1)", loadLock).Scan(&idle); err != nil {
				return err
			}
			if !idle {
				blocks = 0
			}
		}
		mended, err := s.mendChunks(ctx, tx, slices.Collect(maps.Keys(now.upto)))
		if err == nil && blocks > 0 {
			err = s.newChunks(ctx, tx, names, first, blocks)
		}
		if err == nil && missing != nil {
			_, err = tx.Exec(ctx, "insert into chunk_property (name, upto) select unnest($1::text[]), 0 on conflict do nothing", missing)
		}
		more = mended == mendAtOnce || blocks > 0 || missing != nil
		return err
	})
	return more && err == nil, err
}

// next returns the properties that are the farthest behind, and which blocks they need next.
func (c chunkState) next(settled int64) (names []string, first, blocks int64) {
	for name, upto := range c.upto {
		if names == nil || upto < first {
			names, first = nil, upto
		}
		if upto == first {
			names = append(names, name)
		}
	}
	if names == nil { // nothing is to be built of: else this would go round for ever
		return nil, 0, 0
	}
	return names, first, max(0, min((settled+1)/chunkItems-first, chunksAtOnce))
}

// newChunks builds the chunks of some properties and of some blocks in a row.
func (s *Store) newChunks(ctx context.Context, tx pgx.Tx, names []string, first, blocks int64) error {
	if names == nil {
		return nil
	}
	made := make([][]*columnChunk, len(names))
	for i := range made {
		for range blocks {
			made[i] = append(made[i], emptyChunk())
		}
	}
	err := s.forEachBody(ctx, tx, func(pk int64, it *cql2.Item) {
		for i, name := range names {
			made[i][pk/chunkItems-first].set(pk, it, name)
		}
	}, chunkItemsSQL, first*chunkItems, (first+blocks)*chunkItems)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for i, name := range names {
		for b, c := range made[i] {
			queueChunk(batch, name, first+int64(b), c)
		}
	}
	batch.Queue("update chunk_property set upto = $2 where name = any($1)", names, first+blocks)
	return tx.SendBatch(ctx, batch).Close()
}

// mendChunks looks again at some of the items that were replaced.
func (s *Store) mendChunks(ctx context.Context, tx pgx.Tx, names []string) (n int, err error) {
	rows, err := tx.Query(ctx, chunkForgetSQL, mendAtOnce)
	if err != nil {
		return 0, err
	}
	stale, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(stale) == 0 || len(names) == 0 {
		return len(stale), err
	}
	blocks := map[int64]bool{}
	for _, pk := range stale {
		blocks[pk/chunkItems] = true
	}
	type key struct {
		name  string
		block int64
	}
	found := map[key]*columnChunk{}
	if rows, err = tx.Query(ctx, chunkOfSQL, slices.Collect(maps.Keys(blocks)), names); err != nil {
		return 0, err
	}
	var k key
	var raw []byte
	if _, err = pgx.ForEachRow(rows, []any{&k.name, &k.block, &raw}, func() error {
		found[k] = parseChunk(raw)
		return nil
	}); err != nil || len(found) == 0 {
		return len(stale), err
	}
	err = s.forEachBody(ctx, tx, func(pk int64, it *cql2.Item) {
		for _, name := range names {
			if c := found[key{name, pk / chunkItems}]; c != nil {
				c.set(pk, it, name)
			}
		}
	}, chunkNamedItemsSQL, stale)
	if err != nil {
		return 0, err
	}
	batch := &pgx.Batch{}
	for k, c := range found {
		queueChunk(batch, k.name, k.block, c)
	}
	return len(stale), tx.SendBatch(ctx, batch).Close()
}

func queueChunk(batch *pgx.Batch, name string, block int64, c *columnChunk) {
	raw, n, lo, hi := c.bytes()
	batch.Queue(chunkPutSQL, name, block, n, lo, hi, raw)
}

// forEachBody calls do with the items of a statement.
func (s *Store) forEachBody(ctx context.Context, q querier, do func(pk int64, it *cql2.Item), sql string, args ...any) error {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	var pk int64
	var dict int16
	var packed []byte
	_, err = pgx.ForEachRow(rows, []any{&pk, &dict, &packed}, func() error {
		body, err := s.pack.decode(dict, packed)
		if err != nil {
			return fmt.Errorf("item %d: %w", pk, err)
		}
		do(pk, &cql2.Item{Body: body})
		return nil
	})
	return err
}
