package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"swath/fault"
	"swath/ingest"
	"swath/ingest/ledger"
	"swath/ingest/mirror"
)

func mirrorCommand() *cobra.Command {
	var once bool
	var only string
	c := &cobra.Command{
		Use:   "mirror",
		Short: "Keep the mirrors of swath.yaml: list what the hubs have, fetch, verify and catalogue it",
		Example: `  swath mirror --data ./data --config swath.yaml          # until it is stopped
  swath mirror --data ./data --config swath.yaml --once   # until nothing is left to do
  swath mirror status --data ./data --config swath.yaml`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			cfg, log, s, err := visit(c)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			mirrors, err := chosen(cfg, only)
			if err != nil {
				return err
			}
			return keepMirrors(c.Context(), s, mirrors, once, log)
		},
	}
	c.Flags().BoolVar(&once, "once", false, "end when nothing is left to do")
	c.Flags().StringVar(&only, "name", "", "keep only the mirror of this name")
	addFlags(c, storeSettings)
	c.AddCommand(mirrorStatusCommand())
	return c
}

// chosen returns the configured mirrors, or the one of a name.
func chosen(cfg Config, only string) (mirrors []MirrorConfig, err error) {
	for _, m := range cfg.Mirrors {
		if only == "" || m.Name == only {
			mirrors = append(mirrors, m)
		}
	}
	if len(mirrors) == 0 {
		missing := errors.New("mirror: the configuration has none (mirrors: in swath.yaml, or --config FILE)")
		if only != "" {
			missing = fmt.Errorf("mirror: the configuration has none that is called %q", only)
		}
		return nil, usageError{missing}
	}
	return mirrors, nil
}

