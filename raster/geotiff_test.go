package raster

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

// TestGeoTIFFAsGDALReadsIt writes every type and has GDAL say what is in the file.
func TestGeoTIFFAsGDALReadsIt(t *testing.T) {
	if err := useGDAL(); err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	number := func(v float64) *float64 { return &v }
	for name, tc := range map[string]struct {
		kind          DataType
		noData        *float64
		crs           geo.EPSG
		width, height int
		bands         int
		big           bool
		rotated       bool
		outside, held float64 // a value that the type cannot hold, and what becomes of it
		none          float64 // what NaN becomes
	}{
		"bytes":          {kind: Uint8, noData: number(0), crs: 32631, width: 300, height: 200, bands: 3, outside: 300, held: 255},
		"Sentinel-2":     {kind: Uint16, noData: number(0), crs: 32756, width: 1830, height: 411, bands: 2, outside: -4, held: 0},
		"signed":         {kind: Int16, noData: number(-32768), crs: 3857, width: 31, height: 7, bands: 1, outside: 1e6, held: 32767, none: -32768},
		"long":           {kind: Uint32, noData: number(4294967295), crs: 2154, width: 20, height: 20, bands: 1, outside: -1, held: 0, none: 4294967295},
		"floats":         {crs: 4326, width: 257, height: 300, bands: 4, outside: 1e30, held: float64(float32(1e30)), none: math.NaN()},
		"doubles":        {kind: Float64, noData: number(-9999), crs: 4258, width: 10, height: 10, bands: 1, outside: 1e30, held: float64(float32(1e30)), none: -9999},
		"big":            {kind: Int32, crs: 32601, width: 640, height: 480, bands: 2, big: true, outside: 0, held: 0},
		"turned":         {kind: Uint8, crs: 32631, width: 64, height: 48, bands: 1, rotated: true, outside: 0, held: 0},
		"without system": {kind: Uint8, width: 3, height: 1, bands: 1, outside: 0, held: 0},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.big {
				was := classicBytes
				classicBytes = 10
				defer func() { classicBytes = was }()
			}
			g := GeoTIFF{Grid: Grid{CRS: tc.crs, Width: tc.width, Height: tc.height, Transform: geo.Affine{300000, 10, 0, 4900020, 0, -20}},
				Type: tc.kind, NoData: tc.noData, Items: map[string]string{"ITEM": "a <b> & \"c\""}}
			if tc.rotated {
				g.Transform = geo.Affine{300000, 9, 1, 4900020, 2, -19}
			}
			planes := make([][]float32, tc.bands)
			for b := range planes {
				g.Bands = append(g.Bands, GeoTIFFBand{Name: "B0" + string(rune('1'+b)), Unit: "deg", Scale: 0.0001, Offset: -0.1})
				planes[b] = make([]float32, tc.width*tc.height)
				for i := range planes[b] {
					planes[b][i] = float32((i*7+b*3+i/tc.width)%251 + 1)
				}
			}
			planes[0][0], planes[0][1] = float32(tc.outside), nan
			body, err := g.Encode(planes)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "made.tif")
			if err := os.WriteFile(path, body, 0o600); err != nil {
				t.Fatal(err)
			}
			ds, err := godal.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer ds.Close()
			d, err := describe(ds)
			if err != nil {
				t.Fatal(err)
			}
			kind := tc.kind
			if kind == "" {
				kind = Float32
			}
			if d.Width != tc.width || d.Height != tc.height || d.Bands != tc.bands || d.DataType != kind || d.CRS != tc.crs || d.BandNames[tc.bands-1] != g.Bands[tc.bands-1].Name {
				t.Errorf("GDAL says %+v", d)
			}
			if tc.crs != 0 && d.Transform != g.Transform {
				t.Errorf("transform %v, want %v", d.Transform, g.Transform)
			}
			if v, ok := ds.Bands()[0].NoData(); tc.noData != nil && (!ok || v != *tc.noData) || tc.noData == nil && ok && !math.IsNaN(v) {
				t.Errorf("nodata %v %v", v, ok)
			}
			if s := ds.Bands()[0].Structure(); s.Scale != 0.0001 || s.Offset != -0.1 {
				t.Errorf("scale %v, offset %v", s.Scale, s.Offset)
			}
			if got := ds.Metadata("ITEM"); got != g.Items["ITEM"] {
				t.Errorf("item %q", got)
			}
			planes[0][0], planes[0][1] = float32(tc.held), float32(tc.none)
			for b, band := range ds.Bands() {
				got := make([]float64, tc.width*tc.height)
				if err := band.Read(0, 0, got, tc.width, tc.height); err != nil {
					t.Fatal(err)
				}
				for i, v := range got {
					want := float64(planes[b][i])
					if b == 0 && i < 2 {
						want = []float64{tc.held, tc.none}[i]
					}
					if v != want && !(math.IsNaN(v) && math.IsNaN(want)) {
						t.Fatalf("band %d, pixel %d: %g, want %g", b+1, i, v, want)
					}
				}
			}
			ours := openFile(t, path)
			if ours.CRS != tc.crs || ours.Bands != tc.bands || ours.Offset[tc.bands-1] != -0.1 {
				t.Errorf("our reader says %+v", ours)
			}
			read, err := NewReader(1<<20).Read(context.Background(), ours, 0, Window{0, 0, tc.width, tc.height}, []int{tc.bands})
			if err != nil {
				t.Fatal(err)
			}
			for i := 2; i < len(read[0]); i++ {
				if want := planes[tc.bands-1][i]; read[0][i] != want {
					t.Fatalf("our reader, pixel %d: %g, want %g", i, read[0][i], want)
				}
			}
		})
	}
}

func TestGeoTIFFRefusals(t *testing.T) {
	band := []GeoTIFFBand{{}}
	grid := Grid{Width: 1, Height: 1}
	for name, g := range map[string]GeoTIFF{
		"no band": {Grid: grid}, "no pixel": {Grid: Grid{Width: 0, Height: 1}, Bands: band}, "an unknown type": {Grid: grid, Bands: band, Type: "complex"},
		"a code beyond GeoTIFF": {Grid: Grid{Width: 1, Height: 1, CRS: 100000}, Bands: band}, "an unknown code": {Grid: Grid{Width: 1, Height: 1, CRS: 30000}, Bands: band},
	} {
		if _, err := g.Encode([][]float32{{1}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var parts strings.Builder
	w, err := NewGeoTIFFWriter(GeoTIFF{Grid: Grid{Width: 4, Height: 9}, Bands: band}, &parts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Head(); err == nil {
		t.Error("a head before the rows are there")
	}
	if err := w.Add([][]float32{make([]float32, 40)}, 10); err == nil {
		t.Error("more rows than the image has")
	}
}

func BenchmarkGeoTIFF(b *testing.B) {
	g := GeoTIFF{Grid: Grid{CRS: 32631, Width: 1024, Height: 1024, Transform: geo.Affine{0, 10, 0, 0, 0, -10}}, Type: Uint16, Bands: make([]GeoTIFFBand, 1)}
	plane := make([]float32, g.Width*g.Height)
	for i := range plane {
		plane[i] = float32(1000 + (i*2654435761>>8)&127)
	}
	b.SetBytes(int64(2 * len(plane)))
	for b.Loop() {
		if _, err := g.Encode([][]float32{plane}); err != nil {
			b.Fatal(err)
		}
	}
}
