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

opj_image_t *swath_jp2_decode(const uint8_t *bytes, size_t size, int reduce, int x0, int y0, int x1, int y1, char *error)
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
		     opj_set_decode_area(codec, image, x0, y0, x1, y1) && opj_decode(codec, stream, image);
	}
	if (stream)
		opj_stream_destroy(stream);
	if (codec)
		opj_destroy_codec(codec);
	if (!ok && image) {
		opj_image_destroy(image);
		image = NULL;
	}
	return image;
}

int swath_jp2_copy(const opj_image_t *image, int component, int column, int row, int width, int height, void *to, int bytes, int step,
                   int stride)
{
	if (component >= (int)image->numcomps)
		return 0;
	const opj_image_comp_t *c = &image->comps[component];
	if (!c->data || column < 0 || row < 0 || column + width > (int)c->w || row + height > (int)c->h)
		return 0;
	for (int y = 0; y < height; y++) {
		const OPJ_INT32 *from = c->data + (size_t)(row + y) * c->w + column;
		size_t at = (size_t)y * stride;
		switch (bytes) {
		case 1:
			for (int x = 0; x < width; x++)
				((uint8_t *)to)[at + (size_t)x * step] = (uint8_t)from[x];
			break;
		case 2:
			for (int x = 0; x < width; x++)
				((uint16_t *)to)[at + (size_t)x * step] = (uint16_t)from[x];
			break;
		default:
			for (int x = 0; x < width; x++)
				((int32_t *)to)[at + (size_t)x * step] = from[x];
		}
	}
	return 1;
}
