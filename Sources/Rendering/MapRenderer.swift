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
  public var background: UInt32

  /// Never read a level that is not in memory, but a smaller one, or show the average colour: for the main thread, which
  /// must not wait for the disk. What was missed is told by `takeMissing`.
  public var readsResidentLevelsOnly = false
  private var missing: [[Int]] = Array(repeating: [], count: thumbnailLevels.count)
  /// One bit for each slot of `missing`, by level.
  private var isMissing: [[UInt64]] = Array(repeating: [], count: thumbnailLevels.count)

  /// What many pictures on their way are drawn from; nil to draw them as at rest.
  var flight: FlightCells?
  let flightMemory = FlightMemory()

  private var sprites: [Sprite] = []
  private var prepared: [Prepared] = []
  private var hiddenCount = 0
  /// Kept so that the reads that filled the cache are not optimised away.
  private var touched: UInt32 = 0
  private let tables = ScaleTables()
  var placeholder = Placeholder()
  private let coverage = CoverageBox()

  /// A renderer with a canvas colour (ARGB, opaque).
  public init(background: UInt32) {
    self.background = background | 0xFF00_0000
  }

  /// The slots that frames since the last call would have drawn from a level that is not in memory, each once, the topmost
  /// last. To be given to `Atlas.prefetch` on a background queue; then draw again.
  public mutating func takeMissing() -> [(level: Int, slots: [Int])] {
    var result: [(level: Int, slots: [Int])] = []
    for level in missing.indices where !missing[level].isEmpty {
      result.append((level, missing[level]))
      for slot in missing[level] { isMissing[level][slot >> 6] = 0 }
      missing[level] = []
    }
    return result
  }

  /// Draws a rectangle of a scene, as carefully as the scene says or as `quality` does.
  /// - Returns: how many pictures can be seen in it.
  @discardableResult
  public mutating func render(
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, rect: PixelRect, scene: borrowing Scene, atlas: Atlas,
    originals: (any OriginalSource)? = nil, quality: Scene.Quality? = nil
  ) -> Int {
    let clip = rect.intersection(scene.camera.viewport)
    let quality = quality ?? scene.quality
    if let flight, FlightPictures.serves(scene, quality) {
      guard !clip.isEmpty else { return 0 }
      return drawFlight(
        flight, in: clip, blitter: Blitter(target: pixels, stride: stride), scene: scene, atlas: atlas)
    }
    draw(
      into: pixels, stride: stride, clip: clip, scene: scene, atlas: atlas, originals: originals, quality: quality)
    return sprites.count
  }

  /// Of the pictures that the last call of `render` drew in `rect`, those that begin in it: of bands that lie below one
  /// another, each counts others. What begins above `top` counts as beginning there.
  func count(beginningIn rect: PixelRect, top: Int) -> Int {
    sprites.reduce(0) { $0 + (max(Int($1.y), top) >= rect.y ? 1 : 0) }
  }

  /// Takes over what another renderer of the same frame has missed.
  mutating func takeMissing(of other: inout MapRenderer) {
    for (level, slots) in other.takeMissing() {
      for slot in slots { miss(slot, level: level) }
    }
  }

  /// Moves what a buffer holds of the scene's viewport by whole pixels and draws the strips that came into view. Byte for
  /// byte, the result is that of `render`, if the buffer held a frame of the same scene and quality whose camera was panned by
  /// `x`, `y` device pixels since.
  public mutating func renderPanned(
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, x: Int, y: Int, scene: borrowing Scene, atlas: Atlas,
    originals: (any OriginalSource)? = nil, quality: Scene.Quality? = nil
  ) {
    let viewport = scene.camera.viewport
    let kept = viewport.intersection(viewport.offset(x: x, y: y))
    if !kept.isEmpty { move(pixels, stride: stride, to: kept, x: x, y: y) }
    for strip in viewport.strips(around: kept) {
      render(
        into: pixels, stride: stride, rect: strip, scene: scene, atlas: atlas, originals: originals, quality: quality)
    }
  }

  private func move(_ pixels: UnsafeMutablePointer<UInt32>, stride: Int, to kept: PixelRect, x: Int, y: Int) {
    // Rows in the order in which none is overwritten before it was read; inside a row memmove knows.
    var row = y > 0 ? kept.maxY - 1 : kept.y
    for _ in 0..<kept.height {
      (pixels + row * stride + kept.x).update(
        from: pixels + (row - y) * stride + kept.x - x, count: kept.width)
      row += y > 0 ? -1 : 1
    }
  }

  private mutating func draw(
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, clip: PixelRect, scene: borrowing Scene, atlas: Atlas,
    originals: (any OriginalSource)?, quality: Scene.Quality
  ) {
    guard !clip.isEmpty else {
      sprites.removeAll(keepingCapacity: true)
      return
    }
    let blitter = Blitter(target: pixels, stride: stride)
    blitter.fill(clip, background)
    scene.collectSprites(in: clip, into: &sprites)
    dropHidden(in: clip, side: scene.spriteSide, atlas: atlas)
    placeholder.prepare(side: scene.spriteSide, background: background)
    let side = scene.spriteSide
    // The others are drawn first and dimmed, whatever rectangle is drawn: a pan may move the result.
    let dimmed = scene.selection.isEmpty ? 0 : firstSelected(scene)
    let frames = LabelFrames(scene, background: background)
    drawSprites(
      0..<dimmed, side: side, clip: clip, blitter: blitter, atlas: atlas, originals: originals, frames: frames, quality)
    if dimmed > 0 { blitter.fade(clip, towards: background, keeping: UInt32(256 * Self.dimmedShare)) }
    drawSprites(
      dimmed..<sprites.count, side: side, clip: clip, blitter: blitter, atlas: atlas, originals: originals,
      frames: frames, quality)
  }

  /// What is left of a picture that is not selected while others are.
  public static let dimmedShare = 72.0 / 256

  /// Where in `sprites` the selected ones begin: they are the last.
  private func firstSelected(_ scene: borrowing Scene) -> Int {
    var (low, high) = (0, sprites.count)
    while low < high {
      let middle = (low + high) / 2
      if scene.selection.contains(Int(sprites[middle].slot)) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  private mutating func drawSprites(
    _ range: Range<Int>, side: Int, clip: PixelRect, blitter: Blitter, atlas: Atlas,
    originals: (any OriginalSource)?, frames: LabelFrames?, _ quality: Scene.Quality
  ) {
    var first = range.lowerBound
    while first < range.upperBound {
      let last = min(range.upperBound, first + Self.batch)
      prepareBatch(first..<last, side: side, atlas: atlas, originals: originals)
      for index in first..<last {
        draw(sprites[index], prepared[index - first], clip: clip, blitter: blitter, quality: quality)
        frames?.draw(sprites[index], clip: clip, blitter: blitter)
      }
      first = last
    }
  }

  /// Removes the pictures of which nothing would be seen: those beneath opaque ones.
  ///
  /// An original may let something through where its thumbnail does not: where originals are drawn, none hides another,
  /// unless `trustsThumbnails`.
  private mutating func dropHidden(in clip: PixelRect, side: Int, atlas: Atlas, trustsThumbnails: Bool = false) {
    coverage.value.reset(clip)
    let mayHide = trustsThumbnails || side <= thumbnailLevels[thumbnailLevels.count - 1]
    sprites.withUnsafeMutableBufferPointer { sprites in
      var kept = sprites.count
      var index = sprites.count
      while index > 0 {
        index &-= 1
        let sprite = sprites[index]
        let visible = sprite.rect.intersection(clip)
        if coverage.value.hides(visible) { continue }
        if mayHide, !sprite.isReady || atlas.isOpaque(Int(sprite.slot)) == true { coverage.value.hide(visible) }
        kept &-= 1
        sprites[kept] = sprite
      }
      hiddenCount = kept
    }
    sprites.removeFirst(hiddenCount)
  }

  /// The pictures that can be seen: drawn, and not beneath others altogether, as far as thumbnails tell. The topmost last.
  public mutating func seenSprites(scene: borrowing Scene, atlas: Atlas) -> [Sprite] {
    collectSeen(scene, atlas)
    return sprites
  }

  /// How many pictures can be seen.
  public mutating func seenCount(scene: borrowing Scene, atlas: Atlas) -> Int {
    collectSeen(scene, atlas)
    return sprites.count
  }

  private mutating func collectSeen(_ scene: borrowing Scene, _ atlas: Atlas) {
    let viewport = scene.camera.viewport
    scene.collectSprites(in: viewport, into: &sprites)
    if !viewport.isEmpty { dropHidden(in: viewport, side: scene.spriteSide, atlas: atlas, trustsThumbnails: true) }
  }

  /// What a sprite is drawn with.
  private struct Prepared {
    /// Nothing for a placeholder, or for a flat colour.
    var source: PixelSource?
    /// Of the whole picture, where it matters: nothing but it is at hand, or something behind the picture is seen.
    var average: UInt32 = 0
    /// Nothing is known of the picture.
    var isPlaceholder = true
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
    guard sprite.isReady, let isOpaque = atlas.isOpaque(slot) else { return Prepared() }
    let source = source(of: slot, side: side, isOpaque: isOpaque, atlas: atlas, originals: originals)
    let isSeenThrough = !(source?.isOpaque ?? false)
    return Prepared(source: source, average: isSeenThrough ? atlas.averageColor(slot) : 0, isPlaceholder: false)
  }

  // Mutating: from a method that changes the renderer, one that does not would be called on a copy, for every picture.
  @inline(__always)
  private mutating func draw(
    _ sprite: Sprite, _ prepared: Prepared, clip: PixelRect, blitter: Blitter, quality: Scene.Quality
  ) {
    let rect = sprite.rect
    let visible = rect.intersection(clip)
    guard !visible.isEmpty else { return }
    if prepared.isPlaceholder {
      placeholder.draw(rect, clip: visible, blitter: blitter)
      return
    }
    let average = prepared.average
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

  private mutating func miss(_ slot: Int, level: Int) {
    let word = slot >> 6
    let bit = UInt64(1) << UInt64(slot & 63)
    while isMissing[level].count <= word { isMissing[level].append(0) }
    guard isMissing[level][word] & bit == 0 else { return }
    isMissing[level][word] |= bit
    missing[level].append(slot)
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
      miss(slot, level: level)
      repeat { level -= 1 } while level >= 0 && !atlas.isResident(slot, level: level)
      if level < 0 { return nil }
    }
    guard let thumbnail = atlas.level(level, of: slot) else { return nil }
    return PixelSource(
      pixels: thumbnail.pixels, width: thumbnail.width, height: thumbnail.height, isOpaque: isOpaque)
  }
}

/// Memory that copies of a renderer share, for it holds nothing from one call to the next.
private final class CoverageBox {
  var value = Coverage()
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
