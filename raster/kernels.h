// Row kernels of the raster room. One call does a whole block or a whole grid, never a pixel.
#ifndef SWATH_RASTER_KERNELS_H
#define SWATH_RASTER_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// A function that works on eight pixels at a time where the processor can.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SWATH_WIDE __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define SWATH_WIDE
#endif

// A position that lies on a pixel's edge but for rounding belongs to the pixel it begins (as in GDAL's warper).
#define SWATH_EDGE 1e-8

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

// Halve two lines of 2 x width pixels of samples values of 1 or 2 unsigned bytes each: the mean of four, rounded, leaving out those of
// the nodata value. A mean is never nodata, unless there is nothing else.
void swath_halve(void *to, const void *above, const void *below, int width, int samples, int bytes, int has_nodata, unsigned nodata);

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

// The decoded blocks of an image of width x height pixels: those from block (first_x, first_y) on, across of them in a row;
// NULL where none is. Pixels have step samples of a type, in rows of block_width pixels.
typedef struct {
	const void *const *blocks;
	int first_x, first_y, across;
	int width, height, block_width, block_height;
	int shift_x, shift_y; // the sides of a block as powers of two, -1 when they are none
	int type, step;
	double nodata; // as the type holds it; NaN: none
} swath_blocks;

// Write some samples of the pixel that each place of the cells lies in, each into its own plane; NaN where it is nodata, or
// the place beside the image or in a block that is not there.
void swath_nearest(const swath_cell *cells, int count, const swath_blocks *from, const int *samples, int bands, float *const *to, int stride);

// Sample the pixels of a window at every pixel of the cells, NaN outside of it, with a separable kernel, 1 bilinear, 2 cubic or
// 3 Lanczos, stretched by ratio source pixels per output pixel where that is
// above one. Invalid neighbours carry no weight; a sample whose nearest pixel is invalid is NaN.
void swath_filter(const swath_cell *cells, int count, const float *pixels, swath_window from, float *to, int to_stride,
                  int kernel, double column_ratio, double row_ratio);

// Make every pixel of the cells of all the valid pixels under it: of their mean, weighted by the area that is covered, or of
// the value that most of them have. A pixel whose neighbours are not known is as large as the ratios say.
void swath_area(const swath_cell *cells, int count, const float *pixels, swath_window from, float *to, int to_stride, int mode,
                double column_ratio, double row_ratio);

// Means of two by two pixels of one line of an overview, from the two lines below it; NaN does not count.
void swath_halve_floats(float *to, const float *above, const float *below, int width, int samples);

#endif
