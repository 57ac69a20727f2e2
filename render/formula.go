package render

import (
	"math"
	"strconv"
	"strings"

	"swath/fault"
)

// Formula changes the levels of an image after the stretch: the color formula of rio-color. It is immutable.
type Formula struct{ steps []formulaStep }

// formulaStep is one operation: a table for each channel or, without tables, a saturation.
type formulaStep struct {
	tables     *[3][256]byte
	saturation float64
}

const (
	maxFormulaBytes = 512
	maxFormulaSteps = 16
)

// ParseFormula reads operations of rio-color's syntax, one after the other, in any case; commas count as spaces:
//
//	gamma BANDS g                    level^(1/g); above 1 lightens
//	sigmoidal BANDS contrast bias    contrast around the level bias, 0..1; a negative contrast undoes a positive one
//	saturation factor                chroma (CIE LCh) times the factor; 0 is gray; needs three planes
//
// BANDS is any of R, G and B, or 1, 2 and 3: "gamma RG 1.5, sigmoidal RGB 10 0.15, saturation 1.2". Of one plane, R is meant.
// Levels are cut to whole numbers after each operation, as rio-tiler does. An empty text is no formula: nil.
// The error is a fault.Invalid.
func ParseFormula(text string) (*Formula, error) {
	if len(text) > maxFormulaBytes {
		return nil, fault.New(fault.Invalid, "color formula: longer than %d bytes", maxFormulaBytes)
	}
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(text, ",", " ")))
	if len(words) == 0 {
		return nil, nil
	}
	f := &Formula{}
	for len(words) > 0 {
		step, length, err := parseStep(words)
		if err != nil {
			return nil, err
		}
		if len(f.steps) == maxFormulaSteps {
			return nil, fault.New(fault.Invalid, "color formula: more than %d operations", maxFormulaSteps)
		}
		f.steps, words = append(f.steps, step), words[length:]
	}
	return f, nil
}

// parseStep reads the first operation and returns how many words it has.
func parseStep(words []string) (step formulaStep, length int, err error) {
	name := words[0]
	forms := map[string]string{"gamma": "gamma BANDS g", "sigmoidal": "sigmoidal BANDS contrast bias", "saturation": "saturation factor"}
	form, known := forms[name]
	if !known {
		return step, 0, fault.New(fault.Invalid, "color formula: %.40q is none of gamma, sigmoidal, saturation", name)
	}
	wrong := fault.New(fault.Invalid, "color formula: %.60q is not %q", strings.Join(words[:min(len(words), 4)], " "), form)
	if length = len(strings.Fields(form)); len(words) < length {
		return step, 0, wrong
	}
	bands, numbers := "", words[1:length]
	if name != "saturation" {
		bands, numbers = words[1], numbers[1:]
	}
	var number [2]float64
	for i, word := range numbers {
		if number[i], err = strconv.ParseFloat(word, 64); err != nil || math.IsNaN(number[i]) || math.Abs(number[i]) > 1000 {
			return step, 0, wrong
		}
	}
	var curve func(float64) float64
	switch name {
	case "saturation":
		if number[0] < 0 {
			return step, 0, fault.New(fault.Invalid, "color formula: saturation %g is below 0", number[0])
		}
		return formulaStep{saturation: number[0]}, length, nil
	case "gamma":
		if number[0] <= 0 {
			return step, 0, fault.New(fault.Invalid, "color formula: gamma %g is not above 0", number[0])
		}
		curve = func(u float64) float64 { return math.Pow(u, 1/number[0]) }
	case "sigmoidal":
		if number[1] < 0 || number[1] > 1 {
			return step, 0, fault.New(fault.Invalid, "color formula: bias %g is not within 0..1", number[1])
		}
		curve = sigmoid(number[0], number[1])
	}
	step.tables, err = tabulate(bands, curve)
	return step, length, err
}

// tabulate returns the curve's level for every level of the named bands; the others stay as they are.
func tabulate(bands string, curve func(float64) float64) (*[3][256]byte, error) {
	tables := new([3][256]byte)
	for channel := range tables {
		for level := range 256 {
			tables[channel][level] = byte(level)
		}
	}
	for _, band := range bands {
		channel := max(strings.IndexRune("rgb", band), strings.IndexRune("123", band))
		if channel < 0 {
			return nil, fault.New(fault.Invalid, "color formula: %.20q is not made of the bands R, G and B", bands)
		}
		for level := range 256 {
			v := curve(float64(level) / 255)
			tables[channel][level] = byte(255 * min(max(v, 0), 1)) // min and max of a NaN: see sigmoid
		}
	}
	return tables, nil
}

// sigmoid is the contrast curve of Farid, Fundamentals of Image Processing, scaled to 0..1; below contrast 0 its inverse.
func sigmoid(contrast, bias float64) func(float64) float64 {
	s := func(u float64) float64 { return 1 / (1 + math.Exp(contrast*(bias-u))) }
	low, high := s(0), s(1)
	switch {
	case contrast == 0 || low == high: // too flat to be told from the diagonal
		return func(u float64) float64 { return u }
	case contrast > 0:
		return func(u float64) float64 { return (s(u) - low) / (high - low) }
	}
	return func(u float64) float64 {
		v := bias - math.Log(1/(u*(high-low)+low)-1)/contrast
		if math.IsNaN(v) {
			return 0
		}
		return v
	}
}

// needsThreePlanes reports whether one plane alone can't be changed so.
func (f *Formula) needsThreePlanes() bool {
	for _, step := range f.steps {
		if step.tables == nil {
			return true
		}
	}
	return false
}

// apply changes pixels of 3 or 4 bytes.
func (f *Formula) apply(pixels []byte, channels int) {
	for _, step := range f.steps {
		if step.tables != nil {
			exchange(pixels, step.tables, channels)
		} else {
			saturate(pixels, step.saturation, channels)
		}
	}
}

// applyToOne changes the levels of one plane.
func (f *Formula) applyToOne(levels []byte) {
	for _, step := range f.steps {
		for i, level := range levels {
			levels[i] = step.tables[0][level]
		}
	}
}
