public import Geometry

/// The pictures of a flight: all that have a place, the topmost first.
public struct FlightOrder: Sendable {
  /// By rank.
  public private(set) var slots: [Int32] = []
  /// By slot; negative for those that have no place.
  public private(set) var ranks: [Int32] = []

  /// None.
  init() {}

  init(_ marks: [PictureField.Marks]) {
    let bits = FlightTiles.bits(marks.count)
    ranks = [Int32](repeating: -1, count: marks.count)
    // Reversing the bits of a number twice gives it back: whoever has the next priority is found by it.
    slots = [Int32](unsafeUninitializedCapacity: marks.count) { slots, count in
      for rank in 0..<Int32(1) << Int32(bits) {
        let slot = Int(SpatialGrid.priority(rank) >> UInt32(32 - bits))
        guard slot < marks.count, marks[slot].contains(.placed) else { continue }
        ranks[slot] = Int32(truncatingIfNeeded: count)
        slots[count] = Int32(truncatingIfNeeded: slot)
        count &+= 1
      }
    }
  }
}

/// What the order of a flight is found from: of a million pictures that takes some milliseconds.
public struct FlightOrderRequest: Sendable {
  let marks: [PictureField.Marks]
  let known: FlightOrder?

  /// Finds it.
  public func made() -> FlightOrder { known ?? FlightOrder(marks) }
}

/// Where the pictures of a flight are on the screen, by rank, in few bytes: there are many of them, and all are looked at
/// again and again for every frame. In device pixels of the window.
public struct FlightOnScreen: @unchecked Sendable {
  /// In the lower halves the complements of the top rows, in the upper ones the rows below the last: both are greater than
  /// those of what a picture meets. What is not seen is `nowhere`.
  public let rows: UnsafeMutablePointer<Int32>
  /// In the lower halves the left columns; above them, eight bits for the width, which is below 256, `readyBit` and
  /// `selectedBit`.
  public let columns: UnsafeMutablePointer<Int32>

  /// Memory for all pictures.
  public init(rows: UnsafeMutablePointer<Int32>, columns: UnsafeMutablePointer<Int32>) {
    (self.rows, self.columns) = (rows, columns)
  }

  /// Meets no row.
  @inlinable
  public static var nowhere: Int32 { 0x8000 }
  /// The picture's thumbnail can be drawn; otherwise a placeholder is.
  @inlinable
  public static var readyBit: Int32 { 1 << 24 }
  /// The picture is selected: it is drawn over all others.
  @inlinable
  public static var selectedBit: Int32 { 1 << 25 }
}

/// Slots in tiles: what lies next to one another by slot lies far apart in the order of priority, in which the bits of the
/// slot are reversed, and the other way round. Of a tile, both are whole lines of memory.
struct FlightTiles {
  private static let rowBits = 6
  private let slotCount: Int
  /// Slots from one row of a tile to the next, and in a row.
  private let stride, width: Int
  let count: Int

  init(slots: Int) {
    slotCount = slots
    stride = 1 << max(Self.rowBits, Self.bits(slots) - Self.rowBits)
    width = min(stride, 256)
    count = stride / width
  }

  /// The bits of a number below this one.
  static func bits(_ count: Int) -> Int { max(1, Int.bitWidth - max(0, count - 1).leadingZeroBitCount) }

  /// Calls `body` with every row of a tile.
  @inline(__always)
  func eachRow(of tile: Int, _ body: (Range<Int>) -> Void) {
    var first = tile * width
    while first < slotCount {
      body(first..<min(slotCount, first + width))
      first += stride
    }
  }
}

/// Finds out where pictures on their way are on the screen, eight slots at a time.
private struct FlightScreen {
  typealias Numbers = SIMD8<Float>
  typealias Integers = SIMD8<Int32>
  /// Pictures that are looked at together.
  static let count = 8
  private typealias Places = SIMD16<Float>

  struct Eight {
    var columns, rows, width, height: Integers
    var isReady, isSeen: SIMDMask<Integers>
  }

  private let targets: UnsafeBufferPointer<SIMD2<Float>>
  private let starts, departures: UnsafeBufferPointer<SIMD2<Float>>?
  private let signedAspects: UnsafeBufferPointer<Float>
  /// What is left of both motions.
  private let left, stillToFly: Float
  private let scale, side: Numbers
  private let offsetX, offsetY, leftEdge, rightEdge, topEdge, bottomEdge: Integers

  /// Calls `body` with it.
  @inline(__always)
  static func with(
    _ pictures: borrowing PictureField, _ rect: PixelRect, _ projection: Projection, _ body: (FlightScreen) -> Void
  ) {
    let (motion, signedAspects) = (pictures.motion, pictures.signedAspects)
    motion.withEnds { targets, starts, departures in
      signedAspects.withUnsafeBufferPointer { signedAspects in
        body(
          FlightScreen(
            targets: targets, starts: starts, departures: departures, signedAspects: signedAspects,
            progress: motion.progress, rect, projection))
      }
    }
  }

