import Atlas
import Controls
import Dispatch
import Drawing
import Geometry
import Imaging
import Numerics
import Rendering
import Scene
import X11

/// Thumbnails asked for from the disk, and for what view.
private struct PrefetchRequest {
  static let mostAttempts = 6

  let camera: Camera
  let version: Int
  /// The picture with the card beside it: its preview is larger than the pictures of the map.
  let labelled: Int?
  /// Stands for levels and slots, in any order.
  let missing: UInt64
  var attempts = 1

  func isSameView(as other: PrefetchRequest) -> Bool {
    camera == other.camera && version == other.version && labelled == other.labelled
  }
}

/// The map on the screen: the scene, the buffer that holds its last frame, and the picture at full size over it.
@MainActor final class MapView {
  /// What the user sees.
  private(set) var scene: Scene
  /// The thumbnails.
  var atlas: Atlas? { didSet { if atlas !== oldValue { frames.reset() } } }
  /// What the scene asks its owner for.
  var onEffect: ((SceneEffect) -> Void)?
  /// A large original can be drawn better than it was.
  var onPartsLoaded: (() -> Void)?
  /// Called with the slots of thumbnails that were found damaged.
  var onDamage: ((_ slots: [Int]) -> Void)?
  /// What is said beside the picture under the pointer.
  var label: ((_ slot: Int) -> PictureLabel?)?

  /// A part of the map that something else lies on.
  var covered: Rect?

  /// How many pictures the last complete frame held.
  var drawnCount: Int { frames.drawnCount }
  /// Whether a better picture than the last one drawn is under way: another frame is to follow.
  private(set) var isUnfinished = false
  /// Whether the last frame showed every picture as well as it can be shown with thumbnails.
  private(set) var isComplete = false
  /// Whether nothing better of the map is under way, but for what is shown softly.
  private var isMapFinished = false
  /// When a better picture began to take the place of another.
  private var softeningBegan: Double?
  private static let softeningSeconds = 0.14

  private var movement: FrameMovement?

  let pictures: MapPictures
  let fullSize: OriginalLoader<OriginalPyramid>

  /// The map without what lies over it.
  private let frames: MapFrames
  private var originalRenderer = OriginalRenderer()
  private let overviewMaker = OverviewMaker()
  /// Brings parts of large originals from their files into memory; some at a time.
  private let partsQueue = DispatchQueue(label: "original.parts", qos: .userInitiated)
  private var isLoadingParts = false

  /// Brings thumbnails from the disk into memory; one request at a time.
  private let prefetchQueue = DispatchQueue(label: "thumbnails", qos: .userInitiated)
  private var isPrefetching = false
  /// Copies pictures for flights, with seconds between.
  private var isPreparingFlight = false
  private nonisolated static let flightInterval = 0.5
  private let flightThread = PatientThread(name: "flight")
  private let indexThread = PatientThread(name: "index")
  /// The index that is being made.
  private var indexing: CancellationToken?
  private nonisolated static let restBeforeIndex = 0.1
  /// The full-size view at the last look.
  private var lastOpened: [OpenedImage] = []
  /// What is seen through transparent pictures at full size.
  var backdrop = FullSizeBackdrop.squares
  /// What the last request was for: asked in vain, it is not asked again for the same view.
  private var lastRequest: PrefetchRequest?

  init(limits: DecodingLimits, theme: Theme, animates: Bool) {
    scene = Scene(isAnimationEnabled: animates)
    var renderer = MapRenderer(background: theme.canvas.argb)
    renderer.readsResidentLevelsOnly = true
    frames = MapFrames(renderer: renderer)
    frames.keepsFormer = animates
    pictures = MapPictures(limits: limits)
    fullSize = OriginalLoader(
      limits: limits, cacheLimit: 256 << 20,
      maker: OriginalLoader<OriginalPyramid>.Maker(
        make: { image in
          LoadedPicture(
            OriginalPyramid(width: image.width, height: image.height, pixels: image.pixels, isOpaque: image.isOpaque),
            // With the halved copies.
            cost: image.pixels.count * 16 / 3)
        }, makeLarge: { LargeOriginal(directories: $0, token: $1) }))
    pictures.onArrival = { [weak self] in
      self?.frames.invalidate()
      self?.onEffect?(.redraw)
    }
  }

  /// Starts with an empty map: another location is opened.
  func reset() {
    scene = Scene(
      viewport: scene.camera.viewport, uiScale: scene.uiScale, isAnimationEnabled: scene.isAnimationEnabled)
    atlas = nil
    lastRequest = nil
    seen = nil
    overviewMaker.forget()
    frames.reset()
  }

  /// Hands an input to the scene and its effects on.
  func send(_ input: SceneInput) {
    for effect in scene.handle(input) { onEffect?(effect) }
    if !scene.needsIndex { indexing?.cancel() }
  }

