package ingest

import (
	"context"
	"sync"
	"time"

	"swath/fault"
)

// Mirrored is the way in for the products of a mirror: one file each, whole and verified. It is safe for concurrent use, and converts
// one product at a time, which takes all processors; originals are not converted.
type Mirrored struct {
	Ingester   *Ingester
	Collection string        // of products whose collection does not follow from their type; empty: none
	COG        string        // see Options
	Original   bool          // see Options
	Grace      time.Duration // for which the bytes stay of a product that left the hub; 0: 7 days
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

// Remove takes an item out of the catalog. Its objects stay for the grace: see Collect.
func (m *Mirrored) Remove(ctx context.Context, collection, item string) error {
	revision, err := m.Ingester.revisionOf(ctx, collection, item)
	if err != nil {
		return err
	}
	if revision != "" {
		if err := m.Ingester.note(ctx, retirement{collection, item, revision}, removed); err != nil {
			return err
		}
	}
	if err := m.Ingester.Catalog.DeleteItem(ctx, collection, item); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return m.Ingester.succeed(ctx, collection, item)
}

// Collect removes the objects of products that left the hub longer than the grace ago.
func (m *Mirrored) Collect(ctx context.Context) error {
	age := m.Grace
	if age == 0 {
		age = removedGrace
	}
	return m.Ingester.collectUnder(ctx, removed, age)
}

// removedGrace is how long the bytes of a product stay that left the hub, if nothing else is said.
const removedGrace = 7 * 24 * time.Hour
