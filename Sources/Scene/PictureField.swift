import Arrangements
import Geometry

/// The pictures and where they are: arrays by slot, in layout units.
///
/// A picture without a layout lies in the loading grid, in the order in which the pictures became known; a picture that
/// came after a layout was shown waits on a shelf below it.
struct PictureField: Sendable {
  /// The diameter of a layout, and the width of the loading grid, in layout units.
  static let extent = 1000.0

  /// How the pictures are arranged.
  enum Phase { case none, grid, layout }

  private(set) var phase = Phase.none
  /// Width / height, negative until the picture is ready; -1 until known.
  private var signedAspects: [Float] = []
  /// Where the pictures are drawn now.
  private(set) var x: [Float] = []
  private(set) var y: [Float] = []
  private(set) var marks: [Marks] = []
  /// Slots in the order in which they became known: the order of the loading grid.
  private(set) var order: [Int32] = []
  /// The loading grid, once its columns are chosen.
  private(set) var loadingGrid: LoadingGrid?
  /// What is drawn, indexed; kept in step with `x`, `y` by `reindexIfNeeded`.
  private(set) var grid = SpatialGrid()
  /// Slots that have a place, in any order.
  private(set) var placed: [Int32] = [] { didSet { placedVersion &+= 1 } }
  private var placedVersion = 0
  /// Known, not removed.
  private(set) var imageCount = 0
  /// Grows with everything that changes what is drawn, the camera excepted.
  private(set) var version = 0
  /// Grows with everything that moves pictures; not when others are added or become ready.
  private(set) var arrangementVersion = 0

  private(set) var motion = LayoutMotion()
  private var departedSizing: Sizing?
  /// The unit of an arrangement in layout units, and the longest side of a picture in that unit; nil while they lie free.
  private var packing: (unit: Double, side: Double)?
  /// Where the layout has the pictures, by slot, while they are packed.
  private var freeX: [Float] = []
  private var freeY: [Float] = []
  /// Grows with every snapshot of a layout.
  private(set) var layoutVersion = 0
  private var layoutSlots: [Int32] = []
  private var isRunning = false
  private var reference: LayoutReference?
  private(set) var orientation = Orientation.identity
  /// That of the last complete layout.
  private var completeOrientation = Orientation.identity
  /// How the latest snapshot was shown, and when.
  private var shownNormalization: (normalization: LayoutNormalization, time: Double)?
  private var shelfCount = 0
  private var indexIsStale = false

  struct Marks: OptionSet, Sendable {
    let rawValue: UInt8
    static let known = Marks(rawValue: 1)
    static let ready = Marks(rawValue: 2)
    static let removed = Marks(rawValue: 4)
    static let placed = Marks(rawValue: 8)
    static let inLayout = Marks(rawValue: 16)
  }

  /// One more than the largest slot.
  var count: Int { marks.count }

  func isPlaced(_ slot: Int) -> Bool { marks.indices.contains(slot) && marks[slot].contains(.placed) }
  func isKnown(_ slot: Int) -> Bool {
    marks.indices.contains(slot) && marks[slot].intersection([.known, .removed]) == .known
  }
  /// Width / height; 1 until known.
  func aspect(_ slot: Int) -> Float { signedAspects.indices.contains(slot) ? abs(signedAspects[slot]) : 1 }
  /// Where a picture stands in `order`.
  func indexInOrder(_ slot: Int) -> Int? {
    guard gridIndex.indices.contains(slot), gridIndex[slot] >= 0 else { return nil }
    return Int(gridIndex[slot])
  }
  func isReady(_ slot: Int) -> Bool { marks.indices.contains(slot) && marks[slot].contains(.ready) }

  /// Mean distance between neighbours, in layout units.
  var spacing: Double {
    switch phase {
    case .none: Self.extent
    case .grid: loadingGrid?.pitch ?? Self.extent
    // A disc of diameter `extent`, which a layout resembles.
    case .layout where packing != nil: packing?.unit ?? Self.extent
    case .layout: Self.extent * (Double.pi / 4 / Double(max(1, layoutSlots.count))).squareRoot()
    }
  }

  /// What decides how large pictures are.
  enum Sizing: Sendable {
    /// They lie in cells of the loading grid, this far apart.
    case cells(pitch: Double)
    /// They lie where they may cover one another, neighbours this far apart.
    case free(spacing: Double)
    /// No longer than this, they do not cover one another.
    case packed(side: Double)
  }

  /// How large pictures are where they go to.
  var sizing: Sizing {
    if let packing, phase == .layout { return .packed(side: packing.unit * packing.side) }
    return phase == .grid ? .cells(pitch: spacing) : .free(spacing: spacing)
  }

