package render

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"swath/fault"
	"swath/internal/golden"
)

// TestAlgorithmsAgreeWithTiTiler compares with what TiTiler made (gen/algorithms.py). A line without a name holds the planes
// that go into those that follow.
func TestAlgorithmsAgreeWithTiTiler(t *testing.T) {
	table := must(os.ReadFile("testdata/truth/algorithms.txt"))
	const width, height = 16, 14
	var in [][]float32
	seen := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		nIn, nOut := must2(strconv.Atoi(fields[2])), must2(strconv.Atoi(fields[3]))
		var values []float32
		for _, text := range strings.Split(fields[4], ",") {
			values = append(values, float32(must2(strconv.ParseFloat(text, 32))))
		}
		var planes [][]float32
		for p := range nOut {
			planes = append(planes, values[p*len(values)/nOut:(p+1)*len(values)/nOut])
		}
		if fields[0] == "" {
			in = planes
			continue
		}
		a, err := ParseAlgorithm(fields[0], fields[1])
		if err != nil {
			t.Errorf("%s %s: %v", fields[0], fields[1], err)
			continue
		}
		seen[a.name] = true
		got, err := a.Apply(in[:nIn], width, height, 30, 30)
		if n, _ := a.Planes(nIn); err != nil || len(got) != nOut || n != nOut {
			t.Errorf("%s: %d planes, want %d (%v)", line[:40], len(got), nOut, err)
			continue
		}
		for p := range got {
			if len(got[p]) != len(planes[p]) {
				t.Fatalf("%s: %d values, want %d", line[:40], len(got[p]), len(planes[p]))
			}
			for i, v := range got[p] {
				tolerance := 1e-5 * max(1, math.Abs(float64(planes[p][i])))
				if a.name == "hillshade" || a.name == "contours" {
					tolerance = 1 // cut next to a whole number
				}
				if d := math.Abs(float64(v - planes[p][i])); !(d <= tolerance) {
					t.Fatalf("%s: plane %d value %d is %v, want %v", line[:40], p, i, v, planes[p][i])
				}
			}
		}
	}
	for _, name := range AlgorithmNames() {
		if !seen[name] {
			t.Errorf("%s has not been compared", name)
		}
	}
}

// TestTerrainWithoutValues: a hole in a terrain stays a hole and grows no wider, and heights come out of both encodings.
func TestTerrainWithoutValues(t *testing.T) {
	const side = 64
	z := make([]float32, side*side)
	for i := range z {
		x, y := float64(i%side), float64(i/side)
		z[i] = float32(12 * math.Sin(x/9) * math.Cos(y/7) * math.Exp(y/side))
		if math.Hypot(x-20, y-40) < 6 {
			z[i] = nan
		}
	}
	shade := must2(ParseAlgorithm("hillshade", `{"buffer": 2, "azimuth": 315}`))
	out := must2(shade.Apply([][]float32{z}, side, side, 1, 1))
	golden.Image(t, "hillshade.png", must(Encode(out, side-4, side-4, Style{}, PNG)), 1)
	lines := must2(must2(ParseAlgorithm("contours", `{"increment": 6, "minz": -20, "maxz": 25}`)).Apply([][]float32{z}, side, side, 1, 1))
	golden.Image(t, "contours.png", must(Encode(lines, side, side, Style{}, PNG)), 1)
	for i, v := range out[0] {
		if source := z[(i/(side-4)+2)*side+i%(side-4)+2]; (v == v) != (source == source) {
			t.Fatalf("pixel %d is %v over %v", i, v, source)
		}
	}
	rgb := must2(must2(ParseAlgorithm("terrainrgb", "")).Apply([][]float32{z}, side, side, 1, 1))
	mapzen := must2(must2(ParseAlgorithm("Terrarium", "")).Apply([][]float32{z}, side, side, 1, 1))
	for i, v := range z {
		mapbox := -10000 + (rgb[0][i]*65536+rgb[1][i]*256+rgb[2][i])*0.1
		if back := mapzen[0][i]*256 + mapzen[1][i] + mapzen[2][i]/256 - 32768; v == v && (math.Abs(float64(back-v)) > 1./256 || math.Abs(float64(mapbox-v)) > 0.051) {
			t.Fatalf("%v m comes back as %v and %v", v, back, mapbox)
		}
	}
}

func TestAlgorithmMistakes(t *testing.T) {
	for _, tc := range [][3]string{
		{"hilshade", "", "none of bitonal"}, {"hillshade", `{"azimut": 1}`, `[angle_altitude, azimuth, buffer, z_exaggeration]`},
		{"hillshade", `{"azimuth": 361}`, "0..360"}, {"hillshade", `{"azimuth": "x"}`, "object of numbers"}, {"slope", `[1]`, "object of numbers"},
		{"contours", `{"minz": 5, "maxz": 5}`, "not below"}, {"terrainrgb", `{"interval": 0}`, "interval"}, {"cast", `{"a": 1}`, "no parameter"},
	} {
		if _, err := ParseAlgorithm(tc[0], tc[1]); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc[2]) {
			t.Errorf("%s %s: %v, want %s", tc[0], tc[1], err, tc[2])
		}
	}
	one := [][]float32{{1}}
	for _, name := range []string{"normalizedIndex", "grayscale"} {
		if _, err := must2(ParseAlgorithm(name, "")).Apply(one, 1, 1, 1, 1); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s of one plane: %v", name, err)
		}
	}
	if _, err := must2(ParseAlgorithm("bitonal", "")).Planes(2); !fault.Is(err, fault.Invalid) {
		t.Errorf("bitonal of two planes: %v", err)
	}
}

func FuzzParseAlgorithm(f *testing.F) {
	f.Add("hillshade", `{"azimuth": 315, "buffer": 1}`)
	f.Add("contours", `{"increment": 0}`)
	plane := []float32{nan, -3e38, 3e38, 0, 1, 2, -1, 1e-30, 5}
	f.Fuzz(func(t *testing.T, name, params string) {
		a, err := ParseAlgorithm(name, params)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Error(err)
			}
			return
		}
		if a.BufferPx() == 0 || a.BufferPx() == 1 {
			_, _ = a.Apply([][]float32{plane}, 3, 3, 1, 1)
		}
	})
}
