package s1ortho

import (
	"math"

	"swath/geo"
	"swath/raster"
	"swath/sar"
)

// latticeStep is how far exact solutions stand from each other, pixels of the map.
const latticeStep = 64

// lattice says where the pixels of a part of the map are seen. It is solved exactly at nodes, for three heights, and interpolated: along
// and across the map on straight lines, in the height by a parabola. The middle height and half the span are those of the part's own ground.
type lattice struct {
	x0, y0, w, h                         int // pixels of the map
	nx                                   int
	middle, half                         float64
	line, pixel                          [3][]float64 // at the nodes, for the heights middle−half, middle, middle+half
	look                                 [3][]float64 // to the satellite, in map axes: east, north, up
	scale                                float64      // metres on the ground in a metre of the map, in the middle
	bends                                []bend       // of the way from slant to ground range, which no straight line follows
	bendMiddle, bendHalf                 float64      // pixels that their parabolas are of
	minLine, maxLine, minPixel, maxPixel float64
}

// solve finds where a part of a grid is seen. It is false when a node never comes to zero Doppler.
func solve(g raster.Grid, p geo.Projection, grd *sar.GRD, x0, y0, w, h int, lowest, highest float32) (*lattice, bool) {
	l := &lattice{x0: x0, y0: y0, w: w, h: h, nx: (w-1)/latticeStep + 2}
	ny := (h-1)/latticeStep + 2
	l.middle, l.half = float64(highest+lowest)/2, float64(highest-lowest)/2+1
	l.minLine, l.minPixel, l.maxLine, l.maxPixel = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	n := l.nx * ny
	for k := range 3 {
		l.line[k], l.pixel[k], l.look[k] = make([]float64, n), make([]float64, n), make([]float64, n)
	}
	guess, piece := 0.0, 0
	for j := range ny {
		for i := range l.nx {
			x, y := g.Transform.Apply(float64(x0+i*latticeStep)+0.5, float64(y0+j*latticeStep)+0.5)
			lon, lat := p.ToLonLat(x, y)
			up, _, _ := sar.Up(lon, lat)
			ground := sar.ToECEF(lon, lat, l.middle)
			at := j*l.nx + i
			for k := range 3 {
				place := ground.AddScaled(float64(k-1)*l.half, up)
				t, r := grd.Orbit.ZeroDoppler(place, guess)
				if t != t {
					return nil, false
				}
				guess = t
				if k == 0 && at == 0 {
					line, _ := grd.Image(t, r)
					piece = grd.Piece(line)
				}
				line, pixel := grd.ImageIn(piece, t, r)
				l.line[k][at], l.pixel[k][at] = line, pixel
				l.minLine, l.maxLine = math.Min(l.minLine, line), math.Max(l.maxLine, line)
				l.minPixel, l.maxPixel = math.Min(l.minPixel, pixel), math.Max(l.maxPixel, pixel)
			}
			s, _, _ := grd.Orbit.At(guess)
			toward := s.Sub(ground).Unit()
			const stepM = 100
			lonE, latE := p.ToLonLat(x+stepM, y)
			lonN, latN := p.ToLonLat(x, y+stepM)
			east, north := sar.ToECEF(lonE, latE, l.middle).Sub(ground), sar.ToECEF(lonN, latN, l.middle).Sub(ground)
			l.look[0][at], l.look[1][at], l.look[2][at] = toward.Dot(east.Unit()), toward.Dot(north.Unit()), toward.Dot(up)
			if j == ny/2 && i == l.nx/2 {
				l.scale = (east.Norm() + north.Norm()) / 2 / stepM
			}
		}
	}
	l.bend(grd, piece)
	return l, true
}

// bend is one bend: what is added at pixels, a parabola through the ends and the middle of the part.
type bend struct {
	line        float64
	after, step bool
	samples     [3]float64 // at −1, 0, 1 of the way across
}

