package raster

/*
#cgo pkg-config: libopenjp2
#include "jpeg2000.h"
*/
import "C"

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"swath/fault"
)

const (
	jp2BlockPixels = 128     // the longest side of a block: a map tile of 256 pixels needs four to nine
	maxBoxesBytes  = 4 << 20 // of all that describes an image beside its codestream
)

// isJPEG2000 reports whether a file is a JP2 file or a bare codestream.
func isJPEG2000(src Source) bool {
	var head [12]byte
	n, _ := src.ReadAt(head[:], 0)
	return n == len(head) && (string(head[:]) == string(jp2Signature) || string(head[:4]) == string(codeStart))
}

// openJPEG2000 makes the resolutions of src, c's own source, the levels of c. Its blocks are parts of its tiles; GDAL says where its pixels
// are, from a file without any.
func (c *COG) openJPEG2000(src Source) error {
	start, end, described, err := splitJP2(src)
	if err != nil {
		return err
	}
	s, err := readCodestream(src, start, end)
	if err != nil {
		return err
	}
	if c.DataType, err = s.dataType(); err != nil {
		return err
	}
	c.Bands = s.components
	c.Scale, c.Offset = make([]float64, c.Bands), make([]float64, c.Bands)
	for i := range c.Scale {
		c.Scale[i] = 1
	}
	for level := 0; level <= s.resolutions && (level == 0 || s.divides(level)); level++ {
		p, err := s.plane(level, c.DataType)
		if err != nil {
			return err
		}
		c.Levels = append(c.Levels, Level{Width: ceilDiv(s.width, 1<<level), Height: p.height,
			BlockWidth: ceilDiv(s.tileWidth, 1<<level), BlockHeight: ceilDiv(s.tileHeight, 1<<level), pixels: p})
	}
	head := make([]byte, start)
	if described != nil {
		head = binary.BigEndian.AppendUint32(described, 0) // a box to the end of the file
		head = append(head, "jp2c"...)
	}
	ds, release, err := openBytes(append(head, s.withoutTiles()...), "JP2OpenJPEG", ".jp2")
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the place of the JPEG 2000 image cannot be read")
	}
	defer release()
	d, err := describe(ds)
	if err != nil {
		return err
	}
	c.NoData, c.Transform, c.CRS, c.GCPs = d.NoData, d.Transform, d.CRS, d.GCPs
	if d.CRS == 0 {
		c.WKT = d.WKT
	}
	return nil
}

// splitJP2 finds the codestream of a JP2 file, and returns all its other boxes; nil of a bare codestream.
func splitJP2(src Source) (start, end int64, described []byte, err error) {
	var head [4]byte
	if _, err := src.ReadAt(head[:], 0); err != nil {
		return 0, 0, nil, err
	}
	if string(head[:]) == string(codeStart) {
		return 0, src.Size(), nil, nil
	}
	for at := int64(0); at < src.Size(); {
		b, err := nextBox(src, src.Size(), at)
		if err != nil {
			return 0, 0, nil, err
		}
		switch {
		case b.kind == "jp2c" && end == 0:
			start, end = b.body, b.end
		case b.kind != "jp2c" && b.end-at+int64(len(described)) <= maxBoxesBytes:
			box := make([]byte, b.end-at)
			if n, err := src.ReadAt(box, at); err != nil && (err != io.EOF || n < len(box)) {
				return 0, 0, nil, err
			}
			described = append(described, box...)
		}
		at = b.end
	}
	if end == 0 {
		return 0, 0, nil, badJP2("is missing")
	}
	return start, end, described, nil
}

// withoutTiles is the codestream up to its first tile, as GDAL opens it.
func (s *codestream) withoutTiles() []byte {
	b := binary.BigEndian.AppendUint16(nil, markerSOC)
	for _, g := range s.header {
		b = g.appendTo(b)
	}
	return append(b, 0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 14, 0, 1, 0xFF, 0x93, 0xFF, 0xD9)
}

// dataType is the type that holds the samples, as GDAL chooses it.
func (s *codestream) dataType() (DataType, error) {
	switch {
	case s.bits <= 8 && !s.signed:
		return Uint8, nil
	case s.bits <= 16 && s.bits > 8 && !s.signed:
		return Uint16, nil
	case s.bits <= 16 && s.bits > 8:
		return Int16, nil
	case s.bits <= 31 && s.bits > 16 && s.signed:
		return Int32, nil
	case s.bits <= 31 && s.bits > 16:
		return Uint32, nil
	}
	return "", badJP2("has samples of %d bits (signed: %t), which are not read", s.bits, s.signed)
}

