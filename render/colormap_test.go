package render

import (
	"image/color"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"swath/fault"
)

// The published ends and middles of well-known maps; ours are cut, not rounded, so one level below at most.
func TestNamedColours(t *testing.T) {
	for name, want := range map[string]map[int]string{
		"viridis":   {0: "#440154", 255: "#fde725"},
		"Viridis_R": {0: "#fde725", 255: "#440154"},
		"plasma":    {0: "#0d0887", 255: "#f0f921"},
		"inferno":   {0: "#000004", 255: "#fcffa4"},
		"magma":     {0: "#000004", 255: "#fcfdbf"},
		"cividis":   {0: "#00224e", 255: "#fee838"},
		"turbo":     {0: "#30123b", 255: "#7a0403"},
		"jet":       {0: "#000080", 255: "#800000"},
		"hot":       {255: "#ffffff"},
		"gray":      {0: "#000000", 100: "#646464", 255: "#ffffff"},
		"rdylgn":    {0: "#a50026", 255: "#006837"},
		"rdylbu":    {0: "#a50026", 255: "#313695"},
		"ylorrd":    {0: "#ffffcc", 255: "#800026"},
		"tab10":     {0: "#1f77b4", 30: "#ff7f0e", 255: "#17becf"},
	} {
		m, err := ColormapByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for level, hex := range want {
			got, rgb := m.colours[level], parseHex(hex)
			for i, part := range []uint8{got.R, got.G, got.B} {
				if int(part) > rgb[i] || int(part) < rgb[i]-1 {
					t.Errorf("%s[%d] = %v, want %s", name, level, got, hex)
				}
			}
		}
	}
}

func TestColormapNames(t *testing.T) {
	names := ColormapNames()
	if len(names) != 231 || !slices.IsSorted(names) {
		t.Errorf("%d names, want 231, sorted", len(names))
	}
	for _, name := range strings.Fields(`viridis plasma inferno magma cividis gray greys rdylgn rdylbu rdbu spectral ylgn greens blues reds
		terrain turbo jet hot coolwarm ylorrd brbg algae thermal cfastie rplumbo schwarzwald`) {
		if !slices.Contains(names, name) || !slices.Contains(names, name+"_r") {
			t.Errorf("%s or %s_r is missing", name, name)
		}
	}
	for _, name := range names {
		if m, err := ColormapByName(name); err != nil || len(m.colours) != 256 && name != "scl" {
			t.Errorf("ColormapByName(%q): %v", name, err)
		}
	}
	if _, err := ColormapByName("nonesuch"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "nonesuch") {
		t.Errorf("ColormapByName(nonesuch): %v", err)
	}
}

