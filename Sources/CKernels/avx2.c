#if defined(__x86_64__)
#define CK_LANES 8
#define CK_LEVEL CK_AVX2
#define CK_NAME ck_kernels_avx2
#include "vector.h"
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#endif
