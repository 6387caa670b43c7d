import Foundation
import ObjectStorage
import TestSupport
import Testing

@testable import Collection

/// Numbers for the store, printed: `S3TOTSNE_MEASURE=100000 swift test --filter StoreMeasurements`.
private let measured = ProcessInfo.processInfo.environment["S3TOTSNE_MEASURE"].flatMap { Int($0) }

@Suite("StoreMeasurements", .enabled(if: measured != nil)) struct StoreMeasurements {
  private static func bytesRead() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
    return text.firstMatch(of: /rchar: (\d+)/).flatMap { Int($0.1) } ?? 0
  }

  @Test("opening a known collection, and the bytes of store an image")
  func opening() async throws {
    let count = try #require(measured)
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let store = try folderStore(folder)
    let clock = ContinuousClock()
    var directory = ""
    var collection: ImageCollection? = try ImageCollection.open(
      store: store, cacheDirectory: cache.path, limits: StoreLimits(bytes: .max, bytesLeftFree: 0))
    let filling = try await clock.measure {
      directory = try #require(collection?.directory)
      try await collection?.withWriter { writer in
        for page in stride(from: 0, to: count, by: 1000) {
          let slots = writer.take(
            (page..<min(page + 1000, count)).map { number in
              let digits = String(number)
              let key = "photos/2024/holiday-" + String(repeating: "0", count: 7 - digits.count) + digits + ".jpg"
              return object(key, etag: "0123456789abcdef0123456\(number % 9)" + digits, size: Int64(number))
            }
          ).new
          for slot in slots { try writer.keep(slot, UInt32(truncatingIfNeeded: slot)) }
        }
      }
    }
    collection = nil
    try await eventually("it is closed", within: 120) { try DirectoryLock.take(in: directory) != nil }
    print(
      "\(count) images: filled in \(filling), \(PrivateFiles.bytes(below: directory) / Int64(count)) bytes an image")
    for way in ["snapshot", "database", "snapshot"] {
      if way == "database" { unlink(directory + "/catalogue.snapshot") }
      let before = Self.bytesRead()
      let time = try clock.measure {
        collection = try ImageCollection.open(
          store: store, cacheDirectory: cache.path, limits: StoreLimits(bytes: .max, bytesLeftFree: 0))
      }
      let order = clock.measure { _ = collection?.slotsInKeyOrder }
      print("opened by the \(way) in \(time), \(Self.bytesRead() - before) bytes read; order in \(order)")
      #expect(collection?.counts.ready == count)
      collection = nil
      try await eventually("it is closed", within: 120) { try DirectoryLock.take(in: directory) != nil }
    }
  }
}
