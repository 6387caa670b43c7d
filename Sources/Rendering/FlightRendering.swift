import Atlas
import Dispatch
import Geometry
import Scene

// Many pictures on their way.
extension MapRenderer {
  /// A picture that is seen, with all that decides how it is drawn.
  struct FlyingSprite {
    /// As `FlightOnScreen` has them.
    let rows, columns: Int32
    /// Its place in the order of the flight.
    let rank: Int32
    var cell = FlightPictures.Cell()

    @inline(__always)
    var rect: PixelRect {
      let top = Int(~Int16(truncatingIfNeeded: rows))
      return PixelRect(
        x: Int(Int16(truncatingIfNeeded: columns)), y: top, width: Int(columns >> 16 & 0xFF),
        height: Int(rows >> 16) &- top)
    }
    @inline(__always)
    var isReady: Bool { columns & FlightOnScreen.readyBit != 0 }
  }

  /// Rows of pixels that a thread draws together. Every band looks at all pictures, which lie in memory as they are read;
  /// its pixels are written in no order, and are to be close at hand.
  private static let bandHeight = 320
  /// The bands are lower where otherwise threads would have nothing to do.
  private static let leastBands = 4

  /// What the threads that draw share; each draws bands of its own.
  private struct Bands: @unchecked Sendable {
    let scene: Scene
    let screen: FlightOnScreen
    let clip: PixelRect
    let count: Int
    let blitter: Blitter
    let flight: FlightCells
    let placeholder: Placeholder
    let frames: LabelFrames?
    let atlas: Atlas
    let background: UInt32
    let mostLayers: Int
    let memory: FlightMemory
    /// One number a band: how many pictures were drawn that begin in it.
    let drawn: UnsafeMutablePointer<Int>
    /// One word a band, for what was read ahead: otherwise the reading would be optimised away.
    let read: UnsafeMutablePointer<UInt32>

    /// Pictures whose pixels are looked up together: they lie far apart in memory, and waiting for many at once takes little
    /// longer than waiting for one.
    private static let batch = 24

    func draw(_ number: Int) {
      let (top, end) = (clip.height * number / count, clip.height * (number + 1) / count)
      let band = PixelRect(x: clip.x, y: clip.y + top, width: clip.width, height: end - top)
      blitter.fill(band, background)
      var list = SeenList(
        flight: flight, band: band, background: background, firstRow: number == 0 ? .min : band.y,
        side: scene.spriteSide, mostLayers: mostLayers, sprites: memory.sprites(ofBand: number))
      if frames == nil, scene.selection.isEmpty, list.drawAll(screen, areOfOnePixel: scene.spriteSide == 1, blitter) {
        // From front to back, what is seen of each.
      } else if scene.selection.isEmpty {
        list.addAll(screen)
        draw(list.seen, number, band)
      } else {
        list.addAll(screen, isSelected: true)
        let bright = list.seen.count
        list.addAll(screen, isSelected: false)
        draw(list.seen[bright...], number, band)
        blitter.fade(band, towards: background, keeping: UInt32(256 * MapRenderer.dimmedShare))
        draw(list.seen[..<bright], number, band)
      }
      drawn[number] = list.drawn
    }

    /// Draws pictures, the last ones first.
    private func draw(_ sprites: Slice<UnsafeMutableBufferPointer<FlyingSprite>>, _ number: Int, _ clip: PixelRect) {
      var end = sprites.endIndex
      while end > sprites.startIndex {
        let first = max(sprites.startIndex, end &- Self.batch)
        var sum: UInt32 = 0
        for index in first..<end where sprites.base[index].cell.isFilled {
          sum ^= flight.pictures.firstPixel(flight.number(Int(sprites.base[index].rank)))
        }
        read[number] = sum
        while end > first {
          end &-= 1
          draw(sprites.base[end], clip)
        }
      }
    }

    @inline(__always)
    private func draw(_ sprite: FlyingSprite, _ clip: PixelRect) {
      let rect = sprite.rect
      let visible = rect.common(with: clip)
      if sprite.isReady, sprite.cell.isFilled {
        flight.pictures.draw(
          flight.number(Int(sprite.rank)), sprite.cell, rect, clip: visible, background: background, blitter: blitter)
      } else {
        let slot = Int(flight.slots[Int(sprite.rank)])
        if sprite.isReady, atlas.isOpaque(slot) != nil {
          blitter.blend(visible, atlas.averageColor(slot))
        } else {
          placeholder.draw(rect, clip: visible, blitter: blitter)
        }
      }
      guard let frames else { return }
      frames.draw(
        Sprite(slot: Int(flight.slots[Int(sprite.rank)]), rect: rect, isReady: sprite.isReady), clip: clip,
        blitter: blitter)
    }
  }

