import Foundation
import Geometry

/// How a layout is turned, and whether it is mirrored: t-SNE leaves both open, so they can be chosen.
public struct Orientation: Hashable, Codable, Sendable {
  /// Angle in radians by which the (mirrored) layout is turned, from x towards y.
  public var angle: Double
  /// Whether y changes its sign before the turn.
  public var isMirrored: Bool

  /// As the optimiser has it.
  public static let identity = Orientation(angle: 0, isMirrored: false)

  /// An orientation.
  public init(angle: Double, isMirrored: Bool) {
    self.angle = angle
    self.isMirrored = isMirrored
  }
}

extension Orientation {
  /// The point as it is shown.
  @inline(__always)
  func applied(to point: Point) -> Point {
    let y = isMirrored ? -point.y : point.y
    return Point(x: point.x * cos(angle) - y * sin(angle), y: point.x * sin(angle) + y * cos(angle))
  }
}

/// The orthogonal Procrustes problem in the plane: which turn, with or without a mirror, lays one set of points best on
/// another one (Gower and Dijksterhuis, Procrustes Problems, 2004, chapter 4). Both sets are taken about their centroids.
struct Procrustes {
  private var count = 0.0
  private var sum = SIMD4<Double>.zero
  /// Sums of the products source.x·target.x, source.x·target.y, source.y·target.x, source.y·target.y.
  private var products = SIMD4<Double>.zero

  /// Takes a pair of corresponding points into account.
  mutating func add(source: Point, target: Point) {
    count += 1
    sum += SIMD4(source.x, source.y, target.x, target.y)
    products += SIMD4(source.x, source.x, source.y, source.y) * SIMD4(target.x, target.y, target.x, target.y)
  }

  /// The best orientation, nil when the points do not tell (fewer than three, or no correspondence at all).
  /// - Parameter mirrored: the mirror is given and only the turn is sought; nil to choose both.
  func orientation(mirrored: Bool? = nil) -> Orientation? {
    guard count >= 3 else { return nil }
    let mean = sum / count
    let covariance =
      products - count * SIMD4(mean.x, mean.x, mean.y, mean.y) * SIMD4(mean.z, mean.w, mean.z, mean.w)
    func best(_ sign: Double) -> (strength: Double, angle: Double) {
      let along = covariance.x + sign * covariance.w
      let across = covariance.y - sign * covariance.z
      return ((along * along + across * across).squareRoot(), atan2(across, along))
    }
    let plain = best(1)
    let mirror = best(-1)
    let takesMirror = mirrored ?? (mirror.strength > plain.strength)
    let chosen = takesMirror ? mirror : plain
    guard chosen.strength > 0, chosen.strength.isFinite else { return nil }
    return Orientation(angle: chosen.angle, isMirrored: takesMirror)
  }
}
