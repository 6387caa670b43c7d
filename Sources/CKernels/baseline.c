// The processor's common ground: SSE2 on x86-64, NEON on arm64.
#define CK_LANES 4
#define CK_LEVEL CK_BASELINE
#define CK_NAME ck_kernels_baseline
#include "vector.h"

#include "kernels.inc"
