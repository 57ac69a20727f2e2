package raster

import (
	"context"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/geo"
)

// benchScene is large enough for tiles inside.
func benchScene() scene {
	return scene{name: "bench", crs: 32631, transform: geo.Affine{300000, 10, 0, 4900020, 0, -10}, width: 2048, height: 2048, bands: 1,
		dataType: godal.UInt16, noData: 0, creation: cog("COMPRESS=DEFLATE", "PREDICTOR=2")}
}

func BenchmarkDecodeBlock(b *testing.B) {
	c := openFile(b, benchScene().write(b, b.TempDir()))
	p := &c.Levels[0].pixels
	packed := make([]byte, p.counts[9])
	if _, err := c.src.ReadAt(packed, int64(p.offsets[9])); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(p.blockBytes(9)))
	for b.Loop() {
		if _, err := p.decode(9, packed, c.big); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkWarp(b *testing.B, resampling Resampling, cold bool) {
	s := benchScene()
	c := openFile(b, s.write(b, b.TempDir()))
	lon, lat := c.placeOf(b, 1024, 1024)
	g := tileGrid(geo.TileAt(13, lon, lat))
	r := NewReader(64 << 20)
	for b.Loop() {
		if cold {
			r.cache = newBlockCache(64 << 20)
		}
		if _, err := r.Warp(context.Background(), c, g, []int{1}, resampling); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWarpNearestCold(b *testing.B)  { benchmarkWarp(b, Nearest, true) }
func BenchmarkWarpNearestWarm(b *testing.B)  { benchmarkWarp(b, Nearest, false) }
func BenchmarkWarpBilinearWarm(b *testing.B) { benchmarkWarp(b, Bilinear, false) }
