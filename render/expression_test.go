package render

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"swath/fault"
)

var nan = float32(math.NaN())

// eval compiles and runs an expression with one plane of three pixels per band.
func eval(t testing.TB, source string, values map[string][]float32) [][]float32 {
	t.Helper()
	e, err := Compile(source)
	if err != nil {
		t.Fatalf("Compile(%q): %v", source, err)
	}
	bands := make([][]float32, 0, len(values))
	for _, name := range e.Names() {
		bands = append(bands, values[name])
	}
	dst := make([][]float32, e.Outputs())
	for i := range dst {
		dst[i] = make([]float32, len(bands[0]))
	}
	e.Eval(bands, dst)
	return dst
}

func same(got, want float32, tolerance float64) bool {
	if got != got || want != want {
		return got != got && want != want
	}
	return math.Abs(float64(got-want)) <= tolerance*max(1, math.Abs(float64(want)))
}

// The expected values are numexpr 2.14.2's, in float64; TiTiler evaluates with it.
func TestEvalAgreesWithNumexpr(t *testing.T) {
	bands := map[string][]float32{"a": {0.25, 3, -2}, "b": {2, 0.5, -4}, "c": {1, 7, 0.125}}
	for _, tc := range []struct {
		source string
		want   [3]float32
	}{
		{"(b-a)/(b+a)", [3]float32{0.7777777777777778, -0.7142857142857143, 0.3333333333333333}},
		{"a+b*c-a/b", [3]float32{2.125, 0.5, -3.0}},
		{"a-b-c", [3]float32{-2.75, -4.5, 1.875}},
		{"a/b/c", [3]float32{0.125, 0.8571428571428571, 4.0}},
		{"a*b/c*a", [3]float32{0.125, 0.6428571428571428, -128.0}},
		{"-a**2", [3]float32{-0.0625, -9.0, -4.0}},
		{"2**-a", [3]float32{0.8408964152537145, 0.125, 4.0}},
		{"2**a**2", [3]float32{1.0442737824274138, 512.0, 16.0}},
		{"-a%b", [3]float32{1.75, 0.0, -2.0}},
		{"a%b", [3]float32{0.25, 0.0, -2.0}},
		{"(a<b)", [3]float32{1.0, 0.0, 0.0}},
		{"a<=0.25", [3]float32{1.0, 0.0, 1.0}},
		{"(a<b)&(b<c)", [3]float32{0.0, 0.0, 0.0}},
		{"(a<b)|(b<c)", [3]float32{1.0, 1.0, 1.0}},
		{"(a<b)^(b<c)", [3]float32{1.0, 1.0, 1.0}},
		{"~(a<b)", [3]float32{0.0, 1.0, 1.0}},
		{"~(a<b)|(c>1)", [3]float32{0.0, 1.0, 1.0}},
		{"where(a<b,a,c)", [3]float32{0.25, 7.0, 0.125}},
		{"where((a<b)&(c==1),1,-1)", [3]float32{1.0, -1.0, -1.0}},
		{"minimum(a,b)", [3]float32{0.25, 0.5, -4.0}},
		{"maximum(a,-b)", [3]float32{0.25, 3.0, 4.0}},
		{"abs(a)+abs(-b)", [3]float32{2.25, 3.5, 6.0}},
		{"sqrt(c)", [3]float32{1.0, 2.6457513110645907, 0.3535533905932738}},
		{"log(c)", [3]float32{0.0, 1.9459101490553132, -2.0794415416798357}},
		{"10*log10(c)", [3]float32{0.0, 8.450980400142567, -9.030899869919436}},
		{"log1p(c)", [3]float32{0.6931471805599453, 2.0794415416798357, 0.11778303565638346}},
		{"exp(a)", [3]float32{1.2840254166877414, 20.085536923187668, 0.1353352832366127}},
		{"expm1(a)", [3]float32{0.2840254166877415, 19.085536923187668, -0.8646647167633873}},
		{"sin(a)+cos(b)+tan(c)", [3]float32{1.388664847362283, 1.8901505526745588, -1.4372859111141627}},
		{"arcsin(c/8)", [3]float32{0.1253278311680654, 1.0654358165107394, 0.01562563585273695}},
		{"arccos(c/8)", [3]float32{1.4454684956268313, 0.5053605102841573, 1.5551706909421597}},
		{"arctan(a)", [3]float32{0.24497866312686414, 1.2490457723982544, -1.1071487177940904}},
		{"arctan2(a,b)", [3]float32{0.12435499454676144, 1.4056476493802699, -2.677945044588987}},
		{"floor(a*1.5)", [3]float32{0.0, 4.0, -3.0}},
		{"ceil(a*1.5)", [3]float32{1.0, 5.0, -3.0}},
		{"1e1*a+.5*b-2.*c", [3]float32{1.5, 16.25, -22.25}},
		{"-a-+b", [3]float32{-2.25, -3.5, 6.0}},
		{"- -a", [3]float32{0.25, 3.0, -2.0}},
		{"a!=b", [3]float32{1.0, 1.0, 1.0}},
		{"a>=-2", [3]float32{1.0, 1.0, 1.0}},
		{"fmod(a,b)", [3]float32{0.25, 0.0, -2.0}},
		{"2.5 * (b - a) / (b + 6.0 * a - 7.5 * c + 1)", [3]float32{-1.4583333333333333, 0.1893939393939394, 0.3137254901960784}},
		{"1.5*(b-a)/(b+a+.5)", [3]float32{0.9545454545454546, -0.9375, 0.5454545454545454}},
		{"c**0.5", [3]float32{1.0, 2.6457513110645907, 0.3535533905932738}},
		{"(a+b)**2", [3]float32{5.0625, 12.25, 36.0}},
		{"sinh(a)", [3]float32{0.2526123168081683, 10.017874927409903, -3.626860407847019}},
		{"cosh(a)", [3]float32{1.0314130998795732, 10.067661995777765, 3.7621956910836314}},
		{"tanh(b)", [3]float32{0.9640275800758169, 0.46211715726000974, -0.999329299739067}},
		{"arcsinh(b)", [3]float32{1.4436354751788103, 0.48121182505960347, -2.0947125472611012}},
		{"arccosh(c+1)", [3]float32{1.3169578969248166, 2.7686593833135738, 0.4949329230945269}},
		{"arctanh(c/8)", [3]float32{0.12565721414045303, 1.354025100551105, 0.01562627175205221}},
		{"log2(c)", [3]float32{0.0, 2.807354922057604, -3.0}},
		{"round(a*2.5)+round(b)", [3]float32{3.0, 8.0, -9.0}},
		{"trunc(a*1.5)", [3]float32{0.0, 4.0, -3.0}},
		{"sign(b)+sign(a-a)", [3]float32{1.0, 1.0, -1.0}},
		{"hypot(a,b)", [3]float32{2.0155644370746373, 3.0413812651491097, 4.47213595499958}},
		{"copysign(c,a)", [3]float32{1.0, 7.0, -0.125}},
		{"pow(c,a)", [3]float32{1.0, 343.0, 64.0}},
	} {
		got := eval(t, tc.source, bands)[0]
		for i, want := range tc.want {
			if !same(got[i], want, 2e-6) {
				t.Errorf("%s at pixel %d = %v, want %v", tc.source, i, got[i], want)
			}
		}
	}
}

