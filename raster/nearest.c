// Every machine computes the same places: no products are fused.
#pragma GCC optimize("no-math-errno", "no-trapping-math", "fp-contract=off")

#include "kernels.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline))

// What is drawn into: a plane for each of some samples of a pixel.
typedef struct {
	float *const *to;
	int stride;
	const int *samples;
	int count;
} bands;

// A row of a cell: the place of its first pixel, and the steps from one to the next.
typedef struct {
	double column, row, column_step, row_step;
} line;

INLINE line line_of(const swath_cell *c, int y)
{
	double fy = (double)y / c->height, fx = 1.0 / c->width;
	double column = c->column[0] + fy * (c->column[2] - c->column[0]) + SWATH_EDGE;
	double row = c->row[0] + fy * (c->row[2] - c->row[0]) + SWATH_EDGE;
	return (line){column, row, (c->column[1] + fy * (c->column[3] - c->column[1]) + SWATH_EDGE - column) * fx,
	              (c->row[1] + fy * (c->row[3] - c->row[1]) + SWATH_EDGE - row) * fx};
}

// The sample at an index of a block, NaN where it is nodata (NaN: nothing is). What 24 bits hold is compared as float.
INLINE float sample(const void *block, size_t i, int type, double nodata)
{
	float none = (float)nodata, v;
	switch (type) {
	case U8: v = ((const uint8_t *)block)[i]; break;
	case I8: v = ((const int8_t *)block)[i]; break;
	case U16: v = ((const uint16_t *)block)[i]; break;
	case I16: v = ((const int16_t *)block)[i]; break;
	case U32: return ((const uint32_t *)block)[i] == nodata ? NAN : (float)((const uint32_t *)block)[i];
	case I32: return ((const int32_t *)block)[i] == nodata ? NAN : (float)((const int32_t *)block)[i];
	case F32: v = ((const float *)block)[i]; break; // a decimal nodata value is written with more digits than a float holds
	default: return ((const double *)block)[i] == nodata ? NAN : (float)((const double *)block)[i];
	}
	return v == none ? NAN : v;
}

INLINE int block_of(int pixel, int side, int shift) { return shift >= 0 ? pixel >> shift : pixel / side; }

// The block in which all of a cell's pixels lie, as an index of the table; -1 when they lie in several or beside the image.
static int home(const swath_cell *c, const swath_blocks *from)
{
	double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
	for (int k = 0; k < 4; k++) {
		double u = c->column[k], v = c->row[k];
		if (isnan(u) || isnan(v))
			return -1;
		left = u < left ? u : left, right = u > right ? u : right;
		top = v < top ? v : top, bottom = v > bottom ? v : bottom;
	}
	// Rounding may carry a place a hair beyond the corners: what is that near to an edge is not taken for inside.
	right += 2 * SWATH_EDGE, bottom += 2 * SWATH_EDGE;
	if (!(left >= 0 && top >= 0 && right < from->width && bottom < from->height))
		return -1;
	int x = block_of((int)left, from->block_width, from->shift_x), y = block_of((int)top, from->block_height, from->shift_y);
	if (x != block_of((int)right, from->block_width, from->shift_x) || y != block_of((int)bottom, from->block_height, from->shift_y))
		return -1;
	return (y - from->first_y) * from->across + x - from->first_x;
}

// Draw a cell that lies in one block, whose first pixel is at (left, top).
INLINE void at_home(const swath_cell *c, const void *block, int left, int top, const swath_blocks *from, const bands *b, int type)
{
	for (int y = 0; y < c->height; y++) {
		line l = line_of(c, y);
		size_t at = (size_t)(c->y + y) * b->stride + c->x;
		for (int x = 0; x < c->width; x++, at++) {
			size_t i = ((size_t)((int)(l.row + x * l.row_step) - top) * from->block_width + (int)(l.column + x * l.column_step) - left) * from->step;
			for (int k = 0; k < b->count; k++)
				b->to[k][at] = sample(block, i + b->samples[k], type, from->nodata);
		}
	}
}

