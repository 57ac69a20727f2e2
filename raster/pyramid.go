package raster

/*
#include "kernels.h"
*/
import "C"

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"github.com/klauspost/compress/zstd"

	"swath/deflate"
)

// pyramid packs an image whose lines come from the top down, and all its overviews, without ever holding more than a row
// of blocks of each. Lines of an image with a mask have one more sample, 0 where nothing was measured, which is packed apart.
type pyramid struct {
	format    DataType
	samples   int // in a pixel of the lines
	masked    bool
	wide      int // of a block, pixels
	high      int
	overviews Overviews
	zstd      bool
	shrink    shrinker
	levels    []*pyramidLevel // full resolution first

	block, scratch []byte
	deflater       deflate.Writer
	level          int // of the deflater
	packed         []byte
}

// pyramidLevel is one resolution while it is made.
type pyramidLevel struct {
	width, height int // pixels
	lines         int // come so far
	rows          []byte
	recent        [3][]byte // the last lines, each at its number modulo three
	across, down  []span    // to the next level
	line          []byte    // of the next level
	made          int       // lines of the next level
	image, mask   *spool    // of the packed blocks; without a mask nil
}

// spool keeps packed blocks until the file is put together.
type spool struct {
	file   *os.File
	to     *bufio.Writer
	counts []uint32 // bytes of each block
}

func newSpool(path string) (*spool, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &spool{file: f, to: bufio.NewWriterSize(f, 1<<18)}, nil
}

// add takes a block. The length before and the last four bytes after let a reader of GDAL's take it in one read.
func (s *spool) add(packed []byte) {
	var around [4]byte
	binary.LittleEndian.PutUint32(around[:], uint32(len(packed)))
	s.to.Write(around[:]) // the writer remembers its error for Flush
	s.to.Write(packed)
	s.to.Write(packed[len(packed)-4:])
	s.counts = append(s.counts, uint32(len(packed)))
}

// newPyramid lays out the levels down to one that is no larger than a block is high. Its spools lie in dir.
func newPyramid(dir string, d Description, v validity, wide, high int, o COGOptions) (*pyramid, error) {
	noData := d.NoData
	if o.NoData != nil {
		noData = o.NoData
	}
	samples := len(o.Bands)
	p := &pyramid{format: d.DataType, wide: wide, high: high, overviews: o.Overviews, zstd: o.Zstd, masked: v.mask, level: 3}
	if o.Fast {
		p.level = 1
	}
	p.block, p.scratch = make([]byte, wide*high*samples*d.DataType.Bytes()), make([]byte, wide*samples*d.DataType.Bytes())
	if v.mask {
		samples++
	}
	p.samples, p.shrink = samples, newShrinker(d.DataType, o.Overviews, samples, v, noData)
	pixel := samples * d.DataType.Bytes()
	for width, height := d.Width, d.Height; ; width, height = ceilDiv(width, 2), ceilDiv(height, 2) {
		l := &pyramidLevel{width: width, height: height, rows: make([]byte, min(high, height)*width*pixel)}
		p.levels = append(p.levels, l)
		name := filepath.Join(dir, fmt.Sprint("level", len(p.levels)))
		var err error
		if l.image, err = newSpool(name); err == nil && v.mask {
			l.mask, err = newSpool(name + "mask")
		}
		if err != nil {
			p.close()
			return nil, err
		}
		if max(width, height) <= high || o.Overviews == None {
			return p, nil
		}
		for i := range l.recent {
			l.recent[i] = make([]byte, width*pixel)
		}
		l.across, l.down, l.line = spans(width), spans(height), make([]byte, ceilDiv(width, 2)*pixel)
	}
}

func (p *pyramid) close() {
	for _, s := range p.spools() {
		s.file.Close()
	}
}

// spools lists those of all levels, full resolution first, images before their masks.
func (p *pyramid) spools() (all []*spool) {
	for _, l := range p.levels {
		for _, s := range []*spool{l.image, l.mask} {
			if s != nil {
				all = append(all, s)
			}
		}
	}
	return all
}

