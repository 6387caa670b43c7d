import Foundation
import Geometry
import TestSupport
import Testing

@testable import Rendering

@Suite("Originals too large for memory", .computing)
struct PyramidBuilderTests {
  /// Large enough for two levels in a file, and odd, so that halving leaves something over.
  private static let (width, height) = (6_601, 5_003)

  private static let pixels: [UInt32] = (0..<width * height).map { index in
    let v = UInt32(truncatingIfNeeded: index % width / 3 &* 73_856_093 ^ index / width / 3 &* 19_349_663)
    return 0xFF00_0000 | (v &* 2_654_435_761) >> 8
  }

  private func build(_ turn: QuarterTurn = .none, rows: Int = height, isOpaque: Bool = true) throws -> OriginalPyramid {
    let builder = try #require(
      PyramidBuilder(
        width: Self.width, height: Self.height, turn: turn, directories: ["/nonexistent", NSTemporaryDirectory()]))
    Self.pixels.withUnsafeBufferPointer { pixels in
      for row in 0..<rows { #expect(builder.append(pixels.baseAddress! + row * Self.width)) }
    }
    return try #require(builder.finished(isOpaque: isOpaque))
  }

  private func everything(_ pyramid: OriginalPyramid, _ level: Int) -> OriginalPyramid.Part {
    OriginalPyramid.Part(
      pyramid: pyramid, level: level,
      rect: PixelRect(x: 0, y: 0, width: pyramid.levels[level].width, height: pyramid.levels[level].height))
  }

  @Test("have the same levels as those in memory")
  func levels() throws {
    let inMemory = OriginalPyramid(width: Self.width, height: Self.height, pixels: Self.pixels, isOpaque: true)
    let inFile = try build()
    #expect(inFile.width == Self.width && inFile.height == Self.height)
    #expect(inFile.levels.map(\.width) == inMemory.levels.map(\.width))
    for level in inMemory.levels.indices {
      everything(inFile, level).load()
      let isEqual = inMemory.withLevel(level) { one in
        inFile.withLevel(level) { other in
          one.height == other.height
            && memcmp(one.pixels, other.pixels, one.width * one.height * 4) == 0
        }
      }
      #expect(isEqual, "level \(level)")
    }
  }

  @Test("have transparent rows where the file ended")
  func truncated() throws {
    let pyramid = try build(rows: 3_000, isOpaque: false)
    everything(pyramid, 0).load()
    pyramid.withLevel(0) { source in
      #expect(source.pixels[2_999 * Self.width + 5] == Self.pixels[2_999 * Self.width + 5])
      #expect(source.pixels[3_000 * Self.width + 5] == 0)
      #expect(source.pixels[(Self.height - 1) * Self.width + Self.width - 1] == 0)
    }
  }

  @Test("are made nowhere where there is no room")
  func noRoom() {
    #expect(PyramidBuilder(width: 9_000, height: 9_000, turn: .none, directories: ["/nonexistent"]) == nil)
  }

  @Test("are drawn from a smaller level until the wanted part is in memory, and then as if all were", arguments: 0..<12)
  func drawing(seed: Int) throws {
    var numbers = SplitMix64(seed: UInt64(seed))
    let turn = QuarterTurn.allCases[seed % 4]
    let inMemory = OriginalPyramid(width: Self.width, height: Self.height, pixels: Self.pixels, isOpaque: true)
    let inFile = try build(turn)
    #expect(inFile.width == (turn.swapsSides ? Self.height : Self.width))
    let view = PixelRect(x: 0, y: 0, width: 310, height: 230)
    var renderer = OriginalRenderer()
    func draw(_ pyramid: OriginalPyramid, _ turn: QuarterTurn, _ rect: Rect) -> [UInt32] {
      let buffer = Buffer(width: view.width, height: view.height, 0xFF00_FF00)
      renderer.render(
        pyramid, turned: turn, in: rect, backdrop: .color(0xFF11_2233), into: buffer.pixels, stride: view.width,
        clip: view)
      return buffer.array
    }
    for _ in 0..<4 {
      let scales: [Double] = [1, 1, 0.7, 0.45, 1.6]
      let scale = scales[Int.random(in: 0..<5, using: &numbers)]
      let size = Size(width: Double(inFile.width) * scale, height: Double(inFile.height) * scale)
      var rect = Rect(
        x: -Double.random(in: 0...(size.width - 300), using: &numbers).rounded(),
        y: -Double.random(in: 0...(size.height - 220), using: &numbers).rounded(), width: size.width,
        height: size.height)
      let wanted = draw(inMemory, turn, rect)
      _ = renderer.takeMissing()
      let first = draw(inFile, .none, rect)
      let missing = renderer.takeMissing()
      // Something of the picture is there at once, everywhere.
      #expect(!first.contains(0xFF00_FF00) || wanted.contains(0xFF00_FF00))
      if first != wanted { #expect(!missing.isEmpty) }
      for part in missing { part.load() }
      #expect(draw(inFile, .none, rect) == wanted, "scale \(scale), \(turn)")
      #expect(renderer.takeMissing().isEmpty)
      // A little further, what is there already is drawn from the wanted level.
      rect.x += Double(Int.random(in: -120...120, using: &numbers))
      rect.y += Double(Int.random(in: -90...90, using: &numbers))
      let moved = draw(inFile, .none, rect)
      let exact = draw(inMemory, turn, rect)
      let equal = zip(moved, exact).count { $0 == $1 }
      #expect(equal > moved.count / 4, "scale \(scale), \(turn)")
      for part in renderer.takeMissing() { part.load() }
      #expect(draw(inFile, .none, rect) == exact)
    }
  }

  @Test("hold a bounded part in memory, however much of them is looked at")
  func bounded() throws {
    let pyramid = try build()
    for pass in 0..<40 {
      let rect = PixelRect(x: pass * 60 % 3_000, y: pass * 37 % 2_000, width: 3_200, height: 2_800)
      let part = OriginalPyramid.Part(pyramid: pyramid, level: 0, rect: rect)
      part.load()
      let parts = try #require(pyramid.loadedParts(of: 0, meeting: PixelRect(x: 0, y: 0, width: 6_601, height: 5_003)))
      #expect(parts.contains(rect))
      #expect(parts.reduce(0) { $0 + $1.area * 4 } <= 192 << 20)
    }
  }
}
