package mirror

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"swath/ingest/hub"
	"swath/ingest/hub/cdse"
	"swath/internal/hubtest"
	"swath/internal/testdb"
)

// daily counts the questions for days of acquisition.
type daily struct {
	hub.Hub
	asked atomic.Int64
	lists atomic.Int64 // all others
}

func (d *daily) List(ctx context.Context, q hub.Query, yield func(hub.Page) error) error {
	if d.lists.Add(1); q.By == hub.ByAcquisition {
		d.asked.Add(1)
	}
	return d.Hub.List(ctx, q, yield)
}

// TestSweptBefore: a mirror that is started again does not compare the days again that the one before it has compared.
func TestSweptBefore(t *testing.T) {
	s := hubtest.Serve(t, hubtest.NewArchive(52, 5, hubtest.None), hubtest.Options{})
	database, in := testdb.New(t), &shelf{items: map[string]string{}}
	client, err := cdse.New(cdse.Config{Catalogue: s.Catalogue, Collection: "SENTINEL-2", Wire: quick(s)})
	if err != nil {
		t.Fatal(err)
	}
	h := &daily{Hub: client}
	run := func(until func(m *Mirror) bool) {
		t.Helper()
		m, l := keep(t, h, database, t.TempDir(), in)
		defer l.Close()
		m.cfg.Poll = 20 * time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			m.Run(ctx) //nolint:errcheck // it is the context's
			close(ended)
		}()
		for began := time.Now(); !until(m); time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > 20*time.Second {
				t.Error("it takes too long")
				break
			}
		}
		cancel()
		<-ended
	}
	run(func(m *Mirror) bool {
		some, all, err := m.ledger.Swept(t.Context())
		return err == nil && some < time.Minute && all < time.Minute
	})
	asked, lists := h.asked.Load(), h.lists.Load()
	if asked == 0 {
		t.Fatal("no days were compared")
	}
	run(func(*Mirror) bool { return h.lists.Load() > lists+10 })
	if again := h.asked.Load() - asked; again > 0 {
		t.Errorf("after a start %d times days were compared again", again)
	}
}
