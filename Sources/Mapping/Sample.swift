import Collection
import ObjectStorage

/// A seeded sample of a collection's images: those whose keys have the smallest hashes, so that it does not depend on
/// the order of listing, and changes little when images come and go.
struct Sample: Sendable {
  let count: Int
  let seed: UInt64

  /// The slots in the sample, in the order given.
  func choose(_ entries: [CollectionEntry]) -> [Int] {
    guard entries.count > count else { return entries.map(\.slot) }
    let hashes = entries.map { hash($0.object.key) }
    let chosen = Set(entries.indices.sorted { (hashes[$0], $0) < (hashes[$1], $1) }.prefix(count))
    return entries.indices.filter(chosen.contains).map { entries[$0].slot }
  }

  /// FNV-1a of the key, stirred by the finalizer of SplitMix64.
  private func hash(_ key: ObjectKey) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ seed &* 0x9e37_79b9_7f4a_7c15
    for byte in key.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return hash ^ (hash >> 31)
  }
}
