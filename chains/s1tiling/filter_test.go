package s1tiling

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"swath/raster"
)

// speckled makes a date: power times speckle of a number of looks, correlated between neighbours as a bilinearly resampled GRD is.
func speckled(truth []float32, width int, looks float64, rnd *rand.Rand) []float32 {
	high := len(truth) / width
	n := (width + 2) * (high + 2)
	const sources = 12 // of exponential power each
	re, im := make([]float64, n), make([]float64, n)
	power := make([]float64, n)
	for range sources {
		for i := range n {
			re[i], im[i] = rnd.NormFloat64(), rnd.NormFloat64()
		}
		for i := range n {
			power[i] += (re[i]*re[i] + im[i]*im[i]) / 2 / sources
		}
	}
	// Means of 2 x 2 with unequal weights correlate neighbours; the variance is brought to that of the looks asked for.
	out := make([]float32, len(truth))
	smooth := make([]float64, len(truth))
	mean, square := 0.0, 0.0
	for y := range high {
		for x := range width {
			k := y*(width+2) + x
			v := 0.36*power[k] + 0.24*power[k+1] + 0.24*power[k+width+2] + 0.16*power[k+width+3]
			smooth[y*width+x] = v
			mean, square = mean+v, square+v*v
		}
	}
	mean /= float64(len(smooth))
	now := mean * mean / (square/float64(len(smooth)) - mean*mean)
	for i, v := range smooth {
		s := 1 + (v/mean-1)*math.Sqrt(now/looks)
		out[i] = truth[i] * float32(math.Max(s, 0.02))
	}
	return out
}

type field struct {
	w, h  int
	truth [][]float32
	dates [][]float32
}

// simulatedSeries of dates: a flat half, a half that changes, a thin line, a point, and a corner without data.
func simulatedSeries(n int) field {
	f := field{w: 220, h: 200}
	rnd := rand.New(rand.NewPCG(7, 11))
	for k := range n {
		truth := make([]float32, f.w*f.h)
		for y := range f.h {
			for x := range f.w {
				v := float32(0.1)
				if x >= 120 {
					v = 0.05
					if k >= n/2 {
						v = 0.2 // what changed
					}
				}
				if y == 100 && x < 110 {
					v = 0.3 // a line of one pixel
				}
				truth[y*f.w+x] = v
			}
		}
		date := speckled(truth, f.w, 4.4, rnd)
		for y := range 20 {
			for x := range 20 + k {
				date[y*f.w+x] = float32(math.NaN())
			}
		}
		f.truth, f.dates = append(f.truth, truth), append(f.dates, date)
	}
	return f
}

func stats(v []float32, w, x0, y0, x1, y1 int) (mean, looks float64) {
	var n, s, q float64
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			if p := float64(v[y*w+x]); p == p {
				n, s, q = n+1, s+p, q+p*p
			}
		}
	}
	mean = s / n
	return mean, mean * mean / (q/n - mean*mean)
}

func dB(v float64) float64 { return 10 * math.Log10(v) }

func TestQueganOn20Dates(t *testing.T) {
	const n = 20
	f := simulatedSeries(n)
	for _, guard := range []bool{false, true} {
		out := Filter{Window: 7, Looks: 4.4, Guard: guard}.Series(f.dates, f.w)
		var before, after, bias, change, contrast float64
		for k := range n {
			m0, l0 := stats(f.dates[k], f.w, 30, 120, 105, 195)
			m1, l1 := stats(out[k], f.w, 30, 120, 105, 195)
			before, after, bias = before+l0/n, after+l1/n, bias+dB(m1/m0)/n
			c0, _ := stats(f.dates[k], f.w, 135, 20, 215, 195)
			c1, _ := stats(out[k], f.w, 135, 20, 215, 195)
			change = math.Max(change, math.Abs(dB(c1/c0)))
			line0, _ := stats(f.dates[k], f.w, 10, 100, 100, 101)
			beside0, _ := stats(f.dates[k], f.w, 10, 106, 100, 112)
			line1, _ := stats(out[k], f.w, 10, 100, 100, 101)
			beside1, _ := stats(out[k], f.w, 10, 106, 100, 112)
			contrast += line1 / beside1 / (line0 / beside0) / n
			for i, v := range f.dates[k] {
				if (v == v) != (out[k][i] == out[k][i]) {
					t.Fatalf("date %d, pixel %d: %g became %g", k, i, v, out[k][i])
				}
			}
		}
		t.Logf("guard %v: looks %.2f to %.2f (x %.2f), bias %+.3f dB, line contrast %.3f, change off by %.3f dB at most", guard, before, after, after/before, bias, contrast, change)
		if after/before < 4.5 || math.Abs(bias) > 0.1 || contrast < 0.95 || change > 0.3 {
			t.Errorf("guard %v: looks x %.2f, bias %.3f dB, contrast %.3f, change %.3f dB", guard, after/before, bias, contrast, change)
		}
	}
}