// Draw a cell whose pixels lie in several blocks, or beside the image.
INLINE void abroad(const swath_cell *c, const swath_blocks *from, const bands *b, int type)
{
	for (int y = 0; y < c->height; y++) {
		line l = line_of(c, y);
		size_t at = (size_t)(c->y + y) * b->stride + c->x;
		for (int x = 0; x < c->width; x++, at++) {
			double u = l.column + x * l.column_step, v = l.row + x * l.row_step;
			const void *block = NULL;
			size_t i = 0;
			if (u >= 0 && v >= 0 && u < from->width && v < from->height) {
				int bx = block_of((int)u, from->block_width, from->shift_x), by = block_of((int)v, from->block_height, from->shift_y);
				block = from->blocks[(by - from->first_y) * from->across + bx - from->first_x];
				i = ((size_t)((int)v - by * from->block_height) * from->block_width + (int)u - bx * from->block_width) * from->step;
			}
			for (int k = 0; k < b->count; k++)
				b->to[k][at] = block ? sample(block, i + b->samples[k], type, from->nodata) : NAN;
		}
	}
}

#if defined(__x86_64__)
#include <immintrin.h>

static int has_avx2(void) { return __builtin_cpu_supports("avx2"); }

#define AVX2 __attribute__((target("avx2")))

// By how many bits the index of a sample is shifted to be that of the word of 32 bits that holds it.
static int word_shift(int type) { return type == U8 ? 2 : type == F32 ? 0 : 1; }

// Eight samples as the words hold them, NaN where one is nodata.
AVX2 INLINE __m256 samples_of(__m256i words, __m256i index, int type, __m256 nodata)
{
	__m256 values;
	switch (type) {
	case U8:
		words = _mm256_srlv_epi32(words, _mm256_slli_epi32(_mm256_and_si256(index, _mm256_set1_epi32(3)), 3));
		values = _mm256_cvtepi32_ps(_mm256_and_si256(words, _mm256_set1_epi32(0xff)));
		break;
	case U16:
		words = _mm256_srlv_epi32(words, _mm256_slli_epi32(_mm256_and_si256(index, _mm256_set1_epi32(1)), 4));
		values = _mm256_cvtepi32_ps(_mm256_and_si256(words, _mm256_set1_epi32(0xffff)));
		break;
	case I16:
		words = _mm256_sllv_epi32(words, _mm256_slli_epi32(_mm256_andnot_si256(index, _mm256_set1_epi32(1)), 4));
		values = _mm256_cvtepi32_ps(_mm256_srai_epi32(words, 16));
		break;
	default:
		values = _mm256_castsi256_ps(words);
	}
	return _mm256_blendv_ps(values, _mm256_set1_ps(NAN), _mm256_cmp_ps(values, nodata, _CMP_EQ_OQ));
}

// The places of four pixels of a row, from the x-th on.
AVX2 INLINE void places_of(const line *l, int x, __m256d *column, __m256d *row)
{
	__m256d n = _mm256_add_pd(_mm256_setr_pd(0, 1, 2, 3), _mm256_set1_pd(x));
	*column = _mm256_add_pd(_mm256_set1_pd(l->column), _mm256_mul_pd(n, _mm256_set1_pd(l->column_step)));
	*row = _mm256_add_pd(_mm256_set1_pd(l->row), _mm256_mul_pd(n, _mm256_set1_pd(l->row_step)));
}

// Whether three samples of a pixel of bytes, side by side, are wanted: one load fetches them all.
static int side_by_side(const swath_blocks *from, const bands *b)
{
	return from->type == U8 && b->count == 3 && b->samples[1] == b->samples[0] + 1 && b->samples[2] == b->samples[0] + 2 && from->block_width > 1;
}

