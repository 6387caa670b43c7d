import Arrangements
public import Atlas
import Dispatch
import Foundation
import Geometry
import Imaging
import Mapping
import ObjectStorage
import Scene
import Synchronization
import TSNE
public import X11

/// A map to be shown and moved while its frames are timed.
public struct RenderingRequest: Sendable {
  /// Thumbnails of the slots `0 ..< count`.
  public var atlas: Atlas
  /// How many pictures there are.
  public var count: Int
  /// Layouts that follow one another, `2 × count` numbers each (x, y interleaved, any unit).
  public var layouts: [[Float]]
  /// The window in device pixels.
  public var width, height: Int
  /// Device pixels per logical pixel.
  public var scale: Double
  /// Seconds that the script takes.
  public var seconds: Double
  /// Whether the pictures have frames in the colours of classes.
  public var hasLabels = false

  /// A request of 10 s.
  public init(
    atlas: Atlas, count: Int, layouts: [[Float]], width: Int, height: Int, scale: Double = 1, seconds: Double = 10
  ) {
    precondition(layouts.count >= 2 && layouts.allSatisfy { $0.count == 2 * count })
    self.atlas = atlas
    self.count = count
    self.layouts = layouts
    self.width = width
    self.height = height
    self.scale = scale
    self.seconds = seconds
  }
}

/// What was measured; all times in milliseconds.
public struct RenderingReport: Sendable {
  /// What the hand did when a frame was drawn.
  public enum Phase: String, Sendable, CaseIterable {
    case pan, zoom, panNear = "pan_near", selected, arrangement, layout
  }

  /// One frame.
  public struct Frame: Sendable {
    /// What the hand did.
    public var phase: Phase
    /// From the beginning of the frame to the server's word that it has the picture.
    public var duration: Double
    /// From the beginning of the frame to the handing over of its pixels.
    public var drawing: Double
    /// Processor time of the main thread since the frame before: what a frame costs when nobody else uses the processor.
    public var processor: Double
    /// Pictures drawn in it.
    public var pictures: Int
  }

  /// Every frame, in order.
  public var frames: [Frame] = []
  /// From the moment an input was due to the server's word that it has a picture that shows it.
  public var latencies: [Double] = []
  /// The longest time in which the main thread heard nothing.
  public var longestPause = 0.0
  /// From the beginning of the request to the server's word on the first complete picture.
  public var firstPicture = 0.0
  /// Processor time used in the two seconds of rest after the script.
  public var restingProcessorTime = 0.0
  /// Memory of the process at its highest during the script, mapped files included, and the part that is no file; in MB.
  public var peakMemory = 0.0, anonymousMemory = 0.0
}

/// Shows a map in the program's own window, moves it by a script of pans, zooms and layout changes as a hand would, and
/// times every frame until the server has acknowledged it.
///
/// The process is to end in `completion`.
/// - Throws: when there is no display.
@MainActor public func measureRendering(
  _ request: RenderingRequest, completion: @escaping @MainActor (RenderingReport) -> Never
) throws(X11Error) -> Never {
  let measurement = try RenderingMeasurement(request, completion: completion)
  measurement.start()
  withExtendedLifetime(measurement) { RunLoop.main.run() }
  exit(0)
}

/// The hand, the clock and the book.
@MainActor private final class RenderingMeasurement {
  private let request: RenderingRequest
  private let application: Application
  private let completion: @MainActor (RenderingReport) -> Never
  private let hand = DispatchQueue(label: "hand", qos: .userInteractive)
  private var report = RenderingReport()
  private let began = FrameScheduler.now
  private var scriptBegan = 0.0
  /// Frames that the server has not acknowledged: when they began, when they were drawn, what they show.
  private var pending: [UInt64: (frame: RenderingReport.Frame, began: Double, inputs: [Double])] = [:]
  /// When the inputs that no frame shows yet were due.
  private var inputs: [Double] = []
  private var phase = RenderingReport.Phase.pan
  private var isMeasuring = false
  private var lastProcessor = 0.0
  private var timer: (any DispatchSourceTimer)?
  private var watch: PauseWatch?
  /// The first layout in a grid.
  private var grid: Arrangement?
  private let layoutSlots: [Int32]

  /// Inputs a second: what a mouse sends.
  private nonisolated static let inputRate = 125.0

  init(_ request: RenderingRequest, completion: @escaping @MainActor (RenderingReport) -> Never) throws(X11Error) {
    self.request = request
    self.completion = completion
    layoutSlots = Array(0..<Int32(request.count))
    prepareImaging()
    // A store of its own: nothing of the user's is read or written.
    let nowhere = NSTemporaryDirectory() + "s3totsne-bench-state"
    application = try Application(
      ViewerOptions(
        location: nil,
        storage: StorageOptions(environment: ["XDG_STATE_HOME": nowhere, "XDG_CACHE_HOME": nowhere, "HOME": nowhere]),
        parameters: MapParameters(tsne: TSNEParameters(threads: 1)), threads: 1, scale: request.scale,
        geometry: "\(request.width)x\(request.height)+0+0"))
  }

