package migrations_test

import (
	"context"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"swath/fault"
	"swath/internal/testdb"
	"swath/migrations"
)

// tables lists what the database holds of ours, columns and indexes included, to compare two states of it.
const tables = `
select coalesce(string_agg(line, E'\n' order by line), '') from (
  select table_name || '.' || column_name || ' ' || data_type as line from information_schema.columns
    where table_schema = 'public' and table_name in ('item', 'collection')
  union all select indexdef from pg_indexes where schemaname = 'public' and tablename in ('item', 'collection')) s`

func query[T any](t *testing.T, url, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// TestWalk goes up, down to nothing step by step, and up again.
func TestWalk(t *testing.T) {
	url := testdb.Empty(t)
	steps, err := fs.Glob(os.DirFS("."), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	numbers := []int64{0} // of the steps done, from none to all; some numbers may be left out
	for _, name := range steps {
		text, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	at := func(want int64) {
		t.Helper()
		if got, err := migrations.Version(t.Context(), url); err != nil || got != want {
			t.Fatalf("version %d, %v, want %d", got, err, want)
		}
	}
	at(0)
	var first string
	for round := range 2 {
		for range 2 { // the second finds nothing to do
			if err := migrations.Up(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			at(numbers[len(steps)])
		}
		if got := query[string](t, url, tables); round == 0 {
			first = got
		} else if got != first {
			t.Errorf("up, down and up gives another schema:\n%s\nfirst:\n%s", got, first)
		}
		if round == 1 {
			break
		}
		for i := len(steps); i > 0; i-- {
			if err := migrations.Down(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			at(numbers[i-1])
		}
		if got := query[string](t, url, tables); got != "" {
			t.Errorf("down leaves:\n%s", got)
		}
	}
	if first == "" {
		t.Error("up makes no tables")
	}
}

// TestRace: starters that come together all succeed.
func TestRace(t *testing.T) {
	url := testdb.Empty(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := migrations.Up(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := query[int](t, url, "select count(*) from goose_db_version where version_id = 1"); got != 1 {
		t.Errorf("step 1 was applied %d times", got)
	}
}

func TestNewerDatabase(t *testing.T) {
	url := testdb.New(t)
	query[int](t, url, "insert into goose_db_version (version_id, is_applied) values (9999, true) returning 1")
	if err := migrations.Up(t.Context(), url); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want fault.Conflict", err)
	}
}

func TestNoDatabase(t *testing.T) {
	if err := migrations.Up(t.Context(), "postgres://nobody@/none?host=/nowhere"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want fault.Unavailable", err)
	}
}
