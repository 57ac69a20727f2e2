package tiles

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"swath/geo"
	"swath/internal/shelf"
	"swath/raster"
	"swath/render"
)

// BenchmarkTile draws random tiles of levels 8 to 14 over a scene of 10980 x 10980 pixels whose bands compress like a real
// one (factor 1.5 to 1.9). Cold draws each with an empty cache of blocks, warm draws those that were drawn before.
func BenchmarkTile(b *testing.B) {
	s := fullTile(b)
	for _, c := range []struct {
		name    string
		request Request
		format  render.Format
	}{
		{"NDVI PNG", Request{Expression: "(B08-B04)/(B08+B04)", Rescale: [][2]float64{{-0.2, 0.9}}, ColormapName: "rdylgn"}, render.PNG},
		{"RGB PNG", Request{Assets: []string{"B04", "B03", "B02"}, Rescale: [][2]float64{{0, 0.3}}}, render.PNG},
		{"RGB JPEG", Request{Assets: []string{"B04", "B03", "B02"}, Rescale: [][2]float64{{0, 0.3}}}, render.JPEG},
		{"RGB WebP", Request{Assets: []string{"B04", "B03", "B02"}, Rescale: [][2]float64{{0, 0.3}}}, render.WebP},
	} {
		c.request.Collection, c.request.Item = "bench", "bench"
		for _, cache := range []struct {
			name  string
			bytes int64
		}{{"cold", 1}, {"warm", 1 << 30}} {
			b.Run(c.name+" "+cache.name, func(b *testing.B) {
				v, err := New(s.Catalog(), s.Open, Options{CacheBytes: cache.bytes}).View(b.Context(), c.request)
				if err != nil {
					b.Fatal(err)
				}
				list := benchTiles(v.item.Bounds)
				draw := func(i int) int {
					body, err := v.Tile(b.Context(), list[i%len(list)], c.format)
					if err != nil {
						b.Fatal(err)
					}
					return len(body)
				}
				bytes := 0
				for i := range list {
					bytes += draw(i) // opens the files, fills the cache
				}
				before := cpu(b)
				b.ResetTimer()
				i := 0
				for b.Loop() {
					draw(i)
					i++
				}
				b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(i), "cpu-ms/tile")
				b.ReportMetric(float64(bytes)/float64(len(list))/1000, "kB/tile")
			})
		}
	}
}

// cpu returns what this process has used so far, in C and in Go.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchTiles returns the same 64 tiles each time.
func benchTiles(b geo.Box) []geo.Tile {
	rnd := rand.New(rand.NewPCG(5, 6))
	list := make([]geo.Tile, 64)
	for i := range list {
		list[i] = geo.TileAt(8+rnd.IntN(7), b.MinX+rnd.Float64()*(b.MaxX-b.MinX), b.MinY+rnd.Float64()*(b.MaxY-b.MinY))
	}
	return list
}

// fullTile returns a shelf with one item of four 10 m bands at full size. They are made once and kept beside the other
// temporary files, since it takes a minute.
func fullTile(b *testing.B) *shelf.Shelf {
	b.Helper()
	s := shelf.New(b)
	assets := map[string]shelf.Asset{}
	for i, band := range []string{"B02", "B03", "B04", "B08"} {
		kept := filepath.Join(os.TempDir(), "swath-bench", band+".tif")
		if _, err := os.Stat(kept); err != nil {
			if err := makeBand(b, kept, uint64(i)); err != nil {
				b.Fatal(err)
			}
		}
		key := "bench/bench/1/" + band + ".tif"
		if err := os.MkdirAll(filepath.Dir(s.Path(key)), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.Symlink(kept, s.Path(key)); err != nil {
			b.Fatal(err)
		}
		assets[band] = shelf.Asset{"swath:object": key, "nodata": 0, "raster:scale": 0.0001, "bands": []map[string]any{{"name": band}}}
	}
	s.Item("bench", "bench", assets)
	return s
}

// makeBand writes noise over fields, uint16, on the grid of tile 31TCJ.
func makeBand(b *testing.B, path string, seed uint64) error {
	const side, field = 10980, 64
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	raw := path + ".bin"
	defer os.Remove(raw)
	defer os.Remove(path + ".vrt")
	defer os.Remove(path + ".plain.tif")
	fields, noise := rand.New(rand.NewPCG(1, seed)), rand.New(rand.NewPCG(2, seed))
	level := make([]int, (side/field+1)*(side/field+1))
	for i := range level {
		level[i] = 300 + fields.IntN(3000)
	}
	image := make([]byte, 0, 2*side*side)
	for y := range side {
		for x := range side {
			v := uint16(level[y/field*(side/field+1)+x/field] + noise.IntN(180))
			image = append(image, byte(v), byte(v>>8))
		}
	}
	if err := os.WriteFile(raw, image, 0o644); err != nil {
		return err
	}
	vrt := fmt.Sprintf(`<VRTDataset rasterXSize="%d" rasterYSize="%d"><SRS>EPSG:32631</SRS><GeoTransform>300000, 10, 0, 4900020, 0, -10</GeoTransform>
<VRTRasterBand dataType="UInt16" band="1" subClass="VRTRawRasterBand"><SourceFilename relativeToVRT="0">%s</SourceFilename><ImageOffset>0</ImageOffset>
<PixelOffset>2</PixelOffset><LineOffset>%d</LineOffset><ByteOrder>LSB</ByteOrder></VRTRasterBand></VRTDataset>`, side, side, raw, 2*side)
	if err := os.WriteFile(path+".vrt", []byte(vrt), 0o644); err != nil {
		return err
	}
	gdal(b, "", "gdal_translate", "-q", path+".vrt", path+".plain.tif")
	if err := raster.WriteCOG(b.Context(), path+".plain.tif", path+".part", raster.COGOptions{}); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
