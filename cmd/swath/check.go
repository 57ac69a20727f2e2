package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"swath/catalog"
	"swath/ingest"
	"swath/objects"
	"swath/stac"
)

func checkCommand() *cobra.Command {
	var repair, deep bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Check the catalog and the objects: every row against its body, every asset against its object",
		Long: `Check the catalog and the objects. Every body must be an item that follows the rules, every column, term and count must follow
from the bodies, every asset that we hold must have its object, of its size; with --deep every object is read and its checksum
compared. Objects that no item names are listed; they are not wrong. The exit code is 1 when something is wrong and stays so;
--repair writes anew what follows from bodies: columns, counts, extents, indexes.`,
		Example: `  swath check --data ./data
  swath check --data ./data --repair --deep`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			_, log, s, err := visit(c)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			k := &checking{c: c, bar: newProgress(c.ErrOrStderr(), log), audit: ingest.Audit{Objects: s.objects, Deep: deep}}
			return k.run(c.Context(), s, repair)
		},
	}
	c.Flags().BoolVar(&repair, "repair", false, "write anew what follows from the bodies")
	c.Flags().BoolVar(&deep, "deep", false, "read every object and compare its checksum")
	addFlags(c, storeSettings)
	return c
}

// checking is one run of the command.
type checking struct {
	c       *cobra.Command
	bar     *progress
	audit   ingest.Audit
	objects int64 // that are wrong
	orphans int64
}

func (k *checking) run(ctx context.Context, s *stores, repair bool) error {
	done, err := s.catalog.Check(ctx, catalog.CheckOptions{
		Repair:   repair,
		Problem:  func(p catalog.Problem) { k.wrong(p) },
		Item:     k.item,
		Progress: func(done, about int64) { k.bar.show("items", done, about, done) },
	})
	k.bar.end()
	if err == nil {
		err = k.audit.Orphans(ctx, func(o objects.Info) {
			k.orphans++
			fmt.Fprintf(k.c.OutOrStdout(), "orphan     %s, %d bytes\n", o.Key, o.Size)
		})
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(k.c.OutOrStdout(), "checked %d items: %d problems in the catalog, %d of them repaired; %d with objects; %d orphans\n",
		done.Items, done.Problems, done.Repaired, k.objects, k.orphans)
	if left := done.Problems - done.Repaired + k.objects; left > 0 {
		return fmt.Errorf("check: %d problems are left", left)
	}
	return nil
}

// item checks the objects of an item.
func (k *checking) item(ctx context.Context, it stac.Item) error {
	wrong, err := k.audit.Item(ctx, it)
	for _, text := range wrong {
		k.objects++
		k.wrong(catalog.Problem{Collection: it.Collection, Item: it.ID, Text: text})
	}
	return err
}

func (k *checking) wrong(p catalog.Problem) {
	k.bar.end()
	word, name := "wrong", p.Collection
	if p.Repaired {
		word = "repaired"
	}
	if p.Item != "" {
		name += "/" + p.Item
	}
	if name != "" {
		name += ": "
	}
	fmt.Fprintf(k.c.OutOrStdout(), "%-10s %s%s\n", word, name, p.Text)
}
