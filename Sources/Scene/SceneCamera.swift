import Foundation
import Geometry

// How large pictures are, what the camera may do, and how time moves both.
extension Scene {
  // MARK: Sizes, in device pixels

  /// A picture in a layout is as large as this share of the mean distance between neighbours, where that distance is
  /// `referenceSpacing`; farther apart they take a smaller share and nearer a larger one, so that zooming in both
  /// enlarges the pictures and separates them.
  private static let coverage = 1.08
  private static let referenceSpacing = 24.0
  private static let growth = 0.82
  /// Smallest and largest picture of a layout, in logical pixels.
  private static let smallestSide = 6.0
  private static let largestSide = 320.0
  /// The largest that the whole map is shown with.
  private static let largestFittedSide = 144.0
  /// Largest picture of the loading grid, and the share of its cell that a picture takes.
  private static let largestGridSide = 512.0
  private static let cellShare = 0.9
  /// Free room around the whole map, in logical pixels.
  private static let layoutMargin = 24.0
  private static let gridMargin = 16.0

  /// Longest side of a picture at a scale.
  func spriteSide(at scale: Double) -> Double {
    let side = side(pictures.sizing, at: scale)
    guard let (sizing, share) = pictures.departure else { return side }
    // Half way, it is the geometric mean: sizes differ by factors.
    let old = self.side(sizing, at: scale)
    return old * pow(side / old, share)
  }

  private func side(_ sizing: PictureField.Sizing, at scale: Double) -> Double {
    switch sizing {
    case .cells(let pitch):
      // The loading grid keeps to its cells.
      min(Self.largestGridSide * uiScale, max(1, pitch * scale * Self.cellShare))
    case .packed(let side):
      // Larger ones would hide one another.
      min(Self.largestGridSide * uiScale, max(1, side * scale * min(1, pictureSize)))
    case .free(let spacing): max(1, layoutSide(spacing: spacing * scale) * pictureSize)
    }
  }

  private func layoutSide(spacing: Double) -> Double {
    let reference = Self.referenceSpacing * uiScale
    let side = Self.coverage * reference * pow(spacing / reference, Self.growth)
    return min(Self.largestSide * uiScale, max(Self.smallestSide * uiScale, side))
  }

  /// The spacing at which `layoutSide` gives a side.
  private func spacing(forSide side: Double) -> Double {
    let reference = Self.referenceSpacing * uiScale
    return reference * pow(side / (Self.coverage * reference), 1 / Self.growth)
  }

  /// The part of the viewport that the loading grid may fill.
  var gridRoom: Size {
    Size(
      width: max(1, Double(camera.viewport.width) - 2 * Self.gridMargin * uiScale),
      height: max(1, Double(camera.viewport.height) - 2 * Self.gridMargin * uiScale))
  }

  // MARK: Views

  /// The view that shows the whole map.
  var fittedCamera: Camera {
    var fitted = camera
    let bounds = pictures.bounds
    if pictures.phase == .grid, let grid = pictures.loadingGrid {
      fitted.fit(bounds, margin: Self.gridMargin * uiScale)
      fitted.scale = min(fitted.scale, Self.largestFittedSide * uiScale / Self.cellShare / grid.pitch)
      return fitted
    }
    return self.fitted(bounds)
  }

  /// The part of the viewport that nothing lies on; where that is too little, all of it, and pictures lie beneath.
  var uncoveredViewport: PixelRect {
    var rect = camera.viewport
    guard Double(covered) <= Self.largestCoveredShare * Double(rect.width) else { return rect }
    rect.x += covered
    rect.width -= covered
    return rect
  }

  private static let largestCoveredShare = 0.35

  /// The view that shows these middles of pictures, and the pictures around them.
  func fitted(_ bounds: Rect) -> Camera {
    var fitted = camera
    fitted.viewport = uncoveredViewport
    let most = largestFittedScale
    fitted.scale = most
    // The margin holds half a picture, whose size depends on the scale: a few rounds find both.
    for _ in 0..<4 {
      let margin = Self.layoutMargin * uiScale + spriteSide(at: fitted.scale) / 2
      fitted.fit(bounds, margin: margin)
      fitted.scale = min(fitted.scale, most)
    }
    fitted.center.x -= Double(fitted.viewport.x - camera.viewport.x) / 2 / fitted.scale
    fitted.viewport = camera.viewport
    return fitted
  }

  private var largestFittedScale: Double {
    let side = Self.largestFittedSide * uiScale
    return switch pictures.sizing {
    case .cells(let pitch): side / Self.cellShare / pitch
    case .packed(let whole): side / whole
    case .free(let spacing): self.spacing(forSide: side) / spacing
    }
  }

  /// The scales that the hand can reach: from the map at a quarter of the window to neighbours far apart.
  var scaleLimits: ClosedRange<Double> {
    let side = Double(max(1, min(camera.viewport.width, camera.viewport.height)))
    let least = 0.25 * min(side / PictureField.extent, fittedCamera.scale)
    return least...max(least * 64, 12 * side / pictures.spacing)
  }

  /// Whether the camera is to follow the map and has not reached it.
  var needsToFollow: Bool {
    guard !handHasTouchedCamera, !pictures.placed.isEmpty, !camera.viewport.isEmpty, motion.flight == nil else {
      return false
    }
    return !isClose(camera, fittedCamera)
  }