  func start() {
    let handle = application.window.onEvent
    application.window.onEvent = { [weak self] event in
      if case .presented(let serial) = event { self?.acknowledged(serial) }
      handle?(event)
    }
    application.scheduler.onPresented = { [weak self] serial, began in self?.drawn(serial, began) }
    let perform = application.map.onEffect
    application.map.onEffect = { effect in
      // The grid is there already when the script asks for it.
      if case .arrange = effect { return }
      perform?(effect)
    }
    application.start()
    application.startPage.isShown = false
    application.map.atlas = request.atlas
    let slots = Array(0..<request.count)
    application.map.send(.imagesAdded(slots: slots))
    application.map.send(
      .imagesReady(
        slots.compactMap { slot in
          request.atlas.info(slot).map { (slot, Double($0.width) / Double(max(1, $0.height))) }
        }))
    if request.hasLabels {
      let images = slots.map { LabelledImage(slot: $0, path: Array("\($0 % Labelling.mostLabels)/\($0)".utf8)[...]) }
      application.map.send(.labelKind(.folder))
      application.map.send(.labelled(Labelling(by: .folder, of: images)))
      application.updateStatus()
    }
    show(layout: 0, isFinal: true, animated: false)
    application.map.send(.arrangementMode(.grid))
    let arrangement = application.map.scene.arrangementRequest
    application.map.send(.arrangementMode(.free))
    hand.asyncAfter(deadline: .now() + 0.5) { [weak self] in
      let grid = try? arrangement?.computed()
      self?.hand.asyncAfter(deadline: .now() + 1) {
        DispatchQueue.main.async {
          MainActor.assumeIsolated {
            self?.grid = grid
            self?.startScript()
          }
        }
      }
    }
  }

  private func show(layout index: Int, isFinal: Bool, animated: Bool) {
    application.map.send(
      .layout(
        slots: layoutSlots, positions: request.layouts[index % request.layouts.count],
        isFinal: isFinal, animated: animated))
  }

  // MARK: The book

  private func drawn(_ serial: UInt64, _ began: Double) {
    let processor = Self.threadTime()
    pending[serial] = (
      RenderingReport.Frame(
        phase: phase, duration: 0, drawing: (FrameScheduler.now - began) * 1000,
        processor: (processor - lastProcessor) * 1000, pictures: application.map.drawnCount), began, inputs
    )
    lastProcessor = processor
    inputs = []
  }

  private func acknowledged(_ serial: UInt64) {
    guard let entry = pending.removeValue(forKey: serial) else { return }
    var frame = entry.frame
    let now = FrameScheduler.now
    if report.firstPicture == 0, frame.pictures > 0 { report.firstPicture = (now - self.began) * 1000 }
    guard isMeasuring else { return }
    frame.duration = (now - entry.began) * 1000
    report.frames.append(frame)
    report.latencies += entry.inputs.map { (now - $0) * 1000 }
  }

  // MARK: The script

  private func startScript() {
    resetPeakMemory()
    isMeasuring = true
    inputs = []
    watch = PauseWatch()
    scriptBegan = FrameScheduler.now
    let begin = scriptBegan
    let timer = DispatchSource.makeTimerSource(flags: .strict, queue: hand)
    timer.schedule(deadline: .now(), repeating: 1 / Self.inputRate, leeway: .nanoseconds(0))
    let step = Mutex(0)
    timer.setEventHandler { @Sendable [weak self] in
      // When the input was due, and not when somebody found the time to handle it.
      let number = step.withLock { value in
        defer { value += 1 }
        return value
      }
      let due = begin + Double(number) / Self.inputRate
      DispatchQueue.main.async { MainActor.assumeIsolated { self?.play(number, due: due) } }
    }
    self.timer = timer
    timer.resume()
  }

  private var isPressed = false
  private var layoutsShown = 0

  private func play(_ number: Int, due: Double) {
    let share = (due - scriptBegan) / request.seconds
    guard share < 1 else { return finishScript() }
    let middle = Point(x: Double(request.width) / 2, y: Double(request.height) / 2)
    let next: RenderingReport.Phase =
      switch share {
      case ..<0.2: .pan
      case ..<0.4: .zoom
      case ..<0.5: .panNear
      case ..<0.62: .selected
      case ..<0.75: .arrangement
      default: .layout
      }
    if next != phase { turn(from: phase, to: next, middle, due: due) }
    switch phase {
    case .pan: drag(number, of: 45, about: middle, reach: 0.3, due: due)
    case .zoom:
      // In by sixteen notches and out again, about a point that wanders.
      let place = (share - 0.2) / 0.2
      let anchor = Point(
        x: middle.x * (0.7 + 0.6 * place), y: middle.y * (1.2 - 0.5 * place))
      if number % 7 == 0 { wheel(place < 0.5 ? 1 : -1, at: anchor, due: due) }
    case .panNear: drag(number, of: 30, about: middle, reach: 0.4, due: due)
    case .selected:
      // The whole map is moved and zoomed, two thirds of it dimmed.
      let place = (share - 0.5) / 0.12
      if place < 0.6 {
        drag(number, of: 45, about: middle, reach: 0.3, due: due)
      } else {
        release(middle, due: due)
        if number % 7 == 0 { wheel(place < 0.8 ? 1 : -1, at: middle, due: due) }
      }
    case .arrangement:
      // Into a grid, and back.
      if share > 0.69, application.map.scene.mode != .free {
        application.map.send(.arrangementMode(.free))
        note(due)
      }
    case .layout: changeLayout((share - 0.75) / 0.25, number, due: due)
    }
  }