// A ship on one date stays a ship on that date, and is seen on no other.
func TestGuardKeepsPoints(t *testing.T) {
	f := simulatedSeries(20)
	at := 60*f.w + 60
	f.dates[12][at] = 20
	out := Filter{Window: 7, Looks: 4.4, Guard: true}.Series(f.dates, f.w)
	if v := out[12][at]; v != 20 {
		t.Errorf("the ship is %g", v)
	}
	if v := out[13][at]; v > 0.25 {
		t.Errorf("a date later it is still seen: %g", v)
	}
	plain := Filter{Window: 7, Looks: 4.4}.Series(f.dates, f.w)
	if v := plain[12][at]; v > 10 {
		t.Errorf("without the guard it would be spread over all dates, not stay %g", v)
	}
}

// The real series: how many looks are won, and what happens to means.
func TestRealSeries(t *testing.T) {
	dir := "../../../shared/data/s1-timeseries/poland-s1-sigma0-vh"
	f, err := os.Open(filepath.Join(dir, "dates.csv"))
	if err != nil {
		if os.Getenv("SWATH_TEST_REQUIRE_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip("the real series is not here")
	}
	defer f.Close()
	table, err := csv.NewReader(f).ReadAll()
	if err != nil || len(table) < 50 {
		t.Fatal("dates.csv can't be read: ", err)
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "SIG0_*.tif"))
	var dates [][]float32
	width := 0
	for _, p := range paths { // names sort by date
		v, w := readPower(t, p)
		dates, width = append(dates, v), w
	}
	out := Filter{Window: 5, Looks: 4.4, Guard: true}.Series(dates, width)
	var before, after, bias, temporal float64
	for k := range dates {
		var m0, m1, n, ratio, ratio2, ratioF, ratioF2 float64
		for i, v := range dates[k] {
			if (v == v) != (out[k][i] == out[k][i]) {
				t.Fatalf("%s: nodata at pixel %d changed", paths[k], i)
			}
			if v == v {
				m0, m1, n = m0+float64(v), m1+float64(out[k][i]), n+1
			}
		}
		if n < 100 {
			continue
		}
		// Speckle shows in the ratio to the pixel's own mean over all dates.
		for i, v := range dates[k] {
			if v == v {
				mean, c := 0.0, 0.0
				for _, d := range out {
					if d[i] == d[i] {
						mean, c = mean+float64(d[i]), c+1
					}
				}
				mean /= c
				r, rf := float64(v)/mean, float64(out[k][i])/mean
				ratio, ratio2, ratioF, ratioF2 = ratio+r, ratio2+r*r, ratioF+rf, ratioF2+rf*rf
			}
		}
		r, rf := ratio/n, ratioF/n
		before += r * r / (ratio2/n - r*r)
		after += rf * rf / (ratioF2/n - rf*rf)
		bias += dB(m1 / m0)
		temporal++
	}
	before, after, bias = before/temporal, after/temporal, bias/temporal
	t.Logf("%d dates: looks %.1f to %.1f (x %.1f), bias %+.3f dB", len(dates), before, after, after/before, bias)
	if after/before < 3 || math.Abs(bias) > 0.1 || len(dates) < 50 {
		t.Errorf("%d dates: looks %.1f to %.1f, bias %+.3f dB", len(dates), before, after, bias)
	}
}

// readPower reads a file of decibels by 10.
func readPower(t *testing.T, path string) ([]float32, int) {
	t.Helper()
	c, closer, err := openRaster(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer closer()
	l := c.Levels[0]
	planes, err := raster.NewReader(0).Read(t.Context(), c, 0, raster.Window{Width: l.Width, Height: l.Height}, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range planes[0] {
		planes[0][i] = float32(math.Pow(10, float64(v)/100))
	}
	return planes[0], l.Width
}
