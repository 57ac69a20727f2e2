package render

// #cgo LDFLAGS: -lwebpmux
// #include <stdlib.h>
// #include <webp/encode.h>
// #include <webp/mux.h>
//
// static WebPAnimEncoder *render_anim_new(int width, int height) {
// 	WebPAnimEncoderOptions options;
// 	if (!WebPAnimEncoderOptionsInit(&options))
// 		return NULL;
// 	return WebPAnimEncoderNew(width, height, &options);
// }
//
// static int render_anim_add(WebPAnimEncoder *encoder, const uint8_t *rgba, int width, int height, int at_ms, float quality, int method) {
// 	WebPConfig config;
// 	WebPPicture picture;
// 	if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, quality) || !WebPPictureInit(&picture))
// 		return 0;
// 	config.method = method;
// 	picture.use_argb = 1;
// 	picture.width = width;
// 	picture.height = height;
// 	int done = WebPPictureImportRGBA(&picture, rgba, width * 4) && WebPAnimEncoderAdd(encoder, &picture, at_ms, &config);
// 	WebPPictureFree(&picture);
// 	return done;
// }
//
// static int render_anim_end(WebPAnimEncoder *encoder, int at_ms, WebPData *out) {
// 	WebPDataInit(out);
// 	return WebPAnimEncoderAdd(encoder, NULL, at_ms, NULL) && WebPAnimEncoderAssemble(encoder, out);
// }
import "C"

import (
	"fmt"
	"time"
	"unsafe"

	"swath/fault"
)

// webpAnimator hands each frame to libwebpmux, which keeps what differs from the one before.
type webpAnimator struct {
	encoder       *C.WebPAnimEncoder
	width, height int
	each          time.Duration
	frames        int
}

func newWebPAnimator(width, height int, each time.Duration) (*webpAnimator, error) {
	encoder := C.render_anim_new(C.int(width), C.int(height))
	if encoder == nil {
		return nil, fmt.Errorf("render: webp: no encoder of %d x %d pixels", width, height)
	}
	return &webpAnimator{encoder: encoder, width: width, height: height, each: each}, nil
}

func (a *webpAnimator) now() C.int {
	return C.int((time.Duration(a.frames) * a.each).Milliseconds())
}

func (a *webpAnimator) said() string { return C.GoString(C.WebPAnimEncoderGetError(a.encoder)) }

func (a *webpAnimator) Add(pixels []byte) error {
	if len(pixels) != 4*a.width*a.height {
		return fault.New(fault.Internal, "animation: a frame of %d bytes is not %d x %d pixels", len(pixels), a.width, a.height)
	}
	if C.render_anim_add(a.encoder, (*C.uint8_t)(&pixels[0]), C.int(a.width), C.int(a.height), a.now(), webpQuality, webpMethod) == 0 {
		return fmt.Errorf("render: webp: frame %d: %s", a.frames, a.said())
	}
	a.frames++
	return nil
}

func (a *webpAnimator) Bytes() ([]byte, error) {
	if a.frames == 0 {
		return nil, fault.New(fault.Invalid, "animation: there are no frames")
	}
	var out C.WebPData
	defer C.WebPDataClear(&out)
	if C.render_anim_end(a.encoder, a.now(), &out) == 0 {
		return nil, fmt.Errorf("render: webp: %s", a.said())
	}
	return C.GoBytes(unsafe.Pointer(out.bytes), C.int(out.size)), nil
}

func (a *webpAnimator) Close() {
	C.WebPAnimEncoderDelete(a.encoder)
	a.encoder = nil
}
