package s1

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/sentinel/safe"
)

const (
	name        = "S1B_IW_GRDH_1SDV_20211223T051122_20211223T051147_030148_039993_5371"
	vv          = "s1b-iw-grd-vv-20211223t051122-20211223t051147-030148-039993-001"
	annotation  = "annotation/" + vv + ".xml"
	calibration = "annotation/calibration/calibration-" + vv + ".xml"
	noise       = "annotation/calibration/noise-" + vv + ".xml"
	image       = "measurement/" + vv + ".tiff"
)

// fixture returns the product of testdata with an image of one byte. Changes are triples: a file, and the old and new text
// in it, which must occur.
func fixture(t testing.TB, changes ...string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{image: {Data: []byte{0}}}
	for _, file := range []string{safe.ManifestName, annotation, calibration, noise} {
		body, err := os.ReadFile(path.Join("testdata", name+".SAFE", file))
		if err != nil {
			t.Fatal(err)
		}
		fsys[file] = &fstest.MapFile{Data: body}
	}
	for i := 0; i < len(changes); i += 3 {
		file := fsys[changes[i]]
		if !strings.Contains(string(file.Data), changes[i+1]) {
			t.Fatalf("%s does not contain %q", changes[i], changes[i+1])
		}
		file.Data = []byte(strings.ReplaceAll(string(file.Data), changes[i+1], changes[i+2]))
	}
	return fsys
}

