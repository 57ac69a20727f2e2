package sar

import (
	"encoding/xml"
	"io/fs"
	"math"
	"sort"
	"strconv"
	"strings"
	"testing"

	"swath/sentinel/s1"
)

func TestTables(t *testing.T) {
	c := &s1.Calibration{Vectors: []s1.CalibrationVector{
		{Line: -10, Pixels: []int{0, 40}, SigmaNought: []float64{100, 140}, BetaNought: []float64{1, 1}, Gamma: []float64{2, 2}},
		{Line: 90, Pixels: []int{0, 40}, SigmaNought: []float64{200, 240}, BetaNought: []float64{3, 3}, Gamma: []float64{2, 2}},
	}}
	row := make([]float32, 5)
	CalibrationTable(c, Sigma, 50).Row(row, 40, 10)
	if row[0] != 160 || row[4] != 164 {
		t.Errorf("sigma: %v", row)
	}
	CalibrationTable(c, Beta, 50).Row(row, 200, 45)
	if row[4] != 3 {
		t.Errorf("beta behind the last vector: %v", row)
	}
	n := NewNoiseTable(&s1.Noise{
		Range: []s1.NoiseRangeVector{{Line: 0, Pixels: []int{0, 49}, LUT: []float64{10, 10}}},
		Azimuth: []s1.NoiseAzimuthVector{
			{FirstLine: 5, LastLine: 9, FirstSample: 2, LastSample: 3, Lines: []int{5, 9}, LUT: []float64{1, 2}},
		},
	}, 50)
	n.Row(row, 7, 0)
	if row[0] != 10 || row[2] != 15 || row[3] != 15 || row[4] != 10 {
		t.Errorf("noise in a block: %v", row)
	}
	n.Row(row, 10, 0)
	if row[2] != 10 || n.Absent {
		t.Errorf("noise behind the block: %v", row)
	}
	if zero := NewNoiseTable(&s1.Noise{Range: []s1.NoiseRangeVector{{Pixels: []int{0}, LUT: []float64{0}}}}, 5); !zero.Absent {
		t.Error("zeros are not noise")
	}
	if r := n.MedianRatio(0, []uint16{0, 1, 2, 100, 100}); math.Abs(r-2.5) > 1e-6 {
		t.Errorf("median ratio %g", r)
	}
}

// Every image of real products, of every version of the processor: tables that are positive and finite everywhere.
func TestTablesOfRealProducts(t *testing.T) {
	for _, path := range real(t, "s1-safe/*GRDH*.zip") {
		product, opened := readProduct(t, path)
		for i := range product.Measurements {
			m := &product.Measurements[i]
			if _, err := fs.Stat(opened.FS, m.Calibration); err != nil {
				continue // this product was published without
			}
			c, err := s1.ReadCalibration(opened.FS, m.Calibration)
			if err != nil {
				t.Fatal(err)
			}
			row := make([]float32, m.Samples)
			for _, of := range []Of{Sigma, Beta, Gamma} {
				table := CalibrationTable(c, of, m.Samples)
				for _, line := range []int{0, m.Lines / 2, m.Lines - 1} {
					table.Row(row, line, 0)
					for p, a := range row {
						if !(a > 10 && a < 2000) {
							t.Fatalf("%s: A %g at line %d, pixel %d", product.Name, a, line, p)
						}
					}
				}
			}
			if m.Noise == "" {
				continue
			}
			n, err := s1.ReadNoise(opened.FS, m.Noise)
			if err != nil {
				t.Fatal(err)
			}
			table := NewNoiseTable(n, m.Samples)
			table.Row(row, m.Lines/2, 0)
			t.Logf("%s %s IPF %s: noise %g … %g", product.Name[:25], m.Polarisation, product.SoftwareVersion, row[0], row[m.Samples/2])
			for p, v := range row {
				if v < 0 || v != v {
					t.Fatalf("%s: noise %g at pixel %d", product.Name, v, p)
				}
			}
		}
	}
}

