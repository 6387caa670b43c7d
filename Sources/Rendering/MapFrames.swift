public import Atlas
import Dispatch
import Foundation
public import Geometry
public import Scene

/// The picture of a map that follows the hand: at every moment the best that there is time for, and in the end exactly what
/// `MapRenderer.render` draws.
///
/// A pan moves the pixels of the last frame and draws what came into view. A zoom draws the frame anew where that takes less
/// than `Budget.direct`; otherwise it shows the last finished picture as the new camera sees it, and draws a better one in
/// bands, for `Budget.refinement` a frame, into a buffer that takes its place when it is finished. The same bands make a
/// draft sharp when the hand rests, and take in thumbnails that arrive.
public final class MapFrames {
  /// Seconds that drawing may take.
  public struct Budget: Sendable {
    /// A whole frame at once.
    public var direct = 0.008
    /// Bands of a better frame, at each update; at least one is drawn.
    public var refinement = 0.006

    /// The budgets of a screen of sixty frames a second.
    public init() {}

    /// Other budgets.
    public init(direct: Double, refinement: Double) {
      self.direct = direct
      self.refinement = refinement
    }
  }

  /// What `update` did.
  public struct Update: Sendable, Equatable {
    /// How the picture came about.
    public enum Kind: Sendable, Equatable {
      /// It was there already.
      case unchanged
      /// All of it was drawn.
      case redrawn
      /// It was moved by these pixels, and what came into view was drawn.
      case panned(x: Int, y: Int)
      /// Another picture is shown as this camera sees it.
      case reprojected
      /// A better picture took the place of the last one.
      case refined
    }

    /// How the picture came about.
    public var kind: Kind
    /// Whether a better picture is under way: `update` is to be called again.
    public var isUnfinished: Bool
  }

  /// Draws the pictures.
  public var renderer: MapRenderer
  /// How long drawing may take.
  public var budget: Budget
  /// How many pictures the last complete frame held.
  public private(set) var drawnCount = 0
  /// Whether the picture that a better one of the same view replaces is kept, for a soft change.
  public var keepsFormer = false

  /// What decides the pixels of a frame.
  private struct Frame: Equatable {
    var viewport: PixelRect
    var background: UInt32
    var arrangement: Int
    var version: Int
    var invalidations: Int
    var scale: Double
    var side: Int
    var quality: Scene.Quality
    var offsetX, offsetY: Int

    /// Whether pixels of one can be moved into the other.
    func isPannedFrom(_ other: Frame) -> Bool {
      isReprojectedFrom(other) && scale == other.scale && side == other.side
    }

    /// Whether the same pictures lie in the same places, whatever the camera.
    func isReprojectedFrom(_ other: Frame) -> Bool {
      viewport == other.viewport && arrangement == other.arrangement && background == other.background
    }

    /// Whether this picture is all that `wanted` asks for, but for its place. A better one is good enough as well.
    func suffices(for wanted: Frame) -> Bool {
      isPannedFrom(wanted) && version == wanted.version && invalidations == wanted.invalidations
        && (quality == wanted.quality || quality == .sharp)
    }
  }

  /// A buffer and what it shows.
  private struct Picture {
    let pixels: UnsafeMutablePointer<UInt32>
    var frame: Frame?
    /// False for a likeness.
    var isExact = false
  }

  /// A frame that is drawn band by band.
  private struct Work {
    let buffer: Int
    let frame: Frame
    /// The scene as it was when the work began.
    let scene: Scene
    /// The last one is taken first.
    var bands: [PixelRect]
    var seconds = 0.0
    var count = 0

    /// Cuts what is more than so many rows off the next band.
    mutating func limitNextBand(to rows: Int) {
      guard let next = bands.last, next.height > rows else { return }
      bands[bands.count - 1] = PixelRect(x: next.x, y: next.y + rows, width: next.width, height: next.height - rows)
      bands.append(PixelRect(x: next.x, y: next.y, width: next.width, height: rows))
    }
  }

