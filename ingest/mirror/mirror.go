// Package mirror keeps a mirror of a hub: complete, verified, and without an operator.
//
//	published ┐                                      ┌─ size, checksums, zip, manifest ─┐
//	modified  ├─ lists ─▶ ledger ─▶ due ─▶ fetch ──▶ verify ───────────────────────▶ intake ─▶ held
//	deleted   ┘             ▲                │ .part, resumed          │ wrong
//	counts of days ─ sweep ─┘                └── again later           └─▶ again, then quarantine
//
// Everything may be killed at any moment: the ledger moves with the rows it stored, a part is resumed, an item that is catalogued twice
// is the same item.
package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/ledger"
)

// Intake makes items of products.
type Intake interface {
	// Add brings the product in a file into the catalog, and is repeatable. An error of the product itself is fault.Invalid.
	Add(ctx context.Context, path string) (collection, item string, err error)
	// Remove takes an item out of the catalog; one that is not there is no error.
	Remove(ctx context.Context, collection, item string) error
	// Collect removes bytes that are no longer needed.
	Collect(ctx context.Context) error
}

// Config says how a mirror is kept.
type Config struct {
	Name        string
	Work        string        // folder of parts, on a disk with room for the connections' products
	Since       time.Time     // publication of the first product that is wanted
	Connections int           // downloads at a time
	Overlap     time.Duration // how late a hub may publish a row with an earlier date
	Poll        time.Duration // between two looks at the lists
	SweepDays   int           // of acquisition, up to today, whose rows are counted each day; all since Since each week
	Backoff     time.Duration // before a product is tried again; doubles up to MostBackoff
	MostBackoff time.Duration
	Quarantine  time.Duration // before a product in quarantine is tried again
	Stall       time.Duration // without a byte, after which a download is broken off
	BytesPerS   float64       // of all downloads together; 0: as fast as they come
	KeepFree    int64         // bytes of the disk that stay free
	MostVanish  float64       // percent of the products that may vanish at once from a hub that is compared as a whole
}

// WithDefaults fills in what is not set.
func (c Config) WithDefaults() Config {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&c.Overlap, 30*time.Minute)
	set(&c.Poll, 2*time.Minute)
	set(&c.Backoff, time.Minute)
	set(&c.MostBackoff, time.Hour)
	set(&c.Quarantine, 24*time.Hour)
	set(&c.Stall, time.Minute)
	if c.Connections == 0 {
		c.Connections = 4
	}
	if c.SweepDays == 0 {
		c.SweepDays = 60
	}
	if c.MostVanish == 0 {
		c.MostVanish = 10
	}
	if c.KeepFree == 0 {
		c.KeepFree = 1 << 30
	}
	return c
}

// wrongTries is how often a product may have wrong bytes before it is put into quarantine.
const wrongTries = 3

// Mirror is kept by one process at a time.
type Mirror struct {
	cfg    Config
	hub    hub.Hub
	ledger *ledger.Ledger
	intake Intake
	log    *slog.Logger
	bytes  *fetch.Throttle
	clock  clock
	hint   chan struct{} // something may be new
	pause  time.Duration // after a hint, for hints come in crowds

	collected time.Time // when Collect was done

	mu     sync.Mutex
	flying map[string]bool // ids that are being fetched
}

// New makes a mirror.
func New(cfg Config, h hub.Hub, l *ledger.Ledger, in Intake, log *slog.Logger) *Mirror {
	cfg = cfg.WithDefaults()
	m := &Mirror{cfg: cfg, hub: h, ledger: l, intake: in, log: log.With("mirror", cfg.Name), flying: map[string]bool{}, hint: make(chan struct{}, 1), pause: min(hintPause, cfg.Poll), bytes: fetch.Steady(cfg.BytesPerS)}
	return m
}

// Once reads the lists, sweeps, and fetches until nothing is left to do but what is in quarantine.
func (m *Mirror) Once(ctx context.Context) error {
	for {
		if err := m.Sync(ctx); err != nil {
			return err
		}
		if err := m.Sweep(ctx, m.cfg.SweepDays, never, nil); err != nil {
			return err
		}
		before, err := m.ledger.Status(ctx)
		if err != nil {
			return err
		}
		if err := m.work(ctx, true); err != nil {
			return err
		}
		if err := m.remove(ctx); err != nil {
			return err
		}
		after, err := m.ledger.Status(ctx)
		if err != nil || before.Wanted == 0 && after.Wanted == 0 {
			return err
		}
	}
}

