// Package folder reads a hub that is a folder: deliveries of SPOT products, an archive on NFS.
//
//	tree ─walk─▶ products that are complete ─▶ rows: path, sum over names, sizes and times ─▶ (ledger) ─▶ read where they lie
//
// Everything is looked at each time, and what is no longer there has left. A product that is still being written is no product yet.
package folder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"swath/eo"
	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
)

// Config says what of a folder is a product.
type Config struct {
	Root   string
	Is     func(path string, dir bool) bool // whether a file or folder is a product; what is none is searched if it is a folder
	Match  string                           // of the product's name, with * and ?; empty: all
	Stable time.Duration                    // nothing of a product has changed for so long when it is complete; 1 min
	Marker string                           // name of the file that says so in its place: inside a product's folder, or beside it, where * stands for its name
	Watch  bool                             // the folders are watched for changes, too
}

// Client is a hub. It is safe for concurrent use.
type Client struct{ cfg Config }

var _ hub.Hub = (*Client)(nil)

const mostDepth = 32 // folders in each other

// New checks a configuration.
func New(cfg Config) (*Client, error) {
	if !filepath.IsAbs(cfg.Root) {
		return nil, fault.New(fault.Invalid, "hub: folder %q is not an absolute path", cfg.Root)
	}
	if _, err := filepath.Match(cfg.Match, ""); err != nil {
		return nil, fault.New(fault.Invalid, "hub: match %q: %v", cfg.Match, err)
	}
	if cfg.Stable == 0 {
		cfg.Stable = time.Minute
	}
	return &Client{cfg}, nil
}

// Orders is the one list of all there is.
func (c *Client) Orders(context.Context) ([]hub.Order, error) { return []hub.Order{hub.All}, nil }

// List looks at everything. What can't be read ends it: what is behind is not gone.
func (c *Client) List(ctx context.Context, q hub.Query, yield func(hub.Page) error) error {
	info, err := os.Stat(c.cfg.Root)
	if err != nil || !info.IsDir() {
		return fault.Wrap(fault.Unavailable, cmp.Or(err, fs.ErrNotExist), "hub: the folder %s is not there", c.cfg.Root)
	}
	page := hub.Page{Now: time.Now(), Shuffled: true}
	err = c.walk(ctx, c.cfg.Root, 0, func(path string) error {
		p, complete, err := c.look(path)
		if errors.Is(err, fs.ErrNotExist) { // it leaves at this moment
			return nil
		} else if err != nil || !complete || !q.Since.IsZero() && p.Published.Before(q.Since) && q.By == hub.All {
			return err
		}
		if page.Products = append(page.Products, p); len(page.Products) < 1000 {
			return nil
		}
		err = yield(page)
		page.Products = nil
		return err
	})
	if err != nil {
		return err
	}
	return yield(page)
}

