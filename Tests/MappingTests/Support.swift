import Collection
import Foundation
import Imaging
import Neighbors
import ObjectStorage
import Synchronization
import TSNE
import TestSupport
import Testing

@testable import Mapping

/// A BMP file of 24 bits: one colour, with some seeded noise so that no two pictures are equal.
func bitmap(width: Int = 24, height: Int = 16, color: (Int, Int, Int), seed: UInt64) -> [UInt8] {
  var random = TestSupport.SplitMix64(seed: seed)
  let stride = (width * 3 + 3) / 4 * 4
  func number(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8((value >> (8 * $0)) & 255) } }
  var file = Array("BM".utf8) + number(54 + stride * height, 4) + number(0, 4) + number(54, 4)
  file += number(40, 4) + number(width, 4) + number(height, 4) + number(1, 2) + number(24, 2)
  file += number(0, 4) + number(stride * height, 4) + number(2_835, 4) + number(2_835, 4) + number(0, 8)
  for _ in 0..<height {
    var row: [UInt8] = []
    for _ in 0..<width {
      for channel in [color.2, color.1, color.0] {
        row.append(UInt8(clamping: channel + Int.random(in: -20...20, using: &random)))
      }
    }
    file += row + [UInt8](repeating: 0, count: stride - row.count)
  }
  return file
}

/// A folder of `count` pictures in three colours: `red/00.bmp`, `green/01.bmp`, ...
func pictureFolder(_ count: Int) throws -> TemporaryDirectory {
  let folder = try TemporaryDirectory("pictures")
  for number in 0..<count { try addPicture(number, to: folder) }
  return folder
}

func addPicture(_ number: Int, to folder: TemporaryDirectory, seed: UInt64 = 0) throws {
  let name = ["red", "green", "blue"][number % 3] + "/" + (number < 10 ? "0" : "") + "\(number).bmp"
  let color = [(220, 40, 40), (40, 200, 60), (50, 60, 210)][number % 3]
  try folder.write(bitmap(color: color, seed: seed &+ UInt64(number)), to: name)
}

/// A request with few iterations; nothing of the environment gets in.
func request(
  _ location: String, cache: TemporaryDirectory? = nil, mode: MappingRequest.Mode = .map, threads: Int = 2,
  environment: [String: String] = [:], change: (inout MapParameters) -> Void = { _ in }
) throws -> MappingRequest {
  var tsne = TSNEParameters(threads: threads)
  tsne.iterations = 60
  tsne.earlyIterations = 20
  tsne.perplexity = 5
  var parameters = MapParameters(tsne: tsne)
  change(&parameters)
  return MappingRequest(
    location: try Location(parsing: location, currentDirectory: "/"),
    storage: StorageOptions(environment: environment), parameters: parameters, cacheDirectory: cache?.path,
    limits: DecodingLimits(), threads: threads, mode: mode, usesStore: cache != nil)
}

/// What a job reported.
struct Outcome: Sendable {
  var batches: [[MappingEvent]] = []
  var events: [MappingEvent] { batches.flatMap { $0 } }

  var report: MappingReport? {
    events.lazy.compactMap { if case .finished(let report) = $0 { report } else { nil } }.last
  }
  var failure: MappingFailure? {
    events.lazy.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }.last
  }
  var isCancelled: Bool { events.contains { if case .cancelled = $0 { true } else { false } } }
  var notes: [String] { events.compactMap { if case .note(let note) = $0 { note } else { nil } } }
  var layouts: [LayoutSnapshot] { events.compactMap { if case .layout(let layout) = $0 { layout } else { nil } } }
  var final: LayoutSnapshot? { layouts.last { $0.isFinal } }
  var stages: [MappingStage] { events.compactMap { if case .stage(let stage) = $0 { stage } else { nil } } }
  var ready: [Int] { slots { if case .ready(let slots) = $0 { return slots } else { return [] } } }
  var listed: [Int] { slots { if case .listed(let slots, _) = $0 { return slots } else { return [] } } }
  var removed: [Int] { slots { if case .removed(let slots) = $0 { return slots } else { return [] } } }
  private func slots(_ of: (MappingEvent) -> [Int]) -> [Int] { events.flatMap(of) }
  var known: (slots: [Int], layout: LayoutSnapshot?, viewState: Data?)? {
    events.lazy.compactMap {
      if case .known(let slots, _, let layout, let view) = $0 { (slots, layout, view) } else { nil }
    }.first
  }
  var collection: ImageCollection? {
    events.lazy.compactMap { if case .opened(let collection) = $0 { collection } else { nil } }.last
  }

  /// Positions by key, as bits: what must be equal whatever the slots are.
  var positions: [ObjectKey: [UInt32]] {
    guard let final, let collection else { return [:] }
    var result: [ObjectKey: [UInt32]] = [:]
    for (index, slot) in final.slots.enumerated() {
      guard let entry = collection.entry(Int(slot)) else { continue }
      result[entry.object.key] = [final.positions[2 * index].bitPattern, final.positions[2 * index + 1].bitPattern]
    }
    return result
  }
}

/// Runs a job to its end; `react` may act on it while it runs.
func run(_ request: MappingRequest, react: @escaping @Sendable (MappingEvent, MappingJob) -> Void = { _, _ in }) async
  -> Outcome
{
  let outcome = Mutex(Outcome())
  let job = Mutex<MappingJob?>(nil)
  await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
    let made = MappingJob(request) { events in
      outcome.withLock { $0.batches.append(events) }
      guard let job = job.withLock({ $0 }) else { return }
      for event in events { react(event, job) }
      switch events.last {
      case .finished, .failed, .cancelled: continuation.resume()
      default: break
      }
    }
    job.withLock { $0 = made }
    made.start()
  }
  // The job holds the closure that holds the job, and with it everything that was reported.
  job.withLock { $0 = nil }
  return outcome.withLock { outcome in
    defer { outcome = Outcome() }
    return outcome
  }
}

/// Whether all coordinates are numbers.
func areFinite(_ positions: [Float]) -> Bool { positions.allSatisfy(\.isFinite) }

/// Directories that live as long as this.
final class KeptDirectories: Sendable {
  private let all = Mutex<[TemporaryDirectory]>([])

  func directory() throws -> TemporaryDirectory {
    let made = try TemporaryDirectory("cache")
    all.withLock { $0.append(made) }
    return made
  }
}
