import Collection
import Foundation
import ObjectStorage

/// The keys of a collection's images in one piece of memory, for finding those that contain a text.
struct KeyIndex: Sendable {
  /// Keys in small letters, UTF-8, each followed by a byte that no UTF-8 has.
  private var bytes: [UInt8] = []
  /// Where each key ends in `bytes`.
  private var ends: [Int] = []
  private var slots: [Int] = []

  private static let separator: UInt8 = 0xFF

  /// The keys of the images that are not left out, without what all share because it is the location's. Takes a moment for
  /// many images.
  init(of collection: ImageCollection) {
    var prefix = 0
    if case .bucket(_, _, let folder) = collection.location.kind { prefix = folder.count }
    for entry in collection.entries {
      if case .leftOut = entry.state { continue }
      add(entry.object.key.bytes.dropFirst(prefix), slot: entry.slot)
    }
  }

  /// An index of nothing.
  init() {}

  /// Adds a key.
  mutating func add(_ key: some Collection<UInt8>, slot: Int) {
    bytes.append(contentsOf: String(decoding: key, as: UTF8.self).lowercased().utf8)
    ends.append(bytes.count)
    bytes.append(Self.separator)
    slots.append(slot)
  }

  /// The images whose keys contain `text`, whatever the case; none for an empty text.
  func slots(containing text: String) -> [Int] {
    let needle = Array(text.lowercased().utf8)
    guard !needle.isEmpty else { return [] }
    return bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return [] }
      var found: [Int] = []
      var position = 0
      var key = 0
      // By the first byte, which the C library finds many at a time.
      while position <= bytes.count - needle.count,
        let hit = memchr(base + position, Int32(needle[0]), bytes.count - needle.count + 1 - position)
      {
        let offset = UnsafeRawPointer(hit) - base
        guard memcmp(hit, needle, needle.count) == 0 else {
          position = offset + 1
          continue
        }
        while ends[key] < offset { key += 1 }
        found.append(slots[key])
        // One hit a key is enough.
        position = ends[key] + 1
      }
      return found
    }
  }
}

/// Finds images by a part of their keys while it is being typed; the searching is done in the background, and of several
/// texts only the last one is answered.
@MainActor final class KeySearch {
  /// Called with what was found and the text it was found for.
  var onFound: (([Int], String) -> Void)?

  private let queue = DispatchQueue(label: "search", qos: .userInitiated)
  /// Filled and read on `queue` alone.
  private final class Cache: @unchecked Sendable { var index = KeyIndex() }
  private var cache: Cache?
  private var generation = 0

  /// Begins with the images that are known now.
  func begin(_ collection: ImageCollection) {
    let cache = Cache()
    self.cache = cache
    queue.async { cache.index = KeyIndex(of: collection) }
  }

  /// Looks for a text.
  func look(for text: String) {
    guard let cache else { return }
    generation += 1
    let generation = generation
    queue.async {
      let slots = cache.index.slots(containing: text)
      DispatchQueue.main.async {
        MainActor.assumeIsolated { [weak self] in
          guard let self, generation == self.generation else { return }
          onFound?(slots, text)
        }
      }
    }
  }

  /// Answers no more.
  func end() {
    generation += 1
    cache = nil
  }
}
