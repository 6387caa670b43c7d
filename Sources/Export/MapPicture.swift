import Atlas
public import Collection
import Drawing
import Geometry
import Imaging
import Mapping
import Rendering
public import Scene

/// A map as a picture: all of it, fitted into the frame, as the window draws it.
public struct MapPicture {
  /// The background of the dark look, 0xFFRRGGBB.
  public static let darkBackground = Theme.dark.canvas.argb
  /// The background of the light look, 0xFFRRGGBB.
  public static let lightBackground = Theme.light.canvas.argb

  /// Quality of JPEG files, of 100: no artefacts that one sees.
  private static let jpegQuality = 92
  /// Of this height (or width, if less) in pixels, a picture is drawn like a window at scale 1; larger ones are scaled.
  private static let referenceSide = 1080.0

  private let collection: ImageCollection
  private let size: PictureSize
  private let background: UInt32
  private let scene: Scene
  /// What the colours of frames mean, and how many columns at the left that takes.
  private let legend: (legend: MapLegend, width: Int)?

  /// A picture of a map.
  /// - Parameter colorBy: what the colour of a frame around each picture says; nil for no frames.
  public init(
    _ contents: MapContents, size: PictureSize, background: UInt32 = MapPicture.darkBackground,
    colorBy: LabelKind? = nil
  ) {
    collection = contents.collection
    self.size = size
    self.background = background
    let frame = PixelRect(x: 0, y: 0, width: size.width, height: size.height)
    let scale = max(1, Double(min(size.width, size.height)) / Self.referenceSide)
    var scene = Scene(viewport: frame, uiScale: scale, isAnimationEnabled: false)
    let slots = contents.layout.slots.map(Int.init)
    let atlas = contents.collection.atlas
    _ = scene.handle(.imagesAdded(slots: slots))
    _ = scene.handle(
      .imagesReady(
        slots.compactMap { slot in
          atlas.info(slot).map { (slot: slot, aspect: Double($0.width) / Double(max(1, $0.height))) }
        }))
    _ = scene.handle(.listingComplete)
    _ = scene.handle(
      .layout(slots: contents.layout.slots, positions: contents.layout.positions, isFinal: true, animated: false))
    if let arrangement = contents.arrangement {
      _ = scene.handle(.arrangementMode(arrangement.mode))
      if let version = scene.arrangementRequest?.version {
        _ = scene.handle(.arranged(arrangement.places, arrangement.mode, version: version))
      }
    }
    if let colorBy {
      let images = LabelledImage.all(of: contents.collection)
      _ = scene.handle(.labelKind(colorBy))
      _ = scene.handle(.labelled(Labelling(by: colorBy, of: images)))
    }
    legend = Self.makeRoomForLegend(in: &scene, size: size, background: background)
    self.scene = scene
  }

  /// A picture of all of a map as a window shows it, with its arrangement, its picture size and its selection.
  public init(_ shown: Scene, of collection: ImageCollection, size: PictureSize, background: UInt32) {
    self.collection = collection
    self.size = size
    self.background = background
    var scene = shown
    let scale = max(1, Double(min(size.width, size.height)) / Self.referenceSide)
    _ = scene.handle(.animationEnabled(false))
    // What lies over the map is left, and the whole map shown.
    if scene.opened != nil { _ = scene.handle(.key(.escape, [], isRepeat: false)) }
    _ = scene.handle(
      .viewportChanged(PixelRect(x: 0, y: 0, width: size.width, height: size.height), uiScale: scale))
    _ = scene.handle(.key(.home, [], isRepeat: false))
    legend = Self.makeRoomForLegend(in: &scene, size: size, background: background)
    self.scene = scene
  }

  /// Leaves columns at the left to what the colours mean, where it is to be shown and fits.
  private static func makeRoomForLegend(
    in scene: inout Scene, size: PictureSize, background: UInt32
  ) -> (legend: MapLegend, width: Int)? {
    guard let legend = MapLegend(of: scene, background: background, scale: scene.uiScale),
      let width = legend.width(in: size)
    else { return nil }
    let room = PixelRect(x: width, y: 0, width: size.width - width, height: size.height)
    _ = scene.handle(.viewportChanged(room, uiScale: scene.uiScale))
    return (legend, width)
  }

  /// Draws the picture and writes it.
  public func write(_ format: PictureFormat, to file: OutputFile) throws(ExportError) {
    switch format {
    case .png:
      let canvas = try raster()
      try file.write { sink in
        try canvas.writePNG(sink)
        return true
      }
    case .jpeg:
      let pixels = try raster().withPixels { pixels, stride in
        (0..<size.height).flatMap { UnsafeBufferPointer(start: pixels + $0 * stride, count: size.width) }
      }
      let image = PixelImage(width: size.width, height: size.height, pixels: pixels ?? [], isOpaque: true)
      guard let bytes = image.jpegData(quality: Self.jpegQuality) else {
        throw ExportError("\(file.path) cannot be written: no memory to compress it.")
      }
      try file.write(bytes)
    case .svg:
      try file.write { sink in
        try drawVectors(on: try Canvas.svg(width: size.width, height: size.height, write: sink))
        return true
      }
    case .pdf:
      try file.write { sink in
        try drawVectors(on: try Canvas.pdf(width: size.width, height: size.height, write: sink))
        return true
      }
    }
  }

  private var frame: PixelRect { PixelRect(x: 0, y: 0, width: size.width, height: size.height) }

  private func drawLegend(on canvas: Canvas) {
    if let (legend, width) = legend { legend.draw(on: canvas, width: width) }
  }

  /// The picture as the window's own renderer draws it.
  private func raster() throws(ExportError) -> Canvas {
    let canvas: Canvas
    do { canvas = try Canvas.image(width: size.width, height: size.height) } catch {
      throw ExportError(error.description)
    }
    var renderer = MapRenderer(background: background)
    canvas.fill(Rect(frame), Color(hex: background & 0xff_ffff))
    _ = canvas.withPixels { pixels, stride in
      renderer.render(
        into: pixels, stride: stride, rect: frame, scene: scene, atlas: collection.atlas, quality: .sharp)
    }
    drawLegend(on: canvas)
    return canvas
  }

  /// The same pictures in the same places, each at the full size of its thumbnail.
  private func drawVectors(on canvas: Canvas) throws(DrawingError) {
    canvas.fill(Rect(frame), Color(hex: background & 0xff_ffff))
    var sprites: [Sprite] = []
    scene.collectSprites(in: frame, into: &sprites)
    let atlas = collection.atlas
    let frames = LabelFrames(scene, background: background)
    var isDimmed = !scene.selection.isEmpty
    for sprite in sprites {
      if isDimmed, scene.selection.contains(Int(sprite.slot)) {
        isDimmed = false
        canvas.fill(Rect(frame), Color(hex: background & 0xff_ffff).withAlpha(1 - MapRenderer.dimmedShare))
      }
      guard let level = atlas.level(thumbnailLevels.count - 1, of: Int(sprite.slot)) else { continue }
      canvas.image(
        level.pixels, width: level.width, height: level.height, stride: level.width, in: Rect(sprite.rect))
      guard let frames, let color = frames.color(of: Int(sprite.slot)) else { continue }
      for part in frames.parts(of: sprite.rect) { canvas.fill(Rect(part), Color(hex: color & 0xff_ffff)) }
    }
    drawLegend(on: canvas)
    try canvas.finish()
  }
}
