public import Collection
import Features
import Foundation
import Neighbors
public import Numerics
import TSNE

/// Who is near whom in the space of the features, not on the map: what the search of a layout found.
public struct Neighbourhoods: Sendable {
  /// An image near another one.
  public struct Neighbour: Sendable, Hashable {
    /// Which image.
    public let slot: Int
    /// How far, by the metric of the layout.
    public let distance: Float
  }

  /// Images that are the same, or nearly.
  public struct Group: Sendable, Hashable {
    /// Its images, in the order of keys; at least two.
    public let slots: [Int]
    /// The largest difference between two of them that were compared: the root of the mean square over the bytes of their
    /// features, of 255. 0 for images whose features are the same byte for byte.
    public let difference: Double
  }

  private let graph: NeighborGraph
  private let slots: [Int32]
  private let rowOfSlot: [Int32: Int32]
  private let collection: ImageCollection
  private let extractor: any FeatureExtractor

  /// What the store has for the images of a collection as they are now. Blocking.
  /// - Returns: nil where no layout of these images was made with these parameters, or where it was damaged.
  public init?(of collection: ImageCollection, parameters: MapParameters) {
    let images = collection.entries.filter { $0.state == .ready }
    guard images.count > 1 else { return nil }
    extractor = parameters.extractor
    let keys = StageKeys(images: images, featureIdentifier: extractor.identifier, parameters: parameters)
    guard let file = NeighbourFile.stored(in: collection, keys, count: images.count) else { return nil }
    graph = file.graph
    slots = images.map { Int32($0.slot) }
    rowOfSlot = Dictionary(uniqueKeysWithValues: slots.enumerated().map { ($1, Int32($0)) })
    self.collection = collection
  }

  /// The images nearest to one, the nearest first; none where the image has no place in the layout.
  public func nearest(to slot: Int, count: Int) -> [Neighbour] {
    guard let row = Int32(exactly: slot).flatMap({ rowOfSlot[$0] }) else { return [] }
    let first = Int(row) * graph.k
    return (first..<first + max(0, min(count, graph.k))).map { index in
      Neighbour(slot: Int(slots[Int(graph.indices[index])]), distance: graph.distances[index])
    }
  }

  /// The images nearest to one, the nearest first, by comparing it with all the others: for images that no search of a
  /// layout has seen together, such as those placed into one. Blocking: the features of all are read.
  /// - Parameters:
  ///   - slot: The image.
  ///   - slots: Those it is compared with; it may be among them.
  ///   - count: How many are wanted.
  ///   - collection: Where their features are.
  ///   - parameters: The distance, and the features' side.
  ///   - threads: How many threads compare.
  ///   - token: Ends it.
  /// - Returns: nil where images cannot be compared by this distance alone.
  /// - Throws: `CancellationError`; what keeps the features from being read.
  public static func nearest(
    to slot: Int, among slots: [Int], count: Int, in collection: ImageCollection, parameters: MapParameters,
    threads: Int, token: CancellationToken
  ) throws -> [Neighbour]? {
    guard ReferenceSearch.isAvailable(for: parameters.metric) else { return nil }
    let matrix = try collection.features(of: parameters.extractor)
    func rows(_ slots: [Int]) -> ByteRows {
      ByteRows(pointer: matrix.pointer, owner: matrix, rowIndices: slots, dimension: matrix.dimension)
    }
    let others = slots.filter { $0 != slot }
    let graph = try ReferenceSearch(metric: parameters.metric, k: count, threads: threads)
      .run(rows([slot]), among: rows(others), token: token)
    return zip(graph.indices, graph.distances).map { Neighbour(slot: others[Int($0)], distance: $1) }
  }

  /// The groups of images that differ by no more than `difference` (see `Group.difference`) from another one of their
  /// group, the largest group first. Blocking: features are read.
  /// - Parameter isCancelled: Asked now and then; the groups found so far are then thrown away, and there are none.
  public func duplicates(within difference: Double, isCancelled: () -> Bool = { false }) throws -> [Group] {
    let matrix = try collection.features(of: extractor)
    let limit = difference * difference * Double(matrix.dimension)
    var groups = DisjointSets(count: graph.count)
    var worst = [Double](repeating: 0, count: graph.count)
    for row in 0..<graph.count {
      if row % 256 == 0, isCancelled() { return [] }
      // Neighbours come in the order of the metric, which is not quite that of the difference: a few may lie too far.
      var misses = 0
      for index in row * graph.k..<(row + 1) * graph.k {
        let other = Int(graph.indices[index])
        let squares = Self.squaredDifference(
          matrix.pointer + Int(slots[row]) * matrix.dimension, matrix.pointer + Int(slots[other]) * matrix.dimension,
          matrix.dimension, limit: limit)
        guard let squares else {
          misses += 1
          if misses == Self.mostMisses { break }
          continue
        }
        let root = groups.join(row, other, &worst)
        worst[root] = max(worst[root], (squares / Double(matrix.dimension)).squareRoot())
      }
    }
    var members: [Int: [Int]] = [:]
    for row in 0..<graph.count where groups.size(of: row) > 1 {
      members[groups.root(of: row), default: []].append(row)
    }
    return members.map { root, rows in
      (first: rows[0], group: Group(slots: rows.map { Int(slots[$0]) }, difference: worst[root]))
    }.sorted {
      ($1.group.slots.count, $0.first) < ($0.group.slots.count, $1.first)
    }.map(\.group)
  }

  private static let mostMisses = 3

  /// The sum of the squared differences of two vectors of bytes; nil when it is above the limit.
  private static func squaredDifference(
    _ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>, _ count: Int, limit: Double
  ) -> Double? {
    var sum = 0
    var index = 0
    while index < count {
      let end = min(count, index + 1024)
      var part: Int32 = 0
      while index < end {
        let difference = Int32(one[index]) &- Int32(other[index])
        part &+= difference &* difference
        index &+= 1
      }
      sum += Int(part)
      if Double(sum) > limit { return nil }
    }
    return Double(sum)
  }
}

/// Sets that are joined step by step (Tarjan 1975), by size.
private struct DisjointSets {
  private var parents: [Int32]
  private var sizes: [Int32]

  init(count: Int) {
    parents = Array(0..<Int32(count))
    sizes = [Int32](repeating: 1, count: count)
  }

  mutating func root(of element: Int) -> Int {
    var element = element
    while Int(parents[element]) != element {
      parents[element] = parents[Int(parents[element])]
      element = Int(parents[element])
    }
    return element
  }

  mutating func size(of element: Int) -> Int { Int(sizes[root(of: element)]) }

  /// Joins the sets of two elements; the joined one has the larger of their `values`. Returns its root.
  mutating func join(_ one: Int, _ other: Int, _ values: inout [Double]) -> Int {
    var (first, second) = (root(of: one), root(of: other))
    guard first != second else { return first }
    if sizes[first] < sizes[second] { swap(&first, &second) }
    parents[second] = Int32(first)
    sizes[first] += sizes[second]
    values[first] = max(values[first], values[second])
    return first
  }
}
