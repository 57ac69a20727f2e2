package main

import (
	"encoding/binary"
	"fmt"
	"os"
)

// image is one directory of a TIFF that Swath wrote: classic or big, square tiles, deflate, predictor 2.
type image struct {
	width, height, wide, high, samples, bytes int // wide and high are a block
	offsets, counts                           []uint64
}

func (m image) across() int { return (m.width + m.wide - 1) / m.wide }

// raster is an opened file: its levels from fine to coarse, and where it lies on the map.
type raster struct {
	*os.File
	levels                      []image
	west, north, pixelX, pixelY float64
}

// open reads the directories of a COG in a projected system, north up.
func open(path string) (*raster, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &raster{File: f}
	head := make([]byte, 16)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, err
	}
	big := head[2] == 43
	next := uint64(binary.LittleEndian.Uint32(head[4:]))
	if big {
		next = binary.LittleEndian.Uint64(head[8:])
	}
	for next != 0 {
		tags, after, err := r.directory(next, big)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(r.levels) == 0 {
			scale, tie := tags[33550].floats, tags[33922].floats
			if len(scale) < 2 || len(tie) < 6 {
				return nil, fmt.Errorf("%s: has no place on the map", path)
			}
			r.west, r.north, r.pixelX, r.pixelY = tie[3], tie[4], scale[0], scale[1]
		}
		for _, number := range []uint16{256, 257, 322, 323, 277, 258, 324, 325} {
			if len(tags[number].whole) == 0 {
				return nil, fmt.Errorf("%s: lacks the tag %d", path, number)
			}
		}
		r.levels = append(r.levels, image{
			int(tags[256].whole[0]), int(tags[257].whole[0]), int(tags[322].whole[0]), int(tags[323].whole[0]), int(tags[277].whole[0]), int(tags[258].whole[0]) / 8,
			tags[324].whole, tags[325].whole,
		})
		next = after
	}
	return r, nil
}

type tag struct {
	whole  []uint64
	floats []float64
}

func (r *raster) directory(at uint64, big bool) (map[uint16]tag, uint64, error) {
	countBytes, entryBytes, word := 2, 12, 4
	if big {
		countBytes, entryBytes, word = 8, 20, 8
	}
	number := func(b []byte) uint64 {
		var full [8]byte
		copy(full[:], b)
		return binary.LittleEndian.Uint64(full[:])
	}
	read := func(at uint64, n int) ([]byte, error) {
		b := make([]byte, n)
		_, err := r.ReadAt(b, int64(at))
		return b, err
	}
	b, err := read(at, countBytes)
	if err != nil {
		return nil, 0, err
	}
	n := int(number(b))
	if b, err = read(at+uint64(countBytes), n*entryBytes+word); err != nil {
		return nil, 0, err
	}
	tags := map[uint16]tag{}
	for i := range n {
		e := b[i*entryBytes:]
		size := map[uint16]int{1: 1, 2: 1, 3: 2, 4: 4, 12: 8, 16: 8}[binary.LittleEndian.Uint16(e[2:])]
		count := int(number(e[4 : 4+word]))
		data := e[4+word : 4+2*word]
		if size*count > word {
			if data, err = read(number(data), size*count); err != nil {
				return nil, 0, err
			}
		}
		var t tag
		for j := range count {
			if size == 8 {
				var v float64
				binary.Decode(data[8*j:], binary.LittleEndian, &v) //nolint:errcheck // eight bytes are a number
				t.floats = append(t.floats, v)
			}
			if size > 0 {
				t.whole = append(t.whole, number(data[size*j:size*j+size]))
			}
		}
		tags[binary.LittleEndian.Uint16(e)] = t
	}
	return tags, number(b[n*entryBytes:]), nil
}
