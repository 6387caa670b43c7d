import Foundation
import Geometry

/// What the pointer's button is doing.
struct Gesture: Sendable {
  /// Where a press belongs.
  enum Context: Sendable { case map, opened, overview }

  var isPressed = false
  var isDragging = false
  var context = Context.map
  var origin = Point.zero
  var last = Point.zero
  /// From the point of the layout that is held on the overview to the middle of the view.
  var grip = Point.zero
  /// The picture that was pressed on.
  var slot: Int?
  var clickCount = 0
  /// The keys held at the press.
  var modifiers: Modifiers = []
  /// Where the first press of a click that may become a double click was, and on what.
  var firstContext: Context?
  var firstSlot: Int?
  /// The way since the last tick, and the smoothed speed, in device pixels (a second).
  var travelled = Point.zero
  var velocity = Point.zero

  var isDraggingMap: Bool {
    isPressed && isDragging && context == .map && modifiers.isDisjoint(with: [.control, .shift])
  }
}

// What the hand does: pointer, wheel and keys.
extension Scene {
  /// A press becomes a drag at this many logical pixels.
  static let dragThreshold = 8.0

  // MARK: Pointer

  mutating func pointerMoved(to point: Point, _ effects: inout Effects) {
    pointer = point
    guard gesture.isPressed else {
      updateHover(&effects)
      return
    }
    if gesture.context == .overview { return dragOverview(to: point, &effects) }
    if !gesture.isDragging {
      guard gesture.origin.distance(to: point) >= Self.dragThreshold * uiScale else { return }
      gesture.isDragging = true
      if gesture.context == .map {
        marquee = Self.marquee(for: gesture.modifiers, from: gesture.origin)
        if marquee == nil { takeCamera() }
      }
      setHovered(nil, &effects)
      setCursor(marquee == nil ? .dragging : .drawing, &effects)
    }
    if marquee != nil {
      marquee?.extend(to: point)
      effects.redraw()
      return
    }
    let way = point - gesture.last
    gesture.last = point
    switch gesture.context {
    case .map where opened == nil:
      camera.pan(by: way)
      gesture.travelled = gesture.travelled + way
      effects.redraw()
    case .opened where opened != nil:
      opened?.pan(by: way)
      effects.redraw()
    default: break
    }
  }

  mutating func pointerPressed(
    at point: Point, button: Int, clickCount: Int, _ modifiers: Modifiers, _ effects: inout Effects
  ) {
    guard Rect(camera.viewport).contains(point) else { return }
    // The buttons at the side of a mouse.
    if button == 8, !gesture.isPressed { return perform(opened == nil ? .viewBack : .back, &effects) }
    if button == 9, !gesture.isPressed { return perform(.viewForward, &effects) }
    if button == 3, !gesture.isPressed { return askForMenu(at: point, &effects) }
    guard button == 1 else { return }
    pointer = point
    dropRectangle(&effects)
    activate(at: point, &effects)
    motion.flight = nil
    motion.zoom = nil
    motion.throwVelocity = .zero
    openedZoom = nil
    gesture.isPressed = true
    gesture.isDragging = false
    gesture.origin = point
    gesture.last = point
    gesture.clickCount = clickCount
    gesture.modifiers = modifiers
    gesture.travelled = .zero
    gesture.velocity = .zero
    if let overview, Rect(overview.rect).contains(point) { return pressOverview(overview, at: point, &effects) }
    gesture.context = opened == nil ? .map : .opened
    gesture.slot = opened == nil ? picture(at: point) : nil
    if clickCount <= 1 {
      gesture.firstContext = gesture.context
      gesture.firstSlot = gesture.slot
    }
  }

