import CBLAS

/// Single-precision products of row-major matrices, by OpenBLAS on the calling thread.
package enum MatrixProduct {
  /// OpenBLAS keeps to the calling thread: parallel loops are ours, in an order that does not depend on the threads.
  private static let single: Void = openblas_set_num_threads(1)

  /// C (m × n) = A (m × k) · Bᵀ, B n × k; added to C if `adding`.
  package static func timesTransposed(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
    adding: Bool = false
  ) {
    _ = single
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(m), Int32(n), Int32(k), 1, a, Int32(k), b, Int32(k),
      adding ? 1 : 0, c, Int32(n))
  }

  /// C (m × n) += Aᵀ · B, A k × m, B k × n.
  package static func addTransposedTimes(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int
  ) {
    _ = single
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a, Int32(m), b, Int32(n), 1, c,
      Int32(n))
  }
}
