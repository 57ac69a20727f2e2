package ingest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/geo"
	"swath/objects"
	"swath/raster"
)

// TestCollect replaces a product twice and looks at which objects stay.
func TestCollect(t *testing.T) {
	in := newIngester(t)
	path := filepath.Join(t.TempDir(), "place.tif")
	bringValue := func(v float32) string {
		t.Helper()
		p := raster.Planes{CRS: 32631, Width: 3, Height: 3, Transform: geo.Affine{500000, 10, 0, 4900000, 0, -10}, Values: [][]float32{{v, v, v, v, v, v, v, v, v}}}
		if err := raster.WritePlanes(path, p); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
		if r := bring(t, in, path, Options{}); !r.Changed {
			t.Fatal("nothing changed")
		}
		revision, err := in.revisionOf(t.Context(), "rasters", "place")
		if err != nil || revision == "" {
			t.Fatal(revision, err)
		}
		return revision
	}
	there := func(revision string) bool {
		for key := range keys(t, in) {
			if strings.HasPrefix(key, "rasters/place/"+revision+"/") {
				return true
			}
		}
		return false
	}
	collect := func(age time.Duration) {
		t.Helper()
		if err := in.collect(t.Context(), age); err != nil {
			t.Fatal(err)
		}
	}
	first, second := bringValue(1), bringValue(2)
	collect(time.Hour)
	if !there(first) || !there(second) {
		t.Error("objects left before readers could")
	}
	if again := bringValue(1); again != first { // the first revision comes back: the second is the old one now
		t.Fatalf("revision %s, then %s", first, again)
	}
	collect(-time.Second)
	if !there(first) || there(second) {
		t.Errorf("the item's objects are there: %v; the replaced ones: %v", there(first), there(second))
	}
	checkObjects(t, in, itemOf(t, in, "rasters", "place"))
	// A record of the revision in use, as a killed ingest leaves it, costs nothing.
	if err := in.retire(t.Context(), retirement{"rasters", "place", first}); err != nil {
		t.Fatal(err)
	}
	collect(-time.Second)
	if !there(first) {
		t.Error("the objects in use were removed")
	}
	for key := range keys(t, in) {
		if strings.HasPrefix(key, retired) {
			t.Errorf("%s is left", key)
		}
	}
}

// comesBack is a store in which, at the first removal of an object, a revision comes back.
type comesBack struct {
	objects.Store
	record string
}

func (s *comesBack) Delete(ctx context.Context, key string) error {
	if s.record != "" {
		record := s.record
		s.record = ""
		if err := s.Store.Delete(ctx, record); err != nil { // as prepare does, before it puts the objects
			return err
		}
	}
	return s.Store.Delete(ctx, key)
}

// TestCollectRevisionThatComesBack: objects that are put again while their revision is collected stay; no item points to them yet.
func TestCollectRevisionThatComesBack(t *testing.T) {
	in, ctx := newIngester(t), t.Context()
	r := retirement{"rasters", "place", "12345678"}
	for _, name := range []string{"a.tif", "b.tif", "c.tif"} {
		if _, err := in.Objects.Put(ctx, r.objects()+name, "image/tiff", strings.NewReader(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.retire(ctx, r); err != nil {
		t.Fatal(err)
	}
	in.Objects = &comesBack{in.Objects, r.under(retired)}
	if err := in.collect(ctx, -time.Second); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b.tif", "c.tif"} {
		if _, err := in.Objects.Stat(ctx, r.objects()+name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
