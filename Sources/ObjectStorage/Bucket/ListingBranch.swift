/// A part of a listing that can be had by itself.
enum ListingBranch: Sendable, Equatable {
  /// Known already.
  case objects([StoredObject])
  /// Everything that begins with `prefix`, behind the key `after`.
  case folder(prefix: [UInt8], after: ObjectKey?)

  /// Divides what follows the first page of a listing.
  /// - Parameters:
  ///   - first: The listing's first page: it is delivered already.
  ///   - top: The first page of the listing with the delimiter `/`.
  ///   - last: Keys up to this one do not belong to the listing.
  /// - Returns: The parts in the order of keys; nil where dividing is of no use, or the two pages contradict each other.
  static func divide(prefix: [UInt8], first: ListingPage, top: ListingPage, after last: ObjectKey?) -> [ListingBranch]?
  {
    guard !top.isTruncated, let end = first.objects.last?.key else { return nil }
    let folders = top.commonPrefixes.sorted { $0.lexicographicallyPrecedes($1) }
    let objects = top.objects.sorted { $0.key < $1.key }
    // A folder is a real one: longer than what was asked for, and none within another.
    guard folders.allSatisfy({ $0.count > prefix.count }),
      !zip(folders, folders.dropFirst()).contains(where: { $1.starts(with: $0) })
    else { return nil }
    // Everything on the first page must be found again, or this server's delimiter is not what it should be.
    let isContained = first.objects.allSatisfy { object in
      contains(objects, object.key) || folder(in: folders, of: object.key) != nil
    }
    guard isContained else { return nil }

    var branches: [ListingBranch] = []
    var rest = objects[...].drop { $0.key <= end }
    for folder in folders where !folder.lexicographicallyPrecedes(end.bytes) || end.bytes.starts(with: folder) {
      let before = rest.prefix { $0.key.bytes.lexicographicallyPrecedes(folder) }
      if !before.isEmpty { branches.append(.objects(Array(before))) }
      rest = rest.dropFirst(before.count)
      branches.append(.folder(prefix: folder, after: end.bytes.starts(with: folder) ? end : nil))
    }
    if !rest.isEmpty { branches.append(.objects(Array(rest))) }
    let count = branches.count { if case .folder = $0 { true } else { false } }
    return count > 1 ? branches : nil
  }

  /// In a sorted list.
  private static func contains(_ objects: [StoredObject], _ key: ObjectKey) -> Bool {
    let index = firstIndex(objects.count) { !(objects[$0].key < key) }
    return index < objects.count && objects[index].key == key
  }

  /// The folder that a key lies in, of sorted ones.
  private static func folder(in folders: [[UInt8]], of key: ObjectKey) -> [UInt8]? {
    // The last one that does not lie behind the key.
    let index = firstIndex(folders.count) { key.bytes.lexicographicallyPrecedes(folders[$0]) }
    guard index > 0, key.bytes.starts(with: folders[index - 1]) else { return nil }
    return folders[index - 1]
  }

  /// The first index where a condition holds that holds from there on.
  private static func firstIndex(_ count: Int, where holds: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