  mutating func pointerReleased(at point: Point, button: Int, _ effects: inout Effects) {
    guard button == 1, gesture.isPressed else { return }
    pointer = point
    gesture.isPressed = false
    let wasDragging = gesture.isDragging
    gesture.isDragging = false
    if gesture.context == .overview { return updateHover(&effects) }
    if let drawn = marquee {
      marquee = nil
      select(in: drawn, &effects)
      effects.redraw()
    } else if wasDragging {
      if gesture.context == .map, isAnimationEnabled, gesture.velocity.length > 150 * uiScale {
        motion.throwVelocity = gesture.velocity
      }
    } else if gesture.clickCount <= 1 {
      clicked(at: point, &effects)
    } else if gesture.clickCount == 2, gesture.firstContext == gesture.context {
      doubleClicked(at: point, &effects)
    }
    updateHover(&effects)
  }

  /// A click acts when the button comes up, without waiting for a second one.
  private mutating func clicked(at point: Point, _ effects: inout Effects) {
    switch gesture.context {
    case .map where !gesture.modifiers.isDisjoint(with: [.control, .shift]):
      if let slot = gesture.slot { toggle(slot, &effects) }
    case .map:
      if let slot = gesture.slot {
        open(slot, &effects)
      } else if focused != nil {
        focused = nil
        effects.redraw()
      }
    case .opened:
      // Beside the picture is the map: back to it.
      if let opened, sideBySide.isEmpty, !opened.rect.contains(point) { close(&effects) }
    case .overview: break
    }
  }

  private mutating func doubleClicked(at point: Point, _ effects: inout Effects) {
    switch gesture.context {
    case .map where !gesture.modifiers.isDisjoint(with: [.control, .shift]): clicked(at: point, &effects)
    case .map:
      // The first click on a picture has opened it; only an empty place means the whole map.
      if gesture.slot == nil, gesture.firstSlot == nil { fitAll(&effects) }
    case .opened:
      guard let opened else { return }
      if opened.fits, abs(opened.scale - 1) > 1e-3 {
        zoomOpened(to: 1, about: point, &effects)
      } else {
        zoomOpened(to: opened.fittingScale, about: point, &effects)
      }
    case .overview: break
    }
  }

  mutating func pointerLeft(_ effects: inout Effects) {
    pointer = nil
    updateHover(&effects)
  }

  /// The speed with which the map is let go is that of the last few hundredths of a second.
  mutating func noteDragVelocity(elapsed: Double) {
    guard gesture.isDraggingMap, elapsed > 0 else { return }
    let share = 1 - exp(-elapsed / 0.04)
    let speed = gesture.travelled * (1 / elapsed)
    gesture.velocity = gesture.velocity + (speed - gesture.velocity) * share
    gesture.travelled = .zero
  }

  mutating func scrolled(by notches: Double, at point: Point, _ effects: inout Effects) {
    guard notches.isFinite, notches != 0, !gesture.isPressed else { return }
    let factor = pow(CameraMotion.notchFactor, min(20, max(-20, notches)))
    // A wheel turns by whole notches and is smoothed; a touchpad's fractions are the smooth motion of a hand already.
    let isWheel = notches == notches.rounded()
    activate(at: point, &effects)
    if let opened {
      let base = openedZoom.map { exp($0.to) } ?? opened.scale
      zoomOpened(to: base * factor, about: point, eased: isWheel, &effects)
    } else {
      pointer = point
      let anchor = isOnOverview(point) ? Rect(camera.viewport).center : point
      zoom(by: factor, about: anchor, eased: isWheel, &effects)
    }
  }

  // MARK: Hover

  /// Finds what is under the pointer now.
  mutating func updateHover(_ effects: inout Effects) {
    guard !gesture.isDragging else { return }
    let isOnOverview = pointer.map { self.isOnOverview($0) } ?? false
    let over = opened == nil && !isOnOverview ? pointer.flatMap { pictureHovered(at: $0) } : nil
    hoverPoint = pointer
    setHovered(over, &effects)
    setCursor(over == nil && !isOnOverview ? .arrow : .pointer, &effects)
  }

  /// The picture beneath the pointer. Of very many that move beneath one that rests, only whether the same is still there:
  /// looking for another with every frame would take as long as drawing it.
  private func pictureHovered(at point: Point) -> Int? {
    guard isFlying, point == hoverPoint else { return picture(at: point) }
    // Rounding may have put it a pixel aside.
    return hovered.flatMap { spriteRect(of: $0).map { Rect($0).insetBy(-1).contains(point) } == true ? $0 : nil }
  }

