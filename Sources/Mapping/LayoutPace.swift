import Foundation

/// Slows the layout of a small collection down so that it can be watched: hundreds of images are laid out in a few tenths
/// of a second, of which nobody would see anything. It decides when an iteration may begin and never what it does, and
/// adds nothing to a layout that takes as long by itself.
struct LayoutPace {
  /// Seconds that the whole is to take at least.
  let duration: Double
  /// Seconds spent waiting so far.
  var waited = 0.0

  private let iterations: Int
  private let start: ContinuousClock.Instant
  /// Seconds of one wait, so that cancelling and stopping are felt at once.
  private static let slice = 0.015
  /// Below 1, the first iterations get more time: that is when clusters form.
  private static let shape = 0.6

  /// A pace for `iterations` iterations on `count` images, from now on.
  init(count: Int, iterations: Int) {
    duration = Self.duration(count: count, iterations: iterations)
    self.iterations = max(1, iterations)
    start = .now
  }

  /// About three seconds for some hundred images and a thousand iterations, less for a handful of either.
  static func duration(count: Int, iterations: Int) -> Double {
    guard count > 1, iterations > 0 else { return 0 }
    return min(3, 1 + Double(count) / 100, 1 + Double(iterations) / 500, Double(iterations) / 30)
  }

  /// How long to wait after `done` iterations when `elapsed` seconds have passed since the start.
  ///
  /// No longer than until the iteration is due, and never so long that the rest, at the speed so far, would end after
  /// `duration`.
  func wait(done: Int, elapsed: Double) -> Double {
    guard duration > 0, done < iterations else { return 0 }
    let due = duration * pow(Double(done) / Double(iterations), Self.shape)
    let cost = max(0, elapsed - waited) / Double(max(1, done))
    let spare = duration - elapsed - cost * Double(iterations - done)
    return max(0, min(due - elapsed, spare))
  }

  /// Waits until the next iteration may begin; less long once `isInterrupted` says so. Blocking.
  mutating func pause(done: Int, isInterrupted: () -> Bool) {
    let begin = (ContinuousClock.now - start).seconds
    let end = begin + wait(done: done, elapsed: begin)
    var now = begin
    while now < end, !isInterrupted() {
      Thread.sleep(forTimeInterval: min(Self.slice, end - now))
      now = (ContinuousClock.now - start).seconds
    }
    waited += now - begin
  }
}
