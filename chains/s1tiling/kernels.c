// Every machine computes the same numbers: no products are fused.
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math", "fp-contract=off")

#include "kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define WIDE
#endif

WIDE void swath_tiling_columns(float *restrict sum, float *restrict count, const float *restrict rows, int width, int height)
{
	memset(sum, 0, (size_t)width * sizeof *sum);
	memset(count, 0, (size_t)width * sizeof *count);
	for (int j = 0; j < height; j++) {
		const float *row = rows + (size_t)j * width;
		for (int i = 0; i < width; i++) {
			sum[i] += row[i] == row[i] ? row[i] : 0;
			count[i] += row[i] == row[i] ? 1 : 0;
		}
	}
}

WIDE void swath_tiling_across(float *restrict to, const float *restrict sum, const float *restrict count, const float *restrict own, int width, int reach)
{
	enum { PART = 256 }; // stays in the first cache
	for (int at = 0; at < width; at += PART) {
		float s[PART] = {0}, c[PART] = {0};
		int n = width - at < PART ? width - at : PART;
		for (int k = 0; k <= 2 * reach; k++)
			for (int i = 0; i < n; i++) {
				s[i] += sum[at + i + k];
				c[i] += count[at + i + k];
			}
		for (int i = 0; i < n; i++)
			to[at + i] = own[at + i] == own[at + i] ? s[i] / c[i] : own[at + i];
	}
}

// The nearest float with a mantissa of twelve bits; of two as near, the even one.
static inline __attribute__((always_inline)) float twelve(float v)
{
	uint32_t b;
	memcpy(&b, &v, sizeof b);
	b = (b + 0x3ff + (b >> 11 & 1)) & ~0x7ffu;
	memcpy(&v, &b, sizeof b);
	return v;
}

WIDE void swath_tiling_accumulate(float *restrict sum, float *restrict count, const float *restrict values, const float *restrict means, int n, float limit,
                                  float guard_after)
{
	for (int i = 0; i < n; i++) {
		float s = sum[i], c = count[i], e = means[i];
		float ratio = values[i] / e, mean = s / c;
		float most = limit * (mean > 1 ? mean : 1);
		ratio = c >= guard_after && ratio > most ? mean : ratio;
		int counts = e > 0 && ratio == ratio;
		sum[i] = counts ? twelve(s + ratio) : s;
		count[i] = counts ? c + 1 : c;
	}
}

WIDE void swath_tiling_apply(float *restrict to, const float *restrict values, const float *restrict means, const float *restrict sum,
                             const float *restrict count, int n, float limit)
{
	for (int i = 0; i < n; i++) {
		float v = values[i], e = means[i], mean = sum[i] / count[i];
		float most = limit * (mean > 1 ? mean : 1) * e;
		int filtered = e > 0 && count[i] > 0 && !(v > most);
		float f = filtered ? e * mean : v;
		to[i] = v == v ? twelve(f) : NAN;
	}
}
