package s2_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/sentinel/s2"
)

const (
	southTile        = "GRANULE/L1C_T56JMM_A015757_20180629T000241/MTD_TL.xml"
	antimeridianTile = "GRANULE/L2A_T01WCP_A041826_20230625T234624/MTD_TL.xml"
)

// fixture copies a folder of testdata into memory, to be changed by a test.
func fixture(t testing.TB, name string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	root := os.DirFS("testdata/" + name)
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, p)
		out[p] = &fstest.MapFile{Data: body}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// replace changes text of a file, and fails when it is not there.
func replace(t testing.TB, fsys fstest.MapFS, name, old, new string) {
	t.Helper()
	body := string(fsys[name].Data)
	if !strings.Contains(body, old) {
		t.Fatalf("%s has no %q", name, old)
	}
	fsys[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(body, old, new))}
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestReadL1C(t *testing.T) {
	p, err := s2.Read(fixture(t, "south_n0206"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042" || p.Platform.Name != "sentinel-2a" || p.Level != "L1C" || p.Type != "S2MSI1C" ||
		p.Baseline != "02.06" || p.DOI != "" || p.RelativeOrbit != 30 || p.AbsoluteOrbit != 15757 || p.OrbitState != "descending" || p.Tile != "56JMM" || p.EPSG != 32756 ||
		p.NoData != 0 || p.Saturated != 65535 || p.DatatakeType != "INS-NOBS" {
		t.Errorf("product %+v", p)
	}
	if want := time.Date(2018, 6, 29, 0, 2, 41, 24e6, time.UTC); !p.DatatakeUTC.Equal(want) {
		t.Errorf("datatake %v, want %v", p.DatatakeUTC, want)
	}
	g, ok := p.Grid(60)
	if want := (s2.Grid{60, 1830, 1830, geo.Affine{399960, 60, 0, 6700000, 0, -60}}); !ok || g != want || len(p.Grids) != 3 {
		t.Errorf("grid %+v, want %+v", g, want)
	}
	for _, b := range p.Bands {
		if b.Scale != 1e-4 || b.Offset != 0 {
			t.Errorf("%s: scale %g offset %g, want 0.0001 and 0", b.Name, b.Scale, b.Offset)
		}
	}
	if b, _ := p.Band("B8A"); b.SolarIrradiance != 955.32 || b.CenterUm != 0.8647 || b.GSDM != 20 || !near(b.MeanView.ZenithDeg, 5, 10) {
		t.Errorf("B8A %+v", b)
	}
	if len(p.Views) != 2 || p.Views[0].Band != "B01" || p.Views[0].Rows != 23 || p.Views[0].Columns != 23 {
		t.Errorf("%d views", len(p.Views))
	}
	if len(p.Images) != 0 || len(p.Missing) != 14+64+1 { // images; masks but the two GMLs there; preview
		t.Errorf("%d images, %d missing", len(p.Images), len(p.Missing))
	}
	if len(p.Masks) != 2 || !p.Masks[0].Vector {
		t.Errorf("masks %+v", p.Masks)
	}
}

func TestReadL2A(t *testing.T) {
	fsys := fixture(t, "antimeridian_n0509")
	const images = "GRANULE/L2A_T01WCP_A041826_20230625T234624/IMG_DATA/"
	for _, name := range []string{"R10m/T01WCP_20230625T234621_B04_10m.jp2", "R20m/T01WCP_20230625T234621_B04_20m.jp2", "R60m/T01WCP_20230625T234621_B01_60m.TIF",
		"R20m/T01WCP_20230625T234621_B01_20m.jp2", "R10m/T01WCP_20230625T234621_AOT_10m.jp2", "R20m/T01WCP_20230625T234621_AOT_20m.jp2", "R60m/T01WCP_20230625T234621_B8A_60m.jp2"} {
		fsys[images+name] = &fstest.MapFile{Data: []byte("x")}
	}
	fsys["DATASTRIP/DS_2APS/MTD_DS.xml"] = &fstest.MapFile{Data: []byte("x")}
	p, err := s2.Read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if p.Level != "L2A" || p.DOI != "https://doi.org/10.5270/S2_-znk9xsj" || p.Scales != (s2.Scales{AOT: 0.001, WVP: 0.001}) || p.Percents["water_percentage"] != 13.384877 ||
		p.CloudPercent != 15.047897 || p.EarthSun != 0.96817485048713 {
		t.Errorf("product %+v", p)
	}
	for _, b := range p.Bands {
		if b.Scale != 1e-4 || !near(b.Offset, -0.1, 1e-15) {
			t.Errorf("%s: scale %g offset %g, want 0.0001 and -0.1", b.Name, b.Scale, b.Offset)
		}
	}
	native := map[string]string{}
	for _, i := range p.Images {
		if i.Native {
			if native[i.Band] != "" {
				t.Errorf("%s has two native images", i.Band)
			}
			native[i.Band] = path.Base(i.Path)
		}
	}
	want := map[string]string{"B04": "T01WCP_20230625T234621_B04_10m.jp2", "B01": "T01WCP_20230625T234621_B01_60m.TIF", "AOT": "T01WCP_20230625T234621_AOT_20m.jp2",
		"B8A": "T01WCP_20230625T234621_B8A_60m.jp2"} // its 20 m image is missing
	if len(p.Images) != 7 || !maps.Equal(native, want) {
		t.Errorf("%d images, native %v, want %v", len(p.Images), native, want)
	}
	if len(p.Metadata) != 3 || p.Metadata[2] != (s2.File{Key: "datastrip-metadata", Path: "DATASTRIP/DS_2APS/MTD_DS.xml"}) {
		t.Errorf("metadata %v", p.Metadata)
	}
	ring := p.Footprints[0]
	if ring[0] != [2]float64{180, 65.69971321830725} || ring[4] != [2]float64{-179.0443, 66.70559979295736} {
		t.Errorf("footprint %v", ring)
	}
	split := geo.SplitAntimeridian(ring)
	if len(split) != 2 {
		t.Fatalf("the footprint is divided into %d polygons, want 2", len(split))
	}
	if box := split.Bounds(); box.MinX < box.MaxX { // crossing: west > east
		t.Errorf("bounds %+v do not cross the antimeridian", box)
	}
}

func TestReadBucket(t *testing.T) {
	fsys := fixture(t, "bucket_n0400")
	for _, name := range []string{"R10m/B02.jp2", "R20m/B02.jp2", "R20m/SCL.jp2", "qi/CLD_20m.jp2", "qi/L2A_PVI.jp2"} {
		fsys[name] = &fstest.MapFile{Data: []byte("x")}
	}
	p, err := s2.Read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "S2A_MSIL2A_20220401T083601_N0400_R064_T34LBP_20220401T110010" || p.RelativeOrbit != 64 || p.AbsoluteOrbit != 35382 || p.Level != "L2A" || p.EPSG != 32734 ||
		p.Preview != "qi/L2A_PVI.jp2" || len(p.Images) != 3 || !near(p.Bands[1].Offset, -0.1, 1e-15) {
		t.Errorf("product %+v", p)
	}
	if len(p.Masks) != 1 || p.Masks[0] != (s2.Mask{Type: "MSK_CLDPRB", ResolutionM: 20, Path: "qi/CLD_20m.jp2"}) {
		t.Errorf("masks %+v", p.Masks)
	}
	if ring := p.Footprints[0]; len(ring) != 8 || !near(ring[0][0], 18.8425, 1e-3) || !near(ring[0][1], -9.9439, 1e-3) { // hand-read from stactools' item
		t.Errorf("footprint %v", ring)
	}
	delete(fsys, "tileInfo.json")
	p, err = s2.Read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != p.TileID || len(p.Footprints[0]) != 5 {
		t.Errorf("without tileInfo.json: name %q, footprint %v", p.Name, p.Footprints)
	}
}

// TestOffset holds the rule: the element decides, not baseline or date.
func TestOffset(t *testing.T) {
	fsys := fixture(t, "south_n0206")
	list := "<Radiometric_Offset_List>"
	for id := range 13 {
		list += fmt.Sprintf(`<RADIO_ADD_OFFSET band_id="%d">-1000</RADIO_ADD_OFFSET>`, id)
	}
	list += "</Radiometric_Offset_List>"
	replace(t, fsys, "MTD_MSIL1C.xml", "<Reflectance_Conversion>", list+"<Reflectance_Conversion>")
	p, err := s2.Read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Bands {
		if !near(b.Offset, -0.1, 1e-15) {
			t.Errorf("%s: offset %g, want -0.1 for a product of 2018 that gives one", b.Name, b.Offset)
		}
	}
	late := fixture(t, "antimeridian_n0509")
	body := string(late["MTD_MSIL2A.xml"].Data)
	from, to := strings.Index(body, "<BOA_ADD_OFFSET_VALUES_LIST>"), strings.Index(body, "</BOA_ADD_OFFSET_VALUES_LIST>")
	late["MTD_MSIL2A.xml"] = &fstest.MapFile{Data: []byte(body[:from] + strings.TrimPrefix(body[to:], "</BOA_ADD_OFFSET_VALUES_LIST>"))}
	if p, err = s2.Read(late); err != nil || p.Bands[0].Offset != 0 {
		t.Errorf("offset %g, error %v; want 0 for a product of 2023 that gives none", p.Bands[0].Offset, err)
	}
}

func TestReadRefuses(t *testing.T) {
	const mtd = "MTD_MSIL1C.xml"
	for name, tc := range map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"nothing":          {func(f fstest.MapFS) { delete(f, mtd) }, "not a Sentinel-2 product"},
		"old format":       {func(f fstest.MapFS) { delete(f, mtd); f["S2A_OPER_MTD_SAFL1C_PDMC_X.xml"] = &fstest.MapFile{} }, "before December 2016"},
		"empty":            {func(f fstest.MapFS) { f[mtd] = &fstest.MapFile{} }, mtd + " is empty"},
		"cut":              {func(f fstest.MapFS) { f[mtd].Data = f[mtd].Data[:5000] }, mtd + ", line "},
		"no tile metadata": {func(f fstest.MapFS) { delete(f, southTile) }, southTile + " is missing"},
		"tile cut":         {func(f fstest.MapFS) { f[southTile].Data = f[southTile].Data[:20000] }, southTile + ", line "},
		"entity": {func(f fstest.MapFS) {
			f[mtd].Data = append([]byte(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`), f[mtd].Data...)
		}, "DOCTYPE"},
		"spacecraft":      {func(f fstest.MapFS) { replace(t, f, mtd, "Sentinel-2A", "Sentinel-3A") }, `SPACECRAFT_NAME "Sentinel-3A"`},
		"quantification":  {func(f fstest.MapFS) { replace(t, f, mtd, ">10000<", ">0<") }, "QUANTIFICATION_VALUE"},
		"level":           {func(f fstest.MapFS) { replace(t, f, mtd, "Level-1C_User_Product", "Level-1B_User_Product") }, "Level-1B"},
		"granule outside": {func(f fstest.MapFS) { replace(t, f, mtd, "GRANULE/L1C", "../L1C") }, "not inside GRANULE"},
		"two granules":    {func(f fstest.MapFS) { replace(t, f, mtd, "</Granule>", "</Granule><Granule></Granule>") }, "2 granules"},
		"position order":  {func(f fstest.MapFS) { replace(t, f, mtd, "<EXT_POS_LIST>-29", "<EXT_POS_LIST>-129") }, "EXT_POS_LIST"},
		"projection":      {func(f fstest.MapFS) { replace(t, f, southTile, "EPSG:32756", "EPSG:2154") }, "HORIZONTAL_CS_CODE"},
		"angle count": {func(f fstest.MapFS) {
			replace(t, f, southTile, "</VALUES>\n</Values_List>", " 1</VALUES>\n</Values_List>")
		}, "row 23 has 24 values"},
		"angle text": {func(f fstest.MapFS) { replace(t, f, southTile, "<VALUES>", "<VALUES>x ") }, "is not a number"},
		"no pixels":  {func(f fstest.MapFS) { replace(t, f, southTile, "<NROWS>10980<", "<NROWS>0<") }, "NROWS"},
		"other tile": {func(f fstest.MapFS) { replace(t, f, southTile, "n1:Level-1C_Tile_ID", "n1:Other") }, "not the metadata of a Sentinel-2 tile"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fixture(t, "south_n0206")
			tc.change(fsys)
			_, err := s2.Read(fsys)
			if _, public := fault.Of(err); !fault.Is(err, fault.Invalid) || !strings.Contains(public, tc.want) {
				t.Fatalf("error %v, want one about %q", err, tc.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	l1c, l2a, bucket := fixture(f, "south_n0206"), fixture(f, "antimeridian_n0509"), fixture(f, "bucket_n0400")
	f.Add(l1c["MTD_MSIL1C.xml"].Data, l1c[southTile].Data, []byte{})
	f.Add(l2a["MTD_MSIL2A.xml"].Data, l2a[antimeridianTile].Data, []byte{})
	f.Add([]byte{}, bucket["metadata.xml"].Data, bucket["tileInfo.json"].Data)
	f.Fuzz(func(t *testing.T, product, tile, info []byte) {
		for _, fsys := range []fstest.MapFS{
			{"MTD_MSIL1C.xml": {Data: product}, southTile: {Data: tile}},
			{"MTD_MSIL2A.xml": {Data: product}, antimeridianTile: {Data: tile}},
			{"metadata.xml": {Data: tile}, "tileInfo.json": {Data: info}},
		} {
			p, err := s2.Read(fsys)
			if err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatalf("error %v is not fault.Invalid", err)
				}
				continue
			}
			if len(p.Bands) != 13 || len(p.Grids) == 0 || len(p.Footprints) > 0 && len(p.Footprints[0]) < 4 {
				t.Fatalf("product %+v", p)
			}
			p.MeanView()
			p.Sun.At(p.Grids[0].Transform.Apply(1, 1))
			for _, v := range p.Views {
				v.Filled()
			}
		}
	})
}
