package tiles

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/internal/shelf"
	"swath/stac"
)

func feature(ring string) []byte {
	return []byte(`{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [` + ring + `]}}`)
}

// TestTimeSeriesOfLayers: of layers of one value each, a polygon over the tile's west half has all of one and half of the others.
func TestTimeSeriesOfLayers(t *testing.T) {
	tile := geo.Tile{Z: 10, X: 516, Y: 372}
	r, asked := layers(t, tile)
	b := tile.Box()
	middle := (b.MinX + b.MaxX) / 2
	ring := fmt.Sprintf("[[%g,%g],[%g,%g],[%g,%g],[%g,%g],[%g,%g]]", b.MinX, b.MinY, middle, b.MinY, middle, b.MaxY, b.MinX, b.MaxY, b.MinX, b.MinY)
	zone, err := InFeature(feature(ring), geo.WebMercator, 0, Size{MaxPx: 512})
	if err != nil {
		t.Fatal(err)
	}
	q := MosaicRequest{Request: Request{Expression: "v*2"}}
	s, err := r.TimeSeries(t.Context(), q, zone)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ value, percent float64 }{{20, 50}, {40, 100}, {120, 50}} {
		if got := s.Items[i].Statistics["v*2"]; got.Mean != want.value || got.Median != want.value || got.Min != want.value || got.Max != want.value || got.Std != 0 ||
			math.Abs(got.ValidPercent-want.percent) > 0.3 {
			t.Errorf("%s: %+v, want %+v", s.Items[i].ID, got, want)
		}
	}
	if box := asked.BBox; box == nil || math.Abs(box.MinX-tile.LonLatBox().MinX) > 1e-6 || box.MaxX > tile.LonLatBox().MaxX {
		t.Errorf("searched in %+v", asked.BBox)
	}
	if csv := string(s.CSV()); !strings.HasPrefix(csv, "collection,id,datetime,name,mean,median,min,max,std,count,valid_percent\r\nc,a,,v*2,20,20,20,20,0,") || strings.Count(csv, "\r\n") != 4 {
		t.Errorf("%q", csv)
	}
	ll := tile.LonLatBox()
	west, north := ll.MinX+(ll.MaxX-ll.MinX)/4, ll.MinY+(ll.MaxY-ll.MinY)*0.75
	for radius, count := range map[float64]float64{0: 1, 500: math.NaN()} {
		zone, err := AroundPlace(west, north, radius)
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.TimeSeries(t.Context(), q, zone)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []float64{20, 40, 120} {
			got := s.Items[i].Statistics["v*2"]
			if got.Mean != want || got.ValidPercent != 100 || count == 1 && got.Count != 1 {
				t.Errorf("radius %g: %+v, want %g", radius, got, want)
			}
		}
	}
	q.Search.Limit = 1
	if s, err := r.TimeSeries(t.Context(), q, zone); err != nil || !s.Limited || s.Next == "" || len(s.Items) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestCircle: the pixels around a place cover the area of a circle.
func TestCircle(t *testing.T) {
	s := shelf.New(t)
	masked(t, s)
	r := New(s.Catalog(), s.Open, Options{})
	p, _ := geo.ProjectionOf(32631)
	lon, lat := p.ToLonLat(401500, 4798500) // column 75, row 75
	const radius, pixelM = 400.0, 20.0
	zone, err := AroundPlace(lon, lat, radius)
	if err != nil {
		t.Fatal(err)
	}
	q := MosaicRequest{Request: Request{Assets: []string{"B04"}}, Search: stac.Search{Collections: []string{"m"}}}
	series, err := r.TimeSeries(t.Context(), q, zone)
	if err != nil {
		t.Fatal(err)
	}
	got, want := series.Items[0].Statistics["B04"], math.Pi*radius*radius/pixelM/pixelM
	if math.Abs(got.Count/want-1) > 0.01 || math.Abs(got.Mean-1074.5) > 0.6 || math.Abs(got.Std-radius/pixelM/2) > 0.2 { // a ramp of 1 a pixel
		t.Errorf("%+v, want %g pixels", got, want)
	}
	// A cloud of 20 pixels' radius lies 15 pixels away: what it hides is not counted.
	q.Mask = []string{"clouds"}
	if series, err = r.TimeSeries(t.Context(), q, zone); err != nil {
		t.Fatal(err)
	}
	lens := func(r, d float64) float64 { return 2*r*r*math.Acos(d/2/r) - d/2*math.Sqrt(4*r*r-d*d) }
	hidden := lens(20, math.Hypot(75-60.5, 75-70.5))
	if clear := series.Items[0].Statistics["B04"]; math.Abs(clear.Count-(want-hidden)) > 0.02*want || math.Abs(clear.ValidPercent-100*(1-hidden/want)) > 2.5 {
		t.Errorf("%+v, want %g of %g pixels", clear, want-hidden, want)
	}
}

