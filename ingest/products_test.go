package ingest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/sentinel/s2"
)

// TestProducts brings in every kind of product and holds its item to the schemas, its objects and what GDAL says.
func TestProducts(t *testing.T) {
	if testing.Short() {
		t.Skip("converts products")
	}
	for name, tc := range map[string]struct {
		path func(t *testing.T) string
		item string // collection/id; empty: refused
		says string // why
		look func(t *testing.T, it item)
	}{
		"S2 L1C, baseline 02.06": {path: fixed(jmm), item: "sentinel-2-l1c/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042", look: look56JMM},
		"S2 L1C, baseline 02.09": {path: fixed(shared + "s2-safe/S2A_MSIL1C_20201031T004711_N0209_R102_T53JQJ_20201031T022859.zip"),
			item: "sentinel-2-l1c/S2A_MSIL1C_20201031T004711_N0209_R102_T53JQJ_20201031T022859"},
		"S2 L1C, baseline 05.10": {path: in(shared+"s2-sim/l1c_series.zip", "*20230513T125321.SAFE"),
			item: "sentinel-2-l1c/S2A_MSIL1C_20230513T105321_N0510_R008_T31TEH_20230513T125321", look: lookMasks},
		"S2 L2A, baseline 04.00": {path: tinyL2A("S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126.SAFE"),
			item: "sentinel-2-l2a/S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126", look: lookL2A(-0.1)},
		"S2 L2A, baseline 02.12": {path: tinyL2A("S2A_MSIL2A_20190212T192651_N0212_R013_T07HFE_20201007T160857.SAFE"),
			item: "sentinel-2-l2a/S2A_MSIL2A_20190212T192651_N0212_R013_T07HFE_20201007T160857", look: lookL2A(0)},
		"S2 incomplete": {path: fixed(shared + "s2-safe/S2A_MSIL1C_20180101T105441_N0206_R051_T31TDH_20180101T124911.SAFE"), says: "incomplete product"},
		"S1 GRD": {path: fixed(shared + "s1-sim/S1B_IW_GRDH_1SDV_20211223T051134_20211223T051138_030148_039993_CEB4.zip"),
			item: "sentinel-1-grd/S1B_IW_GRDH_1SDV_20211223T051134_20211223T051138_030148_039993_CEB4", look: lookGRD},
		"S1 GRD without its image": {path: fixed(shared + "s1-safe/S1A_IW_GRDH_1SDV_20150203T043109_20150203T043134_004454_00574F_6D00.zip"), says: "incomplete product"},
		"S1 SLC":                   {path: fixed(shared + "s1-safe/S1A_IW_SLC__1SDV_20141004T031312_20141004T031339_002674_002FB6_07B5.zip"), says: "SLC"},
		"SPOT DIMAP 1, zip":        {path: fixed(shared + "s2-sim/spot_dimap.zip"), item: "spot-swh-l1a/SPOT5_HRG1_J_20060514T104733_047-262_1A", look: lookSPOT},
		"SPOT DIMAP 1, folder":     {path: in(shared+"s2-sim/spot_dimap.zip", ""), item: "spot-swh-l1a/SPOT5_HRG1_J_20060514T104733_047-262_1A", look: lookSPOT},
		"SPOT DIMAP 2":             {path: tinySPOT7, item: "spot-6-7/SPOT7_PMS_202011170245179_ORT_1234567101", look: lookSPOT7},
		"GeoTIFF":                  {path: fixed(shared + "s2-crops/misc/mapchete_s2_single_band.tif"), item: "rasters/mapchete_s2_single_band"},
		"no place":                 {path: fixed(shared + "s2-crops/wright-clear-20160101/S2_wright_20160101_10band.tif"), says: "not georeferenced"},
		"no EPSG code":             {path: fixed(shared + "s1-timeseries/poland-s1-sigma0-vh/SIG0_20200701_VH_D022.tif"), item: "rasters/SIG0_20200701_VH_D022", look: lookEQUI7},
		"216 bands":                {path: fixed(shared + "s2-crops/misc/cropharvest_togo_S1S2_12months.tif"), item: "rasters/cropharvest_togo_S1S2_12months"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIngester(t)
			path := tc.path(t)
			if _, err := os.Stat(path); err != nil {
				t.Skipf("the shared data are absent: %v", err)
			}
			r := try(t, in, path, Options{})
			if tc.item == "" {
				if !fault.Is(r.Err, fault.Invalid) || !strings.Contains(r.Err.Error(), tc.says) || items(t, in) != 0 {
					t.Fatalf("%v, %d items; want a refusal that says %q", r.Err, items(t, in), tc.says)
				}
				return
			}
			if r.Err != nil || !r.Changed || r.Collection+"/"+r.Item != tc.item {
				t.Fatalf("%+v", r)
			}
			it := itemOf(t, in, r.Collection, r.Item)
			checkObjects(t, in, it)
			if it.Assets["thumbnail"].Key == "" {
				t.Error("no quicklook")
			}
			if tc.look != nil {
				tc.look(t, it)
			}
			before := keys(t, in)
			if again := bring(t, in, path, Options{}); again.Changed || len(keys(t, in)) != len(before) || itemOf(t, in, r.Collection, r.Item).updated != it.updated {
				t.Errorf("the same product again changed something: %+v", again)
			}
		})
	}
}

