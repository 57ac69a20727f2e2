package raster

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/geo"
)

// shared is the folder of real data beside the repository.
const shared = "../../shared/data"

// real returns the path of a real file, or skips the test.
func real(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(shared, name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("real data is not here: ", err)
	}
	return path
}

// program runs one of GDAL's, or skips the test.
func program(t testing.TB, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(name, " is not installed (Debian package gdal-bin)")
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// fileSource is a file as a Source.
type fileSource struct {
	mu sync.Mutex
	*os.File
	size  int64
	reads int
}

func (f *fileSource) Size() int64 { return f.size }
func (f *fileSource) ID() string  { return f.Name() }
func (f *fileSource) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	f.reads++
	f.mu.Unlock()
	return f.File.ReadAt(p, off)
}

// openFile opens a COG on disk for the length of the test.
func openFile(t testing.TB, path string) *COG {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenCOG(context.Background(), &fileSource{File: f, size: info.Size()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// scene describes a synthetic raster.
type scene struct {
	name          string
	crs           geo.EPSG
	proj          string // PROJ's description of a system without a code, instead of crs
	transform     geo.Affine
	width, height int
	bands         int
	dataType      godal.DataType
	noData        float64 // NaN: none
	hole          bool    // a slanted edge and specks of nodata
	creation      []string
}

// write makes the scene's file in dir: smooth fields with fine grain, so that a shift of a fraction of a pixel shows.
func (s scene) write(t testing.TB, dir string) string {
	t.Helper()
	if err := useGDAL(); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, s.name+".plain.tif")
	ds, err := godal.Create(godal.GTiff, plain, s.bands, s.dataType, s.width, s.height)
	if err != nil {
		t.Fatal(err)
	}
	if s.crs != 0 || s.proj != "" {
		sr := s.reference(t)
		if err := ds.SetSpatialRef(sr); err != nil {
			t.Fatal(err)
		}
		if err := ds.SetGeoTransform(s.transform); err != nil {
			t.Fatal(err)
		}
	}
	if !math.IsNaN(s.noData) {
		if err := ds.SetNoData(s.noData); err != nil {
			t.Fatal(err)
		}
	}
	for b, band := range ds.Bands() {
		if err := band.Write(0, 0, s.values(b), s.width, s.height); err != nil {
			t.Fatal(err)
		}
	}
	if err := ds.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, s.name+".tif")
	program(t, "gdal_translate", append([]string{"-q", plain, path}, s.creation...)...)
	return path
}

// reference is the scene's coordinate system.
func (s scene) reference(t testing.TB) *godal.SpatialRef {
	t.Helper()
	if err := useGDAL(); err != nil {
		t.Fatal(err)
	}
	make := func() (*godal.SpatialRef, error) { return godal.NewSpatialRefFromEPSG(int(s.crs)) }
	if s.proj != "" {
		make = func() (*godal.SpatialRef, error) { return godal.NewSpatialRefFromProj4(s.proj) }
	}
	sr, err := make()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sr.Close)
	return sr
}

// cog are the usual creation options of a COG.
func cog(more ...string) []string {
	args := []string{"-of", "COG"}
	for _, o := range append([]string{"BLOCKSIZE=256", "OVERVIEW_RESAMPLING=AVERAGE"}, more...) {
		args = append(args, "-co", o)
	}
	return args
}

// values are the scene's pixels, 1 .. 250 so that they fit every type.
func (s scene) values(band int) []float64 {
	random := rand.New(rand.NewPCG(uint64(band), 7))
	v := make([]float64, s.width*s.height)
	for y := range s.height {
		for x := range s.width {
			fx, fy := float64(x), float64(y)
			z := 125 + 60*math.Sin(fx/23+float64(band))*math.Cos(fy/31) + 35*math.Sin((fx+2*fy)/211) + 20*random.Float64()
			if s.hole && !math.IsNaN(s.noData) && (fx+0.3*fy < 0.2*float64(s.width) || random.IntN(997) == 0) {
				z = s.noData
			} else {
				z = math.Max(1, math.Min(250, math.Round(z)))
			}
			v[y*s.width+x] = z
		}
	}
	return v
}

// gdalwarp is the truth: the grid's pixels of every band as GDAL's warper makes them without approximation, from one level.
func gdalwarp(t testing.TB, path string, g Grid, resampling Resampling, level int, more ...string) [][]float64 {
	t.Helper()
	if err := useGDAL(); err != nil {
		t.Fatal(err)
	}
	from, err := godal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	x0, y0 := g.Transform.Apply(0, 0)
	x1, y1 := g.Transform.Apply(float64(g.Width), float64(g.Height))
	args := []string{"-of", "MEM", "-et", "0", "-ot", "Float64", "-dstnodata", "-99999", "-t_srs", g.CRS.String(),
		"-te", fmt.Sprint(x0), fmt.Sprint(y1), fmt.Sprint(x1), fmt.Sprint(y0), "-ts", fmt.Sprint(g.Width), fmt.Sprint(g.Height),
		"-r", map[Resampling]string{Nearest: "near", Bilinear: "bilinear", Cubic: "cubic",
			Lanczos: "lanczos", AverageOf: "average", ModeOf: "mode"}[resampling]}
	if level == 0 {
		args = append(args, "-ovr", "NONE")
	} else {
		args = append(args, "-ovr", fmt.Sprint(level-1))
	}
	ds, err := from.Warp("", append(args, more...))
	if err != nil {
		t.Fatalf("gdalwarp %v: %v", args, err)
	}
	defer ds.Close()
	return allOf(t, ds)
}

// tilesEach is how many tiles of each raster are compared: few, or with SWATH_TEST_LONG=1 a thousand.
func tilesEach(few int) int {
	switch {
	case os.Getenv("SWATH_TEST_LONG") == "1":
		return 1000
	case testing.Short():
		return max(1, few/4)
	}
	return few
}

// readAll reads every band through GDAL, nodata as NaN.
func readAll(t testing.TB, path string) [][]float64 {
	t.Helper()
	if err := useGDAL(); err != nil {
		t.Fatal(err)
	}
	ds, err := godal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	return allOf(t, ds)
}

// allOf reads every band of an open raster, nodata as NaN.
func allOf(t testing.TB, ds *godal.Dataset) [][]float64 {
	t.Helper()
	s := ds.Structure()
	var all [][]float64
	for _, band := range ds.Bands() {
		v := make([]float64, s.SizeX*s.SizeY)
		if err := band.Read(0, 0, v, s.SizeX, s.SizeY); err != nil {
			t.Fatal(err)
		}
		if noData, ok := band.NoData(); ok {
			for i := range v {
				if v[i] == noData || math.IsNaN(noData) && math.IsNaN(v[i]) {
					v[i] = math.NaN()
				}
			}
		}
		all = append(all, v)
	}
	return all
}