  private init(
    targets: UnsafeBufferPointer<SIMD2<Float>>, starts: UnsafeBufferPointer<SIMD2<Float>>?,
    departures: UnsafeBufferPointer<SIMD2<Float>>?, signedAspects: UnsafeBufferPointer<Float>,
    progress: LayoutMotion.Progress, _ rect: PixelRect, _ projection: Projection
  ) {
    (self.targets, self.starts, self.departures) = (targets, starts, departures)
    self.signedAspects = signedAspects
    (left, stillToFly) = (1 - progress.even, 1 - progress.flown)
    scale = Numbers(repeating: Float(projection.scale))
    side = Numbers(repeating: Float(projection.side))
    func near(_ offset: Int) -> Integers {
      Integers(repeating: Int32(clamping: max(-Self.farthest, min(Self.farthest, offset))))
    }
    (offsetX, offsetY) = (near(projection.offsetX), near(projection.offsetY))
    (leftEdge, rightEdge) = (Integers(repeating: Int32(rect.x)), Integers(repeating: Int32(rect.maxX)))
    (topEdge, bottomEdge) = (Integers(repeating: Int32(rect.y)), Integers(repeating: Int32(rect.maxY)))
  }

  /// Eight pictures; beyond the last slot there is nothing.
  @inline(__always)
  func look(at slot: Int) -> Eight {
    guard slot &+ Self.count > targets.count else {
      return look(
        Self.load(targets, slot), starts.map { Self.load($0, slot) }, departures.map { Self.load($0, slot) },
        UnsafeRawPointer(signedAspects.baseAddress.unsafelyUnwrapped + slot).loadUnaligned(as: Numbers.self))
    }
    var (target, start, departure, aspects) = (Places(), Places(), Places(), Numbers(repeating: 1))
    for lane in 0..<targets.count - slot {
      Self.copy(targets[slot + lane], lane, to: &target)
      Self.copy((starts ?? targets)[slot + lane], lane, to: &start)
      Self.copy((departures ?? targets)[slot + lane], lane, to: &departure)
      aspects[lane] = signedAspects[slot + lane]
    }
    var eight = look(target, starts == nil ? nil : start, departures == nil ? nil : departure, aspects)
    for lane in targets.count - slot..<Self.count { eight.isSeen[lane] = false }
    return eight
  }

  @inline(__always)
  private static func load(_ places: UnsafeBufferPointer<SIMD2<Float>>, _ slot: Int) -> Places {
    UnsafeRawPointer(places.baseAddress.unsafelyUnwrapped + slot).loadUnaligned(as: Places.self)
  }

  private static func copy(_ place: SIMD2<Float>, _ lane: Int, to places: inout Places) {
    places[2 * lane] = place.x
    places[2 * lane + 1] = place.y
  }

  @inline(__always)
  private func look(_ target: Places, _ start: Places?, _ departure: Places?, _ signed: Numbers) -> Eight {
    var place = target
    if let start { place -= (place - start) * left }
    if let departure { place -= (place - departure) * stillToFly }
    let one = Numbers(repeating: 1)
    let aspect = signed.replacing(with: -signed, where: signed .< 0)
    let width = Self.rounded(side * aspect.replacing(with: one, where: aspect .> one))
    let height = Self.rounded(side / aspect.replacing(with: one, where: aspect .< one))
    let columns = Self.floor(place.evenHalf * scale) &+ offsetX &- width &>> 1
    let rows = Self.floor(place.oddHalf * scale) &+ offsetY &- height &>> 1
    let isSeen =
      (columns .< rightEdge) .& (columns &+ width .> leftEdge) .& (rows .< bottomEdge) .& (rows &+ height .> topEdge)
    return Eight(columns: columns, rows: rows, width: width, height: height, isReady: signed .> 0, isSeen: isSeen)
  }

  /// No picture that is seen lies farther from the origin, in device pixels.
  private static let farthest = 1 << 21

  /// Adding this leaves an integer in the lowest bits of a number up to 2²².
  @inline(__always)
  private static var magic: Numbers { Numbers(repeating: 12_582_912) }

  /// The nearest integers, of numbers up to `farthest`.
  @inline(__always)
  private static func nearest(_ value: Numbers) -> Integers {
    let limit = Numbers(repeating: Float(farthest))
    var value = value.replacing(with: limit, where: value .> limit)
    value.replace(with: -limit, where: value .< -limit)
    return unsafeBitCast(value + magic, to: Integers.self) &- unsafeBitCast(magic, to: Integers.self)
  }

  @inline(__always)
  private static func floor(_ value: Numbers) -> Integers { nearest(value - Numbers(repeating: 0.5)) }

  /// Lengths, rounded, and at least 1.
  @inline(__always)
  private static func rounded(_ lengths: Numbers) -> Integers {
    let one = Numbers(repeating: 1)
    // Half a pixel is rounded up, as it is elsewhere, and not to an even number.
    let raised = lengths.replacing(with: one, where: lengths .< one) + Numbers(repeating: 0x1p-12)
    return unsafeBitCast(raised + magic, to: Integers.self) &- unsafeBitCast(magic, to: Integers.self)
  }
}

