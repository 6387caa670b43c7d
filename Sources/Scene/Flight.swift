public import Geometry

/// Many pictures on their way, the topmost first: numbers of one kind next to one another, so that eight pictures at a time
/// are brought to the screen.
struct FlightList: Sendable {
  typealias Block = SIMD8<Float>

  private(set) var slots: [Int32] = []
  /// Middles in layout units, and width / height, negative until a picture is ready. In whole blocks: what is too many lies
  /// nowhere.
  private var x: [Block] = []
  private var y: [Block] = []
  private var signedAspects: [Block] = []

  /// Takes over the places of these pictures, by slot, in this order.
  /// - Returns: What their middles cover, in layout units.
  mutating func take(_ slots: ArraySlice<Int32>, x: [Float], y: [Float], signedAspects: [Float]) -> Rect {
    guard !slots.isEmpty else {
      self = FlightList()
      return .zero
    }
    let blocks = (slots.count + Block.scalarCount - 1) / Block.scalarCount
    if self.x.count != blocks {
      self.x = Array(repeating: Block(), count: blocks)
      self.y = self.x
      self.signedAspects = self.x
    }
    self.slots = Array(slots)
    var low = SIMD2<Float>(repeating: .infinity)
    var high = -low
    self.x.withUnsafeMutableBytes { ownX in
      self.y.withUnsafeMutableBytes { ownY in
        self.signedAspects.withUnsafeMutableBytes { ownAspects in
          let (ownX, ownY) = (ownX.bindMemory(to: Float.self), ownY.bindMemory(to: Float.self))
          let ownAspects = ownAspects.bindMemory(to: Float.self)
          slots.withUnsafeBufferPointer { slots in
            x.withUnsafeBufferPointer { x in
              y.withUnsafeBufferPointer { y in
                signedAspects.withUnsafeBufferPointer { signedAspects in
                  for rank in 0..<slots.count {
                    let slot = Int(slots[rank])
                    let point = SIMD2(x[slot], y[slot])
                    low.replace(with: point, where: point .< low)
                    high.replace(with: point, where: point .> high)
                    ownX[rank] = point.x
                    ownY[rank] = point.y
                    ownAspects[rank] = signedAspects[slot]
                  }
                }
              }
            }
          }
          for rank in slots.count..<blocks * Block.scalarCount { ownX[rank] = .infinity }
        }
      }
    }
    return Rect(x: Double(low.x), y: Double(low.y), width: Double(high.x - low.x), height: Double(high.y - low.y))
  }

  /// Calls `body` with the pictures that are wanted and meet `rect`, the topmost last.
  @inline(__always)
  func each(
    in rect: PixelRect, _ projection: Projection, where isWanted: (Int32) -> Bool, _ body: (Sprite) -> Void
  ) {
    eachBlock(in: rect, projection) { block, columns, rows, width, height, isReady, isSeen in
      eachLane(of: block, isSeen, where: isWanted) { lane, rank in
        body(
          Sprite(
            slot: slots[rank], x: columns[lane], y: rows[lane], width: width[lane], height: height[lane],
            isReady: isReady[lane]))
      }
    }
  }

  /// The same, in few bytes.
  @inline(__always)
  func each(
    in rect: PixelRect, _ projection: Projection, where isWanted: (Int32) -> Bool, _ body: (FlyingSprite) -> Void
  ) {
    eachBlock(in: rect, projection) { block, columns, rows, width, height, isReady, isSeen in
      let low = SIMD8<Int32>(repeating: 0xFFFF)
      let places = columns & low | rows &<< 16
      var shapes = width | height &<< 8
      shapes.replace(with: shapes | SIMD8<Int32>(repeating: 1 << 16), where: isReady)
      eachLane(of: block, isSeen, where: isWanted) { lane, rank in
        body(
          FlyingSprite(
            place: UInt32(bitPattern: places[lane]), shape: UInt32(bitPattern: shapes[lane]),
            rank: Int32(truncatingIfNeeded: rank)))
      }
    }
  }

  /// Calls `body` with those of eight pictures that are seen and wanted, the topmost last.
  @inline(__always)
  private func eachLane(
    of block: Int, _ isSeen: SIMDMask<SIMD8<Int32>>, where isWanted: (Int32) -> Bool,
    _ body: (_ lane: Int, _ rank: Int) -> Void
  ) {
    var lane = Block.scalarCount
    while lane > 0 {
      lane &-= 1
      let rank = block &* Block.scalarCount &+ lane
      guard isSeen[lane], rank < slots.count, isWanted(slots[rank]) else { continue }
      body(lane, rank)
    }
  }

