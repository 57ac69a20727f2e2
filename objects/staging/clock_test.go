package staging

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/objects"
	"swath/objects/copies"
)

// TestNoClock: nothing that is decided of copies asks this machine what time it is; only estimates for clients may.
func TestNoClock(t *testing.T) {
	for _, pattern := range []string{"*.go", "../copies/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) < 3 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			if name == "desk.go" || strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains([]string{"Now", "Since", "Until"}, s.Sel.Name) {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
						t.Errorf("%s asks time.%s", name, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// TestClockJumps: when the database's clock jumps an hour ahead and back, nothing is lost, restored twice, or broken while it is read.
func TestClockJumps(t *testing.T) {
	l := newLibrary(t, 12, 1000, objects.TapeConfig{})
	jump := jumping(t, l.url)
	l.open(objects.TapeConfig{}) // connections that see the other clock
	cfg := quick()
	cfg.BufferBytes, cfg.Keep = 6000, 30*time.Minute
	k := l.keeper(cfg)
	var ids []string
	for _, key := range l.keys {
		ids = append(ids, l.order("me", key))
	}
	tick := func(n int) {
		t.Helper()
		for range n {
			if _, err := k.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	tick(1)
	jump("1 hour") // while some are restored
	tick(2)
	var o objects.Object
	for _, key := range l.keys {
		var err error
		if o, err = l.store.Open(t.Context(), key); err == nil {
			break
		}
	}
	if o == nil {
		t.Fatal("none came")
	}
	jump("-1 hour") // two hours back, while one is read
	tick(3)
	jump("2 hours") // and all has expired, the reader's pin, too
	tick(3)
	got, err := io.ReadAll(objects.Stream(o, 0, o.Info().Size))
	if err != nil || string(got) != string(l.bytes[o.Info().Key]) {
		t.Errorf("what was read broke: %d bytes, %v", len(got), err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := l.copies.Get(t.Context(), o.Info().Key); err != nil || c.State != copies.Cold {
		t.Errorf("the clock did not jump: the copy is %s, %v", c.State, err)
	}
	jump("0 hours")
	l.until("all were served", func() bool {
		tick(1)
		f, err := l.copies.Figures(t.Context())
		return err == nil && f.Open == 0
	})
	for _, id := range ids {
		if o, err := l.copies.OrderOf(t.Context(), id); err != nil || o.Served != 1 {
			t.Errorf("%+v, %v", o, err)
		}
	}
	if began, twice := l.restores(); began != len(l.keys) || twice != 0 {
		t.Errorf("%d restores of %d objects, %d twice", began, len(l.keys), twice)
	}
}

// jumping puts a clock before the database's own, for connections that are made from now on, and returns what sets it.
func jumping(t *testing.T, url string) (jump func(by string)) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	for _, sql := range []string{
		"create schema clock", "create table clock.by as select interval '0' as jump",
		"create function clock.now() returns timestamptz stable language sql as 'select pg_catalog.now() + jump from clock.by'",
		"do $$ begin execute format('alter database %I set search_path = clock, pg_catalog, public', current_database()); end $$",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return func(by string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), "update clock.by set jump = $1::text::interval", by); err != nil {
			t.Fatal(err)
		}
	}
}
