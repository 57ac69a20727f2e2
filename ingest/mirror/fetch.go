package mirror

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/ledger"
)

// wrong is a fault of the bytes: fetching them again may help, but not for ever.
type wrong struct {
	reason string
	final  bool // the hub has the same bytes
}

func (w *wrong) Error() string { return w.reason }

func wrongf(format string, args ...any) error { return &wrong{reason: fmt.Sprintf(format, args...)} }

// fetch brings one product from the hub into the catalog and notes what became of it. The error is for what stops everything.
func (m *Mirror) fetch(ctx context.Context, e ledger.Entry) error {
	began := time.Now()
	h, err := m.bring(ctx, e.Product)
	var bad *wrong
	var later *fetch.Retry
	switch {
	case err == nil:
		m.log.Info("product mirrored", "product", e.Name, "bytes", h.Bytes, "dur", time.Since(began), "delay", time.Since(e.Published).Round(time.Second))
		return m.ledger.Held(ctx, e.Product, h)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, hub.ErrLogin):
		return err
	case fault.Is(err, fault.Offline):
		return m.offline(ctx, e, err)
	case fault.Is(err, fault.NotFound):
		if _, again := m.hub.Product(ctx, e.ID); fault.Is(again, fault.NotFound) {
			return m.ledger.Gone(ctx, e.ID, e.Name)
		} else if again == nil && !e.Online {
			return m.offline(ctx, e, err)
		}
		return m.failed(ctx, e, err, m.backoff(e.Tries), false)
	case errors.Is(err, syscall.ENOSPC):
		m.log.Error("the disk is full: downloads wait", "err", err)
		return fetch.Pause(ctx, m.cfg.Backoff)
	case errors.As(err, &bad):
		quarantine := bad.final || e.Tries+1 >= wrongTries
		wait := m.backoff(e.Tries)
		if quarantine {
			wait = m.cfg.Quarantine
		}
		return m.failed(ctx, e, err, wait, quarantine)
	case fault.Is(err, fault.Forbidden) && !e.Online:
		return m.offline(ctx, e, err)
	case fault.Is(err, fault.Invalid) || fault.Is(err, fault.Forbidden):
		return m.failed(ctx, e, err, m.cfg.Quarantine, true)
	case errors.As(err, &later):
		return m.failed(ctx, e, err, max(later.After, m.backoff(e.Tries)), false)
	}
	return m.failed(ctx, e, err, m.backoff(e.Tries), false)
}

// mostStaging is how long a hub that brings a product from cold storage is left alone at most.
const mostStaging = 6 * time.Hour

// offline leaves a product until the hub has brought it from cold storage, which is no failure, or, where the hub does not bring it, until
// it lists it as online.
func (m *Mirror) offline(ctx context.Context, e ledger.Entry, err error) error {
	var later *fetch.Retry
	if errors.As(err, &later) {
		again := min(max(later.After, m.cfg.Backoff), mostStaging)
		m.log.Info("the hub brings a product from cold storage", "product", e.Name, "id", e.ID, "again", again)
		return m.ledger.Await(ctx, e.ID, err.Error(), again)
	}
	m.log.Info("a product is offline at the hub", "product", e.Name, "id", e.ID, "err", err)
	return m.ledger.Offline(ctx, e.ID, err.Error())
}

func (m *Mirror) failed(ctx context.Context, e ledger.Entry, err error, again time.Duration, quarantine bool) error {
	m.log.Warn("product not mirrored", "product", e.Name, "id", e.ID, "try", e.Tries+1, "again", again, "quarantine", quarantine, "err", err)
	return m.ledger.Failed(ctx, e.ID, err.Error(), again, quarantine)
}

func (m *Mirror) backoff(tries int) time.Duration {
	return min(m.cfg.Backoff<<min(tries, 20), m.cfg.MostBackoff)
}
