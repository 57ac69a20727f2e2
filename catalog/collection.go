package catalog

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

//go:embed sql/insert_collection.sql
var insertCollectionSQL string

//go:embed sql/replace_collection.sql
var replaceCollectionSQL string

//go:embed sql/remove_collection.sql
var removeCollectionSQL string

// Collections returns all collections by id, each with an extent that holds its items. The caller may keep the answer and
// must not change it.
func (s *Store) Collections(ctx context.Context) ([]stac.Collection, error) {
	set, err := s.collections(ctx)
	if err != nil {
		return nil, err
	}
	return set.served, nil
}

// Collection returns one, with an extent that holds its items, or fault.NotFound.
func (s *Store) Collection(ctx context.Context, id string) (stac.Collection, error) {
	set, err := s.collections(ctx)
	if err != nil {
		return stac.Collection{}, err
	}
	if c := set.byID[id]; c != nil {
		return c.served, nil
	}
	return stac.Collection{}, noCollection(id)
}

// number returns the number of a collection, or fault.NotFound. It may have been removed since: whoever writes finds out.
func (s *Store) number(ctx context.Context, q querier, id string) (int16, error) {
	if !stac.ScopeOf(ctx).Sees(id) {
		return 0, noCollection(id)
	}
	if number, ok := s.numbers.Load(id); ok {
		return number.(int16), nil
	}
	rows, err := q.Query(ctx, "select number from collection where id = $1", id)
	if err != nil {
		return 0, err
	}
	number, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int16])
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, noCollection(id)
	}
	if err == nil {
		s.numbers.Store(id, number)
	}
	return number, err
}

// PutCollection creates a collection or replaces its body, which is stored compact and without links that the server makes. The extent it declares
// is served widened by the items; without one, the extent is what the items cover.
func (s *Store) PutCollection(ctx context.Context, c stac.Collection) error {
	_, err := s.ChangeCollection(ctx, c.ID, func(*stac.Collection) (*stac.Collection, error) { return &c, nil })
	return err
}

// ChangeCollection hands a collection as it is served to change, and stores what it returns; see stac.Editor. The items of a
// collection that is removed are out of sight at once.
func (s *Store) ChangeCollection(ctx context.Context, id string, change func(*stac.Collection) (*stac.Collection, error)) (c stac.Collection, err error) {
	var refused error // by change
	var removed int16
	err = s.writing(ctx, "change collection "+id, func(conn *pgxpool.Conn) error {
		return attempts(ctx, func() (done bool, err error) {
			set, err := readCollections(ctx, conn)
			if err != nil {
				return false, err
			}
			c, removed = stac.Collection{}, 0
			if !stac.ScopeOf(ctx).Sees(id) {
				if after, err := change(nil); after != nil || err != nil {
					refused = cmp.Or(err, error(fault.New(fault.Conflict, "the collection %q can't be made: choose another id", id)))
				}
				return true, nil
			}
			old := set.byID[id]
			var before *stac.Collection
			if old != nil {
				copied := old.served
				copied.Body = bytes.Clone(copied.Body)
				before = &copied
			}
			after, err := change(before)
			if err != nil {
				refused = err
				return true, nil
			}
			if after == nil {
				if old == nil {
					return true, nil
				}
				removed = old.number
				return s.removeCollection(ctx, conn, old)
			}
			body, err := collectionBody(id, after.Body)
			if err != nil {
				return false, err
			}
			if old != nil && (bytes.Equal(body, old.stored) || bytes.Equal(body, old.served.Body)) {
				c = old.served
				return true, nil
			}
			var rows pgx.Rows
			var covered extent
			if old == nil {
				rows, err = conn.Query(ctx, insertCollectionSQL, id, string(body))
			} else {
				covered = old.covered
				rows, err = conn.Query(ctx, replaceCollectionSQL, old.number, string(body), string(old.stored))
			}
			if err != nil {
				return false, err
			}
			updated, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[time.Time])
			if errors.Is(err, pgx.ErrNoRows) {
				return false, nil // somebody else was faster
			}
			c = stac.Collection{ID: id, Updated: updated.UTC(), Body: widened(body, covered)}
			s.cache.invalidate()
			return true, err
		})
	})
	if refused != nil {
		return stac.Collection{}, refused
	}
	if err != nil {
		return stac.Collection{}, err
	}
	if removed != 0 { // a large one is swept by the housekeeping: it is gone for all who ask
		soon, cancel := context.WithTimeout(ctx, sweepPatience)
		defer cancel()
		_ = s.sweep(soon, removed)
	}
	return c, nil
}