  /// The pictures of a band of which anything is seen, told from front to back: what lies beneath others altogether is not
  /// drawn.
  private struct SeenList: ~Copyable {
    let flight: FlightCells
    let band: PixelRect
    let background: UInt32
    /// What begins above this row counts for another band.
    let firstRow: Int
    private let sprites: UnsafeMutableBufferPointer<FlyingSprite>
    private var coverage = Coverage()
    private var layers: FlightLayers
    private var count = 0
    /// Pictures that wait until what is beneath them is drawn, and what is seen of them.
    private var transparent: [(sprite: FlyingSprite, seen: Coverage.SeenRows)] = []
    /// How many begin in the band.
    private(set) var drawn = 0

    init(
      flight: FlightCells, band: PixelRect, background: UInt32, firstRow: Int, side: Int, mostLayers: Int,
      sprites: UnsafeMutableBufferPointer<FlyingSprite>
    ) {
      self.flight = flight
      self.background = background
      layers = FlightLayers(band, side: side, most: mostLayers)
      self.band = band
      self.firstRow = firstRow
      self.sprites = sprites
      coverage.reset(band)
    }

    var seen: Slice<UnsafeMutableBufferPointer<FlyingSprite>> { sprites[..<count] }

    /// Adds the pictures of a flight of which anything is seen in the band.
    /// - Parameter isSelected: Only those that are, or are not.
    mutating func addAll(_ screen: FlightOnScreen, isSelected: Bool? = nil) {
      let mask = isSelected == nil ? 0 : FlightOnScreen.selectedBit
      let wanted = isSelected == true ? FlightOnScreen.selectedBit : 0
      let (left, right, top, bottom) = (band.x, band.maxX, band.y, band.maxY)
      _ = eachMet(screen) { list, rank in
        let (rows, columns) = (screen.rows[rank], screen.columns[rank])
        guard columns & mask == wanted else { return true }
        let first = Int(Int16(truncatingIfNeeded: columns))
        let x = max(left, first)
        let isHidden = list.coverage.hides(
          x: x, width: min(right, first &+ Int(columns >> 16 & 0xFF)) &- x,
          top: max(top, Int(~Int16(truncatingIfNeeded: rows))), end: min(bottom, Int(rows >> 16)))
        if !isHidden { list.add(FlyingSprite(rows: rows, columns: columns, rank: Int32(truncatingIfNeeded: rank))) }
        return true
      }
    }

    /// Draws what is seen of all pictures: at once where they are opaque, the others when what is beneath them is there.
    /// - Returns: False when one was found that cannot be drawn so: then everything is to be drawn again in another way.
    mutating func drawAll(_ screen: FlightOnScreen, areOfOnePixel: Bool, _ blitter: Blitter) -> Bool {
      let isDrawn = areOfOnePixel ? drawPixels(screen, blitter) : drawRectangles(screen, blitter)
      guard isDrawn else {
        coverage.reset(band)
        transparent.removeAll()
        drawn = 0
        blitter.fill(band, background)
        return false
      }
      for (sprite, seen) in transparent.reversed() {
        let rect = sprite.rect
        flight.pictures.draw(
          flight.number(Int(sprite.rank)), rect, clip: rect.common(with: band), seen: seen, background: background,
          blitter: blitter)
      }
      return true
    }

    private mutating func drawRectangles(_ screen: FlightOnScreen, _ blitter: Blitter) -> Bool {
      let (left, right, top, bottom) = (band.x, band.maxX, band.y, band.maxY)
      return eachMet(screen) { list, rank in
        let sprite = FlyingSprite(
          rows: screen.rows[rank], columns: screen.columns[rank], rank: Int32(truncatingIfNeeded: rank))
        let rect = sprite.rect
        guard list.layers.takesPlace(x: rect.x, y: rect.y) else { return true }
        let (x, first) = (max(left, rect.x), max(top, rect.y))
        let (width, end) = (min(right, rect.maxX) &- x, min(bottom, rect.maxY))
        if list.coverage.hides(x: x, width: width, top: first, end: end) { return true }
        let number = list.flight.number(rank)
        guard sprite.isReady, number >= 0 else { return false }
        let cell = list.flight.pictures.cell(number)
        guard cell.isFilled else { return false }
        if cell.isOpaque {
          list.flight.pictures.draw(
            number, cell, rect, clip: PixelRect(x: x, y: first, width: width, height: end &- first), &list.coverage,
            blitter)
        } else {
          list.transparent.append((sprite, list.coverage.seen(x: x, width: width, top: first, end: end)))
        }
        if rect.y >= list.firstRow { list.drawn &+= 1 }
        return true
      }
    }