// keepMirrors keeps them side by side.
func keepMirrors(ctx context.Context, s *stores, mirrors []MirrorConfig, once bool, log *slog.Logger) error {
	errs, shared := make([]error, len(mirrors)), &quotas{}
	var group sync.WaitGroup
	for i, m := range mirrors {
		group.Go(func() {
			if errs[i] = keepMirror(ctx, s, m, shared, once, log); errs[i] != nil {
				errs[i] = fmt.Errorf("mirror %s: %w", m.Name, errs[i])
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func keepMirror(ctx context.Context, s *stores, cfg MirrorConfig, shared *quotas, once bool, log *slog.Logger) error {
	h, err := cfg.client(shared)
	if err != nil {
		return wrongUse(err)
	}
	l, err := ledger.Open(ctx, s.url, cfg.Name)
	if err != nil {
		return err
	}
	defer l.Close()
	if changed, err := l.Aim(ctx, cfg.aim()); err != nil {
		return err
	} else if changed {
		log.Info("other products are wanted than before: the hub's lists are read from the begin", "mirror", cfg.Name, "since", cfg.Since.Time)
	}
	work := filepath.Join(s.work, "mirror", cfg.Name)
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	in := &ingest.Mirrored{Ingester: &ingest.Ingester{Objects: s.objects, Catalog: s.catalog, Work: s.work, Log: log}, Collection: cfg.Into, COG: cfg.COG, Original: cfg.Originals}
	m := mirror.New(mirror.Config{Name: cfg.Name, Work: work, Since: cfg.Since.Time, Connections: cfg.Connections, Poll: cfg.Poll, SweepDays: cfg.SweepDays,
		BytesPerS: cfg.MiBPerS * (1 << 20), Quarantine: cfg.Quarantine, Backoff: cfg.Backoff, Stall: cfg.Stall, KeepFree: cfg.KeepFree << 30, MostVanish: cfg.MostVanish}, h, l, in, log)
	if !once {
		return m.Run(ctx)
	}
	if err := m.Once(ctx); err != nil {
		return err
	}
	status, err := l.Status(ctx)
	if err != nil {
		return err
	}
	log.Info("mirror is complete", "mirror", cfg.Name, "held", status.Held, "quarantined", status.Quarantined)
	if status.Quarantined > 0 {
		return errPartly
	}
	return nil
}

// serveMirrors keeps the configured mirrors beside a server, and takes up those that another process keeps when it lets them go.
func serveMirrors(ctx context.Context, s *stores, mirrors []MirrorConfig, log *slog.Logger) (wait func()) {
	shared := &quotas{}
	var group sync.WaitGroup
	for _, m := range mirrors {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := keepMirror(ctx, s, m, shared, false, log); err != nil && ctx.Err() == nil && !fault.Is(err, fault.Conflict) {
					log.Error("mirror is not kept", "mirror", m.Name, "err", err)
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Minute):
				}
			}
		})
	}
	return group.Wait
}

func mirrorStatusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "status",
		Short:   "Show what each mirror has, what it waits for and how late products come",
		Example: "  swath mirror status --data ./data --config swath.yaml --json",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			cfg, _, s, err := visit(c)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			mirrors, err := chosen(cfg, "")
			if err != nil {
				return err
			}
			var all []mirrorStatus
			for _, m := range mirrors {
				one, err := statusOf(c.Context(), s.url, m.Name)
				if err != nil {
					return err
				}
				all = append(all, one)
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(all)
			}
			for _, one := range all {
				one.print(c)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	addFlags(c, storeSettings)
	return c
}

// delayHours are the steps of the histogram of delays.
var delayHours = []int{1, 3, 6, 12, 24, 48}

// mirrorStatus is what is told of one mirror.
type mirrorStatus struct {
	Mirror string `json:"mirror"`
	ledger.Status
	LagS     float64          `json:"lag_s"`  // age of the oldest product that waits
	Delays   map[string]int64 `json:"delays"` // products of 30 days that could be searched at most so long after their publication
	Troubles []ledger.Trouble `json:"troubles"`
	delays   []int64
}

func statusOf(ctx context.Context, url, name string) (m mirrorStatus, err error) {
	r, err := ledger.Read(ctx, url, name)
	if err != nil {
		return m, err
	}
	defer r.Close()
	m = mirrorStatus{Mirror: name, Delays: map[string]int64{}}
	if m.Status, err = r.Status(ctx); err != nil {
		return m, err
	}
	if m.OldestWanted != nil {
		m.LagS = time.Since(*m.OldestWanted).Seconds()
	}
	if m.delays, err = r.Delays(ctx, delayHours...); err != nil {
		return m, err
	}
	for i, n := range m.delays {
		m.Delays[fmt.Sprintf("%dh", delayHours[i])] = n
	}
	m.Troubles, err = r.Troubles(ctx, 20)
	return m, err
}

func (m mirrorStatus) print(c *cobra.Command) {
	out := c.OutOrStdout()
	fmt.Fprintf(out, "%s: %d held (%.1f GB), %d wanted (%.1f GB), %d offline at the hub, %d quarantined, %d superseded, %d gone\n", m.Mirror, m.Held, float64(m.HeldBytes)/1e9, m.Wanted, float64(m.WantedBytes)/1e9,
		m.Offline, m.Quarantined, m.Superseded, m.Gone)
	if m.OldestWanted != nil {
		fmt.Fprintf(out, "  the oldest that waits was published %s, %s ago\n", m.OldestWanted.UTC().Format(time.RFC3339), time.Since(*m.OldestWanted).Round(time.Minute))
	}
	fmt.Fprint(out, "  searchable after publication, of the last 30 days:")
	for i, n := range m.delays {
		fmt.Fprintf(out, " %dh %d", delayHours[i], n)
	}
	fmt.Fprintln(out)
	for _, t := range m.Troubles {
		word := "failed"
		if t.Quarantined {
			word = "quarantined"
		}
		fmt.Fprintf(out, "  %s after %d tries, again %s: %s: %s\n", word, t.Tries, t.NextTry.UTC().Format(time.RFC3339), t.Name, t.Reason)
	}
}
