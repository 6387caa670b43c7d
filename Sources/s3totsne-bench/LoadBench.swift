import ArgumentParser
import Collection
import Dispatch
import Foundation
import Imaging
import Mapping
import ObjectStorage
import TSNE

/// From a location to thumbnails: seconds by stage, rates, CPU time, memory, connections.
struct LoadBench: ParsableCommand {
  /// How far to go.
  enum Extent: String, ExpressibleByArgument, CaseIterable {
    /// Names alone.
    case list
    /// Names, in a collection as a job keeps them.
    case collection
    /// Bytes, which are dropped.
    case fetch
    /// Thumbnails and features, kept in the local store.
    case thumbnails
  }

  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Times listing, fetching, decoding and keeping the images of a location.")

  @Argument(help: "A bucket, a part of one, or a folder.") var location: String
  @Option(help: "How far to go: \(Extent.allCases.map(\.rawValue).joined(separator: ", ")).") var until = Extent
    .thumbnails
  @Option(help: "Connections at most.") var connections = 256
  @Option(help: "Decoders at one time (default: one a core).") var threads: Int?
  @Option(name: .customLong("cache-dir"), help: "Where thumbnails are kept (default: a new directory, removed).")
  var cacheDirectory: String?
  @Option(help: "The S3 server, when it is not AWS.") var endpointURL: String?
  @Flag(help: "Ask anonymously.") var noSignRequest = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let place = try Location(parsing: location, currentDirectory: FileManager.default.currentDirectoryPath)
    var options = StorageOptions()
    options.maximumConnections = connections
    options.endpointURL = endpointURL
    options.noSignRequest = noSignRequest
    options.patience = 60
    let threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    let ended = DispatchSemaphore(value: 0)
    let outcome = Outcome()
    let (until, directory) = (until, cacheDirectory)
    let storage = options
    let before = ResourceUse()
    Task {
      do {
        outcome.report =
          until == .thumbnails || until == .collection
          ? try await Self.job(place, storage, threads, directory, fetches: until == .thumbnails)
          : try await Self.bytes(place, storage, fetches: until == .fetch)
      } catch { outcome.error = error }
      ended.signal()
    }
    ended.wait()
    if let error = outcome.error { throw error }
    guard var report = outcome.report else { return }
    let used = ResourceUse()
    report.cpuSeconds = used.cpuSeconds - before.cpuSeconds
    report.peakMegabytes = used.peakMegabytes
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = json ? [.sortedKeys] : [.sortedKeys, .prettyPrinted]
    print(String(decoding: try encoder.encode(report), as: UTF8.self))
  }

  /// Written by the task before it signals, read by the main thread after that.
  private final class Outcome: @unchecked Sendable {
    var report: LoadReport?
    var error: (any Error)?
  }

  private static func job(
    _ location: Location, _ storage: StorageOptions, _ threads: Int, _ directory: String?, fetches: Bool
  ) async throws -> LoadReport {
    prepareImaging()
    let temporary = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { if directory == nil { try? FileManager.default.removeItem(atPath: temporary) } }
    var request = MappingRequest(
      location: location, storage: storage, parameters: MapParameters(tsne: TSNEParameters(threads: threads)),
      cacheDirectory: directory ?? temporary, limits: DecodingLimits(), threads: threads)
    // Nobody is there to be asked.
    request.allowance = nil
    guard fetches else {
      let before = Usage.status("VmRSS")
      let summary = try await ImageLoading.list(request)
      var report = LoadReport(objects: summary.images, seconds: summary.seconds.total, requests: summary.requests)
      report.listSeconds = summary.seconds.list
      report.bytesAnObject = 1024 * (Usage.status("VmHWM") - before) / Double(max(1, summary.images))
      return report
    }
    let summary = try await ImageLoading.run(request)
    let stored = CacheDirectory.collections(in: directory ?? temporary).reduce(0) { $0 + $1.bytes }
    var report = LoadReport(
      objects: summary.images + summary.leftOut + summary.otherFiles, seconds: summary.seconds.total,
      requests: summary.requests)
    report.images = summary.images
    report.leftOut = summary.leftOut
    report.listSeconds = summary.seconds.list
    report.fetchSeconds = summary.seconds.fetch
    report.decodeSeconds = summary.seconds.decode
    report.storeBytesAnImage = summary.images > 0 ? stored / Int64(summary.images) : nil
    report.storeShareOfDecoding =
      summary.decodeWorkSeconds > 0 ? summary.storeWorkSeconds / summary.decodeWorkSeconds : nil
    return report
  }

  private static func bytes(
    _ location: Location, _ storage: StorageOptions, fetches: Bool
  ) async throws -> LoadReport {
    let start = ContinuousClock.now
    let store = try openStore(location, options: storage)
    var count = 0
    // Names alone are kept, as a collection would, so that the peak of memory says what one takes.
    var objects: [StoredObject] = []
    var firstPage: Double?
    var listed = 0.0
    try await withThrowingTaskGroup(of: Void.self) { group in
      var running = 0
      for try await page in store.list() {
        if firstPage == nil { firstPage = (ContinuousClock.now - start) / .seconds(1) }
        count += page.count
        guard fetches else {
          objects += page
          continue
        }
        for object in page {
          if running >= 2 * storage.maximumConnections {
            try await group.next()
            running -= 1
          }
          group.addTask { _ = try await store.get(object) }
          running += 1
        }
      }
      listed = (ContinuousClock.now - start) / .seconds(1)
      try await group.waitForAll()
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    withExtendedLifetime(objects) {}
    var report = LoadReport(objects: count, seconds: seconds, requests: store.counts)
    report.listSeconds = listed
    report.firstPageSeconds = firstPage
    return report
  }
}

/// What this process has used.
private struct ResourceUse {
  var cpuSeconds = 0.0
  var peakMegabytes = 0.0

  init() {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    for time in [usage.ru_utime, usage.ru_stime] { cpuSeconds += Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    peakMegabytes = Double(usage.ru_maxrss) / 1024
  }
}

private struct LoadReport: Encodable {
  let objects: Int
  let seconds: Double
  var images: Int?
  var leftOut: Int?
  var listSeconds: Double?
  var firstPageSeconds: Double?
  var fetchSeconds: Double?
  var decodeSeconds: Double?
  /// What the peak of memory has grown by for each.
  var bytesAnObject: Double?
  /// Bytes of the local store an image; only of a new store.
  var storeBytesAnImage: Int64?
  /// What part of the decoders' time goes into writing.
  var storeShareOfDecoding: Double?
  let objectsPerSecond: Double
  let megabytesPerSecond: Double
  var cpuSeconds = 0.0
  var peakMegabytes = 0.0
  let connections: Int
  let peakTransfers: Int
  let listRequests: Int
  let getRequests: Int
  let retries: Int
  let bytes: Int64

  init(objects: Int, seconds: Double, requests: RequestCounts) {
    self.objects = objects
    self.seconds = seconds
    objectsPerSecond = Double(objects) / seconds
    megabytesPerSecond = Double(requests.bytesFetched) / 1e6 / seconds
    connections = requests.connections
    peakTransfers = requests.peakTransfers
    listRequests = requests.list
    getRequests = requests.get
    retries = requests.retries
    bytes = requests.bytesFetched
  }
}
