#include "smallblocks.h"

#include "blockplanes.h"

#include <stdlib.h>
#include <string.h>

// A code block as its packet's header describes it.
typedef struct {
	uint32_t at, length; // of its bytes among the packets
	uint8_t zeros, passes; // bit planes above its first, and coding passes
} block;

// A rectangle: columns x0..x1, rows y0..y1.
typedef struct {
	int x0, y0, x1, y1;
} area;

// A subband: where its samples lie among those of its resolution, and its code blocks row by row.
typedef struct {
	area samples;
	int right, below; // 1 where it holds the high frequencies across, and down
	int column, row, across; // of the first block, counted in blocks from the origin; blocks in a row
	uint8_t planes;
	block *blocks;
} subband;

static int ceil_shift(int v, int n) { return (int)(((int64_t)v + ((int64_t)1 << n) - 1) >> n); }
static int least(int a, int b) { return a < b ? a : b; }
static int64_t least64(int64_t a, int64_t b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

static area resolution_area(const swath_tile *t, int r)
{
	int n = t->levels - r;
	return (area){ceil_shift(t->x0, n), ceil_shift(t->y0, n), ceil_shift(t->x1, n), ceil_shift(t->y1, n)};
}

// The subband of a resolution; which is 0 for LL, or 1, 2, 3 for HL, LH, HH (B.5).
static subband band_of(const swath_tile *t, const uint8_t *planes, int component, int r, int which)
{
	subband b = {.right = which & 1, .below = which >> 1};
	area a = resolution_area(t, r);
	if (which == 0) {
		b.samples = a;
	} else {
		b.samples = (area){(a.x0 + !b.right) >> 1, (a.y0 + !b.below) >> 1, (a.x1 + !b.right) >> 1, (a.y1 + !b.below) >> 1};
	}
	b.column = b.samples.x0 >> 2;
	b.row = b.samples.y0 >> 2;
	b.across = most(0, ceil_shift(b.samples.x1, 2) - b.column);
	b.planes = planes[component * (3 * t->levels + 1) + (r ? 3 * (r - 1) + which : 0)];
	return b;
}

static size_t band_blocks(const subband *b) { return (size_t)b->across * most(0, ceil_shift(b->samples.y1, 2) - b->row); }

// The bits of packet headers: after a byte of ones comes a zero (B.10.1).
typedef struct {
	const uint8_t *at, *end;
	unsigned byte;
	int left, over;
} bits;

static inline unsigned bit(bits *b)
{
	if (b->left == 0) {
		b->left = b->byte == 0xFF ? 7 : 8;
		b->over |= b->at >= b->end;
		b->byte = b->over ? 0 : *b->at++;
	}
	return b->byte >> --b->left & 1;
}

static inline unsigned number(bits *b, int n)
{
	unsigned v = 0;
	while (n-- > 0)
		v = v << 1 | bit(b);
	return v;
}

// A tag tree (B.10.2), read once from left to right: for each node the least value that is still possible, and whether it is known.
typedef struct {
	int levels, wide[16];
	size_t at[16];
	uint8_t *low, *known;
} tree;

static size_t lay_tree(tree *t, int wide, int high)
{
	size_t nodes = 0;
	t->levels = 0;
	for (;; wide = (wide + 1) >> 1, high = (high + 1) >> 1) {
		t->wide[t->levels] = wide;
		t->at[t->levels++] = nodes;
		nodes += (size_t)wide * high;
		if (wide <= 1 && high <= 1)
			return nodes;
	}
}

// The value of a leaf if it is below limit, else limit.
static inline int leaf(tree *t, bits *b, int x, int y, int limit)
{
	int low = 0;
	for (int l = t->levels - 1; l >= 0; l--) {
		size_t n = t->at[l] + (size_t)(y >> l) * t->wide[l] + (x >> l);
		low = most(low, t->low[n]);
		while (low < limit && !t->known[n]) {
			if (bit(b))
				t->known[n] = 1;
			else
				low++;
		}
		t->low[n] = (uint8_t)low;
		if (!t->known[n])
			return limit;
	}
	return low;
}

// The number of coding passes (table B.4).
static inline int passes_of(bits *b)
{
	unsigned v;
	if (!bit(b))
		return 1;
	if (!bit(b))
		return 2;
	if ((v = number(b, 2)) < 3)
		return 3 + (int)v;
	if ((v = number(b, 5)) < 31)
		return 6 + (int)v;
	return 37 + (int)number(b, 7);
}

// Memory for the tag trees of one subband of one precinct.
typedef struct {
	uint8_t *bytes;
	size_t size;
} scratch;

enum { MAX_PLANES = 30 };

// Read the header of a packet about one subband, whose blocks within a precinct are those in the rectangle.
static const char *read_blocks(bits *b, subband *s, area in, scratch *memory)
{
	tree included, zeros;
	int wide = in.x1 - in.x0, high = in.y1 - in.y0;
	size_t nodes = lay_tree(&included, wide, high);
	lay_tree(&zeros, wide, high);
	if (memory->size < 4 * nodes) {
		free(memory->bytes);
		memory->size = 0;
		if (!(memory->bytes = malloc(4 * nodes)))
			return "no memory";
		memory->size = 4 * nodes;
	}
	memset(memory->bytes, 0, 4 * nodes);
	included.low = memory->bytes, included.known = included.low + nodes;
	zeros.low = included.known + nodes, zeros.known = zeros.low + nodes;
	for (int y = in.y0; y < in.y1; y++) {
		for (int x = in.x0; x < in.x1; x++) {
			if (leaf(&included, b, x - in.x0, y - in.y0, 1) == 1)
				continue;
			block *k = &s->blocks[(size_t)(y - s->row) * s->across + x - s->column];
			k->zeros = (uint8_t)leaf(&zeros, b, x - in.x0, y - in.y0, MAX_PLANES + 1);
			k->passes = (uint8_t)passes_of(b);
			int length = 3; // Lblock (B.10.7.1)
			while (bit(b) && !b->over)
				length++;
			length += 31 - __builtin_clz(k->passes);
			if (length > 24 || b->over)
				return "a packet header is damaged";
			k->length = number(b, length);
		}
	}
	return NULL;
}

// Read the packet of one precinct; bands are the one or three subbands of its resolution.
static const char *read_packet(const uint8_t *packets, size_t size, size_t *at, subband *bands, int count, area precinct, scratch *memory)
{
	bits b = {packets + *at, packets + size, 0, 0, 0};
	area in[3];
	int some = bit(&b);
	for (int i = 0; i < count; i++) {
		area p = count == 1 ? precinct : (area){precinct.x0 >> 1, precinct.y0 >> 1, precinct.x1 >> 1, precinct.y1 >> 1};
		area s = bands[i].samples;
		p = (area){most(p.x0, s.x0), most(p.y0, s.y0), least(p.x1, s.x1), least(p.y1, s.y1)};
		in[i] = (area){0, 0, 0, 0};
		if (p.x0 >= p.x1 || p.y0 >= p.y1)
			continue;
		in[i] = (area){p.x0 >> 2, p.y0 >> 2, ceil_shift(p.x1, 2), ceil_shift(p.y1, 2)};
		const char *wrong = some ? read_blocks(&b, &bands[i], in[i], memory) : NULL;
		if (wrong)
			return wrong;
	}
	if (b.byte == 0xFF)
		b.at++;
	if (b.over || b.at > b.end)
		return "the tile is cut off";
	*at = (size_t)(b.at - packets);
	for (int i = 0; some && i < count; i++) {
		for (int y = in[i].y0; y < in[i].y1; y++) {
			for (int x = in[i].x0; x < in[i].x1; x++) {
				block *k = &bands[i].blocks[(size_t)(y - bands[i].row) * bands[i].across + x - bands[i].column];
				k->at = (uint32_t)*at;
				if (k->length > size - *at)
					return "the tile is cut off";
				*at += k->length;
			}
		}
	}
	return NULL;
}

// Read all packets of a resolution of a component.
static const char *read_resolution(const swath_tile *t, int r, const uint8_t *packets, size_t size, size_t *at, subband *bands, scratch *memory)
{
	area a = resolution_area(t, r);
	if (a.x0 >= a.x1 || a.y0 >= a.y1)
		return NULL;
	int wide = t->wide[r], high = t->high[r];
	for (int64_t y = a.y0 >> high; y << high < a.y1; y++) {
		for (int64_t x = a.x0 >> wide; x << wide < a.x1; x++) {
			area precinct = {(int)(x << wide), (int)(y << high), (int)least64((x + 1) << wide, INT32_MAX - 1), (int)least64((y + 1) << high, INT32_MAX - 1)};
			const char *wrong = read_packet(packets, size, at, bands, r ? 3 : 1, precinct, memory);
			if (wrong)
				return wrong;
		}
	}
	return NULL;
}

// Decode the blocks of a subband that lie in an area of its resolution, whose samples are apart by step: 1, or 2 where three
// other subbands lie between.
static const char *decode_band(const subband *s, const uint8_t *packets, area to, int step, int32_t *samples)
{
	int wide = to.x1 - to.x0;
	area need = to;
	if (step == 2)
		need = (area){(to.x0 + !s->right) >> 1, (to.y0 + !s->below) >> 1, (to.x1 + !s->right) >> 1, (to.y1 + !s->below) >> 1};
	if (need.x0 >= need.x1 || need.y0 >= need.y1)
		return NULL;
	int orientation = step == 1 ? 0 : s->right + 2 * s->below;
	for (int row = need.y0 >> 2; row < ceil_shift(need.y1, 2); row++) {
		for (int column = need.x0 >> 2; column < ceil_shift(need.x1, 2); column++) {
			const block *k = &s->blocks[(size_t)(row - s->row) * s->across + column - s->column];
			area b = {most(4 * column, s->samples.x0), most(4 * row, s->samples.y0), least(4 * column + 4, s->samples.x1), least(4 * row + 4, s->samples.y1)};
			int32_t values[16] = {0};
			if (k->passes) {
				int planes = s->planes - k->zeros;
				if (planes < 1 || planes > MAX_PLANES || k->passes > 3 * planes - 2)
					return "a code block has more bits than its subband";
				if (!swath_block_planes(packets + k->at, k->length, b.x1 - b.x0, b.y1 - b.y0, planes, k->passes, orientation, values))
					return "a code block is too long";
			}
			for (int y = most(b.y0, need.y0); y < least(b.y1, need.y1); y++) {
				int32_t *line = samples + (size_t)(step == 1 ? y - to.y0 : 2 * y + s->below - to.y0) * wide;
				for (int x = most(b.x0, need.x0); x < least(b.x1, need.x1); x++)
					line[step == 1 ? x - to.x0 : 2 * x + s->right - to.x0] = values[4 * (y - b.y0) + x - b.x0];
			}
		}
	}
	return NULL;
}

// The inverse reversible wavelet of lines (F.3.8.2), low and high samples in turns: first the low ones lose a quarter of their
// neighbours, then the high ones gain half. Beyond an end the line is mirrored.
static void lift_row(int32_t *v, int n, int odd)
{
	if (n == 1) {
		if (odd)
			v[0] /= 2;
		return;
	}
	int i = odd;
	if (i == 0) {
		v[0] -= (2 * v[1] + 2) >> 2;
		i = 2;
	}
	for (; i + 1 < n; i += 2)
		v[i] -= (v[i - 1] + v[i + 1] + 2) >> 2;
	if (i < n)
		v[i] -= (2 * v[i - 1] + 2) >> 2;
	i = !odd;
	if (i == 0) {
		v[0] += v[1];
		i = 2;
	}
	for (; i + 1 < n; i += 2)
		v[i] += (v[i - 1] + v[i + 1]) >> 1;
	if (i < n)
		v[i] += v[i - 1];
}

static void lift_columns(int32_t *v, int wide, int high, int odd)
{
	if (high == 1) {
		for (int x = 0; odd && x < wide; x++)
			v[x] /= 2;
		return;
	}
	for (int y = odd; y < high; y += 2) {
		int32_t *restrict line = v + (size_t)y * wide;
		const int32_t *above = y ? line - wide : line + wide, *below = y + 1 < high ? line + wide : above;
		for (int x = 0; x < wide; x++)
			line[x] -= (above[x] + below[x] + 2) >> 2;
	}
	for (int y = !odd; y < high; y += 2) {
		int32_t *restrict line = v + (size_t)y * wide;
		const int32_t *above = y ? line - wide : line + wide, *below = y + 1 < high ? line + wide : above;
		for (int x = 0; x < wide; x++)
			line[x] += (above[x] + below[x]) >> 1;
	}
}

enum { REACH = 4 }; // samples beside a window that the wavelet's values depend on, and more

static area around(area a, int reach, area within)
{
	return (area){most(a.x0 - reach, within.x0), most(a.y0 - reach, within.y0), least(a.x1 + reach, within.x1), least(a.y1 + reach, within.y1)};
}

static size_t pixels(area a) { return (size_t)(a.x1 - a.x0) * (a.y1 - a.y0); }

// Decode the window of one component. Each resolution is made a little larger than what the next one needs, as if it
// ended there: what its false ends spoil is not needed.
static const char *decode_component(const swath_tile *t, subband (*bands)[3], const uint8_t *packets, area window, int32_t *to)
{
	area want[SWATH_RESOLUTIONS];
	area need = window;
	for (int r = t->levels; r >= 0; r--) {
		want[r] = around(need, r ? REACH : 0, resolution_area(t, r));
		need = (area){(want[r].x0 + 1) >> 1, (want[r].y0 + 1) >> 1, (want[r].x1 + 1) >> 1, (want[r].y1 + 1) >> 1};
	}
	int32_t *lower = NULL;
	const char *wrong = NULL;
	for (int r = 0; r <= t->levels && !wrong; r++) {
		area a = want[r];
		int wide = a.x1 - a.x0, high = a.y1 - a.y0;
		int32_t *samples = calloc(pixels(a) + 1, sizeof *samples);
		if (!samples) {
			wrong = "no memory";
			break;
		}
		if (r == 0) {
			wrong = decode_band(&bands[0][0], packets, a, 1, samples);
		} else {
			area l = want[r - 1];
			for (int y = (a.y0 + 1) >> 1; y < (a.y1 + 1) >> 1; y++) {
				const int32_t *from = lower + (size_t)(y - l.y0) * (l.x1 - l.x0) - l.x0;
				int32_t *line = samples + (size_t)(2 * y - a.y0) * wide - a.x0;
				for (int x = (a.x0 + 1) >> 1; x < (a.x1 + 1) >> 1; x++)
					line[2 * x] = from[x];
			}
			for (int i = 0; i < 3 && !wrong; i++)
				wrong = decode_band(&bands[r][i], packets, a, 2, samples);
			for (int y = 0; y < high; y++)
				lift_row(samples + (size_t)y * wide, wide, a.x0 & 1);
			if (wide > 0 && high > 0)
				lift_columns(samples, wide, high, a.y0 & 1);
		}
		free(lower);
		lower = samples;
	}
	area a = want[t->levels];
	for (int y = window.y0; y < window.y1 && !wrong; y++)
		memcpy(to + (size_t)(y - window.y0) * (window.x1 - window.x0), lower + (size_t)(y - a.y0) * (a.x1 - a.x0) + window.x0 - a.x0,
		       (size_t)(window.x1 - window.x0) * sizeof *to);
	free(lower);
	return wrong;
}

// Undo the reversible colour transform (G.2.2), and shift and bound the samples (G.1.2).
static void finish(const swath_tile *t, int32_t *to, size_t n)
{
	if (t->colour) {
		int32_t *restrict y = to, *restrict u = to + n, *restrict v = to + 2 * n;
		for (size_t i = 0; i < n; i++) {
			int32_t green = y[i] - ((u[i] + v[i]) >> 2), red = v[i] + green, blue = u[i] + green;
			y[i] = red, u[i] = green, v[i] = blue;
		}
	}
	int32_t half = 1 << (t->bits - 1), shift = t->is_signed ? 0 : half;
	int32_t low = t->is_signed ? -half : 0, high = t->is_signed ? half - 1 : 2 * half - 1;
	for (size_t i = 0; i < n * (size_t)t->components; i++) {
		int32_t v = to[i] + shift;
		to[i] = v < low ? low : v > high ? high : v;
	}
}

const char *swath_small_decode(const swath_tile *t, const uint8_t *planes, const uint8_t *packets, size_t size, int x0, int y0, int x1, int y1, int32_t *to)
{
	int resolutions = t->levels + 1;
	area window = {x0, y0, x1, y1};
	if (x0 < t->x0 || y0 < t->y0 || x1 > t->x1 || y1 > t->y1 || x0 >= x1 || y0 >= y1 || size > UINT32_MAX)
		return "the window lies outside the tile";
	subband(*bands)[3] = calloc((size_t)t->components * resolutions, sizeof *bands);
	if (!bands)
		return "no memory";
	size_t count = 0;
	for (int c = 0; c < t->components; c++)
		for (int r = 0; r < resolutions; r++)
			for (int i = 0; i < (r ? 3 : 1); i++) {
				bands[c * resolutions + r][i] = band_of(t, planes, c, r, r ? i + 1 : 0);
				count += band_blocks(&bands[c * resolutions + r][i]);
			}
	block *blocks = calloc(count + 1, sizeof *blocks);
	const char *wrong = blocks ? NULL : "no memory";
	block *next = blocks;
	for (int i = 0; blocks && i < t->components * resolutions; i++)
		for (int j = 0; j < (i % resolutions ? 3 : 1); j++) {
			bands[i][j].blocks = next;
			next += band_blocks(&bands[i][j]);
		}
	scratch memory = {NULL, 0};
	size_t at = 0;
	for (int r = 0; r < resolutions && !wrong; r++)
		for (int c = 0; c < t->components && !wrong; c++)
			wrong = read_resolution(t, r, packets, size, &at, bands[c * resolutions + r], &memory);
	size_t n = pixels(window);
	for (int c = 0; c < t->components && !wrong; c++)
		wrong = decode_component(t, bands + c * resolutions, packets, window, to + (size_t)c * n);
	if (!wrong)
		finish(t, to, n);
	free(memory.bytes);
	free(blocks);
	free(bands);
	return wrong;
}
