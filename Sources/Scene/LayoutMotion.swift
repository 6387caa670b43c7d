import Dispatch
import Foundation
import Geometry

/// The way of the pictures from where they are to where the layout wants them.
///
/// Two motions lie on one another. Between two snapshots of a running layout the pictures move evenly, for as long as
/// snapshots are apart. When a new layout begins they fly from their old places to wherever the first motion has them.
struct LayoutMotion: Sendable {
  /// Where the pictures go, by slot, in layout units.
  private(set) var targets: [SIMD2<Float>] = []
  /// Where they were, on the even motion, when the latest snapshot came.
  private var starts: [SIMD2<Float>] = []
  /// Where they were when they took off; empty while none fly.
  private var departures: [SIMD2<Float>] = []
  /// What they cover, or a little more.
  private var covered = (targets: Box(), starts: Box(), departures: Box())

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

  /// What places of many pictures cover, in layout units.
  private struct Box {
    var low = SIMD2<Float>(repeating: .infinity)
    var high = SIMD2<Float>(repeating: -.infinity)

    init() {}

    init(_ rect: Rect) {
      low = SIMD2(Float(rect.minX), Float(rect.minY))
      high = SIMD2(Float(rect.maxX), Float(rect.maxY))
    }

    @inline(__always)
    mutating func include(_ place: SIMD2<Float>) {
      low.replace(with: place, where: place .< low)
      high.replace(with: place, where: place .> high)
    }

    /// What covers places that have gone a share of their ways from here to there.
    func moved(to other: Box, share: Float) -> Box {
      guard low.x <= high.x else { return other }
      guard other.low.x <= other.high.x else { return self }
      var box = self
      box.low += (other.low - low) * share
      box.high += (other.high - high) * share
      return box
    }
  }

  /// What all pictures on their way cover, or a little more; where they have arrived, exactly that.
  var bounds: Rect {
    let progress = progress
    var box = even == nil ? covered.targets : covered.starts.moved(to: covered.targets, share: progress.even)
    if flight != nil { box = covered.departures.moved(to: box, share: progress.flown) }
    guard box.low.x <= box.high.x else { return .zero }
    let (x, y) = (Double(box.low.x), Double(box.low.y))
    return Rect(x: x, y: y, width: Double(box.high.x) - x, height: Double(box.high.y) - y)
  }

  /// How far the motions have come: what a place follows from, of where it was and where it goes.
  struct Progress: Sendable {
    /// The share of the even motion.
    var even: Float
    /// The eased share of the flight.
    var flown: Float

    /// Where a picture is; at the end of the way, exactly where it goes.
    @inline(__always)
    func place(target: SIMD2<Float>, start: SIMD2<Float>, departure: SIMD2<Float>) -> SIMD2<Float> {
      let place = target - (target - start) * (1 - even)
      return place - (place - departure) * (1 - flown)
    }
  }

  var isMoving: Bool { even != nil || flight != nil }
  /// How far the flight has come, eased.
  private(set) var departureProgress = 1.0
  private var evenProgress = 1.0
  /// How far they have come.
  var progress: Progress {
    Progress(even: even == nil ? 1 : Float(evenProgress), flown: flight == nil ? 1 : Float(departureProgress))
  }

  /// Where a picture is on its way.
  @inline(__always)
  func place(_ slot: Int) -> SIMD2<Float> {
    let (progress, target) = (progress, targets[slot])
    let start = even == nil ? target : starts[slot]
    return progress.place(target: target, start: start, departure: flight == nil ? start : departures[slot])
  }

  /// Calls `body` with the ends of both motions, by slot; of one that is over, or has not begun, with nil.
  func withEnds(
    _ body: (
      _ targets: UnsafeBufferPointer<SIMD2<Float>>, _ starts: UnsafeBufferPointer<SIMD2<Float>>?,
      _ departures: UnsafeBufferPointer<SIMD2<Float>>?
    ) -> Void
  ) {
    targets.withUnsafeBufferPointer { targets in
      starts.withUnsafeBufferPointer { starts in
        departures.withUnsafeBufferPointer { departures in
          body(targets, even == nil ? nil : starts, flight == nil ? nil : departures)
        }
      }
    }
  }

