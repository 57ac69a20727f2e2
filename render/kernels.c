// Selection by value instead of branches, so that the compiler can work on eight pixels at a time.
#pragma GCC optimize("no-math-errno", "no-trapping-math")

#include "kernels.h"
#include <math.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#ifdef __x86_64__ // AVX2 without FMA: the same bits on every machine
#define ROWS __attribute__((target_clones("avx2", "default")))
#else
#define ROWS
#endif

#define EACH(value) \
	_Pragma("GCC ivdep") for (size_t i = 0; i < n; i++) d[i] = (value); \
	break
#define TRUE_WHERE(condition) (!((a[i] == a[i]) & (b[i] == b[i])) ? NAN : (condition) ? 1.0f : 0.0f)
#define IS_WHOLE(x) (fabsf(x) < 2147483648.0f) // fits an int32 once cut; false for NaN
#define WHOLE(x) ((int32_t)(IS_WHOLE(x) ? (x) : 0.0f))
#define BITS(value) (IS_WHOLE(a[i]) & IS_WHOLE(b[i]) ? (float)(value) : NAN)

// The remainder with the sign of the divisor, as in Python.
static inline float modulo(float a, float b) {
	float r = fmodf(a, b);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

ROWS static void run(const render_instr *code, int steps, float **regs, float *const *outputs, size_t offset, size_t n) {
	for (const render_instr *step = code; step < code + steps; step++) {
		const float *a = regs[step->a], *b = regs[step->b], *c = regs[step->c];
		float *d = step->op >= OP_STORE ? outputs[step->dst] + offset : regs[step->dst];
		switch (step->op) {
		case OP_NEG: EACH(-a[i]);
		case OP_NOT: EACH(a[i] != a[i] ? NAN : a[i] == 0 ? 1.0f : 0.0f);
		case OP_INVERT: EACH(IS_WHOLE(a[i]) ? (float)~WHOLE(a[i]) : NAN);
		case OP_ADD: EACH(a[i] + b[i]);
		case OP_SUB: EACH(a[i] - b[i]);
		case OP_MUL: EACH(a[i] * b[i]);
		case OP_DIV: EACH(b[i] == 0 ? NAN : a[i] / b[i]);
		case OP_MOD: EACH(modulo(a[i], b[i]));
		case OP_FMOD: EACH(fmodf(a[i], b[i]));
		case OP_POW: EACH((a[i] == a[i]) & (b[i] == b[i]) ? powf(a[i], b[i]) : NAN);
		case OP_LT: EACH(TRUE_WHERE(a[i] < b[i]));
		case OP_LE: EACH(TRUE_WHERE(a[i] <= b[i]));
		case OP_GT: EACH(TRUE_WHERE(a[i] > b[i]));
		case OP_GE: EACH(TRUE_WHERE(a[i] >= b[i]));
		case OP_EQ: EACH(TRUE_WHERE(a[i] == b[i]));
		case OP_NE: EACH(TRUE_WHERE(a[i] != b[i]));
		case OP_AND: EACH(BITS(WHOLE(a[i]) & WHOLE(b[i])));
		case OP_OR: EACH(BITS(WHOLE(a[i]) | WHOLE(b[i])));
		case OP_XOR: EACH(BITS(WHOLE(a[i]) ^ WHOLE(b[i])));
		case OP_WHERE: EACH(a[i] != a[i] ? NAN : a[i] != 0 ? b[i] : c[i]);
		case OP_MIN: EACH((a[i] < b[i]) | (a[i] != a[i]) ? a[i] : b[i]);
		case OP_MAX: EACH((a[i] > b[i]) | (a[i] != a[i]) ? a[i] : b[i]);
		case OP_ABS: EACH(fabsf(a[i]));
		case OP_SQRT: EACH(sqrtf(a[i]));
		case OP_LOG: EACH(logf(a[i]));
		case OP_LOG10: EACH(log10f(a[i]));
		case OP_LOG1P: EACH(log1pf(a[i]));
		case OP_EXP: EACH(expf(a[i]));
		case OP_EXPM1: EACH(expm1f(a[i]));
		case OP_SIN: EACH(sinf(a[i]));
		case OP_COS: EACH(cosf(a[i]));
		case OP_TAN: EACH(tanf(a[i]));
		case OP_ARCSIN: EACH(asinf(a[i]));
		case OP_ARCCOS: EACH(acosf(a[i]));
		case OP_ARCTAN: EACH(atanf(a[i]));
		case OP_ARCTAN2: EACH(atan2f(a[i], b[i]));
		case OP_FLOOR: EACH(floorf(a[i]));
		case OP_CEIL: EACH(ceilf(a[i]));
		case OP_SINH: EACH(sinhf(a[i]));
		case OP_COSH: EACH(coshf(a[i]));
		case OP_TANH: EACH(tanhf(a[i]));
		case OP_ARCSINH: EACH(asinhf(a[i]));
		case OP_ARCCOSH: EACH(acoshf(a[i]));
		case OP_ARCTANH: EACH(atanhf(a[i]));
		case OP_LOG2: EACH(log2f(a[i]));
		case OP_ROUND: EACH(rintf(a[i]));
		case OP_TRUNC: EACH(truncf(a[i]));
		case OP_SIGN: EACH(a[i] > 0 ? 1.0f : a[i] < 0 ? -1.0f : a[i]);
		case OP_HYPOT: EACH(hypotf(a[i], b[i]));
		case OP_COPYSIGN: EACH(b[i] == b[i] ? copysignf(a[i], b[i]) : NAN);
		case OP_STORE: EACH(fabsf(a[i]) <= 3.402823466e38f ? a[i] : NAN); // infinite is no value
		case OP_MASK: EACH(a[i] == a[i] ? d[i] : NAN);
		}
	}
}

void render_eval(const render_instr *code, int steps, const float *const *bands, int nbands, float *work, int nwork,
	float *const *outputs, size_t n) {
	float *regs[RENDER_REGISTERS];
	for (int r = 0; r < nwork; r++)
		regs[nbands + r] = work + (size_t)r * RENDER_CHUNK;
	for (size_t offset = 0; offset < n; offset += RENDER_CHUNK) {
		for (int r = 0; r < nbands; r++)
			regs[r] = (float *)bands[r] + offset; // bands are never a destination
		run(code, steps, regs, outputs, offset, n - offset < RENDER_CHUNK ? n - offset : RENDER_CHUNK);
	}
}

ROWS size_t render_count_nan(const float *const *planes, int nplanes, size_t n) {
	size_t count = 0;
	const float *a = planes[0], *b = planes[nplanes / 2], *c = planes[nplanes - 1]; // one plane: three times the same
	for (size_t offset = 0; offset < n; offset += RENDER_CHUNK) {
		size_t end = n - offset < RENDER_CHUNK ? n : offset + RENDER_CHUNK;
		int32_t some = 0;
		for (size_t i = offset; i < end; i++)
			some += (a[i] != a[i]) | (b[i] != b[i]) | (c[i] != c[i]);
		count += some;
	}
	return count;
}

ROWS void render_scale(float *x, size_t n, double scale, double offset) {
	for (size_t i = 0; i < n; i++)
		x[i] = (float)(x[i] * scale + offset);
}

// Four counts of each value: equal neighbours do not wait for each other.
void render_histogram(const uint8_t *bytes, size_t n, uint32_t *counts) {
	uint32_t part[4][256] = {0};
	size_t i = 0;
	for (; i + 4 <= n; i += 4)
		part[0][bytes[i]]++, part[1][bytes[i + 1]]++, part[2][bytes[i + 2]]++, part[3][bytes[i + 3]]++;
	for (; i < n; i++)
		part[0][bytes[i]]++;
	for (int v = 0; v < 256; v++)
		counts[v] = part[0][v] + part[1][v] + part[2][v] + part[3][v];
}

#define INLINE static inline __attribute__((always_inline))

// render_first of the pixels from an offset on, one by one.
static size_t first_each(const float *const *planes, int nplanes, size_t offset, size_t n, int32_t image, float *const *out, int32_t *from) {
	size_t taken = 0;
	for (size_t i = offset; i < n; i++) {
		int take = image == 0 || from[i] < 0;
		for (int p = 0; p < nplanes; p++)
			take &= planes[p][i] == planes[p][i];
		taken += take;
		from[i] = take ? image : image == 0 ? -1 : from[i];
		for (int p = 0; p < nplanes; p++)
			out[p][i] = take ? planes[p][i] : image == 0 ? NAN : out[p][i];
	}
	return taken;
}

#ifdef __x86_64__
static int has_avx2(void) { return __builtin_cpu_supports("avx2"); }

// The same for eight pixels at a time: of eight that are all from an image, nothing more is read.
__attribute__((target("avx2"))) static size_t first_avx2(const float *const *planes, int nplanes, size_t n, int32_t image, float *const *out, int32_t *from) {
	const __m256i none = _mm256_set1_epi32(-1), own = _mm256_set1_epi32(image);
	size_t taken = 0, i = 0;
	for (; i + 8 <= n; i += 8) {
		__m256i before = image == 0 ? none : _mm256_loadu_si256((const __m256i *)(from + i));
		__m256 take = _mm256_castsi256_ps(before); // the sign says which are from none
		if (_mm256_movemask_ps(take) == 0)
			continue;
		take = _mm256_castsi256_ps(_mm256_srai_epi32(before, 31));
		for (int p = 0; p < nplanes; p++) {
			__m256 x = _mm256_loadu_ps(planes[p] + i);
			take = _mm256_and_ps(take, _mm256_cmp_ps(x, x, _CMP_ORD_Q));
		}
		int which = _mm256_movemask_ps(take);
		if (which == 0 && image > 0)
			continue;
		taken += __builtin_popcount(which);
		for (int p = 0; p < nplanes; p++) {
			__m256 there = image == 0 ? _mm256_set1_ps(NAN) : _mm256_loadu_ps(out[p] + i);
			_mm256_storeu_ps(out[p] + i, _mm256_blendv_ps(there, _mm256_loadu_ps(planes[p] + i), take));
		}
		_mm256_storeu_si256((__m256i *)(from + i), _mm256_blendv_epi8(before, own, _mm256_castps_si256(take)));
	}
	return taken + first_each(planes, nplanes, i, n, image, out, from);
}
#else
static int has_avx2(void) { return 0; }
#define first_avx2(...) 0
#endif

size_t render_first(const float *const *planes, int nplanes, size_t n, int32_t image, float *const *out, int32_t *from) {
	if (has_avx2())
		return first_avx2(planes, nplanes, n, image, out, from);
	return first_each(planes, nplanes, 0, n, image, out, from);
}

// The stretch of rio-tiler: in float64, rounded to float32, then cut to a whole number; scale is 255/(high-low). Clipping
// comes last here, where eight fit a register. NaN becomes 0.
INLINE uint8_t cut(float v) {
	v = v > 0 ? v : 0;
	v = v < 255 ? v : 255;
	return (uint8_t)(int32_t)v;
}

INLINE uint8_t level(float x, double low, double scale) { return cut((float)((x - low) * scale)); }

// The levels of m values that are to be seen.
INLINE void levels_of(const float *x, size_t m, double low, double scale, const uint8_t *seen, uint8_t *to) {
	if (low == 0 && scale == 1) // they are levels
		for (size_t i = 0; i < m; i++)
			to[i] = cut(x[i]) & seen[i];
	else
		for (size_t i = 0; i < m; i++)
			to[i] = level(x[i], low, scale) & seen[i];
}

ROWS void render_levels(const float *x, size_t n, double low, double high, uint8_t *levels) {
	double scale = 255.0 / (high - low);
	for (size_t i = 0; i < n; i++)
		levels[i] = level(x[i], low, scale);
}

ROWS void render_mark(const float *x, size_t n, uint8_t index, uint8_t *pixels) {
	for (size_t i = 0; i < n; i++)
		pixels[i] = x[i] == x[i] ? pixels[i] : index;
}

void render_lookup(const uint8_t *indices, size_t n, const uint8_t *palette, int channels, uint8_t *out) {
	for (size_t i = 0; i < n; i++, out += channels) {
		const uint8_t *colour = palette + 4 * indices[i];
		out[0] = colour[0], out[1] = colour[1], out[2] = colour[2];
		if (channels == 4)
			out[3] = colour[3];
	}
}

#ifdef __x86_64__
static int has_ssse3(void) { return __builtin_cpu_supports("ssse3"); }

// Red, green and blue bytes side by side, 16 pixels at a time. Returns how many pixels those are.
__attribute__((target("ssse3"))) static size_t pixels_ssse3(const uint8_t *red, const uint8_t *green, const uint8_t *blue, size_t n, uint8_t *out) {
	__m128i from[3][3]; // of each 16 bytes of three: where those of each colour come from
	for (int k = 0; k < 3; k++) {
		int8_t at[3][16];
		for (int i = 0; i < 16; i++)
			for (int colour = 0; colour < 3; colour++)
				at[colour][i] = (16 * k + i) % 3 == colour ? (16 * k + i) / 3 : -1;
		for (int colour = 0; colour < 3; colour++)
			from[k][colour] = _mm_loadu_si128((const __m128i *)at[colour]);
	}
	size_t i = 0;
	for (; i + 16 <= n; i += 16) {
		__m128i r = _mm_loadu_si128((const __m128i *)(red + i)), g = _mm_loadu_si128((const __m128i *)(green + i)), b = _mm_loadu_si128((const __m128i *)(blue + i));
		for (int k = 0; k < 3; k++, out += 16)
			_mm_storeu_si128((__m128i *)out, _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(r, from[k][0]), _mm_shuffle_epi8(g, from[k][1])), _mm_shuffle_epi8(b, from[k][2])));
	}
	return i;
}
#else
static int has_ssse3(void) { return 0; }
#define pixels_ssse3(...) 0
#endif

