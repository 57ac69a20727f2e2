package raster

/*
#include "smallblocks.h"
*/
import "C"

import (
	"encoding/binary"
	"errors"
)

// smallBlocks is the layout of tiles that our own decoder knows: those of Sentinel-2's files, whose code blocks of 4 x 4 samples
// cost OpenJPEG more to lay out than to decode.
type smallBlocks struct {
	wide, high []byte // of the precincts of each resolution, the lowest first: powers of two
	planes     []byte // of bits: for each component, of LL, then of HL, LH, HH of each resolution upwards
	colour     bool   // the first three components are a reversible transform of red, green and blue
}

// smallBlocks returns the layout when the decoder knows all of it, else nil.
func (s *codestream) smallBlocks() *smallBlocks {
	var b smallBlocks
	var steps []byte // of QCD
	own := map[int][]byte{}
	for _, g := range s.header {
		switch d := g.data; g.marker {
		case markerSIZ:
		case markerCOD:
			layers, order := binary.BigEndian.Uint16(d[2:]), d[1]
			// No markers between packets, one layer by resolution, blocks of 4 x 4 in the plain style, wavelet 5-3.
			if d[0]&^1 != 0 || order > 1 || layers != 1 || d[4] > 1 || d[6] != 0 || d[7] != 0 || d[8] != 0 || d[9] != 1 {
				return nil
			}
			b.colour = d[4] == 1
			for r := range s.resolutions + 1 {
				wide, high := byte(15), byte(15)
				if d[0]&1 != 0 {
					wide, high = d[10+r]&15, d[10+r]>>4
				}
				if min(wide, high) < 3 { // smaller than a block
					return nil
				}
				b.wide, b.high = append(b.wide, wide), append(b.high, high)
			}
		case markerQCD:
			steps = d
		case markerQCC:
			if len(d) <= s.nameBytes() {
				return nil
			}
			component := int(d[0])
			if s.nameBytes() == 2 {
				component = int(binary.BigEndian.Uint16(d))
			}
			own[component] = d[s.nameBytes():]
		default:
			return nil
		}
	}
	const most = 1 << 27 // samples of a tile: its blocks are laid out whole, at 12 bytes for 16 samples
	if b.wide == nil || s.bits > 16 || b.colour && s.components < 3 || s.tileWidth*s.tileHeight*s.components > most {
		return nil
	}
	for c := range s.components {
		d, ok := own[c]
		if !ok {
			d = steps
		}
		bands := 3*s.resolutions + 1
		if len(d) < 1+bands || d[0]&0x1F != 0 {
			return nil
		}
		guard := d[0] >> 5
		for _, exponent := range d[1 : 1+bands] {
			b.planes = append(b.planes, max(guard+exponent>>3, 1)-1) // equation E-2
		}
	}
	return &b
}

// decode decodes a window of a tile at a level from its packets into planes.
func (b *smallBlocks) decode(s *codestream, packets []byte, tile, level int, w Window, to []int32) error {
	if len(packets) == 0 {
		return errors.New("no packets")
	}
	x0, y0, x1, y1 := s.extent(tile, level)
	t := C.swath_tile{x0: C.int(x0), y0: C.int(y0), x1: C.int(x1), y1: C.int(y1), components: C.int(s.components),
		levels: C.int(s.resolutions - level), bits: C.int(s.bits)}
	if s.signed {
		t.is_signed = 1
	}
	if b.colour {
		t.colour = 1
	}
	planes := make([]C.uint8_t, 0, len(b.planes))
	bands := 3*(s.resolutions-level) + 1
	for c := range s.components {
		for i := range bands {
			planes = append(planes, C.uint8_t(b.planes[c*(3*s.resolutions+1)+i]))
		}
	}
	for r := range s.resolutions - level + 1 {
		t.wide[r], t.high[r] = C.uint8_t(b.wide[r]), C.uint8_t(b.high[r])
	}
	wrong := C.swath_small_decode(&t, &planes[0], (*C.uint8_t)(&packets[0]), C.size_t(len(packets)),
		C.int(w.Col), C.int(w.Row), C.int(w.Col+w.Width), C.int(w.Row+w.Height), (*C.int32_t)(&to[0]))
	if wrong != nil {
		return errors.New(C.GoString(wrong))
	}
	return nil
}
