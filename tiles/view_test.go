package tiles

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/internal/golden"
	"swath/internal/shelf"
	"swath/raster"
	"swath/render"
	"swath/stac"
)

func TestGoldenTiles(t *testing.T) {
	s := shelf.New(t)
	s.T31TDH(depth)
	r := New(s.Catalog(), s.Open, Options{})
	for _, preset := range []string{"true-color", "ndvi"} {
		v, err := r.View(t.Context(), Request{Collection: "sentinel-2-l1c", Item: "T31TDH", Render: preset})
		if err != nil {
			t.Fatal(err)
		}
		lon, lat := v.item.center()
		picture, err := v.Tile(t.Context(), geo.TileAt(14, lon, lat), render.PNG)
		if err != nil {
			t.Fatal(err)
		}
		golden.Image(t, "t31tdh_"+preset+"_14.png", picture, 0)
		if picture, err = v.Preview(t.Context(), 200, render.PNG); err != nil {
			t.Fatal(err)
		}
		golden.Image(t, "t31tdh_"+preset+"_preview.png", picture, 0)
	}
}

// TestWrongRequests asks for what can't be drawn. The text must say what is wrong.
func TestWrongRequests(t *testing.T) {
	s := shelf.New(t)
	s.Spain(depth)
	s.Barbellino(depth)
	r := New(s.Catalog(), s.Open, Options{})
	for name, tc := range map[string]struct {
		request Request
		kind    fault.Kind
		says    string
	}{
		"no such item":          {Request{Collection: "spain", Item: "s9"}, fault.NotFound, `"s9"`},
		"no such collection":    {Request{Collection: "spin", Item: "s2"}, fault.NotFound, `"spin"`},
		"no such preset":        {Request{Collection: "barbellino", Item: "l1c", Render: "ndvi"}, fault.NotFound, "broken, red"},
		"malformed preset":      {Request{Collection: "barbellino", Item: "l1c", Render: "broken"}, fault.Invalid, "malformed"},
		"no such asset":         {Request{Collection: "spain", Item: "s2", Assets: []string{"B99"}}, fault.Invalid, `"B99"; it has`},
		"no such band":          {Request{Collection: "spain", Item: "s2", Expression: "B08-B99"}, fault.Invalid, `"B99"; it has`},
		"malformed expression":  {Request{Collection: "spain", Item: "s2", Expression: "(B08-B04"}, fault.Invalid, "expression"},
		"two planes":            {Request{Collection: "spain", Item: "s1", Assets: []string{"VV", "VH"}}, fault.Invalid, "1 or 3 planes, this one would have 2"},
		"13 planes":             {Request{Collection: "spain", Item: "s2", Assets: []string{"s2"}}, fault.Invalid, "would have 13"},
		"colours for three":     {Request{Collection: "spain", Item: "s2", Assets: []string{"B04", "B03", "B02"}, ColormapName: "viridis"}, fault.Invalid, "colormap"},
		"no such colormap":      {Request{Collection: "spain", Item: "s2", Assets: []string{"B04"}, ColormapName: "viridian"}, fault.Invalid, "viridian"},
		"broken colormap":       {Request{Collection: "spain", Item: "s2", Assets: []string{"B04"}, Colormap: json.RawMessage(`{"1": 7}`)}, fault.Invalid, "colo"},
		"two colormaps":         {Request{Collection: "spain", Item: "s2", Assets: []string{"B04"}, ColormapName: "viridis", Colormap: json.RawMessage(`{}`)}, fault.Invalid, "not both"},
		"two stretches":         {Request{Collection: "spain", Item: "s2", Assets: []string{"B04", "B03", "B02"}, Rescale: [][2]float64{{0, 1}, {0, 2}}}, fault.Invalid, "2 pairs for 3"},
		"stretch upside down":   {Request{Collection: "spain", Item: "s2", Assets: []string{"B04"}, Rescale: [][2]float64{{1, 0}}}, fault.Invalid, "rescale 1,0"},
		"stretch of nothing":    {Request{Collection: "spain", Item: "s2", Assets: []string{"B04"}, Rescale: [][2]float64{{math.NaN(), 0}}}, fault.Invalid, "rescale NaN,0"},
		"stretch without end":   {Request{Collection: "spain", Item: "s2", Assets: []string{"B04"}, Rescale: [][2]float64{{0, math.Inf(1)}}}, fault.Invalid, "rescale 0,+Inf"},
		"odd size":              {Request{Collection: "spain", Item: "s2", Assets: []string{"B04"}, SizePx: 3000}, fault.Invalid, "1 to 2048"},
		"odd resampling":        {Request{Collection: "spain", Item: "s2", Assets: []string{"B04"}, Resampling: "gauss"}, fault.Invalid, "gauss"},
		"very long expression":  {Request{Collection: "spain", Item: "s2", Expression: strings.Repeat("B04+", 2000) + "B04"}, fault.TooLarge, "8003 bytes"},
		"very many assets":      {Request{Collection: "spain", Item: "s2", Assets: slices.Repeat([]string{"B04"}, 65)}, fault.TooLarge, "65 assets"},
		"more bands than drawn": {Request{Collection: "spain", Item: "s2", Assets: slices.Repeat([]string{"B04"}, 33)}, fault.TooLarge, "33 bands"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := r.View(t.Context(), tc.request)
			if err == nil {
				_, err = v.Tile(t.Context(), geo.Tile{}, render.PNG)
			}
			if kind, public := fault.Of(err); kind != tc.kind || !strings.Contains(public, tc.says) {
				t.Errorf("%v, %q; want %v saying %q", kind, public, tc.kind, tc.says)
			}
		})
	}
	v, err := r.View(t.Context(), Request{Collection: "spain", Item: "s2", Assets: []string{"B04"}})
	if err != nil {
		t.Fatal(err)
	}
	for says, tile := range map[string]geo.Tile{"0 to 24": {Z: 25}, "zoom -1": {Z: -1}, "from 0 to 3": {Z: 2, X: 4}, "tile 2/0/-1": {Z: 2, Y: -1}} {
		if _, err := v.Tile(t.Context(), tile, render.PNG); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("tile %v: %v, want fault.Invalid saying %q", tile, err, says)
		}
	}
	if _, err := v.Preview(t.Context(), mostPreview+1, render.PNG); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a large preview: %v, want fault.TooLarge", err)
	}
}

