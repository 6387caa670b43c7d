import Foundation
import Geometry
import TestSupport
import Testing

@testable import Scene

@Suite("The extent of a layout that unfolds", .computing)
struct LayoutNormalizationTests {
  private static let extent = 1000.0

  private func flat(_ points: [Point]) -> [Float] { points.flatMap { [Float($0.x), Float($0.y)] } }

  private func normalized(_ points: [Point], isFinal: Bool = false) -> (LayoutNormalization, [Point]) {
    let positions = flat(points)
    let normalization = LayoutNormalization(
      positions: positions, count: points.count, extent: Self.extent, isFinal: isFinal)
    return (
      normalization, points.indices.map { normalization.shown(x: positions[2 * $0], y: positions[2 * $0 + 1]) }
    )
  }

  @Test("a few that fly off, however far, move and shrink the others by little", arguments: 0..<20)
  func outliers(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    let count = Int.random(in: 60...900, using: &numbers)
    let points = clusteredPoints(count, seed: seed, clusters: 5 + seed % 9)
    let before = normalized(points).0
    var flown = points
    let far = pow(10, Double.random(in: 1...4, using: &numbers))
    let way = Double.random(in: 0..<2 * .pi, using: &numbers)
    for index in 0..<count / 12 { flown[index * 12] = Point(x: 60 * far * cos(way), y: 60 * far * sin(way)) }
    let (after, shown) = normalized(flown)
    #expect(abs(log(after.scale / before.scale)) < 0.25)
    #expect((after.center - before.center).length * before.scale < 0.15 * Self.extent)
    // Nothing is farther than the rim, and everything is finite.
    #expect(shown.allSatisfy { $0.length <= 0.86 * Self.extent })
  }

  @Test("it turns, moves and grows with the layout", arguments: 0..<10)
  func equivariance(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    let points = clusteredPoints(300, seed: seed)
    let angle = Double.random(in: 0..<2 * .pi, using: &numbers)
    let factor = pow(10, Double.random(in: -4...4, using: &numbers))
    let shift = Point(x: .random(in: -9...9, using: &numbers), y: .random(in: -9...9, using: &numbers)) * factor
    func moved(_ point: Point) -> Point {
      Point(x: point.x * cos(angle) - point.y * sin(angle), y: point.x * sin(angle) + point.y * cos(angle)) * factor
        + shift
    }
    let (_, one) = normalized(points)
    let (_, other) = normalized(points.map(moved))
    for (before, after) in zip(one, other) {
      let turned = Point(
        x: before.x * cos(angle) - before.y * sin(angle), y: before.x * sin(angle) + before.y * cos(angle))
      #expect(turned.distance(to: after) < 2)
    }
  }

  @Test("stragglers keep their direction and order, and a complete layout is shown as it is", arguments: 0..<10)
  func stragglers(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    var points = clusteredPoints(200, seed: seed)
    for index in 0..<10 {
      points[index] = Point(x: 40 * pow(1.8, Double(index)) * .random(in: 0.9...1.1, using: &numbers), y: 3)
    }
    let (unfolding, shown) = normalized(points)
    let ordered = (0..<10).sorted { points[$0].x < points[$1].x }
    for (near, far) in zip(ordered, ordered.dropFirst()) { #expect(shown[near].length <= shown[far].length) }
    for (point, place) in zip(points, shown) {
      let way = (point - unfolding.center) * unfolding.scale
      guard way.length > 1 else { continue }
      #expect((way * (1 / way.length)).distance(to: place * (1 / place.length)) < 1e-6)
      if way.length < 0.6 * Self.extent { #expect(way.distance(to: place) < 0.01) }
    }
    let (final, complete) = normalized(points, isFinal: true)
    for (point, place) in zip(points, complete) {
      #expect(((point - final.center) * final.scale).distance(to: place) < 0.05)
    }
  }

  @Test("from frame to frame nothing jumps while some cross the band that the extent is measured by", arguments: 0..<8)
  func frames(seed: Int) throws {
    var numbers = SplitMix64(seed: UInt64(seed))
    let count = 240
    let points = clusteredPoints(count, seed: seed, clusters: 6)
    // A tenth flies off and comes back, as black images do under early exaggeration.
    let fliers = Set((0..<count / 10).map { _ in Int.random(in: 0..<count, using: &numbers) })
    var stage = Stage()
    stage.load(count)
    stage.settle()
    stage.lay(points.map { $0 * 1e-4 }, isFinal: false, animated: true)
    stage.wait(1)
    var last: [Point]?
    var lastScale: Double?
    for frame in 0...90 {
      let share = Double(frame) / 90
      // The layout as a whole grows meanwhile by four orders of magnitude.
      let size = pow(10, -4 + 4 * min(1, share * 1.5))
      let far = 1 + 40 * pow(sin(.pi * share), 2)
      stage.lay(
        points.enumerated().map { $1 * size * (fliers.contains($0) ? far : 1) }, isFinal: false, animated: true)
      stage.wait(1.0 / 30)
      let places = try (0..<count).map { try #require(stage.layoutPlace($0)) }
      if let last {
        for slot in 0..<count where !fliers.contains(slot) {
          #expect(places[slot].distance(to: last[slot]) < 0.1 * Self.extent)
        }
      }
      last = places
      // What flies off stays within reach, and the camera comes after it without a jerk.
      let bounds = places.reduce(Rect(center: places[0], size: .zero)) {
        $0.union(Rect(center: $1, size: Size(width: 1e-6, height: 1e-6)))
      }
      #expect(max(bounds.width, bounds.height) < 1.8 * Self.extent)
      let scale = stage.scene.camera.scale
      if let lastScale { #expect(abs(log(scale / lastScale)) < 0.15) }
      lastScale = scale
    }
    stage.lay(points, isFinal: true, animated: true)
    stage.settle()
    #expect(stage.scene.visibleCount == count)
  }

  @Test("the end shows everything, also what is far out", arguments: [true, false])
  func everythingAtTheEnd(animated: Bool) throws {
    var stage = Stage()
    stage.load(100)
    stage.settle()
    var points = clusteredPoints(100, seed: 3)
    points[7] = Point(x: 3000, y: -2000)
    stage.lay(points, isFinal: false, animated: animated)
    stage.wait(0.5)
    stage.lay(points, isFinal: true, animated: animated)
    stage.settle()
    for slot in 0..<100 {
      let place = try #require(stage.place(slot))
      #expect(Rect(stage.scene.camera.viewport).contains(place))
    }
  }

  @Test("none, one, two and three pictures, those in one place, and what is not finite make no harm")
  func degenerate() {
    for points in [
      [], [Point(x: 5, y: 5)], [Point(x: 0, y: 0), Point(x: 1, y: 0)], Array(repeating: Point(x: 2, y: 2), count: 9),
      [Point.zero, .zero, Point(x: 1, y: 1)],
      clusteredPoints(20, seed: 1) + [Point(x: .infinity, y: 0), Point(x: .nan, y: 1)],
      [Point(x: 1e38, y: 1e38), Point(x: -1e38, y: 0), .zero],
    ] {
      for isFinal in [true, false] {
        let (normalization, shown) = normalized(points, isFinal: isFinal)
        #expect(normalization.scale.isFinite && normalization.scale >= 0)
        #expect(shown.allSatisfy { $0.x.isFinite && $0.y.isFinite && $0.length < 3 * Self.extent })
      }
    }
  }
}
