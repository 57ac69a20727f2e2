package tiles

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/internal/shelf"
	"swath/raster"
)

// extracted writes an extraction to a file.
func extracted(t *testing.T, r *Renderer, q Request, w Where, f DataFormat) (path string, frame Frame) {
	t.Helper()
	v, err := r.View(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if frame, err = v.DataFrame(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	data, err := v.Data(t.Context(), frame, f)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	body, err := io.ReadAll(data)
	if err != nil || int64(len(body)) != data.Size {
		t.Fatalf("%d bytes of %d: %v", len(body), data.Size, err)
	}
	path = filepath.Join(t.TempDir(), "data."+string(f))
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, frame
}

// read returns all bands of a raster as GDAL reads them, band after band.
func read(t *testing.T, src string, switches ...string) []float32 {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.bin")
	gdal(t, "", "gdal_translate", append(append([]string{"-q", "-ot", "Float32", "-of", "ENVI", "-co", "INTERLEAVE=BSQ"}, switches...), src, out)...)
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, len(raw)/4)
	if _, err := binary.Decode(raw, binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	return values
}

// differ returns the first place where two planes differ; NaN is the same as a nodata value.
func differ(got, want []float32, noData, tolerance float64) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d values, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := float64(got[i])
		if math.IsNaN(g) && (isNaN(w) || float64(w) == noData) || math.Abs(g-float64(w)) <= tolerance {
			continue
		}
		return fmt.Sprintf("value %d is %g, want %g", i, g, w)
	}
	return ""
}

type info struct {
	Size         [2]int
	GeoTransform [6]float64
	STAC         struct {
		EPSG int `json:"proj:epsg"`
	}
	Bands []struct {
		Type, Description string
		NoDataValue       any
		Scale, Offset     float64
	}
}

