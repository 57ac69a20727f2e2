package tiles

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/internal/shelf"
	"swath/raster"
	"swath/render"
)

// TestRasterWithoutCode: a grid that EPSG does not know (EQUI7) is drawn where GDAL has it.
func TestRasterWithoutCode(t *testing.T) {
	s := shelf.New(t)
	source := shelf.Data(t, depth, "s1-timeseries/poland-s1-sigma0-vh/SIG0_20200701_VH_D022.tif")
	s.COG("c/poland/1/vh.tif", source, raster.COGOptions{})
	s.Item("c", "poland", map[string]shelf.Asset{"vh": {"swath:object": "c/poland/1/vh.tif", "bands": []map[string]any{{"name": "vh"}}}}, 15.5, 51.88, 15.56, 51.9)
	r := New(s.Catalog(), s.Open, Options{})
	v, err := r.View(t.Context(), Request{Collection: "c", Item: "poland", Assets: []string{"vh"}, Rescale: [][2]float64{{-300, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	tile := geo.TileAt(15, 15.53, 51.89)
	if _, err := v.Tile(t.Context(), tile, render.PNG); err != nil {
		t.Error(err)
	}
	grid := raster.Grid{CRS: geo.WebMercator, Transform: tile.Transform(256), Width: 256, Height: 256}
	planes, err := v.planes(t.Context(), grid, nil)
	if err != nil {
		t.Fatal(err)
	}
	mercator, _ := geo.ProjectionOf(geo.WebMercator)
	var places strings.Builder
	var drawn []float32
	for y := 4; y < 256; y += 9 {
		for x := 4; x < 256; x += 9 {
			lon, lat := mercator.ToLonLat(grid.Transform.Apply(float64(x)+0.5, float64(y)+0.5))
			fmt.Fprintf(&places, "%.9f %.9f\n", lon, lat)
			drawn = append(drawn, planes[0][y*256+x])
		}
	}
	want := strings.Split(string(gdal(t, places.String(), "gdallocationinfo", "-wgs84", "-valonly", source)), "\n")
	same, valid := 0, 0
	for i, value := range drawn {
		truth, err := strconv.ParseFloat(strings.TrimSpace(want[i]), 32)
		if err != nil || truth == -9999 {
			truth = math.NaN()
		} else {
			valid++
		}
		if value == float32(truth) || isNaN(value) && math.IsNaN(truth) {
			same++
		}
	}
	if valid < 300 || same < len(drawn)*99/100 {
		t.Errorf("%d of %d places, %d of them measured, have the value that GDAL finds there", same, len(drawn), valid)
	}
}

// TestSensorGeometry draws a raster that is placed by ground control points alone and finds its pixels where the points say.
func TestSensorGeometry(t *testing.T) {
	s := shelf.New(t)
	// The Spanish radar crop as if it were 0.2 degrees wide and high, turned by 10 degrees, seen from its corner.
	const turn, lon0, lat0 = 10 * math.Pi / 180, 2.0, 44.0
	place := func(column, row float64) (lon, lat float64) {
		x, y := 0.2*column/512, -0.2*row/512
		return lon0 + x*math.Cos(turn) - y*math.Sin(turn), lat0 + x*math.Sin(turn) + y*math.Cos(turn)
	}
	var points []geo.GCP
	for row := 0.0; row <= 512; row += 128 {
		for column := 0.0; column <= 512; column += 128 {
			lon, lat := place(column, row)
			points = append(points, geo.GCP{Column: column, Row: row, LonDeg: lon, LatDeg: lat})
		}
	}
	source := filepath.Join("..", "testdata", "scenes", "spain-flood-2019", "S1_VV_VH_sigma0_dB.tif")
	plain := filepath.Join(t.TempDir(), "plain.tif")
	gdal(t, "", "gdal_translate", "-q", "-co", "PROFILE=BASELINE", "--config", "GDAL_PAM_ENABLED", "NO", source, plain)
	s.COG("c/grd/1/vv.tif", plain, raster.COGOptions{GCPs: points})
	s.Item("c", "grd", map[string]shelf.Asset{"x": {"swath:object": "c/grd/1/vv.tif", "bands": []map[string]any{{"name": "vv"}, {"name": "vh"}}}}, 1.9, 43.7, 2.3, 44.1)
	r := New(s.Catalog(), s.Open, Options{})
	c, release, err := r.cog(t.Context(), "c/grd/1/vv.tif")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	full, err := r.reader.Read(t.Context(), c, 0, raster.Window{Width: 512, Height: 512}, []int{2})
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.View(t.Context(), Request{Collection: "c", Item: "grd", Expression: "VH"})
	if err != nil {
		t.Fatal(err)
	}
	web, wrong, seen := projection(geo.WebMercator), 0, 0
	for row := 10.5; row < 512; row += 50 {
		for column := 10.5; column < 512; column += 50 {
			lon, lat := place(column, row)
			want := full[0][int(row)*512+int(column)]
			p, err := r.Point(t.Context(), Request{Collection: "c", Item: "grd", Expression: "VH"}, lon, lat)
			if err != nil {
				t.Fatal(err)
			}
			x, y := web.FromLonLat(lon, lat)
			one := raster.Grid{CRS: geo.WebMercator, Transform: geo.Affine{x - 0.5, 1, 0, y + 0.5, 0, -1}, Width: 1, Height: 1}
			planes, err := v.planes(t.Context(), one, nil)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			if p.Values[0] == nil || *p.Values[0] != want || planes[0][0] != want {
				wrong++
			}
		}
	}
	if seen < 100 || wrong > 0 {
		t.Errorf("%d of %d places show another pixel", wrong, seen)
	}
	doc, err := v.TileJSON(t.Context(), "{z}/{x}/{y}")
	if err != nil || doc.MaxZoom < 11 || doc.MaxZoom > 13 { // 0.2 degrees of longitude in 512 pixels: 43 m of map
		t.Errorf("levels %d to %d, %v; want about 12", doc.MinZoom, doc.MaxZoom, err)
	}
	info, err := r.Info(t.Context(), "c", "grd", nil)
	if !fault.Is(err, fault.NotFound) { // the collection is not there
		t.Errorf("info without a collection: %+v, %v", info, err)
	}
	s.Presets("c", "{}")
	if info, err = r.Info(t.Context(), "c", "grd", nil); err != nil || info.Assets[0].GCPs != len(points) || info.Assets[0].Transform != nil {
		t.Errorf("info: %+v, %v", info, err)
	}
}