// Write what words of bytes hold, of which the samples of a pixel are those from a bit on.
AVX2 INLINE void put_bytes(__m256i words, __m256i bit, const bands *b, size_t at, __m256 nodata, __m256 unknown)
{
	for (int k = 0; k < 3; k++) {
		__m256i bytes = _mm256_srlv_epi32(words, _mm256_add_epi32(bit, _mm256_set1_epi32(8 * k)));
		__m256 values = _mm256_cvtepi32_ps(_mm256_and_si256(bytes, _mm256_set1_epi32(0xff)));
		__m256 lost = _mm256_or_ps(_mm256_cmp_ps(values, nodata, _CMP_EQ_OQ), unknown);
		_mm256_storeu_ps(b->to[k] + at, _mm256_blendv_ps(values, _mm256_set1_ps(NAN), lost));
	}
}

// at_home and abroad for eight pixels at a time: of cells that are so wide, and the types of which one load fetches a sample. No load
// reaches beyond the memory that a block, which begins at a word, was given: it is of the word that holds the sample.
AVX2 static void at_home_avx2(const swath_cell *c, const void *block, int left, int top, const swath_blocks *from, const bands *b)
{
	const __m256 nodata = _mm256_set1_ps((float)from->nodata);
	const __m256i width = _mm256_set1_epi32(from->block_width), step = _mm256_set1_epi32(from->step), first = _mm256_set1_epi32(top * from->block_width + left);
	const __m128i shift = _mm_cvtsi32_si128(word_shift(from->type));
	const int together = side_by_side(from, b);
	for (int y = 0; y < c->height; y++) {
		line l = line_of(c, y);
		size_t at = (size_t)(c->y + y) * b->stride + c->x;
		for (int x = 0; x < c->width; x += 8, at += 8) {
			__m128i u[2], v[2];
			for (int h = 0; h < 2; h++) {
				__m256d column, row;
				places_of(&l, x + 4 * h, &column, &row);
				u[h] = _mm256_cvttpd_epi32(column), v[h] = _mm256_cvttpd_epi32(row);
			}
			__m256i i = _mm256_add_epi32(_mm256_mullo_epi32(_mm256_set_m128i(v[1], v[0]), width), _mm256_set_m128i(u[1], u[0]));
			i = _mm256_mullo_epi32(_mm256_sub_epi32(i, first), step);
			if (together) { // from the byte before, but of the first pixel: the byte after may be the next block's
				__m256i own = _mm256_add_epi32(i, _mm256_set1_epi32(b->samples[0])), before = _mm256_cmpgt_epi32(own, _mm256_setzero_si256());
				__m256i words = _mm256_i32gather_epi32(block, _mm256_add_epi32(own, before), 1);
				put_bytes(words, _mm256_and_si256(before, _mm256_set1_epi32(8)), b, at, nodata, _mm256_setzero_ps());
				continue;
			}
			for (int k = 0; k < b->count; k++) {
				__m256i own = _mm256_add_epi32(i, _mm256_set1_epi32(b->samples[k]));
				__m256i words = _mm256_i32gather_epi32(block, _mm256_srl_epi32(own, shift), 4);
				_mm256_storeu_ps(b->to[k] + at, samples_of(words, own, from->type, nodata));
			}
		}
	}
}

