package geo

import (
	"compress/gzip"
	"encoding/csv"
	"os"
	"slices"
	"testing"
)

func TestMGRSTilesOver(t *testing.T) {
	square := func(lon, lat, d float64) Ring {
		return Ring{{lon, lat}, {lon + d, lat}, {lon + d, lat + d}, {lon, lat + d}, {lon, lat}}
	}
	for name, tc := range map[string]struct {
		outline Ring
		want    []string
	}{
		"Toulouse":             {square(1.4, 43.55, 0.05), []string{"31TCJ"}},
		"the antimeridian":     {square(179.9, -16.5, 0.2), []string{"01KAB", "60KYG"}},
		"the equator":          {square(9.0, -0.01, 0.02), []string{"32MNE", "32NNF"}},
		"south of the mission": {square(0, -85, 0.1), nil},
	} {
		got := MGRSTilesOver(tc.outline)
		for _, w := range tc.want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %v lacks %s", name, got, w)
			}
		}
		if len(tc.want) == 0 && len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestMGRSTilesAreTheMissions(t *testing.T) {
	f, err := os.Open("../../shared/data/mgrs-grid/s2_tiling_grid.csv.gz")
	if err != nil {
		if os.Getenv("SWATH_TEST_REQUIRE_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip("the grid is not here")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		if !IsMGRSTile(r[0]) {
			t.Fatalf("%s is not known", r[0])
		}
	}
	bits := 0
	for _, b := range mgrsTiles() {
		for ; b > 0; b &= b - 1 {
			bits++
		}
	}
	if bits != len(rows)-1 {
		t.Errorf("%d tiles, not %d", bits, len(rows)-1)
	}
}