  /// Nothing on the screen would be seen to move from one to the other.
  private func isClose(_ one: Camera, _ other: Camera) -> Bool {
    let size = Double(max(one.viewport.width, one.viewport.height, 1))
    return abs(one.scale / other.scale - 1) * size < 0.5 && (one.center - other.center).length * other.scale < 0.5
  }

  /// Whoever touches the camera has it.
  mutating func takeCamera() {
    handHasTouchedCamera = true
    hasUnsavedView = true
    awaitsArrangement = false
  }

  /// Goes to another view.
  mutating func fly(to target: Camera, _ effects: inout Effects) {
    motion.stop()
    guard isAnimationEnabled, !isClose(camera, target) else {
      camera = target
      effects.redraw()
      return
    }
    motion.flight = CameraMotion.Flight(
      from: camera, to: target, start: nil, duration: CameraMotion.flightSeconds)
  }

  /// Enlarges by a factor, at once or eased, within what the hand can reach.
  mutating func zoom(by factor: Double, about anchor: Point, eased: Bool, _ effects: inout Effects) {
    guard factor.isFinite, factor > 0, !camera.viewport.isEmpty, !pictures.placed.isEmpty else { return }
    takeCamera()
    motion.flight = nil
    motion.throwVelocity = .zero
    let limits = scaleLimits
    let base = motion.zoom.map { exp($0.to) } ?? camera.scale
    let target = min(max(limits.upperBound, camera.scale), max(min(limits.lowerBound, camera.scale), base * factor))
    if eased, isAnimationEnabled {
      motion.zoom = CameraMotion.EasedZoom(anchor: anchor, from: log(camera.scale), to: log(target), start: nil)
    } else {
      motion.zoom = nil
      camera.zoom(by: target / camera.scale, about: anchor)
      markMotion()
      updateHover(&effects)
      effects.redraw()
    }
  }

  /// The picture moves, beyond a mere pan.
  mutating func markMotion() {
    movesUntil = now + Self.settleSeconds
    if quality == .draft { wasDraft = true }
  }

  // MARK: Time

  mutating func tick(at seconds: Double, _ effects: inout Effects) {
    guard seconds.isFinite else { return }
    // After a pause, the first frame of a motion counts as one frame and not as the whole pause.
    let previous = seconds - now < 0.1 && seconds >= now ? now : seconds - 1.0 / 60
    now = seconds
    let elapsed = seconds - previous

    if isWaitingForColumns {
      let start = firstImagesAt ?? seconds
      firstImagesAt = start
      if seconds - start >= Self.columnPatience { chooseColumns(&effects) }
    }
    let before = camera
    let moved = pictures.advance(to: seconds, previous: previous)
    if moved {
      pictures.reindexIfNeeded()
      markMotion()
      effects.redraw()
    }
    moveCamera(previous: previous, elapsed: elapsed)
    follow(elapsed: elapsed)
    if camera != before {
      if camera.scale != before.scale { markMotion() }
      effects.redraw()
    }
    if moved || camera != before { updateHover(&effects) }
    moveOpened(previous: previous, &effects)
    noteDragVelocity(elapsed: elapsed)
    if wasDraft, now >= movesUntil {
      wasDraft = false
      effects.redraw()
    }
  }

  /// Seconds after which the loading grid is begun with what is known.
  static let columnPatience = 1.0

  private mutating func moveCamera(previous: Double, elapsed: Double) {
    if var zoom = motion.zoom {
      let (value, arrived) = CameraMotion.value(of: &zoom, at: now, previous: previous)
      camera.zoom(by: exp(value) / camera.scale, about: zoom.anchor)
      motion.zoom = arrived ? nil : zoom
    }
    if var flight = motion.flight {
      let start = flight.start ?? previous
      flight.start = start
      let share = (now - start) / flight.duration
      camera = flight.camera(at: CameraMotion.eased(share))
      motion.flight = share >= 1 ? nil : flight
    }
    if !motion.held.isEmpty {
      var direction = Point.zero
      for key in motion.held { direction = direction + key.vector }
      camera.pan(by: direction * (-Self.keyPanSpeed * uiScale * elapsed))
    }
    if motion.throwVelocity != .zero {
      camera.pan(by: motion.throwVelocity * elapsed)
      motion.throwVelocity = motion.throwVelocity * exp(-elapsed / 0.18)
      if motion.throwVelocity.length < 12 * uiScale { motion.throwVelocity = .zero }
    }
  }

  /// Logical pixels a second that the map moves under a held arrow key.
  static let keyPanSpeed = 1100.0

  private mutating func follow(elapsed: Double) {
    guard needsToFollow else { return }
    let target = fittedCamera
    guard isAnimationEnabled else {
      camera = target
      return
    }
    let flight = CameraMotion.Flight(from: camera, to: target, start: nil, duration: 1)
    camera = flight.camera(at: 1 - exp(-elapsed / 0.11))
    if isClose(camera, target) { camera = target }
  }
}

extension Direction {
  /// The unit vector on the screen.
  var vector: Point {
    switch self {
    case .left: Point(x: -1, y: 0)
    case .right: Point(x: 1, y: 0)
    case .up: Point(x: 0, y: -1)
    case .down: Point(x: 0, y: 1)
    }
  }
}