ROWS size_t render_interleave(const float *const *planes, const double *low, const double *high, size_t n, int channels, uint8_t *out) {
	double scale[3] = {255.0 / (high[0] - low[0]), 255.0 / (high[1] - low[1]), 255.0 / (high[2] - low[2])};
	uint8_t red[RENDER_CHUNK], green[RENDER_CHUNK], blue[RENDER_CHUNK], alpha[RENDER_CHUNK];
	size_t black = 0;
	for (size_t offset = 0; offset < n; offset += RENDER_CHUNK) {
		const float *a = planes[0] + offset, *b = planes[1] + offset, *c = planes[2] + offset;
		size_t m = n - offset < RENDER_CHUNK ? n - offset : RENDER_CHUNK;
		for (size_t i = 0; i < m; i++)
			alpha[i] = (a[i] == a[i]) & (b[i] == b[i]) & (c[i] == c[i]) ? 255 : 0;
		levels_of(a, m, low[0], scale[0], alpha, red);
		levels_of(b, m, low[1], scale[1], alpha, green);
		levels_of(c, m, low[2], scale[2], alpha, blue);
		int32_t some = 0;
		for (size_t i = 0; i < m; i++)
			some += !(red[i] | green[i] | blue[i]);
		black += some;
		if (channels == 4)
			for (size_t i = 0; i < m; i++, out += 4)
				out[0] = red[i], out[1] = green[i], out[2] = blue[i], out[3] = alpha[i];
		else {
			size_t i = has_ssse3() ? pixels_ssse3(red, green, blue, m, out) : 0;
			for (out += 3 * i; i < m; i++, out += 3)
				out[0] = red[i], out[1] = green[i], out[2] = blue[i];
		}
	}
	return black;
}

