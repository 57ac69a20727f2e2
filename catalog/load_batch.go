package catalog

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
)

//go:embed sql/load_find.sql
var loadFindSQL string

//go:embed sql/load_count.sql
var loadCountSQL string

//go:embed sql/load_mark.sql
var loadMarkSQL string

const (
	batchRows  = 10_000   // lines of one transaction
	batchBytes = 32 << 20 // of rows, at most by one chunk more
)

// batch is what one transaction writes: the rows of some chunks that follow each other.
type batch struct {
	rows     []loadRow
	bytes    int
	rejected []Rejection
	wider    map[int16][]document
	endLine  int64
	endBytes int64
}

// newBatch has room for a batch and the chunk that fills it.
func newBatch() *batch {
	return &batch{rows: make([]loadRow, 0, batchRows+batchRows/16), wider: map[int16][]document{}}
}

func (b *batch) add(p parsed) {
	b.rows = append(b.rows, p.rows...)
	for i := range p.rows {
		b.bytes += p.rows[i].row.size()
	}
	b.rejected = append(b.rejected, p.rejected...)
	for collection, docs := range p.wider {
		b.wider[collection] = append(b.wider[collection], docs...)
	}
	b.endLine, b.endBytes = p.endLine, p.endBytes
}

func (b *batch) full() bool { return len(b.rows) >= batchRows || b.bytes >= batchBytes }

// pack packs what came before its collection had a dictionary, which may have one now.
func (b *batch) pack(p *packer) (err error) {
	for i := range b.rows {
		if r := &b.rows[i]; r.row.dict == notPacked && err == nil {
			r.row.dict, r.row.body, err = p.encode(r.collection, r.row.body)
		}
	}
	return err
}

// number gives all words of the batch their numbers: one commit, for which nobody but the next batch waits.
func (b *batch) number(ctx context.Context, s *Store) error {
	var keys []word
	for i := range b.rows {
		keys = b.rows[i].worded.words(keys)
	}
	numbers, err := s.words.number(ctx, s.pool, keys)
	for i := range b.rows {
		r := &b.rows[i]
		r.row.grid, r.row.plat = r.worded.numbered(numbers)
	}
	return err
}