func TestEvalRules(t *testing.T) {
	inf := float32(math.Inf(1))
	bands := map[string][]float32{
		"red": {0.04, 0, nan}, "nir": {0.46, 0, 0.3}, "scl": {4, 9, 3}, "B8A.jp2": {1, 2, 3}, "min": {5, 6, 7}, "huge": {3e38, -inf, 1},
	}
	for name, tc := range map[string]struct {
		source string
		want   [][]float32
	}{
		"0/0 and nodata are no value":          {"(nir-red)/(nir+red)", [][]float32{{0.84, nan, nan}}},
		"x/0 is no value":                      {"1/nir", [][]float32{{1 / 0.46, nan, 1 / 0.3}}},
		"x/0 in the branch not taken":          {"where(nir==0, -1, 1/nir)", [][]float32{{1 / 0.46, -1, 1 / 0.3}}},
		"nodata in the branch not taken":       {"where(scl>3, scl, red)", [][]float32{{4, 9, nan}}},
		"a band of another output has no say":  {"red; nir", [][]float32{{0.04, 0, nan}, {0.46, 0, 0.3}}},
		"nodata to the power 0":                {"red**0", [][]float32{{1, 1, nan}}},
		"1 to the power nodata":                {"1**red", [][]float32{{1, 1, nan}}},
		"min and max keep nodata, either side": {"min(red,9); min(9,red); max(red,0); max(0,red)", [][]float32{{0.04, 0, nan}, {0.04, 0, nan}, {0.04, 0, nan}, {0.04, 0, nan}}},
		"comparison keeps nodata":              {"red<1; ~(red<1); (red<1)&(nir<1)", [][]float32{{1, 1, nan}, {0, 0, nan}, {1, 1, nan}}},
		"min of many":                          {"min(scl, 8, 6, nir+7); max(scl, 5, 6)", [][]float32{{4, 6, 3}, {6, 9, 6}}},
		"clip":                                 {"clip(scl, 3.5, nir+8)", [][]float32{{4, 8, 3.5}}},
		"bits of whole numbers":                {"scl & 5; scl | 1; scl ^ 1; ~scl", [][]float32{{4, 1, 1}, {5, 9, 3}, {5, 8, 2}, {-5, -10, -4}}},
		"bits of what is no 32-bit number":     {"huge | 0; ~huge", [][]float32{{nan, nan, 1}, {nan, nan, -2}}},
		"overflow is no value":                 {"huge*10; huge", [][]float32{{nan, nan, 10}, {3e38, nan, 1}}},
		"log of zero and below":                {"log10(nir); sqrt(0-scl)", [][]float32{{-0.33724216, nan, -0.5228787}, {nan, nan, nan}}},
		"name in backquotes, function as name": {"`B8A.jp2`*2; min+`min`", [][]float32{{2, 4, 6}, {10, 12, 14}}},
		"empty parts count for nothing":        {" ;scl; ;", [][]float32{{4, 9, 3}}},
		"an output may leave a band out":       {"scl; 7", [][]float32{{4, 9, 3}, {7, 7, 7}}},
		"temporaries on both sides":            {"(scl+1)*(scl+2)-(scl+3)*((scl+4)-(scl+5))", [][]float32{{37, 122, 26}}},
		"where of three computed parts":        {"where(scl+0>3, scl*2, scl*3)", [][]float32{{8, 18, 9}}},
		"masks of scene classes":               {"where((scl==3)|((scl>=8)&(scl<=10)), 0, 1)", [][]float32{{1, 0, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := eval(t, tc.source, bands)
			if len(got) != len(tc.want) {
				t.Fatalf("%d outputs, want %d", len(got), len(tc.want))
			}
			for o := range got {
				for i, want := range tc.want[o] {
					if !same(got[o][i], want, 2e-6) {
						t.Errorf("%s: output %d, pixel %d = %v, want %v", tc.source, o, i, got[o][i], want)
					}
				}
			}
		})
	}
}

func TestNames(t *testing.T) {
	e, err := Compile("B08_b1 - vv/B04 + B08_b1*`a-b.c`; vh")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"B08_b1", "vv", "B04", "a-b.c", "vh"}; !slices.Equal(e.Names(), want) || e.Outputs() != 2 {
		t.Errorf("Names() = %v, Outputs() = %d, want %v, 2", e.Names(), e.Outputs(), want)
	}
}

