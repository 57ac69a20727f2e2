//go:build !noisal

package raster

/*
#cgo pkg-config: libisal
#include <isa-l/igzip_lib.h>

// One call inflates one zlib stream; the state is 100 kB, on the stack.
static int swath_inflate(uint8_t *to, uint32_t to_size, uint8_t *from, uint32_t from_size, uint32_t *written)
{
	struct inflate_state state;
	isal_inflate_init(&state);
	state.crc_flag = ISAL_ZLIB;
	state.next_in = from;
	state.avail_in = from_size;
	state.next_out = to;
	state.avail_out = to_size;
	int rc = isal_inflate_stateless(&state);
	*written = to_size - state.avail_out;
	return rc;
}
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// inflate decompresses a zlib stream into dst and returns how much of it was filled.
func inflate(dst, src []byte) (int, error) {
	if len(src) == 0 || len(dst) == 0 {
		return 0, fmt.Errorf("no deflated bytes")
	}
	var written C.uint32_t
	rc := C.swath_inflate((*C.uint8_t)(unsafe.Pointer(&dst[0])), C.uint32_t(len(dst)),
		(*C.uint8_t)(unsafe.Pointer(&src[0])), C.uint32_t(len(src)), &written)
	if rc != C.ISAL_DECOMP_OK {
		return int(written), fmt.Errorf("damaged deflate stream (ISA-L %d)", int(rc))
	}
	return int(written), nil
}
