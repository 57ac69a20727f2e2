#include "jpeg2000.h"

#include <stdlib.h>
#include <string.h>

// A codestream in memory, as OpenJPEG reads it.
typedef struct {
	const uint8_t *bytes;
	size_t size, at;
} memory;

static OPJ_SIZE_T memory_read(void *to, OPJ_SIZE_T size, void *user)
{
	memory *m = user;
	if (m->at >= m->size)
		return (OPJ_SIZE_T)-1;
	if (size > m->size - m->at)
		size = m->size - m->at;
	memcpy(to, m->bytes + m->at, size);
	m->at += size;
	return size;
}

static OPJ_OFF_T memory_skip(OPJ_OFF_T size, void *user)
{
	memory *m = user;
	if (size < 0 || (uint64_t)size > m->size - m->at)
		return -1;
	m->at += (size_t)size;
	return size;
}

static OPJ_BOOL memory_seek(OPJ_OFF_T at, void *user)
{
	memory *m = user;
	if (at < 0 || (uint64_t)at > m->size)
		return OPJ_FALSE;
	m->at = (size_t)at;
	return OPJ_TRUE;
}

// The first thing that OpenJPEG complains of.
static void complain(const char *message, void *user)
{
	char *error = user;
	if (!error[0])
		strncpy(error, message, SWATH_JP2_ERROR - 1);
}

// Copy the components of an image; 0 when it is not as large as it should be.
static int planes(const opj_image_t *image, int32_t *to, int components, int width, int height)
{
	if ((int)image->numcomps != components)
		return 0;
	for (int i = 0; i < components; i++) {
		const opj_image_comp_t *c = &image->comps[i];
		if (!c->data || (int)c->w != width || (int)c->h != height)
			return 0;
		memcpy(to + (size_t)i * width * height, c->data, (size_t)width * height * sizeof *to);
	}
	return 1;
}

int swath_jp2_decode(const uint8_t *bytes, size_t size, int reduce, int x0, int y0, int x1, int y1, int32_t *to, int components, int width,
                     int height, char *error)
{
	memory m = {bytes, size, 0};
	opj_image_t *image = NULL;
	opj_dparameters_t parameters;
	opj_set_default_decoder_parameters(&parameters);
	parameters.cp_reduce = (OPJ_UINT32)reduce;
	opj_codec_t *codec = opj_create_decompress(OPJ_CODEC_J2K);
	opj_stream_t *stream = opj_stream_create(1 << 16, OPJ_TRUE);
	int ok = codec && stream;
	if (ok) {
		opj_set_error_handler(codec, complain, error);
		opj_stream_set_read_function(stream, memory_read);
		opj_stream_set_skip_function(stream, memory_skip);
		opj_stream_set_seek_function(stream, memory_seek);
		opj_stream_set_user_data(stream, &m, NULL);
		opj_stream_set_user_data_length(stream, size);
		ok = opj_setup_decoder(codec, &parameters) && opj_read_header(stream, codec, &image) &&
		     opj_set_decode_area(codec, image, x0, y0, x1, y1) && opj_decode(codec, stream, image) &&
		     planes(image, to, components, width, height);
	}
	if (stream)
		opj_stream_destroy(stream);
	if (codec)
		opj_destroy_codec(codec);
	if (image)
		opj_image_destroy(image);
	return ok;
}

#define NARROW(type)                                                                 \
	for (int y = 0; y < height; y++) {                                           \
		type *line = (type *)to + (size_t)y * to_stride;                     \
		const int32_t *values = from + (size_t)y * from_stride;              \
		for (int x = 0; x < width; x++)                                      \
			line[(size_t)x * step] = (type)values[x];                    \
	}

void swath_narrow(void *to, int bytes, int step, int to_stride, const int32_t *from, int from_stride, int width, int height)
{
	if (bytes == 1) {
		NARROW(uint8_t)
	} else if (bytes == 2) {
		NARROW(uint16_t)
	} else {
		NARROW(int32_t)
	}
}
