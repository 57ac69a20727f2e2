#include <stddef.h>
#include <stdio.h>
#include <setjmp.h>
#include <jpeglib.h>
#include "jpeg.h"

// The library's default ends the process on an error; this one comes back to render_jpeg.
struct failure {
	struct jpeg_error_mgr manager; // first, so that the library's pointer to it is one to the whole
	jmp_buf back;
	char *message; // JMSG_LENGTH_MAX bytes
};

static void fail(j_common_ptr info) {
	struct failure *f = (struct failure *)info->err;
	f->manager.format_message(info, f->message);
	longjmp(f->back, 1);
}

int render_jpeg(const uint8_t *pixels, int width, int height, int quality, unsigned char **out, unsigned long *length,
	char *message) {
	struct jpeg_compress_struct jpeg = {0};
	struct failure failure = {.message = message};
	*out = NULL;
	*length = 0;
	jpeg.err = jpeg_std_error(&failure.manager);
	failure.manager.error_exit = fail;
	if (setjmp(failure.back)) {
		jpeg_destroy_compress(&jpeg); // *out may be stale by now: rather lost than freed twice
		return 0;
	}
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, out, length);
	jpeg.image_width = width;
	jpeg.image_height = height;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg); // 4:2:0
	jpeg_set_quality(&jpeg, quality, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	while (jpeg.next_scanline < jpeg.image_height) {
		JSAMPROW rows[16];
		int n = 0;
		for (JDIMENSION y = jpeg.next_scanline; n < 16 && y < jpeg.image_height; n++, y++)
			rows[n] = (JSAMPROW)pixels + (size_t)y * width * 3;
		jpeg_write_scanlines(&jpeg, rows, n);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	return 1;
}
