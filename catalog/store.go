package catalog

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

// Config bounds what the catalog takes. Zero values are the defaults.
type Config struct {
	MaxConns         int32         // connections to the database; by default four, or as many as there are processors
	StatementTimeout time.Duration // wall clock of one statement; by default 10 s
	SlowSearch       time.Duration // searches that take longer are logged with their plan; by default 1 s
	Replica          string        // address of a streaming copy that answers reads; empty is none
}

// busyPatience is how long a request waits for a connection before it is told that the catalog is too busy.
const busyPatience = 5 * time.Second

// Store is the catalog in one database, whose schema is up to date (see package migrations). It is safe for concurrent use.
type Store struct {
	pool       *pgxpool.Pool
	replica    *replica // nil is none
	pack       *packer
	words      *words
	cache      *cache
	numbers    sync.Map  // of collections, int16 by id; whoever writes by one that is gone finds out
	covered    sync.Map  // *coverage by number of collection
	estimator  estimator // of what plans cost
	counts     counts
	passing    passing
	slow       slowLog
	remembered remembered
	shapes     statements
	strangers  atomic.Int64 // carts of strangers, as they were counted last and those made here since
	few        int          // items of a stretch of the order of changes
	wishes     wishes       // for chunks
	horizon    horizon      // of the chunks that can be built; used by keep alone
	declared   struct {     // what collections declared when it was looked at; used by keep alone
		set   *collectionSet
		names []string
	}
	stop func() // ends what runs in the background
}

var (
	_ stac.Catalog = (*Store)(nil)
	_ stac.Editor  = (*Store)(nil)
	_ stac.Analyst = (*Store)(nil)
)

// Open connects to a database and checks that it answers: fault.Unavailable when it does not.
func Open(ctx context.Context, url string, cfg Config) (*Store, error) {
	if cfg.StatementTimeout == 0 {
		cfg.StatementTimeout = 10 * time.Second
	}
	if cfg.SlowSearch == 0 {
		cfg.SlowSearch = time.Second
	}
	conf, err := poolConfig(url, cfg)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("catalog: open: %w", classify(err))
	}
	s := &Store{few: changedFew, pool: pool, pack: newPacker(readDictionary(conf.ConnConfig)), words: newWords(), cache: newCache(), slow: slowLog{after: cfg.SlowSearch}, stop: func() {}}
	if cfg.Replica != "" {
		copyConf, err := poolConfig(cfg.Replica, cfg)
		var copies *pgxpool.Pool
		if err == nil {
			copies, err = pgxpool.NewWithConfig(ctx, copyConf)
		}
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("catalog: open the replica: %w", classify(err))
		}
		s.replica = &replica{pool: copies}
	}
	err = s.writing(ctx, "open", func(conn *pgxpool.Conn) error {
		if err := s.useDictionaries(ctx, conn); err != nil {
			return err
		}
		if err := s.rederive(ctx, conn); err != nil {
			return err
		}
		return s.findProducts(ctx, conn)
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	group.Go(func() { s.listen(background, conf.ConnConfig) })
	group.Go(func() { s.keep(background) })
	if s.replica != nil {
		group.Go(func() { s.replica.follow(background) })
	}
	s.stop = func() {
		cancel()
		group.Wait()
	}
	return s, nil
}

// poolConfig returns how connections to a database are made.
func poolConfig(url string, cfg Config) (*pgxpool.Config, error) {
	conf, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "not the address of a database")
	}
	if cfg.MaxConns > 0 {
		conf.MaxConns = cfg.MaxConns
	}
	conf.ConnConfig.ConnectTimeout = busyPatience
	conf.ConnConfig.RuntimeParams["application_name"] = "swath"
	conf.ConnConfig.RuntimeParams["statement_timeout"] = strconv.FormatInt(cfg.StatementTimeout.Milliseconds(), 10)
	// A statement has one good plan, whatever its arguments: to make one anew takes longer than most pages.
	conf.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	conf.ConnConfig.RuntimeParams["max_parallel_workers_per_gather"] = "0" // many ask at once, and none for much
	conf.ConnConfig.BuildContextWatcherHandler = cancelOnServer
	return conf, nil
}

// cancelOnServer makes the end of a context stop the statement in PostgreSQL too, and spares the connection.
func cancelOnServer(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
}

// Ping returns nil when the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.with(ctx, "ping", func(conn *pgxpool.Conn) error { return conn.Ping(ctx) })
}

// Close ends all connections, after what runs on them.
func (s *Store) Close() {
	s.stop()
	s.pool.Close()
	if s.replica != nil {
		s.replica.pool.Close()
	}
}
