package tiles

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"swath/fault"
)

// flight does equal work that is asked for at the same moment once. Work that nobody waits for any more is cancelled.
type flight[V any] struct {
	mu    sync.Mutex
	calls map[string]*call[V]
}

type call[V any] struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int
	value   V
	err     error
}

// do returns the result of work for this key, or the context's error when the caller gives up first.
func (f *flight[V]) do(ctx context.Context, key string, work func(context.Context) (V, error)) (V, error) {
	f.mu.Lock()
	c := f.calls[key]
	if c == nil {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		c = &call[V]{done: make(chan struct{}), cancel: cancel}
		if f.calls == nil {
			f.calls = map[string]*call[V]{}
		}
		f.calls[key] = c
		go func() {
			defer close(c.done)
			defer cancel()
			defer func() {
				f.leave(key, c, false)
				if p := recover(); p != nil {
					c.err = fmt.Errorf("tiles: panic while drawing: %v\n%s", p, debug.Stack())
				}
			}()
			c.value, c.err = work(own)
		}()
	}
	c.waiting++
	f.mu.Unlock()
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		f.leave(key, c, true)
		var none V
		return none, interrupted(ctx)
	}
}

// leave takes the call out of the table, when it has ended or when its last waiting caller has gone.
func (f *flight[V]) leave(key string, c *call[V], givingUp bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if givingUp {
		if c.waiting--; c.waiting > 0 {
			return
		}
		c.cancel()
	}
	if f.calls[key] == c {
		delete(f.calls, key)
	}
}

// gate lets a few drawings run and a bounded number wait.
type gate struct {
	slots    chan struct{}
	waiting  atomic.Int64
	queue    int64
	patience time.Duration // nobody is let wait who would wait longer; 0: whoever fits the queue
	usual    atomic.Int64  // how long a drawing takes, in nanoseconds: a mean in which each new one counts an eighth
}

// enter waits for a slot; the returned function gives it back.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g.slots <- struct{}{}:
		return g.leaver(), nil
	default:
	}
	defer g.waiting.Add(-1)
	ahead := g.waiting.Add(1)
	if ahead > g.queue {
		return nil, fault.New(fault.Unavailable, "too many drawings are waiting (more than %d); ask again soon", g.queue)
	}
	if wait := time.Duration(ahead * g.usual.Load() / int64(cap(g.slots))); g.patience > 0 && wait > g.patience {
		return nil, fault.New(fault.Unavailable, "%d drawings are waiting, which take longer than %s; ask again soon", ahead-1, g.patience)
	}
	select {
	case g.slots <- struct{}{}:
		return g.leaver(), nil
	case <-ctx.Done():
		return nil, interrupted(ctx)
	}
}

// leaver returns what gives back a slot that was taken now.
func (g *gate) leaver() func() {
	taken := time.Now()
	return func() {
		<-g.slots
		before := g.usual.Load()
		g.usual.Add((int64(time.Since(taken)) - before) / 8)
	}
}

// interrupted says why waiting ended: the door knows a deadline from a client that left.
func interrupted(ctx context.Context) error {
	return fmt.Errorf("tiles: waiting for a drawing: %w", context.Cause(ctx))
}
