package s2

import "math"

// Angles are a direction from a place on the ground.
type Angles struct {
	ZenithDeg  float64 // from the vertical
	AzimuthDeg float64 // clockwise from north, 0..360
}

// noAngles is a direction that is not known.
var noAngles = Angles{math.NaN(), math.NaN()}

// tangents returns tan z·sin a and tan z·cos a: the horizontal offset at unit height, eastwards and northwards. Directions are
// interpolated and averaged in these, because an azimuth wraps and says nothing near the vertical.
func (a Angles) tangents() (east, north float64) {
	sin, cos := math.Sincos(a.AzimuthDeg * math.Pi / 180)
	t := math.Tan(a.ZenithDeg * math.Pi / 180)
	return t * sin, t * cos
}

func fromTangents(east, north float64) Angles {
	azimuth := math.Atan2(east, north) * 180 / math.Pi
	if azimuth < 0 {
		azimuth += 360
	}
	return Angles{math.Atan(math.Hypot(east, north)) * 180 / math.Pi, azimuth}
}

// AngleGrid is directions on a coarse grid. Node (row 0, column 0) is at (OriginX, OriginY); rows run southwards.
type AngleGrid struct {
	OriginX, OriginY float64 // map coordinates, metres
	StepX, StepY     float64 // metres, positive
	Rows, Columns    int
	Nodes            []Angles // row by row, NaN where not given
}

// ViewGrid is the directions to the instrument for one band and detector.
type ViewGrid struct {
	Band     string
	Detector int // 1..12
	AngleGrid
}

// At returns the direction at a map position, bilinear in the tangents; NaN outside the grid or beside a node that is NaN.
func (g AngleGrid) At(x, y float64) Angles {
	column, row := (x-g.OriginX)/g.StepX, (g.OriginY-y)/g.StepY
	if !(column >= 0 && row >= 0 && column <= float64(g.Columns-1) && row <= float64(g.Rows-1)) {
		return noAngles
	}
	c, r := min(int(column), max(0, g.Columns-2)), min(int(row), max(0, g.Rows-2))
	fc, fr := column-float64(c), row-float64(r)
	var east, north float64
	for _, n := range [4]struct {
		row, column int
		weight      float64
	}{{r, c, (1 - fr) * (1 - fc)}, {r, c + 1, (1 - fr) * fc}, {r + 1, c, fr * (1 - fc)}, {r + 1, c + 1, fr * fc}} {
		if n.weight == 0 { // on a line of nodes, the next ones do not count
			continue
		}
		e, no := g.Nodes[n.row*g.Columns+n.column].tangents()
		east, north = east+n.weight*e, north+n.weight*no
	}
	if math.IsNaN(east + north) {
		return noAngles
	}
	return fromTangents(east, north)
}

// Filled returns the grid with its NaN nodes taken from the plane that fits the others best (least squares in the tangents),
// so that At works up to the border of a detector. Nodes too few for a plane give their mean; without any, all stay NaN.
func (g AngleGrid) Filled() AngleGrid {
	var s planeSums
	for i, a := range g.Nodes {
		if east, north := a.tangents(); !math.IsNaN(east + north) {
			s.add(float64(i%g.Columns), float64(i/g.Columns), east, north)
		}
	}
	east, north := s.planes()
	nodes := make([]Angles, len(g.Nodes))
	for i, a := range g.Nodes {
		if math.IsNaN(a.ZenithDeg) || math.IsNaN(a.AzimuthDeg) {
			c, r := float64(i%g.Columns), float64(i/g.Columns)
			a = fromTangents(east[0]+east[1]*c+east[2]*r, north[0]+north[1]*c+north[2]*r)
		}
		nodes[i] = a
	}
	g.Nodes = nodes
	return g
}

// planeSums are the normal equations of v = p0 + p1·c + p2·r for two values at once.
type planeSums struct{ n, c, r, cc, cr, rr, e, ec, er, v, vc, vr float64 }

func (s *planeSums) add(c, r, east, north float64) {
	s.n++
	s.c, s.r, s.cc, s.cr, s.rr = s.c+c, s.r+r, s.cc+c*c, s.cr+c*r, s.rr+r*r
	s.e, s.ec, s.er = s.e+east, s.ec+east*c, s.er+east*r
	s.v, s.vc, s.vr = s.v+north, s.vc+north*c, s.vr+north*r
}

// planes solves both; level ones when the nodes lie on a line.
func (s *planeSums) planes() (east, north [3]float64) {
	c, r := s.c/s.n, s.r/s.n // centred, the constant separates
	cc, cr, rr := s.cc-s.n*c*c, s.cr-s.n*c*r, s.rr-s.n*r*r
	det := cc*rr - cr*cr
	solve := func(sum, byC, byR float64) [3]float64 {
		mean := sum / s.n
		byC, byR = byC-mean*s.c, byR-mean*s.r
		if det < 1e-6 {
			return [3]float64{mean, 0, 0}
		}
		p1, p2 := (byC*rr-byR*cr)/det, (byR*cc-byC*cr)/det
		return [3]float64{mean - p1*c - p2*r, p1, p2}
	}
	return solve(s.e, s.ec, s.er), solve(s.v, s.vc, s.vr)
}
