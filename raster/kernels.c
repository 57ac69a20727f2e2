#include "kernels.h"

#include <math.h>
#include <string.h>

#define UNDO(T)                                                              \
	static void undo_##T(T *restrict row, size_t width, size_t samples)      \
	{                                                                        \
		if (samples == 1) {                                                  \
			T sum = 0;                                                       \
			for (size_t i = 0; i < width; i++)                               \
				row[i] = sum = (T)(sum + row[i]);                            \
			return;                                                          \
		}                                                                    \
		for (size_t i = samples; i < width * samples; i++)                   \
			row[i] = (T)(row[i] + row[i - samples]);                         \
	}
UNDO(uint8_t)
UNDO(uint16_t)
UNDO(uint32_t)
UNDO(uint64_t)

#if defined(__SSE2__)
#include <emmintrin.h>

// Pixels of up to four or eight bytes at a time: the sums of all samples of a pixel are one vector, and each pixel is read before the
// one to its left is written, which may reach into it.
#define UNDO_PIXELS(NAME, WORD, TO_VECTOR, FROM_VECTOR, ADD)                  \
	static void undo_pixels_##NAME(uint8_t *row, size_t width, size_t pixel)  \
	{                                                                         \
		__m128i sum = _mm_setzero_si128();                                    \
		WORD own, next = 0;                                                   \
		if (width < 2)                                                        \
			return;                                                           \
		memcpy(&own, row, sizeof own);                                        \
		for (size_t i = 0; i + 2 < width; i++, row += pixel) {                \
			memcpy(&next, row + pixel, sizeof next);                          \
			sum = ADD(sum, TO_VECTOR(own));                                   \
			WORD out = (WORD)FROM_VECTOR(sum);                                \
			memcpy(row, &out, sizeof out);                                    \
			own = next;                                                       \
		}                                                                     \
		for (int k = 0; k < 2; k++, row += pixel) { /* nothing lies behind */ \
			sum = ADD(sum, TO_VECTOR(own));                                   \
			WORD out = (WORD)FROM_VECTOR(sum);                                \
			if (k == 0)                                                       \
				memcpy(&own, row + pixel, pixel);                             \
			memcpy(row, &out, pixel);                                         \
		}                                                                     \
	}
UNDO_PIXELS(bytes4, uint32_t, _mm_cvtsi32_si128, _mm_cvtsi128_si32, _mm_add_epi8)
UNDO_PIXELS(bytes8, uint64_t, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_add_epi8)
UNDO_PIXELS(words2, uint32_t, _mm_cvtsi32_si128, _mm_cvtsi128_si32, _mm_add_epi16)
UNDO_PIXELS(words4, uint64_t, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_add_epi16)

// One sample of two bytes, eight at a time: sums of neighbours, of pairs, of fours, and what came before.
static void undo_words(uint16_t *row, size_t width)
{
	__m128i before = _mm_setzero_si128();
	size_t i = 0;
	for (; i + 8 <= width; i += 8) {
		__m128i v = _mm_loadu_si128((const __m128i *)(row + i));
		v = _mm_add_epi16(v, _mm_slli_si128(v, 2));
		v = _mm_add_epi16(v, _mm_slli_si128(v, 4));
		v = _mm_add_epi16(v, _mm_slli_si128(v, 8));
		v = _mm_add_epi16(v, before);
		_mm_storeu_si128((__m128i *)(row + i), v);
		before = _mm_shufflehi_epi16(v, 0xff);
		before = _mm_unpackhi_epi64(before, before);
	}
	uint16_t sum = (uint16_t)_mm_cvtsi128_si32(before);
	for (; i < width; i++)
		row[i] = sum = (uint16_t)(sum + row[i]);
}

// The predictor of one row of the commonest pixels; 0 when it is none of them.
static int undo_wide(void *row, size_t width, size_t samples, int bytes)
{
	size_t pixel = samples * bytes;
	if (bytes == 2 && samples == 1)
		undo_words(row, width);
	else if (bytes == 1 && (samples == 3 || samples == 4))
		undo_pixels_bytes4(row, width, pixel);
	else if (bytes == 1 && samples > 4 && samples <= 8)
		undo_pixels_bytes8(row, width, pixel);
	else if (bytes == 2 && samples == 2)
		undo_pixels_words2(row, width, pixel);
	else if (bytes == 2 && (samples == 3 || samples == 4))
		undo_pixels_words4(row, width, pixel);
	else
		return 0;
	return 1;
}
#else
static int undo_wide(void *row, size_t width, size_t samples, int bytes) { return 0; }
#endif

