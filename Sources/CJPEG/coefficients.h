#pragma once
// The coefficients of a progressive JPEG, which are all needed before the first row can be given: two bytes a sample, 1.8 GB
// for a picture of 300 megapixels. libjpeg-turbo can keep them in memory alone; here large ones lie in a file without a
// name, of which few pages are in memory at a time.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>

enum { maximum_coefficient_files = 4 };

// The coefficients of one component.
struct coefficient_file {
    uint8_t *base;
    size_t size, row_size;
    JDIMENSION first;        // rows before this one have been given back to the system
    JDIMENSION last;         // behind the last row that was asked for
    JBLOCKROW *rows;         // where each row is
};

struct coefficient_files {
    int count;
    struct coefficient_file files[maximum_coefficient_files];
    // libjpeg's own, for what is small.
    jvirt_barray_ptr (*request)(j_common_ptr, int, boolean, JDIMENSION, JDIMENSION, JDIMENSION);
    JBLOCKARRAY (*access)(j_common_ptr, jvirt_barray_ptr, JDIMENSION, JDIMENSION, boolean);
};

// Has a decoder that was just made keep large arrays in `files`, which coefficient_files_of knows.
void coefficient_files_serve(struct coefficient_files *files, struct jpeg_decompress_struct *jpeg);

// Frees everything; the decoder is not used any more.
void coefficient_files_close(struct coefficient_files *files);

// The files of a decoder.
struct coefficient_files *coefficient_files_of(j_common_ptr common);
