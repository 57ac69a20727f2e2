#include "codes.h"

#include <string.h>

#ifdef __x86_64__ // shifts by a register's low bits, without a detour through the flags
#define CLONES __attribute__((target_clones("bmi2", "default")))
#else
#define CLONES
#endif

enum {
	END = 256,          // the symbol behind the last byte of a block
	SYMBOLS = 257,
	LONGEST = 14,       // bits of a code: four of them and the bits that wait fit 64
	PIECE = 1 << 16,    // bytes, or half or one and a half times as many, that have one code at the least
	DIGIT = 10,         // bits of a count by which symbols are sorted at a time
	MOST = (1 << 2 * DIGIT) - 1, // bytes that have one code at the most
	STORED_MOST = 65535 // bytes of a block that is stored
};

// A piece of the bytes, and the codes that suit it.
typedef struct {
	const uint8_t *from;
	size_t n;
	uint32_t count[SYMBOLS];
	uint8_t length[SYMBOLS]; // 0: the symbol does not occur
	uint64_t bits;           // that the piece takes, coded or stored
	int coded;
} block;

typedef struct {
	uint8_t *to;
	uint64_t bits; // that wait, the first in the lowest place
	unsigned n;    // of them, less than 8
} writer;

static inline __attribute__((always_inline)) void put(writer *w, uint64_t value, unsigned bits)
{
	w->bits |= value << w->n;
	w->n += bits;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(w->to, &w->bits, 8);
#else
	for (int i = 0; i < 8; i++)
		w->to[i] = (uint8_t)(w->bits >> 8 * i);
#endif
	w->to += w->n >> 3;
	w->bits >>= w->n & 56;
	w->n &= 7;
}

// Eight counts of each value: equal neighbours do not wait for each other.
static void count(const uint8_t *from, size_t n, uint32_t *counts)
{
	uint32_t part[8][256] = {0};
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		uint64_t v;
		memcpy(&v, from + i, 8);
		part[0][v & 255]++, part[1][v >> 8 & 255]++, part[2][v >> 16 & 255]++, part[3][v >> 24 & 255]++;
		part[4][v >> 32 & 255]++, part[5][v >> 40 & 255]++, part[6][v >> 48 & 255]++, part[7][v >> 56]++;
	}
	for (; i < n; i++)
		part[0][from[i]]++;
	for (int v = 0; v < 256; v++)
		counts[v] = part[0][v] + part[1][v] + part[2][v] + part[3][v] + part[4][v] + part[5][v] + part[6][v] + part[7][v];
}

// The symbols that occur, the rarest first. Returns how many there are.
static int sorted(const uint32_t *counts, int symbols, uint16_t *order)
{
	uint16_t all[SYMBOLS], *from = all, *to = order;
	int n = 0;
	for (int s = 0; s < symbols; s++)
		if (counts[s])
			order[n++] = s;
	memcpy(all, order, n * sizeof *all);
	for (int shift = 0; shift <= DIGIT; shift += DIGIT) {
		uint16_t place[1 << DIGIT] = {0}, next = 0;
		for (int i = 0; i < n; i++)
			place[counts[from[i]] >> shift & ((1 << DIGIT) - 1)]++;
		for (int d = 0; d < 1 << DIGIT; d++) {
			uint16_t here = place[d];
			place[d] = next, next += here;
		}
		for (int i = 0; i < n; i++)
			to[place[counts[from[i]] >> shift & ((1 << DIGIT) - 1)]++] = from[i];
		uint16_t *swap = from;
		from = to, to = swap;
	}
	if (from != order)
		memcpy(order, from, n * sizeof *order);
	return n;
}

// The lengths of a Huffman code (1952) of symbols of which two at least occur, none longer than so many bits.
static void lengths_of(const uint32_t *counts, int symbols, int longest, uint8_t *length)
{
	uint16_t order[SYMBOLS], above_leaf[SYMBOLS], above[SYMBOLS];
	uint32_t weight[SYMBOLS]; // of the nodes, which are made in the order of their weights
	int n = sorted(counts, symbols, order), leaf = 0, oldest = 0;
	for (int node = 0; node < n - 1; node++) {
		weight[node] = 0;
		for (int child = 0; child < 2; child++) {
			if (leaf < n && (oldest == node || counts[order[leaf]] <= weight[oldest])) {
				weight[node] += counts[order[leaf]];
				above_leaf[leaf++] = node;
			} else {
				weight[node] += weight[oldest];
				above[oldest++] = node;
			}
		}
	}
	uint8_t depth[SYMBOLS] = {0};
	int of_length[64] = {0}; // a tree of counts below 2^32 is not deeper than 46
	for (int node = n - 3; node >= 0; node--)
		depth[node] = depth[above[node]] + 1;
	for (int i = 0; i < n; i++)
		of_length[depth[above_leaf[i]] + 1]++;
	// What is too deep goes up, and for the place that it takes there, leaves that are higher go down: two below one that was a leaf.
	int over = -(1 << longest);
	for (int l = 63; l > longest; l--)
		of_length[longest] += of_length[l];
	for (int l = 1; l <= longest; l++)
		over += of_length[l] << (longest - l);
	for (; over > 0; over--) {
		int l = longest - 1;
		while (of_length[l] == 0)
			l--;
		of_length[longest]--, of_length[l]--, of_length[l + 1] += 2;
	}
	memset(length, 0, symbols);
	for (int l = longest, i = 0; l > 0; l--)
		for (int k = 0; k < of_length[l]; k++)
			length[order[i++]] = l;
}

