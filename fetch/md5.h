// MD5 (RFC 1321) of several files at once.
#include <stddef.h>
#include <stdint.h>

#define SWATH_MD5_LANES 8

// Goes on with the sums of so many blocks of 64 bytes each; state[i][j] is word i of the sum of file j.
void swath_md5(uint32_t state[4][SWATH_MD5_LANES], size_t blocks, const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d, const uint8_t *e,
               const uint8_t *f, const uint8_t *g, const uint8_t *h);
