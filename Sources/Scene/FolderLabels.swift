// Classes by folder.
extension Labelling {
  /// By the level of folders that tells most: not the one that all share, and not the one where every picture has its
  /// own. A picture that lies above that level is in the class of its own folder.
  init(foldersOf images: [LabelledImage]) {
    let tree = FolderTree(images)
    let level = tree.mostTellingLevel
    let slots = images.map(\.slot)
    var label: [FolderTree.Name: Int] = [:]
    for (index, folder) in level.shown.enumerated() { label[folder] = index }
    var names = level.shown.map { tree.title(of: $0) }
    let others = names.count
    let hasOthers = level.count > level.shown.count
    let rest = level.count - level.shown.count
    if hasOthers { names.append(rest == 1 ? "another folder" : "\(rest) other folders") }
    let classOfFolder = tree.folders.map { label[tree.ancestor(of: $0, depth: level.depth)] ?? others }
    self.init(
      kind: .folder, names: names, hasOthers: hasOthers, slots: slots,
      classes: tree.folderOfImage.map { classOfFolder[$0] })
  }
}

/// The folders that images lie in.
struct FolderTree {
  /// The path of a folder without the last `/`; empty for that of the location itself.
  typealias Name = ArraySlice<UInt8>

  /// A level of the tree: the folders at a depth, and those above it that pictures lie in.
  struct Level {
    let depth: Int
    /// How many there are.
    let count: Int
    /// Those with most pictures, in the order of their names.
    let shown: [Name]
    /// What they tell of a picture.
    let information: Double
  }

  private static let slash = UInt8(ascii: "/")
  /// Deeper levels are not looked at.
  private static let deepest = 16

  /// The folders that have pictures of their own.
  private(set) var folders: [Name] = []
  private(set) var counts: [Int] = []
  /// An index into `folders` for each image.
  private(set) var folderOfImage: [Int] = []
  /// What all folders are in, without the last `/`.
  private(set) var root: Name = []

  init(_ images: [LabelledImage]) {
    var index: [Name: Int] = [:]
    var last: (name: Name, index: Int)?
    folderOfImage.reserveCapacity(images.count)
    for image in images {
      let name = Self.folder(of: image.path)
      // Images come in the order of their keys, those of a folder one after the other.
      if let last, last.name == name {
        counts[last.index] += 1
        folderOfImage.append(last.index)
        continue
      }
      let place = index[name] ?? folders.count
      if place == folders.count {
        index[name] = place
        folders.append(name)
        counts.append(0)
      }
      counts[place] += 1
      folderOfImage.append(place)
      last = (name, place)
    }
    guard var root = folders.first else { return }
    for folder in folders { root = Self.common(root, folder) }
    self.root = root
  }

  /// The folder of a path, without the last `/`.
  static func folder(of path: ArraySlice<UInt8>) -> Name {
    guard let end = path.lastIndex(of: slash) else { return [] }
    return path[..<end]
  }

  /// The folder that two folders are in, at the deepest.
  private static func common(_ one: Name, _ other: Name) -> Name {
    var (index, place) = (one.startIndex, other.startIndex)
    var end = one.startIndex
    while index < one.endIndex, place < other.endIndex, one[index] == other[place] {
      if one[index] == slash { end = index }
      index += 1
      place += 1
    }
    let oneEnds = index == one.endIndex || one[index] == slash
    let otherEnds = place == other.endIndex || other[place] == slash
    return one[..<(oneEnds && otherEnds ? index : end)]
  }

  /// The folder `depth` levels below the common one that a folder is or lies in; the folder itself when it is not so deep.
  func ancestor(of folder: Name, depth: Int) -> Name {
    var index = folder.startIndex + root.count
    guard depth > 0, index < folder.endIndex else { return folder[..<min(index, folder.endIndex)] }
    // The slash that ends the common folder begins no level.
    if !root.isEmpty { index += 1 }
    var level = 0
    while index < folder.endIndex {
      if folder[index] == Self.slash {
        level += 1
        if level == depth { return folder[..<index] }
      }
      index += 1
    }
    return folder
  }

  /// The level whose classes tell most of a picture; of equals the one nearest to the location.
  var mostTellingLevel: Level {
    var best = level(1)
    for depth in 2...Self.deepest {
      let next = level(depth)
      if next.information > best.information + 1e-9 { best = next }
      if next.count == folders.count { break }
    }
    return best
  }

  private func level(_ depth: Int) -> Level {
    var sums: [Name: Int] = [:]
    for (folder, count) in zip(folders, counts) { sums[ancestor(of: folder, depth: depth), default: 0] += count }
    let byCount = sums.sorted { $0.value == $1.value ? Self.precedes($0.key, $1.key) : $0.value > $1.value }
    let most = Labelling.mostLabels
    let shown = byCount.count <= most ? byCount : Array(byCount.prefix(most))
    return Level(
      depth: depth, count: sums.count, shown: shown.map(\.key).sorted(by: Self.precedes),
      // What is only known to be among the others tells nothing.
      information: Labelling.information(shown.map(\.value), of: counts.reduce(0, +)))
  }

  private static func precedes(_ one: Name, _ other: Name) -> Bool { one.lexicographicallyPrecedes(other) }

  /// What a folder is called: its path below the one that all are in.
  func title(of folder: Name) -> String {
    let below = folder.dropFirst(root.isEmpty || folder.count <= root.count ? root.count : root.count + 1)
    if !below.isEmpty { return String(decoding: below, as: UTF8.self) }
    let last = folder.lastIndex(of: Self.slash).map { folder[($0 + 1)...] } ?? folder
    return last.isEmpty ? "not in a folder" : "\(String(decoding: last, as: UTF8.self)) itself"
  }
}