  /// The hand turns to something else.
  private func turn(
    from old: RenderingReport.Phase, to new: RenderingReport.Phase, _ middle: Point, due: Double
  ) {
    release(middle, due: due)
    phase = new
    switch new {
    case .panNear: for _ in 0..<8 { wheel(1, at: middle, due: due) }
    case .selected:
      application.map.send(.key(.home, [], isRepeat: false))
      application.map.send(.select(slots: Array(stride(from: 0, to: request.count, by: 3))))
    case .arrangement:
      application.map.send(.select(slots: []))
      application.map.send(.key(.home, [], isRepeat: false))
      application.map.send(.arrangementMode(.grid))
      if let grid, let version = application.map.scene.arrangementRequest?.version {
        application.map.send(.arranged(grid, .grid, version: version))
      }
    case .layout: application.map.send(.key(.home, [], isRepeat: false))
    case .pan, .zoom: return
    }
    note(due)
  }

  /// New layouts that the pictures fly to, and between them one that runs: snapshots thirty times a second.
  private func changeLayout(_ place: Double, _ number: Int, due: Double) {
    let wanted = Int(place * 4)
    if wanted.isMultiple(of: 2) {
      if layoutsShown <= wanted {
        layoutsShown = wanted + 1
        application.map.send(.layoutStarted)
        show(layout: layoutsShown, isFinal: true, animated: true)
        note(due)
      }
    } else if number % 4 == 0 {
      show(layout: number / 4, isFinal: false, animated: true)
      note(due)
    }
  }

  private func note(_ due: Double) {
    if application.scheduler.isBusy { inputs.append(due) }
  }

  private func wheel(_ notches: Double, at point: Point, due: Double) {
    application.handle(.scrolled(dx: 0, dy: notches, x: point.x, y: point.y, []))
    note(due)
  }

  private func drag(_ number: Int, of period: Int, about middle: Point, reach: Double, due: Double) {
    let step = number % (2 * period)
    let angle = Double(number / (2 * period)) * 1.1
    let way = Double(step % period) / Double(period) * 2 - 1
    let reach = reach * Double(request.width) / 2
    let point = Point(x: middle.x + way * reach * cos(angle), y: middle.y + way * reach * 0.5 * sin(angle))
    if step % period == 0 {
      release(point, due: due)
      press(point)
      return
    }
    application.handle(.pointerMoved(x: point.x, y: point.y, [], time: 0))
    note(due)
  }

  private func press(_ point: Point) {
    isPressed = true
    application.handle(.pointerPressed(button: 1, x: point.x, y: point.y, [], clickCount: 1, time: 0))
  }

  private func release(_ point: Point, due: Double) {
    guard isPressed else { return }
    isPressed = false
    application.handle(.pointerReleased(button: 1, x: point.x, y: point.y, [], time: 0))
    application.handle(.pointerLeft)
  }

  private func finishScript() {
    guard isMeasuring, let timer else { return }
    timer.cancel()
    self.timer = nil
    report.longestPause = (watch?.stop() ?? 0) * 1000
    let memory = Self.memory()
    report.peakMemory = memory.peak
    report.anonymousMemory = memory.anonymous
    // The last motion ends; then two seconds in which nothing is to happen.
    hand.asyncAfter(deadline: .now() + 1.5) { [weak self] in
      DispatchQueue.main.async {
        MainActor.assumeIsolated {
          guard let self else { return }
          self.isMeasuring = false
          let before = Self.processorTime()
          self.hand.asyncAfter(deadline: .now() + 2) {
            DispatchQueue.main.async {
              MainActor.assumeIsolated {
                self.report.restingProcessorTime = (Self.processorTime() - before) * 1000
                self.application.window.close()
                self.application.connection.close()
                self.completion(self.report)
              }
            }
          }
        }
      }
    }
  }

  // MARK: The process

  private func resetPeakMemory() { try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs")) }

  private static func memory() -> (peak: Double, anonymous: Double) {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    func megabytes(_ name: String) -> Double {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      let number = line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Double($0) } ?? 0
      return number * 1024 / 1e6
    }
    return (megabytes("VmHWM"), megabytes("RssAnon"))
  }

  private static func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func processorTime() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }
}
