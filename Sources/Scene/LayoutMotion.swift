import Foundation
import Geometry

/// The way of the pictures from where they are to where the layout wants them.
///
/// Two motions lie on one another. Between two snapshots of a running layout the pictures move evenly, for as long as
/// snapshots are apart. When a new layout begins they fly from their old places to wherever the first motion has them.
struct LayoutMotion: Sendable {
  /// Where the pictures go, by slot.
  private(set) var targetX: [Float] = []
  private(set) var targetY: [Float] = []
  /// Where they were, on the even motion, when the latest snapshot came.
  private var fromX: [Float] = []
  private var fromY: [Float] = []
  /// Where they were when they took off.
  private var departureX: [Float] = []
  private var departureY: [Float] = []

  private var even: Course?
  private var flight: Course?
  private var latestSnapshot: Double?

  /// Seconds that pictures take to fly from one layout to the next, and for the last turn of a finished one.
  static let flightSeconds = 0.55
  static let settlingSeconds = 0.3

  private struct Course {
    var start: Double?
    var duration: Double
    func progress(at now: Double) -> Double { min(1, max(0, (now - (start ?? now)) / duration)) }
  }

  var isMoving: Bool { even != nil || flight != nil }
  /// How far the flight has come, eased.
  private(set) var departureProgress = 1.0

  /// Makes room for every slot; new ones stay where they are.
  mutating func prepare(x: [Float], y: [Float]) {
    if targetX.count < x.count {
      targetX.append(contentsOf: x[targetX.count...])
      targetY.append(contentsOf: y[targetY.count...])
    }
    if even != nil, fromX.count < x.count {
      fromX.append(contentsOf: x[fromX.count...])
      fromY.append(contentsOf: y[fromY.count...])
    }
    if flight != nil, departureX.count < x.count {
      departureX.append(contentsOf: x[departureX.count...])
      departureY.append(contentsOf: y[departureY.count...])
    }
  }

  /// Sends a picture somewhere; where it is on the way, it goes on from there.
  mutating func setTarget(_ slot: Int, _ place: Point) {
    targetX[slot] = Float(place.x)
    targetY[slot] = Float(place.y)
    appear(slot)
  }

  /// The picture had no place before: it does not come flying from nowhere.
  mutating func appear(_ slot: Int) {
    if even != nil {
      fromX[slot] = targetX[slot]
      fromY[slot] = targetY[slot]
    }
    if flight != nil {
      departureX[slot] = targetX[slot]
      departureY[slot] = targetY[slot]
    }
  }

  /// Takes the places of a snapshot as targets. What was aimed at before is kept as the start of the even motion.
  mutating func retarget(
    slots: [Int32], positions: [Float], normalization: LayoutNormalization, orientation: Orientation
  ) {
    let cosine = cos(orientation.angle)
    let sine = sin(orientation.angle)
    let mirror: Double = orientation.isMirrored ? -1 : 1
    // Where the even motion is just now becomes its start.
    let share = Float(evenProgress)
    if even != nil {
      for slot in fromX.indices {
        fromX[slot] += (targetX[slot] - fromX[slot]) * share
        fromY[slot] += (targetY[slot] - fromY[slot]) * share
      }
    } else {
      fromX = targetX
      fromY = targetY
    }
    for (index, slot) in slots.enumerated() {
      let point = normalization.shown(x: positions[2 * index], y: positions[2 * index + 1])
      let y = point.y * mirror
      targetX[Int(slot)] = Float(point.x * cosine - y * sine)
      targetY[Int(slot)] = Float(point.x * sine + y * cosine)
    }
  }

  private var evenProgress = 1.0

  /// Starts the motion towards the targets.
  /// - Parameters:
  ///   - x: where the pictures are drawn now.
  ///   - departs: a new layout begins: fly there from `x`, `y`.
  ///   - settles: the last snapshot, which may be turned: take a little longer.
  mutating func begin(
    x: [Float], y: [Float], departs: Bool, settles: Bool, animated: Bool, now: Double
  ) {
    defer { latestSnapshot = now }
    guard animated else {
      stop()
      // Over before it began: the next `advance` takes the targets over.
      even = Course(start: -.infinity, duration: 1)
      fromX = targetX
      fromY = targetY
      return
    }
    if departs {
      departureX = x
      departureY = y
      departureProgress = 0
      flight = Course(start: nil, duration: Self.flightSeconds)
      // The flight is the way to the first snapshot; the even motion begins with the second one.
      fromX = targetX
      fromY = targetY
    }
    let interval = latestSnapshot.map { now - $0 } ?? 0
    even = Course(start: nil, duration: settles ? Self.settlingSeconds : min(0.25, max(1 / 60, interval)))
    evenProgress = 0
  }

  private mutating func stop() {
    even = nil
    flight = nil
    departureProgress = 1
    evenProgress = 1
  }

  /// Where the pictures are at a time. Returns whether there was any motion.
  mutating func advance(to now: Double, previous: Double, x: inout [Float], y: inout [Float]) -> Bool {
    guard isMoving else { return false }
    if even != nil, even?.start == nil { even?.start = previous }
    if flight != nil, flight?.start == nil { flight?.start = previous }
    evenProgress = even?.progress(at: now) ?? 1
    let share = Float(evenProgress)
    if let flight {
      let rest = 1 - flight.progress(at: now)
      departureProgress = 1 - rest * rest * rest
      let flown = Float(departureProgress)
      for slot in x.indices {
        let evenX = even == nil ? targetX[slot] : fromX[slot] + (targetX[slot] - fromX[slot]) * share
        let evenY = even == nil ? targetY[slot] : fromY[slot] + (targetY[slot] - fromY[slot]) * share
        x[slot] = departureX[slot] + (evenX - departureX[slot]) * flown
        y[slot] = departureY[slot] + (evenY - departureY[slot]) * flown
      }
    } else if share < 1 {
      for slot in x.indices {
        x[slot] = fromX[slot] + (targetX[slot] - fromX[slot]) * share
        y[slot] = fromY[slot] + (targetY[slot] - fromY[slot]) * share
      }
    } else {
      x = targetX
      y = targetY
    }
    if let flight, flight.progress(at: now) >= 1 {
      self.flight = nil
      departureProgress = 1
      departureX = []
      departureY = []
    }
    if evenProgress >= 1 { even = nil }
    return true
  }
}
