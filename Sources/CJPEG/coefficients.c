#define _GNU_SOURCE

#include "coefficients.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// Arrays below this are left to libjpeg.
static const size_t smallest_file = 16u << 20;
// So many bytes of an array may be in memory besides the rows that are asked for.
static const size_t resident_bytes = 8u << 20;

// A file without a name, with room for `size` bytes: a full disk is told now, and not by a signal. Negative for none.
static int unnamed_file(size_t size) {
    const char *directories[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    for (size_t index = 0; index < sizeof directories / sizeof *directories; index++) {
        if (!directories[index] || !directories[index][0]) continue;
        int file = open(directories[index], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (file < 0) continue;
        if (posix_fallocate(file, 0, (off_t)size) == 0) return file;
        close(file);
    }
    return -1;
}

static jvirt_barray_ptr request(
    j_common_ptr common, int pool, boolean zero, JDIMENSION blocks, JDIMENSION rows, JDIMENSION most_rows
) {
    struct coefficient_files *files = coefficient_files_of(common);
    size_t row_size = (size_t)blocks * sizeof(JBLOCK);
    size_t size = row_size * rows;
    if (size >= smallest_file && files->count < maximum_coefficient_files) {
        struct coefficient_file *file = &files->files[files->count];
        int descriptor = unnamed_file(size);
        void *base = descriptor < 0 ? MAP_FAILED
                                    : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        if (descriptor >= 0) close(descriptor);
        if (base != MAP_FAILED) {
            JBLOCKROW *places = malloc(rows * sizeof *places);
            if (places) {
                // All of them, as libjpeg's own arrays have: its smoothing looks at rows beside those that it asks for.
                for (JDIMENSION row = 0; row < rows; row++)
                    places[row] = (JBLOCKROW)(void *)((uint8_t *)base + row * row_size);
                *file = (struct coefficient_file){.base = base, .size = size, .row_size = row_size, .rows = places};
                files->count++;
                return (jvirt_barray_ptr)(void *)file;
            }
            munmap(base, size);
        }
    }
    return files->request(common, pool, zero, blocks, rows, most_rows);
}

// Gives the pages of some rows back; what they hold stays in the file.
static void release(struct coefficient_file *file, JDIMENSION from, JDIMENSION to) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t start = (from * file->row_size + page - 1) / page * page;
    size_t end = to * file->row_size / page * page;
    if (start < end) madvise(file->base + start, end - start, MADV_DONTNEED);
}

static JBLOCKARRAY access_rows(
    j_common_ptr common, jvirt_barray_ptr array, JDIMENSION start, JDIMENSION count, boolean writable
) {
    struct coefficient_files *files = coefficient_files_of(common);
    for (int index = 0; index < files->count; index++) {
        struct coefficient_file *file = &files->files[index];
        if ((void *)array != (void *)file) continue;
        if (start < file->first) {
            // Another pass begins.
            release(file, file->first, file->last);
            file->first = start;
        } else if ((start - file->first) * file->row_size > resident_bytes) {
            release(file, file->first, start);
            file->first = start;
        }
        file->last = start + count;
        return file->rows + start;
    }
    return files->access(common, array, start, count, writable);
}

void coefficient_files_serve(struct coefficient_files *files, struct jpeg_decompress_struct *jpeg) {
    files->request = jpeg->mem->request_virt_barray;
    files->access = jpeg->mem->access_virt_barray;
    jpeg->mem->request_virt_barray = request;
    jpeg->mem->access_virt_barray = access_rows;
}

void coefficient_files_close(struct coefficient_files *files) {
    for (int index = 0; index < files->count; index++) {
        munmap(files->files[index].base, files->files[index].size);
        free(files->files[index].rows);
    }
    files->count = 0;
}
