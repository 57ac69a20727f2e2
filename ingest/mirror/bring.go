package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/ledger"
	"swath/sentinel/safe"
)

const (
	resumes   = 5      // of one download that breaks off without a byte of progress
	mostFiles = 20_000 // of one product
)

// bring fetches, verifies and catalogues. The product has a folder of its own, which stays until it is catalogued or its bytes are wrong.
func (m *Mirror) bring(ctx context.Context, p hub.Product) (h ledger.Holding, err error) {
	if orderer, ok := m.hub.(hub.Orderer); ok && !p.Online {
		if err := orderer.Order(ctx, p); err != nil {
			return h, err
		}
	}
	contents, err := m.hub.Contents(ctx, p)
	if err != nil {
		return h, err
	}
	if contents.Local != "" {
		return m.bringLocal(ctx, p, contents.Local)
	}
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
	if len(contents.Files) != 1 || contents.Files[0].Path != "" {
		return m.bringTree(ctx, p, contents, dir)
	}
	return m.bringFile(ctx, p, contents.Files[0], dir)
}

// bringFile brings a product that is one file, as the hub says its size and sums.
func (m *Mirror) bringFile(ctx context.Context, p hub.Product, f hub.File, dir string) (h ledger.Holding, err error) {
	part, whole := filepath.Join(dir, "part"), filepath.Join(dir, fileName(p.Name)+".zip")
	algorithms := algorithmsOf(f.Sums)
	if slices.Contains(algorithms, "BLAKE3") { // it says as much as the others, in a quarter of the time
		algorithms = []string{"BLAKE3"}
	} else if len(algorithms) == 0 {
		algorithms = []string{"MD5"}
	}
	tally := fetch.NewTally(algorithms...)
	if _, err := os.Stat(whole); err != nil {
		if err := m.download(ctx, f, part, tally); err != nil {
			return h, err
		}
	} else if err := os.Rename(whole, part); err != nil { // it was whole and then killed: look at it again, for it may have changed at the hub
		return h, err
	}
	if h.Bytes, h.Checksums, err = tally.Of(ctx, part); err != nil {
		return h, err
	}
	if err := verify(ctx, p.Name, f, h, part); err != nil {
		return h, err
	}
	if err := os.Rename(part, whole); err != nil {
		return h, err
	}
	if err := fetch.SyncDir(dir); err != nil {
		return h, err
	}
	for _, sum := range p.Checksums { // the ledger compares them with the next listing
		if !fetch.Knows(sum.Algorithm) {
			h.Checksums = append(h.Checksums, sum)
		}
	}
	h.Collection, h.Item, err = m.intake.Add(ctx, whole)
	return h, err
}

func algorithmsOf(sums []fetch.Sum) (algorithms []string) {
	for _, sum := range sums {
		algorithms = append(algorithms, sum.Algorithm)
	}
	return algorithms
}

// bringTree brings a product of several files. Each that is whole stays, whatever breaks off the others.
func (m *Mirror) bringTree(ctx context.Context, p hub.Product, c hub.Contents, dir string) (h ledger.Holding, err error) {
	if len(c.Files) == 0 || len(c.Files) > mostFiles {
		return h, wrongf("a product of %d files", len(c.Files))
	}
	tree := filepath.Join(dir, fileName(p.Name))
	if slices.ContainsFunc(c.Files, func(f hub.File) bool { return f.Path == safe.ManifestName }) {
		tree += ".SAFE"
	}
	for _, f := range c.Files {
		if !filepath.IsLocal(f.Path) || strings.ContainsAny(f.Path, "\\\x00") {
			return h, wrongf("a file of the product lies outside it: %.200q", f.Path)
		}
		if err := m.bringPart(ctx, f, filepath.Join(tree, f.Path), filepath.Join(dir, "part")); err != nil {
			return h, err
		}
	}
	if err := verifyInside(ctx, p.Name, tree, false); err != nil {
		return h, err
	}
	h.Bytes, h.Checksums = p.Bytes, p.Checksums
	h.Collection, h.Item, err = m.intake.Add(ctx, filepath.Join(tree, c.Entry))
	return h, err
}

// bringPart brings one file of a tree, unless it is there.
func (m *Mirror) bringPart(ctx context.Context, f hub.File, to, part string) error {
	sound := func(path string, tally *fetch.Tally) error {
		size, sums, err := tally.Of(ctx, path)
		if err != nil {
			return err
		}
		if err := agrees(f, size, sums); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		return nil
	}
	if _, err := os.Stat(to); err == nil && (f.Bytes > 0 || len(f.Sums) > 0) && sound(to, fetch.NewTally(algorithmsOf(f.Sums)...)) == nil {
		return nil
	}
	// Parts of other files have other tags or begin anew; a file without a tag always does.
	name := sha256.Sum256([]byte(f.Path))
	part += "-" + hex.EncodeToString(name[:8])
	tally := fetch.NewTally(algorithmsOf(f.Sums)...)
	if err := m.download(ctx, f, part, tally); err != nil {
		return err
	}
	if err := sound(part, tally); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.Rename(part, to); err != nil {
		return err
	}
	return fetch.Remove(part)
}

// bringLocal takes a product where it lies. It must be the same behind as before.
func (m *Mirror) bringLocal(ctx context.Context, p hub.Product, path string) (h ledger.Holding, err error) {
	same := func() error {
		now, err := m.hub.Product(ctx, p.ID)
		if err == nil && (now.Bytes != p.Bytes || !slices.Equal(now.Checksums, p.Checksums)) {
			err = fault.New(fault.Unavailable, "it changes while it is read")
		}
		return err
	}
	if err := same(); err != nil {
		return h, err
	}
	if err := verifyInside(ctx, p.Name, path, strings.HasSuffix(strings.ToLower(path), ".zip")); err != nil {
		return h, err
	}
	h.Bytes, h.Checksums = p.Bytes, p.Checksums
	if h.Collection, h.Item, err = m.intake.Add(ctx, path); err != nil {
		return h, err
	}
	return h, same()
}

// fileName is the name under which a product is handed over, without extension.
func fileName(name string) string {
	name = path.Base(name)
	for _, extension := range []string{".zip", ".SAFE"} {
		name = strings.TrimSuffix(name, extension)
	}
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == 0 || r < ' ' {
			return '_'
		}
		return r
	}, name)
	if name == "" || name == "part" || strings.HasPrefix(name, ".") {
		name = "product" + name
	}
	return name[:min(len(name), 200)]
}

// download fetches into a part until it is whole, from where it is, and sums it on the way.
func (m *Mirror) download(ctx context.Context, f hub.File, part string, tally *fetch.Tally) error {
	err := fetch.Into(ctx, func(ctx context.Context, from int64, tag string) (*fetch.Body, error) {
		if err := m.room(f.Bytes - from); err != nil {
			return nil, err
		}
		return f.Open(ctx, from, tag)
	}, part, fetch.Options{Most: f.Bytes, Stall: m.cfg.Stall, Wait: min(m.cfg.Backoff, time.Second) / 2, Resumes: resumes, Rate: m.bytes, Tally: tally})
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