  /// How large they were where they come from, and how far they have come.
  var departure: (sizing: Sizing, share: Double)? {
    guard phase == .layout, motion.departureProgress < 1 else { return nil }
    return departedSizing.map { ($0, motion.departureProgress) }
  }

  /// What the whole map covers, in layout units: cells of the loading grid, or middles of the pictures of a layout.
  var bounds: Rect {
    if phase == .grid, let loadingGrid { return loadingGrid.bounds(count: order.count) }
    return flightBounds ?? grid.bounds
  }

  /// What the pictures that are drawn in a flight cover; nil when there is none.
  private var flightBounds: Rect?

  /// Whether many pictures move at once. They are then drawn in the order of their priority, without an index: making one
  /// for every frame would take longer than drawing what it finds.
  var isFlying: Bool { flightBounds != nil }
  /// Whether they have just arrived, and nothing has changed since: `flying` has them where they are.
  var hasLanded: Bool { landedVersion == version }
  private var landedVersion: Int?

  /// More pictures than this do not fly at once: where so many are on the way, those of the highest priority, an even
  /// sample, are what is seen until they arrive.
  static let mostFlying = 100_000

  /// The pictures that are drawn in a flight, roughly in the order of their priority, the topmost first.
  private(set) var flying = FlightList()
  /// Which pictures fly: another number whenever they, or their order, are others.
  var flightOrder: Int { placedVersion }

  // MARK: What the job tells

  mutating func add(_ slots: [Int]) {
    for slot in slots where slot >= 0 {
      grow(to: slot + 1)
      if marks[slot].contains(.known) {
        // Known and removed before: it is back, in its old place of the order.
        guard marks[slot].contains(.removed) else { continue }
        marks[slot].remove(.removed)
        imageCount += 1
        if phase != .none { place(slot) }
        continue
      }
      marks[slot].insert(.known)
      gridIndex[slot] = Int32(order.count)
      order.append(Int32(slot))
      imageCount += 1
      if phase != .none { place(slot) }
    }
    version += 1
  }

  mutating func markReady(_ pictures: [(slot: Int, aspect: Double)]) {
    // A few are changed in the grid where they are; for many it is quicker to sort anew.
    let areFew = pictures.count < placed.count / 64
    for (slot, aspect) in pictures where marks.indices.contains(slot) {
      marks[slot].insert(.ready)
      // Strips thinner than this would not be seen, nor could they be hit.
      if aspect.isFinite, aspect > 0 { signedAspects[slot] = Float(min(32, max(1 / 32, aspect))) }
      signedAspects[slot] = abs(signedAspects[slot])
      if marks[slot].contains(.placed), areFew, !indexIsStale {
        grid.update(slot: Int32(slot), x: x[slot], y: y[slot], signedAspect: signedAspects[slot])
      }
    }
    if !areFew, !placed.isEmpty { indexIsStale = true }
    version += 1
  }

  mutating func remove(_ slots: [Int]) {
    var removed = false
    for slot in slots where marks.indices.contains(slot) && marks[slot].contains(.known) {
      if marks[slot].contains(.removed) { continue }
      marks[slot].insert(.removed)
      marks[slot].subtract([.placed, .ready])
      signedAspects[slot] = -abs(signedAspects[slot])
      imageCount -= 1
      removed = true
    }
    guard removed else { return }
    let marks = marks
    placed.removeAll { !marks[Int($0)].contains(.placed) }
    indexIsStale = true
    version += 1
  }

  /// Chooses the columns of the loading grid and places everything known so far. Does nothing when already chosen.
  mutating func chooseColumns(for size: Size) {
    guard phase == .none, !order.isEmpty else { return }
    loadingGrid = LoadingGrid(count: order.count, in: size, width: Self.extent)
    phase = .grid
    for slot in order where !marks[Int(slot)].contains(.removed) { place(Int(slot)) }
    version += 1
    arrangementVersion += 1
  }

  /// The orientation that the next layout is shown in, where no layout shown before decides it.
  mutating func restore(_ orientation: Orientation) {
    if phase != .layout { self.orientation = orientation }
  }

  /// The next snapshot begins a new layout.
  mutating func beginLayout() { isRunning = false }

  /// No further snapshot comes: the positions that are shown count as complete.
  mutating func endLayout() {
    isRunning = false
    completeOrientation = orientation
  }

