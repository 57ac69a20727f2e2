package queue_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"swath/internal/testdb"
	"swath/processes/queue"
)

// schema describes what River has in a database.
const schema = `
select string_agg(line, E'\n' order by line) from (
  select table_name || '.' || column_name || ' ' || udt_name || ' ' || coalesce(character_maximum_length::text, '') || ' ' || is_nullable || ' ' || coalesce(column_default, '') as line
    from information_schema.columns where table_schema = 'public' and table_name like 'river\_%'
  union all select indexdef from pg_indexes where schemaname = 'public' and tablename like 'river\_%' and indexname not like '%pkey%'
  union all select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid::regclass::text like 'river\_%'
  union all select p.oid::regprocedure::text || p.prosrc from pg_proc p where proname like 'river\_%'
  union all select typname || ' ' || string_agg(enumlabel, ',' order by enumsortorder) from pg_enum join pg_type t on t.oid = enumtypid where typname like 'river\_%' group by typname
  union all select relname::text || relpersistence::text from pg_class where relname like 'river\_%' and relkind = 'r') s`

func described(t *testing.T, pool *pgxpool.Pool) (text string) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), schema).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func open(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// TestSchema: our migration leaves what River's own leave, and River finds nothing to do.
func TestSchema(t *testing.T) {
	ours, theirs := open(t, testdb.New(t)), open(t, testdb.Empty(t))
	m, err := rivermigrate.New(riverpgxv5.New(theirs), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	if a, b := described(t, ours), described(t, theirs); a != b {
		t.Errorf("ours:\n%s\nRiver's:\n%s", a, b)
	}
	if m, err = rivermigrate.New(riverpgxv5.New(ours), nil); err != nil {
		t.Fatal(err)
	}
	if r, err := m.Validate(t.Context(), nil); err != nil || !r.OK {
		t.Errorf("River would migrate: %+v, %v", r, err)
	}
}

// TestTickets: each ticket of a committed transaction is handed out, those of one that was rolled back are not.
func TestTickets(t *testing.T) {
	pool := open(t, testdb.New(t))
	got := make(chan queue.Ticket, 10)
	q, err := queue.Open(pool, 2, time.Minute, slog.New(slog.DiscardHandler), func(_ context.Context, ticket queue.Ticket) { got <- ticket })
	if err != nil {
		t.Fatal(err)
	}
	put := func(commit bool, tickets ...queue.Ticket) {
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(context.Background()) //nolint:errcheck // it is committed where that matters
		if err := q.Put(t.Context(), tx, tickets); err != nil {
			t.Fatal(err)
		}
		if commit {
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(false, queue.Ticket{Job: "never"})
	put(true, queue.Ticket{Job: "a", Lease: 1}, queue.Ticket{Job: "b", Lease: 2})
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- q.Run(ctx) }()
	seen := map[queue.Ticket]bool{}
	for range 2 {
		select {
		case ticket := <-got:
			seen[ticket] = true
		case <-time.After(20 * time.Second):
			t.Fatal("no ticket is handed out")
		}
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if !seen[queue.Ticket{Job: "a", Lease: 1}] || !seen[queue.Ticket{Job: "b", Lease: 2}] || len(got) > 0 {
		t.Errorf("handed out: %v and %d more", seen, len(got))
	}
}
