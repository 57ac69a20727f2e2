package render

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"swath/fault"
)

// Algorithm makes other planes of one or a few, after the expression and before the stretch. Names, parameters and results are
// TiTiler's (algorithm, algorithm_params). It is immutable.
type Algorithm struct {
	name string
	kind algorithm
	set  map[string]float64
}

// algorithm is one row of the table.
type algorithm struct {
	in, out    int  // planes; 0: any number, as many as came in
	levels     bool // the result is levels 0..255
	between    bool // the result lies between the values of the planes
	parameters map[string]parameter
	run        func(grid, map[string]float64) [][]float32
}

// parameter has a default and limits.
type parameter struct{ value, low, high float64 }

// grid is the planes of an image with the size of its pixels.
type grid struct {
	planes         [][]float32
	width, height  int
	xSizeM, ySizeM float64
}

var (
	around    = parameter{3, 1, 99} // pixels
	steepened = parameter{1, 1e-6, 1e6}
)

var algorithms = map[string]algorithm{
	"hillshade": {1, 1, true, false, map[string]parameter{
		"azimuth": {45, 0, 360}, "angle_altitude": {45, -90, 90}, "buffer": around, "z_exaggeration": steepened}, hillshade},
	"slope": {1, 1, false, false, map[string]parameter{"buffer": around, "z_exaggeration": steepened}, slope},
	"contours": {1, 3, true, false, map[string]parameter{
		"increment": {35, 0, 999}, "thickness": {1, 0, 10}, "minz": {-12000, -99999, 99999}, "maxz": {8000, -99999, 99999}}, contours},
	"terrarium":       {1, 3, true, false, nil, terrarium},
	"terrainrgb":      {1, 3, true, false, map[string]parameter{"interval": {0.1, 1e-6, 1}, "baseval": {-10000, -99999, 99999}}, terrainRGB},
	"normalizedindex": {2, 1, false, false, nil, normalizedIndex},
	"cast":            {0, 0, true, false, nil, eachValue(math.Trunc)},
	"ceil":            {0, 0, true, false, nil, eachValue(math.Ceil)},
	"floor":           {0, 0, true, false, nil, eachValue(math.Floor)},
	"min":             {0, 1, false, true, nil, eachPixel(slices.Min[[]float64])},
	"max":             {0, 1, false, true, nil, eachPixel(slices.Max[[]float64])},
	"median":          {0, 1, false, true, nil, eachPixel(middle)},
	"mean":            {0, 1, false, true, nil, eachPixel(mean)},
	"sum":             {0, 1, false, false, nil, eachPixel(sum)},
	"var":             {0, 1, false, false, nil, eachPixel(variance)},
	"std":             {0, 1, false, false, nil, eachPixel(func(v []float64) float64 { return math.Sqrt(variance(v)) })},
	"grayscale":       {3, 1, false, true, nil, grayscale},
	"bitonal":         {0, 1, true, false, nil, bitonal},
}

// AlgorithmNames returns the names that ParseAlgorithm knows, sorted.
func AlgorithmNames() []string { return slices.Sorted(maps.Keys(algorithms)) }

// Described is what is to be known of an algorithm before it is used.
type Described struct {
	In, Out    int  // planes; 0: any number, and as many as came in
	Levels     bool // the result is levels 0..255
	Parameters map[string]Range
}

// Range is a number's default and limits.
type Range struct{ Default, Low, High float64 }

// DescribeAlgorithm returns what is known of an algorithm by its name; ok is false where there is none.
func DescribeAlgorithm(name string) (d Described, ok bool) {
	kind, ok := algorithms[name]
	d = Described{kind.in, kind.out, kind.levels, make(map[string]Range, len(kind.parameters))}
	for key, p := range kind.parameters {
		d.Parameters[key] = Range{p.value, p.low, p.high}
	}
	return d, ok
}

