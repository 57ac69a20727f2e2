// Package staging brings objects back from an archive for those who ordered them, and makes room for them.
//
//	order ─▶ copies: queued ─▶ batch by fair share, sorted by tape ─▶ archive.Restore ─▶ SHA-256 ─▶ online ─▶ reads keep it
//	                                        ▲ room in the buffer                                      └─▶ expired, or room is needed ─▶ released
//
// The keeper looks at the table, does one thing, and notes it; killed between the two it does the thing again, and every thing may be
// done twice. Room is taken before the archive is asked, so that the buffer is never overdrawn.
package staging

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"swath/fault"
	"swath/objects"
	"swath/objects/copies"
)

// Config says how copies are brought and kept.
type Config struct {
	Keep        time.Duration // a copy stays online after it came; 7 days
	Tier        string        // how fast, in the archive's words
	BufferBytes int64         // of copies on their way and online; 0: any
	HighWater   float64       // of the buffer, above which copies have to go; 0.9
	LowWater    float64       // down to which they go; 0.8
	LeastLife   time.Duration // that an unexpired copy is online before it may go; 6 h
	Batch       int           // objects that are asked for at a time; 200
	BatchWait   time.Duration // that a batch waits to be full; 30 s
	Tick        time.Duration // between two looks at the table; 2 s
	Backoff     time.Duration // before a restore that failed is tried again, doubled each time; 1 min
	Tries       int           // restores that fail before a copy is given up; 5
	Longest     time.Duration // that a restore may take; 48 h
	Log         *slog.Logger
}

// Defaults fills in what is not said.
func (c Config) Defaults() Config {
	for _, d := range []struct {
		at    *time.Duration
		value time.Duration
	}{{&c.Keep, 7 * 24 * time.Hour}, {&c.LeastLife, 6 * time.Hour}, {&c.BatchWait, 30 * time.Second}, {&c.Tick, 2 * time.Second}, {&c.Backoff, time.Minute}, {&c.Longest, 48 * time.Hour}} {
		if *d.at == 0 {
			*d.at = d.value
		}
	}
	if c.HighWater == 0 {
		c.HighWater, c.LowWater = 0.9, 0.8
	}
	if c.Batch == 0 {
		c.Batch = 200
	}
	if c.Tries == 0 {
		c.Tries = 5
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Keeper moves copies. There is one for each database: Run sees to that.
type Keeper struct {
	copies  *copies.Store
	archive objects.Archive
	bytes   objects.Store // whose objects the archive holds
	cfg     Config
}

// NewKeeper returns the keeper of an archive's copies.
func NewKeeper(c *copies.Store, archive objects.Archive, bytes objects.Store, cfg Config) *Keeper {
	return &Keeper{c, archive, bytes, cfg.Defaults()}
}

// Run keeps until the context ends. While another process keeps, it waits.
func (k *Keeper) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		lock, err := k.copies.Lock(ctx)
		if err == nil {
			err = k.keep(ctx, lock)
			lock.Unlock()
		}
		if err != nil && ctx.Err() == nil && !fault.Is(err, fault.Conflict) {
			k.cfg.Log.Error("archived copies are not kept", "err", err)
		}
		pause(ctx, 5*k.cfg.Tick)
	}
	return ctx.Err()
}

// keep works until something fails that is not the fault of one copy, or the lock is lost.
func (k *Keeper) keep(ctx context.Context, lock *copies.Held) error {
	for ctx.Err() == nil {
		if err := lock.Check(ctx); err != nil {
			return err
		}
		busy, err := k.Tick(ctx)
		if err != nil {
			return err
		}
		if !busy {
			pause(ctx, k.cfg.Tick)
		}
	}
	return nil
}

// Once works while there is something to do at once. Who calls it has the lock.
func (k *Keeper) Once(ctx context.Context) error {
	for {
		if busy, err := k.Tick(ctx); err != nil || !busy {
			return err
		}
	}
}

