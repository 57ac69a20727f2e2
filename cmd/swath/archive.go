package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"swath/fault"
	"swath/objects/copies"
	"swath/objects/staging"
	"swath/stac"
)

func archiveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "archive",
		Short: "Move files to the archive of swath.yaml, bring them back, and look how that goes",
		Example: `  swath archive status --data ./data
  swath archive migrate --data ./data --collection sentinel-2-l1c --older-than 90d
  swath archive restore --data ./data --collection sentinel-2-l1c --item S2A_MSIL1C_…
  swath archive retry --data ./data`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(archiveStatusCommand(), archiveMigrateCommand(), archiveRestoreCommand(), archiveRetryCommand())
	return c
}

// withArchive runs a command on the stores, which must have an archive.
func withArchive(c *cobra.Command, do func(ctx context.Context, cfg Config, s *stores, log *slog.Logger) error) (err error) {
	cfg, log, s, err := visit(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if s.archive == nil {
		return usageError{errors.New("archive: the configuration names none (archive.type)")}
	}
	return do(c.Context(), cfg, s, log)
}

// serveArchive keeps the copies beside a server, and archives by the policies each hour.
func serveArchive(ctx context.Context, s *stores, cfg Config, log *slog.Logger) {
	if s.archive == nil {
		return
	}
	go s.copies.Watch(ctx, 3*time.Second)
	if cfg.Archive.Notify.wanted() {
		go s.notices(cfg, log).Run(ctx)
	}
	if len(cfg.Archive.Policies) > 0 {
		go func() {
			for {
				for _, p := range cfg.Archive.Policies {
					m := migration{Policy: p, log: log}
					if err := m.run(ctx, s); err != nil && ctx.Err() == nil {
						log.Error("policy is not kept", "collection", p.Collection, "err", err)
					}
				}
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Hour):
				}
			}
		}()
	}
	s.archivist(cfg, log).Run(ctx) //nolint:errcheck // the context's end
}

// archivist makes the keeper of the copies.
func (s *stores) archivist(cfg Config, log *slog.Logger) *staging.Keeper {
	k := cfg.Archive.keeper()
	k.Log = log
	return staging.NewKeeper(s.copies, s.archive, s.plain, k)
}

// migration archives files.
type migration struct {
	Policy
	dry   bool
	each  func(a staging.Archived)
	log   *slog.Logger
	files int
	bytes int64
}

// dataRoles are archived when nothing else is said: thumbnails, overviews and metadata stay where they can be looked at.
var dataRoles = []string{"data", "product"}

// run looks through the items of the policy, the oldest first.
func (m *migration) run(ctx context.Context, s *stores) error {
	until := time.Now().Add(-time.Duration(m.AfterDays * float64(24*time.Hour))).UTC()
	wanted := m.Assets
	if len(wanted) == 0 {
		wanted = dataRoles
	}
	if _, err := s.catalog.Collection(ctx, m.Collection); err != nil {
		return err
	}
	q := stac.Search{Collections: []string{m.Collection}, Datetime: &stac.Interval{End: &until}, Sort: []stac.SortKey{{Property: "datetime"}}, Limit: 500, Uncounted: true}
	for {
		page, err := s.catalog.Search(ctx, q)
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			if err := m.item(ctx, s, it, wanted); err != nil {
				return err
			}
		}
		if q.Token = page.Next; q.Token == "" {
			return nil
		}
	}
}

