import Dispatch
import Foundation

/// What happens on the main thread and when, for benchmarks: written to the file that the environment variable
/// `S3TOTSNE_MEASURE` names, one JSON object a line. Times are in milliseconds of the monotonic clock.
///
/// * `{"at", "pause"}`: the main thread heard nothing for so long, until then.
/// * `{"at", "took", "name"}`: what it did takes long.
/// * `{"at", "picture"}`: the display has acknowledged a picture to which nothing is missing, of so many placed images, the
///   first of so many.
/// * `{"at", "frame"}`: the display has acknowledged any picture, of this number.
@MainActor final class Measurements {
  /// Nil unless measurements were asked for.
  static let shared: Measurements? = ProcessInfo.processInfo.environment["S3TOTSNE_MEASURE"].flatMap {
    Measurements(path: $0)
  }

  /// Shorter times are not worth a line, in seconds.
  private static let threshold = 0.015

  private nonisolated let lines: Lines
  private let watch: PauseWatch
  /// Complete pictures that the display has not acknowledged: how many images each showed.
  private var pending: [UInt64: Int] = [:]
  private var shown = 0

  private init?(path: String) {
    guard let lines = Lines(path: path) else { return nil }
    self.lines = lines
    watch = PauseWatch(threshold: Self.threshold) { seconds, end in
      lines.add("\"pause\":\(Measurements.milliseconds(seconds))", at: end)
    }
  }

  /// Runs `body`; when it takes long, that is noted.
  @discardableResult
  static func timed<Result>(_ name: @autoclosure () -> String, _ body: () -> Result) -> Result {
    guard let shared else { return body() }
    let begin = FrameScheduler.now
    let result = body()
    let end = FrameScheduler.now
    if end - begin > threshold {
      shared.lines.add("\"took\":\(milliseconds(end - begin)),\"name\":\"\(name())\"", at: end)
    }
    return result
  }

  /// The name of a case of an enumeration.
  static func name(of value: Any) -> String { Mirror(reflecting: value).children.first?.label ?? "\(value)" }

  /// A picture was handed to the display that shows `images` without anything missing.
  func handedOver(_ serial: UInt64, images: Int) {
    if images != shown { pending[serial] = images }
  }

  /// The display has acknowledged a picture.
  func acknowledged(_ serial: UInt64) {
    lines.add("\"frame\":\(serial)", at: FrameScheduler.now)
    guard let images = pending.removeValue(forKey: serial), images != shown else { return }
    shown = images
    lines.add("\"picture\":\(images)", at: FrameScheduler.now)
  }

  private nonisolated static func milliseconds(_ seconds: Double) -> String { String(format: "%.3f", seconds * 1000) }

  /// The file, written to in the background.
  private final class Lines: Sendable {
    private let file: FileHandle
    private let queue = DispatchQueue(label: "measurements", qos: .utility)

    init?(path: String) {
      guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
      else { return nil }
      self.file = file
    }

    func add(_ fields: String, at time: Double) {
      let line = "{\"at\":\(Measurements.milliseconds(time)),\(fields)}\n"
      queue.async { [file] in try? file.write(contentsOf: Data(line.utf8)) }
    }
  }
}
