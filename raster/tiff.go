package raster

import (
	"encoding/binary"
	"io"
	"math"
	"strings"

	"swath/fault"
)

// Limits against files that claim more than they are.
const (
	headBytes      = 64 << 10 // read at once when a file is opened; the directories of most COGs lie inside
	maxDirectories = 256
	maxEntries     = 1024    // per directory
	maxTagBytes    = 1 << 28 // of one tag: 16 million block offsets
)

// TIFF tags that we read.
const (
	tagSubfile        = 254
	tagWidth          = 256
	tagHeight         = 257
	tagBits           = 258
	tagCompression    = 259
	tagPhotometric    = 262
	tagStripOffsets   = 273
	tagSamples        = 277
	tagRowsPerStrip   = 278
	tagStripBytes     = 279
	tagPlanar         = 284
	tagPredictor      = 317
	tagTileWidth      = 322
	tagTileHeight     = 323
	tagTileOffsets    = 324
	tagTileBytes      = 325
	tagSampleFormat   = 339
	tagPixelScale     = 33550
	tagTiepoints      = 33922
	tagModelTransform = 34264
	tagGeoKeys        = 34735
	tagGeoDoubles     = 34736
	tagGeoTexts       = 34737
	tagGDALMetadata   = 42112
	tagGDALNoData     = 42113
)

// tiff reads the directories of a TIFF or BigTIFF file.
type tiff struct {
	src   headed
	size  int64
	order binary.ByteOrder
	big   bool
}

// headed is a source whose first bytes are at hand, so that a file far away is asked once for what describes it.
type headed struct {
	Source
	head []byte
}

func withHead(src Source) (headed, error) {
	if h, ok := src.(headed); ok {
		return h, nil
	}
	head := make([]byte, min(headBytes, max(src.Size(), 0)))
	if n, err := src.ReadAt(head, 0); len(head) > 0 && err != nil && (err != io.EOF || n < len(head)) {
		return headed{}, err
	}
	return headed{src, head}, nil
}

func (h headed) ReadAt(p []byte, off int64) (int, error) {
	if off >= 0 && off+int64(len(p)) <= int64(len(h.head)) {
		return copy(p, h.head[off:]), nil
	}
	return h.Source.ReadAt(p, off)
}

// directory is one image file directory: the raw values by tag.
type directory struct {
	t       *tiff
	entries map[uint16]entry
}

type entry struct {
	kind  uint16
	count uint64
	at    int64  // where the value lies, when it is not inside the entry
	data  []byte // the value, when it is
}

// kindBytes is the size of one value of each TIFF type.
var kindBytes = [19]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// readDirectories returns every directory of the file in its order.
func readDirectories(src Source) (*tiff, []directory, error) {
	opened, err := withHead(src)
	if err != nil {
		return nil, nil, err
	}
	t := &tiff{src: opened, size: src.Size()}
	next, err := t.header()
	if err != nil {
		return nil, nil, err
	}
	var all []directory
	seen := map[int64]bool{}
	for next != 0 {
		if seen[next] || len(all) == maxDirectories {
			return nil, nil, fault.New(fault.Invalid, "the TIFF directories form a loop or are more than %d", maxDirectories)
		}
		seen[next] = true
		d, after, err := t.directory(next)
		if err != nil {
			return nil, nil, err
		}
		all, next = append(all, d), after
	}
	if len(all) == 0 {
		return nil, nil, fault.New(fault.Invalid, "the TIFF has no image")
	}
	return t, all, nil
}

// header returns the place of the first directory.
func (t *tiff) header() (int64, error) {
	notTIFF := fault.New(fault.Invalid, "not a TIFF file")
	if len(t.src.head) < 16 {
		return 0, notTIFF
	}
	switch string(t.src.head[:2]) {
	case "II":
		t.order = binary.LittleEndian
	case "MM":
		t.order = binary.BigEndian
	default:
		return 0, notTIFF
	}
	switch t.order.Uint16(t.src.head[2:]) {
	case 42:
		return int64(t.order.Uint32(t.src.head[4:])), nil
	case 43:
		t.big = true
		if t.order.Uint16(t.src.head[4:]) != 8 || t.order.Uint16(t.src.head[6:]) != 0 {
			return 0, notTIFF
		}
		return int64(t.order.Uint64(t.src.head[8:])), nil
	}
	return 0, notTIFF
}

