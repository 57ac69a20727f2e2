package objecthttp

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"swath/fault"
	"swath/stac"
)

// kept remembers the counts of a collection's tiles where they took long: of millions of items that is seconds. Who asks gets what is
// remembered at once, and when it is no longer fresh it is counted anew beside. What is counted goes on when nobody waits for it any more; who
// has waited long is told how far it is, and when to ask again.
type kept struct {
	patience time.Duration // of who waits; 0: keptPatience

	mu sync.Mutex
	of map[string]*keptCounts
}

// tileCounts are the items of a collection by tile.
type tileCounts struct {
	tiles     []stac.Bucket
	elsewhere int64 // on no tile
}

type keptCounts struct {
	answers     tileCounts
	err         error
	took        time.Duration
	at          time.Time     // when the counting began; zero: never ended well
	done        chan struct{} // closed when the counting under way ends; nil: none is
	begun       time.Time     // of that
	counted, in atomic.Int64  // items, of so many
}

const (
	keptFrom     = 250 * time.Millisecond // that counting takes; quicker counts are not remembered
	keptFresh    = 50                     // times as long as it took are counts fresh
	keptMost     = 24 * time.Hour         // older ones are not told
	keptKeys     = 1000                   // of collections and of those who may see parts of them
	keptLimit    = time.Hour              // of one counting
	keptPatience = 5 * time.Second        // of who waits for the first
)

// counting counts, and tells how far it is.
type counting func(ctx context.Context, progress func(counted, of int64)) (tileCounts, error)

// get returns the counts under a key.
func (k *kept) get(ctx context.Context, key string, count counting) (tileCounts, error) {
	k.mu.Lock()
	c := k.of[key]
	if c == nil {
		if k.of == nil || len(k.of) >= keptKeys {
			k.of = map[string]*keptCounts{}
		}
		c = &keptCounts{}
		k.of[key] = c
	}
	age := time.Since(c.at)
	if c.done == nil && (c.took < keptFrom || age > keptFresh*c.took) {
		c.done, c.begun = make(chan struct{}), time.Now()
		go k.count(context.WithoutCancel(ctx), c, count)
	}
	answers, done := c.answers, c.done
	if old := c.at.IsZero() || c.took < keptFrom || age > keptMost; !old {
		done = nil
	}
	patience := k.patience
	k.mu.Unlock()
	if done == nil {
		return answers, nil
	}
	if patience == 0 {
		patience = keptPatience
	}
	select {
	case <-ctx.Done():
		return tileCounts{}, ctx.Err()
	case <-time.After(patience):
		return tileCounts{}, c.underway()
	case <-done:
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return c.answers, c.err
}

// underway says how far a counting is, and when it may have ended.
func (c *keptCounts) underway() error {
	counted, in := c.counted.Load(), c.in.Load()
	err := fault.New(fault.Unavailable, "the tiles of this collection are being counted for the first time since the server began: %d of %d items so far", counted, in)
	if err.After = time.Minute; counted > 0 {
		err.After = min(time.Minute, time.Duration(float64(time.Since(c.begun))*float64(in-counted)/float64(counted))) + time.Second
	}
	return err
}

func (k *kept) count(ctx context.Context, c *keptCounts, count counting) {
	ctx, cancel := context.WithTimeout(ctx, keptLimit)
	defer cancel()
	began := time.Now()
	answers, err := count(ctx, func(counted, of int64) {
		c.counted.Store(counted)
		c.in.Store(of)
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.err = err; err == nil {
		c.answers, c.took, c.at = answers, time.Since(began), began
	}
	close(c.done)
	c.done = nil
}
