package raster

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/geo"
)

var nan = math.NaN()

// scenes lie where projections are awkward.
func scenes() []scene {
	return []scene{
		{name: "north", crs: 32631, transform: geo.Affine{300000, 10, 0, 4900020, 0, -10}, width: 2745, height: 2601, bands: 1,
			dataType: godal.UInt16, noData: 0, hole: true, creation: cog("COMPRESS=DEFLATE", "PREDICTOR=2")},
		{name: "south", crs: 32756, transform: geo.Affine{300000, 20, 0, 6300040, 0, -20}, width: 1500, height: 1500, bands: 2,
			dataType: godal.Int16, noData: -9999, hole: true, creation: cog("COMPRESS=ZSTD", "PREDICTOR=2")},
		{name: "antimeridian", crs: 32660, transform: geo.Affine{665000, 30, 0, 6200000, 0, -30}, width: 1400, height: 1200, bands: 1,
			dataType: godal.Float32, noData: nan, creation: cog("COMPRESS=DEFLATE", "PREDICTOR=3")},
		{name: "high", crs: 32633, transform: geo.Affine{400000, 60, 0, 9300000, 0, -60}, width: 1830, height: 1830, bands: 1,
			dataType: godal.UInt16, noData: 0, creation: cog("COMPRESS=DEFLATE")},
		{name: "degrees", crs: geo.WGS84, transform: geo.Affine{-1.5, 0.0002, 0, 38.5, 0, -0.0002}, width: 2000, height: 1800, bands: 3,
			dataType: godal.Byte, noData: nan, creation: cog("COMPRESS=LZW", "PREDICTOR=2")},
		{name: "degrees over 180", crs: geo.WGS84, transform: geo.Affine{179.6, 0.0005, 0, -16, 0, -0.0005}, width: 1600, height: 1200, bands: 1,
			dataType: godal.Int32, noData: nan, creation: cog("COMPRESS=DEFLATE")},
		{name: "lambert", crs: 2154, transform: geo.Affine{600000, 20, 0, 6300000, 0, -20}, width: 1500, height: 1400, bands: 1,
			dataType: godal.Float64, noData: -1, hole: true, creation: cog("COMPRESS=DEFLATE", "PREDICTOR=3")},
		// The EQUI7 grid of Europe has no EPSG code.
		{name: "no code", proj: "+proj=aeqd +lat_0=53 +lon_0=24 +x_0=5837287.81977 +y_0=2121415.69617 +datum=WGS84 +units=m +no_defs",
			transform: geo.Affine{5255000, 20, 0, 2032990, 0, -20}, width: 1400, height: 1300, bands: 1,
			dataType: godal.Int16, noData: -9999, hole: true, creation: cog("COMPRESS=DEFLATE", "PREDICTOR=2")},
		// So has a sphere, with an oblique pole.
		{name: "sphere", proj: "+proj=laea +lat_0=-30 +lon_0=140 +R=6371228 +units=m +no_defs",
			transform: geo.Affine{-90000, 90, 0, 120000, 0, -90}, width: 900, height: 1100, bands: 1,
			dataType: godal.Byte, noData: 0, creation: cog("COMPRESS=DEFLATE")},
	}
}

// tilesOver returns tiles of several zooms that see the scene, some across its edges.
func (s scene) tilesOver(t testing.TB, count int) []geo.Tile {
	t.Helper()
	c := &COG{Levels: []Level{{Width: s.width, Height: s.height}}, Transform: s.transform, CRS: s.crs}
	if s.proj != "" {
		var err error
		if c.WKT, err = s.reference(t).WKT(); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(5, uint64(s.width)))
	var tiles []geo.Tile
	for len(tiles) < count {
		lon, lat := c.placeOf(t, random.Float64()*float64(s.width), random.Float64()*float64(s.height))
		metres := math.Abs(s.transform[5])
		if s.crs == geo.WGS84 {
			metres *= 111000
		}
		native := math.Log2(geo.TileResolutionM(0, 256) * math.Cos(lat*math.Pi/180) / metres)
		z := int(native) + 1 - len(tiles)%6 // from twice finer than the pixels to 16 times coarser
		tiles = append(tiles, geo.TileAt(z, lon, lat))
	}
	return tiles
}

