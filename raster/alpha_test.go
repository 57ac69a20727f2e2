package raster

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/airbusgeo/godal"
)

// TestAlphaHides: bands beside one of opacity have no value where it is 0, whichever way the blocks lie and however they are sampled;
// the band of opacity itself is handed on as it is.
func TestAlphaHides(t *testing.T) {
	for name, more := range map[string][]string{
		"interleaved": nil, "band by band": {"-co", "INTERLEAVE=BAND"}, "its own value is nodata": {"-a_nodata", "255"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := small(4, godal.Byte)
			s.width, s.height, s.noData, s.creation = 601, 331, nan, nil
			src, valid := s.masks(t, dir, true)
			path := filepath.Join(dir, "made.tif")
			program(t, "gdal_translate", append([]string{"-q", src, path, "-co", "TILED=YES", "-co", "ALPHA=NON-PREMULTIPLIED", "-co", "COMPRESS=DEFLATE"}, more...)...)
			truth := readAll(t, path)
			c := openFile(t, path)
			if c.Alpha != 4 {
				t.Fatalf("alpha is band %d", c.Alpha)
			}
			if d, err := Inspect(path); err != nil || d.Alpha != 4 {
				t.Errorf("Inspect: %d %v", d.Alpha, err)
			}
			r := NewReader(1 << 24)
			grid := Grid{CRS: c.CRS, Transform: c.Transform, Width: s.width, Height: s.height}
			whole := Window{Width: s.width, Height: s.height}
			for how, read := range map[string]func(bands []int) ([][]float32, error){
				"read":     func(bands []int) ([][]float32, error) { return r.Read(context.Background(), c, 0, whole, bands) },
				"nearest":  func(bands []int) ([][]float32, error) { return r.Warp(context.Background(), c, grid, bands, Nearest) },
				"bilinear": func(bands []int) ([][]float32, error) { return r.Warp(context.Background(), c, grid, bands, Bilinear) },
				"average":  func(bands []int) ([][]float32, error) { return r.Warp(context.Background(), c, grid, bands, AverageOf) },
			} {
				planes, err := read([]int{3, 1})
				if err != nil {
					t.Fatal(err)
				}
				for i, band := range []int{3, 1} {
					wrong := 0
					for k, v := range planes[i] {
						hidden := valid[k] == 0 || c.NoData != nil && truth[band-1][k] == *c.NoData
						if hidden != (v != v) || !hidden && float64(v) != truth[band-1][k] {
							wrong++
						}
					}
					if wrong > 0 {
						t.Errorf("%s: band %d: %d pixels differ", how, band, wrong)
					}
				}
				opacity, err := read([]int{4})
				if err != nil {
					t.Fatal(err)
				}
				for k, v := range opacity[0] {
					if want := truth[3][k]; v == v && float64(v) != want {
						t.Fatalf("%s: opacity %g, want %g", how, v, want)
					}
				}
			}
		})
	}
}