func (m *migration) item(ctx context.Context, s *stores, it stac.Item, wanted []string) error {
	var body struct {
		Assets map[string]struct {
			Object string   `json:"swath:object"`
			Roles  []string `json:"roles"`
		} `json:"assets"`
	}
	if err := json.Unmarshal(it.Body, &body); err != nil {
		return err
	}
	var all []staging.Archived
	for name, a := range body.Assets {
		if a.Object == "" || !slices.Contains(wanted, name) && !slices.ContainsFunc(a.Roles, func(r string) bool { return slices.Contains(wanted, r) }) {
			continue
		}
		if _, err := s.copies.Get(ctx, a.Object); err == nil {
			continue
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		all = append(all, staging.Archived{Key: a.Object, Collection: it.Collection, Item: it.ID})
	}
	slices.SortFunc(all, func(a, b staging.Archived) int { return slices.Compare([]byte(a.Key), []byte(b.Key)) })
	if !m.dry && len(all) > 0 {
		n, err := s.tiered.Archive(ctx, all)
		if err != nil {
			return fmt.Errorf("item %s: %w", it.ID, err)
		}
		m.bytes += n
		m.log.Info("item archived", "collection", it.Collection, "item", it.ID, "files", len(all), "bytes", n)
	}
	m.files += len(all)
	if m.each != nil {
		for _, a := range all {
			m.each(a)
		}
	}
	return nil
}

func archiveMigrateCommand() *cobra.Command {
	var older string
	m := migration{}
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Move the files of a collection's older items to the archive",
		Long: `Move the files of a collection's items that were acquired long enough ago to the archive. Files are chosen by the keys or roles of their
assets, "data" and "product" unless --assets names others; thumbnails, overviews and metadata stay. A file is copied and compared before its
bytes here are given up. Beside a running server the server gives them up; without one this command does.`,
		Example: `  swath archive migrate --data ./data --collection sentinel-2-l1c --older-than 90d
  swath archive migrate --data ./data --collection sentinel-2-l1c --older-than 2y --assets product --dry-run`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			age, err := parseAge(older)
			if err != nil || m.Collection == "" {
				return usageError{errors.Join(err, errors.New("archive migrate: --collection and --older-than (such as 90d) are needed"))}
			}
			m.AfterDays = age.Hours() / 24
			return withArchive(c, func(ctx context.Context, cfg Config, s *stores, log *slog.Logger) error {
				if m.log = log; m.dry {
					m.each = func(a staging.Archived) { fmt.Fprintln(c.OutOrStdout(), a.Key) }
				}
				if err := m.run(ctx, s); err != nil {
					return err
				}
				if m.dry {
					fmt.Fprintf(c.OutOrStdout(), "%d files would be archived\n", m.files)
					return nil
				}
				fmt.Fprintf(c.OutOrStdout(), "%d files archived, %.1f MB\n", m.files, float64(m.bytes)/1e6)
				k := s.archivist(cfg, log)
				if err := k.Locked(ctx, k.Once); !fault.Is(err, fault.Conflict) {
					return err
				}
				return nil // a running server does it
			})
		},
	}
	c.Flags().StringVar(&m.Collection, "collection", "", "collection whose files are archived")
	c.Flags().StringVar(&older, "older-than", "", "age of an item since it was acquired: 90d, 2y, 36h")
	c.Flags().StringSliceVar(&m.Assets, "assets", nil, "keys or roles of the assets (default: data, product)")
	c.Flags().BoolVar(&m.dry, "dry-run", false, "list what would be archived")
	addFlags(c, storeSettings)
	return c
}

