#include "blockplanes.h"

#include <string.h>

// Most of what is decoded is noise, where every branch on a bit is a wrong guess half of the time: bits choose by arithmetic
// wherever they can.

#define INLINE static inline __attribute__((always_inline))

// Table C.2: the probability of the less probable symbol in the upper 16 bits; then the states after the more and after the less
// probable one, and the more probable symbol. A state here is twice the standard's, plus the symbol.
#define S(qe, more, less, flip)                                                                      \
	(uint64_t)(qe) << 48 | (2 * (more)) << 16 | (2 * (less) + (flip)) << 8,                          \
		(uint64_t)(qe) << 48 | (2 * (more) + 1) << 16 | (2 * (less) + 1 - (flip)) << 8 | 1
static const uint64_t states[94] = {
	S(0x5601, 1, 1, 1), S(0x3401, 2, 6, 0), S(0x1801, 3, 9, 0), S(0x0AC1, 4, 12, 0), S(0x0521, 5, 29, 0), S(0x0221, 38, 33, 0),
	S(0x5601, 7, 6, 1), S(0x5401, 8, 14, 0), S(0x4801, 9, 14, 0), S(0x3801, 10, 14, 0), S(0x3001, 11, 17, 0), S(0x2401, 12, 18, 0),
	S(0x1C01, 13, 20, 0), S(0x1601, 29, 21, 0), S(0x5601, 15, 14, 1), S(0x5401, 16, 14, 0), S(0x5101, 17, 15, 0), S(0x4801, 18, 16, 0),
	S(0x3801, 19, 17, 0), S(0x3401, 20, 18, 0), S(0x3001, 21, 19, 0), S(0x2801, 22, 19, 0), S(0x2401, 23, 20, 0), S(0x2201, 24, 21, 0),
	S(0x1C01, 25, 22, 0), S(0x1801, 26, 23, 0), S(0x1601, 27, 24, 0), S(0x1401, 28, 25, 0), S(0x1201, 29, 26, 0), S(0x1101, 30, 27, 0),
	S(0x0AC1, 31, 28, 0), S(0x09C1, 32, 29, 0), S(0x08A1, 33, 30, 0), S(0x0521, 34, 31, 0), S(0x0441, 35, 32, 0), S(0x02A1, 36, 33, 0),
	S(0x0221, 37, 34, 0), S(0x0141, 38, 35, 0), S(0x0111, 39, 36, 0), S(0x0085, 40, 37, 0), S(0x0049, 41, 38, 0), S(0x0025, 42, 39, 0),
	S(0x0015, 43, 40, 0), S(0x0009, 44, 41, 0), S(0x0005, 45, 42, 0), S(0x0001, 45, 43, 0), S(0x5601, 46, 46, 0),
};
#undef S

// The contexts: nine of significance, five of signs, three of refinement, one of runs, one of even odds.
enum { SIGN = 9, REFINE = 14, RUN = 17, EVEN = 18, CONTEXTS = 19 };

// The arithmetic decoder (C.3). Its interval and code stand in the upper 16 bits; below the code follow the next bits, so that
// bytes come in by many at once.
typedef struct {
	const uint8_t *at;
	uint64_t a, c;
	int valid; // bits of c
	uint64_t contexts[CONTEXTS];
} coder;

INLINE void refill(coder *k)
{
	uint64_t w;
	memcpy(&w, k->at, 8);
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		w = __builtin_bswap64(w);
	k->c |= w >> k->valid;
	int bytes = (63 - k->valid) >> 3;
	k->at += bytes;
	k->valid += 8 * bytes;
}

INLINE uint64_t decode(coder *k, unsigned context)
{
	uint64_t s = k->contexts[context], qe = s & UINT64_C(0xFFFF) << 48;
	uint64_t a = k->a - qe, rest = k->c - qe;
	int lower = k->c < qe; // in the lower part of the interval, which is the less probable one's unless it is longer
	int unlikely = lower ^ (a < qe);
	a = lower ? qe : a;
	k->c = lower ? k->c : rest;
	int n = __builtin_clzll(a);
	unsigned next = unlikely ? s >> 8 & 0xFF : s >> 16 & 0xFF;
	uint64_t after = states[next];
	k->contexts[context] = n ? after : s;
	k->a = a << n;
	k->c <<= n;
	k->valid -= n;
	if (k->valid < 32)
		refill(k);
	return (s & 1) ^ (uint64_t)unlikely;
}

