// Each step of MD5 waits for the one before it, so that one file leaves most of a core idle: eight go side by side, one in each lane of a vector.
#pragma GCC optimize("O3")

#include "md5.h"

#include <string.h>

#if defined(__x86_64__)
#define WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define WIDE
#endif

typedef uint32_t lanes __attribute__((vector_size(4 * SWATH_MD5_LANES)));

static inline uint32_t word(const uint8_t *p)
{
	uint32_t w;
	memcpy(&w, p, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap32(w);
#endif
	return w;
}

#define F(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define G(b, c, d) (((d) & (b)) | (~(d) & (c)))
#define H(b, c, d) (((c) ^ (d)) ^ (b))
#define I(b, c, d) ((c) ^ ((b) | ~(d)))
#define STEP(f, a, b, c, d, k, s, t)         \
	a = (a + (w[k] + (uint32_t)t)) + f(b, c, d); \
	a = ((a << s) | (a >> (32 - s))) + b;
#define ROUND(f, s0, s1, s2, s3, i, j, l, m, t0, t1, t2, t3) \
	STEP(f, a, b, c, d, i, s0, t0)                              \
	STEP(f, d, a, b, c, j, s1, t1)                              \
	STEP(f, c, d, a, b, l, s2, t2)                              \
	STEP(f, b, c, d, a, m, s3, t3)

WIDE void swath_md5(uint32_t state[4][SWATH_MD5_LANES], size_t blocks, const uint8_t *pa, const uint8_t *pb, const uint8_t *pc, const uint8_t *pd,
                    const uint8_t *pe, const uint8_t *pf, const uint8_t *pg, const uint8_t *ph)
{
	lanes a, b, c, d, w[16];
	memcpy(&a, state[0], sizeof a);
	memcpy(&b, state[1], sizeof b);
	memcpy(&c, state[2], sizeof c);
	memcpy(&d, state[3], sizeof d);
	for (size_t n = 0; n < 64 * blocks; n += 64) {
		for (int k = 0; k < 16; k++) {
			size_t o = n + 4 * k;
			w[k] = (lanes){word(pa + o), word(pb + o), word(pc + o), word(pd + o), word(pe + o), word(pf + o), word(pg + o), word(ph + o)};
		}
		lanes a0 = a, b0 = b, c0 = c, d0 = d;
		ROUND(F, 7, 12, 17, 22, 0, 1, 2, 3, 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee)
		ROUND(F, 7, 12, 17, 22, 4, 5, 6, 7, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501)
		ROUND(F, 7, 12, 17, 22, 8, 9, 10, 11, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be)
		ROUND(F, 7, 12, 17, 22, 12, 13, 14, 15, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821)
		ROUND(G, 5, 9, 14, 20, 1, 6, 11, 0, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa)
		ROUND(G, 5, 9, 14, 20, 5, 10, 15, 4, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8)
		ROUND(G, 5, 9, 14, 20, 9, 14, 3, 8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed)
		ROUND(G, 5, 9, 14, 20, 13, 2, 7, 12, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a)
		ROUND(H, 4, 11, 16, 23, 5, 8, 11, 14, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c)
		ROUND(H, 4, 11, 16, 23, 1, 4, 7, 10, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70)
		ROUND(H, 4, 11, 16, 23, 13, 0, 3, 6, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05)
		ROUND(H, 4, 11, 16, 23, 9, 12, 15, 2, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665)
		ROUND(I, 6, 10, 15, 21, 0, 7, 14, 5, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039)
		ROUND(I, 6, 10, 15, 21, 12, 3, 10, 1, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1)
		ROUND(I, 6, 10, 15, 21, 8, 15, 6, 13, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1)
		ROUND(I, 6, 10, 15, 21, 4, 11, 2, 9, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391)
		a += a0;
		b += b0;
		c += c0;
		d += d0;
	}
	memcpy(state[0], &a, sizeof a);
	memcpy(state[1], &b, sizeof b);
	memcpy(state[2], &c, sizeof c);
	memcpy(state[3], &d, sizeof d);
}
