package render

// #cgo CFLAGS: -O3 -Wall -Wno-unknown-pragmas
// #cgo LDFLAGS: -lm
// #include "kernels.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// op is an operation of an expression; instr one step of its program.
type (
	op    = C.uint16_t
	instr = C.render_instr
)

const (
	opBand, opNumber                        = op(C.OP_BAND), op(C.OP_NUMBER)
	opNeg, opNot, opInvert                  = op(C.OP_NEG), op(C.OP_NOT), op(C.OP_INVERT)
	opAdd, opSub, opMul, opDiv              = op(C.OP_ADD), op(C.OP_SUB), op(C.OP_MUL), op(C.OP_DIV)
	opMod, opFmod, opPow                    = op(C.OP_MOD), op(C.OP_FMOD), op(C.OP_POW)
	opLT, opLE, opGT, opGE, opEQ, opNE      = op(C.OP_LT), op(C.OP_LE), op(C.OP_GT), op(C.OP_GE), op(C.OP_EQ), op(C.OP_NE)
	opAnd, opOr, opXor                      = op(C.OP_AND), op(C.OP_OR), op(C.OP_XOR)
	opWhere, opMin, opMax, opClip           = op(C.OP_WHERE), op(C.OP_MIN), op(C.OP_MAX), op(C.OP_CLIP)
	opAbs, opSqrt, opFloor, opCeil          = op(C.OP_ABS), op(C.OP_SQRT), op(C.OP_FLOOR), op(C.OP_CEIL)
	opLog, opLog10, opLog1p, opExp, opExpm1 = op(C.OP_LOG), op(C.OP_LOG10), op(C.OP_LOG1P), op(C.OP_EXP), op(C.OP_EXPM1)
	opSin, opCos, opTan                     = op(C.OP_SIN), op(C.OP_COS), op(C.OP_TAN)
	opArcsin, opArccos, opArctan, opArctan2 = op(C.OP_ARCSIN), op(C.OP_ARCCOS), op(C.OP_ARCTAN), op(C.OP_ARCTAN2)
	opSinh, opCosh, opTanh                  = op(C.OP_SINH), op(C.OP_COSH), op(C.OP_TANH)
	opArcsinh, opArccosh, opArctanh         = op(C.OP_ARCSINH), op(C.OP_ARCCOSH), op(C.OP_ARCTANH)
	opLog2, opRound, opTrunc, opSign        = op(C.OP_LOG2), op(C.OP_ROUND), op(C.OP_TRUNC), op(C.OP_SIGN)
	opHypot, opCopysign                     = op(C.OP_HYPOT), op(C.OP_COPYSIGN)
	opStore, opMask                         = op(C.OP_STORE), op(C.OP_MASK)
	chunkPixels                             = C.RENDER_CHUNK
)

// pointers returns the addresses of the planes, pinned until the pinner lets go, as C wants them.
func pointers(pin *runtime.Pinner, planes [][]float32) **C.float {
	list := make([]*C.float, len(planes))
	for i, plane := range planes {
		list[i] = (*C.float)(unsafe.SliceData(plane))
		pin.Pin(list[i])
	}
	return unsafe.SliceData(list)
}

// evaluate runs a program over pixels. The first work registers hold constants.
func evaluate(code []instr, bands [][]float32, work []float32, outputs [][]float32, pixels int) {
	var pin runtime.Pinner
	defer pin.Unpin()
	C.render_eval(unsafe.SliceData(code), C.int(len(code)), pointers(&pin, bands), C.int(len(bands)),
		(*C.float)(unsafe.SliceData(work)), C.int(len(work)/chunkPixels), pointers(&pin, outputs), C.size_t(pixels))
}

// countNaN returns in how many pixels a plane (of one or three) has no value.
func countNaN(planes [][]float32) int {
	var pin runtime.Pinner
	defer pin.Unpin()
	return int(C.render_count_nan(pointers(&pin, planes), C.int(len(planes)), C.size_t(len(planes[0]))))
}

// Scale makes each value value·scale + offset, computed in float64, in place; NaN stays.
func Scale(values []float32, scale, offset float64) {
	C.render_scale((*C.float)(unsafe.SliceData(values)), C.size_t(len(values)), C.double(scale), C.double(offset))
}

// fillFirst gives the pixels that are from no image yet the values of this one, and returns to how many.
func fillFirst(planes [][]float32, image int32, out [][]float32, from []int32) int {
	var pin runtime.Pinner
	defer pin.Unpin()
	return int(C.render_first(pointers(&pin, planes), C.int(len(planes)), C.size_t(len(from)), C.int32_t(image), pointers(&pin, out),
		(*C.int32_t)(unsafe.SliceData(from))))
}

// histogram counts the bytes of each value.
func histogram(bytes []byte) (counts [256]uint32) {
	C.render_histogram(bytesOf(bytes), C.size_t(len(bytes)), (*C.uint32_t)(&counts[0]))
	return counts
}

// levels writes the plane stretched from limits to 0..255, NaN as 0.
func levels(pixels []byte, plane []float32, limits [2]float64) {
	C.render_levels((*C.float)(unsafe.SliceData(plane)), C.size_t(len(plane)), C.double(limits[0]), C.double(limits[1]), bytesOf(pixels))
}

// mark sets the pixels that have no value in the plane.
func mark(pixels []byte, plane []float32, index byte) {
	C.render_mark((*C.float)(unsafe.SliceData(plane)), C.size_t(len(plane)), C.uint8_t(index), bytesOf(pixels))
}

// lookup writes the colours of indexed pixels, 3 or 4 bytes each.
func lookup(pixels, indices []byte, palette *[1024]byte, channels int) {
	C.render_lookup(bytesOf(indices), C.size_t(len(indices)), bytesOf(palette[:]), C.int(channels), bytesOf(pixels))
}

// interleave writes three planes as stretched pixels of 3 or 4 bytes, zeros where a plane has no value. It returns how many pixels
// are black, those among them.
func interleave(pixels []byte, planes [][]float32, limits [3][2]float64, channels int) int {
	var pin runtime.Pinner
	defer pin.Unpin()
	low := [3]C.double{C.double(limits[0][0]), C.double(limits[1][0]), C.double(limits[2][0])}
	high := [3]C.double{C.double(limits[0][1]), C.double(limits[1][1]), C.double(limits[2][1])}
	return int(C.render_interleave(pointers(&pin, planes), &low[0], &high[0], C.size_t(len(planes[0])), C.int(channels), bytesOf(pixels)))
}

// foretell writes pixels as PNG rows, each by the filter that suits it. The memory line holds a row of pixels.
func foretell(rows, line, pixels []byte, width, height, channels int) {
	C.render_filter(bytesOf(pixels), C.size_t(width), C.size_t(height), C.size_t(channels), bytesOf(rows), bytesOf(line))
}

func bytesOf(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(b)) }

// exchange replaces levels of pixels of 3 or 4 bytes by those of each channel's table.
func exchange(pixels []byte, tables *[3][256]byte, channels int) {
	C.render_exchange(bytesOf(pixels), C.size_t(len(pixels)/channels), bytesOf(tables[0][:]), C.int(channels))
}

// saturate multiplies the chroma of pixels of 3 or 4 bytes.
func saturate(pixels []byte, factor float64, channels int) {
	C.render_saturate(bytesOf(pixels), C.size_t(len(pixels)/channels), C.double(factor), C.int(channels))
}
