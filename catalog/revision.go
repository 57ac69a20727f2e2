package catalog

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"
)

//go:embed sql/revision.sql
var revisionSQL string

//go:embed sql/revise.sql
var reviseSQL string

// revision names a state of all items: it is the same at two moments only if no item was written in between, whatever else is
// written to the database.
//
//	a write of single items ──appends──▶ count_delta ──┐
//	fold, load, sweep, repair ──under foldLock──▶ item_revision ──┴─▶ number : rows : sum of their transactions
//
// As long as the number is the same, rows are only added. The sum tells two rows apart that a copy of the database shows in another order.
type revision string

// currentRevision asks for the revision of now, and when that is.
func currentRevision(ctx context.Context, q querier) (is revision, at snapshot, err error) {
	rows, err := q.Query(ctx, "select "+revisionSQL+", pg_current_snapshot()::text")
	if err != nil {
		return "", "", err
	}
	_, err = pgx.ForEachRow(rows, []any{&is, &at}, func() error { return nil })
	return is, at, err
}
