package tiles

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"

	"swath/geo"
	"swath/stac"
)

// crowd is a catalog of so many items at one place.
type crowd struct {
	stac.Catalog
	stac.Analyst
	n int
}

func (c crowd) Search(_ context.Context, s stac.Search) (page stac.Page, err error) {
	for i := range min(c.n, s.Limit) {
		body := fmt.Appendf(nil, `{"geometry":{"type":"Polygon","coordinates":[[[1,43],[2,43],[2,44],[1,44],[1,43]]]},"properties":{"datetime":"2024-06-01T00:00:00Z","eo:cloud_cover":%d}}`, i)
		page.Items = append(page.Items, stac.Item{Collection: "c", ID: fmt.Sprint("item-", i), Body: body})
	}
	if c.n > s.Limit {
		page.Next = "more"
	}
	return page, nil
}

func (c crowd) Aggregate(_ context.Context, s stac.Search, asked []stac.Aggregation) ([]stac.Aggregated, error) {
	at := geo.TileAt(asked[0].Precision, 1.5, 43.5)
	return []stac.Aggregated{{Buckets: []stac.Bucket{{Key: fmt.Sprintf("%d/%d/%d", at.Z, at.X, at.Y), Count: int64(c.n)}, {Key: fmt.Sprintf("%d/0/0", at.Z), Count: 7}}}}, nil
}

// speck is a catalog of one item of 0.1 degrees.
type speck struct{ stac.Catalog }

func (speck) Search(context.Context, stac.Search) (stac.Page, error) {
	body := []byte(`{"geometry":{"type":"Polygon","coordinates":[[[1,43],[1.1,43],[1.1,43.1],[1,43.1],[1,43]]]},"properties":{"datetime":"2024-06-01T00:00:00Z"}}`)
	return stac.Page{Items: []stac.Item{{Collection: "c", ID: "speck", Body: body}}}, nil
}

// TestSpecks: an item that is too small to be seen is a point at its place, and an outline where one comes near.
func TestSpecks(t *testing.T) {
	for z, want := range map[int]string{0: "Point", 1: "Point", 6: "Polygon"} {
		tile := geo.TileAt(z, 1.05, 43.05)
		body, err := New(speck{}, nil, Options{}).Footprints(t.Context(), nil, stac.Search{}, tile)
		if err != nil {
			t.Fatal(err)
		}
		layers, err := mvt.Unmarshal(body)
		if err != nil || len(layers) != 1 || len(layers[0].Features) != 1 {
			t.Fatalf("level %d: %v %+v", z, err, layers)
		}
		layers.ProjectToWGS84(maptile.New(uint32(tile.X), uint32(tile.Y), maptile.Zoom(tile.Z)))
		g := layers[0].Features[0].Geometry
		at, step := g.Bound().Center(), 360/math.Exp2(float64(z))/mvt.DefaultExtent
		if g.GeoJSONType() != want || math.Abs(at.Lon()-1.05) > step || math.Abs(at.Lat()-43.05) > step {
			t.Errorf("level %d: %s at %v", z, g.GeoJSONType(), at)
		}
	}
}

// TestFootprints: GDAL reads the outlines of few items, and the density of many, at their places.
func TestFootprints(t *testing.T) {
	tile := geo.TileAt(7, 1.5, 43.5)
	for n, want := range map[int][]string{
		2:    {"Layer name: items", "Feature Count: 2", "id (String) = item-1", "eo:cloud_cover (", "datetime (String) = 2024-06-01T00:00:00Z"},
		5000: {"Layer name: density", "Feature Count: 1", "n (Integer) = 5000"},
		5001: {"Layer name: items", "Feature Count: 1000"}, // deeper
		0:    nil,
	} {
		tile := tile
		if n == 5001 {
			tile = geo.TileAt(outlinesFrom, 1.5, 43.5)
		}
		r := New(crowd{n: n}, nil, Options{})
		body, err := r.Footprints(t.Context(), crowd{n: n}, stac.Search{}, tile)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			if len(body) != 0 {
				t.Errorf("nothing takes %d bytes", len(body))
			}
			continue
		}
		path := filepath.Join(t.TempDir(), fmt.Sprint(tile.Z), fmt.Sprint(tile.X), fmt.Sprint(tile.Y)+".mvt")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
		said := string(gdal(t, "", "ogrinfo", "-al", "-oo", fmt.Sprintf("X=%d", tile.X), "-oo", fmt.Sprintf("Y=%d", tile.Y), "-oo", fmt.Sprintf("Z=%d", tile.Z), path))
		for _, text := range want {
			if !strings.Contains(said, text) {
				t.Errorf("%d items: GDAL does not say %q:\n%s", n, text, said)
			}
		}
		if decoded, err := mvt.Unmarshal(body); err != nil || decoded[0].Version != 2 {
			t.Errorf("%v, %v", decoded, err)
		} else if ring := decoded[0].Features[0].Geometry.(orb.Polygon)[0]; ring.Orientation() != orb.CCW { // in tile coordinates
			t.Error("the outer ring is wound the wrong way")
		}
		if n == 2 && !strings.Contains(said, "Extent: (111") { // 1° east is 111,319 m on the web map
			t.Errorf("the outline lies elsewhere:\n%s", said)
		}
	}
	if _, err := New(crowd{}, nil, Options{}).Footprints(t.Context(), crowd{}, stac.Search{}, geo.Tile{Z: 3, X: 9}); err == nil {
		t.Error("a tile beyond its level")
	}
}
