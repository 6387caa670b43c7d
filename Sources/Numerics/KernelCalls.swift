import CKernels

/// The lines and nodes of a grid that charges are spread to.
package struct GridGeometry {
  /// Where the first node lies.
  package var originX, originY: Float
  /// Distance of two nodes.
  package var spacing: Float
  /// Floats from one row of nodes to the next.
  package var stride: Int

  package init(originX: Float, originY: Float, spacing: Float, stride: Int) {
    (self.originX, self.originY, self.spacing, self.stride) = (originX, originY, spacing, stride)
  }

  fileprivate var cGrid: ck_grid {
    ck_grid(origin_x: originX, origin_y: originY, inverse_spacing: 1 / spacing, stride: stride)
  }
}

/// The box around some points.
package struct BoundingBox {
  package var minX: Float = .infinity
  package var maxX: Float = -.infinity
  package var minY: Float = .infinity
  package var maxY: Float = -.infinity

  /// The box around nothing.
  package init() {}

  /// The box around `count` points, x and y of each.
  package init(_ positions: UnsafePointer<Float>, count: Int) {
    for i in 0..<count {
      minX = min(minX, positions[2 * i])
      maxX = max(maxX, positions[2 * i])
      minY = min(minY, positions[2 * i + 1])
      maxY = max(maxY, positions[2 * i + 1])
    }
  }

  /// The longer side.
  package var extent: Float { max(maxX - minX, maxY - minY) }

  package mutating func formUnion(_ other: BoundingBox) {
    minX = min(minX, other.minX)
    maxX = max(maxX, other.maxX)
    minY = min(minY, other.minY)
    maxY = max(maxY, other.maxY)
  }
}

/// Rows of weighted edges, compressed: those of row i to points whose numbers are near are words `wordStart[i] ..<
/// wordStart[i + 1]` (see `EdgeWord`), the others entries `farStart[i] ..< farStart[i + 1]` of columns and values.
package struct EdgePointers {
  package var wordStart: UnsafePointer<UInt64>
  package var words: UnsafePointer<UInt32>
  package var farStart: UnsafePointer<UInt64>
  package var farColumns: UnsafePointer<UInt32>
  package var farValues: UnsafePointer<Float>

  package init(
    wordStart: UnsafePointer<UInt64>, words: UnsafePointer<UInt32>, farStart: UnsafePointer<UInt64>,
    farColumns: UnsafePointer<UInt32>, farValues: UnsafePointer<Float>
  ) {
    (self.wordStart, self.words, self.farStart) = (wordStart, words, farStart)
    (self.farColumns, self.farValues) = (farColumns, farValues)
  }

  fileprivate var cEdges: ck_edges {
    ck_edges(
      word_start: wordStart, words: words, far_start: farStart, far_columns: farColumns, far_values: farValues)
  }
}

/// An edge in 32 bits: how much higher the other point's number is (signed), and 16 bits of the weight, which is at most 1.
package enum EdgeWord {
  /// Whether the numbers are near enough.
  package static func reaches(from row: Int, to column: Int) -> Bool {
    column - row >= -0x8000 && column - row < 0x8000
  }

  /// The edge as a word; the weight is rounded, by at most 0.1 %.
  package static func pack(from row: Int, to column: Int, _ weight: Float) -> UInt32 {
    UInt32(truncatingIfNeeded: (column - row) << 16) | min(0xffff, (weight.bitPattern + 0x2000) >> 14)
  }

  /// The other point.
  package static func column(_ word: UInt32, from row: Int) -> Int { row + Int(Int32(bitPattern: word) >> 16) }

  /// The weight.
  package static func weight(_ word: UInt32) -> Float { Float(bitPattern: (word & 0xffff) << 14) }
}

/// The leaf loops; CKernels.h says what each computes.
extension SIMDKernels {
  package func attraction(
    _ edges: EdgePointers, rows: Range<Int>, positions: UnsafePointer<Float>, into forces: UnsafeMutablePointer<Float>
  ) {
    var cEdges = edges.cEdges
    table.pointee.attraction(&cEdges, positions, forces, rows.lowerBound, rows.upperBound)
  }