  func setTheme(_ theme: Theme) { frames.renderer.background = theme.canvas.argb }

  /// Thumbnails that the scene knows as ready may have been replaced.
  func invalidate() { frames.invalidateThumbnails() }

  /// Whether another frame is to follow the last one drawn; told once.
  func takeUnfinished() -> Bool {
    defer { isUnfinished = false }
    return isUnfinished
  }

  /// Goes on with a better picture for as long as there is time in a frame. Whether there is something new to be drawn.
  func refine(width: Int, height: Int) -> Bool {
    guard let atlas, scene.opened == nil, !scene.isFlying, frames.formerPixels == nil else { return true }
    let update = pictures.drawing { source in
      frames.update(width: width, height: height, scene: scene, atlas: atlas, originals: source)
    }
    isUnfinished = update.isUnfinished
    return update.kind != .unchanged || !update.isUnfinished
  }

  /// Seconds that the whole map takes to be drawn with care.
  var frameSeconds: Double { frames.sharpSeconds }

  /// How the map has moved with the last frame drawn, when that is what happened; told once.
  func takeMovement() -> FrameMovement? {
    defer { movement = nil }
    return movement
  }

  /// Draws the map's part of a frame.
  func draw(into frame: FrameBuffer, canvas: Canvas, style: Style) {
    let viewport = scene.camera.viewport
    isUnfinished = false
    isComplete = false
    movement = nil
    guard !viewport.isEmpty else { return }
    canvas.flush()
    if let opened = scene.opened {
      if opened.progress < 1 {
        drawMap(into: frame, viewport: viewport)
        canvas.markDirty()
        canvas.fill(Rect(viewport), style.theme.canvas.withAlpha(opened.progress))
      } else {
        canvas.fill(Rect(viewport), style.theme.canvas)
      }
      canvas.flush()
      for image in openedImages { drawOpened(image, into: frame, style: style) }
      loadMissingParts()
      canvas.markDirty()
      drawCaptions(on: canvas, style: style)
      return
    }
    drawMap(into: frame, viewport: viewport)
    frames.renderer.drawUnseenMarks(into: frame.pixels, stride: frame.stride, scene: scene, theme: style.theme)
    canvas.markDirty()
    guard let atlas else { return }
    let text = scene.labelledSlot.flatMap { label?($0) }
    pictures.drawing { source in
      _ = frames.renderer.drawOverlay(
        on: canvas, pixels: frame.pixels, stride: frame.stride, scene: scene, atlas: atlas, theme: style.theme,
        font: style.font, label: text, covered: covered, originals: source)
    }
    if let overview = scene.overview {
      let picture = overviewMaker.picture(for: scene, atlas: atlas) { [weak self] in self?.onEffect?(.redraw) }
      OverviewPicture.draw(overview, picture, on: canvas, theme: style.theme, unit: style.scale)
    }
    pictures.ask(
      for: scene,
      seen: pictures.wantsOriginals(for: scene) ? frames.renderer.seenSprites(scene: scene, atlas: atlas) : [])
    prefetchMissing(from: atlas)
    if isComplete || scene.isFlying { prepareFlight() }
  }

  /// How many pictures can be seen: those in view that do not lie beneath others altogether.
  var seenCount: Int {
    guard let atlas else { return 0 }
    let view = SeenView(camera: scene.camera, version: scene.contentVersion)
    if let seen, seen.view == view { return seen.count }
    let count = frames.renderer.seenCount(scene: scene, atlas: atlas)
    seen = (view, count)
    return count
  }

  private struct SeenView: Equatable {
    let camera: Camera
    let version: Int
  }

  private var seen: (view: SeenView, count: Int)?

  /// Has the thumbnails read that the frame just drawn did without; the main thread never waits for the disk.
  private func prefetchMissing(from atlas: Atlas) {
    // Of a picture that is drawn in parts, the needs are asked for together.
    guard !isPrefetching, isMapFinished || scene.wantsTicks else { return }
    let missing = frames.renderer.takeMissing()
    isComplete = missing.isEmpty && isMapFinished
    guard !missing.isEmpty else { return }
    var request = PrefetchRequest(
      camera: scene.camera, version: scene.contentVersion, labelled: scene.labelledSlot,
      missing: missing.reduce(0) { sum, entry in
        entry.slots.reduce(sum) { $0 &+ (UInt64($1) << 3 | UInt64(entry.level)) &* 0x9E37_79B9_7F4A_7C15 }
      })
    if let last = lastRequest, last.isSameView(as: request) {
      // Where a view needs more than may be in memory, smaller levels are what is shown.
      guard last.missing != request.missing, last.attempts < PrefetchRequest.mostAttempts else { return }
      request.attempts = last.attempts + 1
    }
    lastRequest = request
    isPrefetching = true
    prefetchQueue.async {
      for (level, slots) in missing { atlas.prefetch(slots: slots.reversed(), level: level) }
      let damaged = atlas.takeDamaged()
      DispatchQueue.main.async { MainActor.assumeIsolated { self.thumbnailsArrived(damaged) } }
    }
  }

