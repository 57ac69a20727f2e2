package catalog

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

//go:embed sql/item.sql
var itemSQL string

//go:embed sql/delete.sql
var deleteSQL string

//go:embed sql/footprint.sql
var footprintSQL string

//go:embed sql/upsert.sql
var upsertSQL string

// hashesOf returns what a row knows its item by instead of a long id: the hash that the index holds, and a second one that is
// independent of it.
func hashesOf(id string) (hash, key int64) {
	sum := sha256.Sum256([]byte(id))
	return int64(xxhash.Sum64String(id)), int64(binary.BigEndian.Uint64(sum[:]))
}

// stored is what is known of an item's name.
type stored struct {
	collection int16 // its number
	exists     bool
	updated    time.Time
	body       []byte
}

// find returns fault.NotFound when the collection is missing.
func (s *Store) find(ctx context.Context, conn *pgxpool.Conn, collection, id string) (row stored, err error) {
	var dict int16
	var packed []byte
	hash, key := hashesOf(id)
	args := pgx.NamedArgs{"collection": collection, "hash": hash, "key": key}
	err = conn.QueryRow(ctx, itemSQL, args).Scan(&row.collection, &row.exists, &row.updated, &dict, &packed)
	if errors.Is(err, pgx.ErrNoRows) {
		return row, fault.New(fault.NotFound, "there is no collection %q", collection)
	} else if err == nil && row.exists {
		row.body, err = s.pack.decode(dict, packed)
	}
	return row, err
}

// Item returns one item. Fault.NotFound says whether the collection or the item is missing.
func (s *Store) Item(ctx context.Context, collection, id string) (it stac.Item, err error) {
	err = s.with(ctx, "item "+collection+"/"+id, func(conn *pgxpool.Conn) error {
		row, err := s.find(ctx, conn, collection, id)
		if err == nil && !row.exists {
			err = noItem(collection, id)
		}
		it = stac.Item{Collection: collection, ID: id, Updated: row.updated.UTC(), Body: row.body}
		return err
	})
	if err != nil {
		return stac.Item{}, err
	}
	return it, nil
}

func noItem(collection, id string) error {
	return fault.New(fault.NotFound, "item %q is not in collection %q", id, collection)
}

// DeleteItem removes an item. What its collection covers stays as wide as it was.
func (s *Store) DeleteItem(ctx context.Context, collection, id string) error {
	return s.with(ctx, "delete item "+collection+"/"+id, func(conn *pgxpool.Conn) error {
		hash, key := hashesOf(id)
		done, err := conn.Exec(ctx, deleteSQL, pgx.NamedArgs{"collection": collection, "hash": hash, "key": key})
		if err != nil || done.RowsAffected() == 1 {
			return err
		}
		if _, err := s.find(ctx, conn, collection, id); err != nil {
			return err // the collection is missing
		}
		return noItem(collection, id)
	})
}

// PutItem creates an item or replaces its body. It is stored compact, without links, and with the collection and the bbox
// that it may lack. The collection's extent, the row and its columns change together or not at all.
func (s *Store) PutItem(ctx context.Context, it stac.Item) (changed bool, err error) {
	err = s.with(ctx, "put item "+it.Collection+"/"+it.ID, func(conn *pgxpool.Conn) error {
		doc, err := parseItem(it)
		if err != nil {
			return err
		}
		row, err := s.find(ctx, conn, it.Collection, it.ID)
		if err != nil || row.exists && bytes.Equal(row.body, doc.body) {
			return err
		}
		geom, err := settle(ctx, conn, doc.where)
		if err != nil {
			return err
		}
		changed, err = s.write(ctx, conn, row.collection, doc, geom)
		return err
	})
	return changed && err == nil, err
}

// settle returns the EWKB of a footprint as it is stored and compared: valid, and split at the antimeridian.
func settle(ctx context.Context, conn *pgxpool.Conn, f footprint) (ewkb []byte, err error) {
	if f.empty() {
		return nil, nil
	}
	var reason string
	if err := conn.QueryRow(ctx, footprintSQL, pgx.NamedArgs{"wkb": wkb(f.parts)}).Scan(&ewkb, &reason); err != nil {
		return nil, err
	}
	if ewkb == nil {
		return nil, fault.New(fault.Invalid, "the geometry is not valid, and nothing of it remains when it is repaired: %s", reason)
	}
	return ewkb, nil
}

func (s *Store) write(ctx context.Context, conn *pgxpool.Conn, collection int16, doc document, geom []byte) (changed bool, err error) {
	args, err := s.columns(ctx, conn, doc)
	if err != nil {
		return false, err
	}
	args["col"], args["geom"] = collection, geom
	args["dict"], args["body"] = noDictionary, s.pack.encode(doc.body)
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, upsertSQL, args)
		if err != nil {
			return err
		}
		if changed = done.RowsAffected() == 1; changed {
			return widen(ctx, tx, collection, doc)
		}
		var same bool // somebody put the same body meanwhile; else another id has this hash
		if err := tx.QueryRow(ctx, "select exists (select from item where col = $1 and idh = $2 and idk = $3)", collection, args["idh"], args["idk"]).Scan(&same); err != nil {
			return err
		}
		if !same {
			return fault.New(fault.Conflict, "the id %q has the same hash as another id of the collection: give it another name", doc.id)
		}
		return nil
	})
	return changed, err
}

// columns returns the values of a row but collection, body and geometry.
func (s *Store) columns(ctx context.Context, q querier, doc document) (pgx.NamedArgs, error) {
	box, cell := nowhere, int32(noCell)
	if !doc.where.empty() {
		box, cell = doc.where.box.outward(), cellOf(doc.where.box)
	}
	hash, key := hashesOf(doc.id)
	p := doc.properties
	args := pgx.NamedArgs{
		"idh": hash, "idk": key, "dt": doc.when.at, "begins": nil, "ends": nil, "cell": cell, "x0": box.x0, "x1": box.x1,
		"y0": box.y0, "y1": box.y1, "cc": p.cloud, "orbit": p.orbit, "grid": nil, "plat": nil, "ph": p.terms,
	}
	if p.terms == nil {
		args["ph"] = []int32{}
	}
	if doc.when.begins != doc.when.ends {
		args["begins"], args["ends"] = doc.when.begins, doc.when.ends
	}
	columns := map[word]string{}
	if p.grid != nil {
		columns[word{gridWord, *p.grid}] = "grid"
	}
	if p.platform != nil {
		columns[word{platformWord, *p.platform}] = "plat"
	}
	numbers, err := s.words.number(ctx, q, slices.Collect(maps.Keys(columns)))
	for key, column := range columns {
		args[column] = numbers[key]
	}
	return args, err
}
