package tiles

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"swath/fault"
)

func TestFlightDoesEqualWorkOnce(t *testing.T) {
	var f flight[int]
	var runs, joined atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			joined.Add(1)
			v, err := f.do(t.Context(), "k", func(context.Context) (int, error) {
				for joined.Load() < 20 {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(20 * time.Millisecond) // the last caller is on its way from the counter to the table
				return int(runs.Add(1)), nil
			})
			if v != 1 || err != nil {
				t.Errorf("got %d, %v; want the one run's 1", v, err)
			}
		})
	}
	all.Wait()
	if n := runs.Load(); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
	if len(f.calls) != 0 {
		t.Errorf("%d calls remain in the table", len(f.calls))
	}
}

func TestFlightCancelsWhatNobodyWaitsFor(t *testing.T) {
	var f flight[int]
	stopped := make(chan error, 1)
	work := func(ctx context.Context) (int, error) {
		<-ctx.Done()
		stopped <- ctx.Err()
		return 0, ctx.Err()
	}
	ctx1, leave1 := context.WithCancel(t.Context())
	ctx2, leave2 := context.WithCancel(t.Context())
	answers := make(chan error)
	go func() { _, err := f.do(ctx1, "k", work); answers <- err }()
	go func() { _, err := f.do(ctx2, "k", work); answers <- err }()
	for waiting := 0; waiting < 2; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		if c := f.calls["k"]; c != nil {
			waiting = c.waiting
		}
		f.mu.Unlock()
	}
	leave1()
	if err := <-answers; !errors.Is(err, context.Canceled) {
		t.Errorf("the first to leave got %v, want context.Canceled", err)
	}
	select {
	case <-stopped:
		t.Fatal("the work was cancelled while someone still waited")
	case <-time.After(20 * time.Millisecond):
	}
	leave2()
	<-answers
	select {
	case <-stopped:
	case <-time.After(time.Second):
		t.Fatal("the work goes on with nobody waiting")
	}
}

func TestFlightSurvivesPanics(t *testing.T) {
	var f flight[int]
	_, err := f.do(t.Context(), "k", func(context.Context) (int, error) { panic("boom") })
	if err == nil || !strings.Contains(err.Error(), "boom") || !strings.Contains(err.Error(), "flight_test.go") {
		t.Errorf("got %v, want the panic and its stack", err)
	}
}

// TestGateKnowsHowLong lets wait whose turn comes soon, and refuses whose comes late.
func TestGateKnowsHowLong(t *testing.T) {
	g := gate{slots: make(chan struct{}, 2), queue: 1000, patience: 5 * time.Second}
	g.usual.Store(int64(time.Second))
	g.slots <- struct{}{}
	g.slots <- struct{}{}
	ctx, leave := context.WithCancel(t.Context())
	answers := make(chan error, 20)
	for range 10 { // the last one waits for five pairs before it
		go func() { _, err := g.enter(ctx); answers <- err }()
	}
	for g.waiting.Load() != 10 {
		time.Sleep(time.Millisecond)
	}
	if _, err := g.enter(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the eleventh got %v, want fault.Unavailable", err)
	}
	leave()
	for range 10 {
		if err := <-answers; !errors.Is(err, context.Canceled) {
			t.Errorf("one of the first ten got %v, want that it waits", err)
		}
	}
	<-g.slots
	done, err := g.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done()
	if mean := time.Duration(g.usual.Load()); mean < 800*time.Millisecond || mean > 900*time.Millisecond {
		t.Errorf("after a second and a moment the mean is %s, want 7/8 s", mean)
	}
}

func TestGate(t *testing.T) {
	g := gate{slots: make(chan struct{}, 1), queue: 1}
	leave, err := g.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error)
	go func() {
		leave, err := g.enter(t.Context())
		if err == nil {
			leave()
		}
		second <- err
	}()
	for g.waiting.Load() != 1 {
		time.Sleep(time.Millisecond)
	}
	if _, err := g.enter(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the third got %v, want fault.Unavailable", err)
	}
	leave()
	if err := <-second; err != nil {
		t.Errorf("the one in the queue got %v", err)
	}
	leave, _ = g.enter(t.Context())
	defer leave()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := g.enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting past the deadline: %v", err)
	}
	if n := g.waiting.Load(); n != 0 {
		t.Errorf("%d are still counted as waiting", n)
	}
}