void swath_undo_differences(void *pixels, int width, int height, int samples, int bytes)
{
	for (int y = 0; y < height; y++) {
		void *row = (uint8_t *)pixels + (size_t)y * width * samples * bytes;
		if (undo_wide(row, width, samples, bytes))
			continue;
		switch (bytes) {
		case 1: undo_uint8_t(row, width, samples); break;
		case 2: undo_uint16_t(row, width, samples); break;
		case 4: undo_uint32_t(row, width, samples); break;
		case 8: undo_uint64_t(row, width, samples); break;
		}
	}
}

// The bytes of a row, each the sum of those that lie samples before it.
static void undo_bytes(uint8_t *row, size_t width, size_t samples)
{
	size_t i = 0;
#if defined(__SSE2__)
	__m128i before = _mm_setzero_si128(); // the last pixel so far, again and again
	if (samples == 1 || samples == 2 || samples == 4)
		for (; i + 16 <= width * samples; i += 16) { // sums of neighbours, of pairs, and so on
			__m128i v = _mm_loadu_si128((const __m128i *)(row + i));
			if (samples == 1)
				v = _mm_add_epi8(v, _mm_slli_si128(v, 1));
			if (samples <= 2)
				v = _mm_add_epi8(v, _mm_slli_si128(v, 2));
			v = _mm_add_epi8(v, _mm_slli_si128(v, 4));
			v = _mm_add_epi8(v, _mm_slli_si128(v, 8));
			v = _mm_add_epi8(v, before);
			_mm_storeu_si128((__m128i *)(row + i), v);
			before = v;
			if (samples == 1)
				before = _mm_unpackhi_epi8(before, before);
			if (samples <= 2)
				before = _mm_shufflehi_epi16(before, 0xff);
			before = _mm_shuffle_epi32(before, 0xff);
		}
#endif
	for (i = i > samples ? i : samples; i < width * samples; i++)
		row[i] = (uint8_t)(row[i] + row[i - samples]);
}

// Four planes of bytes, the most significant first, become words; and the other way round.
SWATH_WIDE static void from_planes(uint32_t *restrict to, const uint8_t *restrict planes, size_t count)
{
	const uint8_t *a = planes, *b = a + count, *c = b + count, *d = c + count;
	for (size_t i = 0; i < count; i++)
		to[i] = (uint32_t)a[i] << 24 | (uint32_t)b[i] << 16 | (uint32_t)c[i] << 8 | d[i];
}

SWATH_WIDE static void to_planes(uint8_t *restrict planes, const uint32_t *restrict from, size_t count)
{
	for (int k = 0; k < 4; k++)
		for (size_t i = 0; i < count; i++)
			planes[k * count + i] = (uint8_t)(from[i] >> (24 - 8 * k));
}

// The planes of one row run on through all samples: byte k of value i is at k * count + i.
void swath_undo_float_planes(uint8_t *pixels, int width, int height, int samples, int bytes, uint8_t *scratch)
{
	size_t count = (size_t)width * samples;
	for (int y = 0; y < height; y++) {
		uint8_t *row = pixels + (size_t)y * count * bytes;
		undo_bytes(row, count * bytes / samples, samples);
		if (bytes == 4) {
			memcpy(scratch, row, count * bytes);
			from_planes((uint32_t *)row, scratch, count);
			continue;
		}
		for (size_t i = 0; i < count; i++)
			for (int k = 0; k < bytes; k++)
				scratch[i * bytes + k] = row[(size_t)(bytes - 1 - k) * count + i];
		memcpy(row, scratch, count * bytes);
	}
}

#define DIFFER(T)                                                            \
	static void differ_##T(T *row, size_t width, size_t samples)             \
	{                                                                        \
		for (size_t i = width * samples; i-- > samples;)                     \
			row[i] = (T)(row[i] - row[i - samples]);                         \
	}
