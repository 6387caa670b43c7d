public import Geometry

/// A picture on the screen.
public struct Sprite: Hashable, Sendable {
  /// Which picture.
  public var slot: Int32
  /// Left column and top row, in device pixels of the window.
  public var x, y: Int32
  /// Extent in device pixels, at least 1 × 1.
  public var width, height: Int32
  /// Whether its thumbnail can be drawn; otherwise a placeholder is.
  public var isReady: Bool

  init(slot: Int32, x: Int32, y: Int32, width: Int32, height: Int32, isReady: Bool) {
    self.slot = slot
    self.x = x
    self.y = y
    self.width = width
    self.height = height
    self.isReady = isReady
  }

  /// A picture that covers `rect` of the window.
  public init(slot: Int, rect: PixelRect, isReady: Bool = true) {
    self.init(
      slot: Int32(slot), x: Int32(clamping: rect.x), y: Int32(clamping: rect.y), width: Int32(clamping: rect.width),
      height: Int32(clamping: rect.height), isReady: isReady)
  }

  /// The pixels it covers.
  public var rect: PixelRect { PixelRect(x: Int(x), y: Int(y), width: Int(width), height: Int(height)) }
}

/// The constants of a frame that bring a picture from the layout to the screen.
///
/// The camera's offset is rounded to whole pixels after scaling: a pan then moves every picture by the same number of
/// pixels, so that nothing shimmers and what was drawn can be moved instead of drawn anew.
struct Projection: Sendable {
  /// Device pixels per layout unit.
  let scale: Double
  /// What is added to a scaled, rounded coordinate.
  let offsetX, offsetY: Int
  /// Longest side of a picture in device pixels.
  let side: Int

  init(camera: Camera, side: Int) {
    scale = camera.scale
    let origin = camera.toScreen(Point.zero)
    // Far away, at a scale no camera takes, the offset must still be a number that can be added to.
    offsetX = Int(min(1e15, max(-1e15, origin.x.rounded())))
    offsetY = Int(min(1e15, max(-1e15, origin.y.rounded())))
    self.side = side
  }

  /// Extent of a picture, in device pixels.
  @inline(__always)
  func extent(aspect: Float) -> (width: Int, height: Int) {
    // Positive numbers: cutting off after adding a half is rounding.
    if aspect > 1 { return (side, max(1, Int(Float(side) / aspect + 0.5))) }
    if aspect < 1 { return (max(1, Int(Float(side) * aspect + 0.5)), side) }
    return (side, side)
  }

  /// Where the middle of a picture is, in device pixels.
  @inline(__always)
  func middle(x: Float, y: Float) -> (x: Int, y: Int) {
    (Self.floor(Double(x) * scale) &+ offsetX, Self.floor(Double(y) * scale) &+ offsetY)
  }

  /// Rounds down without a call of the C library, which the oldest processors need for it.
  @inline(__always)
  private static func floor(_ value: Double) -> Int {
    let cut = Int(value)
    return Double(cut) > value ? cut &- 1 : cut
  }

  @inline(__always)
  func sprite(_ slot: Int32, x: Float, y: Float, aspect: Float, isReady: Bool) -> Sprite {
    let (width, height) = extent(aspect: aspect)
    let middle = middle(x: x, y: y)
    return Sprite(
      slot: slot, x: Int32(clamping: middle.x &- width / 2), y: Int32(clamping: middle.y &- height / 2),
      width: Int32(truncatingIfNeeded: width), height: Int32(truncatingIfNeeded: height), isReady: isReady)
  }
}

extension Scene {
  /// How many layers of pictures may lie on one another before those beneath are no longer drawn. Depends on nothing but
  /// the count, so that zooming in only ever adds pictures. Small collections are drawn whole but for absurd heaps.
  static func overdrawLimit(count: Int) -> Double {
    max(4, 30 * (2000 / Double(max(1, count))).squareRoot())
  }

  /// Up to this many pictures are drawn strictly in the order of their priority wherever they are, so that no two of them
  /// change places while the layout moves; above it cell by cell, which memory likes better.
  static let strictOrderLimit = 20_000

  /// The pictures that are drawn and meet `rect` (device pixels), in the order in which they are drawn: the topmost last,
  /// the selected ones after all others. What is drawn does not depend on `rect`, which may reach beyond the viewport.
  public func collectSprites(in rect: PixelRect, into sprites: inout [Sprite]) {
    sprites.removeAll(keepingCapacity: true)
    if selection.isEmpty {
      collect(in: rect, isFiltered: false, { _ in true }, into: &sprites)
      return
    }
    // A selected picture is seen wherever it lies: the others leave it its room.
    collect(in: rect, isFiltered: true, { !selection.contains(Int($0)) }, into: &sprites)
    var selected: [Sprite] = []
    collect(in: rect, isFiltered: true, { selection.contains(Int($0)) }, into: &selected)
    sprites += selected
  }