  /// Calls `body` with eight pictures at a time of which some meet `rect`, the topmost last: where they are and how large, in
  /// device pixels, and which of them meet it.
  @inline(__always)
  private func eachBlock(
    in rect: PixelRect, _ projection: Projection,
    _ body: (
      _ block: Int, _ columns: SIMD8<Int32>, _ rows: SIMD8<Int32>, _ width: SIMD8<Int32>, _ height: SIMD8<Int32>,
      _ isReady: SIMDMask<SIMD8<Int32>>, _ isSeen: SIMDMask<SIMD8<Int32>>
    ) -> Void
  ) {
    let scale = Block(repeating: Float(projection.scale))
    let offset = (
      x: SIMD8<Int32>(repeating: Int32(clamping: max(-Self.farthest, min(Self.farthest, projection.offsetX)))),
      y: SIMD8<Int32>(repeating: Int32(clamping: max(-Self.farthest, min(Self.farthest, projection.offsetY))))
    )
    let side = Block(repeating: Float(projection.side))
    let one = Block(repeating: 1)
    let (left, right) = (SIMD8<Int32>(repeating: Int32(rect.x)), SIMD8<Int32>(repeating: Int32(rect.maxX)))
    let (top, bottom) = (SIMD8<Int32>(repeating: Int32(rect.y)), SIMD8<Int32>(repeating: Int32(rect.maxY)))
    x.withUnsafeBufferPointer { x in
      y.withUnsafeBufferPointer { y in
        signedAspects.withUnsafeBufferPointer { signedAspects in
          var block = x.count
          while block > 0 {
            block &-= 1
            let signed = signedAspects[block]
            let aspect = signed.replacing(with: -signed, where: signed .< 0)
            let width = Self.rounded(side * aspect.replacing(with: one, where: aspect .> one), atLeast: 1)
            let height = Self.rounded(side / aspect.replacing(with: one, where: aspect .< one), atLeast: 1)
            let columns = Self.floor(x[block] * scale) &+ offset.x &- width &>> 1
            let rows = Self.floor(y[block] * scale) &+ offset.y &- height &>> 1
            let isSeen =
              (columns .< right) .& (columns &+ width .> left) .& (rows .< bottom) .& (rows &+ height .> top)
            if any(isSeen) { body(block, columns, rows, width, height, signed .> 0, isSeen) }
          }
        }
      }
    }
  }

  /// No picture that is seen lies farther from the origin, in device pixels.
  private static let farthest = 1 << 21

  /// Adding this number leaves an integer in the lowest bits of a number up to 2²².
  private static let magic = Block(repeating: 12_582_912)

  /// The nearest integers, of numbers up to `farthest`.
  @inline(__always)
  private static func nearest(_ value: Block) -> SIMD8<Int32> {
    let limit = Block(repeating: Float(farthest))
    var value = value.replacing(with: limit, where: value .> limit)
    value.replace(with: -limit, where: value .< -limit)
    return unsafeBitCast(value + magic, to: SIMD8<Int32>.self) &- unsafeBitCast(magic, to: SIMD8<Int32>.self)
  }

  @inline(__always)
  private static func floor(_ value: Block) -> SIMD8<Int32> { nearest(value - Block(repeating: 0.5)) }

  @inline(__always)
  private static func rounded(_ value: Block, atLeast least: Int32) -> SIMD8<Int32> {
    // Half a pixel is rounded up, as it is elsewhere, and not to an even number.
    let result = nearest(value + Block(repeating: 0x1p-12))
    let least = SIMD8<Int32>(repeating: least)
    return result.replacing(with: least, where: result .< least)
  }
}

/// A small picture on a flight, in few bytes: there are many of them, and they are sorted anew for every frame.
public struct FlyingSprite: Sendable {
  /// Left column in the lower half, top row in the upper one, in device pixels of the window; both signed.
  var place: UInt32
  /// Width in the lowest byte, height in the second; the third is 1 for a picture that is ready.
  var shape: UInt32
  /// Its place in `Scene.flyingSlots`.
  public var rank: Int32

  /// The pixels it covers.
  @inline(__always)
  public var rect: PixelRect {
    PixelRect(
      x: Int(Int16(truncatingIfNeeded: place)), y: Int(Int16(truncatingIfNeeded: place >> 16)),
      width: Int(shape & 0xFF), height: Int(shape >> 8 & 0xFF))
  }
  /// The first and the last row it covers.
  @inline(__always)
  public var rows: (first: Int, last: Int) {
    let top = Int(Int16(truncatingIfNeeded: place >> 16))
    return (top, top &+ Int(shape >> 8 & 0xFF) &- 1)
  }
  /// Whether its thumbnail can be drawn; otherwise a placeholder is.
  @inline(__always)
  public var isReady: Bool { shape >> 16 != 0 }
}

extension Scene {
  /// Whether so many pictures are moving that a frame of them is to be drawn from `collectFlight`: they change their places
  /// with every frame, so nothing that finds them by their place would be of use for a second one.
  public var isFlying: Bool { pictures.isFlying }

  /// Whether many pictures have just arrived where they are, and nothing has changed since: `collectFlight` has them still.
  public var hasLanded: Bool { pictures.hasLanded }

  /// Which pictures are flying: another number whenever they, or their order, are others.
  public var flightOrder: Int { pictures.flightOrder }

  /// The pictures of a flight by their rank.
  public var flyingSlots: [Int32] { pictures.flying.slots }

  /// Longer pictures have no room in a `FlyingSprite`.
  public static let longestFlyingSprite = 255

  /// The pictures of a flight that meet `rect` (device pixels; within the first 32,767 columns and rows of the window), in
  /// the order in which they are drawn, the topmost last. None may be longer than `longestFlyingSprite`.
  /// - Parameter sprites: Room for as many as there are in `flyingSlots`.
  /// - Returns: How many there are, and how many of them are drawn before all that are selected: 0 where none is selected.
  public func collectFlight(
    in rect: PixelRect, into sprites: UnsafeMutableBufferPointer<FlyingSprite>
  ) -> (count: Int, dimmed: Int) {
    let projection = self.projection
    var count = 0
    guard !selection.isEmpty else {
      pictures.flying.each(in: rect, projection, where: { _ in true }) { sprite in
        sprites[count] = sprite
        count &+= 1
      }
      return (count, 0)
    }
    var dimmed = 0
    for isSelected in [false, true] {
      dimmed = count
      pictures.flying.each(in: rect, projection, where: { selection.contains(Int($0)) == isSelected }) { sprite in
        sprites[count] = sprite
        count &+= 1
      }
    }
    return (count, dimmed)
  }
}
