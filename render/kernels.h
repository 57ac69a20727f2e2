// The loops over pixels of package render. Each is called once per image, never once per pixel.
#ifndef SWATH_RENDER_KERNELS_H
#define SWATH_RENDER_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// One step of a compiled expression: regs[dst] = op(regs[a], regs[b], regs[c]).
// OP_STORE and OP_MASK write output number dst instead.
typedef struct {
	uint16_t op, dst, a, b, c;
} render_instr;

// The first two are leaves of the tree and never steps of a program.
enum {
	OP_BAND, OP_NUMBER,
	OP_NEG, OP_NOT, OP_INVERT,
	OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_FMOD, OP_POW,
	OP_LT, OP_LE, OP_GT, OP_GE, OP_EQ, OP_NE,
	OP_AND, OP_OR, OP_XOR,
	OP_WHERE, OP_MIN, OP_MAX, OP_CLIP,
	OP_ABS, OP_SQRT, OP_LOG, OP_LOG10, OP_LOG1P, OP_EXP, OP_EXPM1,
	OP_SIN, OP_COS, OP_TAN, OP_ARCSIN, OP_ARCCOS, OP_ARCTAN, OP_ARCTAN2, OP_FLOOR, OP_CEIL,
	OP_SINH, OP_COSH, OP_TANH, OP_ARCSINH, OP_ARCCOSH, OP_ARCTANH, OP_LOG2, OP_ROUND, OP_TRUNC, OP_SIGN, OP_HYPOT, OP_COPYSIGN,
	OP_STORE, OP_MASK
};

// Pixels worked on at a time, so that all registers of a usual expression stay in the first-level cache.
#define RENDER_CHUNK 1024
#define RENDER_REGISTERS 256

// render_eval runs a program over n pixels. Registers are the bands, then the work registers: RENDER_CHUNK floats each,
// the first of them filled with constants by the caller.
void render_eval(const render_instr *code, int steps, const float *const *bands, int nbands, float *work, int nwork,
	float *const *outputs, size_t n);

// render_count_nan returns in how many of n pixels at least one of the planes (1 or 3) is NaN.
size_t render_count_nan(const float *const *planes, int nplanes, size_t n);

// render_scale makes each value x·scale + offset, computed in float64.
void render_scale(float *x, size_t n, double scale, double offset);

// render_histogram counts the bytes of each value.
void render_histogram(const uint8_t *bytes, size_t n, uint32_t *counts);

// render_first gives the pixels that are from no image yet (-1; before image 0 all) the values of this one, where all its planes have some. It returns
// to how many.
size_t render_first(const float *const *planes, int nplanes, size_t n, int32_t image, float *const *out, int32_t *from);

// render_levels writes one plane as levels 0..255, NaN as 0.
void render_levels(const float *x, size_t n, double low, double high, uint8_t *levels);

// render_mark sets the pixels whose value is NaN to index.
void render_mark(const float *x, size_t n, uint8_t index, uint8_t *pixels);

// render_lookup writes the colours of indexed pixels as 3 or 4 bytes each; palette is 256 times R, G, B, A.
void render_lookup(const uint8_t *indices, size_t n, const uint8_t *palette, int channels, uint8_t *out);

// render_interleave writes three planes as pixels of 3 or 4 bytes, zeros where one of them is NaN. It returns how many pixels are
// black, those among them.
size_t render_interleave(const float *const *planes, const double *low, const double *high, size_t n, int channels, uint8_t *out);

// render_filter writes rows of pixels as PNG wants them (ISO/IEC 15948, 9): a filter byte, then differences from the mean of the pixels
// to the left and above, or from the one of the pixels to the left, above and between that is nearest to what the three foretell
// (Paeth), whichever leaves the smaller numbers in the row. work holds a row.
void render_filter(const uint8_t *pixels, size_t width, size_t height, size_t channels, uint8_t *rows, uint8_t *work);

// render_exchange replaces the first three bytes of each pixel by those of three tables of 256.
void render_exchange(uint8_t *pixels, size_t n, const uint8_t *tables, int channels);

// render_saturate multiplies the chroma (CIE 1976 LCh under D65) of sRGB pixels of 3 or 4 bytes; levels are cut, not rounded.
void render_saturate(uint8_t *pixels, size_t n, double factor, int channels);

#endif