  private var pictures: [Picture] = []
  private var front = 0
  /// What the present picture has replaced, while that may still be shown.
  private var former: Int?
  /// The latest finished picture, which reprojections show.
  private var source: Int?
  private var work: Work?
  private var width = 0
  private var height = 0
  private var invalidations = 0
  /// Seconds that whole frames took lately.
  private var draftSeconds = 0.0
  /// The same of frames drawn with care; 0 until there was one.
  public private(set) var sharpSeconds = 0.0

  private static let bandHeight = 64
  /// In seconds: what is drawn faster leaves time for a better picture, however little is allowed.
  private static let leastRest = 0.004
  /// Lower ones would draw most pictures twice.
  private static let leastBandHeight = 16
  /// Whole frames that take longer are drawn by several threads, in seconds.
  var largestLoneFrame = 0.002

  /// Draw parts of whole frames on other threads.
  private var helpers: [MapRenderer]
  private var flightPictures = FlightPictures()
  private var thumbnailChanges = 0
  /// Where more than this part of a frame would have to be drawn beside the likeness, it is drawn altogether.
  private static let largestUnknownShare = 0.45

  /// Frames of a renderer.
  /// - Parameter threads: That draw one frame together; nil for as many as there is use for.
  public init(renderer: MapRenderer, budget: Budget = Budget(), threads: Int? = nil) {
    self.renderer = renderer
    self.budget = budget
    let threads = threads ?? min(4, ProcessInfo.processInfo.activeProcessorCount)
    helpers = (1..<max(1, threads)).map { _ in MapRenderer(background: renderer.background) }
  }

  deinit { for picture in pictures { picture.pixels.deallocate() } }

  /// Pixels from one row to the next.
  public var stride: Int { width }
  /// The window's pixel 0, 0 of the present picture; only the scene's viewport holds anything. Valid until `update`.
  public var pixels: UnsafePointer<UInt32>? { pictures.isEmpty ? nil : UnsafePointer(pictures[front].pixels) }

  /// The picture that the present one, of the same view and better, has replaced; nil where another view has come since, or
  /// after `dropFormer`. Valid until `update`.
  public var formerPixels: UnsafePointer<UInt32>? { former.map { UnsafePointer(pictures[$0].pixels) } }

  /// Copies the viewport's pixels into a buffer of a window of the same size, mixed with the former picture: `share` of the
  /// present one, from 0 to 1.
  public func copyMixed(_ viewport: PixelRect, share: Double, into target: UnsafeMutablePointer<UInt32>, stride: Int) {
    guard let pixels, let formerPixels else { return }
    Blitter(target: target, stride: stride).mix(
      viewport, formerPixels, pixels, stride: self.stride, share: UInt32(256 * max(0, min(1, share))))
  }

  /// The former picture is needed no more.
  public func dropFormer() { former = nil }

  /// Originals changed behind the scene's back: the picture is made anew, while the present one stays.
  public func invalidate() { invalidations += 1 }

  /// Thumbnails changed behind the scene's back: the picture is made anew, while the present one stays.
  public func invalidateThumbnails() {
    thumbnailChanges += 1
    invalidate()
  }

  /// Forgets everything: another map is shown.
  public func reset() {
    for index in pictures.indices { pictures[index].frame = nil }
    source = nil
    former = nil
    work = nil
    flightPictures = FlightPictures()
    draftSeconds = 0
    sharpSeconds = 0
  }

