public import Arrangements
public import Geometry

/// What the user sees of a map, and what the hand does to it, as a value: no window, no clock, no files.
///
/// `handle` takes everything that happens, one thing at a time, and answers what is to be done. The map is drawn from
/// the value by the room Rendering. A scene belongs to one opened location; another location gets a new one.
public struct Scene: Sendable {
  /// What part of the layout is seen.
  public internal(set) var camera = Camera()
  /// Device pixels per logical pixel.
  public internal(set) var uiScale = 1.0
  /// The picture under the pointer.
  public internal(set) var hovered: Int?
  /// The picture that has the keyboard focus.
  public internal(set) var focused: Int?
  /// The pictures that are chosen; while there are any, the others are dimmed.
  public internal(set) var selection = Selection()
  /// The pictures that came into the layout after it was made, and were not looked at since.
  public internal(set) var unseen = Selection()
  /// The unseen pictures that were large at the last rest of the camera.
  var sights: (camera: Camera, slots: [Int])?
  /// The groups of pictures that the user goes through.
  public internal(set) var walk: Walk?
  /// What the hand is drawing to select what lies in it.
  public internal(set) var marquee: Marquee?
  /// The picture that is shown at full size.
  public internal(set) var opened: OpenedImage?
  /// The pictures that are shown side by side, each in its cell; `opened` is the one among them that has the keyboard.
  /// Empty when one is shown alone, or none.
  public internal(set) var sideBySide: [OpenedImage] = []
  /// Whether the user moved the camera since it last showed the whole map; until then it follows the map.
  public internal(set) var handHasTouchedCamera = false
  /// Whether changes are animated.
  public internal(set) var isAnimationEnabled = true
  /// How the pictures of a layout are to be put on the map; until that is computed, they lie free.
  public internal(set) var mode = ArrangementMode.free
  /// By how much pictures are larger than they would be.
  public internal(set) var pictureSize = 1.0
  /// Whether the overview is wanted where there is use and room for it.
  public internal(set) var showsOverview = true
  /// The shape of the pointer.
  public internal(set) var cursor = SceneCursor.arrow

  var pictures = PictureField()
  var labels = LabelView()
  var rectangle: KeyRectangle?
  var motion = CameraMotion()
  var viewHistory = ViewHistory()
  /// The zoom of the full-size view on its way.
  var openedZoom: CameraMotion.EasedZoom?
  /// When the full-size view began to open; nil when it has arrived. Negative infinity: at the next tick.
  var opening: Double?
  /// How pictures have been turned in the full-size view.
  var turns: [Int: QuarterTurn] = [:]
  /// Columns at the left of the viewport that something lies on.
  var covered = 0
  /// Columns at the right of the viewport that the full-size view leaves free.
  var aside = 0
  var gesture = Gesture()
  /// Where the pointer is, in device pixels of the window; nil when it is elsewhere, or the hand is on the keyboard.
  public internal(set) var pointer: Point?
  /// Where the picture beneath the pointer was last looked for.
  var hoverPoint: Point?
  var now = 0.0
  /// When the first images became known, for the choice of the loading grid's columns.
  var firstImagesAt: Double?
  var isWaitingForColumns = false
  /// Until when the picture counts as moving.
  var movesUntil = -Double.infinity
  var wasDraft = false
  var pendingViewState: ViewState?
  /// Whether the camera is where it was left with an arrangement that is still to come.
  var awaitsArrangement = false
  var selectionVersion = 0
  var hasUnsavedView = false

  /// An empty scene.
  public init(viewport: PixelRect = .zero, uiScale: Double = 1, isAnimationEnabled: Bool = true) {
    camera.viewport = viewport
    self.uiScale = uiScale
    self.isAnimationEnabled = isAnimationEnabled
  }

  /// Images known, those left out not counted.
  public var imageCount: Int { pictures.imageCount }
  /// Images that have a place on the map.
  public var placedCount: Int { pictures.placed.count }
  /// Grows with everything that changes what is drawn, apart from the camera.
  public var contentVersion: Int { pictures.version &+ selectionVersion &+ labels.version }
  /// Grows with everything that moves pictures, apart from the camera: not when more come or thumbnails become ready.
  public var arrangementVersion: Int { pictures.arrangementVersion }
  /// Whether a layout is shown, and not the loading grid.
  public var showsLayout: Bool { pictures.phase == .layout }
  /// Whether the scene wants ticks.
  public var wantsTicks: Bool {
    motion.isMoving || openedZoom != nil || opening != nil || pictures.motion.isMoving || isWaitingForColumns
      || needsToFollow || wasDraft || gesture.isDraggingMap
  }
  /// Whether a picture's thumbnail can be drawn; otherwise a placeholder is.
  public func isReady(_ slot: Int) -> Bool { pictures.isReady(slot) }
  /// Width / height of a picture.
  public func aspect(of slot: Int) -> Double {
    Double(pictures.aspect(slot))
  }
  /// Longest side of the pictures on the screen, in device pixels.
  public var spriteSide: Int { max(1, Int(spriteSide(at: camera.scale).rounded())) }

