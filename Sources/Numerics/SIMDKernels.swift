package import CKernels
import Foundation

/// An instruction set that the engine's loops are compiled for.
public enum SIMDLevel: String, CaseIterable, Sendable {
  /// What every processor of its kind has: SSE2, or NEON on arm64.
  case baseline
  /// AVX2 with FMA.
  case avx2
  /// AVX-512 F, BW, DQ and VL.
  case avx512

  private var cLevel: ck_level {
    switch self {
    case .baseline: CK_BASELINE
    case .avx2: CK_AVX2
    case .avx512: CK_AVX512
    }
  }

  /// The loops of this level, or nil where the processor lacks it.
  package var kernels: SIMDKernels? {
    ck_kernels_for(cLevel).map { SIMDKernels(level: self, table: $0) }
  }

  /// Whether this processor has it.
  public var isAvailable: Bool { ck_kernels_for(cLevel) != nil }

  /// What the engine uses: the best this processor has, unless the environment variable `S3TOTSNE_SIMD` names another
  /// that it has.
  public static let chosen: SIMDLevel = {
    if let name = ProcessInfo.processInfo.environment["S3TOTSNE_SIMD"], let level = SIMDLevel(rawValue: name),
      level.isAvailable
    {
      return level
    }
    return SIMDLevel.allCases.last { $0.isAvailable } ?? .baseline
  }()
}

/// The table of leaf loops for one instruction set.
// @unchecked: the table is constant static memory.
package struct SIMDKernels: @unchecked Sendable {
  package let level: SIMDLevel
  package let table: UnsafePointer<ck_kernels>

  /// The table of `SIMDLevel.chosen`.
  package static let chosen: SIMDKernels = {
    guard let kernels = SIMDLevel.chosen.kernels else { preconditionFailure("no baseline kernels in this build") }
    return kernels
  }()

  /// Floats in a register.
  package var lanes: Int { table.pointee.lanes }

  /// `count` raised to a multiple of `lanes`.
  package func padded(_ count: Int) -> Int { (count + lanes - 1) / lanes * lanes }
}
