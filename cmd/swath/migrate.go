package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"swath/migrations"
)

func migrateCommand() *cobra.Command {
	var address bool
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date (serve and ingest do it too)",
		Example: `  swath migrate --database postgres://swath@db/swath
  psql "$(swath migrate --data ./data --print-address)"`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			cfg, log, err := configure(c)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(cfg.Data, 0o755); err != nil {
				return fmt.Errorf("data folder: %w", err)
			}
			url, owned, err := database(c.Context(), cfg, log, guest)
			if err != nil {
				return err
			}
			s := stores{owned: owned}
			defer func() { err = errors.Join(err, s.Close()) }()
			if err := migrations.Up(c.Context(), url); err != nil {
				return err
			}
			if address {
				fmt.Fprintln(c.OutOrStdout(), url)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&address, "print-address", false, "print the address of the database, for psql beside a running server")
	addFlags(c, storeSettings)
	return c
}
