import Atlas
import Geometry
import Scene

/// What the pictures of a flight are to be drawn from: to be made away from the main thread.
public struct FlightPicturesRequest: Sendable {
  let key: FlightPictures.Key
  let order: FlightOrderRequest
  let atlas: Atlas

  /// Reads the smallest level of all of them and copies it. Blocking: it may wait for the disk.
  public func made() -> FlightPictures {
    let order = order.made()
    atlas.prefetch(slots: order.ranks.indices.filter { order.ranks[$0] >= 0 }, level: 0)
    return FlightPictures(key, order, atlas)
  }
}

/// The pictures of a flight as they are drawn on their way: the smallest level of each thumbnail, next to one another in
/// the order in which they are drawn. A hundred thousand pictures that lie anywhere in memory cannot be fetched from there
/// sixty times a second; read in a row, they can.
public final class FlightPictures: Sendable {
  /// Larger pictures are drawn from their levels: so many of those do not fit on a screen.
  static let largestSide = 12

  /// Pictures of so many columns are drawn faster.
  static let narrow = 4

  /// Pixels of one picture at most: the smallest level.
  private let pixelsPerPicture = thumbnailLevels[0] * thumbnailLevels[0]

  /// What is known of a picture's pixels.
  struct Cell {
    var width: UInt8 = 0
    var height: UInt8 = 0
    var isOpaque = true
    /// Whether it needs a tile to be told from the background.
    var needsTile = false
    /// Whether there are any; otherwise the atlas did not have the picture.
    var isFilled: Bool { width > 0 }
  }

  /// What the pictures depend on.
  struct Key: Equatable, Sendable {
    /// Which pictures fly, in what order.
    var flight: Int
    /// Which of them are ready, and what they look like.
    var thumbnails: Int
    var atlas: ObjectIdentifier
    var background: UInt32
  }

  /// Nil where there are none.
  let key: Key?
  /// By slot; negative for those that do not fly.
  private let ranks: [Int32]
  // These are written in `init` alone, and freed in `deinit`.
  private nonisolated(unsafe) let cells: UnsafeMutablePointer<Cell>
  private nonisolated(unsafe) let pixels: UnsafeMutablePointer<UInt32>
  private nonisolated(unsafe) let onePixels: UnsafeMutablePointer<UInt32>
  private nonisolated(unsafe) let twoPixels: UnsafeMutablePointer<TwoPixels>
  private let nearest = NearestPixels.shared

  /// No pictures.
  init() {
    key = nil
    ranks = []
    cells = .allocate(capacity: 0)
    pixels = .allocate(capacity: Self.narrow)
    onePixels = .allocate(capacity: 0)
    twoPixels = .allocate(capacity: 0)
  }

  /// Copies the pictures, in the order in which they lie in the atlas. Those whose level is not in memory are of their
  /// average colour.
  fileprivate init(_ key: Key, _ order: FlightOrder, _ atlas: Atlas) {
    self.key = key
    ranks = order.ranks
    let count = order.slots.count
    cells = .allocate(capacity: count)
    // Of the last one too, as many are read as a narrow picture could have.
    pixels = .allocate(capacity: count * pixelsPerPicture + Self.narrow)
    onePixels = .allocate(capacity: count)
    onePixels.initialize(repeating: 0, count: count)
    twoPixels = .allocate(capacity: count)
    twoPixels.initialize(repeating: TwoPixels(), count: count)
    cells.initialize(repeating: Cell(), count: count)
    for (slot, rank) in order.ranks.enumerated() where rank >= 0 {
      guard let isOpaque = atlas.isOpaque(slot) else { continue }
      let target = pixels + Int(rank) * pixelsPerPicture
      let average = atlas.averageColor(slot)
      guard atlas.isResident(slot, level: 0), let level = atlas.level(0, of: slot) else {
        target.pointee = average
        cells[Int(rank)] = Cell(width: 1, height: 1, isOpaque: isOpaque)
        if isOpaque { onePixels[Int(rank)] = average }
        continue
      }
      target.update(from: level.pixels, count: level.width * level.height)
      let middle = level.pixels[level.height / 2 * level.width + level.width / 2]
      if middle >> 24 == 0xFF { onePixels[Int(rank)] = middle }
      if let info = atlas.info(slot) {
        twoPixels[Int(rank)] = TwoPixels(level, aspect: Double(info.width) / Double(max(1, info.height)))
      }
      cells[Int(rank)] = Cell(
        width: UInt8(level.width), height: UInt8(level.height), isOpaque: isOpaque,
        needsTile: !isOpaque && Contrast.vanishes(average, on: key.background))
    }
  }

