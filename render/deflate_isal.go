//go:build !noisal

package render

// #cgo LDFLAGS: -lisal
// #include <isa-l/igzip_lib.h>
// #include <string.h>
//
// enum { RENDER_DEFLATE_BUFFER = ISAL_DEF_LVL2_DEFAULT > ISAL_DEF_LVL1_DEFAULT ? ISAL_DEF_LVL2_DEFAULT : ISAL_DEF_LVL1_DEFAULT };
//
// // render_deflate writes a zlib stream at level 1 or 2 and returns its length, 0 when out is too small. The work memory holds
// // the state of ISA-L, then its level buffer; no pointer stays in it.
// static size_t render_deflate(uint8_t *in, uint32_t n, uint8_t *out, uint32_t space, int level, uint8_t *work) {
// 	struct isal_zstream *stream = (struct isal_zstream *)work;
// 	isal_deflate_init(stream);
// 	stream->gzip_flag = IGZIP_ZLIB;
// 	stream->level = level;
// 	stream->level_buf = work + sizeof *stream;
// 	stream->level_buf_size = RENDER_DEFLATE_BUFFER;
// 	stream->next_in = in;
// 	stream->avail_in = n;
// 	stream->next_out = out;
// 	stream->avail_out = space;
// 	stream->end_of_stream = 1;
// 	int failed = isal_deflate(stream) != COMP_OK || stream->internal_state.state != ZSTATE_END;
// 	size_t length = failed ? 0 : stream->total_out;
// 	stream->next_in = stream->next_out = stream->level_buf = NULL;
// 	return length;
// }
// enum { RENDER_DEFLATE_WORK = sizeof(struct isal_zstream) + RENDER_DEFLATE_BUFFER };
import "C"

import (
	"fmt"
	"unsafe"
)

// deflater compresses with ISA-L, for which a tag "noisal" puts pure Go.
type deflater struct {
	work []byte
}

// deflate returns data as a zlib stream, in the memory of out if it suffices. Thorough finds more repetitions in as much time, where
// there are some to find: in colours, not in indices.
func (d *deflater) deflate(out, data []byte, thorough bool) ([]byte, error) {
	level := C.int(1)
	if thorough {
		level = 2
	}
	d.work = sized(d.work, C.RENDER_DEFLATE_WORK)
	out = sized(out, len(data)+len(data)/8+1024) // stored blocks and headers, at worst
	n := C.render_deflate((*C.uint8_t)(&data[0]), C.uint32_t(len(data)), (*C.uint8_t)(&out[0]), C.uint32_t(len(out)), level,
		(*C.uint8_t)(unsafe.Pointer(&d.work[0])))
	if n == 0 {
		return out, fmt.Errorf("render: deflate of %d bytes does not fit %d", len(data), len(out))
	}
	return out[:n], nil
}