func fixed(path string) func(*testing.T) string { return func(*testing.T) string { return path } }

// in unpacks an archive and returns what matches in it; "" is the folder itself.
func in(archive, pattern string) func(*testing.T) string {
	return func(t *testing.T) string {
		if _, err := os.Stat(archive); err != nil {
			t.Skipf("the shared data are absent: %v", err)
		}
		dir := unpack(t, archive)
		if pattern == "" {
			return dir
		}
		return one(t, dir, pattern)
	}
}

func look56JMM(t *testing.T, it item) {
	offsetOf(0)(t, it)
	for field, want := range map[string]any{
		"datetime": "2018-06-29T00:02:41.024Z", "platform": "sentinel-2a", "processing:version": "02.06", "proj:code": "EPSG:32756",
		"grid:code": "MGRS-56JMM", "sat:relative_orbit": 30.0, "sat:orbit_state": "descending",
	} {
		if got := it.Properties[field]; got != want && field != "datetime" || got == nil {
			t.Errorf("%s = %v, want %v", field, got, want)
		}
	}
	if len(it.Assets["angles"].Bands) != 4 || it.Assets["angles"].Shape[0] != 23 || it.Assets["angles"].Transform[2] != 399960-2500 {
		t.Errorf("angles: %+v", it.Assets["angles"])
	}
	// The swath's edge cuts the tile: its south-east corner was not measured.
	if !it.Geometry.contains(t, 152.2, -30.3) || it.Geometry.contains(t, 153.0, -30.75) {
		t.Errorf("footprint %s", it.Geometry.Coordinates)
	}
	if it.Assets["product"].Type != mediaZip || it.Assets["cloud-mask"].Key == "" || it.Assets["granule-metadata"].Key == "" {
		t.Error("the original, its masks or its metadata are not kept")
	}
	if a := it.Assets["detector-footprint-B02"]; a.Key == "" || a.Type != mediaGML {
		t.Errorf("detector footprints: %+v", a)
	}
}

// lookMasks looks at the raster masks of the baselines since 04.00.
func lookMasks(t *testing.T, it item) {
	offsetOf(-0.1)(t, it)
	for _, band := range []string{"B01", "B02", "B8A", "B12"} {
		detectors, quality := it.Assets["DETFOO_"+band], it.Assets["QUALIT_"+band]
		if detectors.Type != mediaCOG || len(detectors.Classes) != 13 || detectors.Classes[12].Value != 12 {
			t.Errorf("DETFOO_%s: %+v", band, detectors)
		}
		if quality.Type != mediaCOG {
			t.Errorf("QUALIT_%s: %+v", band, quality)
		}
	}
	if a := it.Assets["CLASSI"]; a.Type != mediaCOG {
		t.Errorf("CLASSI: %+v", a)
	}
}

// TestFlagMasks names the bands of masks that hold one flag a band, and none of masks reduced to one band.
func TestFlagMasks(t *testing.T) {
	for kind, want := range map[string][]string{"MSK_QUALIT": qualityFlags, "MSK_CLASSI": cloudFlags} {
		for _, count := range []int{len(want), 1} {
			path := filepath.Join(t.TempDir(), "mask.tif")
			p := raster.Planes{CRS: 32631, Width: 2, Height: 2, Transform: geo.Affine{0, 60, 0, 0, 0, -60}}
			for range count {
				p.Values = append(p.Values, make([]float32, 4))
			}
			if err := raster.WritePlanes(path, p); err != nil {
				t.Fatal(err)
			}
			l, ok, err := sentinel2Mask(s2.Mask{Type: kind, Band: "B02"}, path)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			bands, _ := l.fields["bands"].([]map[string]any)
			if count == 1 && bands == nil {
				continue
			}
			for i, name := range want {
				if len(bands) != count || bands[i]["name"] != name || len(bands[i]["classification:classes"].([]class)) != 2 {
					t.Errorf("%s of %d bands: %v", kind, count, bands)
				}
			}
		}
	}
}

