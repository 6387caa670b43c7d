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
  private(set) var signedAspects: [Float] = []
  /// Grows when pictures become ready, or get another shape.
  private(set) var aspectVersion = 0
  /// Where the pictures are drawn; while many fly, where they were before.
  private var restingPlaces: [SIMD2<Float>] = []
  private(set) var marks: [Marks] = []
  /// Slots in the order in which they became known: the order of the loading grid.
  private(set) var order: [Int32] = []
  /// The loading grid, once its columns are chosen.
  private(set) var loadingGrid: LoadingGrid?
  /// What is drawn, indexed; kept in step with the places by `reindexIfNeeded`, but for a flight.
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
  private var freePlaces: [SIMD2<Float>] = []
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
    return isFlying ? motion.bounds : grid.bounds
  }

  /// Whether many pictures move at once, or have arrived and are not indexed yet. They are drawn in the order of their
  /// priority, without an index: making one for every frame would take longer than drawing what it finds.
  private(set) var isFlying = false
  /// Whether they have just arrived, and nothing has changed since: `flight` has them where they are.
  var hasLanded: Bool { landedVersion == version }
  private var landedVersion: Int?

  /// The pictures of a flight, and of which version they are.
  private(set) var flight = FlightOrder()
  private var listedVersion: Int?
  /// Whether there are so many pictures that they fly when they move.
  var mayFly: Bool { placed.count > Scene.strictOrderLimit }
  /// Which pictures fly: another number whenever they, or their order, are others.
  var flightVersion: Int { placedVersion }
  /// What the order of those that fly, or would, is found from.
  var flightOrderRequest: FlightOrderRequest {
    FlightOrderRequest(marks: marks, known: listedVersion == placedVersion ? flight : nil)
  }

  // MARK: What the job tells

  mutating func add(_ slots: [Int]) {
    grow(to: (slots.max() ?? -1) + 1)
    for slot in slots where slot >= 0 {
      if marks[slot].contains(.known) {
        // Known and removed before: it is back, in its old place of the order.
        guard marks[slot].contains(.removed) else { continue }
        marks[slot].remove(.removed)
        imageCount += 1
        if phase != .none { putInPlace(slot) }
        continue
      }
      marks[slot].insert(.known)
      gridIndex[slot] = Int32(order.count)
      order.append(Int32(slot))
      imageCount += 1
      if phase != .none { putInPlace(slot) }
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
      if marks[slot].contains(.placed), areFew, !indexIsStale, !isFlying {
        grid.update(slot: Int32(slot), at: restingPlaces[slot], signedAspect: signedAspects[slot])
      }
    }
    if !placed.isEmpty, !areFew || isFlying { indexIsStale = true }
    aspectVersion += 1
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
    if isOnTheWay { motion.write(to: &restingPlaces) }
    placed.removeAll { !marks[Int($0)].contains(.placed) }
    indexIsStale = true
    aspectVersion += 1
    version += 1
  }

  /// Chooses the columns of the loading grid and places everything known so far. Does nothing when already chosen.
  mutating func chooseColumns(for size: Size) {
    guard phase == .none, !order.isEmpty else { return }
    loadingGrid = LoadingGrid(count: order.count, in: size, width: Self.extent)
    phase = .grid
    for slot in order where !marks[Int(slot)].contains(.removed) { putInPlace(Int(slot)) }
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
    guard usable > 0 else { return }
    let slots = usable == slots.count ? slots : Array(slots.prefix(usable))
    if slots != layoutSlots {
      guard slots.allSatisfy({ $0 >= 0 }) else { return }
      grow(to: Int(slots.max() ?? 0) + 1)
    }
    let isNewRun = restores || !isRunning
    let (oldSizing, covered) = (sizing, bounds)
    layoutVersion &+= 1
    if isNewRun {
      reference =
        phase == .layout && !restores ? LayoutReference(slots: layoutSlots, places: layoutPlaces) : nil
      if restores { orientation = completeOrientation }
    }
    packing = nil
    freePlaces = []
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
    motion.prepare(restingPlaces)
    if slots != layoutSlots { adopt(slots) }
    let departs = animated && isNewRun && !placed.isEmpty
    if departs {
      departedSizing = oldSizing
      if isOnTheWay { motion.write(to: &restingPlaces) }
    }
    motion.retarget(slots: slots, positions: positions, as: ShownPlaces(normalization, orientation))
    putOnShelf()
    setOut(from: departs ? covered : nil, settles: isFinal && reference != nil, animated: animated, now: now)
    if isFinal { completeOrientation = orientation }
  }

  /// Where the layout has the pictures, by slot.
  private var layoutPlaces: [SIMD2<Float>] { packing == nil ? motion.targets : freePlaces }

  /// Begins the way to the targets, or ends it at once.
  /// - Parameter covered: What the pictures cover that take off; nil where they go on as they do.
  private mutating func setOut(from covered: Rect?, settles: Bool, animated: Bool, now: Double) {
    if animated {
      motion.begin(departingFrom: covered.map { (restingPlaces, $0) }, settles: settles, now: now)
      for slot in newlyPlaced { motion.appear(Int(slot)) }
      // From now on pictures move: the index would be of use for one frame more at most.
      if mayFly { indexIsStale = true }
    } else {
      motion.jump(now: now)
      motion.write(to: &restingPlaces)
      indexIsStale = true
    }
    newlyPlaced.removeAll(keepingCapacity: true)
    version += 1
    arrangementVersion += 1
  }

  /// Whether a complete layout is shown.
  var hasFinishedLayout: Bool { phase == .layout && !isRunning && !layoutSlots.isEmpty }

  /// The layout that is shown, when it is complete: its slots, and by slot where it has them and their signed aspects.
  var finishedLayout: (slots: [Int32], places: [SIMD2<Float>], signedAspects: [Float])? {
    hasFinishedLayout ? (layoutSlots, layoutPlaces, signedAspects) : nil
  }

  /// The layout that is shown, for others to be laid on; nil while there is none.
  var shownReference: LayoutReference? {
    phase == .layout ? LayoutReference(slots: layoutSlots, places: layoutPlaces) : nil
  }

  /// Whether many pictures are on their way, so that `restingPlaces` does not have them.
  private var isOnTheWay: Bool { motion.isMoving && mayFly }

  /// Where the pictures are drawn.
  var places: PicturePlaces { PicturePlaces(resting: restingPlaces, motion: isOnTheWay ? motion : nil) }

  /// Where a picture is drawn.
  @inline(__always)
  func place(_ slot: Int) -> SIMD2<Float> { isOnTheWay ? motion.place(slot) : restingPlaces[slot] }

  /// The same, for the camera.
  func drawnPlace(_ slot: Int) -> Point {
    let place = place(slot)
    return Point(x: Double(place.x), y: Double(place.y))
  }

  /// Where it goes.
  func target(_ slot: Int) -> Point {
    guard motion.targets.indices.contains(slot) else { return drawnPlace(slot) }
    return Point(x: Double(motion.targets[slot].x), y: Double(motion.targets[slot].y))
  }

  /// Puts the pictures of a complete layout where an arrangement has them, or back to where the layout has them.
  /// - Returns: whether anything is to move.
  mutating func arrange(_ arranged: Arrangement?, animated: Bool, now: Double) -> Bool {
    guard hasFinishedLayout, arranged != nil || packing != nil else { return false }
    if let arranged, arranged.positions.count != 2 * layoutSlots.count { return false }
    let covered = bounds
    departedSizing = sizing
    motion.prepare(restingPlaces)
    if isOnTheWay { motion.write(to: &restingPlaces) }
    if packing == nil { freePlaces = motion.targets }
    if let arranged {
      let unit = Self.extent / max(1, arranged.width, arranged.height)
      packing = (unit, arranged.pictureSide)
      motion.retarget(slots: layoutSlots, positions: arranged.positions, as: ShownPlaces(unit: unit))
    } else {
      packing = nil
      motion.retarget(slots: layoutSlots, places: freePlaces)
      freePlaces = []
    }
    putOnShelf()
    setOut(from: animated ? covered : nil, settles: false, animated: animated, now: now)
    return true
  }

  /// Moves the pictures to where they are at a time. Returns whether they moved.
  mutating func advance(to now: Double, previous: Double) -> Bool {
    guard phase == .layout, motion.advance(to: now, previous: previous) else { return false }
    // Those that fly are moved where they are drawn.
    if !isOnTheWay { motion.write(to: &restingPlaces) }
    indexIsStale = true
    version += 1
    arrangementVersion += 1
    return true
  }

  // MARK: The index

  mutating func reindexIfNeeded() {
    guard indexIsStale else { return }
    if isFlying && mayFly || isOnTheWay {
      // Those that have arrived go on like that until `take` has their index.
      fly()
      return
    }
    isFlying = false
    indexIsStale = false
    grid.rebuild(
      slots: placed, version: placedVersion, places: restingPlaces, signedAspects: signedAspects, extent: Self.extent)
  }

  /// Brings `flight` up to date.
  private mutating func fly() {
    if listedVersion != placedVersion { flight = flightOrderRequest.made() }
    listedVersion = placedVersion
    isFlying = true
    indexIsStale = false
  }

  private var indexKey: IndexKey {
    IndexKey(order: placedVersion, arrangement: arrangementVersion, aspects: aspectVersion)
  }
  private var askedFor: IndexKey?
  /// How many in a row came too late; rather than wait for ever for one that does not, it is made at once.
  private var missedIndexes = 0
  private static let mostMissedIndexes = 4

  /// Whether pictures have arrived whose index has not come yet.
  var needsIndex: Bool { isFlying && !motion.isMoving }

  /// Whether an index is to be made of pictures that have arrived; told once.
  mutating func takeNeedForIndex() -> Bool {
    guard needsIndex, askedFor != indexKey else { return false }
    askedFor = indexKey
    return true
  }

  /// What it is to be made of; nil where none is needed.
  var indexRequest: IndexRequest? {
    guard needsIndex else { return nil }
    return IndexRequest(
      key: indexKey, grid: grid.emptied, slots: placed, places: restingPlaces, signedAspects: signedAspects)
  }

  /// Takes an index of pictures that have arrived. Returns whether that changes what is drawn.
  mutating func take(_ index: PictureIndex) -> Bool {
    guard needsIndex else { return false }
    if index.key != indexKey {
      // Something has come in between, and another one is being made.
      missedIndexes += 1
      guard missedIndexes >= Self.mostMissedIndexes else { return false }
    }
    missedIndexes = 0
    isFlying = false
    version += 1
    guard index.key == indexKey else {
      indexIsStale = true
      return true
    }
    indexIsStale = false
    grid = index.grid
    landedVersion = version
    return true
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
    restingPlaces.append(contentsOf: repeatElement(.zero, count: more))
    gridIndex.append(contentsOf: repeatElement(-1, count: more))
  }

  /// Gives a picture its place in the grid, or on the shelf below a layout.
  private mutating func putInPlace(_ slot: Int) {
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
      motion.prepare(restingPlaces)
      motion.setTarget(slot, SIMD2(place))
    }
    restingPlaces[slot] = SIMD2(place)
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
      motion.setTarget(index, SIMD2(shelfPlace(shelfCount)))
      shelfCount += 1
    }
  }
}

extension SIMD2<Float> {
  fileprivate init(_ point: Point) { self.init(Float(point.x), Float(point.y)) }
}
