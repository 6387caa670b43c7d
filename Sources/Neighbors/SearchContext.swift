import Numerics

/// What every part of a search needs.
struct SearchContext {
  let metric: Metric
  let subject: RowSubject
  let pool: ThreadPool
  let seed: UInt64
  let token: CancellationToken
  let progress: (@Sendable (Double) -> Void)?
  let announce: (@Sendable (String) -> Void)?
  /// Rows are copied into memory up to so many bytes; more are read where they lie, by blocks.
  var memoryLimit = 256 << 20

  /// The same, for a small search within a search.
  var silent: SearchContext {
    SearchContext(
      metric: metric, subject: subject, pool: pool, seed: seed, token: token, progress: nil, announce: nil,
      memoryLimit: memoryLimit)
  }
}

/// A neighbour graph in the making.
// @unchecked: each worker writes the rows it was given and no others.
struct GraphRows: @unchecked Sendable {
  let count: Int
  let k: Int
  let indices: UnsafeMutablePointer<Int32>
  let distances: UnsafeMutablePointer<Float>

  /// Writes a row from keys in ascending order, itself among them or not. A row that saw fewer (because distances
  /// overflowed) is filled with rows at the largest distance there is.
  func write(_ row: Int, _ keys: UnsafeMutableBufferPointer<UInt64>, distance: (Float) -> Float) {
    var place = row * k
    let end = place + k
    for key in keys {
      let index = DistanceKeys.index(key)
      if index == row { continue }
      if place == end { return }
      indices[place] = Int32(index)
      distances[place] = min(distance(DistanceKeys.distance(key)), .greatestFiniteMagnitude)
      place += 1
    }
    guard place < end else { return }
    let seen = Set(keys.map(DistanceKeys.index))
    for index in 0..<count where index != row && !seen.contains(index) {
      if place == end { return }
      indices[place] = Int32(index)
      distances[place] = .greatestFiniteMagnitude
      place += 1
    }
  }

  /// Makes the arrays of a graph in place.
  static func make(
    count: Int, k: Int, _ fill: (GraphRows) throws -> Void
  ) throws -> (indices: [Int32], distances: [Float]) {
    var distances: [Float] = []
    let indices = try [Int32](unsafeUninitializedCapacity: count * k) { indices, indexCount in
      distances = try [Float](unsafeUninitializedCapacity: count * k) { distances, distanceCount in
        if let indices = indices.baseAddress, let distances = distances.baseAddress {
          try fill(GraphRows(count: count, k: k, indices: indices, distances: distances))
        }
        distanceCount = count * k
      }
      indexCount = count * k
    }
    return (indices, distances)
  }
}
