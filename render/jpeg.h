#ifndef SWATH_RENDER_JPEG_H
#define SWATH_RENDER_JPEG_H

#include <stdint.h>

// render_jpeg encodes RGB pixels with 4:2:0 colour. It returns 1 and a buffer that the caller frees, or 0 and the
// library's words.
int render_jpeg(const uint8_t *pixels, int width, int height, int quality, unsigned char **out, unsigned long *length,
	char *message);

#endif
