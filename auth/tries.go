package auth

import (
	"context"
	"sync"
	"time"

	"swath/fault"
)

const (
	sumsAtOnce  = 2                // passwords that are compared at once: each takes 19 MiB and some 30 ms of a core
	sumsWaiting = 16               //
	freeTries   = 5                // wrong passwords in a row before somebody is made to wait
	firstWait   = time.Second      // doubled with each wrong one more
	longestWait = 5 * time.Minute  //
	mostTriers  = 10_000           // who guess and are remembered
	forgetAfter = 15 * time.Minute // without a try
)

// tries keeps those away who guess passwords, by name and where they come from.
type tries struct {
	gate chan struct{} // a place in it for each that compares or waits
	sums chan struct{} // and for each that compares
	mu   sync.Mutex
	of   map[string]trier
}

type trier struct {
	wrong int
	last  time.Time
}

func newTries() tries {
	return tries{gate: make(chan struct{}, sumsAtOnce+sumsWaiting), sums: make(chan struct{}, sumsAtOnce), of: map[string]trier{}}
}

// do runs same, which compares a password, unless its turn has not come: fault.OverQuota, and fault.Unauthenticated when it is wrong.
func (t *tries) do(ctx context.Context, who string, same func() bool) error {
	now := time.Now()
	t.mu.Lock()
	before := t.of[who]
	t.mu.Unlock()
	if now.Sub(before.last) > forgetAfter {
		before = trier{}
	}
	if over := before.wrong - freeTries; over >= 0 {
		if wait := min(firstWait<<min(over, 20), longestWait) - now.Sub(before.last); wait > 0 {
			return &fault.Error{Kind: fault.OverQuota, Public: "too many wrong passwords: try again later", After: wait}
		}
	}
	select {
	case t.gate <- struct{}{}:
		defer func() { <-t.gate }()
	default:
		return fault.New(fault.Unavailable, "too many sign in at once")
	}
	select {
	case t.sums <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	good := same()
	<-t.sums
	t.mu.Lock()
	defer t.mu.Unlock()
	if good {
		delete(t.of, who)
		return nil
	}
	if len(t.of) >= mostTriers {
		clear(t.of)
	}
	t.of[who] = trier{t.of[who].wrong + 1, now}
	return errUnknown
}
