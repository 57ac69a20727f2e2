package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"swath/download"
	"swath/fault"
)

func syncCommand() *cobra.Command {
	f := downloadFlags{follows: true}
	var remove bool
	var overlap time.Duration
	c := &cobra.Command{
		Use:   "sync",
		Short: "Follow a search: bring what is new or has changed since the last time",
		Long: `Follow a search. The first run saves it in the folder and brings everything; later runs, which need no more than -o FOLDER, bring what
changed since, and may be made by a timer. A run that was broken off is repeated from where the last whole one ended: no product is lost.
With --delete, files of items that are no longer there are moved to .trash/{day} in the folder; who empties it deletes them.

` + downloadExitText,
		Example: `  swath download sync --url http://localhost:8080 -c sentinel-2-l2a --tile 31TCJ --assets product --delete -o toulouse
  swath download sync -o toulouse`,
		RunE: func(c *cobra.Command, args []string) error { return f.sync(c, args, remove, overlap) },
	}
	flags := c.Flags()
	f.add(flags)
	flags.BoolVar(&remove, "delete", false, "move files of items that are gone to .trash")
	flags.DurationVar(&overlap, "overlap", time.Hour, "how far behind its last listing a run looks again: longer than the server takes to show what it wrote")
	return c
}

// searched are the flags that say what is followed.
var searched = []string{"collection", "ids", "bbox", "point", "geom", "tile", "location", "datetime", "from", "to", "platform", "level", "product-type", "sensor-mode", "orbit", "max-cloud",
	"filter", "limit", "lon", "lat", "lonmin", "lonmax", "latmin", "latmax", "assets", "newest-per", "auth"}

// saved returns what the folder follows, or else what the flags say, which then is that.
func (f *downloadFlags) saved(ctx context.Context, c *cobra.Command, client *download.Client, s download.Search, o *download.Options) (sync download.Sync, err error) {
	old, err := download.ReadSync(o.Folder)
	if err != nil {
		return sync, err
	}
	said := false
	for _, name := range searched {
		said = said || c.Flags().Changed(name)
	}
	if old != nil && !said && client.URL == old.URL {
		o.Assets, o.NewestPer = old.Assets, old.NewestPer
		return *old, nil
	}
	if client.URL == "" {
		return sync, fault.New(fault.Invalid, "download sync: --url names the STAC API; %s follows none yet", o.Folder)
	}
	if err := members(ctx, client, &s); err != nil {
		return sync, err
	}
	sync = download.Sync{URL: client.URL, Search: s, Assets: o.Assets, NewestPer: o.NewestPer}
	switch {
	case s.Limit > 0:
		return sync, fault.New(fault.Invalid, "download sync: --limit would lose products")
	case old == nil:
		return sync, nil
	case !old.Same(sync):
		return sync, fault.New(fault.Invalid, "download sync: %s follows another search: take another folder, or remove %s/.swath-sync.json", o.Folder, o.Folder)
	}
	return *old, nil
}

func (f *downloadFlags) sync(c *cobra.Command, args []string, remove bool, overlap time.Duration) (err error) {
	client, s, o, err := f.prepare(c, args)
	if err != nil {
		return downloadError(err)
	}
	ctx := c.Context()
	defer interruptible(ctx)()
	sync, err := f.saved(ctx, c, client, s, &o)
	if err != nil {
		return downloadError(err)
	}
	b := newBoard(c.ErrOrStderr(), f.quiet || f.asJSON)
	f.watch(c, b, &o)
	run, err := download.Open(client, o)
	if err != nil {
		return downloadError(err)
	}
	defer func() { err = errors.Join(err, run.Close()) }()
	plan, then, err := run.Changes(ctx, sync, overlap)
	if err != nil {
		return downloadError(err)
	}
	if _, err := run.Order(ctx, plan); err != nil {
		return downloadError(err)
	}
	b.start(plan)
	report, err := run.Fetch(ctx, plan)
	b.end()
	if err == nil && len(report.Failed) == 0 && !plan.Cut {
		err = run.Moved(then)
	}
	if err == nil && remove {
		var gone []string
		gone, err = run.Gone(ctx, sync)
		for _, key := range gone {
			if !f.quiet && !f.asJSON {
				fmt.Fprintf(c.OutOrStdout(), "gone       %s\n", key)
			}
		}
	}
	if err == nil && f.catalog {
		err = run.WriteCatalog(ctx)
	}
	if err := f.printReport(c.OutOrStdout(), report, b.bytes()); err != nil {
		return err
	}
	return outcome(report, err)
}