  private mutating func setHovered(_ slot: Int?, _ effects: inout Effects) {
    guard slot != hovered else { return }
    hovered = slot
    effects.add(.hoverChanged(slot: slot))
    effects.redraw()
  }

  mutating func setCursor(_ shape: SceneCursor, _ effects: inout Effects) {
    guard shape != cursor else { return }
    cursor = shape
    effects.add(.cursorChanged(shape))
  }

  // MARK: Keys

  mutating func pressed(_ key: SceneKey, _ modifiers: Modifiers, isRepeat: Bool, _ effects: inout Effects) {
    guard let command = KeyBinding.command(for: key, modifiers) else { return }
    if isRepeat {
      // Only stepping and zooming go on while the key is held; panning has its own clock.
      switch command {
      case .step, .zoomIn, .zoomOut, .nextPicture, .previousPicture: break
      default: return
      }
    }
    perform(command, &effects)
  }

  mutating func released(_ key: SceneKey) {
    for direction in Direction.allCases where direction.key == key { motion.held.remove(direction) }
  }

  /// Does what a key, an item of a menu or a button of the window asks for.
  mutating func perform(_ command: SceneCommand, _ effects: inout Effects) {
    let middle = Rect(opened?.viewport ?? camera.viewport).center
    switch command {
    case .step(let direction): step(direction, &effects)
    case .pan(let direction): pan(direction, &effects)
    case .open:
      if isDrawingRectangle {
        finishRectangle(&effects)
      } else if let opened {
        if !sideBySide.isEmpty { show(opened.slot, from: nil, &effects) }
      } else if let slot = focused ?? hovered {
        open(slot, &effects)
      }
    case .openSideBySide: if opened == nil { openSideBySide(&effects) }
    case .turn(let clockwise): withOpened(&effects) { $0.turnOpened(clockwise: clockwise, &$1) }
    case .showDetails:
      if opened == nil, let slot = atHand { open(slot, &effects) }
      effects.add(opened == nil ? .refused(.noPicture) : .showDetails)
    case .nextBackdrop: withOpened(&effects) { $1.add(.nextBackdrop) }
    case .back: back(&effects)
    case .fit:
      if let opened { zoomOpened(to: opened.fittingScale, about: middle, &effects) } else { fitAll(&effects) }
    case .actualSize: withOpened(&effects) { $0.zoomOpened(to: 1, about: middle, &$1) }
    case .zoomIn: zoomByKey(1.5, &effects)
    case .zoomOut: zoomByKey(1 / 1.5, &effects)
    case .findSimilar: withPicture(&effects) { $1.add(.findSimilar(slot: $0)) }
    case .findDuplicates: if opened == nil, showsLayout { effects.add(.findDuplicates) }
    case .nextGroup: walk == nil ? effects.add(.refused(.noGroups)) : stepGroup(by: 1, &effects)
    case .previousGroup: walk == nil ? effects.add(.refused(.noGroups)) : stepGroup(by: -1, &effects)
    case .save: if opened == nil, imageCount > 0 { effects.add(.save) }
    case .viewBack: stepView(by: -1, &effects)
    case .viewForward: stepView(by: 1, &effects)
    case .toggleOverview: if opened == nil { toggleOverview(&effects) }
    case .nextArrangement: if opened == nil, showsLayout { setMode(mode.next, &effects) }
    case .enlargePictures: if opened == nil { resizePictures(larger: true, &effects) }
    case .shrinkPictures: if opened == nil { resizePictures(larger: false, &effects) }
    case .selectAll: if opened == nil { selectAll(&effects) }
    case .invertSelection: if opened == nil { invertSelection(&effects) }
    case .toggleSelection:
      if let slot = atHand { toggle(slot, &effects) } else { effects.add(.refused(.noPicture)) }
    case .fitSelection:
      if opened == nil { selection.isEmpty ? effects.add(.refused(.nothingSelected)) : fitSelection(&effects) }
    case .selectFolder: effects.add(.selectFolder(slot: atHand))
    case .rectangle(let takesAway): toggleRectangle(takesAway: takesAway, &effects)
    case .nextLabelKind: if opened == nil, imageCount > 0 { nextLabelKind(&effects) }
    case .toggleLegend: if opened == nil { effects.add(.toggleLegend) }
    case .nextPicture: stepInOrder(by: 1, &effects)
    case .previousPicture: stepInOrder(by: -1, &effects)
    case .showUnseen: if opened == nil { effects.add(.showUnseen) }
    case .search: if opened == nil, imageCount > 0 { effects.add(.search) }
    case .copyAddress:
      if opened == nil, !selection.isEmpty {
        effects.add(.copyAddress(slots: selection.slots))
      } else {
        withPicture(&effects) { $1.add(.copyAddress(slots: [$0])) }
      }
    case .copyOwnAddress: withPicture(&effects) { $1.add(.copyAddress(slots: [$0])) }
    case .openExternally: withPicture(&effects) { $1.add(.openExternally(slot: $0)) }
    case .focusLocation: effects.add(.focusLocation)
    case .refresh: effects.add(.refresh)
    case .stopHere: effects.add(.stopHere)
    case .continueLayout: effects.add(.continueLayout)
    case .showLayouts: effects.add(.showLayouts)
    case .previousLayout: if opened == nil { effects.add(.stepLayout(by: -1)) }
    case .nextLayout: if opened == nil { effects.add(.stepLayout(by: 1)) }
    case .showProblems: effects.add(.showProblems)
    case .showNotes: effects.add(.showNotes)
    case .showKeys: effects.add(.showKeys)
    case .showMenu: askForMenu(&effects)
    case .switchTheme: effects.add(.switchTheme)
    case .toggleFullScreen: effects.add(.toggleFullScreen)
    case .quit: effects.add(.quit)
    }
  }

