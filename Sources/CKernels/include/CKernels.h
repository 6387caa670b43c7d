#pragma once
#include <stddef.h>
#include <stdint.h>

/// Bytes to floats 0 to 255.
void ck_bytes_to_floats(const uint8_t *source, float *target, size_t count);
