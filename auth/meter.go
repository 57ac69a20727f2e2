package auth

import (
	"context"
	"errors"
	"sync"
	"time"

	"swath/fault"
)

// day is what a quota of a day is of: any 24 hours, counted by hours.
const day = 24 * time.Hour

// meter counts what is used, in memory, and adds it to the accounts from time to time.
//
//	request ends ─▶ pending ──every 10 s──▶ account_use ─▶ what all servers counted ─▶ used
//	                   └───────── a download may begin: used + pending < quota? ◀────────┘
type meter struct {
	accounts Accounts
	mu       sync.Mutex
	of       map[string]*gauge // by account
	ended    map[download]*Download
	flushing sync.Mutex
}

// download is what downloads have in common that are told of in one row.
type download struct {
	account, key, collection, item, asset string
	status                                int
}

// mostEnded are kept until the database takes them again; of further ones only what they used is counted.
const mostEnded = 100_000

// gauge is what one account uses.
type gauge struct {
	pending   Use
	used      []Use // of the last day, by hour, as far as it is written down
	known     bool  // used was read
	downloads int   // under way here
	touched   time.Time
}

// gaugeOf returns that of an account; the lock is held.
func (m *meter) gaugeOf(account string, now time.Time) *gauge {
	g := m.of[account]
	if g == nil {
		if m.of == nil {
			m.of = map[string]*gauge{}
		}
		g = &gauge{pending: Use{Account: account}}
		m.of[account] = g
	}
	g.touched = now
	return g
}

// Count adds what a request of somebody has used: itself, and bytes that were really sent.
func (k *Keeper) Count(p Principal, requests, bytes int64) {
	k.meter.mu.Lock()
	defer k.meter.mu.Unlock()
	g := k.meter.gaugeOf(p.User, time.Now())
	g.pending.Requests += requests
	g.pending.Bytes += bytes
}

// Download lets a download begin, and returns what must be called when it has ended. Fault.OverQuota when the account has as many under
// way as it may, or was sent as many bytes in the last 24 hours. What has begun is finished, so that the last one may pass the limit.
func (k *Keeper) Download(ctx context.Context, p Principal) (end func(), err error) {
	now := time.Now()
	if p.Quotas.BytesADay > 0 {
		if err := k.enough(ctx, p, now); err != nil {
			return nil, err
		}
	}
	k.meter.mu.Lock()
	defer k.meter.mu.Unlock()
	g := k.meter.gaugeOf(p.User, now)
	if p.Quotas.Downloads > 0 && g.downloads >= p.Quotas.Downloads {
		return nil, &fault.Error{Kind: fault.OverQuota, Public: "as many downloads as the account may have at once are under way", After: 5 * time.Second}
	}
	g.downloads++
	g.pending.Downloads++
	return sync.OnceFunc(func() {
		k.meter.mu.Lock()
		defer k.meter.mu.Unlock()
		g.downloads--
	}), nil
}

// enough returns fault.OverQuota, and when there is room again, where the bytes of a day have been sent.
func (k *Keeper) enough(ctx context.Context, p Principal, now time.Time) error {
	since := now.Add(-day)
	k.meter.mu.Lock()
	g := k.meter.gaugeOf(p.User, now)
	known := g.known
	k.meter.mu.Unlock()
	if !known {
		used, err := k.accounts.Used(ctx, p.User, since)
		if err != nil {
			return err
		}
		k.meter.mu.Lock()
		if !g.known {
			g.used, g.known = used, true
		}
		k.meter.mu.Unlock()
	}
	k.meter.mu.Lock()
	defer k.meter.mu.Unlock()
	sent, after := g.day(now, p.Quotas.BytesADay)
	if sent < p.Quotas.BytesADay {
		return nil
	}
	return &fault.Error{Kind: fault.OverQuota, Public: "the account was sent the bytes that it may have in 24 hours", After: after}
}

// day returns the bytes of the last 24 hours, and how long it takes until they are fewer and less than most. The lock is held.
func (g *gauge) day(now time.Time, most int64) (sent int64, after time.Duration) {
	sent, after = g.pending.Bytes, day
	for _, u := range g.used {
		if u.At.Add(time.Hour + day).After(now) {
			sent += u.Bytes
		}
	}
	left := sent
	for _, u := range g.used { // the oldest first
		if leaves := u.At.Add(time.Hour + day); leaves.After(now) && u.Bytes > 0 {
			if left -= u.Bytes; left < most {
				return sent, max(leaves.Sub(now), time.Second)
			}
		}
	}
	return sent, after
}

