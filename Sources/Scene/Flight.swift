public import Geometry

/// Many pictures on their way, the topmost first: numbers of one kind next to one another, so that eight pictures at a time
/// are brought to the screen.
struct FlightList: Sendable {
  typealias Block = SIMD8<Float>

  /// Eight pictures: the ends of their ways (`LayoutMotion`), in layout units, and width / height, negative until a picture is
  /// ready.
  private struct Lanes {
    var targetX = Block(), targetY = Block()
    var startX = Block(), startY = Block()
    var departureX = Block(), departureY = Block()
    var signedAspects = Block()

    static let blocks = MemoryLayout<Lanes>.stride / MemoryLayout<Block>.stride

    @inline(__always)
    func places(_ progress: LayoutMotion.Progress) -> (x: Block, y: Block) {
      let (left, stillToFly) = (Block(repeating: 1 - progress.even), Block(repeating: 1 - progress.flown))
      let x = targetX - (targetX - startX) * left
      let y = targetY - (targetY - startY) * left
      return (x - (x - departureX) * stillToFly, y - (y - departureY) * stillToFly)
    }
  }

  private(set) var slots: [Int32] = []
  /// In whole blocks; what is too many lies where the last one does.
  private var lanes: [Lanes] = []
  /// How far they have come.
  var progress = LayoutMotion.Progress(even: 1, flown: 1)

  /// Lists these pictures, in this order; where they are, and their shapes, is to be taken next.
  mutating func list(_ slots: ArraySlice<Int32>) {
    self.slots = Array(slots)
    let count = (slots.count + Block.scalarCount - 1) / Block.scalarCount
    if lanes.count != count { lanes = Array(repeating: Lanes(), count: count) }
  }

  /// Takes over the ways of the pictures, by slot.
  mutating func take(_ motion: LayoutMotion) {
    let ends = motion.ends
    ends.targets.withUnsafeBufferPointer { targets in
      ends.starts.withUnsafeBufferPointer { starts in
        ends.departures.withUnsafeBufferPointer { departures in
          fill { numbers, slot in
            let (target, start, departure) = (targets[slot], starts[slot], departures[slot])
            let count = Block.scalarCount
            numbers[0] = target.x
            numbers[count] = target.y
            numbers[2 * count] = start.x
            numbers[3 * count] = start.y
            numbers[4 * count] = departure.x
            numbers[5 * count] = departure.y
          }
        }
      }
    }
  }

  /// Takes over their shapes, by slot.
  mutating func take(signedAspects: [Float]) {
    signedAspects.withUnsafeBufferPointer { signedAspects in
      fill { numbers, slot in numbers[6 * Block.scalarCount] = signedAspects[slot] }
    }
  }

  /// Calls `body` for every picture with its numbers, each of which is the first of a block, and its slot.
  @inline(__always)
  private mutating func fill(_ body: (_ numbers: UnsafeMutablePointer<Float>, _ slot: Int) -> Void) {
    let last = slots.count - 1
    lanes.withUnsafeMutableBytes { bytes in
      slots.withUnsafeBufferPointer { slots in
        guard last >= 0, let numbers = bytes.bindMemory(to: Float.self).baseAddress else { return }
        var block = numbers
        var rank = 0
        while rank <= last {
          for lane in 0..<Block.scalarCount { body(block + lane, Int(slots[min(last, rank &+ lane)])) }
          rank &+= Block.scalarCount
          block += Lanes.blocks * Block.scalarCount
        }
      }
    }
  }

  /// What their middles cover, in layout units.
  var bounds: Rect {
    guard !slots.isEmpty else { return .zero }
    var (lowX, lowY) = (Block(repeating: .infinity), Block(repeating: .infinity))
    var (highX, highY) = (-lowX, -lowY)
    for block in lanes {
      let (x, y) = block.places(progress)
      lowX.replace(with: x, where: x .< lowX)
      lowY.replace(with: y, where: y .< lowY)
      highX.replace(with: x, where: x .> highX)
      highY.replace(with: y, where: y .> highY)
    }
    let (x, y) = (Double(lowX.min()), Double(lowY.min()))
    return Rect(x: x, y: y, width: Double(highX.max()) - x, height: Double(highY.max()) - y)
  }

  /// The ranks of a part of the pictures; the parts are about as large as one another, the last of them the topmost.
  func ranks(ofPart part: Int, of parts: Int) -> Range<Int> {
    let blocks = blocks(ofPart: part, of: parts)
    return min(
      slots.count, blocks.lowerBound * Block.scalarCount)..<min(slots.count, blocks.upperBound * Block.scalarCount)
  }

  private func blocks(ofPart part: Int, of parts: Int) -> Range<Int> {
    lanes.count * (parts - 1 - part) / parts..<lanes.count * (parts - part) / parts
  }

