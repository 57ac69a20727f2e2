package main

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"

	"swath/geo"
)

//go:embed squares.txt
var squaresText string

// square is one square of Sentinel-2's grid.
type square struct {
	name           string
	code           geo.EPSG
	box            geo.Box // metres
	corners        geo.Ring
	lonDeg, latDeg float64 // its centre
	center         vector
}

// view is a square as a relative orbit sees it.
type view struct {
	square    *square
	dtS       float64 // from the ascending node until the satellite is abreast of the centre
	takeS     float64 // the same for the begin of the recording
	rightKm   float64 // of the track
	footprint geo.MultiPolygon
	whole     bool // the swath does not cut it
	nodata    float64
}

// slice is one product of a relative orbit's swath.
type slice struct {
	dtS, takeS float64
	number     int
	wide       bool // EW, over cold seas
	footprint  geo.MultiPolygon
}

// world is what the satellites pass over.
type world struct {
	squares []square
	land    map[[2]int]bool // whole degrees with a square's centre in them
	views   [][]view        // by relative orbit of Sentinel-2, in order of time; its descending halves
	slices  [][]slice       // by relative orbit of Sentinel-1, in order of time
}

func newWorld() (*world, error) {
	squares, err := readSquares(squaresText)
	if err != nil {
		return nil, err
	}
	w := &world{squares: squares, land: map[[2]int]bool{}}
	for _, s := range squares {
		w.land[degree(s.lonDeg, s.latDeg)] = true
	}
	w.views = viewsOf(platformsS2[0], squares)
	w.slices = slicesOf(platformsS1[0], w.land)
	return w, nil
}

func degree(lonDeg, latDeg float64) [2]int {
	return [2]int{int(math.Floor(geo.WrapLon(lonDeg))), int(math.Floor(latDeg))}
}

// readSquares reads squares.txt.
func readSquares(text string) ([]square, error) {
	var squares []square
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		for _, column := range fields[1:] {
			for _, row := range column[1:] {
				s, err := newSquare(fields[0] + column[:1] + string(row))
				if err != nil {
					return nil, err
				}
				squares = append(squares, s)
			}
		}
	}
	return squares, nil
}

func newSquare(name string) (square, error) {
	code, box, err := geo.MGRSTile(name)
	if err != nil {
		return square{}, err
	}
	projection, ok := geo.ProjectionOf(code)
	if !ok {
		return square{}, fmt.Errorf("square %s: no projection for %v", name, code)
	}
	s := square{name: name, code: code, box: box}
	for _, c := range [][2]float64{{box.MinX, box.MinY}, {box.MaxX, box.MinY}, {box.MaxX, box.MaxY}, {box.MinX, box.MaxY}, {box.MinX, box.MinY}} {
		lon, lat := projection.ToLonLat(c[0], c[1])
		s.corners = append(s.corners, [2]float64{lon, lat})
	}
	s.corners = geo.Unwrap(s.corners)
	s.lonDeg, s.latDeg = projection.ToLonLat((box.MinX+box.MaxX)/2, (box.MinY+box.MaxY)/2)
	s.center = place(s.lonDeg, s.latDeg)
	return s, nil
}

const (
	swathS2Km   = 145 // half of 290
	reachKm     = 78  // half a square's diagonal
	leastSeenKm = 3   // what of a square must lie in the swath, across it, to become a product
)

// viewsOf returns what each relative orbit sees on its descending half.
func viewsOf(p *platform, squares []square) [][]view {
	views := make([][]view, p.cycle+1)
	nearby := math.Cos(900 / earthKm)
	for i := range squares {
		s := &squares[i]
		sin := math.Sin(s.latDeg*rad) / math.Sin(p.inclinationRad)
		if math.Abs(sin) > 0.9999 {
			continue // the track turns before it gets there
		}
		dt := p.periodS() * (0.5 - math.Asin(sin)/(2*math.Pi)) // when the descending half reaches the latitude
		for relative := 1; relative <= p.cycle; relative++ {
			node := p.nodeLonDeg(relative)
			at, abreast := dt, frame{}
			if p.below(node, at).dot(s.center) < nearby {
				continue
			}
			right, ahead := p.frame(node, at).of(s.center)
			for range 3 {
				at += ahead / p.groundSpeedKmS()
				abreast = p.frame(node, at)
				right, ahead = abreast.of(s.center)
			}
			if math.Abs(right) > swathS2Km+reachKm-leastSeenKm || at < p.periodS()*0.26 || at > p.periodS()*0.74 {
				continue
			}
			if v, ok := newView(s, abreast, right); ok {
				v.dtS = math.Round(at*1000) / 1000
				views[relative] = append(views[relative], v)
			}
		}
	}
	for _, of := range views {
		slices.SortFunc(of, func(a, b view) int { return int(math.Copysign(1, a.dtS-b.dtS)) })
		for i := range of { // a recording ends where no land follows for 100 s
			if i == 0 || of[i].dtS-of[i-1].dtS > 100 {
				of[i].takeS = math.Floor(of[i].dtS - 8)
			} else {
				of[i].takeS = of[i-1].takeS
			}
		}
	}
	return views
}

