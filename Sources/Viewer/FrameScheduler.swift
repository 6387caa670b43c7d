import Dispatch
import Geometry
import X11

/// Decides when a frame is drawn: when something asked for one, the window is seen, a buffer is free, and the last one
/// is at least a screen refresh ago. At rest nothing is scheduled.
@MainActor final class FrameScheduler {
  /// Draws the frame and tells what of it changed; nil when nothing is to be shown.
  var draw: ((FrameBuffer, _ now: Double) -> [PixelRect])?
  /// What of the frame just drawn is the last one moved.
  var movement: (() -> FrameMovement?)?
  /// Told of every frame that was handed to the server: its number and when it was begun.
  var onPresented: ((_ serial: UInt64, _ began: Double) -> Void)?
  /// Called before a frame while something moves.
  var tick: ((_ now: Double) -> Void)?
  /// Whether a picture is moving: frames follow one another until it is false.
  var isAnimating = false {
    didSet { if isAnimating, !oldValue { request() } }
  }

  private let window: Window
  private let interval: Double
  private var isNeeded = false
  private var isScheduled = false
  private var isWaitingForBuffer = false
  private var nextFrame = 0.0

  /// A scheduler for `window` that draws at most `rate` frames a second.
  init(window: Window, rate: Double) {
    self.window = window
    interval = 1 / max(1, rate)
  }

  /// Monotonic seconds.
  static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

  /// Asks for a frame.
  func request() {
    isNeeded = true
    schedule()
  }

  /// Whether a frame is asked for or follows by itself.
  var isBusy: Bool { isNeeded || isAnimating }

  /// A buffer is free again.
  func bufferIsFree() {
    isWaitingForBuffer = false
    schedule()
  }

  /// The window came into sight.
  func windowIsVisible() { schedule() }

  private func schedule() {
    guard isNeeded || isAnimating, !isScheduled, !isWaitingForBuffer, window.isVisible else { return }
    isScheduled = true
    let delay = nextFrame - Self.now
    // Through the queue even without a delay: what else has already arrived belongs into the same frame.
    if delay <= 0.000_5 {
      DispatchQueue.main.async { MainActor.assumeIsolated { self.fire() } }
    } else {
      DispatchQueue.main.asyncAfter(deadline: .now() + delay) { MainActor.assumeIsolated { self.fire() } }
    }
  }

  private func fire() {
    isScheduled = false
    guard window.isVisible else { return }
    let now = Self.now
    if isAnimating { tick?(now) }
    guard isNeeded else {
      // Something moves and nothing shows it: the next look is a screen refresh away.
      nextFrame = max(nextFrame + interval, now + interval / 2)
      return schedule()
    }
    guard let frame = window.beginFrame() else {
      isWaitingForBuffer = true
      return
    }
    isNeeded = false
    if let damage = draw?(frame, now), !damage.isEmpty {
      let serial = window.present(frame, damage: damage, movement: movement?())
      onPresented?(serial, now)
    }
    // The pace is kept by the clock and not by the end of the drawing.
    nextFrame = max(nextFrame + interval, now + interval / 2)
    schedule()
  }
}
