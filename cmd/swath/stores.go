package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"swath/auth"
	accounts "swath/auth/store"
	"swath/catalog"
	"swath/catalog/cluster"
	"swath/ingest/mirrorhttp"
	"swath/migrations"
	"swath/objects"
	"swath/objects/copies"
	"swath/objects/parcel"
	"swath/objects/staging"
	"swath/processes"
	"swath/statistics"
)

// shutdownTime is how long the database may take to stop.
const shutdownTime = 40 * time.Second

// stores are the catalog and the objects of one installation, open.
type stores struct {
	catalog    *catalog.Store
	objects    objects.Store
	plain      objects.Store // objects, without the archive behind it
	archive    objects.Archive
	copies     *copies.Store
	tiered     *staging.Store
	accounts   *accounts.Store
	keeper     *auth.Keeper
	statistics *statistics.Store
	engine     *processes.Engine
	hooks      mirrorhttp.API // of a server
	sums       *parcel.Sums
	work       string // folder of work in progress, on the data folder's disk
	url        string // of the database
	owned      *cluster.Cluster
}

// tenure says whether a command may use a database that another process keeps, or must keep it itself.
type tenure bool

const (
	guest tenure = false // joins a running server's database
	owner tenure = true  // refuses a data folder that is in use
)

// database returns the address of the catalog's database: the configured one, for a guest that of a running server's data
// folder, or a private cluster that is started now.
func database(ctx context.Context, cfg Config, log *slog.Logger, as tenure) (url string, owned *cluster.Cluster, err error) {
	if cfg.Database != "" {
		return string(cfg.Database), nil, nil
	}
	if as == guest {
		if url, ok, err := cluster.Join(ctx, cfg.Data); err != nil || ok {
			return url, nil, err
		}
	}
	owned, err = cluster.Start(ctx, cluster.Config{DataDir: cfg.Data, Log: log})
	if err != nil {
		return "", nil, err
	}
	return owned.URL(), owned, nil
}

// openStores opens everything that a command works on. The schema is brought up to date on the way.
func openStores(ctx context.Context, cfg Config, log *slog.Logger, as tenure) (s *stores, err error) {
	if err := os.MkdirAll(cfg.Data, 0o755); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	s = &stores{work: filepath.Join(cfg.Data, "work")}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err = os.MkdirAll(s.work, 0o755); err != nil {
		return s, fmt.Errorf("work folder: %w", err)
	}
	if s.url, s.owned, err = database(ctx, cfg, log, as); err != nil {
		return s, err
	}
	if err = migrations.Up(ctx, s.url); err != nil {
		return s, err
	}
	if s.catalog, err = catalog.Open(ctx, s.url, catalog.Config{SlowSearch: cfg.SlowSearch, Replica: string(cfg.Replica)}); err != nil {
		return s, err
	}
	if s.accounts, err = accounts.Open(ctx, s.url); err != nil {
		return s, err
	}
	if s.keeper, err = auth.NewKeeper(ctx, s.accounts, cfg.Accounts.keeper()); err != nil {
		return s, err
	}
	if s.statistics, err = statistics.Open(ctx, s.url, log); err != nil {
		return s, err
	}
	if s.sums, err = parcel.OpenSums(ctx, s.url); err != nil {
		return s, err
	}
	if s.objects, err = openObjects(ctx, cfg); err != nil {
		return s, err
	}
	s.plain = s.objects
	if s.archive, err = openArchive(cfg, s.plain); err != nil {
		return s, err
	}
	if s.archive != nil {
		if s.copies, err = copies.Open(ctx, s.url); err != nil {
			return s, err
		}
		s.copies.Notices = cfg.Archive.Notify.wanted()
		s.tiered = staging.NewStore(s.plain, s.copies, s.archive)
		s.objects = s.tiered
	}
	s.engine, err = openEngine(ctx, s, cfg, log)
	return s, err
}

// readable tells whether an object's bytes are here; nil where there is no archive, and they all are.
func (s *stores) readable() func(ctx context.Context, object string) error {
	if s.tiered == nil {
		return nil
	}
	return s.tiered.Readable
}

// desk takes orders of what is in the archive; nil when there is none.
func (s *stores) desk(cfg Config) *staging.Desk {
	if s.archive == nil {
		return nil
	}
	return staging.NewDesk(s.tiered, cfg.Archive.keeper(), cfg.Archive.quota(), cfg.Archive.Orders != "accounts")
}

// visit reads the configuration of a command that works beside a running server, and opens its stores.
func visit(c *cobra.Command) (Config, *slog.Logger, *stores, error) {
	cfg, log, err := configure(c)
	if err != nil {
		return cfg, log, nil, err
	}
	s, err := openStores(c.Context(), cfg, log, guest)
	return cfg, log, s, err
}

func openObjects(ctx context.Context, cfg Config) (objects.Store, error) {
	if cfg.Objects == "" {
		return objects.OpenFolder(filepath.Join(cfg.Data, "objects"))
	}
	return objects.OpenS3(ctx, objects.S3Config{
		Endpoint: cfg.S3.Endpoint, Region: cfg.S3.Region, Bucket: cfg.bucket(), Prefix: cfg.prefix(),
		AccessKey: cfg.S3.AccessKey, SecretKey: cfg.S3.SecretKey, PathStyle: true,
	})
}

// Close releases the stores and stops a database that was started for them.
func (s *stores) Close() error {
	if s.engine != nil {
		s.engine.Close()
	}
	if s.statistics != nil {
		s.statistics.Close()
	}
	if s.sums != nil {
		s.sums.Close()
	}
	if s.catalog != nil {
		s.catalog.Close()
	}
	if s.accounts != nil {
		s.accounts.Close()
	}
	if s.copies != nil {
		s.copies.Close()
	}
	if s.owned == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	return s.owned.Stop(ctx)
}
