package objects

import (
	"errors"
	"io"
	"sync"
)

// pinned is an object that somebody wants to hear of when it is closed.
type pinned struct {
	Object
	once    sync.Once
	release func()
}

// Pinned returns o, with release called after it was closed.
func Pinned(o Object, release func()) Object { return &pinned{Object: o, release: release} }

// Stream reads as the object itself does.
func (p *pinned) Stream(off, n int64) io.ReadCloser { return Stream(p.Object, off, n) }

// Close closes the object and lets it go.
func (p *pinned) Close() error {
	err := errors.Join(p.Object.Close())
	p.once.Do(p.release)
	return err
}
