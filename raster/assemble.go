package raster

import (
	"encoding/binary"
	"io"
	"maps"
	"math"
	"slices"
)

// ghost says to GDAL, before the first directory, how the file is laid out (GDAL's COG driver, "Header ghost area").
const ghost = "GDAL_STRUCTURAL_METADATA_SIZE=000140 bytes\n" +
	"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "

const (
	tagExtraSamples = 338
	tagColorMap     = 320
	tagRPC          = 50844
)

// sharedTags describe the samples of every level, imageTags the image as a whole.
var (
	sharedTags = []uint16{tagBits, tagPhotometric, tagSamples, tagColorMap, tagExtraSamples, tagSampleFormat, tagGDALNoData}
	imageTags  = []uint16{tagPixelScale, tagTiepoints, tagModelTransform, tagGeoKeys, tagGeoDoubles, tagGeoTexts, tagGDALMetadata, tagRPC}
)

// tag is a value of a directory that is written.
type tag struct {
	kind uint16
	data []byte
}

func shorts(values ...uint16) tag {
	t := tag{kind: 3}
	for _, v := range values {
		t.data = binary.LittleEndian.AppendUint16(t.data, v)
	}
	return t
}

func longs(values ...uint32) tag {
	t := tag{kind: 4}
	for _, v := range values {
		t.data = binary.LittleEndian.AppendUint32(t.data, v)
	}
	return t
}

// classicBytes of blocks and a head still have offsets of four bytes. Tests write big files with few bytes.
var classicBytes int64 = math.MaxUint32 - 1<<26

// layout is the head of a TIFF while it is made: classic, or big where offsets need eight bytes.
type layout struct {
	big  bool
	head []byte
}

// assemble writes the file: head, ghost, a directory for each level from large to small, a mask's after its image's, then the blocks
// from small to large. What describes samples and place comes from like, the directory of a file with the same.
func (p *pyramid) assemble(to io.Writer, like directory) error {
	total := int64(0)
	for _, s := range p.spools() {
		for _, n := range s.counts {
			total += int64(n) + 8
		}
	}
	var dirs []map[uint16]tag
	for i, l := range p.levels {
		image := l.directory(p, l.image, uint32(min(i, 1)))
		image[tagPredictor] = shorts(p.predictor())
		copied := sharedTags
		if i == 0 {
			copied = slices.Concat(sharedTags, imageTags)
		}
		for _, number := range copied {
			data, e, err := like.raw(number)
			if err != nil {
				return err
			}
			if data != nil {
				image[number] = tag{e.kind, data}
			}
		}
		dirs = append(dirs, image)
		if l.mask != nil {
			const transparency = 4 // of subfiles and photometric interpretations (TIFF 6.0, section 8)
			mask := l.directory(p, l.mask, uint32(min(i, 1))|transparency)
			mask[tagBits], mask[tagSamples], mask[tagPhotometric] = shorts(1), shorts(1), shorts(transparency)
			dirs = append(dirs, mask)
		}
	}
	out := layout{big: total > classicBytes}
	start := int64(len(out.write(p, dirs, 0))) // where the blocks begin does not change the head's length
	if _, err := to.Write(out.write(p, dirs, start)); err != nil {
		return err
	}
	for _, s := range slices.Backward(p.spools()) {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(to, s.file); err != nil {
			return err
		}
	}
	return nil
}

// directory is what the directories of a level's image and mask have in common.
func (l *pyramidLevel) directory(p *pyramid, s *spool, subfile uint32) map[uint16]tag {
	return map[uint16]tag{
		tagSubfile: longs(subfile), tagWidth: longs(uint32(l.width)), tagHeight: longs(uint32(l.height)),
		tagCompression: shorts(p.compression()), tagPlanar: shorts(1),
		tagTileWidth: shorts(uint16(p.wide)), tagTileHeight: shorts(uint16(p.high)), tagTileBytes: longs(s.counts...),
	}
}

// write returns the head of a file whose blocks begin at start.
func (o *layout) write(p *pyramid, dirs []map[uint16]tag, start int64) []byte {
	for i, s := range slices.Backward(p.spools()) {
		offsets := tag{kind: 4}
		if o.big {
			offsets.kind = 16
		}
		for _, n := range s.counts {
			offsets.data = o.word(offsets.data, uint64(start)+4) // after the leader
			start += int64(n) + 8
		}
		dirs[i][tagTileOffsets] = offsets
	}
	o.magic()
	first := (len(o.word(o.head, 0)) + len(ghost) + 15) &^ 15
	o.head = append(o.word(o.head, uint64(first)), ghost...)
	for i, d := range dirs {
		o.head = append(o.head, make([]byte, (16-len(o.head)%16)%16)...)
		o.directory(d, i+1 == len(dirs))
	}
	return o.head
}

// magic begins a head: which kind of TIFF it is, up to where the first directory is said to be.
func (o *layout) magic() {
	o.head = append(o.head[:0], "II\x2a\x00"...)
	if o.big {
		o.head = append(o.head[:0], "II\x2b\x00\x08\x00\x00\x00"...)
	}
}

// word appends a number as long as an offset.
func (o *layout) word(to []byte, v uint64) []byte {
	if o.big {
		return binary.LittleEndian.AppendUint64(to, v)
	}
	return binary.LittleEndian.AppendUint32(to, uint32(v))
}

// directory appends a directory and the values that do not fit its entries; the next one follows at a multiple of 16.
func (o *layout) directory(d map[uint16]tag, last bool) {
	inline, entryBytes, countBytes := 4, 12, 2
	if o.big {
		inline, entryBytes, countBytes = 8, 20, 8
	}
	after := len(o.head) + countBytes + len(d)*entryBytes + inline // where the long values begin
	var long []byte
	if o.big {
		o.head = binary.LittleEndian.AppendUint64(o.head, uint64(len(d)))
	} else {
		o.head = binary.LittleEndian.AppendUint16(o.head, uint16(len(d)))
	}
	for _, number := range slices.Sorted(maps.Keys(d)) {
		t := d[number]
		o.head = binary.LittleEndian.AppendUint16(o.head, number)
		o.head = binary.LittleEndian.AppendUint16(o.head, t.kind)
		o.head = o.word(o.head, uint64(len(t.data))/kindBytes[t.kind])
		if len(t.data) <= inline {
			o.head = append(append(o.head, t.data...), make([]byte, inline-len(t.data))...)
			continue
		}
		long = append(long, make([]byte, (8-(after+len(long))%8)%8)...)
		o.head = o.word(o.head, uint64(after+len(long)))
		long = append(long, t.data...)
	}
	next := (after + len(long) + 15) &^ 15
	if last {
		next = 0
	}
	o.head = append(o.word(o.head, uint64(next)), long...)
}

// likeOf reads the directory of a small file.
func likeOf(path string) (directory, func() error, error) {
	f, err := openVSI(path)
	if err != nil {
		return directory{}, nil, err
	}
	_, dirs, err := readDirectories(f)
	if err != nil {
		f.Close()
		return directory{}, nil, err
	}
	return dirs[0], f.Close, nil
}