DIFFER(uint8_t)
DIFFER(uint16_t)
DIFFER(uint32_t)
DIFFER(uint64_t)

void swath_differences(void *pixels, int width, int height, int samples, int bytes)
{
	for (int y = 0; y < height; y++) {
		void *row = (uint8_t *)pixels + (size_t)y * width * samples * bytes;
		switch (bytes) {
		case 1: differ_uint8_t(row, width, samples); break;
		case 2: differ_uint16_t(row, width, samples); break;
		case 4: differ_uint32_t(row, width, samples); break;
		case 8: differ_uint64_t(row, width, samples); break;
		}
	}
}

// The same from a copy, which is quick.
SWATH_WIDE static void differ_bytes(uint8_t *restrict row, size_t length, size_t samples, uint8_t *restrict copy)
{
	memcpy(copy, row, length);
	for (size_t i = samples; i < length; i++)
		row[i] = (uint8_t)(copy[i] - copy[i - samples]);
}

void swath_float_planes(uint8_t *pixels, int width, int height, int samples, int bytes, uint8_t *scratch)
{
	size_t count = (size_t)width * samples;
	for (int y = 0; y < height; y++) {
		uint8_t *row = pixels + (size_t)y * count * bytes;
		memcpy(scratch, row, count * bytes);
		if (bytes == 4)
			to_planes(row, (const uint32_t *)scratch, count);
		else
			for (size_t i = 0; i < count; i++)
				for (int k = 0; k < bytes; k++)
					row[(size_t)(bytes - 1 - k) * count + i] = scratch[i * bytes + k];
		differ_bytes(row, count * bytes, samples, scratch);
	}
}

void swath_swap(void *values, size_t count, int bytes)
{
	uint8_t *p = values;
	for (size_t i = 0; i < count; i++, p += bytes)
		for (int k = 0; k < bytes / 2; k++) {
			uint8_t t = p[k];
			p[k] = p[bytes - 1 - k];
			p[bytes - 1 - k] = t;
		}
}

#define TO_FLOAT(T, name)                                                                                    \
	static SWATH_WIDE void name(float *restrict to, const T *restrict from, int step, int width, int has, T nodata) \
	{                                                                                                        \
		if (step == 1 && has) {                                                                              \
			for (int i = 0; i < width; i++)                                                                  \
				to[i] = from[i] == nodata ? NAN : (float)from[i];                                            \
		} else if (step == 1) {                                                                              \
			for (int i = 0; i < width; i++)                                                                  \
				to[i] = (float)from[i];                                                                      \
		} else {                                                                                             \
			for (int i = 0; i < width; i++) {                                                                \
				T v = from[(size_t)i * step];                                                                \
				to[i] = has && v == nodata ? NAN : (float)v;                                                 \
			}                                                                                                \
		}                                                                                                    \
	}
TO_FLOAT(uint8_t, from_u8)
TO_FLOAT(int8_t, from_i8)
TO_FLOAT(uint16_t, from_u16)
TO_FLOAT(int16_t, from_i16)
TO_FLOAT(uint32_t, from_u32)
TO_FLOAT(int32_t, from_i32)
TO_FLOAT(float, from_f32)
TO_FLOAT(double, from_f64)

#define ROWS(T, name, lowest, highest)                                                             \
	do {                                                                                           \
		int has = has_nodata && nodata >= (lowest) && nodata <= (highest) && (double)(T)nodata == nodata; \
		for (int y = 0; y < height; y++)                                                           \
			name(to + (size_t)y * to_stride, (const T *)from + (size_t)y * from_stride, step, width, has, has ? (T)nodata : 0); \
	} while (0)

