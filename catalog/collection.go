package catalog

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

//go:embed sql/collections.sql
var collectionsSQL string

//go:embed sql/put_collection.sql
var putCollectionSQL string

// Collections returns all collections by id, each with an extent that holds its items.
func (s *Store) Collections(ctx context.Context) (all []stac.Collection, err error) {
	err = s.with(ctx, "collections", func(conn *pgxpool.Conn) error {
		all, err = s.collections(ctx, conn, nil)
		return err
	})
	return all, err
}

// Collection returns one, with an extent that holds its items, or fault.NotFound.
func (s *Store) Collection(ctx context.Context, id string) (c stac.Collection, err error) {
	err = s.with(ctx, "collection "+id, func(conn *pgxpool.Conn) error {
		found, err := s.collections(ctx, conn, &id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.New(fault.NotFound, "there is no collection %q", id)
		}
		c = found[0]
		return nil
	})
	return c, err
}

func (s *Store) collections(ctx context.Context, conn *pgxpool.Conn, id *string) ([]stac.Collection, error) {
	rows, err := conn.Query(ctx, collectionsSQL, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c stac.Collection, err error) {
		var covered extentRow
		var body string
		if err := row.Scan(append([]any{&c.ID, &c.Updated, &body}, covered.targets()...)...); err != nil {
			return c, err
		}
		members, err := membersOf([]byte(body))
		c.Updated = c.Updated.UTC()
		c.Body = object(set(members, "extent", widenDeclared(get(members, "extent"), covered.extent())))
		return c, err
	})
}

// PutCollection creates a collection or replaces its body, which is stored compact and without links. The extent it declares
// is served widened by the items; without one, the extent is what the items cover.
func (s *Store) PutCollection(ctx context.Context, c stac.Collection) error {
	return s.with(ctx, "put collection "+c.ID, func(conn *pgxpool.Conn) error {
		members, err := open(c.Body)
		if err != nil {
			return err
		}
		if err := named(members, "type", "Collection"); err != nil {
			return err
		}
		if err := named(members, "id", c.ID); err != nil {
			return err
		}
		_, err = conn.Exec(ctx, putCollectionSQL, pgx.NamedArgs{"id": c.ID, "body": string(object(members))})
		return err
	})
}
