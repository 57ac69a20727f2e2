package s1

import (
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"swath/geo"
	"swath/sentinel/safe"
)

// shared opens the products of the shared data that match a pattern.
func shared(t *testing.T, patterns ...string) map[string]*safe.Product {
	t.Helper()
	opened := map[string]*safe.Product{}
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, archive := range found {
			p, err := safe.Open(archive)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Close() })
			opened[filepath.Base(archive)] = p
		}
	}
	if len(opened) == 0 {
		t.Skipf("no shared data match %v", patterns)
	}
	return opened
}

// Every real product, of IPF 2.36 to 3.91, must be read, and agree with itself where its files say the same thing twice.
func TestSharedProducts(t *testing.T) {
	for archive, opened := range shared(t, "s1-safe/*.zip", "s1-safe/pair-12days/*.zip", "s1-sim/*.zip") {
		t.Run(archive, func(t *testing.T) {
			p, err := Read(opened.FS, opened.Name)
			if err != nil {
				t.Fatal(err)
			}
			// In its first months the satellite had not yet reached the reference orbit that is counted.
			if want := relativeOrbit(p.Platform, p.AbsoluteOrbit); p.RelativeOrbit != want && p.AbsoluteOrbit > 3000 {
				t.Errorf("relative orbit %d, %d by formula", p.RelativeOrbit, want)
			}
			if _, ok := p.Resolution(); !ok {
				t.Errorf("no resolution for %s %q", p.SAR.Mode, p.ResolutionClass)
			}
			for _, m := range p.Measurements {
				checkAgreement(t, p, m)
				checkTables(t, opened.FS, p, m)
			}
			for _, name := range p.Missing {
				if info, err := fs.Stat(opened.FS, name); err == nil && info.Size() > 0 {
					t.Errorf("%s is not missing", name)
				}
			}
		})
	}
}

// relativeOrbit is the position in the 175-orbit cycle by the known offsets of the satellites.
func relativeOrbit(platform string, absolute int) int {
	offset := map[string]int{"Sentinel-1A": 73, "Sentinel-1B": 27}[platform]
	return (absolute-offset)%175 + 1
}

func checkAgreement(t *testing.T, p *Product, m Measurement) {
	if !slices.Contains(p.SAR.Polarisations, m.Polarisation) {
		t.Errorf("%s: polarisation %s is not in %v", m.Path, m.Polarisation, p.SAR.Polarisations)
	}
	if m.FirstLineUTC.Before(p.StartUTC.Add(-time.Millisecond)) || m.LastLineUTC.After(p.StopUTC.Add(time.Millisecond)) {
		t.Errorf("%s: lines from %v to %v, the product from %v to %v", m.Path, m.FirstLineUTC, m.LastLineUTC, p.StartUTC, p.StopUTC)
	}
	grd := p.SAR.ProductType == "GRD"
	if (len(m.GroundRange) > 0) != grd || (len(m.SwathBounds) > 0) != grd {
		t.Errorf("%s: %d ground range sets and %d swath bounds in a %s", m.Path, len(m.GroundRange), len(m.SwathBounds), p.SAR.ProductType)
	}
	// The grid's first column is the first sample: its centre, not a corner, else it would be half a sample earlier.
	first := m.Grid[0]
	if first.Line != 0 || first.Pixel != 0 || !grd && math.Abs(first.SlantRangeTimeS-m.SlantRangeTimeS) > 1e-12 {
		t.Errorf("%s: the grid begins with %+v, the image with slant range time %g", m.Path, first, m.SlantRangeTimeS)
	}
	if dt := first.TimeUTC.Sub(m.FirstLineUTC); dt.Abs() > 10*time.Millisecond {
		t.Errorf("%s: the grid begins %v after the image", m.Path, dt)
	}
	// A GRD is one image of constant interval.
	last := m.FirstLineUTC.Add(time.Duration(float64(m.Lines-1) * m.LineIntervalS * 1e9))
	if d := last.Sub(m.LastLineUTC); grd && d.Abs() > 2*time.Millisecond {
		t.Errorf("%s: the last line is at %v, %v from the first and the interval", m.Path, m.LastLineUTC, d)
	}
	if middle := p.StartUTC.Add(p.StopUTC.Sub(p.StartUTC) / 2); m.Orbit[0].TimeUTC.After(middle) || m.Orbit[len(m.Orbit)-1].TimeUTC.Before(middle) {
		t.Errorf("%s: the orbit does not cover %v", m.Path, middle)
	}
	checkFootprint(t, p, m)
}

