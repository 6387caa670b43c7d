#pragma once
#include <stddef.h>
#include <stdint.h>

// Leaf loops of the engine, compiled once for each instruction set and chosen at run time.
// Points are interleaved (x, y). "Lanes" are the floats of one vector register; arrays read in whole registers are padded
// by their callers with `lanes` more floats.

/// An instruction set the kernels exist for.
typedef enum ck_level { CK_BASELINE = 0, CK_AVX2 = 1, CK_AVX512 = 2 } ck_level;

/// A mixed-radix plan (2, 3, 4, 5) for `length`, made by ck_fft_plan_create. Read-only afterwards: threads may share it.
typedef struct ck_fft_plan ck_fft_plan;

/// What the update of one chunk found: the bounding box of its points.
typedef struct ck_bounds {
  float min_x, max_x, min_y, max_y;
} ck_bounds;

/// The near part of the kernel 1/(1+r²): zero from r² = radius2 on.
typedef struct ck_near {
  float radius2;
} ck_near;

/// Grid geometry for spreading and interpolating: node (column, row) lies at (origin + column*spacing, ...).
typedef struct ck_grid {
  float origin_x, origin_y, inverse_spacing;
  size_t stride;
} ck_grid;

/// Rows of weighted edges, compressed. Those of row i to near points are words word_start[i] ..< word_start[i+1]: column - i, as
/// a signed number, in the upper half, bits 14 to 29 of the float p in the lower. The others are far_start[i] ..<
/// far_start[i+1] of the columns and values.
typedef struct ck_edges {
  const uint64_t *word_start;
  const uint32_t *words;
  const uint64_t *far_start;
  const uint32_t *far_columns;
  const float *far_values;
} ck_edges;

/// What `seek` computes between a row a and a column b of a panel.
typedef enum ck_measure {
  /// |a|² + |b|² - 2ab: the squares come as terms.
  CK_SQUARED,
  /// Sum of |a-b|.
  CK_MANHATTAN,
  /// Largest |a-b|.
  CK_CHEBYSHEV,
  /// Sum of |a-b| / (|a|+|b|), 0/0 being 0.
  CK_CANBERRA,
  /// Sum of |a-b| over sum of |a+b|; 0/0 is 0, what is infinite the largest float.
  CK_BRAYCURTIS,
  /// Share of a != b.
  CK_HAMMING,
  /// (Sum of |a-b|^p)^(1/p), p the parameter.
  CK_POWER,
} ck_measure;

/// What `seek_bits` computes between two rows of bits, SciPy's names; where SciPy divides 0 by 0 it is 0.
typedef enum ck_boolean {
  CK_DICE,
  CK_JACCARD,
  CK_KULSINSKI,
  CK_MATCHING,
  CK_ROGERSTANIMOTO,
  CK_RUSSELLRAO,
  CK_SOKALSNEATH,
  CK_YULE,
} ck_boolean;

/// Rows in search of near columns. Row `slot` has its numbers at values (or bits) + slot*stride, what it is found to be
/// near to at found + slot*room, counts[slot] keys by now.
typedef struct ck_seekers {
  const float *values;
  const uint64_t *bits;
  size_t stride;
  /// Squares (`seek`, for CK_SQUARED) or numbers of ones (`seek_bits`) of the rows.
  const float *terms;
  const float *thresholds;
  uint64_t *found;
  size_t room;
  uint32_t *counts;
} ck_seekers;

typedef struct ck_kernels {
  ck_level level;
  size_t lanes;

  /// out = sum over the row's edges of p * (yi - yj) / (1 + |yi-yj|²), for rows [first, last).
  void (*attraction)(const ck_edges *edges, const float *y, float *out, size_t first, size_t last);
  /// Sum of p * log(1 + |yi-yj|²) over the edges of rows [first, last).
  double (*attraction_cost)(const ck_edges *edges, const float *y, size_t first, size_t last);
  /// Exact repulsion of points [first, last) from all `count_padded` points (a multiple of lanes, padding far away):
  /// out = sum (yi-yj)/(1+r²)²; returns sum 1/(1+r²), the self terms included.
  double (*repulsion)(const float *x, const float *y, size_t count_padded, float *out, size_t first, size_t last);
  /// Adds the exact repulsion of the sources on one point; returns sum 1/(1+r²).
  double (*repulsion_on_one)(float x, float y, const float *source_x, const float *source_y, size_t source_count_padded,
                             float *out);
  /// Adds the near part of the forces of `source_count_padded` sources on targets; returns its sum, self terms included.
  double (*near_pairs)(ck_near near, const float *target_x, const float *target_y, size_t targets, const float *source_x,
                       const float *source_y, size_t source_count_padded, float *out);
  /// One step of gradient descent with gains for `count` points; gradient = attraction_scale*attraction -
  /// repulsion_scale*repulsion. Returns the bounding box of the new points.
  ck_bounds (*update)(float *y, float *velocity, float *gain, const float *attraction, const float *repulsion,
                      size_t count, float attraction_scale, float repulsion_scale, float learning_rate, float momentum,
                      float max_step);

  /// Charges of 1 to the 4 x 4 nodes around each point, by the cubic B-spline.
  void (*spread)(ck_grid grid, const float *x, const float *y, size_t count, float *nodes);
  /// out += -1/2 gradient of the interpolated potential; returns the sum of the potential.
  double (*interpolate)(ck_grid grid, const float *x, const float *y, size_t count, const float *nodes, float *out);

  /// Forward transform of `lanes` interleaved sequences: element t of sequence l at [t*lanes + l]. In place; scratch has
  /// the same size. The backward transform (unscaled) is the forward one with re and im exchanged.
  void (*fft)(const ck_fft_plan *plan, float *re, float *im, float *scratch_re, float *scratch_im);
  /// 2*lanes real columns of `rows` x stride floats (zero below) -> their half spectra, rows 0 ... length/2.
  void (*columns_forward)(const ck_fft_plan *plan, const float *nodes, size_t stride, size_t rows, float *spectrum_re,
                          float *spectrum_im, float *work);
  /// The way back: half spectra -> the first `rows` rows of 2*lanes real columns.
  void (*columns_backward)(const ck_fft_plan *plan, const float *spectrum_re, const float *spectrum_im, size_t stride,
                           size_t rows, float *nodes, float *work);
  /// lanes rows of the spectrum: transform along x, multiply by the (real) kernel, transform back; in place.
  void (*rows_convolve)(const ck_fft_plan *plan, float *spectrum_re, float *spectrum_im, size_t stride, size_t columns,
                        const float *kernel, float *work);

  /// For each of the `count` slots: appends key(d, first_column + j) for every column j of a packed panel (depth x 2*lanes)
  /// with a distance d below the slot's threshold; `terms` (2*lanes) are added to the columns' distances: infinite where
  /// there is no column. Up to 2*lanes keys a slot are appended, and up to `lanes` numbers behind them are overwritten.
  void (*seek)(ck_measure measure, float parameter, const ck_seekers *seekers, const uint32_t *slots, size_t count,
               const float *panel, size_t depth, const float *terms, uint32_t first_column);
  /// The same for rows of `columns` bits in `words` words, panels of words x 2*lanes, the columns' numbers of ones as
  /// terms: -1 where there is no column.
  void (*seek_bits)(ck_boolean kind, size_t columns, const ck_seekers *seekers, const uint32_t *slots, size_t count,
                    const uint64_t *panel, size_t words, const float *terms, uint32_t first_column);
  /// Sum of |a-b| against each of `rows` rows of b (stride `dimension`).
  void (*manhattan)(const float *a, const float *b, size_t dimension, size_t rows, float *out);
  /// Sum of (a-b)².
  float (*squared_distance)(const float *a, const float *b, size_t dimension);
  /// Conditional probabilities of one row from squared distances (ascending, padded): entropy log(perplexity), nats.
  /// Returns beta.
  double (*calibrate)(const float *squared, size_t count, double log_perplexity, float *p);
  /// c (rows x 2*lanes, c_row apart) += a (element (r, t) at r*a_row + t*a_step) times one packed panel (depth x 2*lanes).
  void (*multiply_panel)(const float *a, size_t a_row, size_t a_step, size_t rows, const float *panel, size_t depth,
                         float *c, size_t c_row);

  /// Nothing but 12 x lanes independent multiply-adds a round: how many the processor can do.
  float (*multiply_adds)(size_t rounds, float factor);
  /// The sum of the numbers, a multiple of 4 x lanes of them: how fast memory can be read.
  float (*read_all)(const float *values, size_t count);
} ck_kernels;

/// The kernels of a level, or NULL where processor or build lack it.
const ck_kernels *ck_kernels_for(ck_level level);

/// Bytes to floats 0 to 255.
void ck_bytes_to_floats(const uint8_t *source, float *target, size_t count);

/// The `keep` smallest of `count` keys come first, unordered.
void ck_select_smallest(uint64_t *keys, size_t count, size_t keep);
/// Ascending.
void ck_sort_keys(uint64_t *keys, size_t count);

/// Tells the processor that this thread waits in a loop.
static inline void ck_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// A plan for a length of the form 2^a 3^b 5^c, or NULL. Freed by ck_fft_plan_destroy.
ck_fft_plan *ck_fft_plan_create(size_t length);
void ck_fft_plan_destroy(ck_fft_plan *plan);
size_t ck_fft_plan_length(const ck_fft_plan *plan);
