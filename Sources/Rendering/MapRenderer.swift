public import Atlas
public import Geometry
public import Scene

/// Draws the pictures of a scene into a buffer of premultiplied ARGB32, in any rectangle of it: whole frames, strips,
/// exported pictures and tests alike.
///
/// The pointer that every call takes is that of the window's pixel 0, 0; nothing outside the rectangle, the viewport and
/// the drawn picture is touched.
public struct MapRenderer {
  /// What lies behind the pictures; opaque.
  public var background: UInt32 { didSet { if background != oldValue { invalidate() } } }
  /// How many pictures the last complete frame held.
  public private(set) var drawnCount = 0

  /// Never read a level that is not in memory, but a smaller one, or show the average colour: for the main thread, which
  /// must not wait for the disk. What was missed is told by `takeMissing`.
  public var readsResidentLevelsOnly = false
  private var missing: [[Int]] = Array(repeating: [], count: thumbnailLevels.count)

  private var sprites: [Sprite] = []
  private var prepared: [Prepared] = []
  /// Kept so that the reads that filled the cache are not optimised away.
  private var touched: UInt32 = 0
  private let tables = ScaleTables()
  private var placeholder = Placeholder()
  private var last: Frame?

  /// What decides the pixels of a frame, apart from the offset.
  private struct Frame: Equatable {
    var viewport: PixelRect
    var version: Int
    var scale: Double
    var side: Int
    var quality: Scene.Quality
    var offsetX: Int
    var offsetY: Int

    init(_ scene: Scene) {
      viewport = scene.camera.viewport
      version = scene.contentVersion
      scale = scene.camera.scale
      side = scene.spriteSide
      quality = scene.quality
      (offsetX, offsetY) = scene.pixelOffset
    }
  }

  /// A renderer with a canvas colour (ARGB, opaque).
  public init(background: UInt32) {
    self.background = background | 0xFF00_0000
  }

  /// What `update` did to the buffer.
  public enum Update: Sendable, Equatable {
    /// It held this frame already.
    case unchanged
    /// All of it was drawn.
    case redrawn
    /// The picture was moved by these pixels, and what came into view was drawn.
    case panned(x: Int, y: Int)
  }

  /// Forgets what the buffer holds: its memory is another, or originals came in.
  public mutating func invalidate() { last = nil }

  /// The slots that frames since the last call would have drawn from a level that is not in memory, the topmost last. To be
  /// given to `Atlas.prefetch` on a background queue; then `invalidate` and draw again.
  public mutating func takeMissing() -> [(level: Int, slots: [Int])] {
    var result: [(level: Int, slots: [Int])] = []
    for level in missing.indices where !missing[level].isEmpty {
      result.append((level, missing[level]))
      missing[level] = []
    }
    return result
  }

  /// Brings a buffer that this renderer drew last up to date at the least price.
  public mutating func update(
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, scene: borrowing Scene, atlas: Atlas,
    originals: (any OriginalSource)? = nil
  ) -> Update {
    var frame = Frame(copy scene)
    if let last, last.viewport == frame.viewport, last.version == frame.version, last.scale == frame.scale,
      last.side == frame.side
    {
      // A pan keeps the quality that the picture has; a better one is worth drawing for once the scene rests.
      let isWorse = last.quality == .sharp
      if frame.quality == last.quality || isWorse {
        frame.quality = last.quality
        if frame == last { return .unchanged }
        let (x, y) = (frame.offsetX - last.offsetX, frame.offsetY - last.offsetY)
        if abs(x) < frame.viewport.width, abs(y) < frame.viewport.height {
          renderPanned(into: pixels, stride: stride, x: x, y: y, scene: scene, atlas: atlas, originals: originals)
          return .panned(x: x, y: y)
        }
      }
    }
    render(into: pixels, stride: stride, rect: frame.viewport, scene: scene, atlas: atlas, originals: originals)
    return .redrawn
  }

  /// Draws a rectangle of a scene.
  public mutating func render(
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, rect: PixelRect, scene: borrowing Scene, atlas: Atlas,
    originals: (any OriginalSource)? = nil
  ) {
    let frame = Frame(copy scene)
    draw(
      into: pixels, stride: stride, rect: rect, scene: scene, atlas: atlas, originals: originals,
      quality: frame.quality)
    guard rect.intersection(frame.viewport) == frame.viewport else { return }
    last = frame
    drawnCount = sprites.count
  }

