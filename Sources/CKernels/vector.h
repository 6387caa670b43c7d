// The vector type of the file that includes this one, after it has set CK_LANES (4, 8 or 16) and CK_NAME.
#include <float.h>
#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "CKernels.h"
#include "plan.h"

typedef float vf __attribute__((ext_vector_type(CK_LANES)));
typedef int32_t vi __attribute__((ext_vector_type(CK_LANES)));
typedef float vf4 __attribute__((ext_vector_type(4)));

#define INLINE static inline __attribute__((always_inline))
