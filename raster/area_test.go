package raster

import (
	"context"
	"math"
	"testing"
)

// TestWarpAreasAgainstGDAL: means and modes over random tiles are those of GDAL's exact warper, and so are their masks.
func TestWarpAreasAgainstGDAL(t *testing.T) {
	tiles := tilesEach(8)
	for _, s := range scenes() {
		path := s.write(t, t.TempDir())
		for resampling, name := range map[Resampling]string{AverageOf: "average", ModeOf: "mode"} {
			t.Run(s.name+" "+name, func(t *testing.T) {
				c := openFile(t, path)
				r := NewReader(64 << 20)
				n, off, masked, worst := 0, 0, 0, 0.0
				for _, tile := range s.tilesOver(t, tiles) {
					g := tileGrid(tile)
					got, err := r.Warp(context.Background(), c, g, []int{1}, resampling)
					if err != nil {
						t.Fatal(err)
					}
					want := gdalwarp(t, path, g, resampling, levelOf(t, r, c, g, resampling))[0]
					for i, v := range got[0] {
						a, b := float64(v), want[i]
						if isNaN(a) || isNaN(b) {
							if isNaN(a) != isNaN(b) && s.under(t, c, g, i) {
								masked++
							}
							continue
						}
						if edge(want, i%256, i/256) { // GDAL weighs the raster's rim in another way
							continue
						}
						n++
						worst = math.Max(worst, math.Abs(a-b))
						if math.Abs(a-b) > 0.2 {
							off++
						}
					}
				}
				t.Logf("%d pixels, %d off, worst %.3f, %d mask mismatches", n, off, worst, masked)
				if n < 10000*tiles || off > n/5000 || masked > n/2000 {
					t.Errorf("%d pixels, %d off, worst %.3f, %d mask mismatches", n, off, worst, masked)
				}
			})
		}
	}
}

// under reports that a pixel of a grid has part of the raster under it: GDAL also draws a line just outside.
func (s scene) under(t *testing.T, c *COG, g Grid, i int) bool {
	t.Helper()
	l, release, err := newLocator(c, g)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	us, vs := make([]float64, 2), make([]float64, 2)
	for k := range 2 {
		us[k], vs[k] = g.Transform.Apply(float64(i%256+k), float64(i/256+k))
	}
	if err := l.pixels(us, vs); err != nil {
		t.Fatal(err)
	}
	return math.Max(us[0], us[1]) > 0 && math.Min(us[0], us[1]) < float64(s.width) && math.Max(vs[0], vs[1]) > 0 && math.Min(vs[0], vs[1]) < float64(s.height)
}

// TestAreaOfWholePixels: where an output pixel is exactly two by two pixels, its mean and mode are theirs.
func TestAreaOfWholePixels(t *testing.T) {
	from := []float32{1, 2, 9, 9, 3, 2, 9, 9, 5, float32(nan), float32(nan), float32(nan), 7, 7, float32(nan), float32(nan)}
	grid := controlGrid{cells: []cell{{width: 2, height: 2, column: [4]float64{1, 5, 1, 5}, row: [4]float64{1, 1, 5, 5}}}}
	for resampling, want := range map[Resampling][4]float64{AverageOf: {2, 9, 19.0 / 3, nan}, ModeOf: {2, 9, 7, nan}} {
		to := nanPlane(4)
		sample(to, 2, from, Window{0, 0, 4, 4}, &grid, resampling)
		for i, v := range to {
			if math.Abs(float64(v)-want[i]) > 1e-6 || isNaN(float64(v)) != isNaN(want[i]) {
				t.Errorf("resampling %d: %v, want %v", resampling, to, want)
			}
		}
	}
}
