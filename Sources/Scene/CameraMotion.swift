import Foundation
import Geometry

/// How the camera moves by itself: after the wheel, on its way to another view, with an arrow key held, after a throw.
struct CameraMotion: Sendable {
  /// A number that eases towards a target: the logarithm of a scale.
  struct EasedZoom: Sendable {
    var anchor: Point
    var from: Double
    var to: Double
    var start: Double?
  }

  /// From one view to another.
  struct Flight: Sendable {
    var from: Camera
    var to: Camera
    var start: Double?
    var duration: Double

    /// The view after a share of the way, such that one point of the screen shows the same point of the layout all the way.
    func camera(at share: Double) -> Camera {
      var camera = to
      guard share < 1 else { return camera }
      camera.scale = from.scale * pow(to.scale / from.scale, share)
      let whole = 1 / from.scale - 1 / to.scale
      let way =
        abs(whole) > 1e-6 / from.scale ? (1 / from.scale - 1 / camera.scale) / whole : share
      camera.center = from.center + (to.center - from.center) * way
      return camera
    }
  }

  static let zoomSeconds = 0.15
  static let flightSeconds = 0.22
  /// One notch of the wheel enlarges by this factor.
  static let notchFactor = 1.25

  var zoom: EasedZoom?
  var flight: Flight?
  /// Arrow keys that are held to pan.
  var held: Set<Direction> = []
  /// Device pixels a second that the map still moves after it was thrown.
  var throwVelocity = Point.zero

  var isMoving: Bool { zoom != nil || flight != nil || !held.isEmpty || throwVelocity != .zero }

  mutating func stop() { self = CameraMotion() }

  /// Slows down towards the end.
  static func eased(_ share: Double) -> Double {
    let rest = 1 - min(1, max(0, share))
    return 1 - rest * rest * rest
  }

  /// The logarithm of the scale that the eased zoom has at a time, and whether it has arrived.
  static func value(of zoom: inout EasedZoom, at now: Double, previous: Double) -> (value: Double, arrived: Bool) {
    let start = zoom.start ?? previous
    zoom.start = start
    let share = (now - start) / zoomSeconds
    return (zoom.from + (zoom.to - zoom.from) * eased(share), share >= 1)
  }
}
