package render

import (
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"swath/fault"
	"swath/internal/golden"
)

// TestFormulaAgreesWithRioTiler compares with what rio-tiler and color-operations made (gen/truth.py).
func TestFormulaAgreesWithRioTiler(t *testing.T) {
	table, err := os.ReadFile("testdata/truth/formula.csv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		text, digits, _ := strings.Cut(strings.TrimSpace(line), ",")
		text = strings.ReplaceAll(text, "|", ",")
		colours := must(hex.DecodeString(digits))
		f, err := ParseFormula(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		differ := 0
		for i := 0; i < len(colours); i += 6 {
			got, want := slices.Clone(colours[i:i+3]), colours[i+3:i+6]
			f.apply(got, 3)
			for channel := range 3 {
				if d := int(got[channel]) - int(want[channel]); d != 0 {
					differ++
					if d < -1 || d > 1 {
						t.Fatalf("%s: %v becomes %v, want %v", text, colours[i:i+3], got, want)
					}
				}
			}
		}
		if differ > len(colours)/2/50 { // cut levels next to a whole number
			t.Errorf("%s: %d of %d levels differ by one", text, differ, len(colours)/2)
		}
	}
}

func TestFormulaMistakes(t *testing.T) {
	for text, says := range map[string]string{
		"gama RGB 1":                     `"gama"`,
		"gamma RGB":                      `"gamma BANDS g"`,
		"gamma RGX 1.5":                  `"rgx"`,
		"gamma RGB 0":                    "above 0",
		"gamma RGB nan":                  `"gamma BANDS g"`,
		"sigmoidal RGB 10":               `"sigmoidal BANDS contrast bias"`,
		"sigmoidal RGB 10 1.5":           "0..1",
		"saturation":                     `"saturation factor"`,
		"saturation -1":                  "below 0",
		"gamma RGB 1.5 1.5":              `"1.5"`,
		strings.Repeat("a", 1000):        "longer",
		strings.Repeat("gamma 1 2,", 17): "more than 16",
	} {
		if _, err := ParseFormula(text); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v, want a word of %s", text, err, says)
		}
	}
	if f, err := ParseFormula("  "); f != nil || err != nil {
		t.Errorf("an empty formula: %v, %v", f, err)
	}
}

func TestFormulaInPictures(t *testing.T) {
	bright := must2(ParseFormula("gamma R 2"))
	rgb := Style{Formula: must2(ParseFormula("gamma RGB 1.6 sigmoidal RGB 4 0.4 saturation 1.4"))}
	var planes [][]float32
	for channel := range 3 {
		plane := make([]float32, 96*96)
		for i := range plane {
			x, y := float32(i%96)/95, float32(i/96)/95
			plane[i] = 255 * []float32{x, y, (2 - x - y) / 2}[channel]
			if (x-0.5)*(x-0.5)+(y-0.5)*(y-0.5) < 0.02 {
				plane[i] = nan
			}
		}
		planes = append(planes, plane)
	}
	golden.Image(t, "formula.png", must(Encode(planes, 96, 96, rgb, PNG)), 1)
	img := decode(t, PNG, must(Encode([][]float32{{64, 255, 0}}, 3, 1, Style{Formula: bright}, PNG)))
	for x, want := range []uint32{127, 255, 0} { // 255·(64/255)^½ = 127.7
		if r, _, _, _ := img.At(x, 0).RGBA(); r>>8 != want {
			t.Errorf("pixel %d is %d, want %d", x, r>>8, want)
		}
	}
	if _, err := Encode(planes[:1], 96, 96, rgb, PNG); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "saturation") {
		t.Errorf("saturation of one plane: %v", err)
	}
}

func FuzzParseFormula(f *testing.F) {
	f.Add("gamma RGB 1.5, sigmoidal RGB 10 0.15, saturation 1.2")
	f.Fuzz(func(t *testing.T, text string) {
		formula, err := ParseFormula(text)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
		if formula != nil {
			formula.apply([]byte{0, 1, 2, 3, 253, 254, 255, 128}, 4)
		}
	})
}

func BenchmarkFormula(b *testing.B) {
	formula := must2(ParseFormula("gamma RGB 1.5 sigmoidal RGB 10 0.15 saturation 1.2"))
	pixels := make([]byte, 3*256*256)
	for i := range pixels {
		pixels[i] = byte(i * 7919 >> 5)
	}
	for b.Loop() {
		formula.apply(slices.Clone(pixels), 3)
	}
}
