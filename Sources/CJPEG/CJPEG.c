#include "CJPEG.h"

#include "coefficients.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jerror.h>

// A progressive file can ask for any number of passes over the picture in a few bytes each. No encoder writes a hundred.
enum { maximum_scans = 200 };

struct cjpeg_decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    struct coefficient_files files;
    jmp_buf escape;
    bool failed;
    bool reads_rows;   // the rows are being decoded (not read in advance, as for a progressive file)
    bool ends_early;
    int good_rows;     // -1 while nothing is missing
    char message[JMSG_LENGTH_MAX];
};

static cjpeg_decoder *decoder_of(j_common_ptr common) { return (cjpeg_decoder *)common->client_data; }

struct coefficient_files *coefficient_files_of(j_common_ptr common) { return &decoder_of(common)->files; }

static void keep_message(j_common_ptr common) {
    cjpeg_decoder *decoder = decoder_of(common);
    if (decoder->message[0] == 0) common->err->format_message(common, decoder->message);
}

static void on_error(j_common_ptr common) {
    cjpeg_decoder *decoder = decoder_of(common);
    if (!decoder->failed) common->err->format_message(common, decoder->message);
    decoder->failed = true;
    longjmp(decoder->escape, 1);
}

// From here on the decoder invents: remembers how far the rows were real.
static void note_loss(cjpeg_decoder *decoder) {
    if (decoder->good_rows >= 0) return;
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    if (decoder->reads_rows) {
        decoder->good_rows = (int)jpeg->output_scanline;
    } else if (jpeg->input_scan_number <= 1 && jpeg->total_iMCU_rows > 0) {
        // The first of several passes: without it there is nothing.
        decoder->good_rows =
            (int)((uint64_t)jpeg->input_iMCU_row * jpeg->output_height / jpeg->total_iMCU_rows);
    }
    // A later pass only refines what the first has given.
}

static void on_message(j_common_ptr common, int level) {
    if (level >= 0) return;
    common->err->num_warnings++;
    keep_message(common);
    // Without restart markers everything behind a marker in the wrong place is lost until the end of the scan.
    cjpeg_decoder *decoder = decoder_of(common);
    if (common->err->msg_code == JWRN_HIT_MARKER && decoder->jpeg.restart_interval == 0) note_loss(decoder);
}

static void on_output(j_common_ptr common) { (void)common; }

static void on_progress(j_common_ptr common) {
    cjpeg_decoder *decoder = decoder_of(common);
    if (decoder->jpeg.input_scan_number > maximum_scans && !decoder->failed) {
        snprintf(decoder->message, sizeof decoder->message, "more than %d passes over the picture", maximum_scans);
        decoder->failed = true;
        longjmp(decoder->escape, 1);
    }
}

static void source_begin(j_decompress_ptr jpeg) { (void)jpeg; }
static void source_end(j_decompress_ptr jpeg) { (void)jpeg; }

static boolean source_fill(j_decompress_ptr jpeg) {
    static const JOCTET end_of_image[2] = {0xFF, JPEG_EOI};
    cjpeg_decoder *decoder = decoder_of((j_common_ptr)jpeg);
    note_loss(decoder);
    decoder->ends_early = true;
    jpeg->src->next_input_byte = end_of_image;
    jpeg->src->bytes_in_buffer = 2;
    return TRUE;
}

static void source_skip(j_decompress_ptr jpeg, long count) {
    if (count <= 0) return;
    if ((size_t)count > jpeg->src->bytes_in_buffer) {
        source_fill(jpeg);
        return;
    }
    jpeg->src->next_input_byte += count;
    jpeg->src->bytes_in_buffer -= (size_t)count;
}

cjpeg_decoder *cjpeg_open(const uint8_t *bytes, size_t count, cjpeg_info *info) {
    cjpeg_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    decoder->good_rows = -1;
    jpeg->err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = on_error;
    decoder->errors.emit_message = on_message;
    decoder->errors.output_message = on_output;
    jpeg->client_data = decoder;
    if (setjmp(decoder->escape)) return decoder;
    jpeg_create_decompress(jpeg);
    // Creating clears all but the error manager and the client's pointer.
    decoder->progress.progress_monitor = on_progress;
    jpeg->progress = &decoder->progress;
    coefficient_files_serve(&decoder->files, jpeg);
    decoder->source.init_source = source_begin;
    decoder->source.fill_input_buffer = source_fill;
    decoder->source.skip_input_data = source_skip;
    decoder->source.resync_to_restart = jpeg_resync_to_restart;
    decoder->source.term_source = source_end;
    decoder->source.next_input_byte = bytes;
    decoder->source.bytes_in_buffer = count;
    jpeg->src = &decoder->source;

    jpeg_read_header(jpeg, TRUE);
    info->width = (int)jpeg->image_width;
    info->height = (int)jpeg->image_height;
    info->is_gray = jpeg->jpeg_color_space == JCS_GRAYSCALE;
    info->is_cmyk = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    info->is_inverted = jpeg->saw_Adobe_marker;
    return decoder;
}

bool cjpeg_start(cjpeg_decoder *decoder, int denominator, int *width, int *height) {
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    if (decoder->failed || setjmp(decoder->escape)) return false;
    jpeg->scale_num = 8 / (unsigned)denominator;
    jpeg->scale_denom = 8;
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK) {
        jpeg->out_color_space = JCS_CMYK;
    } else {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        jpeg->out_color_space = JCS_EXT_BGRA;
#else
        jpeg->out_color_space = JCS_EXT_ARGB;
#endif
    }
    // Smooth colour edges matter where single pixels are seen, not under an average of several.
    jpeg->do_fancy_upsampling = denominator == 1;
    jpeg_start_decompress(jpeg);
    decoder->reads_rows = true;
    *width = (int)jpeg->output_width;
    *height = (int)jpeg->output_height;
    return true;
}

int cjpeg_read(cjpeg_decoder *decoder, uint8_t *buffer, size_t stride, int rows) {
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    if (decoder->failed) return 0;
    JDIMENSION first = jpeg->output_scanline;
    if (setjmp(decoder->escape) == 0) {
        while (jpeg->output_scanline < jpeg->output_height && jpeg->output_scanline - first < (JDIMENSION)rows) {
            JSAMPROW row = buffer + (jpeg->output_scanline - first) * stride;
            if (jpeg_read_scanlines(jpeg, &row, 1) == 0) break;
        }
    }
    return (int)(jpeg->output_scanline - first);
}

bool cjpeg_failed(const cjpeg_decoder *decoder) { return decoder->failed; }

int cjpeg_good_rows(const cjpeg_decoder *decoder, bool *ends_early) {
    *ends_early = decoder->ends_early;
    int rows = (int)decoder->jpeg.output_scanline;
    return decoder->good_rows >= 0 && decoder->good_rows < rows ? decoder->good_rows : rows;
}

const char *cjpeg_message(const cjpeg_decoder *decoder) { return decoder->message; }

void cjpeg_close(cjpeg_decoder *decoder) {
    if (!decoder) return;
    jpeg_destroy_decompress(&decoder->jpeg);
    coefficient_files_close(&decoder->files);
    free(decoder);
}
