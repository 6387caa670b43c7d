#include "CPNG.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

struct cpng_decoder {
    png_structp png;
    png_infop info;
    jmp_buf escape;
    const uint8_t *next;
    size_t left;
    bool failed;
};

static const png_byte unwanted_chunks[] = "tEXt\0zTXt\0iTXt\0eXIf\0sPLT";

static void on_error(png_structp png, png_const_charp message) {
    (void)message;
    cpng_decoder *decoder = png_get_error_ptr(png);
    decoder->failed = true;
    longjmp(decoder->escape, 1);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void on_read(png_structp png, png_bytep bytes, size_t count) {
    cpng_decoder *decoder = png_get_io_ptr(png);
    if (count > decoder->left) png_error(png, "the file ends");
    memcpy(bytes, decoder->next, count);
    decoder->next += count;
    decoder->left -= count;
}

// As libvips has libpng resolve palettes, small samples and transparent colours, so that large pictures look as small ones.
static void resolve(png_structp png, png_infop info, int color_type, int depth) {
    if (color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (png_get_valid(png, info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(png);
    if (color_type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (depth > 8) png_set_swap(png);
#endif
}

cpng_decoder *cpng_open(const uint8_t *bytes, size_t count, cpng_info *info) {
    cpng_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    decoder->next = bytes;
    decoder->left = count;
    if (setjmp(decoder->escape)) return decoder;
    decoder->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning);
    decoder->info = decoder->png ? png_create_info_struct(decoder->png) : NULL;
    if (!decoder->info) {
        decoder->failed = true;
        return decoder;
    }
    png_structp png = decoder->png;
    png_set_read_fn(png, decoder, on_read);
    // What is wrong with a profile, or with the sum over all pixels, is no reason not to show them.
    png_set_option(png, PNG_SKIP_sRGB_CHECK_PROFILE, PNG_OPTION_ON);
    png_set_option(png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
    // Texts and the like, which may unpack to any size, are passed over; a profile may be large, a row of pixels also.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, unwanted_chunks, sizeof unwanted_chunks / 5);
    png_set_chunk_malloc_max(png, 50 << 20);
    png_set_user_limits(png, 10000000, 10000000);
    png_read_info(png, decoder->info);

    int depth = 0, color_type = 0;
    png_get_IHDR(png, decoder->info, &info->width, &info->height, &depth, &color_type, NULL, NULL, NULL);
    resolve(png, decoder->info, color_type, depth);
    // Without png_set_interlace_handling each pass is a picture of its own.
    png_read_update_info(png, decoder->info);
    info->bands = png_get_channels(png, decoder->info);
    info->is_16bit = png_get_bit_depth(png, decoder->info) == 16;
    info->row_size = png_get_rowbytes(png, decoder->info);
    if (info->row_size != (size_t)info->width * (size_t)info->bands * (info->is_16bit ? 2 : 1)) {
        decoder->failed = true;
        return decoder;
    }
    png_charp name = NULL;
    png_bytep profile = NULL;
    png_uint_32 size = 0;
    int compression = 0;
    if (png_get_iCCP(png, decoder->info, &name, &compression, &profile, &size)) {
        info->profile = profile;
        info->profile_size = size;
    }
    return decoder;
}

bool cpng_read_row(cpng_decoder *decoder, uint8_t *row) {
    if (decoder->failed || setjmp(decoder->escape)) return false;
    png_read_row(decoder->png, row, NULL);
    return true;
}

bool cpng_failed(const cpng_decoder *decoder) { return decoder->failed; }

void cpng_close(cpng_decoder *decoder) {
    if (!decoder) return;
    if (decoder->png) png_destroy_read_struct(&decoder->png, &decoder->info, NULL);
    free(decoder);
}