// Allowance is what is left of one quota.
type Allowance struct {
	Name        string // bytes or downloads
	Unit        string // content-bytes or concurrent-requests
	Quota, Left int64
	Window      time.Duration // that the quota is of; 0: of what is under way at once
	Reset       time.Duration // until there is more; 0: not known
}

// Allowances returns what is left of the quotas of downloads, as this server knows it.
func (k *Keeper) Allowances(p Principal) (all []Allowance) {
	now := time.Now()
	k.meter.mu.Lock()
	defer k.meter.mu.Unlock()
	g := k.meter.gaugeOf(p.User, now)
	if most := p.Quotas.BytesADay; most > 0 {
		sent, after := g.day(now, most)
		all = append(all, Allowance{"bytes", "content-bytes", most, max(0, most-sent), day, after})
	}
	if most := int64(p.Quotas.Downloads); most > 0 {
		all = append(all, Allowance{Name: "downloads", Unit: "concurrent-requests", Quota: most, Left: max(0, most-int64(g.downloads))})
	}
	return all
}

// Downloaded notes a download of somebody that has ended: a file of an item, how it was answered, what was sent and how long that took.
func (k *Keeper) Downloaded(p Principal, collection, item, asset string, status int, bytes int64, took time.Duration) {
	k.meter.mu.Lock()
	defer k.meter.mu.Unlock()
	what := download{p.User, p.Key, collection, item, asset, status}
	d := k.meter.ended[what]
	if d == nil {
		if len(k.meter.ended) >= mostEnded {
			return
		}
		if k.meter.ended == nil {
			k.meter.ended = map[download]*Download{}
		}
		d = &Download{Account: p.User, Key: p.Key, Collection: collection, Item: item, Asset: asset, Status: status}
		k.meter.ended[what] = d
	}
	d.At = time.Now().UTC()
	d.Requests, d.Bytes, d.Seconds = d.Requests+1, d.Bytes+bytes, d.Seconds+took.Seconds()
}

// flushDownloads writes down those that have ended. What can't be written is kept for the next time.
func (k *Keeper) flushDownloads(ctx context.Context) error {
	k.meter.mu.Lock()
	ended := k.meter.ended
	k.meter.ended = nil
	k.meter.mu.Unlock()
	if len(ended) == 0 {
		return nil
	}
	all := make([]Download, 0, len(ended))
	for _, d := range ended {
		all = append(all, *d)
	}
	err := k.accounts.AddDownloads(ctx, all)
	if err == nil {
		return nil
	}
	k.meter.mu.Lock()
	defer k.meter.mu.Unlock()
	for what, d := range k.meter.ended { // that ended meanwhile
		if before := ended[what]; before != nil {
			d.Requests, d.Bytes, d.Seconds = d.Requests+before.Requests, d.Bytes+before.Bytes, d.Seconds+before.Seconds
		}
		ended[what] = d
	}
	k.meter.ended = ended
	return err
}

const forgetGauge = 10 * time.Minute // of who asks for nothing more

// Flush writes down what was used since the last time.
func (k *Keeper) Flush(ctx context.Context) error {
	k.meter.flushing.Lock()
	defer k.meter.flushing.Unlock()
	return errors.Join(k.flushUse(ctx), k.flushDownloads(ctx))
}

func (k *Keeper) flushUse(ctx context.Context) error {
	m := &k.meter
	now := time.Now()
	hour := now.UTC().Truncate(time.Hour)
	var all []Use
	m.mu.Lock()
	for account, g := range m.of {
		if g.pending == (Use{Account: account}) {
			if g.downloads == 0 && now.Sub(g.touched) > forgetGauge {
				delete(m.of, account)
			}
			continue
		}
		one := g.pending
		one.At = hour
		all = append(all, one)
	}
	m.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	used, err := k.accounts.AddUse(ctx, all, now.Add(-day-time.Hour))
	if err != nil {
		return err
	}
	byAccount := map[string][]Use{}
	for _, u := range used {
		byAccount[u.Account] = append(byAccount[u.Account], u)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range all {
		g := m.gaugeOf(one.Account, now)
		g.pending.Requests -= one.Requests
		g.pending.Downloads -= one.Downloads
		g.pending.Bytes -= one.Bytes
		g.used, g.known = byAccount[one.Account], true
	}
	return nil
}