  /// Brings the picture up to date, for a window of `width × height` pixels.
  public func update(
    width: Int, height: Int, scene: Scene, atlas: Atlas, originals: (any OriginalSource)? = nil
  ) -> Update {
    resize(width, height)
    var wanted = Frame(
      viewport: scene.camera.viewport, background: renderer.background, arrangement: scene.arrangementVersion,
      version: scene.contentVersion, invalidations: invalidations, scale: scene.camera.scale, side: scene.spriteSide,
      quality: scene.quality, offsetX: 0, offsetY: 0)
    (wanted.offsetX, wanted.offsetY) = scene.pixelOffset
    guard !wanted.viewport.isEmpty else { return Update(kind: .unchanged, isUnfinished: false) }
    let now = Now(scene: scene, atlas: atlas, originals: originals)
    prepareFlight(scene, atlas, affordable(scene.quality))

    let begin = Self.clock()
    let kind = align(to: wanted, now)
    if kind != .unchanged { former = nil }
    if isFinished(wanted) {
      work = nil
      return Update(kind: kind, isUnfinished: false)
    }
    if kind == .unchanged, seconds(wanted.quality) <= budget.direct {
      let replaced = isBetterOfSameView(wanted) ? front : nil
      if replaced != nil, let free = freeBuffer { front = free }
      redraw(wanted, now)
      former = replaced == front ? nil : replaced
      work = nil
      return Update(kind: .redrawn, isUnfinished: false)
    }
    // A whole frame has taken the time of this one: where many pictures have just arrived, for instance.
    if kind == .redrawn, Self.clock() - begin > max(budget.direct, Self.leastRest) {
      return Update(kind: kind, isUnfinished: true)
    }
    let isRefined = refine(towards: wanted, now)
    let isUnfinished = !isFinished(wanted)
    return Update(kind: isRefined && kind == .unchanged ? .refined : kind, isUnfinished: isUnfinished)
  }

  /// Draws a frame in which many pictures fly straight into a window's buffer: nothing of it could be used again.
  /// - Returns: False where the scene is no such flight: then `update` is to be called.
  public func drawFlight(
    into target: UnsafeMutablePointer<UInt32>, stride: Int, width: Int, height: Int, scene: Scene, atlas: Atlas
  ) -> Bool {
    guard scene.isFlying, FlightPictures.serves(scene, .draft) else { return false }
    resize(width, height)
    prepareFlight(scene, atlas, scene.quality)
    for index in pictures.indices { pictures[index].frame = nil }
    source = nil
    former = nil
    work = nil
    // Where they come to lie, a frame may take longer than any before: it is drawn in bands.
    sharpSeconds = max(sharpSeconds, 2 * budget.direct)
    draftSeconds = max(draftSeconds, 2 * budget.direct)
    drawnCount = renderer.render(
      into: target, stride: stride, rect: scene.camera.viewport, scene: scene, atlas: atlas, quality: .draft)
    return true
  }

  /// What is to be made, away from the main thread, for pictures to fly at the screen's pace; nil where it is there, or so few
  /// do not need it.
  public func flightRequest(_ scene: borrowing Scene, atlas: Atlas) -> FlightPicturesRequest? {
    guard scene.mayFly else { return nil }
    let key = FlightPictures.Key(
      flight: scene.flightVersion, thumbnails: scene.thumbnailVersion &+ thumbnailChanges,
      atlas: ObjectIdentifier(atlas),
      background: renderer.background)
    guard key != flightPictures.key else { return nil }
    return FlightPicturesRequest(key: key, order: scene.flightOrderRequest, atlas: atlas)
  }

  /// Takes what was asked for.
  public func take(_ pictures: FlightPictures) { flightPictures = pictures }

  private func prepareFlight(_ scene: Scene, _ atlas: Atlas, _ quality: Scene.Quality) {
    guard FlightPictures.serves(scene, quality) else {
      renderer.flight = nil
      return
    }
    // Those of another collection would be seen in the place of others.
    let isOfAtlas = flightPictures.key?.atlas == ObjectIdentifier(atlas)
    renderer.flight = FlightCells(
      slots: scene.flightOrder.slots, pictures: isOfAtlas ? flightPictures : FlightPictures(),
      version: scene.flightVersion)
  }

