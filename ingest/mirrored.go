package ingest

import (
	"context"
	"sync"

	"swath/fault"
)

// Mirrored is the way in for the products of a mirror: one file each, whole and verified. It is safe for concurrent use, and converts
// one product at a time, which takes all processors; originals are not converted.
type Mirrored struct {
	Ingester   *Ingester
	Collection string // of products whose collection does not follow from their type; empty: none
	COG        string // see Options
	Original   bool   // see Options
	mu         sync.Mutex
}

// Add brings a product in and returns its item. What is wrong with the product is fault.Invalid.
func (m *Mirrored) Add(ctx context.Context, path string) (collection, item string, err error) {
	if !m.Original {
		m.mu.Lock()
		defer m.mu.Unlock()
	}
	results, err := m.Ingester.Ingest(ctx, path, Options{Collection: m.Collection, COG: m.COG, Original: m.Original})
	if err != nil {
		return "", "", err
	}
	if len(results) != 1 {
		return "", "", fault.New(fault.Invalid, "%d products in one file", len(results))
	}
	return results[0].Collection, results[0].Item, results[0].Err
}

// Remove takes an item out of the catalog; its objects are collected when nobody reads them any more.
func (m *Mirrored) Remove(ctx context.Context, collection, item string) error {
	revision, err := m.Ingester.revisionOf(ctx, collection, item)
	if err != nil {
		return err
	}
	if revision != "" {
		if err := m.Ingester.retire(ctx, retirement{collection, item, revision}); err != nil {
			return err
		}
	}
	return m.Ingester.Catalog.DeleteItem(ctx, collection, item)
}