  /// Takes positions in; they are normalised to the steady extent, turned and mirrored.
  /// - Parameter restores: They are those of the last complete layout: it comes back as it was turned then, and not as it
  ///   would lie best on what was shown since.
  mutating func receiveLayout(
    slots: [Int32], positions: [Float], isFinal: Bool, animated: Bool, restores: Bool = false, now: Double
  ) {
    let usable = min(slots.count, positions.count / 2)
    guard usable > 0, slots.allSatisfy({ $0 >= 0 }) else { return }
    let slots = usable == slots.count ? slots : Array(slots.prefix(usable))
    grow(to: Int(slots.max() ?? 0) + 1)
    let isNewRun = restores || !isRunning
    let oldSizing = sizing
    let old = packing == nil ? (x: motion.targetX, y: motion.targetY) : (x: freeX, y: freeY)
    packing = nil
    layoutVersion &+= 1
    if isNewRun {
      reference =
        phase == .layout && !restores ? LayoutReference(slots: layoutSlots, x: old.x, y: old.y) : nil
      if restores { orientation = completeOrientation }
    }
    isRunning = !isFinal
    var normalization = LayoutNormalization(
      positions: positions, count: usable, extent: Self.extent, isFinal: isFinal)
    if !isNewRun, !isFinal, animated, let shown = shownNormalization {
      normalization = normalization.following(shown.normalization, elapsed: now - shown.time, extent: Self.extent)
    }
    shownNormalization = (normalization, now)
    if let reference {
      orientation = reference.orientation(
        for: slots, positions: positions, normalization: normalization, present: orientation,
        isFree: isNewRun || isFinal)
    }
    phase = .layout
    motion.prepare(x: x, y: y)
    if slots != layoutSlots { adopt(slots) }
    motion.retarget(
      slots: slots, positions: positions, normalization: normalization, orientation: orientation)
    putOnShelf()
    let flies = animated && isNewRun && !placed.isEmpty
    if flies { departedSizing = oldSizing }
    motion.begin(
      x: x, y: y, departs: flies, settles: isFinal && reference != nil,
      animated: animated, now: now)
    for slot in newlyPlaced { motion.appear(Int(slot)) }
    newlyPlaced.removeAll(keepingCapacity: true)
    if isFinal { completeOrientation = orientation }
    if animated { takeOff() } else { _ = advance(to: now, previous: now) }
    version += 1
    arrangementVersion += 1
  }

  /// The layout that is shown, when it is complete: places, interleaved, and aspects, in the order of its slots.
  var finishedLayout: (positions: [Float], aspects: [Float])? {
    guard phase == .layout, !isRunning, !layoutSlots.isEmpty else { return nil }
    let places = packing == nil ? (x: motion.targetX, y: motion.targetY) : (x: freeX, y: freeY)
    return (
      layoutSlots.flatMap { [places.x[Int($0)], places.y[Int($0)]] }, layoutSlots.map { abs(signedAspects[Int($0)]) }
    )
  }

  /// The layout that is shown, for others to be laid on; nil while there is none.
  var shownReference: LayoutReference? {
    guard phase == .layout else { return nil }
    let places = packing == nil ? (x: motion.targetX, y: motion.targetY) : (x: freeX, y: freeY)
    return LayoutReference(slots: layoutSlots, x: places.x, y: places.y)
  }

  /// Where a picture is drawn.
  func drawnPlace(_ slot: Int) -> Point { Point(x: Double(x[slot]), y: Double(y[slot])) }
  /// Where it goes.
  func target(_ slot: Int) -> Point {
    guard motion.targetX.indices.contains(slot) else { return drawnPlace(slot) }
    return Point(x: Double(motion.targetX[slot]), y: Double(motion.targetY[slot]))
  }

  /// Puts the pictures of a complete layout where an arrangement has them, or back to where the layout has them.
  /// - Returns: whether anything is to move.
  mutating func arrange(_ arranged: Arrangement?, animated: Bool, now: Double) -> Bool {
    guard finishedLayout != nil, arranged != nil || packing != nil else { return false }
    let oldSizing = sizing
    motion.prepare(x: x, y: y)
    if packing == nil { (freeX, freeY) = (motion.targetX, motion.targetY) }
    if let arranged {
      guard arranged.positions.count == 2 * layoutSlots.count else { return false }
      let unit = Self.extent / max(1, arranged.width, arranged.height)
      packing = (unit, arranged.pictureSide)
      for (index, slot) in layoutSlots.enumerated() {
        motion.setTarget(
          Int(slot),
          Point(x: Double(arranged.positions[2 * index]) * unit, y: Double(arranged.positions[2 * index + 1]) * unit))
      }
    } else {
      packing = nil
      for slot in layoutSlots {
        motion.setTarget(Int(slot), Point(x: Double(freeX[Int(slot)]), y: Double(freeY[Int(slot)])))
      }
      (freeX, freeY) = ([], [])
    }
    putOnShelf()
    departedSizing = oldSizing
    motion.begin(x: x, y: y, departs: animated, settles: false, animated: animated, now: now)
    newlyPlaced.removeAll(keepingCapacity: true)
    if animated { takeOff() } else { _ = advance(to: now, previous: now) }
    version += 1
    arrangementVersion += 1
    return true
  }

