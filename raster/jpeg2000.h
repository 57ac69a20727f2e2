// Parts of JPEG 2000 codestreams, by OpenJPEG.
#ifndef SWATH_RASTER_JPEG2000_H
#define SWATH_RASTER_JPEG2000_H

#include <openjpeg.h>
#include <stddef.h>
#include <stdint.h>

enum { SWATH_JP2_ERROR = 256 };

// Decode the columns x0..x1 and rows y0..y1, counted at full resolution, of a codestream in memory at 1/2^reduce of its
// resolution. NULL when that fails; error, of SWATH_JP2_ERROR zeros, then says why. The image is the caller's to destroy.
opj_image_t *swath_jp2_decode(const uint8_t *bytes, size_t size, int reduce, int x0, int y0, int x1, int y1, char *error);

// Copy a rectangle of one component, counted from the corner of what was decoded, into values of 1, 2 or 4 bytes that lie
// step apart in rows of stride values. 0 when the image does not hold it.
int swath_jp2_copy(const opj_image_t *image, int component, int column, int row, int width, int height, void *to, int bytes, int step,
                   int stride);

#endif