    private mutating func drawPixels(_ screen: FlightOnScreen, _ blitter: Blitter) -> Bool {
      eachMet(screen) { list, rank in
        let columns = screen.columns[rank]
        let (x, y) = (Int(Int16(truncatingIfNeeded: columns)), Int(screen.rows[rank] >> 16) &- 1)
        if list.coverage.hidesPixel(x: x, y: y) { return true }
        let number = list.flight.number(rank)
        guard columns & FlightOnScreen.readyBit != 0, number >= 0 else { return false }
        let pixel = list.flight.pictures.onePixel(number)
        if pixel != 0 {
          list.coverage.hidePixel(x: x, y: y)
          blitter.target[y &* blitter.stride &+ x] = pixel
        } else {
          guard list.flight.pictures.cell(number).isFilled else { return false }
          list.transparent.append(
            (
              FlyingSprite(rows: screen.rows[rank], columns: columns, rank: Int32(truncatingIfNeeded: rank)),
              list.coverage.seen(x: x, width: 1, top: y, end: y &+ 1)
            ))
        }
        list.drawn &+= 1
        return true
      }
    }

    /// Calls `body` with the ranks of the pictures of a flight that meet the band, the topmost first, until it returns false.
    /// - Returns: Whether it never did.
    @inline(__always)
    private mutating func eachMet(_ screen: FlightOnScreen, _ body: (inout SeenList, Int) -> Bool) -> Bool {
      var limits = SIMD16<Int16>(repeating: Int16(band.y))
      limits.evenHalf = SIMD8(repeating: ~Int16(band.maxY))
      let bits = SIMD8<Int32>(1, 2, 4, 8, 16, 32, 64, 128)
      let count = flight.slots.count
      var first = 0
      while first < count {
        let rows = UnsafeRawPointer(screen.rows + first).loadUnaligned(as: SIMD16<Int16>.self)
        // Met where both halves are: all bits of them are set then.
        let met = unsafeBitCast(rows .> limits, to: SIMD8<Int32>.self)
        var lanes = (met &>> 16 & met & bits).wrappedSum()
        while lanes != 0 {
          guard body(&self, first &+ lanes.trailingZeroBitCount) else { return false }
          lanes &= lanes &- 1
        }
        first &+= FlightMemory.together
      }
      return true
    }

    private mutating func add(_ sprite: FlyingSprite) {
      var sprite = sprite
      let rect = sprite.rect
      sprite.cell = flight.cell(Int(sprite.rank))
      if !sprite.isReady || (sprite.cell.isFilled && sprite.cell.isOpaque) { coverage.hide(rect.common(with: band)) }
      sprites[count] = sprite
      count &+= 1
      if rect.y >= firstRow { drawn &+= 1 }
    }
  }

  /// Draws a rectangle of a flight in bands, on all processors.
  /// - Returns: How many pictures were drawn.
  mutating func drawFlight(
    _ flight: FlightCells, in clip: PixelRect, blitter: Blitter, scene: borrowing Scene, atlas: Atlas
  ) -> Int {
    placeholder.prepare(side: scene.spriteSide, background: background)
    let count = min(clip.height, max(Self.leastBands, (clip.height + Self.bandHeight - 1) / Self.bandHeight))
    flightMemory.prepare(bands: count, pictures: flight.slots.count)
    let (scene, placeholder, background, memory, mostLayers) = (
      copy scene, placeholder, background, flightMemory, mostFlightLayers
    )
    // Bands and strips of a frame are parts of the same picture.
    let viewport = scene.camera.viewport
    let seen = PixelRect(x: clip.x, y: viewport.y, width: clip.width, height: viewport.height)
    if memory.prepare(for: FlightMemory.Contents(scene, atlas, seen)) {
      DispatchQueue.concurrentPerform(iterations: scene.flightParts) { part in
        scene.projectFlight(part: part, in: seen, to: memory.screen)
      }
    }
    let frames = LabelFrames(scene, background: background)
    return withUnsafeTemporaryAllocation(of: Int.self, capacity: count) { drawn in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { read in
        guard let drawnByBand = drawn.baseAddress, let read = read.baseAddress else { return 0 }
        let bands = Bands(
          scene: scene, screen: memory.screen, clip: clip, count: count, blitter: blitter, flight: flight,
          placeholder: placeholder,
          frames: frames, atlas: atlas, background: background, mostLayers: mostLayers,
          memory: memory, drawn: drawnByBand, read: read)
        DispatchQueue.concurrentPerform(iterations: count) { bands.draw($0) }
        return drawn.reduce(0, +)
      }
    }
  }
}

