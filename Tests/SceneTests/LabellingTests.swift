import Foundation
import Geometry
import Scene
import TestSupport
import Testing

@Suite("Colour by")
struct LabellingTests {
  static let utc = TimeZone(identifier: "UTC")!

  func images(_ paths: [String]) -> [LabelledImage] {
    paths.sorted().enumerated().map { LabelledImage(slot: $0, path: Array($1.utf8)[...]) }
  }

  func folders(_ paths: [String]) -> Labelling { Labelling(by: .folder, of: images(paths)) }

  func named(_ labelling: Labelling) -> [String: Int] {
    Dictionary(labelling.labels.map { ($0.name, $0.count) }, uniquingKeysWith: +)
  }

  @Test("folders are told apart at the level that divides the pictures, and named without what all share")
  func level() {
    let paths = (0..<40).map { "scans/\($0 % 2 == 0 ? "birds" : "fish")/\($0 % 4 / 2 == 0 ? "a" : "b")/\($0).jpg" }
    #expect(named(folders(paths)) == ["birds/a": 10, "birds/b": 10, "fish/a": 10, "fish/b": 10])
    // Where every picture has a folder of its own, the folders above say more.
    let single = (0..<40).map { "\($0 % 3)/set \($0)/picture.png" }
    #expect(named(folders(single)) == ["0": 14, "1": 13, "2": 13])
    // Pictures above the level are in the class of their own folder.
    let mixed = (0..<9).map { "x/\($0 % 3)/\($0).png" } + ["x/cover.png", "top.png"]
    #expect(named(folders(mixed)) == ["x": 1, "x/0": 3, "x/1": 3, "x/2": 3, "not in a folder": 1])
    #expect(named(folders((0..<5).map { "deep/er/\($0).png" })) == ["er itself": 5])
    #expect(named(folders((0..<5).map { "\($0).png" })) == ["not in a folder": 5])
    #expect(folders([]).labels.isEmpty)
  }

  @Test("names that begin alike are folders of their own")
  func similarNames() {
    #expect(named(folders(["cat/1", "cat/2", "cats/1", "cat a/1"])) == ["cat": 2, "cats": 1, "cat a": 1])
    #expect(named(folders(["p/cat/1", "p/cats/1"])) == ["cat": 1, "cats": 1])
  }

  @Test(
    "of many folders the twelve largest have a colour, the rest are the others, and nobody is in two", arguments: 0..<20
  )
  func partition(seed: Int) throws {
    var numbers = SplitMix64(seed: UInt64(seed))
    let breadth = [3, 12, 40][seed % 3]
    let paths = (0..<500).map { index in
      let depth = Int.random(in: 0...4, using: &numbers)
      let parts = (0..<depth).map { _ in "f\(Int.random(in: 0..<breadth, using: &numbers))" }
      return (parts + ["\(index).jpg"]).joined(separator: "/")
    }
    let images = images(paths)
    let labelling = Labelling(by: .folder, of: images)
    #expect(labelling.labels.count <= Labelling.mostLabels + 1)
    #expect(labelling.labels.map(\.count).reduce(0, +) == images.count)
    var smallest = Int.max
    for index in labelling.labels.indices where !(labelling.hasOthers && index == labelling.labels.count - 1) {
      let label = labelling.labels[index]
      smallest = min(smallest, label.count)
      let slots = labelling.slots(of: index)
      #expect(slots.count == label.count && slots.allSatisfy { labelling.label(of: $0) == index })
      for slot in slots {
        let path = String(decoding: images[slot].path, as: UTF8.self)
        #expect(label.name == "not in a folder" ? !path.contains("/") : path.hasPrefix(label.name + "/"))
      }
    }
    #expect(labelling.label(of: 500) == nil && labelling.label(of: -1) == nil)
    #expect(labelling.slots(of: labelling.labels.count).isEmpty)
  }

  func dated(_ dates: [String]) -> [LabelledImage] {
    let format = ISO8601DateFormatter()
    return dates.enumerated().map { LabelledImage(slot: $0, path: [], modified: format.date(from: $1)) }
  }

