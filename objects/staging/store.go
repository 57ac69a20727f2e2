package staging

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"swath/fault"
	"swath/objects"
	"swath/objects/copies"
)

// usualPin is how long a pin lasts that nobody renews: a reader that was killed holds its copy no longer.
const usualPin = time.Minute

// Store is a store of which an archive holds some objects. An object whose bytes are not here is fault.Offline; one that is being read
// stays. Objects without a copy cost one look into memory.
type Store struct {
	objects.Store
	copies  *copies.Store
	archive objects.Archive
	pins    pins
	pinTime time.Duration
}

// NewStore returns the store behind which the archive stands.
func NewStore(bytes objects.Store, c *copies.Store, archive objects.Archive) *Store {
	return &Store{Store: bytes, copies: c, archive: archive, pins: pins{held: map[string]int{}}, pinTime: usualPin}
}

// Offline is the failure of a read of what is not here.
func Offline(key string) error {
	return fault.New(fault.Offline, "object %q is in the archive and has to be brought from there", key)
}

// Open opens an object, and keeps a copy online until it is closed.
func (s *Store) Open(ctx context.Context, key string) (objects.Object, error) {
	o, archived, err := s.open(ctx, key)
	if err != nil || !archived {
		return o, err
	}
	s.pins.add(s.copies, key, s.pinTime)
	return objects.Pinned(o, func() { s.pins.drop(key) }), nil
}

// open opens an object and says whether the archive has a copy.
func (s *Store) open(ctx context.Context, key string) (o objects.Object, archived bool, err error) {
	if !s.copies.MayHaveKey(key) {
		o, err := s.Store.Open(ctx, key)
		if err == nil || !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Offline) {
			return o, false, err
		} // it may have been archived a moment ago
	}
	c, err := s.copies.Pin(ctx, key, s.pinTime)
	if fault.Is(err, fault.NotFound) {
		o, err = s.Store.Open(ctx, key)
		return o, false, err
	} else if err != nil {
		return nil, true, err
	}
	if c.State != copies.Online {
		return nil, true, Offline(key)
	}
	o, err = s.Store.Open(ctx, key)
	return o, true, err
}

// Readable returns nil when the bytes of an object are here, as far as is known without opening it.
func (s *Store) Readable(ctx context.Context, key string) error {
	if !s.copies.MayHaveKey(key) {
		return nil
	}
	c, err := s.copies.Get(ctx, key)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case c.State != copies.Online:
		return Offline(key)
	}
	return nil
}

// Stat describes an object, wherever its bytes are.
func (s *Store) Stat(ctx context.Context, key string) (objects.Info, error) {
	if !s.copies.MayHaveKey(key) {
		info, err := s.Store.Stat(ctx, key)
		if err == nil || !fault.Is(err, fault.NotFound) {
			return info, err
		}
	}
	c, err := s.copies.Get(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return s.Store.Stat(ctx, key)
	} else if err != nil {
		return objects.Info{}, err
	}
	return infoOf(c), nil
}

func infoOf(c copies.Copy) objects.Info {
	return objects.Info{Key: c.Key, Size: c.Bytes, SHA256: c.SHA256, ContentType: c.ContentType, Modified: c.Modified.UTC()}
}

// Put publishes an object; the bytes of one that the archive holds are compared and not kept.
func (s *Store) Put(ctx context.Context, key, contentType string, r io.Reader) (objects.Info, error) {
	if !s.copies.MayHaveKey(key) {
		return s.Store.Put(ctx, key, contentType, r)
	}
	c, err := s.copies.Get(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return s.Store.Put(ctx, key, contentType, r)
	} else if err != nil {
		return objects.Info{}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return objects.Info{}, err
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != c.SHA256 {
		return objects.Info{}, fault.New(fault.Conflict, "object %q exists in the archive with other content (SHA-256 %s, not %s)", key, c.SHA256, sum)
	}
	return infoOf(c), nil
}

// Delete removes an object from here and from the archive.
func (s *Store) Delete(ctx context.Context, key string) error {
	if s.copies.MayHaveKey(key) {
		if _, err := s.copies.Get(ctx, key); err == nil {
			if err := errors.Join(s.archive.Remove(ctx, []string{key}), s.Store.Delete(ctx, BeginPrefix+key)); err != nil {
				return err
			}
			if err := s.copies.Remove(ctx, key); err != nil {
				return err
			}
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return s.Store.Delete(ctx, key)
}

// pins are the copies that this process reads, by how many readers. One goroutine renews them while there are any.
type pins struct {
	mu   sync.Mutex
	held map[string]int
	stop context.CancelFunc
}

func (p *pins) add(c *copies.Store, key string, pinTime time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[key]++; p.stop != nil {
		return
	}
	var ctx context.Context
	ctx, p.stop = context.WithCancel(context.Background())
	go func() {
		for pause(ctx, pinTime/3); ctx.Err() == nil; pause(ctx, pinTime/3) {
			p.mu.Lock()
			keys := slices.Collect(maps.Keys(p.held))
			p.mu.Unlock()
			c.PinAll(ctx, keys, pinTime) //nolint:errcheck // the next renewal comes before the pin ends
		}
	}()
}

func (p *pins) drop(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[key]--; p.held[key] > 0 {
		return
	}
	if delete(p.held, key); len(p.held) == 0 && p.stop != nil {
		p.stop()
		p.stop = nil
	}
}
