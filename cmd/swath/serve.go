package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"swath/compat/cschttp"
	"swath/compat/restohttp"
	"swath/compat/wpshttp"
	"swath/httpkit"
	"swath/ingest"
	"swath/ingest/ondemand"
	"swath/objects/objecthttp"
	"swath/openapi"
	"swath/processes/processhttp"
	"swath/stac"
	"swath/stac/stachttp"
	"swath/statistics/statshttp"
	"swath/tiles"
	"swath/tiles/tilehttp"
	"swath/web"
)

// drainTime is how long requests in progress may take when the server stops.
const drainTime = 10 * time.Second

func serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the catalog, tiles, downloads and the web page",
		Example: "  swath serve --data ./data --listen 127.0.0.1:8080",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			cfg, log, err := configure(c)
			if err != nil {
				return err
			}
			listener, err := net.Listen("tcp", cfg.Listen)
			if err != nil {
				return fmt.Errorf("serve: %w", err)
			}
			defer listener.Close()
			s, err := openStores(c.Context(), cfg, log, owner)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if s.hooks, err = hooks(s.url, cfg.Mirrors); err != nil {
				return wrongUse(err)
			}
			pictures, err := openTileCache(cfg.TileCache, log)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, pictures.Close()) }()
			ctx, cancel := context.WithCancel(c.Context())
			shelf, err := openShelf(ctx, s, cfg.OnDemand, log)
			if err != nil {
				cancel()
				return err
			}
			defer shelf.Close()
			defer inBackground(func() { shelf.Run(ctx) })()
			defer serveMirrors(ctx, s, cfg.Mirrors, log)()
			defer keepAccounts(ctx, s.keeper)()
			defer inBackground(func() { s.statistics.Keep(ctx) })()
			defer inBackground(func() { addPresets(ctx, s, log) })()
			defer inBackground(func() { serveArchive(ctx, s, cfg, log) })()
			defer inBackground(func() { serveJobs(ctx, s, cfg, log) })()
			defer cancel()
			limitMemory(int64(cfg.BlockCacheMiB)<<20+serveMemory, serveGarbage)
			return serve(ctx, newApp(s, cfg, log, pictures, shelf), listener, c.OutOrStdout())
		},
	}
	addFlags(c, storeSettings, publicSettings, serveSettings)
	return c
}

// configure reads the configuration of a command and makes its logger.
func configure(c *cobra.Command) (Config, *slog.Logger, error) {
	cfg, err := loadConfig(c.Flags(), os.LookupEnv)
	if err != nil {
		return Config{}, nil, wrongUse(err)
	}
	log, err := newLog(cfg.Log, c.ErrOrStderr())
	return cfg, log, wrongUse(err)
}

// openTileCache opens the cache of drawn pictures; nil when there is to be none.
func openTileCache(cfg TileCache, log *slog.Logger) (*tiles.DiskCache, error) {
	if cfg.Folder == "" {
		return nil, nil
	}
	return tiles.OpenDiskCache(cfg.Folder, int64(cfg.SizeMiB)<<20, log)
}

// openShelf opens the COGs that are made on demand.
func openShelf(ctx context.Context, s *stores, cfg OnDemand, log *slog.Logger) (*ondemand.Shelf, error) {
	return ondemand.Open(ctx, s.url, ondemand.Config{Objects: s.objects, Work: s.work, Bytes: int64(cfg.SizeGiB) << 30, Age: cfg.Keep, Log: log})
}

// inBackground runs do, and returns what waits for its end.
func inBackground(do func()) (wait func()) {
	var group sync.WaitGroup
	group.Go(do)
	return group.Wait
}

// addPresets gives collections the presets that came with this version. Without them everything else works.
func addPresets(ctx context.Context, s *stores, log *slog.Logger) {
	if err := ingest.AddPresets(ctx, s.catalog); err != nil && ctx.Err() == nil {
		log.WarnContext(ctx, "new presets were not added to the collections", "err", err)
	}
}

