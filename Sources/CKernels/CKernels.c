#include "CKernels.h"

void ck_bytes_to_floats(const uint8_t *source, float *target, size_t count) {
  for (size_t i = 0; i < count; i++) target[i] = (float)source[i];
}
