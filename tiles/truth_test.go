package tiles

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"swath/geo"
	"swath/internal/shelf"
	"swath/raster"
)

const depth = shelf.Depth(1)

// gdal returns the output of one of GDAL's command line tools, or skips the test where they are not installed.
func gdal(t testing.TB, stdin string, tool string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("GDAL's command line tools are not installed: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), tool, args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", tool, err, stderr.String())
	}
	return out
}

// exactWarp returns one band on a grid as GDAL computes it without approximating the transform; NaN is nodata.
func exactWarp(t *testing.T, path string, band int, how string, noData *float64, g raster.Grid) []float32 {
	t.Helper()
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	x0, y0 := g.Transform.Apply(0, 0)
	x1, y1 := g.Transform.Apply(float64(g.Width), float64(g.Height))
	out := filepath.Join(t.TempDir(), "out.bin") // all bands: one band through a VRT would shift overviews of odd sizes
	args := []string{"-q", "-et", "0", "-r", how, "-t_srs", "EPSG:3857", "-te", number(x0), number(y1), number(x1), number(y0),
		"-ts", fmt.Sprint(g.Width), fmt.Sprint(g.Height), "-ot", "Float32", "-dstnodata", "nan", "-of", "ENVI"}
	if noData != nil {
		args = append(args, "-srcnodata", number(*noData))
	}
	gdal(t, "", "gdalwarp", append(args, path, out)...)
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, g.Width*g.Height)
	start := (band - 1) * 4 * len(values)
	if len(raw) < start+4*len(values) {
		t.Fatalf("gdalwarp left %d bytes, too few for band %d of %d values", len(raw), band, len(values))
	}
	if _, err := binary.Decode(raw[start:], binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestTilesAreGDALsExactWarp draws more than 200 random tiles of five rasters over their zooms and compares the values with
// gdalwarp -et 0 of the same COG.
func TestTilesAreGDALsExactWarp(t *testing.T) {
	s := shelf.New(t)
	s.T31TDH(depth)
	s.Spain(depth)
	s.JMM(depth)
	r := New(s.Catalog(), s.Open, Options{})
	total := 0
	for _, tc := range []struct {
		collection, item, name, object string
		band                           int
		noData                         *float64
		zooms                          []int
	}{
		{"sentinel-2-l1c", "T31TDH", "B04", "sentinel-2-l1c/T31TDH/1/B04.tif", 1, ptr(0), []int{11, 12, 13, 14, 15, 16, 17, 18}},
		{"sentinel-2-l1c", "T31TDH", "B11", "sentinel-2-l1c/T31TDH/1/B11.tif", 1, ptr(0), []int{12, 14, 15, 16}},
		{"spain", "s2", "B08", "spain/s2/1/S2_L1C_13band.tif", 8, nil, []int{10, 11, 13, 14, 15, 16, 17}},
		{"spain", "s1", "VV", "spain/s1/1/S1_VV_VH_sigma0_dB.tif", 1, nil, []int{12, 14, 15, 16}},
		{"jmm", "jmm", "B08", "jmm/jmm/1/B08.tif", 1, ptr(0), []int{6, 7, 8, 9, 10, 11, 12}},
	} {
		v, err := r.View(t.Context(), Request{Collection: tc.collection, Item: tc.item, Assets: []string{tc.name}, Stored: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, z := range tc.zooms {
			name := fmt.Sprintf("%s %s z%d", tc.item, tc.name, z)
			tally := compareTiles(t, v, z, 16, func(g raster.Grid) []float32 { return exactWarp(t, s.Path(tc.object), tc.band, "near", tc.noData, g) })
			total += tally.tiles
			t.Logf("%-22s %3d tiles, %8d valid px, %.4f %% identical, mask differs in %d px, %d away from edges", name, tally.tiles, tally.valid, 100*tally.same(), tally.mask, tally.inner)
			if tally.valid == 0 || tally.same() < 0.999 || tally.inner > 0 {
				t.Errorf("%s: %+v, want >= 99.9 %% identical and equal masks", name, tally)
			}
		}
	}
	if total < 200 {
		t.Errorf("%d tiles were compared, want 200", total)
	}
}

// tally counts pixels: mask is where only one of the two has a value, inner is that where no neighbour is without one.
type tally struct{ tiles, valid, equal, mask, inner int }

func (c tally) same() float64 { return float64(c.equal) / math.Max(1, float64(c.valid)) }

// compareTiles compares up to most random tiles of one level with the truth, which is asked for once for all of them.
func compareTiles(t *testing.T, v *View, z, most int, truth func(raster.Grid) []float32) (sum tally) {
	t.Helper()
	b := v.item.Bounds
	from, to := geo.TileAt(z, b.MinX, b.MaxY), geo.TileAt(z, b.MaxX, b.MinY)
	const side = 6 // tiles of the window that is drawn at once
	rnd := rand.New(rand.NewPCG(3, uint64(z)))
	if to.X-from.X >= side {
		from.X += rnd.IntN(to.X - from.X - side + 2)
	}
	if to.Y-from.Y >= side {
		from.Y += rnd.IntN(to.Y - from.Y - side + 2)
	}
	across, down := min(to.X-from.X+1, side), min(to.Y-from.Y+1, side)
	all := raster.Grid{CRS: geo.WebMercator, Transform: from.Transform(256), Width: 256 * across, Height: 256 * down}
	want := truth(all)
	for _, n := range rnd.Perm(across * down)[:min(most, across*down)] {
		tile := geo.Tile{Z: z, X: from.X + n%across, Y: from.Y + n/across}
		got, err := v.planes(t.Context(), raster.Grid{CRS: geo.WebMercator, Transform: tile.Transform(256), Width: 256, Height: 256}, nil)
		if err != nil {
			t.Fatal(err)
		}
		sum.tiles++
		sum.add(got[0], want, all, 256*(n%across), 256*(n/across))
	}
	return sum
}

// add compares one tile with its window of the truth.
func (c *tally) add(got, want []float32, all raster.Grid, column, row int) {
	for y := range 256 {
		for x := range 256 {
			g, at := got[y*256+x], (row+y)*all.Width+column+x
			switch w := want[at]; {
			case isNaN(g) != isNaN(w):
				c.mask++
				if !onEdge(want, all, column+x, row+y) {
					c.inner++
				}
			case !isNaN(g):
				c.valid++
				if g == w {
					c.equal++
				}
			}
		}
	}
}

// onEdge reports whether a pixel or one of its neighbours differs from the others in being nodata, or lies outside.
func onEdge(values []float32, g raster.Grid, column, row int) bool {
	own := isNaN(values[row*g.Width+column])
	for y := row - 1; y <= row+1; y++ {
		for x := column - 1; x <= column+1; x++ {
			if x < 0 || y < 0 || x >= g.Width || y >= g.Height || isNaN(values[y*g.Width+x]) != own {
				return true
			}
		}
	}
	return false
}

// TestSmoothTilesAreGDALs does the same with bilinear and cubic. Enlarged pixels agree to less than one digital number. Where
// pixels are reduced the kernels widen: GDAL takes their width from the part of the tile that the raster covers, we from the
// projection, so single pixels may differ by a little contrast (50 DN, 0.005 of reflectance) but not on average.
func TestSmoothTilesAreGDALs(t *testing.T) {
	s := shelf.New(t)
	s.T31TDH(depth)
	r := New(s.Catalog(), s.Open, Options{})
	for _, how := range []string{"bilinear", "cubic"} {
		v, err := r.View(t.Context(), Request{Collection: "sentinel-2-l1c", Item: "T31TDH", Assets: []string{"B04"}, Stored: true, Resampling: how})
		if err != nil {
			t.Fatal(err)
		}
		for z, tolerance := range map[int]float64{12: 50, 13: 50, 14: 1, 16: 1} {
			lon, lat := v.item.center()
			tile := geo.TileAt(z, lon, lat)
			grid := raster.Grid{CRS: geo.WebMercator, Transform: tile.Transform(256), Width: 256, Height: 256}
			got, err := v.planes(t.Context(), grid, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := exactWarp(t, s.Path("sentinel-2-l1c/T31TDH/1/B04.tif"), 1, how, ptr(0), grid)
			valid, worst, sum := 0, 0.0, 0.0
			for i, w := range want {
				if isNaN(w) || isNaN(got[0][i]) || nearEdge(want, grid, i%256, i/256) {
					continue
				}
				valid++
				d := float64(got[0][i] - w)
				worst, sum = max(worst, math.Abs(d)), sum+d
			}
			mean := sum / float64(valid)
			if t.Logf("%-8s z%d: %d px differ by %.2f DN on average, %.1f at most", how, z, valid, mean, worst); valid < 1000 || worst > tolerance || math.Abs(mean) > 1 {
				t.Errorf("%s z%d: %d px differ by %.2f DN on average, %.1f at most; want %g", how, z, valid, mean, worst, tolerance)
			}
		}
	}
}

// nearEdge reports whether nodata lies within the reach of a kernel.
func nearEdge(values []float32, g raster.Grid, column, row int) bool {
	const reach = 3
	for y := max(0, row-reach); y <= min(g.Height-1, row+reach); y++ {
		for x := max(0, column-reach); x <= min(g.Width-1, column+reach); x++ {
			if isNaN(values[y*g.Width+x]) {
				return true
			}
		}
	}
	return false
}

// TestNDVIIsThatOfTheSourceBands asks 100 random places for NDVI and computes it from what gdallocationinfo reads in the
// product's own JPEG 2000 files.
func TestNDVIIsThatOfTheSourceBands(t *testing.T) {
	s := shelf.New(t)
	s.T31TDH(depth)
	r := New(s.Catalog(), s.Open, Options{})
	const ndvi = "(B08-B04)/(B08+B04)"
	v, err := r.View(t.Context(), Request{Collection: "sentinel-2-l1c", Item: "T31TDH", Render: "ndvi"})
	if err != nil {
		t.Fatal(err)
	}
	z := 16
	b, web := v.item.Bounds, projection(geo.WebMercator)
	rnd := rand.New(rand.NewPCG(1, 2))
	var places strings.Builder
	var values []PointValues
	for len(values) < 100 {
		lon, lat := b.MinX+rnd.Float64()*(b.MaxX-b.MinX), b.MinY+rnd.Float64()*(b.MaxY-b.MinY)
		tile := geo.TileAt(z, lon, lat)
		x, y := web.FromLonLat(lon, lat)
		inverse, _ := tile.Transform(256).Invert()
		column, row := inverse.Apply(x, y)
		column, row = math.Floor(column)+0.5, math.Floor(row)+0.5 // the centre of a tile's pixel
		lon, lat = web.ToLonLat(tile.Transform(256).Apply(column, row))
		p, err := r.Point(t.Context(), Request{Collection: "sentinel-2-l1c", Item: "T31TDH", Expression: ndvi}, lon, lat)
		if err != nil {
			t.Fatal(err)
		}
		if p.Values[0] == nil {
			continue // beside the tilted square
		}
		grid := raster.Grid{CRS: geo.WebMercator, Transform: tile.Transform(256), Width: 256, Height: 256}
		planes, err := v.planes(t.Context(), grid, nil)
		if err != nil {
			t.Fatal(err)
		}
		if drawn := planes[0][int(row)*256+int(column)]; drawn != *p.Values[0] {
			t.Errorf("at %.6f, %.6f the tile has %g, the point %g", lon, lat, drawn, *p.Values[0])
		}
		values = append(values, p)
		fmt.Fprintf(&places, "%.9f %.9f\n", lon, lat)
	}
	source := func(band string) []string {
		path := shelf.Data(t, depth, "s2-crops/t31tdh-l1c-20150726/IMG_DATA/T31TDH_20150726T105026_"+band+".jp2")
		return strings.Fields(string(gdal(t, places.String(), "gdallocationinfo", "-wgs84", "-valonly", path)))
	}
	nir, red := source("B08"), source("B04")
	for i, p := range values {
		n, err1 := strconv.ParseFloat(nir[i], 64)
		d, err2 := strconv.ParseFloat(red[i], 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("gdallocationinfo said %q and %q", nir[i], red[i])
		}
		if stored := [2]float64{float64(*p.Bands[0].Stored), float64(*p.Bands[1].Stored)}; stored != [2]float64{n, d} {
			t.Errorf("place %d: stored B08, B04 = %v, GDAL reads %v", i, stored, [2]float64{n, d})
		}
		if got, want := float64(*p.Values[0]), (n-d)/(n+d); math.Abs(got-want) > 1e-6 {
			t.Errorf("place %d: NDVI %g, want %g", i, got, want)
		}
		if got, want := float64(*p.Bands[0].Value), n*0.0001; math.Abs(got-want) > 1e-7 {
			t.Errorf("place %d: reflectance %g, want %g", i, got, want)
		}
	}
}

func projection(code geo.EPSG) geo.Projection { p, _ := geo.ProjectionOf(code); return p }