// newView cuts a square at the edges of the swath.
func newView(s *square, f frame, rightKm float64) (view, bool) {
	v := view{square: s, rightKm: rightKm, whole: true}
	ring := s.corners
	for _, side := range []float64{-1, 1} {
		inside := make([]float64, len(ring))
		for i, at := range ring {
			right, _ := f.of(place(at[0], at[1]))
			inside[i] = swathS2Km - side*right
		}
		if slices.Min(inside) < 0 {
			v.whole, ring = false, cutRing(ring, inside)
		}
		if len(ring) < 4 {
			return view{}, false
		}
	}
	v.nodata = 100 * (1 - geo.Area(ring)/geo.Area(s.corners))
	v.footprint = geo.SplitAntimeridian(ring)
	return v, v.nodata < 98.5 && len(v.footprint) > 0
}

// cutRing keeps the part of a closed ring where inside, given at its points, is positive.
func cutRing(ring geo.Ring, inside []float64) geo.Ring {
	var out geo.Ring
	for i := 1; i < len(ring); i++ {
		a, b, ia, ib := ring[i-1], ring[i], inside[i-1], inside[i]
		if ia >= 0 {
			out = append(out, a)
		}
		if (ia >= 0) != (ib >= 0) {
			f := ia / (ia - ib)
			out = append(out, [2]float64{a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1])})
		}
	}
	if len(out) > 0 {
		out = append(out, out[0])
	}
	return out
}

const (
	sliceS          = 25.0
	nearKm, farKm   = 347.0, 597.0 // IW: incidence 29 to 46 degrees from 700 km
	wideKm, wideS   = 747.0, 60.0  // EW: 400 km, a minute
	wideFromLatDeg  = 66.0
	seaSliceOneInN  = 12
	slicesPerSeaRun = 3
)

// slicesOf returns the products of each relative orbit of Sentinel-1: slices over land, some over the sea.
func slicesOf(p *platform, land map[[2]int]bool) [][]slice {
	all := make([][]slice, p.cycle+1)
	for relative := 1; relative <= p.cycle; relative++ {
		node, phase := p.nodeLonDeg(relative), float64(relative*7%25)
		last := -1000.0
		for n := 0; ; n++ {
			dt := phase + sliceS*float64(n)
			if dt+sliceS > p.periodS() {
				break
			}
			f := p.frame(node, dt+sliceS/2)
			middle := f.at((nearKm+farKm)/2, 0)
			sea := (relative*31+n/slicesPerSeaRun)%seaSliceOneInN == 0
			if !land[degree(middle[0], middle[1])] && !sea {
				continue
			}
			s := slice{dtS: dt, takeS: dt, number: 1}
			far, length := farKm, sliceS
			if s.wide = sea && math.Abs(middle[1]) > wideFromLatDeg; s.wide {
				if n%slicesPerSeaRun != 0 {
					continue // a wide one takes the time of two
				}
				far, length = wideKm, wideS
			}
			if previous := len(all[relative]) - 1; previous >= 0 && dt-last < sliceS+1 && !s.wide && !all[relative][previous].wide {
				s.takeS, s.number = all[relative][previous].takeS, all[relative][previous].number+1
			}
			last = dt
			half := length * p.groundSpeedKmS() / 2
			g := p.frame(node, dt+length/2)
			// The near edge is first in range and the lines run forward: counter-clockwise, seen from above.
			ring := geo.Ring{g.at(nearKm, -half), g.at(far, -half), g.at(far, half), g.at(nearKm, half), g.at(nearKm, -half)}
			s.footprint = geo.SplitAntimeridian(ring)
			all[relative] = append(all[relative], s)
		}
	}
	return all
}