// push takes the next line of a level.
func (p *pyramid) push(level int, line []byte) error {
	l := p.levels[level]
	copy(l.rows[l.lines%p.high*len(line):], line)
	if level+1 < len(p.levels) {
		copy(l.recent[l.lines%3], line)
	}
	l.lines++
	if l.lines%p.high == 0 || l.lines == l.height {
		if err := p.pack(l); err != nil {
			return err
		}
	}
	for l.made < len(l.down) {
		s := l.down[l.made]
		if s.first+s.count > l.lines {
			break
		}
		var below [3][]byte
		for j := range s.count {
			below[j] = l.recent[(s.first+j)%3]
		}
		p.shrink(l.line, below[:s.count], s, l.across)
		l.made++
		if err := p.push(level+1, l.line); err != nil {
			return err
		}
	}
	return nil
}

// pack writes the row of blocks that the last lines fill. Beyond the image's edge its last pixel and line go on.
func (p *pyramid) pack(l *pyramidLevel) error {
	pixel := p.samples * p.format.Bytes()
	high := (l.lines-1)%p.high + 1
	for left := 0; left < l.width; left += p.wide {
		wide := min(p.wide, l.width-left)
		if p.masked {
			if err := p.packMask(l, left, wide, high); err != nil {
				return err
			}
		}
		kept := len(p.block) / p.wide / p.high // bytes of a pixel in the block
		for y := range p.high {
			to := p.block[y*p.wide*kept : (y+1)*p.wide*kept]
			if y >= high {
				copy(to, p.block[(y-1)*p.wide*kept:])
				continue
			}
			from := l.rows[(y*l.width+left)*pixel : (y*l.width+left+wide)*pixel]
			n := 0
			if kept == pixel {
				n = copy(to, from)
			} else {
				for ; len(from) > 0; from = from[pixel:] {
					n += copy(to[n:], from[:kept])
				}
			}
			for ; n < len(to); n += kept {
				copy(to[n:n+kept], to[n-kept:n])
			}
		}
		packed, err := p.compress()
		if err != nil {
			return err
		}
		l.image.add(packed)
	}
	if l.lines < l.height {
		return nil
	}
	if l.mask != nil {
		if err := l.mask.to.Flush(); err != nil {
			return err
		}
	}
	return l.image.to.Flush()
}

// packMask packs the last sample of a block's pixels as bits, those beyond the image's edge as 0.
func (p *pyramid) packMask(l *pyramidLevel, left, wide, high int) error {
	bytes := p.format.Bytes()
	pixel := p.samples * bytes
	bits := make([]byte, p.wide*p.high/8)
	for y := range high {
		for x := range wide {
			at := (y*l.width + left + x) * pixel
			for _, b := range l.rows[at+pixel-bytes : at+pixel] {
				if b != 0 {
					bits[(y*p.wide+x)/8] |= 0x80 >> (x % 8)
				}
			}
		}
	}
	packed, err := p.squeeze(bits)
	if err == nil {
		l.mask.add(packed)
	}
	return err
}

// zstdEncoder serves all blocks; it holds no state between them.
var zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderCRC(false))
})

// compress packs the block, whose pixels it overwrites.
func (p *pyramid) compress() ([]byte, error) {
	pixels := (*C.uint8_t)(unsafe.Pointer(&p.block[0]))
	bytes := C.int(p.format.Bytes())
	wide, high, samples := C.int(p.wide), C.int(p.high), C.int(len(p.block)/p.wide/p.high)/bytes
	if p.predictor() == 3 {
		C.swath_float_planes(pixels, wide, high, samples, bytes, (*C.uint8_t)(unsafe.Pointer(&p.scratch[0])))
	} else {
		C.swath_differences(unsafe.Pointer(pixels), wide, high, samples, bytes)
	}
	return p.squeeze(p.block)
}

// squeeze compresses bytes; what it returns is good until the next call.
func (p *pyramid) squeeze(b []byte) ([]byte, error) {
	if p.zstd {
		encoder, err := zstdEncoder()
		if err != nil {
			return nil, err
		}
		p.packed = encoder.EncodeAll(b, p.packed[:0])
		return p.packed, nil
	}
	var err error
	p.packed, err = p.deflater.Pack(p.packed, b, p.level)
	return p.packed, err
}

func (p *pyramid) predictor() uint16 { return predictorOf(p.format) }

// predictorOf is the TIFF's number of the predictor that suits a type.
func predictorOf(format DataType) uint16 {
	if format == Float32 || format == Float64 {
		return 3
	}
	return 2
}

// compression is the TIFF's number of it.
func (p *pyramid) compression() uint16 {
	if p.zstd {
		return 50000
	}
	return 8
}
