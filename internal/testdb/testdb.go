// Package testdb gives every test a fresh database of its own.
//
//	test process ──once──▶ private cluster ──▶ template, migrated ──copy──▶ database of one test, dropped after it
//	     └── ends, however it does ──▶ the kernel ends postgres ──▶ a shell that waited for it removes the folder
//
// Without PostgreSQL a test is skipped, or fails where SWATH_TEST_REQUIRE_ALL=1 says that nothing may be left out.
package testdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"swath/catalog/cluster"
	"swath/migrations"
)

// New returns the address of a new database with PostGIS and Swath's schema.
func New(t testing.TB) string { return database(t, "migrated") }

// Empty returns the address of a new database with PostGIS and nothing else.
func Empty(t testing.TB) string { return database(t, "bare") }

var made atomic.Int64

// database copies a template for one test.
func database(t testing.TB, template string) string {
	t.Helper()
	c, err := shared()
	if errors.Is(err, cluster.ErrNotInstalled) && os.Getenv("SWATH_TEST_REQUIRE_ALL") != "1" {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test%d", made.Add(1))
	if err := run(t.Context(), c.URL(), "create database "+name+" template "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run(context.Background(), c.URL(), "drop database "+name+" with (force)"); err != nil {
			t.Error(err)
		}
	})
	return named(c.URL(), name)
}

// shared is the cluster of this test process. It is never stopped: it ends with the process.
var shared = sync.OnceValues(func() (*cluster.Cluster, error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "swath-testdb-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // root lends the cluster to another account
		return nil, err
	}
	if lifeline, err = removeAfterUs(dir); err != nil {
		return nil, err
	}
	c, err := cluster.Start(ctx, cluster.Config{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	// What a test writes need not survive a crash of the machine.
	err = run(ctx, c.URL(), "alter system set fsync = off", "select pg_reload_conf()", "create database bare template swath", "create database migrated template swath")
	if err == nil {
		err = migrations.Up(ctx, named(c.URL(), "migrated"))
	}
	return c, err
})

// lifeline is held open until this process ends.
//
//lint:ignore U1000 being kept is its use
var lifeline io.Closer

// removeAfterUs leaves a shell behind that removes dir when this process has ended and its postgres too. It knows from
// the end of its input, the lifeline.
func removeAfterUs(dir string) (io.Closer, error) {
	cmd := exec.Command("/bin/sh", "-c", `read -r _
for _ in $(seq 100); do
	[ -e "$0/postgres/data/postmaster.pid" ] || break
	sleep 0.1
done
rm -rf -- "$0"`, dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is not for it
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return input, cmd.Start()
}

// run executes statements one by one on a connection of its own.
func run(ctx context.Context, url string, statements ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// named returns the address of another database of the same cluster.
func named(address, database string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // our own cluster made it
	}
	u.Path = "/" + database
	return u.String()
}