// bend finds the bends in the part, and how far they take its pixels.
func (l *lattice) bend(grd *sar.GRD, piece int) {
	middle, half := (l.minPixel+l.maxPixel)/2, (l.maxPixel-l.minPixel)/2
	for _, b := range grd.Bends(piece, l.minLine-1, l.maxLine+1) {
		v := parabola([3]float64{b.Samples(middle - half), b.Samples(middle), b.Samples(middle + half)})
		l.bends = append(l.bends, bend{b.Line, b.After, b.Step, v})
		most := math.Abs(v[0]) + math.Abs(v[1]) + math.Abs(v[2])
		if !b.Step {
			most *= math.Max(l.maxLine-b.Line, b.Line-l.minLine)
		}
		l.minPixel, l.maxPixel = l.minPixel-most, l.maxPixel+most
	}
	l.bendMiddle, l.bendHalf = middle, math.Max(half, 1)
}

// follow adds the bends to the pixels of places.
func (l *lattice) follow(line, pixel []float32, originLine, originPixel float64) {
	for _, b := range l.bends {
		at, sign := float32(b.line-originLine), float32(1)
		if !b.after {
			sign = -1
		}
		c0, c1, c2 := float32(b.samples[0]), float32(b.samples[1]), float32(b.samples[2])
		middle, scale := float32(l.bendMiddle-originPixel), float32(1/l.bendHalf)
		for i, v := range line {
			d := (v - at) * sign
			if d <= 0 {
				continue
			}
			if b.step {
				d = 1
			}
			u := (pixel[i] - middle) * scale
			pixel[i] += d * (c0 + u*(c1+u*c2))
		}
	}
}

// at interpolates nodes down a column of them, at a row of pixels.
func (l *lattice) at(v []float64, i int, y float64) float64 {
	j := min(int(y)/latticeStep, len(v)/l.nx-2)
	f := y/latticeStep - float64(j)
	k := j*l.nx + i
	return v[k] + f*(v[k+l.nx]-v[k])
}

// places fills line and pixel, less an origin, of a row at a given place in the part, for heights every 1/fine pixel of the map from its
// first pixel on.
func (l *lattice) places(line, pixel, heights []float32, y float64, fine int, originLine, originPixel float64) {
	cell := latticeStep * fine
	first := (1/float64(fine) - 1) / 2 // of a row of smaller pixels, the first one's centre in those of the map
	for from := 0; from < len(heights); from += cell {
		to := min(from+cell, len(heights))
		i := from / cell
		var c sar.Cell
		for k, nodes := range [][3][]float64{l.line, l.pixel} {
			var left, right [3]float64
			for m := range 3 {
				left[m], right[m] = l.at(nodes[m], i, y), l.at(nodes[m], i+1, y)
			}
			a, b := parabola(left), parabola(right)
			value, step := &c.Line, &c.LineStep
			origin := originLine
			if k == 1 {
				value, step, origin = &c.Pixel, &c.PixelStep, originPixel
			}
			for m := range 3 {
				d := (b[m] - a[m]) / float64(cell)
				step[m] = float32(d)
				start := a[m] + d*first*float64(fine)
				if m == 0 {
					start -= origin
				}
				value[m] = float32(start)
			}
		}
		c.Places(line[from:to], pixel[from:to], heights[from:to], float32(l.middle), float32(1/l.half))
	}
	l.follow(line[:len(heights)], pixel[:len(heights)], originLine, originPixel)
}

// parabola through values at −1, 0 and 1: constant, linear, quadratic.
func parabola(v [3]float64) [3]float64 {
	return [3]float64{v[1], (v[2] - v[0]) / 2, (v[0]+v[2])/2 - v[1]}
}

// toward is the direction to the satellite along one cell of a row: its cell-th, of fine pixels.
func (l *lattice) toward(y float64, cell, fine int) (look sar.Look) {
	for k := range 3 {
		a, b := l.at(l.look[k], cell, y), l.at(l.look[k], cell+1, y)
		look.First[k], look.Step[k] = float32(a), float32((b-a)/float64(latticeStep*fine))
	}
	return look
}

// steepness is tan and direction of the incidence in the part's middle: how far something leans towards the satellite for a metre of height,
// east and north.
func (l *lattice) steepness() (tan, east, north float64) {
	i, y := l.nx/2, float64(l.h)/2
	x, yy, z := l.at(l.look[0], i, y), l.at(l.look[1], i, y), l.at(l.look[2], i, y)
	flat := math.Hypot(x, yy)
	return flat / z, x / flat, yy / flat
}