  /// Whether a picture that takes the place of the present one shows the same pictures in the same places.
  private func isBetterOfSameView(_ wanted: Frame) -> Bool {
    guard keepsFormer, pictures[front].isExact, let shown = pictures[front].frame else { return false }
    return wanted.isPannedFrom(shown) && wanted.version == shown.version && wanted.offsetX == shown.offsetX
      && wanted.offsetY == shown.offsetY
  }

  /// A buffer that nothing needs.
  private var freeBuffer: Int? {
    pictures.indices.first { $0 != front && $0 != source && $0 != former && $0 != work?.buffer }
  }

  /// What an update draws from.
  private struct Now {
    let scene: Scene
    let atlas: Atlas
    let originals: (any OriginalSource)?
  }

  private func isFinished(_ wanted: Frame) -> Bool {
    guard let shown = pictures[front].frame, pictures[front].isExact, shown.suffices(for: wanted) else { return false }
    return shown.offsetX == wanted.offsetX && shown.offsetY == wanted.offsetY
  }

  /// What a whole frame takes; of a draft that was never drawn, a guess.
  private func seconds(_ quality: Scene.Quality) -> Double {
    quality == .sharp ? sharpSeconds : draftSeconds > 0 ? draftSeconds : sharpSeconds / 2
  }

  // MARK: The camera at once

  /// Makes the front picture one that the wanted camera sees, at whatever quality there is time for.
  private func align(to wanted: Frame, _ now: Now) -> Update.Kind {
    guard let shown = pictures[front].frame, wanted.isReprojectedFrom(shown) else {
      redrawAtOnce(wanted, now)
      return .redrawn
    }
    if wanted.isPannedFrom(shown) {
      let (x, y) = (wanted.offsetX - shown.offsetX, wanted.offsetY - shown.offsetY)
      if x == 0, y == 0 { return .unchanged }
      if abs(x) < wanted.viewport.width, abs(y) < wanted.viewport.height {
        pan(front, x: x, y: y, now)
        return .panned(x: x, y: y)
      }
      redrawAtOnce(wanted, now)
      return .redrawn
    }
    let quality = affordable(wanted.quality)
    if seconds(quality) <= budget.direct {
      redrawAtOnce(wanted, now)
      return .redrawn
    }
    guard let source, let frame = pictures[source].frame, wanted.isReprojectedFrom(frame) else {
      redrawAtOnce(wanted, now)
      return .redrawn
    }
    let reprojection = Reprojection(
      fromScale: frame.scale, offset: (frame.offsetX, frame.offsetY), toScale: wanted.scale,
      offset: (wanted.offsetX, wanted.offsetY), viewport: wanted.viewport)
    let unknown = 1 - Double(reprojection.known.area) / Double(wanted.viewport.area)
    if unknown > Self.largestUnknownShare {
      redrawAtOnce(wanted, now)
      return .redrawn
    }
    let target = pictures.indices.first { $0 != source && $0 != work?.buffer } ?? front
    reprojection.draw(
      from: pictures[source].pixels, into: pictures[target].pixels, stride: width, viewport: wanted.viewport)
    for strip in wanted.viewport.strips(around: reprojection.known) {
      render(strip, into: target, quality: .draft, now)
    }
    front = target
    pictures[front].frame = wanted
    pictures[front].isExact = false
    return .reprojected
  }

  /// The wanted quality if there is time for it.
  private func affordable(_ quality: Scene.Quality) -> Scene.Quality {
    quality == .sharp && sharpSeconds > budget.direct ? .draft : quality
  }

  private func redrawAtOnce(_ wanted: Frame, _ now: Now) {
    var frame = wanted
    frame.quality = affordable(wanted.quality)
    redraw(frame, now)
    if work?.buffer == front || !(work.map { wanted.isReprojectedFrom($0.frame) } ?? true) { work = nil }
  }

