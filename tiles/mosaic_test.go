package tiles

import (
	"context"
	"fmt"
	"image/png"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/internal/shelf"
	"swath/raster"
	"swath/render"
	"swath/stac"
)

// found is a catalog whose searches find listed items in their order, where their boxes meet the one that is asked for.
type found struct {
	stac.Catalog
	ids   []string
	boxes []geo.Box
	asked *stac.Search
}

func (f found) Search(ctx context.Context, s stac.Search) (page stac.Page, err error) {
	*f.asked = s
	for i, id := range f.ids {
		if b := f.boxes[i]; s.BBox != nil && (b.MaxX < s.BBox.MinX || b.MinX > s.BBox.MaxX || b.MaxY < s.BBox.MinY || b.MinY > s.BBox.MaxY) {
			continue
		}
		if len(page.Items) == s.Limit {
			page.Next = "more"
			break
		}
		it, err := f.Item(ctx, "c", id)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, it)
	}
	return page, nil
}

// layers puts rasters of one value each on the shelf: in the north-west quarter of a tile 10 (of "a"), in its west half 20 ("b"), in
// all of it 60 ("c"), and nothing in the south of that one.
func layers(t *testing.T, tile geo.Tile) (*Renderer, *stac.Search) { return layersAt(t, tile, nil) }

// layersAt gives the layers their times.
func layersAt(t *testing.T, tile geo.Tile, times map[string]string) (*Renderer, *stac.Search) {
	s := shelf.New(t)
	s.Presets("c", "{}")
	box := tile.Box()
	middleX, middleY := (box.MinX+box.MaxX)/2, (box.MinY+box.MaxY)/2
	f := found{Catalog: s.Catalog(), asked: new(stac.Search)}
	for _, layer := range []struct {
		id    string
		value int
		box   geo.Box
	}{
		{"a", 10, geo.Box{MinX: box.MinX, MinY: middleY, MaxX: middleX, MaxY: box.MaxY}},
		{"b", 20, geo.Box{MinX: box.MinX, MinY: box.MinY, MaxX: middleX, MaxY: box.MaxY}},
		{"c", 60, geo.Box{MinX: box.MinX, MinY: middleY, MaxX: box.MaxX, MaxY: box.MaxY}},
	} {
		path := filepath.Join(t.TempDir(), layer.id+".tif")
		edges := func(b geo.Box) []string {
			return []string{fmt.Sprint(b.MinX), fmt.Sprint(b.MaxY), fmt.Sprint(b.MaxX), fmt.Sprint(b.MinY)}
		}
		gdal(t, "", "gdal_create", slices.Concat([]string{"-outsize", "512", "512", "-ot", "UInt16", "-burn", fmt.Sprint(layer.value), "-a_srs", "EPSG:3857",
			"-a_nodata", "0", "-a_ullr"}, edges(layer.box), []string{path})...)
		key := "c/" + layer.id + "/1/v.tif"
		s.COG(key, path, raster.COGOptions{})
		ll, err := raster.ProjectBox(geo.WebMercator, geo.WGS84, layer.box)
		if err != nil {
			t.Fatal(err)
		}
		s.Item("c", layer.id, map[string]shelf.Asset{"v": {"swath:object": key}}, ll.MinX, ll.MinY, ll.MaxX, ll.MaxY)
		if at, ok := times[layer.id]; ok {
			s.Dated("c", layer.id, at)
		}
		f.ids, f.boxes = append(f.ids, layer.id), append(f.boxes, ll)
	}
	return New(f, s.Open, Options{}), f.asked
}

