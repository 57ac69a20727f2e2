// A decoder of JPEG 2000 tiles whose code blocks are 4 x 4, as those of Sentinel-2 are (ISO/IEC 15444-1).
#ifndef SWATH_RASTER_SMALLBLOCKS_H
#define SWATH_RASTER_SMALLBLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum { SWATH_RESOLUTIONS = 33 };

// A tile: one layer, packets by resolution, component and precinct, the reversible wavelet, no optional markers.
typedef struct {
	int x0, y0, x1, y1; // pixels of the tile, counted from the origin of its image
	int components, levels; // of the wavelet
	int bits, is_signed, colour; // of the samples; colour: the first three components are a reversible transform of red, green and blue
	uint8_t wide[SWATH_RESOLUTIONS], high[SWATH_RESOLUTIONS]; // of a precinct of each resolution, the lowest first: powers of two
} swath_tile;

// Decode the columns x0..x1 and rows y0..y1 of a tile, counted as its own are, from its packets into a plane for each
// component. Planes are the bits that each subband holds: for each component LL, then HL, LH, HH of each resolution upwards. 0, or
// what is wrong.
const char *swath_small_decode(const swath_tile *tile, const uint8_t *planes, const uint8_t *packets, size_t size, int x0, int y0, int x1, int y1, int32_t *to);

#endif
