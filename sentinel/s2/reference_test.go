package s2_test

import (
	"archive/zip"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"swath/eo"
	"swath/geo"
	"swath/sentinel/s2"
	"swath/sentinel/safe"
)

const data = "../../../shared/data/"

// item is the part of a STAC item by stactools that is compared.
type item struct {
	Properties map[string]any
	Bbox       [4]float64
	Assets     map[string]struct {
		Href      string
		Shape     []int                      `json:"proj:shape"`
		Transform []float64                  `json:"proj:transform"`
		EOBands   []struct{ Name string }    `json:"eo:bands"`
		Raster    []struct{ Offset float64 } `json:"raster:bands"`
	}
}

// TestAgainstStactools compares with the items that another program makes of the same real products.
func TestAgainstStactools(t *testing.T) {
	items, _ := filepath.Glob(data + "s2-safe-metadata/*/expected_output.json")
	if len(items) == 0 {
		t.Skip("../shared/data/s2-safe-metadata is not there")
	}
	for _, name := range items {
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) {
			body, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var want item
			if err := json.Unmarshal(body, &want); err != nil {
				t.Fatal(err)
			}
			product, err := safe.Open(filepath.Dir(name))
			if err != nil {
				t.Fatal(err)
			}
			defer product.Close()
			got, err := s2.Read(product.FS)
			if err != nil {
				t.Fatal(err)
			}
			compareProperties(t, got, want)
			compareAssets(t, got, want)
		})
	}
}

func compareProperties(t *testing.T, got *s2.Product, want item) {
	zenith, azimuth, n := 0.0, 0.0, 0.0
	for _, b := range got.Bands {
		if !math.IsNaN(b.MeanView.ZenithDeg) {
			zenith, azimuth, n = zenith+b.MeanView.ZenithDeg, azimuth+b.MeanView.AzimuthDeg, n+1
		}
	}
	_, inBucket := want.Assets["tileinfo_metadata"]
	sensed := got.DatatakeUTC
	if inBucket {
		sensed = got.SensedUTC
	}
	have := map[string]any{
		"constellation": string(got.Platform.Mission), "platform": got.Platform.Name, "datetime": sensed.Format("2006-01-02T15:04:05.000") + "000Z",
		"eo:cloud_cover": got.CloudPercent, "grid:code": "MGRS-" + got.Tile, "proj:code": got.EPSG.String(), "proj:epsg": float64(got.EPSG),
		"s2:tile_id": got.TileID, "s2:datastrip_id": got.DatastripID, "s2:datatake_id": got.DatatakeID, "s2:datatake_type": got.DatatakeType,
		"s2:processing_baseline": got.Baseline, "s2:product_type": got.Type, "s2:product_uri": got.Name + ".SAFE", "s2:reflectance_conversion_factor": got.EarthSun,
		"sat:orbit_state": got.OrbitState, "sat:relative_orbit": float64(got.RelativeOrbit),
		"view:sun_azimuth": got.MeanSun.AzimuthDeg, "view:sun_elevation": 90 - got.MeanSun.ZenithDeg, "view:incidence_angle": zenith / n, "view:azimuth": azimuth / n,
	}
	for k, v := range got.Percents {
		have["s2:"+k] = v
	}
	compared := 0
	for key, w := range want.Properties {
		h, ok := have[key]
		if !ok {
			if strings.HasSuffix(key, "_percentage") {
				t.Errorf("%s is not read", key)
			}
			continue
		}
		compared++
		hf, isNumber := h.(float64)
		if wf, _ := w.(float64); isNumber && !near(hf, wf, 1e-9*math.Max(1, math.Abs(wf))) || !isNumber && h != w {
			t.Errorf("%s is %v, want %v", key, h, w)
		}
	}
	if compared < 14 {
		t.Errorf("only %d properties were compared", compared)
	}
	var all geo.MultiPolygon
	for _, r := range got.Footprints {
		all = append(all, geo.SplitAntimeridian(r)...)
	}
	box := all.Bounds()
	for i, v := range [4]float64{box.MinX, box.MinY, box.MaxX, box.MaxY} {
		if !near(v, want.Bbox[i], 0.02) { // stactools simplifies and, for UTM footprints, keeps only corners
			t.Errorf("bounds %v, want %v", box, want.Bbox)
			break
		}
	}
}

var assetBand = regexp.MustCompile(`(?:^|_|/)(B\d[0-9A]|TCI|SCL|AOT|WVP)(?:_\d0m)?\.(?:jp2|tif)$`)

// compareAssets looks at each raster that stactools lists: as none of the rasters are there, all must be reported missing, and
// its grid and offset must be ours.
func compareAssets(t *testing.T, got *s2.Product, want item) {
	if len(got.Images) != 0 {
		t.Errorf("%d images, want none", len(got.Images))
	}
	for key, a := range want.Assets {
		m := assetBand.FindStringSubmatch(a.Href)
		if m == nil {
			continue
		}
		if stem := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(a.Href, "./"), "/"), filepath.Ext(a.Href)); len(got.Missing) == 0 ||
			strings.Contains(a.Href, "GRANULE") && !slices.Contains(got.Missing, stem) {
			t.Errorf("%s: %s is not reported missing", key, a.Href)
		}
		if len(a.Shape) == 2 && len(a.Transform) >= 6 {
			g, ok := got.Grid(int(a.Transform[0]))
			tr := geo.Affine{a.Transform[2], a.Transform[0], a.Transform[1], a.Transform[5], a.Transform[3], a.Transform[4]}
			if !ok || g.Height != a.Shape[0] || g.Width != a.Shape[1] || g.Transform != tr {
				t.Errorf("%s: grid %+v, want %v %v", key, g, a.Shape, tr)
			}
		}
		if b, ok := got.Band(m[1]); ok && len(a.Raster) == 1 && !near(b.Offset, a.Raster[0].Offset, 1e-12) {
			t.Errorf("%s: offset %g, want %g", key, b.Offset, a.Raster[0].Offset)
		}
	}
}

