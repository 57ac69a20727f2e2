package statistics

import (
	"context"
	"sync"
	"time"

	"swath/stac"
)

// Meter counts requests until they are written down. Its zero value works.
type Meter struct {
	mu   sync.Mutex
	seen map[place]use
}

type place struct {
	day   time.Time // midnight UTC
	file  stac.Download
	drawn bool
}

type use struct {
	requests, bytes int64
	seconds         float64
}

// Sent adds what a request has cost; see httpkit.Config.
func (m *Meter) Sent(ctx context.Context, requests, bytes int64) {
	m.add(ctx, use{requests: requests, bytes: bytes})
}

// Answered adds how long it took until the answer began.
func (m *Meter) Answered(ctx context.Context, dur time.Duration) {
	m.add(ctx, use{seconds: dur.Seconds()})
}

func (m *Meter) add(ctx context.Context, more use) {
	at := place{time.Now().UTC().Truncate(24 * time.Hour), stac.DownloadOf(ctx), stac.IsDrawing(ctx)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[place]use{}
	}
	u := m.seen[at]
	m.seen[at] = use{u.requests + more.requests, u.bytes + more.bytes, u.seconds + more.seconds}
}

// take hands over what was counted, and begins anew.
func (m *Meter) take() map[place]use {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := m.seen
	m.seen = nil
	return seen
}

// giveBack counts again what could not be written down.
func (m *Meter) giveBack(seen map[place]use) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[place]use{}
	}
	for at, more := range seen {
		u := m.seen[at]
		m.seen[at] = use{u.requests + more.requests, u.bytes + more.bytes, u.seconds + more.seconds}
	}
}