  private func withPicture(_ effects: inout Effects, _ body: (_ slot: Int, _ effects: inout Effects) -> Void) {
    if let atHand { body(atHand, &effects) } else { effects.add(.refused(.noPicture)) }
  }

  private mutating func withOpened(
    _ effects: inout Effects, _ body: (_ scene: inout Scene, _ effects: inout Effects) -> Void
  ) {
    if opened != nil { body(&self, &effects) } else { effects.add(.refused(.nothingOpened)) }
  }

  /// The picture that a command is about: the opened one, else the one pointed at, else the focused one.
  public var atHand: Int? { opened?.slot ?? hovered ?? focused }

  mutating func fitAll(_ effects: inout Effects) {
    guard !pictures.placed.isEmpty, !camera.viewport.isEmpty else { return }
    fly(to: fittedCamera, &effects)
    handHasTouchedCamera = false
    hasUnsavedView = true
  }

  private mutating func zoomByKey(_ factor: Double, _ effects: inout Effects) {
    let middle = Rect(opened?.viewport ?? camera.viewport).center
    if let opened {
      let base = openedZoom.map { exp($0.to) } ?? opened.scale
      zoomOpened(to: base * factor, about: middle, &effects)
    } else {
      zoom(by: factor, about: middle, eased: true, &effects)
    }
  }

  private mutating func pan(_ direction: Direction, _ effects: inout Effects) {
    guard !motion.held.contains(direction) else { return }
    // The first step at once, so that a tap is seen; the rest with the clock, as long as the key is held.
    let nudge = direction.vector * (-24 * uiScale)
    if opened != nil {
      opened?.pan(by: nudge * 3)
    } else {
      takeCamera()
      motion.flight = nil
      motion.zoom = nil
      motion.throwVelocity = .zero
      motion.held.insert(direction)
      camera.pan(by: nudge)
    }
    effects.redraw()
  }

  private mutating func back(_ effects: inout Effects) {
    if opened != nil {
      close(&effects)
    } else if isDrawingRectangle {
      dropRectangle(&effects)
    } else if marquee != nil {
      marquee = nil
      gesture.isPressed = false
      gesture.isDragging = false
      updateHover(&effects)
      effects.redraw()
    } else if walk != nil {
      focused = nil
      endWalk(&effects)
    } else if focused != nil || !selection.isEmpty {
      focused = nil
      select(Selection(), &effects)
      effects.redraw()
    } else {
      effects.add(.escape)
    }
  }

