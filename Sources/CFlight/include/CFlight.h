#ifndef CFLIGHT_H
#define CFLIGHT_H

#include <stddef.h>
#include <stdint.h>

/// Rows of a screen in which pictures are drawn, and what is hidden there: for each group of rows, one bit a column.
typedef struct {
  /// What is drawn, in device pixels; `right` and `bottom` are beyond the last.
  int32_t left, right, top, bottom;
  /// The first group's bits, the bytes from one group to the next, and the binary logarithm of a group's rows.
  const uint8_t *groups;
  ptrdiff_t group_bytes;
  int32_t group_bits;
} cf_band;

/// Finds the pictures that meet the rows of a band and are not hidden there, as far as the two groups tell that their first
/// and their last row are in.
/// @param rows,columns As `FlightOnScreen` has them, of pictures of at most 24 columns. Those that meet its rows meet its
/// columns too. Up to the next multiple of eight behind `count` they are read as well, and are to meet nothing.
/// @param count At most 65,536.
/// @param found Their numbers, ascending; has room for `count + 8`.
/// @return How many.
size_t cf_find_seen(
    const int32_t *rows, const int32_t *columns, size_t count, const cf_band *band, uint16_t *found);

/// The same for any processor.
size_t cf_find_seen_portably(
    const int32_t *rows, const int32_t *columns, size_t count, const cf_band *band, uint16_t *found);

#endif
