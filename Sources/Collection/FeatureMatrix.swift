import Foundation
import Synchronization

/// The features of a collection's images: a matrix of bytes, the row of an image at its slot, in
/// `features-<identifier>.u8` (rows without gaps, no header), and a checksum a row in `features-<identifier>.sums`
/// (XXH64 of the row with the image's identity as seed, 8 bytes a slot, little end first, 0 for none).
///
/// A row is believed only when its checksum fits both its bytes and the object it is said to come from.
public final class FeatureMatrix: Sendable {
  /// The features' identifier.
  public let identifier: String
  /// Bytes in a row.
  public let dimension: Int

  private let rows: GrowingMemory
  private let sums: GrowingMemory

  /// - Parameter isBorrowed: The files are another process's: read, but never changed; what is stored is in memory.
  init(directory: String?, identifier: String, dimension: Int, isBorrowed: Bool = false) throws(StoreFailure) {
    self.identifier = identifier
    self.dimension = dimension
    let stem = directory.map { $0 + "/features-" + identifier }
    rows = try GrowingMemory(
      path: stem.map { $0 + ".u8" }, limit: Catalogue.maximumSlots * dimension, isBorrowed: isBorrowed)
    sums = try GrowingMemory(path: stem.map { $0 + ".sums" }, limit: Catalogue.maximumSlots * 8, isBorrowed: isBorrowed)
  }

  /// The first byte of slot 0's row. It stays where it is as long as this matrix lives.
  public var pointer: UnsafePointer<UInt8> { UnsafePointer(rows.base.assumingMemoryBound(to: UInt8.self)) }

  /// Writes a row. Rows of different slots may be written at the same time.
  /// - Returns: Whether the row is in the file.
  func store(_ row: [UInt8], slot: Int, identity: UInt64) throws(StoreFailure) -> Bool {
    precondition(row.count == dimension)
    let rowIsKept = try rows.grow(to: (slot + 1) * dimension)
    let sumIsKept = try sums.grow(to: (slot + 1) * 8)
    row.withUnsafeBytes {
      UnsafeMutableRawBufferPointer(start: rows.base + slot * dimension, count: dimension).copyMemory(from: $0)
    }
    (sums.base + slot * 8).storeBytes(of: Checksum.of(row, seed: identity).littleEndian, as: UInt64.self)
    return rowIsKept && sumIsKept
  }

  /// Whether the row of `slot` is there, undamaged, and of the object with this identity. Reads the whole row.
  func isValid(slot: Int, identity: UInt64) -> Bool {
    guard rows.size >= (slot + 1) * dimension, sums.size >= (slot + 1) * 8 else { return false }
    let sum = UInt64(littleEndian: (sums.base + slot * 8).load(as: UInt64.self))
    guard sum != 0 else { return false }
    return Checksum.of(UnsafeRawBufferPointer(start: rows.base + slot * dimension, count: dimension), seed: identity)
      == sum
  }

  /// The row of `slot`, where it is there, undamaged, and of the object with this identity.
  public func row(_ slot: Int, identity: UInt64) -> [UInt8]? {
    guard isValid(slot: slot, identity: identity) else { return nil }
    return Array(UnsafeRawBufferPointer(start: rows.base + slot * dimension, count: dimension))
  }

  func flush() throws(StoreFailure) {
    try rows.flush()
    try sums.flush()
  }
}