func TestCompileRefuses(t *testing.T) {
	for source, want := range map[string]string{
		"":                                   "names no band",
		" ; ":                                "names no band",
		"1+2":                                "names no band",
		"(B08-B04":                           `column 9: expected ")", found the end`,
		"B08+":                               `column 5: expected a name, a number or "(", found the end`,
		"B08 B04":                            `column 5: expected an operator or ";", found "B04"`,
		"B08)":                               `column 4: expected an operator or ";", found ")"`,
		"B08,B04":                            `column 4: expected an operator or ";", found ","`,
		"B08//B04":                           `column 5: expected a name, a number or "(", found "/"`,
		"é+B08":                              `column 1: unexpected 'é'`,
		"`é`+$":                              `column 5: unexpected '$'`,
		"`B08":                               "column 1: unexpected '`'",
		"a<b<c":                              "column 4: comparisons can't be chained",
		"a>1 & b>2":                          "column 8: comparisons can't be chained",
		"system(a)":                          `column 1: unknown function "system"`,
		"a+where(a, b)":                      "column 3: where takes 3 arguments, not 2",
		"abs()":                              `column 5: expected a name, a number or "(", found ")"`,
		"abs(a, b)":                          "column 1: abs takes 1 argument, not 2",
		"min(a)":                             "column 1: min takes at least 2 arguments, not 1",
		"`abs`(a)":                           `column 6: expected an operator or ";", found "("`,
		"a*1e99":                             `column 3: number "1e99" is out of range`,
		"a" + strings.Repeat("+a", 40):       "more than 64 names, numbers and operations",
		strings.Repeat("(", 99) + "a":        "column 33: nested deeper than 32",
		strings.Repeat("-", 99) + "a":        "column 33: nested deeper than 32",
		strings.Repeat("a**", 99) + "a":      "nested deeper than 32",
		strings.Repeat(" ", maxSource) + "a": "longer than 2048 bytes",
		"a.__class__":                        `column 2: unexpected '.'`,
		"a\x00":                              `column 2: unexpected '\x00'`,
	} {
		_, err := Compile(source)
		if err == nil || !strings.Contains(err.Error(), want) || !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "expression: ") {
			t.Errorf("Compile(%q): %v, want %q", source, err, want)
		}
	}
}

