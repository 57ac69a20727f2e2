package raster

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"swath/fault"
)

// Reader reads pixels of COGs through one cache of decoded blocks. It is safe for use by many goroutines.
type Reader struct {
	// LimitBytes is the most that one call may decode; beyond it the answer is fault.TooLarge, before anything is read.
	LimitBytes int64

	cache *blockCache
	grids gridCache
	cores chan struct{} // a place in it for each core: more work in C than cores only makes threads
}

const (
	defaultLimitBytes = 512 << 20
	coalesceGapBytes  = 64 << 10 // reading over a gap is cheaper than asking once more
	coalesceMaxBytes  = 8 << 20
	parallelReads     = 4 // of one call
)

// NewReader returns a reader whose cache holds at most cacheBytes of decoded blocks.
func NewReader(cacheBytes int64) *Reader {
	return &Reader{LimitBytes: defaultLimitBytes, cache: newBlockCache(cacheBytes), cores: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// CacheStats returns the use of the decoded-block cache.
func (r *Reader) CacheStats() CacheStats { return r.cache.stats() }

// working runs work on one of the cores.
func (r *Reader) working(ctx context.Context, work func() error) error {
	select {
	case r.cores <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.cores }()
	if err := ctx.Err(); err != nil {
		return err
	}
	return work()
}

// allow refuses a call that would decode too much.
func (r *Reader) allow(p *plane, blocks int) error {
	cost := int64(blocks) * int64(p.blockWidth*p.blockHeight*p.samples*p.format.Bytes())
	if cost > r.LimitBytes {
		return fault.New(fault.TooLarge, "the request needs %d bytes of pixels (%d blocks); the limit is %d", cost, blocks, r.LimitBytes)
	}
	return nil
}

// blocks returns the decoded blocks of a plane, nil for those that the file leaves out. Indices must be sorted and distinct.
func (r *Reader) blocks(ctx context.Context, c *COG, p *plane, indices []int) ([][]byte, error) {
	out := make([][]byte, len(indices))
	for pending := seq(len(indices)); len(pending) > 0; {
		claimed := make(map[int]*cachedBlock, len(pending))
		var mine []*cachedBlock
		for _, i := range pending {
			if p.tiles == nil && (p.counts[indices[i]] == 0 || p.offsets[indices[i]] == 0) {
				continue // a sparse file: nothing was measured there
			}
			b, first := r.cache.claim(blockKey{c.src.ID(), p.index, indices[i]})
			claimed[i] = b
			if first {
				mine = append(mine, b)
			}
		}
		if err := r.load(ctx, c, p, mine); err != nil {
			return nil, err
		}
		var again []int
		for _, i := range pending {
			b := claimed[i]
			if b == nil {
				continue
			}
			values, repeat, err := b.wait(ctx)
			if err != nil {
				return nil, fmt.Errorf("raster: read %s: %w", c.src.ID(), err)
			}
			if repeat {
				again = append(again, i)
			}
			out[i] = values
		}
		pending = again
	}
	return out, nil
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// load reads and decodes claimed blocks; each is finished when it returns, whatever happens.
func (r *Reader) load(ctx context.Context, c *COG, p *plane, mine []*cachedBlock) error {
	if p.tiles != nil {
		return r.loadTiles(ctx, c, p, mine)
	}
	slices.SortFunc(mine, func(a, b *cachedBlock) int { return cmp.Compare(p.offsets[a.key.block], p.offsets[b.key.block]) })
	var runs [][]*cachedBlock
	for start := 0; start < len(mine); {
		end := start + 1
		for end < len(mine) && p.adjoins(mine[start].key.block, mine[end-1].key.block, mine[end].key.block) {
			end++
		}
		runs, start = append(runs, mine[start:end]), end
	}
	if len(runs) == 1 {
		return r.loadRun(ctx, c, p, runs[0])
	}
	var group errgroup.Group // every run finishes its blocks, so none is cancelled by another's failure
	group.SetLimit(parallelReads)
	for _, run := range runs {
		group.Go(func() error { return r.loadRun(ctx, c, p, run) })
	}
	return group.Wait()
}

// adjoins reports whether a block can be read in one go with those from first to last.
func (p *plane) adjoins(first, last, block int) bool {
	end := p.offsets[last] + p.counts[last]
	return p.offsets[block] >= end && p.offsets[block]-end < coalesceGapBytes && p.offsets[block]+p.counts[block]-p.offsets[first] <= coalesceMaxBytes
}

// loadRun reads blocks that lie side by side in one go and decodes them.
func (r *Reader) loadRun(ctx context.Context, c *COG, p *plane, run []*cachedBlock) error {
	done := 0
	err := func() error {
		first, last := run[0].key.block, run[len(run)-1].key.block
		start, end := p.offsets[first], p.offsets[last]+p.counts[last]
		if size := uint64(c.src.Size()); end < start || end > size || end-start > max(coalesceMaxBytes, 2*maxBlockBytes) {
			return fault.New(fault.Invalid, "the TIFF's block %d lies at %d..%d, outside its %d bytes", first, start, end, size)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		packed := make([]byte, end-start)
		if n, err := c.src.ReadAt(packed, int64(start)); err != nil && (err != io.EOF || n < len(packed)) {
			return err
		}
		for _, b := range run {
			block := b.key.block
			err := r.working(ctx, func() error {
				from := p.offsets[block] - start
				values, err := p.decode(block, packed[from:from+p.counts[block]], c.big)
				if err != nil {
					return fmt.Errorf("block %d is damaged: %w", block, err)
				}
				r.cache.finish(b, values, nil)
				done++
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}()
	if err == nil {
		return nil
	}
	err = fmt.Errorf("raster: read %s: %w", c.src.ID(), err)
	for _, b := range run[done:] {
		r.cache.finish(b, nil, err)
	}
	return err
}
