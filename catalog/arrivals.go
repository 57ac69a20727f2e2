package catalog

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
)

//go:embed sql/arrivals.sql
var arrivalsSQL string

// NoteArrivals has every item that comes from now on noted, for Arrivals. It costs each item one more row, so nothing is noted before.
func (s *Store) NoteArrivals(ctx context.Context) error {
	return s.writing(ctx, "note arrivals", func(conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			var there bool
			err := tx.QueryRow(ctx, "select exists (select from pg_trigger where tgname = 'item_came' and tgrelid = 'item'::regclass)").Scan(&there)
			if err != nil || there {
				return err
			}
			_, err = tx.Exec(ctx, "create or replace trigger item_came after insert on item for each row execute function item_came()")
			return err
		})
	})
}

// Arrivals gives take the oldest items that came, at most so many, and forgets them when it returns nil. When this process ends in
// between they are given again: what take does must be right when it is done twice. It returns how many were forgotten. One process
// calls it at a time.
func (s *Store) Arrivals(ctx context.Context, most int, take func(context.Context, []stac.Item) error) (n int, err error) {
	set, err := s.collections(ctx)
	if err != nil {
		return 0, err
	}
	var items []stac.Item
	var seen []int64
	// As a write: reads that come after it see what was noted, on a copy of the database too.
	err = s.writing(ctx, "arrivals", func(conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, arrivalsSQL, most)
		if err != nil {
			return err
		}
		var at int64
		var col, dict int16
		var packed []byte
		_, err = pgx.ForEachRow(rows, []any{&at, &col, &dict, &packed}, func() error {
			seen = append(seen, at)
			if packed == nil { // it has left again
				return nil
			}
			body, err := s.pack.decode(dict, packed)
			if err != nil {
				return err
			}
			items = append(items, stac.Item{Collection: set.name(col), ID: idOf(body), Body: body})
			return nil
		})
		return err
	})
	if err != nil || len(seen) == 0 {
		return 0, err
	}
	if err := take(ctx, items); err != nil {
		return 0, fmt.Errorf("catalog: arrivals: %w", err)
	}
	err = s.writing(ctx, "arrivals", func(conn *pgxpool.Conn) error {
		_, err := conn.Exec(ctx, "delete from item_came where n = any($1)", seen)
		return err
	})
	return len(seen), err
}
