import Collection
import Foundation
import Neighbors
import Numerics
import ObjectStorage
import TestSupport
import Testing

@testable import Mapping

@Suite("Who is near whom", .timeLimit(.minutes(10)))
struct NeighbourhoodTests {
  private func slot(_ name: String, in collection: ImageCollection) throws -> Int {
    try #require(collection.entries.first { $0.object.key.lastComponent == name }).slot
  }

  @Test("the nearest to a picture are those of its colour, nearest first, with their distances")
  func nearest() async throws {
    let folder = try pictureFolder(30)
    let request = try request(folder.path)
    let outcome = await run(request)
    let collection = try #require(outcome.collection)
    let neighbourhoods = try #require(Neighbourhoods(of: collection, parameters: request.parameters))
    let red = try slot("03.bmp", in: collection)
    let nearest = neighbourhoods.nearest(to: red, count: 9)
    #expect(nearest.count == 9)
    #expect(nearest.allSatisfy { collection.entry($0.slot)?.object.key.displayName.contains("red/") == true })
    #expect(nearest.map(\.distance) == nearest.map(\.distance).sorted())
    #expect(!nearest.contains { $0.slot == red })
    #expect(neighbourhoods.nearest(to: 1_000_000, count: 5).isEmpty)
    #expect(neighbourhoods.nearest(to: red, count: 1_000).count == 29)
  }

  @Test("compared with all others alone, the nearest are those that the search of the layout found")
  func comparedAlone() async throws {
    let folder = try pictureFolder(30)
    let request = try request(folder.path)
    let collection = try #require(await run(request).collection)
    let neighbourhoods = try #require(Neighbourhoods(of: collection, parameters: request.parameters))
    let slots = collection.slotsInKeyOrder
    for slot in slots {
      let alone = try #require(
        try Neighbourhoods.nearest(
          to: slot, among: slots, count: 9, in: collection, parameters: request.parameters, threads: 2,
          token: CancellationToken()))
      let found = neighbourhoods.nearest(to: slot, count: 9)
      #expect(alone.map(\.slot) == found.map(\.slot))
      #expect(zip(alone, found).allSatisfy { abs($0.distance - $1.distance) < 1e-5 })
    }
    var others = request.parameters
    others.metric = .canberra
    let none = try Neighbourhoods.nearest(
      to: slots[0], among: slots, count: 9, in: collection, parameters: others, threads: 2, token: CancellationToken())
    #expect(none == nil)
  }

  @Test("without a layout by these parameters nothing is known")
  func unknown() async throws {
    let folder = try pictureFolder(12)
    let request = try request(folder.path)
    let collection = try #require(await run(request).collection)
    var others = request.parameters
    others.metric = .manhattan
    #expect(Neighbourhoods(of: collection, parameters: others) == nil)
  }

  @Test("identical pictures and nearly identical ones are found as groups, with how much they differ")
  func duplicates() async throws {
    let folder = try pictureFolder(30)
    for copy in 0..<4 { try folder.write(bitmap(color: (220, 40, 40), seed: 0), to: "copies/\(copy).bmp") }
    // One byte of one pixel is another.
    var nearly = bitmap(color: (40, 200, 60), seed: 1)
    nearly[60] = nearly[60] &+ 40
    try folder.write(nearly, to: "copies/nearly.bmp")
    let cache = try TemporaryDirectory("cache")
    let request = try request(folder.path, cache: cache)
    _ = await run(request)
    // From the store, as after a new start.
    let collection = try #require(await run(request).collection)
    let neighbourhoods = try #require(Neighbourhoods(of: collection, parameters: request.parameters))
    func names(_ group: Neighbourhoods.Group) -> [String] {
      group.slots.compactMap { collection.entry($0)?.object.key.lastComponent }
    }
    let identical = try neighbourhoods.duplicates(within: 0)
    #expect(identical.count == 1)
    #expect(identical.first.map(names) == ["0.bmp", "1.bmp", "2.bmp", "3.bmp", "00.bmp"])
    #expect(identical.first?.difference == 0)
    let near = try neighbourhoods.duplicates(within: 3)
    #expect(near.count == 2 && near[0] == identical[0])
    #expect(near.last.map(names) == ["nearly.bmp", "01.bmp"])
    #expect(near.last.map { $0.difference > 0 && $0.difference <= 3 } == true)
    #expect(try neighbourhoods.duplicates(within: 3, isCancelled: { true }).isEmpty)
    #expect(try neighbourhoods.duplicates(within: 255).first?.slots.count == 35)
  }
}
