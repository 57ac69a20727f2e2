package catalog

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

//go:embed sql/item.sql
var itemSQL string

//go:embed sql/item_of.sql
var itemOfSQL string

//go:embed sql/find_items.sql
var findItemsSQL string

// stored is an item as it was read.
type stored struct {
	hash, key int64
	dict      int16
	packed    []byte
	updated   time.Time
	body      []byte
}

// find returns the number of a collection and its item, nil when there is none. Fault.NotFound when the collection is missing.
func (s *Store) find(ctx context.Context, conn *pgxpool.Conn, collection, id string) (number int16, it *stored, err error) {
	if !stac.ScopeOf(ctx).Sees(collection) {
		return 0, nil, noCollection(collection)
	}
	var row stored
	var exists bool
	row.hash, row.key = hashesOf(id)
	args := pgx.NamedArgs{"collection": collection, "hash": row.hash, "key": row.key}
	err = conn.QueryRow(ctx, itemSQL, args).Scan(&number, &exists, &row.updated, &row.dict, &row.packed)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, noCollection(collection)
	} else if err != nil || !exists {
		return number, nil, err
	}
	row.body, err = s.pack.decode(row.dict, row.packed)
	return number, &row, err
}

// findOf returns an item of a collection that is known, nil when there is none.
func (s *Store) findOf(ctx context.Context, conn *pgxpool.Conn, collection int16, id string) (*stored, error) {
	var row stored
	row.hash, row.key = hashesOf(id)
	args := pgx.NamedArgs{"col": collection, "hash": row.hash, "key": row.key}
	rows, err := s.query(ctx, conn, itemOfSQL, args)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	if err := rows.Scan(&row.updated, &row.dict, &row.packed); err != nil {
		return nil, err
	}
	row.body, err = s.pack.decode(row.dict, row.packed)
	return &row, err
}

// Item returns one item. Fault.NotFound says whether the collection or the item is missing.
func (s *Store) Item(ctx context.Context, collection, id string) (it stac.Item, err error) {
	set, err := s.collections(ctx)
	if err != nil {
		return it, err
	}
	err = s.reading(ctx, "item "+collection+"/"+id, func(conn *pgxpool.Conn) error {
		var found *stored
		var err error
		if known := set.byID[collection]; known != nil {
			found, err = s.findOf(ctx, conn, known.number, id)
		} else { // perhaps it is new
			_, found, err = s.find(ctx, conn, collection, id)
		}
		if err == nil && found == nil {
			err = noItem(collection, id)
		}
		if err != nil {
			return err
		}
		it = stac.Item{Collection: collection, ID: id, Updated: found.updated.UTC(), Body: found.body}
		return nil
	})
	return it, err
}

func noCollection(id string) error { return stac.NoCollection(id) }

func noItem(collection, id string) error {
	return fault.New(fault.NotFound, "item %q is not in collection %q", id, collection)
}

// DeleteItem removes an item. What its collection covers stays as wide as it was.
func (s *Store) DeleteItem(ctx context.Context, collection, id string) error {
	_, err := s.ChangeItem(ctx, collection, id, func(old *stac.Item) (*stac.Item, error) {
		if old == nil {
			return nil, noItem(collection, id)
		}
		return nil, nil
	})
	return err
}

// PutItem creates an item or replaces its body. It is stored compact, without links that the server makes, and with the collection and the bbox
// that it may lack. The collection's extent, the row and its columns change together or not at all.
func (s *Store) PutItem(ctx context.Context, it stac.Item) (changed bool, err error) {
	_, changed, err = s.changeItem(ctx, it.Collection, it.ID, func(*stac.Item) (*stac.Item, error) { return &it, nil })
	return changed, err
}

// ChangeItem hands the stored item to change, and stores what it returns; see stac.Editor.
func (s *Store) ChangeItem(ctx context.Context, collection, id string, change func(*stac.Item) (*stac.Item, error)) (stac.Item, error) {
	it, _, err := s.changeItem(ctx, collection, id, change)
	return it, err
}

func (s *Store) changeItem(ctx context.Context, collection, id string, change func(*stac.Item) (*stac.Item, error)) (it stac.Item, changed bool, err error) {
	var refused error // by change
	err = s.writing(ctx, "change item "+collection+"/"+id, func(conn *pgxpool.Conn) error {
		return attempts(ctx, func() (done bool, err error) {
			number, old, err := s.find(ctx, conn, collection, id)
			if err != nil {
				return false, err
			}
			it = stac.Item{}
			var before *stac.Item
			if old != nil {
				it = stac.Item{Collection: collection, ID: id, Updated: old.updated.UTC(), Body: old.body}
				before = &it
			}
			after, err := change(before)
			if err != nil {
				refused = err
				return true, nil
			}
			if after == nil && old == nil {
				return true, nil
			}
			e := edit{old: old}
			if after != nil {
				if e.doc, err = parseItem(stac.Item{Collection: collection, ID: id, Body: after.Body}); err != nil {
					return false, err
				}
				if old != nil && bytes.Equal(old.body, e.doc.body) {
					it = stac.Item{Collection: collection, ID: id, Updated: old.updated.UTC(), Body: old.body} // change may have changed it
					return true, nil
				}
				rows, err := s.rows(ctx, conn, number, []document{e.doc})
				if err != nil {
					return false, err
				}
				e.new = &rows[0]
			}
			outcomes, err := s.apply(ctx, conn, number, []edit{e})
			if err != nil || outcomes[0].at == nil {
				return false, errors.Join(err, s.collision(ctx, conn, number, e))
			}
			it, changed = stac.Item{}, true
			if after != nil {
				it = stac.Item{Collection: collection, ID: id, Updated: outcomes[0].at.UTC(), Body: e.doc.body}
			}
			return true, nil
		})
	})
	if refused != nil {
		return stac.Item{}, false, refused
	}
	if err != nil {
		return stac.Item{}, false, err
	}
	return it, changed, nil
}