func TestRead(t *testing.T) {
	p, err := Read(fixture(t), name)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Measurements) != 1 {
		t.Fatalf("%d measurements; VH has no annotation here", len(p.Measurements))
	}
	m := p.Measurements[0]
	utc := func(text string) time.Time {
		at, err := safe.ParseTime(text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for what, ok := range map[string]bool{
		"product":        p.Name == name && p.Platform == "Sentinel-1B" && p.SAR.Mode == "IW" && p.SAR.ProductType == "GRD" && p.ResolutionClass == "H",
		"polarisations":  strings.Join(p.SAR.Polarisations, " ") == "VV VH",
		"period":         p.StartUTC.Equal(utc("2021-12-23T05:11:22.594441")) && p.StopUTC.Equal(utc("2021-12-23T05:11:47.593146")),
		"orbit":          p.AbsoluteOrbit == 30148 && p.RelativeOrbit == 22 && p.Pass == "descending",
		"data take":      p.SAR.DataTakeID == 235923 && p.SAR.Slice == 9 && p.SAR.Slices == 21,
		"processor":      p.Software == "Sentinel-1 IPF" && p.SoftwareVersion == "003.40",
		"footprint":      p.Footprints[0][0] == [2]float64{14.925448, 40.876698} && len(p.Footprints[0]) == 5,
		"missing":        len(p.Missing) == 4 && strings.Contains(p.Missing[0], "-vh-"),
		"paths":          m.Path == image && m.Annotation == annotation && m.Calibration == calibration && m.Noise == noise,
		"image":          m.Polarisation == "VV" && m.Swath == "IW" && m.Lines == 16705 && m.Samples == 26102,
		"spacing":        m.RangeSpacingM == 10 && m.AzimuthSpacingM == 10,
		"timing":         m.FirstLineUTC.Equal(p.StartUTC) && m.LastLineUTC.Equal(p.StopUTC) && m.LineIntervalS == 1.496569996245720e-03,
		"range":          m.SlantRangeTimeS == 5.332632114118834e-03 && m.RangeSamplingHz == 6.434523812571428e+07 && m.RadarHz == 5.405000454334350e+09,
		"angles":         m.IncidenceMidSwathDeg == 38.91812789621374 && m.HeadingDeg == -166.3128724205746,
		"state vectors":  len(m.Orbit) == 16 && m.Orbit[0].PositionM[2] == 5.013314106183e6 && m.Orbit[0].VelocityMPerS[0] == 5549.421486 && m.Orbit[0].TimeUTC.Equal(utc("2021-12-23T05:10:21.029300")),
		"ground range":   len(m.GroundRange) == 2 && len(m.GroundRange[0].ToGround) == 9 && m.GroundRange[0].SlantOriginM == 7.993414445516695e5 && m.GroundRange[0].ToSlant[1] == 5.051650875593184e-1,
		"grid":           len(m.Grid) == 42 && m.Grid[41].Line == 16704 && m.Grid[41].Pixel == 26101,
		"first point":    m.Grid[0].LatDeg == 4.237675280764677e+01 && m.Grid[0].LonDeg == 1.532209672548896e+01 && m.Grid[0].IncidenceDeg == 3.030944924571985e+01 && m.Grid[0].ElevationDeg == 2.703849171149211e+01,
		"swaths":         len(m.SwathBounds) == 3 && m.SwathBounds[0] == SwathBounds{"IW1", 0, 16704, 0, 8889},
		"control points": m.GCPs()[0] == geo.GCP{Column: 0.5, Row: 0.5, LonDeg: m.Grid[0].LonDeg, LatDeg: m.Grid[0].LatDeg, HeightM: m.Grid[0].HeightM},
	} {
		if !ok {
			t.Errorf("%s: %+v\n%+v", what, p, m)
		}
	}
	if r, ok := p.Resolution(); !ok || r != (Resolution{20, 22, 5, 1, 4.4}) {
		t.Errorf("resolution %+v", r)
	}
}

func TestResolutionClass(t *testing.T) {
	for name, tc := range map[string]struct {
		name, productType string
		spacingM          float64
		want              string
	}{
		"by name":                {"S1A_S3_GRDF_1SDV_20150203T043109_20150203T043134_004454_00574F_6D00", "GRD", 10, "F"},
		"medium by name":         {"S1A_EW_GRDM_1SDH_20150203T043109_20150203T043134_004454_00574F_6D00", "GRD", 40, "M"},
		"renamed full":           {"scene", "GRD", 3.5, "F"},
		"renamed high":           {"scene", "GRD", 25, "H"},
		"renamed medium":         {"scene", "GRD", 40, "M"},
		"single look has no one": {"S1A_IW_SLC__1SDV_20150203T043109_20150203T043134_004454_00574F_6D00", "SLC", 2.3, ""},
	} {
		if got := resolutionClass(tc.name, tc.productType, tc.spacingM); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestReadCalibration(t *testing.T) {
	c, err := ReadCalibration(fixture(t), calibration)
	if err != nil {
		t.Fatal(err)
	}
	if c.AbsoluteConstant != 1.393 || len(c.Vectors) != 2 {
		t.Fatalf("%+v", c)
	}
	v := c.Vectors[0]
	if v.Line != 0 || v.Pixels[1] != 1600 || v.SigmaNought[0] != 663.8558 || v.BetaNought[0] != 473.9733 || v.Gamma[0] != 615.7493 || v.DN[0] != 401.5858 {
		t.Errorf("%+v", v)
	}
	// sigma and beta differ by the sine of the incidence angle, of which the geolocation grid is another source.
	if incidence := math.Asin(math.Pow(v.BetaNought[0]/v.SigmaNought[0], 2)) * 180 / math.Pi; math.Abs(incidence-30.309) > 0.5 {
		t.Errorf("incidence angle %g by the tables", incidence)
	}
}

func TestReadNoise(t *testing.T) {
	n, err := ReadNoise(fixture(t), noise)
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Range) != 2 || n.Range[0].LUT[0] != 2375.788 || n.Range[0].Pixels[1] != 1600 || len(n.Azimuth) != 3 {
		t.Fatalf("%+v", n)
	}
	if a := n.Azimuth[0]; a.Swath != "IW1" || a.LastLine != 16704 || a.LastSample != 8889 || a.LUT[0] != 1.091791 || a.Lines[0] != 0 {
		t.Errorf("%+v", a)
	}
	old, err := ReadNoise(os.DirFS("testdata"), "noise_before_ipf_290.xml")
	if err != nil {
		t.Fatal(err)
	}
	if len(old.Range) != 2 || old.Range[0].LUT[0] != 1694.175 || old.Azimuth != nil {
		t.Errorf("%+v", old)
	}
}

func TestBadProducts(t *testing.T) {
	without := func(file string) fs.FS { fsys := fixture(t); delete(fsys, file); return fsys }
	manifest := safe.ManifestName
	for name, tc := range map[string]struct {
		fsys fs.FS
		want []string
	}{
		"no manifest":        {without(manifest), []string{manifest, "missing"}},
		"no annotation":      {without(annotation), []string{manifest, "2 images", "annotation"}},
		"unlisted":           {fixture(t, manifest, annotation, "annotation/other.xml"), []string{manifest, image, "no annotation"}},
		"Sentinel-3":         {fixture(t, manifest, ">SENTINEL-1<", ">SENTINEL-3<"), []string{manifest, "platform"}},
		"ocean product":      {fixture(t, manifest, ":productType>GRD<", ":productType>OCN<"), []string{manifest, "productType", "OCN"}},
		"mode":               {fixture(t, manifest, ":mode>IW<", ":mode>XX<"), []string{manifest, "mode"}},
		"relative orbit":     {fixture(t, manifest, `start">22<`, `start">176<`), []string{manifest, "relativeOrbitNumber"}},
		"no footprint":       {fixture(t, manifest, "footPrint", "x"), []string{manifest, "footPrint"}},
		"truncated":          {fixture(t, annotation, "</product>", ""), []string{annotation, "EOF"}},
		"DOCTYPE":            {fixture(t, annotation, "<product>", "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><product>"), []string{annotation, "DOCTYPE"}},
		"number":             {fixture(t, annotation, "<platformHeading>-", "<platformHeading>x"), []string{annotation, "platformHeading", "not a number"}},
		"infinite":           {fixture(t, annotation, "<height>", "<height>1e999"), []string{annotation, "height"}},
		"whole number":       {fixture(t, annotation, "<numberOfLines>", "<numberOfLines>1."), []string{annotation, "numberOfLines"}},
		"no lines":           {fixture(t, annotation, "numberOfLines", "x"), []string{annotation, "numberOfLines"}},
		"time":               {fixture(t, annotation, "<productFirstLineUtcTime>", "<productFirstLineUtcTime>x"), []string{annotation, "productFirstLineUtcTime"}},
		"count":              {fixture(t, annotation, `<srgrCoefficients count="9"`, `<srgrCoefficients count="8"`), []string{annotation, "srgrCoefficients", "9 values"}},
		"frame":              {fixture(t, annotation, "Earth Fixed", "GM2000"), []string{annotation, "frame"}},
		"no orbit":           {fixture(t, annotation, "orbitList", "x"), []string{annotation, "orbitList"}},
		"orbit in the Earth": {fixture(t, annotation, "<z>5.013314106183000e+06", "<z>0"), []string{annotation, "orbit"}},
		"no grid":            {fixture(t, annotation, "geolocationGrid>", "x>"), []string{annotation, "geolocationGrid"}},
		"place":              {fixture(t, annotation, "<latitude>4.237675280764677e+01", "<latitude>142"), []string{annotation, "geolocationGridPoint"}},
		"swath bounds":       {fixture(t, annotation, "<lastRangeSample>8889", "<lastRangeSample>-8889"), []string{annotation, "swathBounds"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Read(tc.fsys, name)
			wantFault(t, err, tc.want...)
			if p != nil {
				t.Errorf("a product beside the error: %+v", p)
			}
		})
	}
}

func TestBadTables(t *testing.T) {
	for name, tc := range map[string]struct {
		file, old, new string
		want           []string
	}{
		"no constant":          {calibration, ">1.393000e+00<", ">0<", []string{"absoluteCalibrationConstant"}},
		"no vectors":           {calibration, "calibrationVectorList", "x", []string{"calibrationVector"}},
		"table cut":            {calibration, `<gamma count="17">`, `<gamma count="16">6 `, []string{"gamma", "18 values"}},
		"tables of two sizes":  {calibration, `<gamma count="17">`, `<gamma count="18">6 `, []string{"calibrationVector 1", "18 values at 17"}},
		"zero gain":            {calibration, `<dn count="17">4.015858e+02`, `<dn count="17">0`, []string{"calibrationVector 1", "value 0"}},
		"pixels out of order":  {calibration, ">0 1600 3200 ", ">0 3200 1600 ", []string{"1600 does not follow"}},
		"lines out of order":   {calibration, "<line>0<", "<line>99999<", []string{"calibrationVector 2"}},
		"neither form":         {noise, "noiseRangeVectorList", "x", []string{"noiseVector"}},
		"negative noise":       {noise, ">2.375788e+03 ", ">-2.375788e+03 ", []string{"noise range vector 1"}},
		"azimuth without line": {noise, "<line count=", "<x count=", []string{"noise"}},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fixture(t, tc.file, tc.old, tc.new)
			var err error
			if tc.file == calibration {
				_, err = ReadCalibration(fsys, tc.file)
			} else {
				_, err = ReadNoise(fsys, tc.file)
			}
			wantFault(t, err, append(tc.want, tc.file)...)
		})
	}
}

