package staging

import (
	"context"
	"math"
	"sync"
	"time"

	"swath/auth"
	"swath/fault"
	"swath/objects"
	"swath/objects/copies"
)

// Desk takes orders.
type Desk struct {
	Copies    *copies.Store
	Store     objects.Store
	Quota     copies.Quota // of each user
	Anonymous bool         // strangers may order
	Config    Config       // of the keeper

	mu     sync.Mutex
	pace   copies.Pace
	paceAt time.Time
}

// NewDesk returns the desk of the keeper with that configuration.
func NewDesk(s *Store, cfg Config, quota copies.Quota, anonymous bool) *Desk {
	return &Desk{Copies: s.copies, Store: s.Store, Quota: quota, Anonymous: anonymous, Config: cfg.Defaults()}
}

// May returns nil when the one who asks may order.
func (d *Desk) May(ctx context.Context) error {
	if d.Anonymous {
		return nil
	}
	return auth.From(ctx).Require(auth.Processor)
}

// Order orders files for the one who asks, and returns the id of the order. Asking for a single file again joins the order that waits for it.
func (d *Desk) Order(ctx context.Context, files []copies.File, single bool) (id string, err error) {
	if err := d.May(ctx); err != nil {
		return "", err
	}
	p, quota, lane := auth.From(ctx), d.Quota, copies.LaneUser
	if p.Quotas.StagedBytes > 0 {
		quota.DayBytes = p.Quotas.StagedBytes
	}
	if p.Role >= auth.Operator {
		lane = copies.LaneOperator
	}
	return d.Copies.Order(ctx, copies.Asking{Owner: p.User, Lane: lane, Files: files, Single: single, Quota: quota, Most: d.Config.BufferBytes, Stay: d.Config.LeastLife})
}

// OrderFor orders files for the installation itself, in a lane of its own: it has no quota.
func (d *Desk) OrderFor(ctx context.Context, lane string, files []copies.File) (id string, err error) {
	return d.Copies.Order(ctx, copies.Asking{Owner: "lane:" + lane, Lane: lane, Files: files, Most: d.Config.BufferBytes, Stay: d.Config.LeastLife})
}

// Find returns the copy of an object that is offline. One that went to a cold class by itself, by a rule of the bucket, is noted now.
func (d *Desk) Find(ctx context.Context, key, collection, item string) (copies.Copy, error) {
	c, err := d.Copies.Get(ctx, key)
	if !fault.Is(err, fault.NotFound) {
		return c, err
	}
	info, err := d.Store.Stat(ctx, key)
	if err != nil {
		return c, err
	}
	c = copies.Copy{Key: key, Collection: collection, Item: item, Bytes: info.Size, SHA256: info.SHA256, ContentType: info.ContentType, Modified: info.Modified}
	if err := d.Copies.Add(ctx, []copies.Copy{c}, copies.Cold); err != nil {
		return c, err
	}
	return d.Copies.Get(ctx, key)
}

// The estimates that are told, so that clients neither hammer nor sleep for ever.
const (
	shortest = 5 * time.Second
	longest  = time.Hour
	unknown  = time.Minute // where nothing was restored yet
	paceLife = 5 * time.Second
)

// Estimate says when to ask again for a copy in a state.
func (d *Desk) Estimate(ctx context.Context, state copies.State) (time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.paceAt) > paceLife {
		p, err := d.Copies.Pace(ctx)
		if err != nil {
			return 0, err
		}
		d.pace, d.paceAt = p, time.Now()
	}
	wait := unknown.Seconds()
	if d.pace.RestoreS >= 0 {
		wait = d.pace.RestoreS
	}
	if state != copies.Restoring && state != copies.Verifying {
		wait = d.Config.BatchWait.Seconds() + wait*float64(1+d.pace.Queued/int64(d.Config.Batch)) // batches that go before, and its own
	}
	wait = min(max(math.Ceil(wait), shortest.Seconds()), longest.Seconds())
	return time.Duration(wait) * time.Second, nil
}
