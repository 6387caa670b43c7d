import CFlight
import Geometry
import Scene
import TestSupport
import Testing

@testable import Rendering

/// What is hidden, against a plain map of pixels.
@Suite("What is hidden")
struct CoverageTests {
  /// A picture of a flight on the screen, as `FlightOnScreen` has it.
  private static func packed(_ rect: PixelRect) -> (rows: Int32, columns: Int32) {
    (
      ~Int32(rect.y) & 0xFFFF | Int32(rect.maxY) << 16,
      Int32(rect.x) & 0xFFFF | Int32(rect.width) << 16 | FlightOnScreen.readyBit
    )
  }

  @Test("of those that meet a band, all are found of which anything is seen, by every processor", arguments: 1...12)
  func found(side: Int) {
    var numbers = SplitMix64(seed: UInt64(side))
    let band = PixelRect(x: 13, y: 40, width: 301, height: 91)
    var coverage = Coverage()
    coverage.reset(band, groupedForHeight: side)
    var isHidden = Array(repeating: false, count: band.width * band.height)
    func picture() -> PixelRect {
      let width = Int.random(in: 1...side, using: &numbers)
      return PixelRect(
        x: .random(in: band.x - width + 1..<band.maxX, using: &numbers), y: .random(in: 20...150, using: &numbers),
        width: width, height: .random(in: 1...side, using: &numbers))
    }
    func pixels(_ rect: PixelRect) -> [Int] {
      let seen = rect.intersection(band)
      return (0..<max(0, seen.height)).flatMap { y in
        (0..<max(0, seen.width)).map { (seen.y + y - band.y) * band.width + seen.x - band.x + $0 }
      }
    }
    var (hiddenFound, hiddenAll) = (0, 0)
    for _ in 0..<40 {
      for _ in 0..<600_000 / (40 * side * side) + 1 {
        let rect = picture()
        let part = rect.intersection(band)
        guard !part.isEmpty else { continue }
        coverage.hide(x: part.x, width: part.width, top: part.y, end: part.maxY) { _, _ in }
        for pixel in pixels(rect) { isHidden[pixel] = true }
      }
      let pictures = (0..<203).map { _ in picture() }
      let packed = pictures.map(Self.packed) + Array(repeating: (rows: FlightOnScreen.nowhere, columns: 0), count: 8)
      let (rows, columns) = (packed.map(\.rows), packed.map(\.columns))
      var band = coverage.band
      func find(
        _ find: (UnsafePointer<Int32>, UnsafePointer<Int32>, Int, UnsafePointer<cf_band>, UnsafeMutablePointer<UInt16>)
          -> Int
      ) -> [Int] {
        let found = [UInt16](unsafeUninitializedCapacity: pictures.count + 8) { buffer, count in
          guard let start = buffer.baseAddress else { return }
          count = find(rows, columns, pictures.count, &band, start)
        }
        return found.map(Int.init)
      }
      let found = find { cf_find_seen($0, $1, $2, $3, $4) }
      #expect(found == find { cf_find_seen_portably($0, $1, $2, $3, $4) })
      let places = pictures.map(pixels)
      let seen = places.indices.filter { !places[$0].allSatisfy { isHidden[$0] } }
      let met = places.indices.filter { !places[$0].isEmpty }
      #expect(Set(seen).isSubset(of: found) && Set(found).isSubset(of: met))
      hiddenAll += met.count - seen.count
      hiddenFound += met.count - found.count
    }
    // Groups of one row know everything; larger ones much.
    let least = side <= 2 ? hiddenAll : hiddenAll / 3
    #expect(hiddenAll > 1000 && hiddenFound >= least, "\(hiddenFound) of \(hiddenAll)")
  }
}
