package folder

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"swath/fault"
)

// Hints watches the folders for changes that this machine makes, and tells when they have settled; those that others make on NFS are not
// seen.
func (c *Client) Hints(ctx context.Context, hint func()) error {
	if !c.cfg.Watch {
		<-ctx.Done()
		return ctx.Err()
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "hub: folders can't be watched")
	}
	defer w.Close()
	add := func(root string) error {
		return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.IsDir() {
				return nil //nolint:nilerr // it left at this moment; the next look tells
			}
			return w.Add(path)
		})
	}
	if err := add(c.cfg.Root); err != nil {
		return fault.Wrap(fault.Unavailable, err, "hub: folders can't be watched")
	}
	settled := time.NewTimer(time.Hour) // a product is complete some time after its last change
	settled.Stop()
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-settled.C:
			hint()
		case err := <-w.Errors:
			return fault.Wrap(fault.Unavailable, err, "hub: watching the folders ended")
		case e := <-w.Events:
			if e.Has(fsnotify.Create) {
				if err := add(e.Name); err != nil {
					return fault.Wrap(fault.Unavailable, err, "hub: folders can't be watched")
				}
			}
			settled.Reset(c.cfg.Stable + time.Second)
		}
	}
}
