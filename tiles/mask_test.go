package tiles

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"swath/geo"
	"swath/internal/shelf"
	"swath/raster"
	"swath/render"
)

// masked puts a scene of 200 x 200 pixels of 20 m on the shelf: reflectance everywhere, two clouds, a shadow and a lake.
func masked(t *testing.T, s *shelf.Shelf) {
	const side = 200
	p := raster.Planes{CRS: 32631, Transform: geo.Affine{400000, 20, 0, 4800000, 0, -20}, Width: side, Height: side}
	data, classes := make([]float32, side*side), make([]float32, side*side)
	for i := range data {
		x, y := i%side, i/side
		data[i], classes[i] = float32(1000+x), 4
		switch {
		case math.Hypot(float64(x-60), float64(y-70)) < 20:
			classes[i] = 9
		case x == 150 && y == 150:
			classes[i] = 10
		case x > 90 && x < 110 && y > 60 && y < 80:
			classes[i] = 3
		case y > 180:
			classes[i] = 6
		}
	}
	for name, values := range map[string][]float32{"B04": data, "SCL": classes} {
		p.Values = [][]float32{values}
		plain := filepath.Join(t.TempDir(), name+".tif")
		if err := raster.WritePlanes(plain, p); err != nil {
			t.Fatal(err)
		}
		s.COG("m/i/1/"+name+".tif", plain, raster.COGOptions{})
	}
	s.Item("m", "i", map[string]shelf.Asset{
		"B04": {"swath:object": "m/i/1/B04.tif", "bands": []map[string]any{{"name": "B04"}}},
		"SCL": {"swath:object": "m/i/1/SCL.tif", "bands": []map[string]any{{"name": "SCL"}}},
	})
	s.Presets("m", "{}")
}

