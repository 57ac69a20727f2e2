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

// ImageIn is Image with the polynomials of one piece of time, which go on smoothly beyond it: see Piece.
func (g *GRD) ImageIn(piece int, t, slantRangeM float64) (line, pixel float64) {
	tagged := t - g.Bistatic(slantRangeM)
	return (tagged - g.FirstLineS) / g.LineIntervalS, g.groundIn(piece, tagged, slantRangeM) / g.SpacingM
}

// Piece returns the piece of time that a line belongs to. Between two pieces the way from slant to ground range has a bend (or, with Nearest, a
// step), which those who interpolate have to add: see Bends.
func (g *GRD) Piece(line float64) int { return g.pieceOf(g.LineTime(line)) }

func (g *GRD) pieceOf(tagged float64) int {
	piece := -1
	for k := range g.conversions {
		if g.boundary(k) > tagged {
			break
		}
		piece = k
	}
	return piece
}

// boundary is when the piece k begins; that before the first is −1.
func (g *GRD) boundary(k int) float64 {
	if g.Between == Nearest && k > 0 {
		return (g.conversions[k-1].time + g.conversions[k].time) / 2
	}
	return g.conversions[k].time
}

// Bend is where one piece of time ends and the next begins.
type Bend struct {
	Line  float64
	After bool // it lies after the piece that was asked about
	Step  bool // columns jump; else their growth with the lines does
	// Samples returns by how much at a pixel, in pixels, or in pixels a line.
	Samples func(pixel float64) float64
}

// Bends returns the bends between two lines, seen from a piece: beyond each, away from the piece, |line − Bend.Line|·Samples (or Samples
// itself of a Step) is to be added to the pixel of ImageIn.
func (g *GRD) Bends(piece int, from, to float64) (bends []Bend) {
	for k := range g.conversions {
		line := (g.boundary(k) - g.FirstLineS) / g.LineIntervalS
		if line < from || line > to {
			continue
		}
		b := Bend{Line: line, After: k > piece, Step: g.Between == Nearest}
		b.Samples = func(pixel float64) float64 {
			r, _ := g.Slant(line, pixel)
			if b.Step {
				v := (polynomial(g.conversions[k].toGround, r-g.conversions[k].slant0) - g.groundIn(k-1, 0, r)) / g.SpacingM
				if !b.After {
					v = -v
				}
				return v
			}
			return (g.growth(k, r) - g.growth(k-1, r)) * g.LineIntervalS / g.SpacingM
		}
		bends = append(bends, b)
	}
	return bends
}

// growth of the ground range with time in a piece.
func (g *GRD) growth(piece int, r float64) float64 {
	if piece < 0 || piece+1 >= len(g.conversions) {
		return 0
	}
	a, b := &g.conversions[piece], &g.conversions[piece+1]
	return (polynomial(b.toGround, r-b.slant0) - polynomial(a.toGround, r-a.slant0)) / (b.time - a.time)
}

func (g *GRD) groundIn(piece int, tagged, r float64) float64 {
	c := &g.conversions[max(piece, 0)]
	v := polynomial(c.toGround, r-c.slant0)
	if g.Between == Nearest {
		return v
	}
	return v + g.growth(piece, r)*(tagged-c.time)
}

func (g *GRD) ground(tagged, slantRangeM float64) float64 {
	return g.groundIn(g.pieceOf(tagged), tagged, slantRangeM)
}

// Slant returns the slant range of a pixel of a line, and how much it grows with a metre on the ground.
func (g *GRD) Slant(line, pixel float64) (slantRangeM, perGround float64) {
	tagged := g.LineTime(line)
	k := g.pieceOf(tagged)
	a := &g.conversions[max(k, 0)]
	b, w := a, 0.0
	if g.Between == Linear && k >= 0 && k+1 < len(g.conversions) {
		b = &g.conversions[k+1]
		w = (tagged - a.time) / (b.time - a.time)
	}
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
