#ifndef SWATH_S1TILING_KERNELS_H
#define SWATH_S1TILING_KERNELS_H

// Sums of columns of some rows, and how many values there were; NaN does not count.
void swath_tiling_columns(float *sum, float *count, const float *rows, int width, int height);

// Means of windows from sums of columns, which have reach columns more on either side; NaN where the value itself is.
void swath_tiling_across(float *to, const float *sum, const float *count, const float *own, int width, int reach);

// Adds the ratios of values to their means, with sums rounded to twelve bits. Limit is the largest ratio that counts as it is; INFINITY: all do.
void swath_tiling_accumulate(float *sum, float *count, const float *values, const float *means, int n, float limit, float guard_after);

// Filtered values, rounded to twelve bits: means times the mean ratio. Values beyond limit stay.
void swath_tiling_apply(float *to, const float *values, const float *means, const float *sum, const float *count, int n, float limit);

#endif