// ParseAlgorithm finds an algorithm by its name, in any case, and reads its parameters, a JSON object of numbers like
// {"azimuth": 315}; empty means the defaults. The error is a fault.Invalid.
func ParseAlgorithm(name, params string) (*Algorithm, error) {
	a := &Algorithm{name: strings.ToLower(name), set: map[string]float64{}}
	kind, known := algorithms[a.name]
	if !known {
		return nil, fault.New(fault.Invalid, "algorithm: %.40q is none of %s", name, strings.Join(AlgorithmNames(), ", "))
	}
	a.kind = kind
	for key, p := range kind.parameters {
		a.set[key] = p.value
	}
	given := map[string]float64{}
	if text := strings.TrimSpace(params); text != "" {
		if len(text) > maxColormapBytes || text[0] != '{' || json.Unmarshal([]byte(text), &given) != nil {
			return nil, fault.New(fault.Invalid, `algorithm_params: expected a JSON object of numbers like {"azimuth": 315}`)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		p, known := kind.parameters[key]
		if !known {
			return nil, fault.New(fault.Invalid, "algorithm_params: %s has no parameter %.40q; it has [%s]", a.name, key,
				strings.Join(slices.Sorted(maps.Keys(kind.parameters)), ", "))
		}
		if value := given[key]; !(value >= p.low && value <= p.high) {
			return nil, fault.New(fault.Invalid, "algorithm_params: %s %g is not within %g..%g", key, value, p.low, p.high)
		}
		a.set[key] = given[key]
	}
	a.set["buffer"] = math.Trunc(a.set["buffer"])
	if low, high := a.set["minz"], a.set["maxz"]; kind.parameters["minz"] != (parameter{}) && low >= high {
		return nil, fault.New(fault.Invalid, "algorithm_params: minz %g is not below maxz %g", low, high)
	}
	return a, nil
}

// BufferPx returns how many more pixels Apply needs on each side than it gives.
func (a *Algorithm) BufferPx() int { return int(a.set["buffer"]) }

// Levels reports whether the result is levels 0..255, that no stretch should change.
func (a *Algorithm) Levels() bool { return a.kind.levels }

// Between reports whether what comes out of a pixel lies between the values that go in, so that their stretch suits it.
func (a *Algorithm) Between() bool { return a.kind.between }

// Planes returns how many planes come out of so many that go in, or a fault.Invalid where they are too few or too many.
func (a *Algorithm) Planes(in int) (int, error) {
	if a.name == "bitonal" && in != 1 && in != 3 {
		return 0, fault.New(fault.Invalid, "algorithm: bitonal takes 1 or 3 planes, not %d", in)
	}
	if a.kind.in != 0 && a.kind.in != in {
		return 0, fault.New(fault.Invalid, "algorithm: %s takes %d planes, not %d", a.name, a.kind.in, in)
	}
	if a.kind.out == 0 {
		return in, nil
	}
	return a.kind.out, nil
}

// Apply computes the new planes. Those that go in are width times height, with BufferPx more pixels on each side than those
// that come out; the size of a pixel matters to slope alone. NaN is no value, going in and coming out.
func (a *Algorithm) Apply(planes [][]float32, width, height int, xSizeM, ySizeM float64) ([][]float32, error) {
	if _, err := a.Planes(len(planes)); err != nil {
		return nil, err
	}
	buffer := a.BufferPx()
	for _, plane := range planes {
		if len(plane) != width*height || width <= 2*buffer || height <= 2*buffer {
			return nil, fault.New(fault.Internal, "algorithm: a plane of %d values is not %d x %d with %d around", len(plane), width, height, buffer)
		}
	}
	out := a.kind.run(grid{planes, width, height, xSizeM, ySizeM}, a.set)
	if buffer == 0 {
		return out, nil
	}
	for p, plane := range out {
		inner := make([]float32, 0, (width-2*buffer)*(height-2*buffer))
		for y := buffer; y < height-buffer; y++ {
			inner = append(inner, plane[y*width+buffer:(y+1)*width-buffer]...)
		}
		out[p] = inner
	}
	return out, nil
}
