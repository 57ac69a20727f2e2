package geo

import (
	"cmp"
	"math"
	"slices"
)

// Cover returns which share (0..1) of each pixel of a width x height grid lies inside rings, found at sub x sub points of it.
// The rings are in columns and rows; a point inside an even number of them is outside.
func Cover(rings []Ring, width, height, sub int) []float32 {
	cover := make([]float32, width*height)
	edges := edgesOf(rings)
	share := float32(1) / float32(sub*sub)
	var active []edge
	var crossings []float64
	next := 0
	for line := range height * sub {
		y := (float64(line) + 0.5) / float64(sub)
		for ; next < len(edges) && edges[next].top <= y; next++ {
			active = append(active, edges[next])
		}
		active = slices.DeleteFunc(active, func(e edge) bool { return e.bottom <= y })
		crossings = crossings[:0]
		for _, e := range active {
			crossings = append(crossings, e.x+(y-e.top)*e.slope)
		}
		slices.Sort(crossings)
		row := cover[line/sub*width : (line/sub+1)*width]
		for i := 0; i+1 < len(crossings); i += 2 {
			fill(row, crossings[i], crossings[i+1], sub, share)
		}
	}
	return cover
}

// fill adds the points of one line between two columns.
func fill(row []float32, from, to float64, sub int, share float32) {
	points := float64(len(row) * sub)
	index := func(x float64) int { return int(math.Max(0, math.Min(points, math.Ceil(x*float64(sub)-0.5)))) }
	for at, end := index(from), index(to); at < end; {
		pixel := at / sub
		stop := min(end, (pixel+1)*sub)
		row[pixel] += float32(stop-at) * share
		at = stop
	}
}

// edge is a side of a ring, from top to bottom.
type edge struct{ top, bottom, x, slope float64 }

// edgesOf returns the sides that are not level, by their tops.
func edgesOf(rings []Ring) []edge {
	var edges []edge
	for _, r := range rings {
		for i := 1; i < len(r); i++ {
			a, b := r[i-1], r[i]
			if a[1] > b[1] {
				a, b = b, a
			}
			if a[1] < b[1] {
				edges = append(edges, edge{a[1], b[1], a[0], (b[0] - a[0]) / (b[1] - a[1])})
			}
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.top, b.top) })
	return edges
}
