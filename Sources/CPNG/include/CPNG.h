#pragma once
// The seven passes of an interlaced PNG (Adam7), each by its own rows, by libpng. Left to itself, libpng puts them together
// in memory. It reports errors by leaving the function (setjmp, longjmp), which Swift cannot be left by; here every call
// returns.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cpng_decoder cpng_decoder;

typedef struct {
    uint32_t width, height;  // of the whole picture
    int bands;               // 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; palettes are resolved
    bool is_16bit;           // samples of 16 bits in native byte order, else of 8
    size_t row_size;         // bytes that a row of the whole picture takes
    const uint8_t *profile;  // the embedded ICC profile, which lives until cpng_close; null when there is none
    size_t profile_size;
} cpng_info;

// Reads the header of `count` bytes, which must stay as they are until cpng_close. Returns null when there is no memory;
// whether the header is good is told by cpng_failed.
cpng_decoder *cpng_open(const uint8_t *bytes, size_t count, cpng_info *info);

// Decodes the next row of a pass that has pixels, of the first pass first: as many samples as the pass has columns. `row`
// has room for a row of the whole picture. False after an error, and at the end of the data.
bool cpng_read_row(cpng_decoder *decoder, uint8_t *row);

// True when libpng gave up.
bool cpng_failed(const cpng_decoder *decoder);

void cpng_close(cpng_decoder *decoder);
