import Foundation
import Geometry

/// The views that the user has had, to go back to and forward again.
///
/// Views that are near one another, as those on the way of a hand that drags or turns the wheel, count as one: the last of them.
struct ViewHistory: Sendable {
  /// A view, in terms that do not depend on the size of the window.
  struct Place: Hashable, Sendable {
    var center: Point
    /// As `ViewState.scale`.
    var scale: Double
    /// Whether it is the whole map, whatever its extent.
    var isWhole: Bool

    /// Half of what is seen of one is seen of the other, at no more than twice the size.
    func isNear(_ other: Place) -> Bool {
      abs(log2(scale / other.scale)) < 1 && (center - other.center).length * max(scale, other.scale) < 0.5
    }

    /// Nobody could tell them apart.
    func isSame(as other: Place) -> Bool {
      isWhole && other.isWhole
        || abs(scale / other.scale - 1) < 1e-6 && (center - other.center).length * scale < 1e-6
    }
  }

  private static let most = 100
  private var places: [Place] = []
  private var index = -1

  /// The view has come to rest.
  mutating func note(_ place: Place) {
    guard place.scale > 0, place.scale.isFinite else { return }
    guard places.indices.contains(index) else {
      places = [place]
      index = 0
      return
    }
    if place.isSame(as: places[index]) {
      places[index] = place
      return
    }
    places.removeSubrange((index + 1)...)
    if index > 0, place.isNear(places[index]), place.isNear(places[index - 1]) {
      places[index] = place
      guard place.isSame(as: places[index - 1]) else { return }
      // There and back again: as if nothing had been.
      places.removeLast()
      index -= 1
    } else {
      places.append(place)
      if places.count > Self.most { places.removeFirst() }
      index = places.count - 1
    }
  }

  /// The view so many steps on, which is the present one from now on; nil where there is none.
  mutating func step(by step: Int) -> Place? {
    guard places.indices.contains(index + step) else { return nil }
    index += step
    return places[index]
  }
}

// Back and forward.
extension Scene {
  private var viewportSide: Double { Double(max(1, min(camera.viewport.width, camera.viewport.height))) }

  /// Notes where the camera is, once it rests.
  mutating func noteView() {
    guard !wantsTicks, !gesture.isPressed, opened == nil, !camera.viewport.isEmpty, !pictures.placed.isEmpty else {
      return
    }
    viewHistory.note(
      ViewHistory.Place(
        center: camera.center, scale: camera.scale / viewportSide, isWhole: !handHasTouchedCamera))
  }

  /// Goes to an earlier view, or on to a later one.
  mutating func stepView(by step: Int, _ effects: inout Effects) {
    guard opened == nil, !camera.viewport.isEmpty else { return }
    guard let place = viewHistory.step(by: step) else { return }
    guard !place.isWhole else { return fitAll(&effects) }
    takeCamera()
    var target = camera
    target.center = place.center
    target.scale = place.scale * viewportSide
    fly(to: target, &effects)
  }
}