// collectionBody checks a collection at the door and returns what is stored.
func collectionBody(id string, body []byte) ([]byte, error) {
	read, err := open(body)
	if err != nil {
		return nil, err
	}
	members := read.members
	if err := named(members, "type", "Collection"); err != nil {
		return nil, err
	}
	if err := named(members, "id", id); err != nil {
		return nil, err
	}
	return object(members), nil
}

// removeCollection waits for those who write its items, and keeps others from beginning to.
func (s *Store) removeCollection(ctx context.Context, conn *pgxpool.Conn, old *collection) (done bool, err error) {
	batch := &pgx.Batch{} // one transaction
	batch.Queue("select pg_advisory_xact_lock($1, $2)", collectionLocks, int32(old.number))
	batch.Queue(removeCollectionSQL, old.number, string(old.stored)).Query(func(rows pgx.Rows) error {
		done = rows.Next()
		rows.Close()
		return rows.Err()
	})
	err = conn.SendBatch(ctx, batch).Close()
	s.numbers.Delete(old.served.ID)
	s.covered.Delete(old.number)
	s.cache.invalidate()
	return done, err
}

// collection is one collection with all that is known of it.
type collection struct {
	number  int16
	served  stac.Collection
	stored  []byte
	covered extent
}

// collectionSet is all collections at one moment, or those of them that a scope shows. It is not changed.
type collectionSet struct {
	served []stac.Collection // by id
	byID   map[string]*collection
	names  map[int16]string // by number
	shown  sync.Map         // *collectionSet by key of a scope
}

// seen returns the collections that a scope shows. Whoever searches, counts or lists gets no others into its hands.
func (s *collectionSet) seen(scope stac.Scope) *collectionSet {
	if scope.Key() == "" {
		return s
	}
	if part, ok := s.shown.Load(scope.Key()); ok {
		return part.(*collectionSet)
	}
	part := &collectionSet{byID: map[string]*collection{}, names: map[int16]string{}}
	for _, c := range s.served {
		if scope.Sees(c.ID) {
			one := s.byID[c.ID]
			part.served, part.byID[c.ID], part.names[one.number] = append(part.served, c), one, c.ID
		}
	}
	s.shown.Store(scope.Key(), part)
	return part
}

// name returns the id of a collection.
func (s *collectionSet) name(number int16) string { return s.names[number] }

//go:embed sql/collections.sql
var collectionsSQL string

func readCollections(ctx context.Context, q querier) (*collectionSet, error) {
	rows, err := q.Query(ctx, collectionsSQL)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*collection, error) {
		var c collection
		var covered extentRow
		if err := row.Scan(append([]any{&c.number, &c.served.ID, &c.served.Updated, (*rawText)(&c.stored)}, covered.targets()...)...); err != nil {
			return nil, err
		}
		c.covered = covered.extent()
		c.served.Updated = c.served.Updated.UTC()
		c.served.Body = widened(c.stored, c.covered)
		return &c, nil
	})
	set := &collectionSet{served: make([]stac.Collection, len(all)), byID: make(map[string]*collection, len(all)), names: make(map[int16]string, len(all))}
	for i, c := range all {
		set.served[i], set.byID[c.served.ID], set.names[c.number] = c.served, c, c.served.ID
	}
	return set, err
}

// rawText receives a text as bytes.
type rawText []byte

// ScanText is called by pgx.
func (r *rawText) ScanText(v pgtype.Text) error {
	*r = slices.Clone([]byte(v.String))
	return nil
}

// widened returns the body of a collection with an extent that holds its items.
func widened(body []byte, covered extent) []byte {
	members, _ := membersOf(body) // checked when it was stored
	return object(set(members, "extent", widenDeclared(get(members, "extent"), covered)))
}
