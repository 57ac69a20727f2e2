package copies

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// known are the items that have copies, as hashes: whoever is not among them needs no question to the database. Until all were looked at,
// any may be among them.
type known struct {
	mu     sync.RWMutex
	items  map[uint64]struct{}
	loaded atomic.Bool
}

// seed is the same for all stores of a process.
var seed = maphash.MakeSeed()

func hash(collection, item string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(collection)
	h.WriteByte('/')
	h.WriteString(item)
	return h.Sum64()
}

func (k *known) add(collection, item string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.items == nil {
		k.items = map[uint64]struct{}{}
	}
	k.items[hash(collection, item)] = struct{}{}
}

func (k *known) has(h uint64) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	_, ok := k.items[h]
	return ok
}

// MayHave reports whether an item may have copies: false is sure as of the last look, a few seconds ago.
func (s *Store) MayHave(collection, item string) bool {
	return !s.known.loaded.Load() || s.known.has(hash(collection, item))
}

// MayHaveKey reports the same of the item to which an object belongs by its key: collection/item/….
func (s *Store) MayHaveKey(key string) bool {
	collection, rest, _ := strings.Cut(key, "/")
	item, _, _ := strings.Cut(rest, "/")
	return s.MayHave(collection, item)
}

// overlap is how far back a look goes: a row may become visible that long after the moment that it names.
const overlap = "2 minutes"

// Look takes notice of the items that have copies: of all of them, or of those that were added of late.
func (s *Store) Look(ctx context.Context, all bool) error {
	sql := "select distinct collection, item from copy"
	if !all {
		sql += " where added_at > now() - interval '" + overlap + "'"
	}
	rows, err := s.pool.Query(ctx, sql)
	if err != nil {
		return unavailable(err)
	}
	var collection, item string
	_, err = pgx.ForEachRow(rows, []any{&collection, &item}, func() error {
		s.known.add(collection, item)
		return nil
	})
	if err == nil && all {
		s.known.loaded.Store(true)
	}
	return unavailable(err)
}

// Watch looks again and again until the context ends. A look that fails is made up for: after it, all are looked at.
func (s *Store) Watch(ctx context.Context, every time.Duration) {
	all := true
	for {
		all = s.Look(ctx, all) != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}
