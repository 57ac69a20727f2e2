package processes

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/auth"
	"swath/chains"
	"swath/fault"
	"swath/fetch/egress"
	"swath/ingest"
	"swath/objects"
	"swath/objects/staging"
	"swath/processes/cwl"
	"swath/processes/runner"
	"swath/stac"
)

// Config is what an engine works with.
type Config struct {
	Catalog  stac.Catalog
	Objects  objects.Store
	Publish  *ingest.Ingester // the way in for items that jobs make
	Desk     *staging.Desk    // orders what is on cold storage; nil: everything is here
	Work     string           // folder of the runs; what dead workers left there is removed
	Executor runner.Executor  // runs the chains
	List     func() []chains.Chain
	Arrivals Arrivals                                                           // tells of new items, for subscriptions; nil: there are none
	As       func(ctx context.Context, account string) (context.Context, error) // acts for an account; nil: as for everyone
	Packages *cwl.Tool                                                          // runs what users deploy; nil: nothing can be deployed
	Exposed  func(of []string, into string) []string                            // which collections somebody might not know of who knows of another; nil: everybody knows of all
	Folders  map[string]Folder                                                  // by the name that requests give
	Bases    []string                                                           // addresses under which this installation is known, such as https://swath.example
	Software string                                                             // name and version of this program, for provenance
	Log      *slog.Logger

	Workers   int           // jobs at once in this process; 0: half of the cores, at least 1
	MemoryMiB int           // that the jobs of this process may take together; 0: any
	Keep      time.Duration // of results and logs; 0: 30 days
	Strangers bool          // those without an account may run processes
	Waiting   int           // jobs that one owner may have waiting and running, where the account has no quota; 0: 1000
	Running   int           // jobs that one owner may have running; 0: any

	Egress     *egress.Guard // asks the addresses that requests name; nil: the strictest
	CallSecret []byte        // signs calls to subscribers; empty: they are not signed
	FileBytes  int64         // that a file from elsewhere may have; 0: 20 GiB

	UploadedBytes int64 // of files that came with the jobs of one owner, while these wait or run, where the account has no quota; 0: 10 GiB

	Pace Pace // for tests
}

// Pace is how quickly an engine notices things. The zero values are what an installation wants.
type Pace struct {
	Beat   time.Duration // between two signs of life of a job; 5 s
	Fence  time.Duration // without one being heard, a worker ends its run; 30 s
	Lost   time.Duration // without one, the janitor gives the job to another; 45 s
	Retry  time.Duration // before the second attempt; 10 s
	Ticket time.Duration // that nobody took is void after so long; 60 s
	Tidy   time.Duration // between two rounds of the janitor; 5 s
	Call   time.Duration // before a subscriber is called again; 5 s
}

func (c *Config) defaults() {
	orElse := func(d *time.Duration, usual time.Duration) { *d = cmp.Or(*d, usual) }
	orElse(&c.Keep, 30*24*time.Hour)
	orElse(&c.Pace.Beat, 5*time.Second)
	orElse(&c.Pace.Fence, 30*time.Second)
	orElse(&c.Pace.Lost, 45*time.Second)
	orElse(&c.Pace.Retry, 10*time.Second)
	orElse(&c.Pace.Ticket, time.Minute)
	orElse(&c.Pace.Tidy, 5*time.Second)
	orElse(&c.Pace.Call, firstWait)
	c.FileBytes = cmp.Or(c.FileBytes, 20<<30)
	c.UploadedBytes = cmp.Or(c.UploadedBytes, 10<<30)
	if c.Egress == nil {
		c.Egress = &egress.Guard{}
	}
	c.Workers = cmp.Or(c.Workers, max(1, runtime.NumCPU()/2))
	c.Waiting = cmp.Or(c.Waiting, 1000)
	c.Software = cmp.Or(c.Software, "swath")
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Engine takes jobs and, where Work is called, runs them. It is safe for concurrent use.
type Engine struct {
	cfg  Config
	pool *pgxpool.Pool
	news news

	packages struct {
		sync.Mutex
		chains map[packageKey]chains.Chain // of what was deployed
	}
}

// New opens an engine on a migrated database.
func New(ctx context.Context, url string, cfg Config) (*Engine, error) {
	cfg.defaults()
	var err error
	if cfg.Work, err = filepath.Abs(cfg.Work); err != nil { // runs have folders of their own to be in
		return nil, err
	}
	settings, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "not the address of a database")
	}
	settings.MaxConns = int32(min(cfg.Workers, 64)) + 8 //nolint:gosec // small
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "not the address of a database")
	}
	e := &Engine{cfg: cfg, pool: pool}
	e.news.open(func(ctx context.Context) { e.listen(ctx, url) })
	return e, nil
}

// Close ends it. Work must have returned.
func (e *Engine) Close() {
	e.news.close()
	e.pool.Close()
}

// Processes returns what can be run, by id: what came with the program and what was deployed.
func (e *Engine) Processes(ctx context.Context) ([]chains.Chain, error) {
	packages, err := e.deployed(ctx, "")
	if err != nil {
		return nil, err
	}
	all := append(slices.Clone(e.cfg.List()), packages...)
	slices.SortFunc(all, func(a, b chains.Chain) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// Process returns one, or fault.NotFound.
func (e *Engine) Process(ctx context.Context, id string) (chains.Chain, error) {
	for _, c := range e.cfg.List() {
		if c.ID == id {
			return c, nil
		}
	}
	packages, err := e.deployed(ctx, id)
	if err != nil {
		return chains.Chain{}, err
	} else if len(packages) == 0 || id == "" {
		return chains.Chain{}, noProcess(id)
	}
	return packages[0], nil
}

// May returns nil when the one who asks may run processes.
func (e *Engine) May(ctx context.Context) error {
	if p := auth.From(ctx); p.Known() || !e.cfg.Strangers {
		return p.Require(auth.Processor)
	}
	return nil
}

type baseKey struct{}

// WithBase tells the engine under which address the one who asks knows this server.
func WithBase(ctx context.Context, base string) context.Context {
	return context.WithValue(ctx, baseKey{}, strings.TrimRight(base, "/"))
}

// own returns the path of an address of our own.
func (e *Engine) own(ctx context.Context, href string) (path string, ok bool) {
	if strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//") {
		return href, true
	}
	base, _ := ctx.Value(baseKey{}).(string)
	for _, known := range append([]string{base}, e.cfg.Bases...) {
		if known = strings.TrimRight(known, "/"); known != "" {
			if path, ok := strings.CutPrefix(href, known); ok && strings.HasPrefix(path, "/") {
				return path, true
			}
		}
	}
	return "", false
}

// ended reports whether err only says that ctx has ended.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}
