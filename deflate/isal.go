//go:build !noisal

package deflate

/*
#cgo pkg-config: libisal
#include <isa-l/igzip_lib.h>

enum { DEFLATE_BUFFER = ISAL_DEF_LVL3_DEFAULT, DEFLATE_WORK = sizeof(struct isal_zstream) + DEFLATE_BUFFER };

// One call makes one zlib stream at a level from 1 to 3; 0 when it does not fit. The work memory holds the state, then the level's
// buffer; no pointer stays in it.
static size_t deflate_pack(uint8_t *from, uint32_t size, uint8_t *to, uint32_t space, uint8_t *work, int level)
{
	struct isal_zstream *stream = (struct isal_zstream *)work;
	isal_deflate_init(stream);
	stream->gzip_flag = IGZIP_ZLIB;
	stream->level = level;
	stream->level_buf = work + sizeof *stream;
	stream->level_buf_size = DEFLATE_BUFFER;
	stream->next_in = from;
	stream->avail_in = size;
	stream->next_out = to;
	stream->avail_out = space;
	stream->end_of_stream = 1;
	int failed = isal_deflate(stream) != COMP_OK || stream->internal_state.state != ZSTATE_END;
	size_t length = failed ? 0 : stream->total_out;
	stream->next_in = stream->next_out = stream->level_buf = NULL;
	return length;
}
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// matcher packs with ISA-L, for which a tag "noisal" puts pure Go.
type matcher struct {
	work []byte
}

// pack returns src as a zlib stream, in the memory of out if it suffices.
func (m *matcher) pack(out, src []byte, level int) ([]byte, error) {
	if m.work == nil {
		m.work = make([]byte, C.DEFLATE_WORK)
	}
	if need := len(src) + len(src)/8 + 1024; cap(out) < need { // stored blocks and headers, at worst
		out = make([]byte, need)
	}
	out = out[:cap(out)]
	n := C.deflate_pack((*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(src))), C.uint32_t(len(src)),
		(*C.uint8_t)(unsafe.Pointer(&out[0])), C.uint32_t(len(out)), (*C.uint8_t)(unsafe.Pointer(&m.work[0])), C.int(level))
	if n == 0 {
		return out, fmt.Errorf("deflate: %d bytes do not fit %d", len(src), len(out))
	}
	return out[:n], nil
}

// checksum is Adler-32.
func checksum(b []byte) uint32 {
	return uint32(C.isal_adler32(1, (*C.uchar)(unsafe.Pointer(unsafe.SliceData(b))), C.uint64_t(len(b))))
}