// formula is an expression with its own, slow way to be computed: in float64, one pixel, each step rounded to float32.
type formula struct {
	text  string
	value func(pixel [3]float32) float64
	truth bool
}

// randomFormula writes the operations whose float32 result is exact up to rounding, all in brackets.
func randomFormula(r *rand.Rand, depth int) formula {
	if depth == 0 || r.IntN(6) == 0 {
		if r.IntN(3) == 0 {
			number := float64(r.IntN(9)) / 4
			return formula{text: fmt.Sprint(number), value: func([3]float32) float64 { return number }}
		}
		band := r.IntN(3)
		return formula{text: string(rune('a' + band)), value: func(pixel [3]float32) float64 { return float64(pixel[band]) }}
	}
	x, y, z := randomFormula(r, depth-1), randomFormula(r, depth-1), randomFormula(r, depth-1)
	missing := math.NaN()
	truth := func(holds func(x, y float64) bool) func(x, y float64) float64 {
		return func(x, y float64) float64 {
			if math.IsNaN(x) || math.IsNaN(y) {
				return missing
			} else if holds(x, y) {
				return 1
			}
			return 0
		}
	}
	bits := func(join func(x, y int32) int32) func(x, y float64) float64 {
		return func(x, y float64) float64 {
			if !(math.Abs(x) < 1<<31 && math.Abs(y) < 1<<31) {
				return missing
			}
			return float64(join(int32(x), int32(y)))
		}
	}
	binaries := []struct {
		form  string
		f     func(x, y float64) float64
		truth bool
	}{
		{"(%s+%s)", func(x, y float64) float64 { return x + y }, false},
		{"(%s-%s)", func(x, y float64) float64 { return x - y }, false},
		{"(%s*%s)", func(x, y float64) float64 { return x * y }, false},
		{"(%s/%s)", func(x, y float64) float64 {
			if y == 0 {
				return missing
			}
			return x / y
		}, false},
		{"(%s%%%s)", func(x, y float64) float64 {
			m := math.Mod(x, y)
			if m != 0 && (m < 0) != (y < 0) {
				m += y
			}
			return m
		}, false},
		{"fmod(%s,%s)", math.Mod, false},
		{"min(%s,%s)", func(x, y float64) float64 {
			if math.IsNaN(x) || math.IsNaN(y) {
				return missing
			}
			return min(x, y)
		}, false},
		{"max(%s,%s)", func(x, y float64) float64 {
			if math.IsNaN(x) || math.IsNaN(y) {
				return missing
			}
			return max(x, y)
		}, false},
		{"(%s<%s)", truth(func(x, y float64) bool { return x < y }), true},
		{"(%s<=%s)", truth(func(x, y float64) bool { return x <= y }), true},
		{"(%s>%s)", truth(func(x, y float64) bool { return x > y }), true},
		{"(%s>=%s)", truth(func(x, y float64) bool { return x >= y }), true},
		{"(%s==%s)", truth(func(x, y float64) bool { return x == y }), true},
		{"(%s!=%s)", truth(func(x, y float64) bool { return x != y }), true},
		{"(%s&%s)", bits(func(x, y int32) int32 { return x & y }), x.truth && y.truth},
		{"(%s|%s)", bits(func(x, y int32) int32 { return x | y }), x.truth && y.truth},
		{"(%s^%s)", bits(func(x, y int32) int32 { return x ^ y }), x.truth && y.truth},
	}
	unaries := map[string]func(x float64) float64{
		"(-%s)": func(x float64) float64 { return -x }, "abs(%s)": math.Abs, "sqrt(%s)": math.Sqrt,
		"floor(%s)": math.Floor, "ceil(%s)": math.Ceil, "(%s)**2": func(x float64) float64 { return x * x },
	}
	switch r.IntN(5) {
	case 0:
		return formula{text: fmt.Sprintf("where(%s,%s,%s)", x.text, y.text, z.text), value: func(pixel [3]float32) float64 {
			if c := x.value(pixel); math.IsNaN(c) {
				return missing
			} else if c != 0 {
				return y.value(pixel)
			}
			return z.value(pixel)
		}}
	case 1:
		forms := []string{"(-%s)", "abs(%s)", "sqrt(%s)", "floor(%s)", "ceil(%s)", "(%s)**2"}
		form := forms[r.IntN(len(forms))]
		return formula{text: fmt.Sprintf(form, x.text), value: func(pixel [3]float32) float64 {
			return float64(float32(unaries[form](x.value(pixel))))
		}}
	case 2:
		return formula{text: "(~" + x.text + ")", truth: x.truth, value: func(pixel [3]float32) float64 {
			v := x.value(pixel)
			switch {
			case math.IsNaN(v) || !x.truth && !(math.Abs(v) < 1<<31):
				return missing
			case x.truth:
				return 1 - v
			}
			return float64(float32(^int32(v)))
		}}
	}
	b := binaries[r.IntN(len(binaries))]
	return formula{text: fmt.Sprintf(b.form, x.text, y.text), truth: b.truth, value: func(pixel [3]float32) float64 {
		return float64(float32(b.f(x.value(pixel), y.value(pixel))))
	}}
}