// checkFootprint compares the corners of the grid with the manifest's footprint, which has latitude first: a GRD's are the
// same places, an SLC's subswath lies inside.
func checkFootprint(t *testing.T, p *Product, m Measurement) {
	const slackDeg = 0.02 // the manifest's corners do not follow the relief
	ring := p.Footprints[0]
	west, east, south, north := 180.0, -180.0, 90.0, -90.0
	for _, c := range ring {
		west, east, south, north = min(west, c[0]), max(east, c[0]), min(south, c[1]), max(north, c[1])
	}
	var farthest float64
	for _, g := range m.Grid {
		if g.LonDeg < west-slackDeg || g.LonDeg > east+slackDeg || g.LatDeg < south-slackDeg || g.LatDeg > north+slackDeg {
			t.Errorf("%s: %+v lies outside of the footprint %v", m.Path, g, ring)
			return
		}
		edgeLine, edgePixel := g.Line == 0 || g.Line >= m.Lines-1, g.Pixel == 0 || g.Pixel >= m.Samples-1
		if !edgeLine || !edgePixel {
			continue
		}
		nearest := math.Inf(1)
		for _, c := range ring {
			nearest = min(nearest, math.Hypot((c[0]-g.LonDeg)*math.Cos(g.LatDeg*math.Pi/180), c[1]-g.LatDeg))
		}
		farthest = max(farthest, nearest)
	}
	if p.SAR.ProductType == "GRD" && farthest > slackDeg {
		t.Errorf("%s: a corner of the grid is %.4f degrees from the footprint's", m.Path, farthest)
	}
}

// checkTables reads calibration and noise, where a product has them.
func checkTables(t *testing.T, fsys fs.FS, p *Product, m Measurement) {
	if m.Calibration != "" && !slices.Contains(p.Missing, m.Calibration) {
		c, err := ReadCalibration(fsys, m.Calibration)
		if err != nil {
			t.Fatal(err)
		}
		if v := c.Vectors[0]; v.Pixels[0] != 0 || v.Pixels[len(v.Pixels)-1] < m.Samples-100 {
			t.Errorf("%s: pixels %d to %d of %d", m.Calibration, v.Pixels[0], v.Pixels[len(v.Pixels)-1], m.Samples)
		}
	}
	if m.Noise != "" && !slices.Contains(p.Missing, m.Noise) {
		n, err := ReadNoise(fsys, m.Noise)
		if err != nil {
			t.Fatal(err)
		}
		if before := p.SoftwareVersion < "002.90"; before != (len(n.Azimuth) == 0) {
			t.Errorf("%s: %d azimuth vectors by IPF %s", m.Noise, len(n.Azimuth), p.SoftwareVersion)
		}
	}
}

