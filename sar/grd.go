package sar

import (
	"math"
	"slices"
	"time"

	"swath/fault"
	"swath/sentinel/s1"
)

// Between says how the polynomials from slant to ground range are used between the times that they are given for.
type Between int

// The ways. The geolocation grids of annotations agree with the nearest set, but columns of an image can't jump from one line to the next:
// ENVISAT's handbook, for the same scheme, and other processors interpolate.
const (
	Linear Between = iota
	Nearest
)

// GRD is the geometry of a ground range image.
type GRD struct {
	Orbit          *Orbit
	Lines, Samples int
	FirstLineS     float64 // of the line's own time, after the orbit's Epoch
	LineIntervalS  float64
	SpacingM       float64 // on the ground, across the track
	Between        Between

	// A line's time is that of zero Doppler less BistaticS + BistaticSlope·τ, τ being the two-way time.
	BistaticS, BistaticSlope float64

	conversions []conversion
}

// conversion is one set of polynomials.
type conversion struct {
	time            float64
	slant0, ground0 float64
	toGround        []float64
	toSlant         []float64
}

// NewGRD reads the geometry of an image. Without state vectors those of the annotation are used. It is fault.Invalid for what is no ground
// range image, or whose orbit does not cover it.
func NewGRD(m *s1.Measurement, vectors []s1.StateVector, between Between) (*GRD, error) {
	if len(m.GroundRange) == 0 {
		return nil, fault.New(fault.Invalid, "%s: no conversion to ground range: only GRD images are on the ground", m.Annotation)
	}
	if len(vectors) == 0 {
		vectors = m.Orbit
	}
	orbit, err := NewOrbit(vectors, m.FirstLineUTC)
	if err != nil {
		return nil, err
	}
	g := &GRD{Orbit: orbit, Lines: m.Lines, Samples: m.Samples, LineIntervalS: m.LineIntervalS, SpacingM: m.RangeSpacingM, Between: between}
	const beyondS = 5 // of extrapolation
	first, last := orbit.Span()
	if first > beyondS || last < float64(m.Lines)*m.LineIntervalS-beyondS {
		return nil, fault.New(fault.Invalid, "the orbit does not cover the image: %s to %s, the image begins at %s",
			orbit.Epoch.Add(time.Duration(first*1e9)).Format(time.RFC3339), orbit.Epoch.Add(time.Duration(last*1e9)).Format(time.RFC3339), m.FirstLineUTC.Format(time.RFC3339))
	}
	for _, c := range m.GroundRange {
		g.conversions = append(g.conversions, conversion{orbit.Seconds(c.TimeUTC), c.SlantOriginM, c.GroundOriginM, c.ToGround, c.ToSlant})
	}
	slices.SortFunc(g.conversions, func(a, b conversion) int { return int(math.Copysign(1, a.time-b.time)) })
	g.fitBistatic(m.Grid)
	return g, nil
}

// fitBistatic fits a straight line to the difference of zero-Doppler times and line times in the annotation's grid.
func (g *GRD) fitBistatic(grid []s1.GridPoint) {
	var n, sx, sy, sxx, sxy float64
	for _, p := range grid {
		x := p.SlantRangeTimeS
		y := g.Orbit.Seconds(p.TimeUTC) - g.LineTime(float64(p.Line))
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	spread := n*sxx - sx*sx
	if n < 4 || !(spread > 0) {
		return
	}
	slope := (n*sxy - sx*sy) / spread
	g.BistaticSlope, g.BistaticS = slope, (sy-slope*sx)/n
}

// LineTime is the time that a line is tagged with.
func (g *GRD) LineTime(line float64) float64 { return g.FirstLineS + line*g.LineIntervalS }

// Bistatic is the time of zero Doppler less that of the line, at a slant range.
func (g *GRD) Bistatic(slantRangeM float64) float64 {
	return g.BistaticS + g.BistaticSlope*2*slantRangeM/LightMPerS
}

// Image returns line and pixel of what is at zero Doppler at a time, at a slant range.
func (g *GRD) Image(t, slantRangeM float64) (line, pixel float64) {
	tagged := t - g.Bistatic(slantRangeM)
	return (tagged - g.FirstLineS) / g.LineIntervalS, g.ground(tagged, slantRangeM) / g.SpacingM
}

// pair finds the sets before and after a time, and the weight of the second.
func (g *GRD) pair(tagged float64) (a, b *conversion, w float64) {
	i, _ := slices.BinarySearchFunc(g.conversions, tagged, func(c conversion, t float64) int { return int(math.Copysign(1, c.time-t)) })
	i = max(1, min(i, len(g.conversions)-1))
	if len(g.conversions) == 1 {
		return &g.conversions[0], &g.conversions[0], 0
	}
	a, b = &g.conversions[i-1], &g.conversions[i]
	w = math.Max(0, math.Min(1, (tagged-a.time)/(b.time-a.time)))
	if g.Between == Nearest {
		w = math.Round(w)
	}
	return a, b, w
}

func (g *GRD) ground(tagged, slantRangeM float64) float64 {
	a, b, w := g.pair(tagged)
	v := polynomial(a.toGround, slantRangeM-a.slant0)
	if w == 0 {
		return v
	}
	return v + w*(polynomial(b.toGround, slantRangeM-b.slant0)-v)
}

// Slant returns the slant range of a pixel of a line, and how much it grows with a metre on the ground.
func (g *GRD) Slant(line, pixel float64) (slantRangeM, perGround float64) {
	a, b, w := g.pair(g.LineTime(line))
	at := func(x float64) float64 {
		v := polynomial(a.toSlant, x-a.ground0)
		if w == 0 {
			return v
		}
		return v + w*(polynomial(b.toSlant, x-b.ground0)-v)
	}
	x, h := pixel*g.SpacingM, g.SpacingM
	return at(x), (at(x+h) - at(x-h)) / (2 * h)
}

// Place returns longitude and latitude of a line and pixel at a height above the ellipsoid.
func (g *GRD) Place(line, pixel, heightM float64) (lonDeg, latDeg float64) {
	r, _ := g.Slant(line, pixel)
	for range 2 { // toSlant is not quite the inverse of toGround, which places are found by
		back := g.ground(g.LineTime(line), r) / g.SpacingM
		_, per := g.Slant(line, pixel)
		r += (pixel - back) * g.SpacingM * per
	}
	return g.Orbit.Locate(g.LineTime(line)+g.Bistatic(r), r, heightM)
}

func polynomial(c []float64, x float64) (sum float64) {
	for i := len(c) - 1; i >= 0; i-- {
		sum = sum*x + c[i]
	}
	return sum
}
