package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"swath/catalog"
	"swath/fault"
	"swath/ingest"
)

// shownRejections is how many rejected lines are printed; all go to the file of --rejects.
const shownRejections = 20

func loadCommand() *cobra.Command {
	var collection, rejects, profile string
	c := &cobra.Command{
		Use:   "load FILE...",
		Short: "Load STAC items in bulk: a line each, plain, gzip or zstd; - is standard input",
		Long: `Load STAC items in bulk. A line is an item, or a collection, which comes before its items; a collection that is missing is made.
Items that are there already are replaced where they differ. A load that was interrupted or killed goes on where it was when
it is started again with the same file. Lines that are no items are rejected, with their number and the reason; then the exit
code is 3.`,
		Example: `  swath load --data ./data collections.ndjson items.ndjson.zst
  zcat items.ndjson.gz | swath load --data ./data --collection sentinel-2-l1c --rejects rejected.ndjson -`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("load: name at least one file, or - for standard input")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) (err error) {
			cfg, log, s, err := visit(c)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			limitMemory(loadMemory, serveGarbage)
			stop, err := profileTo(profile)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, stop()) }()
			l := &loading{c: c, store: s.catalog, bar: newProgress(c.ErrOrStderr(), log)}
			l.options = catalog.LoadOptions{
				Collection:       collection,
				EnsureCollection: (&ingest.Ingester{Catalog: s.catalog}).EnsureCollection,
				Rejected:         l.rejected,
			}
			if rejects != "" {
				if l.rejects, err = os.Create(rejects); err != nil {
					return usageError{fmt.Errorf("--rejects: %w", err)}
				}
				defer func() { err = errors.Join(err, l.rejects.Close()) }()
			}
			if err = l.all(c.Context(), args); cfg.Database == "" {
				err = roomFor(cfg.Data, err)
			}
			return err
		},
	}
	c.Flags().StringVarP(&collection, "collection", "c", "", "collection of all items (default: each item's own)")
	c.Flags().StringVar(&rejects, "rejects", "", "file for the rejected lines: JSON with number, id and reason")
	c.Flags().StringVar(&profile, "cpu-profile", "", "write to this file where the processor's time went, for go tool pprof")
	addFlags(c, storeSettings)
	return c
}

// roomFor says of an error that the database of a data folder is gone that its disk is full, if it is: without room for a file of its log
// PostgreSQL ends in the middle of an answer.
func roomFor(data string, err error) error {
	const logBytes = 16 << 20 // of a file of PostgreSQL's log, unless it was built otherwise
	var disk syscall.Statfs_t
	if !fault.Is(err, fault.Unavailable) || syscall.Statfs(data, &disk) != nil || int64(disk.Bavail)*disk.Bsize >= logBytes {
		return err
	}
	return fmt.Errorf("the disk of %s is full; the same command goes on when there is room: %w", data, err)
}

// loading is one run of the command.
type loading struct {
	c       *cobra.Command
	store   *catalog.Store
	options catalog.LoadOptions
	bar     *progress
	rejects *os.File
	name    string // of the file
	shown   int
	failed  error // to write the rejects
}

// all loads every file and reports what came of it.
func (l *loading) all(ctx context.Context, paths []string) error {
	var sum catalog.Loaded
	begin := time.Now()
	for _, path := range paths {
		done, err := l.one(ctx, path)
		sum.Loaded, sum.Unchanged, sum.Replaced = sum.Loaded+done.Loaded, sum.Unchanged+done.Unchanged, sum.Replaced+done.Replaced
		sum.Rejected, sum.Put, sum.Lines, sum.From = sum.Rejected+done.Rejected, sum.Put+done.Put, sum.Lines+done.Lines, sum.From+done.From
		if err != nil {
			l.report(sum, time.Since(begin))
			if ctx.Err() != nil {
				return fmt.Errorf("interrupted: the same command goes on behind line %d of %s", done.Lines, l.name)
			}
			return err
		}
	}
	err := l.store.Settle(ctx)
	l.report(sum, time.Since(begin))
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted: all items are in; a running server builds the indexes that are missing, or the same command does, and until then searches are slow")
	} else if err != nil {
		return err
	}
	switch good := sum.Loaded + sum.Unchanged + sum.Replaced + sum.Put; {
	case l.failed != nil:
		return fmt.Errorf("--rejects: %w", l.failed)
	case sum.Rejected == 0:
		return nil
	case good == 0:
		return errors.New("load: nothing was loaded")
	}
	return errPartly
}

// one loads one file.
func (l *loading) one(ctx context.Context, path string) (done catalog.Loaded, err error) {
	var source *catalog.LoadSource
	if l.name = path; path == "-" {
		l.name = "standard input"
		source, err = catalog.NewLoadStream(l.name, os.Stdin)
	} else {
		source, err = catalog.OpenLoadFile(path)
	}
	if err != nil {
		return done, err
	}
	defer source.Close()
	l.options.Progress = func(d catalog.Loaded) {
		taken, size := source.Progress()
		l.bar.show(l.name, taken, size, d.Lines-d.From)
	}
	defer l.bar.end()
	return l.store.Load(ctx, source, l.options)
}

// rejected prints a rejected line, unless there are many, and keeps it.
func (l *loading) rejected(r catalog.Rejection) {
	if l.shown++; l.shown <= shownRejections {
		l.bar.end()
		fmt.Fprintf(l.c.ErrOrStderr(), "rejected   %s:%d: %s\n", l.name, r.Line, r.Reason)
	} else if l.shown == shownRejections+1 {
		l.bar.end()
		fmt.Fprintln(l.c.ErrOrStderr(), "rejected   and more, which --rejects FILE keeps")
	}
	if l.rejects != nil && l.failed == nil {
		l.failed = json.NewEncoder(l.rejects).Encode(struct {
			File string `json:"file"`
			catalog.Rejection
		}{l.name, r})
	}
}

func (l *loading) report(d catalog.Loaded, took time.Duration) {
	fmt.Fprintf(l.c.OutOrStdout(), "loaded %d, unchanged %d, replaced %d, rejected %d", d.Loaded, d.Unchanged, d.Replaced, d.Rejected)
	if d.Put > 0 {
		fmt.Fprintf(l.c.OutOrStdout(), ", collections %d", d.Put)
	}
	if d.From > 0 {
		fmt.Fprintf(l.c.OutOrStdout(), ", of which up to line %d before", d.From)
	}
	fmt.Fprintf(l.c.OutOrStdout(), " in %.1f s (%.0f lines/s)\n", took.Seconds(), float64(d.Lines-d.From)/max(took.Seconds(), 0.001))
}
