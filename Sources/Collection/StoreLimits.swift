/// How much of a disk the local store may take.
public struct StoreLimits: Sendable, Hashable {
  /// Bytes of all collections together (20 GB).
  public var bytes: Int64
  /// Bytes of the disk that are left to others (1 GB).
  public var bytesLeftFree: Int64

  /// Limits.
  public init(bytes: Int64 = 20_000_000_000, bytesLeftFree: Int64 = 1_000_000_000) {
    self.bytes = bytes
    self.bytesLeftFree = bytesLeftFree
  }
}

/// Why nothing more can be kept, although the least recently used collections are gone.
enum StoreShortage: Equatable {
  case limit(Int64)
  case disk(free: Int64)

  var description: String {
    switch self {
    case .limit(let bytes):
      "It has reached its limit of \(Self.text(bytes)) (--cache-size)."
    case .disk(let free):
      "The disk has only \(Self.text(free)) left."
    }
  }

  private static func text(_ bytes: Int64) -> String {
    bytes >= 1_000_000_000
      ? "\(Double(bytes / 100_000_000) / 10) GB" : "\(Double(max(0, bytes) / 100_000) / 10) MB"
  }
}
