package mirror

import (
	"context"
	"fmt"
	"testing"
	"time"

	"swath/ingest/hub/cdse"
	"swath/ingest/ledger"
	"swath/internal/hubtest"
	"swath/internal/testdb"
)

// TestHints: what the queue of a subscription tells of is here long before the next poll, as is what somebody hints at; a queue that drops
// everything does no harm, and the one subscription is used again.
func TestHints(t *testing.T) {
	archive := hubtest.NewArchive(51, 5, hubtest.None)
	s := hubtest.Serve(t, archive, hubtest.Options{})
	database, in := testdb.New(t), &shelf{items: map[string]string{}}
	n := 0
	add := func() string {
		n++
		acquired := time.Now().UTC().Add(-time.Duration(n) * time.Hour)
		name := fmt.Sprintf("S2A_MSIL1C_%s_N0500_R001_T31TCJ_%s", acquired.Format("20060102T150405"), acquired.Format("20060102T150405"))
		archive.Put(fmt.Sprint("new-", n), name+".SAFE", hubtest.Product(name+".SAFE", []byte(name)), acquired)
		return name
	}
	comes := func(name string, within time.Duration) bool {
		for began := time.Now(); time.Since(began) < within; time.Sleep(20 * time.Millisecond) {
			in.mu.Lock()
			_, is := in.items[name]
			in.mu.Unlock()
			if is {
				return true
			}
		}
		return false
	}
	keeps := func() (stop func()) {
		h, err := cdse.New(cdse.Config{Catalogue: s.Catalogue, Collection: "SENTINEL-2", Wire: quick(s), Subscribe: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		m, l := keep(t, h, database, t.TempDir(), in)
		m.cfg.Poll, m.pause = time.Hour, 100*time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			m.Run(ctx) //nolint:errcheck // it is the context's
			close(ended)
		}()
		if !comes(add(), 10*time.Second) { // by the first look at the lists, or by an event
			t.Error("nothing comes")
		}
		time.Sleep(500 * time.Millisecond) // the look is over
		return func() {
			cancel()
			<-ended
			l.Close()
		}
	}
	stop := keeps()
	if !comes(add(), 10*time.Second) {
		t.Error("an event of a subscription makes nothing come")
	}
	stop()
	s.DropEvents()
	defer keeps()()
	name := add()
	if comes(name, 2*time.Second) {
		t.Error("something came although its event was dropped")
	}
	if subscriptions, acknowledged := s.Subscriptions(); subscriptions != 1 || acknowledged == 0 {
		t.Errorf("%d subscriptions, %d events acknowledged", subscriptions, acknowledged)
	}
	r, err := ledger.Read(t.Context(), database, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Hint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !comes(name, 10*time.Second) {
		t.Error("a hint makes nothing come")
	}
}
