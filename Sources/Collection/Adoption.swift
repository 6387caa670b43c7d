import Atlas
import Foundation
import ObjectStorage
import Synchronization

/// What the bytes of an object are known by, whatever its name: two objects of one location that have it in common hold
/// the same bytes.
///
/// In a bucket it is ETag and size, where the ETag is a hash: 32 hexadecimal digits (MD5 of the bytes, for what was
/// uploaded in one part), or these and the number of parts (MD5 of the parts' MD5s, in which the parts' borders count as
/// well, so that equal ones mean equal bytes). Any other ETag may say anything. In a folder it is the tag of modification
/// time, size and inode, which a renamed or linked file keeps; only where the time has a fraction of a second: one that
/// was set by an archive or a copying program may come again with a reused inode.
struct ContentName: Hashable {
  private let tag: String
  private let size: Int64

  init?(_ object: StoredObject, in location: Location) {
    guard object.size > 0 else { return nil }
    switch location.kind {
    case .bucket:
      let parts = object.etag.split(separator: "-", omittingEmptySubsequences: false)
      guard parts[0].utf8.count == 32, parts[0].allSatisfy(\.isHexDigit),
        parts.count == 1 || (parts.count == 2 && Int(parts[1]).map { $0 > 0 } == true)
      else { return nil }
    case .folder:
      guard let nanoseconds = object.etag.split(separator: "-").first.flatMap({ Int64($0) }),
        nanoseconds % 1_000_000_000 != 0
      else { return nil }
    }
    tag = object.etag
    size = object.size
  }
}

extension ImageCollection.State {
  /// Where the pictures of known contents are, made when it is asked for first.
  mutating func slot(of name: ContentName) -> CollectionEntry? {
    if pictures == nil {
      var pictures: [ContentName: CollectionEntry] = [:]
      for case let entry? in entries where entry.state == .ready {
        if let name = ContentName(entry.object, in: store.location) { pictures[name] = entry }
      }
      self.pictures = pictures
    }
    return pictures?[name]
  }

  /// Notes that a picture is ready.
  mutating func notePicture(_ entry: CollectionEntry) {
    guard pictures != nil, let name = ContentName(entry.object, in: store.location) else { return }
    pictures?[name] = entry
  }
}

extension CollectionWriter {
  /// Whether the picture of a slot is here under another key, as far as its name tells. Quick, for any thread.
  public func isHereOtherwise(_ slot: Int) -> Bool {
    collection.state.withLock { state in
      guard let entry = state.entries.indices.contains(slot) ? state.entries[slot] : nil, entry.state == .listed,
        let name = ContentName(entry.object, in: state.store.location)
      else { return false }
      return state.slot(of: name).map { $0.slot != slot } ?? false
    }
  }

  /// Whether `adopt` may find the picture of a slot. Quick, for any thread.
  public func mayAdopt(_ slot: Int) -> Bool {
    collection.state.withLock { state in
      guard let entry = state.entries.indices.contains(slot) ? state.entries[slot] : nil, entry.state == .listed else {
        return false
      }
      if state.lender?.mayHaveMore == true { return true }
      guard let name = ContentName(entry.object, in: state.store.location) else { return false }
      return state.slot(of: name) != nil
    }
  }

  /// Takes the picture of a slot from where it already is: under another key with the same bytes, or in the store of
  /// another program that has this collection open. Blocking.
  /// - Returns: Whether the slot is now ready.
  public func adopt(_ slot: Int) -> Bool {
    whileOpen {
      guard let entry = collection.entry(slot), entry.state == .listed else { return false }
      let (atlas, known, lender) = collection.state.withLock { state in
        (
          state.atlas, ContentName(entry.object, in: state.store.location).flatMap { state.slot(of: $0) }, state.lender
        )
      }
      if let known, known.slot != slot,
        copy(known, from: atlas, to: entry, rows: { matrix in matrix.row(known.slot, identity: known.identity) })
      {
        return true
      }
      guard let (lent, lentAtlas) = lender?.picture(of: entry.object) else { return false }
      return copy(lent, from: lentAtlas, to: entry) { matrix in
        lender?.matrix(matrix.identifier, dimension: matrix.dimension)?.row(lent.slot, identity: lent.identity)
      }
    } ?? false
  }

  /// Copies a picture and its features, where they are undamaged.
  func copy(
    _ source: CollectionEntry, from atlas: Atlas, to target: CollectionEntry, rows: (FeatureMatrix) -> [UInt8]?
  ) -> Bool {
    guard atlas.verify(source.slot), let info = atlas.info(source.slot) else { return false }
    let levels = thumbnailLevels.indices.compactMap { index in
      atlas.level(index, of: source.slot).map { level in
        (
          width: level.width, height: level.height,
          pixels: Array(UnsafeBufferPointer(start: level.pixels, count: level.width * level.height))
        )
      }
    }
    guard levels.count == thumbnailLevels.count else { return false }
    var entry = target
    entry.width = source.width
    entry.height = source.height
    entry.state = .ready
    // Without its features a picture is fetched after all when they are needed.
    let matrices = collection.state.withLock { Array($0.features.values) }
    do {
      for matrix in matrices {
        guard let row = rows(matrix) else { return false }
        try keep(row, in: matrix, of: entry)
      }
      try keepThumbnail(levels, color: info.averageColor, isOpaque: info.isOpaque, slot: entry.slot)
    } catch { return false }
    return finish(entry)
  }
}