// CreateItem stores a new item; see stac.Editor. It does not look before it writes: that is one round trip, and one commit.
func (s *Store) CreateItem(ctx context.Context, it stac.Item) (stored stac.Item, created bool, err error) {
	doc, err := parseItem(it)
	if err != nil {
		return stac.Item{}, false, err
	}
	err = s.writing(ctx, "create item "+it.Collection+"/"+it.ID, func(conn *pgxpool.Conn) error {
		return attempts(ctx, func() (done bool, err error) {
			number, err := s.number(ctx, conn, it.Collection)
			if err != nil {
				return false, err
			}
			rows, err := s.rows(ctx, conn, number, []document{doc})
			if err != nil {
				return false, err
			}
			e := edit{new: &rows[0], doc: doc}
			outcomes, err := s.apply(ctx, conn, number, []edit{e})
			switch {
			case err != nil:
				return false, err
			case outcomes[0].at != nil:
				stored, created = stac.Item{Collection: it.Collection, ID: it.ID, Updated: outcomes[0].at.UTC(), Body: doc.body}, true
				return true, nil
			case !outcomes[0].collection: // it was removed, and perhaps made anew
				s.numbers.Delete(it.Collection)
				return false, nil
			}
			return true, s.collision(ctx, conn, number, e)
		})
	})
	return stored, created, err
}

// collision returns fault.Conflict when an item could not be created because another id has its hash.
func (s *Store) collision(ctx context.Context, conn *pgxpool.Conn, collection int16, e edit) error {
	if e.old != nil {
		return nil
	}
	found, err := s.findAll(ctx, conn, collection, []int64{e.new.hash})
	if err != nil {
		return err
	}
	for _, other := range found {
		if other.key != e.new.key {
			return fault.New(fault.Conflict, "the id %q has the same hash as another id of the collection: give it another name", e.new.id)
		}
	}
	return nil
}

// findAll returns the items of one collection with these hashes.
func (s *Store) findAll(ctx context.Context, conn *pgxpool.Conn, collection int16, hashes []int64) (map[int64]*stored, error) {
	rows, err := conn.Query(ctx, findItemsSQL, collection, hashes)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r *stored, err error) {
		r = &stored{}
		if err := row.Scan(&r.hash, &r.key, &r.dict, &r.packed, &r.updated); err != nil {
			return nil, err
		}
		r.body, err = s.pack.decode(r.dict, r.packed)
		return r, err
	})
	byHash := make(map[int64]*stored, len(all))
	for _, r := range all {
		byHash[r.hash] = r
	}
	return byHash, err
}

// PutItems puts items into one collection, all or none; see stac.Editor.
func (s *Store) PutItems(ctx context.Context, collection string, items []stac.Item, insert bool) error {
	return s.writing(ctx, "put items into "+collection, func(conn *pgxpool.Conn) error {
		docs := make([]document, len(items))
		ids := make(map[string]bool, len(items))
		for i, it := range items {
			doc, err := parseItem(stac.Item{Collection: collection, ID: it.ID, Body: it.Body})
			if err == nil && ids[doc.id] {
				err = fault.New(fault.Invalid, "it comes twice")
			}
			if err != nil {
				return fault.Wrap(fault.Invalid, err, "item %d of %d (%q): %s", i+1, len(items), it.ID, public(err))
			}
			docs[i], ids[doc.id] = doc, true
		}
		return attempts(ctx, func() (done bool, err error) {
			number, err := s.number(ctx, conn, collection)
			if err != nil {
				return false, err
			}
			rows, err := s.rows(ctx, conn, number, docs)
			if err != nil {
				return false, err
			}
			edits, err := s.edits(ctx, conn, number, docs, rows, insert)
			if err != nil || len(edits) == 0 {
				return true, err
			}
			outcomes, err := s.apply(ctx, conn, number, edits)
			if err != nil {
				return false, err
			}
			for i, o := range outcomes {
				switch {
				case o.at != nil:
				case !o.collection:
					s.numbers.Delete(collection)
					return false, nil
				case insert:
					if err := s.collision(ctx, conn, number, edits[i]); err != nil {
						return false, err
					}
					return false, fault.New(fault.Conflict, "item %q is in collection %q already", edits[i].doc.id, collection)
				default:
					return false, nil
				}
			}
			return true, nil
		})
	})
}

// edits returns what there is to do to put rows, in the order of their hashes, so that two who put the same items wait for
// each other in one order.
func (s *Store) edits(ctx context.Context, conn *pgxpool.Conn, collection int16, docs []document, rows []row, insert bool) (edits []edit, err error) {
	found := map[int64]*stored{}
	if !insert {
		hashes := make([]int64, len(rows))
		for i, r := range rows {
			hashes[i] = r.hash
		}
		if found, err = s.findAll(ctx, conn, collection, hashes); err != nil {
			return nil, err
		}
	}
	for i := range rows {
		e := edit{old: found[rows[i].hash], new: &rows[i], doc: docs[i]}
		switch {
		case e.old == nil:
		case e.old.key != e.new.key:
			return nil, fault.New(fault.Conflict, "the id %q has the same hash as another id of the collection: give it another name", e.new.id)
		case bytes.Equal(e.old.body, e.doc.body):
			continue
		}
		edits = append(edits, e)
	}
	slices.SortFunc(edits, func(a, b edit) int {
		if a.new.hash < b.new.hash {
			return -1
		}
		return 1
	})
	return edits, nil
}