  /// From now on pictures move: the index would be of use for one frame more at most.
  private mutating func takeOff() {
    if motion.isMoving, placed.count > Scene.strictOrderLimit { indexIsStale = true }
  }

  /// Moves the pictures to where they are at a time. Returns whether they moved.
  mutating func advance(to now: Double, previous: Double) -> Bool {
    guard phase == .layout, motion.advance(to: now, previous: previous, x: &x, y: &y) else { return false }
    indexIsStale = true
    version += 1
    arrangementVersion += 1
    return true
  }

  mutating func reindexIfNeeded() {
    guard indexIsStale else { return }
    if motion.isMoving, placed.count > Scene.strictOrderLimit {
      flightBounds = listFlying()
      return
    }
    if flightBounds != nil {
      _ = listFlying()
      landedVersion = version
    } else {
      flying = FlightList()
    }
    flightBounds = nil
    indexIsStale = false
    grid.rebuild(
      slots: placed, version: placedVersion, x: x, y: y, signedAspects: signedAspects, extent: Self.extent)
  }

  private mutating func listFlying() -> Rect {
    grid.gather(
      placed, version: placedVersion, atMost: Self.mostFlying, x: x, y: y, signedAspects: signedAspects, into: &flying)
  }

  // MARK: Places

  /// Index in `order` by slot.
  private var gridIndex: [Int32] = []
  /// Slots that had no place before the snapshot that is being taken in.
  private var newlyPlaced: [Int32] = []

  private mutating func grow(to count: Int) {
    let more = count - marks.count
    guard more > 0 else { return }
    marks.append(contentsOf: repeatElement([], count: more))
    signedAspects.append(contentsOf: repeatElement(-1, count: more))
    x.append(contentsOf: repeatElement(0, count: more))
    y.append(contentsOf: repeatElement(0, count: more))
    gridIndex.append(contentsOf: repeatElement(-1, count: more))
  }

  /// Gives a picture its place in the grid, or on the shelf below a layout.
  private mutating func place(_ slot: Int) {
    if !marks[slot].contains(.placed) {
      marks[slot].insert(.placed)
      placed.append(Int32(slot))
    }
    let place: Point
    if phase == .grid, let loadingGrid {
      place = loadingGrid.cellCenter(Int(gridIndex[slot]))
    } else {
      place = shelfPlace(shelfCount)
      shelfCount += 1
      motion.prepare(x: x, y: y)
      motion.setTarget(slot, place)
    }
    x[slot] = Float(place.x)
    y[slot] = Float(place.y)
    indexIsStale = true
  }

  private func shelfPlace(_ index: Int) -> Point {
    let columns = max(1, Int(Self.extent / (1.25 * spacing)))
    let pitch = Self.extent / Double(columns)
    return Point(
      x: -Self.extent / 2 + (Double(index % columns) + 0.5) * pitch,
      y: Self.extent * 0.65 + Double(index / columns) * pitch)
  }

  /// The pictures of a layout are others than before.
  private mutating func adopt(_ slots: [Int32]) {
    for slot in layoutSlots { marks[Int(slot)].remove(.inLayout) }
    for slot in slots {
      let index = Int(slot)
      marks[index].insert(.inLayout)
      if !marks[index].contains(.known) {
        marks[index].insert(.known)
        gridIndex[index] = Int32(order.count)
        order.append(slot)
        imageCount += 1
      }
      if marks[index].intersection([.placed, .removed]).isEmpty {
        marks[index].insert(.placed)
        newlyPlaced.append(slot)
      }
    }
    layoutSlots = slots
    placed = order.filter { marks[Int($0)].contains(.placed) }
    indexIsStale = true
  }

  /// Everything that is known but not in the layout goes on the shelf.
  private mutating func putOnShelf() {
    shelfCount = 0
    guard placed.count > layoutSlots.count || order.count > placed.count else { return }
    for slot in order {
      let index = Int(slot)
      if marks[index].contains(.inLayout) || marks[index].contains(.removed) { continue }
      if !marks[index].contains(.placed) {
        marks[index].insert(.placed)
        placed.append(slot)
        newlyPlaced.append(slot)
      }
      motion.setTarget(index, shelfPlace(shelfCount))
      shelfCount += 1
    }
  }
}