void swath_to_float(float *to, int to_stride, const void *from, int type, int step, int from_stride,
                    int width, int height, int has_nodata, double nodata)
{
	switch (type) {
	case U8: ROWS(uint8_t, from_u8, 0, UINT8_MAX); break;
	case I8: ROWS(int8_t, from_i8, INT8_MIN, INT8_MAX); break;
	case U16: ROWS(uint16_t, from_u16, 0, UINT16_MAX); break;
	case I16: ROWS(int16_t, from_i16, INT16_MIN, INT16_MAX); break;
	case U32: ROWS(uint32_t, from_u32, 0, UINT32_MAX); break;
	case I32: ROWS(int32_t, from_i32, INT32_MIN, INT32_MAX); break;
	case F32: { // NaN stays NaN by itself; a decimal nodata value is written with more digits than a float holds
		float value = (float)nodata;
		for (int y = 0; y < height; y++)
			from_f32(to + (size_t)y * to_stride, (const float *)from + (size_t)y * from_stride, step, width, has_nodata, value);
		break;
	}
	case F64:
		for (int y = 0; y < height; y++)
			from_f64(to + (size_t)y * to_stride, (const double *)from + (size_t)y * from_stride, step, width, has_nodata, nodata);
		break;
	}
}

void swath_apply_mask(float *to, int to_stride, const uint8_t *mask, int mask_stride, int width, int height)
{
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			if (!mask[(size_t)y * mask_stride + x])
				to[(size_t)y * to_stride + x] = NAN;
}

static inline int below(double v) // floor, for values far inside the range of int
{
	int i = (int)v;
	return i - (v < i);
}

// Lanczos' kernel of three lobes, at steps of 1/LANCZOS_STEPS: linear between them it is exact to 1e-7.
enum { LANCZOS_STEPS = 4096 };
static double lanczos[3 * LANCZOS_STEPS + 2];

__attribute__((constructor)) static void fill_lanczos(void)
{
	lanczos[0] = 1;
	for (int i = 1; i < 3 * LANCZOS_STEPS; i++) {
		double d = M_PI * i / LANCZOS_STEPS;
		lanczos[i] = 3 * sin(d) * sin(d / 3) / (d * d);
	}
}

