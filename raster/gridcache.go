package raster

import (
	"container/list"
	"sync"

	"swath/geo"
)

// mostCells bounds the control grids kept: at 80 bytes a cell and 256 cells a tile, those of a thousand tiles in 20 MB.
const mostCells = 1 << 18

// gridKey is all that a control grid depends on, of rasters that a system and a transform place. Bands of one product share
// it, and so do all the pictures made of one tile.
type gridKey struct {
	grid      Grid
	system    crs
	transform geo.Affine
	pyramid   string  // the sizes of the levels
	coarser   float64 // see layGrid
}

// gridCache keeps control grids, the least recently used leaving first. It is safe for concurrent use.
type gridCache struct {
	mu     sync.Mutex
	grids  map[gridKey]*list.Element
	recent list.List // of *keptGrid; the most recently used in front
	cells  int
}

// keptGrid is a control grid that is there, or being laid by who holds its lock.
type keptGrid struct {
	key  gridKey
	mu   sync.Mutex
	laid bool
	grid controlGrid
}

// get returns a grid, laid once for all who ask at a time. Failures and the largest grids are not kept.
func (c *gridCache) get(key gridKey, lay func() (controlGrid, error)) (controlGrid, error) {
	c.mu.Lock()
	e := c.grids[key]
	if e == nil {
		if c.grids == nil {
			c.grids = map[gridKey]*list.Element{}
		}
		e = c.recent.PushFront(&keptGrid{key: key})
		c.grids[key] = e
	}
	c.recent.MoveToFront(e)
	c.mu.Unlock()

	kept := e.Value.(*keptGrid)
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.laid {
		return kept.grid, nil
	}
	grid, err := lay()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.grids[key] != e { // pushed out meanwhile
		return grid, err
	}
	if err != nil || len(grid.cells) > mostCells/16 { // not for the sake of one large picture
		delete(c.grids, key)
		c.recent.Remove(e)
		return grid, err
	}
	kept.grid, kept.laid = grid, true
	c.cells += 1 + len(grid.cells)
	for c.cells > mostCells && c.recent.Len() > 1 {
		last := c.recent.Back()
		old := c.recent.Remove(last).(*keptGrid)
		delete(c.grids, old.key)
		if old.laid { // it may be this one: others were asked for while it was laid
			c.cells -= 1 + len(old.grid.cells)
		}
	}
	return grid, nil
}
