package catalog

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/buger/jsonparser"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

var ownObject = []byte(`"` + stac.ObjectField + `"`)

// ownProduct is productOf of a document: an item that was recognized has our names only where its form has them.
func (d document) ownProduct() *int64 {
	if d.as != nil && !d.as.form().own {
		return nil
	}
	return productOf(d.body)
}

// productOf returns the bytes of the original product that an item's asset "product" holds here; nil when there is none.
func productOf(body []byte) *int64 {
	if !bytes.Contains(body, ownObject) {
		return nil // most items of a catalog of other archives are looked through once
	}
	asset, _, _, err := jsonparser.Get(body, "assets", stac.ProductAsset)
	if err != nil {
		return nil
	}
	if key, err := jsonparser.GetString(asset, stac.ObjectField); err != nil || key == "" {
		return nil
	}
	size, err := jsonparser.GetInt(asset, "file:size")
	if err != nil || size < 0 {
		size = 0
	}
	return &size
}

//go:embed sql/by_hash.sql
var byHashSQL string

// ItemByUUID returns the item that stac.UUID names so, or fault.NotFound.
func (s *Store) ItemByUUID(ctx context.Context, uuid string) (it stac.Item, err error) {
	hash, ok := stac.HashInUUID(uuid)
	if !ok {
		return it, noUUID(uuid)
	}
	set, err := s.collections(ctx)
	if err != nil {
		return it, err
	}
	cols, _, err := collectionsOf(set, stac.Search{})
	if err != nil {
		return it, err
	}
	err = s.reading(ctx, "item "+uuid, func(conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, byHashSQL, cols, int64(hash))
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (it stac.Item, err error) {
			var col, dict int16
			var packed []byte
			if err = row.Scan(&col, &it.Created, &it.Updated, &dict, &packed); err != nil {
				return it, err
			}
			it.Body, err = s.pack.decode(dict, packed)
			it.Collection, it.ID, it.Created, it.Updated = set.name(col), idOf(it.Body), it.Created.UTC(), it.Updated.UTC()
			return it, err
		})
		if err != nil {
			return err
		}
		for _, one := range all {
			if stac.SameUUID(uuid, stac.UUID(one.Collection, one.ID)) {
				it = one
				return nil
			}
		}
		return noUUID(uuid)
	})
	return it, err
}

const findProductsBatch = 5000

// findProducts works out the column of the items that were there before it.
func (s *Store) findProducts(ctx context.Context, conn *pgxpool.Conn) error {
	for done := false; !done; {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
			done, err = s.findProductsOnce(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("find the products of stored items: %w", err)
		}
	}
	return nil
}

func (s *Store) findProductsOnce(ctx context.Context, tx pgx.Tx) (done bool, err error) {
	var after, upto int64
	if _, err := tx.Exec(ctx, "set local statement_timeout = 0"); err != nil {
		return false, err // waiting for another process is no slow statement
	}
	err = tx.QueryRow(ctx, "select after, upto from find_products for update").Scan(&after, &upto)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	rows, err := tx.Query(ctx, "select pk, dict, body from item where pk > $1 and pk <= $2 order by pk limit $3", after, upto, findProductsBatch)
	if err != nil {
		return false, err
	}
	var pk int64
	var dict int16
	var packed []byte
	writes := &pgx.Batch{}
	n := 0
	_, err = pgx.ForEachRow(rows, []any{&pk, &dict, &packed}, func() error {
		n++
		body, err := s.pack.decode(dict, packed)
		if err != nil {
			return err
		}
		if size := productOf(body); size != nil {
			writes.Queue("update item set product = $2 where pk = $1", pk, *size)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	if n == 0 {
		_, err = tx.Exec(ctx, "delete from find_products")
		return false, err // looked at once more, as a process does that waited
	}
	writes.Queue("select pg_advisory_xact_lock($1)", foldLock)
	writes.Queue(reviseSQL)
	writes.Queue("update find_products set after = $1", pk)
	return false, tx.SendBatch(ctx, writes).Close()
}

func noUUID(uuid string) error { return fault.New(fault.NotFound, "there is no product %.60q", uuid) }
