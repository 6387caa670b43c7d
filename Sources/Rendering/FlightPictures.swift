import Atlas
import Dispatch
import Geometry
import Scene

/// The pictures of a flight as they are drawn on their way: the smallest level of each thumbnail, next to one another in
/// the order in which they are drawn. A hundred thousand pictures that lie anywhere in memory cannot be fetched from there
/// sixty times a second; read in a row, they can.
final class FlightPictures {
  /// Larger pictures are drawn from their levels: so many of those do not fit on a screen.
  static let largestSide = 12

  /// Pixels of one picture at most: the smallest level.
  private static let pixelsPerPicture = thumbnailLevels[0] * thumbnailLevels[0]
  private static let picturesPerTask = 4096
  /// Pictures that are copied for one frame; the others are seen in their average colour until then.
  private static let picturesPerFrame = 40_960

  /// What is known of a picture's pixels.
  struct Cell {
    var width: UInt8 = 0
    var height: UInt8 = 0
    var isOpaque = true
    /// Whether it needs a tile to be told from the background.
    var needsTile = false
    /// Whether there are any; otherwise the picture was not ready, or not in memory.
    var isFilled: Bool { width > 0 }
  }

  private struct Key: Equatable {
    var order: Int
    var count: Int
    var atlas: ObjectIdentifier
    var background: UInt32
  }

  private var key: Key?
  /// By rank.
  private(set) var slots: [Int32] = []
  private var cells: UnsafeMutablePointer<Cell> = .allocate(capacity: 0)
  private var pixels: UnsafeMutablePointer<UInt32> = .allocate(capacity: 0)
  private var capacity = 0
  /// Those of lower ranks have been looked for.
  private var looked = 0
  /// For every source and target length, the source pixel of each target pixel.
  private let nearest: UnsafeMutablePointer<UInt8>
  private static let lengths = largestSide + 1

  init() {
    let side = thumbnailLevels[0]
    nearest = .allocate(capacity: (side + 1) * Self.lengths * Self.lengths)
    for source in 0...side {
      for target in 1...Self.largestSide {
        for pixel in 0..<target {
          nearest[(source * Self.lengths + target) * Self.lengths + pixel] = UInt8(
            (2 * pixel + 1) * source / (2 * target))
        }
      }
    }
  }

  deinit {
    cells.deallocate()
    pixels.deallocate()
    nearest.deallocate()
  }

  /// Whether a frame of this scene is drawn from here.
  static func serves(_ scene: borrowing Scene, _ quality: Scene.Quality) -> Bool {
    // Of the place where they have just landed, this is the draft, in which nothing jumps.
    scene.spriteSide <= largestSide && (scene.isFlying || (scene.hasLanded && quality == .draft))
  }

  /// Forgets the pictures: they have been replaced, or have arrived.
  func forget() {
    key = nil
    slots = []
    guard capacity > 0 else { return }
    cells.deallocate()
    pixels.deallocate()
    (cells, pixels, capacity) = (.allocate(capacity: 0), .allocate(capacity: 0), 0)
  }

  /// What the threads that copy pixels share: each has cells of its own.
  private struct Copying: @unchecked Sendable {
    let cells: UnsafeMutablePointer<Cell>
    let pixels: UnsafeMutablePointer<UInt32>
  }

  /// Copies the pictures of a flight, some for every frame.
  func prepare(_ scene: borrowing Scene, atlas: Atlas, background: UInt32, onlyResident: Bool) {
    slots = scene.flyingSlots
    let wanted = Key(
      order: scene.flightOrder, count: slots.count, atlas: ObjectIdentifier(atlas), background: background)
    if key != wanted {
      if capacity < slots.count {
        capacity = slots.count
        cells.deallocate()
        pixels.deallocate()
        cells = .allocate(capacity: capacity)
        pixels = .allocate(capacity: capacity * Self.pixelsPerPicture)
      }
      cells.initialize(repeating: Cell(), count: slots.count)
      looked = 0
      key = wanted
    }
    guard looked < slots.count else { return }
    let ranks = looked..<min(slots.count, looked + Self.picturesPerFrame)
    let copying = Copying(cells: cells, pixels: pixels)
    let list = slots
    DispatchQueue.concurrentPerform(iterations: (ranks.count + Self.picturesPerTask - 1) / Self.picturesPerTask) {
      task in
      let first = ranks.lowerBound + task * Self.picturesPerTask
      for rank in first..<min(ranks.upperBound, first + Self.picturesPerTask) {
        let slot = Int(list[rank])
        guard let isOpaque = atlas.isOpaque(slot), !onlyResident || atlas.isResident(slot, level: 0),
          let level = atlas.level(0, of: slot)
        else { continue }
        (copying.pixels + rank * Self.pixelsPerPicture).update(from: level.pixels, count: level.width * level.height)
        copying.cells[rank] = Cell(
          width: UInt8(level.width), height: UInt8(level.height), isOpaque: isOpaque,
          needsTile: !isOpaque && Contrast.vanishes(atlas.averageColor(slot), on: background))
      }
    }
    looked = ranks.upperBound
  }

  /// The picture of a rank.
  @inline(__always)
  func cell(_ rank: Int) -> Cell { cells[rank] }

  /// Brings what a picture is drawn from into the processor's cache.
  @inline(__always)
  func firstPixel(_ rank: Int) -> UInt32 { pixels[rank &* Self.pixelsPerPicture] }

  /// Draws a picture whose cell is filled.
  @inline(__always)
  func draw(_ rank: Int, _ cell: Cell, _ rect: PixelRect, clip: PixelRect, background: UInt32, blitter: Blitter) {
    if cell.needsTile { blitter.fill(clip, Contrast.tile(on: background)) }
    let source = pixels + rank &* Self.pixelsPerPicture
    let (width, height) = (Int(cell.width), Int(cell.height))
    let columns = nearest + ((width &* Self.lengths &+ rect.width) &* Self.lengths &+ (clip.x &- rect.x))
    let rows = nearest + (height &* Self.lengths &+ rect.height) &* Self.lengths
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