// How far differences are from 0, together.
#ifdef __x86_64__
static uint32_t size_of(const uint8_t *differences, size_t n) {
	__m128i sum = _mm_setzero_si128(), zero = sum; // what every such machine has: 16 bytes at a time
	size_t i = 0;
	for (; i + 16 <= n; i += 16) {
		__m128i d = _mm_loadu_si128((const __m128i *)(differences + i));
		sum = _mm_add_epi64(sum, _mm_sad_epu8(_mm_min_epu8(d, _mm_sub_epi8(zero, d)), zero));
	}
	uint32_t all = (uint32_t)(_mm_cvtsi128_si64(sum) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum)));
	for (; i < n; i++)
		all += differences[i] < 128 ? differences[i] : 256 - differences[i];
	return all;
}
#else
static uint32_t size_of(const uint8_t *differences, size_t n) {
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += differences[i] < 128 ? differences[i] : 256 - differences[i];
	return sum;
}
#endif

ROWS static void average(const uint8_t *row, const uint8_t *above, size_t bytes, size_t channels, uint8_t *out) {
	for (size_t i = 0; i < channels; i++)
		out[i] = row[i] - (above[i] >> 1);
	for (size_t i = channels; i < bytes; i++)
		out[i] = row[i] - (uint8_t)((row[i - channels] + above[i]) >> 1);
}

