package ledger_test

import (
	"testing"
	"time"

	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/ledger"
	"swath/internal/testdb"
)

// TestComesAgain: what left a hub and is listed again is wanted if it changed since, or if nobody knows when it left; a list that is older than
// the deletion, or a deletion that is told of again, changes nothing.
func TestComesAgain(t *testing.T) {
	l, err := ledger.Open(t.Context(), testdb.New(t), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hour := func(n int) time.Time { return time.Date(2026, 1, 2, n, 0, 0, 0, time.UTC) }
	listed := func(at int) hub.Page {
		return hub.Page{Products: []hub.Product{{ID: "a", Name: "a", Bytes: 5, Checksums: []fetch.Sum{{Algorithm: "MD5", Value: "5"}}, Published: hour(0), Modified: hour(at), Online: true}}}
	}
	left := func(id string, at int) hub.Page {
		return hub.Page{Deletions: []hub.Deletion{{ID: id, Name: id, At: hour(at), Cause: "obsolete"}}}
	}
	missing := hub.Page{}
	for i, step := range []struct {
		what    string
		page    hub.Page
		wanted  bool
		removed int64
	}{
		{"it comes", listed(1), true, 0},
		{"it leaves", left("a", 3), false, 1},
		{"a late list", listed(2), false, 1},
		{"it comes again", listed(4), true, 0},
		{"the deletion once more", left("a", 3), true, 0},
		{"it is missing", missing, false, 1},
		{"it is listed as before", listed(4), true, 0},
		{"it is missing again", missing, false, 1},
		{"the list of deletions says when", left("a", 5), false, 1},
		{"a list of before", listed(4), false, 1},
		{"it comes a third time", listed(6), true, 0},
		{"one that was never seen leaves", left("b", 1), true, 1},
		{"another, of which that says nothing", hub.Page{Deletions: left("c", 1).Deletions, KnownAlone: true}, true, 1},
	} {
		if step.page.Products == nil && step.page.Deletions == nil {
			err = l.Gone(t.Context(), "a", "a")
		} else {
			err = l.Record(t.Context(), hub.ByModification, step.page, time.Time{})
		}
		if err != nil {
			t.Fatal(err)
		}
		status, err := l.Status(t.Context())
		if err != nil || (status.Wanted == 1) != step.wanted || status.Gone != step.removed {
			t.Fatalf("%d, %s: %d wanted, %d gone, %v", i, step.what, status.Wanted, status.Gone, err)
		}
		due, err := l.Due(t.Context(), 9, nil)
		if err != nil || (len(due) == 1) != step.wanted {
			t.Fatalf("%d, %s: %d are due, %v", i, step.what, len(due), err)
		}
	}
}

// TestAim: when other products are wanted of a hub, its lists are read from the begin, but not when the same ones are, nor by the first process
// that says what is wanted; what was deleted is followed from where it was.
func TestAim(t *testing.T) {
	database, now := testdb.New(t), time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		wanted        string
		changed, read bool // the lists were read before
	}{{"a tile", false, false}, {"a tile", false, true}, {"two tiles", true, false}, {"two tiles", false, true}, {"a tile", true, false}} {
		l, err := ledger.Open(t.Context(), database, "test")
		if err != nil {
			t.Fatal(err)
		}
		changed, err := l.Aim(t.Context(), step.wanted)
		if err != nil || changed != step.changed {
			t.Errorf("%d: changed is %t, %v", i, changed, err)
		}
		for _, by := range []hub.Order{hub.ByPublication, hub.ByModification, hub.ByDeletion} {
			at, err := l.Cursor(t.Context(), by)
			if read := step.read || by == hub.ByDeletion && i > 0; err != nil || !at.IsZero() != read {
				t.Errorf("%d: the list by %s was read up to %v, %v", i, by, at, err)
			}
			if err := l.Record(t.Context(), by, hub.Page{}, now); err != nil {
				t.Fatal(err)
			}
		}
		l.Close()
	}
	other, err := ledger.Open(t.Context(), database, "other")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if changed, err := other.Aim(t.Context(), "a tile"); changed || err != nil {
		t.Errorf("another mirror: %t, %v", changed, err)
	}
}