type closing struct{ closed *atomic.Int32 }

func (c closing) Close() error { c.closed.Add(1); return nil }

func TestCacheClosesAfterTheLastUser(t *testing.T) {
	c := cache[closing]{most: 2}
	closed := map[string]*atomic.Int32{}
	get := func(key string) func() {
		_, release, err := c.get(t.Context(), key, func(context.Context) (closing, error) {
			closed[key] = new(atomic.Int32)
			return closing{closed[key]}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return release
	}
	releaseA := get("a")
	get("b")()
	get("c")() // a is the oldest, but in use
	if n := closed["a"].Load(); n != 0 {
		t.Fatal("a was closed under its user")
	}
	if len(c.byKey) != 2 || c.recent.Len() != 2 {
		t.Errorf("%d entries are kept, want 2", len(c.byKey))
	}
	releaseA()
	if n := closed["a"].Load(); n != 1 {
		t.Errorf("a was closed %d times, want once", n)
	}
	if closed["b"].Load()+closed["c"].Load() != 0 {
		t.Error("kept entries were closed")
	}
}

func TestCacheForgets(t *testing.T) {
	made := 0
	get := func(c *cache[int]) (v int) {
		v, release, err := c.get(t.Context(), "k", func(context.Context) (int, error) { made++; return made, nil })
		if err != nil {
			t.Fatal(err)
		}
		release()
		return v
	}
	c := cache[int]{most: 1, ttl: 30 * time.Millisecond}
	if a, b := get(&c), get(&c); a != 1 || b != 1 {
		t.Errorf("fresh: %d, %d; want 1, 1", a, b)
	}
	time.Sleep(40 * time.Millisecond)
	if v := get(&c); v != 2 {
		t.Errorf("after its time: %d, want 2", v)
	}
	fail := cache[int]{most: 1}
	for range 2 {
		if _, _, err := fail.get(t.Context(), "k", func(context.Context) (int, error) { made++; return 0, fmt.Errorf("no") }); err == nil {
			t.Error("a failure was kept as a value")
		}
	}
	if made != 4 {
		t.Errorf("made %d times, want 4: failures are tried again", made)
	}
}

// TestCacheWeighs: heavy values push out as many light ones as they weigh; one alone may be too heavy.
func TestCacheWeighs(t *testing.T) {
	c := cache[int]{most: 10, weigh: func(v int) int { return v }}
	for _, step := range []struct {
		put  int
		want string
	}{{4, "4"}, {5, "45"}, {1, "451"}, {3, "513"}, {12, "12"}, {2, "2"}, {8, "28"}} {
		c.put(fmt.Sprint(step.put), step.put)
		kept := ""
		for el := c.recent.Back(); el != nil; el = el.Prev() {
			kept += el.Value.(*entry[int]).key
		}
		if kept != step.want {
			t.Errorf("after %d: %s is kept, want %s", step.put, kept, step.want)
		}
	}
}

func TestCacheUnderLoad(t *testing.T) {
	var open atomic.Int32
	c := cache[counted]{most: 3}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 500 {
				v, release, err := c.get(t.Context(), fmt.Sprint((worker*7+i)%10), func(context.Context) (counted, error) {
					open.Add(1)
					return counted{&open, new(atomic.Bool)}, nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				if v.closed.Load() {
					t.Error("a closed value was handed out")
				}
				release()
			}
		})
	}
	all.Wait()
	if n := open.Load(); n > 3 {
		t.Errorf("%d values are open after the load, want at most 3", n)
	}
}

type counted struct {
	open   *atomic.Int32
	closed *atomic.Bool
}

func (c counted) Close() error { c.open.Add(-1); c.closed.Store(true); return nil }