func TestEvalAgreesWithSlowFormulas(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const pixels = 2*chunkPixels + 7 // more than one chunk, and a remainder
	bands := [3][]float32{}
	for i := range bands {
		bands[i] = make([]float32, pixels)
		for j := range bands[i] {
			switch r.IntN(12) {
			case 0:
				bands[i][j] = nan
			case 1:
				bands[i][j] = 0
			default:
				bands[i][j] = float32(r.IntN(400)-200) / 16
			}
		}
	}
	checked := 0
	for checked < 400 {
		f := randomFormula(r, 1+r.IntN(4))
		e, err := Compile(f.text)
		if err != nil {
			if strings.Contains(err.Error(), "names no band") || strings.Contains(err.Error(), "more than") || strings.Contains(err.Error(), "longer") {
				continue
			}
			t.Fatalf("Compile(%q): %v", f.text, err)
		}
		checked++
		var used [][]float32
		for _, name := range e.Names() {
			used = append(used, bands[name[0]-'a'])
		}
		got := make([]float32, pixels)
		e.Eval(used, [][]float32{got})
		for i := range got {
			want := f.value([3]float32{bands[0][i], bands[1][i], bands[2][i]})
			for _, band := range used {
				if band[i] != band[i] {
					want = math.NaN()
				}
			}
			if math.IsInf(want, 0) {
				want = math.NaN()
			}
			if !same(got[i], float32(want), 0) {
				t.Fatalf("%s with a, b, c = %v, %v, %v is %v, want %v", f.text, bands[0][i], bands[1][i], bands[2][i], got[i], want)
			}
		}
	}
}