// Run keeps the mirror until the context ends. What fails is logged and tried again.
func (m *Mirror) Run(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(func() {
		swept, sweptAll := m.swept(ctx)
		for first := true; first && ctx.Err() == nil || m.wait(ctx); first = false {
			if err := m.Cycle(ctx); err != nil && ctx.Err() == nil {
				m.log.Warn("the hub's lists could not be read", "err", err)
				continue
			}
			days, list, whole := m.cfg.SweepDays, never, time.Since(sweptAll) > 7*day
			if whole {
				list = m.sweeps(time.Now().Unix() / int64(7*day/time.Second))
				days = max(days, int(time.Since(m.cfg.Since)/day)+lateDays)
			} else if time.Since(swept) < day {
				continue
			}
			looked := time.Now()
			look := func() { // a sweep of all days takes long
				select {
				case <-m.hint:
				default:
					if time.Since(looked) < m.cfg.Poll {
						return
					}
				}
				if err := m.Cycle(ctx); err != nil && ctx.Err() == nil {
					m.log.Warn("the hub's lists could not be read", "err", err)
				}
				looked = time.Now()
			}
			if err := m.Sweep(ctx, days, list, look); err != nil && ctx.Err() == nil {
				m.log.Warn("the hub's days could not be counted", "err", err)
				continue
			}
			if swept = time.Now(); whole {
				sweptAll = swept
			}
			if err := m.ledger.NoteSwept(ctx, whole); err != nil && ctx.Err() == nil {
				m.log.Warn("the days will be counted again after a restart", "err", err)
			}
		}
	})
	group.Go(func() {
		for ctx.Err() == nil && fetch.Pause(ctx, time.Second) == nil {
			if err := m.work(ctx, false); err != nil && ctx.Err() == nil {
				m.log.Error("products can't be fetched", "err", err, "again", m.cfg.Backoff)
				fetch.Pause(ctx, m.cfg.Backoff) //nolint:errcheck // the loop sees it
			}
		}
	})
	group.Go(func() { m.listen(ctx, m.ledger.Hints) })
	if hinter, ok := m.hub.(hub.Hinter); ok {
		group.Go(func() { m.listen(ctx, hinter.Hints) })
	}
	group.Wait()
	return context.Cause(ctx)
}

// swept returns when the latest days were swept, and all of them: also by a process before this one.
func (m *Mirror) swept(ctx context.Context) (some, all time.Time) {
	since, sinceAll, err := m.ledger.Swept(ctx)
	if err != nil {
		if ctx.Err() == nil {
			m.log.Warn("days are counted that may have been counted before", "err", err)
		}
		return some, all
	}
	return time.Now().Add(-since), time.Now().Add(-sinceAll)
}

// Cycle looks once for what is new and takes out what has left; what is due is fetched beside.
func (m *Mirror) Cycle(ctx context.Context) error {
	err := errors.Join(m.Sync(ctx), m.remove(ctx))
	if err == nil && time.Since(m.collected) > time.Hour {
		if err = m.intake.Collect(ctx); err == nil {
			m.collected = time.Now()
		}
	}
	return err
}

// Hint lets the lists be looked at soon. It never waits.
func (m *Mirror) Hint() {
	select {
	case m.hint <- struct{}{}:
	default:
	}
}

// listen passes on what the hub, or somebody for it, hints at.
func (m *Mirror) listen(ctx context.Context, hints func(context.Context, func()) error) {
	wait := m.cfg.Backoff
	for ctx.Err() == nil {
		began := time.Now()
		if err := hints(ctx, m.Hint); err != nil && ctx.Err() == nil {
			if time.Since(began) > m.cfg.MostBackoff {
				wait = m.cfg.Backoff
			}
			m.log.Warn("no hints come: the hub's lists are looked at all the same", "err", err, "again", wait)
			fetch.Pause(ctx, wait) //nolint:errcheck // the loop sees it
			wait = min(2*wait, m.cfg.MostBackoff)
		}
	}
}

// wait lets a while pass, shorter when the hub hints at something, and reports false when it is over.
func (m *Mirror) wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-m.hint:
		return fetch.Pause(ctx, m.pause) == nil
	case <-time.After(m.cfg.Poll):
		return true
	}
}

const hintPause = 2 * time.Second

// clock watches the hub's clock: a jump would lose rows or read the archive anew.
type clock struct {
	ahead time.Duration // of ours
	known bool
}

const mostJump = time.Hour