// collections returns the numbers of those that the batch writes to, in order.
func (b *batch) collections() []int16 {
	set := map[int16]bool{}
	for _, r := range b.rows {
		set[r.collection] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// batchPlan is what is to be done with the rows of a batch.
type batchPlan struct {
	fresh    []*loadRow
	edits    []edit
	into     []int16 // the collections of the edits
	counts   Loaded
	rejected []Rejection
}

// errAgain says that somebody else wrote the same items meanwhile.
var errAgain = errors.New("somebody else was faster")

// write writes a batch, and returns what came of its lines. All of it is one transaction: the rows, their counts, what the
// collections cover, and the mark that says so.
func (l *loader) write(ctx context.Context, b *batch) (after Loaded, rejected []Rejection, err error) {
	err = attempts(ctx, func() (done bool, err error) {
		var p batchPlan
		covered := map[int16]*coverage{}
		err = pgx.BeginFunc(ctx, l.conn, func(tx pgx.Tx) error {
			p, err = l.look(ctx, tx, b, !l.blind)
			if err == nil {
				err = l.copy(ctx, tx, p.fresh)
			}
			if err == nil {
				err = replace(ctx, tx, p)
			}
			if err == nil {
				err = addCounts(ctx, tx, p.fresh)
			}
			for _, collection := range slices.Sorted(maps.Keys(b.wider)) {
				if err != nil {
					return err
				}
				known, err2 := l.store.coverage(ctx, tx, collection)
				if err = err2; err == nil {
					covered[collection], err = widen(ctx, tx, collection, known, b.wider[collection])
				}
			}
			if err != nil {
				return err
			}
			after, rejected = l.done.plus(p.counts), append(b.rejected, p.rejected...)
			after.Rejected += int64(len(rejected))
			after.Lines = b.endLine
			return l.mark(ctx, tx, after, b.endBytes)
		})
		if failure := (*pgconn.PgError)(nil); errors.Is(err, errAgain) || errors.As(err, &failure) && (failure.Code == "23505" || failure.Code == "40P01") {
			l.blind = false
			return false, nil // a unique violation, a deadlock
		}
		if err == nil {
			for collection, c := range covered {
				l.store.covered.Store(collection, c)
			}
		}
		return true, err
	})
	return after, rejected, err
}

// look compares the rows of a batch with each other, and with what is stored if it is asked to.
func (l *loader) look(ctx context.Context, tx pgx.Tx, b *batch, withStored bool) (p batchPlan, err error) {
	type identity struct {
		collection int16
		hash       int64
	}
	last := make(map[identity]int, len(b.rows))
	var places []int
	for i := range b.rows {
		r := &b.rows[i]
		id := identity{r.collection, r.row.hash}
		before, twice := last[id]
		switch {
		case !twice:
			last[id] = len(places)
			places = append(places, i)
		case b.rows[places[before]].row.key != r.row.key:
			p.rejected = append(p.rejected, r.collision())
		default: // the later line counts
			same, err := l.same(b.rows[places[before]].row.dict, b.rows[places[before]].row.body, r)
			if err != nil {
				return p, err
			}
			p.counts.add(!same)
			places[before] = i
		}
	}
	if err := there(ctx, tx, b.collections()); fault.Is(err, fault.Conflict) {
		l.store.numbers.Clear() // one of them is of a collection that is gone: the next load asks again
		return p, err
	} else if err != nil {
		return p, err
	}
	known := make([]bool, len(places))
	if withStored {
		if err := l.find(ctx, tx, b, places, known, &p); err != nil {
			return p, err
		}
	}
	for n, i := range places {
		if !known[n] {
			p.fresh = append(p.fresh, &b.rows[i])
		}
	}
	p.counts.Loaded += int64(len(p.fresh))
	return p, nil
}

// find compares rows of a batch with what is stored, and notes which are known.
func (l *loader) find(ctx context.Context, tx pgx.Tx, b *batch, places []int, known []bool, p *batchPlan) error {
	collections, hashes := make([]int16, len(places)), make([]int64, len(places))
	for n, i := range places {
		collections[n], hashes[n] = b.rows[i].collection, b.rows[i].row.hash
	}
	found, err := tx.Query(ctx, loadFindSQL, collections, hashes)
	if err != nil {
		return err
	}
	var place int64
	var old stored
	_, err = pgx.ForEachRow(found, []any{&place, &old.key, &old.dict, &old.packed}, func() error {
		r := &b.rows[places[place-1]]
		known[place-1] = true
		if old.key != r.row.key {
			p.rejected = append(p.rejected, r.collision())
			return nil
		}
		same, err := l.same(old.dict, old.packed, r)
		if err != nil {
			return err
		}
		p.counts.add(!same)
		if !same {
			p.edits = append(p.edits, edit{old: &stored{hash: r.row.hash, key: old.key, dict: old.dict, packed: bytes.Clone(old.packed)}, new: &r.row})
			p.into = append(p.into, r.collection)
		}
		return nil
	})
	return err
}

func (r *loadRow) collision() Rejection {
	return Rejection{Line: r.line, Item: r.row.id, Reason: "the id has the same hash as another id of the collection: give it another name"}
}

// same reports whether a packed body says the same as that of a row.
func (l *loader) same(dict int16, packed []byte, r *loadRow) (bool, error) {
	if dict == r.row.dict && bytes.Equal(packed, r.row.body) {
		return true, nil
	}
	a, err := l.store.pack.decode(dict, packed)
	if err != nil {
		return false, err
	}
	b, err := l.store.pack.decode(r.row.dict, r.row.body)
	return err == nil && bytes.Equal(a, b), err
}

// there makes sure that collections stay until the end of the transaction.
func there(ctx context.Context, tx pgx.Tx, collections []int16) error {
	ask := &pgx.Batch{}
	for _, c := range collections {
		ask.Queue(shareCollection, collectionLocks, int32(c))
	}
	var n int
	ask.Queue("select count(*) from collection where number = any($1)", collections).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
	if err := tx.SendBatch(ctx, ask).Close(); err != nil {
		return err
	}
	if n < len(collections) {
		return fault.New(fault.Conflict, "a collection was removed while it was loaded: load it again")
	}
	return nil
}

// copy writes rows of items that are not stored yet.
func (l *loader) copy(ctx context.Context, tx pgx.Tx, fresh []*loadRow) error {
	if len(fresh) == 0 {
		return nil
	}
	_, err := tx.Conn().PgConn().CopyFrom(ctx, &copyStream{rows: fresh, rest: copyHead}, copyRows)
	return err
}

// replace writes rows of items that were stored with other bodies. They are counted by their statements.
func replace(ctx context.Context, tx pgx.Tx, p batchPlan) error {
	if len(p.edits) == 0 {
		return nil
	}
	order := make([]int, len(p.edits))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { // as all who write several items do
		if p.into[a] != p.into[b] {
			return int(p.into[a]) - int(p.into[b])
		}
		if p.edits[a].new.hash < p.edits[b].new.hash {
			return -1
		}
		return 1
	})
	statements, missed := &pgx.Batch{}, false
	for _, i := range order {
		p.edits[i].queue(statements, p.into[i]).QueryRow(func(row pgx.Row) error {
			var collection bool
			var at *time.Time
			err := row.Scan(&collection, &at)
			missed = missed || at == nil
			return err
		})
	}
	err := tx.SendBatch(ctx, statements).Close()
	if err == nil && missed {
		err = errAgain
	}
	return err
}

// addCounts adds new rows to the totals.
func addCounts(ctx context.Context, tx pgx.Tx, fresh []*loadRow) error {
	if len(fresh) == 0 {
		return nil
	}
	type day struct {
		collection, decile int16
		day                int32
	}
	type cell struct {
		collection int16
		cell       int32
	}
	perDay, perCell := map[day]int64{}, map[cell]int64{}
	for _, r := range fresh {
		perDay[day{r.collection, decileOf(r.row.cc), dayOf(r.row.at)}]++
		perCell[cell{r.collection, r.row.cell}]++
	}
	var ofDays, deciles, ofCells []int16
	var days, cells []int32
	var nDays, nCells []int64
	for k, n := range perDay {
		ofDays, days, deciles, nDays = append(ofDays, k.collection), append(days, k.day), append(deciles, k.decile), append(nDays, n)
	}
	for k, n := range perCell {
		ofCells, cells, nCells = append(ofCells, k.collection), append(cells, k.cell), append(nCells, n)
	}
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1)", foldLock); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, loadCountSQL, ofDays, days, deciles, nDays, ofCells, cells, nCells)
	return err
}

// decileOf is the function decile of the database.
func decileOf(cc *float64) int16 {
	if cc == nil {
		return -1
	}
	return int16(math.Floor(min(max(*cc, 0), 99) / 10))
}

// dayOf is the function utc_day of the database, in days since 2000-01-01.
func dayOf(at time.Time) int32 {
	return int32(math.Floor(float64(at.Unix()-epoch2000) / 86400))
}

func (l *loader) mark(ctx context.Context, tx pgx.Tx, after Loaded, bytes int64) error {
	if l.identity == "" {
		return nil
	}
	_, err := tx.Exec(ctx, loadMarkSQL, l.identity, after.Lines, bytes, after.Loaded, after.Unchanged, after.Replaced, after.Rejected)
	return err
}

// connection returns one for a load: its statements may take as long as they need.
func connection(ctx context.Context, s *Store) (*pgxpool.Conn, func(), error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, nil, classify(err)
	}
	if _, err := conn.Exec(ctx, "set statement_timeout = 0"); err != nil {
		conn.Release()
		return nil, nil, classify(err)
	}
	return conn, func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), "reset statement_timeout") // a broken connection is not used again
		conn.Release()
	}, nil
}
