package raster

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"

	"swath/fault"
)

// The markers of a JPEG 2000 codestream that we look at (ISO/IEC 15444-1, table A.2).
const (
	markerSOC = 0xFF4F
	markerSIZ = 0xFF51
	markerCOD = 0xFF52
	markerCOC = 0xFF53
	markerTLM = 0xFF55
	markerPLM = 0xFF57
	markerPLT = 0xFF58
	markerQCD = 0xFF5C
	markerQCC = 0xFF5D
	markerPOC = 0xFF5F
	markerPPM = 0xFF60
	markerCOM = 0xFF64
	markerSOT = 0xFF90
	markerSOD = 0xFF93
	markerEOC = 0xFFD9
)

const (
	maxHeadBytes = 64 << 10 // of a codestream's main header
	maxTileParts = 1 << 18  // of a codestream
	maxTileBytes = 1 << 27  // of one tile, packed
)

// segment is a marker of a header with its parameters.
type segment struct {
	marker uint16
	data   []byte // after the length
}

func (g segment) appendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, g.marker)
	b = binary.BigEndian.AppendUint16(b, uint16(len(g.data)+2))
	return append(b, g.data...)
}

// codestream is what the main header of a JPEG 2000 codestream says, and where its tiles lie.
type codestream struct {
	width, height         int // pixels
	tileWidth, tileHeight int
	across, down          int // tiles
	components            int
	bits                  int // of a sample
	signed                bool
	resolutions           int // beside the full one, each half the one before
	lowFirst              bool
	small                 *smallBlocks // how a tile is laid out that our own decoder knows
	header                []segment
	parts                 [][]tilePart // per tile, in their order
}

// tilePart is one run of a tile's bytes, from its SOT marker on.
type tilePart struct {
	at, length int64
}

func badJP2(format string, args ...any) error {
	return fault.New(fault.Invalid, "the JPEG 2000 codestream "+format, args...)
}

// readCodestream reads the main header and finds the tiles, of a codestream that lies at start..end.
func readCodestream(src io.ReaderAt, start, end int64) (*codestream, error) {
	head := make([]byte, min(maxHeadBytes, end-start))
	if n, err := src.ReadAt(head, start); err != nil && (err != io.EOF || n < len(head)) {
		return nil, err
	}
	s := &codestream{}
	length, err := s.readHeader(head)
	if err != nil {
		return nil, err
	}
	return s, s.findTiles(src, start+int64(length), end)
}

// readHeader reads the main header and returns its length.
func (s *codestream) readHeader(head []byte) (int, error) {
	if !bytes.HasPrefix(head, codeStart) {
		return 0, badJP2("does not begin as one")
	}
	at := 2
	for {
		seg, err := nextSegment(head, at)
		if err != nil {
			return 0, err
		}
		if seg.marker == markerSOT {
			break
		}
		at += 4 + len(seg.data)
		switch seg.marker {
		case markerSIZ:
			err = s.readSize(seg.data)
		case markerCOD:
			err = s.readStyle(seg.data)
		case markerPPM:
			err = badJP2("keeps the headers of its packets apart (PPM), which is not read")
		case markerTLM, markerPLM, markerCOM:
			continue // lengths and comments: of no use to one tile alone
		}
		if err != nil {
			return 0, err
		}
		seg.data = bytes.Clone(seg.data) // the rest of the head goes
		s.header = append(s.header, seg)
	}
	if s.width == 0 || !s.has(markerCOD) {
		return 0, badJP2("says neither its size nor its coding")
	}
	// Overridden styles and orders are left to the decoder.
	s.lowFirst = s.lowFirst && !s.has(markerCOC) && !s.has(markerPOC)
	s.small = s.smallBlocks()
	return at, nil
}

func (s *codestream) has(marker uint16) bool {
	return slices.ContainsFunc(s.header, func(g segment) bool { return g.marker == marker })
}

// nextSegment reads the marker segment at a place in a header.
func nextSegment(head []byte, at int) (segment, error) {
	if at+2 <= len(head) && binary.BigEndian.Uint16(head[at:]) == markerSOD {
		return segment{marker: markerSOD}, nil // no length follows
	}
	if at+4 > len(head) {
		return segment{}, badJP2("has a header that does not end")
	}
	marker, length := binary.BigEndian.Uint16(head[at:]), int(binary.BigEndian.Uint16(head[at+2:]))
	if marker < 0xFF01 || length < 2 || at+2+length > len(head) {
		return segment{}, badJP2("has a damaged marker %#x at %d", marker, at)
	}
	return segment{marker, head[at+4 : at+2+length]}, nil
}