func TestEvalPanicsOnWrongPlanes(t *testing.T) {
	e, err := Compile("a+b")
	if err != nil {
		t.Fatal(err)
	}
	one, two := make([]float32, 1), make([]float32, 2)
	for name, planes := range map[string][2][][]float32{
		"a band is missing": {{one}, {one}},
		"no output":         {{one, one}, {}},
		"bands differ":      {{one, two}, {one}},
		"output is shorter": {{two, two}, {one}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("Eval did not panic")
				}
			}()
			e.Eval(planes[0], planes[1])
		})
	}
	e.Eval([][]float32{nil, nil}, [][]float32{nil}) // no pixels, no trouble
}

func FuzzCompile(f *testing.F) {
	for _, source := range []string{"(B08-B04)/(B08+B04)", "where(`a b`>1e-3,min(a,2,3),-b**2);~c&1", "a<b<c", "((((", "1..2", "a;;b"} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := Compile(source)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("Compile(%q): %v is not fault.Invalid", source, err)
			}
			return
		}
		const pixels = chunkPixels + 1
		planes := func(n int, value float32) [][]float32 {
			list := make([][]float32, n)
			for i := range list {
				list[i] = slices.Repeat([]float32{value}, pixels)
			}
			return list
		}
		dst := planes(e.Outputs(), 0)
		e.Eval(planes(len(e.Names()), 0.5), dst)
		for _, plane := range dst {
			if !same(plane[0], plane[pixels-1], 0) || math.IsInf(float64(plane[0]), 0) {
				t.Fatalf("%q: first pixel %v, last %v of equal ones", source, plane[0], plane[pixels-1])
			}
		}
	})
}

func BenchmarkEvalNDVI(b *testing.B) { benchmarkEval(b, "(B08-B04)/(B08+B04)") }

func BenchmarkEvalDecibel(b *testing.B) { benchmarkEval(b, "10*log10(vv)") }

func BenchmarkEvalCloudMaskedEVI(b *testing.B) {
	benchmarkEval(b, "where((SCL>=8)&(SCL<=10), -1, 2.5*(B08-B04)/(B08+6*B04-7.5*B02+1))")
}

// benchmarkEval computes a tile of 256 x 256 pixels.
func benchmarkEval(b *testing.B, source string) {
	e, err := Compile(source)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	bands := make([][]float32, len(e.Names()))
	for i := range bands {
		bands[i] = make([]float32, 256*256)
		for j := range bands[i] {
			bands[i][j] = r.Float32()
		}
	}
	dst := [][]float32{make([]float32, 256*256)}
	b.ReportAllocs()
	b.SetBytes(int64(len(bands)) * 256 * 256 * 4)
	for b.Loop() {
		e.Eval(bands, dst)
	}
}
