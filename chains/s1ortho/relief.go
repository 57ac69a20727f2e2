package s1ortho

import (
	"context"
	"math"

	"swath/dem"
	"swath/geo"
	"swath/raster"
)

// Relief is kept every reliefStep pixels of the map, in a frame of reliefMargin of its own pixels: what leans over, or throws a shadow, into
// a tile stands up to 6 km outside.
const (
	reliefStep   = 3
	reliefMargin = 200
)

// relief is the ground of a tile.
type relief struct {
	*dem.Heights
}

func loadRelief(ctx context.Context, m *dem.Model, g raster.Grid) (*relief, error) {
	t := g.Transform
	coarse := raster.Grid{CRS: g.CRS, Width: (g.Width+reliefStep-1)/reliefStep + 2*reliefMargin, Height: (g.Height+reliefStep-1)/reliefStep + 2*reliefMargin,
		Transform: geo.Affine{t[0] - reliefMargin*reliefStep*t[1], t[1] * reliefStep, 0, t[3] - reliefMargin*reliefStep*t[5], 0, t[5] * reliefStep}}
	h, err := m.Heights(ctx, coarse)
	if err != nil {
		return nil, err
	}
	return &relief{Heights: h}, nil
}

// span returns the lowest and highest ground in a part of the map, pixels of the map.
func (r *relief) span(x0, y0, w, h int) (lowest, highest float32) {
	lowest, highest = float32(math.Inf(1)), float32(math.Inf(-1))
	column := func(x int) int { return max(0, min(floorDiv(x, reliefStep)+reliefMargin, r.Width-1)) }
	row := func(y int) int { return max(0, min(floorDiv(y, reliefStep)+reliefMargin, r.Height-1)) }
	for j := row(y0 - 2*reliefStep); j <= row(y0+h+2*reliefStep); j++ {
		for _, v := range r.M[j*r.Width+column(x0-2*reliefStep) : j*r.Width+column(x0+w+2*reliefStep)+1] {
			lowest, highest = min(lowest, v), max(highest, v)
		}
	}
	const over = 2 // metres that the curve between may reach beyond
	return lowest - over, highest + over
}

// fill interpolates the ground, by Keys' kernel, at w x h pixels of which there are fine in one of the map, from pixel (x0, y0) of those on.
// Scratch holds one row between others.
func (r *relief) fill(to []float32, x0, y0, w, h, fine int, scratch *[]float32) {
	factor := reliefStep * fine
	firstColumn := floorDiv(2*x0+1-factor, 2*factor) + reliefMargin - 1
	columns := floorDiv(2*(x0+w-1)+1-factor, 2*factor) + reliefMargin + 3 - firstColumn
	if cap(*scratch) < columns {
		*scratch = make([]float32, columns)
	}
	between := (*scratch)[:columns]
	phases := make([][4]float32, factor)
	for k := range phases {
		phases[k] = phase(k, factor)
	}
	clamp := func(v, n int) int { return max(0, min(v, n-1)) }
	for y := range h {
		j := floorDiv(2*(y0+y)+1-factor, 2*factor) + reliefMargin
		wy := phases[mod(y0+y, factor)]
		var rows [4][]float32
		for k := range 4 {
			rows[k] = r.M[clamp(j-1+k, r.Height)*r.Width:][:r.Width]
		}
		if firstColumn >= 0 && firstColumn+columns <= r.Width {
			a, b, c, d := rows[0][firstColumn:][:columns], rows[1][firstColumn:][:columns], rows[2][firstColumn:][:columns], rows[3][firstColumn:][:columns]
			for i := range between {
				between[i] = wy[0]*a[i] + wy[1]*b[i] + wy[2]*c[i] + wy[3]*d[i]
			}
		} else {
			for i := range between {
				k := clamp(firstColumn+i, r.Width)
				between[i] = wy[0]*rows[0][k] + wy[1]*rows[1][k] + wy[2]*rows[2][k] + wy[3]*rows[3][k]
			}
		}
		row := to[y*w : (y+1)*w]
		k, i := mod(x0, factor), floorDiv(2*x0+1-factor, 2*factor)+reliefMargin-1-firstColumn
		for x := range row {
			p, q := &phases[k], between[i:i+4]
			row[x] = p[0]*q[0] + p[1]*q[1] + p[2]*q[2] + p[3]*q[3]
			if k++; k == factor {
				k = 0
			}
			if 2*k+1 == factor || 2*k == factor { // past the middle of a pixel of the relief
				i++
			}
		}
	}
}

// phase are the weights of the four pixels of the relief around the k-th of those that one is divided into.
func phase(k, factor int) [4]float32 {
	t := float64(2*k+1-factor) / float64(2*factor)
	if t < 0 {
		t++
	}
	return [4]float32{
		float32(t * (-0.5 + t*(1-0.5*t))), float32(1 + t*t*(-2.5+1.5*t)), float32(t * (0.5 + t*(2-1.5*t))), float32(t * t * (-0.5 + 0.5*t)),
	}
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func mod(a, b int) int { return a - floorDiv(a, b)*b }
