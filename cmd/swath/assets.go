package main

import (
	"context"
	"encoding/json"
	"path"

	"swath/fault"
	"swath/objects"
	"swath/objects/objecthttp"
	"swath/objects/staging"
	"swath/raster"
	"swath/stac"
	"swath/tiles"
)

// openRaster lets the renderer read rasters from the object store.
func openRaster(store objects.Store) tiles.Opener {
	open := store.Open
	if tiered, ok := store.(*staging.Store); ok {
		open = tiered.Raster
	}
	return func(ctx context.Context, key string) (raster.Source, error) {
		o, err := open(ctx, key)
		if err != nil {
			return nil, err
		}
		return rasterObject{o}, nil
	}
}

// rasterObject is an object as raster reads it.
type rasterObject struct{ objects.Object }

// Size returns the object's length in bytes.
func (o rasterObject) Size() int64 { return o.Info().Size }

// ID names the content for ever: objects are written once.
func (o rasterObject) ID() string { return o.Info().Key }

// assetOf finds the object of an item's asset.
func assetOf(catalog stac.Catalog) func(ctx context.Context, collection, item, asset string) (objecthttp.Asset, error) {
	return func(ctx context.Context, collection, item, asset string) (objecthttp.Asset, error) {
		it, err := catalog.Item(ctx, collection, item)
		if err != nil {
			return objecthttp.Asset{}, err
		}
		var body struct {
			Properties struct {
				Platform any `json:"platform"`
			} `json:"properties"`
			Assets map[string]struct {
				Href   string `json:"href"`
				Type   string `json:"type"`
				Object string `json:"swath:object"`
			} `json:"assets"`
		}
		if err := json.Unmarshal(it.Body, &body); err != nil {
			return objecthttp.Asset{}, err
		}
		a, ok := body.Assets[asset]
		if !ok {
			return objecthttp.Asset{}, fault.New(fault.NotFound, "item %q has no asset %q", item, asset)
		}
		if a.Object == "" {
			return objecthttp.Asset{}, fault.New(fault.NotFound, "asset %q of item %q is not held here; it is at %s", asset, item, a.Href)
		}
		return objecthttp.Asset{Key: a.Object, ContentType: a.Type, FileName: item + "_" + path.Base(a.Object), Platform: objecthttp.PlatformOf(body.Properties.Platform)}, nil
	}
}