  /// Moves what the buffer holds by whole pixels and draws the strips that came into view. Byte for byte, the result is that
  /// of `render`, if the buffer held a frame of the same scene whose camera was panned by `x`, `y` device pixels since.
  public mutating func renderPanned(
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, x: Int, y: Int, scene: borrowing Scene, atlas: Atlas,
    originals: (any OriginalSource)? = nil
  ) {
    var frame = Frame(copy scene)
    let viewport = frame.viewport
    if let last { frame.quality = last.quality }
    let kept = viewport.intersection(viewport.offset(x: x, y: y))
    guard !kept.isEmpty else {
      render(into: pixels, stride: stride, rect: viewport, scene: scene, atlas: atlas, originals: originals)
      return
    }
    move(pixels, stride: stride, to: kept, x: x, y: y)
    // Above or below over the whole width, then left or right of what was kept.
    var strips: [PixelRect] = []
    if y != 0 {
      strips.append(
        PixelRect(x: viewport.x, y: y > 0 ? viewport.y : kept.maxY, width: viewport.width, height: abs(y)))
    }
    if x != 0 {
      strips.append(
        PixelRect(x: x > 0 ? viewport.x : kept.maxX, y: kept.y, width: abs(x), height: kept.height))
    }
    for strip in strips {
      draw(
        into: pixels, stride: stride, rect: strip, scene: scene, atlas: atlas, originals: originals,
        quality: frame.quality)
    }
    last = frame
  }

  private func move(_ pixels: UnsafeMutablePointer<UInt32>, stride: Int, to kept: PixelRect, x: Int, y: Int) {
    // Rows in the order in which none is overwritten before it was read; inside a row memmove knows.
    let rows = y > 0 ? Array((kept.y..<kept.maxY).reversed()) : Array(kept.y..<kept.maxY)
    for row in rows {
      (pixels + row * stride + kept.x).update(
        from: pixels + (row - y) * stride + kept.x - x, count: kept.width)
    }
  }

  private mutating func draw(
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, rect: PixelRect, scene: borrowing Scene, atlas: Atlas,
    originals: (any OriginalSource)?, quality: Scene.Quality
  ) {
    let clip = rect.intersection(scene.camera.viewport)
    guard !clip.isEmpty else {
      sprites.removeAll(keepingCapacity: true)
      return
    }
    let blitter = Blitter(target: pixels, stride: stride)
    blitter.fill(clip, background)
    scene.collectSprites(in: clip, into: &sprites)
    placeholder.prepare(side: scene.spriteSide, background: background)
    let side = scene.spriteSide
    var first = 0
    while first < sprites.count {
      let last = min(sprites.count, first + Self.batch)
      prepareBatch(first..<last, side: side, atlas: atlas, originals: originals)
      for index in first..<last {
        draw(sprites[index], prepared[index - first], clip: clip, blitter: blitter, quality: quality)
      }
      first = last
    }
  }

  /// What a sprite is drawn with.
  private struct Prepared {
    /// Nothing for a placeholder, or for a flat colour.
    var source: PixelSource?
    /// Of the whole picture; nil for a placeholder.
    var average: UInt32?
  }

  /// Sprites whose pixels are looked up together.
  private static let batch = 32
  /// Larger sources are brought in by the processor itself, which notices that they are read in a row.
  private static let mostTouchedPixels = 256

  /// Finds the pixels of some sprites and reads one word of every cache line of the small ones: small pictures lie far
  /// apart in memory, and waiting for many of them at once takes little longer than waiting for one.
  private mutating func prepareBatch(
    _ range: Range<Int>, side: Int, atlas: Atlas, originals: (any OriginalSource)?
  ) {
    prepared.removeAll(keepingCapacity: true)
    for index in range { prepared.append(prepare(sprites[index], side: side, atlas: atlas, originals: originals)) }
    var sum: UInt32 = 0
    for item in prepared {
      guard let source = item.source else { continue }
      let count = source.width &* source.height
      if count > Self.mostTouchedPixels { continue }
      var pixel = 0
      while pixel < count {
        sum ^= source.pixels[pixel]
        pixel &+= 16
      }
    }
    touched = sum
  }

  /// Draws one picture on top of what is there: for what the overlay raises.
  mutating func drawRaised(
    _ sprite: Sprite, into blitter: Blitter, clip: PixelRect, atlas: Atlas, originals: (any OriginalSource)?
  ) {
    let side = Int(max(sprite.width, sprite.height))
    let prepared = prepare(sprite, side: side, atlas: atlas, originals: originals)
    draw(sprite, prepared, clip: clip, blitter: blitter, quality: .sharp)
  }