  deinit {
    cells.deallocate()
    pixels.deallocate()
    onePixels.deallocate()
    twoPixels.deallocate()
  }

  /// Whether a frame of this scene is drawn from such pictures.
  static func serves(_ scene: borrowing Scene, _ quality: Scene.Quality) -> Bool {
    // Of the place where they have just landed, this is the draft, in which nothing jumps.
    scene.spriteSide <= largestSide && (scene.isFlying || (scene.hasLanded && quality == .draft))
  }

  /// The number of a picture here; negative for none.
  @inline(__always)
  func number(of slot: Int32) -> Int { Int(slot) < ranks.count ? Int(ranks[Int(slot)]) : -1 }

  /// What is known of a picture.
  @inline(__always)
  func cell(_ number: Int) -> Cell { cells[number] }

  /// Brings what a picture is drawn from into the processor's cache.
  @inline(__always)
  func firstPixel(_ number: Int) -> UInt32 { pixels[number &* pixelsPerPicture] }

  /// The same of all that is known of it.
  @inline(__always)
  func readAhead(_ number: Int) -> UInt32 { firstPixel(number) ^ UInt32(cells[number].width) }

  /// What a picture is that is one pixel large; 0 where it lets something through, or there is none.
  @inline(__always)
  func onePixel(_ number: Int) -> UInt32 { onePixels[number] }

  /// Draws what can be seen of a picture that is two pixels large: of both rows, a bit for each column.
  /// - Returns: False where it lets something through, or there is none of this size: nothing is drawn then.
  @inline(__always)
  func drawTwo(
    _ number: Int, x: Int, width: Int, y: Int, height: Int, seen: (UInt64, UInt64), _ blitter: Blitter
  ) -> Bool {
    let two = twoPixels[number]
    guard two.size == TwoPixels.size(width: width, height: height) else { return false }
    let out = UnsafeMutableRawPointer(blitter.target + (y &* blitter.stride &+ x))
    TwoPixels.draw(two.first, seen.0, out)
    TwoPixels.draw(two.second, seen.1, out + blitter.stride &* 4)
    return true
  }

  /// Draws what can be seen of an opaque picture whose cell is filled, and hides what is beneath it.
  @inline(__always)
  func draw(
    _ number: Int, _ cell: Cell, _ rect: PixelRect, clip: PixelRect, _ coverage: inout Coverage, _ blitter: Blitter
  ) {
    let source = pixels + number &* pixelsPerPicture
    let columns = nearest.pixels(source: Int(cell.width), target: rect.width) + (clip.x &- rect.x)
    let rows = nearest.pixels(source: Int(cell.height), target: rect.height)
    coverage.hide(x: clip.x, width: clip.width, top: clip.y, end: clip.maxY) { row, seen in
      let line = source + Int(rows[row &- rect.y]) &* Int(cell.width)
      let out = blitter.target + (row &* blitter.stride &+ clip.x)
      var seen = seen
      while seen != 0 {
        let column = seen.trailingZeroBitCount
        out[column] = line[Int(columns[column])]
        seen &= seen &- 1
      }
    }
  }