  /// How carefully pictures are to be scaled.
  public enum Quality: Sendable {
    /// Nearest pixels: the scene moves, and there is much of it.
    case draft
    /// Area averages.
    case sharp
  }

  /// How carefully to scale just now.
  public var quality: Quality {
    guard now < movesUntil else { return .sharp }
    let side = Double(spriteSide)
    let viewport = Double(camera.viewport.area)
    let pixels = min(
      Double(placedCount) * side * side, viewport * Self.overdrawLimit(count: placedCount))
    return pixels > Self.sharpPixels ? .draft : .sharp
  }

  /// More pixels than this are not scaled carefully while the scene moves.
  static let sharpPixels = 2.5e6
  /// Seconds without motion after which the scene is at rest.
  static let settleSeconds = 0.12

  /// Takes in what happened and answers what is to be done about it.
  public mutating func handle(_ input: SceneInput) -> [SceneEffect] {
    var effects = Effects()
    switch input {
    case .pointerMoved(let point, _): pointerMoved(to: point, &effects)
    case .pointerPressed(let point, let button, let clickCount, let modifiers):
      pointerPressed(at: point, button: button, clickCount: clickCount, modifiers, &effects)
    case .pointerReleased(let point, let button, _): pointerReleased(at: point, button: button, &effects)
    case .pointerLeft: pointerLeft(&effects)
    case .scrolled(_, let dy, let point, _): scrolled(by: dy, at: point, &effects)
    case .key(let key, let modifiers, let isRepeat): pressed(key, modifiers, isRepeat: isRepeat, &effects)
    case .keyReleased(let key): released(key)
    case .command(let command): perform(command, &effects)
    case .focusLost: motion.held = []
    case .viewportChanged(let viewport, let uiScale): changeViewport(to: viewport, uiScale: uiScale, &effects)
    case .tick(let seconds): tick(at: seconds, &effects)
    case .animationEnabled(let isEnabled): isAnimationEnabled = isEnabled
    case .imagesAdded(let slots): add(slots, &effects)
    case .imagesReady(let ready):
      pictures.markReady(ready)
      if pictures.phase != .none { effects.redraw() }
    case .imagesRemoved(let slots): remove(slots, &effects)
    case .listingComplete:
      chooseColumns(&effects)
    case .layoutStarted: pictures.beginLayout()
    case .layout(let slots, let positions, let isFinal, let animated):
      receiveLayout(slots, positions, isFinal: isFinal, animated: animated, &effects)
    case .layoutRestored(let slots, let positions, let animated):
      receiveLayout(slots, positions, isFinal: true, animated: animated, restores: true, &effects)
    case .layoutAbandoned:
      pictures.endLayout()
      if mode != .free { effects.add(.arrange) }
    case .indexed(let index):
      guard pictures.take(index) else { break }
      pictures.reindexIfNeeded()
      updateHover(&effects)
      effects.redraw()
    case .arrangementMode(let mode): setMode(mode, &effects)
    case .arranged(let arrangement, let mode, let version): arranged(arrangement, mode, version: version, &effects)
    case .pictureSize(let factor): setPictureSize(factor, &effects)
    case .labelKind(let kind): setLabelKind(kind, &effects)
    case .labelled(let labelling): show(labelling, &effects)
    case .legend(let isShown): setShowsLegend(isShown, &effects)
    case .walk(let groups): beginWalk(groups, &effects)
    case .walkTo(let position): walkTo(position, &effects)
    case .select(let slots): select(slots: slots, &effects)
    case .show(let slots): fit(slots, &effects)
    case .unseen(let slots): markUnseen(slots, &effects)
    case .seen(let slots): markSeen(slots, &effects)
    case .restored(let state): restore(state, &effects)
    case .originalSize(let slot, let size):
      if opened?.slot == slot { opened?.setSize(size) }
      for index in sideBySide.indices where sideBySide[index].slot == slot { sideBySide[index].setSize(size) }
      guard opened?.slot == slot || !sideBySide.isEmpty else { break }
      if !sideBySide.isEmpty { placeOpened() }
      effects.redraw()
    case .covered(let width):
      guard width != covered else { break }
      covered = max(0, width)
      effects.redraw()
    case .aside(let width):
      guard width != aside else { break }
      aside = max(0, width)
      placeOpened()
      effects.redraw()
    }
    alignSideBySide()
    pictures.reindexIfNeeded()
    if pictures.takeNeedForIndex() { effects.add(.index) }
    alignRectangle()
    noticeSeen(&effects)
    noteView()
    if hasUnsavedView, !wantsTicks, !gesture.isPressed {
      hasUnsavedView = false
      effects.add(.saveViewState)
    }
    if wantsTicks { effects.animate() }
    return effects.list
  }

