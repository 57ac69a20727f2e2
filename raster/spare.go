package raster

import (
	"sync"
	"unsafe"
)

// spare keeps the memory of planes that were drawn and are needed no more: to make such memory anew for each tile, zeroed and
// collected, takes as long as to sample it.
var spare sync.Pool // of *[]float32

const mostSpare = 1 << 20 // values of a plane that is kept

// NewPlane returns n values that are not set yet.
func NewPlane(n int) []float32 {
	if p, ok := spare.Get().(*[]float32); ok && cap(*p) >= n {
		return (*p)[:n]
	}
	return make([]float32, n)
}

// FreePlanes takes planes of which nobody will use a value any more. Not to call it costs only time.
func FreePlanes(planes [][]float32) {
	for i, p := range planes {
		if cap(p) == 0 || cap(p) > mostSpare || sameMemory(planes[:i], p) {
			continue
		}
		spare.Put(&p)
	}
}

func sameMemory(planes [][]float32, p []float32) bool {
	for _, q := range planes {
		if unsafe.SliceData(q) == unsafe.SliceData(p) {
			return true
		}
	}
	return false
}
