import Collection
import Foundation
import NPY
import Neighbors

/// Neighbours as the store keeps them: arrays `indices` and `distances` (n × k) and `start` (n × 2), rows in the order of
/// keys.
struct NeighbourFile {
  private struct Description: Codable {
    var recall: Double
    var hasSpread: Bool
    var notes: [String]
  }

  let graph: NeighborGraph
  let start: [Float]
  let notes: [String]

  init(graph: NeighborGraph, start: [Float], notes: [String]) {
    self.graph = graph
    self.start = start
    self.notes = notes
  }

  /// Those of a collection that the keys ask for; nil where there are none, or where they are damaged.
  static func stored(in collection: ImageCollection, _ keys: StageKeys, count: Int) -> NeighbourFile? {
    // A loop: a lazy map would read the file twice.
    let records = collection.stages { $0.kind == "neighbours" && $0.key == keys.neighbours }
    for record in records {
      if let file = NeighbourFile(record, from: collection, count: count, k: keys.searchedK) { return file }
    }
    return nil
  }

  /// Reads a stage; nil when it is damaged.
  init?(_ record: StageRecord, from collection: ImageCollection, count: Int, k: Int) {
    guard
      let description = try? JSONDecoder().decode(Description.self, from: Data(record.parameters.utf8)),
      let arrays = collection.arrays(of: record), let indices = arrays["indices"]?.integers,
      let distances = arrays["distances"]?.floats, let start = arrays["start"]?.floats, start.count == 2 * count,
      indices.count == count * k, distances.count == indices.count,
      !indices.contains(where: { $0 < 0 || $0 >= count })
    else { return nil }
    graph = NeighborGraph(
      count: count, k: k, indices: indices, distances: distances, recall: description.recall,
      hasSpread: description.hasSpread)
    self.start = start
    notes = description.notes
  }

  /// What was to be said when they were searched.
  static func notes(of record: StageRecord) -> [String] {
    (try? JSONDecoder().decode(Description.self, from: Data(record.parameters.utf8)))?.notes ?? []
  }

  func save(by writer: CollectionWriter, key: String) {
    let description = Description(recall: graph.recall, hasSpread: graph.hasSpread, notes: notes)
    writer.saveStage(
      kind: "neighbours", key: key, base: key, parameters: json(description),
      arrays: [
        "indices": NPYArray(graph.indices, shape: [graph.count, graph.k]),
        "distances": NPYArray(graph.distances, shape: [graph.count, graph.k]),
        "start": NPYArray(start, shape: [graph.count, 2]),
      ])
  }
}

extension NeighborGraph {
  /// The graph of each row's nearest `wanted` neighbours.
  func first(_ wanted: Int) -> NeighborGraph {
    guard wanted < k else { return self }
    func firstColumns<Element>(_ array: [Element]) -> [Element] {
      var result: [Element] = []
      result.reserveCapacity(count * wanted)
      for row in 0..<count { result.append(contentsOf: array[(row * k)..<(row * k + wanted)]) }
      return result
    }
    return NeighborGraph(
      count: count, k: wanted, indices: firstColumns(indices), distances: firstColumns(distances), recall: recall,
      hasSpread: hasSpread)
  }
}

/// Layouts as the store keeps them: arrays `positions` (n × 2) and `images` (n identities, see
/// `CollectionEntry.identity`), so that a layout means the same whatever slots the images have; `placed` (identities),
/// where some were placed into a layout made without them.
enum LayoutFile {
  struct Description: Codable {
    var parameters: MapParameters
    var iteration: Int
    var iterations: Int
    var klDivergence: Double?
    /// How many of the images were placed into a layout made without them.
    var placed: Int?
  }

  /// What a stage says of itself; nil for one that is no layout of ours.
  static func description(of record: StageRecord) -> Description? {
    try? JSONDecoder().decode(Description.self, from: Data(record.parameters.utf8))
  }

  static func write(
    _ snapshot: LayoutSnapshot, images: [CollectionEntry], parameters: MapParameters,
    by writer: CollectionWriter, key: String, base: String, kind: String
  ) {
    let description = Description(
      parameters: parameters, iteration: snapshot.iteration, iterations: snapshot.iterations,
      klDivergence: snapshot.klDivergence, placed: kind == "placed" ? snapshot.placed.count : nil)
    var arrays = [
      "positions": NPYArray(snapshot.positions, shape: [images.count, 2]),
      "images": NPYArray(images.map(\.identity), shape: [images.count]),
    ]
    if !snapshot.placed.isEmpty {
      let slots = Set(snapshot.placed)
      let identities = images.filter { slots.contains(Int32($0.slot)) }.map(\.identity)
      arrays["placed"] = NPYArray(identities, shape: [identities.count])
    }
    writer.saveStage(kind: kind, key: key, base: base, parameters: json(description), arrays: arrays)
  }

  /// How many images a layout has; nil when it is damaged.
  static func imageCount(of record: StageRecord, in collection: ImageCollection) -> Int? {
    collection.arrays(of: record)?["images"]?.unsignedIntegers?.count
  }

  /// The layout of those of `images` that it knows; nil when it is damaged or knows none.
  static func read(
    _ record: StageRecord, from collection: ImageCollection, images: [CollectionEntry], isUse: Bool = true
  ) -> LayoutSnapshot? {
    guard
      let description = description(of: record), let arrays = collection.arrays(of: record, isUse: isUse),
      let positions = arrays["positions"]?.floats,
      let identities = arrays["images"]?.unsignedIntegers, positions.count == 2 * identities.count,
      positions.allSatisfy(\.isFinite)
    else { return nil }
    var rows: [UInt64: Int] = [:]
    rows.reserveCapacity(identities.count)
    for (row, identity) in identities.enumerated() { rows[identity] = row }
    let new = Set(arrays["placed"]?.unsignedIntegers ?? [])
    var slots: [Int32] = []
    var placed: [Int32] = []
    var found: [Float] = []
    for image in images {
      guard let row = rows[image.identity] else { continue }
      slots.append(Int32(image.slot))
      if new.contains(image.identity) { placed.append(Int32(image.slot)) }
      found += positions[(2 * row)..<(2 * row + 2)]
    }
    guard !slots.isEmpty else { return nil }
    return LayoutSnapshot(
      slots: slots, positions: found, iteration: description.iteration, iterations: description.iterations,
      klDivergence: description.klDivergence, isFinal: true, placed: placed, layoutID: record.key)
  }
}

/// A description as JSON with its keys in order, so that equal ones are equal text.
private func json(_ value: some Encodable) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys]
  return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
}
