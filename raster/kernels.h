// Row kernels of the raster room. One call does a whole block or a whole grid, never a pixel.
#ifndef SWATH_RASTER_KERNELS_H
#define SWATH_RASTER_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// The types of stored samples.
enum { U8, I8, U16, I16, U32, I32, F32, F64 };

// Undo the horizontal predictor in place: rows of width pixels of samples values of bytes each.
void swath_undo_differences(void *pixels, int width, int height, int samples, int bytes);

// Undo the floating point predictor: rows of width values whose bytes lie in planes, most significant first.
// scratch holds one row.
void swath_undo_float_planes(uint8_t *pixels, int width, int height, int samples, int bytes, uint8_t *scratch);

// The horizontal predictor, in place.
void swath_differences(void *pixels, int width, int height, int samples, int bytes);

// The floating point predictor, in place. scratch holds one row.
void swath_float_planes(uint8_t *pixels, int width, int height, int samples, int bytes, uint8_t *scratch);

// Swap the bytes of count values in place.
void swath_swap(void *values, size_t count, int bytes);

// Copy width x height samples of a type, step values apart in rows source_stride values apart, into floats; the nodata
// value, as the type holds it, becomes NaN.
void swath_to_float(float *to, int to_stride, const void *from, int type, int step, int from_stride,
                    int width, int height, int has_nodata, double nodata);

// Write NaN where the mask is 0.
void swath_apply_mask(float *to, int to_stride, const uint8_t *mask, int mask_stride, int width, int height);

// A cell of the control grid: the output pixels from (x, y), width by height of them, whose centres lie at the source
// positions interpolated between the corners: column and row at the first pixel's centre, one step past the last to the
// right, below, and both.
typedef struct {
	int x, y, width, height;
	double column[4], row[4];
} swath_cell;

// A piece of the source image: width x height pixels, the first of which is at (column, row).
typedef struct {
	int column, row, width, height;
} swath_window;

// Sample the pixels of a window at every pixel of the cells. Positions outside the window become NaN.
void swath_nearest(const swath_cell *cells, int count, const float *pixels, swath_window from, float *to, int to_stride);

// The same with a separable kernel, 1 bilinear, 2 cubic or 3 Lanczos, stretched by ratio source pixels per output pixel where that is
// above one. Invalid neighbours carry no weight; a sample whose nearest pixel is invalid is NaN.
void swath_filter(const swath_cell *cells, int count, const float *pixels, swath_window from, float *to, int to_stride,
                  int kernel, double column_ratio, double row_ratio);

// Make every pixel of the cells of all the valid pixels under it: of their mean, weighted by the area that is covered, or of
// the value that most of them have.
void swath_area(const swath_cell *cells, int count, const float *pixels, swath_window from, float *to, int to_stride, int mode);

#endif
