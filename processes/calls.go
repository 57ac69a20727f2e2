package processes

import (
	"context"

	"github.com/jackc/pgx/v5"

	"swath/fault"
)

// calls returns whom to tell of what.
func (e *Engine) calls(s *Subscriber) ([]call, error) {
	if s == nil || *s == (Subscriber{}) {
		return nil, nil
	}
	return nil, fault.New(fault.Invalid, "subscriber: this installation tells nobody")
}

// addCalls notes the calls of an event, to be made after the transaction.
func addCalls(ctx context.Context, tx pgx.Tx, job string, calls []call, event string) error {
	for _, c := range calls {
		if c.event != event {
			continue
		}
		if _, err := tx.Exec(ctx, "insert into job_call (job, event, url) values ($1, $2, $3)", job, c.event, c.url); err != nil {
			return err
		}
	}
	return nil
}
