package spot

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"swath/eo"
	"swath/fault"
	"swath/geo"
)

const (
	file1 = "METADATA.DIM"
	file2 = "IMG_SPOT7_PMS_001_A/DIM_SPOT7_PMS_202011170245179_ORT_1234567101.XML"
)

// fixture returns one of testdata's products, with an image of one byte for each name, and its document changed by pairs of
// old and new text, each of which must occur.
func fixture(t testing.TB, folder, document string, images []string, changes ...string) fstest.MapFS {
	t.Helper()
	body, err := os.ReadFile(path.Join("testdata", folder, document))
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("%s does not contain %q", document, changes[i])
		}
		text = strings.ReplaceAll(text, changes[i], changes[i+1])
	}
	fsys := fstest.MapFS{document: {Data: []byte(text)}}
	for _, name := range images {
		fsys[path.Join(path.Dir(document), name)] = &fstest.MapFile{Data: []byte{0}}
	}
	return fsys
}

func spot5(t testing.TB, changes ...string) fstest.MapFS {
	return fixture(t, "spot5_1a", file1, []string{"IMAGERY.TIF"}, changes...)
}

func spot7(t testing.TB, changes ...string) fstest.MapFS {
	stem := "SPOT7_PMS_202011170245179_ORT_1234567101"
	return fixture(t, "spot7_ortho", file2, []string{"IMG_" + stem + "_R1C1.JP2", "IMG_" + stem + "_R1C2.JP2", "ICON_" + stem + ".JPG"}, changes...)
}

func TestReadDIMAP1(t *testing.T) {
	p, err := Read(spot5(t))
	if err != nil {
		t.Fatal(err)
	}
	for what, ok := range map[string]bool{
		"id":         p.ID == "SPOT5_HRG1_J_20060514T104733_047-262_1A",
		"name":       p.Name == "SCENE 5 047-262 06/05/14 10:47:33 1 J" && p.SourceID == "50472620605141047331J",
		"mission":    p.Mission == 5 && p.Instrument == "HRG" && p.InstrumentIndex == 1 && p.Mode == "J",
		"level":      p.Level == "1A" && p.Version == "1.1",
		"grid":       p.GridReference == "047-262",
		"time":       p.TimeUTC.Equal(time.Date(2006, 5, 14, 10, 47, 33, 0, time.UTC)),
		"angles":     p.IncidenceDeg == 9 && p.ViewingDeg == 7.92 && p.SunAzimuthDeg == 149.7 && p.SunElevationDeg == 57.6,
		"size":       p.Columns == 345 && p.Rows == 345 && p.BitDepth == 8 && p.GSDM == 10,
		"nodata":     p.NoData != nil && *p.NoData == 0 && p.Saturated == nil,
		"frame":      len(p.Frame) == 5 && p.Frame[0] == p.Frame[4] && p.Frame[1] == [2]float64{3.05410263, 43.34277610},
		"center":     p.CenterDeg == [2]float64{3.02886179, 43.33093086},
		"tie points": len(p.GCPs) == 25 && p.CRS == geo.WGS84 && p.Transform == nil,
		"image":      len(p.Images) == 1 && p.Images[0].Path == "IMAGERY.TIF" && p.Missing == nil,
	} {
		if !ok {
			t.Errorf("%s: %+v", what, p)
		}
	}
	want := []Band{{Name: "XS3", Gain: 1.45, SolarIrradiance: 1043}, {Name: "XS2", Gain: 1.75, SolarIrradiance: 1573},
		{Name: "XS1", Gain: 1.3, SolarIrradiance: 1858}, {Name: "SWIR", Gain: 8.6, SolarIrradiance: 236}}
	for i, b := range p.Bands {
		if b.Name != want[i].Name || b.Gain != want[i].Gain || b.Bias != 0 || b.SolarIrradiance != want[i].SolarIrradiance {
			t.Errorf("band %d = %+v, want %+v", i, b, want[i])
		}
	}
	if first, last := p.GCPs[0], p.GCPs[24]; first.Column != 0.5 || first.Row != 0.5 || last.Column != 344.5 || last.Row != 344.5 {
		t.Errorf("the centres of the corner pixels are %+v and %+v", first, last)
	}
}