// divides reports whether the tiles of a level are all of one size, but for the last ones.
func (s *codestream) divides(level int) bool {
	return max(s.width, s.height)>>level > 0 && (s.across == 1 || s.tileWidth%(1<<level) == 0) && (s.down == 1 || s.tileHeight%(1<<level) == 0)
}

// tiling says which blocks are parts of which tile of a codestream.
type tiling struct {
	*codestream
	level      int
	wide, high int // blocks of a tile
}

// plane lays out the blocks of a level.
func (s *codestream) plane(level int, format DataType) (plane, error) {
	width, height := ceilDiv(s.tileWidth, 1<<level), ceilDiv(s.tileHeight, 1<<level)
	p := plane{index: level, height: ceilDiv(s.height, 1<<level), samples: s.components, bits: 8 * format.Bytes(), format: format,
		blockWidth: blockOf(width, s.across == 1), blockHeight: blockOf(height, s.down == 1)}
	p.tiles = &tiling{s, level, ceilDiv(width, p.blockWidth), ceilDiv(height, p.blockHeight)}
	p.across, p.down = ceilDiv(ceilDiv(s.width, 1<<level), p.blockWidth), ceilDiv(p.height, p.blockHeight)
	if p.blockWidth*p.blockHeight*p.samples*format.Bytes() > maxBlockBytes {
		return plane{}, badJP2("has tiles of %d x %d pixels of %d samples that cannot be divided; at most %d bytes can be read", width, height, p.samples, maxBlockBytes)
	}
	return p, nil
}

// blockOf divides the side of a tile into blocks of at most jp2BlockPixels; equal ones, unless it is the only tile. A side that
// only small numbers divide stays whole.
func blockOf(side int, only bool) int {
	if only {
		return min(side, jp2BlockPixels)
	}
	for n := ceilDiv(side, jp2BlockPixels); side/n >= jp2BlockPixels/4; n++ {
		if side%n == 0 {
			return side / n
		}
	}
	return side
}

// tileOf returns the tile that a block is part of, and the block's place in it in blocks.
func (t *tiling) tileOf(p *plane, block int) (tile, x, y int) {
	x, y = block%p.across, block/p.across
	return y/t.high*t.codestream.across + x/t.wide, x % t.wide, y % t.high
}

// loadTiles decodes claimed blocks, those of one tile together; each is finished when it returns, whatever happens.
func (r *Reader) loadTiles(ctx context.Context, c *COG, p *plane, mine []*cachedBlock) error {
	byTile := map[int][]*cachedBlock{}
	for _, b := range mine {
		tile, _, _ := p.tiles.tileOf(p, b.key.block)
		byTile[tile] = append(byTile[tile], b)
	}
	var group errgroup.Group
	group.SetLimit(parallelReads)
	for _, tile := range slices.Sorted(maps.Keys(byTile)) {
		group.Go(func() error {
			blocks := byTile[tile]
			decoded, err := r.loadTile(ctx, c, p, tile, blocks)
			if err != nil {
				err = fmt.Errorf("raster: read %s: tile %d: %w", c.src.ID(), tile, err)
			}
			for i, b := range blocks {
				if err != nil {
					r.cache.finish(b, nil, err)
					continue
				}
				r.cache.finish(b, decoded[i], nil)
			}
			return err
		})
	}
	return group.Wait()
}

// loadTile decodes the part of one tile that some of its blocks lie in.
func (r *Reader) loadTile(ctx context.Context, c *COG, p *plane, tile int, blocks []*cachedBlock) (decoded [][]byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	body, err := p.tiles.body(c.src, tile)
	if err != nil {
		return nil, err
	}
	// All in pixels of the level, from the corner of the tile.
	x0, y0, x1, y1 := p.tiles.extent(tile, p.tiles.level)
	places := make([]Window, len(blocks))
	for i, b := range blocks {
		_, x, y := p.tiles.tileOf(p, b.key.block)
		w := Window{x * p.blockWidth, y * p.blockHeight, p.blockWidth, p.blockHeight}
		w.Width, w.Height = min(w.Width, x1-x0-w.Col), min(w.Height, y1-y0-w.Row)
		places[i] = w
	}
	around := bounding(places)
	err = r.working(ctx, func() error {
		samples, err := p.tiles.decode(body, tile, p.tiles.level, Window{x0 + around.Col, y0 + around.Row, around.Width, around.Height})
		if err != nil {
			return err
		}
		for _, w := range places {
			to := make([]byte, p.blockWidth*p.blockHeight*p.samples*p.format.Bytes())
			from := Window{w.Col - around.Col, w.Row - around.Row, w.Width, w.Height}
			for i := range p.samples {
				narrow(to[i*p.format.Bytes():], p.format, p.samples, p.blockWidth*p.samples, samples[i*around.Width*around.Height:], around.Width, from)
			}
			decoded = append(decoded, to)
		}
		return nil
	})
	return decoded, err
}

