package fetch

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"swath/fault"
)

// Patience says how often and how long a request is repeated that fails in a way that may pass.
type Patience struct {
	Tries    int
	Wait     time.Duration // before the second try; doubles, with jitter, up to MostWait
	MostWait time.Duration
	Obey     time.Duration // the longest wait that a server may ask for; 0: any
}

// Try repeats what fails with a *Passing. When that does not pass it is a *Retry of fault.Unavailable.
func (p Patience) Try(ctx context.Context, what func() error) error {
	for try := 1; ; try++ {
		err := what()
		var again *Passing
		if err == nil || ctx.Err() != nil || !errors.As(err, &again) {
			return errors.Join(err, ctx.Err())
		}
		wait := min(p.Wait<<min(try-1, 20), p.MostWait)
		wait = max(again.After, wait/2+rand.N(wait/2+1))
		if try >= p.Tries || p.Obey > 0 && again.After > p.Obey {
			return &Retry{After: wait, Err: fault.Wrap(fault.Unavailable, again.Err, "the server does not answer as it should, after %d tries", try)}
		}
		if err := Pause(ctx, wait); err != nil {
			return err
		}
	}
}
