package s1tiling

/*
#cgo LDFLAGS: -lm
#include "kernels.h"
*/
import "C"

import (
	"math"
	"unsafe"
)

func ptr(v []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(v))) }

// columns of sums and counts, with room for the window on either side, where nothing was measured.
type columns struct{ sum, count []float32 }

// means fills the mean of each pixel's window, over what was measured; NaN where the pixel itself was not.
func (f Filter) means(to []float32, r rows, c *columns) {
	reach, w := f.Reach(), r.width
	if len(c.sum) != w+2*reach {
		c.sum, c.count = make([]float32, w+2*reach), make([]float32, w+2*reach)
	}
	for y := range r.count {
		at := r.before + y
		first, last := max(0, at-reach), min(r.total(), at+reach+1)
		C.swath_tiling_columns(ptr(c.sum[reach:]), ptr(c.count[reach:]), ptr(r.values[first*w:last*w]), C.int(w), C.int(last-first))
		C.swath_tiling_across(ptr(to[y*w:(y+1)*w]), ptr(c.sum), ptr(c.count), ptr(r.values[at*w:(at+1)*w]), C.int(w), C.int(reach))
	}
}

// guardLimit is the ratio to the mean ratio beyond which a value is a point; without the guard there is none.
func (f Filter) guardLimit() C.float {
	if !f.Guard {
		return C.float(math.Inf(1))
	}
	return C.float(f.limit())
}

// accumulate adds the ratios of a date to their surroundings. What is no positive number does not count. With the guard a ratio far beyond the
// mean of those before it counts as that mean. Sums keep twelve bits, so that a date costs the same whether it comes alone or with others.
func (f Filter) accumulate(sum, count, values, means []float32) {
	if n := len(values); n > 0 {
		C.swath_tiling_accumulate(ptr(sum[:n]), ptr(count[:n]), ptr(values), ptr(means[:n]), C.int(n), f.guardLimit(), guardAfter)
	}
}

// apply filters a date: its surroundings times the mean ratio. With the guard a value far beyond that stays as it is. Results keep twelve bits.
func (f Filter) apply(to, values, means, sum, count []float32) {
	if n := len(values); n > 0 {
		C.swath_tiling_apply(ptr(to[:n]), ptr(values), ptr(means[:n]), ptr(sum[:n]), ptr(count[:n]), C.int(n), f.guardLimit())
	}
}