func TestReadDIMAP2(t *testing.T) {
	p, err := Read(spot7(t))
	if err != nil {
		t.Fatal(err)
	}
	for what, ok := range map[string]bool{
		"id":       p.ID == "SPOT7_PMS_202011170245179_ORT_1234567101" && p.Name == "ORT_SPOT7_20201117_024518700_000",
		"mission":  p.Mission == 7 && p.Instrument == "NAOMI" && p.Mode == "PMS" && p.Level == "ORTHO" && p.Version == "2.12",
		"software": p.Software == "IMF" && p.SoftwareVer == "6" && p.ProducedUTC.Equal(time.Date(2020, 11, 17, 4, 31, 53, 0, time.UTC)),
		"time":     p.TimeUTC.Equal(time.Date(2020, 11, 17, 2, 45, 20, 827e6, time.UTC)),
		"angles":   p.IncidenceDeg == 26.138 && p.ViewingDeg == 23.376 && p.SunAzimuthDeg == 117.565 && p.SunElevationDeg == 63.73,
		"cloud":    p.CloudPercent == 12.5,
		"size":     p.Columns == 101 && p.Rows == 101 && p.BitDepth == 16 && p.GSDM == 1.5,
		"values":   *p.NoData == 0 && *p.Saturated == 4095,
		"grid":     p.CRS == 32749 && *p.Transform == geo.Affine{427461, 1.5, 0, 9178299, 0, -1.5} && p.GCPs == nil,
		"images":   len(p.Images) == 2 && strings.HasSuffix(p.Images[1].Path, "_R1C2.JP2") && p.Images[1].TileCol == 2 && p.Missing == nil,
		"pictures": p.Icon != "" && p.Quicklook == "", // the fixture has no quicklook
	} {
		if !ok {
			t.Errorf("%s: %+v", what, p)
		}
	}
	names := ""
	for _, b := range p.Bands {
		names += b.Name + " "
	}
	if names != "B2 B1 B0 B3 " {
		t.Errorf("bands in file order: %s", names)
	}
	if b := p.Bands[3]; b.Gain != 16.77 || b.SolarIrradiance != 1084.5 || b.MinNM != 770 || b.MaxNM != 874 {
		t.Errorf("B3 = %+v", b)
	}
	// The document's own vertices are centres of corner pixels, in map coordinates: another witness for the grid.
	if x, y := p.Transform.Apply(0.5, 0.5); x != 427461.75 || y != 9178298.25 {
		t.Errorf("the first pixel's centre is at %g, %g", x, y)
	}
}

