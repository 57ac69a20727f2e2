package render

import (
	"cmp"
	"image/color"
	"math"
	"slices"
)

// quantizer finds the few colours that stand best for many, of all images together.
//
//	pixels ─▶ cells of 4 levels a channel, counted ─▶ boxes, split where their squared error is largest (Wu, 1991) ─▶ a few
//	                                                  rounds of k-means (Lloyd, 1982) ─▶ palette, and the place in it of each cell
//
// Images that have no more colours than the palette has places keep them exactly.
type quantizer struct {
	cells map[uint32]*cell   // by its channels' upper bits
	exact map[uint32]float64 // the colours themselves, as long as they are few
}

// cell is the pixels of one small cube of colours.
type cell struct {
	n   float64
	sum [3]float64
}

const (
	cellBits    = 6   // of each channel
	lloydRounds = 4   // they gain little after that
	mostColours = 255 // of a palette: one place is for what is transparent
)

func newQuantizer() *quantizer {
	return &quantizer{cells: map[uint32]*cell{}, exact: map[uint32]float64{}}
}

func cellOf(r, g, b byte) uint32 {
	const cut = 8 - cellBits
	return uint32(r>>cut)<<(2*cellBits) | uint32(g>>cut)<<cellBits | uint32(b>>cut)
}

// add counts the opaque pixels of an image of R, G, B, A bytes.
func (q *quantizer) add(pixels []byte) {
	var last *cell
	lastKey := uint32(math.MaxUint32)
	for i := 0; i+3 < len(pixels); i += 4 {
		r, g, b := pixels[i], pixels[i+1], pixels[i+2]
		if pixels[i+3] < opaqueFrom {
			continue
		}
		if key := cellOf(r, g, b); key != lastKey {
			if last = q.cells[key]; last == nil {
				last = &cell{}
				q.cells[key] = last
			}
			lastKey = key
		}
		last.n++
		last.sum[0], last.sum[1], last.sum[2] = last.sum[0]+float64(r), last.sum[1]+float64(g), last.sum[2]+float64(b)
		if q.exact != nil {
			if q.exact[uint32(r)<<16|uint32(g)<<8|uint32(b)]++; len(q.exact) > mostColours {
				q.exact = nil
			}
		}
	}
}

// opaqueFrom is the alpha from which a pixel is drawn where pixels are opaque or not there at all.
const opaqueFrom = 128

// point is the mean colour of a cell.
type point struct {
	at     [3]float64
	weight float64
	key    uint32
}

// palette returns the colours, at most mostColours of them, and the function that finds the place of a colour among them.
func (q *quantizer) palette() (colours color.Palette, place func(r, g, b byte) uint8) {
	if q.exact != nil {
		places := map[uint32]uint8{}
		for _, rgb := range sortedKeys(q.exact) {
			places[rgb] = uint8(len(colours))
			colours = append(colours, color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 255})
		}
		return colours, func(r, g, b byte) uint8 { return places[uint32(r)<<16|uint32(g)<<8|uint32(b)] }
	}
	points := make([]point, 0, len(q.cells))
	for _, key := range sortedKeys(q.cells) {
		c := q.cells[key]
		points = append(points, point{[3]float64{c.sum[0] / c.n, c.sum[1] / c.n, c.sum[2] / c.n}, c.n, key})
	}
	centres := lloyd(points, split(points, mostColours))
	table := make([]uint8, 1<<(3*cellBits))
	for _, p := range points {
		table[p.key] = uint8(nearest(centres, p.at))
	}
	for _, c := range centres {
		colours = append(colours, color.NRGBA{uint8(math.Round(c[0])), uint8(math.Round(c[1])), uint8(math.Round(c[2])), 255})
	}
	return colours, func(r, g, b byte) uint8 { return table[cellOf(r, g, b)] }
}

func sortedKeys[V any](m map[uint32]V) []uint32 {
	keys := make([]uint32, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// split returns the mean colours of boxes that hold all points, beginning with one box, splitting the worst one again and again.
// It changes the order of the points.
func split(points []point, most int) (centres [][3]float64) {
	type box struct {
		points []point
		mean   [3]float64
		error  float64 // sum of squared distances from the mean
		axis   int     // along which it is largest
	}
	measure := func(points []point) box {
		b, weight := box{points: points}, 0.0
		for _, p := range points {
			weight += p.weight
			for k := range 3 {
				b.mean[k] += p.weight * p.at[k]
			}
		}
		var along [3]float64
		for k := range 3 {
			b.mean[k] /= weight
			for _, p := range points {
				along[k] += p.weight * (p.at[k] - b.mean[k]) * (p.at[k] - b.mean[k])
			}
			b.error += along[k]
			if along[k] > along[b.axis] {
				b.axis = k
			}
		}
		return b
	}
	boxes := []box{measure(points)}
	for len(boxes) < most {
		worst := 0
		for i := range boxes {
			if boxes[i].error > boxes[worst].error {
				worst = i
			}
		}
		b := boxes[worst]
		if b.error <= 0 {
			break
		}
		slices.SortFunc(b.points, func(x, y point) int {
			return cmp.Or(cmp.Compare(x.at[b.axis], y.at[b.axis]), cmp.Compare(x.key, y.key))
		})
		at := cutOf(b.points, b.axis)
		boxes[worst] = measure(b.points[:at])
		boxes = append(boxes, measure(b.points[at:]))
	}
	for _, b := range boxes {
		centres = append(centres, b.mean)
	}
	return centres
}

// cutOf returns where points that are sorted along an axis are best cut in two: where the squared error of the parts is least, which
// is where the sum of (sum of values)²/weight of both is largest.
func cutOf(points []point, axis int) int {
	var total, weight float64
	for _, p := range points {
		total, weight = total+p.weight*p.at[axis], weight+p.weight
	}
	best, at := math.Inf(-1), 1
	sum, n := 0.0, 0.0
	for i, p := range points[:len(points)-1] {
		sum, n = sum+p.weight*p.at[axis], n+p.weight
		if gain := sum*sum/n + (total-sum)*(total-sum)/(weight-n); gain > best {
			best, at = gain, i+1
		}
	}
	return at
}

// lloyd moves centres to the means of the points that are nearest to them.
func lloyd(points []point, centres [][3]float64) [][3]float64 {
	for range lloydRounds {
		sums, weights := make([][3]float64, len(centres)), make([]float64, len(centres))
		for _, p := range points {
			i := nearest(centres, p.at)
			weights[i] += p.weight
			for k := range 3 {
				sums[i][k] += p.weight * p.at[k]
			}
		}
		for i, w := range weights {
			if w > 0 {
				centres[i] = [3]float64{sums[i][0] / w, sums[i][1] / w, sums[i][2] / w}
			}
		}
	}
	return centres
}

func nearest(centres [][3]float64, at [3]float64) int {
	best, found := math.Inf(1), 0
	for i, c := range centres {
		x, y, z := at[0]-c[0], at[1]-c[1], at[2]-c[2]
		if d := x*x + y*y + z*z; d < best {
			best, found = d, i
		}
	}
	return found
}