func offsetOf(want float64) func(*testing.T, item) {
	return func(t *testing.T, it item) {
		t.Helper()
		for _, band := range []string{"B02", "B04", "B08", "B11"} {
			a := it.Assets[band]
			if a.Scale == nil || *a.Scale != 0.0001 || a.Offset == nil || !near(*a.Offset, want, 1e-12) || a.NoData != 0.0 {
				t.Errorf("%s: scale %v, offset %v, nodata %v; want 0.0001, %g, 0", band, a.Scale, a.Offset, a.NoData, want)
			}
		}
	}
}

func lookL2A(offset float64) func(*testing.T, item) {
	return func(t *testing.T, it item) {
		offsetOf(offset)(t, it)
		for _, asset := range []string{"SCL", "AOT", "WVP", "CLDPRB", "SNWPRB", "visual", "B8A", "B12"} {
			if it.Assets[asset].Key == "" {
				t.Errorf("no asset %s", asset)
			}
		}
		if a := it.Assets["SCL"]; len(a.Classes) != 12 || a.Classes[9].Name != "cloud_high_probability" {
			t.Errorf("SCL: %+v", a)
		}
		if a := it.Assets["AOT"]; a.Scale == nil || *a.Scale != 0.001 {
			t.Errorf("AOT: scale %v, want 0.001", a.Scale)
		}
		if _, ok := it.Assets["B10"]; ok {
			t.Error("an L2A product with B10")
		}
	}
}

