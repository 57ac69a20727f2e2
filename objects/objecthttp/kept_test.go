package objecthttp

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swath/fault"
)

// TestKept: quick counts are always new; slow ones are told at once from the second time on and counted anew beside; who does not wait for the
// first does not end it; and a failure is told, and tried again.
func TestKept(t *testing.T) {
	var n atomic.Int64
	count := func(takes time.Duration, err error) counting {
		return func(ctx context.Context, progress func(counted, of int64)) (tileCounts, error) {
			progress(3, 12)
			select {
			case <-ctx.Done():
				return tileCounts{}, ctx.Err()
			case <-time.After(takes):
			}
			return tileCounts{elsewhere: n.Add(1)}, err
		}
	}
	ask := func(k *kept, key string, takes time.Duration) (int64, time.Duration) {
		t.Helper()
		began := time.Now()
		got, err := k.get(t.Context(), key, count(takes, nil))
		if err != nil {
			t.Fatal(err)
		}
		return got.elsewhere, time.Since(began)
	}
	k := &kept{}
	for want := int64(1); want <= 3; want++ {
		if got, _ := ask(k, "quick", 0); got != want {
			t.Errorf("quick: %d, want %d", got, want)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := k.get(short, "slow", count(keptFrom+50*time.Millisecond, nil)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who does not wait: %v", err)
	}
	if got, took := ask(k, "slow", time.Hour); got != 4 || took < 100*time.Millisecond {
		t.Errorf("what was begun: %d after %v", got, took)
	}
	if got, took := ask(k, "slow", time.Hour); got != 4 || took > 100*time.Millisecond {
		t.Errorf("again: %d after %v", got, took)
	}
	k.of["slow"].at = time.Now().Add(-time.Hour) // no longer fresh
	if got, took := ask(k, "slow", time.Millisecond); got != 4 || took > 100*time.Millisecond {
		t.Errorf("what is no longer fresh: %d after %v", got, took)
	}
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if got, _ := ask(k, "slow", time.Millisecond); got > 4 {
			break
		} else if time.Since(began) > 5*time.Second {
			t.Fatal("it is not counted anew")
		}
	}
	hasty := &kept{patience: 20 * time.Millisecond}
	if _, err := hasty.get(t.Context(), "long", count(time.Second/2, nil)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "3 of 12 items") || fault.Later(err) < time.Second || fault.Later(err) > 5*time.Second {
		t.Errorf("who waits long: %v, again in %v", err, fault.Later(err))
	}
	lost := errors.New("lost")
	if _, err := k.get(t.Context(), "bad", count(0, lost)); !errors.Is(err, lost) {
		t.Errorf("a failure: %v", err)
	}
	if got, _ := ask(k, "bad", 0); got == 0 {
		t.Error("after a failure nothing is counted")
	}
}