// newApp connects the rooms: this is the plan of the house.
func newApp(s *stores, cfg Config, log *slog.Logger, pictures *tiles.DiskCache, standins tiles.Standins) *fiber.App {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	renderer := tiles.New(s.catalog, openRaster(s.objects), tiles.Options{CacheBytes: int64(cfg.BlockCacheMiB) << 20, Pictures: pictures, Work: s.work, Standins: standins, Readable: s.readable()})
	metrics.MustRegister(blockCacheMetrics(renderer)...)
	if pictures != nil {
		metrics.MustRegister(tileCacheMetrics(pictures)...)
	}

	app := httpkit.New(httpkit.Config{PublicURL: cfg.PublicURL, RequestTimeout: cfg.RequestTimeout, Metrics: metrics, Log: log, Sent: both(countUse(s.keeper), s.statistics.Meter.Sent), Answered: s.statistics.Meter.Answered,
		Uploads: httpkit.Uploads{Most: cfg.Processes.mostUpload(), Route: processhttp.Uploads, Folder: s.work}})
	cschttp.API{}.Frame(app)
	s.hooks.Frame(app)
	people := accountsDoor(s.keeper, cfg)
	people.Frame(app)
	people.Mount(app)
	httpkit.Operations{Checks: []httpkit.Check{{Name: "database", Run: s.catalog.Ping}}, Metrics: metrics}.Mount(app)
	desk := s.desk(cfg)
	var tell func(context.Context, string, []stac.Item) error
	if desk != nil {
		tell = desk.Tell
		metrics.MustRegister(&archiveMetrics{copies: s.copies, buffer: desk.Config.BufferBytes})
	}
	stachttp.API{Tell: tell, Catalog: s.catalog, Analyst: s.catalog, Editor: s.catalog, Carts: s.catalog, Memory: s.catalog, Generation: s.catalog.CollectionsGeneration,
		Changes: cfg.changes(), Document: openapi.Document}.Mount(app)
	tilehttp.API{Renderer: renderer, Searches: s.catalog, Analyst: s.catalog, ExtractionTime: cfg.ExtractionTime}.Mount(app)
	files := objecthttp.API{Objects: s.objects, Asset: assetOf(s.catalog), Admit: admitDownload(s.keeper), CRC32: s.sums.CRC32, Desk: desk, Catalog: s.catalog, Analyst: s.catalog,
		Done: noteDownload(s.keeper), Allowances: allowances(s.keeper), Accel: cfg.Downloads.Accel, Presign: cfg.Downloads.presign(s.plain)}
	files.Mount(app)
	jobs := processhttp.API{Engine: s.engine, Objects: s.objects, Catalog: s.catalog, Strangers: cfg.strangers(), MostUpload: cfg.Processes.mostUpload(), Send: files.SendObject, FormToken: people.FormToken}
	jobs.Mount(app)
	wpshttp.API{Jobs: jobs}.Mount(app)
	restohttp.API{Catalog: s.catalog, Download: files.Send, Tell: tell}.Mount(app)
	csc := cschttp.API{Catalog: s.catalog, Download: files.Send, Open: openAsset(files), Tell: tell, SignIn: signIn(s.keeper, cfg.Accounts.passwords()), Bucket: bucketOf(cfg.Objects)}
	csc.Mount(app)
	statshttp.API{Statistics: s.statistics, Mirrors: mirrorsOf(s.url, cfg.Mirrors)}.Mount(app)
	metrics.MustRegister(figureMetrics{s.statistics, s.keeper, mirrorsOf(s.url, cfg.Mirrors)})
	s.hooks.Mount(app)
	web.API{}.Mount(app)
	return app
}

// serve answers requests until ctx ends, then lets those in progress finish.
func serve(ctx context.Context, app *fiber.App, listener net.Listener, out io.Writer) error {
	address := "http://" + listener.Addr().String()
	fmt.Fprintf(out, "Swath is ready:\n  map      %s/\n  catalog  %s/collections?f=html\n  API      %s/api.html\n", address, address, address)
	stopped := make(chan error, 1)
	go func() { stopped <- app.Listener(httpkit.Lingering(listener)) }()
	select {
	case err := <-stopped:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		return app.ShutdownWithTimeout(drainTime)
	}
}