// TestTimeSeriesIsRioTilers compares with what TiTiler's library counts in the same field (testdata/statistics.py).
func TestTimeSeriesIsRioTilers(t *testing.T) {
	var want struct {
		Feature json.RawMessage
		Zone    map[string]any
	}
	body, err := os.ReadFile("testdata/statistics.json")
	if err == nil {
		err = json.Unmarshal(body, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := shelf.New(t)
	s.Spain(depth)
	s.Dated("spain", "s2", "2019-09-13T10:50:31Z")
	r := New(s.Catalog(), s.Open, Options{})
	zone, err := InFeature(want.Feature, geo.WGS84, 0, Size{})
	if err != nil {
		t.Fatal(err)
	}
	q := MosaicRequest{Request: Request{Assets: []string{"s2_b8"}, Stored: true}, Search: stac.Search{Collections: []string{"spain"}}, SkipMissing: true}
	series, err := r.TimeSeries(t.Context(), q, zone)
	if err != nil {
		t.Fatal(err)
	}
	if len(series.Items) != 1 || series.Items[0].Datetime != "2019-09-13T10:50:31Z" { // the radar item has no such band
		t.Fatalf("%+v", series)
	}
	var got map[string]float64
	text, err := json.Marshal(series.Items[0].Statistics["s2_b8"])
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	if err != nil || len(got) != len(seriesNames) {
		t.Fatalf("%s, %v", text, err)
	}
	for name, value := range got {
		if w := want.Zone[name].(float64); math.Abs(value-w) > 0.01*math.Abs(w) {
			t.Errorf("%s %g, want %g", name, value, w)
		}
	}
}

// TestWrongZones: what can't be counted is refused with its number.
func TestWrongZones(t *testing.T) {
	for _, at := range [][3]float64{{200, 0, 0}, {0, 91, 0}, {0, 0, -1}, {0, 0, 10_001}, {0, 0, math.NaN()}, {0, 89.5, 10}, {math.Inf(1), 0, 0}} {
		if _, err := AroundPlace(at[0], at[1], at[2]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", at, err)
		}
	}
	for _, body := range []string{"", "{", "[]", `{"type": "Point", "coordinates": [1, 2]}`, `{"type": "FeatureCollection", "features": []}`,
		string(feature("[[1,2],[3,4],[5,6]]")), string(feature("[[1,1],[1,1],[1,1],[1,1]]")), string(feature("[[0,0],[1e9,0],[1,1],[0,0]]"))} {
		if _, err := InFeature([]byte(body), geo.WGS84, 0, Size{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, err := InFeature(feature("[[0,0],[1,0],[1,1],[0,0]]"), geo.WGS84, 0, Size{MaxPx: 1 << 20}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a million pixels: %v", err)
	}
	tile := geo.Tile{Z: 10, X: 516, Y: 372}
	r, _ := layers(t, tile)
	zone, err := InFeature(feature("[[-1,40],[4,40],[4,46],[-1,46],[-1,40]]"), geo.WGS84, 0, Size{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.TimeSeries(t.Context(), MosaicRequest{Request: Request{Assets: []string{"v"}}}, zone)
	if _, says := fault.Of(err); !fault.Is(err, fault.TooLarge) || !strings.Contains(says, "at most") && !strings.Contains(says, "may take") {
		t.Errorf("a country at full resolution: %v", err)
	}
}

// TestPointOfAlgorithm: the value at a place is that of the picture, which looks at the pixels around.
func TestPointOfAlgorithm(t *testing.T) {
	s := shelf.New(t)
	masked(t, s)
	r := New(s.Catalog(), s.Open, Options{})
	for algorithm, assets := range map[string][]string{"normalizedIndex": {"B04", "SCL"}, "slope": {"B04"}, "hillshade": {"B04"}, "sum": {"B04", "SCL"}} {
		q := Request{Collection: "m", Item: "i", Assets: assets, Algorithm: algorithm}
		v, err := r.View(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		grid, ok, err := v.nativeGrid(t.Context())
		if err != nil || !ok {
			t.Fatal(err)
		}
		planes, err := v.planes(t.Context(), grid, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := geo.ProjectionOf(grid.CRS)
		lon, lat := p.ToLonLat(grid.Transform.Apply(40.3, 90.6))
		at, err := r.Point(t.Context(), q, lon, lat)
		if err != nil || len(at.Values) != len(planes) {
			t.Fatalf("%s: %+v, %v", algorithm, at, err)
		}
		for i, plane := range planes {
			if at.Values[i] == nil || *at.Values[i] != plane[90*grid.Width+40] {
				t.Errorf("%s: %v, want %g", algorithm, at.Values[i], plane[90*grid.Width+40])
			}
		}
	}
}

// FuzzZone: any body is a zone with an extent, or refused.
func FuzzZone(f *testing.F) {
	f.Add(feature("[[0,0],[1,0],[1,1],[0,0]]"), 4326)
	f.Add(feature("[[179,0],[-179,0],[-179,1],[179,0]]"), 4326)
	f.Add(feature("[[400000,5e6],[4e5,5.1e6],[4.1e5,5e6],[4e5,5e6]]"), 32631)
	f.Add([]byte(`{"type":"GeometryCollection","geometries":[{"type":"Polygon","coordinates":[]}]}`), 3857)
	f.Fuzz(func(t *testing.T, body []byte, system int) {
		z, err := InFeature(body, geo.EPSG(system), 0, Size{})
		if err != nil {
			if fault.Is(err, fault.Internal) {
				t.Fatalf("%v", err)
			}
			return
		}
		if b := z.degrees; !(b.MinX < b.MaxX && b.MinY < b.MaxY) || len(z.area.rings) == 0 {
			t.Fatalf("%+v", b)
		}
	})
}