  @Test("dates are told apart by the unit of the calendar that divides them, oldest first")
  func calendar() {
    func names(_ dates: [String]) -> [String] {
      Labelling(by: .date, of: dated(dates), timeZone: Self.utc).labels.map(\.name)
    }
    let years = ["2015", "2017", "2018", "2021"]
    #expect(names(years.flatMap { ["\($0)-03-05T10:00:00Z", "\($0)-03-05T11:00:00Z"] }) == years)
    let months = ["01", "02", "04", "11"]
    #expect(
      names(months.flatMap { month in (1...28).map { String(format: "2020-\(month)-%02dT10:00:00Z", $0) } })
        == ["Jan 2020", "Feb 2020", "Apr 2020", "Nov 2020"])
    #expect(
      names((10...14).map { "2020-02-\($0)T23:30:00Z" })
        == (10...14).map { "\($0) Feb 2020" })
    #expect(
      names((8...11).map { String(format: "2020-02-10T%02d:30:00Z", $0) })
        == ["08:00", "09:00", "10:00", "11:00"].map { "10 Feb 2020, \($0)" })
  }

  @Test("where the calendar tells little, dates are in parts of about one size; images without a date have no class")
  func parts() {
    // All but two of one year, in one minute.
    let start = Date(timeIntervalSince1970: 1_600_000_000)
    var images = (0..<800).map { LabelledImage(slot: $0, path: [], modified: start + Double($0) / 20) }
    images.append(LabelledImage(slot: 800, path: [], modified: start - 1e9))
    images.append(LabelledImage(slot: 801, path: []))
    let labelling = Labelling(by: .date, of: images, timeZone: Self.utc)
    #expect(labelling.labels.count == 8)
    #expect(labelling.labels.allSatisfy { (80...120).contains($0.count) })
    #expect(labelling.label(of: 801) == nil && labelling.label(of: 800) == 0)
    #expect(Set(labelling.labels.map(\.name)).count == 8)
    for slot in 1..<800 { #expect(labelling.label(of: slot)! >= labelling.label(of: slot - 1)!) }
  }

  @Test("more years than colours: the oldest are one class")
  func older() {
    let dates = (2001...2014).flatMap { year in (1...28).map { String(format: "\(year)-03-%02dT00:00:00Z", $0) } }
    let labelling = Labelling(by: .date, of: dated(dates), timeZone: Self.utc)
    #expect(labelling.labels.map(\.name) == ["before 2004"] + (2004...2014).map { "\($0)" })
    #expect(labelling.labels.map(\.count) == [84] + Array(repeating: 28, count: 11))
  }

  @Test("file sizes lie between the round numbers that their class says, in order", arguments: 0..<12)
  func sizes(seed: Int) throws {
    var numbers = SplitMix64(seed: UInt64(seed))
    let spread = [0.5, 2, 6][seed % 3]
    let images = (0..<400).map { slot in
      LabelledImage(slot: slot, path: [], size: Int64(pow(10, 3 + .random(in: 0...spread, using: &numbers))))
    }
    let labelling = Labelling(by: .size, of: images)
    #expect((2...9).contains(labelling.labels.count))
    #expect(labelling.labels.map(\.count).reduce(0, +) == images.count)
    // The largest class tells least: it is never nearly all.
    #expect(labelling.labels.allSatisfy { $0.count < 280 })
    let byClass = (0..<labelling.labels.count).map { label in labelling.slots(of: label).map { images[$0].size } }
    for (one, next) in zip(byClass, byClass.dropFirst()) { #expect(one.max()! < next.min()!) }
    func bytes(_ text: some StringProtocol) throws -> Double {
      let parts = text.split(separator: " ")
      let unit = try #require(["B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9][String(parts[1])])
      return try #require(Double(parts[0])) * unit
    }
    for (label, sizes) in zip(labelling.labels, byClass) {
      if label.name.hasPrefix("under ") {
        #expect(try Double(sizes.max()!) < bytes(label.name.dropFirst(6)))
      } else if let end = label.name.range(of: " and more") {
        #expect(try Double(sizes.min()!) >= bytes(label.name[..<end.lowerBound]))
      } else {
        let ends = label.name.split(separator: "–").map { $0.trimmingCharacters(in: .whitespaces) }
        let unit = try #require(ends[1].split(separator: " ").last)
        let low = try bytes(ends[0].contains(" ") ? ends[0] : "\(ends[0]) \(unit)")
        #expect(try low <= Double(sizes.min()!) && Double(sizes.max()!) < bytes(ends[1]))
      }
    }
    #expect(Labelling(by: .size, of: [LabelledImage(slot: 0, path: [], size: 10)]).labels.count == 1)
  }

  @Test("shapes go from tall to wide, and what is not decoded yet has none")
  func shapes() {
    let extents = [(10, 40), (9, 16), (3, 4), (100, 100), (4, 3), (3, 2), (16, 9), (50, 10), (0, 0)]
    let images = extents.enumerated().map { index, extent in
      LabelledImage(slot: index, path: [], width: extent.0, height: extent.1)
    }
    let labelling = Labelling(by: .aspect, of: images)
    #expect(labelling.labels.count == 7)
    #expect((0..<9).map { labelling.label(of: $0) } == [0, 1, 2, 3, 4, 4, 5, 6, nil])
  }

  @Test("k goes through what colours can say and asks for each; an answer for another kind is dropped")
  func kinds() {
    var stage = Stage.lattice()
    let images = self.images((0..<24).map { "\($0 % 3)/\($0)" })
    var kinds: [LabelKind?] = []
    for _ in 0..<5 {
      #expect(stage.send(.key(.character("k"), [], isRepeat: false)).contains(.labelKindChanged))
      kinds.append(stage.scene.labelKind)
    }
    #expect(kinds == [.folder, .date, .size, .aspect, nil])
    let version = stage.scene.contentVersion
    stage.send(.labelled(Labelling(by: .folder, of: images)))
    #expect(stage.scene.labelling == nil && stage.scene.contentVersion == version)
    stage.send(.labelKind(.folder))
    #expect(stage.send(.labelled(Labelling(by: .folder, of: images))).contains(.redraw))
    #expect(stage.scene.labelling?.labels.count == 3 && stage.scene.contentVersion != version)
    #expect(stage.send(.labelKind(nil)).contains(.redraw))
    #expect(stage.scene.labelling == nil)
  }

  @Test("what colours say, and whether that is explained, comes back with the view")
  func kept() throws {
    var stage = Stage.lattice()
    stage.send(.labelKind(.date))
    stage.send(.legend(isShown: false))
    #expect(stage.wishes.contains(.saveViewState))
    let kept = try JSONDecoder().decode(ViewState.self, from: try JSONEncoder().encode(stage.scene.viewState))
    var other = Stage()
    other.load(24)
    #expect(other.send(.restored(kept)).contains(.labelKindChanged))
    #expect(other.scene.labelKind == .date && !other.scene.showsLegend)
  }
}
