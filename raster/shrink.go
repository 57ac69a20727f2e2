package raster

/*
#include "kernels.h"
*/
import "C"

import (
	"math"
	"unsafe"
)

// stored are the types of samples that the writer knows.
type stored interface {
	uint8 | uint16 | int16 | uint32 | int32 | float32 | float64
}

// values sees bytes as samples.
func values[T stored](b []byte) []T {
	var one T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(one)))
}

// typedValues sees bytes as a slice of a type's samples, for GDAL to fill.
func typedValues(b []byte, d DataType) any {
	switch d {
	case Uint8:
		return values[uint8](b)
	case Uint16:
		return values[uint16](b)
	case Int16:
		return values[int16](b)
	case Uint32:
		return values[uint32](b)
	case Int32:
		return values[int32](b)
	case Float32:
		return values[float32](b)
	}
	return values[float64](b)
}

// span is the pixels of a line that lie under one pixel of the line half as long, and how much of each.
type span struct {
	first, count int
	share        [3]float64
}

// spans divides a line of n pixels among ceil(n/2). A reader takes an overview to cover what its image covers, so the
// pixels of an odd line's overview are a little less than two pixels long: that a third one is touched keeps them in place.
func spans(n int) []span {
	m := ceilDiv(n, 2)
	all := make([]span, m)
	for i := range all { // in units of 1/m pixel, all numbers are whole
		from, to := i*n, (i+1)*n
		s := span{first: from / m}
		for p := s.first; p*m < to; p++ {
			s.share[s.count] = float64(min(to, (p+1)*m) - max(from, p*m))
			s.count++
		}
		all[i] = s
	}
	return all
}

// validity says how an image tells which pixels were measured, beside nodata.
type validity struct {
	mask  bool // by a mask
	alpha int  // by a band of opacity: its place among those that are kept, from 1; 0: there is none
}

// shrinker makes one line of an overview from the up to three lines below it.
type shrinker func(to []byte, from [][]byte, down span, across []span)

// newShrinker returns the shrinker of a type. Pixels of the nodata value and NaN do not count.
func newShrinker(d DataType, o Overviews, samples int, v validity, noData *float64) shrinker {
	switch d {
	case Uint8:
		return shrinkOf[uint8](o, samples, v, noData)
	case Uint16:
		return shrinkOf[uint16](o, samples, v, noData)
	case Int16:
		return shrinkOf[int16](o, samples, v, noData)
	case Uint32:
		return shrinkOf[uint32](o, samples, v, noData)
	case Int32:
		return shrinkOf[int32](o, samples, v, noData)
	case Float32:
		return shrinkOf[float32](o, samples, v, noData)
	}
	return shrinkOf[float64](o, samples, v, noData)
}

func shrinkOf[T stored](o Overviews, samples int, v validity, noData *float64) shrinker {
	var one, none T // none is what a pixel without any valid below becomes
	has := false
	one = 1
	whole := one/2 == 0
	if !whole {
		none = T(math.NaN())
	}
	if noData != nil {
		if v := T(*noData); float64(v) == *noData || !whole {
			none, has = v, v == v // nothing equals NaN, which never counts
		}
	}
	if v.mask || v.alpha > 0 {
		return shrinkValid(o, samples, v, none, has, whole)
	}
	var lines [3][]T
	halves := o == Average && whole && T(0)-1 > 0 && unsafe.Sizeof(one) <= 2 // unsigned, of one or two bytes
	floats := o == Average && !whole && !has && unsafe.Sizeof(one) == 4
	return func(to []byte, from [][]byte, down span, across []span) {
		twoByTwo := down.count == 2 && down.share[0] == down.share[1] && len(from[0]) == 2*len(to) // pixels, each whole
		if twoByTwo && floats {
			C.swath_halve_floats((*C.float)(unsafe.Pointer(&to[0])), (*C.float)(unsafe.Pointer(&from[0][0])), (*C.float)(unsafe.Pointer(&from[1][0])),
				C.int(len(across)), C.int(samples))
			return
		}
		if twoByTwo && halves {
			known := C.int(0)
			if has {
				known = 1
			}
			C.swath_halve(unsafe.Pointer(&to[0]), unsafe.Pointer(&from[0][0]), unsafe.Pointer(&from[1][0]),
				C.int(len(across)), C.int(samples), C.int(unsafe.Sizeof(one)), known, C.uint(none))
			return
		}
		for j := range down.count {
			lines[j] = values[T](from[j])
		}
		if o == Mode {
			shrinkMode(values[T](to), lines[:down.count], down, across, samples, none, has)
			return
		}
		shrinkAverage(values[T](to), lines[:down.count], down, across, samples, none, has, whole)
	}
}

