import Collection
import Foundation
import Neighbors
import ObjectStorage
import TSNE
import TestSupport
import Testing

@testable import Mapping

@Suite("Images that come later", .timeLimit(.minutes(10)))
struct PlacementTests {
  /// A request of the window: the present layout stays where it can.
  private func opening(
    _ folder: TemporaryDirectory, _ cache: TemporaryDirectory, _ mode: MappingRequest.Mode = .open,
    change: (inout MapParameters) -> Void = { _ in }
  ) throws -> MappingRequest {
    var opening = try request(folder.path, cache: cache, mode: mode, change: change)
    opening.keepsLayout = true
    return opening
  }

  private func places(_ outcome: Outcome) throws -> [String: SIMD2<Float>] {
    let (layout, collection) = (try #require(outcome.final), try #require(outcome.collection))
    return Dictionary(
      uniqueKeysWithValues: layout.slots.enumerated().compactMap { row, slot in
        collection.entry(Int(slot)).map {
          ("\($0.object.key)", SIMD2(layout.positions[2 * row], layout.positions[2 * row + 1]))
        }
      })
  }

  /// The keys of what was placed.
  private func names(_ outcome: Outcome) -> [String] {
    (outcome.final?.placed ?? []).compactMap { outcome.collection?.entry(Int($0)).map { "\($0.object.key)" } }
  }

  private func distance(_ one: SIMD2<Float>, _ other: SIMD2<Float>) -> Float {
    let step = one - other
    return (step * step).sum()
  }

  @Test("a few new images go where their like are, and nothing else moves; so it stays, whatever comes and goes later")
  func few() async throws {
    let (folder, cache) = (try pictureFolder(90), try TemporaryDirectory("cache"))
    let first = await run(try opening(folder, cache))
    #expect(first.report?.placed == nil)
    let before = try places(first)
    for number in [90, 91] { try addPicture(number, to: folder) }

    let second = await run(try opening(folder, cache, .map))
    #expect(second.report?.placed == 2 && second.report?.images == 92)
    #expect(second.report?.reused.layout == false && second.report?.klDivergence == nil)
    #expect(first.final?.placed == [] && names(second) == ["green/91.bmp", "red/90.bmp"])
    let after = try places(second)
    #expect(after.count == 92)
    for (key, place) in before { #expect(after[key] == place, "\(key)") }
    for (key, color) in [("red/90.bmp", "red/"), ("green/91.bmp", "green/")] {
      let place = try #require(after[key])
      let nearest = before.min { distance($0.value, place) < distance($1.value, place) }
      #expect(nearest?.key.hasPrefix(color) == true, "\(key)")
    }

    let again = await run(try opening(folder, cache))
    #expect(again.report?.placed == 2 && again.report?.reused.layout == true)
    #expect(again.known?.layout?.positions == second.final?.positions)
    #expect(again.known?.layout?.placed == second.final?.placed && again.final?.placed == second.final?.placed)
    #expect(try places(again) == after)

    try FileManager.default.removeItem(atPath: folder.file("blue/02.bmp"))
    try addPicture(92, to: folder)
    let last = await run(try opening(folder, cache))
    #expect(names(last) == ["blue/92.bmp", "green/91.bmp", "red/90.bmp"])
    let third = try places(last)
    #expect(third["blue/02.bmp"] == nil && third["blue/92.bmp"] != nil)
    for (key, place) in after where key != "blue/02.bmp" { #expect(third[key] == place, "\(key)") }
  }

  @Test("the layout is made anew when asked, when too much has changed, for other parameters, and without a window")
  func anew() async throws {
    let (folder, cache) = (try pictureFolder(60), try TemporaryDirectory("cache"))
    _ = await run(try opening(folder, cache))
    try addPicture(60, to: folder)
    #expect(await run(try opening(folder, cache)).report?.placed == 1)

    let other = await run(try opening(folder, cache) { $0.tsne.perplexity = 7 })
    #expect(other.report?.placed == nil && other.report?.klDivergence != nil)
    let complete = await run(try request(folder.path, cache: cache))
    #expect(complete.report?.placed == nil && complete.report?.klDivergence != nil)
    // What was made last counts.
    let next = await run(try opening(folder, cache))
    #expect(next.report?.placed == nil && next.positions == complete.positions)
    #expect(await run(try request(folder.path)).positions == complete.positions)

    for number in 61..<66 { try addPicture(number, to: folder) }
    #expect(await run(try opening(folder, cache)).report?.placed == nil, "five of 66 are too many")
  }

  @Test("by a distance that new images cannot be placed by, the layout is made anew")
  func otherDistances() async throws {
    let (folder, cache) = (try pictureFolder(40), try TemporaryDirectory("cache"))
    _ = await run(try opening(folder, cache) { $0.metric = .canberra })
    try addPicture(40, to: folder)
    let outcome = await run(try opening(folder, cache) { $0.metric = .canberra })
    #expect(outcome.report?.placed == nil && outcome.report?.images == 41)
  }
}
