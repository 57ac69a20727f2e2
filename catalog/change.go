package catalog

import (
	"context"
	_ "embed"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
)

//go:embed sql/insert_item.sql
var insertItemSQL string

//go:embed sql/replace_item.sql
var replaceItemSQL string

//go:embed sql/remove_item.sql
var removeItemSQL string

// edit is one change of one item, made only if the item is still what was read.
type edit struct {
	old *stored // nil: there must be none
	new *row    // nil: it is removed
	doc document
}

// queue puts the statement of an edit into a batch.
func (e edit) queue(b *pgx.Batch, collection int16) *pgx.QueuedQuery {
	switch {
	case e.old == nil:
		return b.Queue(insertItemSQL, e.new.values(collection)...)
	case e.new == nil:
		return b.Queue(removeItemSQL, collection, e.old.hash, e.old.key, e.old.dict, e.old.packed)
	}
	return b.Queue(replaceItemSQL, append(e.new.values(collection), e.old.dict, e.old.packed)...)
}

// outcome is what came of an edit.
type outcome struct {
	collection bool       // it is there
	at         *time.Time // when the item was changed; nil: it was not, because it is not what was read
}

// collectionLocks are advisory locks, by collection number: writers share one, and who removes the collection has it alone.
const collectionLocks = 0x73776174 // "swat" in ASCII

// shareCollection is the first statement of every transaction that writes items of a collection: it can't be removed
// meanwhile. (A lock of its row would make every writer change the same row.)
const shareCollection = "select pg_advisory_xact_lock_shared($1, $2)"

// apply makes edits of one collection, all or none, in one transaction: their rows, their counts, and what the collection
// covers. Where one does not come off, its outcome says so and nothing is changed. One edit that widens nothing, which is
// the rule, is one round trip.
func (s *Store) apply(ctx context.Context, conn *pgxpool.Conn, collection int16, edits []edit) (outcomes []outcome, err error) {
	known, err := s.coverage(ctx, conn, collection)
	if err != nil {
		return nil, err
	}
	var wider []document
	for _, e := range edits {
		if e.new != nil && !known.holds(e.doc) {
			wider = append(wider, e.doc)
		}
	}
	single := len(edits) == 1 && wider == nil
	batch := &pgx.Batch{}
	if !single {
		batch.Queue("begin")
	}
	batch.Queue(shareCollection, collectionLocks, int32(collection))
	outcomes = make([]outcome, len(edits))
	complete := true
	for i, e := range edits {
		e.queue(batch, collection).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&outcomes[i].collection, &outcomes[i].at)
			complete = complete && outcomes[i].at != nil
			return err
		})
	}
	if err = conn.SendBatch(ctx, batch).Close(); single || err != nil {
		return outcomes, s.ended(ctx, conn, err)
	}
	if complete && wider != nil {
		known, err = widen(ctx, conn, collection, known, wider)
	}
	if !complete || err != nil {
		return outcomes, s.ended(ctx, conn, err)
	}
	if _, err = conn.Exec(ctx, "commit"); err == nil && wider != nil {
		s.covered.Store(collection, known)
		s.cache.invalidate()
	}
	return outcomes, s.ended(ctx, conn, err)
}

// ended leaves a connection without an open transaction, and returns err.
func (s *Store) ended(ctx context.Context, conn *pgxpool.Conn, err error) error {
	if conn.Conn().PgConn().TxStatus() != 'I' && !conn.Conn().IsClosed() {
		_, rollback := conn.Exec(context.WithoutCancel(ctx), "rollback")
		if err == nil {
			err = rollback
		}
	}
	return err
}

// mostAttempts is how often an edit is begun anew because somebody else was faster: each time, somebody else was done.
const mostAttempts = 1000

// attempts calls try until it is done, a little later each time.
func attempts(ctx context.Context, try func() (done bool, err error)) error {
	for n := range mostAttempts {
		if done, err := try(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(rand.Int64N(int64(min(n+1, 20)) * int64(100*time.Microsecond)))):
		}
	}
	return fault.New(fault.Unavailable, "too many change the same at once: try again")
}
