#if defined(__x86_64__)
#define CK_LANES 16
#define CK_LEVEL CK_AVX512
#define CK_NAME ck_kernels_avx512
#include "vector.h"
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"), min_vector_width(512))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#endif
