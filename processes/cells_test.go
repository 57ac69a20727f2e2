package processes

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/internal/s3test"
	"swath/objects"
)

// bucketOf is a bucket with these keys, and what reads it.
func bucketOf(t *testing.T, key string, keys ...string) (*Cells, objects.Store) {
	t.Helper()
	server := s3test.Start(t)
	config := objects.S3Config{Endpoint: server.Endpoint, Region: server.Region, Bucket: server.Bucket, AccessKey: server.AccessKey, SecretKey: objects.Secret(server.SecretKey), PathStyle: true}
	store, err := objects.OpenS3(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if _, err := store.Put(t.Context(), k, "image/tiff", strings.NewReader("heights of "+k)); err != nil {
			t.Fatal(err)
		}
	}
	return &Cells{From: objects.OpenRemote(config), Bucket: server.Bucket, Key: key}, store
}

// TestCells: what is brought of a bucket lies around the boxes, in all quarters of the world and over the antimeridian, is whole, and is not
// asked for again; what is not there is sea.
func TestCells(t *testing.T) {
	const key = "glo/Copernicus_{lat}_00_{lon}_00_DEM/Copernicus_{lat}_00_{lon}_00_DEM.tif"
	named := func(lat, lon string) string { return strings.NewReplacer("{lat}", lat, "{lon}", lon).Replace(key) }
	var keys []string
	for _, c := range []string{"N43E001", "N44E002", "N45E001", "N42E000", "S18E179", "S17W180", "S18E178", "S17W179", "S01W001", "N00E000"} {
		keys = append(keys, named(c[:3], c[3:]))
	}
	cells, store := bucketOf(t, key, keys...)
	for _, tc := range []struct {
		words string
		boxes []geo.Box
		want  string
	}{
		{"around a place", []geo.Box{{MinX: 1.2, MinY: 43.2, MaxX: 1.3, MaxY: 43.3}}, "N43E001"},
		{"near the edges of a degree", []geo.Box{{MinX: 1.05, MinY: 43.2, MaxX: 1.95, MaxY: 43.95}}, "N43E001 N44E002"},
		{"over the antimeridian", []geo.Box{{MinX: 179.5, MinY: -17.2, MaxX: -179.4, MaxY: -16.8}}, "S17W180 S18E179"},
		{"around 0, 0", []geo.Box{{MinX: -0.01, MinY: -0.01, MaxX: 0.01, MaxY: 0.01}}, "N00E000 S01W001"},
		{"at sea", []geo.Box{{MinX: -30, MinY: 30, MaxX: -29, MaxY: 31}}, ""},
		{"of several", []geo.Box{{MinX: 1.2, MinY: 43.2, MaxX: 1.3, MaxY: 43.3}, {MinX: 0.5, MinY: 42.5, MaxX: 0.6, MaxY: 42.6}}, "N42E000 N43E001"},
		{"at the pole", []geo.Box{{MinX: -180, MinY: 89, MaxX: 180, MaxY: 90}}, ""},
	} {
		f := Folder{Path: filepath.Join(t.TempDir(), "cells"), Cells: cells}
		if err := f.fill(t.Context(), tc.boxes); err != nil {
			t.Fatalf("%s: %v", tc.words, err)
		}
		entries, err := os.ReadDir(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			_, cell, _ := strings.Cut(e.Name(), "Copernicus_")
			cell = cell[:3] + cell[7:11]
			if body, err := os.ReadFile(filepath.Join(f.Path, e.Name())); err != nil || string(body) != "heights of "+named(cell[:3], cell[3:]) {
				t.Errorf("%s: %s holds %q, %v", tc.words, e.Name(), body, err)
			}
			got = append(got, cell)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %v, want %s", tc.words, got, tc.want)
		}
	}
	f := Folder{Path: t.TempDir(), Cells: cells}
	there := []geo.Box{{MinX: 1.2, MinY: 43.2, MaxX: 1.3, MaxY: 43.3}}
	if err := f.fill(t.Context(), there); err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(t.Context(), named("N43", "E001")); err != nil {
		t.Fatal(err)
	}
	if err := f.fill(t.Context(), there); err != nil {
		t.Errorf("what was brought before: %v", err)
	}
	if files, err := os.ReadDir(f.Path); err != nil || len(files) != 1 {
		t.Errorf("%v, %v are there after the second time", files, err)
	}
	if err := f.fill(t.Context(), []geo.Box{{MinX: -180, MinY: -90, MaxX: 180, MaxY: 90}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("all of the world: %v", err)
	}
	closed := *cells
	closed.From = objects.OpenRemote(objects.S3Config{Endpoint: "http://127.0.0.1:9", PathStyle: true})
	f = Folder{Path: t.TempDir(), Cells: &closed}
	if err := f.fill(t.Context(), there); err == nil {
		t.Error("without a server there are no heights, and nobody says so")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (Folder{Path: t.TempDir(), Cells: cells}).fill(ended, []geo.Box{{MinX: 2.5, MinY: 44.5, MaxX: 2.6, MaxY: 44.6}}); err == nil {
		t.Error("what was ended goes on")
	}
}
