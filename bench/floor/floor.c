#include "floor.h"

#include <isa-l/igzip_lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <webp/encode.h>

#define WIDE __attribute__((target_clones("default", "avx2")))

int floor_block(int fd, uint64_t offset, uint32_t size, uint8_t *packed, uint8_t *to, uint32_t to_size, int width, int samples, int bytes)
{
	if (pread(fd, packed, size, offset) != (ssize_t)size)
		return 0;
	struct inflate_state state;
	isal_inflate_init(&state);
	state.crc_flag = ISAL_ZLIB;
	state.next_in = packed, state.avail_in = size, state.next_out = to, state.avail_out = to_size;
	if (isal_inflate_stateless(&state) != ISAL_DECOMP_OK)
		return 0;
	size_t row = (size_t)width * samples;
	for (size_t y = 0; y < to_size / (row * bytes); y++) {
		if (bytes == 2) {
			uint16_t *p = (uint16_t *)to + y * row, sum = 0;
			for (size_t i = 0; i < row; i++)
				p[i] = sum = (uint16_t)(sum + p[i]);
		} else {
			uint8_t *p = to + y * row;
			for (size_t i = samples; i < row; i++)
				p[i] = (uint8_t)(p[i] + p[i - samples]);
		}
	}
	return 1;
}

WIDE void floor_places(const double *columns, const double *rows, int width, int height, int wide, int high, int first_x, int first_y, int across,
                       const uint16_t *slots, uint16_t none, uint16_t *slot, uint32_t *pixel)
{
	for (int cy = 0; cy < POINTS - 1; cy++)
		for (int cx = 0; cx < POINTS - 1; cx++) {
			const double *u = columns + cy * POINTS + cx, *v = rows + cy * POINTS + cx;
			for (int y = 0; y < CELL; y++) {
				double fy = (double)y / CELL;
				double u0 = u[0] + fy * (u[POINTS] - u[0]), du = (u[1] + fy * (u[POINTS + 1] - u[1]) - u0) / CELL;
				double v0 = v[0] + fy * (v[POINTS] - v[0]), dv = (v[1] + fy * (v[POINTS + 1] - v[1]) - v0) / CELL;
				int at = (cy * CELL + y) * SIDE + cx * CELL;
				for (int x = 0; x < CELL; x++) {
					int i = (int)(u0 + x * du + 1) - 1, j = (int)(v0 + x * dv + 1) - 1; // floor, from -1 on
					int inside = (i >= 0) & (j >= 0) & (i < width) & (j < height);
					i = inside ? i : 0, j = inside ? j : 0;
					slot[at + x] = inside ? slots[(j / high - first_y) * across + i / wide - first_x] : none;
					pixel[at + x] = (uint32_t)(j % high) * wide + i % wide;
				}
			}
		}
}

void floor_ndvi(const uint16_t *const *a, const uint16_t *const *b, const uint16_t *slot, const uint32_t *pixel, uint8_t *out)
{
	for (int i = 0; i < SIDE * SIDE; i++) {
		float x = a[slot[i]][pixel[i]], y = b[slot[i]][pixel[i]];
		float index = (y - x) / (y + x);
		out[i] = x == 0 || y == 0 ? 255 : (uint8_t)((index + 1) * 127.5f);
	}
}

int floor_rgb(const uint16_t *const *bands[3], const uint16_t *slot, const uint32_t *pixel, float high, uint8_t *out)
{
	int holes = 0;
	for (int i = 0; i < SIDE * SIDE; i++)
		for (int b = 0; b < 3; b++) {
			uint16_t v = bands[b][slot[i]][pixel[i]];
			float level = v * (255 / high);
			holes |= v == 0;
			out[3 * i + b] = level > 255 ? 255 : (uint8_t)level;
		}
	return holes;
}

int floor_tci(const uint8_t *const *blocks, const uint16_t *slot, const uint32_t *pixel, uint8_t *out)
{
	int holes = 0;
	for (int i = 0; i < SIDE * SIDE; i++) {
		const uint8_t *p = blocks[slot[i]] + 3 * pixel[i];
		out[3 * i] = p[0], out[3 * i + 1] = p[1], out[3 * i + 2] = p[2];
		holes |= !(p[0] && p[1] && p[2]);
	}
	return holes;
}

WIDE void floor_filter(const uint8_t *pixels, int channels, uint8_t *rows)
{
	int bytes = SIDE * channels;
	for (int y = 0; y < SIDE; y++, pixels += bytes, rows += bytes + 1) {
		rows[0] = 1; // "sub"
		memcpy(rows + 1, pixels, channels);
		for (int i = channels; i < bytes; i++)
			rows[1 + i] = pixels[i] - pixels[i - channels];
	}
}

int floor_jpeg(const uint8_t *pixels)
{
	struct jpeg_compress_struct jpeg = {0};
	struct jpeg_error_mgr errors;
	unsigned char *out = NULL;
	unsigned long length = 0;
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &out, &length);
	jpeg.image_width = jpeg.image_height = SIDE;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 85, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	JSAMPROW lines[SIDE];
	for (int y = 0; y < SIDE; y++)
		lines[y] = (JSAMPROW)pixels + y * SIDE * 3;
	while (jpeg.next_scanline < SIDE)
		jpeg_write_scanlines(&jpeg, lines + jpeg.next_scanline, SIDE - jpeg.next_scanline);
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	free(out);
	return (int)length;
}

int floor_webp(const uint8_t *pixels)
{
	WebPConfig config;
	WebPPicture picture;
	WebPMemoryWriter out;
	WebPMemoryWriterInit(&out);
	if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, 75) || !WebPPictureInit(&picture))
		return 0;
	config.method = 0;
	config.sns_strength = 0;
	picture.width = picture.height = SIDE;
	picture.writer = WebPMemoryWrite;
	picture.custom_ptr = &out;
	int done = WebPPictureImportRGB(&picture, pixels, SIDE * 3) && WebPEncode(&config, &picture);
	WebPPictureFree(&picture);
	int size = (int)out.size;
	WebPMemoryWriterClear(&out);
	return done ? size : 0;
}

double floor_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}
