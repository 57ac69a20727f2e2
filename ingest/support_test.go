package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"swath/catalog"
	"swath/internal/contract"
	"swath/internal/testdb"
	"swath/objects"
	"swath/stac"
)

const (
	shared = "../../shared/data/"
	scenes = "../testdata/scenes/"
	jmm    = scenes + "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.zip"
)

// data returns a file of the shared data, or skips the test.
func data(t testing.TB, name string) string {
	t.Helper()
	path := shared + name
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the shared data are absent: %v", err)
	}
	return path
}

// newIngester returns a way into an empty catalog and an empty folder of objects.
func newIngester(t testing.TB) *Ingester {
	t.Helper()
	return ingesterAt(t, testdb.New(t), t.TempDir())
}

// ingesterAt returns a way into a database and a folder that may have been used before.
func ingesterAt(t testing.TB, database, dir string) *Ingester {
	t.Helper()
	known, err := catalog.Open(t.Context(), database, catalog.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(known.Close)
	store, err := objects.OpenFolder(filepath.Join(dir, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "work")
	if err := os.MkdirAll(work, 0o755); err != nil {
		t.Fatal(err)
	}
	return &Ingester{Objects: store, Catalog: known, Work: work, Log: slog.New(slog.DiscardHandler)}
}

// bring ingests the one product at path, which must be fine.
func bring(t testing.TB, in *Ingester, path string, opts Options) Result {
	t.Helper()
	r := try(t, in, path, opts)
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	return r
}

// try ingests the one product at path.
func try(t testing.TB, in *Ingester, path string, opts Options) Result {
	t.Helper()
	results, err := in.Ingest(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 {
		t.Fatalf("%s: %d products, want one: %v", path, len(results), results)
	}
	if left, err := os.ReadDir(in.Work); err != nil || len(left) > 0 {
		t.Errorf("the work folder is not empty afterwards: %v, %v", left, err)
	}
	return results[0]
}

// item is the part of a stored item that tests look at.
type item struct {
	BBox       []float64 `json:"bbox"`
	Geometry   geometry
	Properties map[string]any
	Assets     map[string]asset
	Extensions []string `json:"stac_extensions"`

	updated string // when, and the whole body
}

type geometry struct {
	Type        string
	Coordinates json.RawMessage
}

type asset struct {
	Href, Type, Unit string
	Key              string         `json:"swath:object"`
	Size             int64          `json:"file:size"`
	Checksum         string         `json:"file:checksum"`
	Code             *string        `json:"proj:code"`
	WKT2             string         `json:"proj:wkt2"`
	PROJJSON         map[string]any `json:"proj:projjson"`
	Shape            []int          `json:"proj:shape"`
	Transform        []float64      `json:"proj:transform"`
	DataType         string         `json:"data_type"`
	NoData           any
	GSD              float64
	Scale            *float64 `json:"raster:scale"`
	Offset           *float64 `json:"raster:offset"`
	Roles            []string
	Bands            []map[string]any
	Classes          []struct {
		Value int
		Name  string
	} `json:"classification:classes"`
}

// itemOf returns an item of the catalog.
func itemOf(t testing.TB, in *Ingester, collection, id string) item {
	t.Helper()
	stored, err := in.Catalog.Item(t.Context(), collection, id)
	if err != nil {
		t.Fatal(err)
	}
	contract.ValidateItem(t, stored.Body)
	var it item
	if err := json.Unmarshal(stored.Body, &it); err != nil {
		t.Fatal(err)
	}
	it.updated = stored.Updated.String() + string(stored.Body)
	return it
}

// checkObjects holds every asset of ours to its object, and every COG to what GDAL says of it.
func checkObjects(t testing.TB, in *Ingester, it item) {
	t.Helper()
	for key, a := range it.Assets {
		if a.Key == "" {
			continue
		}
		body := readObject(t, in.Objects, a.Key)
		if sum := sha256.Sum256(body); a.Size != int64(len(body)) || a.Checksum != "1220"+hex.EncodeToString(sum[:]) {
			t.Errorf("asset %s: size %d and checksum %s, its object has %d and %x", key, a.Size, a.Checksum, len(body), sum)
		}
		if !strings.HasPrefix(a.Href, "swath:/collections/") {
			t.Errorf("asset %s: href %s", key, a.Href)
		}
		if a.Type == mediaCOG {
			checkCOG(t, key, a, body)
		}
	}
}

func readObject(t testing.TB, store objects.Store, key string) []byte {
	t.Helper()
	o, err := store.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	body, err := io.ReadAll(io.NewSectionReader(o, 0, o.Info().Size))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// gdalInfo is what gdalinfo -json says.
type gdalInfo struct {
	Size         [2]int
	GeoTransform []float64
	Metadata     map[string]map[string]string
	Bands        []struct {
		Type        string
		NoDataValue any
		Block       [2]int
	}
	GCPs struct {
		GCPList []struct{ Pixel, Line, X, Y, Z float64 }
	}
	Stac map[string]any
}

func gdalinfo(t testing.TB, path string) gdalInfo {
	t.Helper()
	var info gdalInfo
	if err := json.Unmarshal(command(t, "gdalinfo", "-json", path), &info); err != nil {
		t.Fatal(err)
	}
	return info
}

// command runs a program and returns what it says; without the program the test is skipped.
func command(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, errs.String())
	}
	return out
}

func checkCOG(t testing.TB, key string, a asset, body []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.tif")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	info := gdalinfo(t, path)
	if info.Metadata["IMAGE_STRUCTURE"]["LAYOUT"] != "COG" || info.Bands[0].Block[0] > 128 && info.Size[0] > 128 {
		t.Errorf("asset %s: not a COG of 128 blocks: %v, blocks %v", key, info.Metadata["IMAGE_STRUCTURE"], info.Bands[0].Block)
	}
	if !slices.Equal(a.Shape, []int{info.Size[1], info.Size[0]}) {
		t.Errorf("asset %s: proj:shape %v, GDAL says %v columns and rows", key, a.Shape, info.Size)
	}
	if want := strings.ToLower(strings.Replace(info.Bands[0].Type, "Byte", "uint8", 1)); a.DataType != want {
		t.Errorf("asset %s: data_type %s, GDAL says %s", key, a.DataType, want)
	}
	if (a.NoData == nil) != (info.Bands[0].NoDataValue == nil) {
		t.Errorf("asset %s: nodata %v, GDAL says %v", key, a.NoData, info.Bands[0].NoDataValue)
	}
	if a.Bands != nil && len(a.Bands) != len(info.Bands) {
		t.Errorf("asset %s: %d bands, GDAL says %d", key, len(a.Bands), len(info.Bands))
	}
	if len(info.GCPs.GCPList) > 0 {
		if a.Transform != nil {
			t.Errorf("asset %s: ground control points and a transform", key)
		}
		return
	}
	g := info.GeoTransform
	same := func(a, b float64) bool { return near(a, b, 1e-9*max(1, math.Abs(b))) } // gdalinfo prints a dozen digits
	if want := []float64{g[1], g[2], g[0], g[4], g[5], g[3]}; !slices.EqualFunc(a.Transform, want, same) {
		t.Errorf("asset %s: proj:transform %v, GDAL says %v", key, a.Transform, want)
	}
	if code, ok := info.Stac["proj:epsg"].(float64); ok {
		if a.Code == nil || *a.Code != "EPSG:"+jsonText(code) {
			t.Errorf("asset %s: proj:code %v, GDAL says %v", key, a.Code, code)
		}
	} else if a.Code != nil {
		t.Errorf("asset %s: proj:code %v, GDAL knows no code", key, *a.Code)
	}
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// polygons returns the rings of a geometry, polygon by polygon.
func (g geometry) polygons(t testing.TB) [][][][2]float64 {
	t.Helper()
	var many [][][][2]float64
	if g.Type == "Polygon" {
		many = make([][][][2]float64, 1)
		if err := json.Unmarshal(g.Coordinates, &many[0]); err != nil {
			t.Fatal(err)
		}
	} else if err := json.Unmarshal(g.Coordinates, &many); err != nil {
		t.Fatal(err)
	}
	return many
}

// contains reports whether a place lies in a geometry.
func (g geometry) contains(t testing.TB, lon, lat float64) bool {
	t.Helper()
	inside := false
	for _, polygon := range g.polygons(t) {
		for _, ring := range polygon {
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				if (a[1] > lat) != (b[1] > lat) && lon < a[0]+(lat-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
					inside = !inside
				}
			}
		}
	}
	return inside
}

// keys lists all objects, with the size of each.
func keys(t testing.TB, in *Ingester) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for info, err := range in.Objects.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all[info.Key] = info.Size
	}
	return all
}

// items counts the items of the whole catalog.
func items(t testing.TB, in *Ingester) int {
	t.Helper()
	page, err := in.Catalog.Search(context.WithoutCancel(t.Context()), stac.Search{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Items)
}

// unpack unzips an archive and returns the folder.
func unpack(t testing.TB, archive string) string {
	t.Helper()
	dir := t.TempDir()
	command(t, "unzip", "-q", archive, "-d", dir)
	return dir
}

// copyTree copies a folder.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// one returns the only file under dir that matches a pattern.
func one(t testing.TB, dir, pattern string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if ok, _ := filepath.Match(pattern, e.Name()); ok {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) != 1 {
		t.Fatalf("%s in %s: %v, %v", pattern, dir, names, err)
	}
	return names[0]
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }
