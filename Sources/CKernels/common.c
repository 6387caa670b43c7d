#include <math.h>
#include <stdlib.h>

#include "CKernels.h"
#include "plan.h"

void ck_bytes_to_floats(const uint8_t *source, float *target, size_t count) {
  for (size_t i = 0; i < count; i++) target[i] = (float)source[i];
}

// ---- Selection: quickselect (Hoare 1961) with the median of three; ties cannot occur, since a key holds the index.

static void insertion_sort(uint64_t *keys, size_t count) {
  for (size_t i = 1; i < count; i++) {
    uint64_t key = keys[i];
    size_t j = i;
    for (; j > 0 && keys[j - 1] > key; j--) keys[j] = keys[j - 1];
    keys[j] = key;
  }
}

static size_t partition(uint64_t *keys, size_t low, size_t high) {  // [low, high], high - low >= 2
  size_t middle = low + (high - low) / 2;
  uint64_t a = keys[low], b = keys[middle], c = keys[high], pivot;
  pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
  size_t i = low, j = high;
  for (;;) {
    while (keys[i] < pivot) i++;
    while (keys[j] > pivot) j--;
    if (i >= j) return j;
    uint64_t swapped = keys[i];
    keys[i++] = keys[j];
    keys[j--] = swapped;
  }
}

void ck_select_smallest(uint64_t *keys, size_t count, size_t keep) {
  if (keep == 0 || keep >= count) return;
  size_t low = 0, high = count;  // the boundary lies in [low, high)
  while (high - low > 12) {
    size_t middle = low + (high - low) / 2;
    uint64_t a = keys[low], b = keys[middle], c = keys[high - 1];
    size_t pivot_place = a < b ? (b < c ? middle : (a < c ? high - 1 : low)) : (a < c ? low : (b < c ? high - 1 : middle));
    uint64_t pivot = keys[pivot_place];
    keys[pivot_place] = keys[high - 1];
    size_t split = low;
    for (size_t i = low; i < high - 1; i++) {  // without branches: which side a key goes to cannot be foretold
      uint64_t k = keys[i];
      keys[i] = keys[split];
      keys[split] = k;
      split += k < pivot;
    }
    keys[high - 1] = keys[split];
    keys[split] = pivot;
    if (keep <= split) {
      high = split;
    } else if (keep == split + 1) {
      return;
    } else {
      low = split + 1;
    }
  }
  insertion_sort(keys + low, high - low);
}

void ck_sort_keys(uint64_t *keys, size_t count) {
  while (count > 24) {
    size_t split = partition(keys, 0, count - 1);
    size_t left = split + 1, right = count - left;
    if (left < right) {
      ck_sort_keys(keys, left);
      keys += left;
      count = right;
    } else {
      ck_sort_keys(keys + left, right);
      count = left;
    }
  }
  insertion_sort(keys, count);
}

// ---- Plans for Fourier transforms.

ck_fft_plan *ck_fft_plan_create(size_t length) {
  if (length == 0) return NULL;
  ck_fft_plan *plan = calloc(1, sizeof *plan);
  if (!plan) return NULL;
  plan->length = length;
  size_t rest = length, twiddles = 0;
  static const int radices[] = {5, 3, 4, 2};
  for (size_t r = 0; r < 4; r++) {
    while (rest % radices[r] == 0 && rest > 1) {
      plan->radix[plan->passes] = radices[r];
      plan->offset[plan->passes] = twiddles;
      twiddles += rest / radices[r] * (radices[r] - 1) * 2;
      rest /= radices[r];
      plan->passes++;
    }
  }
  plan->twiddles = rest == 1 ? malloc((twiddles + 1) * sizeof(float)) : NULL;
  if (!plan->twiddles) {
    free(plan);
    return NULL;
  }
  rest = length;
  for (size_t pass = 0; pass < plan->passes; pass++) {
    size_t radix = plan->radix[pass], m = rest / radix;
    float *w = plan->twiddles + plan->offset[pass];
    for (size_t p = 0; p < m; p++) {
      for (size_t k = 1; k < radix; k++) {
        double angle = -2 * M_PI * (double)(p * k) / (double)rest;
        *w++ = (float)cos(angle);
        *w++ = (float)sin(angle);
      }
    }
    rest = m;
  }
  return plan;
}

void ck_fft_plan_destroy(ck_fft_plan *plan) {
  if (!plan) return;
  free(plan->twiddles);
  free(plan);
}

size_t ck_fft_plan_length(const ck_fft_plan *plan) { return plan->length; }

// ---- Which instruction sets are here.

extern const ck_kernels ck_kernels_baseline;
#if defined(__x86_64__)
extern const ck_kernels ck_kernels_avx2;
extern const ck_kernels ck_kernels_avx512;
#endif

const ck_kernels *ck_kernels_for(ck_level level) {
  switch (level) {
    case CK_BASELINE:
      return &ck_kernels_baseline;
#if defined(__x86_64__)
    case CK_AVX2:
      __builtin_cpu_init();
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &ck_kernels_avx2 : NULL;
    case CK_AVX512:
      __builtin_cpu_init();
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("fma")
                 ? &ck_kernels_avx512
                 : NULL;
#endif
    default:
      return NULL;
  }
}
