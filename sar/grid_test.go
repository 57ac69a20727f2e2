package sar

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"swath/sentinel/s1"
	"swath/sentinel/safe"
)

// shared is the folder of real data beside the repository.
const shared = "../../shared/data"

// real returns the paths that a pattern names there, or skips the test.
func real(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(shared, pattern))
	if err != nil || len(paths) == 0 {
		if os.Getenv("SWATH_TEST_REQUIRE_ALL") != "" {
			t.Fatalf("no %s in %s", pattern, shared)
		}
		t.Skipf("no %s in %s", pattern, shared)
	}
	return paths
}

func readProduct(t testing.TB, path string) (*s1.Product, *safe.Product) {
	t.Helper()
	p, err := safe.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	product, err := s1.Read(p.FS, p.Name)
	if err != nil {
		t.Fatal(err)
	}
	return product, p
}

// The annotation says of places at which time and slant range they are seen: the same must come out of its state vectors.
func TestGeolocationGrids(t *testing.T) {
	seen := 0
	for _, path := range append(real(t, "s1-safe/*.zip"), real(t, "s1-safe/*/*.zip")...) {
		product, _ := readProduct(t, path)
		for i := range product.Measurements {
			m := &product.Measurements[i]
			if len(m.Grid) == 0 {
				continue
			}
			seen++
			orbit, err := NewOrbit(m.Orbit, m.FirstLineUTC)
			if err != nil {
				t.Fatal(err)
			}
			var range2, worstRange, worstTime, worstPlace float64
			for _, p := range m.Grid {
				place := ToECEF(p.LonDeg, p.LatDeg, p.HeightM)
				want := orbit.Seconds(p.TimeUTC)
				at, r := orbit.ZeroDoppler(place, want+0.3)
				dr := r - LightMPerS/2*p.SlantRangeTimeS
				range2 += dr * dr
				worstRange, worstTime = math.Max(worstRange, math.Abs(dr)), math.Max(worstTime, math.Abs(at-want))
				lon, lat := orbit.Locate(at, r, p.HeightM)
				worstPlace = math.Max(worstPlace, ToECEF(lon, lat, p.HeightM).Sub(place).Norm())
			}
			t.Logf("%s %s %s IPF %s: %d points, range %.3f mm worst, time %.1f µs worst, there and back %.3f mm", product.Name[:25], m.Swath, m.Polarisation,
				product.SoftwareVersion, len(m.Grid), 1000*worstRange, 1e6*worstTime, 1000*worstPlace)
			if product.SoftwareVersion < "003.31" { // older processors rounded more, and tagged otherwise
				continue
			}
			if worstRange > 0.002 || worstTime > 50e-6 {
				t.Errorf("%s %s: off by %.2f mm in range and %.1f µs in azimuth", product.Name, m.Annotation, 1000*worstRange, 1e6*worstTime)
			}
			if worstPlace > 0.001 {
				t.Errorf("%s: Locate is off by %.3f mm", product.Name, 1000*worstPlace)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d images", seen)
	}
}

// Lines and pixels of the grid's places: the bistatic term comes out of the product itself.
func TestGRDImage(t *testing.T) {
	for _, path := range append(real(t, "s1-safe/*GRDH*.zip"), real(t, "s1-sim/*.zip")...) {
		product, _ := readProduct(t, path)
		for i := range product.Measurements {
			m := &product.Measurements[i]
			g, err := NewGRD(m, nil, Nearest)
			if err != nil {
				t.Fatal(err)
			}
			var worst, worstPixel, sum float64
			for _, p := range m.Grid {
				at, r := g.Orbit.ZeroDoppler(ToECEF(p.LonDeg, p.LatDeg, p.HeightM), 0)
				line, pixel := g.Image(at, r)
				worst = math.Max(worst, math.Abs(line-float64(p.Line)))
				worstPixel = math.Max(worstPixel, math.Abs(pixel-float64(p.Pixel)))
				sum += (pixel - float64(p.Pixel)) * (pixel - float64(p.Pixel))
			}
			mid := -g.BistaticS / g.BistaticSlope
			t.Logf("%s %s IPF %s: k %.3f, tau_mid %.3f ms, line %.4f worst, pixel %.4f worst %.4f rms", product.Name[:25], m.Polarisation,
				product.SoftwareVersion, g.BistaticSlope, 1000*mid, worst, worstPixel, math.Sqrt(sum/float64(len(m.Grid))))
			if product.SoftwareVersion >= "003.31" && (worst > 0.002 || worstPixel > 0.02 || math.Abs(g.BistaticSlope-0.5) > 0.03) {
				t.Errorf("%s: line off by %.3f, pixel by %.3f, slope %.3f", product.Name, worst, worstPixel, g.BistaticSlope)
			}
			for _, at := range [][3]float64{{100, 200, 50}, {float64(m.Lines) / 2, float64(m.Samples) / 3, 1500}} {
				lon, lat := g.Place(at[0], at[1], at[2])
				tz, r := g.Orbit.ZeroDoppler(ToECEF(lon, lat, at[2]), 0)
				if line, pixel := g.Image(tz, r); math.Abs(line-at[0]) > 0.001 || math.Abs(pixel-at[1]) > 0.01 {
					t.Errorf("%s: %v becomes line %.4f, pixel %.4f", product.Name, at, line, pixel)
				}
			}
		}
	}
}

// Positions between the vectors of a precise orbit, of which every second one was left out.
func TestOrbitInterpolation(t *testing.T) {
	for _, path := range real(t, "s1-orbits/*.EOF") {
		f, ok := ParseOrbitFile(path)
		if !ok {
			t.Fatalf("%s: not the name of an orbit file", path)
		}
		vectors, err := ReadOrbitFile(path, f.FromUTC, f.ToUTC)
		if err != nil {
			t.Fatal(err)
		}
		vectors = vectors[:min(len(vectors), 201)]
		var kept []s1.StateVector
		for i := 0; i < len(vectors); i += 2 {
			kept = append(kept, vectors[i])
		}
		o, err := NewOrbit(kept, vectors[0].TimeUTC.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		var errs, errsV []float64
		for i := 9; i < len(vectors)-9; i += 2 {
			if vectors[i+9].TimeUTC.Sub(vectors[i-9].TimeUTC) > 181*time.Second { // files may have been cut
				continue
			}
			p, v, a := o.At(o.Seconds(vectors[i].TimeUTC))
			errs, errsV = append(errs, p.Sub(vectors[i].PositionM).Norm()), append(errsV, v.Sub(vectors[i].VelocityMPerS).Norm())
			_, next, _ := o.At(o.Seconds(vectors[i].TimeUTC) + 0.5)
			if d := next.Sub(v).AddScaled(-0.5, a).Norm(); d > 0.02 {
				t.Fatalf("%s: acceleration off by %g m/s over half a second", path, d)
			}
		}
		slices.Sort(errs)
		slices.Sort(errsV)
		worst, worstV := errs[len(errs)-1], errsV[len(errsV)-1]
		t.Logf("%s: %d vectors, over 20 s %.3f mm, %.4f mm/s", filepath.Base(path), len(vectors), 1000*worst, 1000*worstV)
		if f.FromUTC.Year() == 2022 { // its velocities jump by centimetres a second from one vector to the next
			continue
		}
		if worst > 0.0001 || worstV > 0.002 {
			t.Errorf("%s: positions off by %.2f mm, velocities by %.3f mm/s", filepath.Base(path), 1000*worst, 1000*worstV)
		}
	}
}

func TestFindOrbitFile(t *testing.T) {
	real(t, "s1-orbits/*.EOF")
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	dir := filepath.Join(shared, "s1-orbits")
	f, err := FindOrbitFile(dir, "s1a", at("2014-10-04T03:13:12Z"), at("2014-10-04T03:13:39Z"))
	if err != nil || f.Kind != "POEORB" {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := FindOrbitFile(dir, "S1B", at("2014-10-04T03:13:12Z"), at("2014-10-04T03:13:39Z")); err == nil {
		t.Errorf("of another satellite: %+v", f)
	}
	if f, err := FindOrbitFile(dir, "S1A", at("2014-10-05T00:59:00Z"), at("2014-10-05T00:59:40Z")); err == nil {
		t.Errorf("at its very end: %+v", f)
	}
	// The annotation's orbit, and the precise one: centimetres apart.
	product, _ := readProduct(t, real(t, "s1-safe/S1A_IW_SLC__1SDV_20141004*.zip")[0])
	m := &product.Measurements[0]
	vectors, err := ReadOrbitFile(f.Path, product.StartUTC, product.StopUTC)
	if err != nil {
		t.Fatal(err)
	}
	precise, err := NewOrbit(vectors, m.FirstLineUTC)
	if err != nil {
		t.Fatal(err)
	}
	own, err := NewOrbit(m.Orbit, m.FirstLineUTC)
	if err != nil {
		t.Fatal(err)
	}
	a, _, _ := precise.At(1)
	b, _, _ := own.At(1)
	if d := a.Sub(b).Norm(); d > 5 {
		t.Errorf("precise and own orbit are %.2f m apart", d)
	} else {
		t.Logf("precise and own orbit are %.3f m apart", d)
	}
}
