package copies

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed sql/due_notices.sql
var dueNoticesSQL string

// Notice is an order of which somebody is to be told that nothing is waited for any more.
type Notice struct {
	Order string
	Tries int // with this one
}

// DueNotices hands out some notices, each to one who asks; who does not say within the lease what became of one lets it come again.
func (s *Store) DueNotices(ctx context.Context, most int, lease time.Duration) ([]Notice, error) {
	rows, err := s.pool.Query(ctx, dueNoticesSQL, pgx.NamedArgs{"most": most, "lease": lease})
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Notice])
	return all, unavailable(err)
}

// Noticed ends a notice.
func (s *Store) Noticed(ctx context.Context, order string) error {
	_, err := s.pool.Exec(ctx, "update stage_order set notice_next = null where id = $1", order)
	return unavailable(err)
}

// NoticeAgain lets a notice be sent again after a while.
func (s *Store) NoticeAgain(ctx context.Context, order string, after time.Duration) error {
	_, err := s.pool.Exec(ctx, "update stage_order set notice_next = now() + $2::interval where id = $1 and notice_next is not null", order, after)
	return unavailable(err)
}