  /// Of the pictures that are wanted, those that are drawn and meet `rect`.
  @inline(__always)
  private func collect(
    in rect: PixelRect, isFiltered: Bool, _ isWanted: (Int32) -> Bool, into sprites: inout [Sprite]
  ) {
    if pictures.isFlying {
      pictures.eachFlying(in: rect, projection, where: isWanted) { sprites.append($0) }
      Self.orderByPriority(&sprites, slots: pictures.count)
      return
    }
    guard !rect.isEmpty, !pictures.grid.items.isEmpty else { return }
    let projection = self.projection
    let reach = (Double(projection.side) / 2 + 2) / projection.scale
    let area = camera.toLayout(Rect(rect)).insetBy(-reach)
    let grid = pictures.grid
    let (columns, rows) = grid.cells(meeting: area)
    guard !columns.isEmpty, !rows.isEmpty else { return }

    // The side as it is, not rounded to pixels: this number must never fall while the scale grows.
    let cellShare = grid.cellSide * projection.scale / spriteSide(at: projection.scale)
    let perCell = max(1, Self.overdrawLimit(count: grid.items.count) * cellShare * cellShare)
    let whole = Int(min(perCell, 1e9))
    let part = UInt32((perCell - Double(whole)) * 65536)

    let half = projection.side / 2 + 1
    let (left, right) = (rect.x - half, rect.maxX + half)
    let (top, bottom) = (rect.y - half, rect.maxY + half)
    grid.starts.withUnsafeBufferPointer { starts in
      grid.items.withUnsafeBufferPointer { items in
        for row in rows {
          for column in columns {
            let cell = row &* grid.columns &+ column
            let first = Int(starts[cell])
            let end = Int(starts[cell &+ 1])
            var room = whole
            if end &- first > whole {
              let hash = Self.cellHash(column: column &+ grid.firstColumn, row: row &+ grid.firstRow)
              if hash < part { room &+= 1 }
            }
            var last = first
            if isFiltered {
              // As many of the wanted ones as there is room for.
              while last < end, room > 0 {
                if isWanted(items[last].slot) { room &-= 1 }
                last &+= 1
              }
            } else {
              last = min(end, first &+ room)
            }
            var index = last
            while index > first {
              index &-= 1
              let item = items[index]
              if isFiltered, !isWanted(item.slot) { continue }
              let middle = projection.middle(x: item.x, y: item.y)
              // Most of those in the outer cells are nowhere near.
              if middle.x < left || middle.x > right || middle.y < top || middle.y > bottom { continue }
              let sprite = projection.sprite(
                item.slot, x: item.x, y: item.y, aspect: item.aspect, isReady: item.isReady)
              if Int(sprite.x) < rect.maxX, Int(sprite.y) < rect.maxY,
                Int(sprite.x &+ sprite.width) > rect.x, Int(sprite.y &+ sprite.height) > rect.y
              {
                sprites.append(sprite)
              }
            }
          }
        }
      }
    }
    if grid.items.count <= Self.strictOrderLimit {
      Self.orderByPriority(&sprites, slots: pictures.count)
    }
  }

  /// A number below 65536 that belongs to a cell of the lattice.
  @inline(__always)
  private static func cellHash(column: Int, row: Int) -> UInt32 {
    var v = UInt64(bitPattern: Int64(column)) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(bitPattern: Int64(row))
    v = (v ^ (v >> 31)) &* 0xBF58_476D_1CE4_E5B9
    return UInt32(truncatingIfNeeded: v >> 48)
  }

  /// Sorts by priority, the topmost last, in time proportional to the number of slots: reversed bits are a permutation.
  private static func orderByPriority(_ sprites: inout [Sprite], slots: Int) {
    guard sprites.count > 1 else { return }
    if sprites.count < max(64, slots / 16) {
      sprites.sort { SpatialGrid.priority($0.slot) > SpatialGrid.priority($1.slot) }
      return
    }
    let bits = max(1, Int.bitWidth - (slots - 1).leadingZeroBitCount)
    let sorted = [Sprite](unsafeUninitializedCapacity: sprites.count) { buffer, count in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1 << bits) { ranks in
        ranks.initialize(repeating: -1)
        for index in sprites.indices {
          ranks[Int(SpatialGrid.priority(sprites[index].slot) >> UInt32(32 - bits))] = Int32(index)
        }
        for rank in stride(from: (1 << bits) - 1, through: 0, by: -1) where ranks[rank] >= 0 {
          buffer[count] = sprites[Int(ranks[rank])]
          count += 1
        }
      }
    }
    sprites = sorted
  }

  /// The topmost picture that is drawn at a point of the window (device pixels).
  public func picture(at point: Point) -> Int? {
    guard Rect(camera.viewport).contains(point) else { return nil }
    let column = Int(point.x.rounded(.down))
    let row = Int(point.y.rounded(.down))
    var sprites: [Sprite] = []
    collectSprites(in: PixelRect(x: column, y: row, width: 1, height: 1), into: &sprites)
    return sprites.last.map { Int($0.slot) }
  }

  /// Where a picture would be drawn, in device pixels of the window, whether it is seen or not; nil without a place.
  public func spriteRect(of slot: Int) -> PixelRect? {
    guard pictures.isPlaced(slot) else { return nil }
    let place = pictures.place(slot)
    return projection.sprite(
      Int32(slot), x: place.x, y: place.y, aspect: pictures.aspect(slot), isReady: true
    ).rect
  }

  /// How many pictures are drawn in the viewport now.
  public var visibleCount: Int {
    var sprites: [Sprite] = []
    collectSprites(in: camera.viewport, into: &sprites)
    return sprites.count
  }

  /// The constants that the present camera and sizes give.
  var projection: Projection { Projection(camera: camera, side: spriteSide) }

  /// Offset in device pixels, beyond what the scale decides, of everything drawn: two frames of one `contentVersion` and
  /// one scale differ by the difference of these alone.
  public var pixelOffset: (x: Int, y: Int) {
    let projection = self.projection
    return (projection.offsetX, projection.offsetY)
  }
}
