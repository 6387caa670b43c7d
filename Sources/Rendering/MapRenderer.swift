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

  private var sprites: [Sprite] = []
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
    for sprite in sprites {
      draw(
        sprite, side: side, isReady: scene.isReady(Int(sprite.slot)), clip: clip, blitter: blitter, atlas: atlas,
        originals: originals, quality: quality)
    }
  }

  /// Draws one picture on top of what is there: for what the overlay raises.
  mutating func drawRaised(
    _ sprite: Sprite, into blitter: Blitter, clip: PixelRect, atlas: Atlas, originals: (any OriginalSource)?
  ) {
    draw(
      sprite, side: Int(max(sprite.width, sprite.height)), isReady: true, clip: clip, blitter: blitter, atlas: atlas,
      originals: originals, quality: .sharp)
  }

  @inline(__always)
  private mutating func draw(
    _ sprite: Sprite, side: Int, isReady: Bool, clip: PixelRect, blitter: Blitter, atlas: Atlas,
    originals: (any OriginalSource)?, quality: Scene.Quality
  ) {
    let rect = sprite.rect
    let visible = rect.intersection(clip)
    guard !visible.isEmpty else { return }
    let slot = Int(sprite.slot)
    guard isReady, let info = atlas.info(slot),
      let source = source(of: slot, side: side, isOpaque: info.isOpaque, atlas: atlas, originals: originals)
    else {
      placeholder.draw(rect, clip: visible, blitter: blitter)
      return
    }
    if !source.isOpaque, Contrast.vanishes(info.averageColor, on: background) {
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
  private func source(
    of slot: Int, side: Int, isOpaque: Bool, atlas: Atlas, originals: (any OriginalSource)?
  ) -> PixelSource? {
    var level = 0
    while level < thumbnailLevels.count - 1, thumbnailLevels[level] < side { level += 1 }
    if side > thumbnailLevels[level], let original = originals?.pixels(slot: slot, minimumSide: side) {
      return original
    }
    guard let thumbnail = atlas.level(level, of: slot) else { return nil }
    return PixelSource(
      pixels: thumbnail.pixels, width: thumbnail.width, height: thumbnail.height, isOpaque: isOpaque)
  }
}

/// Transparent pictures of the canvas's own colour would not be seen on it: black drawings on a dark canvas.
enum Contrast {
  /// Luma differences below this, of 255, are not told apart well.
  private static let least = 56

  /// Whether a picture of an average colour (premultiplied ARGB) can hardly be told from an opaque background.
  static func vanishes(_ average: UInt32, on background: UInt32) -> Bool {
    let alpha = Int(average >> 24)
    guard alpha > 0 else { return false }
    return abs(luma(average) * 255 / alpha - luma(background)) < least
  }

  /// The colour of the tile that is laid beneath such a picture.
  static func tile(on background: UInt32) -> UInt32 { luma(background) < 128 ? 0xFFC8_C8C4 : 0xFF5A_5A5E }

  /// Rec. 601 luma, as video has it: cheap, and this is a threshold.
  private static func luma(_ color: UInt32) -> Int {
    (Int((color >> 16) & 0xFF) * 77 + Int((color >> 8) & 0xFF) * 151 + Int(color & 0xFF) * 28) >> 8
  }
}
