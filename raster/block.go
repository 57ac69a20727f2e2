package raster

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -lm
#include "kernels.h"
*/
import "C"

import (
	"bytes"
	"fmt"
	"io"
	"unsafe"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/image/tiff/lzw"
)

// cType is the number of each type in kernels.h.
var cType = map[DataType]C.int{
	Uint8: C.U8, Int8: C.I8, Uint16: C.U16, Int16: C.I16, Uint32: C.U32, Int32: C.I32, Float32: C.F32, Float64: C.F64,
}

// decoders unpack the bytes of a block, by the TIFF's number of their compression. They return how much of dst they filled.
var decoders = map[uint64]func(dst, src []byte) (int, error){
	1:     func(dst, src []byte) (int, error) { return copy(dst, src), nil },
	5:     unLZW,
	8:     inflate,
	32946: inflate,
	50000: unZstd,
}

func unLZW(dst, src []byte) (int, error) {
	n, err := io.ReadFull(lzw.NewReader(bytes.NewReader(src), lzw.MSB, 8), dst)
	if err == io.ErrUnexpectedEOF {
		err = nil // too little is the caller's to judge
	}
	return n, err
}

// zstdDecoder serves all blocks; it holds no state between them.
var zstdDecoder = newZstdDecoder()

func newZstdDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxBlockBytes), zstd.WithDecoderConcurrency(0))
	if err != nil {
		panic(err) // the options are constants
	}
	return d
}

func unZstd(dst, src []byte) (int, error) {
	out, err := zstdDecoder.DecodeAll(src, dst[:0:len(dst)])
	if err == nil && len(out) > len(dst) {
		err = fmt.Errorf("more than %d bytes in a zstd frame", len(dst))
	}
	if len(out) > 0 && len(out) <= len(dst) && &out[0] != &dst[0] {
		copy(dst, out)
	}
	return len(out), err
}

// blockBytes is the size of a decoded block: whole, as tiles are; the last strip is shorter.
func (p *plane) blockBytes(block int) int {
	rows := p.blockHeight
	if p.strips {
		rows = min(rows, p.height-p.rowOf(block)*p.blockHeight)
	}
	return rows * p.blockWidth * p.samples * p.format.Bytes()
}

// rowOf returns the row of blocks that a block lies in.
func (p *plane) rowOf(block int) int { return block / p.across % p.down }

// decode unpacks a block into values of the machine's byte order.
func (p *plane) decode(block int, packed []byte, bigEndian bool) ([]byte, error) {
	out := make([]byte, p.blockBytes(block))
	rows := len(out) / (p.blockWidth * p.samples * p.format.Bytes())
	raw := out
	if p.bits == 1 {
		raw = make([]byte, rows*ceilDiv(p.blockWidth*p.samples, 8))
	}
	n, err := decoders[p.compression](raw, packed)
	if err != nil {
		return nil, err
	}
	if n < len(raw) {
		return nil, fmt.Errorf("%d of %d bytes", n, len(raw))
	}
	if p.bits == 1 {
		unpackBits(out, raw, p.blockWidth*p.samples)
		return out, nil
	}
	bytes := p.format.Bytes()
	width, height, samples := C.int(p.blockWidth), C.int(rows), C.int(p.samples)
	if p.predictor == 3 { // always stored most significant byte first
		scratch := make([]byte, p.blockWidth*p.samples*bytes)
		C.swath_undo_float_planes((*C.uint8_t)(&out[0]), width, height, samples, C.int(bytes), (*C.uint8_t)(&scratch[0]))
		return out, nil
	}
	if bigEndian && bytes > 1 {
		C.swath_swap(unsafe.Pointer(&out[0]), C.size_t(len(out)/bytes), C.int(bytes))
	}
	if p.predictor == 2 {
		C.swath_undo_differences(unsafe.Pointer(&out[0]), width, height, samples, C.int(bytes))
	}
	return out, nil
}

// unpackBits spreads rows of width bits into bytes of 0 and 255.
func unpackBits(to, from []byte, width int) {
	stride := ceilDiv(width, 8)
	for i := range to {
		x, y := i%width, i/width
		if from[y*stride+x/8]&(0x80>>(x%8)) != 0 {
			to[i] = 255
		}
	}
}