func shrinkAverage[T stored](to []T, lines [][]T, down span, across []span, samples int, none T, has, whole bool) {
	for x := range across {
		a := &across[x]
		for s := range samples {
			var sum, weight float64
			for j, line := range lines {
				at := a.first*samples + s
				for i := range a.count {
					v := line[at]
					at += samples
					if v != v || has && v == none {
						continue
					}
					w := down.share[j] * a.share[i]
					sum += w * float64(v)
					weight += w
				}
			}
			v := none
			if weight > 0 {
				mean := sum / weight
				if whole {
					mean = math.Floor(mean + 0.5)
				}
				if v = T(mean); has && v == none { // a mean is a measure
					v++
				}
			}
			to[x*samples+s] = v
		}
	}
}

func shrinkMode[T stored](to []T, lines [][]T, down span, across []span, samples int, none T, has bool) {
	for x := range across {
		a := &across[x]
		for s := range samples {
			var seen [9]T
			var votes [9]float64
			n := 0
			for j, line := range lines {
				for i := range a.count {
					v := line[(a.first+i)*samples+s]
					if v != v || has && v == none {
						continue
					}
					k := 0
					for k < n && seen[k] != v {
						k++
					}
					if k == n {
						n++
					}
					seen[k] = v
					votes[k] += down.share[j] * a.share[i]
				}
			}
			v, most := none, 0.0
			for k := range n {
				if votes[k] > most { // of equals, the first
					v, most = seen[k], votes[k]
				}
			}
			to[x*samples+s] = v
		}
	}
}

// shrinkValid makes lines of pixels one of whose samples is 0 where nothing was measured: the last one, or the alpha band. Those pixels do
// not count for the others. A pixel is valid when any below it is; opacity is the mean of all, at least 1 there.
func shrinkValid[T stored](o Overviews, samples int, v validity, none T, has, whole bool) shrinker {
	decides := samples - 1
	if v.alpha > 0 {
		decides = v.alpha - 1
	}
	return func(to []byte, from [][]byte, down span, across []span) {
		out := values[T](to)
		hidden := make([]T, 0, 9*samples) // the valid pixels of one span, one after another
		for x := range across {
			a := &across[x]
			var shares []float64
			var opaque, all float64
			hidden = hidden[:0]
			for j := range down.count {
				line := values[T](from[j])
				for i := range a.count {
					pixel := line[(a.first+i)*samples:][:samples]
					w := down.share[j] * a.share[i]
					all += w
					if pixel[decides] != 0 {
						opaque += w * float64(pixel[decides])
						hidden, shares = append(hidden, pixel...), append(shares, w)
					}
				}
			}
			for s := range samples {
				at := &out[x*samples+s]
				switch {
				case s != decides:
					*at = ofValid(o, hidden, shares, samples, s, none, has, whole)
				case len(shares) == 0:
					*at = 0
				case v.alpha == 0:
					*at = 1
				default:
					if *at = T(opaque / all); whole {
						*at = max(T(math.Floor(opaque/all+0.5)), 1)
					}
				}
			}
		}
	}
}

// ofValid is the mean, or the first most frequent value, of one sample of pixels with their shares.
func ofValid[T stored](o Overviews, pixels []T, shares []float64, samples, s int, none T, has, whole bool) T {
	var sum, weight, most float64
	best := none
	for i, w := range shares {
		p := pixels[i*samples+s]
		if p != p || has && p == none {
			continue
		}
		sum, weight = sum+w*float64(p), weight+w
		votes := 0.0
		for k, u := range shares {
			if pixels[k*samples+s] == p {
				votes += u
			}
		}
		if votes > most {
			best, most = p, votes
		}
	}
	if o == Mode || weight == 0 {
		return best
	}
	mean := sum / weight
	if whole {
		mean = math.Floor(mean + 0.5)
	}
	v := T(mean)
	if has && v == none { // a mean is a measure
		v++
	}
	return v
}