  private func redraw(_ frame: Frame, _ now: Now) {
    if work?.buffer == front { work = nil }
    let begin = Self.clock()
    drawnCount =
      seconds(frame.quality) > largestLoneFrame
      ? renderTogether(frame.viewport, into: front, quality: frame.quality, now)
      : render(frame.viewport, into: front, quality: frame.quality, now)
    if renderer.flight == nil { note(Self.clock() - begin, frame.quality) }
    pictures[front].frame = frame
    pictures[front].isExact = true
    source = front
  }

  private func pan(_ index: Int, x: Int, y: Int, _ now: Now) {
    guard var frame = pictures[index].frame else { return }
    renderer.renderPanned(
      into: pictures[index].pixels, stride: width, x: x, y: y, scene: now.scene, atlas: now.atlas,
      originals: now.originals, quality: frame.quality)
    frame.offsetX += x
    frame.offsetY += y
    pictures[index].frame = frame
  }

  @discardableResult
  private func render(_ rect: PixelRect, into index: Int, quality: Scene.Quality, _ now: Now) -> Int {
    renderer.render(
      into: pictures[index].pixels, stride: width, rect: rect, scene: now.scene, atlas: now.atlas,
      originals: now.originals, quality: quality)
  }

  /// What the threads that draw a frame together share; each has a renderer, a band and a count of its own.
  private struct Bands: @unchecked Sendable {
    /// All but the last.
    let helpers: UnsafeMutablePointer<MapRenderer>
    let last: UnsafeMutablePointer<MapRenderer>
    let counts: UnsafeMutablePointer<Int>
    let pixels: UnsafeMutablePointer<UInt32>
    let rects: [PixelRect]
  }

  /// Draws a rectangle in bands, all at the same time. Pixel for pixel, that is what `render` draws: a part of a frame does
  /// not depend on the rectangle that is drawn.
  private func renderTogether(_ rect: PixelRect, into index: Int, quality: Scene.Quality, _ now: Now) -> Int {
    // Originals are asked for on this thread alone; where any can be seen, the pictures are few.
    guard !helpers.isEmpty, renderer.flight == nil,
      now.scene.spriteSide <= thumbnailLevels[thumbnailLevels.count - 1]
    else {
      return render(rect, into: index, quality: quality, now)
    }
    let count = helpers.count + 1
    let rects = (0..<count).map { number in
      let (top, end) = (rect.height * number / count, rect.height * (number + 1) / count)
      return PixelRect(x: rect.x, y: rect.y + top, width: rect.width, height: end - top)
    }
    for index in helpers.indices {
      helpers[index].background = renderer.background
      helpers[index].readsResidentLevelsOnly = renderer.readsResidentLevelsOnly
    }
    var counts = [Int](repeating: 0, count: count)
    let (pixels, stride, scene, atlas) = (pictures[index].pixels, width, now.scene, now.atlas)
    withUnsafeMutablePointer(to: &renderer) { last in
      helpers.withUnsafeMutableBufferPointer { helpers in
        counts.withUnsafeMutableBufferPointer { counts in
          guard let first = helpers.baseAddress, let counts = counts.baseAddress else { return }
          let bands = Bands(helpers: first, last: last, counts: counts, pixels: pixels, rects: rects)
          DispatchQueue.concurrentPerform(iterations: count) { number in
            let band = bands.rects[number]
            let renderer = number == count - 1 ? bands.last : bands.helpers + number
            renderer.pointee.render(
              into: bands.pixels, stride: stride, rect: band, scene: scene, atlas: atlas, quality: quality)
            bands.counts[number] = renderer.pointee.count(beginningIn: band, top: rect.y)
          }
        }
      }
    }
    for index in helpers.indices { renderer.takeMissing(of: &helpers[index]) }
    return counts.reduce(0, +)
  }

  private func note(_ seconds: Double, _ quality: Scene.Quality) {
    func blended(_ old: Double) -> Double { old == 0 ? seconds : (old + seconds) / 2 }
    if quality == .draft { draftSeconds = blended(draftSeconds) } else { sharpSeconds = blended(sharpSeconds) }
  }

