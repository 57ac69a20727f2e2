// Package deflate packs pixels as zlib streams.
//
//	bytes ──▶ does much of them repeat? ──no──▶ Huffman codes alone
//	                                    └─yes─▶ Huffman codes and repetitions (ISA-L; with the tag "noisal" pure Go)
//
// The differences between neighbouring pixels of a camera are noise. What repeats among them does so by chance, and to say it costs
// more than the bytes themselves: a true colour picture is 7 to 11 % smaller without, a band of 16 bits 2 % larger, and both are made in a
// third of the time and inflated in four fifths. The same bytes always make the same stream.
package deflate

// #cgo CFLAGS: -O3 -Wall
// #include "codes.h"
import "C"

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unsafe"
)

// Writer makes zlib streams, one after another. The zero value is ready; it is not safe for concurrent use.
type Writer struct {
	matcher matcher
}

// Pack returns src as a zlib stream, in the memory of out if it suffices. Level, from 1 (quick) to 3 (small), says how
// hard repetitions are looked for where there are some.
func (w *Writer) Pack(out, src []byte, level int) ([]byte, error) {
	if level < 1 || level > 3 {
		return out, fmt.Errorf("deflate: level %d", level)
	}
	if repeats(src) {
		return w.matcher.pack(out, src, level)
	}
	return codes(out, src), nil
}

// codes returns src as a zlib stream of Huffman codes alone, in the memory of out if it suffices.
func codes(out, src []byte) []byte {
	if need := len(src) + len(src)/8 + 1024 + 6; cap(out) < need { // as deflate_codes wants it, and what stands around
		out = make([]byte, need)
	}
	out = append(out[:0], 0x78, 1) // RFC 1950: a window of 32 kB, quickly packed
	n := C.deflate_codes((*C.uint8_t)(unsafe.SliceData(src)), C.size_t(len(src)), (*C.uint8_t)(unsafe.Pointer(&out[:3][2])))
	return binary.BigEndian.AppendUint32(out[:2+n], checksum(src))
}

const (
	probes     = 4       // stretches of the bytes that are looked at, from the first to the last
	probeBytes = 1024    // of each
	sequence   = 32      // bytes that have to come back together: a few zeros do among small numbers
	least      = 3.0 / 8 // of what is looked at: below it, as where each third row is that above it once more, codes alone are as short
)

// repeats reports whether a good part of the bytes was there before, by some stretches of them. Short data counts as if it was.
func repeats(b []byte) bool {
	if len(b) < 2*probes*probeBytes {
		return true
	}
	var last [1 << 11]int32 // where a sequence, by its hash, was seen last; 0 is nowhere
	found := 0
	for p := range probes {
		at := p * (len(b) - probeBytes - sequence) / (probes - 1)
		for end := at + probeBytes; at < end; at++ {
			v := binary.LittleEndian.Uint64(b[at:])
			place := &last[v*0x9E3779B97F4A7C15>>53]
			if before := int(*place); before > 0 && binary.LittleEndian.Uint64(b[before-1:]) == v && bytes.Equal(b[before-1:][:sequence], b[at:at+sequence]) {
				found += sequence
				at += sequence - 1
			}
			*place = int32(at + 1)
		}
	}
	return float64(found) > least*probes*probeBytes
}
