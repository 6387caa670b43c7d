import Arrangements
import Geometry
import Scene
import TestSupport
import Testing

@Suite("A layout that is given up")
struct GivenUpLayoutTests {
  /// Positions as `Stage.lay` hands them over.
  private func interleaved(_ points: [Point]) -> [Float] { points.flatMap { [Float($0.x), Float($0.y)] } }

  @Test("the last complete layout comes back to where its pictures were, however the other one lay", arguments: 0..<6)
  func restored(seed: Int) throws {
    var stage = Stage()
    let count = 60
    stage.load(count)
    stage.lay(clusteredPoints(count, seed: seed))
    stage.settle()
    // A second one is turned to lie on the first.
    let complete = clusteredPoints(count, seed: seed + 100)
    stage.send(.layoutStarted)
    stage.lay(complete, animated: true)
    stage.settle()
    let before = try (0..<count).map { try #require(stage.place($0)) }
    /// By how many pixels the picture that is farthest from where it was is away; the camera rounds by one.
    func distance() throws -> Double {
      try (0..<count).map { try #require(stage.place($0)).distance(to: before[$0]) }.max() ?? 0
    }
    for step in 0..<5 {
      stage.lay(clusteredPoints(count, seed: seed + 200 + step), isFinal: false, animated: true)
      stage.wait(0.05)
    }
    // Another job took the place of the one that was under way.
    if seed % 2 == 1 {
      stage.send(.layoutStarted)
      stage.lay(clusteredPoints(count, seed: seed + 300), isFinal: false, animated: true)
      stage.wait(0.05)
    }
    #expect(try distance() > 20)
    stage.send(
      .layoutRestored(slots: (0..<Int32(count)).map { $0 }, positions: interleaved(complete), animated: true))
    // They fly there.
    stage.wait(0.1)
    #expect(try distance() > 20)
    stage.settle()
    #expect(try distance() < 1.5)
  }

  @Test("what came back can be arranged, and so can what was all there is")
  func arrangeable() {
    var stage = Stage()
    stage.load(30)
    stage.lay(clusteredPoints(30, seed: 1), isFinal: false)
    stage.press(.character("g"))
    #expect(stage.scene.mode == .spread && stage.scene.arrangementRequest == nil)
    stage.wishes = []
    stage.send(.layoutAbandoned)
    #expect(stage.scene.arrangementRequest != nil)
    #expect(stage.wishes.contains(.arrange))
    stage.send(.layoutStarted)
    stage.lay(clusteredPoints(30, seed: 2), isFinal: false)
    #expect(stage.scene.arrangementRequest == nil)
    stage.send(
      .layoutRestored(
        slots: (0..<30).map { $0 }, positions: interleaved(clusteredPoints(30, seed: 1)), animated: false))
    #expect(stage.scene.arrangementRequest != nil)
  }
}