// TestMask compares what is hidden with distances found one by one, on the raster's grid and on finer ones.
func TestMask(t *testing.T) {
	s := shelf.New(t)
	masked(t, s)
	r := New(s.Catalog(), s.Open, Options{})
	plain, err := r.View(t.Context(), Request{Collection: "m", Item: "i", Assets: []string{"SCL"}, Stored: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		mask    []string
		classes []float32
		bufferM float64
		stepM   float64
	}{
		"clouds":           {[]string{"clouds"}, []float32{8, 9, 10}, 0, 20},
		"two kinds":        {[]string{"clouds", "shadows"}, []float32{3, 8, 9, 10}, 0, 10},
		"water":            {[]string{"water"}, []float32{6}, 0, 20},
		"around clouds":    {[]string{"clouds"}, []float32{8, 9, 10}, 300, 20},
		"around, finely":   {[]string{"clouds", "shadows"}, []float32{3, 8, 9, 10}, 130, 5},
		"around, coarsely": {[]string{"clouds"}, []float32{8, 9, 10}, 500, 40},
	} {
		q := Request{Collection: "m", Item: "i", Assets: []string{"B04"}, Stored: true, Mask: tc.mask, MaskBufferM: tc.bufferM}
		v, err := r.View(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n := int(4000 / tc.stepM)
		grid := raster.Grid{CRS: 32631, Transform: geo.Affine{400000, tc.stepM, 0, 4800000, 0, -tc.stepM}, Width: n, Height: n}
		got, err := v.planes(t.Context(), grid, nil)
		if err != nil {
			t.Fatal(err)
		}
		classes, err := plain.planes(t.Context(), grid, nil)
		if err != nil {
			t.Fatal(err)
		}
		wrong, hidden := 0, 0
		step := 1 // every so many rows and columns: distances are found one by one
		if tc.bufferM > 0 {
			step = 7
		}
		for y := 0; y < n; y += step {
			for x := 0; x < n; x += step {
				nearest := math.Inf(1)
				reach := int(tc.bufferM/tc.stepM) + 2
				for dy := max(-reach, -y); dy <= reach && y+dy < n; dy++ {
					for dx := max(-reach, -x); dx <= reach && x+dx < n; dx++ {
						for _, c := range tc.classes {
							if classes[0][(y+dy)*n+x+dx] == c {
								nearest = math.Min(nearest, tc.stepM*math.Hypot(float64(dx), float64(dy)))
							}
						}
					}
				}
				// The scale of the projection here and the coarser pixels move the edge by less than one of them.
				slack := 0.0
				if tc.bufferM > 0 {
					slack = max(10, tc.stepM) * 1.01
				}
				is := isNaN(got[0][y*n+x])
				if is {
					hidden++
				}
				if is && nearest > tc.bufferM+slack || !is && nearest < tc.bufferM-slack || tc.bufferM == 0 && is != (nearest == 0) {
					wrong++
				}
			}
		}
		if wrong > 0 || hidden == 0 {
			t.Errorf("%s: %d of %d pixels are wrong, %d hidden", name, wrong, n*n, hidden)
		}
		lon, lat := projection(32631).ToLonLat(400000+60.5*20, 4800000-70.5*20)
		at, err := r.Point(t.Context(), q, lon, lat)
		if err != nil || (at.Values[0] == nil) == strings.HasPrefix(name, "water") {
			t.Errorf("%s: in the cloud %+v, %v", name, at.Values, err)
		}
	}
}

// TestMaskHasNoSeams: what is hidden in a tile is what a larger picture hides there.
func TestMaskHasNoSeams(t *testing.T) {
	s := shelf.New(t)
	masked(t, s)
	r := New(s.Catalog(), s.Open, Options{})
	v, err := r.View(t.Context(), Request{Collection: "m", Item: "i", Assets: []string{"B04"}, Stored: true, Mask: []string{"clouds"}, MaskBufferM: 200})
	if err != nil {
		t.Fatal(err)
	}
	lon, lat := projection(32631).ToLonLat(400000+60*20, 4800000-70*20)
	first := geo.TileAt(15, lon, lat)
	both, err := v.planes(t.Context(), raster.Grid{CRS: geo.WebMercator, Transform: first.Transform(256), Width: 512, Height: 256}, nil)
	if err != nil {
		t.Fatal(err)
	}
	differ := 0
	for k, tile := range []geo.Tile{first, {Z: first.Z, X: first.X + 1, Y: first.Y}} {
		one, err := v.planes(t.Context(), raster.Grid{CRS: geo.WebMercator, Transform: tile.Transform(256), Width: 256, Height: 256}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, value := range one[0] {
			if isNaN(value) != isNaN(both[0][i/256*512+k*256+i%256]) {
				differ++
			}
		}
	}
	if differ > 0 {
		t.Errorf("%d pixels are hidden in one of the two only", differ)
	}
}

func TestMaskRefuses(t *testing.T) {
	s := shelf.New(t)
	masked(t, s)
	s.JMM(depth)
	r := New(s.Catalog(), s.Open, Options{})
	for says, q := range map[string]Request{
		"does not tell":  {Collection: "m", Item: "i", Assets: []string{"B04"}, Mask: []string{"smoke"}},
		"0 to 5000":      {Collection: "m", Item: "i", Assets: []string{"B04"}, Mask: []string{"clouds"}, MaskBufferM: 6000},
		"say which":      {Collection: "m", Item: "i", Assets: []string{"B04"}, MaskBufferM: 60},
		"neither scene":  {Collection: "jmm", Item: "jmm", Assets: []string{"B04"}, Mask: []string{"clouds"}},
		"bands 1 to 1":   {Collection: "m", Item: "i", Assets: []string{"B04"}, Bidx: []int{2}},
		"say which of":   {Collection: "m", Item: "i", Bidx: []int{1}},
		"percentiles go": {Collection: "m", Item: "i", Assets: []string{"B04"}, Percentiles: &[2]float64{90, 2}},
		"give one kind":  {Collection: "m", Item: "i", Assets: []string{"B04"}, Percentiles: &[2]float64{2, 90}, Rescale: [][2]float64{{0, 1}}},
	} {
		if _, err := r.View(t.Context(), q); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", q, err, says)
		}
	}
	seen := map[string]bool{}
	for _, q := range []Request{{}, {Mask: []string{"clouds"}}, {Mask: []string{"clouds"}, MaskBufferM: 40}, {Opaque: true}, {Percentiles: &[2]float64{1, 99}}, {Percentiles: &[2]float64{2, 99}}} {
		q.Collection, q.Item, q.Assets = "m", "i", []string{"B04"}
		v, err := r.View(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		seen[v.key] = true
		if _, err := v.Preview(t.Context(), 64, render.PNG); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d of 6 pictures have names of their own", len(seen))
	}
}

// TestAlpha: a band of opacity hides the pixels where it is 0, is no part of the picture, and can be asked for by its name.
func TestAlpha(t *testing.T) {
	s := shelf.New(t)
	const side = 64
	p := raster.Planes{CRS: 32631, Transform: geo.Affine{400000, 20, 0, 4800000, 0, -20}, Width: side, Height: side, Values: make([][]float32, 2)}
	for b := range p.Values {
		p.Values[b] = make([]float32, side*side)
		for i := range p.Values[b] {
			p.Values[b][i] = []float32{float32(i%side + 1), float32(i / side % 2)}[b] // every second row is hidden
		}
	}
	plain, named := filepath.Join(t.TempDir(), "plain.tif"), filepath.Join(t.TempDir(), "named.tif")
	if err := raster.WritePlanes(plain, p); err != nil {
		t.Fatal(err)
	}
	gdal(t, "", "gdal_translate", "-q", "-ot", "UInt16", "-colorinterp", "gray,alpha", plain, named)
	s.COG("m/i/1/data.tif", named, raster.COGOptions{})
	bands := []map[string]any{{"name": "b1"}, {"name": "b2"}}
	s.Item("m", "i", map[string]shelf.Asset{"data": {"swath:object": "m/i/1/data.tif", "swath:alpha": 2, "bands": bands}})
	s.Item("m", "bare", map[string]shelf.Asset{"mask": {"swath:object": "m/i/1/data.tif", "swath:alpha": 1, "bands": bands[:1]}})
	s.Presets("m", "{}")
	r := New(s.Catalog(), s.Open, Options{})
	if info, err := r.Info(t.Context(), "m", "bare", []string{"mask"}); err != nil || len(info.Assets) != 1 {
		t.Errorf("an asset that is nothing but opacity: %d assets, %v", len(info.Assets), err)
	}
	for name, tc := range map[string]struct {
		request Request
		want    func(x, y int) float32 // 0: hidden
	}{
		"the asset":  {Request{Assets: []string{"data"}}, func(x, y int) float32 { return float32(x+1) * float32(y%2) }},
		"expression": {Request{Expression: "data+1"}, func(x, y int) float32 { return float32(x+2) * float32(y%2) }},
		"opacity":    {Request{Assets: []string{"data_b2"}}, func(_, y int) float32 { return float32(y % 2) }},
	} {
		tc.request.Collection, tc.request.Item = "m", "i"
		v, err := r.View(t.Context(), tc.request)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		planes, err := v.planes(t.Context(), raster.Grid{CRS: p.CRS, Transform: p.Transform, Width: side, Height: side}, nil)
		if err != nil || len(planes) != 1 {
			t.Fatalf("%s: %d planes, %v", name, len(planes), err)
		}
		for i, got := range planes[0] {
			want := tc.want(i%side, i/side)
			if got != got {
				got = 0
			}
			if got != want {
				t.Fatalf("%s: pixel %d is %g, want %g", name, i, got, want)
			}
		}
	}
}
