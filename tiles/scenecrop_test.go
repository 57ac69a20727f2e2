package tiles

import (
	"fmt"
	"math"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/render"
)

// TestSceneCrops: a box of a tile's edges is the tile; a feature leaves out what it does not touch.
func TestSceneCrops(t *testing.T) {
	tile := geo.Tile{Z: 10, X: 516, Y: 372}
	r, asked := layers(t, tile)
	q := MosaicRequest{Request: Request{Expression: "v"}, Selection: render.Highest}
	whole, err := r.Scene(t.Context(), q, WebMercatorQuad, tile)
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := whole.selected(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	size := Size{WidthPx: 256, HeightPx: 256}
	s, err := r.BoxScene(t.Context(), q, tile.Box(), geo.WebMercator, geo.WebMercator, size)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := s.selected(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got[0] {
		if v != want[0][i] && !(isNaN(v) && isNaN(want[0][i])) {
			t.Fatalf("pixel %d is %g, of the tile %g", i, v, want[0][i])
		}
	}
	if box, ll := asked.BBox, tile.LonLatBox(); math.Abs(box.MinX-ll.MinX) > 1e-9 || math.Abs(box.MaxY-ll.MaxY) > 1e-9 {
		t.Errorf("searched in %+v", box)
	}
	b := tile.Box()
	middle := (b.MinX + b.MaxX) / 2
	half := feature(fmt.Sprintf("[[%[1]g,%[2]g],[%[3]g,%[2]g],[%[3]g,%[4]g],[%[1]g,%[2]g]]", b.MinX, b.MinY, middle, b.MaxY)) // a triangle, its right angle in the south-east
	if s, err = r.FeatureScene(t.Context(), q, half, geo.WebMercator, geo.WebMercator, size); err != nil {
		t.Fatal(err)
	}
	if got, _, err = s.selected(t.Context()); err != nil {
		t.Fatal(err)
	}
	valid := 0
	for i, v := range got[0] {
		if x, y := i%256, i/256; !isNaN(v) {
			valid++
			if x+y < 254 {
				t.Fatalf("%d, %d is outside of the triangle", x, y)
			}
		}
	}
	if valid < 256*256/2 || valid > 256*256/2+600 {
		t.Errorf("%d pixels in half of the frame", valid)
	}
	// Of the values 60 and 20 in the triangle the north is 60, the south 20.
	counted, err := s.Statistics(t.Context(), StatisticsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	north, south := 1./4, 3./4 // of the triangle's area: its tip is in the north
	if got := counted["v"]; math.Abs(got.Count-256*256/2) > 20 || math.Abs(got.Mean-(60*north+20*south)) > 0.1 || got.Min != 20 || got.Max != 60 || got.ValidPercent != 100 {
		t.Errorf("%+v", got)
	}
	q.Selection = render.Count
	if s, err = r.FeatureScene(t.Context(), q, half, geo.WebMercator, geo.WebMercator, size); err != nil {
		t.Fatal(err)
	}
	if counted, err = s.Statistics(t.Context(), StatisticsOptions{}); err != nil || counted["count"].Max != 3 || counted["count"].Min != 1 {
		t.Errorf("%+v, %v", counted, err)
	}
	for name, wrong := range map[string]struct {
		box  geo.Box
		size Size
		kind fault.Kind
	}{
		"turned around": {geo.Box{MinX: 2, MinY: 1, MaxX: 1, MaxY: 2}, Size{}, fault.Invalid}, "no globe": {geo.Box{MinX: 0, MinY: 0, MaxX: 1, MaxY: 100}, Size{}, fault.Invalid},
		"too wide": {geo.Box{MinX: 0, MinY: 0, MaxX: 1, MaxY: 1}, Size{WidthPx: 9000}, fault.TooLarge}, "too high": {geo.Box{MinX: 0, MinY: 0, MaxX: 0.001, MaxY: 80}, Size{WidthPx: 100}, fault.TooLarge},
		"too much": {geo.Box{MinX: 0, MinY: 0, MaxX: 1, MaxY: 1}, Size{WidthPx: 8192, HeightPx: 8192}, fault.TooLarge},
	} {
		if _, err := r.BoxScene(t.Context(), q, wrong.box, geo.WGS84, geo.WGS84, wrong.size); !fault.Is(err, wrong.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
