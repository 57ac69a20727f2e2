package staging

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"swath/objects/copies"
)

// How notices are sent: for about a day, each longer after the one before.
const (
	noticesAtOnce = 20
	noticeLease   = 5 * time.Minute
	firstAgain    = 30 * time.Second
	longestAgain  = 2 * time.Hour
	mostTries     = 20
)

// Notices tells somebody of each order in which nothing is waited for any more: at least once, until it is taken.
type Notices struct {
	Copies *copies.Store
	// Describe returns what is told of an order.
	Describe func(ctx context.Context, o copies.Order) (any, error)
	// Send hands it over, as JSON.
	Send func(ctx context.Context, body []byte) error
	Log  *slog.Logger
}

// Run tells until ctx ends.
func (n Notices) Run(ctx context.Context) {
	for ctx.Err() == nil {
		told, err := n.Once(ctx)
		if err != nil && ctx.Err() == nil {
			n.Log.Error("notices of orders are not sent", "err", err)
		}
		if told < noticesAtOnce {
			pause(ctx, 3*time.Second)
		}
	}
}

// Once tells of what is due, and returns of how many orders.
func (n Notices) Once(ctx context.Context) (int, error) {
	due, err := n.Copies.DueNotices(ctx, noticesAtOnce, noticeLease)
	if err != nil {
		return 0, err
	}
	for _, one := range due {
		if err := n.tell(ctx, one); err != nil {
			return len(due), err
		}
	}
	return len(due), nil
}

func (n Notices) tell(ctx context.Context, one copies.Notice) error {
	o, err := n.Copies.OrderOf(ctx, one.Order)
	if err != nil {
		return err
	}
	if o.Canceled == o.Files { // who canceled it knows
		return n.Copies.Noticed(ctx, o.ID)
	}
	what, err := n.Describe(ctx, o)
	if err != nil {
		return err
	}
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if err := n.Send(ctx, body); err != nil {
		if one.Tries >= mostTries {
			n.Log.Error("a notice is given up", "order", o.ID, "tries", one.Tries, "err", err)
			return n.Copies.Noticed(ctx, o.ID)
		}
		n.Log.Warn("a notice was not taken", "order", o.ID, "tries", one.Tries, "err", err)
		return n.Copies.NoticeAgain(ctx, o.ID, min(firstAgain<<min(one.Tries-1, 16), longestAgain))
	}
	return n.Copies.Noticed(ctx, o.ID)
}