func TestReadNamedRefuses(t *testing.T) {
	for name, data := range map[string][]byte{"no gzip": []byte("viridis,00"), "cut": colormapsCSV[:len(colormapsCSV)/2]} {
		if _, err := readNamed(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParseColormapOfAllLevels(t *testing.T) {
	entries := make([]string, 256)
	for i := range entries {
		entries[i] = `"` + strconv.Itoa(i) + `": [` + strconv.Itoa(i) + `, 0, 7]`
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(256, func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	m, err := ParseColormap("{" + strings.Join(entries, ",") + "}")
	if err != nil || m.edges != nil {
		t.Fatalf("%v, classed %v", err, m.edges != nil)
	}
	for i, got := range m.colours {
		if want := (color.NRGBA{uint8(i), 0, 7, 255}); got != want {
			t.Errorf("level %d = %v, want %v", i, got, want)
		}
	}
}

func TestParseColormapRefuses(t *testing.T) {
	many := strings.Repeat(`[[0, 1], "#fff"],`, 256)
	for text, want := range map[string]string{
		"":                                      "expected JSON",
		"viridis":                               "expected JSON",
		"[1, 2]":                                "expected JSON",
		"{}":                                    "0 colours",
		"null":                                  "0 colours",
		"[]":                                    "0 colours",
		"[" + many[:len(many)-1] + "]":          "256 colours; 1 to 255",
		`{"a": "#fff"}`:                         `"a" is not a number`,
		`{"NaN": "#fff"}`:                       `"NaN" is not a number`,
		`{"1": "red"}`:                          `"red" is not`,
		`{"1": "AAAA"}`:                         `"AAAA" is not`,
		`{"1": "#ff"}`:                          `"#ff" is not`,
		`{"1": "#fffff"}`:                       `"#fffff" is not`,
		`{"1": "#gggggg"}`:                      `"#gggggg" is not`,
		`{"1": "#ffffffffff"}`:                  `is not "#rrggbb"`,
		`{"1": [1, 2]}`:                         `[1, 2] is not`,
		`{"1": [1, 2, 256]}`:                    `[1, 2, 256] is not`,
		`{"1": [1, 2, -1]}`:                     `[1, 2, -1] is not`,
		`{"1": null}`:                           `null is not`,
		`{"1": "#fff", "1.0": "#000"}`:          "1 has two colours",
		`[[[1, 1], "#fff"]]`:                    "entry 0 is not",
		`[[[0, 1], "#fff"], [[2], "#fff"]]`:     "entry 1 is not",
		`[[[0, 1]]]`:                            "entry 0 is not",
		`[[[0, 1], "#ff"]]`:                     `"#ff" is not`,
		strings.Repeat(" ", maxColormapBytes+1): "longer than",
	} {
		if _, err := ParseColormap(text); err == nil || !strings.Contains(err.Error(), want) || !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseColormap(%.40q): %v, want %q", text, err, want)
		}
	}
}

// A classed map is looked up by halves; this looks through the list.
func TestSegmentAgreesWithTheList(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		classes := make([]class, 1+r.IntN(20))
		for i := range classes {
			low := float64(r.IntN(40) - 20)
			classes[i] = class{low, low + float64(1+r.IntN(10)), color.NRGBA{uint8(i), 1, 2, 255}}
		}
		m := must2(classed(classes))
		for v := -25.0; v < 35; v += 0.5 {
			want := color.NRGBA{}
			for _, c := range classes {
				if v >= c.low && v < c.high {
					want = c.colour
				}
			}
			low, high, index := m.segment(v)
			if m.colours[index] != want || !(low <= v && v < high) {
				t.Fatalf("%v in %v..%v is %v, want %v", v, low, high, m.colours[index], want)
			}
		}
	}
}

func FuzzParseColormap(f *testing.F) {
	for _, text := range []string{sceneClasses, `[[[0, 0.2], [255, 0, 0, 255]], [[0.2, 1e300], "#0f08"]]`, `{"1": null}`, `{"-1e38": "#000"}`} {
		f.Add(text)
	}
	plane := []float32{nan, -3e38, -1, 0, 0.1, 1, 3e38}
	f.Fuzz(func(t *testing.T, text string) {
		if linear, err := ParseLinearColormap(text); err == nil && len(linear.colours) != 256 || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseLinearColormap(%q): %v", text, err)
		}
		m, err := ParseColormap(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("ParseColormap(%q): %v is not fault.Invalid", text, err)
			}
			return
		}
		decode(t, PNG, must(Encode([][]float32{plane}, len(plane), 1, Style{Colormap: m}, PNG)))
	})
}

// The colours are those of matplotlib's LinearSegmentedColormap as TiTiler's documentation uses it, which differ by one where
// a float lies just below a whole number.
func TestLinearColormapAgreesWithMatplotlib(t *testing.T) {
	m, err := ParseLinearColormap(`{"0": "#e5f5f9", "10": "#99d8c9", "255": "#2ca25f"}`)
	if err != nil {
		t.Fatal(err)
	}
	for level, want := range map[int]string{0: "#e5f5f9", 1: "#ddf2f4", 5: "#bfe6e1", 9: "#a0dacd", 10: "#99d8c9", 11: "#98d7c8", 50: "#87cfb7", 100: "#70c4a2", 127: "#64be96", 128: "#64bd95", 200: "#44ae76", 254: "#2ca25f", 255: "#2ca25f"} {
		got, rgb := m.colours[level], parseHex(want)
		for i, part := range []uint8{got.R, got.G, got.B} {
			if d := int(part) - rgb[i]; d < 0 || d > 1 {
				t.Errorf("level %d = %v, want %s", level, got, want)
			}
		}
	}
	ends := must2(ParseLinearColormap(`{"100": [0, 0, 0, 0], "200": [200, 100, 50]}`))
	for level, want := range map[int]color.NRGBA{0: {}, 100: {}, 150: {100, 50, 25, 127}, 200: {200, 100, 50, 255}, 255: {200, 100, 50, 255}} {
		if got := ends.colours[level]; got != want {
			t.Errorf("level %d = %v, want %v", level, got, want)
		}
	}
	for _, text := range []string{`{}`, `{"-1": "#000", "255": "#fff"}`, `{"0": "#000", "256": "#fff"}`, `[[[0, 1], "#fff"]]`, `{"a": "#fff"}`, ``} {
		if _, err := ParseLinearColormap(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
