#pragma once
#include <stddef.h>

/// The factors of a length and the twiddles of each pass of Stockham's algorithm.
struct ck_fft_plan {
  size_t length;
  size_t passes;
  int radix[32];
  size_t offset[32];  // of the pass's twiddles: for p < remaining/radix, for k = 1 ..< radix: cos, -sin
  float *twiddles;
};