// bounding is the smallest window that holds all of some.
func bounding(all []Window) Window {
	left := slices.MinFunc(all, func(a, b Window) int { return cmp.Compare(a.Col, b.Col) }).Col
	top := slices.MinFunc(all, func(a, b Window) int { return cmp.Compare(a.Row, b.Row) }).Row
	w := Window{Col: left, Row: top}
	for _, part := range all {
		w.Width, w.Height = max(w.Width, part.Col+part.Width-left), max(w.Height, part.Row+part.Height-top)
	}
	return w
}

// decode decodes a window of a tile, in pixels of a level counted from the image's origin: a plane for each component.
func (s *codestream) decode(t tileBody, tile, level int, w Window) ([]int32, error) {
	to := make([]int32, w.Width*w.Height*s.components)
	if s.small != nil && t.plain && s.small.decode(s, t.data, tile, level, w, to) == nil {
		return to, nil
	}
	stream, reduce := s.alone(t, tile, level) // what our own decoder does not understand, OpenJPEG has to judge
	var message [C.SWATH_JP2_ERROR]C.char
	edge := func(v int) C.int { return C.int(v << reduce) }
	if C.swath_jp2_decode((*C.uint8_t)(&stream[0]), C.size_t(len(stream)), C.int(reduce), edge(w.Col), edge(w.Row), edge(w.Col+w.Width),
		edge(w.Row+w.Height), (*C.int32_t)(&to[0]), C.int(s.components), C.int(w.Width), C.int(w.Height), &message[0]) == 0 {
		return nil, badJP2("is damaged: %.200q", C.GoString(&message[0]))
	}
	return to, nil
}

// narrow writes a window of a plane whose rows have width samples into every step-th value of a type, in rows of stride values.
func narrow(to []byte, format DataType, step, stride int, plane []int32, width int, w Window) {
	from := plane[w.Row*width+w.Col:]
	C.swath_narrow(unsafe.Pointer(&to[0]), C.int(format.Bytes()), C.int(step), C.int(stride), (*C.int32_t)(&from[0]), C.int(width), C.int(w.Width), C.int(w.Height))
}

// wholeTiles returns the codestream of a JPEG 2000 file that is described as d, when all its samples can be read tile by tile as
// GDAL reads them; else nil.
func wholeTiles(f *vsiFile, d Description) *codestream {
	if !isJPEG2000(f) {
		return nil
	}
	start, end, _, err := splitJP2(f)
	if err != nil {
		return nil
	}
	s, err := readCodestream(f, start, end)
	if err != nil {
		return nil
	}
	const most = 1 << 24 // samples of a tile in memory
	format, err := s.dataType()
	if err != nil || format != d.DataType || s.components != d.Bands || s.width != d.Width || s.height != d.Height ||
		s.bits == 1 || s.tileWidth*s.tileHeight*s.components > most { // GDAL spreads a bit to 0 and 255
		return nil
	}
	return s
}

// readTiles hands on the lines of some bands (counted from 1), a row of tiles after the other.
func (s *codestream) readTiles(ctx context.Context, src io.ReaderAt, format DataType, bands []int, line func([]byte) error) error {
	length := s.width * len(bands) * format.Bytes()
	rows := make([]byte, s.tileHeight*length)
	for row := range s.down {
		high := 0
		for column := range s.across {
			if err := ctx.Err(); err != nil {
				return err
			}
			tile := row*s.across + column
			body, err := s.body(src, tile)
			if err != nil {
				return fmt.Errorf("tile %d: %w", tile, err)
			}
			x0, y0, x1, y1 := s.extent(tile, 0)
			high = y1 - y0
			samples, err := s.decode(body, tile, 0, Window{x0, y0, x1 - x0, high})
			if err != nil {
				return fmt.Errorf("tile %d: %w", tile, err)
			}
			for i, b := range bands {
				narrow(rows[(x0*len(bands)+i)*format.Bytes():], format, len(bands), s.width*len(bands),
					samples[(b-1)*(x1-x0)*high:], x1-x0, Window{0, 0, x1 - x0, high})
			}
		}
		for y := range high {
			if err := line(rows[y*length : (y+1)*length]); err != nil {
				return err
			}
		}
	}
	return nil
}
