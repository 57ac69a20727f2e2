package ingest

import (
	"context"

	"swath/fault"
	"swath/stac"
)

// Publish brings STAC items of one collection and the files beside them into the catalog together: the bytes of all are in objects before the
// first item can be seen, and all are seen at once. Ready is asked right before that, and its error is returned. What is in the catalog
// already, with the same content, does not change. The items are returned by their collections and ids, in the order of the paths.
func (in *Ingester) Publish(ctx context.Context, paths []string, ready func() error) ([]stac.Item, error) {
	named := make([]stac.Item, len(paths))
	var fresh []stac.Item
	var old []retirement
	for i, path := range paths {
		it, known, err := in.prepareItem(ctx, path)
		if err != nil {
			return nil, err
		}
		named[i] = stac.Item{Collection: it.Collection, ID: it.ID}
		if it.Collection != named[0].Collection {
			return nil, fault.New(fault.Invalid, "items of %s and %s can't appear at once", named[0].Collection, it.Collection)
		}
		if it.Body == nil {
			continue
		}
		fresh = append(fresh, it)
		if known != "" {
			old = append(old, retirement{it.Collection, it.ID, known})
		}
	}
	if err := ready(); err != nil {
		return nil, err
	}
	for _, r := range old {
		if err := in.retire(ctx, r); err != nil {
			return nil, err
		}
	}
	if len(fresh) == 0 {
		return named, nil
	}
	return named, in.Catalog.PutItems(ctx, named[0].Collection, fresh, false)
}

// prepareItem puts the bytes of one item into objects. Its body is missing when the catalog has the same.
func (in *Ingester) prepareItem(ctx context.Context, path string) (stac.Item, string, error) {
	p, done, err := planItem(path, "")
	if err != nil {
		return stac.Item{}, "", err
	}
	defer done()
	if err := in.EnsureCollection(ctx, p.collection); err != nil {
		return stac.Item{}, "", err
	}
	if err := in.whenCOG(ctx, &p, ""); err != nil {
		return stac.Item{}, "", err
	}
	it, known, err := in.prepare(ctx, p)
	if err != nil || it == nil {
		return stac.Item{Collection: p.collection, ID: p.id}, known, err
	}
	return *it, known, nil
}
