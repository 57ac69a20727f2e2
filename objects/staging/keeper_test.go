package staging

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/fault"
	"swath/objects"
	"swath/objects/copies"
)

// TestManyAskForFew: ten thousand requests of ten users for 500 objects are 500 restores, and each is served.
func TestManyAskForFew(t *testing.T) {
	const n, size = 500, 1000
	l := newLibrary(t, n, size, objects.TapeConfig{VolumeBytes: 50 * size})
	ctx, stop := context.WithCancel(t.Context())
	var keeping sync.WaitGroup
	keeping.Go(func() { l.keeper(quick()).Run(ctx) }) //nolint:errcheck // ends with ctx
	defer keeping.Wait()
	defer stop()
	var asking sync.WaitGroup
	var orders sync.Map
	for user := range 10 {
		asking.Go(func() {
			for i := range 1000 { // each object twice
				key := l.keys[(i*7+user)%n]
				id, err := l.copies.Order(ctx, copies.Asking{Owner: fmt.Sprint("user", user), Lane: copies.LaneUser, Files: []copies.File{{Key: key, Asset: "data"}}, Single: true})
				if err != nil {
					t.Error(err)
					return
				}
				orders.Store(id, key)
			}
		})
	}
	asking.Wait()
	l.until("every copy is online", func() bool {
		f, err := l.copies.Figures(ctx)
		return err == nil && f.Copies[copies.Online] == n && f.Open == 0
	})
	if began, twice := l.restores(); began != n || twice != 0 {
		t.Errorf("%d restores of %d objects, %d twice", began, n, twice)
	}
	count := 0
	orders.Range(func(id, key any) bool {
		if count++; count%100 == 0 {
			if o, err := l.copies.OrderOf(ctx, id.(string)); err != nil || o.Status() != "succeeded" || o.Served != 1 {
				t.Errorf("order %s: %+v %v", id, o, err)
			}
			if err := l.read(key.(string)); err != nil {
				t.Error(err)
			}
		}
		return true
	})
	if count < 5000 {
		t.Errorf("%d orders", count)
	}
}

// TestFailures: a restore that fails is tried again, and given up when it failed too often; whoever waits is told. An operator lets it be
// ordered again.
func TestFailures(t *testing.T) {
	l := newLibrary(t, 3, 100, objects.TapeConfig{FailPercent: 100})
	cfg := quick()
	cfg.Tries = 5
	k := l.keeper(cfg)
	id := l.order("me", l.keys[0])
	l.until("it is given up", func() bool {
		if err := k.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		o, err := l.copies.OrderOf(t.Context(), id)
		return err == nil && o.Status() == "failed"
	})
	if began, _ := l.restores(); began != 5 {
		t.Errorf("%d tries", began)
	}
	if _, err := l.copies.Order(t.Context(), copies.Asking{Files: []copies.File{{Key: l.keys[0], Asset: "B04"}}, Lane: copies.LaneUser}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an order of what was given up: %v", err)
	}
	if troubles, err := l.copies.Troubles(t.Context(), 10); err != nil || len(troubles) != 1 || troubles[0].Tries != 5 || troubles[0].Reason == "" {
		t.Errorf("troubles: %+v %v", troubles, err)
	}
	l.open(objects.TapeConfig{}) // the tape was repaired
	if n, err := l.copies.Retry(t.Context()); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	l.order("me", l.keys[0])
	if err := l.keeper(cfg).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.read(l.keys[0]); err != nil {
		t.Error(err)
	}
}

// TestRoom: the buffer is never overdrawn, what is read stays, what expires goes, and a queue larger than the buffer passes through it.
func TestRoom(t *testing.T) {
	const n, size = 40, 1000
	l := newLibrary(t, n, size, objects.TapeConfig{})
	cfg := quick()
	cfg.BufferBytes, cfg.LeastLife = 10*size, time.Hour
	k := l.keeper(cfg)
	if err := l.read(l.keys[0]); !fault.Is(err, fault.Offline) {
		t.Fatalf("a cold object: %v", err)
	}
	for _, key := range l.keys {
		l.order("me", key)
	}
	if err := k.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.states(map[copies.State]int{copies.Online: 10, copies.Queued: 30})
	held, err := l.store.Open(t.Context(), l.keys[0]) // the first that was asked for
	if err != nil {
		t.Fatal(err)
	}
	cfg.LeastLife = time.Nanosecond
	k = l.keeper(cfg)
	seen := map[string]bool{}
	l.until("all have been online", func() bool {
		if _, err := k.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if disk := l.onDisk(); disk > cfg.BufferBytes {
			t.Fatalf("the store holds %d bytes of a buffer of %d", disk, cfg.BufferBytes)
		}
		for info, err := range l.plain.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			seen[info.Key] = true
		}
		f, err := l.copies.Figures(t.Context())
		return err == nil && f.Open == 0
	})
	if len(seen) != n {
		t.Errorf("%d of %d came", len(seen), n)
	}
	if c, err := l.copies.Get(t.Context(), l.keys[0]); err != nil || c.State != copies.Online {
		t.Errorf("a copy that was read all the time is %s, %v", c.State, err)
	}
	if began, _ := l.restores(); began != n {
		t.Errorf("%d restores", began)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.copies.Order(t.Context(), copies.Asking{Files: []copies.File{{Key: l.keys[1], Asset: "B04"}}, Lane: copies.LaneUser, Most: size - 1}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("an order of what is larger than the buffer: %v", err)
	}
}