func inspect(t *testing.T, path string) (out info) {
	t.Helper()
	if err := json.Unmarshal(gdal(t, "", "gdalinfo", "-json", path), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDataAreTheStoredPixels extracts boxes on the raster's own grid and has GDAL cut the same out of the COG.
func TestDataAreTheStoredPixels(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	s.Spain(depth)
	r := New(s.Catalog(), s.Open, Options{Work: t.TempDir()})
	full := inspect(t, s.Path("jmm/jmm/1/B08.tif"))
	g := geo.Affine(full.GeoTransform)
	west, north := g.Apply(100, 40)
	east, south := g.Apply(431, 240)
	q := Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08", "B04"}, Stored: true}
	system := geo.EPSG(full.STAC.EPSG)
	path, frame := extracted(t, r, q, Where{Box: &geo.Box{MinX: west, MinY: south, MaxX: east, MaxY: north}, Coords: system}, TIFF)
	got := inspect(t, path)
	if got.Size != [2]int{331, 200} || got.STAC.EPSG != full.STAC.EPSG || got.GeoTransform != [6]float64{west, g[1], 0, north, 0, g[5]} {
		t.Fatalf("the file says %+v", got)
	}
	if b := got.Bands; b[0].Type != "UInt16" || b[0].Description != "B08" || b[1].Description != "B04" || b[1].NoDataValue != float64(0) {
		t.Errorf("its bands are %+v", b)
	}
	values := read(t, path)
	for i, band := range []string{"B08", "B04"} {
		want := read(t, s.Path("jmm/jmm/1/"+band+".tif"), "-srcwin", "100", "40", "331", "200")
		if wrong := differ(values[i*len(want):(i+1)*len(want)], want, 0, 0); wrong != "" {
			t.Errorf("%s: %s", band, wrong)
		}
	}
	if frame.Grid.Width != 331 {
		t.Errorf("frame %v", frame)
	}
	// The whole raster: one band of float32 and one of nine, in degrees.
	path, _ = extracted(t, r, Request{Collection: "spain", Item: "s1", Assets: []string{"VV", "VH"}, Stored: true}, Where{}, TIFF)
	if wrong := differ(read(t, path), read(t, s.Path("spain/s1/1/S1_VV_VH_sigma0_dB.tif")), math.NaN(), 0); wrong != "" {
		t.Errorf("Spain, radar: %s", wrong)
	}
	// An expression of physical values.
	path, _ = extracted(t, r, Request{Collection: "jmm", Item: "jmm", Expression: "(B08-B04)/(B08+B04)"}, Where{Box: &geo.Box{MinX: west, MinY: south, MaxX: east, MaxY: north}, Coords: system}, TIFF)
	ndvi, n := read(t, path), 331*200
	for i, v := range ndvi {
		nir, red := float64(values[i]), float64(values[n+i])
		if nir == 0 || red == 0 {
			if !isNaN(v) {
				t.Fatalf("pixel %d: NDVI %g of nodata", i, v)
			}
		} else if want := (nir - red) / (nir + red); math.Abs(float64(v)-want) > 1e-6 {
			t.Fatalf("pixel %d: NDVI %g, want %g", i, v, want)
		}
	}
}

// TestDataInAnotherSystem compares an extraction of many rows with GDAL's exact warp to the same grid.
func TestDataInAnotherSystem(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	r := New(s.Catalog(), s.Open, Options{Work: t.TempDir()})
	q := Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08"}, Stored: true}
	for name, w := range map[string]Where{
		"degrees":       {System: geo.WGS84, Resolution: 0.0005},
		"the web map":   {System: geo.WebMercator, Size: Size{MaxPx: 1500}},
		"another zone":  {System: 32755, Size: Size{WidthPx: 700}},
		"Lambert, PROJ": {System: 3577, Resolution: 100},
	} {
		t.Run(name, func(t *testing.T) {
			path, frame := extracted(t, r, q, w, TIFF)
			g := frame.Grid
			x0, y0 := g.Transform.Apply(0, 0)
			x1, y1 := g.Transform.Apply(float64(g.Width), float64(g.Height))
			number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
			warped := filepath.Join(t.TempDir(), "warped.tif")
			gdal(t, "", "gdalwarp", "-q", "-et", "0", "-r", "near", "-t_srs", g.CRS.String(), "-te", number(x0), number(y1), number(x1), number(y0),
				"-ts", fmt.Sprint(g.Width), fmt.Sprint(g.Height), s.Path("jmm/jmm/1/B08.tif"), warped)
			got, want := read(t, path), read(t, warped)
			if len(got) != len(want) || len(got) < 100_000 {
				t.Fatalf("%d values, want %d", len(got), len(want))
			}
			other := 0
			for i := range got {
				if got[i] != want[i] {
					other++
				}
			}
			t.Logf("%d x %d pixels, %d differ", g.Width, g.Height, other)
			if float64(other) > 0.001*float64(len(got)) {
				t.Errorf("%d of %d pixels differ", other, len(got))
			}
			if w.Resolution > 0 && math.Abs(g.Transform[1]-w.Resolution) > 1e-12 {
				t.Errorf("a pixel is %g wide, want %g", g.Transform[1], w.Resolution)
			}
		})
	}
}

// TestDataTableAndNetCDF reads the same pixels in the three formats.
func TestDataTableAndNetCDF(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	r := New(s.Catalog(), s.Open, Options{Work: t.TempDir()})
	q := Request{Collection: "jmm", Item: "jmm", Expression: "B08;(B08-B04)/(B08+B04)"}
	lon, lat := 152.3, -30.3
	w := Where{Box: &geo.Box{MinX: lon, MinY: lat, MaxX: lon + 0.05, MaxY: lat + 0.04}, Coords: geo.WGS84}
	tif, frame := extracted(t, r, q, w, TIFF)
	want, n := read(t, tif), frame.Grid.Width*frame.Grid.Height

	nc, _ := extracted(t, r, q, w, NetCDF)
	for i, variable := range []string{"B08", "b_B08_B04___B08_B04_"} {
		if wrong := differ(read(t, fmt.Sprintf("NETCDF:%s:%s", nc, variable)), want[i*n:(i+1)*n], math.NaN(), 0); wrong != "" {
			t.Errorf("NetCDF, %s: %s", variable, wrong)
		}
	}
	said := string(gdal(t, "", "gdalinfo", fmt.Sprintf("NETCDF:%s:B08", nc)))
	for _, part := range []string{"NC_GLOBAL#Conventions=CF-1.", "NC_GLOBAL#title=jmm", "x#standard_name=projection_x_coordinate", "long_name=B08", `ID["EPSG",32756]`} {
		if !strings.Contains(said, part) {
			t.Errorf("the NetCDF file does not say %s:\n%s", part, said)
		}
	}

	nc, _ = extracted(t, r, Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08", "B04"}, Stored: true}, w, NetCDF)
	stored := inspect(t, fmt.Sprintf("NETCDF:%s:B08", nc))
	if b := stored.Bands[0]; b.Type != "UInt16" || b.NoDataValue != float64(0) || b.Scale != 0.0001 {
		t.Errorf("stored values in NetCDF: %+v", b)
	}

	csv, _ := extracted(t, r, q, w, CSV)
	body, err := os.ReadFile(csv)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(body), "\r\n"), "\r\n")
	if lines[0] != "x,y,longitude,latitude,B08,(B08-B04)/(B08+B04)" {
		t.Fatalf("head %q", lines[0])
	}
	at, utm := 0, projection(frame.Grid.CRS)
	for _, line := range lines[1:] {
		var cells [6]float64
		for i, text := range strings.Split(line, ",") {
			if cells[i], err = strconv.ParseFloat(text, 64); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
		for isNaN(want[at]) {
			at++
		}
		x, y := frame.Grid.Transform.Apply(float64(at%frame.Grid.Width)+0.5, float64(at/frame.Grid.Width)+0.5)
		lon, lat := utm.ToLonLat(x, y)
		if cells[0] != x || cells[1] != y || math.Abs(cells[2]-lon) > 1e-8 || math.Abs(cells[3]-lat) > 1e-8 || float32(cells[4]) != want[at] || float32(cells[5]) != want[n+at] {
			t.Fatalf("line %q, want %g,%g,%g,%g,%g,%g", line, x, y, lon, lat, want[at], want[n+at])
		}
		at++
	}
	if at < 370 {
		t.Errorf("only %d lines", at)
	}
}

// TestDataOfAFeature has nodata outside of a triangle, and the stored pixels inside.
func TestDataOfAFeature(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	r := New(s.Catalog(), s.Open, Options{Work: t.TempDir()})
	area, err := ParseArea([]byte(`{"type":"Polygon","coordinates":[[[152.3,-30.3],[152.6,-30.3],[152.3,-30.0],[152.3,-30.3]]]}`), geo.WGS84)
	if err != nil {
		t.Fatal(err)
	}
	q := Request{Collection: "jmm", Item: "jmm", Assets: []string{"B04"}, Stored: true}
	path, frame := extracted(t, r, q, Where{Area: area, Coords: geo.WGS84}, TIFF)
	around := frameBox(frame)
	whole, _ := extracted(t, r, q, Where{Box: &around, Coords: frame.Grid.CRS}, TIFF)
	got, all := read(t, path), read(t, whole)
	if len(got) != len(all) {
		t.Fatalf("%d and %d pixels", len(got), len(all))
	}
	utm, in, out := projection(frame.Grid.CRS), 0, 0
	for i, v := range got {
		lon, lat := utm.ToLonLat(frame.Grid.Transform.Apply(float64(i%frame.Grid.Width)+0.5, float64(i/frame.Grid.Width)+0.5))
		inside := math.Min(math.Min(lon-152.3, lat+30.3), 152.6-lon-(lat+30.3)) // distance to the nearest edge, about, in degrees
		switch {
		case inside > 0.004 && v != all[i]:
			t.Fatalf("inside, pixel %d: %g, want %g", i, v, all[i])
		case inside < -0.004 && v != 0:
			t.Fatalf("outside, pixel %d: %g", i, v)
		case inside > 0.004:
			in++
		case inside < -0.004:
			out++
		}
	}
	if in < 1000 || out < 1000 {
		t.Errorf("%d pixels inside, %d outside", in, out)
	}
}

func frameBox(f Frame) geo.Box {
	x0, y0 := f.Grid.Transform.Apply(0, 0)
	x1, y1 := f.Grid.Transform.Apply(float64(f.Grid.Width), float64(f.Grid.Height))
	return geo.Box{MinX: x0, MinY: y1, MaxX: x1, MaxY: y0}
}

// TestDataRefusals asks for what is too much or nowhere: refused before anything is read, with the number.
func TestDataRefusals(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	s.Barbellino(depth)
	folder := t.TempDir()
	r := New(s.Catalog(), s.Open, Options{Work: folder})
	v, err := r.View(t.Context(), Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		where  Where
		format DataFormat
		kind   fault.Kind
		says   string
	}{
		"beside":            {Where{Box: &geo.Box{MinX: 1, MinY: 43, MaxX: 2, MaxY: 44}, Coords: geo.WGS84}, TIFF, fault.Invalid, "beside"},
		"upside down":       {Where{Box: &geo.Box{MinX: 1, MinY: 44, MaxX: 2, MaxY: 43}, Coords: geo.WGS84}, TIFF, fault.Invalid, "minx,miny"},
		"off the globe":     {Where{Box: &geo.Box{MinX: 1, MinY: 44, MaxX: 2, MaxY: 143}, Coords: geo.WGS84}, TIFF, fault.Invalid, "globe"},
		"too many pixels":   {Where{Size: Size{WidthPx: 40000}}, TIFF, fault.TooLarge, "1073741824"},
		"too wide":          {Where{Size: Size{WidthPx: 70000}}, TIFF, fault.TooLarge, "65536"},
		"too fine":          {Where{System: geo.WebMercator, Resolution: 0.001}, TIFF, fault.TooLarge, "65536"},
		"too many lines":    {Where{System: geo.WGS84, Size: Size{WidthPx: 4000}}, CSV, fault.TooLarge, "4000000"},
		"no resolution":     {Where{Resolution: math.NaN()}, TIFF, fault.Invalid, "resolution"},
		"two sizes":         {Where{Resolution: 1, Size: Size{MaxPx: 3}}, TIFF, fault.Invalid, "not both"},
		"an unknown system": {Where{System: 30000}, TIFF, fault.Invalid, "30000"},
	} {
		t.Run(name, func(t *testing.T) {
			frame, err := v.DataFrame(t.Context(), tc.where)
			if err == nil {
				_, err = v.Data(t.Context(), frame, tc.format)
			}
			if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, want %v that says %s", err, tc.kind, tc.says)
			}
		})
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestVariables(t *testing.T) {
	got := variables([]string{"B04", "B04", "x", "8-4", "", "é", "B04_2"})
	if want := "B04 B04_2 x_2 b8_4 b b_ B04_2_2"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %s", got, want)
	}
}

func TestCommonType(t *testing.T) {
	for _, tc := range [][3]raster.DataType{{"uint8", "uint8", "uint8"}, {"uint8", "uint16", "uint16"}, {"uint8", "int16", "int16"}, {"int8", "uint8", "int16"},
		{"int16", "uint16", "float32"}, {"float64", "uint8", "float32"}} {
		if a, b := common(tc[0], tc[1]), common(tc[1], tc[0]); a != tc[2] || b != tc[2] {
			t.Errorf("%s and %s: %s and %s, want %s", tc[0], tc[1], a, b, tc[2])
		}
	}
}

// TestDataOfSensorGeometry extracts a raster that ground control points place: it comes in degrees, each pixel with the value that
// is at its centre.
func TestDataOfSensorGeometry(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	zero := 0.0
	c := s.COG("radar/i/1/vv.tif", s.Path("jmm/jmm/1/B08.tif"), raster.COGOptions{NoData: &zero, GCPs: []geo.GCP{
		{Column: 0, Row: 0, LonDeg: 10, LatDeg: 45.1}, {Column: 439, Row: 0, LonDeg: 11, LatDeg: 45}, {Column: 0, Row: 439, LonDeg: 9.9, LatDeg: 44.2}, {Column: 439, Row: 439, LonDeg: 10.9, LatDeg: 44.1}}})
	if len(c.GCPs) != 4 || c.Levels[0].Width != 439 {
		t.Fatalf("%+v", c)
	}
	s.Item("radar", "i", map[string]shelf.Asset{"vv": {"swath:object": "radar/i/1/vv.tif", "nodata": 0, "bands": []map[string]any{{"name": "vv"}}}}, 9.9, 44.1, 11, 45.1)
	s.Presets("radar", "{}")
	r := New(s.Catalog(), s.Open, Options{Work: t.TempDir()})
	q := Request{Collection: "radar", Item: "i", Assets: []string{"vv"}, Stored: true}
	path, frame := extracted(t, r, q, Where{Box: &geo.Box{MinX: 10.2, MinY: 44.4, MaxX: 10.6, MaxY: 44.7}, Coords: geo.WGS84}, TIFF)
	if got := inspect(t, path); got.STAC.EPSG != 4326 || got.Bands[0].Type != "UInt16" {
		t.Fatalf("the file says %+v", got)
	}
	values, valid, other := read(t, path), 0, 0
	for i := 0; i < len(values); i += 37 {
		lon, lat := frame.Grid.Transform.Apply(float64(i%frame.Grid.Width)+0.5, float64(i/frame.Grid.Width)+0.5)
		p, err := r.Point(t.Context(), q, lon, lat)
		if err != nil {
			t.Fatal(err)
		}
		want := float32(0)
		if v := p.Values[0]; v != nil {
			want, valid = *v, valid+1
		}
		if values[i] != want {
			other++
		}
	}
	if t.Logf("%d x %d pixels, %d compared, %d differ", frame.Grid.Width, frame.Grid.Height, valid, other); valid < 100 || other*200 > valid {
		t.Errorf("%d of %d pixels differ from the values at their centres", other, valid)
	}
}
