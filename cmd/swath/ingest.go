package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/spf13/cobra"

	"swath/ingest"
	"swath/stac"
)

func ingestCommand() *cobra.Command {
	var collection, cog, profile string
	c := &cobra.Command{
		Use:   "ingest PATH...",
		Short: "Bring products into the catalog: SAFE and DIMAP folders or zips, GeoTIFFs, STAC items, folders of these",
		Example: `  swath ingest --data ./data S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.zip
  swath ingest --data ./data --collection orthophotos ./photos`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("ingest: name at least one product or folder")}
			}
			if cog != "" && !stac.IsCOG(cog) {
				return usageError{fmt.Errorf("ingest: --cog %q is none of eager, on-demand, none", cog)}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) (err error) {
			_, log, s, err := visit(c)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			stop, err := profileTo(profile)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, stop()) }()
			in := &ingest.Ingester{Objects: s.objects, Catalog: s.catalog, Work: s.work, Log: log}
			return ingestAll(c.Context(), c, in, args, ingest.Options{Collection: collection, COG: cog})
		},
	}
	c.Flags().StringVar(&collection, "collection", "", "collection of rasters and STAC items (default: the item's own)")
	c.Flags().StringVar(&cog, "cog", "", "when JPEG 2000 becomes cloud-optimized GeoTIFF: eager (now), on-demand (when it is looked at), none (default: as the collection says, else eager)")
	c.Flags().StringVar(&profile, "cpu-profile", "", "write to this file where the processor's time went, for go tool pprof")
	addFlags(c, storeSettings)
	return c
}

// profileTo starts a profile of the processor's time in a file, unless its name is empty; stop ends it.
func profileTo(name string) (stop func() error, err error) {
	if name == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, usageError{fmt.Errorf("--cpu-profile: %w", err)}
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// ingestAll brings in each path and prints a line for each product.
func ingestAll(ctx context.Context, c *cobra.Command, in *ingest.Ingester, paths []string, opts ingest.Options) error {
	var done, refused int
	for _, path := range paths {
		results, err := in.Ingest(ctx, path, opts)
		for _, r := range results {
			switch {
			case r.Err != nil:
				refused++
				fmt.Fprintf(c.ErrOrStderr(), "refused    %s: %v\n", r.Path, r.Err)
			case r.Item == "":
				done++
			default:
				done++
				word := "unchanged"
				if r.Changed {
					word = "catalogued"
				}
				fmt.Fprintf(c.OutOrStdout(), "%-10s %s/%s\n", word, r.Collection, r.Item)
			}
		}
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			refused++
			fmt.Fprintf(c.ErrOrStderr(), "refused    %v\n", err)
		}
	}
	switch {
	case refused == 0:
		return nil
	case done == 0:
		return errors.New("ingest: nothing was brought in")
	}
	return errPartly
}