func (c *clock) check(now time.Time) error {
	ahead := time.Until(now)
	if c.known && (ahead-c.ahead).Abs() > mostJump {
		return fault.New(fault.Unavailable, "the hub's clock jumped by %v: nothing is believed until it is back", (ahead - c.ahead).Round(time.Second))
	}
	c.ahead, c.known = ahead, true
	return nil
}

// Sync reads the hub's lists from where it was, less the overlap.
func (m *Mirror) Sync(ctx context.Context) error {
	orders, err := m.hub.Orders(ctx)
	if err != nil {
		return err
	}
	for _, by := range orders {
		if by == hub.All {
			err = m.compare(ctx)
		} else {
			err = m.follow(ctx, by)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", lists[by], err)
		}
	}
	return nil
}

// lists are what messages call them.
var lists = map[hub.Order]string{hub.ByPublication: "list of what was published", hub.ByModification: "list of what was modified", hub.ByDeletion: "list of what was deleted", hub.All: "list of everything"}

// follow reads one list.
func (m *Mirror) follow(ctx context.Context, by hub.Order) error {
	since, err := m.ledger.Cursor(ctx, by)
	if err != nil {
		return err
	}
	began := !since.IsZero() || by != hub.ByPublication
	if since.IsZero() {
		since = m.cfg.Since
	} else {
		since = since.Add(-m.cfg.Overlap)
	}
	rows := 0
	var last, shuffled time.Time
	err = m.hub.List(ctx, hub.Query{By: by, Since: since}, func(page hub.Page) error {
		if err := m.clock.check(page.Now); err != nil {
			return err
		}
		settled := page.Now.Add(-m.cfg.Overlap) // later rows may still get company before them
		if !began {                             // what is changed and deleted before the first row is listed does not matter
			for _, other := range []hub.Order{hub.ByModification, hub.ByDeletion} {
				if err := m.ledger.Record(ctx, other, hub.Page{}, settled); err != nil {
					return err
				}
			}
			began = true
		}
		upTo := page.Last(by)
		if upTo.After(settled) {
			upTo = settled
		}
		if page.Shuffled { // the list's place moves when all of it was read
			if upTo.After(last) {
				last = upTo
			}
			upTo, shuffled = time.Time{}, last
		}
		rows += len(page.Products) + len(page.Deletions)
		return m.ledger.Record(ctx, by, page, upTo)
	})
	if err == nil && !shuffled.IsZero() {
		err = m.ledger.Record(ctx, by, hub.Page{}, shuffled)
	}
	m.log.Debug("list read", "list", by, "since", since, "rows", rows, "err", err)
	return err
}

