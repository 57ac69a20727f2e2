// The bit planes of code blocks of at most 4 x 4 samples (ISO/IEC 15444-1, annexes C and D).
#ifndef SWATH_RASTER_BLOCKPLANES_H
#define SWATH_RASTER_BLOCKPLANES_H

#include <stddef.h>
#include <stdint.h>

// Decode a code block's passes, beginning with the cleanup of the highest of planes, into rows of four values. Orientation is
// that of its subband: LL 0, HL 1, LH 2, HH 3. 0 when it has more bytes than such a block can.
int swath_block_planes(const uint8_t *bytes, size_t length, int wide, int high, int planes, int passes, int orientation, int32_t values[16]);

#endif
