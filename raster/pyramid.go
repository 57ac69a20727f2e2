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
)

// pyramid packs an image whose lines come from the top down, and all its overviews, without ever holding more than a row
// of blocks of each.
type pyramid struct {
	format    DataType
	samples   int // in a pixel
	side      int // of a block
	overviews Overviews
	zstd      bool
	shrink    shrinker
	levels    []*pyramidLevel // full resolution first

	block, scratch []byte
	deflater       deflater
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
	spool         *os.File
	to            *bufio.Writer
	counts        []uint32 // bytes of each block
}

// newPyramid lays out the levels down to one that is a single block. Its spools lie in dir.
func newPyramid(dir string, d Description, samples, side int, o COGOptions) (*pyramid, error) {
	noData := d.NoData
	if o.NoData != nil {
		noData = o.NoData
	}
	p := &pyramid{format: d.DataType, samples: samples, side: side, overviews: o.Overviews, zstd: o.Zstd,
		shrink: newShrinker(d.DataType, o.Overviews, samples, noData)}
	pixel := samples * d.DataType.Bytes()
	p.block, p.scratch = make([]byte, side*side*pixel), make([]byte, side*pixel)
	for width, height := d.Width, d.Height; ; width, height = ceilDiv(width, 2), ceilDiv(height, 2) {
		l := &pyramidLevel{width: width, height: height, rows: make([]byte, min(side, height)*width*pixel)}
		p.levels = append(p.levels, l)
		spool, err := os.Create(filepath.Join(dir, fmt.Sprint("level", len(p.levels))))
		if err != nil {
			p.close()
			return nil, err
		}
		l.spool, l.to = spool, bufio.NewWriterSize(spool, 1<<18)
		if max(width, height) <= side {
			return p, nil
		}
		for i := range l.recent {
			l.recent[i] = make([]byte, width*pixel)
		}
		l.across, l.down, l.line = spans(width), spans(height), make([]byte, ceilDiv(width, 2)*pixel)
	}
}

func (p *pyramid) close() {
	for _, l := range p.levels {
		if l.spool != nil {
			l.spool.Close()
		}
	}
}

// push takes the next line of a level.
func (p *pyramid) push(level int, line []byte) error {
	l := p.levels[level]
	copy(l.rows[l.lines%p.side*len(line):], line)
	if level+1 < len(p.levels) {
		copy(l.recent[l.lines%3], line)
	}
	l.lines++
	if l.lines%p.side == 0 || l.lines == l.height {
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
	high := (l.lines-1)%p.side + 1
	for left := 0; left < l.width; left += p.side {
		wide := min(p.side, l.width-left)
		for y := range p.side {
			to := p.block[y*p.side*pixel : (y+1)*p.side*pixel]
			if y >= high {
				copy(to, p.block[(y-1)*p.side*pixel:])
				continue
			}
			n := copy(to, l.rows[(y*l.width+left)*pixel:(y*l.width+left+wide)*pixel])
			for ; n < len(to); n += pixel {
				copy(to[n:n+pixel], to[n-pixel:n])
			}
		}
		packed, err := p.compress()
		if err != nil {
			return err
		}
		// The length before and the last four bytes after let a reader of GDAL's take a block in one read.
		var around [4]byte
		binary.LittleEndian.PutUint32(around[:], uint32(len(packed)))
		l.to.Write(around[:]) // the writer remembers its error for Flush
		l.to.Write(packed)
		l.to.Write(packed[len(packed)-4:])
		l.counts = append(l.counts, uint32(len(packed)))
	}
	if l.lines == l.height {
		return l.to.Flush()
	}
	return nil
}

// zstdEncoder serves all blocks; it holds no state between them.
var zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderCRC(false))
})

// compress packs the block, whose pixels it overwrites.
func (p *pyramid) compress() ([]byte, error) {
	pixels := (*C.uint8_t)(unsafe.Pointer(&p.block[0]))
	side, samples, bytes := C.int(p.side), C.int(p.samples), C.int(p.format.Bytes())
	if p.predictor() == 3 {
		C.swath_float_planes(pixels, side, side, samples, bytes, (*C.uint8_t)(unsafe.Pointer(&p.scratch[0])))
	} else {
		C.swath_differences(unsafe.Pointer(pixels), side, side, samples, bytes)
	}
	if !p.zstd {
		return p.deflater.deflate(p.block)
	}
	encoder, err := zstdEncoder()
	if err != nil {
		return nil, err
	}
	p.packed = encoder.EncodeAll(p.block, p.packed[:0])
	return p.packed, nil
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