// placeOf returns the longitude and latitude of a full resolution position.
func (c *COG) placeOf(t testing.TB, column, row float64) (lon, lat float64) {
	t.Helper()
	p, release, err := c.system().projector(true)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	x, y := c.Transform.Apply(column, row)
	xs, ys := []float64{x}, []float64{y}
	if err := p(xs, ys); err != nil {
		t.Fatal(err)
	}
	return xs[0], ys[0]
}

func tileGrid(tile geo.Tile) Grid {
	return Grid{CRS: geo.WebMercator, Transform: tile.Transform(256), Width: 256, Height: 256}
}

// TestWarpNearestAgainstGDAL: pixels are those of GDAL's exact warper in every projection. SWATH_TEST_LONG=1 compares 1,000 tiles in
// each, here and with every other resampling (an hour or two in all: -timeout 3h).
func TestWarpNearestAgainstGDAL(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			path := s.write(t, t.TempDir())
			c := openFile(t, path)
			r := NewReader(64 << 20)
			total, same, masked := 0, 0, 0
			levels := map[int]int{}
			for _, tile := range s.tilesOver(t, tilesEach(12)) {
				g := tileGrid(tile)
				bands := seqBands(c.Bands)
				got, err := r.Warp(context.Background(), c, g, bands, Nearest)
				if err != nil {
					t.Fatal(err)
				}
				level := levelOf(t, r, c, g, Nearest)
				levels[level]++
				want := gdalwarp(t, path, g, Nearest, level)
				for b := range bands {
					for i := range got[b] {
						if isNaN(want[b][i]) != isNaN(float64(got[b][i])) {
							masked++
						}
						if isNaN(want[b][i]) && isNaN(float64(got[b][i])) {
							continue
						}
						total++
						if float64(got[b][i]) == want[b][i] {
							same++
						}
					}
				}
			}
			t.Logf("%.4f %% of %d identical, %d mask mismatches, levels %v", 100*float64(same)/float64(total), total, masked, levels)
			if float64(same) < 0.999*float64(total) {
				t.Errorf("%d of %d pixels are GDAL's", same, total)
			}
			if masked > total/2000 {
				t.Errorf("%d mask mismatches of %d", masked, total)
			}
		})
	}
}

func seqBands(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i + 1
	}
	return s
}

func isNaN(v float64) bool { return math.IsNaN(v) }

// levelOf returns the level that a warp reads.
func levelOf(t testing.TB, r *Reader, c *COG, g Grid, resampling Resampling) int {
	t.Helper()
	grid, err := r.layGrid(context.Background(), c, g, resampling)
	if err != nil {
		t.Fatal(err)
	}
	return grid.level
}

// TestLevelOfGridsThatRepeat: nearest pixels may be of a level that is coarser by a fifth where the grid says so; what is computed of
// several pixels is made of the finer ones.
func TestLevelOfGridsThatRepeat(t *testing.T) {
	s := scenes()[0] // of 10 m
	c := openFile(t, s.write(t, t.TempDir()))
	r := NewReader(1 << 20)
	for _, tc := range []struct {
		pixelM     float64
		resampling Resampling
		repeats    bool
		want       int
	}{
		{10, Nearest, true, 0}, {16.5, Nearest, true, 0}, {16.8, Nearest, true, 1}, {33, Nearest, true, 1}, {34, Nearest, true, 2},
		{19.9, Nearest, false, 0}, {20.1, Nearest, false, 1}, {19.9, Bilinear, true, 0}, {20.1, Bilinear, true, 1}, {19.9, AverageOf, true, 0},
		{19.9, ModeOf, true, 0}, {19.9, Nearest, true, 1},
	} {
		g := Grid{CRS: s.crs, Transform: geo.Affine{310000, tc.pixelM, 0, 4890000, 0, -tc.pixelM}, Width: 64, Height: 64, Repeats: tc.repeats}
		if level := levelOf(t, r, c, g, tc.resampling); level != tc.want {
			t.Errorf("pixels of %g m, resampling %d, repeating %t: level %d, want %d", tc.pixelM, tc.resampling, tc.repeats, level, tc.want)
		}
	}
}