func TestBorder(t *testing.T) {
	const lines, samples = 40, 60
	b := NewBorder(lines, samples, 3)
	noise := make([]float32, samples)
	for i := range noise {
		noise[i] = 400
	}
	for line := range lines {
		d := make([]uint16, samples)
		for p := range d {
			switch {
			case line < 4 || p < 5+line%3 || p >= 55: // nothing
			case p < 12+line%3: // a fringe of small numbers
				d[p] = 5
			default:
				d[p] = 100
			}
		}
		b.Line(line, d, noise)
	}
	b.End(false, true)
	if from, to := b.Span(20); from != 12+20%3+3 || to != 55-3 {
		t.Errorf("line 20: %d to %d", from, to)
	}
	if from, to := b.Span(1); from < to {
		t.Errorf("line 1 was measured from %d to %d", from, to)
	}
	if b.Valid(6, 30) || !b.Valid(7, 30) || !b.Valid(39, 30) || b.Valid(39, 54) || b.Valid(-1, 30) {
		t.Error("the ends are wrong")
	}
}

// The noise of processors before IPF 2.90 (vectors in range alone) against the file's own numbers, and what becomes of a digital number by it.
func TestOldNoise(t *testing.T) {
	seen := 0
	for _, path := range real(t, "s1-safe/*GRDH*2015*.zip") {
		product, opened := readProduct(t, path)
		for i := range product.Measurements {
			m := &product.Measurements[i]
			body, err := fs.ReadFile(opened.FS, m.Noise)
			if err != nil {
				t.Fatal(err)
			}
			var file struct {
				Vectors []struct {
					Line   float64 `xml:"line"`
					Pixels string  `xml:"pixel"`
					LUT    string  `xml:"noiseLut"`
				} `xml:"noiseVectorList>noiseVector"`
			}
			if err := xml.Unmarshal(body, &file); err != nil || len(file.Vectors) < 2 {
				t.Fatalf("%s: %d vectors, %v", m.Noise, len(file.Vectors), err)
			}
			words := func(s string) (v []float64) {
				for _, w := range strings.Fields(s) {
					x, err := strconv.ParseFloat(w, 64)
					if err != nil {
						t.Fatal(err)
					}
					v = append(v, x)
				}
				return v
			}
			along := func(k int, pixel float64) float64 {
				at, lut := words(file.Vectors[k].Pixels), words(file.Vectors[k].LUT)
				j := sort.SearchFloat64s(at, pixel)
				if j == 0 {
					return lut[0]
				}
				if j == len(at) {
					return lut[j-1]
				}
				w := (pixel - at[j-1]) / (at[j] - at[j-1])
				return lut[j-1]*(1-w) + lut[j]*w
			}
			n, err := s1.ReadNoise(opened.FS, m.Noise)
			if err != nil {
				t.Fatal(err)
			}
			c, err := s1.ReadCalibration(opened.FS, m.Calibration)
			if err != nil {
				t.Fatal(err)
			}
			noise, sigma := NewNoiseTable(n, m.Samples), CalibrationTable(c, Sigma, m.Samples)
			if len(n.Azimuth) > 0 {
				t.Errorf("%s has noise in azimuth", product.Name)
			}
			rowN, rowA, power := make([]float32, m.Samples), make([]float32, m.Samples), make([]float32, m.Samples)
			digital := make([]uint16, m.Samples)
			for p := range digital {
				digital[p] = 120
			}
			for _, k := range []int{0, len(file.Vectors) / 2, len(file.Vectors) - 2} {
				line := int((file.Vectors[k].Line*2 + file.Vectors[k+1].Line) / 3)
				w := (float64(line) - file.Vectors[k].Line) / (file.Vectors[k+1].Line - file.Vectors[k].Line)
				noise.Row(rowN, line, 0)
				sigma.Row(rowA, line, 0)
				sigma.Calibrate(power, digital, rowN, line, 0)
				for p := 0; p < m.Samples; p += 977 {
					want := along(k, float64(p))*(1-w) + along(k+1, float64(p))*w
					if math.Abs(float64(rowN[p])-want) > 1e-5*want {
						t.Fatalf("%s, line %d, pixel %d: noise %g, not %g", product.Name, line, p, rowN[p], want)
					}
					if got := float64(power[p]) * float64(rowA[p]) * float64(rowA[p]); math.Abs(got-(120*120-want)) > 0.01 {
						t.Fatalf("%s, line %d, pixel %d: power %g, not %g", product.Name, line, p, got, 120*120-want)
					}
				}
			}
			seen++
			t.Logf("%s %s IPF %s: all zero: %v, %d vectors", product.Name[:25], m.Polarisation, product.SoftwareVersion, noise.Absent, len(file.Vectors))
		}
	}
	if seen < 6 {
		t.Errorf("only %d images", seen)
	}
}
