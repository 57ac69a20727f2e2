// Parts of JPEG 2000 codestreams, by OpenJPEG.
#ifndef SWATH_RASTER_JPEG2000_H
#define SWATH_RASTER_JPEG2000_H

#include <openjpeg.h>
#include <stddef.h>
#include <stdint.h>

enum { SWATH_JP2_ERROR = 256 };

// Decode the columns x0..x1 and rows y0..y1, counted at full resolution, of a codestream in memory at 1/2^reduce of its
// resolution into planes of width x height values, one for each component. 0 when that fails; error, of SWATH_JP2_ERROR zeros, then
// says why.
int swath_jp2_decode(const uint8_t *bytes, size_t size, int reduce, int x0, int y0, int x1, int y1, int32_t *to, int components, int width,
                     int height, char *error);

// Copy width x height values from rows from_stride apart to values of 1, 2 or 4 bytes that lie step apart in rows of to_stride values.
void swath_narrow(void *to, int bytes, int step, int to_stride, const int32_t *from, int from_stride, int width, int height);

#endif