extension PictureField {
  /// Calls `body` with the pictures of a flight that are wanted and meet `rect`, in the order of their slots.
  func eachFlying(
    in rect: PixelRect, _ projection: Projection, where isWanted: (Int32) -> Bool, _ body: (Sprite) -> Void
  ) {
    FlightScreen.with(self, rect, projection) { screen in
      for first in stride(from: 0, to: flight.ranks.count, by: FlightScreen.count) {
        let eight = screen.look(at: first)
        guard any(eight.isSeen) else { continue }
        for lane in 0..<FlightScreen.count where eight.isSeen[lane] {
          let slot = Int32(truncatingIfNeeded: first + lane)
          guard flight.ranks[Int(slot)] >= 0, isWanted(slot) else { continue }
          body(
            Sprite(
              slot: slot, x: eight.columns[lane], y: eight.rows[lane], width: eight.width[lane],
              height: eight.height[lane], isReady: eight.isReady[lane]))
        }
      }
    }
  }

  /// Brings the pictures of a tile to the screen; to where they belong by their ranks.
  fileprivate func project(
    _ tile: Int, of tiles: FlightTiles, in rect: PixelRect, _ projection: Projection, selection: Selection,
    to out: FlightOnScreen
  ) {
    let low = SIMD8<Int32>(repeating: 0xFFFF)
    let ready = SIMD8<Int32>(repeating: FlightOnScreen.readyBit)
    let hasSelection = !selection.isEmpty
    FlightScreen.with(self, rect, projection) { screen in
      flight.ranks.withUnsafeBufferPointer { ranks in
        tiles.eachRow(of: tile) { row in
          var first = row.lowerBound
          while first < row.upperBound {
            let eight = screen.look(at: first)
            var rows = ~eight.rows & low | (eight.rows &+ eight.height) &<< 16
            rows.replace(with: SIMD8(repeating: FlightOnScreen.nowhere), where: .!eight.isSeen)
            var columns = eight.columns & low | eight.width &<< 16
            columns.replace(with: columns | ready, where: eight.isReady)
            if hasSelection {
              for lane in 0..<FlightScreen.count where selection.contains(first &+ lane) {
                columns[lane] |= FlightOnScreen.selectedBit
              }
            }
            let count = min(FlightScreen.count, row.upperBound &- first)
            withUnsafeBytes(of: rows) { rows in
              withUnsafeBytes(of: columns) { columns in
                for lane in 0..<count {
                  let rank = Int(ranks[first &+ lane])
                  guard rank >= 0 else { continue }
                  out.rows[rank] = rows.load(fromByteOffset: lane &* 4, as: Int32.self)
                  out.columns[rank] = columns.load(fromByteOffset: lane &* 4, as: Int32.self)
                }
              }
            }
            first &+= FlightScreen.count
          }
        }
      }
    }
  }
}

extension Scene {
  /// Whether so many pictures are moving that a frame of them is to be drawn from `projectFlight`: they change their places
  /// with every frame, so nothing that finds them by their place would be of use for a second one. It lasts until the
  /// index of where they arrived has come (`SceneEffect.index`).
  public var isFlying: Bool { pictures.isFlying }

  /// Whether many pictures have just arrived where they are, and nothing has changed since: `projectFlight` has them still.
  public var hasLanded: Bool { pictures.hasLanded }

  /// What the index of pictures that have arrived is to be made of; nil where none is needed.
  public var indexRequest: IndexRequest? { pictures.indexRequest }

  /// Whether pictures have arrived whose index has not come yet.
  public var needsIndex: Bool { pictures.needsIndex }

  /// Whether there are so many pictures that they fly when they move.
  public var mayFly: Bool { pictures.mayFly }

  /// Which pictures fly, or would: another number whenever they, or their order, are others.
  public var flightVersion: Int { pictures.flightVersion }

  /// Grows when pictures become ready.
  public var thumbnailVersion: Int { pictures.aspectVersion }

  /// What the order of a flight, or of the next one, is found from.
  public var flightOrderRequest: FlightOrderRequest { pictures.flightOrderRequest }

  /// The pictures of a flight, or of the next one.
  public var flightOrder: FlightOrder { flightOrderRequest.made() }

  /// The pictures of a flight are brought to the screen in so many parts, which may be done at the same time.
  public var flightParts: Int { FlightTiles(slots: pictures.flight.ranks.count).count }

  /// Brings a part of the pictures of a flight to the screen.
  /// - Parameters:
  ///   - rect: What is seen of the window, in device pixels, within its first 32,766 columns and rows.
  ///   - screen: Has room for all pictures, those of other parts too.
  public func projectFlight(part: Int, in rect: PixelRect, to screen: FlightOnScreen) {
    pictures.project(
      part, of: FlightTiles(slots: pictures.flight.ranks.count), in: rect, projection, selection: selection,
      to: screen)
  }
}
