package main

import (
	"math"
	"math/rand/v2"
	"sort"

	"swath/geo"
)

// The names of the collections.
const (
	kindS1  = "sentinel-1-grd"
	kindL1C = "sentinel-2-l1c"
	kindL2A = "sentinel-2-l2a"
	kindDIM = "spot-6-7"
)

var collectionNames = []string{kindS1, kindL1C, kindL2A, kindDIM}

// scene is one product before it is written down.
type scene struct {
	kind  string
	start int64 // sensing, microseconds since 1970
	revolution
	view      *view  // Sentinel-2
	slice     *slice // Sentinel-1
	footprint geo.MultiPolygon
	offNadir  float64 // SPOT, degrees
}

// sceneKey is what makes a product one of its own.
type sceneKey struct {
	kind     string
	platform *platform
	start    int64
	place    any
}

// firstL2AUs is when surface products began.
var firstL2AUs = utc("2017-03-28T00:00:00")

// patience is how often a scene of one kind is drawn in vain before it may be of another.
const patience = 1000

// draw returns a scene of the time from begin to end that was not seen yet. A scene belongs to its time alone, so neighbouring
// stretches never draw the same one.
func (w *world) draw(random *rand.Rand, begin, end int64, seen map[sceneKey]bool) scene {
	kind := random.IntN(1000)
	for tries := 1; ; tries++ {
		if tries%patience == 0 { // the satellites of that kind made no more in this time
			kind = random.IntN(1000)
		}
		us := begin + random.Int64N(max(1, end-begin))
		var s scene
		var ok bool
		switch {
		case kind < 310:
			s, ok = w.drawS1(random, us)
		case kind < 707:
			s, ok = w.drawS2(random, us, kindL1C)
		case kind < 947:
			s, ok = w.drawS2(random, us, kindL2A)
		default:
			s, ok = w.drawSPOT(random, us)
		}
		if !ok || s.start < begin || s.start >= end {
			continue
		}
		key := sceneKey{s.kind, s.platform, s.start, nil}
		if s.view != nil {
			key.place = s.view
		}
		if !seen[key] {
			seen[key] = true
			return s
		}
	}
}

// choose returns a platform that delivered at the time.
func choose(random *rand.Rand, platforms []*platform, us int64) (*platform, bool) {
	p := platforms[random.IntN(len(platforms))]
	return p, us >= p.fromUs && us < p.toUs
}

func (w *world) drawS1(random *rand.Rand, us int64) (scene, bool) {
	p, ok := choose(random, platformsS1, us)
	if !ok {
		return scene{}, false
	}
	r := p.at(us)
	of, dt := w.slices[r.relative], float64(us-r.nodeUs)/1e6
	i := sort.Search(len(of), func(i int) bool { return of[i].dtS > dt }) - 1
	if i < 0 || dt-of[i].dtS > sliceS {
		return scene{}, false
	}
	if !often(random, of[i].footprint) {
		return scene{}, false
	}
	return scene{kind: kindS1, start: r.nodeUs + int64(of[i].dtS*1e6) + int64(r.absolute%977)*997, revolution: r, slice: &of[i], footprint: of[i].footprint}, true
}

func (w *world) drawS2(random *rand.Rand, us int64, kind string) (scene, bool) {
	if kind == kindL2A && us < firstL2AUs {
		kind = kindL1C
	}
	p, ok := choose(random, platformsS2, us)
	if !ok {
		return scene{}, false
	}
	r := p.at(us)
	of, dt := w.views[r.relative], float64(us-r.nodeUs)/1e6
	i := sort.Search(len(of), func(i int) bool { return of[i].dtS > dt }) + random.IntN(8)
	if i >= len(of) || of[i].dtS-dt > 30 {
		return scene{}, false
	}
	if !often(random, of[i].footprint) {
		return scene{}, false
	}
	return scene{kind: kind, start: r.nodeUs + int64(math.Round(of[i].dtS*1e3))*1e3, revolution: r, view: &of[i], footprint: of[i].footprint}, true
}

func (w *world) drawSPOT(random *rand.Rand, us int64) (scene, bool) {
	us -= us % 1e5 // its identifiers count tenths of a second
	p, ok := choose(random, platformsSPOT, us)
	if !ok {
		return scene{}, false
	}
	r := p.at(us)
	dt := float64(us-r.nodeUs) / 1e6
	if part := dt / p.periodS(); part < 0.28 || part > 0.72 {
		return scene{}, false
	}
	f := p.frame(p.nodeLonDeg(r.relative), dt)
	right := 520*random.Float64() - 260
	middle := f.at(right, 0)
	if !w.land[degree(middle[0], middle[1])] {
		return scene{}, false
	}
	width, length := 30+2*random.Float64(), 30+float64(random.IntN(3))*15
	ring := geo.Ring{f.at(right-width, -length), f.at(right+width, -length), f.at(right+width, length), f.at(right-width, length), f.at(right-width, -length)}
	footprint := geo.SplitAntimeridian(ring)
	return scene{kind: kindDIM, start: us, revolution: r, footprint: footprint, offNadir: math.Atan(right/694) / rad}, len(footprint) > 0 && often(random, footprint)
}

// often tells whether a place is kept: Europe always, the rest of the world less.
func often(random *rand.Rand, footprint geo.MultiPolygon) bool {
	at := footprint[0][0][0]
	return at[0] > -12 && at[0] < 42 && at[1] > 34 && at[1] < 72 || random.IntN(100) < 45
}
