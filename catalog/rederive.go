package catalog

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
)

//go:embed sql/rederive_rows.sql
var rederiveRowsSQL string

//go:embed sql/rederive_row.sql
var rederiveRowSQL string

// rederiveBatch is how many rows are worked out in one transaction: a fraction of a second.
const rederiveBatch = 500

// rederive works out the columns that a migration left empty, from the bodies. Each batch is one transaction with the mark
// of how far it came, so it may be killed and goes on where it was; of several processes one works and the others wait.
func (s *Store) rederive(ctx context.Context, conn *pgxpool.Conn) error {
	for done := false; !done; {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
			done, err = s.rederiveOnce(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("work out columns of stored items: %w", err)
		}
	}
	return nil
}

func (s *Store) rederiveOnce(ctx context.Context, tx pgx.Tx) (done bool, err error) {
	var after, upto int64
	if _, err := tx.Exec(ctx, "set local statement_timeout = 0"); err != nil {
		return false, err // waiting for another process is no slow statement
	}
	err = tx.QueryRow(ctx, "select after, upto from rederive for update").Scan(&after, &upto)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	rows, err := tx.Query(ctx, rederiveRowsSQL, after, upto, rederiveBatch)
	if err != nil {
		return false, err
	}
	type stale struct {
		pk         int64
		number     int16
		collection string
		dict       int16
		packed     []byte
	}
	batch, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r stale, err error) {
		err = row.Scan(&r.pk, &r.number, &r.collection, &r.dict, &r.packed)
		return r, err
	})
	if err != nil {
		return false, err
	}
	if len(batch) == 0 {
		_, err = tx.Exec(ctx, "delete from rederive")
		return false, err // looked at once more, as a process does that waited
	}
	writes := &pgx.Batch{}
	docs := map[int16][]document{}
	for _, row := range batch {
		body, err := s.pack.decode(row.dict, row.packed)
		if err != nil {
			return false, err
		}
		doc, err := parseItem(stac.Item{Collection: row.collection, Body: body})
		if err != nil {
			return false, fmt.Errorf("item %s/%s: %w", row.collection, idOf(body), err)
		}
		docs[row.number] = append(docs[row.number], doc)
		r, p := doc.row(nil), doc.properties
		numbers, err := s.words.number(ctx, tx, p.words(nil)) // lost with the transaction: then the store does not open
		if err != nil {
			return false, err
		}
		r.grid, r.plat = p.numbered(numbers)
		writes.Queue(rederiveRowSQL, row.pk, r.cc, r.grid, r.orbit, r.plat, r.terms, r.product)
	}
	writes.Queue("update rederive set after = $1", batch[len(batch)-1].pk)
	if err := tx.SendBatch(ctx, writes).Close(); err != nil {
		return false, err
	}
	for _, number := range slices.Sorted(maps.Keys(docs)) {
		known := &coverage{properties: map[string]*property{}}
		if _, err := widen(ctx, tx, number, known, docs[number]); err != nil {
			return false, err
		}
	}
	return false, nil
}
