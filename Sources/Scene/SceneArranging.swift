public import Arrangements
import Foundation
import Geometry

/// What an arrangement is computed from: away from the main thread, for it may take seconds.
public struct ArrangementRequest: Sendable {
  /// Which arrangement.
  public let mode: ArrangementMode
  /// Of which layout; the answer is for no other.
  public let version: Int
  let slots: [Int32]
  /// Where the layout has the pictures, by slot.
  let places: [SIMD2<Float>]
  /// Width over height, by slot; the sign does not matter.
  let signedAspects: [Float]
  /// Width over height of the room for a grid.
  let shape: Double

  /// Computes it.
  /// - Throws: `ArrangementCancelled` when `isCancelled` says so.
  public func computed(isCancelled: @Sendable () -> Bool = { false }) throws(ArrangementCancelled) -> Arrangement {
    var positions: [Float] = []
    positions.reserveCapacity(2 * slots.count)
    for slot in slots {
      positions.append(places[Int(slot)].x)
      positions.append(places[Int(slot)].y)
    }
    return switch mode {
    case .grid: try Arrangement.grid(positions, shape: shape, isCancelled: isCancelled)
    case .free, .spread:
      try Arrangement.spread(
        positions, aspects: slots.map { abs(signedAspects[Int($0)]) }, isCancelled: isCancelled)
    }
  }
}

extension ArrangementMode {
  /// The one that comes after it when one goes through them.
  var next: ArrangementMode {
    let all = Self.allCases
    return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
  }
}

// How the pictures of a layout are put on the map, and how large they are.
extension Scene {
  /// What is to be computed for the arrangement that is wanted; nil where nothing is.
  public var arrangementRequest: ArrangementRequest? {
    guard mode != .free, let layout = pictures.finishedLayout else { return nil }
    let room = uncoveredViewport
    return ArrangementRequest(
      mode: mode, version: pictures.layoutVersion, slots: layout.slots, places: layout.places,
      signedAspects: layout.signedAspects, shape: room.isEmpty ? 1 : Double(room.width) / Double(room.height))
  }

  mutating func setMode(_ new: ArrangementMode, _ effects: inout Effects) {
    guard new != mode else { return }
    mode = new
    hasUnsavedView = true
    awaitsArrangement = false
    effects.add(.arrange)
    if new == .free { rearrange(nil, &effects) }
  }

  mutating func arranged(_ arrangement: Arrangement, _ mode: ArrangementMode, version: Int, _ effects: inout Effects) {
    guard mode == self.mode, version == pictures.layoutVersion, pictures.hasFinishedLayout else { return }
    rearrange(arrangement, &effects)
  }

  private mutating func rearrange(_ arrangement: Arrangement?, _ effects: inout Effects) {
    // A camera that was left in this arrangement is where it belongs.
    let keepsCamera = awaitsArrangement
    awaitsArrangement = false
    // Who sees the whole map is shown the whole of the new one.
    if !keepsCamera, handHasTouchedCamera, !camera.viewport.isEmpty, camera.scale < 1.25 * fittedCamera.scale {
      handHasTouchedCamera = false
    }
    let anchor = handHasTouchedCamera && !keepsCamera ? atHand ?? pictureNearest(to: camera.center) : nil
    let old = (place: anchor.map { pictures.drawnPlace($0) }, spacing: pictures.spacing)
    guard pictures.arrange(arrangement, animated: isAnimationEnabled, now: now) else { return }
    pictures.reindexIfNeeded()
    if let anchor, let place = old.place {
      // Who looks at a part of the map goes on looking at the same picture, at about the same size.
      var target = camera
      target.scale *= old.spacing / pictures.spacing
      target.center =
        pictures.target(anchor) + (camera.center - place) * (camera.scale / target.scale)
      fly(to: target, &effects)
    } else if !keepsCamera, !isAnimationEnabled, !camera.viewport.isEmpty {
      camera = fittedCamera
    }
    updateHover(&effects)
    effects.redraw()
  }

  // MARK: The size of pictures

  /// Whether pictures would be larger if there were room: arranged ones never hide one another.
  public var isPictureSizeLimited: Bool {
    if case .packed = pictures.sizing { return pictureSize > 1 }
    return false
  }

  /// The factors that pictures can be enlarged by.
  public static let pictureSizes = 0.25...4.0
  /// The factor between one size and the next that keys lead to.
  public static let pictureSizeStep = 1.25

  mutating func resizePictures(larger: Bool, _ effects: inout Effects) {
    setPictureSize(pictureSize * (larger ? Self.pictureSizeStep : 1 / Self.pictureSizeStep), &effects)
  }

  mutating func setPictureSize(_ factor: Double, _ effects: inout Effects) {
    guard factor.isFinite else { return }
    var factor = min(Self.pictureSizes.upperBound, max(Self.pictureSizes.lowerBound, factor))
    // As many steps up as down lead back to exactly 1.
    if abs(factor - 1) < 1e-6 { factor = 1 }
    guard factor != pictureSize else { return }
    pictureSize = factor
    hasUnsavedView = true
    markMotion()
    updateHover(&effects)
    effects.add(.pictureSizeChanged)
    effects.redraw()
  }
}
