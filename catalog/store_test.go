package catalog

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"swath/geo"
	"swath/internal/testdb"
	"swath/stac"
)

// newStore opens a catalog in a new database, with these collections.
func newStore(t testing.TB, collections ...string) *Store {
	t.Helper()
	s, err := Open(t.Context(), testdb.New(t), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for _, id := range collections {
		if err := s.PutCollection(t.Context(), stac.Collection{ID: id, Body: fmt.Appendf(nil, `{"type":"Collection","id":%q}`, id)}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// itemOf makes an item of a geometry and properties, both as JSON.
func itemOf(collection, id, geometry, properties string) stac.Item {
	return stac.Item{Collection: collection, ID: id, Body: fmt.Appendf(nil,
		`{"type":"Feature","stac_version":"1.1.0","id":%q,"collection":%q,"geometry":%s,"properties":%s,"assets":{}}`, id, collection, geometry, properties)}
}

const (
	square = `{"type":"Polygon","coordinates":[[[1,43],[2,43],[2,44],[1,44],[1,43]]]}`
	noon   = `{"datetime":"2024-06-01T12:00:00Z"}`
)

func put(t testing.TB, s *Store, it stac.Item) bool {
	t.Helper()
	changed, err := s.PutItem(t.Context(), it)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// all pages through a search and returns the ids, in order.
func all(t testing.TB, s *Store, q stac.Search) []string {
	t.Helper()
	ids := []string{}
	for {
		page, err := s.Search(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		for _, it := range page.Items {
			ids = append(ids, it.ID)
		}
		if page.Next == "" {
			return ids
		}
		q.Token = page.Next
	}
}

// TestRealItems loads every real item at hand and finds it again, by name, place and time.
func TestRealItems(t *testing.T) {
	files, _ := filepath.Glob("../../shared/data/stac-items/*.ndjson.gz")
	if len(files) == 0 {
		t.Skip("the real items are not beside the repository (../shared/data/stac-items)")
	}
	s := newStore(t)
	loaded, count := map[string][]byte{}, 0
	began := time.Now()
	for _, file := range files {
		for _, line := range readLines(t, file) {
			var names struct{ ID, Collection string }
			if err := json.Unmarshal(line, &names); err != nil {
				t.Fatal(err)
			}
			it := stac.Item{Collection: names.Collection, ID: names.ID, Body: line}
			if _, known := loaded[names.Collection]; !known {
				loaded[names.Collection] = nil
				if err := s.PutCollection(t.Context(), stac.Collection{ID: names.Collection, Body: fmt.Appendf(nil, `{"type":"Collection","id":%q}`, names.Collection)}); err != nil {
					t.Fatal(err)
				}
			}
			if put(t, s, it) {
				count++
			}
			loaded[names.Collection+"/"+names.ID] = line
		}
	}
	t.Logf("put %d items (%.0f a second, one client)", count, float64(count)/time.Since(began).Seconds())
	for key, line := range loaded {
		if line == nil {
			continue
		}
		var it struct {
			ID, Collection string
			BBox           []float64
			Properties     struct{ Datetime time.Time }
			Geometry       json.RawMessage
		}
		if err := json.Unmarshal(line, &it); err != nil {
			t.Fatal(err)
		}
		stored, err := s.Item(t.Context(), it.Collection, it.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !sameButLinksAndBBox(t, line, stored.Body) {
			t.Errorf("%s does not come out as it went in", key)
		}
		at := it.Properties.Datetime
		for name, q := range map[string]stac.Search{
			"by intersects": {Intersects: it.Geometry}, "by datetime": {Datetime: &stac.Interval{Start: &at, End: &at}}, "by id": {IDs: []string{it.ID}},
		} {
			q.Collections = []string{it.Collection}
			q.Limit = 1000
			if name == "by intersects" && len(key)%8 != 0 {
				continue // a share is enough
			}
			if !slices.Contains(all(t, s, q), it.ID) {
				t.Errorf("%s is not found %s", key, name)
			}
		}
		if b := it.BBox; len(b) == 4 && !slices.Contains(all(t, s, stac.Search{IDs: []string{it.ID}, BBox: &geo.Box{MinX: b[0], MinY: b[1], MaxX: b[2], MaxY: b[3]}}), it.ID) {
			t.Errorf("%s is not found by its bbox", key)
		}
	}
	collections, err := s.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range collections {
		t.Logf("%s: %s", c.ID, c.Body)
	}
}

func readLines(t *testing.T, path string) (lines [][]byte) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(unzipped)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		lines = append(lines, slices.Clone(scanner.Bytes()))
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// sameButLinksAndBBox compares two documents by value; a bbox may have been added, and links within the catalog are gone.
func sameButLinksAndBBox(t *testing.T, given, stored []byte) bool {
	t.Helper()
	var a, b map[string]any
	if err := json.Unmarshal(given, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(stored, &b); err != nil {
		t.Fatal(err)
	}
	if b["bbox"] == nil {
		return false
	}
	links, _ := a["links"].([]any)
	delete(a, "links")
	var kept []any
	for _, link := range links {
		switch link.(map[string]any)["rel"] {
		case "self", "root", "parent", "collection", "items", "item", "next", "prev":
		default:
			kept = append(kept, link)
		}
	}
	if kept != nil {
		a["links"] = kept
	}
	if a["bbox"] == nil {
		delete(b, "bbox")
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}