// walk finds products.
func (c *Client) walk(ctx context.Context, dir string, depth int, found func(path string) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "hub: a folder can't be read")
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case unfinished(e.Name()) || !e.IsDir() && !e.Type().IsRegular():
		case c.cfg.Is(path, e.IsDir()):
			if ok, _ := filepath.Match(c.cfg.Match, e.Name()); c.cfg.Match == "" || ok {
				err = found(path)
			}
		case e.IsDir() && depth < mostDepth:
			err = c.walk(ctx, path, depth+1, found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unfinished reports whether a name is one that programs give to what they are still writing (rsync, lftp, curl, browsers), or hidden.
func unfinished(name string) bool {
	lower := strings.ToLower(name)
	for _, ending := range []string{".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".incomplete", "~"} {
		if strings.HasSuffix(lower, ending) {
			return true
		}
	}
	return strings.HasPrefix(name, ".")
}

// look describes a product, and tells whether it is complete.
func (c *Client) look(path string) (p hub.Product, complete bool, err error) {
	id, err := filepath.Rel(c.cfg.Root, path)
	if err != nil {
		return p, false, err
	}
	sum := sha256.New()
	var written, modified time.Time // the last moment at which anything of it changed; of the last change of content
	p = hub.Product{ID: filepath.ToSlash(id), Name: filepath.Base(path), Online: true}
	pending, marked := false, c.cfg.Marker == ""
	err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if changed := changed(info); changed.After(written) {
			written = changed
		}
		if info.IsDir() {
			return nil
		}
		if e.Name() == c.cfg.Marker {
			marked = true
			return nil
		}
		if unfinished(e.Name()) {
			pending = pending || !strings.HasPrefix(e.Name(), ".nfs") && e.Name() != ".DS_Store"
			return nil
		}
		if !info.Mode().IsRegular() {
			return fault.New(fault.Invalid, "hub: %s is no file", at)
		}
		if info.ModTime().After(modified) {
			modified = info.ModTime()
		}
		inside, err := filepath.Rel(path, at)
		fmt.Fprintf(sum, "%q %d %d\n", inside, info.Size(), info.ModTime().UnixNano())
		p.Bytes += info.Size()
		return err
	})
	if fault.Is(err, fault.Invalid) {
		return p, false, nil // a link or a device: no product
	} else if err != nil {
		return p, false, err
	}
	if !marked {
		_, err := os.Stat(filepath.Join(filepath.Dir(path), strings.ReplaceAll(c.cfg.Marker, "*", p.Name)))
		marked = err == nil && strings.Contains(c.cfg.Marker, "*")
	}
	p.Published, p.Modified = written.UTC(), modified.UTC()
	p.Checksums = []fetch.Sum{{Algorithm: "TREE", Value: hex.EncodeToString(sum.Sum(nil)[:16])}}
	p.Acquired = acquired(p.Name)
	settled := c.cfg.Marker != "" || time.Since(written) >= c.cfg.Stable
	return p, p.Bytes > 0 && !pending && marked && settled, nil
}

// changed is when a file's content or name changed last: that can't be set back, as the time of modification can.
func changed(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Sec, stat.Ctim.Nsec) //nolint:unconvert // narrower on 32 bits
	}
	return info.ModTime()
}

// acquired is the begin of acquisition as far as a product's name tells.
func acquired(name string) time.Time {
	name, _, _ = strings.Cut(name, ".")
	parsed, err := eo.ParseName(name)
	if err != nil {
		return time.Time{}
	}
	switch n := parsed.(type) {
	case eo.S2Name:
		return n.DatatakeUTC
	case eo.S2OldName:
		return n.StartUTC
	case eo.S1Name:
		return n.StartUTC
	}
	return time.Time{}
}

// Count counts everything.
func (c *Client) Count(ctx context.Context, q hub.Query) (n int64, err error) {
	err = c.List(ctx, q, func(p hub.Page) error {
		n += int64(len(p.Products))
		return nil
	})
	return n, err
}

// path is where a product lies; it never leads out of the folder.
func (c *Client) path(id string) (string, error) {
	if !filepath.IsLocal(id) {
		return "", fault.New(fault.NotFound, "hub: %q is no path in the folder", id)
	}
	return filepath.Join(c.cfg.Root, filepath.FromSlash(id)), nil
}

// Product looks at one.
func (c *Client) Product(_ context.Context, id string) (hub.Product, error) {
	path, err := c.path(id)
	if err != nil {
		return hub.Product{}, err
	}
	p, complete, err := c.look(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(c.cfg.Root); err != nil {
			return p, fault.Wrap(fault.Unavailable, err, "hub: the folder %s is not there", c.cfg.Root)
		}
		return p, fault.Wrap(fault.NotFound, err, "hub: it is no longer there")
	} else if err == nil && !complete {
		err = fault.New(fault.Unavailable, "hub: %s is being written", path)
	} else if err != nil {
		err = fault.Wrap(fault.Unavailable, err, "hub: %s can't be read", path)
	}
	return p, err
}

// Contents of a product lie where they are.
func (c *Client) Contents(_ context.Context, p hub.Product) (hub.Contents, error) {
	path, err := c.path(p.ID)
	return hub.Contents{Local: path}, err
}