  /// Has the pictures of the next flight copied, or of the present one.
  private func prepareFlight() {
    guard !isPreparingFlight, let atlas, let request = frames.flightRequest(scene, atlas: atlas) else { return }
    isPreparingFlight = true
    flightThread.async {
      let pictures = request.made()
      let damaged = atlas.takeDamaged()
      DispatchQueue.main.async {
        MainActor.assumeIsolated {
          if atlas === self.atlas { self.frames.take(pictures) }
          if !damaged.isEmpty { self.onDamage?(damaged) }
        }
      }
      // While pictures arrive, there always are others.
      DispatchQueue.main.asyncAfter(deadline: .now() + Self.flightInterval) {
        MainActor.assumeIsolated {
          self.isPreparingFlight = false
          if self.isComplete || self.scene.isFlying { self.prepareFlight() }
        }
      }
    }
  }

  /// Has the index made of pictures that have arrived, unless they soon fly on: between two snapshots of a running layout
  /// nobody has any use for it.
  func index() {
    DispatchQueue.main.asyncAfter(deadline: .now() + Self.restBeforeIndex) {
      MainActor.assumeIsolated {
        guard self.indexing == nil, let atlas = self.atlas, let request = self.scene.indexRequest else { return }
        let token = CancellationToken()
        self.indexing = token
        self.indexThread.async {
          let index = request.made(unless: { token.isCancelled })
          DispatchQueue.main.async {
            MainActor.assumeIsolated {
              self.indexing = nil
              // Another location has another scene.
              if let index, atlas === self.atlas { self.send(.indexed(index)) }
              // What was asked for meanwhile, by whichever scene, was left undone.
              if self.scene.needsIndex { self.index() }
            }
          }
        }
      }
    }
  }

  /// Has the parts of large originals read that the frame just drawn did without.
  private func loadMissingParts() {
    let missing = originalRenderer.takeMissing()
    guard !missing.isEmpty, !isLoadingParts else { return }
    isLoadingParts = true
    partsQueue.async {
      for part in missing { part.load() }
      DispatchQueue.main.async {
        MainActor.assumeIsolated {
          self.isLoadingParts = false
          // Not `redraw`, which asks whether the scene has changed.
          self.onPartsLoaded?()
        }
      }
    }
  }

  /// Has the thumbnails of some pictures read that are shown beside the map.
  func prefetch(_ slots: [Int]) {
    guard let atlas else { return }
    let level = thumbnailLevels.count - 1
    let missing = slots.filter { !atlas.isResident($0, level: level) }
    guard !missing.isEmpty else { return }
    prefetchQueue.async {
      atlas.prefetch(slots: missing, level: level)
      DispatchQueue.main.async { MainActor.assumeIsolated { self.onEffect?(.redraw) } }
    }
  }

  private func thumbnailsArrived(_ damaged: [Int]) {
    isPrefetching = false
    frames.invalidateThumbnails()
    if !damaged.isEmpty { onDamage?(damaged) }
    onEffect?(.redraw)
  }

  /// Thumbnails that were damaged are there again.
  func thumbnailsMended() {
    lastRequest = nil
    frames.invalidateThumbnails()
    onEffect?(.redraw)
  }

  private func drawMap(into frame: FrameBuffer, viewport: PixelRect) {
    let background = frames.renderer.background
    guard let atlas else {
      for row in viewport.y..<viewport.maxY {
        (frame.pixels + row * frame.stride + viewport.x).update(repeating: background, count: viewport.width)
      }
      return
    }
    if frames.drawFlight(
      into: frame.pixels, stride: frame.stride, width: frame.width, height: frame.height, scene: scene, atlas: atlas)
    {
      isMapFinished = true
      softeningBegan = nil
      return
    }
    let update = pictures.drawing { source in
      frames.update(width: frame.width, height: frame.height, scene: scene, atlas: atlas, originals: source)
    }
    isUnfinished = update.isUnfinished
    isMapFinished = !update.isUnfinished
    if case .panned(let x, let y) = update.kind { movement = FrameMovement(rect: viewport, x: x, y: y) }
    guard let pixels = frames.pixels else { return }
    if let share = softening(update.kind) {
      frames.copyMixed(viewport, share: share, into: frame.pixels, stride: frame.stride)
      isUnfinished = true
      return
    }
    for row in viewport.y..<viewport.maxY {
      (frame.pixels + row * frame.stride + viewport.x).update(
        from: pixels + row * frames.stride + viewport.x, count: viewport.width)
    }
  }

