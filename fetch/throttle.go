package fetch

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Throttle lets so many bytes a second pass, for all together who share it. How many may change at any time: whoever waits then goes on as
// is right from then on, within some tenths of a second. A nil one lets everything pass. It is safe for concurrent use.
type Throttle struct {
	now func() float64 // bytes a second that are right at this moment; 0: any number

	mu      sync.Mutex
	allowed float64
	bucket  *rate.Limiter
}

// NewThrottle asks for the bytes a second, 0 for any number, each time that some pass.
func NewThrottle(now func() float64) *Throttle {
	return &Throttle{now: now, bucket: rate.NewLimiter(rate.Inf, 0)}
}

// Steady is a throttle that does not change; nil for 0.
func Steady(bytesPerS float64) *Throttle {
	if bytesPerS <= 0 {
		return nil
	}
	return NewThrottle(func() float64 { return bytesPerS })
}

// throttleStep is for how long bytes pass at once: a change waits for it, once for each who waits.
const throttleStep = 100 * time.Millisecond

// Piece is how many bytes should pass at a time, at most most: those of a short while.
func (t *Throttle) Piece(most int) int {
	if t == nil {
		return most
	}
	_, piece := t.look()
	return min(most, piece)
}

// Pass waits until n bytes may pass.
func (t *Throttle) Pass(ctx context.Context, n int) error {
	for t != nil && n > 0 {
		bucket, piece := t.look()
		piece = min(n, piece)
		if err := bucket.WaitN(ctx, piece); err != nil {
			return err
		}
		n -= piece
	}
	return nil
}

// look returns the bucket of this moment, and how much may be taken from it at once.
func (t *Throttle) look() (*rate.Limiter, int) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if now <= 0 {
		t.allowed = 0
		return unlimited, math.MaxInt
	}
	piece := max(1, int(now*throttleStep.Seconds()))
	if now != t.allowed { // a bucket of its own, empty: those who wait at the old one end soon
		t.allowed, t.bucket = now, rate.NewLimiter(rate.Limit(now), piece)
		t.bucket.AllowN(time.Now(), piece)
	}
	return t.bucket, piece
}

var unlimited = rate.NewLimiter(rate.Inf, 0)
