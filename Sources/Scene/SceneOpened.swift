import Foundation
import Geometry

// The full-size view.
extension Scene {
  /// Seconds that a picture takes from its place on the map to full size.
  static let openingSeconds = 0.16

  /// Shows a picture at full size; it grows out of its place on the map.
  mutating func open(_ slot: Int, _ effects: inout Effects) {
    guard pictures.isReady(slot) else { return }
    focused = slot
    show(slot, from: spriteRect(of: slot).map { Rect($0) }, &effects)
  }

  mutating func show(_ slot: Int, from origin: Rect?, _ effects: inout Effects) {
    motion.stop()
    openedZoom = nil
    sideBySide = []
    var image = OpenedImage(
      slot: slot, aspect: aspect(of: slot), turn: turns[slot] ?? .none, viewport: openedViewport, uiScale: uiScale,
      origin: origin)
    opening = nil
    if origin != nil, isAnimationEnabled {
      image.progress = 0
      opening = -.infinity
    }
    opened = image
    effects.add(.openOriginal(slot: slot))
    updateHover(&effects)
    effects.redraw()
  }

  mutating func close(_ effects: inout Effects) {
    guard let slot = opened?.slot else { return }
    opened = nil
    opening = nil
    openedZoom = nil
    effects.add(.closeOriginal)
    updateHover(&effects)
    reveal(slot, &effects)
    effects.redraw()
  }

  mutating func zoomOpened(to scale: Double, about anchor: Point, eased: Bool = true, _ effects: inout Effects) {
    guard let image = opened else { return }
    opening = nil
    opened?.progress = 1
    let smallest = min(image.fittingScale, 1)
    let target = min(OpenedImage.largestScale, max(smallest, scale))
    if eased, isAnimationEnabled, target != image.scale {
      openedZoom = CameraMotion.EasedZoom(anchor: anchor, from: log(image.scale), to: log(target), start: nil)
    } else {
      openedZoom = nil
      opened?.zoom(to: target, about: anchor)
    }
    effects.redraw()
  }

  /// Moves the full-size view on.
  mutating func moveOpened(previous: Double, _ effects: inout Effects) {
    guard opened != nil else { return }
    if let start = opening {
      let begun = start == -.infinity ? previous : start
      let share = (now - begun) / Self.openingSeconds
      opened?.progress = CameraMotion.eased(share)
      opening = share >= 1 ? nil : begun
      effects.redraw()
    }
    if var zoom = openedZoom {
      let (value, arrived) = CameraMotion.value(of: &zoom, at: now, previous: previous)
      opened?.zoom(to: exp(value), about: zoom.anchor)
      openedZoom = arrived ? nil : zoom
      if arrived, let image = opened, abs(image.scale / image.fittingScale - 1) < 1e-6 { opened?.fit() }
      effects.redraw()
    }
  }
}
