// Package shelf is a catalog and an object store in one test's folder, with real scenes to put on it.
//
//	raster GDAL reads ─COG─▶ folder/{key} ◀─Open─┐
//	item as JSON ─────────────────▶ Catalog ◀─Item─┴─ what is under test
//
// For tests of rooms that draw: no database, no ingest.
package shelf

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/stac"
)

// Shelf holds items, collections and objects.
type Shelf struct {
	t           testing.TB
	dir         string
	items       map[[2]string]json.RawMessage
	collections map[string]json.RawMessage
}

// New returns an empty shelf that lives as long as the test.
func New(t testing.TB) *Shelf {
	return &Shelf{t: t, dir: t.TempDir(), items: map[[2]string]json.RawMessage{}, collections: map[string]json.RawMessage{}}
}

// Data returns the path of a file of the shared data, or skips the test when they are not there. The test runs in a room
// d folders below the repository root.
func Data(t testing.TB, d Depth, path string) string {
	t.Helper()
	path = filepath.Join(d.root(), "../shared/data", path)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the shared data are absent: %v", err)
	}
	return path
}

// Path returns the file that holds an object.
func (s *Shelf) Path(key string) string { return filepath.Join(s.dir, filepath.FromSlash(key)) }

// COG writes a raster as an object.
func (s *Shelf) COG(key, src string, o raster.COGOptions) *raster.COG {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.Path(key)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := raster.WriteCOG(s.t.Context(), src, s.Path(key), o); err != nil {
		s.t.Fatal(err)
	}
	return s.header(key)
}

func (s *Shelf) header(key string) *raster.COG {
	s.t.Helper()
	src, err := s.Open(s.t.Context(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	defer src.(file).Close()
	c, err := raster.OpenCOG(s.t.Context(), src)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// Asset is what an item of this shelf says of an object, next to what the object says itself.
type Asset map[string]any

// Item puts an item over objects that are there: assets by key, each with at least "swath:object". The bbox is that of all
// rasters whose place is known without another library; a raster without one needs bbox.
func (s *Shelf) Item(collection, id string, assets map[string]Asset, bbox ...float64) {
	s.t.Helper()
	all := geo.MultiPolygon{}
	for _, a := range assets {
		key := a["swath:object"].(string)
		c := s.header(key)
		if a["type"] == nil {
			a["type"] = "image/tiff; application=geotiff; profile=cloud-optimized"
		}
		if a["data_type"] == nil {
			a["data_type"] = string(c.DataType)
		}
		a["file:checksum"] = fmt.Sprintf("%x", []byte(key))
		if p, ok := geo.ProjectionOf(c.CRS); ok && len(c.GCPs) == 0 {
			ring := geo.GridRing(p, c.Transform, c.Levels[0].Width, c.Levels[0].Height, 16)
			all = append(all, geo.SplitAntimeridian(ring)...)
		}
	}
	if len(bbox) == 0 {
		b := all.Bounds()
		bbox = []float64{b.MinX, b.MinY, b.MaxX, b.MaxY}
	}
	if math.IsNaN(bbox[0]) || bbox[1] >= bbox[3] {
		s.t.Fatalf("item %s/%s has no place: %v", collection, id, bbox)
	}
	body, err := json.Marshal(map[string]any{"type": "Feature", "stac_version": "1.1.0", "collection": collection, "id": id, "bbox": bbox, "assets": assets})
	if err != nil {
		s.t.Fatal(err)
	}
	s.items[[2]string{collection, id}] = body
}

// Dated gives an item its time, RFC 3339.
func (s *Shelf) Dated(collection, id, datetime string) {
	s.t.Helper()
	var body map[string]json.RawMessage
	key := [2]string{collection, id}
	if err := json.Unmarshal(s.items[key], &body); err != nil {
		s.t.Fatal(err)
	}
	body["properties"] = json.RawMessage(`{"datetime": "` + datetime + `"}`)
	s.items[key], _ = json.Marshal(body) // it was JSON
}

// Document creates or replaces a collection.
func (s *Shelf) Document(collection, body string) { s.collections[collection] = json.RawMessage(body) }

// Presets creates or replaces a collection that has these renders.
func (s *Shelf) Presets(collection, renders string) {
	s.collections[collection] = json.RawMessage(`{"type": "Collection", "id": "` + collection + `", "renders": ` + renders + `}`)
}

// Catalog is the shelf as the drawing rooms see it.
func (s *Shelf) Catalog() stac.Catalog { return catalog{shelf: s} }

type catalog struct {
	stac.Catalog // nil: whatever else is called panics, and the test fails
	shelf        *Shelf
}

func (c catalog) Item(_ context.Context, collection, id string) (stac.Item, error) {
	body, ok := c.shelf.items[[2]string{collection, id}]
	if !ok {
		return stac.Item{}, fault.New(fault.NotFound, "item %q is not in collection %q", id, collection)
	}
	return stac.Item{Collection: collection, ID: id, Body: body}, nil
}

func (c catalog) Collection(_ context.Context, id string) (stac.Collection, error) {
	body, ok := c.shelf.collections[id]
	if !ok {
		return stac.Collection{}, fault.New(fault.NotFound, "there is no collection %q", id)
	}
	return stac.Collection{ID: id, Body: body}, nil
}

func (c catalog) Collections(context.Context) (all []stac.Collection, err error) {
	for _, id := range slices.Sorted(maps.Keys(c.shelf.collections)) {
		all = append(all, stac.Collection{ID: id, Body: c.shelf.collections[id]})
	}
	return all, nil
}

// Search finds by collection and box alone, the newest first; of the same time by id.
func (c catalog) Search(_ context.Context, s stac.Search) (page stac.Page, err error) {
	type candidate struct {
		BBox       [4]float64
		Properties struct{ Datetime string }
	}
	var found []stac.Item
	times := map[[2]string]string{}
	for key, body := range c.shelf.items {
		var it candidate
		if err := json.Unmarshal(body, &it); err != nil {
			return page, err
		}
		if len(s.Collections) > 0 && !slices.Contains(s.Collections, key[0]) {
			continue
		}
		if b := s.BBox; b != nil && (it.BBox[2] < b.MinX || it.BBox[0] > b.MaxX || it.BBox[3] < b.MinY || it.BBox[1] > b.MaxY) {
			continue
		}
		times[key] = it.Properties.Datetime
		found = append(found, stac.Item{Collection: key[0], ID: key[1], Body: body})
	}
	slices.SortFunc(found, func(a, b stac.Item) int {
		return cmp.Or(cmp.Compare(times[[2]string{b.Collection, b.ID}], times[[2]string{a.Collection, a.ID}]), cmp.Compare(a.ID, b.ID))
	})
	if len(found) > s.Limit {
		found, page.Next = found[:s.Limit], "more"
	}
	page.Items = found
	return page, nil
}

// Open opens an object.
func (s *Shelf) Open(_ context.Context, key string) (raster.Source, error) {
	f, err := os.Open(s.Path(key))
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, "there is no object %q", key)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return file{f, info.Size(), key}, nil
}

type file struct {
	*os.File
	size int64
	id   string
}

func (f file) Size() int64 { return f.size }
func (f file) ID() string  { return f.id }