  /// The same of a picture of at most `narrow` columns that are all inside of the rectangle that is drawn, and so many from
  /// its first one on, from row `top` to before `end`.
  @inline(__always)
  func drawNarrow(
    _ number: Int, _ cell: Cell, _ rect: PixelRect, top: Int, end: Int, _ coverage: inout Coverage, _ blitter: Blitter
  ) {
    let source = pixels + number &* pixelsPerPicture
    let columns = nearest.pixels(source: Int(cell.width), target: rect.width)
    let rows = nearest.pixels(source: Int(cell.height), target: rect.height) - rect.y
    let offsets = (Int(columns[0]), Int(columns[1]), Int(columns[2]), Int(columns[3]))
    coverage.hide(x: rect.x, width: rect.width, top: top, end: end) { row, seen in
      let line = source + Int(rows[row]) &* Int(cell.width)
      let out = UnsafeMutableRawPointer(blitter.target + (row &* blitter.stride &+ rect.x))
      // Those that are not seen stay as they are.
      let lanes = SIMD4<UInt32>(repeating: UInt32(truncatingIfNeeded: seen)) & SIMD4(1, 2, 4, 8)
      let wanted = SIMD4(line[offsets.0], line[offsets.1], line[offsets.2], line[offsets.3])
      let present = out.loadUnaligned(as: SIMD4<UInt32>.self)
      out.storeBytes(of: present.replacing(with: wanted, where: lanes .!= 0), as: SIMD4<UInt32>.self)
    }
  }

  /// Draws what can be seen of a picture whose cell is filled: of each row from the top of `clip`, a bit for each column.
  func draw(
    _ number: Int, _ rect: PixelRect, clip: PixelRect, seen: Coverage.SeenRows, background: UInt32, blitter: Blitter
  ) {
    let cell = cells[number]
    let source = pixels + number &* pixelsPerPicture
    let columns = nearest.pixels(source: Int(cell.width), target: rect.width) + (clip.x &- rect.x)
    let rows = nearest.pixels(source: Int(cell.height), target: rect.height)
    let tile = cell.needsTile ? Contrast.tile(on: background) : nil
    for row in 0..<clip.height {
      let line = source + Int(rows[clip.y &+ row &- rect.y]) &* Int(cell.width)
      let out = blitter.target + ((clip.y &+ row) &* blitter.stride &+ clip.x)
      var bits = seen[row]
      while bits != 0 {
        let column = bits.trailingZeroBitCount
        out[column] = Blitter.over(line[Int(columns[column])], tile ?? out[column])
        bits &= bits &- 1
      }
    }
  }

  /// Draws a picture whose cell is filled.
  @inline(__always)
  func draw(_ number: Int, _ cell: Cell, _ rect: PixelRect, clip: PixelRect, background: UInt32, blitter: Blitter) {
    if cell.needsTile { blitter.fill(clip, Contrast.tile(on: background)) }
    let source = pixels + number &* pixelsPerPicture
    let (width, height) = (Int(cell.width), Int(cell.height))
    let columns = nearest.pixels(source: width, target: rect.width) + (clip.x &- rect.x)
    let rows = nearest.pixels(source: height, target: rect.height)
    var row = clip.y
    while row < clip.maxY {
      let line = source + Int(rows[row &- rect.y]) &* width
      let out = blitter.target + (row &* blitter.stride &+ clip.x)
      var column = 0
      if cell.isOpaque {
        while column < clip.width {
          out[column] = line[Int(columns[column])]
          column &+= 1
        }
      } else {
        while column < clip.width {
          out[column] = Blitter.over(line[Int(columns[column])], out[column])
          column &+= 1
        }
      }
      row &+= 1
    }
  }
}

/// What a picture looks like that is two pixels large.
private struct TwoPixels {
  /// Of each row, two pixels, all opaque: the alpha of the very first one makes room for the size.
  private var rows: (UInt64, UInt64) = (0, 0)