  private mutating func step(_ direction: Direction, _ effects: inout Effects) {
    if stepSideBySide(direction, &effects) || stepWalk(direction, &effects) { return }
    if let opened {
      guard let next = neighbor(of: opened.slot, direction) else { return }
      focused = next
      show(next, from: nil, &effects)
      return
    }
    let next: Int?
    if let focused = focused ?? hovered, pictures.isPlaced(focused) {
      next = neighbor(of: focused, direction)
    } else {
      next = pictureNearest(to: camera.center)
    }
    guard let next else { return }
    focused = next
    // The hand is on the keyboard now: the pointer counts again when it moves.
    pointer = nil
    setHovered(nil, &effects)
    effects.add(.hoverChanged(slot: next))
    effects.redraw()
    reveal(next, &effects)
  }

  /// Pans until a picture is well inside the viewport.
  mutating func reveal(_ slot: Int, _ effects: inout Effects) {
    guard let rect = spriteRect(of: slot), !camera.viewport.isEmpty else { return }
    let room = Rect(camera.viewport).insetBy(
      0.08 * Double(min(camera.viewport.width, camera.viewport.height)))
    func way(_ low: Double, _ high: Double, _ least: Double, _ most: Double) -> Double {
      if high - low > most - least { return (least + most - low - high) / 2 }
      return low < least ? least - low : (high > most ? most - high : 0)
    }
    let sprite = Rect(rect)
    let displacement = Point(
      x: way(sprite.minX, sprite.maxX, room.minX, room.maxX), y: way(sprite.minY, sprite.maxY, room.minY, room.maxY))
    guard displacement != .zero, handHasTouchedCamera || !Rect(camera.viewport).contains(sprite.center) else { return }
    takeCamera()
    var target = camera
    target.pan(by: displacement)
    fly(to: target, &effects)
  }

  /// The nearest picture in a direction: within 45° to either side if there is one, else anywhere on that side. Of
  /// pictures in one and the same place, right and down lead to the next slot, left and up to the one before.
  public func neighbor(of slot: Int, _ direction: Direction) -> Int? {
    guard pictures.isPlaced(slot) else { return nil }
    let origin = pictures.place(slot)
    let (dx, dy) = (Float(direction.vector.x), Float(direction.vector.y))
    let goesForward = dx + dy > 0
    var best: (slot: Int, score: Float, isAhead: Bool)?
    var twin: Int?
    for candidate in pictures.placed where Int(candidate) != slot {
      let index = Int(candidate)
      let way = pictures.place(index) - origin
      let (x, y) = (way.x, way.y)
      if x == 0, y == 0 {
        if goesForward ? index > slot && index < (twin ?? .max) : index < slot && index > (twin ?? -1) {
          twin = index
        }
        continue
      }
      let along = x * dx + y * dy
      guard along > 0 else { continue }
      let across = abs(x * dy) + abs(y * dx)
      let isAhead = across <= along
      let score = along * along + 4 * across * across
      if let best, best.isAhead && !isAhead || best.isAhead == isAhead && best.score <= score { continue }
      best = (index, score, isAhead)
    }
    // Grids have nothing but far corners to offer at their edge.
    if let best, !best.isAhead, !showsLayout, twin == nil { return nil }
    return twin ?? best?.slot
  }

  func pictureNearest(to point: Point) -> Int? {
    var best: (slot: Int, distance: Double)?
    for slot in pictures.placed {
      let way = pictures.drawnPlace(Int(slot)) - point
      let distance = way.x * way.x + way.y * way.y
      if distance < best?.distance ?? .infinity { best = (Int(slot), distance) }
    }
    return best?.slot
  }
}

extension Scene {
  /// The picture whose name and size are shown: the one pointed at, else the one with the keyboard focus.
  public var labelledSlot: Int? { gesture.isDragging || isDrawingRectangle ? nil : hovered ?? focused }
}