// The codes of lengths (RFC 1951, 3.2.2): bits from the first on, above them in the lowest byte how many there are.
static void codes_of(const uint8_t *length, int symbols, uint32_t *code)
{
	int of_length[16] = {0};
	uint32_t next[16] = {0};
	for (int s = 0; s < symbols; s++)
		of_length[length[s]]++;
	of_length[0] = 0;
	for (int l = 1; l < 16; l++)
		next[l] = (next[l - 1] + of_length[l - 1]) << 1;
	for (int s = 0; s < symbols; s++) {
		uint32_t forward = next[length[s]]++, back = 0;
		for (int l = 0; l < length[s]; l++, forward >>= 1)
			back = back << 1 | (forward & 1);
		code[s] = back << 8 | length[s];
	}
}

// The head of a block that says its codes (RFC 1951, 3.2.7). One distance code, of one bit, is there for readers that want to see one.
static void put_codes(writer *w, const uint8_t *length, int last)
{
	static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
	static const uint8_t extra[19] = {[16] = 2, [17] = 3, [18] = 7};
	uint8_t all[SYMBOLS + 1], symbol[SYMBOLS + 1], more[SYMBOLS + 1], own[19];
	uint32_t counts[19] = {0}, code[19];
	int n = 0, total = SYMBOLS + 1;
	memcpy(all, length, SYMBOLS);
	all[SYMBOLS] = 1;
	for (int i = 0; i < total;) {
		int run = 1;
		while (i + run < total && all[i + run] == all[i])
			run++;
		if (all[i] == 0 && run >= 3) {
			run = run < 138 ? run : 138;
			symbol[n] = run < 11 ? 17 : 18, more[n] = run - (run < 11 ? 3 : 11);
		} else if (i > 0 && all[i] == all[i - 1] && run >= 3) {
			run = run < 6 ? run : 6;
			symbol[n] = 16, more[n] = run - 3;
		} else {
			run = 1;
			symbol[n] = all[i], more[n] = 0;
		}
		counts[symbol[n++]]++;
		i += run;
	}
	lengths_of(counts, 19, 7, own);
	codes_of(own, 19, code);
	int told = 19;
	while (own[order[told - 1]] == 0)
		told--;
	put(w, last | 2 << 1, 3);
	put(w, (SYMBOLS - 257) | 0 << 5 | (told - 4) << 10, 14);
	for (int i = 0; i < told; i++)
		put(w, own[order[i]], 3);
	for (int i = 0; i < n; i++) {
		put(w, code[symbol[i]] >> 8, code[symbol[i]] & 255);
		put(w, more[i], extra[symbol[i]]);
	}
}

// Lengths of a code in its low byte add up there, so that none has to be taken out of its word first.
CLONES static void put_bytes(writer *to, const uint8_t *from, size_t n, const uint32_t *code)
{
	writer w = *to;
	size_t i = 0;
	for (; i + 4 <= n; i += 4) {
		uint32_t a = code[from[i]], b = code[from[i + 1]], c = code[from[i + 2]], d = code[from[i + 3]];
		uint64_t first = a >> 8 | (uint64_t)(b >> 8) << (a & 63), second = c >> 8 | (uint64_t)(d >> 8) << (c & 63);
		put(&w, first | second << ((a + b) & 63), (a + b + c + d) & 63);
	}
	for (; i < n; i++)
		put(&w, code[from[i]] >> 8, code[from[i]] & 63);
	*to = w;
}

static void put_block(writer *w, const block *b, int last)
{
	if (b->coded) {
		uint32_t code[SYMBOLS];
		codes_of(b->length, SYMBOLS, code);
		put_codes(w, b->length, last);
		put_bytes(w, b->from, b->n, code);
		put(w, code[END] >> 8, code[END] & 255);
		return;
	}
	size_t at = 0;
	do { // once even of nothing
		size_t n = b->n - at < STORED_MOST ? b->n - at : STORED_MOST;
		put(w, last && at + n == b->n, 3);
		put(w, 0, (8 - w->n) & 7); // to a whole byte
		put(w, n | (~n & 0xFFFF) << 16, 32);
		memcpy(w->to, b->from + at, n);
		w->to += n, at += n;
	} while (at < b->n);
}

// Finds the codes of a piece whose bytes are counted.
static void suit(block *b)
{
	enum { HEAD = 600 }; // bits of a usual one
	b->count[END] = 1;
	lengths_of(b->count, SYMBOLS, LONGEST, b->length);
	uint64_t coded = HEAD, stored = 8 * b->n + 48 * (b->n / STORED_MOST + 1);
	for (int s = 0; s < SYMBOLS; s++)
		coded += (uint64_t)b->count[s] * b->length[s];
	b->coded = b->n > 0 && coded < stored;
	b->bits = b->coded ? coded : stored;
}

size_t deflate_codes(const uint8_t *from, size_t n, uint8_t *to)
{
	writer w = {to, 0, 0};
	block space[3], *now = &space[0], *next = &space[1], *both = &space[2];
	size_t pieces = n < PIECE ? 1 : (n + PIECE / 2) / PIECE;
	now->n = 0;
	for (size_t i = 0; i < pieces; i++) {
		size_t start = n * i / pieces;
		next->from = from + start, next->n = n * (i + 1) / pieces - start;
		count(next->from, next->n, next->count);
		suit(next);
		if (i == 0) {
			*now = *next;
			continue;
		}
		both->from = now->from, both->n = now->n + next->n;
		for (int s = 0; s < END; s++)
			both->count[s] = now->count[s] + next->count[s];
		if (both->n <= MOST)
			suit(both);
		int together = both->n <= MOST && both->bits <= now->bits + next->bits;
		if (!together)
			put_block(&w, now, 0);
		block **better = together ? &both : &next, *before = now;
		now = *better, *better = before;
	}
	put_block(&w, now, 1);
	put(&w, 0, (8 - w.n) & 7);
	return w.to - to;
}
