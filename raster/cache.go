package raster

import (
	"container/list"
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// blockKey names a decoded block for ever.
type blockKey struct {
	source       string
	plane, block int
}

// blockCache keeps decoded blocks by bytes, the least recently used leaving first. A block that several ask for at once is
// made by one of them.
type blockCache struct {
	shards [16]shard
	seed   maphash.Seed
	hits   atomic.Int64
	misses atomic.Int64
}

type shard struct {
	mu       sync.Mutex
	blocks   map[blockKey]*cachedBlock
	recent   list.List // of *cachedBlock that are made; the most recently used in front
	bytes    int64
	capacity int64
}

// cachedBlock is a block that is there, or being made.
type cachedBlock struct {
	key    blockKey
	ready  chan struct{} // closed when values or err are set
	values []byte
	err    error
	place  *list.Element
}

func newBlockCache(capacity int64) *blockCache {
	c := &blockCache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].blocks = map[blockKey]*cachedBlock{}
		c.shards[i].capacity = capacity / int64(len(c.shards))
	}
	return c
}

func (c *blockCache) shard(key blockKey) *shard {
	return &c.shards[maphash.Comparable(c.seed, key)%uint64(len(c.shards))]
}

// claim returns the block; when mine is true nobody has made it, and the caller must, ending with finish.
func (c *blockCache) claim(key blockKey) (b *cachedBlock, mine bool) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.blocks[key]; b != nil {
		if b.place != nil {
			s.recent.MoveToFront(b.place)
		}
		c.hits.Add(1)
		return b, false
	}
	c.misses.Add(1)
	b = &cachedBlock{key: key, ready: make(chan struct{})}
	s.blocks[key] = b
	return b, true
}

// finish publishes a claimed block, or the reason why there is none.
func (c *blockCache) finish(b *cachedBlock, values []byte, err error) {
	s := c.shard(b.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	b.values, b.err = values, err
	close(b.ready)
	if err != nil || int64(len(values)) > s.capacity {
		delete(s.blocks, b.key)
		return
	}
	b.place = s.recent.PushFront(b)
	s.bytes += int64(len(values))
	for s.bytes > s.capacity {
		last := s.recent.Back()
		old := s.recent.Remove(last).(*cachedBlock)
		delete(s.blocks, old.key)
		s.bytes -= int64(len(old.values))
	}
}

// wait returns the block's values when they are there. Again is true when the one who made it gave up, not the block.
func (b *cachedBlock) wait(ctx context.Context) (values []byte, again bool, err error) {
	select {
	case <-b.ready:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	if b.err != nil && ctx.Err() == nil && (errors.Is(b.err, context.Canceled) || errors.Is(b.err, context.DeadlineExceeded)) {
		return nil, true, nil
	}
	return b.values, false, b.err
}

// CacheStats counts the use of the decoded-block cache since it was made.
type CacheStats struct {
	Hits, Misses int64 // blocks asked for
	Bytes        int64 // held now
}

func (c *blockCache) stats() CacheStats {
	s := CacheStats{Hits: c.hits.Load(), Misses: c.misses.Load()}
	for i := range c.shards {
		c.shards[i].mu.Lock()
		s.Bytes += c.shards[i].bytes
		c.shards[i].mu.Unlock()
	}
	return s
}