// compare reads all that the hub has, and takes what is missing for gone: unless that is so much that a disk which is not there is the
// likelier reason.
func (m *Mirror) compare(ctx context.Context) error {
	missing, err := m.ledger.IDs(ctx, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	known := len(missing)
	err = m.hub.List(ctx, hub.Query{By: hub.All, Since: m.cfg.Since}, func(page hub.Page) error {
		for i := range page.Products {
			delete(missing, page.Products[i].ID)
		}
		return m.ledger.Record(ctx, hub.All, page, time.Time{})
	})
	if err != nil {
		return err
	}
	if n := len(missing); n > fewVanish && float64(n) > m.cfg.MostVanish/100*float64(known) {
		return fault.New(fault.Unavailable, "%d of %d products have vanished at once, more than %g %%: nothing is removed", n, known, m.cfg.MostVanish)
	}
	for id, name := range missing {
		if err := m.ledger.Gone(ctx, id, name); err != nil {
			return err
		}
	}
	return nil
}

// fewVanish is how many products may always vanish at once from a hub that is compared as a whole.
const fewVanish = 3

const (
	day = 24 * time.Hour
	// lateDays is how long before its publication a product is acquired at most, reprocessed archives aside: their days are counted when
	// they are within the others.
	lateDays = 31
)

// Sweep compares the last so many days of acquisition with the ledger: that finds what was published with an old date, and what left
// without a word. Days in a row that fit a page together are listed, in one request; a day of more rows is counted, in one request too,
// and listed where it differs. A day on which as many came as left looks the same: days that list says are listed however many rows they
// have, as are all days of a hub that has no list of what was deleted. Between, which may be nil, is called before each request.
func (m *Mirror) Sweep(ctx context.Context, days int, list func(day int) bool, between func()) error {
	orders, err := m.hub.Orders(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(orders, hub.All) {
		return nil
	}
	counts := slices.Contains(orders, hub.ByDeletion)
	today := time.Now().Add(m.clock.ahead).UTC().Truncate(day)
	for i := 0; i < days; {
		if between != nil {
			between()
		}
		first, until := i, today.Add(-time.Duration(i-1)*day)
		since, rows := until, int64(0)
		for ; i < days; i++ {
			more, err := m.ledger.Counted(ctx, since.Add(-day), since)
			if err != nil {
				return err
			}
			if i > first && rows+more > onePage {
				break
			}
			since, rows = since.Add(-day), rows+more
		}
		if err := m.sweepDays(ctx, since, until, rows, counts && rows > onePage && !list(first)); err != nil {
			return fmt.Errorf("days from %s: %w", since.Format(time.DateOnly), err)
		}
	}
	return nil
}

// sweeps says which days a sweep of all lists: those that are swept daily, and of the others every fourth, another each week.
func (m *Mirror) sweeps(week int64) func(day int) bool {
	return func(day int) bool { return day < m.cfg.SweepDays || (int64(day)+week)%4 == 0 }
}

func never(int) bool { return false }

// onePage is how many rows are listed rather than counted: it costs one request either way.
const onePage = 500

// sweepDays compares days of acquisition, of which the ledger has so many rows.
func (m *Mirror) sweepDays(ctx context.Context, since, until time.Time, here int64, counting bool) error {
	q := hub.Query{By: hub.ByAcquisition, Since: since, Until: until, Published: m.cfg.Since}
	there := int64(-1)
	if counting {
		var err error
		if there, err = m.hub.Count(ctx, q); err != nil || here == there {
			return err
		}
	}
	missing, err := m.ledger.IDs(ctx, since, until)
	if err != nil {
		return err
	}
	err = m.hub.List(ctx, q, func(page hub.Page) error {
		for i := range page.Products {
			delete(missing, page.Products[i].ID)
		}
		return m.ledger.Record(ctx, hub.ByAcquisition, page, time.Time{})
	})
	if err != nil {
		return err
	}
	for id, name := range missing { // a page may have been cut: the hub is asked for each
		if _, err := m.hub.Product(ctx, id); fault.Is(err, fault.NotFound) {
			if err := m.ledger.Gone(ctx, id, name); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
	}
	if there >= 0 || len(missing) > 0 {
		m.log.Info("days differed from the hub", "since", since.Format(time.DateOnly), "until", until.Format(time.DateOnly), "hub", there, "gone", len(missing))
	}
	return nil
}

// remove takes the items out of the catalog whose products left the hub.
func (m *Mirror) remove(ctx context.Context) error {
	for {
		orphans, err := m.ledger.Orphans(ctx)
		if err != nil || len(orphans) == 0 {
			return err
		}
		for _, o := range orphans {
			if !o.Kept {
				if err := m.intake.Remove(ctx, o.Collection, o.Item); err != nil && !fault.Is(err, fault.NotFound) {
					return fmt.Errorf("remove %s/%s: %w", o.Collection, o.Item, err)
				}
				m.log.Info("item removed: its product left the hub", "collection", o.Collection, "item", o.Item)
			}
			if err := m.ledger.Removed(ctx, o.ID); err != nil {
				return err
			}
		}
	}
}

// work fetches what is due over all connections until nothing is; patient, also what will be due soon.
func (m *Mirror) work(ctx context.Context, patient bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for range m.cfg.Connections {
		group.Go(func() {
			for ctx.Err() == nil {
				entry, wait, err := m.take(ctx)
				switch {
				case err != nil:
					cancel(err)
				case entry != nil:
					if err := m.fetch(ctx, *entry); err != nil {
						cancel(err)
					}
					m.land(entry.ID)
				case !patient || wait < 0:
					return
				default:
					select {
					case <-ctx.Done():
					case <-time.After(max(min(wait, time.Second), 10*time.Millisecond)):
					}
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// take returns a product to fetch, or how long until one is due; negative when none waits.
func (m *Mirror) take(ctx context.Context) (*ledger.Entry, time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	flying := make([]string, 0, len(m.flying))
	for id := range m.flying {
		flying = append(flying, id)
	}
	due, err := m.ledger.Due(ctx, 1, flying)
	if err != nil {
		return nil, 0, err
	}
	if len(due) == 1 {
		m.flying[due[0].ID] = true
		return &due[0], 0, nil
	}
	next, err := m.ledger.Next(ctx)
	if err != nil || next.IsZero() && len(flying) == 0 {
		return nil, -1, err
	}
	return nil, time.Until(next), nil
}

func (m *Mirror) land(id string) {
	m.mu.Lock()
	delete(m.flying, id)
	m.mu.Unlock()
}
