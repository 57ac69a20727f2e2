package s1ortho

import "math"

// What the mask's numbers say; they are added.
const (
	layover  = 1
	shadow   = 2
	unmasked = 4 // nothing was measured
)

// angles fills local incidence and mask of a block, where something was measured.
func (w *worker) angles(strip *layers, l *lattice, x0, width, height int) {
	t := w.t
	s := &shader{r: t.relief, scale: l.scale}
	s.tan, s.east, s.north = l.steepness()
	s.lowest, s.highest = t.relief.span(l.x0, l.y0, width, height)
	measured := func(at int) bool {
		for _, p := range strip.power {
			if p[at] == p[at] {
				return true
			}
		}
		return false
	}
	reach := int(float64(s.highest-s.lowest)*math.Max(s.tan, 1/s.tan)/pixelM) + 1
	s.lowest, s.highest = t.relief.span(l.x0-reach, l.y0-reach, width+2*reach, height+2*reach)
	for y := range height {
		for x := range width {
			at := y*t.grid.Width + x0 + x
			if !measured(at) {
				continue
			}
			// From the relief itself: slopes over 30 m.
			cx, cy := s.coarse(l.x0+x, l.y0+y)
			h, dx, dy := t.relief.slope(cx, cy, l.scale)
			if strip.incidence != nil {
				i, f := x/latticeStep, float64(x%latticeStep)/latticeStep
				var look [3]float64
				for k := range 3 {
					a, b := l.at(l.look[k], i, float64(y)), l.at(l.look[k], i+1, float64(y))
					look[k] = a + f*(b-a)
				}
				cos := (look[2] - dx*look[0] - dy*look[1]) / math.Sqrt(1+dx*dx+dy*dy)
				strip.incidence[at] = float32(math.Acos(math.Max(-1, math.Min(1, cos))) * 180 / math.Pi * 100)
			}
			if strip.mask != nil {
				strip.mask[at] = float32(s.shade(cx, cy, h))
			}
		}
	}
}

// slope returns the ground and its slopes east and north at a place in pixels of the relief.
func (r *relief) slope(x, y, scale float64) (h, east, north float64) {
	h = r.at(x, y)
	d := 2 * r.Transform[1] * scale
	return h, (r.at(x+1, y) - r.at(x-1, y)) / d, (r.at(x, y-1) - r.at(x, y+1)) / d
}

// at interpolates the ground bilinearly.
func (r *relief) at(x, y float64) float64 {
	x, y = math.Max(0, math.Min(x, float64(r.Width-2))), math.Max(0, math.Min(y, float64(r.Height-2)))
	i, j := int(x), int(y)
	fx, fy := x-float64(i), y-float64(j)
	p := r.M[j*r.Width+i:]
	top, bottom := float64(p[0])+fx*float64(p[1]-p[0]), float64(p[r.Width])+fx*float64(p[r.Width+1]-p[r.Width])
	return top + fy*(bottom-top)
}

// shader looks along the line of sight for ground that hides a place, or is seen at the same distance.
type shader struct {
	r                *relief
	scale            float64
	tan, east, north float64 // of the incidence, and where the satellite is
	lowest, highest  float32 // ground around
}

// coarse is where a pixel of the map lies in the relief.
func (s *shader) coarse(x, y int) (cx, cy float64) {
	const c = reliefStep
	return (float64(x)+0.5)/c - 0.5 + reliefMargin, (float64(y)+0.5)/c - 0.5 + reliefMargin
}

// shade walks over the ground in steps of 30 m. Waves are taken for plane: along the line of sight a place that is d farther away and at the
// height h is seen at the distance d·sin θ − h·cos θ.
//
//	shadow:  towards the satellite, ground stands above the ray, which rises by d/tan θ
//	layover: ground farther away is at or above h + d·tan θ, or ground nearer is at or below h − d·tan θ
func (s *shader) shade(x, y, h float64) (mask int) {
	step := s.r.Transform[1] * s.scale
	for k := 1.0; ; k++ { // towards the satellite
		d := k * step
		up, down := h+d/s.tan, h-d*s.tan
		if up > float64(s.highest) && down < float64(s.lowest) {
			break
		}
		g := s.r.at(x+k*s.east, y-k*s.north)
		if g > up {
			mask |= shadow
		}
		if g <= down {
			mask |= layover
		}
	}
	for k := 1.0; ; k++ { // away from it
		up := h + k*step*s.tan
		if up > float64(s.highest) {
			break
		}
		if s.r.at(x-k*s.east, y+k*s.north) >= up {
			mask |= layover
			break
		}
	}
	return mask
}