func wantFault(t *testing.T, err error, texts ...string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid {
		t.Fatalf("%v is not an invalid product", err)
	}
	for _, text := range texts {
		if !strings.Contains(f.Public, text) {
			t.Errorf("%q does not say %q", f.Public, text)
		}
	}
}

func FuzzAnnotation(f *testing.F) {
	base := fixture(f)
	f.Add(string(base[annotation].Data))
	f.Add(`<product><adsHeader><polarisation>VV</polarisation><swath>IW</swath></adsHeader></product>`)
	f.Fuzz(func(t *testing.T, text string) {
		fsys := fstest.MapFS{annotation: {Data: []byte(text)}}
		m := Measurement{Annotation: annotation}
		if err := m.read(fsys); err != nil {
			wantFault(t, err, annotation)
			return
		}
		if m.Lines < 1 || m.Samples < 1 || len(m.Orbit) < 4 || len(m.GCPs()) < 4 {
			t.Fatalf("accepted %+v", m)
		}
	})
}

func FuzzTables(f *testing.F) {
	base := fixture(f)
	f.Add(string(base[calibration].Data))
	f.Add(string(base[noise].Data))
	f.Fuzz(func(t *testing.T, text string) {
		fsys := fstest.MapFS{"x.xml": {Data: []byte(text)}}
		if c, err := ReadCalibration(fsys, "x.xml"); err != nil {
			wantFault(t, err, "x.xml")
		} else if v := c.Vectors[0]; len(v.Pixels) == 0 || len(v.Pixels) != len(v.Gamma) {
			t.Fatalf("accepted %+v", c)
		}
		if n, err := ReadNoise(fsys, "x.xml"); err != nil {
			wantFault(t, err, "x.xml")
		} else if v := n.Range[0]; len(v.Pixels) == 0 || len(v.Pixels) != len(v.LUT) {
			t.Fatalf("accepted %+v", n)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	fsys := fixture(b)
	for b.Loop() {
		if _, err := Read(fsys, name); err != nil {
			b.Fatal(err)
		}
	}
}
