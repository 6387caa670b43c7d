#pragma once
// JPEG by libjpeg-turbo. libjpeg reports errors by leaving the function (setjmp, longjmp), which Swift cannot
// be left by; here every call returns.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cjpeg_decoder cjpeg_decoder;

typedef struct {
    int width, height;     // of the whole picture
    bool is_gray;
    bool is_cmyk;          // CMYK or YCCK: rows are C, M, Y, K; else premultiplied ARGB32 in native byte order
    bool is_inverted;      // CMYK as Adobe writes it: 0 is full ink
} cjpeg_info;

// Reads the header of `count` bytes, which must stay as they are until cjpeg_close. Returns null when there is no
// memory; whether the header is good is told by cjpeg_failed.
cjpeg_decoder *cjpeg_open(const uint8_t *bytes, size_t count, cjpeg_info *info);

// Begins decoding at 1/denominator (1, 2, 4 or 8) of the size; gives the size of the rows that follow.
bool cjpeg_start(cjpeg_decoder *decoder, int denominator, int *width, int *height);

// Decodes up to `rows` rows of `stride` bytes. Returns how many; 0 at the end or after an error.
int cjpeg_read(cjpeg_decoder *decoder, uint8_t *buffer, size_t stride, int rows);

// True when libjpeg gave up.
bool cjpeg_failed(const cjpeg_decoder *decoder);

// How many of the rows that cjpeg_read has given so far were decoded from real data: not all when the file ends early
// (then `ends_early` is set) or its data breaks off at a marker.
int cjpeg_good_rows(const cjpeg_decoder *decoder, bool *ends_early);

// libjpeg's first error, or else its first warning; empty when there was none.
const char *cjpeg_message(const cjpeg_decoder *decoder);

void cjpeg_close(cjpeg_decoder *decoder);

// Compresses `width` × `height` pixels (ARGB32 in native byte order, alpha ignored) at a quality from 1 to 100, from 90
// on with colour at full resolution. Returns `count` bytes for cjpeg_free, or null when there is no memory.
uint8_t *cjpeg_encode(const uint32_t *pixels, int width, int height, int quality, size_t *count);
void cjpeg_free(uint8_t *bytes);