// bytesAt returns n bytes of the file.
func (t *tiff) bytesAt(off int64, n uint64) ([]byte, error) {
	if off < 0 || n > maxTagBytes || off > t.size || int64(n) > t.size-off {
		return nil, fault.New(fault.Invalid, "the TIFF refers to %d bytes at %d, outside its %d bytes", n, off, t.size)
	}
	if end := off + int64(n); end <= int64(len(t.src.head)) {
		return t.src.head[off:end], nil
	}
	p := make([]byte, n)
	if read, err := t.src.ReadAt(p, off); err != nil && (err != io.EOF || read < len(p)) {
		return nil, err
	}
	return p, nil
}

// directory reads the directory at off and returns the place of the one that follows, 0 for none.
func (t *tiff) directory(off int64) (directory, int64, error) {
	countBytes, entryBytes, inline := uint64(2), 12, 4
	if t.big {
		countBytes, entryBytes, inline = 8, 20, 8
	}
	p, err := t.bytesAt(off, countBytes)
	if err != nil {
		return directory{}, 0, err
	}
	count := uint64(t.order.Uint16(p))
	if t.big {
		count = t.order.Uint64(p)
	}
	if count > maxEntries {
		return directory{}, 0, fault.New(fault.Invalid, "a TIFF directory has %d entries", count)
	}
	body := count * uint64(entryBytes)
	if p, err = t.bytesAt(off+int64(countBytes), body+uint64(inline)); err != nil {
		return directory{}, 0, err
	}
	d := directory{t: t, entries: make(map[uint16]entry, count)}
	for i := range int(count) {
		raw := p[i*entryBytes : (i+1)*entryBytes]
		e := entry{kind: t.order.Uint16(raw[2:])}
		value := raw[8:]
		if t.big {
			e.count, value = t.order.Uint64(raw[4:]), raw[12:]
		} else {
			e.count = uint64(t.order.Uint32(raw[4:]))
		}
		if int(e.kind) >= len(kindBytes) || kindBytes[e.kind] == 0 {
			continue // a type that the standard tells readers to skip
		}
		if e.count > maxTagBytes/kindBytes[e.kind] {
			return directory{}, 0, fault.New(fault.Invalid, "TIFF tag %d has %d values", t.order.Uint16(raw), e.count)
		}
		if n := e.count * kindBytes[e.kind]; n <= uint64(inline) {
			e.data = value[:n]
		} else {
			e.at = t.offset(value)
		}
		d.entries[t.order.Uint16(raw)] = e
	}
	return d, t.offset(p[body:]), nil
}

func (t *tiff) offset(p []byte) int64 {
	if t.big {
		return int64(min(t.order.Uint64(p), math.MaxInt64))
	}
	return int64(t.order.Uint32(p))
}

// raw returns the bytes of a tag, nil when the directory does not have it.
func (d directory) raw(tag uint16) ([]byte, entry, error) {
	e, ok := d.entries[tag]
	if !ok || e.data != nil || e.count == 0 {
		return e.data, e, nil
	}
	p, err := d.t.bytesAt(e.at, e.count*kindBytes[e.kind])
	return p, e, err
}

// uints returns the whole numbers of a tag, nil when the directory does not have it.
func (d directory) uints(tag uint16) ([]uint64, error) {
	p, e, err := d.raw(tag)
	if err != nil || p == nil {
		return nil, err
	}
	out := make([]uint64, e.count)
	o := d.t.order
	for i := range out {
		switch kindBytes[e.kind] {
		case 1:
			out[i] = uint64(p[i])
		case 2:
			out[i] = uint64(o.Uint16(p[2*i:]))
		case 4:
			out[i] = uint64(o.Uint32(p[4*i:]))
		default:
			out[i] = o.Uint64(p[8*i:])
		}
	}
	return out, nil
}

// uint returns the first whole number of a tag, or otherwise when the directory does not have it.
func (d directory) uint(tag uint16, otherwise uint64) (uint64, error) {
	v, err := d.uints(tag)
	if err != nil || len(v) == 0 {
		return otherwise, err
	}
	return v[0], nil
}

// doubles returns the numbers of a tag of type DOUBLE, nil when the directory does not have it.
func (d directory) doubles(tag uint16) ([]float64, error) {
	p, e, err := d.raw(tag)
	if err != nil || p == nil || e.kind != 12 {
		return nil, err
	}
	out := make([]float64, e.count)
	for i := range out {
		out[i] = math.Float64frombits(d.t.order.Uint64(p[8*i:]))
	}
	return out, nil
}

// text returns a tag of type ASCII without its closing zero, "" when the directory does not have it.
func (d directory) text(tag uint16) (string, error) {
	p, e, err := d.raw(tag)
	if err != nil || e.kind != 2 {
		return "", err
	}
	return strings.TrimRight(string(p), "\x00 "), nil
}
