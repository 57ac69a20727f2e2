package tiles

import (
	"context"
	"fmt"

	"github.com/buger/jsonparser"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/maptile"

	"swath/fault"
	"swath/geo"
	"swath/stac"
)

const (
	mostFootprints = 1000 // of one tile; of more, their density is drawn
	outlinesFrom   = 8    // the level from which a tile is hardly larger than an item: outlines are drawn, of the first of them
	densityLevels  = 4    // a tile of density has 2^4 squares a side
	dotShare       = 512  // an outline narrower than this part of a tile is a point: nobody would see it
	bufferUnits    = 64   // a footprint is cut so far beyond the tile, in 4096ths of it: its outline stays out of sight
)

// Footprints returns where the items of a search lie, as a vector tile of the web map (Mapbox Vector Tile 2.1): in a layer "items"
// their outlines (points of what is too small to be seen) with id, collection, datetime and cloud cover, or where they are more than a thousand, in a layer "density" squares
// with how many centres of items (n) lie in each. From level 8 on the first thousand are outlined. A tile without items is empty.
func (r *Renderer) Footprints(ctx context.Context, analyst stac.Analyst, search stac.Search, t geo.Tile) ([]byte, error) {
	if t.Z < 0 || t.Z > geo.MaxZoom || !t.Valid() {
		return nil, fault.New(fault.Invalid, "tile %d/%d/%d: the levels go from 0 to %d, x and y of level z to 2^z-1", t.Z, t.X, t.Y, geo.MaxZoom)
	}
	search.Limit = mostFootprints
	found, err := r.within(ctx, "", search, t.LonLatBox())
	if err != nil {
		return nil, err
	}
	defer found.Release()
	name, features := "items", geojson.NewFeatureCollection()
	if found.Next == "" || t.Z >= outlinesFrom {
		for _, it := range found.Items {
			if f := outline(it, t.LonLatBox()); f != nil {
				features.Append(f)
			}
		}
	} else {
		name = "density"
		if features, err = density(ctx, analyst, search, t); err != nil {
			return nil, err
		}
	}
	if len(features.Features) == 0 {
		return nil, nil
	}
	layers := mvt.NewLayers(map[string]*geojson.FeatureCollection{name: features})
	layers.ProjectToTile(maptile.New(uint32(t.X), uint32(t.Y), maptile.Zoom(t.Z)))
	layers.Clip(orb.Bound{Min: orb.Point{-bufferUnits, -bufferUnits}, Max: orb.Point{mvt.DefaultExtent + bufferUnits, mvt.DefaultExtent + bufferUnits}})
	layers.RemoveEmpty(1, 1)
	for _, l := range layers {
		l.Version = 2
		for _, f := range l.Features {
			wind(f.Geometry)
		}
	}
	return mvt.Marshal(layers)
}

// wind turns the rings of polygons as version 2 wants them: of positive area outside, in coordinates whose y is to the south, and of
// negative area inside.
func wind(g orb.Geometry) {
	switch g := g.(type) {
	case orb.Polygon:
		for i, ring := range g {
			if (ring.Orientation() == orb.CCW) != (i == 0) {
				ring.Reverse()
			}
		}
	case orb.MultiPolygon:
		for _, p := range g {
			wind(p)
		}
	case orb.Collection:
		for _, part := range g {
			wind(part)
		}
	}
}

// outline is an item as a feature of a tile; nil of one without a place.
func outline(it stac.Item, tile geo.Box) *geojson.Feature {
	raw, kind, _, err := jsonparser.Get(it.Body, "geometry")
	if err != nil || kind != jsonparser.Object {
		return nil
	}
	g, err := geojson.UnmarshalGeometry(raw)
	if err != nil || g.Geometry() == nil {
		return nil
	}
	f := geojson.NewFeature(g.Geometry())
	if b := f.Geometry.Bound(); max(b.Max.X()-b.Min.X(), b.Max.Y()-b.Min.Y()) < (tile.MaxX-tile.MinX)/dotShare {
		f.Geometry = b.Center()
	}
	f.Properties["id"], f.Properties["collection"], f.Properties["datetime"] = it.ID, it.Collection, datetimeOf(it.Body)
	if cloud, err := jsonparser.GetFloat(it.Body, "properties", "eo:cloud_cover"); err == nil {
		f.Properties["eo:cloud_cover"] = cloud
	}
	return f
}

// density counts centres of items in the squares of a tile.
func density(ctx context.Context, analyst stac.Analyst, search stac.Search, t geo.Tile) (*geojson.FeatureCollection, error) {
	level := t.Z + densityLevels
	got, err := analyst.Aggregate(ctx, narrowed(search, t.LonLatBox()), []stac.Aggregation{{Name: "centroid_geotile_grid_frequency", Precision: level}})
	if err != nil {
		return nil, err
	}
	features := geojson.NewFeatureCollection()
	for _, b := range got[0].Buckets {
		var z, x, y int
		if n, _ := fmt.Sscanf(b.Key, "%d/%d/%d", &z, &x, &y); n != 3 || x>>densityLevels != t.X || y>>densityLevels != t.Y {
			continue // its centre lies in another tile
		}
		e := geo.Tile{Z: z, X: x, Y: y}.LonLatBox()
		f := geojson.NewFeature(orb.Bound{Min: orb.Point{e.MinX, e.MinY}, Max: orb.Point{e.MaxX, e.MaxY}}.ToPolygon())
		f.Properties["n"] = b.Count
		features.Append(f)
	}
	return features, nil
}
