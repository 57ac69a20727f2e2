package render

import (
	"math"
	"slices"
	"strings"

	"swath/fault"
)

// Selection says what a pixel becomes that several images show. The names and rules are those of rio-tiler's pixel selection.
type Selection int

// The selections.
const (
	First    Selection = iota // of the first image that has a value there
	Highest                   // the highest value, plane by plane
	Lowest                    // the lowest value, plane by plane
	Mean                      // of all values, plane by plane
	Median                    // of all values, plane by plane; of an even number the mean of the two in the middle
	StDev                     // the standard deviation of the population, plane by plane
	Count                     // one plane: in how many images there is a value
	LastHigh                  // of the image whose last plane is highest; the last plane itself is left out
	LastLow                   // of the image whose last plane is lowest; the last plane itself is left out
)

var selections = []string{"first", "highest", "lowest", "mean", "median", "stdev", "count", "lastbandhigh", "lastbandlow"}

// ParseSelection reads a name, in any case; empty is First.
func ParseSelection(name string) (Selection, error) {
	if name == "" {
		return First, nil
	}
	if name = strings.ToLower(name); name == "lastbandhight" { // as TiTiler has it
		name = "lastbandhigh"
	}
	i := slices.Index(selections, name)
	if i < 0 {
		return First, fault.New(fault.Invalid, "pixel selection %.40q is none of %s", name, strings.Join(selections, ", "))
	}
	return Selection(i), nil
}

// String returns the name.
func (s Selection) String() string { return selections[s] }

// Planes returns how many planes come out of so many that go in.
func (s Selection) Planes(in int) int {
	switch s {
	case Count:
		return 1
	case LastHigh, LastLow:
		return in - 1
	}
	return in
}

// Ends reports whether an image can come out before all that lie there have gone in.
func (s Selection) Ends() bool { return s == First }

// Selector makes one image of several. Images go in one after the other; it keeps as much of them as its selection needs: of a
// median everything, of the others a few planes.
type Selector struct {
	how    Selection
	in     int // planes
	width  int
	pixels int
	images int32
	empty  int // pixels without a value so far
	out    [][]float32
	from   []int32
	n      []int32     // values of a pixel: Mean, StDev, Count
	spread [][]float32 // sum of squares of differences from the mean: StDev
	all    [][]float32 // every image's planes: Median
	best   []float32   // of the last plane: LastHigh, LastLow
}

// NewSelector begins an image of width x height pixels, of images with so many planes; memory makes its planes. LastHigh and LastLow
// need two planes.
func NewSelector(how Selection, planes, width, height int, memory func(n int) []float32) (*Selector, error) {
	if how.Planes(planes) < 1 {
		return nil, fault.New(fault.Invalid, "pixel selection %s needs 2 planes or more, of which the last one decides", how)
	}
	pixels := width * height
	s := &Selector{how: how, in: planes, width: width, pixels: pixels, empty: pixels, from: make([]int32, pixels), out: make([][]float32, how.Planes(planes))}
	for i := range s.out {
		s.out[i] = memory(pixels)
	}
	if how != First { // of which the first image fills all
		s.clear()
	}
	switch how {
	case Mean, Count:
		s.n = make([]int32, pixels)
	case StDev:
		s.n, s.spread = make([]int32, pixels), nothing(planes, pixels)
	case LastHigh, LastLow:
		s.best = make([]float32, pixels)
	}
	return s, nil
}

// clear makes an image without a value.
func (s *Selector) clear() {
	for _, plane := range s.out {
		for i := range plane {
			plane[i] = float32(math.NaN())
		}
	}
	for i := range s.from {
		s.from[i] = -1
	}
}

// nothing makes planes without a value.
func nothing(planes, pixels int) [][]float32 {
	out := make([][]float32, planes)
	for p := range out {
		out[p] = slices.Repeat([]float32{float32(math.NaN())}, pixels)
	}
	return out
}

// Add takes the next image; a pixel that is NaN in any of its planes has no value. It reports whether more images can change
// nothing any more. The planes may be used again by the caller.
func (s *Selector) Add(planes [][]float32) (filled bool) {
	image := s.images
	s.images++
	switch s.how {
	case First:
		s.empty -= fillFirst(planes, image, s.out, s.from)
		return s.empty == 0
	case Median:
		for _, plane := range planes {
			s.all = append(s.all, slices.Clone(plane))
		}
	}
	for i := range s.pixels {
		if !valued(planes, i) {
			continue
		}
		first := s.from[i] < 0
		if first {
			s.empty--
			s.from[i] = image
		}
		switch s.how {
		case Highest, Lowest:
			for p, plane := range planes {
				if first || plane[i] > s.out[p][i] == (s.how == Highest) && plane[i] != s.out[p][i] {
					if s.out[p][i] = plane[i]; p == 0 {
						s.from[i] = image
					}
				}
			}
		case Mean:
			s.n[i]++
			for p, plane := range planes {
				s.out[p][i] = grown(s.out[p][i], plane[i], s.n[i])
			}
		case StDev: // Welford, 1962
			s.n[i]++
			for p, plane := range planes {
				before := s.out[p][i]
				after := grown(before, plane[i], s.n[i])
				if s.out[p][i] = after; first {
					s.spread[p][i] = 0
				} else {
					s.spread[p][i] += (plane[i] - before) * (plane[i] - after)
				}
			}
		case Count:
			s.n[i]++
		case LastHigh, LastLow:
			last := planes[s.in-1][i]
			if first || last > s.best[i] == (s.how == LastHigh) && last != s.best[i] {
				s.best[i], s.from[i] = last, image
				for p := range s.out {
					s.out[p][i] = planes[p][i]
				}
			}
		}
	}
	return false
}

// grown returns the mean of n values of which the last one is new.
func grown(mean, value float32, n int32) float32 {
	if n == 1 {
		return value
	}
	return mean + (value-mean)/float32(n)
}

func valued(planes [][]float32, i int) bool {
	for _, plane := range planes {
		if plane[i] != plane[i] {
			return false
		}
	}
	return true
}

// Full reports whether no image that comes can change a rectangle of pixels.
func (s *Selector) Full(x, y, width, height int) bool {
	if s.how != First || s.images == 0 {
		return false
	}
	for row := y; row < y+height; row++ {
		for _, from := range s.from[row*s.width+x:][:width] {
			if from < 0 {
				return false
			}
		}
	}
	return true
}

// Empty returns how many pixels have no value yet.
func (s *Selector) Empty() int { return s.empty }

// Result returns the image, and from which of the images, counted from 0, each pixel is: of Mean, Median, StDev and Count the
// first that has a value there; -1 where none has. Of Highest and Lowest the first plane decides.
func (s *Selector) Result() (planes [][]float32, from []int32) {
	if s.images == 0 {
		s.clear()
	}
	switch s.how {
	case StDev:
		for p := range s.out {
			for i, spread := range s.spread[p] {
				s.out[p][i] = float32(math.Sqrt(float64(spread) / float64(s.n[i]))) // NaN where there is none
			}
		}
	case Count:
		for i, n := range s.n {
			s.out[0][i] = float32(n)
		}
	case Median:
		values := make([]float32, 0, s.images)
		for p := range s.out {
			for i := range s.out[p] {
				values = values[:0]
				for image := range int(s.images) {
					if planes := s.all[image*s.in : (image+1)*s.in]; valued(planes, i) {
						values = append(values, planes[p][i])
					}
				}
				s.out[p][i] = median(values)
			}
		}
	}
	return s.out, s.from
}

// median sorts its argument.
func median(values []float32) float32 {
	if len(values) == 0 {
		return float32(math.NaN())
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
