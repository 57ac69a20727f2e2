package tiles

import (
	"cmp"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"swath/geo"
	"swath/internal/shelf"
)

// TestStatisticsAreRioTilers compares with what TiTiler's library counts in the same raster (testdata/statistics.py). It takes
// the parts of pixels on an area's edge a little too large (every twentieth of a pixel that the edge touches), hence 1 % there.
func TestStatisticsAreRioTilers(t *testing.T) {
	var want map[string]json.RawMessage
	body, err := os.ReadFile("testdata/statistics.json")
	if err == nil {
		err = json.Unmarshal(body, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := shelf.New(t)
	s.Spain(depth)
	r := New(s.Catalog(), s.Open, Options{})
	v, err := r.View(t.Context(), Request{Collection: "spain", Item: "s2", Assets: []string{"s2_b8"}, Stored: true})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := v.StatisticsFrame(t.Context(), Size{})
	if err != nil {
		t.Fatal(err)
	}
	zone, err := v.ZonalFrame(t.Context(), want["feature"], geo.WGS84, 0, Size{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		frame     Frame
		options   StatisticsOptions
		tolerance float64
	}{
		"whole":       {whole, StatisticsOptions{Bins: 8}, 1e-6},
		"categories":  {whole, StatisticsOptions{Categorical: true, Categories: []float64{2000, 2001, 7}}, 1e-6},
		"percentiles": {whole, StatisticsOptions{Percentiles: []float64{5, 50, 95}, Edges: []float64{0, 1000, 1500, 4000}}, 1e-6},
		"zone":        {zone, StatisticsOptions{Range: &[2]float64{0, 4000}}, 0.01},
	} {
		all, err := v.Statistics(t.Context(), tc.frame, tc.options)
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %v, %v", name, all, err)
		}
		var got, truth map[string]any
		for _, s := range all {
			body, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
		}
		if err := json.Unmarshal(want[name], &truth); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(truth) {
			t.Errorf("%s: fields %v, want %v", name, got, truth)
		}
		for field, w := range truth {
			a, b := flat(got[field]), flat(w)
			if len(a) != len(b) {
				t.Errorf("%s %s: %v, want %v", name, field, got[field], w)
				continue
			}
			for i := range a {
				slack := tc.tolerance * math.Max(1, math.Abs(b[i]))
				if name == "zone" {
					slack = math.Max(slack, 8) // pixels of a bin, on the edge
					if field == "minority" {
						continue // one of many values that occur once
					}
				}
				if math.Abs(a[i]-b[i]) > slack {
					t.Errorf("%s %s: %v, want %v", name, field, got[field], w)
					break
				}
			}
		}
	}
	if len(zone.Area.cover(zone.Grid)) != zone.Grid.Width*zone.Grid.Height {
		t.Error("the cover is not that of the grid")
	}
}

// flat returns the numbers in a JSON value.
func flat(v any) (all []float64) {
	switch v := v.(type) {
	case float64:
		return []float64{v}
	case []any:
		for _, part := range v {
			all = append(all, flat(part)...)
		}
	}
	return all
}

func TestSortedIsRising(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 3000} {
		for name, draw := range map[string]func() float32{
			"any":   func() float32 { return float32(rnd.NormFloat64() * math.Pow(10, float64(rnd.IntN(60)-30))) },
			"whole": func() float32 { return float32(rnd.IntN(40) - 20) },
			"one":   func() float32 { return 7.5 },
			"zeros": func() float32 { return float32(math.Copysign(0, rnd.Float64()-0.5)) },
		} {
			values := make([]weighed, n)
			for i := range values {
				values[i] = weighed{draw(), rnd.Float32()}
			}
			want := slices.Clone(values)
			slices.SortStableFunc(want, func(a, b weighed) int { return cmp.Compare(a.value, b.value) })
			got := sorted(slices.Clone(values))
			for i := range want {
				if got[i].value != want[i].value || name != "zeros" && got[i] != want[i] {
					t.Fatalf("%s, %d values: at %d is %v, want %v", name, n, i, got[i], want[i])
				}
			}
		}
	}
}

// TestTalliesAreSorted: values that are looked up and values that are sorted have the same tallies, few or many of them.
func TestTalliesAreSorted(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for name, draw := range map[string]func() float32{
		"whole":  func() float32 { return float32(rnd.IntN(9000)-100) * 0.0001 },
		"zeros":  func() float32 { return float32(math.Copysign(0, rnd.Float64()-0.5)) },
		"broken": func() float32 { return float32(math.Log(rnd.Float64()-0.3) / float64(rnd.IntN(2))) },
		"many":   func() float32 { return rnd.Float32() },
	} {
		plane, share := make([]float32, 300_000), make([]float32, 300_000)
		for i := range plane {
			plane[i], share[i] = draw(), max(0, float32(rnd.IntN(5)-1)/4)
		}
		for _, weights := range [][]float32{nil, share} {
			got, covered := tallied(plane, weights)
			want, coveredThere := sortedTallies(plane, weights)
			if covered != coveredThere || len(got) != len(want) {
				t.Fatalf("%s: %d tallies of %d pixels, want %d of %d", name, len(got), covered, len(want), coveredThere)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%s: tally %d is %v, want %v", name, i, got[i], want[i])
				}
			}
		}
	}
}
