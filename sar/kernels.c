// Every machine computes the same numbers: no products are fused.
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math", "fp-contract=off")

#include "kernels.h"

#include <math.h>

#if defined(__x86_64__)
#define WIDE __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define WIDE
#endif

WIDE void swath_sar_places(float *restrict line, float *restrict pixel, const float *restrict heights, int count, float middle, float scale,
                           const swath_sar_cell *restrict cell)
{
	const swath_sar_cell c = *cell;
	for (int i = 0; i < count; i++) {
		float f = (float)i, u = (heights[i] - middle) * scale;
		line[i] = (c.line[0] + f * c.line_step[0]) + u * ((c.line[1] + f * c.line_step[1]) + u * (c.line[2] + f * c.line_step[2]));
		pixel[i] = (c.pixel[0] + f * c.pixel_step[0]) + u * ((c.pixel[1] + f * c.pixel_step[1]) + u * (c.pixel[2] + f * c.pixel_step[2]));
	}
}

WIDE void swath_sar_calibrate(float *restrict to, const uint16_t *restrict dn, int count, const float *restrict noise, const float *restrict a0,
                              const float *restrict a1, float w)
{
	for (int i = 0; i < count; i++) {
		float d = (float)dn[i], a = a0[i] + w * (a1[i] - a0[i]);
		float v = (d * d - noise[i]) / (a * a);
		to[i] = dn[i] == 0 ? NAN : v;
	}
}

void swath_sar_nearest(float *to, const float *line, const float *pixel, int count, const float *image, int width, int height)
{
	for (int i = 0; i < count; i++) {
		float l = line[i] + 0.5f, p = pixel[i] + 0.5f;
		to[i] = l >= 0 && p >= 0 && l < height && p < width ? image[(int)l * width + (int)p] : NAN;
	}
}

static inline __attribute__((always_inline)) float bilinear(float l, float p, const float *image, int width, int height)
{
	if (!(l > -0.5f && p > -0.5f && l < height - 0.5f && p < width - 0.5f))
		return NAN;
	int y = (int)(l + 1) - 1, x = (int)(p + 1) - 1;
	float fy = l - y, fx = p - x;
	if (y >= 0 && x >= 0 && y + 1 < height && x + 1 < width) {
		const float *q = image + y * width + x;
		float top = q[0] + fx * (q[1] - q[0]), bottom = q[width] + fx * (q[width + 1] - q[width]);
		float v = top + fy * (bottom - top);
		if (v == v)
			return v;
	}
	float sum = 0, weight = 0;
	for (int j = 0; j < 2; j++)
		for (int i = 0; i < 2; i++) {
			if (y + j < 0 || x + i < 0 || y + j >= height || x + i >= width)
				continue;
			float v = image[(y + j) * width + x + i], w = (j ? fy : 1 - fy) * (i ? fx : 1 - fx);
			if (v == v) {
				sum += w * v;
				weight += w;
			}
		}
	return weight > 0.25f ? sum / weight : NAN;
}

void swath_sar_bilinear(float *to, const float *line, const float *pixel, int count, const float *image, int width, int height)
{
	for (int i = 0; i < count; i++)
		to[i] = bilinear(line[i], pixel[i], image, width, height);
}

// Keys' kernel, a = -1/2 (IEEE TASSP 29(6), 1981).
static inline __attribute__((always_inline)) void keys(float t, float w[4])
{
	w[0] = t * (-0.5f + t * (1 - 0.5f * t));
	w[1] = 1 + t * t * (-2.5f + 1.5f * t);
	w[2] = t * (0.5f + t * (2 - 1.5f * t));
	w[3] = t * t * (-0.5f + 0.5f * t);
}

void swath_sar_cubic(float *to, const float *line, const float *pixel, int count, const float *image, int width, int height)
{
	for (int i = 0; i < count; i++) {
		float l = line[i], p = pixel[i];
		if (l >= 1 && p >= 1 && l < height - 2 && p < width - 2) {
			int y = (int)l, x = (int)p;
			float wy[4], wx[4], v = 0;
			keys(l - y, wy);
			keys(p - x, wx);
			for (int j = 0; j < 4; j++) {
				const float *q = image + (y - 1 + j) * width + x - 1;
				v += wy[j] * (wx[0] * q[0] + wx[1] * q[1] + wx[2] * q[2] + wx[3] * q[3]);
			}
			if (v == v) {
				to[i] = v;
				continue;
			}
		}
		to[i] = bilinear(l, p, image, width, height);
	}
}

void swath_sar_scatter(float *image, int width, int height, const float *line, const float *pixel, const float *amount, int count)
{
	for (int i = 0; i < count; i++) {
		float l = line[i], p = pixel[i];
		if (!(l >= 0 && p >= 0 && l < height - 1 && p < width - 1))
			continue;
		int y = (int)l, x = (int)p;
		float fy = l - y, fx = p - x, bottom = amount[i] * fy, top = amount[i] - bottom;
		float *q = image + y * width + x;
		q[1] += top * fx;
		q[0] += top - top * fx;
		q[width + 1] += bottom * fx;
		q[width] += bottom - bottom * fx;
	}
}

WIDE void swath_sar_facets(float *restrict area, const float *restrict north, const float *restrict here, const float *restrict south, int count,
                           float per_x, float per_y, const float *restrict look, const float *restrict look_step, float size)
{
	const float lx = look[0], ly = look[1], lz = look[2], sx = look_step[0], sy = look_step[1], sz = look_step[2];
	for (int i = 0; i < count; i++) {
		float f = (float)i;
		float dx = (here[i + 2] - here[i]) * per_x, dy = (north[i + 1] - south[i + 1]) * per_y;
		float v = size * ((lz + f * sz) - dx * (lx + f * sx) - dy * (ly + f * sy));
		area[i] = v > 0 ? v : 0;
	}
}
