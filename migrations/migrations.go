// Package migrations brings a database to the schema that this swath knows, and back.
//
//	empty ──0001_items──▶ 1 ──▶ …      Up: all the way, under a lock      Down: one step back
//
// Each file is one step with both directions, applied whole or not at all. Any number of processes may start at once: one
// walks, the others wait and find the work done.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"log/slog"

	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx", which goose works through
	"github.com/pressly/goose/v3"

	"swath/fault"
)

//go:embed *.sql
var files embed.FS

// lockKey is the advisory lock that walkers of one database share: "swath" in ASCII.
const lockKey = 0x7377617468

// Up applies every step that is missing. A database that is ahead of this swath is fault.Conflict: a newer one made it.
func Up(ctx context.Context, url string) error {
	return walk(ctx, url, func(p *goose.Provider) error {
		have, know, err := p.GetVersions(ctx)
		if err != nil {
			return err
		}
		if have > know {
			return fault.New(fault.Conflict, "the database is at version %d and this swath knows %d: use the newer swath", have, know)
		}
		_, err = p.Up(ctx)
		return err
	})
}

// Down takes the last step back, with the data that it held.
func Down(ctx context.Context, url string) error {
	return walk(ctx, url, func(p *goose.Provider) error {
		_, err := p.Down(ctx)
		return err
	})
}

// Version returns the last step that was applied; 0 is an empty database.
func Version(ctx context.Context, url string) (version int64, err error) {
	err = walk(ctx, url, func(p *goose.Provider) error {
		version, err = p.GetDBVersion(ctx)
		return err
	})
	return version, err
}

// walk runs do while no other process walks the same database.
func walk(ctx context.Context, url string, do func(*goose.Provider) error) (err error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "not the address of a database")
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the database does not answer")
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "select pg_advisory_lock($1)", lockKey); err != nil {
		return fmt.Errorf("migrations: lock: %w", err)
	}
	defer func() { // the connection's end frees it too
		_, unlock := conn.ExecContext(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", lockKey)
		err = errors.Join(err, unlock)
	}()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if err := do(provider); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return nil
}
