#include <stddef.h>
#include <stdint.h>

// deflate_codes writes n bytes as blocks of Huffman codes without repetitions (RFC 1951), the last of them marked so, and returns how many
// bytes that are. They have room in n + n/8 + 1024; some of it may be written to beyond what is returned.
size_t deflate_codes(const uint8_t *from, size_t n, uint8_t *to);