// parseAge reads 90d, 2y, or a duration such as 36h.
func parseAge(text string) (time.Duration, error) {
	for unit, d := range map[string]time.Duration{"d": 24 * time.Hour, "y": 365 * 24 * time.Hour} {
		var n float64
		if k, err := fmt.Sscanf(text, "%g"+unit, &n); k == 1 && err == nil && text == fmt.Sprintf("%g%s", n, unit) && n >= 0 {
			return time.Duration(n * float64(d)), nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not an age such as 90d", text)
	}
	return d, nil
}

func archiveRestoreCommand() *cobra.Command {
	var collection, lane string
	var items, assets []string
	c := &cobra.Command{
		Use:     "restore",
		Short:   "Order files of items from the archive, in the lane of operators or of ingest",
		Example: "  swath archive restore --data ./data --collection sentinel-2-l1c --item S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if collection == "" || len(items) == 0 {
				return usageError{errors.New("archive restore: --collection and --item are needed")}
			}
			if lane != copies.LaneOperator && lane != copies.LaneIngest {
				return usageError{fmt.Errorf("archive restore: --lane %q is neither operator nor ingest", lane)}
			}
			return withArchive(c, func(ctx context.Context, cfg Config, s *stores, _ *slog.Logger) error {
				files, err := s.archived(ctx, collection, items, assets)
				if err != nil {
					return err
				}
				id, err := s.desk(cfg).OrderFor(ctx, lane, files)
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "%d files are ordered: order %s\n", len(files), id)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&collection, "collection", "", "collection of the items")
	c.Flags().StringVar(&lane, "lane", copies.LaneOperator, "operator, or ingest for what is converted or computed anew")
	c.Flags().StringSliceVar(&items, "item", nil, "items")
	c.Flags().StringSliceVar(&assets, "assets", nil, "keys of the assets (default: all that are archived)")
	addFlags(c, storeSettings)
	return c
}

// archived returns the files of items that are in the archive.
func (s *stores) archived(ctx context.Context, collection string, items, assets []string) (files []copies.File, err error) {
	for _, id := range items {
		it, err := s.catalog.Item(ctx, collection, id)
		if err != nil {
			return nil, err
		}
		var body struct {
			Assets map[string]struct {
				Object string `json:"swath:object"`
			} `json:"assets"`
		}
		if err := json.Unmarshal(it.Body, &body); err != nil {
			return nil, err
		}
		for name, a := range body.Assets {
			if len(assets) > 0 && !slices.Contains(assets, name) {
				continue
			}
			if _, err := s.copies.Get(ctx, a.Object); err == nil {
				files = append(files, copies.File{Key: a.Object, Asset: name})
			} else if !fault.Is(err, fault.NotFound) {
				return nil, err
			}
		}
	}
	if len(files) == 0 {
		return nil, errors.New("archive restore: none of these files is in the archive")
	}
	return files, nil
}

func archiveRetryCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "retry",
		Short:   "Let files be ordered again that the archive failed to bring too often",
		Example: "  swath archive retry --data ./data",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return withArchive(c, func(ctx context.Context, _ Config, s *stores, _ *slog.Logger) error {
				n, err := s.copies.Retry(ctx)
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "%d files can be ordered again\n", n)
				}
				return err
			})
		},
	}
	addFlags(c, storeSettings)
	return c
}

func archiveStatusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "status",
		Short:   "Show what is in the archive, what waits, what the buffer holds and what failed",
		Example: "  swath archive status --data ./data --json",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return withArchive(c, func(ctx context.Context, cfg Config, s *stores, _ *slog.Logger) error {
				f, err := s.copies.Figures(ctx)
				if err != nil {
					return err
				}
				troubles, err := s.copies.Troubles(ctx, 20)
				if err != nil {
					return err
				}
				buffer := cfg.Archive.keeper().BufferBytes
				out := c.OutOrStdout()
				if asJSON {
					e := json.NewEncoder(out)
					e.SetIndent("", "  ")
					return e.Encode(map[string]any{"archive": cfg.Archive.Type, "copies": f.Copies, "bytes": f.Bytes, "requests": f.Open, "buffer_used_bytes": f.Used, "buffer_bytes": buffer, "troubles": troubles})
				}
				for _, state := range copies.States {
					fmt.Fprintf(out, "%-12s %9d files %12.1f MB\n", state, f.Copies[state], float64(f.Bytes[state])/1e6)
				}
				of := "no limit"
				if buffer > 0 {
					of = fmt.Sprintf("%.1f MB, %.0f %%", float64(buffer)/1e6, 100*float64(f.Used)/float64(buffer))
				}
				fmt.Fprintf(out, "%d requests wait; the buffer holds %.1f MB (of %s)\n", f.Open, float64(f.Used)/1e6, of)
				for _, t := range troubles {
					fmt.Fprintf(out, "  %s after %d tries: %s: %s\n", t.State, t.Tries, t.Key, t.Reason)
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	addFlags(c, storeSettings)
	return c
}