  @inline(__always)
  private mutating func prepare(
    _ sprite: Sprite, side: Int, atlas: Atlas, originals: (any OriginalSource)?
  ) -> Prepared {
    let slot = Int(sprite.slot)
    guard sprite.isReady, let info = atlas.info(slot) else { return Prepared() }
    return Prepared(
      source: source(of: slot, side: side, isOpaque: info.isOpaque, atlas: atlas, originals: originals),
      average: info.averageColor)
  }

  @inline(__always)
  private func draw(_ sprite: Sprite, _ prepared: Prepared, clip: PixelRect, blitter: Blitter, quality: Scene.Quality) {
    let rect = sprite.rect
    let visible = rect.intersection(clip)
    guard !visible.isEmpty else { return }
    guard let average = prepared.average else {
      placeholder.draw(rect, clip: visible, blitter: blitter)
      return
    }
    guard let source = prepared.source else {
      blitter.blend(visible, average)
      return
    }
    if !source.isOpaque, Contrast.vanishes(average, on: background) {
      blitter.fill(visible, Contrast.tile(on: background))
    }
    if source.width == rect.width, source.height == rect.height {
      blitter.copy(source, x: rect.x, y: rect.y, clip: visible)
      return
    }
    let filter: ScaleTable.Filter = quality == .sharp ? .smooth : .nearest
    let columns = tables.table(
      .columns, source: source.width, target: rect.width, lower: 0, upper: rect.width, filter: filter)
    let rows = tables.table(
      .rows, source: source.height, target: rect.height, lower: 0, upper: rect.height, filter: filter)
    if quality == .sharp {
      blitter.copySmooth(source, x: rect.x, y: rect.y, clip: visible, columns: columns, rows: rows, memory: tables)
    } else {
      blitter.copyNearest(source, x: rect.x, y: rect.y, clip: visible, columns: columns, rows: rows)
    }
  }

  /// The smallest level that need not be enlarged, or the best there is.
  @inline(__always)
  private mutating func source(
    of slot: Int, side: Int, isOpaque: Bool, atlas: Atlas, originals: (any OriginalSource)?
  ) -> PixelSource? {
    var level = 0
    while level < thumbnailLevels.count - 1, thumbnailLevels[level] < side { level += 1 }
    if side > thumbnailLevels[level], let original = originals?.pixels(slot: slot, minimumSide: side) {
      return original
    }
    if readsResidentLevelsOnly, !atlas.isResident(slot, level: level) {
      missing[level].append(slot)
      repeat { level -= 1 } while level >= 0 && !atlas.isResident(slot, level: level)
      if level < 0 { return nil }
    }
    guard let thumbnail = atlas.level(level, of: slot) else { return nil }
    return PixelSource(
      pixels: thumbnail.pixels, width: thumbnail.width, height: thumbnail.height, isOpaque: isOpaque)
  }
}

/// Transparent pictures of the canvas's own colour would not be seen on it: black drawings on a dark canvas.
enum Contrast {
  /// Luma differences below this, of 255, are not told apart well, unless the colours differ.
  private static let leastLuma = 56
  /// A channel that differs by more than this makes a colour stand out at any luma: a red apple on black.
  private static let leastChannel = 88

  /// Whether a picture of an average colour (premultiplied ARGB) can hardly be told from an opaque background.
  static func vanishes(_ average: UInt32, on background: UInt32) -> Bool {
    let alpha = Int(average >> 24)
    guard alpha > 0 else { return false }
    guard abs(luma(average) * 255 / alpha - luma(background)) < leastLuma else { return false }
    func difference(_ shift: UInt32) -> Int {
      abs(Int(average >> shift & 0xFF) * 255 / alpha - Int(background >> shift & 0xFF))
    }
    return max(difference(16), difference(8), difference(0)) < leastChannel
  }

  /// The colour of the tile that is laid beneath such a picture.
  static func tile(on background: UInt32) -> UInt32 { luma(background) < 128 ? 0xFFC8_C8C4 : 0xFF5A_5A5E }

  /// Rec. 601 luma, as video has it: cheap, and this is a threshold.
  private static func luma(_ color: UInt32) -> Int {
    (Int((color >> 16) & 0xFF) * 77 + Int((color >> 8) & 0xFF) * 151 + Int(color & 0xFF) * 28) >> 8
  }
}