func lookGRD(t *testing.T, it item) {
	for _, asset := range []string{"vv", "vh", "annotation-vv", "calibration-vh", "noise-vv", "safe-manifest", "product"} {
		if it.Assets[asset].Key == "" {
			t.Errorf("no asset %s", asset)
		}
	}
	if it.Assets["vv"].Transform != nil || it.Properties["sar:instrument_mode"] != "IW" || it.Properties["sat:orbit_state"] != "descending" {
		t.Errorf("%+v", it.Properties)
	}
	// The footprint is that of the valid pixels: all reflectors of the simulation lie in it, and its edges are the image's.
	body, err := os.ReadFile(data(t, "s1-sim/truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Reflectors []struct{ Lat, Lon float64 } `json:"corner_reflectors"`
	}
	if err := json.Unmarshal(body, &truth); err != nil || len(truth.Reflectors) == 0 {
		t.Fatal(err, truth)
	}
	for _, r := range truth.Reflectors {
		if !it.Geometry.contains(t, r.Lon, r.Lat) {
			t.Errorf("the reflector at %g, %g lies outside the footprint", r.Lon, r.Lat)
		}
	}
	if ring := it.Geometry.polygons(t)[0][0]; len(ring) < 5 || len(it.Geometry.polygons(t)) != 1 {
		t.Errorf("footprint %s", it.Geometry.Coordinates)
	}
}

func lookSPOT(t *testing.T, it item) {
	for band, name := range map[string]string{"XS1": "green", "XS2": "red", "XS3": "nir", "SWIR": "swir16"} {
		a := it.Assets[band]
		if a.Key == "" || a.Scale == nil || *a.Scale <= 0 || a.Bands[0]["eo:common_name"] != name {
			t.Errorf("%s: %+v", band, a)
		}
	}
}

// tinyL2A completes the genuine metadata of an L2A product with small rasters under the names that it lists.
func tinyL2A(name string) func(*testing.T) string {
	return func(t *testing.T) string {
		dir := filepath.Join(t.TempDir(), name)
		copyTree(t, data(t, "s2-safe-metadata/"+name), dir)
		d, err := s2.Read(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		template := map[int]string{}
		for _, g := range d.Grids {
			const side = 61
			p := raster.Planes{CRS: d.EPSG, Width: side, Height: side, Transform: g.Transform, Values: [][]float32{make([]float32, side*side)}}
			step := float64(g.Width*g.ResolutionM) / side
			p.Transform[1], p.Transform[5] = step, -step
			for i := range p.Values[0] {
				p.Values[0][i] = float32(1000 + i%200)
			}
			plain := filepath.Join(t.TempDir(), "plain.tif")
			if err := raster.WritePlanes(plain, p); err != nil {
				t.Fatal(err)
			}
			template[g.ResolutionM] = filepath.Join(t.TempDir(), "tiny.jp2")
			command(t, "gdal_translate", "-q", "-of", "JP2OpenJPEG", "-ot", "UInt16", "-a_nodata", "none", plain, template[g.ResolutionM])
			if g.ResolutionM == 10 {
				template[visual] = filepath.Join(t.TempDir(), "visual.jp2")
				command(t, "gdal_translate", "-q", "-of", "JP2OpenJPEG", "-ot", "Byte", "-a_nodata", "none", "-scale", "1000", "1200", "0", "255",
					"-b", "1", "-b", "1", "-b", "1", plain, template[visual])
			}
		}
		for _, missing := range d.Missing {
			path := filepath.Join(dir, filepath.FromSlash(missing))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			body, err := os.ReadFile(template[resolutionOf(missing)])
			if err != nil {
				t.Fatal(fmt.Errorf("%s: %w", missing, err))
			}
			if filepath.Ext(missing) == ".gml" {
				body = []byte(`<?xml version="1.0"?><Mask xmlns:gml="http://www.opengis.net/gml/3.2"/>`)
			}
			if err := os.WriteFile(path, body, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
}

// visual is the key of the three-band template.
const visual = -1

func resolutionOf(name string) int {
	switch {
	case strings.Contains(name, "TCI"):
		return visual
	case strings.Contains(name, "10m"):
		return 10
	case strings.Contains(name, "60m"):
		return 60
	}
	return 20
}

// tinySPOT7 completes the DIMAP 2 document of package spot's fixture with pixels, in one image file.
func tinySPOT7(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "SPOT7")
	copyTree(t, "../spot/testdata/spot7_ortho", dir)
	rewrite(t, one(t, dir, "DIM_*.XML"), func(b []byte) []byte {
		return regexp.MustCompile(`(?m)^.*tile_C="2".*$`).ReplaceAll(b, nil)
	})
	const side = 101
	p := raster.Planes{CRS: 32749, Width: side, Height: side, Transform: geo.Affine{427461, 1.5, 0, 9178299, 0, -1.5}}
	for band := range 4 {
		plane := make([]float32, side*side)
		for i := range plane {
			plane[i] = float32(100*(band+1) + i%50)
		}
		p.Values = append(p.Values, plane)
	}
	plain := filepath.Join(t.TempDir(), "plain.tif")
	if err := raster.WritePlanes(plain, p); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(dir, "IMG_SPOT7_PMS_001_A", "IMG_SPOT7_PMS_202011170245179_ORT_1234567101_R1C1.JP2")
	command(t, "gdal_translate", "-q", "-of", "JP2OpenJPEG", "-ot", "UInt16", "-a_nodata", "none", plain, image)
	return dir
}

func lookSPOT7(t *testing.T, it item) {
	for band, name := range map[string]string{"B0": "blue", "B1": "green", "B2": "red", "B3": "nir"} {
		if a := it.Assets[band]; a.Key == "" || a.Bands[0]["eo:common_name"] != name || a.Code == nil || *a.Code != "EPSG:32749" {
			t.Errorf("%s: %+v", band, a)
		}
	}
	if it.Properties["platform"] != "spot-7" || it.Properties["constellation"] != "spot" {
		t.Errorf("%+v", it.Properties)
	}
}

// lookEQUI7 looks at a raster in a system that has no code: the azimuthal equidistant projection of the EQUI7 grid, Europe.
func lookEQUI7(t *testing.T, it item) {
	a := it.Assets["data"]
	if a.Code != nil || !strings.Contains(a.WKT2, "Azimuthal") || a.PROJJSON["type"] != "ProjectedCRS" {
		t.Errorf("%+v", a)
	}
	// gdalinfo's corner coordinates of the file, and a place well inside.
	if b := it.BBox; !near(b[0], 15.52, 0.02) || !near(b[3], 51.90, 0.02) || !it.Geometry.contains(t, 15.53, 51.89) {
		t.Errorf("bbox %v", b)
	}
}
