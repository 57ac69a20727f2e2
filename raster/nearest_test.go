package raster

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/geo"
)

// TestNearestIsThePixelUnderThePlace draws every type, in blocks that are powers of two and not, on a turned grid that reaches
// beyond the raster, and compares each value with the pixel that the place lies in, found one by one.
func TestNearestIsThePixelUnderThePlace(t *testing.T) {
	for _, d := range []godal.DataType{godal.Byte, godal.UInt16, godal.Int16, godal.UInt32, godal.Int32, godal.Float32, godal.Float64} {
		for _, tc := range []struct {
			bands  int
			layout []string
		}{
			{1, options("TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64")},
			{2, options("TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=64", "INTERLEAVE=PIXEL", "SPARSE_OK=TRUE")},
			{5, options("TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=32", "INTERLEAVE=PIXEL", "SPARSE_OK=TRUE")},
			{4, options("TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64", "INTERLEAVE=PIXEL")},
			{3, options("TILED=YES", "BLOCKXSIZE=48", "BLOCKYSIZE=80", "INTERLEAVE=PIXEL")},
			{2, options("BLOCKYSIZE=7", "INTERLEAVE=BAND")},
		} {
			name := fmt.Sprintf("%s %d bands", d, tc.bands)
			s := scene{name: fmt.Sprintf("n%d_%d", d, tc.bands), crs: 32631, transform: geo.Affine{300000, 10, 0, 4900020, 0, -10},
				width: 333, height: 250, bands: tc.bands, dataType: d, noData: 0, hole: true, creation: tc.layout}
			c := openFile(t, s.write(t, t.TempDir()))
			bands := []int{tc.bands, 1}
			if tc.bands > 3 { // side by side
				bands = []int{tc.bands - 3, tc.bands - 2, tc.bands - 1}
			}
			r := NewReader(1 << 24)
			full, err := r.Read(context.Background(), c, 0, Window{0, 0, 333, 250}, bands)
			if err != nil {
				t.Fatal(err)
			}
			rnd := rand.New(rand.NewPCG(uint64(d), uint64(tc.bands)))
			step := 9 + 4*rnd.Float64()
			g := Grid{CRS: 32631, Width: 300, Height: 222, Transform: geo.Affine{299800.3, step, 0.7, 4900100.9, 0.4, -step}}
			got, err := r.Warp(context.Background(), c, g, bands, Nearest)
			if err != nil {
				t.Fatal(err)
			}
			beside, different := 0, 0
			for y := range g.Height {
				for x := range g.Width {
					px, py := g.Transform.Apply(float64(x)+0.5, float64(y)+0.5)
					column, row := math.Floor((px-300000)/10), math.Floor((4900020-py)/10)
					for i := range bands {
						want := float32(math.NaN())
						if column >= 0 && row >= 0 && column < 333 && row < 250 {
							want = full[i][int(row)*333+int(column)]
						} else {
							beside++
						}
						if v := got[i][y*g.Width+x]; v != want && (v == v || want == want) {
							different++
						}
					}
				}
			}
			if different > 0 || beside == 0 {
				t.Errorf("%s: %d values are not those of their pixels; %d places lie beside the raster", name, different, beside)
			}
		}
	}
}
