import ArgumentParser
import Arrangements
import Dispatch
import Foundation

/// Putting the pictures of a layout into a grid, and pushing them apart.
struct ArrangeBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "arrange", abstract: "Times the arrangements of a layout: in a grid, and spread apart.")

  @Option(help: "Pictures.") var count = 100_000
  @Option(help: "How often each is computed.") var runs = 2
  @Flag(help: "Print one JSON object.") var json = false

  private struct Times: Encodable {
    let count: Int
    let gridSeconds, spreadSeconds: [Double]
  }

  func run() throws {
    guard (1...4_000_000).contains(count) else { throw ValidationError("--count is from 1 to 4,000,000.") }
    let positions = SyntheticCollection.layout(count: count, seed: 1)
    var random = Generator(seed: 4)
    let aspects = (0..<count).map { _ in Float([1, 1.5, 0.667, 1.333, 1.778, 0.75][Int(random.next() % 6)]) }
    func measured(_ body: () throws -> Arrangement) rethrows -> [Double] {
      try (0..<max(1, runs)).map { _ in
        let begin = DispatchTime.now().uptimeNanoseconds
        let arrangement = try body()
        precondition(arrangement.positions.count == positions.count)
        return (Double(DispatchTime.now().uptimeNanoseconds - begin) / 1e7).rounded() / 100
      }
    }
    let times = Times(
      count: count, gridSeconds: try measured { try Arrangement.grid(positions, shape: 16 / 9) },
      spreadSeconds: try measured { try Arrangement.spread(positions, aspects: aspects) })
    if json {
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      encoder.outputFormatting = [.sortedKeys]
      return print(String(decoding: try encoder.encode(times), as: UTF8.self))
    }
    print("\(count) pictures: grid \(times.gridSeconds) s, spread \(times.spreadSeconds) s")
  }
}
