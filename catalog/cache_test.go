package catalog

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"swath/internal/testdb"
	"swath/stac"
)

// soon waits for something that another process brings about.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%s: not after 10 s", what)
		}
	}
}

func (c *cache) full() bool {
	set, _ := c.get()
	return set != nil
}

func titled(title string) stac.Collection {
	return stac.Collection{ID: "c", Body: fmt.Appendf(nil, `{"type":"Collection","id":"c","title":%q}`, title)}
}

// TestCollectionsInMemory: two processes see each other's changes at once, and one that can't hear the other asks.
func TestCollectionsInMemory(t *testing.T) {
	url := testdb.New(t)
	open := func() *Store {
		s, err := Open(t.Context(), url, Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	a, b := open(), open()
	title := func(s *Store) string {
		c, err := s.Collection(t.Context(), "c")
		if err != nil {
			return err.Error()
		}
		_, after, _ := strings.Cut(string(c.Body), `"title":"`)
		return after[:strings.IndexByte(after, '"')]
	}
	fill := func() {
		t.Helper()
		soon(t, "both remember", func() bool { return title(a) != "" && title(b) != "" && a.cache.full() && b.cache.full() })
	}
	if err := a.PutCollection(t.Context(), titled("one")); err != nil {
		t.Fatal(err)
	}
	fill()
	generation := b.CollectionsGeneration()
	if b.CollectionsGeneration() != generation {
		t.Error("the generation changes without a reason")
	}
	for i := range 20 {
		want := fmt.Sprint("title ", i)
		if err := a.PutCollection(t.Context(), titled(want)); err != nil {
			t.Fatal(err)
		}
		if got := title(a); got != want { // its own write at once
			t.Fatalf("got %q after putting %q", got, want)
		}
		soon(t, "the other process sees it", func() bool { return title(b) == want })
	}
	if b.CollectionsGeneration() == generation {
		t.Error("the generation does not change with the collections")
	}
	fill()
	generation = b.CollectionsGeneration()
	put(t, a, itemOf("c", "a", square, noon))
	soon(t, "an extent is widened there too", func() bool {
		c, _ := b.Collection(t.Context(), "c")
		return strings.Contains(string(c.Body), "2024-06-01")
	})
	if b.CollectionsGeneration() == generation {
		t.Error("the generation does not change with an extent")
	}
	for i := range 50 { // and at once where it was widened
		fill()
		put(t, a, itemOf("c", "a", square, fmt.Sprintf(`{"datetime":"2023-06-01T12:00:%02dZ"}`, 59-i)))
		if c, err := a.Collection(t.Context(), "c"); err != nil || !strings.Contains(string(c.Body), fmt.Sprintf("2023-06-01T12:00:%02d", 59-i)) {
			t.Fatalf("%s, %v, after second %d was put", c.Body, err, 59-i)
		}
	}
	calm, attempt := false, 0
	for ; !calm && attempt < 50; attempt++ { // what was said before may still be on its way
		fill()
		generation = b.CollectionsGeneration()
		put(t, a, itemOf("c", fmt.Sprint("calm", attempt), square, noon)) // nothing new
		time.Sleep(20 * time.Millisecond)
		calm = b.CollectionsGeneration() == generation && b.cache.full()
	}
	if !calm {
		t.Error("an item that widens nothing makes collections be read anew")
	}

	// Deaf: the listeners' connections are ended, and can't come back.
	b.cache.turn(false)
	if once, twice := b.CollectionsGeneration(), b.CollectionsGeneration(); once == twice {
		t.Error("what is rendered would be kept while nobody listens")
	}
	if _, err := a.pool.Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'"); err != nil {
		t.Fatal(err)
	}
	for i := range 50 { // while they come back
		want := fmt.Sprint("deaf ", i)
		if err := a.PutCollection(t.Context(), titled(want)); err != nil {
			t.Fatal(err)
		}
		soon(t, "the other process sees it", func() bool { return title(b) == want })
		time.Sleep(10 * time.Millisecond)
	}
	fill()
}

// TestCollectionsUnderWrites: no reader sees an older state after a newer one was acknowledged.
func TestCollectionsUnderWrites(t *testing.T) {
	s := newStore(t)
	var group sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.PutCollection(ctx, titled("0")); err != nil {
		t.Fatal(err)
	}
	written := make(chan int, 1)
	written <- 0
	for range 6 {
		group.Go(func() {
			for ctx.Err() == nil {
				least := <-written
				written <- least
				c, err := s.Collection(t.Context(), "c")
				if err != nil {
					t.Error(err)
					return
				}
				_, after, _ := strings.Cut(string(c.Body), `"title":"`)
				got := 0
				if _, err := fmt.Sscanf(after, "%d", &got); err != nil || got < least {
					t.Errorf("read %d after %d was written, %v", got, least, err)
				}
			}
		})
	}
	for i := range 150 {
		if err := s.PutCollection(t.Context(), titled(fmt.Sprint(i))); err != nil {
			t.Error(err)
		}
		<-written
		written <- i
	}
	cancel()
	group.Wait()
}

func BenchmarkCollections(b *testing.B) {
	s := newStore(b, "c0", "c1", "c2", "c3")
	for b.Loop() {
		if _, err := s.Collections(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
