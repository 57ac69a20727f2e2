// Package stactest is a small catalog in memory, for tests of what stands on stac.Catalog.
//
//	PutItem ──▶ a sorted slice ──▶ Search
//
// It obeys the interface, with one liberty: intersects compares boxes, not outlines.
package stactest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/stac"
)

// Catalog is a stac.Catalog in memory.
type Catalog struct {
	mu          sync.RWMutex
	collections map[string]stac.Collection
	rows        []row // newest first
	serial      int64
}

// row is an item with what a search compares.
type row struct {
	stac.Item
	when   time.Time
	serial int64
	box    geo.Box
}

// New returns an empty catalog.
func New() *Catalog { return &Catalog{collections: map[string]stac.Collection{}} }

// Collections returns all collections by id.
func (c *Catalog) Collections(context.Context) ([]stac.Collection, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := make([]stac.Collection, 0, len(c.collections))
	for _, one := range c.collections {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b stac.Collection) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// Collection returns one, or fault.NotFound.
func (c *Catalog) Collection(_ context.Context, id string) (stac.Collection, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	one, ok := c.collections[id]
	if !ok {
		return stac.Collection{}, fault.New(fault.NotFound, "there is no collection %q", id)
	}
	return one, nil
}

// PutCollection creates or replaces a collection.
func (c *Catalog) PutCollection(_ context.Context, one stac.Collection) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.collections[one.ID] = one
	return nil
}

// Item returns one item, or fault.NotFound.
func (c *Catalog) Item(ctx context.Context, collection, id string) (stac.Item, error) {
	if _, err := c.Collection(ctx, collection); err != nil {
		return stac.Item{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if i := c.index(collection, id); i >= 0 {
		return c.rows[i].Item, nil
	}
	return stac.Item{}, fault.New(fault.NotFound, "there is no item %q in collection %q", id, collection)
}

func (c *Catalog) index(collection, id string) int {
	return slices.IndexFunc(c.rows, func(r row) bool { return r.Collection == collection && r.ID == id })
}

// PutItem creates or replaces an item.
func (c *Catalog) PutItem(ctx context.Context, it stac.Item) (bool, error) {
	if _, err := c.Collection(ctx, it.Collection); err != nil {
		return false, err
	}
	var body struct {
		BBox       []float64
		Properties struct{ Datetime time.Time }
	}
	if err := json.Unmarshal(it.Body, &body); err != nil || len(body.BBox) != 4 {
		return false, fault.Wrap(fault.Invalid, err, "item %q has no datetime or no bbox of four numbers", it.ID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serial++
	r := row{it, body.Properties.Datetime, c.serial, geo.Box{MinX: body.BBox[0], MinY: body.BBox[1], MaxX: body.BBox[2], MaxY: body.BBox[3]}}
	if i := c.index(it.Collection, it.ID); i >= 0 {
		if bytes.Equal(c.rows[i].Body, it.Body) {
			return false, nil
		}
		r.serial = c.rows[i].serial
		c.rows = slices.Delete(c.rows, i, i+1)
	}
	at, _ := slices.BinarySearchFunc(c.rows, r, newestFirst)
	c.rows = slices.Insert(c.rows, at, r)
	return true, nil
}

func newestFirst(a, b row) int {
	return cmp.Or(b.when.Compare(a.when), cmp.Compare(b.serial, a.serial))
}

// DeleteItem removes an item, or returns fault.NotFound.
func (c *Catalog) DeleteItem(ctx context.Context, collection, id string) error {
	if _, err := c.Item(ctx, collection, id); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows = slices.DeleteFunc(c.rows, func(r row) bool { return r.Collection == collection && r.ID == id })
	return nil
}

// Search returns one page, with an exact count.
func (c *Catalog) Search(_ context.Context, s stac.Search) (stac.Page, error) {
	after, err := parseToken(s.Token)
	if err != nil {
		return stac.Page{}, err
	}
	box, err := boxOf(s)
	if err != nil {
		return stac.Page{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	var page stac.Page
	var last row
	matched := int64(0)
	for _, r := range c.rows {
		if !r.matches(s, box) {
			continue
		}
		matched++
		if after != nil && newestFirst(*after, r) >= 0 {
			continue
		}
		if len(page.Items) == s.Limit {
			page.Next = fmt.Sprintf("%d.%d", last.when.UnixMicro(), last.serial)
			continue
		}
		page.Items, last = append(page.Items, r.Item), r
	}
	page.Matched = &matched
	return page, nil
}

// parseToken reads the place behind which a page begins; nil is the beginning.
func parseToken(token string) (*row, error) {
	if token == "" {
		return nil, nil
	}
	var micros, serial int64
	if n, err := fmt.Sscanf(token, "%d.%d", &micros, &serial); n != 2 || err != nil || fmt.Sprintf("%d.%d", micros, serial) != token {
		return nil, fault.New(fault.Invalid, "the token was not made by this server")
	}
	return &row{when: time.UnixMicro(micros), serial: serial}, nil
}

func (r row) matches(s stac.Search, box *geo.Box) bool {
	switch {
	case len(s.Collections) > 0 && !slices.Contains(s.Collections, r.Collection),
		len(s.IDs) > 0 && !slices.Contains(s.IDs, r.ID),
		s.Datetime != nil && s.Datetime.Start != nil && r.when.Before(*s.Datetime.Start),
		s.Datetime != nil && s.Datetime.End != nil && r.when.After(*s.Datetime.End),
		box != nil && !overlap(*box, r.box):
		return false
	}
	return true
}

// overlap compares boxes of which the first may cross the antimeridian.
func overlap(a, b geo.Box) bool {
	if a.MinX > a.MaxX {
		return overlap(geo.Box{MinX: a.MinX, MinY: a.MinY, MaxX: 180, MaxY: a.MaxY}, b) ||
			overlap(geo.Box{MinX: -180, MinY: a.MinY, MaxX: a.MaxX, MaxY: a.MaxY}, b)
	}
	return a.MinX <= b.MaxX && b.MinX <= a.MaxX && a.MinY <= b.MaxY && b.MinY <= a.MaxY
}

// boxOf returns the box that a search is confined to: its own, or that of its geometry.
func boxOf(s stac.Search) (*geo.Box, error) {
	if len(s.Intersects) == 0 {
		return s.BBox, nil
	}
	var tree any
	if err := json.Unmarshal(s.Intersects, &tree); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "intersects is not JSON")
	}
	box := geo.Box{MinX: 180, MinY: 90, MaxX: -180, MaxY: -90}
	grow(&box, tree)
	return &box, nil
}

// grow widens a box by every position in a tree of JSON.
func grow(box *geo.Box, tree any) {
	switch v := tree.(type) {
	case map[string]any:
		grow(box, v["coordinates"])
		grow(box, v["geometries"])
	case []any:
		if len(v) >= 2 {
			x, isX := v[0].(float64)
			y, isY := v[1].(float64)
			if isX && isY {
				box.MinX, box.MinY = min(box.MinX, x), min(box.MinY, y)
				box.MaxX, box.MaxY = max(box.MaxX, x), max(box.MaxY, y)
				return
			}
		}
		for _, part := range v {
			grow(box, part)
		}
	}
}
