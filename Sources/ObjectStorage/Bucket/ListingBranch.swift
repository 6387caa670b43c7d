/// A part of a listing that can be had by itself.
enum ListingBranch: Sendable, Equatable {
  /// Known already.
  case objects([StoredObject])
  /// Everything that begins with `prefix`, but for what is delivered.
  case folder(prefix: [UInt8], delivered: [StoredObject])

  /// More folders on one page say that most have few objects: a request for each would take longer than page after page.
  private static let maximumFoldersOnFirst = 4

  /// Whether the first page of a listing shows folders, and large ones.
  static func isWorthwhile(prefix: [UInt8], first: [StoredObject]) -> Bool {
    var folders = 0
    var last: ArraySlice<UInt8>?
    for object in first {
      let name = object.key.bytes.dropFirst(prefix.count)
      guard let slash = name.firstIndex(of: UInt8(ascii: "/")), name[...slash] != last else { continue }
      last = name[...slash]
      folders += 1
      if folders > maximumFoldersOnFirst { return false }
    }
    return folders > 0
  }

  /// Divides what follows the first page of a listing, as far as one page of the listing with the delimiter `/` shows it.
  ///
  /// Nothing depends on the order in which a server lists folders; only on that it lists one after the other.
  /// - Parameters:
  ///   - first: The first page of the listing: it is delivered already. Empty where another page with the delimiter came
  ///     before.
  ///   - last: The last key of the first page, as the server orders them.
  ///   - top: The page of the listing with the delimiter.
  /// - Returns: The parts in the order of keys; nil where the two pages contradict each other, or the folders themselves.
  static func divide(
    prefix: [UInt8], first: [StoredObject], last: ObjectKey?, top: ListingPage
  ) -> [ListingBranch]? {
    let folders = top.commonPrefixes.sorted { $0.lexicographicallyPrecedes($1) }
    let objects = top.objects.sorted { $0.key < $1.key }
    // A folder is a real one: longer than what was asked for, and none within another.
    guard folders.allSatisfy({ $0.count > prefix.count }),
      !zip(folders, folders.dropFirst()).contains(where: { $1.starts(with: $0) })
    else { return nil }
    // Everything on the first page must be found again, or this server's delimiter is not what it should be.
    var delivered: [Int: [StoredObject]] = [:]
    var known: Set<ObjectKey> = []
    for object in first {
      if let index = folder(in: folders, of: object.key) {
        delivered[index, default: []].append(object)
      } else {
        guard contains(objects, object.key) else { return nil }
        known.insert(object.key)
      }
    }
    var branches: [ListingBranch] = []
    var rest = objects.filter { !known.contains($0.key) }[...]
    for (index, folder) in folders.enumerated() {
      let before = rest.prefix { $0.key.bytes.lexicographicallyPrecedes(folder) }
      if !before.isEmpty { branches.append(.objects(Array(before))) }
      rest = rest.dropFirst(before.count)
      let part = delivered[index] ?? []
      // A folder that the server has begun and left is complete.
      if part.isEmpty || last?.bytes.starts(with: folder) == true {
        branches.append(.folder(prefix: folder, delivered: part))
      }
    }
    if !rest.isEmpty { branches.append(.objects(Array(rest))) }
    return branches
  }

  /// In a sorted list.
  private static func contains(_ objects: [StoredObject], _ key: ObjectKey) -> Bool {
    let index = firstIndex(objects.count) { !(objects[$0].key < key) }
    return index < objects.count && objects[index].key == key
  }

  /// The index of the folder that a key lies in, of sorted ones.
  private static func folder(in folders: [[UInt8]], of key: ObjectKey) -> Int? {
    // The last one that does not lie behind the key.
    let index = firstIndex(folders.count) { key.bytes.lexicographicallyPrecedes(folders[$0]) }
    guard index > 0, key.bytes.starts(with: folders[index - 1]) else { return nil }
    return index - 1
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
