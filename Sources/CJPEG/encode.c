#include "CJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    unsigned char *bytes;
    unsigned long count;
};

static void on_encoding_error(j_common_ptr common) {
    longjmp(((struct encoder *)common->client_data)->escape, 1);
}

static void on_encoding_message(j_common_ptr common, int level) {
    (void)common;
    (void)level;
}

uint8_t *cjpeg_encode(const uint32_t *pixels, int width, int height, int quality, size_t *count) {
    struct encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder) return NULL;
    encoder->jpeg.err = jpeg_std_error(&encoder->errors);
    encoder->errors.error_exit = on_encoding_error;
    encoder->errors.emit_message = on_encoding_message;
    encoder->jpeg.client_data = encoder;
    uint8_t *result = NULL;
    if (setjmp(encoder->escape) == 0) {
        struct jpeg_compress_struct *jpeg = &encoder->jpeg;
        jpeg_create_compress(jpeg);
        jpeg->client_data = encoder;
        jpeg_mem_dest(jpeg, &encoder->bytes, &encoder->count);
        jpeg->image_width = (JDIMENSION)width;
        jpeg->image_height = (JDIMENSION)height;
        jpeg->input_components = 4;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        jpeg->in_color_space = JCS_EXT_BGRX;
#else
        jpeg->in_color_space = JCS_EXT_XRGB;
#endif
        jpeg_set_defaults(jpeg);
        jpeg_set_quality(jpeg, quality, TRUE);
        if (quality >= 90) jpeg->comp_info[0].h_samp_factor = jpeg->comp_info[0].v_samp_factor = 1;
        jpeg->optimize_coding = TRUE;
        jpeg_start_compress(jpeg, TRUE);
        while (jpeg->next_scanline < jpeg->image_height) {
            JSAMPROW row = (JSAMPROW)(pixels + (size_t)jpeg->next_scanline * (size_t)width);
            jpeg_write_scanlines(jpeg, &row, 1);
        }
        jpeg_finish_compress(jpeg);
        result = encoder->bytes;
        *count = encoder->count;
    } else {
        free(encoder->bytes);
    }
    jpeg_destroy_compress(&encoder->jpeg);
    free(encoder);
    return result;
}

void cjpeg_free(uint8_t *bytes) { free(bytes); }
