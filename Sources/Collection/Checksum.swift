/// XXH64 (Yann Collet's xxHash, its published specification): fast, and open to every language that wants to read the
/// store. It guards against damage, not against malice.
enum Checksum {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// The checksum of these bytes.
  static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    var rest = bytes
    var hash: UInt64
    if rest.count >= 32 {
      var lanes = SIMD4<UInt64>(seed &+ prime1 &+ prime2, seed &+ prime2, seed, seed &- prime1)
      while rest.count >= 32 {
        let words = SIMD4<UInt64>(word(rest, 0), word(rest, 8), word(rest, 16), word(rest, 24))
        lanes = lanes &+ words &* prime2
        lanes = ((lanes &<< 31) | (lanes &>> 33)) &* prime1
        rest = UnsafeRawBufferPointer(rebasing: rest[32...])
      }
      hash = rotate(lanes[0], 1) &+ rotate(lanes[1], 7) &+ rotate(lanes[2], 12) &+ rotate(lanes[3], 18)
      for index in 0..<4 { hash = (hash ^ round(lanes[index])) &* prime1 &+ prime4 }
    } else {
      hash = seed &+ prime5
    }
    hash = hash &+ UInt64(bytes.count)
    while rest.count >= 8 {
      hash = rotate(hash ^ round(word(rest, 0)), 27) &* prime1 &+ prime4
      rest = UnsafeRawBufferPointer(rebasing: rest[8...])
    }
    if rest.count >= 4 {
      let half = UInt64(UInt32(littleEndian: rest.loadUnaligned(as: UInt32.self)))
      hash = rotate(hash ^ (half &* prime1), 23) &* prime2 &+ prime3
      rest = UnsafeRawBufferPointer(rebasing: rest[4...])
    }
    for byte in rest { hash = rotate(hash ^ (UInt64(byte) &* prime5), 11) &* prime1 }
    hash = (hash ^ (hash >> 33)) &* prime2
    hash = (hash ^ (hash >> 29)) &* prime3
    return hash ^ (hash >> 32)
  }

  /// The checksum of these bytes.
  static func of(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBytes { of($0, seed: seed) }
  }

  private static func round(_ input: UInt64) -> UInt64 { rotate(input &* prime2, 31) &* prime1 }

  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    (value &<< bits) | (value &>> (64 &- bits))
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