  // MARK: A better picture

  /// Goes on with a better picture for as long as there is time. Whether it took the place of the front one.
  private func refine(towards wanted: Frame, _ now: Now) -> Bool {
    if let work, !isWorthwhile(work, for: wanted) { self.work = nil }
    if work == nil { begin(wanted, now.scene) }
    guard var work else { return false }
    let begin = Self.clock()
    var band = 0.0
    repeat {
      let start = Self.clock()
      let rect = work.bands.removeLast()
      work.count += renderer.render(
        into: pictures[work.buffer].pixels, stride: width, rect: rect, scene: work.scene, atlas: now.atlas,
        originals: now.originals, quality: work.frame.quality)
      band = Self.clock() - start
      work.seconds += band
      // Where pictures crowd, the next one would take longer than there is time for.
      let affordable = min(1e6, Double(rect.height) * budget.refinement / max(band, 1e-6))
      work.limitNextBand(to: max(Self.leastBandHeight, Int(affordable)))
    } while !work.bands.isEmpty && Self.clock() - begin + band < budget.refinement
    guard work.bands.isEmpty else {
      self.work = work
      return false
    }
    self.work = nil
    note(work.seconds, work.frame.quality)
    pictures[work.buffer].frame = work.frame
    pictures[work.buffer].isExact = true
    source = work.buffer
    guard work.frame.isPannedFrom(wanted) else { return false }
    former = isBetterOfSameView(work.frame) ? front : nil
    front = work.buffer
    drawnCount = work.count
    let (x, y) = (wanted.offsetX - work.frame.offsetX, wanted.offsetY - work.frame.offsetY)
    if x != 0 || y != 0 {
      former = nil
      pan(front, x: x, y: y, now)
    }
    return true
  }

  /// Whether the picture in work will be of use: it is finished even when the camera has moved on, for a picture that is
  /// begun anew with every motion of the hand would never be there.
  private func isWorthwhile(_ work: Work, for wanted: Frame) -> Bool {
    guard work.buffer != front, work.frame.isReprojectedFrom(wanted) else { return false }
    if wanted.quality == .draft { return true }
    // Thumbnails that came since are of the next picture: while many come, there would never be one.
    return work.frame.isPannedFrom(wanted) && work.frame.quality == .sharp
      && abs(wanted.offsetX - work.frame.offsetX) < wanted.viewport.width / 2
      && abs(wanted.offsetY - work.frame.offsetY) < wanted.viewport.height / 2
  }

  /// Begins a picture in a buffer that nothing needs, with bands from the middle outwards.
  private func begin(_ frame: Frame, _ scene: Scene) {
    guard let buffer = freeBuffer else { return }
    pictures[buffer].frame = nil
    let viewport = frame.viewport
    var bands: [PixelRect] = []
    for top in Swift.stride(from: viewport.y, to: viewport.maxY, by: Self.bandHeight) {
      bands.append(
        PixelRect(x: viewport.x, y: top, width: viewport.width, height: min(Self.bandHeight, viewport.maxY - top)))
    }
    let middle = viewport.y + viewport.height / 2
    bands.sort { abs($0.y + $0.height / 2 - middle) > abs($1.y + $1.height / 2 - middle) }
    var work = Work(buffer: buffer, frame: frame, scene: scene, bands: bands)
    // Nobody knows yet how long a band takes.
    work.limitNextBand(to: Self.leastBandHeight)
    self.work = work
  }

  private func resize(_ width: Int, _ height: Int) {
    guard width != self.width || height != self.height || pictures.isEmpty else { return }
    for picture in pictures { picture.pixels.deallocate() }
    (self.width, self.height) = (width, height)
    let count = max(1, width * height)
    pictures = (0..<4).map { _ in
      // Not initialised: pages that are never drawn cost nothing.
      Picture(pixels: .allocate(capacity: count))
    }
    front = 0
    source = nil
    former = nil
    work = nil
  }

  private static func clock() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