// TestMosaic: of every selection, each quarter of a tile shows what the layers there make.
func TestMosaic(t *testing.T) {
	tile := geo.Tile{Z: 10, X: 516, Y: 372}
	r, asked := layers(t, tile)
	nan := math.NaN()
	for how, want := range map[render.Selection][4]float64{ // north-west, north-east, south-west, south-east
		render.First: {10, 60, 20, nan}, render.Highest: {60, 60, 20, nan}, render.Lowest: {10, 60, 20, nan}, render.Mean: {30, 60, 20, nan},
		render.Median: {20, 60, 20, nan}, render.StDev: {math.Sqrt((400 + 100 + 900) / 3.), 0, 0, nan}, render.Count: {3, 1, 1, 0},
	} {
		q := MosaicRequest{Request: Request{Assets: []string{"v"}, Rescale: [][2]float64{{0, 100}}}, Selection: how}
		s, err := r.Scene(t.Context(), q, WebMercatorQuad, tile)
		if err != nil {
			t.Fatal(err)
		}
		planes, from, err := s.selected(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for n, at := range [][2]int{{60, 60}, {200, 60}, {60, 200}, {200, 200}} {
			if got := float64(planes[0][at[1]*256+at[0]]); math.Abs(got-want[n]) > 1e-4 || math.IsNaN(got) != math.IsNaN(want[n]) {
				t.Errorf("%v: quarter %d is %v, want %v", how, n, got, want[n])
			}
		}
		if how == render.First {
			for n, at := range [][2]int{{60, 60}, {200, 60}, {60, 200}, {200, 200}} {
				if got, want := from[at[1]*256+at[0]], []int32{0, 2, 1, -1}[n]; got != want {
					t.Errorf("quarter %d is from item %d, want %d", n, got, want)
				}
			}
		}
	}
	if asked.Limit != mostMosaicItems || !asked.Uncounted || asked.BBox == nil {
		t.Errorf("searched %+v", asked)
	}
	// What is drawn has the search's area beside the tile's.
	s, err := r.Scene(t.Context(), MosaicRequest{Request: Request{Assets: []string{"v"}}, Search: stac.Search{BBox: &geo.Box{MinX: 1, MinY: 43, MaxX: 2, MaxY: 45}}}, WebMercatorQuad, tile)
	if err == nil {
		_, err = s.ETag(render.PNG)
	}
	if asked.Filter == nil || err == nil || !strings.Contains(err.Error(), "rescale") {
		t.Errorf("%+v, %v", asked, err)
	}
}

// TestMosaicEnds: a tile that the first item fills is drawn of it alone; the limit of items is said; the ETag follows the items.
func TestMosaicEnds(t *testing.T) {
	tile := geo.Tile{Z: 10, X: 516, Y: 372}
	r, _ := layers(t, tile)
	north := geo.Tile{Z: 11, X: 2 * tile.X, Y: 2 * tile.Y}
	q := MosaicRequest{Request: Request{Assets: []string{"v"}, Rescale: [][2]float64{{0, 100}}}}
	tags := map[string]bool{}
	for _, limit := range []int{0, 1, 2} {
		q.Search.Limit = limit
		s, err := r.Scene(t.Context(), q, WebMercatorQuad, north)
		if err != nil {
			t.Fatal(err)
		}
		from, err := s.Origins(t.Context())
		if err != nil || slices.Max(from) != 0 || slices.Min(from) != 0 {
			t.Errorf("from %d to %d, %v: the first item has it all", slices.Min(from), slices.Max(from), err)
		}
		items, limited := s.Items()
		if limited != (limit > 0) || limit > 0 && len(items) != limit {
			t.Errorf("limit %d: %d items, limited %t", limit, len(items), limited)
		}
		tag, err := s.ETag(render.PNG)
		if err != nil || tags[tag] {
			t.Errorf("%s, %v", tag, err)
		}
		tags[tag] = true
		picture, err := s.Picture(t.Context(), render.PNG)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(strings.NewReader(string(picture)))
		if err != nil {
			t.Fatal(err)
		}
		if r, _, _, a := img.At(100, 100).RGBA(); r>>8 != 25 || a>>8 != 255 { // 10 of 100
			t.Errorf("level %d, alpha %d", r>>8, a>>8)
		}
	}
	q.Search.Limit = 5000
	if _, err := r.Scene(t.Context(), q, WebMercatorQuad, north); !fault.Is(err, fault.Invalid) {
		t.Errorf("5000 items: %v", err)
	}
	elsewhere, err := r.Scene(t.Context(), MosaicRequest{Request: q.Request}, WebMercatorQuad, geo.Tile{Z: 10})
	if err != nil {
		t.Fatal(err)
	}
	if picture, err := elsewhere.Picture(t.Context(), render.PNG); err != nil || len(picture) == 0 {
		t.Errorf("where nothing is: %d bytes, %v", len(picture), err)
	}
}

// TestSeries: the values at a place come in the order of the items, and as CSV.
func TestSeries(t *testing.T) {
	tile := geo.Tile{Z: 10, X: 516, Y: 372}
	r, _ := layers(t, tile)
	b := tile.LonLatBox()
	at := [2]float64{b.MinX + (b.MaxX-b.MinX)/4, b.MinY + (b.MaxY-b.MinY)*0.75}
	s, err := r.Series(t.Context(), MosaicRequest{Request: Request{Expression: "v*2"}}, at[0], at[1])
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range s.Items {
		got = append(got, fmt.Sprint(it.ID, " ", *it.Values[0].Value))
	}
	if !slices.Equal(got, []string{"a 20", "b 40", "c 120"}) || *s.Values[0] != 20 {
		t.Errorf("%v, first %v", got, s.Values)
	}
	if want := "collection,id,datetime,v*2\r\nc,a,,20\r\nc,b,,40\r\nc,c,,120\r\n"; string(s.CSV()) != want {
		t.Errorf("%q", s.CSV())
	}
	if _, err := r.Series(t.Context(), MosaicRequest{}, 200, 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("200 degrees east: %v", err)
	}
}
