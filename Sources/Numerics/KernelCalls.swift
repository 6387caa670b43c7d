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

  package mutating func formUnion(_ other: BoundingBox) {
    minX = min(minX, other.minX)
    maxX = max(maxX, other.maxX)
    minY = min(minY, other.minY)
    maxY = max(maxY, other.maxY)
  }
}

/// Rows of weighted edges, compressed: those of row i are entries `rowStart[i] ..< rowStart[i + 1]`.
package struct EdgePointers {
  package var rowStart: UnsafePointer<UInt64>
  package var columns: UnsafePointer<UInt32>
  package var values: UnsafePointer<Float>

  package init(
    rowStart: UnsafePointer<UInt64>, columns: UnsafePointer<UInt32>, values: UnsafePointer<Float>
  ) {
    (self.rowStart, self.columns, self.values) = (rowStart, columns, values)
  }
}

/// The leaf loops; CKernels.h says what each computes.
extension SIMDKernels {
  package func attraction(
    _ edges: EdgePointers, rows: Range<Int>, positions: UnsafePointer<Float>, into forces: UnsafeMutablePointer<Float>
  ) {
    table.pointee.attraction(
      edges.rowStart, edges.columns, edges.values, positions, forces, rows.lowerBound, rows.upperBound)
  }

  package func attractionCost(_ edges: EdgePointers, rows: Range<Int>, positions: UnsafePointer<Float>) -> Double {
    table.pointee.attraction_cost(
      edges.rowStart, edges.columns, edges.values, positions, rows.lowerBound, rows.upperBound)
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

  package func scanTile(
    dots: UnsafePointer<Float>, norms: UnsafePointer<Float>, rowNorm: Float, count: Int, firstColumn: Int, row: Int,
    threshold: Float, into keys: UnsafeMutablePointer<UInt64>
  ) -> Int {
    table.pointee.scan_tile(dots, norms, rowNorm, count, UInt32(firstColumn), UInt32(row), threshold, keys)
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
}

/// Selection among numbers that hold a distance above an index.
package enum DistanceKeys {
  /// Brings the `keep` smallest of `count` to the front, unordered.
  package static func selectSmallest(_ keep: Int, of keys: UnsafeMutablePointer<UInt64>, count: Int) {
    ck_select_smallest(keys, count, keep)
  }

  /// Sorts, ascending.
  package static func sort(_ keys: UnsafeMutablePointer<UInt64>, count: Int) { ck_sort_keys(keys, count) }
}