// TestDefaultStretch draws without rescale. All rules give limits that do not depend on the tile.
func TestDefaultStretch(t *testing.T) {
	s := shelf.New(t)
	s.Spain(depth)
	s.JMM(depth)
	s.Item("jmm", "told", map[string]shelf.Asset{"x": {"swath:object": "jmm/jmm/1/B08.tif", "raster:scale": 2, "raster:offset": 1,
		"bands": []map[string]any{{"name": "x", "statistics": map[string]any{"minimum": 10, "maximum": 20}}}}})
	s.Item("jmm", "bytes", map[string]shelf.Asset{"x": {"swath:object": "jmm/jmm/1/B08.tif", "data_type": "uint8", "bands": []map[string]any{{}}}})
	r := New(s.Catalog(), s.Open, Options{})
	for name, tc := range map[string]struct {
		request Request
		want    [2]float64
	}{
		"of the request": {Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08"}, Rescale: [][2]float64{{1, 2}}}, [2]float64{1, 2}},
		"of the preset":  {Request{Collection: "jmm", Item: "jmm", Render: "ndvi"}, [2]float64{-0.2, 0.9}},
		"only preset":    {Request{Collection: "jmm", Item: "jmm"}, [2]float64{-0.2, 0.9}},
		"reflectance":    {Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08"}}, [2]float64{0, 0.3}},
		"statistics":     {Request{Collection: "jmm", Item: "told", Assets: []string{"x"}}, [2]float64{21, 41}},
		"stored":         {Request{Collection: "jmm", Item: "told", Assets: []string{"x"}, Stored: true}, [2]float64{10, 20}},
		"bytes":          {Request{Collection: "jmm", Item: "bytes", Assets: []string{"x"}}, [2]float64{0, 255}},
		"their mean":     {Request{Collection: "jmm", Item: "bytes", Assets: []string{"x"}, Algorithm: "mean"}, [2]float64{0, 255}},
		"of gray":        {Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08", "B04", "B04"}, Algorithm: "grayscale"}, [2]float64{0, 0.3}},
		"several":        {Request{Collection: "jmm", Item: "told", Assets: []string{"x", "x"}, Algorithm: "max", Stored: true}, [2]float64{10, 20}},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := r.View(t.Context(), tc.request)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := v.stretch(t.Context()); err != nil || got[0] != tc.want {
				t.Errorf("%v, %v, want %v", got, err, tc.want)
			}
		})
	}
	v, err := r.View(t.Context(), Request{Collection: "spain", Item: "s1", Assets: []string{"VV"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.stretch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	planes, err := v.planes(t.Context(), v.overview(512), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := percentiles(planes[0], 0.02, 0.98); !ok || math.Abs(p[0]-got[0][0]) > 1.5 || math.Abs(p[1]-got[0][1]) > 1.5 || got[0][0] < -40 || got[0][1] > 10 {
		t.Errorf("VV is stretched over %v dB, 2 %% to 98 %% of its pixels are %v", got[0], p)
	}
}

// TestBufferOfAlgorithms: what TiTiler's algorithms have to be given around a tile, and cut off, changes nothing; more is drawn.
func TestBufferOfAlgorithms(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	r := New(s.Catalog(), s.Open, Options{})
	for _, tc := range []struct {
		algorithm, params string
		buffer            float64
		want              int
	}{{"hillshade", "", 0, 256}, {"hillshade", "", 3, 256}, {"hillshade", "", 5, 260}, {"slope", `{"buffer": 10}`, 10, 256}, {"contours", "", 3, 262}, {"", "", 3, 262}} {
		v, err := r.View(t.Context(), Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08"}, Algorithm: tc.algorithm, AlgorithmParams: tc.params, BufferPx: tc.buffer})
		if err != nil {
			t.Fatal(err)
		}
		frame, err := v.TileFrame(WebMercatorQuad, geo.TileAt(9, 152.5, -30.5))
		if err != nil || frame.Grid.Width != tc.want || frame.Grid.Height != tc.want {
			t.Errorf("%s %s with a buffer of %g: %v %v, want %d pixels", tc.algorithm, tc.params, tc.buffer, frame, err, tc.want)
		}
	}
}

// TestColoursOfValues: a map of intervals or single values that comes without a stretch is of the measured values, of one item and of
// many; with one it is of the levels.
func TestColoursOfValues(t *testing.T) {
	s := shelf.New(t)
	s.Spain(depth)
	r := New(s.Catalog(), s.Open, Options{})
	q := Request{Collection: "spain", Item: "s2", Assets: []string{"B08"}, Colormap: json.RawMessage(`[[[0, 0.15], [0, 0, 255, 255]], [[0.15, 0.25], [255, 0, 0, 255]]]`)}
	v, err := r.View(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	lon, lat := v.item.center()
	tile := geo.TileAt(14, lon, lat)
	frame, err := v.TileFrame(WebMercatorQuad, tile)
	if err != nil {
		t.Fatal(err)
	}
	values, err := v.planes(t.Context(), frame.Grid, nil)
	if err != nil {
		t.Fatal(err)
	}
	many := q
	many.Collection, many.Item = "", ""
	scene, err := r.Scene(t.Context(), MosaicRequest{Request: many, SkipMissing: true, Search: stac.Search{Collections: []string{"spain"}}}, WebMercatorQuad, tile)
	if err != nil {
		t.Fatal(err)
	}
	q.Opaque = true
	opaque, err := r.View(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for name, draw := range map[string]func() ([]byte, error){
		"item":   func() ([]byte, error) { return v.Picture(t.Context(), frame, render.PNG) },
		"mosaic": func() ([]byte, error) { return scene.Picture(t.Context(), render.PNG) },
		"opaque": func() ([]byte, error) { return opaque.Picture(t.Context(), frame, render.PNG) },
	} {
		body, err := draw()
		if err != nil {
			t.Fatal(name, err)
		}
		img, err := png.Decode(bytes.NewReader(body))
		if err != nil {
			t.Fatal(name, err)
		}
		seen := map[color.NRGBA]int{}
		for i, value := range values[0] {
			want := color.NRGBA{}
			switch {
			case value < 0.15 || isNaN(value) && name == "opaque":
				want = color.NRGBA{B: 255, A: 255}
			case value < 0.25:
				want = color.NRGBA{R: 255, A: 255}
			}
			if got := color.NRGBAModel.Convert(img.At(i%256, i/256)); got != want {
				t.Fatalf("%s: %g is %v, want %v", name, value, got, want)
			}
			seen[want]++
		}
		if len(seen) != 3 {
			t.Errorf("%s: the colours %v", name, seen)
		}
	}
}

// TestOffsetAndNoData: what is stored as nodata stays out although the offset would give it a value.
func TestOffsetAndNoData(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	s.Item("jmm", "new", map[string]shelf.Asset{"x": {"swath:object": "jmm/jmm/1/B08.tif", "nodata": 0, "raster:scale": 0.0001, "raster:offset": -0.1, "bands": []map[string]any{{}}}})
	r := New(s.Catalog(), s.Open, Options{})
	read := func(q Request) []float32 {
		v, err := r.View(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		planes, err := v.planes(t.Context(), v.overview(300), nil)
		if err != nil {
			t.Fatal(err)
		}
		return planes[0]
	}
	stored := read(Request{Collection: "jmm", Item: "new", Assets: []string{"x"}, Stored: true, NoData: ptr(-1)})
	value := read(Request{Collection: "jmm", Item: "new", Assets: []string{"x"}})
	zeros := 0
	for i, dn := range stored {
		switch want := float32(float64(dn)*0.0001 - 0.1); {
		case dn == 0:
			zeros++
			if !isNaN(value[i]) {
				t.Fatalf("pixel %d is nodata and drawn as %g", i, value[i])
			}
		case !isNaN(dn) && value[i] != want:
			t.Fatalf("pixel %d: stored %g gives %g, want %g", i, dn, value[i], want)
		}
	}
	if zeros == 0 {
		t.Error("no pixel is nodata: the test shows nothing")
	}
}

func TestTilesBesideTheItem(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	r := New(s.Catalog(), func(context.Context, string) (raster.Source, error) {
		t.Error("a raster was opened for a tile beside the item")
		return nil, errors.New("no")
	}, Options{})
	v, err := r.View(t.Context(), Request{Collection: "jmm", Item: "jmm", Render: "ndvi"})
	if err != nil {
		t.Fatal(err)
	}
	body, err := v.Tile(t.Context(), geo.TileAt(8, 10, 50), render.PNG)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, alpha := m.At(7, 7).RGBA(); m.Bounds().Dx() != 256 || alpha != 0 {
		t.Errorf("%v with alpha %d, want 256 transparent pixels", m.Bounds(), alpha)
	}
}

func TestTouchesAcrossTheAntimeridian(t *testing.T) {
	v := View{item: Description{Bounds: geo.Box{MinX: 179, MinY: -20, MaxX: -179, MaxY: -19}}}
	for _, tc := range []struct {
		lon  float64
		want bool
	}{{179.5, true}, {-179.5, true}, {178, false}, {-178, false}, {0, false}} {
		if got := v.touches(geo.TileAt(12, tc.lon, -19.5).LonLatBox()); got != tc.want {
			t.Errorf("the tile at %g touches: %t, want %t", tc.lon, got, tc.want)
		}
	}
}

// TestETag: it changes with everything that changes pixels, and with nothing else.
func TestETag(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	base := Request{Collection: "jmm", Item: "jmm", Render: "ndvi"}
	tag := func(q Request) string {
		v, err := New(s.Catalog(), s.Open, Options{}).View(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		tag, err := v.TileETag(geo.Tile{Z: 8, X: 1, Y: 1}, render.PNG)
		if err != nil {
			t.Fatal(err)
		}
		return tag
	}
	first := tag(base)
	spelled := Request{Collection: "jmm", Item: "jmm", Expression: "(B08-B04)/(B08+B04)", Rescale: [][2]float64{{-0.2, 0.9}}, ColormapName: "rdylgn"}
	if tag(base) != first || tag(spelled) != first {
		t.Error("the same picture has two tags")
	}
	for name, change := range map[string]func(*Request){
		"expression": func(q *Request) { q.Expression = "B08-B04" },
		"rescale":    func(q *Request) { q.Rescale = [][2]float64{{0, 1}} },
		"colormap":   func(q *Request) { q.ColormapName = "viridis" },
		"nodata":     func(q *Request) { q.NoData = ptr(1) },
		"resampling": func(q *Request) { q.Resampling = "cubic" },
		"unscale":    func(q *Request) { q.Stored = true },
		"size":       func(q *Request) { q.SizePx = 512 },
	} {
		q := base
		if change(&q); tag(q) == first {
			t.Errorf("another %s has the same tag", name)
		}
	}
	s.Presets("jmm", `{"ndvi": {"expression": "(B08-B04)/(B08+B04)", "rescale": [[-0.2, 0.9]], "colormap_name": "greens"}}`)
	if tag(base) == first {
		t.Error("the preset changed and the tag did not")
	}
	s.JMM(depth)
	s.Item("jmm", "jmm", map[string]shelf.Asset{
		"B04": {"swath:object": "jmm/jmm/1/B04.tif", "bands": []map[string]any{{"name": "B04"}}, "raster:scale": 0.0002},
		"B08": {"swath:object": "jmm/jmm/1/B08.tif", "bands": []map[string]any{{"name": "B08"}}, "raster:scale": 0.0001},
	})
	if tag(base) == first {
		t.Error("a band's scale changed and the tag did not")
	}
}

// TestAbandonedTile: the drawing stops when its only client leaves, and the next one gets its tile.
func TestAbandonedTile(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	var opened atomic.Int32
	slow := make(chan struct{})
	r := New(s.Catalog(), func(ctx context.Context, key string) (raster.Source, error) {
		opened.Add(1)
		<-slow
		return s.Open(ctx, key)
	}, Options{})
	v, err := r.View(t.Context(), Request{Collection: "jmm", Item: "jmm", Render: "ndvi"})
	if err != nil {
		t.Fatal(err)
	}
	lon, lat := v.item.center()
	ctx, leave := context.WithCancel(t.Context())
	answer := make(chan error)
	go func() { _, err := v.Tile(ctx, geo.TileAt(8, lon, lat), render.PNG); answer <- err }()
	for opened.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	leave()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left got %v", err)
	}
	close(slow)
	if _, err := v.Tile(t.Context(), geo.TileAt(8, lon, lat), render.PNG); err != nil {
		t.Errorf("the next one got %v", err)
	}
	for until := time.Now().Add(5 * time.Second); len(r.gate.slots) != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d slots are still taken", len(r.gate.slots))
		}
	}
}
