package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"swath/fault"
)

// SQLSTATE of a database that does not exist.
const invalidCatalogName = "3D000"

// ensureDatabase makes the database and its extension where they are missing; a killed start is completed by the next.
func (c *Cluster) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.URL())
	if failure := (*pgconn.PgError)(nil); errors.As(err, &failure) && failure.Code == invalidCatalogName {
		if err := c.createDatabase(ctx); err != nil {
			return err
		}
		conn, err = pgx.Connect(ctx, c.URL())
	}
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "create extension if not exists postgis")
	return err
}

func (c *Cluster) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.layout.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "create database "+database)
	return err
}

// Join returns the address of the database of a data folder that another process owns, waiting for it to answer while the
// owner is starting. It returns false when nobody owns the folder.
func Join(ctx context.Context, dataDir string) (url string, ok bool, err error) {
	l, err := layoutOf(dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	} else if err != nil {
		return "", false, err
	}
	for {
		o, held, err := holder(l.lock)
		if err != nil || !held {
			return "", false, err
		}
		if o.URL != "" {
			if err = answers(ctx, o.URL); err == nil {
				return o.URL, true, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", false, fault.Wrap(fault.Unavailable, errors.Join(ctx.Err(), err), "the database of process %d, which owns %s, does not answer", o.PID, dataDir)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func answers(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("join %s: %w", url, err)
	}
	return conn.Close(ctx)
}
