package sar

import (
	"math"
	"slices"
	"time"

	"swath/fault"
	"swath/sentinel/s1"
)

// nodes of one polynomial.
const nodes = 8

// Orbit is where the satellite is over some minutes.
type Orbit struct {
	Epoch  time.Time
	starts []float64 // of the pieces, seconds after Epoch
	end    float64
	pieces []piece
}

// piece holds polynomials in (t − mid)/scale: of each coordinate of the position, then of the velocity.
type piece struct {
	mid, scale float64
	c          [6][nodes]float64
}

// NewOrbit interpolates state vectors by Lagrange's polynomials through the eight nearest, positions and velocities each by themselves. So
// does the processor: velocities of vectors that came down with the data do not quite belong to their positions, and only this reproduces
// its times (to 2 µs; 100 µs with the derivative of the positions). Vectors in excess of one at a time are left out.
func NewOrbit(vectors []s1.StateVector, epoch time.Time) (*Orbit, error) {
	sorted := slices.Clone(vectors)
	slices.SortStableFunc(sorted, func(a, b s1.StateVector) int { return a.TimeUTC.Compare(b.TimeUTC) })
	sorted = slices.CompactFunc(sorted, func(a, b s1.StateVector) bool { return b.TimeUTC.Sub(a.TimeUTC).Abs() < time.Millisecond })
	if len(sorted) < 4 {
		return nil, fault.New(fault.Invalid, "an orbit of %d state vectors", len(sorted))
	}
	o := &Orbit{Epoch: epoch}
	for i := range len(sorted) - 1 {
		first := max(0, min(i-nodes/2+1, len(sorted)-nodes))
		near := sorted[first:min(first+nodes, len(sorted))]
		o.starts = append(o.starts, o.Seconds(sorted[i].TimeUTC))
		o.pieces = append(o.pieces, o.lagrange(near))
	}
	o.end = o.Seconds(sorted[len(sorted)-1].TimeUTC)
	return o, nil
}

// lagrange makes the polynomials through positions and velocities, by divided differences.
func (o *Orbit) lagrange(near []s1.StateVector) piece {
	n := len(near)
	first, last := o.Seconds(near[0].TimeUTC), o.Seconds(near[n-1].TimeUTC)
	p := piece{mid: (first + last) / 2, scale: (last - first) / float64(n-1)}
	var u [nodes]float64
	for i, v := range near {
		u[i] = (o.Seconds(v.TimeUTC) - p.mid) / p.scale
	}
	for k := range p.c {
		var d [nodes]float64
		for i, v := range near {
			if k < 3 {
				d[i] = v.PositionM[k]
			} else {
				d[i] = v.VelocityMPerS[k-3]
			}
		}
		for order := 1; order < n; order++ {
			for i := n - 1; i >= order; i-- {
				d[i] = (d[i] - d[i-1]) / (u[i] - u[i-order])
			}
		}
		c := &p.c[k] // from Newton's form to powers, from the last factor inwards
		for i := n - 1; i >= 0; i-- {
			for j := n - 1; j > 0; j-- {
				c[j] = c[j-1] - u[i]*c[j]
			}
			c[0] = d[i] - u[i]*c[0]
		}
	}
	return p
}

// Seconds is a time after the Epoch.
func (o *Orbit) Seconds(t time.Time) float64 { return t.Sub(o.Epoch).Seconds() }

// Span is the time of the first and the last state vector.
func (o *Orbit) Span() (first, last float64) { return o.starts[0], o.end }

// At returns position, velocity and acceleration. Times outside the Span are extrapolated, which holds for some seconds.
func (o *Orbit) At(t float64) (position, velocity, acceleration Vec) {
	i, found := slices.BinarySearch(o.starts, t)
	if !found {
		i = max(0, i-1)
	}
	p := &o.pieces[i]
	u := (t - p.mid) / p.scale
	for k := range 3 {
		var x, v, a float64
		for j := nodes - 1; j >= 0; j-- {
			x = x*u + p.c[k][j]
			a = a*u + v
			v = v*u + p.c[k+3][j]
		}
		position[k], velocity[k], acceleration[k] = x, v, a/p.scale
	}
	return position, velocity, acceleration
}

// ZeroDoppler returns when a place is at zero Doppler, and its distance then; NaN when that is not within a minute of the Span. A guess
// near the time saves rounds.
func (o *Orbit) ZeroDoppler(place Vec, guess float64) (t, slantRangeM float64) {
	const closeS, rounds, beyondS = 1e-11, 30, 60
	t = guess
	for range rounds {
		s, v, a := o.At(t)
		d := place.Sub(s)
		step := d.Dot(v) / (d.Dot(a) - v.Dot(v))
		t -= step
		if t < o.starts[0]-beyondS || t > o.end+beyondS || step != step {
			return math.NaN(), math.NaN()
		}
		if math.Abs(step) < closeS {
			s, _, _ = o.At(t)
			return t, place.Sub(s).Norm()
		}
	}
	return math.NaN(), math.NaN()
}

// Locate returns the place to the right of the track that is at zero Doppler at a time, at a slant range and a height above the
// ellipsoid; NaN when there is none.
func (o *Orbit) Locate(t, slantRangeM, heightM float64) (lonDeg, latDeg float64) {
	s, v, _ := o.At(t)
	forward := v.Unit()
	down := Vec{}.Sub(s)
	down = down.AddScaled(-down.Dot(forward), forward).Unit()
	right := down.Cross(forward)
	distance, earth := s.Norm(), semiMajorM*(1-flattening/2)+heightM
	cos := (distance*distance + slantRangeM*slantRangeM - earth*earth) / (2 * distance * slantRangeM)
	if !(cos > 0 && cos < 1) {
		return math.NaN(), math.NaN()
	}
	look := math.Acos(cos)
	for range 30 {
		sin, cos := math.Sincos(look)
		toward := down.AddScaled(cos-1, down).AddScaled(sin, right)
		p := s.AddScaled(slantRangeM, toward)
		lon, lat, h := FromECEF(p)
		up, _, _ := Up(lon, lat)
		slope := slantRangeM * up.Dot(Vec{}.AddScaled(-sin, down).AddScaled(cos, right))
		step := (heightM - h) / slope
		if math.Abs(step)*slantRangeM < 1e-5 {
			return lon, lat
		}
		look += step
	}
	return math.NaN(), math.NaN()
}