  /// Calls `body` with the pictures that are wanted and meet `rect`, the topmost last.
  @inline(__always)
  func each(
    in rect: PixelRect, _ projection: Projection, where isWanted: (Int32) -> Bool, _ body: (Sprite) -> Void
  ) {
    eachBlock(0..<lanes.count, in: rect, projection) { block, columns, rows, width, height, isReady, isSeen in
      eachLane(of: block, isSeen, where: isWanted) { lane, rank in
        body(
          Sprite(
            slot: slots[rank], x: columns[lane], y: rows[lane], width: width[lane], height: height[lane],
            isReady: isReady[lane]))
      }
    }
  }

  /// The same of a part of them, in few bytes.
  @inline(__always)
  func each(
    ofPart part: Int, of parts: Int, in rect: PixelRect, _ projection: Projection, where isWanted: (Int32) -> Bool,
    _ body: (FlyingSprite) -> Void
  ) {
    eachBlock(blocks(ofPart: part, of: parts), in: rect, projection) {
      block, columns, rows, width, height, isReady, isSeen in
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

  /// Calls `body` with eight pictures of these blocks at a time of which some meet `rect`, the topmost last: where they are
  /// and how large, in device pixels, and which of them meet it.
  @inline(__always)
  private func eachBlock(
    _ blocks: Range<Int>, in rect: PixelRect, _ projection: Projection,
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
    let progress = progress
    lanes.withUnsafeBufferPointer { lanes in
      var block = blocks.upperBound
      while block > blocks.lowerBound {
        block &-= 1
        let signed = lanes[block].signedAspects
        let aspect = signed.replacing(with: -signed, where: signed .< 0)
        let width = Self.rounded(side * aspect.replacing(with: one, where: aspect .> one), atLeast: 1)
        let height = Self.rounded(side / aspect.replacing(with: one, where: aspect .< one), atLeast: 1)
        let (x, y) = lanes[block].places(progress)
        let columns = Self.floor(x * scale) &+ offset.x &- width &>> 1
        let rows = Self.floor(y * scale) &+ offset.y &- height &>> 1
        let isSeen =
          (columns .< right) .& (columns &+ width .> left) .& (rows .< bottom) .& (rows &+ height .> top)
        if any(isSeen) { body(block, columns, rows, width, height, signed .> 0, isSeen) }
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
  /// with every frame, so nothing that finds them by their place would be of use for a second one. It lasts until the
  /// index of where they arrived has come (`SceneEffect.index`).
  public var isFlying: Bool { pictures.isFlying }

  /// Whether many pictures have just arrived where they are, and nothing has changed since: `collectFlight` has them still.
  public var hasLanded: Bool { pictures.hasLanded }

  /// What the index of pictures that have arrived is to be made of; nil where none is needed.
  public var indexRequest: IndexRequest? { pictures.indexRequest }

  /// Whether there are so many pictures that they fly when they move.
  public var mayFly: Bool { pictures.mayFly }

  /// Which pictures fly, or would: another number whenever they, or their order, are others.
  public var flightOrder: Int { pictures.flightOrder }

  /// Grows when pictures become ready.
  public var thumbnailVersion: Int { pictures.aspectVersion }

  /// The pictures of a flight, or of the next one, by their rank.
  public var flyingSlots: [Int32] { pictures.flyingSlots }

  /// Longer pictures have no room in a `FlyingSprite`.
  public static let longestFlyingSprite = 255

  /// The ranks of a part of the pictures of a flight: the parts are about as large as one another, and each is drawn over
  /// the one before.
  public func flyingRanks(ofPart part: Int, of parts: Int) -> Range<Int> {
    pictures.flying.ranks(ofPart: part, of: parts)
  }

  /// The pictures of a part of a flight that meet `rect` (device pixels; within the first 32,767 columns and rows of the
  /// window), in the order in which they are drawn, the topmost last. None may be longer than `longestFlyingSprite`.
  /// - Parameter sprites: Room for as many as the part has ranks.
  /// - Returns: How many there are, and how many of them are drawn before all that are selected: 0 where none is selected.
  public func collectFlight(
    part: Int = 0, of parts: Int = 1, in rect: PixelRect, into sprites: UnsafeMutableBufferPointer<FlyingSprite>
  ) -> (count: Int, dimmed: Int) {
    let projection = self.projection
    var count = 0
    guard !selection.isEmpty else {
      pictures.flying.each(ofPart: part, of: parts, in: rect, projection, where: { _ in true }) { sprite in
        sprites[count] = sprite
        count &+= 1
      }
      return (count, 0)
    }
    var dimmed = 0
    for isSelected in [false, true] {
      dimmed = count
      pictures.flying.each(
        ofPart: part, of: parts, in: rect, projection, where: { selection.contains(Int($0)) == isSelected }
      ) { sprite in
        sprites[count] = sprite
        count &+= 1
      }
    }
    return (count, dimmed)
  }
}
