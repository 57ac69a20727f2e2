// The least that a tile costs: inflate the blocks it needs, look its pixels up, encode them. One thread, no service around it.
#ifndef SWATH_BENCH_FLOOR_H
#define SWATH_BENCH_FLOOR_H

#include <stdint.h>

enum { SIDE = 256, CELL = 16, POINTS = SIDE / CELL + 1 };

// Read and inflate a block (zlib) and undo predictor 2 of samples of so many bytes; returns 0 when it can't.
int floor_block(int fd, uint64_t offset, uint32_t size, uint8_t *packed, uint8_t *to, uint32_t to_size, int width, int samples, int bytes);

// Find the block, of wide x high pixels, and the pixel in it of each of SIDE x SIDE places, interpolated between control points. slots names the block of
// a column and row of blocks, from the first on; pixels beside the image get the slot that is none.
void floor_places(const double *columns, const double *rows, int width, int height, int wide, int high, int first_x, int first_y, int across,
                  const uint16_t *slots, uint16_t none, uint16_t *slot, uint32_t *pixel);

// The pixels of two bands of 16 bits as an index of normalized difference, -1..1 as 0..254; 255 where one is 0.
void floor_ndvi(const uint16_t *const *a, const uint16_t *const *b, const uint16_t *slot, const uint32_t *pixel, uint8_t *out);

// The pixels of three bands of 16 bits, 0..high as 0..255; 1 where any is without a value.
int floor_rgb(const uint16_t *const *bands[3], const uint16_t *slot, const uint32_t *pixel, float high, uint8_t *out);

// The pixels of one image of 3 x 8 bits.
int floor_tci(const uint8_t *const *blocks, const uint16_t *slot, const uint32_t *pixel, uint8_t *out);

// Write SIDE x SIDE pixels of 1 or 3 bytes as rows of PNG's filter "sub".
void floor_filter(const uint8_t *pixels, int channels, uint8_t *rows);

// Encode SIDE x SIDE pixels of 3 bytes; each returns the number of bytes.
int floor_jpeg(const uint8_t *pixels);
int floor_webp(const uint8_t *pixels);

double floor_seconds(void); // of this thread

#endif
