package mirror

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"lukechampine.com/blake3"

	"swath/fault"
	"swath/ingest/hub"
	"swath/ingest/ledger"
)

const (
	copyBytes = 1 << 20
	resumes   = 5 // of one download that breaks off without a byte of progress
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
	var later *hub.Retry
	switch {
	case err == nil:
		m.log.Info("product mirrored", "product", e.Name, "bytes", h.Bytes, "dur", time.Since(began), "delay", time.Since(e.Published).Round(time.Second))
		return m.ledger.Held(ctx, e.Product, h)
	case ctx.Err() != nil:
		return ctx.Err()
	case fault.Is(err, fault.NotFound):
		if _, err := m.hub.Product(ctx, e.ID); fault.Is(err, fault.NotFound) {
			return m.ledger.Gone(ctx, e.ID, e.Name)
		}
		return m.failed(ctx, e, err, m.backoff(e.Tries), false)
	case errors.Is(err, syscall.ENOSPC):
		m.log.Error("the disk is full: downloads wait", "err", err)
		return pause(ctx, m.cfg.Backoff)
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

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// bring fetches, verifies and catalogues. The product has a folder of its own, which stays until it is catalogued or its bytes are wrong.
func (m *Mirror) bring(ctx context.Context, p hub.Product) (h ledger.Holding, err error) {
	sum := sha256.Sum256([]byte(p.ID))
	dir := filepath.Join(m.cfg.Work, hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return h, err
	}
	part, whole := filepath.Join(dir, "part"), filepath.Join(dir, fileName(p.Name))
	if _, err := os.Stat(whole); err != nil {
		if err := m.download(ctx, p, part); err != nil {
			return h, err
		}
	} else if err := os.Rename(whole, part); err != nil { // it was whole and then killed: look at it again, for it may have changed at the hub
		return h, err
	}
	defer func() {
		var bad *wrong
		if err == nil || errors.As(err, &bad) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound) {
			os.RemoveAll(dir) //nolint:errcheck // what stays is fetched over
		}
	}()
	if h.Bytes, h.Checksums, err = sums(ctx, part, p.Checksums); err != nil {
		return h, err
	}
	if err := verify(ctx, p, h, part); err != nil {
		return h, err
	}
	if err := os.Rename(part, whole); err != nil {
		return h, err
	}
	if err := syncDir(dir); err != nil {
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
	for idle := 0; ; {
		got, err := m.resume(ctx, p, part)
		if err == nil {
			return nil
		}
		var broken *broken
		if !errors.As(err, &broken) || ctx.Err() != nil {
			return err
		}
		if idle++; got > 0 {
			idle = 0
		}
		if idle > resumes {
			return err
		}
		if err := pause(ctx, min(m.cfg.Backoff, time.Second)<<idle/2); err != nil {
			return err
		}
	}
}

// broken is a download that broke off; what came is kept.
type broken struct{ err error }

func (b *broken) Error() string { return "download broke off: " + b.err.Error() }
func (b *broken) Unwrap() error { return b.err }

// resume makes one request, and returns how many bytes came.
func (m *Mirror) resume(ctx context.Context, p hub.Product, part string) (got int64, err error) {
	if err := m.room(p.Bytes); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	from, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	tag, err := os.ReadFile(part + ".tag")
	if err != nil || len(tag) == 0 {
		from = 0
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := m.hub.Fetch(ctx, p.ID, from, string(tag))
	if fault.Is(err, fault.Stale) { // the part is longer than the product
		return 0, &broken{errors.Join(err, os.Remove(part))}
	} else if err != nil {
		return 0, err
	}
	defer body.Close()
	if body.From != from || from == 0 {
		if err := f.Truncate(body.From); err != nil {
			return 0, err
		}
	}
	if err := os.WriteFile(part+".tag", []byte(body.Tag), 0o644); err != nil {
		return 0, err
	}
	if _, err := f.Seek(body.From, io.SeekStart); err != nil {
		return 0, err
	}
	stall := time.AfterFunc(m.cfg.Stall, cancel)
	defer stall.Stop()
	most := max(p.Bytes, body.Total) // more than both say is not the product
	buffer := make([]byte, copyBytes)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			stall.Reset(m.cfg.Stall)
			if m.bytes != nil {
				if err := m.bytes.WaitN(ctx, n); err != nil {
					return got, err
				}
			}
			if _, err := f.Write(buffer[:n]); err != nil {
				return got, err
			}
			if got += int64(n); most > 0 && body.From+got > most {
				return got, errors.Join(wrongf("more than the %d bytes that the hub says", most), os.Remove(part))
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return got, &broken{err}
		}
	}
	if total := body.From + got; body.Total >= 0 && total < body.Total {
		return got, &broken{fmt.Errorf("%d bytes of %d", total, body.Total)}
	}
	return got, f.Sync()
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

// sums reads a file for its size and the checksums of these algorithms; MD5 without any.
func sums(ctx context.Context, path string, asked []hub.Checksum) (size int64, found []hub.Checksum, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	hashes := map[string]hash.Hash{}
	var writers []io.Writer
	add := func(algorithm string) {
		if hashes[algorithm] != nil {
			return
		}
		switch algorithm {
		case "MD5":
			hashes[algorithm] = md5.New()
		case "SHA256":
			hashes[algorithm] = sha256.New()
		case "BLAKE3":
			hashes[algorithm] = blake3.New(32, nil)
		default:
			return
		}
		writers = append(writers, hashes[algorithm])
	}
	for _, sum := range asked {
		add(sum.Algorithm)
	}
	if len(hashes) == 0 {
		add("MD5")
	}
	buffer := make([]byte, copyBytes)
	for {
		if err := ctx.Err(); err != nil {
			return 0, nil, err
		}
		n, err := f.Read(buffer)
		for _, w := range writers {
			w.Write(buffer[:n]) //nolint:errcheck // a hash never fails
		}
		size += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, nil, err
		}
	}
	for algorithm, h := range hashes {
		found = append(found, hub.Checksum{Algorithm: algorithm, Value: hex.EncodeToString(h.Sum(nil))})
	}
	return size, found, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
