public import Drawing
internal import Foundation
internal import Geometry

/// A line of 2 logical pixels that says how far something is. At rest it costs nothing; it animates only while its value
/// moves, or while something of unknown length runs and animation is allowed.
@MainActor public final class ProgressLine: ControlBase {
  /// What is known of the progress.
  public enum Value: Hashable, Sendable {
    /// Nothing runs: nothing is drawn.
    case none
    /// From 0 to 1.
    case fraction(Double)
    /// Something of unknown length.
    case unknown
  }

  /// How long the line takes to reach a new value, in seconds.
  public static let easing = 0.2
  private static let sweep = 1.6

  /// What is shown.
  public var value: Value = .none {
    didSet {
      guard value != oldValue else { return }
      switch (value, oldValue) {
      case (.fraction(let new), .fraction) where style.animates && new >= shown:
        start = shown
        startTime = nil
      case (.fraction(let new), _):
        start = new
        shown = new
      case (.none, _), (.unknown, _):
        shown = 0
        phase = 0
        startTime = nil
      }
      invalidate()
    }
  }

  private var shown = 0.0
  private var start = 0.0
  private var startTime: Double?
  private var phase = 0.0

  public override var isAnimating: Bool {
    guard isVisible else { return false }
    return switch value {
    case .none: false
    case .fraction(let target): shown != target
    case .unknown: style.animates
    }
  }

  public override func tick(seconds: Double) {
    guard isAnimating else { return }
    let begin = startTime ?? seconds
    startTime = begin
    switch value {
    case .none: break
    case .fraction(let target):
      let part = min(1, max(0, (seconds - begin) / Self.easing))
      shown = part == 1 ? target : start + (target - start) * (1 - pow(1 - part, 3))
    case .unknown: phase = ((seconds - begin) / Self.sweep).truncatingRemainder(dividingBy: 1)
    }
    invalidate()
  }

  public override func draw(on canvas: Canvas) {
    let color = style.theme.focus
    switch value {
    case .none: break
    case .fraction:
      let width = (frame.width * max(0, min(1, shown))).rounded()
      canvas.fill(Rect(x: frame.x, y: frame.y, width: width, height: frame.height), color)
    case .unknown:
      guard style.animates else {
        // Standing still it must not look like a share: the whole line, fainter.
        canvas.fill(frame, color.withAlpha(0.5))
        return
      }
      let length = frame.width / 4
      let eased = 0.5 - 0.5 * cos(phase * .pi)
      let left = frame.x - length + (frame.width + length) * eased
      let piece = Rect(x: left.rounded(), y: frame.y, width: length.rounded(), height: frame.height)
      canvas.fill(piece.intersection(frame), color)
    }
  }
}
