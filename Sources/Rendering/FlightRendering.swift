import Atlas
import CFlight
import Dispatch
import Foundation
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

  /// A picture that waits until what is beneath it is drawn, and what is seen of it.
  struct TransparentSprite {
    let sprite: FlyingSprite
    let seen: Coverage.SeenRows
  }

  /// Rows of pixels that a thread draws together. Every band looks at all pictures, which lie in memory as they are read;
  /// its pixels are written in no order, and are to be close at hand.
  private static let bandHeight = 540
  /// The bands are lower where otherwise processors would have nothing to do.
  private static let leastBands = min(8, max(2, ProcessInfo.processInfo.activeProcessorCount))

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
        side: scene.spriteSide, memory: memory.band(number))
      if frames == nil, scene.selection.isEmpty, list.drawAll(screen, side: scene.spriteSide, blitter) {
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
      read[number] ^= list.read
      list.giveBack()
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
    private let memory: FlightMemory.Band
    private var sprites: UnsafeMutableBufferPointer<FlyingSprite> { memory.sprites }
    private var coverage = Coverage()
    private var count = 0
    /// Pictures that wait until what is beneath them is drawn, and what is seen of them.
    private var transparent: [TransparentSprite] = []
    /// How many begin in the band.
    private(set) var drawn = 0
    /// Of what was read ahead: otherwise the reading would be optimised away.
    private(set) var read: UInt32 = 0

    init(
      flight: FlightCells, band: PixelRect, background: UInt32, firstRow: Int, side: Int,
      memory: FlightMemory.Band
    ) {
      self.memory = memory
      transparent = memory.takeTransparent()
      self.flight = flight
      self.background = background
      self.band = band
      self.firstRow = firstRow
      coverage.reset(band, groupedForHeight: side)
    }

    /// Gives back the room that others may use when this list has been drawn.
    mutating func giveBack() { memory.keep(&transparent) }

    var seen: Slice<UnsafeMutableBufferPointer<FlyingSprite>> { sprites[..<count] }

    /// Adds the pictures of a flight of which anything is seen in the band.
    /// - Parameter isSelected: Only those that are, or are not.
    mutating func addAll(_ screen: FlightOnScreen, isSelected: Bool? = nil) {
      let mask = isSelected == nil ? 0 : FlightOnScreen.selectedBit
      let wanted = isSelected == true ? FlightOnScreen.selectedBit : 0
      _ = eachSeen(screen, readsAhead: false) { list, sprite in
        guard sprite.columns & mask == wanted else { return true }
        let rect = sprite.rect.common(with: list.band)
        if !list.coverage.hides(x: rect.x, width: rect.width, top: rect.y, end: rect.maxY) { list.add(sprite) }
        return true
      }
    }

    /// Draws what is seen of all pictures: at once where they are opaque, the others when what is beneath them is there.
    /// - Returns: False when one was found that cannot be drawn so: then everything is to be drawn again in another way.
    mutating func drawAll(_ screen: FlightOnScreen, side: Int, _ blitter: Blitter) -> Bool {
      let isDrawn =
        switch side {
        case 1: drawPixels(screen, blitter)
        case 2: drawTwos(screen, blitter)
        case ...FlightPictures.narrow: drawRectangles(screen, areNarrow: true, blitter)
        default: drawRectangles(screen, areNarrow: false, blitter)
        }
      guard isDrawn else {
        coverage.reset(band, groupedForHeight: side)
        transparent.removeAll(keepingCapacity: true)
        drawn = 0
        blitter.fill(band, background)
        return false
      }
      var end = transparent.count
      while end > 0 {
        let batch = max(0, end &- Self.batch)..<end
        for index in batch {
          let sprite = transparent[index].sprite
          read ^= flight.pictures.readAhead(flight.number(Int(sprite.rank)))
        }
        for index in batch.reversed() {
          let (sprite, seen) = (transparent[index].sprite, transparent[index].seen)
          let rect = sprite.rect
          flight.pictures.draw(
            flight.number(Int(sprite.rank)), rect, clip: rect.common(with: band), seen: seen, background: background,
            blitter: blitter)
        }
        end = batch.lowerBound
      }
      return true
    }

    @inline(__always)
    private mutating func drawRectangles(_ screen: FlightOnScreen, areNarrow: Bool, _ blitter: Blitter) -> Bool {
      eachSeen(screen) { list, sprite in list.drawRectangle(sprite, isNarrow: areNarrow, blitter) }
    }

    /// - Parameter isNarrow: It is not wider than `FlightPictures.narrow`.
    @inline(__always)
    private mutating func drawRectangle(_ sprite: FlyingSprite, isNarrow: Bool, _ blitter: Blitter) -> Bool {
      let rect = sprite.rect
      let (x, first) = (max(band.x, rect.x), max(band.y, rect.y))
      let (width, end) = (min(band.maxX, rect.maxX) &- x, min(band.maxY, rect.maxY))
      if coverage.hides(x: x, width: width, top: first, end: end) { return true }
      let number = flight.number(Int(sprite.rank))
      guard sprite.isReady, number >= 0 else { return false }
      let cell = flight.pictures.cell(number)
      guard cell.isFilled else { return false }
      if cell.isOpaque, isNarrow, rect.x >= band.x, rect.x <= band.maxX &- FlightPictures.narrow {
        flight.pictures.drawNarrow(number, cell, rect, top: first, end: end, &coverage, blitter)
      } else if cell.isOpaque {
        flight.pictures.draw(
          number, cell, rect, clip: PixelRect(x: x, y: first, width: width, height: end &- first), &coverage, blitter)
      } else {
        transparent.append(
          TransparentSprite(sprite: sprite, seen: coverage.seen(x: x, width: width, top: first, end: end)))
      }
      if rect.y >= firstRow { drawn &+= 1 }
      return true
    }

    /// The same of pictures that are two pixels large: there are hardly more on a screen than of these, and most are seen.
    private mutating func drawTwos(_ screen: FlightOnScreen, _ blitter: Blitter) -> Bool {
      let (left, right, top, bottom) = (band.x, band.maxX &- 2, band.y, band.maxY &- 2)
      return eachSeen(screen, readsAhead: false) { list, sprite in
        let rect = sprite.rect
        let (x, y, width, height) = (rect.x, rect.y, rect.width, rect.height)
        guard x >= left, x <= right, y >= top, y <= bottom else {
          return list.drawRectangle(sprite, isNarrow: true, blitter)
        }
        let seen = list.coverage.seenOfTwo(x: x, width: width, y: y, height: height)
        if seen == (0, 0) { return true }
        let number = list.flight.number(Int(sprite.rank))
        guard sprite.isReady, number >= 0,
          list.flight.pictures.drawTwo(number, x: x, width: width, y: y, height: height, seen: seen, blitter)
        else { return list.drawRectangle(sprite, isNarrow: true, blitter) }
        list.coverage.hideTwo(x: x, width: width, y: y, height: height)
        if y >= list.firstRow { list.drawn &+= 1 }
        return true
      }
    }

    /// The same of pictures of one pixel.
    private mutating func drawPixels(_ screen: FlightOnScreen, _ blitter: Blitter) -> Bool {
      eachSeen(screen, readsAhead: false) { list, sprite in
        let (x, y) = (Int(Int16(truncatingIfNeeded: sprite.columns)), Int(sprite.rows >> 16) &- 1)
        if list.coverage.hidesPixel(x: x, y: y) { return true }
        let number = list.flight.number(Int(sprite.rank))
        guard sprite.isReady, number >= 0 else { return false }
        let pixel = list.flight.pictures.onePixel(number)
        if pixel != 0 {
          list.coverage.hidePixel(x: x, y: y)
          blitter.target[y &* blitter.stride &+ x] = pixel
        } else {
          guard list.flight.pictures.cell(number).isFilled else { return false }
          list.transparent.append(
            TransparentSprite(sprite: sprite, seen: list.coverage.seen(x: x, width: 1, top: y, end: y &+ 1)))
        }
        list.drawn &+= 1
        return true
      }
    }

    /// Calls `body` with the pictures of a flight that meet the band, but for those that are known to be hidden there, the
    /// topmost first, until it returns false.
    /// - Parameter readsAhead: Whether to bring their pixels into the processor's cache.
    /// - Returns: Whether it never did.
    @inline(__always)
    private mutating func eachSeen(
      _ screen: FlightOnScreen, readsAhead: Bool = true, _ body: (inout SeenList, FlyingSprite) -> Bool
    ) -> Bool {
      let total = flight.slots.count
      var seenRows = coverage.band
      return withUnsafeTemporaryAllocation(of: UInt16.self, capacity: Self.batch + FlightMemory.together) { memory in
        guard let found = memory.baseAddress else { return true }
        var first = 0
        while first < total {
          let count = cf_find_seen(
            screen.rows + first, screen.columns + first, min(Self.batch, total &- first), &seenRows, found)
          if readsAhead {
            var sum: UInt32 = 0
            for index in 0..<count {
              sum ^= flight.pictures.firstPixel(max(0, flight.number(first &+ Int(found[index]))))
            }
            read ^= sum
          }
          for index in 0..<count {
            guard body(&self, sprite(screen, first &+ Int(found[index]))) else { return false }
          }
          first &+= Self.batch
        }
        return true
      }
    }

    @inline(__always)
    private func sprite(_ screen: FlightOnScreen, _ rank: Int) -> FlyingSprite {
      FlyingSprite(rows: screen.rows[rank], columns: screen.columns[rank], rank: Int32(truncatingIfNeeded: rank))
    }

    /// Pictures that are looked at before any of them is drawn.
    private static let batch = 512

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
    let (scene, placeholder, background, memory) = (copy scene, placeholder, background, flightMemory)
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
          frames: frames, atlas: atlas, background: background,
          memory: memory, drawn: drawnByBand, read: read)
        DispatchQueue.concurrentPerform(iterations: count) { bands.draw($0) }
        return drawn.reduce(0, +)
      }
    }
  }
}

/// Room for the pictures of a flight on the screen, and for those that are seen in each band; kept, for asking the system
/// for it takes longer than filling it.
final class FlightMemory: @unchecked Sendable {
  private(set) var screen: FlightOnScreen
  private var bands: [Band] = []
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
    while bands.count < count { bands.append(Band(capacity: capacity)) }
  }

  func band(_ number: Int) -> Band { bands[number] }

  /// Room for the pictures of a band; one thread draws it.
  final class Band {
    let sprites: UnsafeMutableBufferPointer<MapRenderer.FlyingSprite>
    private var transparent: [MapRenderer.TransparentSprite] = []

    init(capacity: Int) { sprites = .allocate(capacity: capacity) }

    deinit { sprites.deallocate() }

    /// An empty list, with the room that the last one had.
    func takeTransparent() -> [MapRenderer.TransparentSprite] {
      defer { transparent = [] }
      return transparent
    }

    /// Keeps the room of a list that is needed no more.
    func keep(_ list: inout [MapRenderer.TransparentSprite]) {
      list.removeAll(keepingCapacity: true)
      swap(&list, &transparent)
    }
  }
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