  private static let alpha: UInt64 = 0xFF00_0000

  /// None, or one that lets something through.
  init() {}

  /// Where it has all its pixels, they are the nearest ones of a level of a picture of this aspect.
  init(_ level: LevelPixels, aspect: Double) {
    let (width, height) = (aspect < 0.75 ? 1 : 2, aspect * 0.75 > 1 ? 1 : 2)
    func row(_ y: Int) -> UInt64 {
      let line = level.pixels + (2 * y + 1) * level.height / (2 * height) * level.width
      let (first, last) = (line[level.width / (2 * width)], line[(2 * width - 1) * level.width / (2 * width)])
      return UInt64(first) | UInt64(last) << 32
    }
    let (first, second) = (row(0), row(height - 1))
    let both = Self.alpha | Self.alpha << 32
    guard first & second & both == both else { return }
    rows = (first & ~Self.alpha | Self.size(width: width, height: height), second)
  }

  /// A size, as a number that is not 0.
  @inline(__always)
  static func size(width: Int, height: Int) -> UInt64 { UInt64(width &* 4 &+ height) &<< 24 }

  /// The size; 0 where there are no pixels.
  @inline(__always)
  var size: UInt64 { rows.0 & Self.alpha }
  @inline(__always)
  var first: UInt64 { rows.0 | Self.alpha }
  @inline(__always)
  var second: UInt64 { rows.1 }

  /// Draws what is seen of a row.
  @inline(__always)
  static func draw(_ row: UInt64, _ seen: UInt64, _ out: UnsafeMutableRawPointer) {
    // Those that are not seen stay as they are.
    let mask = (0 &- (seen & 1)) & 0xFFFF_FFFF | (0 &- (seen &>> 1)) &<< 32
    let present = out.loadUnaligned(as: UInt64.self)
    out.storeBytes(of: present ^ (present ^ row) & mask, as: UInt64.self)
  }
}

/// For every length of a smallest level and every length that it is drawn with, the source pixel of each target pixel.
private final class NearestPixels: Sendable {
  static let shared = NearestPixels()

  private static var lengths: Int { FlightPictures.largestSide + 1 }
  // Written in `init` alone; there is one of them, for as long as the program runs.
  private nonisolated(unsafe) let table: UnsafeMutablePointer<UInt8>

  private init() {
    let side = thumbnailLevels[0]
    let count = (side + 1) * Self.lengths * Self.lengths
    table = .allocate(capacity: count)
    table.initialize(repeating: 0, count: count)
    for source in 0...side {
      for target in 1..<Self.lengths {
        for pixel in 0..<target {
          table[(source * Self.lengths + target) * Self.lengths + pixel] = UInt8(
            (2 * pixel + 1) * source / (2 * target))
        }
      }
    }
  }

  @inline(__always)
  func pixels(source: Int, target: Int) -> UnsafeMutablePointer<UInt8> {
    table + (source &* Self.lengths &+ target) &* Self.lengths
  }
}

/// The pictures of a flight by their rank.
struct FlightCells {
  /// In the order of their ranks.
  let slots: [Int32]
  /// They may be those of another order: then they lie elsewhere, and some are missing.
  let pictures: FlightPictures
  private let isInOrder: Bool

  init(slots: [Int32], pictures: FlightPictures, version: Int) {
    self.slots = slots
    self.pictures = pictures
    isInOrder = pictures.key?.flight == version
  }

  /// The number that `pictures` has for a rank; negative for none.
  @inline(__always)
  func number(_ rank: Int) -> Int { isInOrder ? rank : pictures.number(of: slots[rank]) }

  /// What is known of the picture of a rank.
  @inline(__always)
  func cell(_ rank: Int) -> FlightPictures.Cell {
    let number = number(rank)
    return number >= 0 ? pictures.cell(number) : FlightPictures.Cell()
  }
}