  /// How far a better picture has come that takes the place of another softly; nil when it is there.
  private func softening(_ kind: MapFrames.Update.Kind) -> Double? {
    guard frames.formerPixels != nil else {
      softeningBegan = nil
      return nil
    }
    let now = FrameScheduler.now
    if kind != .unchanged || softeningBegan == nil { softeningBegan = now }
    let share = (now - (softeningBegan ?? now)) / Self.softeningSeconds
    guard share < 1 else {
      frames.dropFormer()
      softeningBegan = nil
      return nil
    }
    return share
  }

  /// The pictures that are shown at full size.
  var openedImages: [OpenedImage] {
    scene.sideBySide.isEmpty ? scene.opened.map { [$0] } ?? [] : scene.sideBySide
  }

  private func drawOpened(_ opened: OpenedImage, into frame: FrameBuffer, style: Style) {
    let backdrop = backdrop.rendered(style)
    if let original = fullSize.loaded(opened.slot) {
      originalRenderer.render(
        original.picture, turned: opened.turn, in: opened.rect, backdrop: backdrop, into: frame.pixels,
        stride: frame.stride, clip: opened.viewport)
      return
    }
    // Until the original is there: the largest thumbnail, scaled up.
    guard let atlas, let info = atlas.info(opened.slot),
      let level = thumbnailLevels.indices.last(where: { atlas.isResident(opened.slot, level: $0) }),
      let thumbnail = atlas.level(level, of: opened.slot)
    else { return }
    originalRenderer.render(
      PixelSource(
        pixels: thumbnail.pixels, width: thumbnail.width, height: thumbnail.height, isOpaque: info.isOpaque),
      turned: opened.turn, in: opened.rect, pixelScale: 1, backdrop: backdrop, into: frame.pixels,
      stride: frame.stride, clip: opened.viewport)
  }

  /// The names below pictures side by side, and a line around the one that has the keyboard.
  private func drawCaptions(on canvas: Canvas, style: Style) {
    let height = style.px(Scene.captionHeight)
    for image in scene.sideBySide {
      let cell = Rect(image.viewport)
      let isActive = image.slot == scene.opened?.slot
      if isActive {
        let line = style.focusWidth
        canvas.stroke(cell.insetBy(line / 2), style.theme.focus, lineWidth: line)
      }
      guard let label = label?(image.slot) else { continue }
      let text = TextLayout(
        label.detail.isEmpty ? label.title : "\(label.title) · \(label.detail)", font: style.smallFont,
        maximumWidth: max(style.px(16), cell.width - style.px(16)), ellipsis: .middle)
      canvas.text(
        text,
        at: Point(
          x: (cell.x + (cell.width - text.size.width) / 2).rounded(),
          y: (cell.maxY + (height - text.size.height) / 2).rounded()),
        isActive ? style.theme.text : style.theme.secondaryText)
    }
  }

  /// Whether a change of the scene changes nothing to be seen: the map moves on behind a picture at full size.
  func isHiddenChange() -> Bool {
    let images = openedImages
    defer { lastOpened = images }
    guard let opened = scene.opened, opened.progress == 1 else { return false }
    return images == lastOpened
  }

  /// Asks for as much of the opened pictures as the screen shows.
  func demandOpened(again: Bool = false) {
    let images = openedImages
    guard !images.isEmpty else { return }
    // Side by side, all of them are to be in memory together.
    let largest =
      images.count == 1 ? nil : Int((Double(fullSize.cacheLimit) / 8 / Double(images.count)).squareRoot())
    fullSize.demand(
      images.map { image in
        let shown = max(image.rect.width, image.rect.height)
        let screen = Double(max(image.viewport.width, image.viewport.height))
        // Fitted, the screen's size is enough; beyond, all of it, so that zooming on never waits again.
        return (image.slot, shown <= screen * 1.01 ? Int(screen) : largest)
      }, again: again)
  }
}

/// What is seen through transparent pictures at full size.
enum FullSizeBackdrop: String, CaseIterable {
  case squares, black, white

  /// The next one, around at the end.
  var next: FullSizeBackdrop {
    let all = Self.allCases
    return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
  }

  /// As it is drawn.
  @MainActor func rendered(_ style: Style) -> OriginalRenderer.Backdrop {
    switch self {
    case .squares:
      .checkerboard(style.theme.panel.argb, style.theme.hairline.argb, side: Int(8 * max(1, style.scale)))
    case .black: .color(0xFF00_0000)
    case .white: .color(0xFFFF_FFFF)
    }
  }
}
