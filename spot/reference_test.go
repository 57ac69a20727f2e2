package spot

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"swath/geo"
	"swath/sentinel/safe"
)

// scene is the simulated SPOT 5 scene of the shared data, whose reflectances are known.
func scene(t *testing.T) (*safe.Product, *Product) {
	t.Helper()
	archive := filepath.Join("..", "..", "shared", "data", "s2-sim", "spot_dimap.zip")
	if _, err := os.Stat(archive); err != nil {
		t.Skipf("no shared data: %v", err)
	}
	opened, err := safe.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.Close() })
	p, err := Read(opened.FS)
	if err != nil {
		t.Fatal(err)
	}
	return opened, p
}

// gdal runs one of GDAL's programs, the independent reader, and returns what it prints.
func gdal(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("no %s: %v", program, err)
	}
	out, err := exec.CommandContext(t.Context(), program, args...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v", program, args, err)
	}
	return out
}

func TestTiePointsAgreeWithGDAL(t *testing.T) {
	opened, p := scene(t)
	var info struct {
		GCPs struct {
			List []struct{ Pixel, Line, X, Y, Z float64 } `json:"gcpList"`
		} `json:"gcps"`
	}
	if err := json.Unmarshal(gdal(t, "gdalinfo", "-json", opened.GDALPath(p.Metadata)), &info); err != nil {
		t.Fatal(err)
	}
	if len(info.GCPs.List) != len(p.GCPs) {
		t.Fatalf("GDAL has %d tie points, not %d", len(info.GCPs.List), len(p.GCPs))
	}
	for i, g := range info.GCPs.List {
		if want := (geo.GCP{Column: g.Pixel, Row: g.Line, LonDeg: g.X, LatDeg: g.Y, HeightM: g.Z}); p.GCPs[i] != want {
			t.Errorf("tie point %d = %+v, GDAL has %+v", i, p.GCPs[i], want)
		}
	}
}

// pixels reads one band of any raster as float32 through GDAL's raw format.
func pixels(t *testing.T, source string, band string) []float32 {
	t.Helper()
	raw := filepath.Join(t.TempDir(), "raw")
	gdal(t, "gdal_translate", "-q", "-of", "ENVI", "-ot", "Float32", "-b", band, source, raw)
	body, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, len(body)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
	}
	return values
}

// The truth is reflectance x 10000 on a map grid of 480 x 480 pixels of 10 m, in the order XS1, XS2, XS3, SWIR. The tie
// points of the scene are wrong by a known vector, and the ground has relief of some pixels: where the truth is uniform
// around a place, the scene's pixel must have its reflectance all the same.
func TestReflectanceAgreesWithTruth(t *testing.T) {
	opened, p := scene(t)
	grid, err := geo.NewGCPGrid(p.GCPs)
	if err != nil {
		t.Fatal(err)
	}
	utm, ok := geo.ProjectionOf(32631)
	if !ok {
		t.Fatal("no UTM zone 31")
	}
	const side, errorEastM, errorNorthM = 480, -45.18783230928952, -29.423758958664514 // truth/truth.json
	truthBand := map[string]string{"XS1": "1", "XS2": "2", "XS3": "3", "SWIR": "4"}
	for i, band := range p.Bands {
		t.Run(band.Name, func(t *testing.T) {
			scale, offset, ok := p.Reflectance(i)
			if !ok {
				t.Fatal("no reflectance")
			}
			image := pixels(t, opened.GDALPath(p.Images[0].Path), string(rune('1'+i)))
			truth := pixels(t, opened.GDALPath("truth/TOA_map_10m.tif"), truthBand[band.Name])
			var n int
			var sum, sumTruth float64
			const margin = 3
			for y := margin; y < side-margin; y++ {
				for x := margin; x < side-margin; x++ {
					mean, uniform := around(truth, side, x, y, margin)
					lon, lat := utm.ToLonLat(499980+10*(float64(x)+0.5)+errorEastM, 4800000-10*(float64(y)+0.5)+errorNorthM)
					column, row := grid.FromLonLat(lon, lat)
					if !uniform || !(column >= 0 && row >= 0 && column < float64(p.Columns) && row < float64(p.Rows)) {
						continue
					}
					dn := image[int(row)*p.Columns+int(column)]
					if dn == float32(*p.NoData) || dn == 255 {
						continue
					}
					n++
					sum += float64(dn)*scale + offset
					sumTruth += mean / 10000
				}
			}
			if n < 200 {
				t.Fatalf("only %d uniform places", n)
			}
			got, want := sum/float64(n), sumTruth/float64(n)
			t.Logf("%d places, mean reflectance %.5f, truth %.5f", n, got, want)
			if math.Abs(got-want) > 0.005*want+scale/2 { // half a percent and the rounding of DN
				t.Errorf("mean reflectance %.5f, truth %.5f", got, want)
			}
		})
	}
}

// around returns the mean of a square window and whether its values lie within 6 % of it.
func around(values []float32, side, x, y, radius int) (mean float64, uniform bool) {
	lowest, highest, count := math.Inf(1), math.Inf(-1), 0
	for j := y - radius; j <= y+radius; j++ {
		for i := x - radius; i <= x+radius; i++ {
			v := float64(values[j*side+i])
			mean, count = mean+v, count+1
			lowest, highest = math.Min(lowest, v), math.Max(highest, v)
		}
	}
	mean /= float64(count)
	return mean, highest-lowest < 0.12*mean
}