// readSize reads SIZ (A.5.1).
func (s *codestream) readSize(b []byte) error {
	if len(b) < 36 {
		return badJP2("has no complete size")
	}
	var v [8]uint32
	for i := range v {
		v[i] = binary.BigEndian.Uint32(b[2+4*i:])
	}
	s.components = int(binary.BigEndian.Uint16(b[34:]))
	if len(b) != 36+3*s.components || s.components == 0 || s.components > maxBands {
		return badJP2("has %d components, described in %d bytes", s.components, len(b)-36)
	}
	if v[2]|v[3]|v[6]|v[7] != 0 {
		return badJP2("has an image or tiles that do not begin at the origin, which is not read")
	}
	if v[0] == 0 || v[1] == 0 || v[0] > maxSide || v[1] > maxSide || v[4] == 0 || v[5] == 0 {
		return badJP2("claims %d x %d pixels in tiles of %d x %d", v[0], v[1], v[4], v[5])
	}
	s.width, s.height = int(v[0]), int(v[1])
	s.tileWidth, s.tileHeight = int(min(v[4], v[0])), int(min(v[5], v[1]))
	s.across, s.down = ceilDiv(s.width, s.tileWidth), ceilDiv(s.height, s.tileHeight)
	if s.across*s.down > 65535 { // Isot has two bytes
		return badJP2("claims %d tiles", s.across*s.down)
	}
	depth := b[36]
	s.bits, s.signed = int(depth&0x7F)+1, depth&0x80 != 0
	for i := 36; i < len(b); i += 3 {
		if b[i] != depth || b[i+1] != 1 || b[i+2] != 1 {
			return badJP2("has components of several kinds or sizes, which is not read")
		}
	}
	return nil
}

// readStyle reads COD (A.6.1): the number of resolutions, and whether a tile's packets come by resolution, the lowest first.
func (s *codestream) readStyle(b []byte) error {
	if len(b) < 10 || b[5] > 32 {
		return badJP2("has no complete coding style")
	}
	order, layers := b[1], binary.BigEndian.Uint16(b[2:])
	s.resolutions = int(b[5])
	s.lowFirst = order == 0 && layers == 1 || order == 1 || order == 2 // LRCP, RLCP, RPCL
	if b[0]&1 != 0 && len(b) != 10+s.resolutions+1 {
		return badJP2("lists the precincts of %d resolutions; it has %d", len(b)-10, s.resolutions+1)
	}
	return nil
}

// findTiles walks from tile-part to tile-part (SOT, A.4.2).
func (s *codestream) findTiles(src io.ReaderAt, at, end int64) error {
	s.parts = make([][]tilePart, s.across*s.down)
	var b [12]byte
	for count := 0; at+int64(len(b)) <= end; count++ {
		if n, err := src.ReadAt(b[:], at); err != nil && (err != io.EOF || n < len(b)) {
			return err
		}
		switch binary.BigEndian.Uint16(b[:]) {
		case markerSOT:
		case markerEOC:
			return nil
		default:
			return badJP2("has no tile at byte %d", at)
		}
		tile, length := int(binary.BigEndian.Uint16(b[4:])), int64(binary.BigEndian.Uint32(b[6:]))
		if length == 0 { // the last one: to the end of the codestream
			length = end - 2 - at
		}
		if tile >= len(s.parts) || length < 14 || length > end-at || count == maxTileParts {
			return badJP2("has a damaged tile %d of %d bytes at byte %d", tile, length, at)
		}
		s.parts[tile] = append(s.parts[tile], tilePart{at, length})
		at += length
	}
	return nil
}

// extent returns the pixels of a tile at a level: columns x0..x1 and rows y0..y1. Where a tile begins is divided as the
// image's size is, rounding up.
func (s *codestream) extent(tile, level int) (x0, y0, x1, y1 int) {
	up := func(v int) int { return ceilDiv(v, 1<<level) }
	x0, y0 = tile%s.across*s.tileWidth, tile/s.across*s.tileHeight
	return up(x0), up(y0), up(min(x0+s.tileWidth, s.width)), up(min(y0+s.tileHeight, s.height))
}