// The points of the image itself, as GDAL shows ESA's tie points, are the same places at the same samples. GDAL counts them
// where the product does, without the half pixel that turns a centre into a corner.
func TestGCPsAgreeWithTIFF(t *testing.T) {
	if _, err := exec.LookPath("gdalinfo"); err != nil {
		t.Skip(err)
	}
	for _, opened := range shared(t, "s1-sim/*.zip") {
		p, err := Read(opened.FS, opened.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range p.Measurements {
			out, err := exec.CommandContext(t.Context(), "gdalinfo", "-json", opened.GDALPath(m.Path)).Output()
			if err != nil {
				t.Fatal(err)
			}
			var info struct {
				Size []int
				GCPs struct {
					List []struct{ Pixel, Line, X, Y, Z float64 } `json:"gcpList"`
				} `json:"gcps"`
			}
			if err := json.Unmarshal(out, &info); err != nil {
				t.Fatal(err)
			}
			gcps := m.GCPs()
			if len(info.GCPs.List) != len(gcps) || !slices.Equal(info.Size, []int{m.Samples, m.Lines}) {
				t.Fatalf("GDAL has %d points and size %v, the annotation %d, %d x %d", len(info.GCPs.List), info.Size, len(gcps), m.Samples, m.Lines)
			}
			for i, g := range info.GCPs.List {
				if p := gcps[i]; p.Column != g.Pixel+0.5 || p.Row != g.Line+0.5 || math.Abs(p.LonDeg-g.X) > 1e-9 || math.Abs(p.LatDeg-g.Y) > 1e-9 || math.Abs(p.HeightM-g.Z) > 1e-3 {
					t.Fatalf("point %d: %+v, GDAL has %+v", i, p, g)
				}
			}
		}
	}
}

// The simulated scene has reflectors whose place on the ground and in the image is known, counted from the first sample's
// centre. Those on the plain, where the grid's relief does not matter, tell half a pixel.
func TestGCPsHitReflectors(t *testing.T) {
	for _, opened := range shared(t, "s1-sim/*.zip") {
		p, err := Read(opened.FS, opened.Name)
		if err != nil {
			t.Fatal(err)
		}
		grid, err := geo.NewGCPGrid(p.Measurements[0].GCPs())
		if err != nil {
			t.Fatal(err)
		}
		var truth struct {
			Reflectors []struct {
				ID, Kind              string
				Lat, Lon, Line, Pixel float64
				HeightM               float64 `json:"h_ell"`
			} `json:"corner_reflectors"`
		}
		body, err := os.ReadFile(filepath.Join(filepath.Dir(opened.Path), "truth.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, &truth); err != nil {
			t.Fatal(err)
		}
		checked := 0
		var dx, dy float64
		for _, r := range truth.Reflectors {
			m := p.Measurements[0]
			shift, flat := heightShift(m, r.Line, r.Pixel, r.HeightM)
			if !flat {
				continue
			}
			column, row := grid.FromLonLat(r.Lon, r.Lat)
			x, y := column+shift-(r.Pixel+0.5), row-(r.Line+0.5)
			t.Logf("%s: %+.3f columns, %+.3f rows", r.ID, x, y)
			dx, dy, checked = dx+x, dy+y, checked+1
		}
		if checked < 3 {
			t.Fatalf("%d reflectors on the plain are too few", checked)
		}
		if n := float64(checked); math.Abs(dx/n) > 0.1 || math.Abs(dy/n) > 0.1 {
			t.Errorf("the grid is off by %.3f columns and %.3f rows at %d reflectors", dx/n, dy/n, checked)
		}
	}
}

// heightShift returns by how many columns a place appears off the grid's because it is not at the grid's height: a higher one
// is nearer to the radar. False when the grid around is not flat to a metre, or far from that height.
func heightShift(m Measurement, line, pixel, heightM float64) (columns float64, flat bool) {
	var near []GridPoint
	for _, g := range m.Grid {
		if math.Abs(float64(g.Line)-line) < 260 && math.Abs(float64(g.Pixel)-pixel) < 130 {
			near = append(near, g)
		}
	}
	if len(near) < 4 {
		return 0, false
	}
	var mean float64
	for _, g := range near {
		mean += g.HeightM / float64(len(near))
		if math.Abs(g.HeightM-near[0].HeightM) > 1 || math.Abs(g.HeightM-heightM) > 5 {
			return 0, false
		}
	}
	return -(heightM - mean) / math.Tan(near[0].IncidenceDeg*math.Pi/180) / m.RangeSpacingM, true
}