// TestYoungStay: a copy that came a short while ago is not given up for another one.
func TestYoungStay(t *testing.T) {
	l := newLibrary(t, 3, 1000, objects.TapeConfig{})
	cfg := quick()
	cfg.BufferBytes, cfg.LeastLife = 2000, time.Hour
	k := l.keeper(cfg)
	for _, key := range l.keys {
		l.order("me", key)
		if err := k.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l.states(map[copies.State]int{copies.Online: 2, copies.Queued: 1})
}

// TestExpiry: what expires goes, but not while it is read.
func TestExpiry(t *testing.T) {
	l := newLibrary(t, 2, 1000, objects.TapeConfig{})
	jump := jumping(t, l.url)
	l.open(objects.TapeConfig{}) // connections that see the other clock
	k := l.keeper(quick())
	for _, key := range l.keys {
		l.order("me", key)
	}
	if err := k.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	o, err := l.store.Open(t.Context(), l.keys[0])
	if err != nil {
		t.Fatal(err)
	}
	jump("2 hours")
	if err := l.copies.PinAll(t.Context(), l.keys[:1], usualPin); err != nil { // as the reader does while the time passes
		t.Fatal(err)
	}
	if err := k.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.states(map[copies.State]int{copies.Online: 1, copies.Cold: 1})
	if err := l.read(l.keys[0]); err != nil {
		t.Error(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	jump("3 hours")
	if err := k.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.states(map[copies.State]int{copies.Cold: 2})
}

// TestPins: whoever reads renews the pin, and stops when it has read.
func TestPins(t *testing.T) {
	l := newLibrary(t, 1, 1000, objects.TapeConfig{})
	l.store.pinTime = 90 * time.Millisecond
	l.order("me", l.keys[0])
	if err := l.keeper(quick()).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), l.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	until := func() (at time.Time) {
		if err := conn.QueryRow(t.Context(), "select pinned_until from copy").Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	first, err := l.store.Open(t.Context(), l.keys[0])
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.store.Open(t.Context(), l.keys[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []objects.Object{first, second} {
		for range 3 {
			at := until()
			l.until("the pin is renewed", func() bool { return until().After(at) })
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if l.store.pins.mu.Lock(); len(l.store.pins.held) != 0 || l.store.pins.stop != nil {
		t.Error("what was read is still held")
	}
	l.store.pins.mu.Unlock()
}

// TestCancel: an order that is ended takes back what nobody else waits for, and a restore under way is cancelled.
func TestCancel(t *testing.T) {
	l := newLibrary(t, 3, 1000, objects.TapeConfig{Mount: time.Hour})
	k := l.keeper(quick())
	mine, other := l.order("me", l.keys[0]), l.order("you", l.keys[0])
	if mine == other {
		t.Fatal("two users have one order")
	}
	if again := l.order("me", l.keys[0]); again != mine {
		t.Errorf("asking again made another order")
	}
	if err := l.copies.Cancel(t.Context(), mine, "you"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an order of another user was ended: %v", err)
	}
	for _, step := range []struct {
		end, owner string
		want       copies.State
	}{{mine, "me", copies.Queued}, {other, "you", copies.Cold}} {
		if err := l.copies.Cancel(t.Context(), step.end, step.owner); err != nil {
			t.Fatal(err)
		}
		if c, err := l.copies.Get(t.Context(), l.keys[0]); err != nil || c.State != step.want {
			t.Errorf("after the end of %s's order: %s, %v", step.owner, c.State, err)
		}
	}
	id := l.order("me", l.keys[1])
	if err := k.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.states(map[copies.State]int{copies.Cold: 2, copies.Restoring: 1})
	if err := l.copies.Cancel(t.Context(), id, "me"); err != nil {
		t.Fatal(err)
	}
	if err := k.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.states(map[copies.State]int{copies.Cold: 3})
}

// TestQuota: a user can't have more waiting than allowed.
func TestQuota(t *testing.T) {
	l := newLibrary(t, 5, 1000, objects.TapeConfig{})
	ask := func(quota copies.Quota, keys ...string) error {
		var files []copies.File
		for _, key := range keys {
			files = append(files, copies.File{Key: key, Asset: "data"})
		}
		_, err := l.copies.Order(t.Context(), copies.Asking{Owner: "me", Lane: copies.LaneUser, Files: files, Quota: quota})
		return err
	}
	var done atomic.Int64
	var group sync.WaitGroup
	for i := range 5 { // at once
		group.Go(func() {
			if err := ask(copies.Quota{Files: 2}, l.keys[i]); err == nil {
				done.Add(1)
			} else if !fault.Is(err, fault.OverQuota) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if done.Load() != 2 {
		t.Errorf("%d orders of a quota of 2", done.Load())
	}
	if err := l.keeper(quick()).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ask(copies.Quota{DayBytes: 2500}, l.keys...); !fault.Is(err, fault.OverQuota) {
		t.Errorf("more than a day's bytes: %v", err)
	}
	if err := ask(copies.Quota{Files: 3, Bytes: 3000}, l.keys...); err != nil { // two are there
		t.Error(err)
	}
}
