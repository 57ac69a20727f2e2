// Package ondemand makes COGs of JPEG 2000 objects that are looked at, and gives up those that nobody looks at any more.
//
//	           ┌──────── 24 h ────────┐
//	Want ─▶ making ─▶ failed ─────────┘
//	          └─▶ ready ─▶ leaving ─▶ (gone)
//	                ▲ used      └ older than Age, or the longest unused of more than Bytes; or its source is gone
//
// A row in PostgreSQL is claimed before a COG is made, so that of many servers one makes it, and all see it. What a server knows is
// in its memory, some seconds old: a COG that leaves keeps its bytes for longer than that.
package ondemand

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/objects"
)

var (
	//go:embed sql/claim.sql
	claimSQL string
	//go:embed sql/settle.sql
	settleSQL string
	//go:embed sql/changed.sql
	changedSQL string
	//go:embed sql/used.sql
	usedSQL string
	//go:embed sql/evict.sql
	evictSQL string
	//go:embed sql/past.sql
	pastSQL string
	//go:embed sql/forget.sql
	forgetSQL string
	//go:embed sql/ready.sql
	readySQL string
	//go:embed sql/leave.sql
	leaveSQL string
)

// Prefix begins the keys of the COGs. No collection is called so.
const Prefix = "_cog/"

// original is an object that stayed JPEG 2000.
type original struct {
	key      string   // of the object
	checksum string   // of its bytes, as the item says it
	noData   *float64 // a stored value, which the file itself may not state
}

// Config says what is kept. The times are for tests; zero values mean the usual ones.
type Config struct {
	Objects objects.Store
	Work    string        // folder for what is being made
	Bytes   int64         // of all COGs together; what was not used for longest leaves
	Age     time.Duration // since the last use, after which a COG leaves
	Log     *slog.Logger

	Look  time.Duration // between two looks at what other servers made; 3 s
	Sweep time.Duration // between two looks at what may leave; 1 min
	Grace time.Duration // from a COG's leaving to the end of its bytes; 2 min
}

// Shelf knows the COGs that there are. It is safe for concurrent use.
type Shelf struct {
	Config
	pool   *pgxpool.Pool
	wanted chan original

	looking sync.Mutex // one look at a time: a later one may not be overtaken by what an earlier one read

	mu    sync.Mutex
	cogs  map[string]string    // keys of COGs by those of their originals
	asked map[string]time.Time // originals that were wanted lately
	used  map[string]struct{}  // originals whose COGs were used since that was last written down
	seen  time.Time            // changes before are known
}

// Most of what is waiting to be made; what is wanted beyond is wanted again when it is looked at again.
const mostWaiting = 64

// askAgain is how long a want is remembered: what failed in another server is not asked for with every tile.
const askAgain = time.Minute

// Open connects the shelf of a database. Run keeps it.
func Open(ctx context.Context, url string, cfg Config) (*Shelf, error) {
	for _, usual := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&cfg.Look, 3 * time.Second}, {&cfg.Sweep, time.Minute}, {&cfg.Grace, 2 * time.Minute}} {
		if *usual.value == 0 {
			*usual.value = usual.usual
		}
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "not the address of a database")
	}
	s := &Shelf{Config: cfg, pool: pool, wanted: make(chan original, mostWaiting), cogs: map[string]string{}, asked: map[string]time.Time{}, used: map[string]struct{}{}}
	if err := s.look(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// Close ends it, after Run.
func (s *Shelf) Close() { s.pool.Close() }

// COG returns the key of the COG of an object, "" while there is none.
func (s *Shelf) COG(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cogs[key]
}

// Use says that an object, of which the item tells the checksum and the value for nodata, is being looked at: its COG, if there is
// one, stays; else one is made soon.
func (s *Shelf) Use(key, checksum string, noData *float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cogs[key] != "" {
		s.used[key] = struct{}{}
		return
	}
	if time.Since(s.asked[key]) < askAgain {
		return
	}
	select {
	case s.wanted <- original{key, checksum, noData}:
		s.asked[key] = time.Now()
	default: // when it is looked at again
	}
}

// Run makes what is wanted and gives up what is not, until the context ends.
func (s *Shelf) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { s.makeAll(ctx) })
	both.Go(func() { s.keep(ctx) })
	both.Wait()
}

