package processes

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// news tells who waits for a job that its state has changed. "" stands for any job. It listens from when somebody waits first.
type news struct {
	listen  func() // once
	stop    context.CancelFunc
	stopped sync.WaitGroup

	mu      sync.Mutex
	waiting map[string][]chan struct{}
}

func (n *news) open(listen func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	n.stop, n.waiting = stop, map[string][]chan struct{}{}
	n.listen = sync.OnceFunc(func() { n.stopped.Go(func() { listen(ctx) }) })
}

func (n *news) close() {
	n.stop()
	n.stopped.Wait()
}

// of returns a channel that has a value after something happened to a job, and what ends the interest in it.
func (n *news) of(job string) (<-chan struct{}, func()) {
	n.listen()
	c := make(chan struct{}, 1)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting[job] = append(n.waiting[job], c)
	return c, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		var rest []chan struct{}
		for _, other := range n.waiting[job] {
			if other != c {
				rest = append(rest, other)
			}
		}
		if n.waiting[job] = rest; len(rest) == 0 {
			delete(n.waiting, job)
		}
	}
}

func poke(all []chan struct{}) {
	for _, c := range all {
		select {
		case c <- struct{}{}:
		default: // it has been told already
		}
	}
}

func (n *news) tell(job string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	poke(n.waiting[job])
	poke(n.waiting[""])
}

// tellAll is for when something may have been missed.
func (n *news) tellAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, all := range n.waiting {
		poke(all)
	}
}

// listen passes on what the database tells until ctx ends. Nobody depends on it: all who wait look again by themselves, only later.
func (e *Engine) listen(ctx context.Context, url string) {
	for ctx.Err() == nil {
		if err := e.hear(ctx, url); err != nil && ctx.Err() == nil {
			e.cfg.Log.Warn("jobs are not heard of", "err", err)
		}
		pause(ctx, time.Second)
	}
}

func (e *Engine) hear(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it only listens
	if _, err := conn.Exec(ctx, "listen swath_job"); err != nil {
		return err
	}
	e.news.tellAll()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		job, _, _ := strings.Cut(n.Payload, " ")
		e.news.tell(job)
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
