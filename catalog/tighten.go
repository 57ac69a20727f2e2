package catalog

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
)

//go:embed sql/loose_indexes.sql
var looseIndexesSQL string

// tightenLock is the advisory lock of the one who builds indexes anew: "tigh" in ASCII.
const tightenLock = 0x74696768

// tighten builds indexes anew that bulk loads left half empty: items of several collections come in turns, and each time a
// page is split in the middle. Everybody may read and write meanwhile. The counts of entries are those of the last vacuum.
func (s *Store) tighten(ctx context.Context, conn *pgx.Conn) error {
	var ours bool
	if err := conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", tightenLock).Scan(&ours); err != nil || !ours {
		return err
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", tightenLock) }() // the connection's end does it too
	rows, err := conn.Query(ctx, looseIndexesSQL)
	if err != nil {
		return err
	}
	type index struct {
		Name    string
		Damaged bool
	}
	loose, err := pgx.CollectRows(rows, pgx.RowToStructByPos[index])
	if err != nil || len(loose) == 0 {
		return err
	}
	if _, err := conn.Exec(ctx, "set maintenance_work_mem = '512MB'"); err != nil {
		return err
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), "reset maintenance_work_mem") }() // the connection's end does it too
	for _, i := range loose {
		statement := "reindex index concurrently "
		if i.Damaged {
			statement = "drop index concurrently if exists "
		}
		if _, err := conn.Exec(ctx, statement+pgx.Identifier{i.Name}.Sanitize()); err != nil {
			return fmt.Errorf("%s%s: %w", statement, i.Name, err)
		}
	}
	return nil
}
