package objecthttp

import (
	"context"
	"sync"
	"time"

	"swath/stac"
)

// kept remembers the counts of a collection's tiles where they took long: of millions of items that is seconds. Who asks gets what is
// remembered at once, and when it is no longer fresh it is counted anew beside. What is counted goes on when nobody waits for it any more.
type kept struct {
	mu sync.Mutex
	of map[string]*keptCounts
}

type keptCounts struct {
	answers []stac.Aggregated
	err     error
	took    time.Duration
	at      time.Time     // when the counting began; zero: never ended well
	done    chan struct{} // closed when the counting under way ends; nil: none is
}

const (
	keptFrom  = 250 * time.Millisecond // that counting takes; quicker counts are not remembered
	keptFresh = 50                     // times as long as it took are counts fresh
	keptMost  = 24 * time.Hour         // older ones are not told
	keptKeys  = 1000                   // of collections and of those who may see parts of them
	keptLimit = 5 * time.Minute        // of one counting
)

// get returns the counts under a key.
func (k *kept) get(ctx context.Context, key string, count func(context.Context) ([]stac.Aggregated, error)) ([]stac.Aggregated, error) {
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
		c.done = make(chan struct{})
		go k.count(context.WithoutCancel(ctx), c, count)
	}
	answers, done := c.answers, c.done
	if old := c.at.IsZero() || c.took < keptFrom || age > keptMost; !old {
		done = nil
	}
	k.mu.Unlock()
	if done == nil {
		return answers, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-done:
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return c.answers, c.err
}

func (k *kept) count(ctx context.Context, c *keptCounts, count func(context.Context) ([]stac.Aggregated, error)) {
	ctx, cancel := context.WithTimeout(ctx, keptLimit)
	defer cancel()
	began := time.Now()
	answers, err := count(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.err = err; err == nil {
		c.answers, c.took, c.at = answers, time.Since(began), began
	}
	close(c.done)
	c.done = nil
}