// keep follows what other servers make, and gives up what is not used.
func (s *Shelf) keep(ctx context.Context) {
	look, sweep := time.NewTicker(s.Look), time.NewTicker(s.Sweep)
	defer look.Stop()
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			s.note(context.WithoutCancel(ctx)) // what was used since the last time
			return
		case <-look.C:
			err = s.look(ctx)
		case <-sweep.C:
			err = s.sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("COGs made on demand are not kept", "err", err)
		}
	}
}

// look reads what changed since the last look.
func (s *Shelf) look(ctx context.Context) error {
	const overlap = 10 * time.Second // longer than a transaction takes from its clock to its end
	s.looking.Lock()
	defer s.looking.Unlock()
	rows, err := s.pool.Query(ctx, changedSQL, s.seen.Add(-overlap))
	if err != nil {
		return fmt.Errorf("ondemand: look: %w", err)
	}
	defer rows.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for rows.Next() {
		var source, object, state string
		var since time.Time
		if err := rows.Scan(&source, &object, &state, &since); err != nil {
			return fmt.Errorf("ondemand: look: %w", err)
		}
		if state == "ready" {
			s.cogs[source] = object
			delete(s.asked, source)
		} else {
			delete(s.cogs, source)
		}
		if since.After(s.seen) {
			s.seen = since
		}
	}
	for source, at := range s.asked {
		if time.Since(at) > askAgain {
			delete(s.asked, source)
		}
	}
	return rows.Err()
}

// sweep writes down what was used, lets leave what was not, and removes what left.
func (s *Shelf) sweep(ctx context.Context) error {
	if err := s.note(ctx); err != nil {
		return err
	}
	if err := s.orphaned(ctx); err != nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, evictSQL, s.Age.Seconds(), s.Bytes); err != nil {
		return fmt.Errorf("ondemand: evict: %w", err)
	}
	return s.remove(ctx)
}

// note writes down what was used.
func (s *Shelf) note(ctx context.Context) error {
	s.mu.Lock()
	sources := make([]string, 0, len(s.used))
	for source := range s.used {
		sources = append(sources, source)
	}
	clear(s.used)
	s.mu.Unlock()
	if len(sources) == 0 {
		return nil
	}
	if _, err := s.pool.Exec(ctx, usedSQL, sources); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, source := range sources {
			s.used[source] = struct{}{} // the next time
		}
		return fmt.Errorf("ondemand: used: %w", err)
	}
	return nil
}

// orphaned lets COGs leave whose originals are gone.
func (s *Shelf) orphaned(ctx context.Context) error {
	sources, err := s.texts(ctx, readySQL)
	if err != nil {
		return err
	}
	for _, source := range sources {
		if _, err := s.Objects.Stat(ctx, source[0]); fault.Is(err, fault.NotFound) {
			if _, err := s.pool.Exec(ctx, leaveSQL, source[0]); err != nil {
				return fmt.Errorf("ondemand: %s left: %w", source[0], err)
			}
		} else if err != nil {
			return err
		}
	}
	return nil
}

// remove ends what left, and what nobody finished making.
func (s *Shelf) remove(ctx context.Context) error {
	gone, err := s.texts(ctx, pastSQL, s.Grace.Seconds(), makingTime.Seconds())
	if err != nil {
		return err
	}
	for _, row := range gone {
		if err := s.forget(ctx, row[0]); err != nil {
			return fmt.Errorf("ondemand: forget %s: %w", row[0], err)
		}
	}
	return nil
}

// forget removes the row of a COG that is to be no more, and its bytes while the row is locked: as soon as it is gone, a server may
// make the COG again, of the same name.
func (s *Shelf) forget(ctx context.Context, source string) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var object string
		err := tx.QueryRow(ctx, forgetSQL, source, s.Grace.Seconds(), makingTime.Seconds()).Scan(&object)
		if errors.Is(err, pgx.ErrNoRows) { // another server was quicker
			return nil
		} else if err != nil {
			return err
		}
		return s.Objects.Delete(ctx, object)
	})
}

// texts returns rows of two texts: a source and its COG.
func (s *Shelf) texts(ctx context.Context, query string, args ...any) (all [][2]string, err error) {
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("ondemand: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var row [2]string
		if err := rows.Scan(&row[0], &row[1]); err != nil {
			return nil, fmt.Errorf("ondemand: %w", err)
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