enum { MOST = 1024, PADDING = 16 };

// Take the bytes of a block as one number (C.3.4): the byte after one of ones begins a bit earlier, and a carry may stand there. Behind
// the last byte come ones.
static void unstuff(uint8_t *to, const uint8_t *from, size_t length)
{
	memset(to, 0xFF, length + PADDING);
	const uint8_t *ones = length ? memchr(from, 0xFF, length - 1) : NULL;
	size_t i = ones ? (size_t)(ones - from) + 1 : length;
	memcpy(to, from, i);
	for (size_t bit = 8 * i; i < length; i++, bit += 8) {
		unsigned carry = 0;
		if (from[i - 1] == 0xFF) {
			if (from[i] > 0x8F)
				return; // a marker: nothing follows
			carry = from[i] >> 7;
			bit--;
		}
		size_t at = bit >> 3, shift = bit & 7;
		if (from[i - 1] == 0xFF) { // add the bit that is shared; the one there stays where it is
			unsigned shared = 1u << (7 - shift);
			unsigned sum = (to[at] & ~(shared - 1)) + carry * shared;
			to[at] = (uint8_t)sum;
			for (size_t j = at; sum > 0xFF && j > 0; sum = ++to[--j] ? 0 : 0x100) {
			}
			unsigned low = (unsigned)(from[i] & 0x7F) << (8 - shift);
			to[at] |= (uint8_t)(low >> 8);
			to[at + 1] = (uint8_t)(low | (0xFFu >> shift));
		} else {
			unsigned low = (unsigned)from[i] << (8 - shift);
			to[at] = (uint8_t)((to[at] & ~(0xFFu >> shift)) | low >> 8);
			to[at + 1] = (uint8_t)(low | (0xFFu >> shift));
		}
	}
}

// Samples are bits of a word of columns of eight, with a border of one around: the sample at (x, y) is bit 8 (x + 1) + y + 1. The order of
// bits is that in which samples are coded. Shifted right by 9 less than its bit, a sample is bit 9, its neighbours bits
// 0 1 2, 8 10, 16 17 18.
#define BIT(i) (UINT64_C(1) << (i))

// Contexts of significance by the nine bits around a sample, itself included and ignored (table D.1).
static uint8_t significance[3][512]; // of LL and LH, HL, HH
static uint8_t signs[256];           // the context, and 0x80 where the sign is turned around (tables D.2 and D.3)

__attribute__((constructor)) static void make_tables(void)
{
	for (int i = 0; i < 512; i++) {
		int v = (i >> 3 & 1) + (i >> 5 & 1), h = (i >> 1 & 1) + (i >> 7 & 1), d = (i & 1) + (i >> 2 & 1) + (i >> 6 & 1) + (i >> 8 & 1);
		for (int turned = 0; turned < 2; turned++) {
			int a = turned ? v : h, b = turned ? h : v;
			significance[turned][i] = (uint8_t)(a == 2 ? 8 : a == 1 ? (b ? 7 : d ? 6 : 5) : b ? 2 + b : d > 1 ? 2 : d);
		}
		int s = h + v;
		significance[2][i] = (uint8_t)(d > 2 ? 8 : d == 2 ? (s ? 7 : 6) : d == 1 ? (s > 1 ? 5 : 3 + s) : s > 1 ? 2 : s);
	}
	for (int i = 0; i < 256; i++) { // bits: left, above, below, right are significant; the same are negative
		int one[4];
		for (int j = 0; j < 4; j++)
			one[j] = i >> j & 1 ? (i >> (4 + j) & 1 ? -1 : 1) : 0;
		int h = one[0] + one[3], v = one[1] + one[2];
		h = h > 0 ? 1 : h < 0 ? -1 : 0, v = v > 0 ? 1 : v < 0 ? -1 : 0;
		int turn = h < 0 || (h == 0 && v < 0);
		if (turn)
			h = -h, v = -v;
		signs[i] = (uint8_t)((SIGN + (h ? 3 + v : v)) | (turn ? 0x80 : 0));
	}
}

INLINE unsigned nine(uint64_t w) { return (unsigned)((w & 7) | (w >> 5 & 0x38) | (w >> 10 & 0x1C0)); }