func TestVariants(t *testing.T) {
	const insert = `<Geoposition><Geoposition_Insert><ULXMAP>500000</ULXMAP><ULYMAP>4800000</ULYMAP><XDIM>10</XDIM><YDIM>10</YDIM></Geoposition_Insert></Geoposition><X>`
	for name, tc := range map[string]struct {
		fsys fs.FS
		ok   func(p *Product) bool
	}{
		"map grid of cells": {spot5(t, "<Geoposition>", insert, "</Geoposition>\n", "</X>\n", "epsg:4326", "epsg:32631", ">POINT<", ">CELL<"),
			func(p *Product) bool {
				return *p.Transform == geo.Affine{500000, 10, 0, 4800000, 0, -10} && p.CRS == 32631
			}},
		"map grid of points": {spot5(t, "<Geoposition>", insert, "</Geoposition>\n", "</X>\n", "epsg:4326", "epsg:32631"),
			func(p *Product) bool { return *p.Transform == geo.Affine{499995, 10, 0, 4800005, 0, -10} }},
		"no tie points: the frame": {spot5(t, "<Geoposition_Points>", "<X>", "</Geoposition_Points>", "</X>"),
			func(p *Product) bool {
				return len(p.GCPs) == 4 && p.GCPs[2].Column == 344.5 && p.GCPs[2].LonDeg == p.Frame[2][0]
			}},
		"irradiances in sensor order": {spot5(t, ">1043.0<", ">x<", ">1858.0<", ">1043.0<", ">x<", ">1858.0<"),
			func(p *Product) bool { return p.Bands[0].SolarIrradiance == 1043 && p.Bands[2].SolarIrradiance == 1858 }},
		"no irradiances: no reflectance": {spot5(t, "<Solar_Irradiance>", "<X>", "</Solar_Irradiance>", "</X>"),
			func(p *Product) bool {
				_, _, ok := p.Reflectance(0)
				return !ok && math.IsNaN(p.Bands[0].SolarIrradiance)
			}},
		"panchromatic": {spot5(t, ">SWIR<", ">M<", "<SENSOR_CODE>J", "<SENSOR_CODE>M"),
			func(p *Product) bool { return p.Bands[3].Name == "PAN" && p.Mode == "M" && p.GSDM == 10 }},
		"shifted scene": {spot5(t, "047-262", "047-262/3"),
			func(p *Product) bool {
				return p.GridReference == "047-262/3" && p.ID == "SPOT5_HRG1_J_20060514T104733_047-262-3_1A"
			}},
		"other case in the archive": {spot5(t, "IMAGERY.TIF", "imagery.tif"),
			func(p *Product) bool { return p.Images[0].Path == "IMAGERY.TIF" && p.Missing == nil }},
		"image missing": {spot5(t, "IMAGERY.TIF", "OTHER.TIF"),
			func(p *Product) bool { return slices.Equal(p.Missing, []string{"OTHER.TIF"}) }},
		"stretched: no reflectance": {spot7(t, ">NONE<", ">LINEAR<"),
			func(p *Product) bool { _, _, ok := p.Reflectance(0); return !ok }},
		"sensor geometry": {spot7(t, "<Geoposition_Insert>", "<X>", "</Geoposition_Insert>", "</X>", ">ORTHO<", ">SENSOR<"),
			func(p *Product) bool {
				return p.Transform == nil && len(p.GCPs) == 4 && p.GCPs[0].Column == 0.5 && p.CRS == geo.WGS84
			}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Read(tc.fsys)
			if err != nil {
				t.Fatal(err)
			}
			if !tc.ok(p) {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestBadProducts(t *testing.T) {
	two := spot5(t)
	two["SCENE02/METADATA.DIM"] = two[file1]
	empty := spot5(t)
	empty[file1] = &fstest.MapFile{}
	for name, tc := range map[string]struct {
		fsys fs.FS
		want []string
	}{
		"no document":         {fstest.MapFS{"readme.txt": {}}, []string{"METADATA.DIM"}},
		"two documents":       {two, []string{"2 SPOT images", "SCENE02/METADATA.DIM"}},
		"empty":               {empty, []string{file1, "empty"}},
		"truncated":           {spot5(t, "</Dimap_Document>", ""), []string{file1, "EOF"}},
		"DOCTYPE":             {spot5(t, "<Dimap_Document", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n<Dimap_Document"), []string{file1, "DOCTYPE"}},
		"version":             {spot5(t, `version="1.1">DIMAP`, `version="9.1">DIMAP`), []string{file1, "METADATA_FORMAT", "9.1"}},
		"not SPOT":            {spot5(t, ">SPOT<", ">FORMOSAT<"), []string{"MISSION", "FORMOSAT"}},
		"mission 9":           {spot5(t, "<MISSION_INDEX>5", "<MISSION_INDEX>9"), []string{"MISSION_INDEX"}},
		"no scene":            {spot5(t, "Dataset_Sources", "X"), []string{"Dataset_Sources"}},
		"date":                {spot5(t, "2006-05-14", "14/05/2006"), []string{"IMAGING_DATE"}},
		"number":              {spot5(t, ">57.600000<", ">high<"), []string{"SUN_ELEVATION", "high"}},
		"infinite":            {spot5(t, ">57.600000<", ">Inf<"), []string{"SUN_ELEVATION"}},
		"sun above zenith":    {spot5(t, ">57.600000<", ">157.6<"), []string{"SUN_ELEVATION"}},
		"band twice":          {spot5(t, "<BAND_INDEX>2</BAND_INDEX><BAND_DESCRIPTION>", "<BAND_INDEX>1</BAND_INDEX><BAND_DESCRIPTION>"), []string{"Spectral_Band_Info", "XS2"}},
		"bands too few":       {spot5(t, "<NBANDS>4", "<NBANDS>5"), []string{"Spectral_Band_Info"}},
		"size":                {spot5(t, "<NCOLS>345", "<NCOLS>0"), []string{"Raster_Dimensions"}},
		"latitude":            {spot5(t, "<FRAME_LAT>43.34943976", "<FRAME_LAT>143.3"), []string{"Dataset_Frame"}},
		"three vertices":      {spot5(t, "<Vertex><FRAME_LON>3.00353679", "<V/><Vertex2><FRAME_LON>1", "<FRAME_ROW>345</FRAME_ROW><FRAME_COL>1</FRAME_COL></Vertex>", "</Vertex2>"), []string{"Dataset_Frame", "3 vertices"}},
		"escaping image":      {spot5(t, `"IMAGERY.TIF"`, `"../../etc/passwd"`), []string{"DATA_FILE_PATH", "leads out"}},
		"no image":            {spot5(t, "DATA_FILE_PATH", "X"), []string{"DATA_FILE_PATH"}},
		"unknown map":         {spot7(t, "EPSG::32749", "local"), []string{"PROJECTED_CRS_CODE"}},
		"flat pixels":         {spot7(t, "<XDIM>1.5", "<XDIM>0"), []string{"Geoposition_Insert"}},
		"no centre":           {spot7(t, "<LOCATION_TYPE>Center<", "<LOCATION_TYPE>X<"), []string{"Located_Geometric_Values"}},
		"bands without order": {spot7(t, "<NBANDS>4", "<NBANDS>6"), []string{"Band_Display_Order"}},
		"Pleiades":            {spot7(t, "<MISSION>SPOT", "<MISSION>PHR"), []string{"Strip_Source"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Read(tc.fsys)
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("Read = %+v, %v; want an invalid product", p, err)
			}
			for _, text := range tc.want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
		})
	}
}

// The names of bands are those by which package eo knows them.
func TestBandsAreKnown(t *testing.T) {
	for _, fsys := range []fs.FS{spot5(t), spot7(t)} {
		p, err := Read(fsys)
		if err != nil {
			t.Fatal(err)
		}
		platform, ok := eo.PlatformByName(fmt.Sprintf("spot-%d", p.Mission))
		if !ok || platform.Instruments[0] != strings.ToLower(p.Instrument) {
			t.Fatalf("SPOT %d with %s is %+v", p.Mission, p.Instrument, platform)
		}
		for _, b := range p.Bands {
			if known, ok := eo.BandByName(platform, b.Name); !ok {
				t.Errorf("%s has no band %s", platform.Name, b.Name)
			} else if nm := 1000 * known.CenterUm; nm < b.MinNM || nm > b.MaxNM {
				t.Errorf("%s %s: centre %g nm is not in %g to %g", platform.Name, b.Name, nm, b.MinNM, b.MaxNM)
			}
		}
	}
}

// The perihelion and aphelion of The Astronomical Almanac 2020.
func TestSunDistanceAU(t *testing.T) {
	for day, want := range map[string]float64{"2020-01-05T07:48": 0.983244, "2020-07-04T11:35": 1.016694} {
		at, err := time.Parse("2006-01-02T15:04", day)
		if err != nil {
			t.Fatal(err)
		}
		if got := SunDistanceAU(at); math.Abs(got-want) > 1e-4 {
			t.Errorf("%s: %.5f AU, want %.5f", day, got, want)
		}
	}
}

func FuzzReadDocument(f *testing.F) {
	for _, fsys := range []fstest.MapFS{spot5(f), spot7(f)} {
		for name, file := range fsys {
			if strings.HasSuffix(name, ".DIM") || strings.HasSuffix(name, ".XML") {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		fsys := fstest.MapFS{"a/DIM_X.XML": {Data: []byte(text)}}
		p, err := ReadDocument(fsys, "a/DIM_X.XML")
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is not an invalid product", err)
			}
			return
		}
		if p.Columns < 1 || len(p.Bands) == 0 || len(p.Frame) != 5 || p.Transform == nil && len(p.GCPs) < 3 {
			t.Fatalf("accepted %+v", p)
		}
		for i := range p.Bands {
			if scale, offset, ok := p.Reflectance(i); ok && (math.IsNaN(scale) || math.IsNaN(offset) || scale <= 0) {
				t.Fatalf("band %d: scale %g, offset %g", i, scale, offset)
			}
		}
		for _, image := range p.Images {
			if !fs.ValidPath(image.Path) {
				t.Fatalf("image %q", image.Path)
			}
		}
	})
}
