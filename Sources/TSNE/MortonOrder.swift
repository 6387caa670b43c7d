import Foundation

/// The points along a Z-shaped curve (Morton 1966), so that what is near on the map is near in memory.
func mortonOrder(_ positions: [Float]) -> [Int32] {
  let count = positions.count / 2
  guard count > 0 else { return [] }
  let bounds = positions.withUnsafeBufferPointer { buffer in
    buffer.baseAddress.map { LayoutBounds($0, count: count) } ?? LayoutBounds(minX: 0, maxX: 0, minY: 0, maxY: 0)
  }
  let extent = max(bounds.maxX - bounds.minX, bounds.maxY - bounds.minY)
  let scale = extent > 0 ? 65535 / Double(extent) : 0
  /// The bits of a 16-bit number, each followed by a 0.
  func spread(_ value: Double) -> UInt64 {
    var bits = UInt64(max(0, min(65535, value)))
    bits = (bits | bits << 8) & 0x00ff_00ff
    bits = (bits | bits << 4) & 0x0f0f_0f0f
    bits = (bits | bits << 2) & 0x3333_3333
    return (bits | bits << 1) & 0x5555_5555
  }
  var keys = (0..<count).map { i in
    let x = spread(Double(positions[2 * i] - bounds.minX) * scale)
    let y = spread(Double(positions[2 * i + 1] - bounds.minY) * scale)
    return (x | y << 1) << 32 | UInt64(i)
  }
  keys.sort()
  return keys.map { Int32(truncatingIfNeeded: $0) }
}
