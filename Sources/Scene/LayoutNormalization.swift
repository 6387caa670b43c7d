import Geometry

/// Brings a layout of any extent to a steady one around the origin.
///
/// t-SNE's early exaggeration shrinks the layout by orders of magnitude and lets it grow again: what is shown is therefore
/// the layout about its centroid, scaled so that nine tenths of it lie within a fixed radius. A quantile moves as smoothly as the
/// points do, and a few that fly far off do not shrink the others.
struct LayoutNormalization: Sendable {
  let center: Point
  /// Layout units per unit of the positions.
  let scale: Double

  private static let sampleCount = 8192

  init(positions: [Float], count: Int, extent: Double) {
    // The same images are sampled every time, so that sampling adds no jitter.
    let step = max(1, count / Self.sampleCount)
    var mean = Point.zero
    var used = 0.0
    positions.withUnsafeBufferPointer { positions in
      for index in 0..<count {
        let point = Point(x: Double(positions[2 * index]), y: Double(positions[2 * index + 1]))
        guard point.x.isFinite, point.y.isFinite else { continue }
        mean = mean + point
        used += 1
      }
    }
    mean = used > 0 ? mean * (1 / used) : .zero
    var radii: [Double] = []
    radii.reserveCapacity(count / step + 1)
    for index in stride(from: 0, to: count, by: step) {
      let radius = Point(x: Double(positions[2 * index]), y: Double(positions[2 * index + 1])).distance(to: mean)
      if radius.isFinite { radii.append(radius) }
    }
    radii.sort()
    // Between the two neighbours of the quantile, so that few points give a smooth value as well.
    let place = 0.9 * Double(max(0, radii.count - 1))
    let below = Int(place)
    var quantile = radii.isEmpty ? 0 : radii[below]
    if below + 1 < radii.count { quantile += (radii[below + 1] - radii[below]) * (place - Double(below)) }
    center = mean
    // In a uniform disc, nine tenths lie within 0.949 of the radius.
    scale = quantile > 0 && (extent / quantile).isFinite ? 0.949 * extent / 2 / quantile : 0
  }

  /// The normalised point; what is not finite goes to the middle.
  @inline(__always)
  func applied(x: Float, y: Float) -> Point {
    let point = (Point(x: Double(x), y: Double(y)) - center) * scale
    return point.x.isFinite && point.y.isFinite ? point : .zero
  }
}

/// The layout that was shown before, on which a new one is laid.
struct LayoutReference: Sendable {
  private let x: [Float]
  private let y: [Float]
  private let isMember: [Bool]

  init(slots: [Int32], x: [Float], y: [Float]) {
    self.x = x
    self.y = y
    var isMember = [Bool](repeating: false, count: x.count)
    for slot in slots { isMember[Int(slot)] = true }
    self.isMember = isMember
  }

  /// How to show a snapshot so that it lies best on this layout.
  ///
  /// Between the first and the last snapshot the layout only follows slowly and keeps its mirror, so that it does not spin
  /// while it unfolds.
  func orientation(
    for slots: [Int32], positions: [Float], normalization: LayoutNormalization, present: Orientation, isFree: Bool
  ) -> Orientation {
    var fit = Procrustes()
    for (index, slot) in slots.enumerated() where Int(slot) < isMember.count && isMember[Int(slot)] {
      fit.add(
        source: normalization.applied(x: positions[2 * index], y: positions[2 * index + 1]),
        target: Point(x: Double(x[Int(slot)]), y: Double(y[Int(slot)])))
    }
    guard let best = fit.orientation(mirrored: isFree ? nil : present.isMirrored) else { return present }
    if isFree { return best }
    let turn = (best.angle - present.angle).remainder(dividingBy: 2 * .pi)
    let most = 0.03
    return Orientation(angle: present.angle + min(most, max(-most, turn)), isMirrored: present.isMirrored)
  }
}