  /// Where every picture is on its way, by slot.
  /// - Parameter places: Is overwritten.
  func write(to places: inout [SIMD2<Float>]) {
    guard isMoving, places.count == targets.count else {
      places = targets
      return
    }
    let progress = progress
    places.withUnsafeMutableBufferPointer { places in
      withEnds { targets, starts, departures in
        let starts = starts ?? targets
        let departures = departures ?? starts
        for slot in 0..<places.count {
          places[slot] = progress.place(target: targets[slot], start: starts[slot], departure: departures[slot])
        }
      }
    }
  }

  /// Makes room for every slot; new ones stay where they are.
  mutating func prepare(_ places: [SIMD2<Float>]) {
    guard targets.count < places.count else { return }
    targets.append(contentsOf: places[targets.count...])
    if even != nil { starts.append(contentsOf: places[starts.count...]) }
    if flight != nil { departures.append(contentsOf: places[departures.count...]) }
  }

  /// Sends a picture somewhere; where it is on the way, it goes on from there.
  mutating func setTarget(_ slot: Int, _ place: SIMD2<Float>) {
    targets[slot] = place
    appear(slot)
  }

  /// The picture had no place before: it does not come flying from nowhere.
  mutating func appear(_ slot: Int) {
    covered.targets.include(targets[slot])
    if even != nil {
      starts[slot] = targets[slot]
      covered.starts.include(targets[slot])
    }
    if flight != nil {
      departures[slot] = targets[slot]
      covered.departures.include(targets[slot])
    }
  }

  /// Takes the places of a snapshot as targets. Where the even motion is just now becomes its start.
  /// - Parameter positions: x and y of each of `slots`, interleaved.
  mutating func retarget(slots: [Int32], positions: [Float], as shown: ShownPlaces) {
    keepTargetsAsStarts(retargeting: slots.count)
    covered.targets = targets.withUnsafeMutableBufferPointer { targets in
      slots.withUnsafeBufferPointer { slots in
        positions.withUnsafeBufferPointer { positions in
          // No two parts write to the same place.
          nonisolated(unsafe) let (targets, slots, positions) = (targets, slots, positions)
          return Self.inParts(slots.count) { indices in
            var box = Box()
            for index in indices {
              let place = shown.place(x: positions[2 &* index], y: positions[2 &* index &+ 1])
              targets[Int(slots[index])] = place
              box.include(place)
            }
            return box
          }
        }
      }
    }
  }

  /// Places that a processor moves at a time.
  private static let placesAtOnce = 1 << 15

  /// Calls `body` with parts of `0..<count`, on all processors; what it returns for them, together.
  private static func inParts(_ count: Int, _ body: @Sendable (Range<Int>) -> Box) -> Box {
    let parts = (count + placesAtOnce - 1) / placesAtOnce
    guard parts > 1 else { return body(0..<count) }
    return withUnsafeTemporaryAllocation(of: Box.self, capacity: parts) { boxes in
      nonisolated(unsafe) let boxes = boxes
      DispatchQueue.concurrentPerform(iterations: parts) { part in
        boxes[part] = body(part * placesAtOnce..<min(count, (part + 1) * placesAtOnce))
      }
      return boxes.reduce(into: Box()) { all, box in
        all.include(box.low)
        all.include(box.high)
      }
    }
  }

  /// The same, of places by slot.
  mutating func retarget(slots: [Int32], places: [SIMD2<Float>]) {
    keepTargetsAsStarts(retargeting: slots.count)
    var box = Box()
    targets.withUnsafeMutableBufferPointer { targets in
      for slot in slots {
        targets[Int(slot)] = places[Int(slot)]
        box.include(places[Int(slot)])
      }
    }
    covered.targets = box
  }