// tileBody is the bytes of one tile.
type tileBody struct {
	parts []byte // its tile-parts, from marker to marker, as those of tile 0
	data  []byte // its packets alone
	plain bool   // nothing of the main header is overridden
}

// body reads the bytes of a tile.
func (s *codestream) body(src io.ReaderAt, tile int) (tileBody, error) {
	var total int64
	for _, p := range s.parts[tile] {
		total += p.length
	}
	if total == 0 || total > maxTileBytes {
		return tileBody{}, badJP2("has %d bytes in tile %d; at most %d can be read", total, tile, maxTileBytes)
	}
	t := tileBody{parts: make([]byte, total), plain: true}
	at := int64(0)
	for i, p := range s.parts[tile] {
		b := t.parts[at : at+p.length]
		if n, err := src.ReadAt(b, p.at); err != nil && (err != io.EOF || n < len(b)) {
			return tileBody{}, err
		}
		binary.BigEndian.PutUint16(b[4:], 0)
		binary.BigEndian.PutUint32(b[6:], uint32(p.length))
		start, plain, err := dataOf(b)
		if err != nil {
			return tileBody{}, err
		}
		t.plain = t.plain && plain
		if i == 0 {
			t.data = b[start:]
		} else {
			t.data = slices.Concat(t.data, b[start:])
		}
		at += p.length
	}
	return t, nil
}

// alone makes one tile a codestream of its own, and returns the resolutions that the decoder has to leave out of it.
//
// The tile becomes the only one of an image that begins where the tile does: precincts and code blocks are counted from the
// origin of the whole, so nothing moves. Where packets come by resolution, the lower ones come first, and a codestream that
// claims fewer resolutions ends after them: the decoder neither lays out nor parses what it would throw away.
func (s *codestream) alone(t tileBody, tile, level int) (stream []byte, reduce int) {
	dropped := 0
	if s.lowFirst && t.plain {
		dropped = level
	}
	stream = binary.BigEndian.AppendUint16(make([]byte, 0, len(t.parts)+4096), markerSOC)
	for _, g := range s.header {
		data := g.data
		switch g.marker {
		case markerSIZ:
			data = s.sizeAlone(data, tile, dropped)
		case markerCOD:
			data = styleWithout(data, dropped)
		case markerQCD:
			data = stepsOf(data, 0, s.resolutions-dropped)
		case markerQCC:
			data = stepsOf(data, s.nameBytes(), s.resolutions-dropped)
		}
		stream = segment{g.marker, data}.appendTo(stream)
	}
	return append(append(stream, t.parts...), codeEnd...), level - dropped
}

// nameBytes is how long the number of a component is (A.6.5).
func (s *codestream) nameBytes() int {
	if s.components < 257 {
		return 1
	}
	return 2
}

// dataOf finds where the packets of a tile-part begin, and whether it overrides nothing of the main header.
func dataOf(b []byte) (start int, plain bool, err error) {
	plain = true
	for at := 12; ; {
		seg, err := nextSegment(b, at)
		if err != nil {
			return 0, false, err
		}
		switch seg.marker {
		case markerSOD:
			return at + 2, plain, nil
		case markerPLT, markerCOM:
		default:
			plain = false
		}
		at += 4 + len(seg.data)
	}
}

// sizeAlone is SIZ of one tile at a level.
func (s *codestream) sizeAlone(siz []byte, tile, level int) []byte {
	b := slices.Clone(siz)
	x0, y0, x1, y1 := s.extent(tile, level)
	for i, v := range []int{x1, y1, x0, y0, x1 - x0, y1 - y0, x0, y0} {
		binary.BigEndian.PutUint32(b[2+4*i:], uint32(v))
	}
	return b
}

// styleWithout is COD with fewer resolutions.
func styleWithout(cod []byte, dropped int) []byte {
	b := slices.Clone(cod)
	b[5] -= byte(dropped)
	if b[0]&1 != 0 {
		b = b[:len(b)-dropped] // precincts are listed from the lowest resolution up
	}
	return b
}

// stepsOf is QCD, or QCC with the number of its component before, for fewer resolutions: exponents and steps are listed from the lowest up.
func stepsOf(b []byte, before, resolutions int) []byte {
	if len(b) <= before {
		return b
	}
	each := map[byte]int{0: 1, 2: 2}[b[before]&0x1F] // bytes a subband; one step for all is derived the same
	if n := before + 1 + each*(3*resolutions+1); each > 0 && n < len(b) {
		return b[:n]
	}
	return b
}