  // MARK: What the job tells

  private mutating func add(_ slots: [Int], _ effects: inout Effects) {
    guard !slots.isEmpty else { return }
    pictures.add(slots)
    if pictures.phase == .none, !isWaitingForColumns {
      isWaitingForColumns = true
      firstImagesAt = nil
    }
    if pictures.phase != .none { effects.redraw() }
  }

  private mutating func remove(_ slots: [Int], _ effects: inout Effects) {
    pictures.remove(slots)
    if opened.map({ slots.contains($0.slot) }) ?? false || sideBySide.contains(where: { slots.contains($0.slot) }) {
      close(&effects)
    }
    if let focused, slots.contains(focused) { self.focused = nil }
    if let walk, walk.groups.joined().contains(where: { !pictures.isKnown($0) }) { endWalk(&effects) }
    if !selection.isEmpty { select(slots: selection.slots, &effects) }
    markSeen(slots, &effects)
    pictures.reindexIfNeeded()
    updateHover(&effects)
    effects.redraw()
  }

  /// The loading grid's columns are chosen from what is known: it is complete, or it took too long to wait for.
  mutating func chooseColumns(_ effects: inout Effects) {
    guard pictures.phase == .none, pictures.imageCount > 0, !camera.viewport.isEmpty else { return }
    isWaitingForColumns = false
    pictures.chooseColumns(for: gridRoom)
    pictures.reindexIfNeeded()
    if !handHasTouchedCamera { camera = fittedCamera }
    effects.redraw()
  }

  private mutating func receiveLayout(
    _ slots: [Int32], _ positions: [Float], isFinal: Bool, animated: Bool, restores: Bool = false,
    _ effects: inout Effects
  ) {
    let isFirst = pictures.placed.isEmpty
    isWaitingForColumns = false
    let animated = animated && isAnimationEnabled
    pictures.receiveLayout(
      slots: slots, positions: positions, isFinal: isFinal, animated: animated, restores: restores, now: now)
    pictures.reindexIfNeeded()
    if !animated || isFirst, !handHasTouchedCamera, !camera.viewport.isEmpty { camera = fittedCamera }
    if !animated { updateHover(&effects) }
    if isFinal, mode != .free { effects.add(.arrange) }
    effects.redraw()
  }

  // MARK: View state

  /// The present view, to be handed back by `SceneInput.restored` in another run.
  public var viewState: ViewState {
    ViewState(
      center: camera.center, scale: camera.scale / viewportSide, handHasTouchedCamera: handHasTouchedCamera,
      orientation: pictures.orientation, mode: mode, pictureSize: pictureSize, labelKind: labels.kind,
      showsLegend: labels.showsLegend, showsOverview: showsOverview)
  }

  private var viewportSide: Double { Double(max(1, min(camera.viewport.width, camera.viewport.height))) }

  private mutating func restore(_ state: ViewState, _ effects: inout Effects) {
    guard state.scale > 0, state.scale.isFinite, state.center.x.isFinite, state.center.y.isFinite,
      state.orientation.angle.isFinite
    else { return }
    pictures.restore(state.orientation)
    setMode(state.mode ?? mode, &effects)
    setPictureSize(state.pictureSize ?? pictureSize, &effects)
    setLabelKind(state.labelKind, &effects)
    setShowsLegend(state.showsLegend ?? true, &effects)
    showsOverview = state.showsOverview ?? showsOverview
    guard state.handHasTouchedCamera else { return }
    guard !camera.viewport.isEmpty else {
      pendingViewState = state
      return
    }
    motion.stop()
    handHasTouchedCamera = true
    camera.center = state.center
    camera.scale = state.scale * viewportSide
    awaitsArrangement = mode != .free
    effects.redraw()
  }

  private mutating func changeViewport(to viewport: PixelRect, uiScale: Double, _ effects: inout Effects) {
    guard viewport != camera.viewport || uiScale != self.uiScale else { return }
    camera.viewport = viewport
    self.uiScale = uiScale > 0 && uiScale.isFinite ? uiScale : 1
    motion.stop()
    openedZoom = nil
    placeOpened()
    if let state = pendingViewState, !viewport.isEmpty {
      pendingViewState = nil
      restore(state, &effects)
    }
    if !handHasTouchedCamera, !viewport.isEmpty, !pictures.placed.isEmpty { camera = fittedCamera }
    updateHover(&effects)
    effects.redraw()
  }
}

/// The effects of one input: each kind of change is asked for once.
struct Effects {
  private(set) var list: [SceneEffect] = []

  mutating func add(_ effect: SceneEffect) {
    if !list.contains(effect) { list.append(effect) }
  }
  mutating func redraw() { add(.redraw) }
  mutating func animate() { add(.animate) }
}