// TestWholeProducts reads the products that have rasters.
func TestWholeProducts(t *testing.T) {
	for pattern, want := range map[string]struct{ images, masks, missing int }{
		"s2-safe/S2A_MSIL1C_20180629*.zip": {14, 66, 0}, "s2-safe/S2A_MSIL1C_20201031*.zip": {14, 66, 0}, "s2-safe/S2A_MSIL1C_20180101*.SAFE": {1, 0, 80},
	} {
		paths, _ := filepath.Glob(data + pattern)
		if len(paths) != 1 {
			t.Skipf("../shared/data/%s is not there", pattern)
		}
		product, err := safe.Open(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		p, err := s2.Read(product.FS)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Images) != want.images || len(p.Masks) != want.masks || len(p.Missing) != want.missing {
			t.Errorf("%s: %d images, %d masks, %d missing; want %+v", p.Name, len(p.Images), len(p.Masks), len(p.Missing), want)
		}
		for _, m := range p.Masks {
			if mask, err := s2.ReadMask(product.FS, m.Path); err != nil {
				t.Error(err)
			} else if m.Type == "MSK_DETFOO" {
				for _, polygon := range mask.Polygons {
					if polygon.Detector == 0 || mask.EPSG != p.EPSG {
						t.Errorf("%s: polygon %s of detector %d, EPSG %d", m.Path, polygon.ID, polygon.Detector, mask.EPSG)
					}
				}
			}
		}
		if got, want := p.Sun.At(p.Sun.OriginX+54900, p.Sun.OriginY-54900), p.MeanSun; !same(got, want, 0.1) {
			t.Errorf("%s: sun in the middle %v, mean %v", p.Name, got, want)
		}
		product.Close()
	}
}

// TestSimulatedSeries reads products of baseline 05.10 out of a zip that holds several.
func TestSimulatedSeries(t *testing.T) {
	archive, err := zip.OpenReader(data + "s2-sim/l1c_series.zip")
	if err != nil {
		t.Skip("../shared/data/s2-sim is not there")
	}
	defer archive.Close()
	folders, err := fs.Glob(archive, "*.SAFE")
	if err != nil || len(folders) != 8 {
		t.Fatalf("folders %v, error %v", folders, err)
	}
	for _, folder := range folders {
		sub, err := fs.Sub(archive, folder)
		if err != nil {
			t.Fatal(err)
		}
		p, err := s2.Read(sub)
		if err != nil {
			t.Fatal(err)
		}
		if p.Name+".SAFE" != folder || p.Baseline != "05.10" || !near(p.Bands[4].Offset, -0.1, 1e-15) || len(p.Images) != 14 || len(p.Missing) != 0 || p.Masks[0].Vector || len(p.Masks) != 27 {
			t.Errorf("%s: %s %s, offset %g, %d images, %d masks, missing %v", folder, p.Name, p.Baseline, p.Bands[4].Offset, len(p.Images), len(p.Masks), p.Missing)
		}
		if g := p.Grids[0]; g.Width != 420 || g.ResolutionM != 10 || len(p.Views) != 26 {
			t.Errorf("%s: grid %+v, %d views", folder, g, len(p.Views))
		}
	}
}

var response = regexp.MustCompile(`(?s)<Spectral_Information bandId="(\d+)".*?<MIN unit="nm">(\d+).*?<VALUES>(.*?)</VALUES>`)

// TestBandTableAgainstResponses compares eo's table with the measured response curves in the products.
func TestBandTableAgainstResponses(t *testing.T) {
	for platform, pattern := range map[string]string{"sentinel-2a": "S2A_MSIL2A_20230625*", "sentinel-2b": "S2B_MSIL1C_20220615*"} {
		paths, _ := filepath.Glob(data + "s2-safe-metadata/" + pattern + "/MTD_MSI*.xml")
		if len(paths) != 1 {
			t.Skip("../shared/data/s2-safe-metadata is not there")
		}
		body, err := os.ReadFile(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		p, _ := eo.PlatformByName(platform)
		curves := response.FindAllStringSubmatch(string(body), -1)
		if len(curves) != 13 {
			t.Fatalf("%d response curves", len(curves))
		}
		for i, c := range curves {
			var values []float64
			if err := json.Unmarshal([]byte("["+strings.Join(strings.Fields(c[3]), ",")+"]"), &values); err != nil {
				t.Fatal(err)
			}
			var first float64
			if err := json.Unmarshal([]byte(c[2]), &first); err != nil {
				t.Fatal(err)
			}
			var sum, moment, above float64
			top := slices.Max(values)
			for j, v := range values {
				sum, moment = sum+v, moment+v*(first+float64(j))
				if v >= top/2 {
					above++
				}
			}
			b := eo.Bands(p)[i]
			if !near(moment/sum, b.CenterUm*1000, 1.5) || !near(above, b.WidthUm*1000, 6) {
				t.Errorf("%s %s: centre %.1f width %.0f nm by the curve, %.1f and %.0f in the table", platform, b.Name, moment/sum, above, b.CenterUm*1000, b.WidthUm*1000)
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	paths, _ := filepath.Glob(data + "s2-safe/S2A_MSIL1C_20180629*.zip")
	if len(paths) != 1 {
		b.Skip("../shared/data/s2-safe is not there")
	}
	product, err := safe.Open(paths[0])
	if err != nil {
		b.Fatal(err)
	}
	defer product.Close()
	for b.Loop() {
		if _, err := s2.Read(product.FS); err != nil {
			b.Fatal(err)
		}
	}
}
