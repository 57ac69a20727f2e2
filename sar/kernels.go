package sar

/*
#cgo LDFLAGS: -lm
#include "kernels.h"
*/
import "C"

import "unsafe"

// Cell says where the places along a row are seen: line and pixel are quadratic in the height, with coefficients that go linearly along
// the row. It goes to C as it is.
type Cell struct {
	Line, Pixel         [3]float32 // at the first place: the value at the middle height, and by (h−middle)·scale and its square
	LineStep, PixelStep [3]float32 // from one place to the next
}

var _ [unsafe.Sizeof(Cell{})]byte = [C.sizeof_swath_sar_cell]byte{}

func ptr(v []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(v))) }

// Places fills line and pixel of places of the given heights.
func (c *Cell) Places(line, pixel, heights []float32, middle, scale float32) {
	if len(heights) == 0 {
		return
	}
	C.swath_sar_places(ptr(line[:len(heights)]), ptr(pixel[:len(heights)]), ptr(heights), C.int(len(heights)), C.float(middle), C.float(scale),
		(*C.swath_sar_cell)(unsafe.Pointer(c)))
}

// Calibrate turns digital numbers of a line, from a sample on, into backscatter: (DN² − noise)/A², NaN where DN is 0.
func (t *Table) Calibrate(to []float32, digital []uint16, noise []float32, line, first int) {
	if len(digital) == 0 {
		return
	}
	a, b, w := t.between(line)
	n := len(digital)
	C.swath_sar_calibrate(ptr(to[:n]), (*C.uint16_t)(unsafe.Pointer(&digital[0])), C.int(n), ptr(noise[:n]), ptr(a[first:first+n]), ptr(b[first:first+n]), C.float(w))
}

// Interpolation says how a value is made from the samples around a place.
type Interpolation int

// The interpolations.
const (
	NearestSample Interpolation = iota
	Bilinear
	Cubic // Keys' kernel, a = −1/2
)

// Sample takes values of an image of width x height samples at places, the first sample's centre being (0, 0). Samples that are NaN count
// for nothing; where less than a quarter of the weight is left, and half a sample beyond the image, the value is NaN.
func (k Interpolation) Sample(to, line, pixel, image []float32, width, height int) {
	n := len(to)
	if n == 0 {
		return
	}
	image, line, pixel = image[:width*height], line[:n], pixel[:n]
	f := [...]func(){
		NearestSample: func() {
			C.swath_sar_nearest(ptr(to), ptr(line), ptr(pixel), C.int(n), ptr(image), C.int(width), C.int(height))
		},
		Bilinear: func() {
			C.swath_sar_bilinear(ptr(to), ptr(line), ptr(pixel), C.int(n), ptr(image), C.int(width), C.int(height))
		},
		Cubic: func() {
			C.swath_sar_cubic(ptr(to), ptr(line), ptr(pixel), C.int(n), ptr(image), C.int(width), C.int(height))
		},
	}
	f[k]()
}

// Scatter adds amounts to the four samples around each place.
func Scatter(image []float32, width, height int, line, pixel, amount []float32) {
	if n := len(amount); n > 0 {
		C.swath_sar_scatter(ptr(image[:width*height]), C.int(width), C.int(height), ptr(line[:n]), ptr(pixel[:n]), ptr(amount), C.int(n))
	}
}

// Look is the direction from the ground to the satellite, in map axes (east, north, up), along a row.
type Look struct{ First, Step [3]float32 }

// Facets fills the areas of square pieces of ground of sideM, as the radar sees them: across the line of sight, 0 when they face away. The
// row here, and those to its north and south, have one more height on either side.
func (l *Look) Facets(area, north, here, south []float32, sideM float32) {
	n := len(area)
	if n == 0 {
		return
	}
	half := 1 / (2 * sideM)
	C.swath_sar_facets(ptr(area), ptr(north[:n+2]), ptr(here[:n+2]), ptr(south[:n+2]), C.int(n), C.float(half), C.float(half),
		(*C.float)(unsafe.Pointer(&l.First[0])), (*C.float)(unsafe.Pointer(&l.Step[0])), C.float(sideM*sideM))
}