ROWS static void paeth(const uint8_t *row, const uint8_t *above, size_t bytes, size_t channels, uint8_t *out) {
	for (size_t i = 0; i < channels; i++)
		out[i] = row[i] - above[i];
	for (size_t i = channels; i < bytes; i++) {
		int16_t a = row[i - channels], b = above[i], c = above[i - channels];
		int16_t from_a = b - c, from_b = a - c, from_c = from_a + from_b;
		from_a = from_a < 0 ? -from_a : from_a, from_b = from_b < 0 ? -from_b : from_b, from_c = from_c < 0 ? -from_c : from_c;
		int16_t near = from_b <= from_c ? b : c;
		near = (from_a <= from_b) & (from_a <= from_c) ? a : near;
		out[i] = row[i] - near;
	}
}

void render_filter(const uint8_t *pixels, size_t width, size_t height, size_t channels, uint8_t *rows, uint8_t *work) {
	size_t bytes = width * channels;
	for (size_t y = 0; y < height; y++, pixels += bytes, rows += bytes + 1) {
		if (y == 0) { // nothing is above: the filter is "sub"
			rows[0] = 1;
			memcpy(rows + 1, pixels, channels);
			for (size_t i = channels; i < bytes; i++)
				rows[1 + i] = pixels[i] - pixels[i - channels];
			continue;
		}
		rows[0] = 4;
		paeth(pixels, pixels - bytes, bytes, channels, rows + 1);
		average(pixels, pixels - bytes, bytes, channels, work);
		if (size_of(work, bytes) < size_of(rows + 1, bytes)) {
			rows[0] = 3;
			memcpy(rows + 1, work, bytes);
		}
	}
}

