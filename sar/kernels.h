#ifndef SWATH_SAR_KERNELS_H
#define SWATH_SAR_KERNELS_H

#include <stdint.h>

// Line and pixel along a row: v = a + u·b + u²·c with u = (h − middle)·scale, each of a, b, c going linearly from its first value by its step.
typedef struct {
	float line[3], pixel[3];           // at the first place
	float line_step[3], pixel_step[3]; // from one place to the next
} swath_sar_cell;

void swath_sar_places(float *line, float *pixel, const float *heights, int count, float middle, float scale, const swath_sar_cell *cell);

// A row of backscatter of digital numbers: (dn² − noise) / a², NaN where dn is 0. Noise is n0 + w·(n1 − n0), times nothing else; a likewise.
void swath_sar_calibrate(float *to, const uint16_t *dn, int count, const float *noise, const float *a0, const float *a1, float w);

// Samples of an image at places, whole numbers being centres; NaN counts for nothing, and beyond half a pixel outside there is nothing.
void swath_sar_nearest(float *to, const float *line, const float *pixel, int count, const float *image, int width, int height);
void swath_sar_bilinear(float *to, const float *line, const float *pixel, int count, const float *image, int width, int height);
void swath_sar_cubic(float *to, const float *line, const float *pixel, int count, const float *image, int width, int height);

// Adds amounts to the four samples around each place.
void swath_sar_scatter(float *image, int width, int height, const float *line, const float *pixel, const float *amount, int count);

// Areas of facets facing the radar, from heights of three rows: the middle one has a height before its first and one behind its last.
void swath_sar_facets(float *area, const float *north, const float *here, const float *south, int count, float per_x, float per_y,
                      const float *look, const float *look_step, float size);

#endif