// Keys' cubic convolution with a = -1/2, the triangle, and Lanczos.
static double weight(int kernel, double d)
{
	d = fabs(d);
	if (kernel == 1)
		return d < 1 ? 1 - d : 0;
	if (kernel == 3) {
		if (d >= 3)
			return 0;
		int i = (int)(d * LANCZOS_STEPS);
		return lanczos[i] + (d * LANCZOS_STEPS - i) * (lanczos[i + 1] - lanczos[i]);
	}
	if (d < 1)
		return (1.5 * d - 2.5) * d * d + 1;
	return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

enum { MAX_TAPS = 4096 };

// Weights of the pixels first .. first + n - 1 around a position, of those that lie in [0, size).
static int taps(int kernel, double position, double ratio, int size, int *first, float *weights)
{
	double reach = kernel * ratio;
	int from = below(position - 0.5 - reach) + 1, to = below(position - 0.5 + reach); // pixel i has its centre at i + 0.5
	if (from < 0)
		from = 0;
	if (to > size - 1)
		to = size - 1;
	if (to - from >= MAX_TAPS)
		to = from + MAX_TAPS - 1;
	*first = from;
	for (int i = from; i <= to; i++)
		weights[i - from] = (float)weight(kernel, (i + 0.5 - position) / ratio);
	return to < from ? 0 : to - from + 1;
}

void swath_filter(const swath_cell *cells, int count, const float *pixels, swath_window from, float *to, int to_stride,
                  int kernel, double column_ratio, double row_ratio)
{
	float across[MAX_TAPS], down[MAX_TAPS];
	// Below this ratio GDAL's warper does not stretch the kernel either.
	if (column_ratio < 1 / 0.95)
		column_ratio = 1;
	if (row_ratio < 1 / 0.95)
		row_ratio = 1;
	for (const swath_cell *c = cells; c < cells + count; c++) {
		for (int y = 0; y < c->height; y++) {
			for (int x = 0; x < c->width; x++) {
				double fx = (double)x / c->width, fy = (double)y / c->height;
				double left = c->column[0] + fy * (c->column[2] - c->column[0]), right = c->column[1] + fy * (c->column[3] - c->column[1]);
				double u = left + fx * (right - left) - from.column;
				left = c->row[0] + fy * (c->row[2] - c->row[0]), right = c->row[1] + fy * (c->row[3] - c->row[1]);
				double v = left + fx * (right - left) - from.row;
				float *out = to + (size_t)(c->y + y) * to_stride + c->x + x;
				*out = NAN;
				if (!(u + SWATH_EDGE >= 0 && v + SWATH_EDGE >= 0 && u + SWATH_EDGE < from.width && v + SWATH_EDGE < from.height))
					continue;
				const float *nearest = pixels + (size_t)(int)(v + SWATH_EDGE) * from.width + (int)(u + SWATH_EDGE);
				if (isnan(*nearest))
					continue;
				int column, row;
				int wide = taps(kernel, u, column_ratio, from.width, &column, across);
				int high = taps(kernel, v, row_ratio, from.height, &row, down);
				double sum = 0, weights = 0;
				for (int j = 0; j < high; j++) {
					const float *p = pixels + (size_t)(row + j) * from.width + column;
					float line = 0, line_weights = 0;
					for (int i = 0; i < wide; i++) {
						int valid = p[i] == p[i];
						float w = valid ? across[i] : 0;
						line += w * (valid ? p[i] : 0);
						line_weights += w;
					}
					sum += (double)down[j] * line;
					weights += (double)down[j] * line_weights;
				}
				*out = fabs(weights) > 1e-3 ? (float)(sum / weights) : *nearest;
			}
		}
	}
}

// The position in a cell of a point that is given in pixels from the first one's centre.
static void place(const swath_cell *c, double x, double y, double *u, double *v)
{
	double fx = x / c->width, fy = y / c->height;
	double left = c->column[0] + fy * (c->column[2] - c->column[0]), right = c->column[1] + fy * (c->column[3] - c->column[1]);
	*u = left + fx * (right - left);
	left = c->row[0] + fy * (c->row[2] - c->row[0]), right = c->row[1] + fy * (c->row[3] - c->row[1]);
	*v = left + fx * (right - left);
}

// The pixels from first to before last that an interval touches, of those that lie in [0, size). An edge that interpolation
// put a hair into a pixel does not touch it.
static void touched(double a, double b, int size, double *low, double *high, int *first, int *last)
{
	*low = a < b ? a : b, *high = a < b ? b : a;
	*low = *low > 0 ? *low : 0, *high = *high < size ? *high : size;
	*first = *last = 0;
	if (!(*low < *high)) // also NaN
		return;
	*first = (int)(*low + SWATH_EDGE), *last = (int)ceil(*high - SWATH_EDGE);
	if (*last <= *first)
		*last = *first + 1;
	if (*last > size)
		*last = size;
}

static double covered(int pixel, double low, double high)
{
	double a = low > pixel ? low : pixel, b = high < pixel + 1 ? high : pixel + 1;
	return b > a ? b - a : 0;
}

enum { MAX_CLASSES = 256 };

void swath_area(const swath_cell *cells, int count, const float *pixels, swath_window from, float *to, int to_stride, int mode,
                double column_ratio, double row_ratio)
{
	float classes[MAX_CLASSES];
	int votes[MAX_CLASSES];
	for (const swath_cell *c = cells; c < cells + count; c++) {
		for (int y = 0; y < c->height; y++) {
			for (int x = 0; x < c->width; x++) {
				double u0, v0, u1, v1, left, right, top, bottom, sum = 0, weights = 0;
				int first_column, last_column, first_row, last_row, n = 0, most = 0;
				place(c, x - 0.5, y - 0.5, &u0, &v0);
				place(c, x + 0.5, y + 0.5, &u1, &v1);
				if (u0 == u1 && v0 == v1)
					u0 -= column_ratio / 2, u1 += column_ratio / 2, v0 -= row_ratio / 2, v1 += row_ratio / 2;
				touched(u0 - from.column, u1 - from.column, from.width, &left, &right, &first_column, &last_column);
				touched(v0 - from.row, v1 - from.row, from.height, &top, &bottom, &first_row, &last_row);
				for (int row = first_row; row < last_row; row++) {
					const float *p = pixels + (size_t)row * from.width;
					double down = covered(row, top, bottom);
					for (int column = first_column; column < last_column; column++) {
						float value = p[column];
						if (isnan(value))
							continue;
						if (!mode) {
							double w = down * covered(column, left, right);
							sum += w * value;
							weights += w;
							continue;
						}
						int k = 0;
						while (k < n && classes[k] != value)
							k++;
						if (k == MAX_CLASSES)
							continue; // not a classification
						if (k == n) {
							classes[n] = value;
							votes[n++] = 0;
						}
						if (++votes[k] > votes[most])
							most = k;
					}
				}
				float *out = to + (size_t)(c->y + y) * to_stride + c->x + x;
				if (mode)
					*out = n > 0 ? classes[most] : NAN;
				else
					*out = weights > 0 ? (float)(sum / weights) : NAN;
			}
		}
	}
}

// Runs of values without nodata, which is nearly all, need no branches. Where a value of a run is nodata it is done once more.
#define HALVE(T)                                                                                                       \
	static inline __attribute__((always_inline)) unsigned halve_run_##T(T *restrict to, const T *restrict a, const T *restrict b, int n, \
	                                                                    int samples, unsigned has, unsigned none)                \
	{                                                                                                              \
		unsigned some = 0;                                                                                     \
		for (int i = 0; i < n; i++) {                                                                          \
			unsigned p = a[2 * i * samples], q = a[(2 * i + 1) * samples], r = b[2 * i * samples], s = b[(2 * i + 1) * samples]; \
			unsigned v = (p + q + r + s + 2) >> 2;                                                         \
			some |= (p == none) | (q == none) | (r == none) | (s == none);                                 \
			to[i * samples] = (T)(v + (has & (v == none)));                                                \
		}                                                                                                      \
		return some & has;                                                                                     \
	}                                                                                                              \
	static void halve_##T(T *to, const T *a, const T *b, int width, int samples, unsigned has, unsigned none)              \
	{                                                                                                              \
		enum { RUN = 128 };                                                                                    \
		for (int first = 0; first < width; first += RUN) {                                                     \
			int n = width - first < RUN ? width - first : RUN;                                             \
			for (int k = 0; k < samples; k++) {                                                            \
				T *t = to + first * samples + k;                                                       \
				const T *p = a + 2 * first * samples + k, *q = b + 2 * first * samples + k;            \
				unsigned some = samples == 1 ? halve_run_##T(t, p, q, n, 1, has, none) : halve_run_##T(t, p, q, n, samples, has, none); \
				if (!some)                                                                             \
					continue;                                                                      \
				for (int i = 0; i < n; i++) {                                                          \
					const T four[4] = {p[2 * i * samples], p[(2 * i + 1) * samples], q[2 * i * samples], q[(2 * i + 1) * samples]}; \
					unsigned sum = 0, count = 0;                                                   \
					for (int j = 0; j < 4; j++) {                                                  \
						sum += four[j] == none ? 0 : four[j];                                  \
						count += four[j] != none;                                              \
					}                                                                              \
					unsigned v = count ? (2 * sum + count) / (2 * count) : none;                   \
					t[i * samples] = (T)(v + (count && v == none));                                \
				}                                                                                      \
			}                                                                                              \
		}                                                                                                      \
	}
HALVE(uint8_t)
HALVE(uint16_t)

void swath_halve(void *to, const void *above, const void *below, int width, int samples, int bytes, int has_nodata, unsigned nodata)
{
	if (bytes == 1)
		halve_uint8_t(to, above, below, width, samples, has_nodata != 0, nodata);
	else
		halve_uint16_t(to, above, below, width, samples, has_nodata != 0, nodata);
}

// Means of two by two pixels; NaN does not count.
SWATH_WIDE void swath_halve_floats(float *restrict to, const float *restrict above, const float *restrict below, int width, int samples)
{
	for (int x = 0; x < width; x++) {
		const float *a = above + (size_t)2 * x * samples, *b = below + (size_t)2 * x * samples;
		for (int s = 0; s < samples; s++) {
			float four[4] = {a[s], a[s + samples], b[s], b[s + samples]};
			double sum = 0, count = 0;
			for (int i = 0; i < 4; i++) {
				sum += four[i] == four[i] ? four[i] : 0;
				count += four[i] == four[i] ? 1 : 0;
			}
			to[x * samples + s] = (float)(sum / count); // 0/0 is NaN
		}
	}
}