void render_exchange(uint8_t *pixels, size_t n, const uint8_t *tables, int channels) {
	for (size_t i = 0; i < n; i++, pixels += channels) {
		pixels[0] = tables[pixels[0]];
		pixels[1] = tables[256 + pixels[1]];
		pixels[2] = tables[512 + pixels[2]];
	}
}

// The curve between XYZ and L*a*b* (CIE 15), and back.
static inline double lab_curve(double t) { return t > 216.0 / 24389 ? cbrt(t) : t * (841.0 / 108) + 4.0 / 29; }
static inline double lab_inverse(double t) { return t > 6.0 / 29 ? t * t * t : (108.0 / 841) * (t - 4.0 / 29); }

// The level of a linear sRGB value, cut: the last one that is not above it. start tells one at or below it.
static inline uint8_t srgb_level(double x, const double *linear, const uint8_t *start) {
	if (!(x > 0))
		return 0;
	if (x >= 1)
		return 255;
	int level = start[(int)(x * RENDER_CHUNK)];
	while (x >= linear[level + 1])
		level++;
	return level;
}

// Chroma times the factor is a* and b* times the factor: the way through hue is spared.
void render_saturate(uint8_t *pixels, size_t n, double factor, int channels) {
	double linear[257]; // of each level (IEC 61966-2-1)
	for (int i = 0; i < 257; i++)
		linear[i] = i <= 10 ? i / 255.0 / 12.92 : pow((i / 255.0 + 0.055) / 1.055, 2.4);
	uint8_t start[RENDER_CHUNK];
	for (int i = 0, level = 0; i < RENDER_CHUNK; i++) {
		while ((double)i / RENDER_CHUNK >= linear[level + 1])
			level++;
		start[i] = level;
	}
	for (size_t i = 0; i < n; i++, pixels += channels) {
		if (!(pixels[0] | pixels[1] | pixels[2]))
			continue;
		double r = linear[pixels[0]], g = linear[pixels[1]], b = linear[pixels[2]];
		double fx = lab_curve((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
		double fy = lab_curve(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
		double fz = lab_curve((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
		double x = lab_inverse(fy + factor * (fx - fy)) * 0.95047;
		double y = lab_inverse(fy);
		double z = lab_inverse(fy + factor * (fz - fy)) * 1.08883;
		pixels[0] = srgb_level(3.2404542 * x - 1.5371385 * y - 0.4985314 * z, linear, start);
		pixels[1] = srgb_level(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z, linear, start);
		pixels[2] = srgb_level(0.0556434 * x - 0.2040259 * y + 1.0572252 * z, linear, start);
	}
}