  private mutating func keepTargetsAsStarts(retargeting count: Int) {
    if even != nil {
      let share = Float(evenProgress)
      covered.starts = covered.starts.moved(to: covered.targets, share: share)
      starts.withUnsafeMutableBufferPointer { starts in
        targets.withUnsafeBufferPointer { targets in
          nonisolated(unsafe) let (starts, targets) = (starts, targets)
          _ = Self.inParts(starts.count) { slots in
            for slot in slots { starts[slot] += (targets[slot] - starts[slot]) * share }
            return Box()
          }
        }
      }
    } else {
      covered.starts = covered.targets
      // The memory of the starts is that of the targets from now on.
      swap(&starts, &targets)
      if targets.count != starts.count || count < starts.count { targets = starts }
    }
  }

  /// Starts the motion towards the targets.
  /// - Parameters:
  ///   - places: Where the pictures are drawn now, and what they cover; nil when a new layout does not begin, to which they
  ///     would fly from there.
  ///   - settles: The last snapshot, which may be turned: take a little longer.
  mutating func begin(departingFrom departed: (places: [SIMD2<Float>], covered: Rect)?, settles: Bool, now: Double) {
    let interval = latestSnapshot.map { now - $0 } ?? 0
    latestSnapshot = now
    evenProgress = 0
    if let departed {
      departures = departed.places
      covered.departures = Box(departed.covered)
      departureProgress = 0
      flight = Course(start: nil, duration: Self.flightSeconds)
      // The flight is the way to the first snapshot; the even motion begins with the second one.
      even = nil
    } else {
      even = Course(start: nil, duration: settles ? Self.settlingSeconds : min(0.25, max(1 / 60, interval)))
    }
  }

  /// The pictures are where they were to go, without any motion.
  mutating func jump(now: Double) {
    latestSnapshot = now
    even = nil
    endFlight()
  }

  private mutating func endFlight() {
    flight = nil
    departures = []
    departureProgress = 1
  }

  /// Goes on to a time. Returns whether there was any motion.
  mutating func advance(to now: Double, previous: Double) -> Bool {
    guard isMoving else { return false }
    if even != nil, even?.start == nil { even?.start = previous }
    if flight != nil, flight?.start == nil { flight?.start = previous }
    evenProgress = even?.progress(at: now) ?? 1
    if evenProgress >= 1 { even = nil }
    if let progress = flight?.progress(at: now) {
      let rest = 1 - progress
      departureProgress = 1 - rest * rest * rest
      if rest <= 0 { endFlight() }
    }
    return true
  }
}

/// How positions of a layout are shown: normalised, and turned and mirrored.
struct ShownPlaces {
  private let normalization: LayoutNormalization
  private let center: SIMD2<Float>
  private let scale: Float
  /// Farther from the middle than this, squared, a point is not simply scaled.
  private let farthest: Float
  /// What x and y are of a point whose x, or y, is 1.
  private let ofX, ofY: SIMD2<Float>

  init(_ normalization: LayoutNormalization, _ orientation: Orientation) {
    self.normalization = normalization
    center = SIMD2(Float(normalization.center.x), Float(normalization.center.y))
    scale = Float(normalization.scale)
    // What is not finite, or no number, is farther.
    farthest = min(Float(normalization.knee * normalization.knee), .greatestFiniteMagnitude)
    let (cosine, sine) = (Float(cos(orientation.angle)), Float(sin(orientation.angle)))
    let mirror: Float = orientation.isMirrored ? -1 : 1
    ofX = SIMD2(cosine, sine)
    ofY = SIMD2(-sine, cosine) * mirror
  }

  /// Numbers that are positions already, in another unit.
  init(unit: Double) {
    normalization = LayoutNormalization(center: .zero, scale: unit)
    center = .zero
    scale = Float(unit)
    farthest = .greatestFiniteMagnitude
    ofX = SIMD2(1, 0)
    ofY = SIMD2(0, 1)
  }

  /// Where a position is shown.
  @inline(__always)
  func place(x: Float, y: Float) -> SIMD2<Float> {
    var point = (SIMD2(x, y) - center) * scale
    if !(point.x * point.x + point.y * point.y <= farthest) {
      let shown = normalization.shown(x: x, y: y)
      point = SIMD2(Float(shown.x), Float(shown.y))
    }
    return ofX * point.x + ofY * point.y
  }
}
