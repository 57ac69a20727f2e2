package catalog

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
)

// cache holds the collections as long as nobody changes them.
//
//	own write ────────────────────────────▶ invalidate
//	write of another process ──NOTIFY──▶ listener ──▶ invalidate
//	listener lost its connection ──▶ off: every reader asks the database
type cache struct {
	reading chan struct{} // held by the one who reads them anew

	mu         sync.Mutex
	on         bool   // the listener listens
	generation uint64 // another one whenever the answer may be another
	set        *collectionSet
}

func newCache() *cache { return &cache{reading: make(chan struct{}, 1)} }

// get returns the collections, or nil when they must be read, and the generation that they are read in.
func (c *cache) get() (*collectionSet, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set, c.generation
}

// put keeps what was read, unless something has changed since.
func (c *cache) put(set *collectionSet, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.on && c.generation == generation {
		c.set = set
	}
}

func (c *cache) invalidate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set = nil
	c.generation++
}

func (c *cache) turn(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on, c.set = on, nil
	c.generation++
}

// CollectionsGeneration returns a number that is another one whenever the collections, or what their items hold of each
// property, may have changed since the last call. Ask before reading: what was read then may be kept under that number.
func (s *Store) CollectionsGeneration() uint64 {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	if !s.cache.on {
		s.cache.generation++
	}
	return s.cache.generation
}

// collections returns the collections that the context's scope shows, from memory where that is sure to be right. It takes a
// connection when it must, so it is not called by who holds one.
func (s *Store) collections(ctx context.Context) (*collectionSet, error) {
	set, err := s.allCollections(ctx)
	if err != nil {
		return nil, err
	}
	return set.seen(stac.ScopeOf(ctx)), nil
}

func (s *Store) allCollections(ctx context.Context) (*collectionSet, error) {
	if set, _ := s.cache.get(); set != nil {
		return set, nil
	}
	var set *collectionSet
	err := s.with(ctx, "collections", func(conn *pgxpool.Conn) (err error) {
		select {
		case s.cache.reading <- struct{}{}:
			defer func() { <-s.cache.reading }()
		case <-ctx.Done():
			return ctx.Err()
		}
		found, generation := s.cache.get()
		if found != nil { // by the one who was before us
			set = found
			return nil
		}
		if set, err = readCollections(ctx, conn); err == nil {
			s.cache.put(set, generation)
		}
		return err
	})
	return set, err
}

const (
	listenPause = 200 * time.Millisecond // before a lost connection is tried again
	// listenPulse is how often a silent connection is asked whether it is still there. A network that swallows everything is
	// found out after this and the answer's patience; nothing else needs it.
	listenPulse    = 2 * time.Second
	listenPatience = 2 * time.Second
)

// listen keeps the cache right until the context ends.
func (s *Store) listen(ctx context.Context, conf *pgx.ConnConfig) {
	for ctx.Err() == nil {
		_ = s.listenOnce(ctx, conf) // whoever asks the catalog for something learns what is wrong
		s.cache.turn(false)
		select {
		case <-ctx.Done():
		case <-time.After(listenPause):
		}
	}
}

func (s *Store) listenOnce(ctx context.Context, conf *pgx.ConnConfig) error {
	conf = conf.Copy() // the end of a wait is no end of the connection
	conf.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: conn.Conn()}
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "listen swath_collection"); err != nil {
		return err
	}
	s.cache.turn(true)
	for {
		waiting, cancel := context.WithTimeout(ctx, listenPulse)
		_, err := conn.WaitForNotification(waiting)
		silent := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			s.cache.invalidate()
			continue
		case !silent:
			return err
		}
		asking, cancel := context.WithTimeout(ctx, listenPatience)
		err = conn.Ping(asking)
		cancel()
		if err != nil {
			return err
		}
	}
}