  package func attractionCost(_ edges: EdgePointers, rows: Range<Int>, positions: UnsafePointer<Float>) -> Double {
    var cEdges = edges.cEdges
    return table.pointee.attraction_cost(&cEdges, positions, rows.lowerBound, rows.upperBound)
  }

  package func repulsion(
    x: UnsafePointer<Float>, y: UnsafePointer<Float>, padded: Int, targets: Range<Int>,
    into forces: UnsafeMutablePointer<Float>
  ) -> Double {
    table.pointee.repulsion(x, y, padded, forces, targets.lowerBound, targets.upperBound)
  }

  package func repulsionOnOne(
    x: Float, y: Float, sourceX: UnsafePointer<Float>, sourceY: UnsafePointer<Float>, padded: Int,
    into force: UnsafeMutablePointer<Float>
  ) -> Double {
    table.pointee.repulsion_on_one(x, y, sourceX, sourceY, padded, force)
  }

  package func nearPairs(
    squaredRadius: Float, targetX: UnsafePointer<Float>, targetY: UnsafePointer<Float>, targets: Int,
    sourceX: UnsafePointer<Float>, sourceY: UnsafePointer<Float>, padded: Int,
    into forces: UnsafeMutablePointer<Float>
  ) -> Double {
    table.pointee.near_pairs(
      ck_near(radius2: squaredRadius), targetX, targetY, targets, sourceX, sourceY, padded, forces)
  }

  package func update(
    positions: UnsafeMutablePointer<Float>, velocity: UnsafeMutablePointer<Float>, gain: UnsafeMutablePointer<Float>,
    attraction: UnsafePointer<Float>, repulsion: UnsafePointer<Float>, count: Int, attractionScale: Float,
    repulsionScale: Float, learningRate: Float, momentum: Float, maximumStep: Float
  ) -> BoundingBox {
    let found = table.pointee.update(
      positions, velocity, gain, attraction, repulsion, count, attractionScale, repulsionScale, learningRate, momentum,
      maximumStep)
    var box = BoundingBox()
    (box.minX, box.maxX, box.minY, box.maxY) = (found.min_x, found.max_x, found.min_y, found.max_y)
    return box
  }

  package func spread(
    _ grid: GridGeometry, x: UnsafePointer<Float>, y: UnsafePointer<Float>, count: Int,
    to nodes: UnsafeMutablePointer<Float>
  ) {
    table.pointee.spread(grid.cGrid, x, y, count, nodes)
  }

  package func interpolate(
    _ grid: GridGeometry, x: UnsafePointer<Float>, y: UnsafePointer<Float>, count: Int, nodes: UnsafePointer<Float>,
    into forces: UnsafeMutablePointer<Float>
  ) -> Double {
    table.pointee.interpolate(grid.cGrid, x, y, count, nodes, forces)
  }

  package func manhattan(
    _ row: UnsafePointer<Float>, _ rows: UnsafePointer<Float>, dimension: Int, count: Int,
    into distances: UnsafeMutablePointer<Float>
  ) {
    table.pointee.manhattan(row, rows, dimension, count, distances)
  }

  package func squaredDistance(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, dimension: Int) -> Float {
    table.pointee.squared_distance(a, b, dimension)
  }

  package func calibrate(
    squaredDistances: UnsafePointer<Float>, count: Int, logPerplexity: Double,
    into probabilities: UnsafeMutablePointer<Float>
  ) {
    _ = table.pointee.calibrate(squaredDistances, count, logPerplexity, probabilities)
  }

  /// Does nothing but multiply-adds, and says how many: the limit of the loops that compute.
  package func multiplyAdds(rounds: Int) -> (count: Int, result: Float) {
    (12 * lanes * rounds, table.pointee.multiply_adds(rounds, 0.5))
  }

  /// Sums numbers up: the limit of the loops that read memory. Reads a multiple of 4 × `lanes`.
  package func readAll(_ values: UnsafePointer<Float>, count: Int) -> Float { table.pointee.read_all(values, count) }
}