INLINE unsigned four(uint64_t w) { return (unsigned)((w >> 1 & 1) | (w >> 7 & 2) | (w >> 8 & 4) | (w >> 14 & 8)); }

// The samples beside those of a set, and these.
INLINE uint64_t beside(uint64_t s)
{
	s |= s << 1 | s >> 1;
	return s | s << 8 | s >> 8;
}

// A block while its planes are read.
typedef struct {
	coder k;
	uint64_t significant, negative;
	int32_t values[64]; // by bit: magnitudes, doubled, half a step above what is known
} planes;

INLINE void become(planes *b, int i, int32_t one)
{
	unsigned s = signs[four(b->significant >> (i - 9)) | four(b->negative >> (i - 9)) << 4];
	b->negative |= (decode(&b->k, s & 0x7F) ^ (s >> 7)) << i;
	b->significant |= BIT(i);
	b->values[i] = one | one >> 1;
}

int swath_block_planes(const uint8_t *bytes, size_t length, int wide, int high, int count, int passes, int orientation, int32_t values[16])
{
	uint8_t stream[MOST + PADDING];
	if (length > MOST)
		return 0;
	unstuff(stream, bytes, length);
	planes b;
	b.significant = b.negative = 0;
	for (int i = 0; i < CONTEXTS; i++)
		b.k.contexts[i] = states[0];
	b.k.contexts[0] = states[2 * 4];
	b.k.contexts[RUN] = states[2 * 3];
	b.k.contexts[EVEN] = states[2 * 46];
	b.k.at = stream;
	b.k.a = BIT(63);
	b.k.c = 0;
	b.k.valid = 1;
	refill(&b.k);
	const uint8_t *context = significance[orientation == 3 ? 2 : orientation == 1];
	uint64_t inside = 0, refined = 0, visited = 0;
	for (int x = 0; x < wide; x++)
		inside |= ((UINT64_C(1) << high) - 1) << (8 * x + 9);
	int kind = 2; // 0 significance propagation, 1 refinement, 2 cleanup
	for (int32_t one = 1 << count; passes-- > 0;) {
		if (kind == 0) {
			uint64_t todo = beside(b.significant) & ~b.significant & inside;
			while (todo) {
				int i = __builtin_ctzll(todo);
				visited |= BIT(i);
				if (decode(&b.k, context[nine(b.significant >> (i - 9))]))
					become(&b, i, one);
				todo = beside(b.significant) & ~b.significant & inside & ~UINT64_C(1) << i;
			}
		} else if (kind == 1) {
			for (uint64_t todo = b.significant & ~visited; todo; todo &= todo - 1) {
				int i = __builtin_ctzll(todo);
				unsigned some = (b.significant >> (i - 9) & UINT64_C(0x70507)) != 0;
				unsigned c = refined >> i & 1 ? REFINE + 2 : REFINE + some;
				int32_t half = one >> 1;
				b.values[i] += ((int32_t)decode(&b.k, c) * 2 - 1) * half;
				refined |= BIT(i);
			}
		} else {
			uint64_t todo = inside & ~b.significant & ~visited;
			while (todo) {
				int i = __builtin_ctzll(todo);
				if (high == 4 && (i & 7) == 1 && !(b.significant >> (i - 9) & UINT64_C(0x3F3F3F))) { // a column with nothing around
					uint64_t rest = todo & ~(UINT64_C(0xF) << i);
					if (!decode(&b.k, RUN)) {
						todo = rest;
						continue;
					}
					unsigned run = (unsigned)decode(&b.k, EVEN) << 1;
					run |= (unsigned)decode(&b.k, EVEN);
					i += (int)run;
					become(&b, i, one);
				} else if (decode(&b.k, context[nine(b.significant >> (i - 9))])) {
					become(&b, i, one);
				}
				todo &= ~UINT64_C(1) << i;
			}
			visited = 0;
		}
		if (++kind == 3) {
			kind = 0;
			one >>= 1;
		}
	}
	for (int y = 0; y < high; y++)
		for (int x = 0; x < wide; x++) {
			int i = 8 * x + y + 9;
			int32_t v = b.significant >> i & 1 ? b.values[i] >> 1 : 0;
			values[4 * y + x] = b.negative >> i & 1 ? -v : v;
		}
	return 1;
}