/// How many pictures of a flight begin in each small square of a band, the topmost first: where so many lie on one another
/// that nothing is seen of those beneath, these need not be looked at.
struct FlightLayers: ~Copyable {
  private let counts: UnsafeMutablePointer<UInt16>
  private let columns: Int
  private let x, y: Int
  private let most: UInt16

  private static let sideBits = 4

  /// - Parameters:
  ///   - side: The longest side of a picture.
  ///   - most: How many layers of such pictures may lie on one another.
  init(_ band: PixelRect, side: Int, most: Int) {
    // Pictures that meet the band may begin beyond it.
    let reach = side + 1
    (x, y) = (band.x - reach, band.y - reach)
    columns = (band.width + reach) >> Self.sideBits + 1
    let count = columns * ((band.height + reach) >> Self.sideBits + 1)
    counts = .allocate(capacity: count)
    counts.initialize(repeating: 0, count: count)
    let area = 1 << (2 * Self.sideBits)
    self.most = UInt16(clamping: most < Int(UInt16.max) ? max(1, most * area / (side * side)) : most)
  }

  deinit { counts.deallocate() }

  /// Whether another picture may be drawn that begins here.
  @inline(__always)
  mutating func takesPlace(x: Int, y: Int) -> Bool {
    let place = (y &- self.y) >> Self.sideBits &* columns &+ (x &- self.x) >> Self.sideBits
    if counts[place] >= most { return false }
    counts[place] &+= 1
    return true
  }
}

/// Room for the pictures of a flight on the screen, and for those that are seen in each band; kept, for asking the system
/// for it takes longer than filling it.
final class FlightMemory: @unchecked Sendable {
  private(set) var screen: FlightOnScreen
  private var bands: [UnsafeMutableBufferPointer<MapRenderer.FlyingSprite>] = []
  private var capacity = 0
  private var contents: Contents?

  /// What decides where the pictures are on the screen.
  struct Contents: Equatable {
    let atlas: ObjectIdentifier
    let version, side, offsetX, offsetY: Int
    let scale: Double
    let seen: PixelRect

    init(_ scene: borrowing Scene, _ atlas: Atlas, _ seen: PixelRect) {
      self.atlas = ObjectIdentifier(atlas)
      (version, side) = (scene.contentVersion, scene.spriteSide)
      (offsetX, offsetY) = scene.pixelOffset
      scale = scene.camera.scale
      self.seen = seen
    }
  }

  /// Pictures that are looked at together.
  static let together = 8

  init() { screen = Self.screen(for: 0) }

  deinit { free() }

  private static func screen(for pictures: Int) -> FlightOnScreen {
    FlightOnScreen(rows: .allocate(capacity: pictures), columns: .allocate(capacity: pictures))
  }

  private func free() {
    screen.rows.deallocate()
    screen.columns.deallocate()
    for band in bands { band.deallocate() }
    bands = []
  }

  /// Whether other contents are to be written than there are.
  func prepare(for wanted: Contents) -> Bool {
    defer { contents = wanted }
    return contents != wanted
  }

  /// Makes room for so many pictures, also in each of the bands. Whoever is looked at with the last of them is nowhere.
  func prepare(bands count: Int, pictures: Int) {
    let needed = pictures + Self.together
    if needed > capacity || needed < capacity / 4 {
      free()
      contents = nil
      capacity = needed
      screen = Self.screen(for: needed)
    }
    for rank in pictures..<needed { screen.rows[rank] = FlightOnScreen.nowhere }
    while bands.count < count { bands.append(.allocate(capacity: capacity)) }
  }

  func sprites(ofBand band: Int) -> UnsafeMutableBufferPointer<MapRenderer.FlyingSprite> { bands[band] }
}

extension PixelRect {
  /// The part of a rectangle that is known to meet another.
  @inline(__always)
  fileprivate func common(with clip: PixelRect) -> PixelRect {
    let (left, top) = (max(x, clip.x), max(y, clip.y))
    return PixelRect(
      x: left, y: top, width: min(maxX, clip.maxX) &- left, height: min(maxY, clip.maxY) &- top)
  }
}
