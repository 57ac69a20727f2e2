package raster

import (
	"context"
	"encoding/binary"
	"os"
	"slices"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/geo"
)

// FuzzTIFFEntry changes one field of one entry of a directory of a good COG, as damage and malice do: a tag, a type, a count, a value.
// Whatever is claimed, opening, reading, warping and locating end in an answer.
func FuzzTIFFEntry(f *testing.F) {
	var files [][]byte
	for _, creation := range [][]string{
		cog("COMPRESS=DEFLATE", "PREDICTOR=YES"), options("COMPRESS=LZW", "BIGTIFF=YES", "INTERLEAVE=BAND"), append(cog("COMPRESS=ZSTD"), "-mask", "1", "-a_nodata", "none"),
	} {
		s := small(2, godal.UInt16, creation...)
		s.width, s.height = 600, 40
		data, err := os.ReadFile(s.write(f, f.TempDir()))
		if err != nil {
			f.Fatal(err)
		}
		files = append(files, data)
	}
	for file := range files {
		for n := range 40 {
			f.Add(uint8(file), uint8(n), uint8(n%4), uint64(n)*0x0101_0101_0101_0101)
			f.Add(uint8(file), uint8(n), uint8(3), uint64(1)<<uint(n))
		}
	}
	f.Fuzz(func(t *testing.T, file, entry, field uint8, value uint64) {
		data := slices.Clone(files[int(file)%len(files)])
		entries := entriesOf(data)
		at := entries[int(entry)%len(entries)]
		order := binary.LittleEndian
		big := data[2] == 43
		switch field % 4 {
		case 0:
			order.PutUint16(data[at:], uint16(value))
		case 1:
			order.PutUint16(data[at+2:], uint16(value))
		case 2:
			if big {
				order.PutUint64(data[at+4:], value)
			} else {
				order.PutUint32(data[at+4:], uint32(value))
			}
		case 3:
			if big {
				order.PutUint64(data[at+12:], value)
			} else {
				order.PutUint32(data[at+8:], uint32(value))
			}
		}
		c, err := OpenCOG(context.Background(), bytesSource(data))
		if err != nil {
			return
		}
		r := NewReader(1 << 20)
		r.LimitBytes = 1 << 24
		for level, l := range c.Levels {
			_, _ = r.Read(context.Background(), c, level, Window{l.Width / 2, l.Height / 2, min(l.Width, 64), min(l.Height, 64)}, seqBands(min(c.Bands, 3)))
		}
		g := Grid{CRS: geo.WebMercator, Transform: geo.Affine{-2e7, 1e5, 0, 2e7, 0, -1e5}, Width: 400, Height: 400}
		_, _ = r.Warp(context.Background(), c, g, []int{1}, Nearest)
		_, _ = r.Point(context.Background(), c, 3, 45, []int{1})
	})
}

// entriesOf returns where the entries of all directories of a little-endian TIFF are.
func entriesOf(data []byte) (all []int) {
	order := binary.LittleEndian
	big := data[2] == 43
	next := int(order.Uint32(data[4:]))
	if big {
		next = int(order.Uint64(data[8:]))
	}
	for next != 0 {
		first, size, n := next+2, 12, int(order.Uint16(data[next:]))
		if big {
			first, size, n = next+8, 20, int(order.Uint64(data[next:]))
		}
		for i := range n {
			all = append(all, first+i*size)
		}
		if next = int(order.Uint32(data[first+n*size:])); big {
			next = int(order.Uint64(data[first+n*size:]))
		}
	}
	return all
}
