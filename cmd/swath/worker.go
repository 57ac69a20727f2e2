package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"swath/auth"
	"swath/chains/all"
	"swath/fetch/egress"
	"swath/ingest"
	"swath/processes"
	"swath/stac"
)

// openEngine opens what takes jobs; those who call its Work run them too.
func openEngine(ctx context.Context, s *stores, cfg Config, log *slog.Logger) (*processes.Engine, error) {
	executor, err := cfg.Processes.executor()
	if err != nil {
		return nil, err
	}
	bases := []string{"http://" + cfg.Listen}
	if cfg.PublicURL != "" {
		bases = append(bases, cfg.PublicURL)
	}
	var secret []byte
	if cfg.Processes.CallSecretEnv != "" {
		secret = []byte(os.Getenv(cfg.Processes.CallSecretEnv))
	}
	cells, err := filepath.Abs(filepath.Join(cfg.Data, "cells")) // runs have a folder of their own
	if err != nil {
		return nil, err
	}
	return processes.New(ctx, s.url, processes.Config{
		Catalog: s.catalog, Objects: s.objects, Desk: s.desk(cfg), Work: s.work, List: all.Chains, Arrivals: s.catalog, As: s.as, Exposed: s.keeper.Exposed, Executor: executor, Packages: cfg.Processes.Packages.tool(),
		Publish: &ingest.Ingester{Objects: s.objects, Catalog: s.catalog, Work: s.work, Log: log}, Bases: bases, Software: "swath " + version, Log: log,
		Workers: cfg.Processes.Workers, MemoryMiB: cfg.Processes.MemoryMiB, Keep: cfg.Processes.Keep, Folders: cfg.Processes.folders(cells), Strangers: cfg.strangers(),
		Waiting: cfg.Processes.Waiting, Running: cfg.Processes.Running, UploadedBytes: int64(cfg.Processes.UploadsMiB) << 20,
		Egress: &egress.Guard{HTTP: cfg.Processes.PlainHTTP, Reach: cfg.Processes.Reach}, CallSecret: secret,
	})
}

// as acts for an account: with its role, and knowing of what it may know of.
func (s *stores) as(ctx context.Context, account string) (context.Context, error) {
	p, err := s.keeper.ByAccount(ctx, account)
	if err != nil {
		return nil, err
	}
	return stac.WithScope(auth.With(ctx, p), s.keeper.Scope(p)), nil
}

// serveJobs runs jobs inside the server until ctx ends.
func serveJobs(ctx context.Context, s *stores, cfg Config, log *slog.Logger) {
	if cfg.Processes.Workers == 0 {
		return
	}
	if err := s.engine.Work(ctx); err != nil && ctx.Err() == nil {
		log.Error("jobs are not run", "err", err)
	}
}

func workerCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "worker", Short: "Run jobs beside a server, here or on another machine", Args: noArguments,
		Long: `Run jobs beside a server: on its machine with its --data, on others with the same --database and --objects, and a --data of their own.

Any number may run. One that is stopped gives its jobs back; one that is killed, or cut off, loses them to others within a minute.`,
		Example: "  swath worker --data ./data\n  swath worker --database postgres://swath@db/swath --objects s3://bucket/swath --data /scratch/swath",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			cfg, log, s, err := visit(c)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if cfg.Processes.Workers == 0 {
				return usageError{errors.New("processes.workers is 0: this worker would run nothing")}
			}
			defer keepAccounts(c.Context(), s.keeper)()
			log.Info("worker runs", "jobs", cfg.Processes.Workers)
			return s.engine.Work(c.Context())
		},
	}
	addFlags(c, storeSettings, publicSettings)
	return c
}
