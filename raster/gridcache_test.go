package raster

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func keyOf(i int) gridKey { return gridKey{grid: Grid{Width: i, Height: 1}} }

func gridOf(cells int) controlGrid { return controlGrid{cells: make([]cell, cells)} }

func TestGridIsLaidOnceForAll(t *testing.T) {
	var c gridCache
	var laid atomic.Int32
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for i := range 50 {
				grid, err := c.get(keyOf(i), func() (controlGrid, error) { laid.Add(1); return gridOf(i + 1), nil })
				if err != nil || len(grid.cells) != i+1 {
					t.Errorf("grid %d has %d cells, %v", i, len(grid.cells), err)
				}
			}
		})
	}
	group.Wait()
	if laid.Load() != 50 {
		t.Errorf("50 grids were laid %d times", laid.Load())
	}
}

func TestFailureOfAGridIsNotKept(t *testing.T) {
	var c gridCache
	gone := errors.New("gone")
	if _, err := c.get(keyOf(1), func() (controlGrid, error) { return controlGrid{}, gone }); err != gone {
		t.Errorf("got %v", err)
	}
	if grid, err := c.get(keyOf(1), func() (controlGrid, error) { return gridOf(3), nil }); err != nil || len(grid.cells) != 3 {
		t.Errorf("the second try has %d cells, %v", len(grid.cells), err)
	}
}

func TestGridsAreBounded(t *testing.T) {
	var c gridCache
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 1000 {
				if _, err := c.get(keyOf(worker*1000+i), func() (controlGrid, error) { return gridOf(1000), nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	cells := 0
	for e := c.recent.Front(); e != nil; e = e.Next() {
		cells += 1 + len(e.Value.(*keptGrid).grid.cells)
	}
	if cells != c.cells || cells > mostCells || cells < mostCells/2 || len(c.grids) != c.recent.Len() {
		t.Errorf("%d cells kept, %d counted, of %d allowed, in %d of %d places", cells, c.cells, mostCells, c.recent.Len(), len(c.grids))
	}
	newest := c.recent.Front().Value.(*keptGrid).key
	if _, err := c.get(newest, func() (controlGrid, error) { t.Error("the newest grid is gone"); return gridOf(1), nil }); err != nil {
		t.Error(err)
	}
}

// TestGridPushedOutAsItIsLaid: a grid that took so long that all others were asked for after it leaves, and is not counted.
func TestGridPushedOutAsItIsLaid(t *testing.T) {
	var c gridCache
	const each = mostCells/16 - 1
	get := func(i int, lay func()) {
		t.Helper()
		if _, err := c.get(keyOf(i), func() (controlGrid, error) { lay(); return gridOf(each), nil }); err != nil {
			t.Fatal(err)
		}
	}
	get(0, func() {
		for i := 1; i <= 16; i++ {
			get(i, func() {})
		}
	})
	cells := 0
	for e := c.recent.Front(); e != nil; e = e.Next() {
		cells += 1 + len(e.Value.(*keptGrid).grid.cells)
	}
	if cells != c.cells {
		t.Errorf("%d cells are kept, and %d counted", cells, c.cells)
	}
}
