package render

// #cgo LDFLAGS: -ljpeg
// #include <stdlib.h>
// #include <stdio.h>
// #include <jpeglib.h>
// #include "jpeg.h"
import "C"

import (
	"fmt"
	"unsafe"
)

const jpegQuality = 85

// encodeJPEG returns RGB pixels as a baseline JPEG of libjpeg-turbo.
func encodeJPEG(pixels []byte, width, height int) ([]byte, error) {
	var out *C.uchar
	var length C.ulong
	var message [C.JMSG_LENGTH_MAX]C.char
	if C.render_jpeg((*C.uint8_t)(&pixels[0]), C.int(width), C.int(height), jpegQuality, &out, &length, &message[0]) == 0 {
		return nil, fmt.Errorf("render: jpeg: %s", C.GoString(&message[0]))
	}
	defer C.free(unsafe.Pointer(out))
	return C.GoBytes(unsafe.Pointer(out), C.int(length)), nil
}
