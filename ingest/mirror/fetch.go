package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/ledger"
)

const resumes = 5 // of one download that breaks off without a byte of progress

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
	case fault.Is(err, fault.NotFound):
		if _, err := m.hub.Product(ctx, e.ID); fault.Is(err, fault.NotFound) {
			return m.ledger.Gone(ctx, e.ID, e.Name)
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
	case fault.Is(err, fault.Invalid) || fault.Is(err, fault.Forbidden):
		return m.failed(ctx, e, err, m.cfg.Quarantine, true)
	case errors.As(err, &later):
		return m.failed(ctx, e, err, max(later.After, m.backoff(e.Tries)), false)
	}
	return m.failed(ctx, e, err, m.backoff(e.Tries), false)
}

func (m *Mirror) failed(ctx context.Context, e ledger.Entry, err error, again time.Duration, quarantine bool) error {
	m.log.Warn("product not mirrored", "product", e.Name, "id", e.ID, "try", e.Tries+1, "again", again, "quarantine", quarantine, "err", err)
	return m.ledger.Failed(ctx, e.ID, err.Error(), again, quarantine)
}

func (m *Mirror) backoff(tries int) time.Duration {
	return min(m.cfg.Backoff<<min(tries, 20), m.cfg.MostBackoff)
}

// bring fetches, verifies and catalogues. The product has a folder of its own, which stays until it is catalogued or its bytes are wrong.
func (m *Mirror) bring(ctx context.Context, p hub.Product) (h ledger.Holding, err error) {
	sum := sha256.Sum256([]byte(p.ID))
	dir := filepath.Join(m.cfg.Work, hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return h, err
	}
	defer func() {
		var bad *wrong
		if err == nil || errors.As(err, &bad) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) && !errors.Is(err, hub.ErrLogin) {
			os.RemoveAll(dir) //nolint:errcheck // what stays is fetched over
		}
	}()
	part, whole := filepath.Join(dir, "part"), filepath.Join(dir, fileName(p.Name))
	if _, err := os.Stat(whole); err != nil {
		if err := m.download(ctx, p, part); err != nil {
			return h, err
		}
	} else if err := os.Rename(whole, part); err != nil { // it was whole and then killed: look at it again, for it may have changed at the hub
		return h, err
	}
	var algorithms []string
	for _, sum := range p.Checksums {
		algorithms = append(algorithms, sum.Algorithm)
	}
	if len(algorithms) == 0 {
		algorithms = []string{"MD5"}
	}
	if h.Bytes, h.Checksums, err = fetch.Sums(ctx, part, algorithms...); err != nil {
		return h, err
	}
	if err := verify(ctx, p, h, part); err != nil {
		return h, err
	}
	if err := os.Rename(part, whole); err != nil {
		return h, err
	}
	if err := fetch.SyncDir(dir); err != nil {
		return h, err
	}
	h.Collection, h.Item, err = m.intake.Add(ctx, whole)
	return h, err
}

// fileName is the name under which a product is handed over.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == 0 || r < ' ' {
			return '_'
		}
		return r
	}, strings.TrimSuffix(strings.TrimSuffix(name, ".zip"), ".SAFE"))
	if name == "" || name == "part" || strings.HasPrefix(name, ".") {
		name = "product" + name
	}
	return name[:min(len(name), 200)] + ".zip"
}

// download fetches into a part until it is whole, from where it is.
func (m *Mirror) download(ctx context.Context, p hub.Product, part string) error {
	err := fetch.Into(ctx, func(ctx context.Context, from int64, tag string) (*fetch.Body, error) {
		if err := m.room(p.Bytes - from); err != nil {
			return nil, err
		}
		return m.hub.Fetch(ctx, p.ID, from, tag)
	}, part, fetch.Options{Most: p.Bytes, Stall: m.cfg.Stall, Wait: min(m.cfg.Backoff, time.Second) / 2, Resumes: resumes, Rate: m.bytes})
	var much *fetch.TooMuch
	if errors.As(err, &much) {
		return wrongf("%v", much)
	}
	return err
}

// room fails with ENOSPC where the disk would become too full.
func (m *Mirror) room(bytes int64) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(m.cfg.Work, &fs); err != nil {
		return err
	}
	if free := int64(fs.Bavail) * fs.Bsize; free-bytes < m.cfg.KeepFree {
		return fmt.Errorf("%d bytes are free, and %d of them are kept free: %w", free, m.cfg.KeepFree, syscall.ENOSPC)
	}
	return nil
}