// Locked runs do as the one keeper; fault.Conflict when there is another.
func (k *Keeper) Locked(ctx context.Context, do func(context.Context) error) error {
	lock, err := k.copies.Lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return do(ctx)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Tick does once what is to be done, in an order in which room is made before it is needed. Busy says that something moved.
func (k *Keeper) Tick(ctx context.Context) (busy bool, err error) {
	for _, step := range []func(context.Context) (int, error){k.forget, k.arrive, k.verify, k.again, k.release, k.evict, k.ask} {
		n, err := step(ctx)
		if err != nil {
			return busy, fmt.Errorf("staging: %w", err)
		}
		busy = busy || n > 0
	}
	return busy, nil
}

// page is how many copies are looked at in one question.
const page = 500

// each calls do with the copies in a state, page by page.
func (k *Keeper) each(ctx context.Context, state copies.State, do func([]copies.Copy) (int, error)) (moved int, err error) {
	for behind := ""; ; {
		some, err := k.copies.In(ctx, state, behind, page)
		if err != nil || len(some) == 0 {
			return moved, err
		}
		n, err := do(some)
		if moved += n; err != nil {
			return moved, err
		}
		behind = some[len(some)-1].Key
	}
}

// move moves a copy and counts it.
func (k *Keeper) move(ctx context.Context, c copies.Copy, to copies.State, how copies.Change) (int, error) {
	moved, err := k.copies.Move(ctx, c, to, how)
	if err != nil || !moved {
		return 0, err
	}
	k.cfg.Log.Debug("copy moved", "object", c.Key, "from", string(c.State), "to", string(to), "reason", how.Reason)
	return 1, nil
}

func keysOf(all []copies.Copy) []string {
	keys := make([]string, len(all))
	for i, c := range all {
		keys[i] = c.Key
	}
	return keys
}

// forget takes copies back for which nobody waits any more.
func (k *Keeper) forget(ctx context.Context) (moved int, err error) {
	all, err := k.copies.Unwanted(ctx)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	var under []copies.Copy
	for _, c := range all {
		if c.State == copies.Restoring {
			under = append(under, c)
			continue
		}
		n, err := k.move(ctx, c, copies.Cold, copies.Change{})
		if moved += n; err != nil {
			return moved, err
		}
	}
	if len(under) == 0 {
		return moved, nil
	}
	if err := k.archive.Cancel(ctx, keysOf(under)); err != nil {
		return moved, err
	}
	status, err := k.archive.Status(ctx, keysOf(under))
	if err != nil {
		return moved, err
	}
	for i, c := range under {
		if status[i].Place != objects.Archived {
			continue // too late: it comes, and expires
		}
		n, err := k.move(ctx, c, copies.Cold, copies.Change{})
		if moved += n; err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// arrive looks how far the restores are.
func (k *Keeper) arrive(ctx context.Context) (int, error) {
	stale, err := k.copies.Stale(ctx, k.cfg.Longest)
	if err != nil {
		return 0, err
	}
	moved := 0
	for _, c := range stale {
		n, err := k.failed(ctx, c, fmt.Sprintf("the archive did not bring it in %s", k.cfg.Longest))
		if moved += n; err != nil {
			return moved, err
		}
	}
	n, err := k.each(ctx, copies.Restoring, func(some []copies.Copy) (moved int, err error) {
		status, err := k.archive.Status(ctx, keysOf(some))
		if err != nil {
			return 0, err
		}
		var unasked []copies.Copy // whoever moved them was killed before it could ask
		for i, c := range some {
			n := 0
			switch h := status[i]; h.Place {
			case objects.Restoring:
			case objects.Online:
				n, err = k.move(ctx, c, copies.Verifying, copies.Change{})
			case objects.Archived:
				unasked = append(unasked, c)
			case objects.Failed:
				n, err = k.failed(ctx, c, h.Reason)
			case objects.Lost:
				n, err = k.failed(ctx, c, "the archive does not hold it")
			}
			if moved += n; err != nil {
				return moved, err
			}
		}
		n, err := k.restore(ctx, unasked)
		return moved + n, err
	})
	return moved + n, err
}

// failed notes that a restore failed, to be tried again after a while, or not at all.
func (k *Keeper) failed(ctx context.Context, c copies.Copy, reason string) (int, error) {
	k.cfg.Log.Warn("restore failed", "object", c.Key, "tries", c.Tries+1, "reason", reason)
	if c.Tries+1 >= k.cfg.Tries {
		return k.move(ctx, c, copies.Unavailable, copies.Change{Reason: reason})
	}
	return k.move(ctx, c, copies.Failed, copies.Change{Reason: reason, After: k.cfg.Backoff << c.Tries})
}

// again queues what failed and has waited.
func (k *Keeper) again(ctx context.Context) (int, error) {
	return k.each(ctx, copies.Failed, func(some []copies.Copy) (moved int, err error) {
		for _, c := range some {
			n, err := k.move(ctx, c, copies.Queued, copies.Change{Reason: c.Reason})
			if moved += n; err != nil {
				return moved, err
			}
		}
		return moved, nil
	})
}

// verify reads what came.
func (k *Keeper) verify(ctx context.Context) (int, error) {
	return k.each(ctx, copies.Verifying, func(some []copies.Copy) (moved int, err error) {
		for _, c := range some {
			n, err := k.verifyOne(ctx, c)
			if moved += n; err != nil {
				return moved, err
			}
		}
		return moved, nil
	})
}

func (k *Keeper) verifyOne(ctx context.Context, c copies.Copy) (int, error) {
	sum, err := k.sum(ctx, c)
	if ctx.Err() != nil || fault.Is(err, fault.Unavailable) {
		return 0, errors.Join(err, ctx.Err())
	}
	if err == nil && (sum == c.SHA256 || c.SHA256 == "") {
		return k.move(ctx, c, copies.Online, copies.Change{After: k.cfg.Keep})
	}
	reason := fmt.Sprintf("its bytes have the SHA-256 %s, not %s", sum, c.SHA256)
	if err != nil {
		reason = err.Error()
	}
	if err := k.archive.Release(ctx, []string{c.Key}); err != nil { // or they would be taken for restored
		k.cfg.Log.Warn("wrong bytes can't be given up", "object", c.Key, "err", err)
	}
	return k.failed(ctx, c, reason)
}

// release lets the archive take back the room of copies that go.
func (k *Keeper) release(ctx context.Context) (int, error) {
	return k.each(ctx, copies.Evicting, func(some []copies.Copy) (moved int, err error) {
		if err := k.archive.Release(ctx, keysOf(some)); err != nil { // one may be in the way of others
			for _, c := range some {
				if err := k.archive.Release(ctx, []string{c.Key}); err != nil { // the next look tries again
					k.cfg.Log.Warn("copy can't be given up", "object", c.Key, "err", err)
				}
			}
		}
		status, err := k.archive.Status(ctx, keysOf(some))
		if err != nil {
			return moved, err
		}
		for i, c := range some {
			if status[i].Place == objects.Online {
				continue // an archive that gives room back in its own time
			}
			n, err := k.move(ctx, c, copies.Cold, copies.Change{})
			if moved += n; err != nil {
				return moved, err
			}
		}
		return moved, nil
	})
}
