package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"swath/stac"
)

// poison makes every count that is remembered a wrong one, so that it shows whether an answer comes from memory.
func (c *counts) poison() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for asked, t := range c.known {
		t.n = 1000
		c.known[asked] = t
	}
}

// TestRememberedCounts: a count is remembered while others write to the database, and taken again as soon as an item is written, by whomever.
func TestRememberedCounts(t *testing.T) {
	s := newStore(t, "c", "d")
	for i := range 5 {
		put(t, s, itemOf("c", fmt.Sprint("i", i), square, noon))
	}
	other, err := Open(t.Context(), s.pool.Config().ConnString(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	exec := func(sql string) func() {
		return func() {
			t.Helper()
			if _, err := s.pool.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	q := stac.Search{Limit: 2}
	count := func() (n int64) {
		t.Helper()
		soon(t, "counted in time", func() bool { // a busy machine takes longer than a page waits
			page, err := s.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if page.Matched != nil {
				n = *page.Matched
			}
			return page.Matched != nil && !page.Estimated
		})
		return n
	}
	exec("create table queue (n int)")()
	tx, err := s.pool.Begin(t.Context()) // one who takes long
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), "insert into queue values (1)"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		do   func()
		kept bool
		want int64
	}{
		{"a write of the job queue", exec("insert into queue values (2)"), true, 5},
		{"another collection", func() {
			if err := s.PutCollection(t.Context(), stac.Collection{ID: "d", Body: []byte(`{"type":"Collection","id":"d","title":"changed"}`)}); err != nil {
				t.Fatal(err)
			}
		}, true, 5},
		{"a new item", func() { put(t, s, itemOf("c", "new", square, noon)) }, false, 6},
		{"nothing folded", func() {
			if n, err := s.fold(t.Context()); err != nil || n > 0 {
				t.Fatal(n, err)
			}
		}, true, 6},
		{"an item of another process", func() { put(t, other, itemOf("d", "theirs", square, noon)) }, false, 7},
		{"an item replaced on the same day", func() {
			put(t, s, itemOf("c", "new", square, `{"datetime":"2024-06-01T12:00:00Z","platform":"other"}`))
		}, false, 7},
		{"an item put as it is", func() {
			put(t, s, itemOf("c", "new", square, `{"datetime":"2024-06-01T12:00:00Z","platform":"other"}`))
		}, true, 7},
		{"an item removed", func() {
			if err := s.DeleteItem(t.Context(), "c", "new"); err != nil {
				t.Fatal(err)
			}
		}, false, 6},
		{"a load", func() {
			if done, _ := loadText(t, s, LoadOptions{}, string(itemOf("c", "loaded", square, noon).Body)+"\n"); done.Loaded != 1 {
				t.Fatal(done)
			}
		}, false, 7},
		{"a collection removed", func() {
			if _, err := s.ChangeCollection(t.Context(), "d", func(*stac.Collection) (*stac.Collection, error) { return nil, nil }); err != nil {
				t.Fatal(err)
			}
		}, false, 6},
	} {
		if _, err := s.fold(t.Context()); err != nil { // housekeeping would, at a moment of its own
			t.Fatal(err)
		}
		count()
		s.counts.poison()
		step.do()
		want := step.want
		if step.kept {
			want = 1000
		}
		if got := count(); got != want {
			t.Errorf("after %s the count is %d, want %d", step.name, got, want)
		}
		s.counts.mu.Lock()
		s.counts.known = nil
		s.counts.mu.Unlock()
	}
}

// TestWritersRevise: every statement that writes items makes another revision.
func TestWritersRevise(t *testing.T) {
	writes := regexp.MustCompile(`(?i)(insert into|update|delete from) item\b`)
	revises := regexp.MustCompile(`count_delta|item_revision`)
	out := map[string]bool{"sweep.sql": true} // of collections that nobody sees any more
	names, err := filepath.Glob("sql/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	writers := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !writes.Match(text) || out[filepath.Base(name)] {
			continue
		}
		if writers++; !revises.Match(text) {
			t.Errorf("%s writes items, and the revision stays as it was", name)
		}
	}
	if writers < 4 {
		t.Errorf("only %d writers were found", writers)
	}
}