// Of four pixels: which of them are in the image, and their columns and rows, 0 of those that are not.
AVX2 INLINE __m128i inside(__m256d column, __m256d row, const swath_blocks *from, __m128i *u, __m128i *v)
{
	const __m256d zero = _mm256_setzero_pd();
	__m256d in = _mm256_and_pd(_mm256_and_pd(_mm256_cmp_pd(column, zero, _CMP_GE_OQ), _mm256_cmp_pd(row, zero, _CMP_GE_OQ)),
	                           _mm256_and_pd(_mm256_cmp_pd(column, _mm256_set1_pd(from->width), _CMP_LT_OQ), _mm256_cmp_pd(row, _mm256_set1_pd(from->height), _CMP_LT_OQ)));
	__m256i low = _mm256_permutevar8x32_epi32(_mm256_castpd_si256(in), _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
	__m128i mask = _mm256_castsi256_si128(low);
	*u = _mm_and_si128(_mm256_cvttpd_epi32(column), mask), *v = _mm_and_si128(_mm256_cvttpd_epi32(row), mask);
	return mask;
}

// The sides of blocks are powers of two.
AVX2 static void abroad_avx2(const swath_cell *c, const swath_blocks *from, const bands *b)
{
	const __m256 nodata = _mm256_set1_ps((float)from->nodata);
	const __m128i width = _mm_set1_epi32(from->block_width), step = _mm_set1_epi32(from->step), across = _mm_set1_epi32(from->across);
	const __m128i first = _mm_set1_epi32(from->first_y * from->across + from->first_x), none = _mm_setzero_si128();
	const __m128i shift_x = _mm_cvtsi32_si128(from->shift_x), shift_y = _mm_cvtsi32_si128(from->shift_y), shift = _mm_cvtsi32_si128(word_shift(from->type));
	const int together = side_by_side(from, b);
	for (int y = 0; y < c->height; y++) {
		line l = line_of(c, y);
		size_t at = (size_t)(c->y + y) * b->stride + c->x;
		for (int x = 0; x < c->width; x += 8, at += 8) {
			__m128i i[2], there[2]; // the first sample of each pixel in its block, and whether there is one
			__m256i block[2];
			for (int h = 0; h < 2; h++) {
				__m256d column, row;
				__m128i u, v;
				places_of(&l, x + 4 * h, &column, &row);
				__m128i in = inside(column, row, from, &u, &v);
				__m128i bx = _mm_srl_epi32(u, shift_x), by = _mm_srl_epi32(v, shift_y);
				__m128i slot = _mm_and_si128(_mm_sub_epi32(_mm_add_epi32(_mm_mullo_epi32(by, across), bx), first), in);
				block[h] = _mm256_i32gather_epi64((const long long *)from->blocks, slot, 8);
				__m256i missing = _mm256_permutevar8x32_epi32(_mm256_cmpeq_epi64(block[h], _mm256_setzero_si256()), _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
				there[h] = _mm_andnot_si128(_mm256_castsi256_si128(missing), in);
				u = _mm_sub_epi32(u, _mm_sll_epi32(bx, shift_x)), v = _mm_sub_epi32(v, _mm_sll_epi32(by, shift_y));
				i[h] = _mm_mullo_epi32(_mm_add_epi32(_mm_mullo_epi32(v, width), u), step);
			}
			__m256 known = _mm256_castsi256_ps(_mm256_set_m128i(there[1], there[0]));
			if (together) {
				__m128i before[2], words[2];
				for (int h = 0; h < 2; h++) {
					__m128i own = _mm_add_epi32(i[h], _mm_set1_epi32(b->samples[0]));
					before[h] = _mm_cmpgt_epi32(own, none);
					words[h] = _mm256_mask_i64gather_epi32(none, NULL, _mm256_add_epi64(block[h], _mm256_cvtepu32_epi64(_mm_add_epi32(own, before[h]))), there[h], 1);
				}
				__m256i bit = _mm256_and_si256(_mm256_set_m128i(before[1], before[0]), _mm256_set1_epi32(8));
				put_bytes(_mm256_set_m128i(words[1], words[0]), bit, b, at, nodata, _mm256_andnot_ps(known, _mm256_castsi256_ps(_mm256_set1_epi32(-1))));
				continue;
			}
			for (int k = 0; k < b->count; k++) {
				__m128i own[2], words[2];
				for (int h = 0; h < 2; h++) {
					own[h] = _mm_add_epi32(i[h], _mm_set1_epi32(b->samples[k]));
					__m256i bytes = _mm256_cvtepu32_epi64(_mm_slli_epi32(_mm_srl_epi32(own[h], shift), 2));
					words[h] = _mm256_mask_i64gather_epi32(none, NULL, _mm256_add_epi64(block[h], bytes), there[h], 1);
				}
				__m256 values = samples_of(_mm256_set_m128i(words[1], words[0]), _mm256_set_m128i(own[1], own[0]), from->type, nodata);
				_mm256_storeu_ps(b->to[k] + at, _mm256_blendv_ps(_mm256_set1_ps(NAN), values, known));
			}
		}
	}
}
#else
static int has_avx2(void) { return 0; }
#define at_home_avx2(...)
#define abroad_avx2(...)
#endif

// Ask for the memory of a cell that lies in one block. Blocks that were decoded long ago are in no cache of the processor, and a cell
// is some short pieces of many rows, which it does not foresee.
INLINE void foresee(const swath_cell *c, const void *block, int left, int top, const swath_blocks *from, int bytes)
{
	double first_u = INFINITY, first_v = INFINITY, last_u = -INFINITY, last_v = -INFINITY;
	for (int k = 0; k < 4; k++) {
		first_u = fmin(first_u, c->column[k]), last_u = fmax(last_u, c->column[k]);
		first_v = fmin(first_v, c->row[k]), last_v = fmax(last_v, c->row[k]);
	}
	size_t pixel = (size_t)from->step * bytes, line = from->block_width * pixel;
	const char *row = (const char *)block + ((int)first_v - top) * line;
	size_t begin = ((int)first_u - left) * pixel, end = ((int)last_u - left + 1) * pixel;
	for (int v = (int)first_v; v <= (int)last_v; v++, row += line)
		for (size_t at = begin & ~(size_t)63; at < end; at += 64)
			__builtin_prefetch(row + at);
}

static int size_of(int type) { return type == U8 || type == I8 ? 1 : type == U16 || type == I16 ? 2 : type == F64 ? 8 : 4; }

INLINE void draw(const swath_cell *cells, int count, const swath_blocks *from, const bands *b, int type)
{
	int wide = has_avx2() && (type == U8 || type == U16 || type == I16 || type == F32);
	int next = count > 0 ? home(cells, from) : -1;
	for (const swath_cell *c = cells; c < cells + count; c++) {
		int own = next;
		const void *block = own < 0 ? NULL : from->blocks[own];
		next = c + 1 < cells + count ? home(c + 1, from) : -1;
		if (next >= 0 && from->blocks[next])
			foresee(c + 1, from->blocks[next], (from->first_x + next % from->across) * from->block_width, (from->first_y + next / from->across) * from->block_height, from, size_of(type));
		int eights = wide && c->width % 8 == 0;
		if (!block) {
			if (eights && from->shift_x >= 0 && from->shift_y >= 0)
				abroad_avx2(c, from, b);
			else
				abroad(c, from, b, type);
			continue;
		}
		int left = (from->first_x + own % from->across) * from->block_width, top = (from->first_y + own / from->across) * from->block_height;
		if (eights)
			at_home_avx2(c, block, left, top, from, b);
		else
			at_home(c, block, left, top, from, b, type);
	}
}

void swath_nearest(const swath_cell *cells, int count, const swath_blocks *from, const int *samples, int n, float *const *to, int stride)
{
	bands b = {to, stride, samples, n};
	switch (from->type) {
	case U8: draw(cells, count, from, &b, U8); break;
	case I8: draw(cells, count, from, &b, I8); break;
	case U16: draw(cells, count, from, &b, U16); break;
	case I16: draw(cells, count, from, &b, I16); break;
	case U32: draw(cells, count, from, &b, U32); break;
	case I32: draw(cells, count, from, &b, I32); break;
	case F32: draw(cells, count, from, &b, F32); break;
	case F64: draw(cells, count, from, &b, F64); break;
	}
}
