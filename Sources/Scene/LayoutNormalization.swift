import Foundation
import Geometry

/// Brings a layout of any extent to a steady one around the origin.
///
/// t-SNE's early exaggeration shrinks the layout by orders of magnitude and lets it grow again, and images that are like
/// no other fly far out meanwhile. What is shown is therefore the layout about its geometric median, scaled by the
/// radii that six to nine tenths of it lie within: a mean over such a band of quantiles moves as smoothly as the points
/// do, and what flies off neither shifts nor shrinks the rest.
struct LayoutNormalization: Sendable {
  private(set) var center: Point
  /// Layout units per unit of the positions.
  private(set) var scale: Double
  /// Distance from the middle beyond which pictures are drawn nearer than they are, in layout units; infinite in a layout
  /// that is complete.
  private(set) var knee = Double.infinity

  private static let sampleCount = 8192
  /// Steps of Weiszfeld's iteration towards the geometric median, at most.
  private static let middleSteps = 24
  /// The extent follows from the radii between these quantiles.
  private static let radiusBand = 0.6...0.9
  /// The mean logarithm of the radii of that band in a uniform disc of radius 1.
  private static let discLogRadius = -0.14722
  /// While a layout unfolds, what lies within this many radii is shown as it is, and what lies beyond, however far, within
  /// `softShare` more.
  private static let kneeShare = 1.25
  private static let softShare = 0.45

  /// Brings `center` to the origin, and what is 1 to `scale`.
  init(center: Point, scale: Double) {
    self.center = center
    self.scale = scale
  }

  /// The normalisation of the first `count` of `positions` (interleaved x, y) to the diameter `extent`. While a layout
  /// unfolds (`isFinal` is false), stragglers stay within sight.
  init(positions: [Float], count: Int, extent: Double, isFinal: Bool) {
    // The same images are sampled every time, so that sampling adds no jitter.
    let step = max(1, count / Self.sampleCount)
    var points: [Point] = []
    points.reserveCapacity(count / step + 1)
    for index in stride(from: 0, to: count, by: step) {
      let point = Point(x: Double(positions[2 * index]), y: Double(positions[2 * index + 1]))
      if point.x.isFinite, point.y.isFinite { points.append(point) }
    }
    let middle = Self.geometricMedian(points)
    let radii = points.map { $0.distance(to: middle) }.filter(\.isFinite).sorted()
    // Images in one and the same place must not pull the mean of logarithms down to nothing.
    let least = max(0.05 * Self.mean(of: radii, over: 0.85...0.9), .leastNormalMagnitude)
    let radius = exp(Self.mean(of: radii.map { log(max(least, $0)) }, over: Self.radiusBand) - Self.discLogRadius)
    center = middle
    let isUsable = (radii.last ?? 0) > 0 && radius > 0 && (extent / radius).isFinite
    scale = isUsable ? extent / 2 / radius : 0
    if !isFinal { knee = Self.kneeShare * extent / 2 }
  }

  /// Where the sum of distances is smallest, nearly (Weiszfeld 1937): half of the points may fly off without moving it
  /// much, and it turns with the points.
  private static func geometricMedian(_ points: [Point]) -> Point {
    guard !points.isEmpty else { return .zero }
    var middle = points.reduce(Point.zero, +) * (1 / Double(points.count))
    let spread = points.reduce(0) { $0 + $1.distance(to: middle) } / Double(points.count)
    guard middle.x.isFinite, middle.y.isFinite, spread > 0, spread.isFinite else { return middle }
    for _ in 0..<middleSteps {
      var sum = Point.zero
      var weights = 0.0
      for point in points {
        // Far below the spread, distances count alike: a point in the middle must not hold it fast.
        let weight = 1 / (point.distance(to: middle) + 1e-3 * spread)
        sum = sum + point * weight
        weights += weight
      }
      let before = middle
      middle = sum * (1 / weights)
      // Nothing that would be seen.
      if middle.distance(to: before) < 1e-5 * spread { break }
    }
    return middle
  }

  /// The mean of sorted values between two quantiles; what lies half in the band counts half.
  private static func mean(of sorted: [Double], over band: ClosedRange<Double>) -> Double {
    guard !sorted.isEmpty else { return 0 }
    let low = band.lowerBound * Double(sorted.count)
    let high = band.upperBound * Double(sorted.count)
    var sum = 0.0
    for index in Int(low)..<min(sorted.count, Int(high.rounded(.up))) {
      sum += sorted[index] * (min(high, Double(index + 1)) - max(low, Double(index)))
    }
    return sum / (high - low)
  }

  /// Goes on from how the snapshot before was shown, `elapsed` seconds ago: single points that cross the band of
  /// quantiles make nothing twitch. The extent is never off by more than a tenth, nor the middle by more than that of
  /// the radius.
  func following(_ previous: LayoutNormalization, elapsed: Double, extent: Double) -> LayoutNormalization {
    guard scale > 0, previous.scale > 0 else { return self }
    let share = 1 - exp(-max(0, elapsed) / Self.followSeconds)
    var result = self
    let lag = (log(previous.scale) - log(scale)) * (1 - share)
    result.scale = scale * exp(min(Self.mostLag, max(-Self.mostLag, lag)))
    let way = (previous.center - center) * (1 - share)
    let most = Self.mostLag * extent / 2 / result.scale
    result.center = center + (way.length > most ? way * (most / way.length) : way)
    return result
  }

  private static let followSeconds = 0.3
  private static let mostLag = 0.1

  /// The normalised point as it is; what is not finite goes to the middle.
  @inline(__always)
  func applied(x: Float, y: Float) -> Point {
    let point = (Point(x: Double(x), y: Double(y)) - center) * scale
    return point.x.isFinite && point.y.isFinite ? point : .zero
  }

  /// The normalised point as it is shown: what lies beyond the knee comes nearer, in the same direction and order.
  @inline(__always)
  func shown(x: Float, y: Float) -> Point {
    let point = applied(x: x, y: y)
    let squared = point.x * point.x + point.y * point.y
    guard squared > knee * knee else { return point }
    let radius = squared.squareRoot()
    let beyond = radius - knee
    let room = knee * (Self.softShare / Self.kneeShare)
    return point * ((knee + room * beyond / (beyond + room)) / radius)
  }
}

/// The layout that was shown before, on which a new one is laid.
struct LayoutReference: Sendable {
  private let places: [SIMD2<Float>]
  private let isMember: [Bool]
  private static let sampleCount = 20_000

  /// - Parameter places: By slot, in layout units.
  init(slots: [Int32], places: [SIMD2<Float>]) {
    self.places = places
    var isMember = [Bool](repeating: false, count: places.count)
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
    // An angle does not need all of them.
    for index in stride(from: 0, to: slots.count, by: max(1, slots.count / Self.sampleCount)) {
      let slot = slots[index]
      guard Int(slot) < isMember.count, isMember[Int(slot)] else { continue }
      fit.add(
        source: normalization.shown(x: positions[2 * index], y: positions[2 * index + 1]),
        target: Point(x: Double(places[Int(slot)].x), y: Double(places[Int(slot)].y)))
    }
    guard let best = fit.orientation(mirrored: isFree ? nil : present.isMirrored) else { return present }
    if isFree { return best }
    let turn = (best.angle - present.angle).remainder(dividingBy: 2 * .pi)
    let most = 0.03
    return Orientation(angle: present.angle + min(most, max(-most, turn)), isMirrored: present.isMirrored)
  }
}
