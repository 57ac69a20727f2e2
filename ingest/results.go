package ingest

import (
	"context"

	"swath/stac"
)

// Publish brings STAC items and the files beside them into the catalog together: the bytes of all are in objects before the first item can be
// seen, and those of one collection are seen at once. Ready is asked right before that, and its error is returned. What is in the catalog
// already, with the same content, does not change. The items are returned by their collections and ids, in the order of the paths.
func (in *Ingester) Publish(ctx context.Context, paths []string, ready func() error) ([]stac.Item, error) {
	named := make([]stac.Item, len(paths))
	fresh := map[string][]stac.Item{}
	var old []retirement
	for i, path := range paths {
		it, known, err := in.prepareItem(ctx, path)
		if err != nil {
			return nil, err
		}
		named[i] = stac.Item{Collection: it.Collection, ID: it.ID}
		if it.Body == nil {
			continue
		}
		fresh[it.Collection] = append(fresh[it.Collection], it)
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
	for collection, items := range fresh {
		if err := in.Catalog.PutItems(ctx, collection, items, false); err != nil {
			return nil, err
		}
	}
	return named, nil
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
