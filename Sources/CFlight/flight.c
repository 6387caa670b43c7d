#include "CFlight.h"

#include <stdlib.h>
#include <string.h>

static inline int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
static inline int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

static inline uint32_t group_word(const cf_band *band, int32_t row, int32_t column) {
  uint32_t word;
  memcpy(&word, band->groups + (ptrdiff_t)(row >> band->group_bits) * band->group_bytes + (column >> 3), sizeof word);
  return word;
}

size_t cf_find_seen_portably(
    const int32_t *rows, const int32_t *columns, size_t count, const cf_band *band, uint16_t *found) {
  size_t seen = 0;
  for (size_t i = 0; i < count; i++) {
    int32_t top = ~(int16_t)rows[i], end = rows[i] >> 16;
    if (top >= band->bottom || end <= band->top) continue;
    int32_t x = (int16_t)columns[i], left = larger(x, band->left);
    int32_t width = smaller(x + (columns[i] >> 16 & 0xFF), band->right) - left, column = left - band->left;
    uint32_t bits = ((1u << width) - 1) << (column & 7);
    uint32_t hidden = group_word(band, larger(top, band->top) - band->top, column) &
                      group_word(band, smaller(end, band->bottom) - 1 - band->top, column);
    found[seen] = (uint16_t)i;
    seen += (hidden & bits) != bits;
  }
  return seen;
}

#if defined(__x86_64__)
#include <immintrin.h>

// For every eight bits, which of them are set.
static uint64_t set_bits[256];
static int has_avx2;

__attribute__((constructor)) static void prepare(void) {
  // The variable by which the other kernels are chosen, too.
  const char *forced = getenv("S3TOTSNE_SIMD");
  has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") &&
             !(forced && strcmp(forced, "baseline") == 0);
  for (unsigned mask = 0; mask < 256; mask++) {
    unsigned count = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
      if (mask >> bit & 1) set_bits[mask] |= (uint64_t)bit << 8 * count++;
    }
  }
}

__attribute__((target("avx2,popcnt"))) static size_t find_seen_avx2(
    const int32_t *rows, const int32_t *columns, size_t count, const cf_band *band, uint16_t *found) {
  const __m256i left = _mm256_set1_epi32(band->left), right = _mm256_set1_epi32(band->right);
  const __m256i top = _mm256_set1_epi32(band->top), bottom = _mm256_set1_epi32(band->bottom);
  const __m256i one = _mm256_set1_epi32(1), seven = _mm256_set1_epi32(7), byte = _mm256_set1_epi32(0xFF);
  const __m256i stride = _mm256_set1_epi32((int32_t)band->group_bytes), ones = _mm256_set1_epi32(-1);
  const __m128i group_bits = _mm_cvtsi32_si128(band->group_bits);
  const int *words = (const int *)band->groups;
  size_t seen = 0;
  for (size_t i = 0; i < count; i += 8) {
    __m256i row = _mm256_loadu_si256((const __m256i *)(rows + i));
    __m256i first = _mm256_xor_si256(_mm256_srai_epi32(_mm256_slli_epi32(row, 16), 16), ones);
    __m256i end = _mm256_srai_epi32(row, 16);
    __m256i met = _mm256_and_si256(_mm256_cmpgt_epi32(bottom, first), _mm256_cmpgt_epi32(end, top));
    if (_mm256_testz_si256(met, met)) continue;

    __m256i column = _mm256_loadu_si256((const __m256i *)(columns + i));
    __m256i x = _mm256_srai_epi32(_mm256_slli_epi32(column, 16), 16);
    __m256i past = _mm256_add_epi32(x, _mm256_and_si256(_mm256_srli_epi32(column, 16), byte));
    x = _mm256_max_epi32(x, left);
    __m256i width = _mm256_sub_epi32(_mm256_min_epi32(past, right), x);
    x = _mm256_sub_epi32(x, left);
    __m256i bits = _mm256_sllv_epi32(_mm256_sub_epi32(_mm256_sllv_epi32(one, width), one), _mm256_and_si256(x, seven));
    x = _mm256_srli_epi32(x, 3);

    first = _mm256_sra_epi32(_mm256_sub_epi32(_mm256_max_epi32(first, top), top), group_bits);
    end = _mm256_sra_epi32(_mm256_sub_epi32(_mm256_sub_epi32(_mm256_min_epi32(end, bottom), top), one), group_bits);
    __m256i hidden = _mm256_mask_i32gather_epi32(
        _mm256_setzero_si256(), words, _mm256_add_epi32(_mm256_mullo_epi32(first, stride), x), met, 1);
    hidden = _mm256_and_si256(
        hidden, _mm256_mask_i32gather_epi32(
                    _mm256_setzero_si256(), words, _mm256_add_epi32(_mm256_mullo_epi32(end, stride), x), met, 1));
    __m256i all = _mm256_cmpeq_epi32(_mm256_and_si256(hidden, bits), bits);

    unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_andnot_si256(all, met)));
    __m128i numbers = _mm_cvtepu8_epi16(_mm_cvtsi64_si128((long long)set_bits[mask]));
    _mm_storeu_si128((__m128i *)(found + seen), _mm_add_epi16(numbers, _mm_set1_epi16((short)i)));
    seen += (size_t)_mm_popcnt_u32(mask);
  }
  return seen;
}

size_t cf_find_seen(
    const int32_t *rows, const int32_t *columns, size_t count, const cf_band *band, uint16_t *found) {
  return has_avx2 ? find_seen_avx2(rows, columns, count, band, found)
                  : cf_find_seen_portably(rows, columns, count, band, found);
}
#else
size_t cf_find_seen(
    const int32_t *rows, const int32_t *columns, size_t count, const cf_band *band, uint16_t *found) {
  return cf_find_seen_portably(rows, columns, count, band, found);
}
#endif
