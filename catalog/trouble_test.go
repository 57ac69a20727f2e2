package catalog

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/catalog/cluster"
	"swath/fault"
	"swath/internal/testdb"
	"swath/migrations"
	"swath/stac"
)

func TestTimeouts(t *testing.T) {
	s, err := Open(t.Context(), testdb.New(t), Config{MaxConns: 1, StatementTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	sleep := func(conn *pgxpool.Conn) error {
		_, err := conn.Exec(t.Context(), "select pg_sleep(5)")
		return err
	}
	if err := s.with(t.Context(), "test", sleep); !fault.Is(err, fault.Timeout) {
		t.Errorf("a slow statement: %v, want fault.Timeout", err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err = s.with(soon, "test", func(conn *pgxpool.Conn) error {
		_, err := conn.Exec(soon, "select pg_sleep(5)")
		return err
	})
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("a deadline: %v, want fault.Timeout", err)
	}
	held, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	soon, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Collections(soon); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no free connection: %v, want fault.Unavailable", err)
	}
	given, giveUp := context.WithCancel(t.Context())
	giveUp()
	if _, err := s.Collections(given); !errors.Is(err, context.Canceled) {
		t.Errorf("a given up request: %v, want context.Canceled", err)
	}
}

func TestNoDatabase(t *testing.T) {
	if _, err := Open(t.Context(), "postgres://nobody@/none?host=/nowhere", Config{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want fault.Unavailable", err)
	}
	if _, err := Open(t.Context(), "postgres://%", Config{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want fault.Invalid", err)
	}
}

// TestDatabaseDies: while postgres is down the catalog says so, and when its supervisor has brought it back, the same
// Store answers, with everything that was put.
func TestDatabaseDies(t *testing.T) {
	testdb.New(t) // skips without PostgreSQL
	dir := t.TempDir()
	for _, at := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c, err := cluster.Start(t.Context(), cluster.Config{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := migrations.Up(t.Context(), c.URL()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), c.URL(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.PutCollection(t.Context(), stac.Collection{ID: "c", Body: []byte(`{"type":"Collection","id":"c"}`)}); err != nil {
		t.Fatal(err)
	}
	put(t, s, itemOf("c", "a", square, noon))
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if _, err := s.Item(t.Context(), "c", "a"); err == nil {
			t.Logf("answers again %v after SIGKILL of the postmaster", time.Since(began).Round(time.Millisecond))
			break
		} else if !fault.Is(err, fault.Unavailable) {
			t.Fatalf("while it is down: %v, want fault.Unavailable", err)
		} else if time.Since(began) > 20*time.Second {
			t.Fatal(err)
		}
	}
}
